//! Laws of import: no bytes make it panic, every fault has a remedy, instants survive, and the time is linear.

use callboard::fixtures;
use callboard::import::{MAX_FILE, MAX_SESSIONS, Report, import, without_formulas};
use callboard::program::Conference;
use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;
use std::sync::Arc;

const SAMPLE: &[u8] = include_bytes!("../../program.csv");

fn conference(zone: &str) -> Arc<Conference> {
    let tracks = ["Plenary", "Track 1", "Track 2", "Discussion Track"].map(fixtures::track);
    fixtures::conference().zone(zone).dates("2025-03-24", "2025-03-27").tracks(tracks).build()
}

fn los_angeles() -> Arc<Conference> {
    conference("America/Los_Angeles")
}

/// Checks the rules that every report follows.
fn check_report(report: &Report, bytes: &[u8]) {
    assert_eq!(report.program.is_none(), report.errors().next().is_some());
    // A CR or LF ends a line in every encoding that import reads.
    let lines = bytes.iter().filter(|byte| matches!(byte, b'\n' | b'\r')).count() as u64 + 1;
    for fault in &report.faults {
        assert!(!fault.remedy.trim().is_empty() && !fault.message.is_empty(), "{fault:?}");
        assert!(fault.line <= lines && (fault.line > 0 || fault.column.is_none()), "{fault:?}");
        let text = [&fault.text, &fault.message, &fault.remedy];
        assert!(text.iter().all(|text| !text.contains('\u{1b}')), "{fault:?}");
    }
    let text = report.render_human("x.csv", bytes, false);
    assert!(text.chars().all(|c| c == '\n' || !c.is_control()));
}

proptest! {
    #[test]
    fn no_bytes_make_import_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        check_report(&import(&bytes, &los_angeles()), &bytes);
    }

    #[test]
    fn no_csv_text_makes_import_panic(text in "(id,date,start,end,kind,title|id;title)\r?\n[a-c,;\"\r\n\t0-9:/ é-]{0,120}") {
        check_report(&import(text.as_bytes(), &los_angeles()), text.as_bytes());
    }

    #[test]
    fn no_change_of_the_sample_makes_import_panic(
        changes in proptest::collection::vec((0..SAMPLE.len(), any::<u8>(), 0_usize..3), 1..12),
        broken in "[\",;\r\n\u{0}]{0,3}",
    ) {
        let mut bytes = SAMPLE.to_vec();
        for (at, byte, kind) in changes {
            match kind {
                0 => bytes[at % SAMPLE.len()] = byte,
                1 => bytes.insert(at, byte),
                _ => drop(bytes.splice(at..at, broken.bytes())),
            }
        }
        check_report(&import(&bytes, &los_angeles()), &bytes);
    }

    #[test]
    fn a_file_without_formulas_holds_the_same_program(
        titles in proptest::collection::vec("['=+@\t-]{0,3}[a-z=+,;\"\n]{1,8}", 1..5),
        rooms in proptest::collection::vec("['=+@-]{0,2}[a-z]{1,4}", 5),
    ) {
        let mut file = "id,date,\tstart,end,kind,title,room,\"\rabstract\"\n".to_owned();
        let cell = |text: &str| format!("\"{}\"", text.replace('"', "\"\""));
        for (n, (text, room)) in titles.iter().zip(&rooms).enumerate() {
            let (title, room, text) = (cell(&text.replace('\n', "")), cell(room), cell(text));
            file.push_str(&format!("s-{n},2025-03-25,09:00,10:00,talk,{title},{room},{text}\n"));
        }
        let safe = without_formulas(file.clone().into_bytes());
        let conference = los_angeles();
        prop_assert_eq!(import(&safe, &conference).program, import(file.as_bytes(), &conference).program);
    }

    #[test]
    fn a_civil_time_with_its_abbreviation_names_one_instant(
        zone in prop::sample::select(vec![
            "America/Los_Angeles", "Europe/Berlin", "Europe/Dublin", "Australia/Lord_Howe", "America/Sao_Paulo",
            "Africa/Casablanca", "Asia/Kathmandu", "America/St_Johns", "Pacific/Chatham", "America/Nuuk", "UTC",
        ]),
        minute in 0_i64..4 * 365 * 24 * 60,
        length in 1_i64..20 * 60,
    ) {
        let conference = conference(zone);
        let start: DateTime<Utc> = "2023-01-01T00:00:00Z".parse::<DateTime<Utc>>().unwrap() + TimeDelta::minutes(minute);
        let end = start + TimeDelta::minutes(length);
        let printed = |at: DateTime<Utc>| {
            let civil = conference.zone.civil(at);
            (civil.date(), format!("{} {}", civil.format("%H:%M"), conference.zone.abbreviation(at)))
        };
        let ((date, from), (end_date, to)) = (printed(start), printed(end));
        let csv = format!("id,date,start,end,end_date,kind,title\nab,{date},{from},{to},{end_date},talk,T\n");
        let report = import(csv.as_bytes(), &conference);
        let errors: Vec<_> = report.errors().collect();
        prop_assert!(errors.is_empty(), "{csv}{errors:?}");
        let program = report.program.unwrap();
        let slot = &program.order()[0].slot;
        prop_assert_eq!((slot.start, slot.end), (start, end), "{}", csv);
    }
}

#[test]
fn a_file_over_the_limit_is_refused_unread() {
    let report = import(&vec![b','; MAX_FILE + 1], &los_angeles());
    assert_eq!(report.faults.iter().map(|fault| fault.rule).collect::<Vec<_>>(), ["file-too-large"]);
}

fn rows(count: usize, row: impl Fn(usize) -> String) -> Vec<u8> {
    let mut csv = "id,date,start,end,kind,title,track,room,speakers\n".to_owned();
    (0..count).for_each(|n| csv.push_str(&row(n)));
    csv.into_bytes()
}

#[test]
fn fifty_thousand_sessions_are_read_and_one_more_is_refused() {
    let row = |n: usize| format!("s-{n},2025-03-25,09:00,09:45,talk,Talk {n},,,Jane {n}\n");
    let full = rows(MAX_SESSIONS, row);
    let report = import(&full, &los_angeles());
    assert_eq!((report.faults.len(), report.program.unwrap().order().len()), (0, 50_000));
    let report = import(&rows(MAX_SESSIONS + 1, row), &los_angeles());
    let errors: Vec<_> = report.errors().map(|fault| (fault.rule, fault.line)).collect();
    assert_eq!(errors, [("too-many-sessions", 50_002)]);
}

/// Processor time of this thread, which does not depend on other processes.
fn cpu_seconds() -> i64 {
    rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime).tv_sec
}

#[test]
fn no_shape_of_a_file_takes_quadratic_time() {
    let shapes: [(&str, Vec<u8>); 7] = [
        (
            "all in one room",
            rows(40_000, |n| format!("s-{n},2025-03-25,09:00,09:45,talk,T,Track 1,Hall,Jane\n")),
        ),
        ("one id", rows(40_000, |_| "same,2025-03-25,09:00,09:45,talk,T,,,\n".to_owned())),
        ("a track each", rows(40_000, |n| format!("s-{n},2025-03-25,09:00,09:45,talk,T,Track x{n},,\n"))),
        ("a quote each", rows(40_000, |n| format!("s-{n},\"2025-03-25,09:00,\n"))),
        ("doubled quotes", rows(40_000, |_| "\"\",\"\"\"\n".to_owned())),
        (
            "an opening in front",
            rows(40_000, |n| if n == 0 { "\"\n".to_owned() } else { "\"\",a\n".to_owned() }),
        ),
        (
            "openings of tokens",
            rows(1, |_| format!("s-1,2025-03-25,09:00,09:45,talk,{},,,\n", "[a:{{${&".repeat(100))),
        ),
    ];
    for (shape, bytes) in shapes {
        let started = cpu_seconds();
        check_report(&import(&bytes, &los_angeles()), &bytes);
        // Linear work takes some seconds at most even unoptimised; quadratic work takes minutes.
        let taken = cpu_seconds() - started;
        assert!(taken < 20, "{shape}: {taken} s");
    }
}

/// The reference page of the program file.
const REFERENCE: &str = include_str!("../../docs/reference/csv.md");

#[test]
fn the_reference_shows_a_real_report() {
    let block =
        |kind: &str| REFERENCE.split(&format!("```{kind}\n")).nth(1).unwrap().split("```").next().unwrap();
    let csv = block("csv").replace("slow-queries,2025-03-25", "slow-queries,25 March");
    let report = import(csv.as_bytes(), &los_angeles());
    let errors = Report { program: None, faults: report.errors().cloned().collect() };
    assert_eq!(errors.render_human("program.csv", csv.as_bytes(), false), block("text"));
    let line = errors.errors().next().unwrap().to_string();
    assert!(REFERENCE.contains(&format!("*{line}*")), "{line}");
}
