//! The data directory: what lies where in it, and room for bad times.
//!
//! ```text
//! DIR/lock          held while the store is open
//! DIR/journal/      what acknowledgements wait for
//! DIR/checkpoints/  the whole state, now and then
//! DIR/index/        sled: what is read; can be made anew from the other two
//! DIR/ballast       room that is given up when the disk is full
//! DIR/high-water    what was given out at most, for a backup that is restored
//! DIR/replaced/     what the last restored backup took the place of
//! ```

use super::engine::EngineError;
use std::fs::{DirBuilder, File};
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

/// Where everything is.
#[derive(Debug, Clone)]
pub(super) struct Places {
    pub(super) dir: PathBuf,
    pub(super) journal: PathBuf,
    pub(super) checkpoints: PathBuf,
    pub(super) index: PathBuf,
    /// Where an index is made anew.
    pub(super) new_index: PathBuf,
    /// The last index that was damaged, for whoever wants to know why.
    pub(super) damaged_index: PathBuf,
    /// How many openings of the index did not come to an end.
    pub(super) attempts: PathBuf,
    /// What was given out at most; see [`super::high_water`].
    pub(super) high_water: PathBuf,
    /// A backup that takes the store's place, whole, when this is its name.
    pub(super) restored: PathBuf,
    /// What it took the place of.
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
            high_water: dir.join("high-water"),
            restored: dir.join("restored"),
            replaced: dir.join("replaced"),
        }
    }

    /// Makes the directories that are missing, and moves the database of an older version to where it is now.
    pub(super) fn prepare(&self) -> io::Result<()> {
        self.take_restored()?;
        self.move_old_database()?;
        for dir in [&self.journal, &self.checkpoints] {
            make_directory(dir)?;
        }
        remove_tree(&self.new_index)?;
        sync_directory(&self.dir)
    }

    /// Puts a restored store in the place of the old one, which stays beside it. A crash in the middle of it
    /// is made good by the next start.
    pub(super) fn take_restored(&self) -> io::Result<()> {
        if !self.restored.exists() {
            return Ok(());
        }
        tracing::info!("a restored backup takes the place of what was there");
        if !self.replaced.is_dir() {
            DirBuilder::new().mode(0o700).create(&self.replaced)?;
        }
        for name in ["journal", "checkpoints", "index"] {
            let (new, place) = (self.restored.join(name), self.dir.join(name));
            if !new.exists() {
                continue; // it is in its place already
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

    /// Until there was a journal, the files of sled lay in the data directory itself. Moving them takes several
    /// steps, any of which may be the last before a crash; the last one of all makes them the index.
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

/// Makes what a rename or a new file changed in a directory last.
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
    // A later sync need not cover what a failed one was for (fsync(2)): whoever tries again makes it again.
    synced.inspect_err(|_| drop(std::fs::remove_dir(dir)))
}

const BALLAST: &str = "ballast";

/// Lays the ballast: room that recovery gets back when the disk is full, since opening sled writes a snapshot
/// and what the journal has beyond the index has to be written into it.
///
/// That it can be laid is also the sign that there is room for writes again.
pub(super) fn lay_ballast(places: &Places) -> Result<(), EngineError> {
    const SEGMENT: u64 = 512 * 1024; // in which sled's log grows
    let snapshots = super::engine::snapshots(&places.index)?;
    let snapshots: u64 = snapshots.iter().filter_map(|path| Some(path.metadata().ok()?.len())).sum();
    let bytes = 4 * SEGMENT + 2 * snapshots;
    let path = places.dir.join(BALLAST);
    if path.metadata().is_ok_and(|found| found.len() >= bytes) {
        return Ok(());
    }
    // Room for the ballast alone would be used up by the next write.
    let spare = places.dir.join("ballast.spare");
    let laid = fill(&path, bytes).and_then(|()| fill(&spare, SEGMENT));
    remove_file(&spare)?;
    laid.inspect_err(|_| drop_ballast(places))
}

/// Gives the ballast's room back.
pub(super) fn drop_ballast(places: &Places) {
    if let Err(error) = remove_file(&places.dir.join(BALLAST)) {
        tracing::error!(%error, "the ballast stays");
    }
}

fn fill(path: &Path, bytes: u64) -> Result<(), EngineError> {
    let mut file = File::create(path)?;
    let block = [0x55; 64 * 1024]; // not zeros: a file system may keep those as a hole
    for _ in 0..bytes.div_ceil(block.len() as u64) {
        file.write_all(&block)?;
    }
    Ok(file.sync_all()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_old_database_is_moved_whole_wherever_a_crash_stopped_it() {
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
    fn a_new_directory_gets_no_index_and_a_half_made_one_goes() {
        let dir = tempfile::tempdir().unwrap();
        let places = Places::of(dir.path());
        std::fs::create_dir(&places.new_index).unwrap();
        std::fs::write(places.new_index.join("db"), "half").unwrap();
        places.prepare().unwrap();
        assert!(!places.index.exists() && !places.new_index.exists());
        assert!(places.journal.is_dir() && places.checkpoints.is_dir());
    }
}
