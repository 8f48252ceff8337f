//! Filters of a calendar-query (RFC 4791, 9.7 and 9.9), with text matches and their collations (7.5 and 9.7.5; RFC 4790;
//! RFC 5051).
//!
//! Times are compared with the program's instants. Everything else is looked up in the object's bytes, which are parsed only
//! if the filter needs them.

use super::Refusal;
use super::refusal::CALDAV;
use crate::http::Problem;
use crate::ics::{self, Component, Line, Moment};
use crate::program::Slot;
use crate::xml::Element;
use bytes::Bytes;
use chrono::{DateTime, NaiveDateTime, Utc};
use std::cell::OnceCell;

/// The most tests in one filter; each runs on every session.
const MAX_TESTS: usize = 50;

const VALID: Refusal = Refusal::Unmet("C:valid-filter");
const SUPPORTED: Refusal = Refusal::Unmet("C:supported-filter");

/// A time range; either end may be open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Range {
    pub(super) start: Option<DateTime<Utc>>,
    pub(super) end: Option<DateTime<Utc>>,
}

impl Range {
    pub(super) fn parse(element: &Element) -> Result<Self, Problem> {
        let instant = |name: &str| match element.attribute(name) {
            None => Ok(None),
            Some(raw) => utc(raw).map(Some).ok_or(VALID),
        };
        let (start, end) = (instant("start")?, instant("end")?);
        let is_empty = start.zip(end).is_some_and(|(start, end)| start >= end);
        if is_empty || (start.is_none() && end.is_none()) {
            return Err(VALID.into());
        }
        Ok(Self { start, end })
    }

    /// Whether a session shares an instant with the range; touching it is not enough.
    fn overlaps(&self, slot: &Slot) -> bool {
        self.start.is_none_or(|start| start < slot.end) && self.end.is_none_or(|end| slot.start < end)
    }

    fn holds(&self, at: DateTime<Utc>) -> bool {
        self.start.is_none_or(|start| start <= at) && self.end.is_none_or(|end| at < end)
    }
}

/// Parses a UTC date-time in the only form that filters allow.
fn utc(raw: &str) -> Option<DateTime<Utc>> {
    let is_form = raw.len() == 16 && raw.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'T' | b'Z'));
    let civil = NaiveDateTime::parse_from_str(raw, "%Y%m%dT%H%M%SZ").ok()?;
    is_form.then(|| civil.and_utc())
}

/// A session that a filter is applied to.
pub(super) struct FilteredSession<'a, F> {
    slot: &'a Slot,
    bytes: F,
    read: OnceCell<Component>,
}

impl<'a, F: Fn() -> Bytes> FilteredSession<'a, F> {
    pub(super) fn new(slot: &'a Slot, bytes: F) -> Self {
        Self { slot, bytes, read: OnceCell::new() }
    }

    fn component(&self) -> &Component {
        self.read.get_or_init(|| ics::read(&(self.bytes)()).components.into_iter().next().unwrap_or_default())
    }
}

/// A filter: the tests of a VCALENDAR.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Filter(Comp);

/// The tests of a component.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Comp {
    name: String,
    /// None: the component must be absent.
    tests: Option<Tests>,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Tests {
    range: Option<Range>,
    props: Vec<Prop>,
    comps: Vec<Comp>,
}

/// The tests of a property.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Prop {
    name: String,
    /// None: the property must be absent.
    tests: Option<(Option<Range>, Option<TextMatch>, Vec<Param>)>,
}

/// The tests of a parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Param {
    name: String,
    is_defined: bool,
    text: Option<TextMatch>,
}

impl Filter {
    pub(super) fn parse(filter: &Element) -> Result<Self, Problem> {
        let mut left = MAX_TESTS;
        match filter.children.as_slice() {
            [root] if root.is(CALDAV, "comp-filter") => {
                let comp = Comp::parse(root, None, &mut left)?;
                if comp.name == "VCALENDAR" { Ok(Self(comp)) } else { Err(VALID.into()) }
            }
            _ => Err(VALID.into()),
        }
    }

    pub(super) fn admits<F: Fn() -> Bytes>(&self, candidate: &FilteredSession<'_, F>) -> bool {
        let Some(tests) = &self.0.tests else { return false };
        // The common case, a time range, does not need the text.
        if let ([], [comp]) = (tests.props.as_slice(), tests.comps.as_slice())
            && let Some(Tests { range, props, comps }) = &comp.tests
            && comp.name == "VEVENT"
        {
            if range.is_some_and(|range| !range.overlaps(candidate.slot)) {
                return false;
            }
            if props.is_empty() && comps.is_empty() {
                return true;
            }
        }
        tests.hold(candidate.component(), candidate.slot)
    }
}

/// The name of the element that a test applies to. Counts the test.
fn name(element: &Element, left: &mut usize) -> Result<String, Problem> {
    *left = left.checked_sub(1).ok_or(SUPPORTED)?;
    element.attribute("name").map(str::to_ascii_uppercase).ok_or(VALID.into())
}

impl Comp {
    fn parse(element: &Element, within: Option<&str>, left: &mut usize) -> Result<Self, Problem> {
        let name = name(element, left)?;
        let mut tests = Tests::default();
        let mut is_defined = true;
        for child in &element.children {
            match child.name.as_str() {
                _ if *child.namespace != *CALDAV => return Err(SUPPORTED.into()),
                "is-not-defined" => is_defined = false,
                // Only sessions have times here; a time range on another component matches nothing.
                "time-range" if within == Some("VCALENDAR") && name != "VTIMEZONE" => {
                    tests.range = Some(Range::parse(child)?);
                }
                "time-range" if within.is_none() || name == "VTIMEZONE" => return Err(VALID.into()),
                "time-range" => tests.range = Some(Range::parse(child)?),
                "prop-filter" => tests.props.push(Prop::parse(child, left)?),
                "comp-filter" => tests.comps.push(Self::parse(child, Some(&name), left)?),
                _ => return Err(SUPPORTED.into()),
            }
        }
        if !is_defined && tests != Tests::default() {
            return Err(VALID.into());
        }
        Ok(Self { name, tests: is_defined.then_some(tests) })
    }

    fn holds(&self, parent: &Component, slot: &Slot) -> bool {
        let mut all = parent.components.iter().filter(|component| component.name == self.name);
        match &self.tests {
            None => all.next().is_none(),
            Some(tests) => all.any(|component| tests.hold(component, slot)),
        }
    }
}

impl Tests {
    fn hold(&self, component: &Component, slot: &Slot) -> bool {
        let in_time = self.range.is_none_or(|range| component.name == "VEVENT" && range.overlaps(slot));
        in_time
            && self.props.iter().all(|prop| prop.holds(component, slot))
            && self.comps.iter().all(|comp| comp.holds(component, slot))
    }
}

impl Prop {
    fn parse(element: &Element, left: &mut usize) -> Result<Self, Problem> {
        let name = name(element, left)?;
        let (mut range, mut text, mut params, mut is_defined) = (None, None, Vec::new(), true);
        for child in &element.children {
            match child.name.as_str() {
                _ if *child.namespace != *CALDAV => return Err(SUPPORTED.into()),
                "is-not-defined" => is_defined = false,
                "time-range" => range = Some(Range::parse(child)?),
                "text-match" => text = Some(TextMatch::parse(child)?),
                "param-filter" => params.push(Param::parse(child, left)?),
                _ => return Err(SUPPORTED.into()),
            }
        }
        let is_timed = matches!(name.as_str(), "DTSTART" | "DTEND" | "DTSTAMP" | "LAST-MODIFIED");
        if range.is_some() && !is_timed {
            return Err(SUPPORTED.into());
        }
        if (!is_defined && (range.is_some() || text.is_some() || !params.is_empty()))
            || (range.is_some() && text.is_some())
        {
            return Err(VALID.into());
        }
        Ok(Self { name, tests: is_defined.then_some((range, text, params)) })
    }

    fn holds(&self, component: &Component, slot: &Slot) -> bool {
        let mut all = component.properties(&self.name);
        let Some((range, text, params)) = &self.tests else { return all.next().is_none() };
        all.any(|line| {
            range.is_none_or(|range| instant(line, slot).is_some_and(|at| range.holds(at)))
                && text.as_ref().is_none_or(|text| text.admits(&line.text()))
                && params.iter().all(|param| param.holds(line))
        })
    }
}

/// The instant of a property. A session's start and end are known without the zone's rules.
fn instant(line: &Line, slot: &Slot) -> Option<DateTime<Utc>> {
    match (line.name.as_str(), ics::date_time(line)?) {
        ("DTSTART", _) => Some(slot.start),
        ("DTEND", _) => Some(slot.end),
        (_, Moment::Utc(at)) => Some(at),
        _ => None,
    }
}

impl Param {
    fn parse(element: &Element, left: &mut usize) -> Result<Self, Problem> {
        let name = name(element, left)?;
        let (mut text, mut is_defined) = (None, true);
        for child in &element.children {
            match child.name.as_str() {
                _ if *child.namespace != *CALDAV => return Err(SUPPORTED.into()),
                "is-not-defined" => is_defined = false,
                "text-match" => text = Some(TextMatch::parse(child)?),
                _ => return Err(SUPPORTED.into()),
            }
        }
        if !is_defined && text.is_some() {
            return Err(VALID.into());
        }
        Ok(Self { name, is_defined, text })
    }

    fn holds(&self, line: &Line) -> bool {
        match line.parameter(&self.name) {
            None => !self.is_defined,
            Some(value) => self.is_defined && self.text.as_ref().is_none_or(|text| text.admits(value)),
        }
    }
}

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
    use chrono::TimeDelta;
    use proptest::prelude::*;

    fn parsed(filter: &str) -> Result<Filter, Problem> {
        let text =
            format!("<filter xmlns='{CALDAV}'><comp-filter name='VCALENDAR'>{filter}</comp-filter></filter>");
        Filter::parse(&crate::xml::read(text.as_bytes(), 10_000).unwrap())
    }

    fn at(minutes: i64) -> DateTime<Utc> {
        // Around the end of summer time in Los Angeles, where 01:30 comes twice.
        "2025-11-02T07:00:00Z".parse::<DateTime<Utc>>().unwrap() + TimeDelta::minutes(minutes)
    }

    fn form(at: DateTime<Utc>) -> String {
        at.format("%Y%m%dT%H%M%SZ").to_string()
    }

    fn event(summary: &str) -> Bytes {
        format!("BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nSUMMARY:{summary}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n")
            .into()
    }

    proptest! {
        #[test]
        fn a_range_matches_sessions_that_share_an_instant_with_it(
            start in 0..300_i64, length in 1..90_i64, from in prop::option::of(0..300_i64), until in 1..120_i64,
        ) {
            let slot = Slot { start: at(start), end: at(start + length), room: None };
            let (first, last) = match from {
                Some(from) => (Some(from), from + until),
                None => (None, until),
            };
            let start_attribute = first.map(|first| format!(" start='{}'", form(at(first)))).unwrap_or_default();
            let range = format!("<time-range{start_attribute} end='{}'/>", form(at(last)));
            let expected = (start..start + length).any(|minute| first.is_none_or(|first| first <= minute) && minute < last);
            for filter in [
                format!("<comp-filter name='VEVENT'>{range}</comp-filter>"),
                // The same range, evaluated on the text.
                format!("<comp-filter name='vevent'>{range}<prop-filter name='summary'/></comp-filter>"),
            ] {
                let filter = parsed(&filter).unwrap();
                prop_assert_eq!(filter.admits(&FilteredSession::new(&slot, || event("x"))), expected);
            }
        }

        #[test]
        fn no_filter_panics(inner in "(<(comp|prop|param)-filter name='[A-Z]{0,3}'/>|<is-not-defined/>|<text-match>x</text-match>|<time-range start='20250101T000000Z'/>){0,5}") {
            let slot = Slot { start: at(0), end: at(1), room: None };
            if let Ok(filter) = parsed(&format!("<comp-filter name='VEVENT'>{inner}</comp-filter>")) {
                filter.admits(&FilteredSession::new(&slot, || event("x")));
            }
        }
    }

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
