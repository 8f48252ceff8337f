//! The messages that a sender has claimed, sends and must report.

use crate::reach::{ClaimedMessage, MAIL_HOST, Outcome, SendResult, Settled};
use std::collections::{HashMap, VecDeque};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

/// How many messages go to one host at a time, so that one that hangs leaves room for the others.
const PER_HOST: usize = 24;

/// How many mails are sent at a time. Relays limit the connections of one client.
const MAILS: usize = 8;

/// How long a claimed message may wait for a worker before it goes back. A message must be sent and reported before its
/// claim ends after two minutes: the server would give it out again, and it would be sent twice.
const MAX_QUEUED: Duration = Duration::from_secs(80);

/// The state of one run, shared by its threads.
#[derive(Default)]
pub(super) struct State {
    pub(super) queue: VecDeque<QueuedMessage>,
    /// Messages being sent, by host.
    pub(super) active: HashMap<String, usize>,
    /// Results that the server does not have yet.
    pub(super) outcomes: Vec<Outcome>,
    /// Results that are being reported.
    pub(super) reporting: usize,
    /// Whether the server did not take the last results. Until it does, nothing is claimed: claims that ended meanwhile
    /// would be made again, although their messages have arrived.
    pub(super) is_unreported: bool,
    pub(super) settled: Settled,
    /// The socket of the claim that waits on the server.
    pub(super) claiming: Option<UnixStream>,
    pub(super) burst: Option<Burst>,
    pub(super) is_stopping: bool,
    /// No more messages follow, so the reporter ends with the last result.
    pub(super) is_done: bool,
}

/// A claimed message that waits for a worker.
pub(super) struct QueuedMessage {
    claimed: Instant,
    pub(super) message: ClaimedMessage,
}

/// A run of deliveries between two times at which nothing waits. The log reports it when it ends.
#[derive(Debug, Clone, Copy)]
pub(super) struct Burst {
    pub(super) began: Instant,
    pub(super) before: Settled,
}

/// How many messages go to a host at a time.
fn most_of(host: &str) -> usize {
    if host == MAIL_HOST { MAILS } else { PER_HOST }
}

impl State {
    pub(super) fn sending(&self) -> usize {
        self.active.values().sum()
    }

    pub(super) fn is_idle(&self) -> bool {
        self.queue.is_empty() && self.active.is_empty() && self.outcomes.is_empty() && self.reporting == 0
    }

    /// Adds messages that were claimed at a time. The time is that of the request: the claims began no earlier.
    pub(super) fn add(&mut self, messages: Vec<ClaimedMessage>, claimed: Instant) {
        self.queue.extend(messages.into_iter().map(|message| QueuedMessage { claimed, message }));
    }

    /// Takes the first message whose host has room. Messages that have waited for too long go back.
    pub(super) fn take(&mut self, now: Instant) -> Option<ClaimedMessage> {
        let is_late = |one: &QueuedMessage| now.saturating_duration_since(one.claimed) >= MAX_QUEUED;
        // The queue is in the order of the claims.
        while self.queue.front().is_some_and(is_late) {
            if let Some(QueuedMessage { message, .. }) = self.queue.pop_front() {
                self.report(message, SendResult::Returned);
            }
        }
        let has_room = |one: &QueuedMessage| {
            self.active.get(&one.message.host).is_none_or(|active| *active < most_of(&one.message.host))
        };
        let place = self.queue.iter().position(has_room)?;
        let QueuedMessage { message, .. } = self.queue.remove(place)?;
        *self.active.entry(message.host.clone()).or_default() += 1;
        Some(message)
    }

    /// Takes the result of a message that was taken to be sent to a host.
    pub(super) fn finish(&mut self, host: &str, outcome: Outcome) {
        if let Some(active) = self.active.get_mut(host) {
            *active -= 1;
            if *active == 0 {
                self.active.remove(host);
            }
        }
        self.outcomes.push(outcome);
    }

    pub(super) fn report(&mut self, message: ClaimedMessage, result: SendResult) {
        self.outcomes.push(message.outcome(result));
    }

    /// Hosts with enough messages here.
    pub(super) fn busy(&self) -> Vec<String> {
        let mut hosts: HashMap<&str, usize> = HashMap::new();
        for QueuedMessage { message, .. } in &self.queue {
            *hosts.entry(&message.host).or_default() += 1;
        }
        hosts
            .into_iter()
            .filter(|(_, count)| *count >= 2 * PER_HOST)
            .map(|(host, _)| host.to_owned())
            .collect()
    }

    /// Logs what a burst came to once everything is sent and reported.
    pub(super) fn log_burst(&mut self) {
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
        let now = Instant::now();
        state.add((0..100).map(|n| message(n, "slow.example")).collect(), now);
        state.add(vec![message(100, "quick.example")], now);
        let taken: Vec<ClaimedMessage> = std::iter::from_fn(|| state.take(now)).collect();
        assert_eq!(taken.len(), PER_HOST + 1);
        assert_eq!(taken[PER_HOST].host, "quick.example");
        assert_eq!(state.busy(), ["slow.example"]);
        for one in taken {
            state.finish(&one.host.clone(), one.outcome(SendResult::Returned));
        }
        assert_eq!((state.sending(), state.outcomes.len()), (0, PER_HOST + 1));
        assert!(state.take(now).is_some());
    }

    #[test]
    fn a_message_is_not_sent_so_late_that_its_claim_may_have_ended() {
        let mut state = State::default();
        let now = Instant::now();
        state.add(vec![message(1, "a.example"), message(2, "b.example")], now);
        state.add(vec![message(3, "a.example")], now + Duration::from_secs(60));
        let late = now + MAX_QUEUED;
        assert_eq!(state.take(late).map(|taken| taken.id), Some("3".to_owned()));
        let returned: Vec<&str> = state.outcomes.iter().map(|outcome| outcome.id.as_str()).collect();
        assert_eq!(returned, ["1", "2"]);
        assert!(state.outcomes.iter().all(|outcome| outcome.result == SendResult::Returned));
        assert!(state.queue.is_empty());
    }
}
