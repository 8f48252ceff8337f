//! Times of foreign programs: every form that tools write, and zones by every name. A time that cannot be placed is
//! named and never guessed.

use super::*;

/// A calendar of VEVENTs and other components.
fn calendar(parts: &str) -> String {
    format!("BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//X//EN\n{parts}END:VCALENDAR\n").replace('\n', "\r\n")
}

fn event(uid: &str, properties: &str) -> String {
    format!("BEGIN:VEVENT\nUID:{uid}\nSUMMARY:Talk {uid}\nDTSTAMP:20250101T000000Z\n{properties}END:VEVENT\n")
}

fn read(parts: &str, zone: Option<&str>) -> Result<Adopted, AdoptError> {
    adopt(calendar(parts).as_bytes(), zone.map(|zone| Zone::parse(zone).unwrap()))
}

/// `title start` of each session, in UTC.
fn starts(adopted: &Adopted) -> Vec<String> {
    let line = |s: &std::sync::Arc<Session>| format!("{} {}", s.title, s.slot.start.format("%m-%d %H:%M"));
    program(adopted).order().iter().map(line).collect()
}

fn minutes(adopted: &Adopted) -> Vec<i64> {
    program(adopted).order().iter().map(|s| (s.slot.end - s.slot.start).num_minutes()).collect()
}

#[test]
fn durations_with_seconds_and_of_iso_are_read() {
    assert_eq!(minutes(&fixture("frab-duration-hhmmss.xml")), [45]);
    assert_eq!(minutes(&fixture("duration-iso.xml")), [90]);
}

#[test]
fn a_session_after_midnight_without_a_date_is_on_the_next_morning() {
    let file = |day: &str, change: &str| {
        format!(
            "<schedule><conference><time_zone_name>Europe/Berlin</time_zone_name>{change}</conference>\
             <day date='2026-05-01' {day}><room name='R'><event id='11'><start>23:30</start><duration>01:00</duration>\
             <title>Film</title></event><event id='12'><start>00:30</start><duration>01:00</duration><title>Party</title>\
             </event></room></day></schedule>"
        )
    };
    let by_day = file("start='2026-05-01T10:00:00+02:00' end='2026-05-02T04:00:00+02:00'", "");
    let by_change = file("", "<day_change>04:00:00</day_change>");
    for text in [by_day, by_change] {
        assert_eq!(starts(&adopt(text.as_bytes(), None).unwrap()), ["Film 05-01 21:30", "Party 05-01 22:30"]);
    }
    // Nothing says that the day goes on.
    let plain = adopt(file("", "").as_bytes(), None).unwrap();
    assert_eq!(starts(&plain), ["Party 04-30 22:30", "Film 05-01 21:30"]);
}

#[test]
fn zones_are_read_by_their_rules_and_by_every_name() {
    assert_eq!(
        program(&fixture("zone-name-with-comma.ics")).order()[0].slot.start,
        at("2025-07-01T08:00:00Z")
    );
    assert_eq!(program(&fixture("zone-rules.ics")).order()[0].slot.start, at("2025-03-25T02:00:00Z"));
    for (zone, hour) in [
        ("US/Pacific", "16:00"),
        ("GB", "09:00"),
        ("Japan", "00:00"),
        ("Etc/GMT+5", "14:00"),
        ("W. Europe Standard Time", "08:00"),
        ("/mozilla.org/20050126_1/Europe/Berlin", "08:00"),
        ("\"Europe/Berlin\"", "08:00"),
    ] {
        let parts = event("a", &format!("DTSTART;TZID={zone}:20250325T090000\nDURATION:PT1H\n"));
        assert_eq!(starts(&read(&parts, None).unwrap()), [format!("Talk a 03-25 {hour}")], "{zone}");
    }
}

fn zone(rules: &str) -> String {
    let part = |kind: &str, from: &str, to: &str, rule: &str| {
        format!(
            "BEGIN:{kind}\nDTSTART:20070311T020000\nTZOFFSETFROM:{from}\nTZOFFSETTO:{to}\n{rule}END:{kind}\n"
        )
    };
    let (summer, winter) = rules.split_once('|').unwrap();
    format!(
        "BEGIN:VTIMEZONE\nTZID:Office\n{}{}END:VTIMEZONE\n",
        part("DAYLIGHT", "-0800", "-0700", &format!("{summer}\n")),
        part("STANDARD", "-0700", "-0800", &format!("{winter}\n")),
    )
}

#[test]
fn yearly_rules_are_read_in_every_form() {
    let talks = [("w", "20250210"), ("s", "20250610")]
        .map(|(uid, day)| event(uid, &format!("DTSTART;TZID=Office:{day}T090000\nDURATION:PT1H\n")));
    for rules in [
        "RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=2SU|RRULE:FREQ=YEARLY;BYMONTH=11;BYDAY=1SU",
        "RRULE:FREQ=YEARLY;BYMONTH=3;BYMONTHDAY=8,9,10,11,12,13,14;BYDAY=SU|RRULE:BYDAY=SU;BYMONTHDAY=1,2,3,4,5,6,7;BYMONTH=11;FREQ=YEARLY",
        "RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=2SU;BYHOUR=2;BYMINUTE=0|RRULE:FREQ=YEARLY;INTERVAL=1;BYMONTH=11;BYDAY=SU;BYSETPOS=1;WKST=SU",
        "RRULE:FREQ=YEARLY;BYDAY=2SU;BYMONTH=3;COUNT=40|RDATE:20241103T020000,20251102T020000",
    ] {
        let adopted = read(&format!("{}{}", zone(rules), talks.concat()), None).unwrap();
        assert_eq!(starts(&adopted), ["Talk w 02-10 17:00", "Talk s 06-10 16:00"], "{rules}");
    }
}

#[test]
fn a_rule_that_cannot_be_read_matters_only_where_it_could_apply() {
    let talk = event("a", "DTSTART;TZID=Office:20250610T090000\nDURATION:PT1H\n");
    let fine = event("b", "DTSTART:20250610T100000Z\nDURATION:PT1H\n");
    let ended = "RRULE:FREQ=SECONDLY;UNTIL=20080101T000000Z|RRULE:FREQ=YEARLY;BYMONTH=11;BYDAY=1SU";
    assert_eq!(starts(&read(&format!("{}{talk}", zone(ended)), None).unwrap()), ["Talk a 06-10 17:00"]);
    let unknown = "RRULE:FREQ=SECONDLY|RRULE:FREQ=YEARLY;BYMONTH=11;BYDAY=1SU";
    let adopted = read(&format!("{}{talk}{fine}", zone(unknown)), None).unwrap();
    assert_eq!(starts(&adopted), ["Talk b 06-10 10:00"]);
    assert!(notes_contain(&adopted, "its VTIMEZONE does not say") && notes_contain(&adopted, "Talk a"));
}

#[test]
fn a_time_in_an_unknown_zone_is_named_and_not_guessed() {
    let lost = event("a", "DTSTART;TZID=Office:20250610T090000\nDURATION:PT1H\n");
    let fine = event("b", "DTSTART;TZID=Europe/Berlin:20250610T100000\nDURATION:PT1H\n");
    let adopted = read(&format!("{lost}{fine}"), None).unwrap();
    assert_eq!(starts(&adopted), ["Talk b 06-10 08:00"]);
    assert!(notes_contain(&adopted, "\"Office\"") && notes_contain(&adopted, "Talk a"));
    let error = read(&lost, None).unwrap_err().to_string();
    assert!(error.contains("\"Office\""), "{error}");
}

#[test]
fn local_times_need_a_zone_and_utc_is_doubted_with_its_evidence() {
    let floating = event("a", "DTSTART:20250610T090000\nDURATION:PT1H\n");
    assert!(matches!(read(&floating, None), Err(AdoptError::NoZone(_))));
    assert_eq!(starts(&read(&floating, Some("Asia/Tokyo")).unwrap()), ["Talk a 06-10 00:00"]);
    let utc = format!("X-WR-TIMEZONE:UTC\n{}", event("a", "DTSTART:20250610T090000Z\nDURATION:PT1H\n"));
    let adopted = read(&utc, None).unwrap();
    assert_eq!(starts(&adopted), ["Talk a 06-10 09:00"]);
    assert!(notes_contain(&adopted, "X-WR-TIMEZONE is UTC") && notes_contain(&adopted, "--zone"));
    assert_eq!(read(&utc, Some("America/Denver")).unwrap().zone.name(), "America/Denver");
    assert!(matches!(read(&format!("X-WR-TIMEZONE:UTC\n{floating}"), None), Err(AdoptError::NoZone(_))));
    // India, Israel and Ireland.
    let adopted = read(&utc.replace("UTC", "IST"), None).unwrap();
    assert_eq!((adopted.zone, starts(&adopted)), (Zone::UTC, vec!["Talk a 06-10 09:00".to_owned()]));
    assert!(notes_contain(&adopted, "Asia/Kolkata") && notes_contain(&adopted, "Europe/Dublin"));
}

#[test]
fn a_category_gives_the_track_and_the_kind() {
    let adopted = fixture("sched-cats.ics");
    let program = program(&adopted);
    let found: Vec<String> = program
        .order()
        .iter()
        .map(|s| format!("{}: {} {}", s.title, s.kind, s.track.as_ref().map_or("-", |track| track.as_str())))
        .collect();
    let mut expected = [
        "A show: social main-concert",
        "A game: talk gaming",
        "A talk: plenary keynote-track",
        "Closing the gap: talk -",
        "Social coding: talk -",
        "Welcome to WebAssembly: talk -",
        "Party of one: talk -",
        "Breaking changes: an AMA: talk -",
        "Trailing: talk -",
    ];
    expected.sort_unstable();
    let mut found: Vec<&str> = found.iter().map(String::as_str).collect();
    found.sort_unstable();
    assert_eq!(found, expected);
    let room = program.order().iter().find_map(|session| session.slot.room.clone());
    assert_eq!(room.unwrap().as_str(), "Hall A");
}

#[test]
fn other_encodings_are_read() {
    assert_eq!(program(&fixture("latin1.xml")).order()[0].title.as_str(), "Grüße");
    let text = calendar(&event("a", "DTSTART:20250610T090000Z\nDURATION:PT1H\nLOCATION:Größe\n"));
    let units: Vec<u8> = format!("\u{feff}{text}").encode_utf16().flat_map(u16::to_le_bytes).collect();
    let room = |bytes: &[u8]| {
        let adopted = adopt(bytes, None).unwrap();
        (program(&adopted).order()[0].slot.room.as_ref().unwrap().to_string(), adopted.render())
    };
    assert_eq!(room(&units).0, "Größe");
    let latin: Vec<u8> = text.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect();
    let (found, notes) = room(&latin);
    assert_eq!(found, "Größe");
    assert!(notes.contains("not UTF-8"), "{notes}");
}

#[test]
fn an_event_outside_of_a_calendar_is_named() {
    let inside = calendar(&event("a", "DTSTART:20250610T090000Z\nDURATION:PT1H\n"));
    let outside = event("b", "DTSTART:20250610T100000Z\nDURATION:PT1H\n").replace('\n', "\r\n");
    let adopted = adopt(format!("{inside}{outside}").as_bytes(), None).unwrap();
    assert_eq!(adopted.sessions, 1);
    assert!(notes_contain(&adopted, "outside of every VCALENDAR") && notes_contain(&adopted, "Talk b"));
    let alone = adopt(outside.as_bytes(), None).unwrap_err().to_string();
    assert!(alone.contains("outside of every VCALENDAR"), "{alone}");
}

const DAILY: &str = "DTSTART;TZID=Europe/Berlin:20250324T090000\nDURATION:PT1H\nRRULE:FREQ=DAILY";

/// `id start` of each session.
fn by_id(adopted: &Adopted) -> Vec<(String, String)> {
    let line =
        |s: &std::sync::Arc<Session>| (s.id.to_string(), s.slot.start.format("%m-%d %H:%M").to_string());
    program(adopted).order().iter().map(line).collect()
}

/// The hour stays the same across the change of the clock on March 30.
#[test]
fn a_repeated_event_is_a_session_for_each_of_its_times() {
    let parts = event(
        "a",
        &format!("{DAILY};COUNT=8\nEXDATE;TZID=Europe/Berlin:20250326T090000\nRDATE:20250402T100000Z\n"),
    );
    let adopted = read(&parts, None).unwrap();
    let days: Vec<String> = by_id(&adopted).into_iter().map(|(_, start)| start).collect();
    assert_eq!(
        days,
        [
            "03-24 08:00",
            "03-25 08:00",
            "03-27 08:00",
            "03-28 08:00",
            "03-29 08:00",
            "03-30 07:00",
            "03-31 07:00",
            "04-02 10:00"
        ]
    );
    let fewer = read(&event("a", &format!("{DAILY};UNTIL=20250325T080000Z\n")), None).unwrap();
    assert_eq!(by_id(&fewer), by_id(&adopted)[..2]);
}

#[test]
fn a_replaced_time_is_not_there_twice_and_keeps_its_id() {
    let master = event("a", &format!("{DAILY};COUNT=3\n"));
    let moved = |named: &str| {
        event(
            "a",
            &format!(
                "RECURRENCE-ID;TZID=Europe/Berlin:{named}\nDTSTART;TZID=Europe/Berlin:20250325T170000\nDURATION:PT1H\n"
            ),
        )
    };
    let before = by_id(&read(&master, None).unwrap());
    for (place, named) in ["20250324T090000", "20250325T090000"].into_iter().enumerate() {
        let after = by_id(&read(&format!("{master}{}", moved(named)), None).unwrap());
        assert_eq!(after.len(), 3, "{named}");
        let replaced = (before[place].0.clone(), "03-25 16:00".to_owned());
        assert!(after.contains(&replaced), "{after:?} lacks {replaced:?}");
    }
    // Of an event that does not repeat.
    let alone = event("a", "DTSTART;TZID=Europe/Berlin:20250324T090000\nDURATION:PT1H\n");
    let before = by_id(&read(&alone, None).unwrap());
    let after = by_id(&read(&format!("{alone}{}", moved("20250324T090000")), None).unwrap());
    assert_eq!(after, [(before[0].0.clone(), "03-25 16:00".to_owned())]);
}

#[test]
fn a_repetition_without_an_end_stays_within_the_other_dates() {
    let others =
        ["20250325", "20250327"].map(|day| event(day, &format!("DTSTART:{day}T120000Z\nDURATION:PT1H\n")));
    let office = event("a", &format!("{}\n", DAILY.replace("20250324", "20190101")));
    let adopted = read(&format!("{office}{}", others.concat()), None).unwrap();
    let days: Vec<String> = by_id(&adopted).into_iter().map(|(_, start)| start[..5].to_owned()).collect();
    assert_eq!(days, ["03-25", "03-25", "03-26", "03-27", "03-27"]);
    let alone = read(&office, None).unwrap();
    assert_eq!(alone.sessions, 1);
    assert!(notes_contain(&alone, "without an end"));
}

/// A TZID is TEXT: `Foo\, Bar` in the VTIMEZONE is what `TZID="Foo, Bar"` names.
#[test]
fn lint_finds_a_zone_whose_name_has_a_comma() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/adopt/zone-name-with-comma.ics");
    let rules =
        |bytes: &[u8]| callboard::doctor::lint(bytes).iter().map(|finding| finding.rule).collect::<Vec<_>>();
    let bytes = std::fs::read(path).unwrap();
    assert!(!rules(&bytes).contains(&"vtimezone-missing"));
    let other = String::from_utf8(bytes).unwrap().replace("\"Foo, Bar\"", "\"Bar, Foo\"");
    assert!(rules(other.as_bytes()).contains(&"vtimezone-missing"));
}

/// The rows `title start status` of a series at nine o'clock in Berlin, with further events.
fn series(rule: &str, others: &[&str]) -> Vec<String> {
    let master = event("a", &format!("DTSTART;TZID=Europe/Berlin:20260501T090000\nDURATION:PT1H\n{rule}\n"));
    let others: String = others
        .iter()
        .map(|properties| event("a", &format!("{properties}\n")).replace("Talk a", "Changed"))
        .collect();
    let adopted = read(&(master + &others), None).unwrap();
    let state = |session: &Session| if session.status == Status::Cancelled { " cancelled" } else { "" };
    let row = |session: &std::sync::Arc<Session>| {
        let at = adopted.zone.civil(session.slot.start).format("%d %H:%M");
        let minutes = (session.slot.end - session.slot.start).num_minutes();
        format!("{} {at} {minutes}{}", session.title, state(session))
    };
    program(&adopted).order().iter().map(row).collect()
}

#[test]
fn times_that_do_not_take_place_are_left_out_in_every_form() {
    let rule = "RRULE:FREQ=DAILY;COUNT=3";
    let two = ["Talk a 01 09:00 60", "Talk a 03 09:00 60"];
    for excluded in [
        "EXDATE;TZID=Europe/Berlin:20260502T090000",
        "EXDATE:20260502T070000Z",
        "EXDATE;TZID=Europe/Paris:20260502T090000",
        // Exchange writes no zone, and others only the day.
        "EXDATE:20260502T090000",
        "EXDATE;VALUE=DATE:20260502",
        "EXRULE:FREQ=DAILY;BYMONTHDAY=2;COUNT=1",
        "EXRULE:FREQ=WEEKLY;BYDAY=SA;UNTIL=20260502T070000Z",
    ] {
        assert_eq!(series(&format!("{rule}\n{excluded}"), &[]), two, "{excluded}");
    }
    let odd = event(
        "a",
        "DTSTART:20260501T090000Z\nDURATION:PT1H\nRRULE:FREQ=DAILY;COUNT=2\nEXDATE:20260509T090000Z\n",
    );
    assert!(notes_contain(&read(&odd, None).unwrap(), "excludes nothing"));
}

#[test]
fn an_override_replaces_its_time_in_every_form() {
    let rule = "RRULE:FREQ=DAILY;COUNT=2";
    let moved = ["Talk a 01 09:00 60", "Changed 02 12:00 30"];
    for named in [
        "RECURRENCE-ID;TZID=Europe/Berlin:20260502T090000",
        "RECURRENCE-ID:20260502T070000Z",
        "RECURRENCE-ID:20260502T090000",
        "RECURRENCE-ID;VALUE=DATE:20260502",
    ] {
        let changed = format!("{named}\nDTSTART;TZID=Europe/Berlin:20260502T120000\nDURATION:PT30M");
        assert_eq!(series(rule, &[&changed]), moved, "{named}");
        let cancelled =
            format!("{named}\nDTSTART;TZID=Europe/Berlin:20260502T090000\nDURATION:PT1H\nSTATUS:CANCELLED");
        assert_eq!(series(rule, &[&cancelled])[1], "Changed 02 09:00 60 cancelled", "{named}");
    }
}

/// The ids of the later times stay what they were: they follow the time that was planned first.
#[test]
fn a_range_of_this_and_future_changes_the_later_times_too() {
    let later = "RECURRENCE-ID;RANGE=THISANDFUTURE;TZID=Europe/Berlin:20260502T090000\n\
                 DTSTART;TZID=Europe/Berlin:20260502T110000\nDURATION:PT30M";
    let once = "RECURRENCE-ID;TZID=Europe/Berlin:20260503T090000\nDTSTART;TZID=Europe/Berlin:20260503T080000\nDURATION:PT15M";
    assert_eq!(
        series("RRULE:FREQ=DAILY;COUNT=4", &[later, once]),
        ["Talk a 01 09:00 60", "Changed 02 11:00 30", "Changed 03 08:00 15", "Changed 04 11:00 30"]
    );
    let master = event("a", "DTSTART:20260501T090000Z\nDURATION:PT1H\nRRULE:FREQ=DAILY;COUNT=4\n");
    let range = event(
        "a",
        "RECURRENCE-ID;RANGE=THISANDFUTURE:20260502T090000Z\nDTSTART:20260502T110000Z\nDURATION:PT1H\n",
    );
    let guids = |parts: &str| ids(calendar(parts).as_bytes());
    assert_eq!(guids(&master), guids(&(master.clone() + &range)));
}

#[test]
fn a_session_may_repeat_every_hour() {
    let hours: Vec<String> = series("RRULE:FREQ=HOURLY;INTERVAL=2;COUNT=3", &[]);
    assert_eq!(hours, ["Talk a 01 09:00 60", "Talk a 01 11:00 60", "Talk a 01 13:00 60"]);
    // A rule with an end has no note about a limit.
    let daily = event("a", "DTSTART:20260501T090000Z\nDURATION:PT1H\nRRULE:FREQ=DAILY;UNTIL=20260504\n");
    let adopted = read(&daily, None).unwrap();
    assert_eq!((adopted.sessions, notes_contain(&adopted, "1000")), (4, false));
}

/// One time of a series is moved, retitled, cancelled or left out: the others keep their ids.
#[test]
fn each_time_of_a_series_has_its_own_identity() {
    let master = "DTSTART;TZID=Europe/Berlin:20260501T090000\nDURATION:PT1H\nRRULE:FREQ=DAILY;COUNT=4\n";
    let all = ids(calendar(&event("a", master)).as_bytes());
    assert_eq!(all.len(), 4);
    let without = ids(
        calendar(&event("a", &format!("{master}EXDATE;TZID=Europe/Berlin:20260502T090000\n"))).as_bytes()
    );
    assert_eq!(without.len(), 3);
    assert!(without.iter().all(|(guid, id)| all.get(guid) == Some(id)));
    let moved = event(
        "a",
        "RECURRENCE-ID;TZID=Europe/Berlin:20260503T090000\nDTSTART;TZID=Europe/Berlin:20260504T150000\nDURATION:PT2H\n",
    );
    assert_eq!(ids(calendar(&(event("a", master) + &moved)).as_bytes()), all);
    let renamed = event("a", master).replace("Talk a", "Another title");
    assert_eq!(ids(calendar(&renamed).as_bytes()), all);
}
