//! A person's picks against a release: order, clashes, what is cancelled or gone.
//!
//! Owns the tokens that give access to an agenda too: their form and derivation. It knows neither the store
//! nor HTTP. Invariant: a pick is never lost; what the program no longer shows is named, not dropped.

mod team;
mod token;

pub use team::{Attended, MOST_MEMBERS, Members, Team, TeamError};
pub use token::{EditKey, ReadToken, TokenError, in_path, one_time_code};

use crate::program::{Intervals, Session, SessionId, Slot};
use crate::release::Release;
use crate::revision::Entry;
use std::sync::Arc;

/// The most overlapping picks that are named for each pick. Five hundred picks at one time would name a quarter of a million.
pub const MOST_NAMED: usize = 5;
/// The most sessions that an agenda holds.
pub const MOST_PICKS: usize = 500;
/// The most read links that an agenda has at a time.
pub const MOST_LINKS: usize = 20;
/// The longest name of an agenda or label of a link, in characters.
pub const LONGEST_NAME: usize = 100;

/// Picks in program order.
#[derive(Debug)]
pub struct Agenda<'a> {
    /// The picked sessions that the program shows, cancelled ones included.
    pub items: Vec<Item<'a>>,
    /// Picks that it no longer shows: withdrawn, or a tombstone whose time is over.
    pub gone: Vec<SessionId>,
}

/// One pick.
#[derive(Debug)]
pub struct Item<'a> {
    /// Its line in the ledger.
    pub entry: &'a Entry,
    /// The other picks that take place at the same time: the first [`MOST_NAMED`] in program order.
    pub clashes: Vec<&'a Entry>,
    /// How many more there are.
    pub more_clashes: usize,
}

impl Item<'_> {
    /// Whether any other pick takes place at the same time.
    pub fn clashes(&self) -> bool {
        !self.clashes.is_empty()
    }

    /// The session.
    pub fn session(&self) -> &Arc<Session> {
        &self.entry.session
    }
}

impl<'a> Agenda<'a> {
    /// Resolves picks against a release.
    pub fn of(picks: &[SessionId], release: &'a Release) -> Self {
        let mut gone = Vec::new();
        let mut entries: Vec<&Entry> = Vec::new();
        for id in picks {
            match release.ledger.entries.get(id).filter(|entry| entry.is_shown()) {
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
                return Item { entry, clashes: Vec::new(), more_clashes: 0 };
            }
            let slot = &entry.session.slot;
            let others =
                intervals.overlapping(slot.start, slot.end).filter_map(|place| busy.get(place).copied());
            let others = others.filter(|other| other.number != entry.number);
            let clashes: Vec<&Entry> = others.take(MOST_NAMED).collect();
            // The slot overlaps itself.
            let more_clashes = intervals.count(slot.start, slot.end).saturating_sub(1 + clashes.len());
            Item { entry, clashes, more_clashes }
        };
        let items = entries.iter().map(|entry| item(entry)).collect();
        Self { items, gone }
    }
}

/// Whether two picks clash in a release that do not clash in the one before it.
///
/// Only a session that changed can make a clash, and most releases change few: so this looks at the changed picks against all,
/// and stops at the first new clash.
pub fn clashes_anew(picks: &[SessionId], before: &Release, after: &Release) -> bool {
    let entry = |release: &'_ Release, id: &SessionId| -> Option<Slot> {
        let entry = release.ledger.entries.get(id)?;
        (entry.is_shown() && takes_time(entry)).then(|| entry.session.slot.clone())
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
            let clashed = match (before, other_before) {
                (Some(before), Some(other)) => before.overlaps(other),
                _ => false,
            };
            place != other && after.overlaps(other_after) && !clashed
        })
    })
}

/// Breaks, meals and what is cancelled keep nobody from anything.
fn takes_time(entry: &Entry) -> bool {
    !entry.is_cancelled() && !entry.session.kind.is_pause()
}
