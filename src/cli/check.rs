//! `callboard check`, `diff` and `lint`: read a file and print a report, without a server.

use super::exit::{Exit, Failure};
use super::settings::Settings;
use crate::doctor::{lint as lint_feed, render, to_json};
use crate::import::{ProgramFile, import as import_program};
use crate::program::{Conference, Program, Severity, diff as diff_programs};
use crate::publisher::{changes_as_text, describe_changes};
use std::io::{IsTerminal, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum ReportFormat {
    /// Text, in colour on a terminal.
    Human,
    /// One JSON object.
    Json,
}

impl ReportFormat {
    /// Prints a report in this format.
    fn print(
        self,
        human: impl FnOnce(bool) -> String,
        json: impl FnOnce() -> serde_json::Value,
    ) -> Result<(), Failure> {
        let mut out = std::io::stdout().lock();
        let written = match self {
            Self::Human => {
                let colour = out.is_terminal() && std::env::var_os("NO_COLOR").is_none();
                write!(out, "{}", human(colour))
            }
            Self::Json => writeln!(out, "{:#}", json()),
        };
        written.map_err(|error| Failure::new(Exit::Failed, &error))
    }
}

fn unreadable(path: &Path, error: &std::io::Error) -> Failure {
    Failure::text(Exit::BadProgram, format!("{} cannot be read: {error}", path.display()))
}

/// Reads a program file for another command. A file that is too large fails with its report.
pub(super) fn program_file(path: &Path) -> Result<Vec<u8>, Failure> {
    match ProgramFile::read(path).map_err(|error| unreadable(path, &error))? {
        ProgramFile::Whole(csv) => Ok(csv),
        ProgramFile::TooLarge(report) => {
            let text = report.render_human(&path.display().to_string(), b"", false);
            Err(Failure::text(Exit::BadProgram, text))
        }
    }
}

/// `callboard check`: prints the import's report.
pub(super) fn check(
    file: Option<PathBuf>,
    format: ReportFormat,
    settings: Settings,
) -> Result<Exit, Failure> {
    let config = settings.config()?;
    let path = file.unwrap_or_else(|| config.program.clone());
    let contents = ProgramFile::read(&path).map_err(|error| unreadable(&path, &error))?;
    let report = contents.import(&Arc::new(config.conference(config.listen)));
    let csv = match contents {
        ProgramFile::Whole(csv) => csv,
        ProgramFile::TooLarge(_) => Vec::new(),
    };
    let name = path.display().to_string();
    format.print(|colour| report.render_human(&name, &csv, colour), || report.to_json())?;
    Ok(if report.program.is_some() { Exit::Done } else { Exit::BadProgram })
}

/// `callboard diff OLD NEW`: prints the changes between two files.
pub(super) fn diff(
    old: &Path,
    new: &Path,
    format: ReportFormat,
    settings: &Settings,
) -> Result<Exit, Failure> {
    let config = settings.config()?;
    let conference = Arc::new(config.conference(config.listen));
    let changes = diff_programs(&program(old, &conference)?, &program(new, &conference)?);
    let changes = describe_changes(&changes, conference.zone);
    format.print(|colour| changes_as_text(&changes, colour), || serde_json::json!({ "changes": changes }))?;
    Ok(Exit::Done)
}

fn program(path: &Path, conference: &Arc<Conference>) -> Result<Program, Failure> {
    let csv = program_file(path)?;
    let report = import_program(&csv, conference);
    let refused = || report.render_human(&path.display().to_string(), &csv, false);
    report.program.clone().ok_or_else(|| Failure::text(Exit::BadProgram, refused()))
}

/// The bytes of a file, or of standard input for `-`.
pub(super) fn read_file_or_input(file: &Path) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    let read = if file == Path::new("-") {
        std::io::stdin().lock().read_to_end(&mut bytes).map(drop)
    } else {
        std::fs::read(file).map(|read| bytes = read)
    };
    read.map_err(|error| unreadable(file, &error))?;
    Ok(bytes)
}

/// `callboard lint`: prints the parts of a feed that break calendar clients.
pub(super) fn lint(file: &Path, format: ReportFormat) -> Result<Exit, Failure> {
    let bytes = read_file_or_input(file)?;
    let findings = lint_feed(&bytes);
    let name = file.display().to_string();
    format.print(|colour| render(&name, &findings, colour), || to_json(&findings))?;
    let breaks = findings.iter().any(|finding| finding.severity == Severity::Error);
    Ok(if breaks { Exit::BadProgram } else { Exit::Done })
}
