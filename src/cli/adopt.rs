//! `callboard import`: a foreign program as `program.csv`, and what did not map.

use super::exit::{Exit, Failure};
use crate::adopt::adopt;
use crate::program::Zone;
use std::io::Write;
use std::path::Path;

pub(super) fn take_in(file: &Path, zone: Option<&str>) -> Result<Exit, Failure> {
    let bytes = std::fs::read(file).map_err(|error| {
        Failure::text(Exit::BadProgram, format!("{} cannot be read: {error}", file.display()))
    })?;
    let zone = zone.map(Zone::parse).transpose().map_err(|error| Failure::new(Exit::Usage, &error))?;
    let adopted = adopt(&bytes, zone).map_err(|error| Failure::new(Exit::BadProgram, &error))?;
    // The file goes to standard output, so that what a person reads goes beside it.
    let _ = write!(std::io::stderr().lock(), "{}", adopted.render());
    let written = std::io::stdout().lock().write_all(&adopted.csv);
    written.map_err(|error| Failure::new(Exit::Failed, &error))?;
    Ok(Exit::Done)
}
