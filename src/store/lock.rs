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

/// A file that is open, to be told from another under its name.
///
/// Open files outlive their names. In a directory that was removed, or moved away and made anew, picks would be
/// acknowledged that no start finds, and what is opened by its name would be another store's. An inode's number is
/// given to no other file while this one is open, so whoever made this keeps the file open as long as it checks.
#[derive(Debug)]
pub(super) struct Held {
    path: PathBuf,
    inode: (u64, u64),
}

impl Held {
    pub(super) fn of(path: &Path, file: &File) -> io::Result<Self> {
        Ok(Self { path: path.to_owned(), inode: inode(&file.metadata()?) })
    }

    /// The lock of a directory.
    pub(super) fn lock(dir: &Path, lock: &File) -> io::Result<Self> {
        Self::of(&dir.join(NAME), lock)
    }

    /// Fails while another file has the name, or none.
    pub(super) fn check(&self) -> Result<(), EngineError> {
        let cause = match std::fs::metadata(&self.path) {
            Ok(found) if inode(&found) == self.inode => return Ok(()),
            Ok(_) => {
                "is another than the one that was opened; put that back, or restart the server".to_owned()
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                "is gone; put it back, or restart the server".to_owned()
            }
            Err(error) => format!("cannot be looked at: {error}"),
        };
        Err(EngineError::Failed(format!("{} {cause}", self.path.display())))
    }
}

fn inode(file: &Metadata) -> (u64, u64) {
    (file.dev(), file.ino())
}
