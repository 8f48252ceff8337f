//! `callboard deliver`: the only process that sends. Claims deliveries from the server, sends many at a time, and
//! reports the results.
//!
//! ```text
//! server --claim--> queue --workers--> receivers
//!    ^                       |
//!    +------- report --------+
//! ```
//!
//! This process records its claims, attempts and results in a file ([`attempts`]). If it is killed, the next process
//! reports them first: messages that were not begun are sent at once, and messages with a result are not sent again. A
//! push message that was being sent may have arrived. It is sent a second time; if that attempt is interrupted too, it
//! counts as delivered. So no push message arrives more than twice, however often server and sender are killed. It is
//! lost only if both attempts were cut off after their first byte and the push service accepted neither.
//!
//! SIGTERM ends the process cleanly: messages that were not begun go back to the server, and attempts in progress are
//! finished and reported.

mod attempts;
pub(super) mod link;
mod sender;
mod state;

use super::control::has_no_server;
use super::exit::{Exit, Failure};
use super::settings::Settings;
use super::signals::on_stop;
use crate::reach::{ClaimedMessage, Outcome, SendResult, Settled};
use attempts::Attempts;
use link::{Answer, Link, Request};
use sender::Sender;
pub(super) use sender::seconds;
use state::{Burst, QueuedMessage, State};
use std::io::{self, Write};
use std::net::Shutdown;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How many messages are sent at a time.
const WORKERS: usize = 32;

/// How many claimed messages wait for a worker.
const QUEUE: usize = 4 * WORKERS;

/// How long a claim waits on the server.
const CLAIM_WAIT: Duration = Duration::from_secs(10);

/// How long a claim waits while some hosts are left out of it.
const SHORT_CLAIM_WAIT: Duration = Duration::from_millis(200);

/// The pause after a failed request to the server.
const RECONNECT: Duration = Duration::from_secs(1);

/// How long results are collected before they are reported together.
const COLLECT: Duration = Duration::from_millis(20);

/// How long a stop waits for the messages that are being sent.
const DRAIN: Duration = Duration::from_secs(20);

/// What `callboard deliver` is to do.
#[derive(Debug, Clone, Copy, Default, clap::Args)]
pub(super) struct Options {
    /// Send what is due and exit, for timers and cron; exits 1 if a delivery was given up
    #[arg(long)]
    once: bool,
    /// Retry the deliveries that were given up
    #[arg(long)]
    retry: bool,
}

pub(super) fn deliver(settings: &Settings, options: Options) -> Result<Exit, Failure> {
    let config = settings.config()?;
    let allow_networks = config.push.map(|push| push.allow_networks).unwrap_or_default();
    let mail = config.mail;
    let data = config.data;
    if options.retry {
        let retried = match ask(&data, &Request::RetryGivenUp)? {
            Answer::Retried(retried) => retried,
            _ => 0,
        };
        let _ = writeln!(io::stdout().lock(), "{retried} to be retried");
    }
    let (attempts, left) = open_attempts(&data);
    let run = Arc::new(Run {
        data,
        attempts: Arc::new(attempts),
        state: Mutex::default(),
        changed: Condvar::new(),
    });
    run.stop_on_signals()?;
    run.report_left(&left, options.once)?;
    let sender = Arc::new(Sender::new(WORKERS, allow_networks, mail));
    for _ in 0..WORKERS {
        let (run, sender) = (Arc::clone(&run), Arc::clone(&sender));
        spawn("send", move || run.work(&sender))?;
    }
    let reporter = spawn("report", {
        let run = Arc::clone(&run);
        move || run.report()
    })?;
    let claimed = run.claim(options.once);
    run.drain();
    let _ = reporter.join();
    sender.close();
    claimed?;
    let settled = run.state().settled;
    if options.once {
        let waiting = match ask(&run.data, &Request::Count)? {
            Answer::Counted { waiting, .. } => waiting,
            _ => 0,
        };
        let Settled { delivered, given_up, .. } = settled;
        let text = format!("{delivered} delivered, {waiting} waiting, {given_up} given up");
        let _ = writeln!(io::stdout().lock(), "{text}");
        return Ok(if given_up == 0 { Exit::Done } else { Exit::Failed });
    }
    Ok(Exit::Done)
}

/// The file of this process, and what killed senders left. systemd passes a directory of the service; without it, the
/// file is in the data directory.
fn open_attempts(data: &Path) -> (Attempts, Vec<Outcome>) {
    let state = std::env::var_os("STATE_DIRECTORY").filter(|dir| !dir.is_empty());
    let dir = state.map_or_else(|| data.to_owned(), PathBuf::from);
    Attempts::open(&dir).unwrap_or_else(|error| {
        let dir = dir.display();
        tracing::warn!(%error, "{dir} cannot be written; after a crash, messages wait for two minutes and may arrive more than twice");
        (Attempts::none(), Vec::new())
    })
}

fn ask(data: &Path, request: &Request) -> Result<Answer, Failure> {
    Link::open(data).and_then(|mut link| link.ask(request)).map_err(|error| no_answer(data, &error))
}

fn no_answer(data: &Path, error: &io::Error) -> Failure {
    let data = data.display();
    let text = if has_no_server(error) {
        format!("no server of {data} runs; its deliveries wait until it does")
    } else {
        format!("the server of {data} did not answer: {error}")
    };
    Failure::text(Exit::Failed, text)
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, Failure> {
    let thread = std::thread::Builder::new().name(name.to_owned()).spawn(work);
    thread.map_err(|error| Failure::new(Exit::Failed, &error))
}

/// One run of the command, shared by its threads.
struct Run {
    data: PathBuf,
    attempts: Arc<Attempts>,
    state: Mutex<State>,
    changed: Condvar,
}

impl Run {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait_while<'a>(
        &self,
        state: MutexGuard<'a, State>,
        timeout: Duration,
        condition: impl FnMut(&mut State) -> bool,
    ) -> MutexGuard<'a, State> {
        let waited = self.changed.wait_timeout_while(state, timeout, condition);
        waited.unwrap_or_else(PoisonError::into_inner).0
    }

    /// Stops the run at SIGTERM and SIGINT.
    fn stop_on_signals(self: &Arc<Self>) -> Result<(), Failure> {
        let run = Arc::clone(self);
        on_stop(move || {
            tracing::info!("stopping: messages that are being sent are finished");
            let mut state = run.state();
            state.is_stopping = true;
            // A claim may wait on the server for seconds. The server takes back what it cannot answer.
            if let Some(socket) = state.claiming.take() {
                let _ = socket.shutdown(Shutdown::Both);
            }
            run.changed.notify_all();
        })
    }

    /// Reports what killed senders left, before anything is claimed again. Waits for the server, unless `once` is set.
    fn report_left(&self, left: &[Outcome], once: bool) -> Result<(), Failure> {
        if left.is_empty() {
            return Ok(());
        }
        let count = |result: &SendResult| left.iter().filter(|one| one.result == *result).count();
        let (returned, interrupted) = (count(&SendResult::Returned), count(&SendResult::Interrupted));
        tracing::info!(returned, interrupted, "an earlier sender was killed");
        let mut is_warned = false;
        while !self.state().is_stopping {
            match self.settle(&mut None, left) {
                Ok(settled) => {
                    self.state().settled.add(settled);
                    self.attempts.clear();
                    break;
                }
                Err(error) if once => return Err(no_answer(&self.data, &error)),
                Err(error) => self.pause(&error, &mut is_warned),
            }
        }
        Ok(())
    }

    /// Waits a moment for a server that does not answer. Logs the first of several failures.
    fn pause(&self, error: &io::Error, is_warned: &mut bool) {
        if !std::mem::replace(is_warned, true) {
            tracing::warn!(%error, "waiting for the server of {}", self.data.display());
        }
        drop(self.wait_while(self.state(), RECONNECT, |state| !state.is_stopping));
    }

    /// Claims messages until the run stops or, if `once` is set, until none is due.
    fn claim(&self, once: bool) -> Result<(), Failure> {
        let (mut link, mut is_warned) = (None, false);
        loop {
            let (limit, busy) = {
                let state = self.state();
                let must_wait = |state: &mut State| {
                    let is_full = state.queue.len() > QUEUE / 2;
                    !state.is_stopping && (is_full || (state.is_unreported && !once))
                };
                let state = self.wait_while(state, Duration::MAX, must_wait);
                if state.is_stopping {
                    return Ok(());
                }
                (QUEUE - state.queue.len(), state.busy())
            };
            let wait = match (once, busy.is_empty()) {
                (true, _) => Duration::ZERO,
                (false, true) => CLAIM_WAIT,
                (false, false) => SHORT_CLAIM_WAIT,
            };
            let left_out = !busy.is_empty();
            let asked = Instant::now();
            match self.claim_from(&mut link, limit, busy, wait) {
                Ok(messages) => {
                    if std::mem::take(&mut is_warned) {
                        tracing::info!("the server answers again");
                    }
                    let is_over = once && messages.is_empty() && !left_out;
                    let mut state = self.state();
                    if !messages.is_empty() && state.burst.is_none() {
                        state.burst = Some(Burst { began: Instant::now(), before: state.settled });
                    }
                    // With the state locked, so that nobody clears the file between the two.
                    self.attempts.claimed(&messages);
                    state.add(messages, asked);
                    self.changed.notify_all();
                    if once && !is_over && state.queue.is_empty() {
                        continue;
                    }
                    if is_over {
                        // A failed message may be due again, or the server may have made more.
                        let is_busy = |state: &mut State| !state.is_stopping && !state.is_idle();
                        if state.is_idle() {
                            return Ok(());
                        }
                        drop(self.wait_while(state, Duration::MAX, is_busy));
                    } else if once && left_out {
                        drop(self.wait_while(state, SHORT_CLAIM_WAIT, |state| !state.is_stopping));
                    }
                }
                Err(_) if self.state().is_stopping => return Ok(()),
                Err(error) if once => return Err(no_answer(&self.data, &error)),
                Err(error) => {
                    link = None;
                    self.pause(&error, &mut is_warned);
                }
            }
        }
    }

    fn claim_from(
        &self,
        link: &mut Option<Link>,
        limit: usize,
        busy: Vec<String>,
        wait: Duration,
    ) -> io::Result<Vec<ClaimedMessage>> {
        let link = match link {
            Some(link) => link,
            none => none.insert(Link::open(&self.data)?),
        };
        {
            let mut state = self.state();
            if state.is_stopping {
                return Ok(Vec::new());
            }
            state.claiming = Some(link.socket()?);
        }
        let wait_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
        let answer = link.ask(&Request::Claim { limit, busy, wait_ms });
        self.state().claiming = None;
        match answer? {
            Answer::Claimed(messages) => Ok(messages),
            _ => Err(io::Error::other("the server gave another answer")),
        }
    }

    /// Sends messages until the run is over.
    fn work(&self, sender: &Sender) {
        let mut state = self.state();
        loop {
            let reported = state.outcomes.len();
            let taken = state.take(Instant::now());
            if state.outcomes.len() > reported {
                self.changed.notify_all(); // messages go back
            }
            let Some(claimed) = taken else {
                if state.is_done {
                    return;
                }
                state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            drop(state);
            let attempts = Arc::clone(&self.attempts);
            let begun = (claimed.id.clone(), claimed.claim);
            let before = move || attempts.sending(&begun.0, begun.1);
            let result = sender.send(&claimed.message, Box::new(before));
            if let SendResult::Failed { .. }
            | SendResult::NoRecipient { .. }
            | SendResult::Answered { status: 300.., .. } = result
            {
                let (id, host) = (&claimed.id, &claimed.host);
                tracing::warn!(id, host, %result, "not delivered");
            }
            let host = claimed.host.clone();
            let outcome = claimed.outcome(result);
            self.attempts.ended(&outcome);
            state = self.state();
            state.finish(&host, outcome);
            self.changed.notify_all();
        }
    }

    /// Reports results until the run is over and the server has all of them.
    fn report(&self) {
        let mut link = None;
        let mut given_up_at = None;
        loop {
            let outcomes = {
                let state = self.state();
                let has_none = |state: &mut State| state.outcomes.is_empty() && !state.is_done;
                let mut state = self.wait_while(state, Duration::MAX, has_none);
                if state.outcomes.is_empty() {
                    if state.is_idle() {
                        self.attempts.remove();
                    }
                    return;
                }
                if !state.is_done {
                    drop(state);
                    std::thread::sleep(COLLECT);
                    state = self.state();
                }
                state.reporting = state.outcomes.len();
                std::mem::take(&mut state.outcomes)
            };
            let reported = self.settle(&mut link, &outcomes);
            let mut state = self.state();
            state.reporting = 0;
            match reported {
                Ok(settled) => {
                    state.is_unreported = false;
                    state.settled.add(settled);
                    if state.is_idle() {
                        self.attempts.clear();
                    }
                    state.log_burst();
                    self.changed.notify_all();
                    given_up_at = None;
                }
                Err(error) => {
                    link = None;
                    state.outcomes.splice(0..0, outcomes);
                    state.is_unreported = true;
                    let until = *given_up_at.get_or_insert_with(|| Instant::now() + DRAIN);
                    if state.is_done && until <= Instant::now() {
                        let lost = state.outcomes.len();
                        tracing::error!(%error, results = lost, "the server did not take the results; these messages may be sent again");
                        return;
                    }
                    drop(state);
                    std::thread::sleep(RECONNECT);
                }
            }
        }
    }

    fn settle(&self, link: &mut Option<Link>, outcomes: &[Outcome]) -> io::Result<Settled> {
        let link = match link {
            Some(link) => link,
            none => none.insert(Link::open(&self.data)?),
        };
        match link.ask(&Request::Settle(outcomes.to_vec()))? {
            Answer::Settled(settled) => Ok(settled),
            _ => Err(io::Error::other("the server gave another answer")),
        }
    }

    /// Gives back what was not begun, and waits for what was.
    fn drain(&self) {
        let mut state = self.state();
        for QueuedMessage { message, .. } in std::mem::take(&mut state.queue) {
            state.report(message, SendResult::Returned);
        }
        self.changed.notify_all();
        let mut state = self.wait_while(state, DRAIN, |state| state.sending() > 0);
        state.is_done = true;
        self.changed.notify_all();
    }
}
