//! The calendar objects of CalDAV (RFC 4791, 4.1): single sessions, the VTIMEZONE, and busy times.
//!
//! An object holds a VTIMEZONE and one VEVENT but no properties of a feed, so renaming the conference or a feed does
//! not change its entity tag.

use super::FeedKey;
use super::calendar::{CLOSING, begin};
use super::event::END;
use super::line;
use super::render::stamp_bytes;
use super::set::{FeedSet, RenderedEvent};
use crate::program::SessionId;
use crate::revision::Digest;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use std::fmt::Write;

/// A session as an object. Its entity tag and length are computed without making its bytes.
#[derive(Debug, Clone, Copy)]
pub struct CalendarObject<'a> {
    set: &'a FeedSet,
    event: &'a RenderedEvent,
    /// Whether the object has the alternate status: opaque, or a prefixed title if the session is cancelled.
    alternate: bool,
}

impl FeedSet {
    /// A session's object. With `busy` the session blocks its time, as in an agenda, except for breaks and meals. With
    /// `titled` a cancelled session is marked in its title instead of its STATUS.
    pub fn object<'a>(&'a self, event: &'a RenderedEvent, busy: bool, titled: bool) -> CalendarObject<'a> {
        let alternate = if event.cancelled { titled } else { busy && !event.free };
        CalendarObject { set: self, event, alternate }
    }

    /// A calendar with only the conference's VTIMEZONE; none if all times are in UTC.
    pub fn timezone(&self) -> Option<String> {
        (!self.vtimezone.is_empty()).then(|| format!("{}{}{CLOSING}", begin(), self.vtimezone))
    }

    /// The sessions that left a canonical feed after a time in whole seconds, including sessions that came back. None
    /// if the ledger no longer has all departures since then.
    pub fn left_since(&self, key: &FeedKey, seconds: i64) -> Option<Vec<&SessionId>> {
        let is_known = self.last_departure.timestamp() <= seconds;
        let since = self.departures.iter().filter(|departure| departure.at.timestamp() > seconds);
        is_known.then(|| since.filter(|one| one.leaves_feed(key)).map(|one| &one.session).collect())
    }
}

impl CalendarObject<'_> {
    /// When the session, or a shared property such as the zone's rules, last changed.
    pub fn modified(&self) -> DateTime<Utc> {
        self.event.revision.modified.max(self.set.shared_modified)
    }

    /// The hash of the object's entity tag.
    pub fn hash(&self) -> String {
        let stamp = stamp_bytes(self.event);
        let alternate = [u8::from(self.alternate)];
        Digest::of_parts([
            self.set.vtimezone.as_bytes(),
            self.event.digest.0.as_slice(),
            stamp.as_slice(),
            alternate.as_slice(),
        ])
        .short()
    }

    /// Whether the session blocks its time.
    pub fn is_busy(&self) -> bool {
        self.alternate && !self.event.cancelled
    }

    fn parts(&self) -> [&[u8]; 3] {
        let pieces = &self.event.pieces;
        [pieces.head(), pieces.status(self.alternate), pieces.tail()]
    }

    /// The length of the object in bytes.
    pub fn length(&self) -> usize {
        let parts: usize = self.parts().iter().map(|part| part.len()).sum();
        begin().len() + self.set.vtimezone.len() + parts + END.len() + CLOSING.len()
    }

    /// The bytes of the object.
    pub fn bytes(&self) -> Bytes {
        let mut out = begin().into_bytes();
        out.extend_from_slice(self.set.vtimezone.as_bytes());
        self.parts().iter().for_each(|part| out.extend_from_slice(part));
        out.extend_from_slice(END.as_bytes());
        out.extend_from_slice(CLOSING.as_bytes());
        out.into()
    }
}

/// A time during which somebody is busy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BusyPeriod {
    /// The first instant of the period.
    pub start: DateTime<Utc>,
    /// The first instant after the period.
    pub end: DateTime<Utc>,
    /// Whether the session is only tentative.
    pub tentative: bool,
}

/// A VFREEBUSY (RFC 5545, 3.6.4): ordered periods without overlaps, within a range whose ends may be open. `uid`
/// identifies the response, and `now` is its time.
pub fn free_busy(
    busy: &[BusyPeriod],
    range: (Option<DateTime<Utc>>, Option<DateTime<Utc>>),
    uid: &str,
    now: DateTime<Utc>,
) -> String {
    let mut out = begin();
    line::raw(&mut out, "BEGIN", "VFREEBUSY");
    line::raw(&mut out, "UID", uid);
    line::raw(&mut out, "DTSTAMP", &line::utc(now));
    for (name, at) in [("DTSTART", range.0), ("DTEND", range.1)] {
        if let Some(at) = at {
            line::raw(&mut out, name, &line::utc(at));
        }
    }
    let periods = merged(busy, range);
    for (name, tentative) in [("FREEBUSY;FBTYPE=BUSY", false), ("FREEBUSY;FBTYPE=BUSY-TENTATIVE", true)] {
        let mut value = String::new();
        for period in periods.iter().filter(|period| period.tentative == tentative) {
            let comma = if value.is_empty() { "" } else { "," };
            // Writing to a String cannot fail.
            let _ = write!(value, "{comma}{}/{}", line::utc(period.start), line::utc(period.end));
        }
        if !value.is_empty() {
            line::raw(&mut out, name, &value);
        }
    }
    line::raw(&mut out, "END", "VFREEBUSY");
    out.push_str(CLOSING);
    out
}

/// The busy periods within the range, in order, without overlaps. Where a certain and a tentative period overlap, the
/// certain period wins.
fn merged(
    busy: &[BusyPeriod],
    (first, last): (Option<DateTime<Utc>>, Option<DateTime<Utc>>),
) -> Vec<BusyPeriod> {
    let clip = |period: &BusyPeriod| BusyPeriod {
        start: first.map_or(period.start, |first| first.max(period.start)),
        end: last.map_or(period.end, |last| last.min(period.end)),
        tentative: period.tentative,
    };
    let busy: Vec<BusyPeriod> = busy.iter().map(clip).filter(|period| period.start < period.end).collect();
    let mut cuts: Vec<DateTime<Utc>> = busy.iter().flat_map(|period| [period.start, period.end]).collect();
    cuts.sort_unstable();
    cuts.dedup();
    let mut merged: Vec<BusyPeriod> = Vec::new();
    for (start, end) in cuts.iter().copied().zip(cuts.iter().copied().skip(1)) {
        let mut within = busy.iter().filter(|period| period.start <= start && end <= period.end).peekable();
        if within.peek().is_none() {
            continue;
        }
        let tentative = within.all(|period| period.tentative);
        match merged.last_mut() {
            Some(before) if before.end == start && before.tentative == tentative => before.end = end,
            _ => merged.push(BusyPeriod { start, end, tentative }),
        }
    }
    merged
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(seconds, 0).unwrap()
    }

    fn period(start: i64, end: i64, tentative: bool) -> BusyPeriod {
        BusyPeriod { start: at(start), end: at(end), tentative }
    }

    #[test]
    fn touching_periods_become_one_and_certain_ones_win() {
        let all = [period(0, 10, true), period(5, 20, false), period(20, 30, false), period(40, 50, true)];
        let expected = [period(0, 5, true), period(5, 30, false), period(40, 45, true)];
        assert_eq!(merged(&all, (None, Some(at(45)))), expected);
        assert_eq!(merged(&all, (Some(at(30)), Some(at(40)))), []);
    }

    #[test]
    fn an_idle_person_has_a_vfreebusy_without_periods() {
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
            let all: Vec<BusyPeriod> = all.into_iter().map(|(s, l, t)| period(s, s + l, t)).collect();
            let (first, last) = (at(range.0), at(range.0 + range.1));
            let merged = merged(&all, (Some(first), Some(last)));
            for second in 0..100 {
                let holds = |period: &&BusyPeriod| period.start <= at(second) && at(second) < period.end;
                let mut within = all.iter().filter(holds).peekable();
                let inside = first <= at(second) && at(second) < last && within.peek().is_some();
                let expected = inside.then(|| within.all(|period| period.tentative));
                prop_assert_eq!(merged.iter().find(holds).map(|period| period.tentative), expected);
            }
            prop_assert!(merged.windows(2).all(|pair| pair[0].end <= pair[1].start));
        }
    }
}
