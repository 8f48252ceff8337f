//! Watches the program file: a saved change is published after a moment of quiet.
//!
//! The directory is watched, not the file, since editors replace files. A file that a program is still writing is not
//! read: it waits until that program closes it or renames it into its place, however long it pauses. Where the file
//! system reports neither, as network file systems do, a poll sees the change and the wait for quiet is longer. Whatever
//! the event, the file's digest decides whether there is news, so editors' temporary files and touched timestamps cost
//! one look.

use super::Publisher;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch as channel;
use tokio::time::Instant;

/// The longest wait for quiet, for a file that is opened, written and closed again without end.
const PATIENCE: Duration = Duration::from_secs(10);

/// How many times longer the quiet lasts where nothing tells that the writer closed the file.
const LONGER: u32 = 20;

/// The wait before the first retry of a file that could not be stored; it doubles up to the last.
const FIRST_RETRY: Duration = Duration::from_secs(1);
const LAST_RETRY: Duration = Duration::from_secs(30);

/// What the file system has reported about the program file last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Writer {
    /// Nothing that tells whether a program has it open.
    #[default]
    Unknown,
    /// A program has written to it and did not close it yet.
    Writing,
    /// Its writer closed it, or it was renamed into its place.
    Closed,
}

/// Publishes the program file if it was saved while nobody watched, and from then on whenever it is saved; never
/// returns.
pub async fn watch(publisher: Arc<Publisher>) {
    let settings = publisher.settings.load().publishing.clone();
    let file = publisher.file();
    let mut writer = publisher.writer.subscribe();
    if let Err(error) = report(file, publisher.writer.clone()) {
        tracing::warn!(%error, "the file system reports no changes; the program file is polled");
    }
    let quiet = Duration::from_millis(settings.debounce_ms);
    if is_recent(&publisher, quiet * LONGER).await {
        publisher.recognise_file().await;
        written(file, quiet, &mut writer).await;
    }
    let mut seen = stamp(file).await;
    // After the report and the stamp: a file that is saved between them is seen by one of the two.
    publisher.catch_up().await;
    let mut poll = tokio::time::interval(Duration::from_secs(settings.poll_s.max(1)));
    poll.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut retry = None;
    loop {
        let unstored = publisher.state().unstored.as_ref().map(|unstored| unstored.attempts);
        retry = unstored.map(|attempts| retry.unwrap_or_else(|| Instant::now() + delay(attempts)));
        tokio::select! {
            _ = writer.changed() => {}
            _ = poll.tick() => if stamp(file).await == seen { continue },
            () = until(retry) => {
                retry = None;
                publisher.take_file().await;
                continue;
            }
        }
        written(file, quiet, &mut writer).await;
        // What is reported from here on is of another save.
        publisher.writer.send_if_modified(|writer| {
            if *writer == Writer::Closed {
                *writer = Writer::Unknown;
            }
            false
        });
        seen = stamp(file).await;
        publisher.take_file().await;
    }
}

/// Waits until the file is written: closed, or unchanged for a longer time where nothing tells that.
async fn written(file: &Path, quiet: Duration, writer: &mut channel::Receiver<Writer>) {
    let began = Instant::now();
    let mut is_told = false;
    loop {
        let before = stamp(file).await;
        let state = *writer.borrow_and_update();
        let wait = if state == Writer::Closed { quiet } else { quiet * LONGER };
        if tokio::time::timeout(wait, writer.changed()).await.is_ok() {
            if began.elapsed() > PATIENCE && *writer.borrow() == Writer::Closed {
                return;
            }
            continue;
        }
        // A network file system reports nothing: there the stamp tells that a copy still grows.
        if stamp(file).await != before {
            continue;
        }
        if state != Writer::Writing {
            return;
        }
        if !is_told {
            is_told = true;
            tracing::warn!(file = %file.display(), "another program has the program file open for writing; it is read when that program closes it");
        }
    }
}

/// Whether the file was changed so lately that its writer may not be done; nobody watched until now.
async fn is_recent(publisher: &Publisher, within: Duration) -> bool {
    let Ok(metadata) = tokio::fs::metadata(publisher.file()).await else { return false };
    let age = publisher.clock.now().timestamp().saturating_sub(metadata.mtime());
    u64::try_from(age).is_ok_and(|age| age <= within.as_secs())
}

/// The wait before a file is tried again that the store did not take so often.
fn delay(attempts: u32) -> Duration {
    let doublings = attempts.saturating_sub(1).min(8);
    (FIRST_RETRY * 2_u32.pow(doublings)).min(LAST_RETRY)
}

async fn until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}

/// Elsewhere there is the poll.
#[cfg(not(target_os = "linux"))]
fn report(_: &Path, _: channel::Sender<Writer>) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Sends whatever is reported about the file, until an event after the last receiver is gone (inotify(7)).
#[cfg(target_os = "linux")]
fn report(file: &Path, send: channel::Sender<Writer>) -> io::Result<()> {
    use rustix::fs::inotify::{CreateFlags, ReadFlags, Reader, WatchFlags, add_watch, init};
    use rustix::io::Errno;
    use std::mem::MaybeUninit;
    use std::os::unix::ffi::OsStrExt;

    let inotify = init(CreateFlags::CLOEXEC)?;
    let moved = WatchFlags::MOVED_FROM | WatchFlags::MOVED_TO;
    let written = WatchFlags::MODIFY | WatchFlags::CLOSE_WRITE;
    let changed = moved | written | WatchFlags::CREATE | WatchFlags::ATTRIB | WatchFlags::DELETE;
    add_watch(&inotify, directory_of(file), changed)?;
    let name = file.file_name().unwrap_or_default().to_owned();
    let hear = move || {
        let mut buffer = [MaybeUninit::uninit(); 4096];
        let mut reader = Reader::new(inotify, &mut buffer);
        while !send.is_closed() {
            match reader.next() {
                // Some events are lost, of which one may have been of the file.
                Ok(event) if event.events().contains(ReadFlags::QUEUE_OVERFLOW) => {
                    send.send_replace(Writer::Unknown);
                }
                // Other files of the directory may change all the time.
                Ok(event) if event.file_name().is_some_and(|found| found.to_bytes() == name.as_bytes()) => {
                    let events = event.events();
                    send.send_modify(|writer| *writer = after(*writer, events));
                }
                Ok(_) | Err(Errno::INTR) => {}
                Err(error) => {
                    send.send_replace(Writer::Unknown);
                    tracing::warn!(%error, "changes are no more reported; the program file is polled");
                    return;
                }
            }
        }
    };
    std::thread::Builder::new().name("watch".to_owned()).spawn(hear).map(drop)
}

/// What an event says about the writer of the file.
#[cfg(target_os = "linux")]
fn after(writer: Writer, events: rustix::fs::inotify::ReadFlags) -> Writer {
    use rustix::fs::inotify::ReadFlags;
    if events.intersects(ReadFlags::CLOSE_WRITE | ReadFlags::MOVED_TO) {
        Writer::Closed
    } else if events.contains(ReadFlags::MODIFY) {
        Writer::Writing
    } else if events.contains(ReadFlags::ATTRIB) && writer != Writer::Writing {
        // It was made readable, or touched.
        Writer::Closed
    } else if events.intersects(ReadFlags::CREATE | ReadFlags::DELETE | ReadFlags::MOVED_FROM) {
        // A link that was made is never closed; another file has the name now, or none has.
        Writer::Unknown
    } else {
        writer
    }
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
    use std::fs::{File, OpenOptions, Permissions, hard_link, remove_file, rename, set_permissions, write};
    use std::io::Write as _;
    use std::os::unix::fs::PermissionsExt;
    use std::thread::sleep;

    const MOMENT: Duration = Duration::from_millis(50);

    #[test]
    fn every_way_to_save_a_file_is_reported_and_no_other_file_is() {
        let dir = tempfile::tempdir().unwrap();
        let [file, other] = ["program.csv", "program.csv~"].map(|name| dir.path().join(name));
        let (send, mut events) = channel::channel(Writer::Unknown);
        report(&file, send).unwrap();
        let mut reported = |change: &mut dyn FnMut() -> io::Result<()>| {
            change().unwrap();
            sleep(MOMENT);
            let is_reported = events.has_changed().unwrap();
            is_reported.then(|| *events.borrow_and_update())
        };
        assert_eq!(reported(&mut || write(&file, "1")), Some(Writer::Closed), "made");
        let mut open: Option<File> = None;
        let mut append = || {
            let mut file = OpenOptions::new().append(true).open(&file)?;
            file.write_all(b"2")?;
            open = Some(file);
            Ok(())
        };
        assert_eq!(reported(&mut append), Some(Writer::Writing), "appended to, and still open");
        let readable = || set_permissions(&file, Permissions::from_mode(0o600));
        assert_eq!(reported(&mut || readable()), Some(Writer::Writing), "touched meanwhile");
        assert_eq!(reported(&mut || std::fs::read(&file).map(drop)), None, "read");
        assert_eq!(
            reported(&mut || {
                drop(open.take());
                Ok(())
            }),
            Some(Writer::Closed),
            "closed"
        );
        assert_eq!(reported(&mut || write(&other, "3")), None, "another");
        assert_eq!(reported(&mut || rename(&other, &file)), Some(Writer::Closed), "replaced");
        assert_eq!(reported(&mut || readable()), Some(Writer::Closed), "made readable");
        assert_eq!(reported(&mut || rename(&file, &other)), Some(Writer::Unknown), "moved away");
        assert_eq!(reported(&mut || hard_link(&other, &file)), Some(Writer::Unknown), "linked");
        assert_eq!(reported(&mut || remove_file(&other)), None, "another is gone");
        assert!(report(&dir.path().join("nowhere/program.csv"), channel::Sender::default()).is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn a_pause_of_a_writer_is_not_its_end() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("program.csv");
        let quiet = Duration::from_millis(300);
        for (reported, expected) in [(Writer::Closed, quiet), (Writer::Unknown, quiet * LONGER)] {
            let (_send, mut writer) = channel::channel(reported);
            let began = Instant::now();
            written(&file, quiet, &mut writer).await;
            assert_eq!(began.elapsed(), expected, "{reported:?}");
        }
        let (send, mut writer) = channel::channel(Writer::Writing);
        let mut wait = std::pin::pin!(written(&file, quiet, &mut writer));
        let hour = Duration::from_secs(3600);
        assert!(tokio::time::timeout(hour, wait.as_mut()).await.is_err(), "open for an hour");
        send.send_replace(Writer::Closed);
        assert!(tokio::time::timeout(2 * quiet, wait.as_mut()).await.is_ok(), "closed");
    }

    #[tokio::test(start_paused = true)]
    async fn a_file_that_is_saved_without_end_is_read_in_the_end() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("program.csv");
        let (send, mut writer) = channel::channel(Writer::Closed);
        let save = async {
            loop {
                tokio::time::sleep(Duration::from_millis(100)).await;
                send.send_replace(Writer::Closed);
            }
        };
        tokio::select! {
            () = written(&file, Duration::from_millis(300), &mut writer) => {}
            () = save => {}
            () = tokio::time::sleep(PATIENCE * 2) => panic!("it was never read"),
        }
    }

    #[test]
    fn retries_come_ever_later() {
        let delays: Vec<u64> = [1, 2, 3, 6, 100].map(|attempts| delay(attempts).as_secs()).to_vec();
        assert_eq!(delays, [1, 2, 4, 30, 30]);
    }
}
