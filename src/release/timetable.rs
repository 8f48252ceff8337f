//! The shown sessions of a release in program order, sorted once when the release is made.
//!
//! Pages and exports read this order instead of sorting the ledger at each request, and ask it what takes place at a time.

use crate::program::{Intervals, Session, SessionKind};
use crate::revision::{Entry, Ledger};
use chrono::{DateTime, Utc};
use std::sync::Arc;

/// The order, and what takes place when.
#[derive(Debug)]
pub(super) struct Timetable {
    /// The places of the shown entries in the ledger's own order, by id.
    order: Vec<u32>,
    /// Breaks, meals and parties that take place: what fills a free hour.
    pauses: Part,
    /// Everything but breaks and meals, cancelled sessions included.
    sessions: Part,
}

/// Some of the sessions, in program order.
#[derive(Debug)]
struct Part {
    sessions: Vec<Arc<Session>>,
    intervals: Intervals,
}

/// The first sessions of those that take place at a time, and how many there are besides.
#[derive(Debug)]
pub struct Running<'a> {
    /// In program order.
    pub first: Vec<&'a Entry>,
    /// How many more there are.
    pub more: usize,
}

impl Timetable {
    pub(super) fn of(ledger: &Ledger) -> Self {
        let mut shown: Vec<(u32, &Entry)> =
            (0..).zip(ledger.entries.values()).filter(|(_, entry)| entry.is_shown()).collect();
        shown.sort_by_key(|(_, entry)| entry.program_order());
        let is_pause = |entry: &Entry| {
            let kind = entry.session.kind;
            (kind.is_pause() || kind == SessionKind::Social) && !entry.is_cancelled()
        };
        Self {
            order: shown.iter().map(|(place, _)| *place).collect(),
            pauses: Part::of(&shown, is_pause),
            sessions: Part::of(&shown, |entry| !entry.session.kind.is_pause()),
        }
    }

    pub(super) fn shown<'a>(&self, ledger: &'a Ledger) -> Vec<&'a Entry> {
        let entries: Vec<&Entry> = ledger.entries.values().collect();
        let place = |place: &u32| usize::try_from(*place).ok();
        self.order.iter().filter_map(|at| entries.get(place(at)?).copied()).collect()
    }

    pub(super) fn pauses<'a>(
        &self,
        ledger: &'a Ledger,
        (from, to): (DateTime<Utc>, DateTime<Utc>),
        most: usize,
    ) -> Running<'a> {
        let first = self.pauses.overlapping(ledger, from, to).take(most).collect::<Vec<_>>();
        let more = self.pauses.intervals.count(from, to).saturating_sub(first.len());
        Running { first, more }
    }

    pub(super) fn beside<'a>(&self, ledger: &'a Ledger, entry: &Entry, most: usize) -> Running<'a> {
        let (from, to) = (entry.session.slot.start, entry.session.slot.end);
        let others = self.sessions.overlapping(ledger, from, to).filter(|other| other.number != entry.number);
        let first: Vec<&Entry> = others.take(most).collect();
        let itself = usize::from(!entry.session.kind.is_pause());
        let more = self.sessions.intervals.count(from, to).saturating_sub(itself + first.len());
        Running { first, more }
    }
}

impl Part {
    fn of(shown: &[(u32, &Entry)], belongs: impl Fn(&Entry) -> bool) -> Self {
        let own = shown.iter().filter(|(_, entry)| belongs(entry));
        let sessions: Vec<Arc<Session>> = own.map(|(_, entry)| Arc::clone(&entry.session)).collect();
        let intervals = Intervals::of(sessions.iter().map(|session| &session.slot));
        Self { sessions, intervals }
    }

    fn overlapping<'a>(
        &self,
        ledger: &'a Ledger,
        from: DateTime<Utc>,
        to: DateTime<Utc>,
    ) -> impl Iterator<Item = &'a Entry> {
        let places = self.intervals.overlapping(from, to);
        places.filter_map(|place| ledger.entries.get(&self.sessions.get(place)?.id))
    }
}
