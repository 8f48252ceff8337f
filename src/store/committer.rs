//! The commit thread: the only writer of the database.
//!
//! It takes what is waiting, writes it as one batch, waits until that is on disk, and only then answers
//! anybody of the group, those with a conflict too: whoever reads again after a conflict finds the state that
//! it conflicts with. The first failed write or sync ends all acknowledging until the database was opened
//! anew. That is tried at once, since a failed sled serves reads no longer either, with the room of the
//! ballast where the disk is full; writes are taken again when the ballast could be laid again.

use super::cell::Space;
use super::engine::{Engine, EngineError, drop_ballast, lay_ballast};
use super::plan::{Changes, Plan, PlanError};
use super::view::{self, View};
use super::{CommitError, Options, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

const FIRST_RETRY: Duration = Duration::from_millis(100);
/// Well under the 5 s in which writes have to work again after space came back.
const LAST_RETRY: Duration = Duration::from_secs(1);

/// What the thread shares with readers.
pub(super) struct Shared {
    pub(super) view: RwLock<View>,
    pub(super) space: Space,
    pub(super) dir: PathBuf,
    pub(super) options: Options,
    pub(super) pulse: Pulse,
}

/// How the thread is doing.
#[derive(Default)]
pub(super) struct Pulse {
    pub(super) has_failed: AtomicBool,
    pub(super) acknowledged: AtomicU64,
    /// Commits that wait for an answer.
    pub(super) pending: AtomicUsize,
    /// When the first of the group in flight came in.
    pub(super) oldest: Mutex<Option<Instant>>,
}

impl Pulse {
    fn set_oldest(&self, at: Option<Instant>) {
        *self.oldest.lock().unwrap_or_else(PoisonError::into_inner) = at;
    }
}

/// One commit on its way.
pub(super) struct Job {
    pub(super) writes: Vec<Write>,
    pub(super) reply: Reply,
    pub(super) at: Instant,
}

/// Who waits for it.
pub(super) enum Reply {
    Task(oneshot::Sender<Result<(), CommitError>>),
    Thread(SyncSender<Result<(), CommitError>>),
}

impl Reply {
    /// Whoever waited may have gone; the write stays.
    fn send(self, result: Result<(), CommitError>) {
        match self {
            Self::Task(sender) => drop(sender.send(result)),
            Self::Thread(sender) => drop(sender.try_send(result)),
        }
    }
}

struct Failure {
    error: EngineError,
    wait: Duration,
    next_try: Instant,
}

impl Failure {
    fn answer(&self) -> CommitError {
        match &self.error {
            EngineError::Full => CommitError::Full,
            EngineError::Failed(cause) => {
                CommitError::Unavailable(format!("an earlier write failed: {cause}"))
            }
        }
    }
}

pub(super) struct Committer {
    shared: Arc<Shared>,
    /// None after an attempt to reopen it failed.
    engine: Option<Engine>,
    failure: Option<Failure>,
    /// A failed engine serves nothing any more.
    needs_reopening: bool,
}

impl Committer {
    /// A store that was opened on a full disk begins with that failure: it can be read.
    pub(super) fn new(shared: Arc<Shared>, engine: Engine, failure: Option<EngineError>) -> Self {
        let failure = failure.map(|error| {
            shared.pulse.has_failed.store(true, Ordering::Relaxed);
            Failure { error, wait: FIRST_RETRY, next_try: Instant::now() + FIRST_RETRY }
        });
        Self { shared, engine: Some(engine), failure, needs_reopening: false }
    }

    /// Serves until every sender is gone, then closes the database.
    pub(super) fn run(mut self, jobs: &Receiver<Job>) {
        loop {
            let first = match &self.failure {
                None => jobs.recv().map_err(|_| RecvTimeoutError::Disconnected),
                Some(failure) => {
                    jobs.recv_timeout(failure.next_try.saturating_duration_since(Instant::now()))
                }
            };
            let mut group = match first {
                Ok(job) => vec![job],
                Err(RecvTimeoutError::Timeout) => Vec::new(),
                Err(RecvTimeoutError::Disconnected) => break,
            };
            group.extend(jobs.try_iter().take(self.shared.options.group.saturating_sub(group.len())));
            self.shared.pulse.set_oldest(group.first().map(|job| job.at));
            let (writes, replies): (Vec<_>, Vec<_>) =
                group.into_iter().map(|job| (job.writes, job.reply)).unzip();
            // A panic of our own must not leave a store that neither writes nor says so.
            let served = catch_unwind(AssertUnwindSafe(|| self.serve(&writes)));
            let results = served.unwrap_or_else(|_| {
                let answer = self.fail(EngineError::Failed("the commit thread panicked".to_owned()));
                vec![Err(answer); writes.len()]
            });
            self.shared.pulse.set_oldest(None);
            for (reply, result) in replies.into_iter().zip(results) {
                self.shared.pulse.pending.fetch_sub(1, Ordering::Relaxed);
                if result.is_ok() {
                    self.shared.pulse.acknowledged.fetch_add(1, Ordering::Relaxed);
                }
                reply.send(result);
            }
        }
        self.close();
    }

    fn serve(&mut self, group: &[Vec<Write>]) -> Vec<Result<(), CommitError>> {
        if self.failure.as_ref().is_some_and(|failure| failure.next_try <= Instant::now()) {
            self.recover();
        }
        let refuse = |answer: &CommitError| vec![Err(answer.clone()); group.len()];
        if let Some(failure) = &self.failure {
            return refuse(&failure.answer());
        }
        let Some(engine) = self.engine.clone() else {
            return refuse(&CommitError::Unavailable("the store is not open".to_owned()));
        };
        let mut changes = Changes::new();
        let results = group.iter().map(|writes| {
            let plan = Plan::new(&self.shared.space, &changes, |key: &[u8]| Ok(engine.value(key)?));
            match plan.commit(writes) {
                Ok(own) => {
                    changes.extend(own);
                    Ok(())
                }
                Err(PlanError::Refused(error)) => Err(error),
                Err(PlanError::Unreadable(error)) => {
                    tracing::error!(%error, "a commit is refused, since a record that it needs cannot be read");
                    Err(CommitError::Unavailable(error.to_string()))
                }
            }
        });
        let results: Vec<_> = results.collect();
        match self.write(&engine, &changes) {
            Ok(()) => results,
            Err(error) => {
                drop(engine); // or its lock would outlive it
                refuse(&self.fail(error))
            }
        }
    }

    /// Hides the group from readers, writes it, and shows it when it is on disk.
    fn write(&self, engine: &Engine, changes: &Changes) -> Result<(), EngineError> {
        if changes.is_empty() {
            return Ok(());
        }
        let before: Result<Changes, EngineError> =
            changes.keys().map(|key| Ok((key.clone(), engine.value(key)?))).collect();
        view::write(&self.shared.view).before = before?;
        engine.write(changes)?;
        let written = std::mem::take(&mut view::write(&self.shared.view).before);
        drop(written); // after the lock: a release's is long
        Ok(())
    }

    /// Ends acknowledging, and tries to get over it. Gives the answer to the group that met the failure.
    fn fail(&mut self, error: EngineError) -> CommitError {
        tracing::error!(%error, "a write failed; the store takes none until it was reopened");
        self.shared.pulse.has_failed.store(true, Ordering::Relaxed);
        let failure = Failure { error, wait: FIRST_RETRY / 2, next_try: Instant::now() };
        let answer = failure.answer();
        self.failure = Some(failure);
        self.needs_reopening = true;
        self.recover();
        answer
    }

    fn recover(&mut self) {
        let reopened = if self.needs_reopening { self.reopen() } else { Ok(()) };
        match (reopened.and_then(|()| lay_ballast(&self.shared.dir)), &mut self.failure) {
            (Ok(()), _) => {
                self.failure = None;
                self.shared.pulse.has_failed.store(false, Ordering::Relaxed);
                tracing::info!("the store takes writes again");
            }
            (Err(error), Some(failure)) => {
                tracing::debug!(%error, "the store takes no writes yet");
                failure.error = error;
                failure.wait = (failure.wait * 2).min(LAST_RETRY);
                failure.next_try = Instant::now() + failure.wait;
            }
            (Err(_), None) => {}
        }
    }

    /// Opens the database anew. Readers wait for it: there is none to read from meanwhile, since sled locks
    /// its directory. What was in flight is then on disk as a whole or gone, so nothing is hidden any more.
    fn reopen(&mut self) -> Result<(), EngineError> {
        let mut view = view::write(&self.shared.view);
        view.before = Changes::new();
        for engine in [self.engine.take(), view.engine.take()].into_iter().flatten() {
            engine.close();
        }
        if self.failure.as_ref().is_some_and(|failure| failure.error == EngineError::Full) {
            drop_ballast(&self.shared.dir);
        }
        let engine = Engine::open(&self.shared.dir, self.shared.options.cache_bytes)?;
        view.engine = Some(engine.clone());
        self.engine = Some(engine);
        self.needs_reopening = false;
        Ok(())
    }

    fn close(&mut self) {
        let mut view = view::write(&self.shared.view);
        for engine in [self.engine.take(), view.engine.take()].into_iter().flatten() {
            engine.close();
        }
    }
}
