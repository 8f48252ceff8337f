//! Watches the program file: a saved change is taken in after a moment of quiet.
//!
//! The directory is watched, not the file, since editors replace files. A poll beside it serves network file
//! systems, which report nothing. Whatever the event, the file's digest decides whether there is news, so
//! editors' temporary files and touched timestamps cost one look.

use super::Publisher;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;

/// The longest wait for quiet, for a file that is written without end.
const PATIENCE: Duration = Duration::from_secs(10);

/// Takes in the program file if it was saved while nobody watched, and from then on whenever it is saved; never
/// returns.
pub async fn watch(publisher: Arc<Publisher>) {
    let settings = publisher.settings.load().publishing.clone();
    // Kept open by `send`: without reports there is the poll, and the wait for quiet is one all the same.
    let (send, mut events) = mpsc::channel(1);
    if let Err(error) = report(publisher.file(), send.clone()) {
        tracing::warn!(%error, "the file system reports no changes; the program file is polled");
    }
    let mut seen = stamp(publisher.file()).await;
    // After the report and the stamp: between a look before them and the first of them a saved file went unseen.
    publisher.catch_up().await;
    let mut poll = tokio::time::interval(Duration::from_secs(settings.poll_s.max(1)));
    poll.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = events.recv() => {}
            _ = poll.tick() => if stamp(publisher.file()).await == seen { continue },
        }
        // A save is several writes: wait until there was quiet.
        let quiet = Duration::from_millis(settings.debounce_ms);
        let wait = async {
            let mut before = stamp(publisher.file()).await;
            loop {
                let was_quiet = tokio::time::timeout(quiet, events.recv()).await.is_err();
                let now = stamp(publisher.file()).await;
                // A network file system reports nothing: there the stamp tells that a copy still grows.
                if was_quiet && now == before {
                    return;
                }
                before = now;
            }
        };
        let _ = tokio::time::timeout(PATIENCE, wait).await;
        seen = stamp(publisher.file()).await;
        publisher.take_file().await;
    }
}

/// Elsewhere there is the poll.
#[cfg(not(target_os = "linux"))]
fn report(_: &Path, _: mpsc::Sender<()>) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Sends whenever the file changes, until an event after `send` was closed (inotify(7)).
#[cfg(target_os = "linux")]
fn report(file: &Path, send: mpsc::Sender<()>) -> io::Result<()> {
    use rustix::fs::inotify::{CreateFlags, Reader, WatchFlags, add_watch, init};
    use rustix::io::Errno;
    use std::mem::MaybeUninit;
    use std::os::unix::ffi::OsStrExt;

    let inotify = init(CreateFlags::CLOEXEC)?;
    let moved = WatchFlags::MOVED_FROM | WatchFlags::MOVED_TO;
    let changed = moved | WatchFlags::CREATE | WatchFlags::MODIFY | WatchFlags::ATTRIB | WatchFlags::DELETE;
    add_watch(&inotify, directory_of(file), changed)?;
    let name = file.file_name().unwrap_or_default().to_owned();
    let hear = move || {
        let mut buffer = [MaybeUninit::uninit(); 4096];
        let mut reader = Reader::new(inotify, &mut buffer);
        while !send.is_closed() {
            match reader.next() {
                // Other files of the directory may change all the time.
                Ok(event) if event.file_name().is_some_and(|found| found.to_bytes() == name.as_bytes()) => {
                    let _ = send.try_send(()); // one is enough: the file is read after the quiet
                }
                Ok(_) | Err(Errno::INTR) => {}
                Err(error) => {
                    tracing::warn!(%error, "changes are no more reported; the program file is polled");
                    return;
                }
            }
        }
    };
    std::thread::Builder::new().name("watch".to_owned()).spawn(hear).map(drop)
}

fn directory_of(file: &Path) -> std::path::PathBuf {
    match file.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => ".".into(),
    }
}

/// What differs after a save: inode (a file renamed over it), length, and the seconds and nanoseconds of its
/// change.
type Stamp = (u64, u64, i64, i64);

/// None while the file is not there.
async fn stamp(file: &Path) -> Option<Stamp> {
    let metadata = tokio::fs::metadata(file).await.ok()?;
    Some((metadata.ino(), metadata.len(), metadata.ctime(), metadata.ctime_nsec()))
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use std::fs::{OpenOptions, Permissions, remove_file, rename, set_permissions, write};
    use std::io::Write as _;
    use std::os::unix::fs::PermissionsExt;
    use std::thread::sleep;

    const MOMENT: Duration = Duration::from_millis(50);

    #[test]
    fn every_way_to_save_a_file_is_reported_and_no_other_file_is() {
        let dir = tempfile::tempdir().unwrap();
        let [file, other] = ["program.csv", "program.csv~"].map(|name| dir.path().join(name));
        let (send, mut events) = mpsc::channel(1);
        report(&file, send).unwrap();
        let mut is_reported = |change: &dyn Fn() -> io::Result<()>| {
            change().unwrap();
            sleep(MOMENT);
            let is_reported = events.try_recv().is_ok();
            while events.try_recv().is_ok() {}
            is_reported
        };
        assert!(is_reported(&|| write(&file, "1")), "made");
        assert!(is_reported(&|| OpenOptions::new().append(true).open(&file)?.write_all(b"2")), "appended");
        assert!(!is_reported(&|| std::fs::read(&file).map(drop)), "read");
        assert!(!is_reported(&|| write(&other, "3")), "another");
        assert!(is_reported(&|| rename(&other, &file)), "replaced");
        assert!(is_reported(&|| set_permissions(&file, Permissions::from_mode(0o600))), "made readable");
        assert!(is_reported(&|| rename(&file, &other)), "moved away");
        assert!(!is_reported(&|| remove_file(&other)), "another is gone");
        assert!(report(&dir.path().join("nowhere/program.csv"), mpsc::channel(1).0).is_err());
    }
}
