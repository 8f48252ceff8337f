//! Files that root creates in a data directory are given to the directory's owner.
//!
//! An operator runs `callboard restore` and similar commands with sudo, on the data directory of a service with its own
//! user. Without this the service could not read the new files.

use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, Stat, chownat, fchown, fstat, openat};
use rustix::io::Errno;
use rustix::process::{Gid, Uid, geteuid};
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

/// Gives the files that root created in a data directory to the directory's owner when it is dropped.
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

/// The owner could replace names meanwhile. So each name is opened once, without following links, and only the open file
/// is examined and changed. A file with a second name may belong to somebody else and stays as it is.
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
    use std::fs;
    use std::os::unix::fs::{MetadataExt, chown, symlink};

    const SERVICE: u32 = 61_234;

    #[test]
    fn files_of_root_are_given_to_the_directorys_owner() {
        if !geteuid().is_root() {
            return;
        }
        let place = tempfile::tempdir().unwrap();
        let (data, elsewhere) = (place.path().join("data"), place.path().join("elsewhere"));
        fs::create_dir_all(data.join("journal")).unwrap();
        fs::write(&elsewhere, "").unwrap();
        chown(&data, Some(SERVICE), Some(SERVICE)).unwrap();
        {
            let _kept = OwnershipGuard::of(&data);
            fs::write(data.join("journal/1"), "").unwrap();
            fs::write(data.join("other"), "").unwrap();
            chown(data.join("other"), Some(7), Some(7)).unwrap();
            symlink(&elsewhere, data.join("link")).unwrap();
            fs::hard_link(&elsewhere, data.join("second-name")).unwrap();
        }
        let owner = |path: &Path| fs::symlink_metadata(path).unwrap().uid();
        assert_eq!(owner(&data.join("journal")), SERVICE);
        assert_eq!(owner(&data.join("journal/1")), SERVICE);
        assert_eq!(owner(&data.join("other")), 7);
        assert_eq!(owner(&elsewhere), 0);
    }

    #[test]
    fn a_directory_of_root_stays_unchanged() {
        let place = tempfile::tempdir().unwrap();
        fs::write(place.path().join("file"), "").unwrap();
        drop(OwnershipGuard::of(place.path()));
        drop(OwnershipGuard::of(&place.path().join("missing")));
        let owner = |path: &Path| fs::metadata(path).unwrap().uid();
        assert_eq!(owner(&place.path().join("file")), owner(place.path()));
    }
}
