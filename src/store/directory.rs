//! The data directory: its files, its lock, and the reserve for a full disk.
//!
//! ```text
//! DIR/lock          locked while the store is open
//! DIR/journal/      the commits since the older checkpoint
//! DIR/checkpoints/  copies of the whole state
//! DIR/index/        sled, where records are read; can be rebuilt from journal and checkpoints
//! DIR/ballast       reserve that is removed when the disk is full
//! DIR/replica       shows that the directory is a replica's copy of a log in a database
//! DIR/high-water    the highest numbers ever issued, for a backup that is restored
//! DIR/replaced/     the store before the last restore
//! ```

use super::error::{OpenError, StorageError};
use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, Stat, chownat, fchown, fstat, openat};
use rustix::io::Errno;
use rustix::process::{Gid, Uid, geteuid};
use std::fs::{DirBuilder, File, Metadata, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Write as _};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// The paths in a data directory.
#[derive(Debug, Clone)]
pub(super) struct Places {
    pub(super) dir: PathBuf,
    pub(super) journal: PathBuf,
    pub(super) checkpoints: PathBuf,
    pub(super) index: PathBuf,
    /// The index that is being rebuilt.
    pub(super) new_index: PathBuf,
    /// The last damaged index, to be analysed.
    pub(super) damaged_index: PathBuf,
    /// The number of openings of the index that were begun and did not end, as when the process aborts.
    pub(super) attempts: PathBuf,
    /// Exists if the directory is a replica's copy of a log in a database.
    pub(super) replica: PathBuf,
    /// Exists from the moment at which a copy was set aside until the counters were advanced.
    pub(super) diverged: PathBuf,
    /// The highest numbers ever issued.
    pub(super) high_water: PathBuf,
    /// A restored backup that replaces the store at the next start.
    pub(super) restored: PathBuf,
    /// The store before the last restore.
    pub(super) replaced: PathBuf,
}

impl Places {
    pub(super) fn of(dir: &Path) -> Self {
        Self {
            dir: dir.to_owned(),
            journal: dir.join("journal"),
            checkpoints: dir.join("checkpoints"),
            index: dir.join("index"),
            new_index: dir.join("index.new"),
            damaged_index: dir.join("index.damaged"),
            attempts: dir.join("index.opening"),
            replica: dir.join("replica"),
            diverged: dir.join("diverged"),
            high_water: dir.join("high-water"),
            restored: dir.join("restored"),
            replaced: dir.join("replaced"),
        }
    }

    /// Creates missing directories, and moves the database of an older version to its present place.
    pub(super) fn prepare(&self) -> io::Result<()> {
        self.take_restored()?;
        self.move_old_database()?;
        for dir in [&self.journal, &self.checkpoints] {
            make_directory(dir)?;
        }
        remove_tree(&self.new_index)?;
        sync_directory(&self.dir)
    }

    /// Replaces the store by a restored one, and keeps the old one in `replaced`. After a crash the next start
    /// continues.
    pub(super) fn take_restored(&self) -> io::Result<()> {
        if !self.restored.exists() {
            return Ok(());
        }
        tracing::info!("a restored backup replaces the store");
        if !self.replaced.is_dir() {
            DirBuilder::new().mode(0o700).create(&self.replaced)?;
        }
        for name in ["journal", "checkpoints", "index"] {
            let (new, place) = (self.restored.join(name), self.dir.join(name));
            if !new.exists() {
                continue; // it was moved before a crash
            }
            if place.exists() {
                std::fs::rename(&place, self.replaced.join(name))?;
            }
            std::fs::rename(&new, &place)?;
        }
        sync_directory(&self.replaced)?;
        sync_directory(&self.dir)?;
        remove_file(&self.attempts)?;
        remove_tree(&self.restored)
    }

    /// Versions without a journal had sled's files in the data directory itself. The files are moved one by one, and a
    /// crash may come between any two moves. The last rename makes the moved files the index.
    fn move_old_database(&self) -> io::Result<()> {
        let moving = self.dir.join("index.moving");
        if self.index.exists() || !(moving.exists() || self.dir.join("db").exists()) {
            return Ok(());
        }
        tracing::info!("moving the database of an older version into {}", self.index.display());
        if !moving.exists() {
            DirBuilder::new().mode(0o700).create(&moving)?;
        }
        for entry in std::fs::read_dir(&self.dir)? {
            let name = entry?.file_name();
            let is_sleds = name == "db" || name == "conf" || name == "blobs";
            if is_sleds || name.to_string_lossy().starts_with("snap.") {
                std::fs::rename(self.dir.join(&name), moving.join(&name))?;
            }
        }
        sync_directory(&moving)?;
        std::fs::rename(&moving, &self.index)
    }
}

/// Syncs a directory, so that its renamed and new files survive a power cut.
pub(super) fn sync_directory(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}

pub(super) fn remove_tree(dir: &Path) -> io::Result<()> {
    match std::fs::remove_dir_all(dir) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

pub(super) fn remove_file(file: &Path) -> io::Result<()> {
    match std::fs::remove_file(file) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

pub(super) fn make_directory(dir: &Path) -> io::Result<()> {
    if dir.is_dir() {
        return Ok(());
    }
    DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
    let parent = dir.parent().filter(|parent| !parent.as_os_str().is_empty());
    let synced = sync_directory(parent.unwrap_or(Path::new(".")));
    // A later sync may not cover a failed one (fsync(2)), so a retry must create the directory again.
    synced.inspect_err(|_| drop(std::fs::remove_dir(dir)))
}

/// The files of a directory that are named by a number and have an extension, with their numbers, in no order.
pub(super) fn numbered_files(dir: &Path, extension: &str) -> io::Result<Vec<(u64, PathBuf)>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(dir)? {
        let path = entry?.path();
        let number = path.file_stem().and_then(|stem| stem.to_str()?.parse().ok());
        if let (Some(number), true) = (number, path.extension().is_some_and(|found| found == extension)) {
            files.push((number, path));
        }
    }
    Ok(files)
}

/// sled's snapshots, finished or not, in the directory of an index.
pub(super) fn snapshots(dir: &Path) -> Result<Vec<PathBuf>, StorageError> {
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(dir)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with("snap.") {
            paths.push(entry.path());
        }
    }
    Ok(paths)
}

const BALLAST: &str = "ballast";

/// Writes the ballast. Recovery on a full disk needs the room that it reserves: opening sled writes a snapshot, and the
/// rest of the journal has to be applied.
///
/// If the ballast can be written, there is also room for commits again.
pub(super) fn write_ballast(places: &Places) -> Result<(), StorageError> {
    const SEGMENT: u64 = 512 * 1024; // sled's log grows in these
    let snapshots = snapshots(&places.index)?;
    let snapshots: u64 = snapshots.iter().filter_map(|path| Some(path.metadata().ok()?.len())).sum();
    let bytes = 4 * SEGMENT + 2 * snapshots;
    let path = places.dir.join(BALLAST);
    if path.metadata().is_ok_and(|found| found.len() >= bytes) {
        return Ok(());
    }
    // If the disk only had room for the ballast, the next commit would fail again.
    let spare = places.dir.join("ballast.spare");
    let written = fill(&path, bytes).and_then(|()| fill(&spare, SEGMENT));
    remove_file(&spare)?;
    written.inspect_err(|_| drop_ballast(places))
}

/// Removes the ballast.
pub(super) fn drop_ballast(places: &Places) {
    if let Err(error) = remove_file(&places.dir.join(BALLAST)) {
        tracing::error!(%error, "the ballast cannot be removed");
    }
}

fn fill(path: &Path, bytes: u64) -> Result<(), StorageError> {
    let mut file = File::create(path)?;
    let block = [0x55; 64 * 1024]; // a file system may store zeros as a hole
    for _ in 0..bytes.div_ceil(block.len() as u64) {
        file.write_all(&block)?;
    }
    Ok(file.sync_all()?)
}

const LOCK: &str = "lock";

/// How long the lock of an ended process may last: a forked child holds it until its exec.
const LOCK_TIMEOUT: Duration = Duration::from_millis(500);

/// Locks the directory for this process.
pub(super) fn lock_directory(dir: &Path) -> Result<File, OpenError> {
    let unusable = |cause| OpenError::Directory { dir: dir.to_owned(), cause };
    let lock = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(dir.join(LOCK));
    let lock = lock.map_err(unusable)?;
    let started = Instant::now();
    loop {
        match lock.try_lock() {
            Ok(()) => return Ok(lock),
            Err(TryLockError::WouldBlock) if started.elapsed() < LOCK_TIMEOUT => {
                std::thread::sleep(Duration::from_millis(5));
            }
            Err(TryLockError::WouldBlock) => return Err(OpenError::Locked { dir: dir.to_owned() }),
            Err(TryLockError::Error(cause)) => return Err(unusable(cause)),
        }
    }
}

/// The identity of an open file, to detect another file under its name.
///
/// Open files outlive their names. If the directory is removed or replaced, acknowledged picks would be lost at the
/// next start, and opening by name would reach another store. The file must stay open: its inode number is not
/// reused until then.
#[derive(Debug)]
pub(super) struct FileIdentity {
    path: PathBuf,
    inode: (u64, u64),
}

impl FileIdentity {
    pub(super) fn of(path: &Path, file: &File) -> io::Result<Self> {
        Ok(Self { path: path.to_owned(), inode: inode(&file.metadata()?) })
    }

    /// The identity of a directory's lock.
    pub(super) fn of_lock(dir: &Path, lock: &File) -> io::Result<Self> {
        Self::of(&dir.join(LOCK), lock)
    }

    /// Fails while the name is missing or belongs to another file.
    pub(super) fn check(&self) -> Result<(), StorageError> {
        let cause = match std::fs::metadata(&self.path) {
            Ok(found) if inode(&found) == self.inode => return Ok(()),
            Ok(_) => "was replaced by another file; put the original back, or restart the server".to_owned(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                "is gone; put it back, or restart the server".to_owned()
            }
            Err(error) => format!("cannot be examined: {error}"),
        };
        Err(StorageError::Failed(format!("{} {cause}", self.path.display())))
    }
}

fn inode(file: &Metadata) -> (u64, u64) {
    (file.dev(), file.ino())
}

/// When dropped, gives the files that root created in a data directory to the directory's owner.
///
/// An operator runs `callboard restore` and similar commands with sudo, on the data directory of a service with its own
/// user. Otherwise the service could not read the new files.
///
/// Does nothing if this process does not run as root, or if root owns the directory.
#[derive(Debug)]
#[must_use = "files are given to the directory's owner when this is dropped"]
pub struct OwnershipGuard(PathBuf);

impl OwnershipGuard {
    /// For a data directory, which may not exist yet.
    pub fn of(dir: &Path) -> Self {
        Self(dir.to_owned())
    }
}

impl Drop for OwnershipGuard {
    fn drop(&mut self) {
        if !geteuid().is_root() {
            return;
        }
        if let Err(error) = give_to_owner(&self.0) {
            let dir = self.0.display();
            tracing::warn!(%error, %dir, "files in the data directory could not be given to its owner; the service may be unable to read them");
        }
    }
}

fn give_to_owner(dir: &Path) -> io::Result<()> {
    let dir = match openat(
        rustix::fs::CWD,
        dir,
        OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC,
        Mode::empty(),
    ) {
        Ok(dir) => dir,
        Err(Errno::NOENT) => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    let owner = fstat(&dir)?;
    if owner.st_uid == 0 {
        return Ok(());
    }
    give_entries(&dir, &owner)
}

/// The owner could replace names meanwhile, so each name is opened once, without following links, and only the open
/// file is examined and changed. A file with a second hard link may belong to somebody else and is not changed.
fn give_entries(dir: &OwnedFd, owner: &Stat) -> io::Result<()> {
    let (user, group) = (Some(Uid::from_raw(owner.st_uid)), Some(Gid::from_raw(owner.st_gid)));
    for entry in Dir::read_from(dir)? {
        let entry = entry?;
        let name = entry.file_name();
        if matches!(name.to_bytes(), b"." | b"..") {
            continue;
        }
        let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = match openat(dir, name, flags, Mode::empty()) {
            Ok(file) => file,
            Err(Errno::NOENT) => continue,
            Err(error) => return Err(error.into()),
        };
        let found = fstat(&file)?;
        match FileType::from_raw_mode(found.st_mode) {
            FileType::Directory => {
                let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
                let inner = openat(&file, c".", flags, Mode::empty())?;
                give_entries(&inner, owner)?;
                if found.st_uid == 0 {
                    fchown(&inner, user, group)?;
                }
            }
            FileType::RegularFile if found.st_uid == 0 && found.st_nlink == 1 => {
                chownat(&file, c"", user, group, AtFlags::EMPTY_PATH)?;
            }
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{chown, symlink};

    #[test]
    fn an_old_database_is_moved_whole_after_a_crash_at_any_step() {
        const FILES: [&str; 4] = ["conf", "db", "snap.0000000000000001", "blobs"];
        for moved in 0..=FILES.len() {
            let dir = tempfile::tempdir().unwrap();
            let places = Places::of(dir.path());
            let moving = dir.path().join("index.moving");
            if moved > 0 {
                std::fs::create_dir(&moving).unwrap();
            }
            for (n, name) in FILES.iter().enumerate() {
                let at = if n < moved { moving.join(name) } else { dir.path().join(name) };
                std::fs::write(at, name).unwrap();
            }
            std::fs::write(dir.path().join("lock"), "").unwrap();
            places.prepare().unwrap();
            for name in FILES {
                assert_eq!(std::fs::read_to_string(places.index.join(name)).unwrap(), name, "{moved} moved");
            }
            assert!(dir.path().join("lock").exists() && !moving.exists());
        }
    }

    #[test]
    fn a_new_directory_gets_no_index_and_an_unfinished_one_is_removed() {
        let dir = tempfile::tempdir().unwrap();
        let places = Places::of(dir.path());
        std::fs::create_dir(&places.new_index).unwrap();
        std::fs::write(places.new_index.join("db"), "half").unwrap();
        places.prepare().unwrap();
        assert!(!places.index.exists() && !places.new_index.exists());
        assert!(places.journal.is_dir() && places.checkpoints.is_dir());
    }

    const SERVICE: u32 = 61_234;

    #[test]
    fn files_of_root_are_given_to_the_directorys_owner() {
        if !geteuid().is_root() {
            return;
        }
        let place = tempfile::tempdir().unwrap();
        let (data, elsewhere) = (place.path().join("data"), place.path().join("elsewhere"));
        std::fs::create_dir_all(data.join("journal")).unwrap();
        std::fs::write(&elsewhere, "").unwrap();
        chown(&data, Some(SERVICE), Some(SERVICE)).unwrap();
        {
            let _kept = OwnershipGuard::of(&data);
            std::fs::write(data.join("journal/1"), "").unwrap();
            std::fs::write(data.join("other"), "").unwrap();
            chown(data.join("other"), Some(7), Some(7)).unwrap();
            symlink(&elsewhere, data.join("link")).unwrap();
            std::fs::hard_link(&elsewhere, data.join("second-name")).unwrap();
        }
        let owner = |path: &Path| std::fs::symlink_metadata(path).unwrap().uid();
        assert_eq!(owner(&data.join("journal")), SERVICE);
        assert_eq!(owner(&data.join("journal/1")), SERVICE);
        assert_eq!(owner(&data.join("other")), 7);
        assert_eq!(owner(&elsewhere), 0);
    }

    #[test]
    fn a_directory_of_root_stays_unchanged() {
        let place = tempfile::tempdir().unwrap();
        std::fs::write(place.path().join("file"), "").unwrap();
        drop(OwnershipGuard::of(place.path()));
        drop(OwnershipGuard::of(&place.path().join("missing")));
        let owner = |path: &Path| std::fs::metadata(path).unwrap().uid();
        assert_eq!(owner(&place.path().join("file")), owner(place.path()));
    }
}
