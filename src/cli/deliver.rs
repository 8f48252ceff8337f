//! `callboard deliver`: the only process that sends. Claims deliveries from the server, sends many at a time, and
//! reports the results.
//!
//! ```text
//! server --claim--> queue --workers--> receivers
//!    ^                       |
//!    +------- report --------+
//! ```
//!
//! If this process is killed, its claims end after two minutes and are claimed again. SIGTERM ends it cleanly: what was
//! not begun goes back, what was begun is finished and reported.

pub(super) mod link;
mod sender;

use super::control::has_no_server;
use super::exit::{Exit, Failure};
use super::settings::Settings;
use crate::reach::{ClaimedMessage, Outcome, SendResult, Settled};
use link::{Answer, Link, Request};
use sender::Sender;
use std::collections::{HashMap, VecDeque};
use std::io::{self, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tokio::signal::unix::{SignalKind, signal};

/// How many messages are sent at a time.
const WORKERS: usize = 32;

/// How many of them go to one host, so that one that hangs leaves room for the others.
const PER_HOST: usize = 24;

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
    let data = config.data;
    if options.retry {
        let retried = match ask(&data, &Request::RetryGivenUp)? {
            Answer::Retried(retried) => retried,
            _ => 0,
        };
        let _ = writeln!(io::stdout().lock(), "{retried} to be retried");
    }
    let run = Arc::new(Run { data, state: Mutex::default(), changed: Condvar::new() });
    run.stop_on_signals()?;
    let sender = Arc::new(Sender::new(WORKERS, allow_networks));
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
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    queue: VecDeque<ClaimedMessage>,
    /// Messages being sent, by host.
    active: HashMap<String, usize>,
    /// Results that the server does not have yet.
    outcomes: Vec<Outcome>,
    /// Results that are being reported.
    reporting: usize,
    settled: Settled,
    /// The socket of the claim that waits on the server.
    claiming: Option<UnixStream>,
    burst: Option<Burst>,
    is_stopping: bool,
    /// No more messages follow, so the reporter ends with the last result.
    is_done: bool,
}

/// A run of deliveries between two times at which nothing waits. The log reports it when it ends.
#[derive(Debug, Clone, Copy)]
struct Burst {
    began: Instant,
    before: Settled,
}

impl State {
    fn sending(&self) -> usize {
        self.active.values().sum()
    }

    fn is_idle(&self) -> bool {
        self.queue.is_empty() && self.active.is_empty() && self.outcomes.is_empty() && self.reporting == 0
    }

    /// Takes the first message whose host has room.
    fn take(&mut self) -> Option<ClaimedMessage> {
        let has_room =
            |one: &ClaimedMessage| self.active.get(&one.host).is_none_or(|active| *active < PER_HOST);
        let place = self.queue.iter().position(has_room)?;
        let message = self.queue.remove(place)?;
        *self.active.entry(message.host.clone()).or_default() += 1;
        Some(message)
    }

    fn finish(&mut self, message: ClaimedMessage, result: SendResult) {
        if let Some(active) = self.active.get_mut(&message.host) {
            *active -= 1;
            if *active == 0 {
                self.active.remove(&message.host);
            }
        }
        self.report(message, result);
    }

    fn report(&mut self, message: ClaimedMessage, result: SendResult) {
        let ClaimedMessage { id, claim, release, .. } = message;
        self.outcomes.push(Outcome { id, claim, release, result });
    }

    /// Hosts with enough messages here.
    fn busy(&self) -> Vec<String> {
        let mut hosts: HashMap<&str, usize> = HashMap::new();
        for message in &self.queue {
            *hosts.entry(&message.host).or_default() += 1;
        }
        hosts
            .into_iter()
            .filter(|(_, count)| *count >= 2 * PER_HOST)
            .map(|(host, _)| host.to_owned())
            .collect()
    }
}

impl Run {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait_while<'a>(
        &self,
        state: MutexGuard<'a, State>,
        patience: Duration,
        condition: impl FnMut(&mut State) -> bool,
    ) -> MutexGuard<'a, State> {
        let waited = self.changed.wait_timeout_while(state, patience, condition);
        waited.unwrap_or_else(PoisonError::into_inner).0
    }

    /// Stops the run at SIGTERM and SIGINT.
    fn stop_on_signals(self: &Arc<Self>) -> Result<(), Failure> {
        let failed = |error: io::Error| Failure::new(Exit::Failed, &error);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
        let (mut term, mut interrupt) = {
            let _entered = runtime.enter();
            (
                signal(SignalKind::terminate()).map_err(failed)?,
                signal(SignalKind::interrupt()).map_err(failed)?,
            )
        };
        let run = Arc::clone(self);
        spawn("signals", move || {
            runtime.block_on(async {
                tokio::select! {
                    _ = term.recv() => {}
                    _ = interrupt.recv() => {}
                }
            });
            tracing::info!("stopping: messages that are being sent are finished");
            let mut state = run.state();
            state.is_stopping = true;
            // A claim may wait on the server for seconds. The server takes back what it cannot answer.
            if let Some(socket) = state.claiming.take() {
                let _ = socket.shutdown(Shutdown::Both);
            }
            run.changed.notify_all();
        })?;
        Ok(())
    }

    /// Claims messages until the run stops or, if `once` is set, until none is due.
    fn claim(&self, once: bool) -> Result<(), Failure> {
        let (mut link, mut is_warned) = (None, false);
        loop {
            let (limit, busy) = {
                let state = self.state();
                let is_full = |state: &mut State| !state.is_stopping && state.queue.len() > QUEUE / 2;
                let state = self.wait_while(state, Duration::MAX, is_full);
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
                    state.queue.extend(messages);
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
                    if !std::mem::replace(&mut is_warned, true) {
                        tracing::warn!(%error, "waiting for the server of {}", self.data.display());
                    }
                    let state = self.state();
                    drop(self.wait_while(state, RECONNECT, |state| !state.is_stopping));
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
            let Some(claimed) = state.take() else {
                if state.is_done {
                    return;
                }
                state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            drop(state);
            let result = sender.send(&claimed.message);
            if let SendResult::Failed { .. } | SendResult::Answered { status: 300.., .. } = result {
                let (id, host) = (&claimed.id, &claimed.host);
                tracing::warn!(id, host, %result, "not delivered");
            }
            state = self.state();
            state.finish(claimed, result);
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
                    state.settled.add(settled);
                    state.log_burst();
                    self.changed.notify_all();
                    given_up_at = None;
                }
                Err(error) => {
                    link = None;
                    state.outcomes.splice(0..0, outcomes);
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
        for message in std::mem::take(&mut state.queue) {
            state.report(message, SendResult::Returned);
        }
        self.changed.notify_all();
        let mut state = self.wait_while(state, DRAIN, |state| state.sending() > 0);
        state.is_done = true;
        self.changed.notify_all();
    }
}

impl State {
    /// Logs what a burst came to once everything is sent and reported.
    fn log_burst(&mut self) {
        if !self.is_idle() {
            return;
        }
        if let Some(Burst { began, before }) = self.burst.take() {
            let Settled { delivered, waiting, given_up, dropped } = self.settled;
            let seconds = (began.elapsed().as_secs_f64() * 10.0).round() / 10.0;
            tracing::info!(
                delivered = delivered - before.delivered,
                retried_later = waiting - before.waiting,
                given_up = given_up - before.given_up,
                dropped = dropped - before.dropped,
                seconds,
                "delivered"
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reach::{Body, Guard, Message};

    fn message(n: usize, host: &str) -> ClaimedMessage {
        let message = Message {
            url: format!("https://{host}/"),
            headers: Vec::new(),
            body: Body::Text(String::new()),
            guard: Guard::Sign("secret".into()),
        };
        ClaimedMessage { id: n.to_string(), claim: 1, release: 1, host: host.to_owned(), message }
    }

    #[test]
    fn a_host_that_hangs_leaves_workers_to_the_others() {
        let mut state = State::default();
        state.queue.extend((0..100).map(|n| message(n, "slow.example")));
        state.queue.push_back(message(100, "quick.example"));
        let taken: Vec<ClaimedMessage> = std::iter::from_fn(|| state.take()).collect();
        assert_eq!(taken.len(), PER_HOST + 1);
        assert_eq!(taken[PER_HOST].host, "quick.example");
        assert_eq!(state.busy(), ["slow.example"]);
        for one in taken {
            state.finish(one, SendResult::Returned);
        }
        assert_eq!((state.sending(), state.outcomes.len()), (0, PER_HOST + 1));
        assert!(state.take().is_some());
    }
}
