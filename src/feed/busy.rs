//! When somebody is busy, as a VFREEBUSY (RFC 5545, 3.6.4 and 3.8.2.6): periods in order, none overlapping.

use super::calendar::{CLOSING, begin};
use super::line;
use chrono::{DateTime, Utc};
use std::fmt::Write;

/// A time that is taken, perhaps only tentatively.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Taken {
    /// The first instant.
    pub start: DateTime<Utc>,
    /// The first instant after it.
    pub end: DateTime<Utc>,
    /// Whether it may come to nothing.
    pub tentative: bool,
}

/// A calendar that says when somebody is busy within a range, either end of which may be open. `uid` names the
/// answer, `now` is when it is given.
pub fn free_busy(
    taken: &[Taken],
    range: (Option<DateTime<Utc>>, Option<DateTime<Utc>>),
    uid: &str,
    now: DateTime<Utc>,
) -> String {
    let mut out = begin();
    line::raw(&mut out, "BEGIN", "VFREEBUSY");
    line::raw(&mut out, "UID", uid);
    line::raw(&mut out, "DTSTAMP", &utc(now));
    for (name, at) in [("DTSTART", range.0), ("DTEND", range.1)] {
        if let Some(at) = at {
            line::raw(&mut out, name, &utc(at));
        }
    }
    let periods = merged(taken, range);
    for (name, tentative) in [("FREEBUSY;FBTYPE=BUSY", false), ("FREEBUSY;FBTYPE=BUSY-TENTATIVE", true)] {
        let mut value = String::new();
        for period in periods.iter().filter(|period| period.tentative == tentative) {
            let comma = if value.is_empty() { "" } else { "," };
            // Writing to a String cannot fail.
            let _ = write!(value, "{comma}{}/{}", utc(period.start), utc(period.end));
        }
        if !value.is_empty() {
            line::raw(&mut out, name, &value);
        }
    }
    line::raw(&mut out, "END", "VFREEBUSY");
    out.push_str(CLOSING);
    out
}

/// What is taken within the range, in order, without overlaps; what is certain wins.
fn merged(taken: &[Taken], (first, last): (Option<DateTime<Utc>>, Option<DateTime<Utc>>)) -> Vec<Taken> {
    let clip = |period: &Taken| Taken {
        start: first.map_or(period.start, |first| first.max(period.start)),
        end: last.map_or(period.end, |last| last.min(period.end)),
        tentative: period.tentative,
    };
    let taken: Vec<Taken> = taken.iter().map(clip).filter(|period| period.start < period.end).collect();
    let mut cuts: Vec<DateTime<Utc>> = taken.iter().flat_map(|period| [period.start, period.end]).collect();
    cuts.sort_unstable();
    cuts.dedup();
    let mut merged: Vec<Taken> = Vec::new();
    for (start, end) in cuts.iter().copied().zip(cuts.iter().copied().skip(1)) {
        let mut within = taken.iter().filter(|period| period.start <= start && end <= period.end).peekable();
        if within.peek().is_none() {
            continue;
        }
        let tentative = within.all(|period| period.tentative);
        match merged.last_mut() {
            Some(before) if before.end == start && before.tentative == tentative => before.end = end,
            _ => merged.push(Taken { start, end, tentative }),
        }
    }
    merged
}

fn utc(at: DateTime<Utc>) -> String {
    at.format("%Y%m%dT%H%M%SZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(seconds, 0).unwrap()
    }

    fn taken(start: i64, end: i64, tentative: bool) -> Taken {
        Taken { start: at(start), end: at(end), tentative }
    }

    #[test]
    fn touching_periods_become_one_and_certain_ones_win() {
        let all = [taken(0, 10, true), taken(5, 20, false), taken(20, 30, false), taken(40, 50, true)];
        let expected = [taken(0, 5, true), taken(5, 30, false), taken(40, 45, true)];
        assert_eq!(merged(&all, (None, Some(at(45)))), expected);
        assert_eq!(merged(&all, (Some(at(30)), Some(at(40)))), []);
    }

    #[test]
    fn nobody_busy_is_a_free_busy_without_periods() {
        let text = free_busy(&[], (Some(at(0)), None), "x@y", at(9));
        assert!(
            text.contains("DTSTAMP:19700101T000009Z\r\nDTSTART:19700101T000000Z\r\nEND:VFREEBUSY\r\n"),
            "{text}"
        );
    }

    proptest! {
        #[test]
        fn every_instant_is_as_busy_as_its_sessions(
            all in prop::collection::vec((0..60_i64, 1..20_i64, any::<bool>()), 0..12),
            range in (0..40_i64, 1..40_i64),
        ) {
            let all: Vec<Taken> = all.into_iter().map(|(s, l, t)| taken(s, s + l, t)).collect();
            let (first, last) = (at(range.0), at(range.0 + range.1));
            let merged = merged(&all, (Some(first), Some(last)));
            for second in 0..100 {
                let holds = |period: &&Taken| period.start <= at(second) && at(second) < period.end;
                let mut within = all.iter().filter(holds).peekable();
                let inside = first <= at(second) && at(second) < last && within.peek().is_some();
                let expected = inside.then(|| within.all(|period| period.tentative));
                prop_assert_eq!(merged.iter().find(holds).map(|period| period.tentative), expected);
            }
            prop_assert!(merged.windows(2).all(|pair| pair[0].end <= pair[1].start));
        }
    }
}
