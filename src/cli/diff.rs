//! `callboard diff`: what a file would change, against another file.

use super::check::{Format, program_file};
use super::exit::{Exit, Failure};
use super::settings::Settings;
use crate::import::import;
use crate::program::{Conference, Program, diff};
use crate::publisher::{describe, shown};
use std::io::{IsTerminal, Write};
use std::path::Path;
use std::sync::Arc;

pub(super) fn compare(old: &Path, new: &Path, format: Format, settings: &Settings) -> Result<Exit, Failure> {
    let config = settings.config()?;
    let conference = Arc::new(config.conference(config.listen));
    let changes = diff(&program(old, &conference)?, &program(new, &conference)?);
    let changes = shown(&changes, conference.zone);
    let mut out = std::io::stdout().lock();
    let colour = out.is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let written = match format {
        Format::Human => write!(out, "{}", describe(&changes, colour)),
        Format::Json => writeln!(out, "{:#}", serde_json::json!({ "changes": changes })),
    };
    written.map_err(|error| Failure::new(Exit::Failed, &error))?;
    Ok(Exit::Done)
}

fn program(path: &Path, conference: &Arc<Conference>) -> Result<Program, Failure> {
    let csv = program_file(path)?;
    let report = import(&csv, conference);
    let refused = || report.render_human(&path.display().to_string(), &csv, false);
    report.program.clone().ok_or_else(|| Failure::text(Exit::BadProgram, refused()))
}
