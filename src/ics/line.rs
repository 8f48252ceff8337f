//! A content line: name, parameters, value (RFC 5545, 3.1 and 3.2; RFC 6868 for `^` in parameters).

use super::unfold::Raw;
use super::{Flaw, FlawKind, value};

/// One content line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The physical line on which it starts, from 1.
    pub number: usize,
    /// In capitals.
    pub name: String,
    /// In the order of the file.
    pub parameters: Vec<Parameter>,
    /// As written, escapes and all.
    pub value: String,
}

/// A parameter of a content line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter {
    /// In capitals.
    pub name: String,
    /// Without their quotes.
    pub values: Vec<String>,
}

impl Line {
    pub(super) fn parse(raw: Raw, flaws: &mut Vec<Flaw>) -> Option<Self> {
        let number = raw.number;
        let mut flaw = |kind| flaws.push(Flaw { line: number, kind });
        let text = raw.text.as_str();
        let Some(end) = text.find([':', ';']) else {
            flaw(FlawKind::NoColon);
            return None;
        };
        let (name, mut rest) = text.split_at(end);
        let is_name = |name: &str| {
            !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        };
        if !is_name(name) {
            flaw(FlawKind::BadName);
            return None;
        }
        let mut parameters = Vec::new();
        while let Some(after) = rest.strip_prefix(';') {
            let Some((name, values)) = after.split_once('=').filter(|(name, _)| is_name(name)) else {
                flaw(FlawKind::BadParameter);
                return None;
            };
            let (found, behind) = match parameter_values(values) {
                Ok(found) => found,
                Err(kind) => {
                    flaw(kind);
                    return None;
                }
            };
            parameters.push(Parameter { name: name.to_ascii_uppercase(), values: found });
            rest = behind;
        }
        let Some(value) = rest.strip_prefix(':') else {
            flaw(FlawKind::NoColon);
            return None;
        };
        Some(Self { number, name: name.to_ascii_uppercase(), parameters, value: value.to_owned() })
    }

    /// The first value of a parameter, by its name in capitals.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|found| found.name == name)?.values.first().map(String::as_str)
    }

    /// The value as TEXT.
    pub fn text(&self) -> String {
        value::unescape(&self.value)
    }

    /// The value as a list of TEXTs.
    pub fn texts(&self) -> Vec<String> {
        value::list(&self.value).into_iter().map(value::unescape).collect()
    }
}

/// A parameter's value without its carets (RFC 6868, 3.2), in one pass: `^^n` is a caret and an n. A caret before anything else
/// stays.
fn decode(value: &str) -> String {
    let mut decoded = String::with_capacity(value.len());
    let mut rest = value.chars();
    while let Some(found) = rest.next() {
        let meant = match found {
            '^' => match rest.clone().next() {
                Some('n') => Some('\n'),
                Some('\'') => Some('"'),
                Some('^') => Some('^'),
                _ => None,
            },
            _ => None,
        };
        if meant.is_some() {
            rest.next();
        }
        decoded.push(meant.unwrap_or(found));
    }
    decoded
}

/// The values up to the next `;` or `:` outside of quotes, and what is behind them.
fn parameter_values(mut rest: &str) -> Result<(Vec<String>, &str), FlawKind> {
    let mut values = Vec::new();
    loop {
        let (value, behind) = match rest.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"').ok_or(FlawKind::UnclosedQuote)?,
            None => rest.split_at(rest.find([',', ';', ':']).ok_or(FlawKind::NoColon)?),
        };
        if value.contains('"') {
            return Err(FlawKind::BadParameter);
        }
        values.push(decode(value));
        match behind.strip_prefix(',') {
            Some(more) => rest = more,
            None if behind.starts_with([';', ':']) => return Ok((values, behind)),
            None => return Err(FlawKind::BadParameter),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn carets_are_decoded_in_one_pass() {
        for (written, meant) in [
            ("a^nb", "a\nb"),
            ("^'quoted^'", "\"quoted\""),
            ("^^n", "^n"),
            ("^^^n", "^\n"),
            ("^^'", "^'"),
            ("^^^^", "^^"),
            ("50^ of ^x", "50^ of ^x"),
            ("^", "^"),
        ] {
            assert_eq!(decode(written), meant, "{written}");
        }
    }

    proptest! {
        #[test]
        fn what_is_encoded_comes_back(text in "[a^n'\"\n]{0,20}") {
            let encoded = text.replace('^', "^^").replace('\n', "^n").replace('"', "^'");
            prop_assert_eq!(decode(&encoded), text);
        }
    }
}
