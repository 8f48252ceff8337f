//! The control socket: how `callboard backup` and `callboard health` reach a running server.
//!
//! A Unix socket of mode 0600 in a directory of the server's own. A client writes one line, the request:
//!
//! - [`HEALTH`]: the server answers with the body of `/readyz`;
//! - [`SAVED`]: a backup was saved; there is no answer;
//! - [`BACKUP`], or nothing, as older versions do: the server sends a backup.

use crate::clock::Clock;
use crate::http::Backups;
use crate::program::Slug;
use crate::store::{NamedRecord, OwnershipGuard, Store, Write};
use chrono::{DateTime, Utc};
use std::fs::Permissions;
use std::io::{self, Read, Write as _};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

const NAME: &str = "control.sock";

/// For a client to take some of a backup. It stands in the way of checkpoints.
const PATIENCE: Duration = Duration::from_secs(20);

/// For a client's line; a version that writes none waits this long for its backup.
const ASKED: Duration = Duration::from_millis(500);

/// The requests.
pub(super) const HEALTH: &str = "health";
pub(super) const BACKUP: &str = "backup";
const SAVED: &str = "saved";

/// Where the socket of a server is: in the runtime directory that systemd made, else beside its data.
fn path(data: &Path) -> PathBuf {
    let runtime = std::env::var_os("RUNTIME_DIRECTORY").filter(|dir| !dir.is_empty());
    runtime.map_or_else(|| data.to_owned(), PathBuf::from).join(NAME)
}

/// Sends a request to the server of a data directory. [`is_nobody`] tells the error of no server.
pub(super) fn request(data: &Path, line: &str) -> io::Result<UnixStream> {
    let mut server = UnixStream::connect(path(data))?;
    server.write_all(format!("{line}\n").as_bytes())?;
    Ok(server)
}

/// Sends a request and reads the answer.
pub(super) fn ask(data: &Path, line: &str, patience: Duration) -> io::Result<Vec<u8>> {
    let mut server = request(data, line)?;
    server.set_read_timeout(Some(patience))?;
    let mut answer = Vec::new();
    server.read_to_end(&mut answer)?;
    Ok(answer)
}

/// Whether no server listens.
pub(super) fn is_nobody(error: &io::Error) -> bool {
    // A path that is too long for a socket is none that a server listens on.
    use io::ErrorKind::{ConnectionRefused, InvalidInput, NotFound};
    matches!(error.kind(), ConnectionRefused | NotFound | InvalidInput)
}

/// Notes that a backup was saved, where the server or its data directory takes a note. The backup is good without it.
pub(super) fn note_saved(data: &Path, conference: &Slug) {
    match request(data, SAVED) {
        Ok(_) => {}
        Err(error) if is_nobody(&error) => {
            let _owner = OwnershipGuard::of(data);
            if let Ok(store) = Store::open(data, conference) {
                let _ = store.commit_blocking(vec![saved(Clock::wall().now())]);
                store.close();
            }
        }
        Err(error) => tracing::warn!(%error, "the server could not be told that a backup was saved"),
    }
}

fn saved(at: DateTime<Utc>) -> Write {
    NamedRecord::BackupTime(at).into()
}

/// When a backup was last saved, by a store's note.
pub(super) fn last_backup(store: &Store) -> Option<i64> {
    store.last_backup().ok().flatten().map(|at| at.timestamp())
}

/// The sources of the answers that the socket gives.
pub(super) struct Answers {
    pub(super) store: Store,
    pub(super) clock: Clock,
    pub(super) backups: Arc<Backups>,
    /// The body of `/readyz`.
    pub(super) readiness: Box<dyn Fn() -> String + Send>,
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
    pub(super) fn open(data: &Path, answers: Answers) -> Option<Self> {
        let path = path(data);
        match listen(&path, answers).and_then(|()| inode(&path)) {
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

fn listen(path: &Path, answers: Answers) -> io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = UnixListener::bind(path)?;
    // Until here the directory, which only its owner may enter, keeps others out.
    std::fs::set_permissions(path, Permissions::from_mode(0o600))?;
    let serve = move || {
        for client in listener.incoming() {
            if let Err(error) = client.and_then(|client| answer(&answers, client)) {
                tracing::warn!(%error, "a request on the control socket was not answered");
                std::thread::sleep(Duration::from_millis(100)); // where accepting itself fails
            }
        }
    };
    std::thread::Builder::new().name("control".into()).spawn(serve)?;
    Ok(())
}

fn answer(answers: &Answers, mut client: UnixStream) -> io::Result<()> {
    client.set_read_timeout(Some(ASKED))?;
    client.set_write_timeout(Some(PATIENCE))?;
    match asked(&mut client)?.as_str() {
        HEALTH => client.write_all((answers.readiness)().as_bytes()),
        SAVED => {
            let now = answers.clock.now();
            answers.backups.saved(now.timestamp());
            answers.store.commit_blocking(vec![saved(now)]).map_err(io::Error::other)
        }
        // On a thread of its own, so that a slow client keeps nobody from asking how the server is.
        _ => {
            let (store, backups) = (answers.store.clone(), Arc::clone(&answers.backups));
            let send = move || match send(&store, client) {
                Ok(sequence) => tracing::info!(sequence, "sent a backup"),
                Err(error) => {
                    backups.failed();
                    tracing::warn!(%error, "a backup was not sent");
                }
            };
            std::thread::Builder::new().name("backup".into()).spawn(send).map(drop)
        }
    }
}

/// The client's line; empty where it writes none.
fn asked(client: &mut UnixStream) -> io::Result<String> {
    let (mut line, mut byte) = (String::new(), [0]);
    while line.len() < 16 {
        match client.read(&mut byte) {
            Ok(1) if byte != *b"\n" => line.push(char::from(byte[0])),
            Ok(_) => break,
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {
                break;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(line)
}

fn send(store: &Store, client: UnixStream) -> io::Result<u64> {
    let out = io::BufWriter::with_capacity(64 * 1024, client);
    store.back_up(Box::new(out)).map_err(io::Error::other)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answers(store: &Store) -> Answers {
        Answers {
            store: store.clone(),
            clock: Clock::fixed(DateTime::from_timestamp(1_742_900_000, 0).unwrap()),
            backups: Arc::default(),
            readiness: Box::new(|| "ready".to_owned()),
        }
    }

    #[test]
    fn a_socket_goes_with_its_server_and_that_of_another_stays() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&dir.path().join("data"), &Slug::parse("con").unwrap()).unwrap();
        let path = dir.path().join(NAME);
        let control = || {
            listen(&path, answers(&store)).unwrap();
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

    #[test]
    fn health_is_answered_while_a_backup_waits_for_its_reader_and_a_saved_one_is_noted() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&dir.path().join("data"), &Slug::parse("con").unwrap()).unwrap();
        let path = dir.path().join(NAME);
        let answers = answers(&store);
        let backups = Arc::clone(&answers.backups);
        listen(&path, answers).unwrap();
        let ask = |line: &str| {
            let mut client = UnixStream::connect(&path).unwrap();
            client.write_all(line.as_bytes()).unwrap();
            client
        };
        let read = |mut client: UnixStream| {
            let mut text = String::new();
            client.read_to_string(&mut text).unwrap();
            text
        };
        let (asked, silent) = (ask("backup\n"), ask(""));
        assert_eq!(read(ask("health\n")), "ready");
        assert_eq!(read(ask("saved\n")), "");
        assert_eq!(last_backup(&store), Some(1_742_900_000));
        assert_eq!(backups.last_saved(), 1_742_900_000);
        for client in [asked, silent] {
            assert!(read(client).starts_with(r#"{"callboard":"checkpoint""#));
        }
    }
}
