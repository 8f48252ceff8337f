//! A release: program, ledger and feeds of one publication, as an immutable snapshot that readers share.
//!
//! A cache holds a `ReleaseMark` instead of the release, so that it does not keep the memory of an earlier release.
//!
//! The visible sessions are sorted once, when the release is made, and indexed by time span. So no request has to sort
//! the ledger.

mod similar;
mod texts;

pub use texts::{Found, fold_char};

use crate::feed::{FeedKey, FeedSet, Rendering};
use crate::program::{Change, Intervals, Program, Session, SessionKind, Slug, WalkingTimes};
use crate::revision::{Entry, Ledger, advance};
use chrono::{DateTime, Utc};
use std::sync::{Arc, OnceLock, Weak};
use texts::SearchTexts;

/// One publication of the program.
#[derive(Debug)]
pub struct Release {
    /// The validated sessions and the conference.
    pub program: Program,
    /// The ledger. Its number and time are those of the release.
    pub ledger: Ledger,
    /// All feeds.
    pub feeds: FeedSet,
    timetable: Timetable,
    /// Built at the first search.
    texts: OnceLock<SearchTexts>,
    /// Computed at the first plan.
    walking: OnceLock<WalkingTimes>,
}

/// The release that a program would make, compared with the live release.
#[derive(Debug)]
pub struct Prepared {
    /// The new release, or the live release if they do not differ.
    pub release: Release,
    /// The changes from the live release to the new one.
    pub changes: Vec<Change>,
    /// Whether the releases differ: in a session, a property of a feed, or a slug.
    pub is_new: bool,
}

impl Release {
    /// Compares the program with a ledger, advances the ledger and renders feeds. Pure: publishes nothing.
    pub fn prepare(program: Program, previous: &Ledger, now: DateTime<Utc>) -> Prepared {
        Self::advanced(program, previous, None, now)
    }

    /// Like [`Self::prepare`], on top of this release. The new release shares unchanged events and feeds with this one.
    pub fn follow(&self, program: Program, now: DateTime<Utc>) -> Prepared {
        Self::advanced(program, &self.ledger, Some(&self.feeds), now)
    }

    /// The program. Drops the feeds, which take most of the memory.
    pub fn into_program(self) -> Program {
        self.program
    }

    /// The program and the ledger. Drops the feeds.
    pub fn into_program_and_ledger(self) -> (Program, Ledger) {
        (self.program, self.ledger)
    }

    fn advanced(
        mut program: Program,
        previous: &Ledger,
        earlier: Option<&FeedSet>,
        now: DateTime<Utc>,
    ) -> Prepared {
        // Unchanged sessions are shared with the previous ledger, to keep one copy in memory.
        program.share(|id| previous.entries.get(id).map(|entry| &entry.session));
        let rendering = Rendering::new(&program, previous, earlier);
        let step = advance(previous, &program, now, |draft| rendering.digest(draft));
        let mut ledger = step.ledger;
        let feeds = rendering.render(&mut ledger);
        let is_new = ledger.entries != previous.entries
            || ledger.slugs != previous.slugs
            || ledger.feeds != previous.feeds;
        if !is_new {
            ledger = previous.clone();
        }
        let timetable = Timetable::of(&ledger);
        let release =
            Self { program, ledger, feeds, timetable, texts: OnceLock::new(), walking: OnceLock::new() };
        Prepared { release, changes: step.changes, is_new }
    }

    /// The number of the release: 1, 2, 3 …
    pub fn number(&self) -> u64 {
        self.ledger.release
    }

    /// The visible entries by start, end and number.
    pub fn visible_entries(&self) -> Vec<&Entry> {
        self.timetable.visible_entries(&self.ledger)
    }

    /// The visible entries that contain every word of a query in title, speakers, labels or abstract, in program order.
    /// Case, accents and apostrophes are ignored. A word that the program does not contain stands for similar words.
    pub fn search(&self, query: &str) -> Vec<&Entry> {
        let shown = self.visible_entries();
        let places = self.texts(&shown).places(query);
        places.into_iter().filter_map(|place| shown.get(place).copied()).collect()
    }

    /// Like [`Self::search`], with the best match first.
    pub fn ranked(&self, query: &str) -> Found<'_> {
        let shown = self.visible_entries();
        let (places, words) = self.texts(&shown).ranked(query);
        let entries = places.into_iter().filter_map(|place| shown.get(place).copied()).collect();
        Found {
            entries,
            is_exact: words.iter().all(|word| word.is_exact),
            words: words.into_iter().flat_map(|word| word.forms).collect(),
        }
    }

    fn texts(&self, shown: &[&Entry]) -> &SearchTexts {
        let track = |entry: &Entry| {
            let slug = entry.session.track.as_ref()?;
            let track = self.program.track(slug).or_else(|| self.ledger.slugs.track(slug))?;
            Some(&track.name)
        };
        self.texts
            .get_or_init(|| SearchTexts::of(shown.iter().map(|entry| (entry.session.as_ref(), track(entry)))))
    }

    /// The entries of a canonical feed, in program order; empty if there is no such feed.
    pub fn part(&self, key: &FeedKey) -> Vec<&Entry> {
        let members = self.feeds.feed(key).map(|feed| feed.members()).unwrap_or_default();
        members.iter().filter_map(|event| self.ledger.entries.get(&event.id)).collect()
    }

    /// The breaks, meals and parties in a time span: the first `max`, and the number of the others.
    pub fn pauses(&self, span: (DateTime<Utc>, DateTime<Utc>), max: usize) -> Concurrent<'_> {
        self.timetable.pauses(&self.ledger, span, max)
    }

    /// The sessions parallel to a session, without breaks and meals: the first `max`, and the number of the others.
    pub fn beside(&self, entry: &Entry, max: usize) -> Concurrent<'_> {
        self.timetable.beside(&self.ledger, entry, max)
    }

    /// The walking times between rooms.
    pub fn walking(&self) -> &WalkingTimes {
        let slugs = &self.ledger.slugs;
        let known = |room: &Slug| slugs.room(room).or_else(|| slugs.room_of_spelling(room));
        let current = |room: &Slug| known(room).map_or_else(|| room.clone(), |(slug, _)| slug.clone());
        self.walking.get_or_init(|| WalkingTimes::of(&self.program.conference.walking, current))
    }

    /// When the release was published.
    pub fn published(&self) -> DateTime<Utc> {
        self.ledger.published
    }
}

/// Marks a release without keeping it alive. Releases are compared by pointer, since erasing a session replaces a release
/// by another one of the same number. The mark keeps the address from being used again.
#[derive(Debug, Default)]
pub(crate) struct ReleaseMark(Weak<Release>);

impl ReleaseMark {
    pub(crate) fn of(release: &Arc<Release>) -> Self {
        Self(Arc::downgrade(release))
    }

    /// Whether it marks this release.
    pub(crate) fn is(&self, release: &Arc<Release>) -> bool {
        std::ptr::eq(self.0.as_ptr(), Arc::as_ptr(release))
    }
}

/// The order of all visible sessions, and their time spans.
#[derive(Debug)]
struct Timetable {
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
    fn of(ledger: &Ledger) -> Self {
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

    fn visible_entries<'a>(&self, ledger: &'a Ledger) -> Vec<&'a Entry> {
        let entries: Vec<&Entry> = ledger.entries.values().collect();
        self.order.iter().filter_map(|at| entries.get(usize::try_from(*at).ok()?).copied()).collect()
    }

    fn pauses<'a>(
        &self,
        ledger: &'a Ledger,
        (from, to): (DateTime<Utc>, DateTime<Utc>),
        max: usize,
    ) -> Concurrent<'a> {
        let first = self.pauses.overlapping(ledger, from, to).take(max).collect::<Vec<_>>();
        let more = self.pauses.intervals.count(from, to).saturating_sub(first.len());
        Concurrent { first, more }
    }

    fn beside<'a>(&self, ledger: &'a Ledger, entry: &Entry, max: usize) -> Concurrent<'a> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures;

    #[test]
    fn a_mark_keeps_no_release_alive_and_fits_no_other() {
        let release = Arc::new(fixtures::tricky().release());
        let mark = ReleaseMark::of(&release);
        assert!(mark.is(&release) && !ReleaseMark::default().is(&release));
        assert_eq!(Arc::strong_count(&release), 1);
        drop(release);
        assert!(!mark.is(&Arc::new(fixtures::tricky().release())));
    }
}
