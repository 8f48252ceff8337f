//! A release: program, ledger and feeds of one publication, an immutable snapshot that readers share.

use crate::feed::{FeedSet, Rendering};
use crate::program::{Change, Program};
use crate::revision::{Ledger, advance};
use chrono::{DateTime, Utc};

/// One publication of the program.
#[derive(Debug)]
pub struct Release {
    /// The validated sessions and the conference.
    pub program: Program,
    /// Every revision; its number and time are the release's.
    pub ledger: Ledger,
    /// Every feed.
    pub feeds: FeedSet,
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

    fn advanced(
        program: Program,
        previous: &Ledger,
        earlier: Option<&FeedSet>,
        now: DateTime<Utc>,
    ) -> Prepared {
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
        Prepared { release: Self { program, ledger, feeds }, changes: step.changes, is_new }
    }

    /// 1, 2, 3 …
    pub fn number(&self) -> u64 {
        self.ledger.release
    }

    /// When it was published.
    pub fn published(&self) -> DateTime<Utc> {
        self.ledger.published
    }
}
