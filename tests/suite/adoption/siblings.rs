//! Siblings of the cases: what tools and spreadsheets write when values are missing, odd or in another language. Nothing
//! is dropped without a note.

use super::*;
use serde_json::{Value, json};

fn read(value: &Value) -> Adopted {
    adopt(value.to_string().as_bytes(), Zone::parse("Europe/Berlin").ok()).unwrap()
}

fn sheet(text: &str) -> Result<Adopted, AdoptError> {
    adopt(text.as_bytes(), Zone::parse("Europe/Berlin").ok())
}

#[test]
fn dates_of_spreadsheets_are_read_in_every_form() {
    for date in [
        "01.05.26",
        "1.5.2026",
        "Fr 01.05.2026",
        "\"Freitag, 01.05.2026\"",
        "1. Mai 2026",
        "\"Freitag, 1. Mai 2026\"",
        "1 mai 2026",
        "vendredi 1er mai 2026",
        "viernes 1 de mayo de 2026",
        "\"Friday, May 1, 2026\"",
        "1-May-26",
        "2026/5/1",
        "20260501",
        "2026-05-01T00:00:00.000Z",
        "2026年5月1日",
    ] {
        let text = format!("Title,Date,Start,End\nA,{date},9:30,10:00\n");
        let adopted = sheet(&text).unwrap();
        assert_eq!(program(&adopted).order()[0].slot.start, at("2026-05-01T07:30:00Z"), "{date}");
    }
    for start in [
        "9:30",
        "09.30",
        "9.30 Uhr",
        "9h30",
        "0930",
        "9:30 AM",
        "09:30:00",
        "2026-05-01 09:30",
        "Fr 01.05.2026 09:30",
    ] {
        let text = format!("Title,Date,Start,Duration\nA,2026-05-01,{start},30\n");
        let program = program(&sheet(&text).unwrap());
        let slot = &program.order()[0].slot;
        assert_eq!(
            (slot.start, slot.end),
            (at("2026-05-01T07:30:00Z"), at("2026-05-01T08:00:00Z")),
            "{start}"
        );
    }
    let hours = sheet("Titel,Datum,Beginn,Ende\nA,1.5.2026,9 Uhr,10h\n").unwrap();
    assert_eq!(program(&hours).order()[0].slot.end, at("2026-05-01T08:00:00Z"));
}

/// A date that cannot be read is shown, so that it can be found in the sheet.
#[test]
fn a_row_whose_date_cannot_be_read_is_named_with_its_cell() {
    let text = "Title,Date,Start,End\nA,46143,9:30,10:00\nB,May 1,9:30,10:00\nC,Mo 01.05.2026,9:30,10:00\nD,1.5.2026,9:30,10:00\n";
    let adopted = sheet(text).unwrap();
    assert_eq!(adopted.sessions, 1);
    assert!(
        notes_contain(
            &adopted,
            "left out, because its start cannot be read (3 times: A: 46143 9:30; B: May 1 9:30; C: Mo 01.05.2026 9:30)"
        ),
        "{}",
        adopted.render()
    );
}

#[test]
fn headers_are_understood_in_german_and_with_remarks() {
    let text = "sep=;\r\nVortragstitel;Referent:in;Datum (TT.MM.JJJJ);Beginn (Uhrzeit);Ende;Raum;Kategorie\r\n\
                Öl;Jörg Groß;01.05.2026;9.30;10.00;Großer Saal;Workshop\r\n";
    let adopted = sheet(text).unwrap();
    let program = program(&adopted);
    let talk = &program.order()[0];
    assert_eq!(
        (talk.title.as_str(), people(talk), talk.kind),
        ("Öl", vec!["Jörg Groß".to_owned()], SessionKind::Workshop)
    );
    assert_eq!(talk.slot.room.as_ref().unwrap().as_str(), "Großer Saal");
    let unknown = sheet("Vortragsthema,Datum,Beginn,Ende\nA,1.5.2026,9:30,10:00\n").unwrap_err().to_string();
    assert!(unknown.contains("no column holds the title") && unknown.contains("Vortragsthema"), "{unknown}");
}

#[test]
fn what_sessionize_does_not_name_is_left_out_with_a_note() {
    let session = |id: u32, status: Value| {
        json!({ "id": id, "title": format!("Talk {id}"), "description": null, "startsAt": "2026-05-01T09:00:00",
            "endsAt": "2026-05-01T10:00:00", "speakers": ["gone"], "categoryItems": [404], "questionAnswers": null,
            "roomId": 99, "liveUrl": null, "isServiceSession": null, "isPlenumSession": null, "status": status })
    };
    let sessions = [
        session(1, json!("Accepted")),
        session(2, json!("Decline_Queue")),
        session(3, json!("Waitlisted")),
        session(4, Value::Null),
    ];
    let adopted = read(
        &json!({ "sessions": sessions, "speakers": [], "rooms": [], "categories": [], "questions": [] }),
    );
    let program = program(&adopted);
    let states: Vec<_> = program.order().iter().map(|s| (s.id.as_str(), s.status)).collect();
    assert_eq!(
        states,
        [
            ("session-1", Status::Confirmed),
            ("session-3", Status::Tentative),
            ("session-4", Status::Confirmed)
        ]
    );
    assert!(program.order().iter().all(|s| s.speakers.is_empty() && s.slot.room.is_none()));
    for part in
        ["a speaker was left out", "a category was left out", "a room was left out", "decline_queue (Talk 2)"]
    {
        assert!(notes_contain(&adopted, part), "{part}: {}", adopted.render());
    }
}

#[test]
fn every_member_of_an_indico_contribution_is_read_or_named() {
    let when = |time: &str| json!({ "date": "2026-05-01", "time": time, "tz": "Europe/Zurich" });
    let contribution = |id: u32, duration: Value| {
        json!({ "db_id": id, "title": format!("Talk {id}"), "startDate": when("09:00:00"), "endDate": null, "duration": duration,
            "room": null, "roomFullname": null, "location": "Main building", "keywords": ["Rust", "C, C++"], "session": null,
            "speakers": [{ "fullName": "Doe, Jane", "affiliation": "CERN" }], "primaryauthors": [{ "fullName": "Roe, Rick" }],
            "subContributions": [{ "title": "Part" }], "board_number": "12", "note": { "html": "<p>x</p>" } })
    };
    let contributions =
        [contribution(1, json!(90)), contribution(2, json!(90.0)), contribution(3, json!("1:30:00"))];
    let adopted = read(
        &json!({ "_type": "HTTPAPIResult", "results": [{ "title": "C", "timezone": "Europe/Zurich", "contributions": contributions }] }),
    );
    let program = program(&adopted);
    for talk in program.order() {
        assert_eq!((talk.slot.end - talk.slot.start).num_minutes(), 90, "{}", talk.title);
        assert_eq!(people(talk), ["Jane Doe, CERN"]);
        assert_eq!(talk.slot.room.as_ref().unwrap().as_str(), "Main building");
        assert_eq!(talk.tags.iter().map(|tag| tag.as_str()).collect::<Vec<_>>(), ["Rust", "C, C++"]);
    }
    for part in ["primaryauthors", "subContributions", "board_number", "note"] {
        assert!(notes_contain(&adopted, &format!("not imported: {part}")), "{part}: {}", adopted.render());
    }
    let slot = json!({ "entryType": "Session", "title": "Posters", "slotTitle": "Part 1", "startDate": when("10:00:00"), "endDate": when("11:00:00"), "entries": {} });
    let adopted = read(&json!({ "results": { "1": { "20260501": { "s5": slot } } } }));
    assert_eq!(super::program(&adopted).order()[0].title.as_str(), "Posters: Part 1");
}

#[test]
fn opting_out_of_recordings_is_read_in_each_place() {
    let event = |id: u32, name: &str, value: Value| {
        let mut event = json!({ "id": id, "title": "A", "start": "09:00", "duration": "01:00" });
        event[name] = value;
        event
    };
    let events = [
        event(11, "recording", json!({ "license": "CC BY", "optout": true })),
        event(12, "do_not_record", json!(true)),
        event(13, "recording", json!({ "license": "", "optout": false })),
    ];
    let adopted = read(
        &json!({ "schedule": { "conference": { "title": "C", "days": [{ "date": "2026-05-01", "rooms": { "R": events } }] } } }),
    );
    let opted: Vec<bool> = program(&adopted).order().iter().map(|session| session.no_recording).collect();
    assert_eq!(opted, [true, true, false]);
    assert!(notes_contain(&adopted, "recording_license (CC BY)"));
}

#[test]
fn rooms_come_with_the_number_of_people_that_they_hold() {
    let room = |name: &str, capacity: Value| json!({ "id": 1, "name": { "en": name }, "capacity": capacity });
    let slot = |room: Value| json!({ "id": 3, "start": "2026-05-01T09:00:00+02:00", "end": "2026-05-01T09:30:00+02:00", "room": room });
    let talk = |code: &str, room: Value| json!({ "code": code, "title": "A", "state": "confirmed", "speakers": [null], "slots": [slot(room)], "tags": [7] });
    let results = [
        talk("AA", room("Hall", json!(400))),
        talk("BB", room("Attic", Value::Null)),
        talk("CC", room("Hall", json!(400))),
    ];
    let adopted = read(
        &json!({ "count": 3, "next": null, "results": results.map(|mut talk| { talk["speakers"] = json!([{ "name": null }]); talk }) }),
    );
    assert_eq!(adopted.rooms, [("Hall".to_owned(), Some(400)), ("Attic".to_owned(), None)]);
    assert!(
        notes_contain(&adopted, "only their numbers") && notes_contain(&adopted, "without a readable name")
    );
    let event = json!({ "id": 11, "title": "A", "start": "09:00", "duration": "01:00" });
    let frab = json!({ "schedule": { "conference": { "title": "C", "rooms": [{ "name": "Hall", "capacity": 80 }],
        "days": [{ "date": "2026-05-01", "rooms": { "Hall": [event] } }] } } });
    assert_eq!(read(&frab).rooms, [("Hall".to_owned(), Some(80))]);
}

#[test]
fn a_file_that_is_not_in_the_encoding_that_it_declares_is_read_with_a_note() {
    let text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?><schedule><conference><time_zone_name>Europe/Berlin</time_zone_name>\
                </conference><day date=\"2026-05-01\"><room name=\"R\"><event id=\"11\"><start>09:00</start><duration>00:30</duration>\
                <title>Grüße</title></event></room></day></schedule>";
    let latin: Vec<u8> = text.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect();
    let adopted = adopt(&latin, None).unwrap();
    assert_eq!(program(&adopted).order()[0].title.as_str(), "Grüße");
    assert!(notes_contain(&adopted, "as it declares"), "{}", adopted.render());
}

/// The first start in the zone of the sheet, and the minutes of each session.
fn start_and_minutes(adopted: &Adopted) -> (String, Vec<i64>) {
    let program = program(adopted);
    let slots = || program.order().iter().map(|session| &session.slot);
    let start = slots().next().map(|slot| adopted.zone.civil(slot.start).format("%m-%d %H:%M").to_string());
    (start.unwrap(), slots().map(|slot| (slot.end - slot.start).num_minutes()).collect())
}

#[test]
fn lengths_of_spreadsheets_are_read_with_their_units() {
    for (column, cell, minutes) in [
        ("Duration", "1h", 60),
        ("Duration", "1 hour", 60),
        ("Duration", "2 h", 120),
        ("Dauer", "2 Stunden", 120),
        ("Duration", "1.5 h", 90),
        ("Dauer", "\"1,5 Std.\"", 90),
        ("Duration", "1 h 30 min", 90),
        ("Duration", "1:30", 90),
        ("Duration", "PT1H30M", 90),
        ("Duration", "45", 45),
        ("Duration", "45.0", 45),
        ("Duration", "1.5", 90),
        ("Duration (min)", "40", 40),
        ("Duration (h)", "2", 120),
        ("End", "1h", 60),
        ("End", "1 hour", 60),
        ("Ende", "45 min", 45),
        ("End", "90", 90),
        ("End", "90 min", 90),
        ("End", "1 h 30 min", 90),
        ("End", "PT45M", 45),
        ("End", "1.5", 90),
        ("End", "12:30", 90),
        ("End", "12h30", 90),
    ] {
        let adopted =
            sheet(&format!("Title,Date,Start,{column},Room\nA,2026-05-01,11:00,{cell},R\n")).unwrap();
        let expected = ("05-01 11:00".to_owned(), vec![minutes]);
        assert_eq!(start_and_minutes(&adopted), expected, "{column}: {cell}\n{}", adopted.render());
        assert!(!notes_contain(&adopted, "half an hour"), "{}", adopted.render());
    }
    let night = sheet("Title,Date,Start,End\nA,2026-05-01,22h,2h\n").unwrap();
    assert_eq!(start_and_minutes(&night), ("05-01 22:00".to_owned(), vec![240]));
}

/// Hours that no cell says are never written silently.
#[test]
fn a_length_or_an_end_with_two_readings_is_named_with_its_line() {
    let two = |column: &str, first: &str, second: &str| {
        let rows = format!("A,2026-05-01,11:00,{first}\nB,2026-05-01,14:00,{second}\n");
        sheet(&format!("Title,Date,Start,{column}\n{rows}")).unwrap()
    };
    for (column, cell, note) in [
        ("Duration", "1.30", "a length cannot be read; write 45 min, 1 h 30 min or 1:30 (line 3: 1.30)"),
        (
            "Duration",
            "45-60 min",
            "a length cannot be read; write 45 min, 1 h 30 min or 1:30 (line 3: 45-60 min)",
        ),
        ("Duration", "3", "a length without a unit was read as minutes (line 3: 3)"),
        ("End", "10", "an end cannot be read; write a time such as 10:30, or 45 min (line 3: 10)"),
        (
            "End",
            "1:30 min",
            "an end cannot be read; write a time such as 10:30, or 45 min (line 3: 1:30 min)",
        ),
        ("End", "1:30", "more than 8 hours later (line 3: 14:00 to 1:30)"),
        ("End", "45 min", "an end that is a length was added to the start (line 3: 45 min)"),
    ] {
        let first = if column == "End" { "12:00" } else { "60" };
        let adopted = two(column, first, cell);
        assert!(notes_contain(&adopted, note), "{column}: {cell}\n{}", adopted.render());
    }
    let hours = two("Duration", "1", "2");
    assert_eq!(start_and_minutes(&hours).1, [60, 120]);
    assert!(notes_contain(&hours, "read as hours (2 times: line 2: 1; line 3: 2)"), "{}", hours.render());
}

#[test]
fn the_time_may_stand_in_the_cell_of_the_date() {
    for cells in [
        "2026-05-01 13:00,",
        "2026-05-01T13:00:00+02:00,",
        "2026-05-01T04:00:00-07:00,",
        "Fr 01.05.2026 13:00,",
        "\"1 May 2026, 13:00-14:00\",",
        "2026-05-01 00:00:00,13:00",
    ] {
        let adopted = sheet(&format!("Title,Date,Start,Duration\nA,{cells},60\n")).unwrap();
        assert_eq!(start_and_minutes(&adopted), ("05-01 13:00".to_owned(), vec![60]), "{cells}");
    }
    let text = "Title,Date,Start,End\nA,2026-05-01 13:00,,14:00\nB,2026-05-01 00:00:00,,14:00\n";
    let adopted = sheet(text).unwrap();
    assert_eq!(start_and_minutes(&adopted), ("05-01 13:00".to_owned(), vec![60]));
    assert!(notes_contain(&adopted, "left out, because its start cannot be read (B: 2026-05-01 00:00:00)"));
}

/// Exports for apps and calendars must fill fields that a session leaves empty. What they fill in is not the program's.
#[test]
fn our_own_exports_come_back_without_what_they_add() {
    let mut fixture = fixtures::tricky();
    fixture.sessions[0].tags = vec!["ai".into(), "talk".into()];
    fixture.sessions[0].speakers[1].role = Some("Chair".into());
    fixture.sessions[0].speakers[0].affiliation = Some("AT&T".into());
    fixture.sessions[1].tags = vec!["ops".into()];
    fixture.sessions[5].tags = vec!["food".into()];
    fixture.conference.venue = None;
    let release = fixture.release();
    let original =
        |id: &str| release.program.order().iter().find(|session| session.id.as_str() == id).unwrap();
    let feed = release.feeds.feeds().find(|(key, _)| key.to_string() == "/program.ics").unwrap().1;
    for (name, bytes) in [
        ("json", schedule_json(&release).bytes.to_vec()),
        ("xml", schedule_xml(&release).bytes.to_vec()),
        ("ics", feed.identity.to_vec()),
    ] {
        let adopted = adopt(&bytes, None).unwrap();
        let back = program(&adopted);
        for session in back.order() {
            let before = original(session.id.as_str());
            let place = |s: &Session| {
                (s.slot.room.clone(), s.track.is_some(), s.url.clone(), s.kind, s.links.clone())
            };
            assert_eq!(place(session), place(before), "{name}: {}", session.id);
            if name == "ics" {
                assert_eq!(session.tags, before.tags);
            } else {
                assert_eq!((&session.speakers, &session.block), (&before.speakers, &before.block), "{name}");
                assert_eq!(session.abstract_text, before.abstract_text, "{name}");
            }
            assert!(
                !session.abstract_text.as_str().contains("/sessions/"),
                "{name}: {}",
                session.abstract_text
            );
        }
        assert!(back.order().iter().any(|session| session.slot.room.is_some()), "{name}");
        assert_eq!(adopted.rooms.len(), 1, "{name}: {:?}", adopted.rooms);
        assert!(notes_contain(&adopted, "/schedule.csv") && notes_contain(&adopted, "is no room"), "{name}");
    }
}
