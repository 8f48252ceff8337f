//! Whole program files at the edge of what formats can express, from the file to every output.

use callboard::adopt::adopt;
use callboard::config::{Config, Overrides};
use callboard::doctor::lint;
use callboard::export::{FrabSchedule, schedule_json, schedule_xml};
use callboard::feed::FeedKey;
use callboard::fixtures::{self, PUBLISHED, at};
use callboard::import::{Report, import};
use callboard::program::{Conference, SessionId, SessionKind, Zone, slug_of};
use callboard::release::Release;
use callboard::revision::Ledger;
use std::path::Path;
use std::sync::Arc;

fn file(name: &str) -> Vec<u8> {
    std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/cases").join(name)).unwrap()
}

fn read(name: &str, conference: &Arc<Conference>) -> Report {
    import(&file(name), conference)
}

/// A release of a file that has no errors.
fn release(name: &str, conference: &Arc<Conference>) -> Release {
    let report = read(name, conference);
    assert_eq!(report.errors().count(), 0, "{:?}", report.faults);
    Release::prepare(report.program.unwrap(), &Ledger::empty(&conference.uid_domain), at(PUBLISHED)).release
}

fn los_angeles(first: &str, last: &str) -> Arc<Conference> {
    let tracks = ["Track 1", "Track 2"].map(fixtures::track);
    fixtures::conference().tracks(tracks).dates(first, last).build()
}

fn feed<'a>(release: &'a Release, key: &FeedKey) -> &'a str {
    std::str::from_utf8(&release.feeds.feed(key).unwrap().identity).unwrap()
}

#[test]
fn a_session_over_a_night_is_in_both_days_and_readable_by_all_apps() {
    let release = release("day-long.csv", &los_angeles("2025-03-25", "2025-03-26"));
    for date in ["2025-03-25", "2025-03-26"] {
        let day = feed(&release, &FeedKey::Day(date.parse().unwrap()));
        assert!(day.contains("UID:hack@") && day.contains("DTEND;TZID=America/Los_Angeles:20250326T180000"));
    }
    let schedule = FrabSchedule::of(&release);
    let items = schedule.days.iter().flat_map(|day| day.rooms.iter().flat_map(|(_, items)| items));
    let mut events: Vec<_> = items.map(|item| (item.date(), item.duration())).collect();
    events.sort();
    let expected = [
        ("2025-03-25T10:00:00-07:00", "14:00"),
        ("2025-03-25T11:00:00-07:00", "00:30"),
        ("2025-03-26T00:00:00-07:00", "18:00"),
    ];
    assert_eq!(events, expected.map(|(date, length)| (date.to_owned(), length.to_owned())));
    assert_eq!(lint(&schedule_xml(&release).bytes), []);
    let text = callboard::export::program_text(&release).bytes;
    assert!(String::from_utf8_lossy(&text).contains("Tue, Mar 25, 10:00–Wed, Mar 26, 18:00"));
}

#[test]
fn a_night_with_a_clock_change_names_the_zone_twice() {
    let release = release("dst-label.csv", &los_angeles("2025-03-08", "2025-03-09"));
    let slot = &release.program.order()[0].slot;
    assert_eq!((slot.start, slot.end), (at("2025-03-09T04:00:00Z"), at("2025-03-09T17:00:00Z")));
    let page = callboard::web::session(&release, &SessionId::parse("night").unwrap()).unwrap();
    assert!(page.contains("PST/PDT"), "{page}");
}

#[test]
fn columns_of_another_tool_are_named_by_check_and_read_by_import() {
    let report = read("headers2.csv", &los_angeles("2026-05-01", "2026-05-01"));
    let remedy = |column: &str| {
        let fault = report.faults.iter().find(|fault| fault.column.as_deref() == Some(column));
        fault.map(|fault| fault.remedy.clone()).unwrap_or_default()
    };
    for (theirs, ours) in [
        ("day", "date"),
        ("from", "start"),
        ("to", "end"),
        ("speaker", "speakers"),
        ("type", "kind"),
        ("location", "room"),
        ("description", "abstract"),
    ] {
        assert!(remedy(theirs).contains(&format!("{ours:?}")), "{theirs}: {}", remedy(theirs));
    }
    let adopted = adopt(&file("headers2.csv"), Zone::parse("Europe/Berlin").ok()).unwrap();
    let program =
        import(&adopted.csv, &fixtures::conference().zone("Europe/Berlin").build()).program.unwrap();
    let [session] = program.order() else { panic!("{program:?}") };
    assert_eq!(
        (session.slot.start, session.slot.end),
        (at("2026-05-01T08:00:00Z"), at("2026-05-01T09:00:00Z"))
    );
    assert_eq!((session.title.as_str(), session.kind), ("A", SessionKind::Talk));
    assert_eq!((session.speakers[0].name.as_str(), session.abstract_text.as_str()), ("Ada", "Text"));
    assert_eq!(session.slot.room.as_ref().map(|room| room.as_str()), Some("Hall"));
}

/// "Café" and "José Ñandú" are written with combining marks in one row and without in the other.
#[test]
fn two_spellings_in_unicode_are_one_room_and_one_speaker() {
    let conference = los_angeles("2025-03-25", "2025-03-25");
    let rules: Vec<_> = read("nfd.csv", &conference).faults.iter().map(|fault| fault.rule).collect();
    assert_eq!(rules, ["room-booked-twice", "speaker-booked-twice"]);
    let slugs = &release("nfd.csv", &conference).ledger.slugs;
    assert_eq!((slugs.rooms.len(), slugs.speakers.len()), (1, 1));
    assert_eq!(slugs.rooms.values().next().map(|name| name.as_str()), Some("Café"));
}

#[test]
fn hours_after_24_are_on_the_next_day() {
    let release = release("night-hours.csv", &los_angeles("2026-05-01", "2026-05-01"));
    let slot = |id: &str| release.program.session(&SessionId::parse(id).unwrap()).unwrap().slot.clone();
    for (id, start, end) in [
        ("aa", "2026-05-02T06:00:00Z", "2026-05-02T08:00:00Z"),
        ("bb", "2026-05-02T07:00:00Z", "2026-05-02T08:30:00Z"),
        ("cc", "2026-05-02T05:00:00Z", "2026-05-02T07:00:00Z"),
    ] {
        assert_eq!((slot(id).start, slot(id).end), (at(start), at(end)), "{id}");
    }
}

#[test]
fn a_comma_without_quotes_is_named() {
    let report = read("surplus-cell.csv", &los_angeles("2025-03-25", "2025-03-25"));
    let fault = report.errors().next().unwrap();
    assert_eq!((fault.line, fault.rule), (2, "too-many-cells"));
    assert!(fault.remedy.contains("\"Free, Open and Automated CA\""), "{}", fault.remedy);
}

#[test]
fn addresses_are_encoded_in_every_output() {
    let release = release("url-not-rfc3986.csv", &los_angeles("2025-03-25", "2025-03-25"));
    let unfolded = feed(&release, &FeedKey::Program).replace("\r\n ", "");
    let outputs = [
        unfolded,
        String::from_utf8(schedule_xml(&release).bytes.to_vec()).unwrap(),
        String::from_utf8(schedule_json(&release).bytes.to_vec()).unwrap(),
    ];
    for output in outputs {
        for path in ["?f%5Btrack%5D=1", "100%25done", "?q=a%7Cb", "a%5Eb"] {
            assert!(output.contains(&format!("https://example.org/{path}")), "{path}: {output}");
        }
    }
}

#[test]
fn the_feed_of_a_track_without_sessions_in_utc_has_a_component() {
    let config = String::from_utf8(file("utc-empty.toml")).unwrap();
    let config = Config::parse(Some(&config), Overrides::default()).unwrap();
    let release = release("utc-empty.csv", &Arc::new(config.conference(config.listen)));
    let empty = feed(&release, &FeedKey::Track(slug_of("Empty")));
    assert!(empty.contains("BEGIN:VTIMEZONE\r\nTZID:UTC\r\n"), "{empty}");
    assert_eq!(lint(empty.as_bytes()), []);
}
