//! The visible sessions of a release in program order, indexed to find the sessions in a time span.
//!
//! Sorted once when the release is made, so that no request has to sort the ledger.

use crate::program::{Intervals, Session, SessionKind};
use crate::revision::{Entry, Ledger};
use chrono::{DateTime, Utc};
use std::sync::Arc;

/// The order of all visible sessions, and their time spans.
#[derive(Debug)]
pub(super) struct Timetable {
    /// The indexes of the visible entries in the ledger, which is sorted by id.
    order: Vec<u32>,
    /// Breaks, meals and parties that are not cancelled. Pages list them in the gaps of an agenda.
    pauses: SessionsByTime,
    /// All sessions except breaks and meals, including cancelled sessions.
    sessions: SessionsByTime,
}

/// Some of the sessions, in program order.
#[derive(Debug)]
struct SessionsByTime {
    sessions: Vec<Arc<Session>>,
    intervals: Intervals,
}

/// The sessions that overlap a time span: the first few, and the number of the others.
#[derive(Debug)]
pub struct Concurrent<'a> {
    /// The first sessions, in program order.
    pub first: Vec<&'a Entry>,
    /// The number of the other sessions.
    pub more: usize,
}

impl Timetable {
    pub(super) fn of(ledger: &Ledger) -> Self {
        let mut visible: Vec<(u32, &Entry)> =
            (0..).zip(ledger.entries.values()).filter(|(_, entry)| entry.is_visible()).collect();
        visible.sort_by_key(|(_, entry)| entry.program_order());
        let is_pause = |entry: &Entry| {
            let kind = entry.session.kind;
            (kind.is_pause() || kind == SessionKind::Social) && !entry.is_cancelled()
        };
        Self {
            order: visible.iter().map(|(index, _)| *index).collect(),
            pauses: SessionsByTime::of(&visible, is_pause),
            sessions: SessionsByTime::of(&visible, |entry| !entry.session.kind.is_pause()),
        }
    }

    pub(super) fn visible_entries<'a>(&self, ledger: &'a Ledger) -> Vec<&'a Entry> {
        let entries: Vec<&Entry> = ledger.entries.values().collect();
        self.order.iter().filter_map(|at| entries.get(usize::try_from(*at).ok()?).copied()).collect()
    }

    pub(super) fn pauses<'a>(
        &self,
        ledger: &'a Ledger,
        (from, to): (DateTime<Utc>, DateTime<Utc>),
        max: usize,
    ) -> Concurrent<'a> {
        let first = self.pauses.overlapping(ledger, from, to).take(max).collect::<Vec<_>>();
        let more = self.pauses.intervals.count(from, to).saturating_sub(first.len());
        Concurrent { first, more }
    }

    pub(super) fn beside<'a>(&self, ledger: &'a Ledger, entry: &Entry, max: usize) -> Concurrent<'a> {
        let (from, to) = (entry.session.slot.start, entry.session.slot.end);
        let others = self.sessions.overlapping(ledger, from, to).filter(|other| other.number != entry.number);
        let first: Vec<&Entry> = others.take(max).collect();
        let itself = usize::from(!entry.session.kind.is_pause());
        let more = self.sessions.intervals.count(from, to).saturating_sub(itself + first.len());
        Concurrent { first, more }
    }
}

impl SessionsByTime {
    fn of(visible: &[(u32, &Entry)], belongs: impl Fn(&Entry) -> bool) -> Self {
        let selected = visible.iter().filter(|(_, entry)| belongs(entry));
        let sessions: Vec<Arc<Session>> = selected.map(|(_, entry)| Arc::clone(&entry.session)).collect();
        let intervals = Intervals::of(sessions.iter().map(|session| &session.slot));
        Self { sessions, intervals }
    }

    fn overlapping<'a>(
        &self,
        ledger: &'a Ledger,
        from: DateTime<Utc>,
        to: DateTime<Utc>,
    ) -> impl Iterator<Item = &'a Entry> {
        let indices = self.intervals.overlapping(from, to);
        indices.filter_map(|index| ledger.entries.get(&self.sessions.get(index)?.id))
    }
}
