//! Whose the data directory is: one process's at a time, and the same directory for as long as that runs.

use super::OpenError;
use super::engine::EngineError;
use std::fs::{File, Metadata, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

const NAME: &str = "lock";

/// How long a lock may outlive its holder: a process that is being forked holds it until its exec.
const LOCK_PATIENCE: Duration = Duration::from_millis(500);

/// Takes the directory for this process.
pub(super) fn lock_directory(dir: &Path) -> Result<File, OpenError> {
    let unusable = |cause| OpenError::Directory { dir: dir.to_owned(), cause };
    let lock = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(dir.join(NAME));
    let lock = lock.map_err(unusable)?;
    let started = Instant::now();
    loop {
        match lock.try_lock() {
            Ok(()) => return Ok(lock),
            Err(TryLockError::WouldBlock) if started.elapsed() < LOCK_PATIENCE => {
                std::thread::sleep(Duration::from_millis(5));
            }
            Err(TryLockError::WouldBlock) => return Err(OpenError::Locked { dir: dir.to_owned() }),
            Err(TryLockError::Error(cause)) => return Err(unusable(cause)),
        }
    }
}

/// The directory that was locked, to be told from another in its place.
///
/// Files that are open outlive their names. In a directory that was removed, or moved away and made anew, picks
/// would be acknowledged that no start finds, and what is opened by its name would be another store's.
#[derive(Debug)]
pub(super) struct Held {
    lock: PathBuf,
    file: (u64, u64),
}

impl Held {
    pub(super) fn of(dir: &Path, lock: &File) -> io::Result<Self> {
        Ok(Self { lock: dir.join(NAME), file: identity(&lock.metadata()?) })
    }

    /// Fails while another lock, or none, is where ours was.
    pub(super) fn check(&self) -> Result<(), EngineError> {
        let cause = match std::fs::metadata(&self.lock) {
            Ok(found) if identity(&found) == self.file => return Ok(()),
            Ok(_) => "it is another".to_owned(),
            Err(error) => error.to_string(),
        };
        Err(EngineError::Failed(format!(
            "the data directory is not the one that was opened: {} ({cause}); put it back, or restart the server",
            self.lock.display()
        )))
    }
}

/// An inode's number is not given to another file while it is open.
fn identity(file: &Metadata) -> (u64, u64) {
    (file.dev(), file.ino())
}
