//! The program as schema.org events, for search engines and messengers.

use super::site::Site;
use super::when::When;
use crate::program::{Session, Status};
use crate::revision::Entry;
use serde_json::{Map, Value, json};

const SCHEDULED: &str = "https://schema.org/EventScheduled";
const CANCELLED: &str = "https://schema.org/EventCancelled";
const RESCHEDULED: &str = "https://schema.org/EventRescheduled";

/// The conference as an Event, with its sessions as subEvents. Where a session takes place and who speaks is on its own page.
pub(super) fn conference(site: &Site<'_>, entries: &[&Entry]) -> Value {
    let mut event = outline(site);
    event.insert("@context".into(), "https://schema.org".into());
    event
        .insert("subEvent".into(), entries.iter().map(|entry| Value::Object(session(site, entry))).collect());
    event.into()
}

/// A session as an Event, with the conference as its superEvent.
pub(super) fn single(site: &Site<'_>, entry: &Entry) -> Value {
    let mut event = session(site, entry);
    event.insert("@context".into(), "https://schema.org".into());
    event.insert("superEvent".into(), outline(site).into());
    event.insert("location".into(), place(site, Some(&entry.session)));
    let person = |name: &str| json!({"@type": "Person", "name": name});
    let performers: Vec<Value> =
        entry.session.speakers.iter().map(|speaker| person(speaker.name.as_str())).collect();
    if !performers.is_empty() {
        event.insert("performer".into(), performers.into());
    }
    if !entry.session.abstract_text.is_empty() {
        event.insert("description".into(), entry.session.abstract_text.as_str().into());
    }
    event.into()
}

fn outline(site: &Site<'_>) -> Map<String, Value> {
    let conference = site.conference();
    let mut event = Map::new();
    event.insert("@type".into(), "Event".into());
    event.insert("name".into(), conference.title.as_str().into());
    event.insert("url".into(), conference.link("/").into());
    event.insert("eventStatus".into(), SCHEDULED.into());
    event.insert("location".into(), place(site, None));
    event.insert("image".into(), conference.link(&site.share_picture().path).into());
    let slots = || site.release.program.order().iter().map(|session| &session.slot);
    let day = |date: chrono::NaiveDate| date.format("%Y-%m-%d").to_string();
    let dates = conference.dates.map(|(first, last)| (day(first), day(last)));
    let sessions = || {
        let first = slots().map(|slot| slot.start).min()?;
        let last = slots().map(|slot| slot.end).max()?;
        Some((site.when.offset_iso(first), site.when.offset_iso(last)))
    };
    if let Some((first, last)) = dates.or_else(sessions) {
        event.insert("startDate".into(), first.into());
        event.insert("endDate".into(), last.into());
    }
    event
}

fn session(site: &Site<'_>, entry: &Entry) -> Map<String, Value> {
    let session = &entry.session;
    let (start, end) = (session.slot.start, session.slot.end);
    let mut event = Map::new();
    event.insert("@type".into(), "Event".into());
    event.insert("name".into(), session.title.as_str().into());
    event.insert("url".into(), site.conference().link(&format!("/sessions/{}", session.id)).into());
    event.insert("startDate".into(), site.when.offset_iso(start).into());
    event.insert("endDate".into(), site.when.offset_iso(end).into());
    let before = entry.moved_from.as_ref().map(|place| place.slot.start).filter(|before| *before != start);
    let status = match (session.status, before) {
        (Status::Cancelled, _) => CANCELLED,
        (_, Some(before)) => {
            event.insert("previousStartDate".into(), When::iso(before).into());
            RESCHEDULED
        }
        _ => SCHEDULED,
    };
    event.insert("eventStatus".into(), status.into());
    event
}

/// The location, as in the feeds: the room, or else the track, the venue or the conference.
fn place(site: &Site<'_>, session: Option<&Session>) -> Value {
    let conference = site.conference();
    let room = session.and_then(|session| session.slot.room.as_ref());
    let track = session.and_then(|session| session.track.as_ref()).and_then(|slug| site.track(slug));
    let name =
        room.or(track.map(|track| &track.name)).or(conference.venue.as_ref()).unwrap_or(&conference.title);
    let mut place = Map::new();
    place.insert("@type".into(), "Place".into());
    place.insert("name".into(), name.as_str().into());
    // Only the config knows the postal address: the name of a venue is none.
    let address = &conference.identity.venue_address;
    if !address.is_empty() {
        place.insert("address".into(), address.as_str().into());
    }
    if let Some(map) = &conference.identity.venue_map {
        place.insert("hasMap".into(), map.as_str().into());
    }
    place.into()
}
