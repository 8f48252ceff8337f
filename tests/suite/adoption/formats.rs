//! Formats of other tools.

use super::*;
use serde_json::json;

fn read(value: &serde_json::Value, zone: Option<&str>) -> Adopted {
    adopt(value.to_string().as_bytes(), zone.map(|zone| Zone::parse(zone).unwrap())).unwrap()
}

#[test]
fn version_2_of_the_schedule_is_read() {
    let adopted = fixture("v2.json");
    let program = program(&adopted);
    let [opening] = program.order() else { panic!("{program:?}") };
    assert_eq!((opening.title.as_str(), opening.slot.room.as_ref().unwrap().as_str()), ("Opening", "Hall 1"));
    assert_eq!(
        (opening.slot.start, opening.slot.end),
        (at("2026-12-27T09:30:00Z"), at("2026-12-27T10:00:00Z"))
    );
    assert_eq!((people(opening), adopted.zone.name()), (vec!["Ada Example".to_owned()], "Europe/Berlin"));
    let events = json!([
        { "guid": "a", "title": "A", "type": "LIGHTNING_TALK", "start": "2026-12-27T10:30:00+01:00", "duration": "PT30M",
          "track": { "name": "Security" }, "room": "Hall 2", "state": "CANCELED", "language": "de", "url": "https://example.org/a",
          "abstract": { "en": "Yes", "de": "Ja" }, "links": [{ "url": "https://example.org/l", "title": "L" }] },
        { "guid": "b", "title": "B", "type": "BREAK", "start": "2026-12-27T11:30:00+01:00", "end": "2026-12-27T12:00:00+01:00" },
        { "guid": "c", "title": "C", "state": "REJECTED", "start": "2026-12-27T11:30:00+01:00", "end": "2026-12-27T12:00:00+01:00" },
    ]);
    let adopted = read(
        &json!({ "schedule": { "conference": { "time_zone_name": "Europe/Berlin" }, "events": events } }),
        None,
    );
    let read = super::program(&adopted);
    let [a, b] = read.order() else { panic!("{read:?}") };
    assert_eq!((a.kind, b.kind, a.status), (SessionKind::Lightning, SessionKind::Break, Status::Cancelled));
    assert!(a.abstract_text.as_str().contains("Yes") && a.abstract_text.as_str().contains("Ja"));
    assert_eq!((a.links.len(), a.track.as_ref().unwrap().as_str()), (1, "security"));
    assert!(notes_contain(&adopted, "REJECTED"));
    assert_eq!((a.language.as_ref().map(|tag| tag.as_str()), &b.language), (Some("de"), &None));
}

#[test]
fn the_views_of_sessionize_are_read_with_a_zone() {
    let bytes =
        std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/adopt/sessionize.json"))
            .unwrap();
    assert!(matches!(adopt(&bytes, None), Err(AdoptError::NoZone(_))));
    let groups = adopt(&bytes, Zone::parse("Asia/Tokyo").ok()).unwrap();
    let program = super::program(&groups);
    assert_eq!(
        (program.order()[0].id.as_str(), program.order()[0].slot.start),
        ("session-1", at("2026-05-01T00:00:00Z"))
    );

    let all = json!({
        "sessions": [
            { "id": "101", "title": "Vec<u8> & <b>you</b>", "description": "Use <b> sparingly", "startsAt": "2026-05-01T09:00:00",
              "endsAt": "2026-05-01T10:00:00", "speakers": ["s1"], "categoryItems": [11, 21, 31, 41, 51, 52], "roomId": 7,
              "recordingUrl": "https://example.org/recording",
              "isServiceSession": false, "liveUrl": "https://example.org/live" },
            { "id": "102", "title": "Lunch", "startsAt": "2026-05-01T12:00:00", "endsAt": "2026-05-01T13:00:00",
              "isServiceSession": true, "roomId": 7, "speakers": [] },
            { "id": "103", "title": "Not yet planned", "startsAt": null, "endsAt": null, "speakers": [] },
        ],
        "speakers": [{ "id": "s1", "firstName": "Ada", "lastName": "Example", "fullName": "Ada Example", "bio": "Writes.", "tagLine": "Engineer",
            "profilePicture": "https://example.org/a.png", "links": [{ "title": "Blog", "url": "https://ada.example", "linkType": "Blog" }] }],
        "rooms": [{ "id": 7, "name": "Hall" }],
        "categories": [
            { "id": 1, "title": "Session format", "items": [{ "id": 11, "name": "Workshop" }] },
            { "id": 2, "title": "Track", "items": [{ "id": 21, "name": "Systems" }] },
            { "id": 3, "title": "Level", "items": [{ "id": 31, "name": "Advanced" }] },
            { "id": 4, "title": "Session language", "items": [{ "id": 41, "name": "German" }] },
            { "id": 5, "title": "Programming languages", "items": [{ "id": 51, "name": "Rust" }, { "id": 52, "name": "C, C++" }] },
        ],
        "questions": [],
    });
    let adopted = read(&all, Some("UTC"));
    let program = super::program(&adopted);
    let [talk, lunch] = program.order() else { panic!("{program:?}") };
    assert_eq!((talk.id.as_str(), talk.title.as_str()), ("session-101", "Vec<u8> & you"));
    assert_eq!(
        (talk.abstract_text.as_str(), talk.speakers[0].bio.as_str()),
        ("Use <b> sparingly", "Engineer\nWrites.\nBlog: https://ada.example")
    );
    assert_eq!((talk.kind, lunch.kind), (SessionKind::Workshop, SessionKind::Meal));
    assert_eq!(talk.track.as_ref().unwrap().as_str(), "systems");
    let labels: Vec<_> = talk.links.iter().map(|link| link.label.as_str()).collect();
    assert_eq!(labels, ["Live stream", "Recording"]);
    assert_eq!(talk.language.as_ref().map(|tag| tag.as_str()), Some("de"));
    let tags: Vec<_> = talk.tags.iter().map(|tag| tag.as_str()).collect();
    assert_eq!(tags, ["Advanced", "Rust", "C, C++"]);
    assert!(notes_contain(&adopted, "profilePicture") && notes_contain(&adopted, "Not yet planned"));

    let plenary = json!({ "id": "5", "title": "P", "startsAt": "2026-05-01T09:00:00Z", "endsAt": "2026-05-01T10:00:00Z",
        "isPlenumSession": true, "speakers": [{ "id": "x", "name": "Ada" }], "categories": [] });
    let grid = json!([{ "date": "2026-05-01T00:00:00", "rooms": [
        { "id": 1, "name": "A", "sessions": [plenary] }, { "id": 2, "name": "B", "sessions": [plenary] } ] }]);
    let adopted = read(&grid, Some("UTC"));
    let program = super::program(&adopted);
    assert_eq!((program.order().len(), program.order()[0].kind), (1, SessionKind::Plenary));
}

#[test]
fn the_api_of_pretalx_is_read_and_numbers_are_refused_by_name() {
    let slot = json!({ "id": 3, "start": "2026-05-01T09:00:00+02:00", "end": "2026-05-01T09:30:00+02:00", "room": { "id": 1, "name": { "en": "Hall" } } });
    let submission = json!({ "code": "G9JGWY", "title": "A", "abstract": "One.", "state": "confirmed",
        "submission_type": { "name": { "en": "Workshop" } }, "track": { "name": { "en": "Ops" } },
        "speakers": [{ "code": "AAAAAA", "name": "Ada", "biography": "Bio" }], "slots": [slot], "image": null,
        "resources": [{ "resource": "https://example.org/s.pdf", "description": "Slides" }], "content_locale": "en" });
    let gone = json!({ "code": "B", "title": "Gone", "state": "withdrawn", "speakers": [], "slots": [slot] });
    let page = json!({ "count": 3, "next": "https://example.org/?page=2", "previous": null, "results": [submission, gone] });
    let adopted = read(&page, None);
    let program = super::program(&adopted);
    let [a, b] = program.order() else { panic!("{program:?}") };
    assert_eq!((a.id.as_str(), a.guid.as_ref().unwrap().as_str()), ("g9jgwy", "G9JGWY"));
    assert_eq!((a.kind, b.status), (SessionKind::Workshop, Status::Cancelled));
    assert_eq!(
        (people(a), a.links.len(), a.slot.room.as_ref().unwrap().as_str()),
        (vec!["Ada".to_owned()], 1, "Hall")
    );
    assert!(notes_contain(&adopted, "one page of 3"));
    let mut numbers = submission.clone();
    numbers["slots"] = json!([3]);
    let error = adopt(json!({ "results": [numbers] }).to_string().as_bytes(), None).unwrap_err();
    assert!(error.to_string().contains("expand=slots"), "{error}");

    let widget = json!({ "talks": [{ "code": "G9JGWY", "id": 9, "title": "A", "start": "2026-05-01T09:00:00+02:00",
        "end": "2026-05-01T09:30:00+02:00", "room": 1, "track": 4, "speakers": ["AAAAAA"], "abstract": "x" }],
        "rooms": [{ "id": 1, "name": { "en": "Hall" } }], "tracks": [{ "id": 4, "name": "Ops" }],
        "speakers": [{ "code": "AAAAAA", "name": "Ada" }], "timezone": "Europe/Berlin" });
    let adopted = read(&widget, None);
    let program = super::program(&adopted);
    assert_eq!((program.order()[0].id.as_str(), adopted.zone.name()), ("g9jgwy", "Europe/Berlin"));
    assert_eq!(program.order()[0].slot.room.as_ref().unwrap().as_str(), "Hall");
}

#[test]
fn both_exports_of_indico_are_read() {
    let when = |time: &str| json!({ "date": "2026-05-01", "time": time, "tz": "Europe/Zurich" });
    let event = json!({ "count": 1, "_type": "HTTPAPIResult", "results": [{ "id": "12", "title": "Workshop on X", "timezone": "Europe/Zurich",
        "contributions": [{ "db_id": 345, "id": "1", "title": "Detectors", "startDate": when("09:00:00"), "endDate": when("09:30:00"),
            "duration": 30, "room": "4/3-006", "description": "<p>An overview</p>", "type": "Oral", "session": "Plenary I",
            "speakers": [{ "first_name": "Jane", "last_name": "Doe", "fullName": "DOE, Jane", "affiliation": "CERN" }],
            "url": "https://indico.example.org/c/1" },
            { "db_id": 346, "id": "2", "title": "Later", "startDate": null, "endDate": null }] }] });
    let adopted = read(&event, None);
    let program = super::program(&adopted);
    let [talk] = program.order() else { panic!("{program:?}") };
    assert_eq!((talk.id.as_str(), talk.slot.start), ("session-345", at("2026-05-01T07:00:00Z")));
    assert_eq!(
        (people(talk), talk.block.as_ref().unwrap().as_str()),
        (vec!["Jane Doe, CERN".to_owned()], "Plenary I")
    );
    assert_eq!(talk.abstract_text.as_str(), "An overview");
    assert!(notes_contain(&adopted, "Later"));

    let timetable = json!({ "count": 1, "results": { "12": { "20260501": {
        "s1": { "entryType": "Session", "title": "Plenary I", "entries": {
            "c3": { "entryType": "Contribution", "title": "Detectors", "startDate": when("09:00:00"), "endDate": when("09:30:00"),
                "presenters": [{ "firstName": "Jane", "familyName": "Doe", "affiliation": "CERN" }], "room": "4/3-006" } } },
        "b2": { "entryType": "Break", "title": "Tea", "startDate": when("10:00:00"), "endDate": when("10:30:00") } } } } });
    let adopted = read(&timetable, None);
    let program = super::program(&adopted);
    let [talk, tea] = program.order() else { panic!("{program:?}") };
    assert_eq!((talk.id.as_str(), tea.kind, people(talk).len()), ("c3", SessionKind::Break, 1));
    let bare = json!({ "_type": "HTTPAPIResult", "results": [{ "title": "X" }] });
    assert_eq!(adopt(bare.to_string().as_bytes(), None), Err(AdoptError::WithoutContributions));
}

fn sheet(text: &str, zone: &str, columns: &[(&str, Field)]) -> Result<Adopted, AdoptError> {
    let columns: Vec<(String, Field)> =
        columns.iter().map(|(name, field)| ((*name).to_owned(), *field)).collect();
    adopt_with_columns(text.as_bytes(), Zone::parse(zone).ok(), &columns)
}

#[test]
fn a_spreadsheet_is_read_by_what_its_headers_mean() {
    let text = "Session ID;Title;Speaker;Day;From;To;Type;Location;Description;Level\n\
                7;A talk;Ada Example;1/5/2026;10:00;11:00;Keynote;Hall;Text;Hard\n\
                8;Party;;13/5/2026;22:00;2:00;Social event;Bar;;\n";
    let adopted = sheet(text, "Europe/Berlin", &[]).unwrap();
    let program = super::program(&adopted);
    let [talk, party] = program.order() else { panic!("{program:?}") };
    assert_eq!(
        (talk.id.as_str(), talk.slot.start, talk.kind),
        ("session-7", at("2026-05-01T08:00:00Z"), SessionKind::Plenary)
    );
    assert_eq!((party.slot.start, party.slot.end), (at("2026-05-13T20:00:00Z"), at("2026-05-14T00:00:00Z")));
    assert_eq!(
        (people(talk), talk.slot.room.as_ref().unwrap().as_str()),
        (vec!["Ada Example".to_owned()], "Hall")
    );
    assert!(notes_contain(&adopted, "\"Level\""));
}

#[test]
fn a_spreadsheet_may_have_ranges_lengths_and_dates_in_its_times() {
    for text in [
        "titel,tag,zeit\nA,1.5.2026,10:00-11:30\n",
        "Session name,Starts at,Ends at\nA,2026-05-01 10:00,2026-05-01 11:30\n",
        "Title,Start,Duration\nA,2026-05-01T10:00:00,90 min\n",
        "Talk,Date,Begin,Duration\nA,\"May 1, 2026\",10:00 am,1:30\n",
        "タイトル,日付,開始,終了\nA,2026/05/01,10:00,11:30\n",
    ] {
        let program = super::program(&sheet(text, "UTC", &[]).unwrap());
        let slot = &program.order()[0].slot;
        assert_eq!(
            (slot.start, slot.end),
            (at("2026-05-01T10:00:00Z"), at("2026-05-01T11:30:00Z")),
            "{text}"
        );
    }
}

#[test]
fn a_spreadsheet_that_says_too_little_is_refused_with_the_remedy() {
    let text = "Title,Slot begin,Slot stop,When\nA,10:00,11:00,2026-05-01\n";
    let error = sheet(text, "UTC", &[]).unwrap_err().to_string();
    assert!(error.contains("--map") && error.contains("Slot begin"), "{error}");
    let map = [("slot begin", Field::Start), ("Slot stop", Field::End), ("When", Field::Date)];
    assert_eq!(
        super::program(&sheet(text, "UTC", &map).unwrap()).order()[0].slot.start,
        at("2026-05-01T10:00:00Z")
    );
    let two_ways = "Title,Date,Start,End\nA,1/5/2026,10:00,11:00\n";
    assert!(matches!(sheet(two_ways, "UTC", &[]), Err(AdoptError::AmbiguousDates(_))));
    assert!(matches!(
        sheet("Title,Start,End\nA,2026-05-01 10:00,2026-05-01 11:00\n", "", &[]),
        Err(AdoptError::NoZone(_))
    ));
    let ours = "id,date,start,end,kind,title\naa,2026-05-01,10:00,11:00,talk,A\n";
    assert_eq!(sheet(ours, "UTC", &[]), Err(AdoptError::OwnFormat));
}

const PENTABARF: &str = r#"<?xml version="1.0"?>
<iCalendar xmlns:pentabarf="http://pentabarf.org" xmlns:xCal="urn:ietf:params:xml:ns:xcal"><vcalendar>
<version>2.0</version><prodid>-//Pentabarf//Schedule//EN</prodid>
<vevent><method>PUBLISH</method><uid>9025@CON@example.org</uid><pentabarf:title>Other</pentabarf:title>
<dtstart>20260501T093000</dtstart><dtend>20260501T095500</dtend><duration>00:25</duration>
<summary>Opening; and, more</summary><description>Welcome</description><status>CONFIRMED</status>
<category>Keynotes</category><url>https://example.org/1</url><location>Hall 1</location>
<attendee>Ada Example</attendee><attendee>Ben Example</attendee></vevent></vcalendar></iCalendar>"#;

const RFC_6321: &str = r#"<?xml version="1.0" encoding="utf-8"?>
<icalendar xmlns="urn:ietf:params:xml:ns:icalendar-2.0"><vcalendar>
<properties><prodid><text>-//test//EN</text></prodid><version><text>2.0</text></version></properties>
<components><vevent><properties>
<uid><text>stand-up</text></uid><summary><text>Stand-up, daily</text></summary>
<dtstart><parameters><tzid><text>Europe/Berlin</text></tzid></parameters><date-time>2026-05-01T09:00:00</date-time></dtstart>
<duration><duration>PT15M</duration></duration>
<rrule><recur><freq>DAILY</freq><count>3</count></recur></rrule>
<exdate><parameters><tzid><text>Europe/Berlin</text></tzid></parameters><date-time>2026-05-02T09:00:00</date-time></exdate>
</properties></vevent></components></vcalendar></icalendar>"#;

#[test]
fn both_forms_of_xcal_are_read() {
    let adopted = adopt(PENTABARF.as_bytes(), Zone::parse("Europe/Brussels").ok()).unwrap();
    let program = super::program(&adopted);
    let [opening] = program.order() else { panic!("{program:?}") };
    assert_eq!(opening.title.as_str(), "Opening; and, more");
    assert_eq!(
        (opening.slot.start, opening.slot.end),
        (at("2026-05-01T07:30:00Z"), at("2026-05-01T07:55:00Z"))
    );
    assert_eq!(people(opening), ["Ada Example", "Ben Example"]);
    assert_eq!(opening.slot.room.as_ref().unwrap().as_str(), "Hall 1");
    assert_eq!(adopted.format, SourceFormat::Xcal);

    let adopted = adopt(RFC_6321.as_bytes(), None).unwrap();
    let read = super::program(&adopted);
    let starts: Vec<_> = read.order().iter().map(|session| session.slot.start).collect();
    assert_eq!(starts, [at("2026-05-01T07:00:00Z"), at("2026-05-03T07:00:00Z")]);
    assert_eq!((read.order()[0].title.as_str(), adopted.zone.name()), ("Stand-up, daily", "Europe/Berlin"));
    for end in [RFC_6321.len() - 3, RFC_6321.len() / 2] {
        assert!(adopt(&RFC_6321.as_bytes()[..end], None).is_err());
    }
}

#[test]
fn each_format_gives_the_facts_of_a_first_config() {
    let facts = |bytes: &[u8]| {
        let adopted = adopt(bytes, Zone::parse("Europe/Berlin").ok()).unwrap();
        let days = adopted.days.map(|(first, last)| format!("{first} {last}"));
        (adopted.title, days.unwrap(), adopted.tracks, adopted.rooms)
    };
    let rooms_of = |rooms: &[(&str, Option<u32>)]| -> Vec<(String, Option<u32>)> {
        rooms.iter().map(|(name, capacity)| ((*name).to_owned(), *capacity)).collect()
    };
    let halls = rooms_of(&[("Hall B", None), ("Hall A", None)]);
    let track = |name: &str, colour: &str| (name.to_owned(), colour.to_owned());
    let event = |room: &str| json!({ "guid": room, "title": room, "date": "2026-05-02T09:00:00+02:00", "duration": "00:30", "room": room, "track": "Web" });
    let frab = json!({ "schedule": { "conference": {
        "title": "Conf", "time_zone_name": "Europe/Berlin",
        "tracks": [{ "name": "Web", "color": "#aabbcc" }, { "name": "Ops", "color": "" }],
        "rooms": [{ "name": "Hall B", "capacity": 90 }, { "name": "Hall A", "capacity": 300 }],
        "days": [{ "date": "2026-05-02", "rooms": { "Hall A": [event("Hall A")], "Lobby": [event("Lobby")] } }],
    } } });
    let (title, days, tracks, rooms) = facts(frab.to_string().as_bytes());
    assert_eq!((title.as_deref(), days.as_str()), (Some("Conf"), "2026-05-02 2026-05-02"));
    assert_eq!(tracks, [track("Web", "#aabbcc"), track("Ops", "")]);
    assert_eq!(rooms, rooms_of(&[("Hall B", Some(90)), ("Hall A", Some(300)), ("Lobby", None)]));

    let xml = "<schedule><conference><title>Conf</title><time_zone_name>Europe/Berlin</time_zone_name>\
        <track name='Web' color='#aabbcc' slug='web'/></conference><day date='2026-05-02'><room name='Hall B'/>\
        <room name='Hall A'><event guid='1'><date>2026-05-02T09:00:00+02:00</date><duration>00:30</duration>\
        <title>One</title><track>Ops</track></event></room></day></schedule>";
    let (_, _, tracks, rooms) = facts(xml.as_bytes());
    assert_eq!((tracks, rooms), (vec![track("Web", "#aabbcc"), track("Ops", "")], halls.clone()));

    let session = json!({ "id": "1", "title": "One", "startsAt": "2026-05-02T09:00:00", "endsAt": "2026-05-02T10:00:00", "roomId": 2 });
    let sessionize = json!({ "sessions": [session], "speakers": [], "rooms": [{ "id": 1, "name": "Hall B" }, { "id": 2, "name": "Hall A" }] });
    assert_eq!(facts(sessionize.to_string().as_bytes()).3, halls);

    let widget = json!({
        "talks": [{ "code": "ABC", "title": "One", "start": "2026-05-02T09:00:00+02:00", "end": "2026-05-02T10:00:00+02:00", "room": 2, "track": 1 }],
        "rooms": [{ "id": 1, "name": { "en": "Hall B" } }, { "id": 2, "name": { "en": "Hall A" } }],
        "tracks": [{ "id": 1, "name": { "en": "Web" }, "color": "#aabbcc" }], "timezone": "Europe/Berlin",
    });
    let (_, _, tracks, rooms) = facts(widget.to_string().as_bytes());
    assert_eq!((tracks, rooms), (vec![track("Web", "#aabbcc")], halls));

    let sheet = "Title,From,To,Room,Track\nOne,2026-05-02 09:00,2026-05-02 10:00,Hall A,Web\n";
    let (_, days, tracks, rooms) = facts(sheet.as_bytes());
    assert_eq!(
        (days.as_str(), tracks, rooms),
        ("2026-05-02 2026-05-02", vec![track("Web", "")], rooms_of(&[("Hall A", None)]))
    );
}
