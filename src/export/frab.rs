//! The frab / c3voc schedule: `/schedule.json` and `/schedule.xml`, each valid against its published schema.

use super::Exported;
use super::schedule::{FrabSchedule, ScheduleDay, ScheduleItem, SchedulePerson, track_slug};
use crate::program::{Link, Track};
use crate::release::Release;
use crate::xml::XmlWriter;
use chrono::{DateTime, FixedOffset, SecondsFormat};
use serde::{Serialize, Serializer};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// The grid of a day: times of sessions are multiples of five minutes.
const TIMESLOT: &str = "00:05";

/// The schedule as JSON.
pub fn schedule_json(release: &Release) -> Exported {
    let schedule = FrabSchedule::of(release);
    let conference = schedule.conference();
    let (first, last) = schedule.span();
    let document = FrabDocument {
        schema: "https://c3voc.de/schedule/schema.json",
        generator: json!({
            "name": "callboard",
            "version": env!("CARGO_PKG_VERSION"),
            "url": conference.link("/"),
        }),
        schedule: ScheduleObject {
            base_url: conference.link("/"),
            conference: ConferenceObject {
                acronym: &schedule.acronym,
                days: Days { days: &schedule.days, language: &conference.language },
                days_count: schedule.days.len(),
                end: last.to_string(),
                rooms: schedule
                    .rooms
                    .iter()
                    .map(|room| json!({ "name": room.name.as_str(), "guid": room.guid.to_string() }))
                    .collect(),
                start: first.to_string(),
                time_zone_name: conference.zone.name(),
                timeslot_duration: TIMESLOT,
                title: conference.title.as_str(),
                tracks: schedule.tracks().iter().map(track_json).collect(),
                url: conference.link("/"),
            },
            url: conference.link("/schedule.json"),
            version: release.number().to_string(),
        },
    };
    let mut bytes = serde_json::to_vec_pretty(&document).unwrap_or_default();
    bytes.push(b'\n');
    Exported::new("application/json; charset=utf-8", bytes, release.published())
}

/// The language without its region, as in frab: `en` for `en-US`.
fn language_code(language: &str) -> &str {
    language.split('-').next().unwrap_or(language)
}

/// `2025-03-25T09:00:00-07:00`
fn timestamp(at: DateTime<FixedOffset>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, false)
}

fn track_json(track: &Track) -> Value {
    let mut value = Map::new();
    value.insert("name".to_owned(), json!(track.name.as_str()));
    if let Some(slug) = track_slug(track) {
        value.insert("slug".to_owned(), json!(slug));
    }
    if let Some(colour) = track.colour {
        value.insert("color".to_owned(), json!(colour.to_string()));
    }
    Value::Object(value)
}

/// The document, with keys in alphabetical order as in every other object. Events are serialised one by one: the events
/// of 50,000 sessions in one [`Value`] take some 300 MB.
#[derive(Serialize)]
struct FrabDocument<'a> {
    #[serde(rename = "$schema")]
    schema: &'static str,
    generator: Value,
    schedule: ScheduleObject<'a>,
}

#[derive(Serialize)]
struct ScheduleObject<'a> {
    base_url: String,
    conference: ConferenceObject<'a>,
    url: String,
    version: String,
}

#[derive(Serialize)]
struct ConferenceObject<'a> {
    acronym: &'a str,
    days: Days<'a>,
    #[serde(rename = "daysCount")]
    days_count: usize,
    end: String,
    rooms: Vec<Value>,
    start: String,
    time_zone_name: &'a str,
    timeslot_duration: &'static str,
    title: &'a str,
    tracks: Vec<Value>,
    url: String,
}

struct Days<'a> {
    days: &'a [ScheduleDay<'a>],
    language: &'a str,
}

impl Serialize for Days<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.days.iter().map(|day| {
            DayObject {
                date: day.date.to_string(),
                day_end: timestamp(day.end),
                day_start: timestamp(day.start),
                index: day.index,
                rooms: day
                    .rooms
                    .iter()
                    .map(|(room, items)| (room.name.as_str(), RoomEvents { items, language: self.language }))
                    .collect(),
            }
        }))
    }
}

#[derive(Serialize)]
struct DayObject<'a> {
    date: String,
    day_end: String,
    day_start: String,
    index: usize,
    rooms: BTreeMap<&'a str, RoomEvents<'a>>,
}

struct RoomEvents<'a> {
    items: &'a [ScheduleItem<'a>],
    language: &'a str,
}

impl Serialize for RoomEvents<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.items.iter().map(|item| event_json(item, self.language)))
    }
}

fn event_json(item: &ScheduleItem<'_>, language: &str) -> Value {
    let session = item.session();
    let mut event = json!({
        "guid": item.guid.to_string(),
        "code": item.code,
        "id": item.id,
        "date": item.date(),
        "start": item.clock(),
        "end": timestamp(item.end),
        "duration": item.duration(),
        "room": item.room.as_str(),
        "slug": item.slug,
        "url": item.url,
        "origin_url": item.page,
        "title": session.title.as_str(),
        "subtitle": session.block.as_ref().map_or("", |block| block.as_str()),
        "track": item.track.map(|track| track.name.as_str()),
        "type": session.kind.as_str(),
        "language": language_of(item, language),
        "abstract": session.abstract_text.as_str(),
        "description": item.description,
        "persons": item.persons.iter().map(person_json).collect::<Vec<_>>(),
        "links": session.links.iter().map(link_json).collect::<Vec<_>>(),
        "attachments": [],
    });
    if let Some(members) = event.as_object_mut() {
        let addresses = [("logo", &session.image), ("feedback_url", &session.feedback_url)];
        members.extend(
            addresses.into_iter().filter_map(|(name, url)| Some((name.to_owned(), json!(url.as_ref()?)))),
        );
        if session.no_recording {
            members.insert("do_not_record".to_owned(), json!(true));
        }
    }
    event
}

/// The language of a session, or else of the conference, without its region.
fn language_of<'a>(item: &ScheduleItem<'a>, conference: &'a str) -> &'a str {
    language_code(item.session().language.as_ref().map_or(conference, |tag| tag.as_str()))
}

/// A person as pretalx writes it. If frab's numeric id were included too, the schema's `oneOf` would match twice.
fn person_json(person: &SchedulePerson<'_>) -> Value {
    json!({
        "guid": person.guid.to_string(),
        "name": person.speaker.name.as_str(),
        "public_name": person.speaker.name.as_str(),
        "biography": person.speaker.bio.as_str(),
        "url": person.url,
    })
}

fn link_json(link: &Link) -> Value {
    json!({ "title": link.label.as_str(), "url": link.url.as_str() })
}

/// The schedule as XML.
pub fn schedule_xml(release: &Release) -> Exported {
    let schedule = FrabSchedule::of(release);
    let conference = schedule.conference();
    let mut xml = XmlWriter::default();
    xml.open("schedule", &[]);
    let version = env!("CARGO_PKG_VERSION");
    xml.empty("generator", &[("name", "callboard"), ("version", version)]);
    xml.leaf("url", &[], &conference.link("/schedule.xml"));
    xml.leaf("version", &[], &release.number().to_string());
    conference_xml(&schedule, &mut xml);
    for day in &schedule.days {
        let (index, date) = (day.index.to_string(), day.date.to_string());
        let (start, end) = (timestamp(day.start), timestamp(day.end));
        xml.open("day", &[("index", &index), ("date", &date), ("start", &start), ("end", &end)]);
        for (room, items) in &day.rooms {
            xml.open("room", &[("name", room.name.as_str()), ("guid", &room.guid.to_string())]);
            items.iter().for_each(|item| event_xml(item, conference.language.as_str(), &mut xml));
            xml.close();
        }
        xml.close();
    }
    Exported::new("application/xml; charset=utf-8", xml.finish(), release.published())
}

fn conference_xml(schedule: &FrabSchedule<'_>, xml: &mut XmlWriter) {
    let conference = schedule.conference();
    let (first, last) = schedule.span();
    xml.open("conference", &[]);
    xml.leaf("acronym", &[], &schedule.acronym);
    xml.leaf("title", &[], conference.title.as_str());
    xml.leaf("start", &[], &first.to_string());
    xml.leaf("end", &[], &last.to_string());
    xml.leaf("days", &[], &schedule.days.len().to_string());
    xml.leaf("timeslot_duration", &[], TIMESLOT);
    xml.leaf("base_url", &[], &conference.link("/"));
    xml.leaf("url", &[], &conference.link("/"));
    xml.leaf("time_zone_name", &[], conference.zone.name());
    for track in schedule.tracks() {
        let colour = track.colour.map(|colour| colour.to_string());
        let mut attributes = vec![("name", track.name.as_str())];
        attributes.extend(colour.as_deref().map(|colour| ("color", colour)));
        attributes.extend(track_slug(track).map(|slug| ("slug", slug)));
        xml.leaf("track", &attributes, track.about.as_str());
    }
    xml.close();
}

fn event_xml(item: &ScheduleItem<'_>, language: &str, xml: &mut XmlWriter) {
    let session = item.session();
    let (guid, id) = (item.guid.to_string(), item.id.to_string());
    xml.open("event", &[("guid", &guid), ("id", &id), ("code", &item.code)]);
    xml.leaf("room", &[], item.room.as_str());
    xml.leaf("title", &[], session.title.as_str());
    xml.leaf("subtitle", &[], session.block.as_ref().map_or("", |block| block.as_str()));
    xml.leaf("type", &[], session.kind.as_str());
    xml.leaf("date", &[], &item.date());
    xml.leaf("start", &[], &item.clock());
    xml.leaf("duration", &[], &item.duration());
    xml.leaf("abstract", &[], session.abstract_text.as_str());
    xml.leaf("slug", &[], &item.slug);
    xml.leaf("track", &[], item.track_name());
    xml.open("persons", &[]);
    for person in &item.persons {
        let (id, guid) = (person.number().to_string(), person.guid.to_string());
        xml.leaf("person", &[("id", &id), ("guid", &guid)], person.speaker.name.as_str());
    }
    xml.close();
    if let Some(image) = &session.image {
        xml.leaf("logo", &[], image.as_str());
    }
    xml.leaf("language", &[], language_of(item, language));
    xml.leaf("description", &[], &item.description);
    xml.open("links", &[]);
    for link in &session.links {
        xml.leaf("link", &[("href", link.url.as_str())], link.label.as_str());
    }
    xml.close();
    if session.no_recording {
        xml.open("recording", &[]);
        xml.leaf("license", &[], "");
        xml.leaf("optout", &[], "true");
        xml.close();
    }
    xml.leaf("url", &[], &item.url);
    if let Some(feedback) = &session.feedback_url {
        xml.leaf("feedback_url", &[], feedback.as_str());
    }
    xml.leaf("origin_url", &[], &item.page);
    xml.close();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::schedule_json;
    use crate::fixtures;
    use crate::xml::{Element, MAX_BYTES, read};
    use std::collections::HashSet;

    fn events(root: &Element) -> Vec<&Element> {
        root.all("day").flat_map(|day| day.all("room")).flat_map(|room| room.all("event")).collect()
    }

    fn document() -> Element {
        read(&schedule_xml(&fixtures::tricky().release()).bytes, MAX_BYTES).unwrap()
    }

    #[test]
    fn cancelled_and_withdrawn_sessions_are_absent_and_breaks_are_there() {
        let root = document();
        let titles: Vec<&str> = events(&root).iter().map(|event| event.text_of("title")).collect();
        assert_eq!(titles.len(), 5);
        assert!(titles.contains(&"Coffee and Tea Break"));
        assert!(titles.contains(&"Safe & <Sound>, =\"quoted\""));
        assert!(!titles.iter().any(|title| title.contains("fell through") || title.contains("Never")));
    }

    #[test]
    fn every_session_has_a_room_and_every_day_of_the_conference_is_there() {
        let root = document();
        let rooms: HashSet<&str> = events(&root).iter().map(|event| event.text_of("room")).collect();
        assert_eq!(rooms, HashSet::from(["Plenary", "Track 1", "Grand Ballroom", "SREcon25 Americas"]));
        let days: Vec<_> =
            root.all("day").map(|day| (day.attribute("index"), day.attribute("start"))).collect();
        assert_eq!(days.len(), 4);
        assert_eq!(days[0], (Some("1"), Some("2025-03-24T00:00:00-07:00")));
        let night = events(&root).into_iter().find(|event| event.text_of("title") == "Night walk").unwrap();
        assert_eq!(
            (night.text_of("date"), night.text_of("duration")),
            ("2025-03-27T22:00:00-07:00", "04:30")
        );
    }

    #[test]
    fn a_session_of_24_hours_or_more_is_an_event_on_each_of_its_days() {
        // The clock goes back on November 2, so that day has 25 hours.
        let (start, end) = (fixtures::at("2025-11-01T17:00:00Z"), fixtures::at("2025-11-04T02:00:00Z"));
        let long = fixtures::talk("hack", start, end, "Hackathon");
        let almost = fixtures::talk("night", start, start + chrono::TimeDelta::minutes(1439), "Night");
        let fixture = fixtures::conference().sessions([long, almost]);
        let release = fixture.release();
        let root = read(&schedule_xml(&release).bytes, MAX_BYTES).unwrap();
        let parts: Vec<_> = events(&root).into_iter().filter(|e| e.text_of("title") == "Hackathon").collect();
        let times: Vec<_> = parts.iter().map(|e| (e.text_of("date"), e.text_of("duration"))).collect();
        assert_eq!(
            times,
            [
                ("2025-11-01T10:00:00-07:00", "14:00"),
                ("2025-11-02T00:00:00-07:00", "23:59"),
                ("2025-11-03T00:00:00-08:00", "18:00"),
            ]
        );
        for key in ["guid", "id", "code"] {
            let values: HashSet<_> = events(&root).iter().filter_map(|e| e.attribute(key)).collect();
            assert_eq!(values.len(), 4, "{key}: {values:?}");
        }
        let (uid, id) = (
            release.ledger.uid(&crate::program::SessionId::parse("hack").unwrap()),
            parts[0].attribute("guid"),
        );
        assert_eq!(id, Some(crate::export::guid(&uid).to_string().as_str()));
        let days: Vec<usize> =
            root.all("day").map(|day| day.all("room").flat_map(|r| r.all("event")).count()).collect();
        assert_eq!(days, [2, 1, 1]);
        let json: serde_json::Value = serde_json::from_slice(&schedule_json(&release).bytes).unwrap();
        assert_eq!(json["schedule"]["conference"]["days"][2]["date"], "2025-11-03");
    }

    #[test]
    fn parallel_sessions_without_rooms_do_not_share_a_column() {
        let (start, end) = (fixtures::at("2025-03-25T18:15:00Z"), fixtures::at("2025-03-25T19:00:00Z"));
        let parallel = ["ama-one", "ama-two"].map(|id| {
            let track = Some(crate::program::slug_of("Track 1"));
            crate::program::Session { track, ..fixtures::talk(id, start, end, id) }
        });
        let xml = schedule_xml(&fixtures::tricky().sessions(parallel).release());
        let root = read(&xml.bytes, MAX_BYTES).unwrap();
        let rooms: Vec<&str> =
            root.all("day").flat_map(|day| day.all("room")).filter_map(|r| r.attribute("name")).collect();
        for room in ["Track 1", "Track 1 (2)", "Track 1 (3)"] {
            assert!(rooms.contains(&room), "{rooms:?}");
        }
    }

    #[test]
    fn ids_are_unique_and_survive_a_move() {
        let release = fixtures::tricky().release();
        let before = read(&schedule_xml(&release).bytes, MAX_BYTES).unwrap();
        let mut moved = fixtures::tricky().without("embargo");
        moved.sessions[1].slot = moved.sessions[4].slot.clone();
        let release = moved.after(&release.ledger, "2025-02-02T00:00:00Z").release;
        let after = read(&schedule_xml(&release).bytes, MAX_BYTES).unwrap();
        let ids = |root: &Element| -> HashSet<Vec<String>> {
            let keys = ["guid", "id", "code"];
            let of = |event: &&Element| {
                keys.iter()
                    .filter_map(|key| event.attribute(key))
                    .chain([event.text_of("slug")])
                    .map(str::to_owned)
                    .collect()
            };
            events(root).iter().map(of).collect()
        };
        assert_eq!(ids(&before), ids(&after));
        assert_eq!(ids(&before).len(), 5);
        assert_eq!((before.text_of("version"), after.text_of("version")), ("1", "2"));
    }

    #[test]
    fn both_formats_say_the_same() {
        let release = fixtures::tricky().release();
        let json: serde_json::Value = serde_json::from_slice(&schedule_json(&release).bytes).unwrap();
        let root = document();
        let conference = &json["schedule"]["conference"];
        assert_eq!(conference["acronym"], "srecon25_americas");
        assert_eq!(conference["acronym"], root.child("conference").unwrap().text_of("acronym"));
        for event in events(&root) {
            let days = conference["days"].as_array().unwrap();
            let rooms = days.iter().flat_map(|day| day["rooms"].as_object().unwrap().values());
            let mut all = rooms.flat_map(|room| room.as_array().unwrap());
            let twin = all.find(|twin| twin["guid"].as_str() == event.attribute("guid")).unwrap();
            for key in
                ["title", "date", "start", "duration", "room", "slug", "type", "abstract", "url", "language"]
            {
                let flat = |text: &str| text.trim().to_owned();
                assert_eq!(twin[key].as_str().map(flat).unwrap_or_default(), event.text_of(key), "{key}");
            }
            assert_eq!(twin["code"].as_str(), event.attribute("code"));
            let persons = event.child("persons").unwrap().children.len();
            assert_eq!(twin["persons"].as_array().unwrap().len(), persons);
            assert!(twin["persons"].as_array().unwrap().iter().all(|person| person.get("id").is_none()));
        }
    }

    #[test]
    fn a_program_without_sessions_still_has_its_days() {
        let release = fixtures::conference().dates("2025-03-24", "2025-03-27").release();
        let root = read(&schedule_xml(&release).bytes, MAX_BYTES).unwrap();
        assert_eq!((root.all("day").count(), events(&root).len()), (4, 0));
    }
}
