//! Exports of the shipped program, and the doctor's findings in all feeds.

use crate::sample::shipped;
use callboard::doctor::{CalendarClient, inspect, lint, visible_sessions};
use callboard::export::{Cells, FrabSchedule, jcal, schedule_csv, schedule_json, schedule_xml, write_table};
use callboard::fixtures::{self, PUBLISHED, at};
use callboard::import::import;
use callboard::program::diff;
use callboard::release::Release;
use callboard::revision::Ledger;
use proptest::prelude::*;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn the_published_csv_imports_without_a_change() {
    let release = shipped();
    let exported = schedule_csv(&release);
    let report = import(&exported.bytes, &release.program.conference);
    assert_eq!(report.faults, []);
    let again = report.program.unwrap();
    assert_eq!(diff(&release.program, &again), []);
    assert!(!Release::prepare(again, &release.ledger, at("2025-02-02T00:00:00Z")).is_new);
}

/// Writes the files that `tests/clients/test_schedules.py` validates against the published schemas.
#[test]
fn both_schedules_have_every_session() {
    let release = shipped();
    let (xml, json) = (schedule_xml(&release), schedule_json(&release));
    let guids: BTreeSet<String> = FrabSchedule::of(&release)
        .days
        .iter()
        .flat_map(|day| day.rooms.iter().flat_map(|(_, items)| items))
        .map(|item| item.guid.to_string())
        .collect();
    assert_eq!(guids.len(), release.ledger.entries.len());
    assert_eq!(lint(&xml.bytes), []);
    assert_eq!(
        visible_sessions(CalendarClient::Fahrplan, &xml.bytes).into_iter().collect::<BTreeSet<_>>(),
        guids
    );
    let text = String::from_utf8(json.bytes.to_vec()).unwrap();
    assert!(guids.iter().all(|guid| text.contains(guid.as_str())));
    let folder = written("schedules");
    std::fs::write(folder.join("schedule.xml"), xml.bytes).unwrap();
    std::fs::write(folder.join("schedule.json"), json.bytes).unwrap();
    let details = crate::details::release();
    std::fs::write(folder.join("details.xml"), schedule_xml(&details).bytes).unwrap();
    std::fs::write(folder.join("details.json"), schedule_json(&details).bytes).unwrap();
}

/// The folder whose files `tests/clients/jcal.test.js` compares with conversions by ical.js.
fn jcals() -> PathBuf {
    written("jcal")
}

fn written(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// A cell that is a formula to a spreadsheet, in each column of free text.
#[test]
fn formulas_are_defused_and_import_unchanged() {
    let conference = fixtures::conference().zone("Europe/Berlin").build();
    for text in
        ["=1+1", "+49 30", "-- dashes", "@home", "'=quoted", "''+twice", "'plain", "=HYPERLINK(\"x\",\"y\")"]
    {
        let [id, day, start, end, kind] =
            ["an-id", "2025-06-12", "09:00", "10:00", "talk"].map(str::to_owned);
        let empty = String::new;
        let cells: Cells = [
            id,
            day,
            start,
            end,
            empty(),
            kind,
            text.to_owned(),
            text.to_owned(),
            text.to_owned(),
            text.to_owned(),
            text.to_owned(),
            text.to_owned(),
            text.to_owned(),
            empty(),
            empty(),
            empty(),
            text.replace([';', '\n'], ","),
            empty(),
            empty(),
            empty(),
            text.to_owned(),
            empty(),
        ];
        let csv = write_table(vec![cells]);
        let mut reader = csv::Reader::from_reader(csv.as_slice());
        let record = reader.records().next().unwrap().unwrap();
        assert!(record.iter().all(|cell| !cell.starts_with(['=', '+', '-', '@'])), "{record:?}");
        let report = import(&csv, &conference);
        let session = &report.program.unwrap_or_else(|| panic!("{:?}", report.faults)).order()[0].clone();
        let texts = [&session.title, session.block.as_ref().unwrap(), session.slot.room.as_ref().unwrap()];
        assert!(texts.iter().all(|found| found.as_str() == text), "{session:?}");
        assert_eq!(session.abstract_text.as_str(), text);
        assert_eq!(session.guid.as_ref().unwrap().as_str(), text);
    }
}

proptest! {
    /// The export of any imported program imports again without a change.
    #[test]
    fn any_imported_program_survives_an_export(
        texts in proptest::collection::vec("['=+@-]{0,2}[\\PC\n\t,;:\"'#&<-]{0,30}", 8),
        start in "0[0-3]:[0-5][0-9]( PST| PDT)?|1[0-9]:00",
        day in "2025-11-0[12]|2025-03-08|2025-06-12",
        kind in "talk|break|social",
        status in "|confirmed|tentative|cancelled",
        people in "[A-Z][a-z]{1,6}( [A-Z][a-z]{1,6})?(, [A-Z, a-z.]{1,12})?(\n(Chair: )?[A-Z][a-z]{2,9})?",
        language in "|de|pt-BR",
        recording in "|yes|no",
        bios in "|About one|--\nSecond|=One\n--\nTwo",
    ) {
        let conference = fixtures::conference().tracks([fixtures::track("One")]).build();
        let [title, track, block, room, abstract_text, label, guid, tags] = texts.try_into().unwrap();
        let next = if day == "2025-11-01" { "2025-11-02" } else { "2025-11-03" };
        let cells: Cells = [
            "an-id".to_owned(), day, start, "23:00".to_owned(), next.to_owned(), kind, title, track, block, room,
            people, abstract_text, bios, "https://example.org/x?a=b&c".to_owned(),
            format!("{} https://example.org/s", label.replace(['\n', '\t'], " ")),
            language, tags, "https://example.org/a.png".to_owned(), String::new(), recording, guid, status,
        ];
        let first = import(&write_table(vec![cells]), &conference);
        if let Some(program) = first.program {
            let ledger = Ledger::empty(&conference.uid_domain);
            let release = Release::prepare(program, &ledger, at(PUBLISHED)).release;
            let again = import(&schedule_csv(&release).bytes, &conference);
            let errors: Vec<_> = again.errors().collect();
            prop_assert!(errors.is_empty(), "{:?}", errors);
            prop_assert_eq!(diff(&release.program, &again.program.unwrap()), vec![]);
        }
    }
}

#[test]
fn the_doctor_finds_nothing_in_our_feeds() {
    let release = shipped();
    assert_eq!(inspect(&release, None), Ok(Vec::new()));
    for (key, feed) in release.feeds.feeds() {
        assert_eq!(lint(&feed.identity), [], "{key}");
        assert!(jcal(&feed.identity).is_ok(), "{key}");
    }
}

#[test]
fn the_doctor_finds_nothing_in_golden_feeds() {
    let mut count = 0;
    for entry in std::fs::read_dir(root().join("tests/golden")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "ics") {
            let bytes = std::fs::read(&path).unwrap();
            assert_eq!(lint(&bytes), [], "{}", path.display());
            let name = path.file_stem().unwrap();
            std::fs::write(jcals().join(name).with_extension("json"), jcal(&bytes).unwrap()).unwrap();
            count += 1;
        }
    }
    assert!(count > 10);
}

/// Each file of the corpus has one planted fault; `expected.tsv` names its client, rule and line.
#[test]
fn the_doctor_finds_every_planted_fault() {
    let folder = root().join("tests/fixtures/doctor");
    let table = std::fs::read_to_string(folder.join("expected.tsv")).unwrap();
    let mut missed = Vec::new();
    let mut files = 0;
    for line in table.lines().skip(1) {
        let [file, client, rule, at, also] = line.split('\t').collect::<Vec<_>>().try_into().unwrap();
        let findings = lint(&std::fs::read(folder.join(file)).unwrap());
        let hit = findings.iter().any(|finding| {
            finding.client.as_str() == client && finding.rule == rule && finding.line.to_string() == at
        });
        let allowed: Vec<&str> = also.split(' ').chain([rule]).collect();
        let stray: Vec<_> = findings.iter().filter(|finding| !allowed.contains(&finding.rule)).collect();
        if !hit || !stray.is_empty() {
            missed.push(format!("{file}: expected {client} {rule} {at}, found {findings:#?}"));
        }
        files += 1;
    }
    assert!(missed.is_empty(), "{}", missed.join("\n"));
    assert!(files >= 60, "{files}");
    assert_eq!(lint(&std::fs::read(folder.join("sound.ics")).unwrap()), []);
    assert_eq!(lint(&std::fs::read(folder.join("sound.xml")).unwrap()), []);
}
