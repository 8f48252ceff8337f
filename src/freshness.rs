//! When each read link was last fetched, by which family of calendar clients, and with which release. Also how many
//! clients fetch the public feeds.
//!
//! Stores neither addresses nor user agents. A poll locks one shard in memory and writes nothing. Dirty shards are
//! written to the store every few minutes, so a crash loses the polls since then. Families are recognised by
//! user agents.

mod audience;
mod stored;

pub use audience::{Audience, FeedKind};

use audience::PublicFetches;
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;
use std::sync::{Mutex, MutexGuard, PoisonError};
use stored::Progress;

/// The last fetch of a read link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// When the link was fetched.
    pub at: DateTime<Utc>,
    /// The client's family.
    pub by: Family,
    /// The release that the client has. A 304 counts too: it confirms the client's copy.
    pub release: u64,
}

/// SHA-256 of a read link's token.
pub type LinkHash = [u8; 32];

/// One shard for each first byte of a link's hash.
const SHARD_COUNT: usize = 256;

/// A link that was not fetched for this long is forgotten.
const EXPIRY: TimeDelta = TimeDelta::days(90);

/// The last fetches of all read links.
#[derive(Debug)]
pub struct Freshness {
    shards: [Mutex<FreshnessShard>; SHARD_COUNT],
    progress: Mutex<Progress>,
    public: PublicFetches,
}

/// The links whose hashes begin with one byte.
#[derive(Debug, Default)]
struct FreshnessShard {
    links: HashMap<LinkHash, Seen>,
    /// Whether the shard differs from its record in the store.
    is_dirty: bool,
    /// Whether the shard's record must stay as it is: a newer version wrote it, or the store could not be read.
    is_read_only: bool,
}

impl Default for Freshness {
    fn default() -> Self {
        Self {
            shards: std::array::from_fn(|_| Mutex::default()),
            progress: Mutex::default(),
            public: PublicFetches::default(),
        }
    }
}

/// How many of the recently polled links have the live release.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Share {
    /// Links polled within two days.
    pub polled: usize,
    /// Links among them with the live release.
    pub current: usize,
}

impl Freshness {
    /// Records a fetch.
    pub fn note(&self, link: LinkHash, seen: Seen) {
        let mut shard = self.shard(&link);
        shard.links.insert(link, seen);
        shard.is_dirty = true;
    }

    /// The last fetch of a link.
    pub fn of(&self, link: &LinkHash) -> Option<Seen> {
        self.shard(link).links.get(link).copied()
    }

    /// Forgets a link that was revoked or deleted.
    pub fn forget(&self, link: &LinkHash) {
        let mut shard = self.shard(link);
        shard.is_dirty |= shard.links.remove(link).is_some();
    }

    /// Forgets all links.
    pub fn forget_all(&self) {
        for shard in &self.shards {
            let mut shard = lock(shard);
            shard.is_dirty |= !shard.links.is_empty();
            shard.links.clear();
        }
    }

    /// Counts the links polled in the two days before `now`, and those with `release` among them.
    pub fn share(&self, release: u64, now: DateTime<Utc>) -> Share {
        let mut share = Share::default();
        for shard in &self.shards {
            for seen in lock(shard).links.values().filter(|seen| now - seen.at <= TimeDelta::days(2)) {
                share.polled += 1;
                share.current += usize::from(seen.release >= release);
            }
        }
        share
    }

    /// Records that a client fetched a public feed. Of the client, only the effect on an estimate is kept.
    pub fn note_public(
        &self,
        kind: FeedKind,
        by: Family,
        client: impl Hash,
        release: u64,
        at: DateTime<Utc>,
    ) {
        self.public.note(kind, by, client, release, at);
    }

    /// The clients of the two days before `now`, by kind of feed and family. Public feeds are estimates since the
    /// start; agendas count read links, each with the family that fetched it last.
    pub fn audience(&self, now: DateTime<Utc>) -> Vec<Audience> {
        let mut found = self.public.audience(now);
        let mut links: BTreeMap<Family, (Audience, BTreeMap<u64, usize>)> = BTreeMap::new();
        for shard in &self.shards {
            for seen in lock(shard).links.values().filter(|seen| now - seen.at <= TimeDelta::days(2)) {
                let new = || (Audience::new(FeedKind::Agenda, seen.by, seen.at), BTreeMap::new());
                let (audience, releases) = links.entry(seen.by).or_insert_with(new);
                audience.last = audience.last.max(seen.at);
                *releases.entry(seen.release).or_insert(0) += 1;
            }
        }
        found.extend(links.into_values().map(|(audience, releases)| Audience {
            releases: releases.into_iter().rev().collect(),
            ..audience
        }));
        found
    }

    fn shard(&self, link: &LinkHash) -> MutexGuard<'_, FreshnessShard> {
        let [first, ..] = link;
        let [zero, ..] = &self.shards;
        lock(self.shards.get(usize::from(*first)).unwrap_or(zero))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Family {
    /// The family of a user agent. Each thread remembers its last one, since few programs send most polls.
    pub fn of(agent: &str) -> Self {
        thread_local! {
            static LAST: RefCell<(String, Family)> = const { RefCell::new((String::new(), Family::Other)) };
        }
        LAST.with_borrow_mut(|(last, family)| {
            if last != agent {
                *family = Self::recognise(agent);
                agent.clone_into(last);
            }
            *family
        })
    }
}

macro_rules! families {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $display_name:literal, [$($mark:literal),*];)+) => {
        /// A family of clients.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "lowercase")]
        pub enum Family { $($(#[$doc])* $name),+ }

        impl Family {
            /// All families, in the order in which pages list them.
            const ALL: &[Self] = &[$(Self::$name),+];

            /// The first family with a mark in the user agent, else [`Family::Other`].
            fn recognise(agent: &str) -> Self {
                let agent = agent.to_ascii_lowercase();
                let table: &[(Self, &[&str])] = &[$((Self::$name, &[$($mark),*])),+];
                let is = |marks: &[&str]| marks.iter().any(|mark| agent.contains(mark));
                table.iter().find(|(_, marks)| is(marks)).map_or(Self::Other, |(family, _)| *family)
            }

            /// The name on pages and in the API.
            pub fn display_name(self) -> &'static str {
                match self { $(Self::$name => $display_name),+ }
            }

            fn code(self) -> u8 {
                match self { $(Self::$name => $code),+ }
            }

            fn from_code(code: u8) -> Option<Self> {
                match code { $($code => Some(Self::$name),)+ _ => None }
            }
        }
    };
}

families! {
    /// Google Calendar's importer.
    Google = 1, "Google Calendar", ["google-calendar", "googlebot-calendar"];
    /// Exchange, Outlook on the web and Outlook.
    Outlook = 2, "Outlook", ["microsoft.exchange", "outlook", "microsoft office", "msoffice"];
    /// Thunderbird.
    Thunderbird = 3, "Thunderbird", ["thunderbird", "lightning"];
    /// ICSx5 and DAVx5.
    Icsx5 = 4, "ICSx5", ["icsx5", "icsdroid", "davx5"];
    /// Calendar of macOS and iOS.
    Apple = 5, "Apple Calendar", ["dataaccessd", "calendaragent", "icalendar/", "ios/", "macos/", "mac os x/", "remindd", "calendar/"];
    /// Giggity.
    Giggity = 6, "Giggity", ["giggity"];
    /// vdirsyncer.
    Vdirsyncer = 7, "vdirsyncer", ["vdirsyncer"];
    /// Nextcloud.
    Nextcloud = 8, "Nextcloud", ["nextcloud"];
    /// A web browser.
    Browser = 9, "a browser", ["mozilla/"];
    /// Anything else.
    Other = 0, "another client", [];
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> DateTime<Utc> {
        "2025-03-25T16:00:00Z".parse().unwrap()
    }

    fn seen(hours_ago: i64, release: u64) -> Seen {
        Seen { at: now() - TimeDelta::hours(hours_ago), by: Family::Google, release }
    }

    #[test]
    fn links_are_counted_by_family_and_release() {
        let freshness = Freshness::default();
        freshness.note([1; 32], seen(1, 3));
        freshness.note([2; 32], seen(2, 3));
        freshness.note([3; 32], seen(9, 2));
        freshness.note([4; 32], seen(49, 3));
        freshness.note([5; 32], Seen { by: Family::Apple, ..seen(3, 2) });
        let google = Audience {
            releases: vec![(3, 2), (2, 1)],
            ..Audience::new(FeedKind::Agenda, Family::Google, seen(1, 3).at)
        };
        let apple = Audience {
            releases: vec![(2, 1)],
            ..Audience::new(FeedKind::Agenda, Family::Apple, seen(3, 2).at)
        };
        assert_eq!(freshness.audience(now()), [google, apple]);
    }

    #[test]
    fn only_links_of_the_last_two_days_count() {
        let freshness = Freshness::default();
        freshness.note([1; 32], seen(1, 3));
        freshness.note([2; 32], seen(47, 2));
        freshness.note([3; 32], seen(49, 3));
        assert_eq!(freshness.share(3, now()), Share { polled: 2, current: 1 });
    }

    #[test]
    fn user_agents_are_recognised() {
        for (agent, family) in [
            ("Google-Calendar-Importer", Family::Google),
            ("Microsoft.Exchange/15.20 (Microsoft.Exchange.Calendar.Sharing)", Family::Outlook),
            (
                "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Thunderbird/128.0",
                Family::Thunderbird,
            ),
            ("ICSx5/2.2 (ical4j/4.0) Android/14", Family::Icsx5),
            ("iOS/17.4 (21E219) dataaccessd/1.0", Family::Apple),
            ("macOS/14.4 (23E214) CalendarAgent/988.5.2", Family::Apple),
            ("Mozilla/5.0 (X11; Linux x86_64) Chrome/120", Family::Browser),
            ("curl/8.5", Family::Other),
        ] {
            assert_eq!(Family::of(agent), family, "{agent}");
            assert_eq!(Family::from_code(family.code()), Some(family));
        }
    }
}
