//! The control socket: how `callboard backup` reaches a running server.
//!
//! A Unix socket of mode 0600 in a directory of the server's own. Whoever connects is sent a backup; nothing
//! is read from them. One after the other, on a thread of its own.

use crate::store::Store;
use std::fs::Permissions;
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::time::Duration;

const NAME: &str = "control.sock";

/// For a client to take some of it. It stands in the way of checkpoints.
const PATIENCE: Duration = Duration::from_secs(20);

/// Where the socket of a server is: in the runtime directory that systemd made, else beside its data.
pub(super) fn path(data: &Path) -> PathBuf {
    let runtime = std::env::var_os("RUNTIME_DIRECTORY").filter(|dir| !dir.is_empty());
    runtime.map_or_else(|| data.to_owned(), PathBuf::from).join(NAME)
}

/// A socket that is listened on. It is removed with this, if its name is still its own: another server may have
/// made one there, where the data directory was replaced.
#[derive(Debug)]
pub(super) struct Control {
    path: PathBuf,
    inode: (u64, u64),
}

impl Control {
    /// Listens. Without it everything works but backups of a running server, so that is no reason not to start.
    ///
    /// The store is locked, so a socket that is there is a dead server's, or one's whose directory was replaced.
    pub(super) fn open(data: &Path, store: &Store) -> Option<Self> {
        let path = path(data);
        match listen(&path, store.clone()).and_then(|()| inode(&path)) {
            Ok(inode) => Some(Self { path, inode }),
            Err(error) => {
                tracing::warn!(%error, socket = %path.display(), "no control socket: stop the server for a backup");
                None
            }
        }
    }
}

impl Drop for Control {
    fn drop(&mut self) {
        if inode(&self.path).is_ok_and(|found| found != self.inode) {
            tracing::warn!(socket = %self.path.display(), "the control socket is another server's by now");
        } else if let Err(error) = std::fs::remove_file(&self.path) {
            tracing::debug!(%error, "the control socket stays");
        }
    }
}

/// Which file has a name: no other has these numbers while the socket is listened on.
fn inode(path: &Path) -> io::Result<(u64, u64)> {
    let found = std::fs::symlink_metadata(path)?;
    Ok((found.dev(), found.ino()))
}

fn listen(path: &Path, store: Store) -> io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = UnixListener::bind(path)?;
    // Until here the directory, which only its owner may enter, keeps others out.
    std::fs::set_permissions(path, Permissions::from_mode(0o600))?;
    let serve = move || {
        for client in listener.incoming() {
            match client.and_then(|client| send(&store, client)) {
                Ok(sequence) => tracing::info!(sequence, "sent a backup"),
                Err(error) => {
                    tracing::warn!(%error, "a backup was not sent");
                    std::thread::sleep(Duration::from_millis(100)); // where accepting itself fails
                }
            }
        }
    };
    std::thread::Builder::new().name("control".into()).spawn(serve)?;
    Ok(())
}

fn send(store: &Store, client: UnixStream) -> io::Result<u64> {
    client.set_write_timeout(Some(PATIENCE))?;
    let out = io::BufWriter::with_capacity(64 * 1024, client);
    store.back_up(Box::new(out)).map_err(io::Error::other)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::program::Slug;

    #[test]
    fn a_socket_goes_with_its_server_and_that_of_another_stays() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&dir.path().join("data"), &Slug::parse("con").unwrap()).unwrap();
        let path = dir.path().join(NAME);
        let control = || {
            listen(&path, store.clone()).unwrap();
            Control { inode: inode(&path).unwrap(), path: path.clone() }
        };
        drop(control());
        assert!(!path.exists());
        let first = control();
        let second = control(); // takes the name
        drop(first);
        assert!(path.exists(), "the second one's");
        drop(second);
        assert!(!path.exists());
    }
}
