//! `callboard lint`: what in a feed would break in which calendar client.

use super::check::Format;
use super::exit::{Exit, Failure};
use crate::doctor::{lint, render, to_json};
use crate::program::Severity;
use std::io::{IsTerminal, Read, Write};
use std::path::Path;

pub(super) fn examine(file: &Path, format: Format) -> Result<Exit, Failure> {
    let mut bytes = Vec::new();
    let read = if file == Path::new("-") {
        std::io::stdin().lock().read_to_end(&mut bytes).map(drop)
    } else {
        std::fs::read(file).map(|read| bytes = read)
    };
    read.map_err(|error| {
        Failure::text(Exit::BadProgram, format!("{} cannot be read: {error}", file.display()))
    })?;
    let findings = lint(&bytes);
    let mut out = std::io::stdout().lock();
    let written = match format {
        Format::Human => {
            let colour = out.is_terminal() && std::env::var_os("NO_COLOR").is_none();
            write!(out, "{}", render(&file.display().to_string(), &findings, colour))
        }
        Format::Json => writeln!(out, "{:#}", to_json(&findings)),
    };
    written.map_err(|error| Failure::new(Exit::Failed, &error))?;
    let breaks = findings.iter().any(|finding| finding.severity == Severity::Error);
    Ok(if breaks { Exit::BadProgram } else { Exit::Done })
}
