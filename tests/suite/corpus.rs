//! The corpus of bad and odd CSV files: each is refused or accepted exactly as `fixtures/csv/expect.toml` says.
#![cfg(test)]

use callboard::fixtures;
use callboard::import::{Fault, Report, import};
use callboard::program::{Conference, Severity, Slug, Track};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// One file of the corpus.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    file: String,
    verdict: String,
    #[serde(default = "default_conference")]
    conference: String,
    /// `severity line column rule: part of the remedy`, with `-` for no column.
    #[serde(default)]
    faults: Vec<String>,
    /// The number of sessions of an accepted file.
    sessions: Option<usize>,
    /// `id start end` of the sessions whose instants are tested.
    #[serde(default)]
    slots: Vec<String>,
    /// `id: Role: Name, Affiliation | …` of the sessions whose speakers are tested.
    #[serde(default)]
    speakers: Vec<String>,
    /// `id: title` of the sessions whose title is tested.
    #[serde(default)]
    titles: Vec<String>,
    /// `id: track` of the sessions whose track is tested.
    #[serde(default)]
    tracks: Vec<String>,
}

fn default_conference() -> String {
    "los-angeles".to_owned()
}

#[derive(serde::Deserialize)]
struct Manifest {
    case: Vec<Case>,
}

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/csv")
}

fn conference(name: &str) -> Arc<Conference> {
    let (zone, dates) = match name {
        "los-angeles" => ("America/Los_Angeles", Some(("2025-03-24", "2025-03-27"))),
        "los-angeles-spring" => ("America/Los_Angeles", Some(("2025-03-08", "2025-03-10"))),
        "los-angeles-autumn" => ("America/Los_Angeles", Some(("2025-10-31", "2025-11-03"))),
        "two-months" => ("America/Los_Angeles", Some(("2025-03-01", "2025-04-30"))),
        "undated-berlin" => ("Europe/Berlin", None),
        "lord-howe-autumn" => ("Australia/Lord_Howe", Some(("2025-04-04", "2025-04-07"))),
        "lord-howe-spring" => ("Australia/Lord_Howe", Some(("2025-10-03", "2025-10-06"))),
        "apia" => ("Pacific/Apia", Some(("2011-12-28", "2012-01-02"))),
        "sao-paulo" => ("America/Sao_Paulo", Some(("2018-02-16", "2018-02-19"))),
        "dublin" => ("Europe/Dublin", Some(("2025-10-24", "2025-10-27"))),
        "kathmandu" => ("Asia/Kathmandu", Some(("2025-03-24", "2025-03-27"))),
        "utc" => ("UTC", Some(("2025-03-24", "2025-03-27"))),
        other => panic!("no conference {other}"),
    };
    let renamed = Track { was: vec![Slug::parse("main-track").unwrap()], ..fixtures::track("Track 1") };
    let tracks = ["Track 2", "Plenary", "Discussion Track"].map(fixtures::track);
    let fixture = fixtures::conference().zone(zone).tracks([renamed]).tracks(tracks);
    match dates {
        Some((first, last)) => fixture.dates(first, last).build(),
        None => fixture.build(),
    }
}

/// A fault in the form of the manifest, without the remedy.
fn printed(fault: &Fault) -> String {
    let column = fault.column.as_deref().unwrap_or("-");
    format!("{} {} {} {}", fault.severity.as_str(), fault.line, column, fault.rule)
}

/// The differences between a report and its case.
fn differences(case: &Case, report: &Report) -> Vec<String> {
    let mut wrong = Vec::new();
    let verdict = if report.program.is_some() { "accepted" } else { "refused" };
    if verdict != case.verdict {
        wrong.push(format!("is {verdict}, expected {}", case.verdict));
    }
    let mut found: Vec<&Fault> = report.faults.iter().collect();
    for expected in &case.faults {
        let (place, word) = expected.split_once(": ").expect("a fault ends in a part of the remedy");
        let fits = |fault: &&Fault| printed(fault) == place && fault.remedy.contains(word);
        match found.iter().position(fits) {
            Some(index) => drop(found.remove(index)),
            None => wrong.push(format!("lacks {expected:?}")),
        }
    }
    wrong.extend(
        found.iter().map(|fault| format!("has {:?} ({}; {})", printed(fault), fault.message, fault.remedy)),
    );
    let Some(program) = &report.program else { return wrong };
    let mut compare = |expected: &[String], printed: BTreeMap<String, String>| {
        for line in expected {
            let id = line.split([' ', ':']).next().unwrap();
            if printed.get(id) != Some(line) {
                wrong.push(format!("has {:?}, expected {line:?}", printed.get(id)));
            }
        }
    };
    let by_id = |print: &dyn Fn(&callboard::program::Session) -> String| {
        program.order().iter().map(|session| (session.id.to_string(), print(session))).collect()
    };
    let instant = |at: chrono::DateTime<chrono::Utc>| at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
    compare(&case.slots, by_id(&|s| format!("{} {} {}", s.id, instant(s.slot.start), instant(s.slot.end))));
    let people = |s: &callboard::program::Session| {
        s.speakers.iter().map(|speaker| speaker.line()).collect::<Vec<_>>().join(" | ")
    };
    compare(&case.speakers, by_id(&|s| format!("{}: {}", s.id, people(s))));
    compare(&case.titles, by_id(&|s| format!("{}: {}", s.id, s.title)));
    let track =
        |s: &callboard::program::Session| s.track.as_ref().map(ToString::to_string).unwrap_or_default();
    compare(&case.tracks, by_id(&|s| format!("{}: {}", s.id, track(s))));
    if case.sessions != Some(program.order().len()) {
        wrong.push(format!("has {} sessions, expected {:?}", program.order().len(), case.sessions));
    }
    wrong
}

fn cases() -> Vec<Case> {
    let manifest = std::fs::read_to_string(directory().join("expect.toml")).unwrap();
    toml::from_str::<Manifest>(&manifest).unwrap().case
}

#[test]
fn each_file_gets_the_verdict_and_faults_of_its_case() {
    let mut wrong = String::new();
    for case in cases() {
        let bytes = std::fs::read(directory().join(&case.file)).unwrap();
        let report = import(&bytes, &conference(&case.conference));
        for difference in differences(&case, &report) {
            wrong.push_str(&format!("{}: {difference}\n", case.file));
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

#[test]
fn the_corpus_has_150_distinct_faulty_files_and_a_case_for_each_file() {
    let named: BTreeSet<String> = cases().into_iter().map(|case| case.file).collect();
    let stored: BTreeSet<String> = std::fs::read_dir(directory())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(".csv"))
        .collect();
    assert_eq!(named, stored);
    let contents: BTreeSet<Vec<u8>> =
        stored.iter().map(|name| std::fs::read(directory().join(name)).unwrap()).collect();
    let odd = cases().iter().filter(|case| !case.faults.is_empty()).count();
    assert!(odd >= 150, "{odd} files with a fault");
    // Some files are stored twice, for two conferences.
    assert!(contents.len() + 12 >= stored.len() && contents.len() >= 150, "{}", contents.len());
}

#[test]
fn each_report_prints_as_text_and_as_json() {
    for case in cases() {
        let bytes = std::fs::read(directory().join(&case.file)).unwrap();
        let report = import(&bytes, &conference(&case.conference));
        let plain = report.render_human(&case.file, &bytes, false);
        assert!(plain.chars().all(|c| c == '\n' || !c.is_control()), "{}: {plain:?}", case.file);
        let painted = report.render_human(&case.file, &bytes, true);
        let stripped: String = painted
            .split('\x1b')
            .enumerate()
            .map(|(n, piece)| if n == 0 { piece } else { piece.split_once('m').unwrap().1 })
            .collect();
        assert_eq!(stripped, plain, "{}", case.file);
        for fault in &report.faults {
            assert!(plain.contains(fault.rule) && !fault.remedy.is_empty() && !fault.message.is_empty());
            assert!(fault.line > 0 || fault.column.is_none(), "{}: {fault:?}", case.file);
        }
        let json = report.to_json();
        assert_eq!(json["valid"], report.program.is_some());
        assert_eq!(json["faults"].as_array().unwrap().len(), report.faults.len());
        let errors = report.faults.iter().filter(|fault| fault.severity == Severity::Error).count();
        assert_eq!(json["errors"], errors);
        assert_eq!(report.program.is_none(), errors > 0);
    }
}

#[test]
fn the_report_marks_the_cell() {
    let bytes = b"id,date,start,end,kind,title\nkeynote,2025-03-25,9:00,9.45,plenary,Opening\n";
    let report = import(bytes, &conference("los-angeles"));
    let expected = "\
error[time]: \"9.45\" is not a time
 --> program.csv:2, column end
  |
2 | keynote,2025-03-25,9:00,9.45,plenary,Opening
  |                         ^^^^
  = help: write 09:45

program.csv: 1 error
";
    assert_eq!(report.render_human("program.csv", bytes, false), expected);
}

#[test]
fn warnings_of_one_kind_are_grouped_and_hints_for_columns_are_not() {
    let row = |n: usize| format!("aa-{n},2025-04-25,{:02}:00,{:02}:30,talk,A\n", n % 24, n % 24);
    let rows: String = (0..40).map(row).collect();
    let report = |text: &str| {
        let bytes = text.as_bytes();
        import(bytes, &conference("los-angeles")).render_human("program.csv", bytes, false)
    };
    let text = report(&format!("id,date,start,end,kind,title\n{rows}"));
    assert_eq!(text.matches("outside-dates").count(), 6, "{text}");
    assert!(text.contains("also on lines 7, 8, 9, ") && text.contains(" …"), "{text}");
    assert!(text.contains("warning[outside-dates]: 40 in all"), "{text}");
    // A few warnings of one kind after very many of another are shown too.
    let rows: String = (0..1228).map(row).collect();
    let text =
        report(&format!("id,date,start,end,kind,title\n{rows}long,2025-03-25,01:00,02:00,talk,T\u{feff}\n"));
    assert!(text.contains("warning[outside-dates]: 1228 in all, also on lines "), "{text}");
    assert!(text.lines().count() < 60 && text.contains("1230, column title"), "{text}");
    let text = report("id,date,start,end,kind,title,a,b,c,d,e,f,g\n");
    assert_eq!(text.matches("warning[unknown-column]").count(), 7, "{text}");
}

#[test]
fn the_mark_is_under_the_cell_in_every_script() {
    for title in ["会議", "e\u{301}", "👩‍🚀 Räume"] {
        let bytes = format!("title,id,date,start,end,kind\n{title},aa,2025-03-25,9:00,9.45,talk\n");
        let text =
            import(bytes.as_bytes(), &conference("los-angeles")).render_human("x", bytes.as_bytes(), false);
        let mut lines = text.lines().skip(3);
        let (line, mark) = (lines.next().unwrap(), lines.next().unwrap());
        let width = unicode_width::UnicodeWidthStr::width;
        assert_eq!(width(line.split("9.45").next().unwrap()), mark.find('^').unwrap(), "{text}");
    }
}

#[test]
fn the_sample_program_has_no_fault() {
    let bytes = std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("program.csv")).unwrap();
    let report = import(&bytes, &conference("los-angeles"));
    assert_eq!(report.faults, []);
    let program = report.program.unwrap();
    assert_eq!(program.order().len(), 64);
    let first = program.order().iter().find(|session| session.track.is_some()).unwrap();
    assert_eq!(first.slot.start.to_rfc3339(), "2025-03-25T16:00:00+00:00");
    assert_eq!(program.tracks.len(), 4);
}
