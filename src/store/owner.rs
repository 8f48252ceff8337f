//! Who owns the files of a data directory: whoever owns the directory.
//!
//! An operator runs `callboard restore` and the like with sudo, over the data directory of a service with a user of its own. The
//! service could not read the files that root makes there, so they are given to its user in the end.

use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, Stat, chownat, fchown, fstat, openat};
use rustix::io::Errno;
use rustix::process::{Gid, Uid, geteuid};
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

/// While it lives, root may make files in a data directory. When it is dropped, the owner of the directory becomes theirs.
///
/// Does nothing where this process is not root's or the directory is.
#[derive(Debug)]
#[must_use = "files are given to the directory's owner when this is dropped"]
pub struct OwnerKept(PathBuf);

impl OwnerKept {
    /// For a data directory, which need not exist yet.
    pub fn of(dir: &Path) -> Self {
        Self(dir.to_owned())
    }
}

impl Drop for OwnerKept {
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

/// The owner could replace names meanwhile. So each name is opened once, without following links, and what was opened is
/// looked at and changed. A file with a second name may be somebody else's, and is left alone.
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
    fn what_root_makes_in_a_data_directory_belongs_to_its_owner() {
        if !geteuid().is_root() {
            return;
        }
        let place = tempfile::tempdir().unwrap();
        let (data, elsewhere) = (place.path().join("data"), place.path().join("elsewhere"));
        fs::create_dir_all(data.join("journal")).unwrap();
        fs::write(&elsewhere, "").unwrap();
        chown(&data, Some(SERVICE), Some(SERVICE)).unwrap();
        {
            let _kept = OwnerKept::of(&data);
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
    fn a_directory_of_root_stays_its_own() {
        let place = tempfile::tempdir().unwrap();
        fs::write(place.path().join("file"), "").unwrap();
        drop(OwnerKept::of(place.path()));
        drop(OwnerKept::of(&place.path().join("missing")));
        let owner = |path: &Path| fs::metadata(path).unwrap().uid();
        assert_eq!(owner(&place.path().join("file")), owner(place.path()));
    }
}
