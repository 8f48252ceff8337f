//! Advances the ledger from one release to the next.

use super::{Digest, Entry, EntryState, FormerPlace, Ledger, Revision};
use crate::program::{Change, ChangeKind, Program, Session, SessionId, Slug, Status};
use chrono::{DateTime, Days, TimeDelta, Utc};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The content of a VEVENT, of which the digest is made.
#[derive(Debug, Clone, Copy)]
pub struct EventDraft<'a> {
    /// The session.
    pub session: &'a Session,
    /// The former place that the note of the VEVENT names.
    pub moved_from: Option<&'a FormerPlace>,
}

/// The result of [`advance`].
#[derive(Debug, Clone, PartialEq)]
pub struct Advanced {
    /// The new ledger. Its feed marks are still those of the previous ledger.
    pub ledger: Ledger,
    /// The sessions that changed, in the order of their ids.
    pub changes: Vec<Change>,
}

/// Advances exactly the sessions whose digest changed because of the CSV, the config or a newer renderer.
///
/// Every new time is at least one second after the previous release, since clients compare whole seconds and a clock
/// may go back.
pub fn advance(
    previous: &Ledger,
    program: &Program,
    now: DateTime<Utc>,
    digest: impl Fn(EventDraft<'_>) -> Digest,
) -> Advanced {
    let at = now.max(previous.published + TimeDelta::seconds(1));
    let release = previous.release + 1;
    let mut ledger = Ledger { release, published: at, ..previous.clone() };
    let mut changes = Vec::new();
    let mut number = previous.highest_number();
    let listed: BTreeMap<&SessionId, &Arc<Session>> =
        program.order().iter().map(|session| (&session.id, session)).collect();

    // In program order, so that numbers follow the program and not the alphabet.
    for session in program.order().iter().filter(|session| !previous.entries.contains_key(&session.id)) {
        if session.status == Status::Withdrawn {
            continue; // never published, so there is nothing to withdraw
        }
        number += 1;
        let revision = Revision { sequence: previous.floor.sequence, modified: at };
        let entry = Entry {
            number,
            revision,
            release,
            session: Arc::clone(session),
            state: EntryState::Listed,
            moved_from: None,
            digest: digest(EventDraft { session, moved_from: None }),
        };
        changes.extend(Change::between(None, Some(session)));
        ledger.entries.insert(session.id.clone(), entry);
    }

    let respelled: BTreeMap<Slug, Slug> = previous.slugs.respelled_tracks(program).into_iter().collect();
    let tombstones = Tombstones::of(program, at);
    for (id, stored) in &previous.entries {
        let before = &with_current_names(stored, program, previous, &respelled);
        let mut entry = before.clone();
        match listed.get(id) {
            Some(session) => {
                entry.session = Arc::clone(session);
                entry.state = if session.status == Status::Withdrawn {
                    EntryState::Withdrawn
                } else {
                    EntryState::Listed
                };
            }
            None => mark_removed(&mut entry, tombstones),
        }
        // The note about an earlier move stays until the next change, so the compared digest includes the note.
        let current = entry_digest(&entry, &digest);
        if current != before.digest || comes_back(before, &entry) {
            entry.moved_from = former_place(before, &entry, previous);
            entry.digest = entry_digest(&entry, &digest);
            entry.revision = Revision { sequence: before.revision.sequence + 1, modified: at };
            entry.release = release;
        }
        ledger.record_departure(before, &entry, program.conference.days());
        if entry != *stored {
            changes.extend(change(before, &entry, listed.contains_key(id)));
            ledger.entries.insert(id.clone(), entry);
        }
    }
    ledger.trim_departures();
    changes.sort_by(|a, b| a.session.cmp(&b.session));
    ledger.slugs.add_names_of(program);
    Advanced { ledger, changes }
}

/// The entry with the current names of its track and room, since a declared rename (`was`) or another spelling of the
/// track's slug is not a move.
fn with_current_names(
    entry: &Entry,
    program: &Program,
    previous: &Ledger,
    respelled: &BTreeMap<Slug, Slug>,
) -> Entry {
    let session = &entry.session;
    let was = |former: &[Slug], slug: &Slug| former.contains(slug);
    let declared = |slug: &Slug| Some(&program.tracks.iter().find(|track| was(&track.was, slug))?.slug);
    let track = session.track.as_ref().and_then(|slug| declared(slug).or_else(|| respelled.get(slug)));
    let room = session.slot.room.as_ref().and_then(|name| {
        let slug = previous.slugs.room_slug(name)?;
        program.conference.rooms.iter().find(|room| was(&room.was, slug))
    });
    let mut entry = entry.clone();
    if track.is_some() || room.is_some() {
        let session = Arc::make_mut(&mut entry.session);
        session.track = track.cloned().or_else(|| session.track.take());
        session.slot.room = room.map(|room| room.name.clone()).or_else(|| session.slot.room.take());
    }
    entry
}

/// Turns the entry of a removed row into a tombstone: cancelled, otherwise as last published. A withdrawn session stays
/// withdrawn.
///
/// A row that is removed long after the conference also becomes a tombstone for `tombstone_days`, so that calendars
/// learn of the removal.
fn mark_removed(entry: &mut Entry, tombstones: Tombstones) {
    let was_cancelled = entry.is_cancelled();
    if entry.state == EntryState::Listed {
        entry.state = EntryState::Removed;
        Arc::make_mut(&mut entry.session).status = Status::Cancelled;
    }
    if entry.state == EntryState::Removed && was_cancelled && tombstones.may_drop(entry) {
        entry.state = EntryState::Dropped;
    }
}

/// Whether a hidden session becomes visible again with the same digest. Earlier versions dropped rows without a
/// tombstone.
fn comes_back(before: &Entry, entry: &Entry) -> bool {
    before.state == EntryState::Dropped && entry.is_visible() && !entry.is_cancelled()
}

/// When tombstones expire: `tombstone_days` after the conference ended or after the tombstone was made, whichever is
/// later.
#[derive(Debug, Clone, Copy)]
struct Tombstones {
    is_over: bool,
    made_before: DateTime<Utc>,
}

impl Tombstones {
    fn of(program: &Program, at: DateTime<Utc>) -> Self {
        let conference = &program.conference;
        let days = Days::new(u64::from(conference.tombstone_days));
        let last_session =
            program.order().iter().map(|session| conference.zone.civil(session.slot.end).date()).max();
        let last = conference.dates.map(|(_, last)| last).or(last_session);
        let is_over = last
            .and_then(|day| day.checked_add_days(days))
            .is_some_and(|day| conference.zone.civil(at).date() > day);
        Self { is_over, made_before: at.checked_sub_days(days).unwrap_or(DateTime::<Utc>::MIN_UTC) }
    }

    fn may_drop(self, entry: &Entry) -> bool {
        self.is_over && entry.revision.modified <= self.made_before
    }
}

/// The digest of an entry's VEVENT. A withdrawn session has none; a dropped session keeps its last digest.
fn entry_digest(entry: &Entry, digest: &impl Fn(EventDraft<'_>) -> Digest) -> Digest {
    match entry.state {
        EntryState::Listed | EntryState::Removed => {
            digest(EventDraft { session: &entry.session, moved_from: entry.moved_from.as_ref() })
        }
        EntryState::Withdrawn => Digest::default(),
        EntryState::Dropped => entry.digest,
    }
}

/// The place before this change, if the change moves a session that takes place.
fn former_place(before: &Entry, after: &Entry, previous: &Ledger) -> Option<FormerPlace> {
    let moves = before.session.slot != after.session.slot || before.session.track != after.session.track;
    let takes_place = |entry: &Entry| entry.is_visible() && !entry.is_cancelled();
    (moves && takes_place(before) && takes_place(after)).then(|| FormerPlace {
        slot: before.session.slot.clone(),
        track: before
            .session
            .track
            .as_ref()
            .and_then(|slug| previous.slugs.track(slug))
            .map(|t| t.name.clone()),
    })
}

/// The change to report. A new track name or renderer is reported as an edit. A change that no calendar shows, such as
/// a bio, is reported without raising the sequence. The identity in the source is not reported, since nobody sees it.
fn change(before: &Entry, after: &Entry, is_listed: bool) -> Option<Change> {
    let session = &after.session;
    if before.digest == after.digest && shows_the_same(&before.session, session) {
        return None;
    }
    // A tombstone is reported as cancelled once. Later changes of the tombstone are edits.
    let stays = is_listed || before.is_cancelled();
    let between = Change::between(Some(&before.session), stays.then_some(session));
    Some(between.unwrap_or_else(|| Change {
        session: session.id.clone(),
        kind: ChangeKind::Edited,
        before: Some(Arc::clone(&before.session)),
        after: Some(Arc::clone(session)),
    }))
}

/// Whether two states of a session differ at most in the identity in the source.
fn shows_the_same(before: &Arc<Session>, after: &Arc<Session>) -> bool {
    before == after || **before == Session { guid: before.guid.clone(), ..Session::clone(after) }
}
