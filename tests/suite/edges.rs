//! Programs at the edge of what formats can express: sessions over days, calendars without events, renamed rooms.

use callboard::export::{FrabSchedule, schedule_json, schedule_xml};
use callboard::feed::{FeedFilter, FeedKey, FeedOptions};
use callboard::fixtures::{self, Fixture, at, conference, talk};
use callboard::ics;
use callboard::program::{DayChange, Room, Text, slug_of};
use callboard::release::Release;
use std::collections::BTreeMap;

/// A conference with a session of a day and a half, and a party past midnight.
fn hackathon() -> Fixture {
    let mut hack = talk("hack", at("2025-03-25T17:00:00Z"), at("2025-03-27T01:00:00Z"), "Hackathon");
    hack.slot.room = Some("Lab".into());
    let party = talk("party", at("2025-03-26T05:00:00Z"), at("2025-03-26T09:00:00Z"), "Party");
    conference().sessions([hack, party])
}

fn feed<'a>(release: &'a Release, key: &FeedKey) -> &'a str {
    std::str::from_utf8(&release.feeds.feed(key).unwrap().identity).unwrap()
}

fn day(date: &str) -> FeedKey {
    FeedKey::Day(date.parse().unwrap())
}

#[test]
fn a_session_over_days_is_in_the_feed_of_every_day() {
    let release = hackathon().release();
    let first = feed(&release, &day("2025-03-25"));
    assert!(first.contains("UID:hack@") && first.contains("UID:party@"));
    let second = feed(&release, &day("2025-03-26"));
    assert!(second.contains("UID:hack@") && !second.contains("UID:party@"), "{second}");
    assert!(release.feeds.feed(&day("2025-03-27")).is_none());
    let filter = FeedFilter { days: ["2025-03-26".parse().unwrap()].into(), ..FeedFilter::default() };
    assert_eq!(release.feeds.matching(&filter).count(), 1);
    assert_eq!(
        callboard::web::part(&release, &day("2025-03-26"), 1).unwrap().matches("id=\"hack\"").count(),
        1
    );
}

#[test]
fn a_session_that_becomes_shorter_leaves_the_feeds_of_later_days() {
    let release = hackathon().release();
    let filter = FeedFilter { days: ["2025-03-26".parse().unwrap()].into(), ..FeedFilter::default() };
    let before = release.feeds.filtered(&filter, FeedOptions::default(), &release.ledger.slugs).modified;
    let short = hackathon().edit("hack", |hack| hack.slot.end = at("2025-03-26T01:00:00Z"));
    let release = short.after(&release.ledger, "2025-02-02T00:00:00Z").release;
    assert!(!feed(&release, &day("2025-03-26")).contains("BEGIN:VEVENT"));
    let after = release.feeds.filtered(&filter, FeedOptions::default(), &release.ledger.slugs);
    assert!(after.is_empty() && after.modified > before, "clients must see that it left");
}

#[test]
fn a_calendar_in_utc_without_events_has_a_component() {
    let online = conference().zone("UTC").tracks([fixtures::track("Main")]);
    let mut session = talk("opening", at("2025-03-25T09:00:00Z"), at("2025-03-25T09:45:00Z"), "Opening");
    session.kind = callboard::program::SessionKind::Talk;
    let release = online.sessions([session]).release();
    let empty = feed(&release, &FeedKey::Track(slug_of("Main")));
    let calendar = &ics::read(empty.as_bytes()).components[0];
    let zones: Vec<_> =
        calendar.components.iter().map(|zone| zone.property("TZID").unwrap().value.as_str()).collect();
    assert_eq!(zones, ["UTC"], "{empty}");
    assert_eq!(callboard::doctor::lint(empty.as_bytes()), []);
    assert_eq!(callboard::doctor::inspect(&release, None), Ok(Vec::new()));
    assert!(!feed(&release, &FeedKey::Program).contains("VTIMEZONE"), "a feed with events needs none");
    // Feeds that are joined on request, as text and as gzip.
    let joined =
        release.feeds.agenda(&Text::from("Mine"), &[], FeedOptions::default(), at(fixtures::PUBLISHED));
    let plain = joined.identity();
    assert!(String::from_utf8_lossy(&plain).contains("BEGIN:VTIMEZONE\r\nTZID:UTC\r\n"));
    assert_eq!(joined.chunks().flatten().collect::<Vec<u8>>(), plain);
    if let Some(gzip) = joined.gzip() {
        let mut text = Vec::new();
        std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(&gzip[..]), &mut text).unwrap();
        assert_eq!(text, plain);
    }
}

/// The guids of the rooms in both schedules.
fn rooms(release: &Release) -> BTreeMap<String, String> {
    let json: serde_json::Value = serde_json::from_slice(&schedule_json(release).bytes).unwrap();
    let rooms = json["schedule"]["conference"]["rooms"].as_array().unwrap();
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    let rooms: BTreeMap<_, _> = rooms.iter().map(|room| (text(&room["name"]), text(&room["guid"]))).collect();
    let xml = String::from_utf8(schedule_xml(release).bytes.to_vec()).unwrap();
    assert!(rooms.values().all(|guid| xml.contains(guid)));
    rooms
}

#[test]
fn a_renamed_room_keeps_its_guid() {
    let named = |name: &str, was: &[&str]| {
        let mut fixture = hackathon().edit("hack", |hack| hack.slot.room = Some(name.into()));
        let was = was.iter().map(|was| slug_of(was)).collect();
        fixture.conference.rooms = vec![Room { name: name.into(), was, capacity: None }];
        fixture
    };
    let first = hackathon().release();
    let guid = rooms(&first)["Lab"].clone();
    let second = named("Big Lab", &["Lab"]).after(&first.ledger, "2025-02-02T00:00:00Z").release;
    assert_eq!(rooms(&second)["Big Lab"], guid);
    // Renamed again, with the former names in any order.
    for was in [["Lab", "Big Lab"], ["Big Lab", "Lab"]] {
        let third = named("Hall", &was).after(&second.ledger, "2025-02-03T00:00:00Z").release;
        assert_eq!(rooms(&third)["Hall"], guid, "{was:?}");
    }
    let other = named("Other", &[]).after(&second.ledger, "2025-02-03T00:00:00Z").release;
    assert_ne!(rooms(&other)["Other"], guid, "another room has another guid");
}

#[test]
fn schedules_of_long_sessions_please_both_apps() {
    let release = hackathon().release();
    assert_eq!(callboard::doctor::lint(&schedule_xml(&release).bytes), []);
    let schedule = FrabSchedule::of(&release);
    let items = schedule.days.iter().flat_map(|day| day.rooms.iter().flat_map(|(_, items)| items));
    let parts: Vec<_> = items.filter(|item| item.entry.session.id.as_str() == "hack").collect();
    assert_eq!(parts.iter().map(|part| part.duration()).collect::<Vec<_>>(), ["14:00", "18:00"]);
    // Imported again, the parts are one session.
    for bytes in [schedule_xml(&release).bytes, schedule_json(&release).bytes] {
        let adopted = callboard::adopt::adopt(&bytes, None).unwrap();
        let again = callboard::import::import(&adopted.csv, &release.program.conference).program.unwrap();
        let slots = |program: &callboard::program::Program| {
            program.order().iter().map(|s| (s.id.clone(), s.slot.start, s.slot.end)).collect::<Vec<_>>()
        };
        assert_eq!(slots(&again), slots(&release.program), "{}", adopted.render());
    }
    // What EventFahrplan read before: days, which Giggity does not know.
    let long = String::from_utf8(schedule_xml(&release).bytes.to_vec()).unwrap();
    let long = long.replace("<duration>14:00<", "<duration>32:00<");
    let found = callboard::doctor::lint(long.as_bytes());
    assert!(found.iter().any(|finding| finding.rule == "event-duration"), "{found:?}");
}

/// With a day change at 4:00, the night belongs to the day before: in feeds, on pages and in exports. Dates and times stay
/// those of the calendar.
#[test]
fn the_night_is_listed_with_the_day_before() {
    let night = talk("night", at("2025-03-26T08:30:00Z"), at("2025-03-26T09:30:00Z"), "Night");
    let morning = talk("morning", at("2025-03-26T16:00:00Z"), at("2025-03-26T17:00:00Z"), "Morning");
    let mut fixture = conference().dates("2025-03-25", "2025-03-26").sessions([night, morning]);
    let by_calendar = fixture.clone().release();
    fixture.conference.day_change = DayChange::try_from("04:00".to_owned()).unwrap();
    let release = fixture.release();
    let has = |release: &Release, date: &str| feed(release, &day(date)).contains("UID:night@");
    assert_eq!((has(&by_calendar, "2025-03-25"), has(&by_calendar, "2025-03-26")), (false, true));
    assert_eq!((has(&release, "2025-03-25"), has(&release, "2025-03-26")), (true, false));
    assert!(feed(&release, &day("2025-03-25")).contains("DTSTART;TZID=America/Los_Angeles:20250326T013000"));

    let page = callboard::web::program(&release, &callboard::web::ProgramView::default());
    let place = |what: &str| page.find(what).unwrap_or_else(|| panic!("{what}: {page}"));
    assert!(place("id=\"day-2025-03-25\"") < place("id=\"night\""));
    assert!(place("id=\"night\"") < place("id=\"day-2025-03-26\""));
    assert!(page.contains("data-day-change=\"240\""));
    let session =
        callboard::web::session(&release, &callboard::program::SessionId::parse("night").unwrap()).unwrap();
    assert!(
        session.contains("href=\"/days/2025-03-25\"") && session.contains("Wednesday, March 26"),
        "{session}"
    );

    let schedule = FrabSchedule::of(&release);
    let first = &schedule.days[0];
    assert_eq!(first.start.to_rfc3339(), "2025-03-25T04:00:00-07:00");
    assert_eq!(first.rooms[0].1[0].date(), "2025-03-26T01:30:00-07:00");
    let xml = String::from_utf8(schedule_xml(&release).bytes.to_vec()).unwrap();
    assert!(xml.contains("end=\"2025-03-26T04:00:00-07:00\""), "{xml}");
    let adopted = callboard::adopt::adopt(xml.as_bytes(), None).unwrap();
    assert!(String::from_utf8(adopted.csv).unwrap().contains("night,2025-03-26,01:30,02:30"));
}
