//! One step of the ledger: the program that is to be published, against what was.

use super::{Digest, Entry, Ledger, Place, Revision, Standing, departure};
use crate::program::{Change, ChangeKind, Program, Session, SessionId, Slug, Status};
use chrono::{DateTime, Days, TimeDelta, Utc};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A session as it would be shown, for the digest of its VEVENT.
#[derive(Debug, Clone, Copy)]
pub struct Draft<'a> {
    /// The session.
    pub session: &'a Session,
    /// Where it says it was before.
    pub moved_from: Option<&'a Place>,
}

/// What a step gives.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// The ledger after it. Its feed marks are still the previous ones.
    pub ledger: Ledger,
    /// The sessions that changed, by id.
    pub changes: Vec<Change>,
}

/// Advances exactly the sessions whose digest changed, whatever changed it.
///
/// Every new time is the later of `now` and one second after the previous release, since clients compare
/// whole seconds and clocks run backwards at times.
pub fn advance(
    previous: &Ledger,
    program: &Program,
    now: DateTime<Utc>,
    digest: impl Fn(Draft<'_>) -> Digest,
) -> Step {
    let at = now.max(previous.published + TimeDelta::seconds(1));
    let release = previous.release + 1;
    let mut ledger = Ledger { release, published: at, ..previous.clone() };
    let mut changes = Vec::new();
    let mut number = previous.highest_number();
    let listed: BTreeMap<&SessionId, &Arc<Session>> =
        program.order().iter().map(|session| (&session.id, session)).collect();

    // Program order, so that numbers follow the program and not the alphabet.
    for session in program.order().iter().filter(|session| !previous.entries.contains_key(&session.id)) {
        if session.status == Status::Withdrawn {
            continue; // never published, so there is nothing to take back
        }
        number += 1;
        let revision = Revision { sequence: previous.floor.sequence, modified: at };
        let entry = Entry {
            number,
            revision,
            release,
            session: Arc::clone(session),
            standing: Standing::Listed,
            moved_from: None,
            digest: digest(Draft { session, moved_from: None }),
        };
        changes.extend(Change::between(None, Some(session)));
        ledger.entries.insert(session.id.clone(), entry);
    }

    let tombstones = Tombstones::of(program, at);
    for (id, stored) in &previous.entries {
        let before = &under_present_names(stored, program, previous);
        let mut entry = before.clone();
        match listed.get(id) {
            Some(session) => {
                entry.session = Arc::clone(session);
                entry.standing =
                    if session.status == Status::Withdrawn { Standing::Withdrawn } else { Standing::Listed };
            }
            None => bury(&mut entry, tombstones),
        }
        // The note of an earlier move stays until the next change, so it takes part in the comparison.
        let unchanged = shown_digest(&entry, &digest);
        if unchanged != before.digest || comes_back(before, &entry) {
            entry.moved_from = moved(before, &entry, previous);
            entry.digest = shown_digest(&entry, &digest);
            entry.revision = Revision { sequence: before.revision.sequence + 1, modified: at };
            entry.release = release;
        }
        departure::note(&mut ledger, before, &entry, program.conference.zone);
        if entry != *stored {
            changes.extend(change(before, &entry, listed.contains_key(id)));
            ledger.entries.insert(id.clone(), entry);
        }
    }
    departure::forget_old(&mut ledger);
    changes.sort_by(|a, b| a.session.cmp(&b.session));
    ledger.slugs.learn(program);
    Step { ledger, changes }
}

/// The entry with the present names of its track and room: a declared rename (`was`) moves nobody.
fn under_present_names(entry: &Entry, program: &Program, previous: &Ledger) -> Entry {
    let session = &entry.session;
    let was = |former: &[Slug], slug: &Slug| former.contains(slug);
    let track =
        session.track.as_ref().and_then(|slug| program.tracks.iter().find(|track| was(&track.was, slug)));
    let room = session.slot.room.as_ref().and_then(|name| {
        let slug = previous.slugs.room_slug(name)?;
        program.conference.rooms.iter().find(|room| was(&room.was, slug))
    });
    let mut entry = entry.clone();
    if track.is_some() || room.is_some() {
        let session = Arc::make_mut(&mut entry.session);
        session.track = track.map(|track| track.slug.clone()).or_else(|| session.track.take());
        session.slot.room = room.map(|room| room.name.clone()).or_else(|| session.slot.room.take());
    }
    entry
}

/// A line that is gone becomes a tombstone: cancelled, as last published. What was withdrawn stays withdrawn.
///
/// However late a line goes, calendars are told first: it is a tombstone for its time before a release drops it.
fn bury(entry: &mut Entry, tombstones: Tombstones) {
    let was_cancelled = entry.is_cancelled();
    if entry.standing == Standing::Listed {
        entry.standing = Standing::Removed;
        Arc::make_mut(&mut entry.session).status = Status::Cancelled;
    }
    if entry.standing == Standing::Removed && was_cancelled && tombstones.may_drop(entry) {
        entry.standing = Standing::Dropped;
    }
}

/// Whether a session that no calendar shows is shown again, though its digest says nothing about that: earlier
/// versions dropped lines without a tombstone.
fn comes_back(before: &Entry, entry: &Entry) -> bool {
    before.standing == Standing::Dropped && entry.is_shown() && !entry.is_cancelled()
}

/// Until when tombstones are shown: for `tombstone_days` after the conference's end, and after they were made.
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

/// Withdrawn sessions have no VEVENT; a dropped one keeps its digest, since nothing was said about it.
fn shown_digest(entry: &Entry, digest: &impl Fn(Draft<'_>) -> Digest) -> Digest {
    match entry.standing {
        Standing::Listed | Standing::Removed => {
            digest(Draft { session: &entry.session, moved_from: entry.moved_from.as_ref() })
        }
        Standing::Withdrawn => Digest::default(),
        Standing::Dropped => entry.digest,
    }
}

/// Where the session was, if this change moves it and it takes place.
fn moved(before: &Entry, after: &Entry, previous: &Ledger) -> Option<Place> {
    let moves = before.session.slot != after.session.slot || before.session.track != after.session.track;
    let visible = before.is_shown() && !before.is_cancelled() && after.is_shown() && !after.is_cancelled();
    (moves && visible).then(|| Place {
        slot: before.session.slot.clone(),
        track: before
            .session
            .track
            .as_ref()
            .and_then(|slug| previous.slugs.track(slug))
            .map(|t| t.name.clone()),
    })
}

/// The change to report; an edit where only the surroundings (a track's name, the renderer) changed it.
/// What no calendar shows (a bio) is reported too, and raises no sequence.
fn change(before: &Entry, after: &Entry, is_listed: bool) -> Option<Change> {
    let session = &after.session;
    if before.digest == after.digest && before.session == *session {
        return None;
    }
    // A tombstone is cancelled once; what changes about it later is an edit.
    let stays = is_listed || before.is_cancelled();
    let between = Change::between(Some(&before.session), stays.then_some(session));
    Some(between.unwrap_or_else(|| Change {
        session: session.id.clone(),
        kind: ChangeKind::Edited,
        before: Some(Arc::clone(&before.session)),
        after: Some(Arc::clone(session)),
    }))
}
