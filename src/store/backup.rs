//! A backup: a checkpoint in a file of the operator's.

use super::checkpoint::{self, LoadError};
use std::io::BufRead;
use std::path::{Path, PathBuf};

/// What a whole backup holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backup {
    /// The conference that it is of.
    pub conference: String,
    /// How many records.
    pub records: u64,
    /// The state that it is of: the last record of the journal in it.
    pub sequence: u64,
}

/// Why a file is no backup that can be restored.
#[derive(Debug, thiserror::Error)]
#[error("{} is no whole backup: {cause}", file.display())]
pub struct BackupError {
    /// The file.
    pub file: PathBuf,
    /// What is wrong with it.
    pub cause: String,
}

/// Reads a backup to its end: the count and the SHA-256 there must be those of what comes before.
pub fn verify_backup(file: &Path) -> Result<Backup, BackupError> {
    backup(checkpoint::verify(file), file)
}

/// [`verify_backup`] of what a reader gives; `name` is what an error calls it.
pub fn verify_backup_from(reader: &mut dyn BufRead, name: &Path) -> Result<Backup, BackupError> {
    backup(checkpoint::verify_from(reader), name)
}

fn backup(read: Result<checkpoint::Summary, LoadError>, file: &Path) -> Result<Backup, BackupError> {
    let failed = |error: LoadError| BackupError { file: file.to_owned(), cause: error.to_string() };
    let checkpoint::Summary { conference, records, sequence } = read.map_err(failed)?;
    Ok(Backup { conference, records, sequence })
}
