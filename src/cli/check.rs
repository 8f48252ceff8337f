//! `callboard check`: the import's report, for people or for programs.

use super::exit::{Exit, Failure};
use super::settings::Settings;
use crate::import::ProgramFile;
use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Format {
    /// Text, in colour on a terminal.
    Human,
    /// One JSON object.
    Json,
}

/// Reads a program file for a command; one that is too large fails with its report.
pub(super) fn program_file(path: &Path) -> Result<Vec<u8>, Failure> {
    let unreadable =
        |error| Failure::text(Exit::BadProgram, format!("{} cannot be read: {error}", path.display()));
    match ProgramFile::read(path).map_err(unreadable)? {
        ProgramFile::Whole(csv) => Ok(csv),
        ProgramFile::TooLarge(report) => {
            let text = report.render_human(&path.display().to_string(), b"", false);
            Err(Failure::text(Exit::BadProgram, text))
        }
    }
}

pub(super) fn check(file: Option<PathBuf>, format: Format, settings: Settings) -> Result<Exit, Failure> {
    let config = settings.config()?;
    let path = file.unwrap_or_else(|| config.program.clone());
    let contents = ProgramFile::read(&path).map_err(|error| {
        Failure::text(Exit::BadProgram, format!("{} cannot be read: {error}", path.display()))
    })?;
    let report = contents.import(&Arc::new(config.conference(config.listen)));
    let csv = match contents {
        ProgramFile::Whole(csv) => csv,
        ProgramFile::TooLarge(_) => Vec::new(),
    };
    let mut out = std::io::stdout().lock();
    let written = match format {
        Format::Human => {
            let colour = out.is_terminal() && std::env::var_os("NO_COLOR").is_none();
            write!(out, "{}", report.render_human(&path.display().to_string(), &csv, colour))
        }
        Format::Json => writeln!(out, "{:#}", report.to_json()),
    };
    written.map_err(|error| Failure::new(Exit::Failed, &error))?;
    Ok(if report.program.is_some() { Exit::Done } else { Exit::BadProgram })
}
