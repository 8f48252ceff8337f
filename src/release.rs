//! A release: program, ledger and feeds of one publication, an immutable snapshot that readers share.

mod texts;
mod timetable;

pub use timetable::Running;

use crate::feed::{FeedKey, FeedSet, Rendering};
use crate::program::{Change, Program};
use crate::revision::{Entry, Ledger, advance};
use chrono::{DateTime, Utc};
use std::sync::OnceLock;
use texts::Texts;
use timetable::Timetable;

/// One publication of the program.
#[derive(Debug)]
pub struct Release {
    /// The validated sessions and the conference.
    pub program: Program,
    /// Every revision; its number and time are the release's.
    pub ledger: Ledger,
    /// Every feed.
    pub feeds: FeedSet,
    timetable: Timetable,
    /// Made when it is first searched.
    texts: OnceLock<Texts>,
}

/// A program held against what is published.
#[derive(Debug)]
pub struct Prepared {
    /// The release that it gives; the published one where nothing differs.
    pub release: Release,
    /// What changes.
    pub changes: Vec<Change>,
    /// Whether anything differs: a session, a feed's envelope, a slug.
    pub is_new: bool,
}

impl Release {
    /// Diffs, advances and renders. Pure: nothing is published by it.
    pub fn prepare(program: Program, previous: &Ledger, now: DateTime<Utc>) -> Prepared {
        Self::advanced(program, previous, None, now)
    }

    /// [`Self::prepare`] of what follows on this release. What is in its feeds already is shared with them.
    pub fn follow(&self, program: Program, now: DateTime<Utc>) -> Prepared {
        Self::advanced(program, &self.ledger, Some(&self.feeds), now)
    }

    /// The program, without the feeds: they are most of it.
    pub fn into_program(self) -> Program {
        self.program
    }

    /// Program and ledger, without the feeds.
    pub fn into_program_and_ledger(self) -> (Program, Ledger) {
        (self.program, self.ledger)
    }

    fn advanced(
        mut program: Program,
        previous: &Ledger,
        earlier: Option<&FeedSet>,
        now: DateTime<Utc>,
    ) -> Prepared {
        // A session that is as it was is in memory once, however many times it was imported.
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

    /// 1, 2, 3 …
    pub fn number(&self) -> u64 {
        self.ledger.release
    }

    /// The entries that pages and exports show, by start, end and number.
    pub fn shown(&self) -> Vec<&Entry> {
        self.timetable.shown(&self.ledger)
    }

    /// The shown entries whose title, speakers, block and abstract hold every word, in any case; in program order.
    pub fn search(&self, words: &str) -> Vec<&Entry> {
        let shown = self.shown();
        let texts = self.texts.get_or_init(|| Texts::of(shown.iter().map(|entry| entry.session.as_ref())));
        texts.places(words).into_iter().filter_map(|place| shown.get(place).copied()).collect()
    }

    /// The entries of a canonical feed, in program order; none where there is no such feed.
    pub fn part(&self, key: &FeedKey) -> Vec<&Entry> {
        let members = self.feeds.feed(key).map(|feed| feed.shared_members()).unwrap_or_default();
        members.iter().filter_map(|event| self.ledger.entries.get(&event.id)).collect()
    }

    /// The breaks, meals and parties that take place between two times; at most so many are named.
    pub fn pauses(&self, span: (DateTime<Utc>, DateTime<Utc>), most: usize) -> Running<'_> {
        self.timetable.pauses(&self.ledger, span, most)
    }

    /// The sessions that run at the same time as one, breaks and meals aside; at most so many are named.
    pub fn beside(&self, entry: &Entry, most: usize) -> Running<'_> {
        self.timetable.beside(&self.ledger, entry, most)
    }

    /// When it was published.
    pub fn published(&self) -> DateTime<Utc> {
        self.ledger.published
    }
}
