//! Closing a store: both threads end, and then the directory is anybody's again.

use super::committer::Job;
use super::keeper::Order;
use super::shared::Pulse;
use std::fs::File;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Sender, SyncSender};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// For sled to let go. One whose write failed may wait for it for ever; the journal has it all.
const CLOSING: Duration = Duration::from_secs(5);

/// The way to an open store's threads, and its lock.
pub(super) struct Door {
    pub(super) jobs: SyncSender<Job>,
    pub(super) thread: JoinHandle<()>,
    pub(super) orders: Sender<Order>,
    pub(super) keeper: JoinHandle<()>,
    /// Locked for as long as it lives. sled locks `db` itself, but not before it has touched the directory,
    /// and not while it is reopened. The threads compare it with what has its name, so it goes after them.
    pub(super) lock: File,
}

impl Door {
    /// Answers what is waiting and lets the database go; the lock goes last.
    pub(super) fn close(self, pulse: &Pulse) {
        let Self { jobs, thread, orders, keeper, lock } = self;
        pulse.is_stopping.store(true, Ordering::Relaxed);
        drop((jobs, orders));
        let deadline = Instant::now() + CLOSING;
        for (thread, name) in [(keeper, "the keeper of checkpoints"), (thread, "the commit thread")] {
            while !thread.is_finished() {
                if Instant::now() > deadline {
                    tracing::error!("{name} does not end; the next start finds everything in the journal");
                    // Whoever opens the directory now must wait for the end of this process.
                    std::mem::forget(lock);
                    return;
                }
                std::thread::sleep(Duration::from_millis(1));
            }
            if thread.join().is_err() {
                tracing::error!("{name} panicked");
            }
        }
        drop(lock);
    }
}
