//! From a ledger to its feeds, in two steps: digests first, for the ledger to advance by, then the bytes.

use super::calendar::CLOSING;
use super::event::{Surroundings, Unstamped, is_free};
use super::facets::Facets;
use super::set::{Event, Feed, FeedSet};
use super::{Calendar, FeedKey, zone};
use crate::program::{Conference, Program, SessionId, Slug, Text, Track};
use crate::revision::{Digest, Draft, Entry, FeedMark, Ledger, Slugs};
use bytes::Bytes;
use chrono::Datelike;
use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::ops::RangeInclusive;
use std::sync::{Arc, OnceLock};

/// The mark of what all envelopes share, beside the marks of the feeds' paths.
const SURROUNDINGS: &str = "*";

/// A release's feeds in the making: VEVENTs are built once, for the digest and for the bytes.
pub struct Rendering {
    conference: Arc<Conference>,
    tracks: BTreeMap<Slug, Track>,
    uid_domain: String,
    built: RefCell<HashMap<SessionId, Unstamped>>,
}

impl Rendering {
    /// For a program that follows on a ledger, whose slugs hold the tracks that left the config.
    pub fn new(program: &Program, previous: &Ledger) -> Self {
        let mut tracks = previous.slugs.tracks.clone();
        tracks.extend(program.tracks.iter().map(|track| (track.slug.clone(), track.clone())));
        Self {
            conference: Arc::clone(&program.conference),
            tracks,
            uid_domain: previous.uid_domain.clone(),
            built: RefCell::default(),
        }
    }

    /// The digest of a session's default VEVENT without its stamps; what the ledger advances by.
    pub fn digest(&self, draft: Draft<'_>) -> Digest {
        let unstamped = self.build(draft);
        let digest = unstamped.digest();
        // The last draft of a session is the one that its entry keeps.
        self.built.borrow_mut().insert(draft.session.id.clone(), unstamped);
        digest
    }

    fn build(&self, draft: Draft<'_>) -> Unstamped {
        let surroundings =
            Surroundings { conference: &self.conference, tracks: &self.tracks, uid_domain: &self.uid_domain };
        Unstamped::build(draft, surroundings)
    }

    /// Renders every feed, and marks in the ledger which of them changed.
    ///
    /// A feed whose content is as its mark says keeps its LAST-MODIFIED, so the same ledger gives the same bytes.
    pub fn render(self, ledger: &mut Ledger) -> FeedSet {
        let zone = self.conference.zone;
        let mut built = self.built.take();
        let mut unstamped = |entry: &Entry| {
            built.remove(&entry.session.id).unwrap_or_else(|| {
                self.build(Draft { session: &entry.session, moved_from: entry.moved_from.as_ref() })
            })
        };
        let shown = ledger.shown();
        let events: Vec<Event> = shown
            .iter()
            .map(|entry| Event {
                id: entry.session.id.clone(),
                revision: entry.revision,
                cancelled: entry.is_cancelled(),
                free: is_free(entry.session.kind, entry.session.status),
                pieces: unstamped(entry).stamp(entry.revision),
                facets: Facets::of(&entry.session, zone, &ledger.slugs),
                digest: entry.digest,
                deflated: OnceLock::new(),
            })
            .collect();
        let vtimezone = zone::vtimezone(zone, self.years(&shown, ledger));
        let shared = [vtimezone.as_str(), self.conference.title.as_str(), zone.name()];
        let shared = Digest::of_parts(shared.iter().map(|part| part.as_bytes()));
        let modified = mark(ledger, SURROUNDINGS, shared);
        let mut set = FeedSet {
            conference: Arc::clone(&self.conference),
            vtimezone,
            surroundings: (shared, modified),
            last_departure: ledger.last_departure,
            places: events.iter().enumerate().map(|(place, event)| (event.id.clone(), place)).collect(),
            events,
            feeds: HashMap::new(),
        };
        let mut members = members(&set.events);
        let keys: Vec<FeedKey> = FeedKey::all(&ledger.slugs).collect();
        for key in keys {
            let members = members.remove(&key).unwrap_or_default();
            let calendar = describe(&key, &self.conference, &ledger.slugs);
            let feed = assemble(&set, ledger, &key, calendar, members);
            set.feeds.insert(key, feed);
        }
        set
    }

    /// The calendar years that the zone's rules must hold for.
    fn years(&self, shown: &[&Entry], ledger: &Ledger) -> RangeInclusive<i32> {
        let zone = self.conference.zone;
        let slots = shown.iter().flat_map(|entry| [entry.session.slot.start, entry.session.slot.end]);
        let days = self.conference.dates.into_iter().flat_map(|(first, last)| [first, last]);
        let years: Vec<i32> =
            slots.map(|at| zone.civil(at).year()).chain(days.map(|day| day.year())).collect();
        let fallback = ledger.published.year();
        years.iter().min().copied().unwrap_or(fallback)..=years.iter().max().copied().unwrap_or(fallback)
    }
}

/// The modification time of a part whose content has that digest; the release's own if it is new.
fn mark(ledger: &mut Ledger, path: &str, digest: Digest) -> chrono::DateTime<chrono::Utc> {
    match ledger.feeds.get(path) {
        Some(mark) if mark.digest == digest => mark.modified,
        _ => {
            let modified = ledger.published;
            ledger.feeds.insert(path.to_owned(), FeedMark { digest, modified });
            modified
        }
    }
}

/// The places of each feed's events, in program order.
fn members(events: &[Event]) -> HashMap<FeedKey, Vec<usize>> {
    let mut members: HashMap<FeedKey, Vec<usize>> = HashMap::new();
    for (place, event) in events.iter().enumerate() {
        let facets = &event.facets;
        let track = facets.track.clone().map(FeedKey::Track);
        let room = facets.room.clone().map(FeedKey::Room);
        let speakers = facets.speakers.iter().cloned().map(FeedKey::Speaker);
        for key in
            [FeedKey::Program, FeedKey::Day(facets.day)].into_iter().chain(track).chain(room).chain(speakers)
        {
            let places = members.entry(key).or_default();
            // A person may be listed twice for one session, with two roles.
            if places.last() != Some(&place) {
                places.push(place);
            }
        }
    }
    members
}

fn assemble(
    set: &FeedSet,
    ledger: &mut Ledger,
    key: &FeedKey,
    calendar: Calendar,
    members: Vec<usize>,
) -> Feed {
    let events: Vec<&Event> = members.iter().filter_map(|place| set.events.get(*place)).collect();
    let own = calendar.digest(&set.surroundings.0);
    let stamps: Vec<[u8; 12]> = events.iter().map(|event| stamp_bytes(event)).collect();
    let content = events.iter().zip(&stamps).flat_map(|(event, stamp)| [event.digest.0.as_slice(), stamp]);
    let digest = Digest::of_parts([own.0.as_slice()].into_iter().chain(content));
    let modified = mark(ledger, &key.to_string(), digest);
    let opening = calendar.opening(&set.conference, &set.vtimezone, modified);
    let bodies: Vec<Bytes> = events.iter().map(|event| event.default_bytes()).collect();
    let length = opening.len() + bodies.iter().map(Bytes::len).sum::<usize>() + CLOSING.len();
    let mut identity = Vec::with_capacity(length);
    identity.extend_from_slice(opening.as_bytes());
    bodies.iter().for_each(|body| identity.extend_from_slice(body));
    identity.extend_from_slice(CLOSING.as_bytes());
    let hash = Digest::of(&identity).short();
    Feed { calendar, modified, hash, identity: identity.into(), members, coded: arc_swap::ArcSwap::default() }
}

pub(super) fn stamp_bytes(event: &Event) -> [u8; 12] {
    let mut stamp = [0; 12];
    let (sequence, modified) = stamp.split_at_mut(4);
    sequence.copy_from_slice(&event.revision.sequence.to_le_bytes());
    modified.copy_from_slice(&event.revision.modified.timestamp().to_le_bytes());
    stamp
}

/// The envelope of a canonical feed.
fn describe(key: &FeedKey, conference: &Conference, slugs: &Slugs) -> Calendar {
    let title = &conference.title;
    let (part, page, colour, about) = match key {
        FeedKey::Program => (None, "/".to_owned(), None, None),
        FeedKey::Track(slug) => {
            let track = slugs.track(slug);
            let name = track.map(|track| track.name.to_string());
            let about = track.map(|track| track.about.clone()).filter(|about| !about.is_empty());
            (name, format!("/tracks/{slug}"), track.and_then(|track| track.colour), about)
        }
        FeedKey::Day(day) => (
            Some(day.format("%A, %-d %B").to_string()),
            format!("/?day={}", day.format("%Y-%m-%d")),
            None,
            None,
        ),
        FeedKey::Room(slug) => {
            (slugs.room(slug).map(|(_, name)| name.to_string()), format!("/?room={slug}"), None, None)
        }
        FeedKey::Speaker(slug) => {
            (slugs.speakers.get(slug).map(ToString::to_string), format!("/speakers/{slug}"), None, None)
        }
    };
    let name = part.as_ref().map_or_else(|| title.to_string(), |part| format!("{title}: {part}"));
    let plain = || {
        part.as_ref().map_or_else(|| format!("The program of {title}"), |part| format!("{part} at {title}"))
    };
    Calendar {
        name: Text::line(&name).0,
        about: about.unwrap_or_else(|| Text::from(plain())),
        url: conference.link(&page),
        source: Some(conference.link(&key.to_string())),
        colour,
    }
}
