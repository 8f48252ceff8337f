//! Content lines: unfolds them, then splits them into name, parameters and value (RFC 5545, 3.1 and 3.2; RFC 6868 for
//! `^` in parameters).

use super::value::{self, Moment};
use super::{GrammarError, GrammarErrorKind};
use chrono::{NaiveDate, NaiveDateTime};

/// A content line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The physical line on which it starts, from 1.
    pub number: usize,
    /// The name, in capitals.
    pub name: String,
    /// The parameters, in the order of the file.
    pub parameters: Vec<Parameter>,
    /// The value as written, with its escapes.
    pub value: String,
}

/// A parameter of a content line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter {
    /// The name, in capitals.
    pub name: String,
    /// The values, without quotes.
    pub values: Vec<String>,
}

/// The content lines of a file. Lines that break the grammar are left out.
pub(super) fn lines(bytes: &[u8], errors: &mut Vec<GrammarError>) -> Vec<Line> {
    unfold(bytes, errors).into_iter().filter_map(|line| Line::parse(line, errors)).collect()
}

impl Line {
    fn parse(raw: UnfoldedLine, errors: &mut Vec<GrammarError>) -> Option<Self> {
        let number = raw.number;
        let mut report = |kind| errors.push(GrammarError { line: number, kind });
        let text = raw.text.as_str();
        let Some(end) = text.find([':', ';']) else {
            report(GrammarErrorKind::NoColon);
            return None;
        };
        let (name, mut rest) = text.split_at(end);
        let is_name = |name: &str| {
            !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        };
        if !is_name(name) {
            report(GrammarErrorKind::BadName);
            return None;
        }
        let mut parameters = Vec::new();
        while let Some(after) = rest.strip_prefix(';') {
            let Some((name, values)) = after.split_once('=').filter(|(name, _)| is_name(name)) else {
                report(GrammarErrorKind::BadParameter);
                return None;
            };
            let (found, behind) = match parameter_values(values) {
                Ok(found) => found,
                Err(kind) => {
                    report(kind);
                    return None;
                }
            };
            parameters.push(Parameter { name: name.to_ascii_uppercase(), values: found });
            rest = behind;
        }
        let Some(value) = rest.strip_prefix(':') else {
            report(GrammarErrorKind::NoColon);
            return None;
        };
        Some(Self { number, name: name.to_ascii_uppercase(), parameters, value: value.to_owned() })
    }

    /// The first value of a parameter, by its name in capitals.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|found| found.name == name)?.values.first().map(String::as_str)
    }

    /// The name of the line's zone. A TZID is TEXT (3.2.19, 3.8.3.1), and tools write its escapes in the parameter, too.
    pub fn zone(&self) -> Option<String> {
        let found = self.parameters.iter().find(|found| found.name == "TZID")?;
        Some(value::unescape(&found.values.join(",")))
    }

    /// The value, decoded as TEXT.
    pub fn text(&self) -> String {
        value::unescape(&self.value)
    }

    /// The value, decoded as a list of TEXTs.
    pub fn texts(&self) -> Vec<String> {
        value::list(&self.value).into_iter().map(value::unescape).collect()
    }
}

/// The value of a parameter with its caret escapes decoded (RFC 6868, 3.2), in one pass, since `^^n` is a caret and an
/// n. A caret before another character is not changed.
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

/// The values up to the next `;` or `:` outside of quotes, and the rest of the line.
fn parameter_values(mut rest: &str) -> Result<(Vec<String>, &str), GrammarErrorKind> {
    let mut values = Vec::new();
    loop {
        let (value, behind) = match rest.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"').ok_or(GrammarErrorKind::UnclosedQuote)?,
            None => rest.split_at(rest.find([',', ';', ':']).ok_or(GrammarErrorKind::NoColon)?),
        };
        if value.contains('"') {
            return Err(GrammarErrorKind::BadParameter);
        }
        values.push(decode(value));
        match behind.strip_prefix(',') {
            Some(more) => rest = more,
            None if behind.starts_with([';', ':']) => return Ok((values, behind)),
            None => return Err(GrammarErrorKind::BadParameter),
        }
    }
}

/// The date or date-time of a property; none if it has another form.
pub fn date_time(line: &Line) -> Option<Moment> {
    let raw = line.value.as_str();
    if raw.len() == 8 {
        return value::digits(raw)
            .then(|| NaiveDate::parse_from_str(raw, "%Y%m%d").ok())
            .flatten()
            .map(Moment::Day);
    }
    let (civil, utc) = match raw.strip_suffix('Z') {
        Some(civil) => (civil, true),
        None => (raw, false),
    };
    let (day, time) = civil.split_once('T').filter(|(day, time)| day.len() == 8 && time.len() == 6)?;
    if !value::digits(day) || !value::digits(time) {
        return None;
    }
    let civil = NaiveDateTime::parse_from_str(civil, "%Y%m%dT%H%M%S").ok()?;
    Some(match (utc, line.zone()) {
        (true, _) => Moment::Utc(civil.and_utc()),
        (false, Some(zone)) => Moment::Zoned(civil, zone),
        (false, None) => Moment::Floating(civil),
    })
}

/// An unfolded line.
#[derive(Debug, Clone, PartialEq, Eq)]
struct UnfoldedLine {
    /// The number of the first physical line, from 1.
    number: usize,
    text: String,
}

fn unfold(bytes: &[u8], errors: &mut Vec<GrammarError>) -> Vec<UnfoldedLine> {
    let mut report = |line, kind| errors.push(GrammarError { line, kind });
    let bytes = match bytes.strip_prefix(b"\xef\xbb\xbf") {
        Some(rest) => {
            report(1, GrammarErrorKind::ByteOrderMark);
            rest
        }
        None => bytes,
    };
    let mut unfolded: Vec<(usize, Vec<u8>, bool)> = Vec::new();
    let mut bare = false;
    let mut number = 0;
    for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
        number += 1;
        let (line, ended) = match (piece.strip_suffix(b"\r\n"), piece.strip_suffix(b"\n")) {
            (Some(line), _) => (line, true),
            (None, Some(line)) => {
                if !bare {
                    report(number, GrammarErrorKind::BareLineFeed);
                }
                bare = true;
                (line, true)
            }
            (None, None) => (piece, false),
        };
        if !ended {
            report(number, GrammarErrorKind::NoFinalLineEnd);
        }
        if line.len() > 75 {
            report(number, GrammarErrorKind::LongLine(line.len()));
        }
        let whole = std::str::from_utf8(line).is_ok();
        match line.split_first() {
            None => report(number, GrammarErrorKind::BlankLine),
            Some((b' ' | b'\t', rest)) => {
                if line.first() == Some(&b'\t') {
                    report(number, GrammarErrorKind::FoldedByTab);
                }
                match unfolded.last_mut() {
                    Some((_, text, sound)) => {
                        text.extend_from_slice(rest);
                        *sound &= whole;
                    }
                    None => report(number, GrammarErrorKind::NothingToContinue),
                }
            }
            Some(_) => unfolded.push((number, line.to_vec(), whole)),
        }
    }
    let mut lines = Vec::with_capacity(unfolded.len());
    for (number, bytes, sound) in unfolded {
        let text = match String::from_utf8(bytes) {
            Ok(text) => {
                if !sound {
                    report(number, GrammarErrorKind::SplitCharacter);
                }
                text
            }
            Err(error) => {
                report(number, GrammarErrorKind::NotUtf8);
                String::from_utf8_lossy(error.as_bytes()).into_owned()
            }
        };
        if let Some(control) = text.chars().find(|c| c.is_ascii_control() && *c != '\t') {
            report(number, GrammarErrorKind::Control(control));
        }
        lines.push(UnfoldedLine { number, text });
    }
    lines
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

    fn line(value: &str) -> Line {
        Line { number: 1, name: "DTSTART".to_owned(), parameters: Vec::new(), value: value.to_owned() }
    }

    #[test]
    fn moments_have_exactly_four_forms() {
        assert!(matches!(date_time(&line("20250325")), Some(Moment::Day(_))));
        assert!(matches!(date_time(&line("20250325T090000Z")), Some(Moment::Utc(_))));
        assert!(matches!(date_time(&line("20250325T090000")), Some(Moment::Floating(_))));
        for bad in
            ["2025-03-25", "20250325T0900", "20250229", "20250325T250000", "+0250325", "", "2025032ⅤT1"]
        {
            assert_eq!(date_time(&line(bad)), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn decoding_an_encoded_text_gives_the_text(text in "[a^n'\"\n]{0,20}") {
            let encoded = text.replace('^', "^^").replace('\n', "^n").replace('"', "^'");
            prop_assert_eq!(decode(&encoded), text);
        }
    }
}
