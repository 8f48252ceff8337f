//! Watches the program file and publishes it after each save.
//!
//! The directory is watched, not the file, since editors replace files. A file that a program is writing is not read
//! before that program closes it or renames it into place. Network file systems report neither, so the file is polled
//! as well; without a report, the wait for quiet is longer. The file's digest decides whether anything changed, so a
//! file with only a new time stamp is read once and not published.

use super::Publisher;
use std::fs::Metadata;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch as channel;
use tokio::time::Instant;

/// The longest wait for quiet, for a file that is opened, written and closed again without end.
const MAX_QUIET_WAIT: Duration = Duration::from_secs(10);

/// How many times longer the wait for quiet is if nothing reports that the writer closed the file.
const LONGER: u32 = 20;

/// The wait before the first retry of a file that could not be stored. It doubles up to [`LAST_RETRY`].
const FIRST_RETRY: Duration = Duration::from_secs(1);
const LAST_RETRY: Duration = Duration::from_secs(30);

/// The last state that the file system reported of the program file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum WriterState {
    /// Unknown whether a program has the file open.
    #[default]
    Unknown,
    /// A program wrote to the file and has not closed it.
    Writing,
    /// The writer closed the file, or renamed it into place.
    Closed,
}

/// Publishes the program file if it was saved before the start, then after each save; never returns.
pub async fn watch(publisher: Arc<Publisher>) {
    let settings = publisher.settings.load().publishing.clone();
    let file = publisher.file();
    let mut writer = publisher.writer.subscribe();
    let watcher = Watcher {
        file: file.to_owned(),
        poll: Duration::from_secs(settings.poll_s.max(1)),
        // The stamp is taken before the file is read, so the poll notices every later save.
        seen: Stamp::of(file).await,
        send: publisher.writer.clone(),
    };
    if let Err(error) = watcher.start() {
        tracing::error!(%error, "no thread to watch the program file; SIGHUP publishes it");
    }
    let quiet = Duration::from_millis(settings.debounce_ms);
    if is_recent(&publisher, quiet * LONGER).await {
        publisher.recognise_file().await;
        wait_for_writer(file, quiet, &mut writer).await;
    }
    if publisher.store.is_shared() {
        // This replica's file may be older than a release of another one, so only a save after the start counts.
        publisher.restore_held_schedule().await;
        publisher.recognise_file().await;
    } else {
        publisher.catch_up().await;
    }
    let mut retry = None;
    loop {
        let unstored = publisher.state().unstored.as_ref().map(|unstored| unstored.attempts);
        retry = unstored.map(|attempts| retry.unwrap_or_else(|| Instant::now() + delay(attempts)));
        tokio::select! {
            _ = writer.changed() => {}
            () = until(retry) => {
                retry = None;
                publisher.publish_file().await;
                continue;
            }
        }
        wait_for_writer(file, quiet, &mut writer).await;
        if !publisher.charge.is_held() {
            tracing::warn!(file = %file.display(), "the program file is not published: another replica is in charge of it; save it there, or upload it");
            continue;
        }
        // Reports from here on belong to the next save.
        publisher.writer.send_if_modified(|writer| {
            if *writer == WriterState::Closed {
                *writer = WriterState::Unknown;
            }
            false
        });
        publisher.publish_file().await;
    }
}

/// Waits until the writer closed the file; without a report, until the file did not change for a longer time.
async fn wait_for_writer(file: &Path, quiet: Duration, writer: &mut channel::Receiver<WriterState>) {
    let began = Instant::now();
    let mut is_logged = false;
    loop {
        let before = Stamp::of(file).await;
        let state = *writer.borrow_and_update();
        let wait = if state == WriterState::Closed { quiet } else { quiet * LONGER };
        if tokio::time::timeout(wait, writer.changed()).await.is_ok() {
            if began.elapsed() > MAX_QUIET_WAIT && *writer.borrow() == WriterState::Closed {
                return;
            }
            continue;
        }
        // Without reports, as on network file systems, only the stamp shows that a copy still grows.
        if Stamp::of(file).await != before {
            continue;
        }
        if state != WriterState::Writing {
            return;
        }
        if !is_logged {
            is_logged = true;
            tracing::warn!(file = %file.display(), "another program has the program file open for writing; it is read when that program closes it");
        }
    }
}

/// Whether the file changed shortly before the start, so that its writer may not be done.
async fn is_recent(publisher: &Publisher, within: Duration) -> bool {
    let Ok(metadata) = tokio::fs::metadata(publisher.file()).await else { return false };
    let age = publisher.clock.now().timestamp().saturating_sub(metadata.mtime());
    u64::try_from(age).is_ok_and(|age| age <= within.as_secs())
}

/// The wait before the next retry, after some failed attempts to store a file.
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

/// Sends changes of the file from a thread of its own. The thread waits for the file system's reports and looks at the file
/// after each poll interval: one wake-up instead of the six that a timer and a blocking task of the runtime cost.
struct Watcher {
    file: PathBuf,
    poll: Duration,
    /// The file's stamp at the last look.
    seen: Option<Stamp>,
    send: channel::Sender<WriterState>,
}

impl Watcher {
    fn start(self) -> io::Result<()> {
        let reports = match Reports::of(&self.file) {
            Ok(reports) => Some(reports),
            Err(error) => {
                tracing::warn!(%error, "the file system reports no changes; the program file is polled");
                None
            }
        };
        std::thread::Builder::new().name("watch".to_owned()).spawn(move || self.run(reports)).map(drop)
    }

    /// Ends within a poll interval after the last receiver is gone.
    fn run(mut self, reports: Option<Reports>) {
        if let Some(reports) = reports
            && let Err(error) = self.receive(&reports)
        {
            self.send.send_replace(WriterState::Unknown);
            tracing::warn!(%error, "the file system reports no more changes; the program file is polled");
        }
        while !self.send.is_closed() {
            std::thread::sleep(self.poll);
            self.look();
        }
    }

    /// Sends a change that the file system did not report.
    fn look(&mut self) {
        let stamp = Stamp::now(&self.file);
        if stamp != self.seen {
            self.seen = stamp;
            self.send.send_modify(|_| {});
        }
    }
}

/// The metadata that a save changes: inode (another file was renamed over it), length, and time of change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    inode: u64,
    length: u64,
    changed: (i64, i64),
}

impl Stamp {
    /// None while there is no file.
    async fn of(file: &Path) -> Option<Self> {
        tokio::fs::metadata(file).await.ok().map(|metadata| Self::from(&metadata))
    }

    /// Like [`Self::of`], for threads that may block.
    fn now(file: &Path) -> Option<Self> {
        std::fs::metadata(file).ok().map(|metadata| Self::from(&metadata))
    }
}

impl From<&Metadata> for Stamp {
    fn from(metadata: &Metadata) -> Self {
        let changed = (metadata.ctime(), metadata.ctime_nsec());
        Self { inode: metadata.ino(), length: metadata.len(), changed }
    }
}

#[cfg(not(target_os = "linux"))]
mod reports {
    use super::{Watcher, io};
    use std::path::Path;

    /// Empty: systems other than Linux are polled.
    pub(super) struct Reports;

    impl Reports {
        pub(super) fn of(_: &Path) -> io::Result<Self> {
            Err(io::ErrorKind::Unsupported.into())
        }
    }

    impl Watcher {
        pub(super) fn receive(&mut self, _: &Reports) -> io::Result<()> {
            Ok(())
        }
    }
}

#[cfg(target_os = "linux")]
mod reports {
    use super::{Watcher, WriterState, io};
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    use rustix::fd::OwnedFd;
    use rustix::fs::inotify::{CreateFlags, ReadFlags, Reader, WatchFlags, add_watch, init};
    use rustix::io::Errno;
    use std::ffi::OsString;
    use std::mem::MaybeUninit;
    use std::os::unix::ffi::OsStrExt;
    use std::path::Path;

    /// The file system's reports about the directory of a file (inotify(7)).
    pub(super) struct Reports {
        inotify: OwnedFd,
        name: OsString,
    }

    impl Reports {
        pub(super) fn of(file: &Path) -> io::Result<Self> {
            let inotify = init(CreateFlags::CLOEXEC)?;
            let moved = WatchFlags::MOVED_FROM | WatchFlags::MOVED_TO;
            let written = WatchFlags::MODIFY | WatchFlags::CLOSE_WRITE;
            let changed = moved | written | WatchFlags::CREATE | WatchFlags::ATTRIB | WatchFlags::DELETE;
            let directory = file.parent().filter(|parent| !parent.as_os_str().is_empty());
            add_watch(&inotify, directory.unwrap_or(Path::new(".")), changed)?;
            Ok(Self { inotify, name: file.file_name().unwrap_or_default().to_owned() })
        }
    }

    impl Watcher {
        /// Sends the reports about the file until the last receiver is gone.
        pub(super) fn receive(&mut self, reports: &Reports) -> io::Result<()> {
            let mut buffer = [MaybeUninit::uninit(); 4096];
            let mut reader = Reader::new(&reports.inotify, &mut buffer);
            let seconds = i64::try_from(self.poll.as_secs()).unwrap_or(i64::MAX);
            let timeout = Timespec { tv_sec: seconds, tv_nsec: self.poll.subsec_nanos().into() };
            let mut is_reported = false;
            while !self.send.is_closed() {
                if reader.is_buffer_empty() {
                    if std::mem::take(&mut is_reported) {
                        self.seen = super::Stamp::now(&self.file);
                    }
                    match poll(&mut [PollFd::new(&reports.inotify, PollFlags::IN)], Some(&timeout)) {
                        Ok(0) => {
                            self.look();
                            continue;
                        }
                        Ok(_) => {}
                        Err(Errno::INTR) => continue,
                        Err(error) => return Err(error.into()),
                    }
                }
                match reader.next() {
                    // Events were lost; one of them may have concerned the file.
                    Ok(event) if event.events().contains(ReadFlags::QUEUE_OVERFLOW) => {
                        self.send.send_replace(WriterState::Unknown);
                    }
                    // Other files of the directory may change often.
                    Ok(event)
                        if event
                            .file_name()
                            .is_some_and(|name| name.to_bytes() == reports.name.as_bytes()) =>
                    {
                        let events = event.events();
                        is_reported = true;
                        self.send.send_modify(|writer| *writer = after(*writer, events));
                    }
                    Ok(_) | Err(Errno::INTR) => {}
                    Err(error) => return Err(error.into()),
                }
            }
            Ok(())
        }
    }

    /// The writer's state after an event.
    fn after(writer: WriterState, events: ReadFlags) -> WriterState {
        if events.intersects(ReadFlags::CLOSE_WRITE | ReadFlags::MOVED_TO) {
            WriterState::Closed
        } else if events.contains(ReadFlags::MODIFY) {
            WriterState::Writing
        } else if events.contains(ReadFlags::ATTRIB) && writer != WriterState::Writing {
            // The file was made readable, or touched.
            WriterState::Closed
        } else if events.intersects(ReadFlags::CREATE | ReadFlags::DELETE | ReadFlags::MOVED_FROM) {
            // No writer closes a new hard link. After a deletion or a rename, the name belongs to another file or to
            // none.
            WriterState::Unknown
        } else {
            writer
        }
    }
}

use reports::Reports;

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
        let (send, mut events) = channel::channel(WriterState::Unknown);
        let hour = Duration::from_secs(3600);
        let watcher = Watcher { file: file.clone(), poll: hour, seen: None, send };
        watcher.start().unwrap();
        let mut reported = |change: &mut dyn FnMut() -> io::Result<()>| {
            change().unwrap();
            sleep(MOMENT);
            let is_reported = events.has_changed().unwrap();
            is_reported.then(|| *events.borrow_and_update())
        };
        assert_eq!(reported(&mut || write(&file, "1")), Some(WriterState::Closed), "made");
        let mut open: Option<File> = None;
        let mut append = || {
            let mut file = OpenOptions::new().append(true).open(&file)?;
            file.write_all(b"2")?;
            open = Some(file);
            Ok(())
        };
        assert_eq!(reported(&mut append), Some(WriterState::Writing), "appended to, and still open");
        let readable = || set_permissions(&file, Permissions::from_mode(0o600));
        assert_eq!(reported(&mut || readable()), Some(WriterState::Writing), "touched meanwhile");
        assert_eq!(reported(&mut || std::fs::read(&file).map(drop)), None, "read");
        assert_eq!(
            reported(&mut || {
                drop(open.take());
                Ok(())
            }),
            Some(WriterState::Closed),
            "closed"
        );
        assert_eq!(reported(&mut || write(&other, "3")), None, "another");
        assert_eq!(reported(&mut || rename(&other, &file)), Some(WriterState::Closed), "replaced");
        assert_eq!(reported(&mut || readable()), Some(WriterState::Closed), "made readable");
        assert_eq!(reported(&mut || rename(&file, &other)), Some(WriterState::Unknown), "moved away");
        assert_eq!(reported(&mut || hard_link(&other, &file)), Some(WriterState::Unknown), "linked");
        assert_eq!(reported(&mut || remove_file(&other)), None, "another is gone");
        assert!(Reports::of(&dir.path().join("nowhere/program.csv")).is_err());
    }

    #[test]
    fn a_save_that_is_not_reported_is_found_by_the_poll() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("program.csv");
        let (send, mut events) = channel::channel(WriterState::Unknown);
        let watcher = Watcher { file: file.clone(), poll: MOMENT / 5, seen: None, send };
        let thread = std::thread::spawn(move || watcher.run(None));
        sleep(MOMENT);
        assert!(!events.has_changed().unwrap(), "no file, no change");
        write(&file, "1").unwrap();
        sleep(MOMENT);
        assert!(events.has_changed().unwrap());
        assert_eq!(*events.borrow_and_update(), WriterState::Unknown);
        sleep(MOMENT);
        assert!(!events.has_changed().unwrap(), "one save is found once");
        drop(events);
        thread.join().unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn a_writer_that_pauses_is_waited_for() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("program.csv");
        let quiet = Duration::from_millis(300);
        for (reported, expected) in [(WriterState::Closed, quiet), (WriterState::Unknown, quiet * LONGER)] {
            let (_send, mut writer) = channel::channel(reported);
            let began = Instant::now();
            wait_for_writer(&file, quiet, &mut writer).await;
            assert_eq!(began.elapsed(), expected, "{reported:?}");
        }
        let (send, mut writer) = channel::channel(WriterState::Writing);
        let mut wait = std::pin::pin!(wait_for_writer(&file, quiet, &mut writer));
        let hour = Duration::from_secs(3600);
        assert!(tokio::time::timeout(hour, wait.as_mut()).await.is_err(), "open for an hour");
        send.send_replace(WriterState::Closed);
        assert!(tokio::time::timeout(2 * quiet, wait.as_mut()).await.is_ok(), "closed");
    }

    #[tokio::test(start_paused = true)]
    async fn a_file_that_is_saved_without_end_is_read_after_ten_seconds() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("program.csv");
        let (send, mut writer) = channel::channel(WriterState::Closed);
        let save = async {
            loop {
                tokio::time::sleep(Duration::from_millis(100)).await;
                send.send_replace(WriterState::Closed);
            }
        };
        tokio::select! {
            () = wait_for_writer(&file, Duration::from_millis(300), &mut writer) => {}
            () = save => {}
            () = tokio::time::sleep(MAX_QUIET_WAIT * 2) => panic!("it was never read"),
        }
    }

    #[test]
    fn retries_wait_longer_each_time_up_to_thirty_seconds() {
        let delays: Vec<u64> = [1, 2, 3, 6, 100].map(|attempts| delay(attempts).as_secs()).to_vec();
        assert_eq!(delays, [1, 2, 4, 30, 30]);
    }
}
