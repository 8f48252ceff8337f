//! Foreign programs: the CSV of each sample imports without an error and has the sample's contents.

mod changes;
mod formats;
mod forms;
mod merging;
mod siblings;
mod texts;
mod times;

use callboard::adopt::{AdoptError, Adopted, SourceFormat, adopt, adopt_with_columns};
use callboard::export::{schedule_csv, schedule_json, schedule_xml};
use callboard::fixtures::{self, PUBLISHED, at};
use callboard::import::import;
use callboard::program::{Field, Program, Session, SessionKind, Status, Zone};
use callboard::release::Release;
use callboard::revision::Ledger;
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::path::Path;

fn fixture(name: &str) -> Adopted {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/adopt").join(name);
    adopt(&std::fs::read(path).unwrap(), None).unwrap()
}

#[test]
#[ignore = "needs a directory of programs from other tools, named by CALLBOARD_FOREIGN"]
fn foreign_programs_publish_without_errors() {
    let folder = std::env::var_os("CALLBOARD_FOREIGN").expect("CALLBOARD_FOREIGN names a directory");
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|e| ["ics", "xml", "json"].iter().any(|known| e == *known)) {
            let adopted = adopt(&std::fs::read(&path).unwrap(), None).unwrap();
            println!("{}\n{}", path.display(), adopted.render());
            program(&adopted);
        }
    }
}

/// Imports the CSV, which must have no error.
fn program(adopted: &Adopted) -> Program {
    let conference = fixtures::conference().zone(adopted.zone.name()).build();
    let report = import(&adopted.csv, &conference);
    let errors: Vec<_> = report.errors().collect();
    assert!(errors.is_empty(), "{errors:#?}\n{}", String::from_utf8_lossy(&adopted.csv));
    let program = report.program.unwrap();
    assert_eq!(program.order().len(), adopted.sessions);
    program
}

fn notes_contain(adopted: &Adopted, part: &str) -> bool {
    adopted.render().contains(part)
}

fn people(session: &Session) -> Vec<String> {
    session.speakers.iter().map(callboard::program::Speaker::line).collect()
}

/// A bug that fuzzing found: control characters in the name of a component reached the terminal.
#[test]
fn notes_cannot_control_a_terminal() {
    let file = "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:a\u{1b}[2J@b\r\nDTSTART:20250325T090000Z\r\n\
                DURATION:PT45M\r\nSUMMARY:A\r\nX-\u{1b}]0;owned\u{7}:1\r\nEND:VEVENT\u{1b}[31m\u{202e}\r\n\
                END:VEVENT\r\nEND:VCALENDAR\r\n";
    let notes = adopt(file.as_bytes(), None).unwrap().render();
    let is_unsafe = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
    assert!(notes.contains("VEVENT") && !notes.chars().any(is_unsafe), "{notes:?}");
}

#[test]
fn speakers_are_read_from_titles_of_pretalx() {
    let adopted = fixture("pretalx.ics");
    let program = program(&adopted);
    assert_eq!(adopted.zone.name(), "Europe/Berlin");
    let talk = &program.order()[0];
    assert_eq!(talk.title.as_str(), "Zero downtime - mostly");
    assert_eq!(people(talk), ["Jane Doe", "Zoë Müller"]);
    assert_eq!(talk.slot.start, at("2025-06-12T07:30:00Z"));
    assert_eq!(talk.slot.room.as_ref().unwrap().as_str(), "Gray Room");
    assert_eq!(program.order()[1].kind, SessionKind::Break);
}

/// Outlook's zone names are in no time-zone database, so the VTIMEZONE of the file decides.
#[test]
fn a_zone_with_an_unknown_name_is_read_by_its_rules() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/adopt/pretalx.ics");
    let text = std::fs::read_to_string(path).unwrap().replace("CET", "W. Europe Standard Time");
    let adopted = adopt(text.as_bytes(), Zone::parse("Europe/Berlin").ok()).unwrap();
    assert_eq!(program(&adopted).order()[0].slot.start, at("2025-06-12T07:30:00Z"));
    assert!(notes_contain(&adopted, "read by its VTIMEZONE"), "{}", adopted.render());
}

#[test]
fn speakers_are_read_from_descriptions_of_indico_without_html() {
    let adopted = fixture("indico.ics");
    let program = program(&adopted);
    let talk = &program.order()[0];
    assert_eq!(people(talk), ["Jane Doe, University of Somewhere, Dept. of Physics", "John Smith"]);
    assert!(talk.abstract_text.as_str().starts_with("An overview & an outlook."), "{}", talk.abstract_text);
    assert!(
        notes_contain(&adopted, "CONTACT")
            && notes_contain(&adopted, "HTML")
            && notes_contain(&adopted, "--zone"),
        "{}",
        adopted.render()
    );
}

#[test]
fn categories_of_sched_are_kinds_and_tracks_and_omissions_are_noted() {
    let adopted = fixture("sched.ics");
    let program = program(&adopted);
    assert_eq!(
        (adopted.zone.name(), adopted.title.as_deref()),
        ("America/New_York", Some("ExampleConf 2025"))
    );
    let [keynote, party, again] = program.order() else { panic!("{program:?}") };
    assert_eq!(again.slot.start - party.slot.start, chrono::TimeDelta::days(1));
    assert_eq!((keynote.kind, party.kind), (SessionKind::Plenary, SessionKind::Social));
    assert_eq!(party.track.as_ref().unwrap().as_str(), "observability");
    assert_eq!((party.status, party.title.as_str()), (Status::Cancelled, "=Evening= Reception"));
    assert_eq!(party.slot.end, at("2025-06-13T05:00:00Z"));
    for part in ["GEO", "VALARM"] {
        assert!(notes_contain(&adopted, part), "{part}: {}", adopted.render());
    }
}

#[test]
fn links_of_frab_xml_are_imported_and_omissions_are_noted() {
    let adopted = fixture("schedule.xml");
    let program = program(&adopted);
    let [talk, second] = program.order() else { panic!("{program:?}") };
    let guid = |session: &Session| session.guid.as_ref().unwrap().to_string();
    assert_eq!(guid(talk), "8079583e-8321-506c-95af-fd2903a5f075");
    assert!(talk.id.as_str().starts_with("s-") && talk.id != second.id, "{}", talk.id);
    assert_eq!(people(talk), ["Jane Doe", "Smith John"]);
    assert_eq!(talk.abstract_text.as_str(), "A story\n\nHow we moved a database.\n\n- and what broke");
    let links: Vec<(&str, &str)> =
        talk.links.iter().map(|link| (link.label.as_str(), link.url.as_str())).collect();
    assert_eq!(
        links,
        [("Link", "https://example.org/repo"), ("Slides", "https://talks.example.org/slides.pdf")]
    );
    for part in ["recording_license", "Dramatic reading", "Smith, John"] {
        assert!(notes_contain(&adopted, part), "{part}: {}", adopted.render());
    }
}

#[test]
fn our_own_schedules_can_be_imported() {
    let conference = fixtures::conference().build();
    let csv = std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("program.csv")).unwrap();
    let original = import(&csv, &conference).program.unwrap();
    let count = original.order().len();
    let ledger = Ledger::empty(&conference.uid_domain);
    let release = Release::prepare(original, &ledger, at(PUBLISHED)).release;
    for bytes in [schedule_xml(&release).bytes, schedule_json(&release).bytes] {
        let adopted = adopt(&bytes, None).unwrap();
        let back = program(&adopted);
        assert_eq!(back.order().len(), count);
        for (before, after) in release.program.order().iter().zip(back.order()) {
            assert_eq!((before.slot.start, before.slot.end), (after.slot.start, after.slot.end));
        }
        let key = |program: &Program| {
            let mut titles: Vec<_> = program
                .order()
                .iter()
                .map(|s| (s.title.clone(), s.kind, s.block.clone(), s.slot.start))
                .collect();
            titles.sort();
            titles
        };
        assert_eq!(key(&release.program), key(&back));
        let ids = |program: &Program| program.order().iter().map(|s| s.id.clone()).collect::<Vec<_>>();
        assert_eq!(ids(&release.program), ids(&back));
    }
    let feed = release.feeds.feeds().find(|(key, _)| key.to_string() == "/program.ics").unwrap().1;
    let back = program(&adopt(&feed.identity, None).unwrap());
    assert_eq!(back.order().len(), count);
    assert!(release.program.order().iter().all(|session| back.session(&session.id).is_some()));
}

#[test]
#[ignore = "needs the directory of the frab schemas, named by CALLBOARD_SCHEMAS; tests/run runs it where there is one"]
fn a_schedule_from_pretalx_publishes_without_errors() {
    let folder = std::env::var_os("CALLBOARD_SCHEMAS").expect("CALLBOARD_SCHEMAS names a directory");
    let bytes = std::fs::read(Path::new(&folder).join("pretalx-democon.json")).unwrap();
    let adopted = adopt(&bytes, None).unwrap();
    assert_eq!((adopted.sessions, adopted.title.as_deref()), (36, Some("DemoCon")));
    let program = program(&adopted);
    assert!(program.order().iter().all(|session| !session.speakers.is_empty()));
    assert!(program.order().iter().any(|session| session.kind == SessionKind::Workshop));
}

#[test]
fn a_session_without_a_title_is_noted_by_its_identity() {
    let file = "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:abc@example.org\r\nDTSTART:20250325T090000Z\r\n\
                DTEND:20250325T100000Z\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";
    assert!(notes_contain(&adopt(file.as_bytes(), None).unwrap(), "has no title (abc@example.org)"));
}

#[test]
fn other_files_are_refused() {
    let refused = |bytes: &[u8], word: &str| {
        let error = adopt(bytes, None).unwrap_err().to_string();
        assert!(error.contains(word), "{error}");
    };
    refused(b"", "empty");
    refused(b"nothing\n", "all.ics");
    refused(b"<rss/>", "RSS");
    refused(b"<!DOCTYPE html><title>Talks at Sched.com</title>", "/all.ics");
    refused(b"<html><meta name=generator content=pretalx>", "schedule/export/schedule.json");
    refused(b"PK\x03\x04", "CSV");
    assert_eq!(adopt(b"{\"a\": 1}", None), Err(AdoptError::UnknownJson));
    assert_eq!(adopt(b"[1]", None), Err(AdoptError::UnknownJson));
    assert!(matches!(adopt(b"{", None), Err(AdoptError::Json(_))));
    assert!(matches!(adopt(b"<!DOCTYPE a><schedule/>", None), Err(AdoptError::Xml(_))));
    for empty in [b"BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n".as_slice(), b"[]"] {
        assert_eq!(adopt(empty, None), Err(AdoptError::Empty));
    }
    let timeless = b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nSUMMARY:x\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";
    assert!(matches!(adopt(timeless, None), Err(AdoptError::NoSessions(_))));
}

#[test]
fn times_in_impossible_years_are_left_out() {
    let file = |end: &str| {
        format!(
            "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nSUMMARY:Late\r\nDTSTART:{end}T100000Z\r\nEND:VEVENT\r\n\
             BEGIN:VEVENT\r\nSUMMARY:Long\r\nDTSTART:20250325T100000Z\r\nDTEND:{end}T104500Z\r\nEND:VEVENT\r\n\
             END:VCALENDAR\r\n"
        )
    };
    let adopted = adopt(file("29250325").as_bytes(), None).unwrap();
    assert_eq!(adopted.sessions, 1);
    assert!(
        notes_contain(&adopted, "its start cannot be read") && notes_contain(&adopted, "given half an hour")
    );
    let program = program(&adopted);
    assert_eq!(program.order()[0].slot.end, at("2025-03-25T10:30:00Z"));
}

/// The ids of a file's sessions by their guid.
fn ids(bytes: &[u8]) -> BTreeMap<String, String> {
    let program = program(&adopt(bytes, Some(Zone::UTC)).unwrap());
    program
        .order()
        .iter()
        .map(|s| (s.guid.as_ref().map(ToString::to_string).unwrap_or_default(), s.id.to_string()))
        .collect()
}

/// A bug: sessions of one title were numbered in the order of the file, so their UIDs changed places.
#[test]
fn sessions_of_one_title_keep_their_ids_when_rooms_change_places() {
    let [before, after] = ["rooms-swapped-1.xml", "rooms-swapped-2.xml"].map(fixture);
    assert_eq!(program(&before).order(), program(&after).order());
}

/// A bug: `CANCELED` in a title made a new session.
#[test]
fn a_title_that_says_so_cancels_the_session() {
    let [before, after] = ["cancel-by-title-1.xml", "cancel-by-title-2.xml"].map(fixture);
    let (before, after) = (program(&before), program(&after));
    let (before, after) = (&before.order()[0], &after.order()[0]);
    assert_eq!((before.status, after.status), (Status::Confirmed, Status::Cancelled));
    assert_eq!((&before.id, &before.title), (&after.id, &after.title));
}

#[test]
fn identities_become_readable_ids_where_they_can() {
    let file = |uids: &[&str]| {
        let event = |uid: &&str| {
            format!(
                "BEGIN:VEVENT\r\nUID:{uid}\r\nSUMMARY:A\r\nDTSTART:20250325T090000Z\r\nDURATION:PT1H\r\nEND:VEVENT\r\n"
            )
        };
        let events: String = uids.iter().map(event).collect();
        format!("BEGIN:VCALENDAR\r\n{events}END:VCALENDAR\r\n")
    };
    let all = ["G9JGWY", "7", "opening-keynote", "a@example.org", "b@example.org", "Ab", "aB"];
    let found = ids(file(&all).as_bytes());
    assert_eq!(found["G9JGWY"], "g9jgwy");
    assert_eq!(found["7"], "session-7");
    assert_eq!(found["opening-keynote"], "opening-keynote");
    assert!(found["a@example.org"].starts_with("s-") && found.len() == all.len());
    for (index, uid) in all.iter().enumerate() {
        let mut fewer = all.to_vec();
        fewer.remove(index);
        fewer.reverse();
        let mut expected = found.clone();
        expected.remove(*uid);
        assert_eq!(ids(file(&fewer).as_bytes()), expected, "without {uid}");
    }
}

#[test]
fn a_source_guid_reaches_the_exports_and_a_second_one_is_ignored() {
    let uuid = "8079583e-8321-506c-95af-fd2903a5f075";
    let row = |id: &str, guid: &str| format!("{id},2025-03-25,09:00,09:45,talk,A,{guid}\n");
    let csv = format!(
        "id,date,start,end,kind,title,guid\n{}{}{}",
        row("aa", uuid),
        row("bb", uuid),
        row("cc", "G9JGWY")
    );
    let conference = fixtures::conference().build();
    let report = import(csv.as_bytes(), &conference);
    assert!(report.faults.iter().any(|fault| fault.rule == "duplicate-guid" && fault.line == 3));
    let ledger = Ledger::empty(&conference.uid_domain);
    let release = Release::prepare(report.program.unwrap(), &ledger, at(PUBLISHED)).release;
    for bytes in [schedule_xml(&release).bytes, schedule_json(&release).bytes] {
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        assert_eq!(text.matches(uuid).count(), 1);
        assert!(!text.contains("\"G9JGWY\""));
    }
    let csv = String::from_utf8(schedule_csv(&release).bytes.to_vec()).unwrap();
    assert!(csv.contains(uuid) && csv.contains("G9JGWY"), "{csv}");
}

/// One session of a source that is edited between two imports.
#[derive(Debug, Clone)]
struct Edited {
    identity: String,
    title: &'static str,
    minute: u32,
}

fn source() -> impl Strategy<Value = Vec<Edited>> {
    let one = (
        "[a-zA-Z0-9@-]{1,8}",
        prop::sample::select(vec!["Hours", "Hours", "[CANCELED] Hours", "A"]),
        0..60u32,
    )
        .prop_map(|(identity, title, minute)| Edited { identity, title, minute });
    proptest::collection::vec(one, 1..8).prop_map(|mut list| {
        let mut seen = std::collections::HashSet::new();
        list.retain(|one| seen.insert(one.identity.to_lowercase()));
        list
    })
}

fn as_ics(source: &[Edited]) -> String {
    let event = |one: &Edited| {
        format!(
            "BEGIN:VEVENT\r\nUID:{}\r\nSUMMARY:{}\r\nDTSTART:20250325T09{:02}00Z\r\nDURATION:PT1H\r\nEND:VEVENT\r\n",
            one.identity, one.title, one.minute
        )
    };
    format!("BEGIN:VCALENDAR\r\n{}END:VCALENDAR\r\n", source.iter().map(event).collect::<String>())
}

fn as_frab(source: &[Edited]) -> String {
    let event = |one: &Edited| {
        serde_json::json!({ "guid": one.identity, "title": one.title, "duration": "01:00",
            "date": format!("2025-03-25T09:{:02}:00Z", one.minute), "id": 1 })
    };
    let events: Vec<_> = source.iter().map(event).collect();
    serde_json::json!({ "schedule": { "conference": { "days": [{ "date": "2025-03-25", "rooms": { "R": events } }] } } }).to_string()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Retitled, moved, reordered and removed: a session's id is the same in every import.
    #[test]
    fn an_id_depends_on_the_identity_alone(
        (before, after) in source().prop_flat_map(|list| {
            let edits = proptest::collection::vec((any::<bool>(), 0..60u32, any::<bool>()), list.len());
            (Just(list), edits).prop_map(|(list, edits)| {
                let mut after = Vec::new();
                for (one, (stays, minute, retitled)) in list.iter().zip(edits) {
                    let title = if retitled { "Renamed" } else { one.title };
                    if stays {
                        after.push(Edited { title, minute, ..one.clone() });
                    }
                }
                after.reverse();
                (list, after)
            })
        })
    ) {
        for form in [as_ics, as_frab] {
            if after.is_empty() {
                continue;
            }
            let (first, second) = (ids(form(&before).as_bytes()), ids(form(&after).as_bytes()));
            for (guid, id) in second {
                prop_assert_eq!(first.get(&guid), Some(&id), "{}", guid);
            }
        }
    }

    #[test]
    fn any_texts_become_a_program_without_errors(
        texts in proptest::collection::vec("[\\PC\n\r\t,;:#&<>/'=+@-]{0,40}|#REF!|--|https://a.b/c d|&amp;|Chairs: A", 10),
        minutes in 0..600_000i64,
    ) {
        let [title, kind, track, room, text, person, second, bio, link, url] = texts.try_into().unwrap();
        let start = at("2025-01-01T00:00:00Z") + chrono::TimeDelta::minutes(minutes);
        let event = serde_json::json!({
            "title": title, "type": kind, "track": track, "room": room, "abstract": text, "url": url,
            "date": start.to_rfc3339(), "start": "", "duration": "00:45",
            "persons": [{ "name": person, "biography": bio }, { "name": second }],
            "links": [{ "title": link, "url": "https://example.org/x" }, { "title": "x", "url": url }],
        });
        let file = serde_json::json!({ "schedule": { "conference": {
            "time_zone_name": "Europe/Berlin",
            "days": [{ "date": "2025-01-01", "rooms": { "R": [event.clone(), event] } }],
        } } });
        let adopted = adopt(file.to_string().as_bytes(), None).unwrap();
        let read = program(&adopted);
        prop_assert_eq!(read.order()[0].slot.start, start);
    }
}
