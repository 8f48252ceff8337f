//! The control socket, through which `callboard backup`, `health`, `reload`, `deliver` and `follow` reach a running server.
//!
//! The control socket is a Unix socket with mode 0600 in a directory that only the server's user may enter. A
//! client writes one line:
//!
//! - [`HEALTH`]: the server answers with the body of `/readyz`;
//! - [`RELOAD`]: the server reads its files again, and answers when that is done;
//! - [`SAVED`]: a backup was saved; the server does not answer;
//! - [`DELIVER`]: `callboard deliver` claims deliveries and reports results until it closes the connection;
//! - [`FOLLOW`]: `callboard follow` reports what it read of the followed source;
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

/// How long a client may pause while it reads its backup. Checkpoints wait for the backup to end.
const TIMEOUT: Duration = Duration::from_secs(20);

/// How long to wait for a client's line, which may be late on a busy machine. An older version, which writes none, waits as
/// long for its backup.
const LINE_TIMEOUT: Duration = Duration::from_secs(5);

/// The requests.
pub(super) const HEALTH: &str = "health";
pub(super) const RELOAD: &str = "reload";
pub(super) const BACKUP: &str = "backup";
const SAVED: &str = "saved";
pub(super) const DELIVER: &str = "deliver";
pub(super) const FOLLOW: &str = "follow";

/// The socket's path: in the runtime directory from systemd, or else in the data directory.
fn path(data: &Path) -> PathBuf {
    let runtime = std::env::var_os("RUNTIME_DIRECTORY").filter(|dir| !dir.is_empty());
    runtime.map_or_else(|| data.to_owned(), PathBuf::from).join(NAME)
}

/// Sends a request to the server of a data directory. [`has_no_server`] tells whether an error means that no
/// server runs.
pub(super) fn request(data: &Path, line: &str) -> io::Result<UnixStream> {
    let mut server = UnixStream::connect(path(data))?;
    server.write_all(format!("{line}\n").as_bytes())?;
    Ok(server)
}

/// Sends a request and reads the answer.
pub(super) fn ask(data: &Path, line: &str, timeout: Duration) -> io::Result<Vec<u8>> {
    let mut server = request(data, line)?;
    server.set_read_timeout(Some(timeout))?;
    let mut answer = Vec::new();
    server.read_to_end(&mut answer)?;
    Ok(answer)
}

/// Whether the error means that no server listens.
pub(super) fn has_no_server(error: &io::Error) -> bool {
    // InvalidInput: the path is too long for a socket, so no server listens there.
    use io::ErrorKind::{ConnectionRefused, InvalidInput, NotFound};
    matches!(error.kind(), ConnectionRefused | NotFound | InvalidInput)
}

/// Stores the time of a saved backup, through the server or in its data directory. A failure does not matter to the
/// backup.
pub(super) fn store_backup_time(data: &Path, conference: &Slug) {
    match request(data, SAVED) {
        Ok(_) => {}
        Err(error) if has_no_server(&error) => {
            let _owner = OwnershipGuard::of(data);
            if let Ok(store) = Store::open(data, conference) {
                let _ = store.commit_blocking(vec![backup_note(Clock::wall().now())]);
                store.close();
            }
        }
        Err(error) => tracing::warn!(%error, "the server did not accept the time of the backup"),
    }
}

fn backup_note(at: DateTime<Utc>) -> Write {
    NamedRecord::BackupTime(at).into()
}

/// The Unix time of the last saved backup.
pub(super) fn last_backup(store: &Store) -> Option<i64> {
    store.last_backup().ok().flatten().map(|at| at.timestamp())
}

/// The sources of the socket's answers.
pub(super) struct Answers {
    pub(super) store: Store,
    pub(super) clock: Clock,
    pub(super) backups: Arc<Backups>,
    /// The body of `/readyz`.
    pub(super) readiness: Box<dyn Fn() -> String + Send + Sync>,
    /// Answers `callboard reload`.
    pub(super) reload: Conversation,
    /// Answers `callboard deliver` until it closes the connection.
    pub(super) deliver: Conversation,
    /// Answers one request of `callboard follow`.
    pub(super) follow: Conversation,
}

/// Answers a client on the client's thread.
pub(super) type Conversation = Arc<dyn Fn(UnixStream) -> io::Result<()> + Send + Sync>;

/// The listening socket. Dropping it removes the socket's file, unless another server made a new file there after
/// the data directory was replaced.
#[derive(Debug)]
pub(super) struct Control {
    path: PathBuf,
    inode: (u64, u64),
}

impl Control {
    /// Listens. A failure only prevents backups of the running server, so it is logged and the start goes on.
    ///
    /// The store is locked, so an existing socket belongs to a dead server or to a server whose directory was
    /// replaced.
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
            tracing::warn!(socket = %self.path.display(), "another server has replaced the control socket");
        } else if let Err(error) = std::fs::remove_file(&self.path) {
            tracing::debug!(%error, "the control socket could not be removed");
        }
    }
}

/// Device and inode of the file at a path; they are unique while the socket listens.
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
    // Until the mode is set, the directory keeps other users out.
    std::fs::set_permissions(path, Permissions::from_mode(0o600))?;
    let answers = Arc::new(answers);
    let serve = move || {
        for client in listener.incoming() {
            if let Err(error) = client.and_then(|client| answer_on_thread(&answers, client)) {
                tracing::warn!(%error, "a request on the control socket was not answered");
                std::thread::sleep(Duration::from_millis(100)); // accept(2) may fail at once again
            }
        }
    };
    std::thread::Builder::new().name("control".into()).spawn(serve)?;
    Ok(())
}

/// Answers each client on a thread of its own, so that no client waits for another one.
fn answer_on_thread(answers: &Arc<Answers>, client: UnixStream) -> io::Result<()> {
    let answers = Arc::clone(answers);
    let serve = move || {
        if let Err(error) = answer(&answers, client) {
            tracing::warn!(%error, "a request on the control socket was not answered");
        }
    };
    std::thread::Builder::new().name("control-client".into()).spawn(serve).map(drop)
}

fn answer(answers: &Answers, mut client: UnixStream) -> io::Result<()> {
    client.set_read_timeout(Some(LINE_TIMEOUT))?;
    client.set_write_timeout(Some(TIMEOUT))?;
    match read_line(&mut client)?.as_str() {
        HEALTH => client.write_all((answers.readiness)().as_bytes())?,
        SAVED => {
            let now = answers.clock.now();
            answers.backups.saved(now.timestamp());
            answers.store.commit_blocking(vec![backup_note(now)]).map_err(io::Error::other)?;
        }
        RELOAD => converse(RELOAD, &answers.reload, client),
        DELIVER => converse(DELIVER, &answers.deliver, client),
        FOLLOW => converse(FOLLOW, &answers.follow, client),
        _ => match send(&answers.store, client) {
            Ok(sequence) => tracing::info!(sequence, "sent a backup"),
            Err(error) => {
                answers.backups.failed();
                tracing::warn!(%error, "a backup was not sent");
            }
        },
    }
    Ok(())
}

fn converse(name: &'static str, conversation: &Conversation, client: UnixStream) {
    use io::ErrorKind::{BrokenPipe, ConnectionReset, UnexpectedEof};
    match conversation(client) {
        Ok(()) => {}
        Err(error) if matches!(error.kind(), BrokenPipe | ConnectionReset | UnexpectedEof) => {
            tracing::debug!(%error, "callboard {name} ended before its answer");
        }
        Err(error) => tracing::warn!(%error, "callboard {name} was not answered"),
    }
}

/// The client's line; empty if it writes none.
fn read_line(client: &mut UnixStream) -> io::Result<String> {
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
            reload: Arc::new(|_| Ok(())),
            deliver: Arc::new(|_| Ok(())),
            follow: Arc::new(|_| Ok(())),
        }
    }

    #[test]
    fn a_stopped_server_removes_its_own_socket_only() {
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
        let second = control(); // replaces the file
        drop(first);
        assert!(path.exists(), "the second one's");
        drop(second);
        assert!(!path.exists());
    }

    #[test]
    fn a_client_whose_line_is_late_is_answered_and_nobody_waits_for_it() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&dir.path().join("data"), &Slug::parse("con").unwrap()).unwrap();
        let path = dir.path().join(NAME);
        listen(&path, answers(&store)).unwrap();
        let mut late = UnixStream::connect(&path).unwrap();
        let ask = |client: &mut UnixStream| {
            let mut text = String::new();
            client.write_all(b"health\n").unwrap();
            client.read_to_string(&mut text).unwrap();
            text
        };
        let started = std::time::Instant::now();
        assert_eq!(ask(&mut UnixStream::connect(&path).unwrap()), "ready");
        assert!(started.elapsed() < LINE_TIMEOUT, "it waited for the late client");
        std::thread::sleep(Duration::from_millis(700));
        assert_eq!(ask(&mut late), "ready");
    }

    #[test]
    fn health_is_answered_while_a_backup_waits_for_its_reader() {
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
