//! Watches the program file: a saved change is taken in after a moment of quiet.
//!
//! The directory is watched, not the file, since editors replace files. A poll beside it serves network file
//! systems, which report nothing. Whatever the event, the file's digest decides whether there is news, so
//! editors' temporary files and touched timestamps cost one look.

use super::Publisher;
use notify::{RecursiveMode, Watcher};
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
    let (send, mut events) = mpsc::channel(1);
    let settings = publisher.setup.settings.clone();
    let directory = directory_of(publisher.file());
    let name = publisher.file().file_name().map(ToOwned::to_owned);
    let hear = move |event: notify::Result<notify::Event>| {
        // Other files of the directory may change all the time.
        let concerns = |event: notify::Event| {
            !event.kind.is_access() && event.paths.iter().any(|path| path.file_name() == name.as_deref())
        };
        if event.is_ok_and(concerns) {
            let _ = send.try_send(()); // one is enough: the file is read after the quiet
        }
    };
    // Kept alive by this binding; without it there is the poll.
    let watcher = notify::recommended_watcher(hear).and_then(|mut watcher| {
        watcher.watch(&directory, RecursiveMode::NonRecursive)?;
        Ok(watcher)
    });
    if let Err(error) = &watcher {
        tracing::warn!(%error, "the file system reports no changes; the program file is polled");
    }
    let mut seen = stamp(publisher.file()).await;
    // After the watcher and the stamp: between a look before them and the first of them a saved file went unseen.
    publisher.catch_up().await;
    let mut poll = tokio::time::interval(Duration::from_secs(settings.poll_s.max(1)));
    poll.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            event = events.recv(), if watcher.is_ok() => if event.is_none() { return },
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
