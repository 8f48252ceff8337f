//! A person's picks in a release: their order and overlaps.
//!
//! Owns the form and derivation of the tokens that give access to an agenda. Knows neither the store nor HTTP.
//! Invariant: no pick is dropped; a session that the program no longer shows is listed as gone.

mod planner;
mod team;
mod token;

pub use planner::{
    Busy, Cost, LeftOut, LeftOutReason, MAX_BUSY, PickWeight, Preferences, Suggestion, next_in_room, suggest,
};
pub use team::{Attended, MAX_MEMBERS, Members, TeamAgenda, TeamError};
pub use token::{EditKey, ReadToken, TokenError, in_path, one_time_code};

use crate::program::{Intervals, Session, SessionId, Slot};
use crate::release::Release;
use crate::revision::Entry;
use std::sync::Arc;

/// The most overlaps that are listed for each pick. 500 picks at the same time have a quarter of a million overlaps.
pub const MAX_NAMED: usize = 5;
/// The most picks of an agenda.
pub const MAX_PICKS: usize = 500;
/// The most read links of an agenda at one time.
pub const MAX_LINKS: usize = 20;
/// The longest agenda name or link label, in characters.
pub const MAX_NAME_CHARS: usize = 100;

/// Picks in program order.
#[derive(Debug)]
pub struct Agenda<'a> {
    /// The picks that the program shows, including cancelled sessions.
    pub items: Vec<AgendaItem<'a>>,
    /// The picks that the program no longer shows: withdrawn sessions and expired tombstones.
    pub gone: Vec<SessionId>,
}

/// One pick.
#[derive(Debug)]
pub struct AgendaItem<'a> {
    /// The session's entry in the ledger.
    pub entry: &'a Entry,
    /// Other picks at the same time: the first [`MAX_NAMED`] in program order.
    pub overlaps: Vec<&'a Entry>,
    /// The number of overlaps that are not listed.
    pub more_overlaps: usize,
}

impl AgendaItem<'_> {
    /// Whether another pick takes place at the same time.
    pub fn has_overlap(&self) -> bool {
        !self.overlaps.is_empty()
    }

    /// The picked session.
    pub fn session(&self) -> &Arc<Session> {
        &self.entry.session
    }
}

impl<'a> Agenda<'a> {
    /// Looks up picks in a release.
    pub fn of(picks: &[SessionId], release: &'a Release) -> Self {
        let mut gone = Vec::new();
        let mut entries: Vec<&Entry> = Vec::new();
        for id in picks {
            match release.ledger.entries.get(id).filter(|entry| entry.is_visible()) {
                Some(entry) => entries.push(entry),
                None => gone.push(id.clone()),
            }
        }
        entries.sort_by_key(|entry| entry.program_order());
        entries.dedup_by_key(|entry| entry.number);
        let busy: Vec<&Entry> = entries.iter().copied().filter(|entry| takes_time(entry)).collect();
        let intervals = Intervals::of(busy.iter().map(|entry| &entry.session.slot));
        let item = |entry: &'a Entry| {
            if !takes_time(entry) {
                return AgendaItem { entry, overlaps: Vec::new(), more_overlaps: 0 };
            }
            let slot = &entry.session.slot;
            let others =
                intervals.overlapping(slot.start, slot.end).filter_map(|place| busy.get(place).copied());
            let others = others.filter(|other| other.number != entry.number);
            let overlaps: Vec<&Entry> = others.take(MAX_NAMED).collect();
            // The count includes the slot itself.
            let more_overlaps = intervals.count(slot.start, slot.end).saturating_sub(1 + overlaps.len());
            AgendaItem { entry, overlaps, more_overlaps }
        };
        let items = entries.iter().map(|entry| item(entry)).collect();
        Self { items, gone }
    }
}

/// Whether two picks overlap in `after` that did not overlap in `before`.
///
/// Only a changed session can make a new overlap, and most releases change few sessions. So only the changed picks are
/// compared with all picks, up to the first new overlap.
pub fn has_new_overlap(picks: &[SessionId], before: &Release, after: &Release) -> bool {
    let entry = |release: &'_ Release, id: &SessionId| -> Option<Slot> {
        let entry = release.ledger.entries.get(id)?;
        (entry.is_visible() && takes_time(entry)).then(|| entry.session.slot.clone())
    };
    let mut picks: Vec<&SessionId> = picks.iter().collect();
    picks.sort_unstable();
    picks.dedup();
    let slots: Vec<(Option<Slot>, Slot)> =
        picks.iter().filter_map(|id| Some((entry(before, id), entry(after, id)?))).collect();
    let changed = slots.iter().enumerate().filter(|(_, (before, after))| {
        before.as_ref().is_none_or(|before| (before.start, before.end) != (after.start, after.end))
    });
    changed.into_iter().any(|(place, (before, after))| {
        slots.iter().enumerate().any(|(other, (other_before, other_after))| {
            let overlapped = match (before, other_before) {
                (Some(before), Some(other)) => before.overlaps(other),
                _ => false,
            };
            place != other && after.overlaps(other_after) && !overlapped
        })
    })
}

/// Whether a session can overlap with others. Breaks, meals and cancelled sessions cannot.
fn takes_time(entry: &Entry) -> bool {
    !entry.is_cancelled() && !entry.session.kind.is_pause()
}
