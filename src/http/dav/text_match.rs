//! Text matches and their collations (RFC 4791, 7.5 and 9.7.5; RFC 4790; RFC 5051).

use super::Refusal;
use crate::http::Problem;
use crate::xml::Element;

/// The supported collations, for `supported-collation-set`.
pub(super) const COLLATIONS: &[&str] = &["i;ascii-casemap", "i;octet", "i;unicode-casemap"];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Collation {
    AsciiCasemap,
    Octet,
    UnicodeCasemap,
}

impl Collation {
    fn fold(self, text: &str) -> String {
        match self {
            Self::AsciiCasemap => text.to_ascii_lowercase(),
            Self::Octet => text.to_owned(),
            Self::UnicodeCasemap => text.to_lowercase(),
        }
    }
}

/// A text that a value must contain or, if negated, must not contain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TextMatch {
    needle: String,
    collation: Collation,
    negate: bool,
}

impl TextMatch {
    pub(super) fn parse(element: &Element) -> Result<Self, Problem> {
        let collation = match element.attribute("collation") {
            None | Some("default" | "i;ascii-casemap") => Collation::AsciiCasemap,
            Some("i;octet") => Collation::Octet,
            Some("i;unicode-casemap") => Collation::UnicodeCasemap,
            Some(_) => return Err(Refusal::Unmet("C:supported-collation").into()),
        };
        let negate = match element.attribute("negate-condition") {
            None | Some("no") => false,
            Some("yes") => true,
            Some(_) => return Err(Refusal::Unmet("C:valid-filter").into()),
        };
        Ok(Self { needle: collation.fold(&element.text), collation, negate })
    }

    pub(super) fn admits(&self, value: &str) -> bool {
        self.collation.fold(value).contains(&self.needle) != self.negate
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(attributes: &str, needle: &str) -> Result<TextMatch, Problem> {
        let text = format!("<text-match {attributes}>{needle}</text-match>");
        TextMatch::parse(&crate::xml::read(text.as_bytes(), 1000).unwrap())
    }

    #[test]
    fn collations_differ_in_the_letters_that_they_treat_as_equal() {
        for (attributes, value, admits) in [
            ("", "Die ÄRA der talks", true),
            ("collation='i;ascii-casemap'", "TALKS", true),
            ("collation='i;octet'", "TALKS", false),
            ("collation='i;octet'", "talks", true),
            ("negate-condition='yes'", "TALKS", false),
            ("negate-condition='yes'", "nothing", true),
            ("negate-condition='no'", "", false),
        ] {
            assert_eq!(of(attributes, "talks").unwrap().admits(value), admits, "{attributes} {value}");
        }
        assert!(of("collation='i;unicode-casemap'", "ära").unwrap().admits("DIE ÄRA"));
        assert!(!of("", "ära").unwrap().admits("DIE ÄRA"));
        assert!(of("collation='i;klingon'", "x").is_err());
        assert!(of("negate-condition='maybe'", "x").is_err());
    }

    proptest! {
        #[test]
        fn a_negated_match_is_the_opposite(needle in "[a-zA-Z ]{0,4}", value in "[a-zA-Z ]{0,12}") {
            let (plain, negated) = (of("", &needle).unwrap(), of("negate-condition='yes'", &needle).unwrap());
            prop_assert_ne!(plain.admits(&value), negated.admits(&value));
            prop_assert_eq!(plain.admits(&value), value.to_lowercase().contains(&needle.to_lowercase()));
        }
    }
}
