//! Any bytes as `program.csv`: the report follows its rules, and an imported program survives every export.

use super::grown;
use callboard::doctor;
use callboard::export::schedule_csv;
use callboard::fixtures::{PUBLISHED, at};
use callboard::import::{import, truncation, without_formulas};
use callboard::program::{Conference, Program, Session, Status};
use callboard::release::Release;
use callboard::revision::Ledger;
use std::sync::{Arc, LazyLock};

static CONFERENCE: LazyLock<Arc<Conference>> = LazyLock::new(|| Arc::new(grown::conference()));

pub(super) fn run(bytes: &[u8]) {
    let conference = &*CONFERENCE;
    let report = import(bytes, conference);
    assert_eq!(report.program.is_none(), report.errors().next().is_some());
    // A CR or LF ends a line in every encoding that import reads.
    let lines = bytes.iter().filter(|byte| matches!(byte, b'\n' | b'\r')).count() as u64 + 1;
    for fault in &report.faults {
        assert!(!fault.remedy.trim().is_empty() && !fault.message.is_empty(), "{fault:?}");
        assert!(fault.line <= lines && (fault.line > 0 || fault.column.is_none()), "{fault:?}");
    }
    let page = report.render_human("x\u{1b}.csv", bytes, false);
    assert!(page.chars().all(|c| c == '\n' || !c.is_control()), "{page:?}");
    let safe = without_formulas(bytes.to_vec());
    assert_eq!(import(&safe, conference).program, report.program, "of {:?}", String::from_utf8_lossy(&safe));
    assert_eq!(truncation(bytes, bytes), None);
    let Some(program) = report.program else { return };
    let release = Release::prepare(program, &Ledger::empty(&conference.uid_domain), at(PUBLISHED)).release;
    doctor::inspect(&release, None).unwrap();
    if listed(&release.program).is_empty() {
        return; // A file without a session is refused, even an export.
    }
    let written = schedule_csv(&release).bytes;
    let again = import(&written, conference);
    let errors: Vec<_> = again.errors().collect();
    assert!(errors.is_empty(), "{errors:?} in\n{}", String::from_utf8_lossy(&written));
    assert_eq!(listed(&again.program.unwrap()), listed(&release.program), "in schedule.csv");
}

/// The sessions that the exported file lists.
fn listed(program: &Program) -> Vec<Session> {
    let sessions = program.order().iter().filter(|session| session.status != Status::Withdrawn);
    sessions.map(|session| Session::clone(session)).collect()
}
