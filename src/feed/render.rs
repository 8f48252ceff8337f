//! Renders a ledger to feeds in two steps: first digests, by which the ledger advances, then bytes.

use super::calendar::CLOSING;
use super::coding::Codings;
use super::event::{EventContext, Unstamped, is_free};
use super::query::{Facets, FeedDeparture};
use super::set::{Feed, FeedSet, RenderedEvent};
use super::{CalendarProperties, FeedKey, zone};
use crate::program::{Conference, Program, SessionId, Slug, Text, Track};
use crate::revision::{Digest, Entry, EventDraft, FeedMark, Ledger, Slugs};
use crate::texts::Texts;
use bytes::Bytes;
use chrono::Datelike;
use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::ops::RangeInclusive;
use std::sync::{Arc, OnceLock};

/// The key, among the ledger's feed paths, of the mark of the properties that all feeds share.
const SHARED: &str = "*";

/// The feeds of a release under construction. Each VEVENT is built once, for digest and bytes. The VEVENTs of unchanged
/// sessions are reused from the previous feeds.
pub struct Rendering<'a> {
    conference: Arc<Conference>,
    tracks: BTreeMap<Slug, Track>,
    uid_domain: String,
    built: RefCell<HashMap<SessionId, Unstamped>>,
    previous: Option<PreviousFeeds<'a>>,
}

/// The feeds of the previous release and their ledger.
#[derive(Clone, Copy)]
struct PreviousFeeds<'a> {
    feeds: &'a FeedSet,
    ledger: &'a Ledger,
    /// Whether the values that all VEVENTs share are unchanged, so that equal sessions have equal VEVENTs.
    same_context: bool,
}

impl<'a> Rendering<'a> {
    /// Starts to render a program on top of a ledger, whose slugs include tracks removed from the config. `feeds` are
    /// the feeds that this process rendered from that ledger; none if it has not rendered them.
    pub fn new(program: &Program, ledger: &'a Ledger, feeds: Option<&'a FeedSet>) -> Self {
        let mut tracks = ledger.slugs.tracks.clone();
        tracks.extend(program.tracks.iter().map(|track| (track.slug.clone(), track.clone())));
        let same_context = |feeds: &FeedSet| {
            feeds.conference == program.conference
                && feeds.tracks == tracks
                && feeds.uid_domain == ledger.uid_domain
        };
        let previous = feeds.map(|feeds| PreviousFeeds { feeds, ledger, same_context: same_context(feeds) });
        Self {
            conference: Arc::clone(&program.conference),
            tracks,
            uid_domain: ledger.uid_domain.clone(),
            built: RefCell::default(),
            previous,
        }
    }

    /// The previous event of a session; none if the session changed.
    fn unchanged(&self, draft: EventDraft<'_>) -> Option<&'a Arc<RenderedEvent>> {
        let previous = self.previous.filter(|previous| previous.same_context)?;
        let id = &draft.session.id;
        let entry = previous.ledger.entries.get(id)?;
        let is_same = *entry.session == *draft.session && entry.moved_from.as_ref() == draft.moved_from;
        previous.feeds.event(id).filter(|event| is_same && event.digest == entry.digest)
    }

    /// The digest of a session's default VEVENT without its stamps. The ledger advances a session whose digest changed.
    pub fn digest(&self, draft: EventDraft<'_>) -> Digest {
        if let Some(event) = self.unchanged(draft) {
            return event.digest;
        }
        let unstamped = self.build(draft);
        let digest = unstamped.digest();
        // The last draft of a session is the one in its ledger entry.
        self.built.borrow_mut().insert(draft.session.id.clone(), unstamped);
        digest
    }

    fn build(&self, draft: EventDraft<'_>) -> Unstamped {
        let context =
            EventContext { conference: &self.conference, tracks: &self.tracks, uid_domain: &self.uid_domain };
        Unstamped::build(draft, context)
    }

    /// Renders every feed, and marks in the ledger the feeds that changed.
    ///
    /// A feed whose digest equals its mark keeps its LAST-MODIFIED, so the same ledger gives the same bytes.
    pub fn render(self, ledger: &mut Ledger) -> FeedSet {
        let (zone, days) = (self.conference.zone, self.conference.days());
        let mut built = self.built.take();
        let mut event = |entry: &Entry| {
            let draft = EventDraft { session: &entry.session, moved_from: entry.moved_from.as_ref() };
            if let Some(event) = self.unchanged(draft).filter(|event| event.revision == entry.revision) {
                return Arc::clone(event);
            }
            let unstamped = built.remove(&entry.session.id).unwrap_or_else(|| self.build(draft));
            Arc::new(RenderedEvent {
                id: entry.session.id.clone(),
                revision: entry.revision,
                cancelled: entry.is_cancelled(),
                free: is_free(entry.session.kind, entry.session.status),
                pieces: unstamped.stamp(entry.revision),
                facets: Facets::of(&entry.session, days, &ledger.slugs),
                digest: entry.digest,
                deflated: OnceLock::new(),
            })
        };
        let visible = ledger.visible_entries();
        let events: Vec<Arc<RenderedEvent>> = visible.iter().map(|entry| event(entry)).collect();
        let vtimezone = zone::vtimezone(zone, self.years(&visible, ledger));
        let shared = [vtimezone.as_str(), self.conference.title.as_str(), zone.name()];
        let shared_digest = Digest::of_parts(shared.iter().map(|part| part.as_bytes()));
        let shared_modified = mark(ledger, SHARED, shared_digest);
        let mut set = FeedSet {
            conference: Arc::clone(&self.conference),
            tracks: self.tracks,
            uid_domain: self.uid_domain,
            vtimezone,
            deflated_zone: OnceLock::new(),
            shared_digest,
            shared_modified,
            last_departure: ledger.last_departure,
            departures: ledger.departures.iter().map(|one| FeedDeparture::of(one, &ledger.slugs)).collect(),
            indices: events.iter().enumerate().map(|(index, event)| (event.id.clone(), index)).collect(),
            events,
            feeds: HashMap::new(),
        };
        let mut members = members(&set.events);
        let keys: Vec<FeedKey> = FeedKey::all(&ledger.slugs).collect();
        for key in keys {
            let members = members.remove(&key).unwrap_or_default();
            let calendar = describe(&key, &self.conference, &ledger.slugs);
            let previous = self.previous.and_then(|previous| previous.feeds.feeds.get(&key));
            let feed = assemble(&set, ledger, &key, calendar, members, previous);
            set.feeds.insert(key, feed);
        }
        set
    }

    /// The calendar years that the VTIMEZONE must cover.
    fn years(&self, visible: &[&Entry], ledger: &Ledger) -> RangeInclusive<i32> {
        let zone = self.conference.zone;
        let slots = visible.iter().flat_map(|entry| [entry.session.slot.start, entry.session.slot.end]);
        let days = self.conference.dates.into_iter().flat_map(|(first, last)| [first, last]);
        let years: Vec<i32> =
            slots.map(|at| zone.civil(at).year()).chain(days.map(|day| day.year())).collect();
        let fallback = ledger.published.year();
        years.iter().min().copied().unwrap_or(fallback)..=years.iter().max().copied().unwrap_or(fallback)
    }
}

/// The modification time of content with a digest: the time in the mark, or the release's time if the digest is new.
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

/// The events that each feed contains, in program order.
fn members(events: &[Arc<RenderedEvent>]) -> HashMap<FeedKey, Vec<Arc<RenderedEvent>>> {
    let mut members: HashMap<FeedKey, Vec<Arc<RenderedEvent>>> = HashMap::new();
    for event in events {
        for key in event.facets.feeds() {
            let events = members.entry(key).or_default();
            // A session may list a speaker twice, in two roles.
            if events.last().is_none_or(|last| last.id != event.id) {
                events.push(Arc::clone(event));
            }
        }
    }
    members
}

fn assemble(
    set: &FeedSet,
    ledger: &mut Ledger,
    key: &FeedKey,
    calendar: CalendarProperties,
    members: Vec<Arc<RenderedEvent>>,
    previous: Option<&Arc<Feed>>,
) -> Arc<Feed> {
    let own = calendar.digest(&set.shared_digest);
    let stamps: Vec<[u8; 12]> = members.iter().map(|event| stamp_bytes(event)).collect();
    let content = members.iter().zip(&stamps).flat_map(|(event, stamp)| [event.digest.0.as_slice(), stamp]);
    let digest = Digest::of_parts([own.0.as_slice()].into_iter().chain(content));
    let modified = mark(ledger, &key.to_string(), digest);
    // Digest and time determine the bytes, so the previous feed can be shared, including its codings.
    if let Some(same) = previous.filter(|feed| feed.digest == digest && feed.modified == modified) {
        return Arc::clone(same);
    }
    let opening = calendar.opening(&set.conference, set.zone_of(!members.is_empty()), modified);
    let bodies: Vec<Bytes> = members.iter().map(|event| event.default_bytes()).collect();
    let length = opening.len() + bodies.iter().map(Bytes::len).sum::<usize>() + CLOSING.len();
    let mut identity = Vec::with_capacity(length);
    identity.extend_from_slice(opening.as_bytes());
    bodies.iter().for_each(|body| identity.extend_from_slice(body));
    identity.extend_from_slice(CLOSING.as_bytes());
    let hash = Digest::of(&identity).short();
    let codings = Codings::default();
    Arc::new(Feed { calendar, modified, hash, identity: identity.into(), digest, members, codings })
}

pub(super) fn stamp_bytes(event: &RenderedEvent) -> [u8; 12] {
    let mut stamp = [0; 12];
    let (sequence, modified) = stamp.split_at_mut(4);
    sequence.copy_from_slice(&event.revision.sequence.to_le_bytes());
    modified.copy_from_slice(&event.revision.modified.timestamp().to_le_bytes());
    stamp
}

/// The calendar properties of a canonical feed.
fn describe(key: &FeedKey, conference: &Conference, slugs: &Slugs) -> CalendarProperties {
    let (title, texts) = (&conference.title, Texts::of(&conference.language));
    let (part, page, colour, about) = match key {
        FeedKey::Program => (None, "/".to_owned(), None, None),
        FeedKey::Track(slug) => {
            let track = slugs.track(slug);
            let name = track.map(|track| track.name.to_string());
            let about = track.map(|track| track.about.clone()).filter(|about| !about.is_empty());
            (name, format!("/tracks/{slug}"), track.and_then(|track| track.colour), about)
        }
        FeedKey::Day(day) => {
            (Some(texts.calendar_day(*day)), format!("/?day={}", day.format("%Y-%m-%d")), None, None)
        }
        FeedKey::Room(slug) => {
            (slugs.room(slug).map(|(_, name)| name.to_string()), format!("/?room={slug}"), None, None)
        }
        FeedKey::Speaker(slug) => {
            (slugs.speakers.get(slug).map(ToString::to_string), format!("/speakers/{slug}"), None, None)
        }
    };
    let name = part.as_ref().map_or_else(|| title.to_string(), |part| format!("{title}: {part}"));
    let plain = || {
        let title = title.as_str();
        part.as_ref().map_or_else(|| texts.feed_program(title), |part| texts.part_of(part, title))
    };
    CalendarProperties {
        name: Text::line(&name).0,
        about: about.unwrap_or_else(|| Text::from(plain())),
        url: conference.link(&page),
        source: Some(conference.link(&key.to_string())),
        colour,
    }
}
