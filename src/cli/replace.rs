//! Writes a file whole or not at all.
//!
//! The bytes go to a file beside the target with a random name, opened with `O_EXCL`. So in a directory that others may
//! write to, no link is followed and no file overwritten.

use std::fs::{File, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use tempfile::NamedTempFile;

/// The suffix of unfinished files, after the target's name and a random part.
pub(super) const UNFINISHED: &str = ".unfinished";

/// Creates an empty file beside the target. It is removed unless it is [`finish`]ed. The umask applies to `mode`.
pub(super) fn beside(target: &Path, mode: u32) -> io::Result<NamedTempFile> {
    let mut prefix = std::ffi::OsString::from(".");
    prefix.push(target.file_name().unwrap_or_default());
    prefix.push(".");
    tempfile::Builder::new()
        .prefix(&prefix)
        .suffix(UNFINISHED)
        .permissions(Permissions::from_mode(mode))
        .tempfile_in(directory_of(target))
}

/// Replaces the target's contents.
pub(super) fn write(target: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    let mut unfinished = beside(target, mode)?;
    unfinished.write_all(bytes)?;
    finish(unfinished, target)
}

/// Replaces the contents of a file that people edit. Its permissions stay, and a link to it stays a link. A file that does
/// not exist is created.
pub(super) fn rewrite(target: &Path, bytes: &[u8]) -> io::Result<()> {
    let (target, permissions) = match std::fs::canonicalize(target) {
        Ok(target) => {
            let permissions = std::fs::metadata(&target)?.permissions();
            (target, Some(permissions))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => (target.to_owned(), None),
        Err(error) => return Err(error),
    };
    let mut unfinished = beside(&target, 0o666)?;
    unfinished.write_all(bytes)?;
    if let Some(permissions) = permissions {
        unfinished.as_file().set_permissions(permissions)?;
    }
    finish(unfinished, &target)
}

/// Gives the file the target's name; both are on disk when this returns.
pub(super) fn finish(unfinished: NamedTempFile, target: &Path) -> io::Result<()> {
    unfinished.as_file().sync_all()?;
    unfinished.persist(target).map_err(|error| error.error)?;
    File::open(directory_of(target))?.sync_all()
}

fn directory_of(file: &Path) -> &Path {
    file.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_is_replaced_not_followed() {
        let dir = tempfile::tempdir().unwrap();
        let (target, victim) = (dir.path().join("backup"), dir.path().join("victim"));
        std::fs::write(&victim, "precious").unwrap();
        std::os::unix::fs::symlink(&victim, &target).unwrap();
        let mut unfinished = beside(&target, 0o600).unwrap();
        unfinished.write_all(b"new").unwrap();
        assert_eq!(std::fs::read(&victim).unwrap(), b"precious");
        finish(unfinished, &target).unwrap();
        assert_eq!(std::fs::read(&victim).unwrap(), b"precious");
        assert_eq!(std::fs::read(&target).unwrap(), b"new");
        let metadata = std::fs::symlink_metadata(&target).unwrap();
        assert!(metadata.is_file() && metadata.permissions().mode() & 0o777 == 0o600);
        drop(beside(&target, 0o644).unwrap());
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 2, "no unfinished file is left");
    }
}
