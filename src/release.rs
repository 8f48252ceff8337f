//! A release: program, ledger and feeds of one publication, as an immutable snapshot that readers share.
//!
//! A cache holds a [`ReleaseMark`] instead of the release, so that it does not keep the memory of an earlier release.

mod texts;
mod timetable;

pub use texts::{fold_char, words as search_words};
pub use timetable::Concurrent;

use crate::feed::{FeedKey, FeedSet, Rendering};
use crate::program::{Change, Program};
use crate::revision::{Entry, Ledger, advance};
use chrono::{DateTime, Utc};
use std::sync::{Arc, OnceLock, Weak};
use texts::SearchTexts;
use timetable::Timetable;

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
        let release = Self { program, ledger, feeds, timetable, texts: OnceLock::new() };
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
    /// Case, accents and apostrophes are ignored.
    pub fn search(&self, query: &str) -> Vec<&Entry> {
        let shown = self.visible_entries();
        let places = self.texts(&shown).places(query);
        places.into_iter().filter_map(|place| shown.get(place).copied()).collect()
    }

    /// Like [`Self::search`], sorted by the best match.
    pub fn ranked(&self, query: &str) -> Vec<&Entry> {
        let shown = self.visible_entries();
        let places = self.texts(&shown).ranked(query);
        places.into_iter().filter_map(|place| shown.get(place).copied()).collect()
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
