//! Change feeds: Atom 1.0 (RFC 4287) and JSON Feed 1.1 of what each release changed.
//!
//! One entry per change of a session; the first release is one entry. Entry ids are UUIDs of the UID and the
//! release, so that a reader shows nothing twice. A session that is withdrawn now is in no entry, not even in
//! those of earlier releases.

mod atom;
mod json;
mod sentence;

use super::{guid, ident};
use crate::program::{Change, ChangeKind, Conference, SessionId, Slug, Text};
use crate::release::Release;
use crate::revision::Standing;
use chrono::{DateTime, Utc};
use uuid::Uuid;

/// Entries of a feed at most, the newest.
pub const MOST_ENTRIES: usize = 500;

/// A release as the store keeps it.
#[derive(Debug, Clone, Copy)]
pub struct Published<'a> {
    /// 1, 2, 3 …
    pub number: u64,
    /// When it was published.
    pub published: DateTime<Utc>,
    /// What it changed.
    pub changes: &'a [Change],
}

/// Which changes a feed shows.
#[derive(Debug, Clone, Copy)]
pub enum Scope<'a> {
    /// All.
    Program,
    /// Of sessions that were in a track before or after the change.
    Track(&'a Slug),
    /// Of chosen sessions. The feed names no address of its own, since that is a secret; `key` makes its id.
    Agenda {
        /// The agenda's name.
        name: &'a Text,
        /// Anything that is the agenda's own and stays.
        key: &'a [u8],
        /// The sessions.
        picks: &'a [SessionId],
    },
}

/// A change feed, ready to be written in either format.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeFeed {
    id: Uuid,
    title: String,
    author: String,
    language: String,
    /// The page that shows the same, and the path stem of the feed itself where it may be named.
    page: String,
    stem: Option<String>,
    entries: Vec<Entry>,
    /// When an entry came or went last.
    pub modified: DateTime<Utc>,
}

/// One change in words.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    id: Uuid,
    at: DateTime<Utc>,
    title: String,
    /// Sentences, one per line.
    text: String,
    url: String,
    category: &'static str,
}

impl ChangeFeed {
    /// The feed of a scope; `releases` in any order, with the running one as the view of what is public.
    pub fn of(release: &Release, releases: &[Published<'_>], scope: Scope<'_>) -> Self {
        let conference: &Conference = &release.program.conference;
        let domain = &release.ledger.uid_domain;
        let mut newest: Vec<&Published<'_>> = releases.iter().collect();
        newest.sort_by_key(|published| std::cmp::Reverse(published.number));
        let mut entries: Vec<Entry> = Vec::new();
        for published in &newest {
            if published.number <= 1 {
                entries.push(first(published, release));
                continue;
            }
            let shown = published.changes.iter().filter(|change| is_shown(change, release, scope));
            entries.extend(shown.filter_map(|change| entry(change, published, release)));
        }
        let kept = entries.len().min(MOST_ENTRIES);
        entries.truncate(kept);
        // What was withdrawn left the feed with that release.
        let takes_back = |change: &Change| change.kind == ChangeKind::Withdrawn;
        let taken_back = newest.iter().find(|published| published.changes.iter().any(takes_back));
        let oldest = newest.last().map(|published| published.published);
        let modified =
            entries.first().map(|entry| entry.at).max(taken_back.map(|published| published.published));
        let (id, name, page, stem) = match scope {
            Scope::Program => {
                ("changes".to_owned(), None, "/changes".to_owned(), Some("/changes".to_owned()))
            }
            Scope::Track(slug) => {
                let name = release.ledger.slugs.track(slug).map(|track| track.name.to_string());
                let page = format!("/tracks/{slug}");
                let stem = format!("{page}/changes");
                (format!("changes/tracks/{slug}"), name, page, Some(stem))
            }
            Scope::Agenda { name, key, .. } => {
                let secret = crate::revision::Digest::of(key);
                (format!("changes/agendas/{secret}"), Some(name.to_string()), "/changes".to_owned(), None)
            }
        };
        let title = match name {
            Some(name) => format!("{}: changes in {name}", conference.title),
            None => format!("{}: changes", conference.title),
        };
        Self {
            id: ident::guid(&format!("{id}@{domain}")),
            title,
            author: conference.title.to_string(),
            language: conference.language.clone(),
            page: conference.link(&page),
            stem: stem.map(|stem| conference.link(&stem)),
            entries,
            modified: modified.or(oldest).unwrap_or_else(|| release.published()),
        }
    }

    /// How many entries it has.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether nothing changed in its scope.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

/// Whether a change is public, by what stands in a later release: nothing of a session that is withdrawn is.
pub fn is_told(change: &Change, release: &Release) -> bool {
    let standing = release.ledger.entries.get(&change.session).map(|entry| entry.standing);
    standing.is_some_and(|standing| standing != Standing::Withdrawn) && change.kind != ChangeKind::Withdrawn
}

fn is_shown(change: &Change, release: &Release, scope: Scope<'_>) -> bool {
    if !is_told(change, release) {
        return false;
    }
    match scope {
        Scope::Program => true,
        Scope::Agenda { picks, .. } => picks.contains(&change.session),
        Scope::Track(slug) => {
            let slugs = &release.ledger.slugs;
            let present =
                |slug: &Slug| slugs.track(slug).map_or_else(|| slug.clone(), |track| track.slug.clone());
            let wanted = present(slug);
            let sides = [&change.before, &change.after];
            let mut tracks = sides.into_iter().flatten().filter_map(|session| session.track.as_ref());
            tracks.any(|track| present(track) == wanted)
        }
    }
}

/// The first release in one entry.
fn first(published: &Published<'_>, release: &Release) -> Entry {
    let conference = &release.program.conference;
    let count = published.changes.len();
    let sessions = if count == 1 { "session" } else { "sessions" };
    Entry {
        id: guid(&format!("release/1@{}", release.ledger.uid_domain)),
        at: published.published,
        title: format!("The program of {} is published", conference.title),
        text: format!("{count} {sessions}."),
        url: conference.link("/"),
        category: "published",
    }
}

fn entry(change: &Change, published: &Published<'_>, release: &Release) -> Option<Entry> {
    let conference = &release.program.conference;
    let title = &change.subject()?.title;
    let words = sentence::of(change, &release.ledger.slugs, conference.zone);
    Some(Entry {
        id: guid(&format!("{}/release/{}", release.ledger.uid(&change.session), published.number)),
        at: published.published,
        title: format!("{title}: {}", words.headline),
        text: words.sentences.join("\n"),
        url: conference.link(&format!("/sessions/{}", change.session)),
        category: change.kind.as_str(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures;
    use crate::program::Status;
    use crate::revision::Ledger;
    use crate::xml::{Element, MOST_BYTES, read};

    /// Number, time and changes of a release.
    type Stored = (u64, DateTime<Utc>, Vec<Change>);

    /// Release 2 of the sample program, and what both releases changed.
    fn two_releases() -> (Release, Vec<Stored>) {
        let first = fixtures::tricky().after(&Ledger::empty("conf.example.org"), "2025-01-10T12:00:00Z");
        let (start, end) = (fixtures::at("2025-03-27T16:00:00Z"), fixtures::at("2025-03-27T17:00:00Z"));
        let second = fixtures::tricky()
            .edit("ml-monitoring", |session| {
                session.slot.start = fixtures::at("2025-03-25T21:40:00Z");
                session.slot.end = fixtures::at("2025-03-25T22:25:00Z");
                session.track = Some(Slug::parse("2").unwrap());
            })
            .edit("slow-queries", |session| {
                session.slot.room = Some(Text::from("Salon 7"));
                session.title = Text::from("Slower queries");
            })
            .edit("fell-through", |session| session.status = Status::Confirmed)
            .edit("coffee", |session| session.status = Status::Withdrawn)
            .without("night")
            .sessions([fixtures::talk("extra", start, end, "One more")])
            .after(&first.release.ledger, "2025-03-20T08:00:00Z");
        let releases = vec![
            (1, first.release.published(), first.changes),
            (2, second.release.published(), second.changes),
        ];
        (second.release, releases)
    }

    fn feed(scope: Scope<'_>) -> ChangeFeed {
        let (release, kept) = two_releases();
        let published: Vec<Published<'_>> = kept
            .iter()
            .map(|(number, published, changes)| Published { number: *number, published: *published, changes })
            .collect();
        ChangeFeed::of(&release, &published, scope)
    }

    fn titles(feed: &ChangeFeed) -> Vec<&str> {
        feed.entries.iter().map(|entry| entry.title.as_str()).collect()
    }

    #[test]
    fn each_change_is_said_as_somebody_would_say_it() {
        let feed = feed(Scope::Program);
        let said: Vec<(&str, &str)> =
            feed.entries.iter().map(|entry| (entry.title.as_str(), entry.text.as_str())).collect();
        for expected in [
            (
                "+1 for monitoring: moved to Tue 14:40",
                "Moved from Tue 11:00 to Tue 14:40.\nTrack changed from Track 1 to Track 2.",
            ),
            (
                "Slower queries: now in Salon 7",
                "Room changed from Grand Ballroom to Salon 7.\nNew title: Slower queries (was: '=Slow' queries 遅い).",
            ),
            (
                "A talk that fell through: takes place after all, Wed 26 Mar 11:00, Track 1",
                "It takes place after all: Wed 26 Mar 11:00, Track 1.",
            ),
            ("Night walk: cancelled", "Cancelled. It was Thu 27 Mar 22:00."),
            ("One more: new, Thu 27 Mar 09:00", "New in the program: Thu 27 Mar 09:00."),
        ] {
            assert!(said.contains(&expected), "{expected:?} in {said:#?}");
        }
        assert_eq!(said.last().unwrap(), &("The program of SREcon25 Americas is published", "6 sessions."));
        assert_eq!(feed.len(), 6);
    }

    #[test]
    fn what_is_withdrawn_is_in_no_entry_and_its_leaving_shows_in_the_date() {
        let feed = feed(Scope::Program);
        assert!(!titles(&feed).iter().any(|title| title.contains("Coffee")), "{:?}", titles(&feed));
        assert_eq!(feed.modified, fixtures::at("2025-03-20T08:00:00Z"));
    }

    #[test]
    fn a_track_holds_what_was_in_it_before_or_after() {
        let one = Slug::parse("track-1").unwrap();
        let two = Slug::parse("2").unwrap();
        let (first, second) = (feed(Scope::Track(&one)), feed(Scope::Track(&two)));
        assert!(titles(&first)[..2].iter().any(|title| title.contains("+1")));
        assert!(titles(&second)[..2].iter().any(|title| title.contains("+1")));
        assert!(titles(&first).iter().any(|title| title.contains("fell through")));
        assert!(!titles(&first).iter().any(|title| title.contains("Slower")));
    }

    #[test]
    fn an_agenda_holds_its_picks_and_never_its_own_address() {
        let picks = [SessionId::parse("night").unwrap()];
        let name = Text::from("Mine");
        let feed = feed(Scope::Agenda { name: &name, key: b"secret", picks: &picks });
        assert_eq!(titles(&feed)[0], "Night walk: cancelled");
        assert_eq!(feed.len(), 2);
        let atom = String::from_utf8(feed.atom().bytes.to_vec()).unwrap();
        let json = String::from_utf8(feed.json().bytes.to_vec()).unwrap();
        assert!(!atom.contains("rel=\"self\"") && !json.contains("feed_url"));
        assert!(!atom.contains("secret") && !json.contains("secret"));
    }

    #[test]
    fn atom_has_what_the_standard_asks_for_and_ids_that_stay() {
        let feed = feed(Scope::Program);
        let root = read(&feed.atom().bytes, MOST_BYTES).unwrap();
        assert_eq!((root.name.as_str(), &*root.namespace), ("feed", "http://www.w3.org/2005/Atom"));
        for name in ["id", "title", "updated", "author"] {
            assert!(root.child(name).is_some(), "{name}");
        }
        let entries: Vec<&Element> = root.all("entry").collect();
        let ids: std::collections::HashSet<&str> = entries.iter().map(|entry| entry.text_of("id")).collect();
        assert_eq!(ids.len(), entries.len());
        assert!(ids.iter().all(|id| id.starts_with("urn:uuid:")));
        let (release, kept) = two_releases();
        let first = Published { number: 1, published: kept[0].1, changes: &kept[0].2 };
        let alone = ChangeFeed::of(&release, &[first], Scope::Program);
        assert!(ids.contains(alone.entries[0].id.urn().to_string().as_str()));
    }

    #[test]
    fn the_same_history_gives_the_same_bytes_and_tag() {
        assert_eq!(feed(Scope::Program).atom(), feed(Scope::Program).atom());
        let json = feed(Scope::Program).json();
        let value: serde_json::Value = serde_json::from_slice(&json.bytes).unwrap();
        assert_eq!(value["version"], "https://jsonfeed.org/version/1.1");
        assert_eq!(value["items"].as_array().unwrap().len(), 6);
        assert_eq!(value["feed_url"], "https://conf.example/changes.json");
    }
}
