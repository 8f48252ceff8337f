//! A person's picks against a release: order, clashes, what is cancelled or gone.
//!
//! Owns the tokens that give access to an agenda too: their form and derivation. It knows neither the store
//! nor HTTP. Invariant: a pick is never lost; what the program no longer shows is named, not dropped.

mod team;
mod token;

pub use team::{Attended, MOST_MEMBERS, Members, Team, TeamError};
pub use token::{EditKey, ReadToken, TokenError, in_path, one_time_code};

use crate::program::{Session, SessionId};
use crate::release::Release;
use crate::revision::Entry;
use std::sync::Arc;

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
    /// The other picks that take place at the same time.
    pub clashes: Vec<SessionId>,
}

impl Item<'_> {
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
        entries.sort_by_key(|entry| (entry.session.slot.start, entry.session.slot.end, entry.number));
        entries.dedup_by_key(|entry| entry.number);
        let items = entries.iter().map(|entry| Item { entry, clashes: clashes(entry, &entries) }).collect();
        Self { items, gone }
    }
}

/// Breaks, meals and what is cancelled keep nobody from anything.
fn takes_time(entry: &Entry) -> bool {
    !entry.is_cancelled() && !entry.session.kind.is_pause()
}

fn clashes(entry: &Entry, others: &[&Entry]) -> Vec<SessionId> {
    let clashes = |other: &&&Entry| {
        other.number != entry.number
            && takes_time(entry)
            && takes_time(other)
            && entry.session.slot.overlaps(&other.session.slot)
    };
    others.iter().filter(clashes).map(|other| other.session.id.clone()).collect()
}
