//! Change feeds: the changes of each release as Atom 1.0 (RFC 4287) and JSON Feed 1.1.
//!
//! Each change of a session is one entry; the first release is a single entry. Entry ids are UUIDs of UID and release,
//! so that no reader shows an entry twice. A session that is withdrawn now has no entry, not even for earlier releases.

mod sentence;

pub use sentence::ChangeText;

use super::{Exported, guid};
use crate::program::{Change, ChangeKind, Conference, SessionId, Slug, Text};
use crate::release::Release;
use crate::revision::EntryState;
use crate::texts::Texts;
use crate::xml::XmlWriter;
use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::json;
use uuid::Uuid;

/// The most entries of a feed.
pub const MAX_ENTRIES: usize = 500;

/// The changes of one stored release.
#[derive(Debug, Clone, Copy)]
pub struct ReleaseChanges<'a> {
    /// The number of the release: 1, 2, 3 …
    pub number: u64,
    /// When the release was published.
    pub published: DateTime<Utc>,
    /// The number of sessions that the release changed.
    pub count: usize,
    /// The changes of the release. For release 1 only the count is needed.
    pub changes: &'a [Change],
}

/// Selects the changes that a feed includes.
#[derive(Debug, Clone, Copy)]
pub enum Scope<'a> {
    /// All changes.
    Program,
    /// Changes of sessions that are in a track before or after the change.
    Track(&'a Slug),
    /// Changes of picked sessions. The feed does not contain its own address, which is a secret; `key` gives the feed's
    /// id.
    Agenda {
        /// The agenda's name.
        name: &'a Text,
        /// A value that never changes and that only this agenda has.
        key: &'a [u8],
        /// The picked sessions.
        picks: &'a [SessionId],
    },
}

/// A change feed, which can be written in either format.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeFeed {
    id: Uuid,
    title: String,
    author: String,
    language: String,
    /// The page with the same content.
    page: String,
    /// The address of the feed without its extension; none for an agenda.
    stem: Option<String>,
    entries: Vec<ChangeEntry>,
    /// When an entry was last added or removed.
    pub modified: DateTime<Utc>,
}

/// An entry: one change of a session, or the first release.
#[derive(Debug, Clone, PartialEq, Eq)]
struct ChangeEntry {
    id: Uuid,
    at: DateTime<Utc>,
    title: String,
    /// Whole sentences, one per line.
    text: String,
    url: String,
    category: &'static str,
}

impl ChangeFeed {
    /// The feed with the changes that `scope` selects. `releases` may be in any order; the live `release` decides which
    /// changes are public.
    pub fn of(release: &Release, releases: &[ReleaseChanges<'_>], scope: Scope<'_>) -> Self {
        let conference: &Conference = &release.program.conference;
        let (domain, texts) = (&release.ledger.uid_domain, Texts::of(&conference.language));
        let mut newest: Vec<&ReleaseChanges<'_>> = releases.iter().collect();
        newest.sort_by_key(|one| std::cmp::Reverse(one.number));
        let mut entries: Vec<ChangeEntry> = Vec::new();
        for published in &newest {
            if published.number <= 1 {
                entries.push(first_release_entry(published, release));
                continue;
            }
            let included = published.changes.iter().filter(|change| is_included(change, release, scope));
            entries.extend(included.filter_map(|change| change_entry(change, published, release)));
        }
        entries.truncate(MAX_ENTRIES);
        // If a release withdraws a session, the session's entries leave the feed.
        let withdraws = |change: &Change| change.kind == ChangeKind::Withdrawn;
        let removal = newest.iter().find(|published| published.changes.iter().any(withdraws));
        let oldest = newest.last().map(|published| published.published);
        let modified =
            entries.first().map(|entry| entry.at).max(removal.map(|published| published.published));
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
            Some(name) => texts.changes_of_part(conference.title.as_str(), &name),
            None => texts.changes_of(conference.title.as_str()),
        };
        Self {
            id: guid(&format!("{id}@{domain}")),
            title,
            author: conference.title.to_string(),
            language: conference.language.clone(),
            page: conference.link(&page),
            stem: stem.map(|stem| conference.link(&stem)),
            entries,
            modified: modified.or(oldest).unwrap_or_else(|| release.published()),
        }
    }

    /// The number of entries.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether the feed has no entries.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The feed as Atom.
    pub fn atom(&self) -> Exported {
        let mut xml = XmlWriter::default();
        xml.open("feed", &[("xmlns", "http://www.w3.org/2005/Atom"), ("xml:lang", &self.language)]);
        xml.leaf("id", &[], &self.id.urn().to_string());
        xml.leaf("title", &[], &self.title);
        xml.leaf("updated", &[], &date(self.modified));
        xml.open("author", &[]);
        xml.leaf("name", &[], &self.author);
        xml.close();
        xml.leaf("generator", &[], "callboard");
        xml.empty("link", &[("rel", "alternate"), ("type", "text/html"), ("href", &self.page)]);
        if let Some(stem) = &self.stem {
            let own = format!("{stem}.atom");
            xml.empty("link", &[("rel", "self"), ("type", "application/atom+xml"), ("href", &own)]);
        }
        for entry in &self.entries {
            xml.open("entry", &[]);
            xml.leaf("id", &[], &entry.id.urn().to_string());
            xml.leaf("title", &[], &entry.title);
            xml.leaf("published", &[], &date(entry.at));
            xml.leaf("updated", &[], &date(entry.at));
            xml.empty("link", &[("rel", "alternate"), ("type", "text/html"), ("href", &entry.url)]);
            xml.empty("category", &[("term", entry.category)]);
            xml.leaf("content", &[("type", "text")], &entry.text);
            xml.close();
        }
        Exported::new("application/atom+xml; charset=utf-8", xml.finish(), self.modified)
    }

    /// The feed as JSON Feed.
    pub fn json(&self) -> Exported {
        let items: Vec<_> = self
            .entries
            .iter()
            .map(|entry| {
                json!({
                    "id": entry.id.urn().to_string(),
                    "url": entry.url,
                    "title": entry.title,
                    "content_text": entry.text,
                    "date_published": date(entry.at),
                    "tags": [entry.category],
                })
            })
            .collect();
        let mut feed = json!({
            "version": "https://jsonfeed.org/version/1.1",
            "title": self.title,
            "home_page_url": self.page,
            "language": self.language,
            "authors": [{ "name": self.author }],
            "items": items,
        });
        if let (Some(stem), Some(members)) = (&self.stem, feed.as_object_mut()) {
            members.insert("feed_url".to_owned(), json!(format!("{stem}.json")));
        }
        let mut bytes = serde_json::to_vec_pretty(&feed).unwrap_or_default();
        bytes.push(b'\n');
        Exported::new("application/feed+json; charset=utf-8", bytes, self.modified)
    }
}

/// Whether a change is public according to a later release. A change of a withdrawn session is not.
pub fn is_public_change(change: &Change, release: &Release) -> bool {
    let state = release.ledger.entries.get(&change.session).map(|entry| entry.state);
    state.is_some_and(|state| state != EntryState::Withdrawn) && change.kind != ChangeKind::Withdrawn
}

fn is_included(change: &Change, release: &Release, scope: Scope<'_>) -> bool {
    if !is_public_change(change, release) {
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

/// The entry of the first release.
fn first_release_entry(published: &ReleaseChanges<'_>, release: &Release) -> ChangeEntry {
    let conference = &release.program.conference;
    let texts = Texts::of(&conference.language);
    ChangeEntry {
        id: guid(&format!("release/1@{}", release.ledger.uid_domain)),
        at: published.published,
        title: texts.program_published(conference.title.as_str()),
        text: texts.sessions_published(published.count),
        url: conference.link("/"),
        category: "published",
    }
}

/// Describes a change in words, in the language of the conference.
pub fn describe_change(change: &Change, release: &Release) -> ChangeText {
    sentence::describe(change, &release.ledger.slugs, &release.program.conference)
}

/// The path of the session's page, or of the page of changes if the session has none any more.
fn page(change: &Change, release: &Release) -> String {
    match release.ledger.entries.get(&change.session) {
        Some(entry) if entry.is_visible() => format!("/sessions/{}", change.session),
        _ => "/changes".to_owned(),
    }
}

fn change_entry(change: &Change, published: &ReleaseChanges<'_>, release: &Release) -> Option<ChangeEntry> {
    let conference = &release.program.conference;
    let title = &change.subject()?.title;
    let words = describe_change(change, release);
    Some(ChangeEntry {
        id: guid(&format!("{}/release/{}", release.ledger.uid(&change.session), published.number)),
        at: published.published,
        title: format!("{title}: {}", words.headline),
        text: words.sentences.join("\n"),
        url: conference.link(&page(change, release)),
        category: change.kind.as_str(),
    })
}

/// `2025-03-25T16:00:00Z`
fn date(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures;
    use crate::program::Status;
    use crate::revision::Ledger;
    use crate::xml::{Element, MAX_BYTES, read};

    /// Number, time and changes of a release.
    type Stored = (u64, DateTime<Utc>, Vec<Change>);

    /// Release 2 of the sample program, and the changes of both releases.
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
        let (release, stored) = two_releases();
        let published: Vec<ReleaseChanges<'_>> = stored
            .iter()
            .map(|(number, published, changes)| ReleaseChanges {
                number: *number,
                published: *published,
                count: changes.len(),
                changes,
            })
            .collect();
        ChangeFeed::of(&release, &published, scope)
    }

    fn titles(feed: &ChangeFeed) -> Vec<&str> {
        feed.entries.iter().map(|entry| entry.title.as_str()).collect()
    }

    #[test]
    fn each_change_is_described_in_a_sentence() {
        let feed = feed(Scope::Program);
        let texts: Vec<(&str, &str)> =
            feed.entries.iter().map(|entry| (entry.title.as_str(), entry.text.as_str())).collect();
        for expected in [
            (
                "+1 for monitoring: moved to Tue 2:40 pm",
                "Moved from Tue 11:00 am to Tue 2:40 pm.\nTrack changed from Track 1 to Track 2.",
            ),
            (
                "Slower queries: now in Salon 7",
                "Room changed from Grand Ballroom to Salon 7.\nNew title: Slower queries (was: '=Slow' queries 遅い).",
            ),
            (
                "A talk that fell through: takes place after all, Wed, Mar 26, 11:00 am, Track 1",
                "It takes place after all: Wed, Mar 26, 11:00 am, Track 1.",
            ),
            ("Night walk: canceled", "Canceled. It was Thu, Mar 27, 10:00 pm."),
            ("One more: new, Thu, Mar 27, 9:00 am", "New in the program: Thu, Mar 27, 9:00 am."),
        ] {
            assert!(texts.contains(&expected), "{expected:?} in {texts:#?}");
        }
        assert_eq!(texts.last().unwrap(), &("The program of SREcon25 Americas is published", "6 sessions."));
        assert_eq!(feed.len(), 6);
    }

    #[test]
    fn a_withdrawn_session_is_in_no_entry_and_moves_the_modification_time() {
        let feed = feed(Scope::Program);
        assert!(!titles(&feed).iter().any(|title| title.contains("Coffee")), "{:?}", titles(&feed));
        assert_eq!(feed.modified, fixtures::at("2025-03-20T08:00:00Z"));
    }

    #[test]
    fn a_track_includes_changes_into_it_and_out_of_it() {
        let one = Slug::parse("track-1").unwrap();
        let two = Slug::parse("2").unwrap();
        let (first, second) = (feed(Scope::Track(&one)), feed(Scope::Track(&two)));
        assert!(titles(&first)[..2].iter().any(|title| title.contains("+1")));
        assert!(titles(&second)[..2].iter().any(|title| title.contains("+1")));
        assert!(titles(&first).iter().any(|title| title.contains("fell through")));
        assert!(!titles(&first).iter().any(|title| title.contains("Slower")));
    }

    #[test]
    fn an_agenda_includes_its_picks_and_never_its_address() {
        let picks = [SessionId::parse("night").unwrap()];
        let name = Text::from("Mine");
        let feed = feed(Scope::Agenda { name: &name, key: b"secret", picks: &picks });
        assert_eq!(titles(&feed)[0], "Night walk: canceled");
        assert_eq!(feed.len(), 2);
        let atom = String::from_utf8(feed.atom().bytes.to_vec()).unwrap();
        let json = String::from_utf8(feed.json().bytes.to_vec()).unwrap();
        assert!(!atom.contains("rel=\"self\"") && !json.contains("feed_url"));
        assert!(!atom.contains("secret") && !json.contains("secret"));
    }

    #[test]
    fn atom_has_the_required_elements_and_stable_ids() {
        let feed = feed(Scope::Program);
        let root = read(&feed.atom().bytes, MAX_BYTES).unwrap();
        assert_eq!((root.name.as_str(), &*root.namespace), ("feed", "http://www.w3.org/2005/Atom"));
        for name in ["id", "title", "updated", "author"] {
            assert!(root.child(name).is_some(), "{name}");
        }
        let entries: Vec<&Element> = root.all("entry").collect();
        let ids: std::collections::HashSet<&str> = entries.iter().map(|entry| entry.text_of("id")).collect();
        assert_eq!(ids.len(), entries.len());
        assert!(ids.iter().all(|id| id.starts_with("urn:uuid:")));
        let (release, stored) = two_releases();
        let first = ReleaseChanges {
            number: 1,
            published: stored[0].1,
            count: stored[0].2.len(),
            changes: &stored[0].2,
        };
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
