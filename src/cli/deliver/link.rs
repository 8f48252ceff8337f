//! The connection between server and sender: JSON lines on the control socket, one answer to each request.
//!
//! The sender claims deliveries, and may wait for them. If the sender is gone when its claim is answered, the
//! server takes the claim back at once.

use crate::cli::control::{DELIVER, request};
use crate::publisher::{ClaimedMessages, Publisher};
use crate::reach::{ClaimedMessage, OutboxError, Outcome, SendResult, Settled};
use serde::{Deserialize, Serialize};
use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

/// The longest time that a claim waits on the server.
const MAX_WAIT: Duration = Duration::from_secs(30);

/// How long either side waits for the other's line. It is longer than the longest wait of a claim.
const TIMEOUT: Duration = Duration::from_secs(60);

/// A request of the sender.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(in crate::cli) enum Request {
    /// Claims deliveries.
    Claim {
        /// The most deliveries.
        limit: usize,
        /// Hosts to leave out.
        busy: Vec<String>,
        /// How long to wait for a delivery, in milliseconds.
        wait_ms: u64,
    },
    /// Reports results.
    Settle(Vec<Outcome>),
    /// Makes the deliveries due that were given up.
    RetryGivenUp,
    /// Counts the deliveries.
    Count,
}

/// The server's answer.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(in crate::cli) enum Answer {
    /// The claimed messages.
    Claimed(Vec<ClaimedMessage>),
    /// What became of the results.
    Settled(Settled),
    /// How many deliveries are due again.
    Retried(usize),
    /// How many deliveries wait, and how many were given up.
    Counted { waiting: usize, given_up: usize },
    /// The server cannot answer now.
    Refused(String),
}

/// Answers a sender until it closes the connection.
pub(in crate::cli) fn serve(publisher: &Publisher, stream: UnixStream) -> io::Result<()> {
    // A sender that waits for nothing may be silent for long, and is noticed when it closes.
    stream.set_read_timeout(None)?;
    stream.set_write_timeout(Some(TIMEOUT))?;
    let mut out = stream.try_clone()?;
    for line in BufReader::new(stream).lines() {
        let request: Request = serde_json::from_str(&line?).map_err(io::Error::other)?;
        let answer = match request {
            Request::Claim { limit, busy, wait_ms } => {
                claim(publisher, limit, &busy, Duration::from_millis(wait_ms).min(MAX_WAIT))
            }
            Request::Settle(outcomes) => publisher.outbox().settle(&outcomes).map(Answer::Settled),
            Request::RetryGivenUp => publisher.outbox().retry_given_up().map(Answer::Retried),
            Request::Count => count(publisher),
        };
        let answer = answer.unwrap_or_else(|error| Answer::Refused(error.to_string()));
        if let Err(error) = write_line(&mut out, &answer) {
            take_back(publisher, answer);
            return Err(error);
        }
    }
    Ok(())
}

/// Claims deliveries, or waits for one to become due.
fn claim(
    publisher: &Publisher,
    limit: usize,
    busy: &[String],
    wait: Duration,
) -> Result<Answer, OutboxError> {
    let outbox = publisher.outbox();
    let until = Instant::now() + wait;
    let mut seen = outbox.wait(0, Duration::ZERO);
    loop {
        let ClaimedMessages { messages, next } = publisher.claim_messages(limit, busy)?;
        let left = until.saturating_duration_since(Instant::now());
        if !messages.is_empty() || left.is_zero() {
            return Ok(Answer::Claimed(messages));
        }
        let next = next.map(|due| (due - outbox.now()).to_std().unwrap_or_default());
        // The clock has whole seconds, so a delivery may be due a moment later than it seems.
        let pause = next.map_or(left, |next| next.max(Duration::from_millis(100)).min(left));
        seen = outbox.wait(seen, pause);
    }
}

fn count(publisher: &Publisher) -> Result<Answer, OutboxError> {
    let counts = publisher.count_deliveries()?;
    Ok(Answer::Counted {
        waiting: counts.values().map(|count| count.waiting).sum(),
        given_up: counts.values().map(|count| count.given_up).sum(),
    })
}

/// Returns the deliveries of a claim that never reached its sender.
fn take_back(publisher: &Publisher, answer: Answer) {
    let Answer::Claimed(messages) = answer else { return };
    let returned = messages.into_iter().map(|message| message.outcome(SendResult::Returned));
    let returned: Vec<Outcome> = returned.collect();
    if let Err(error) = publisher.outbox().settle(&returned) {
        tracing::warn!(%error, "a claim of a sender that is gone lasts until its lease ends");
    }
}

fn write_line(out: &mut UnixStream, value: &impl Serialize) -> io::Result<()> {
    let mut line = serde_json::to_vec(value).map_err(io::Error::other)?;
    line.push(b'\n');
    out.write_all(&line)
}

/// The sender's end of the connection.
#[derive(Debug)]
pub(super) struct Link {
    out: UnixStream,
    answers: BufReader<UnixStream>,
}

impl Link {
    /// Connects to the server of a data directory.
    pub(super) fn open(data: &Path) -> io::Result<Self> {
        let out = request(data, DELIVER)?;
        out.set_write_timeout(Some(TIMEOUT))?;
        out.set_read_timeout(Some(TIMEOUT))?;
        let answers = BufReader::new(out.try_clone()?);
        Ok(Self { out, answers })
    }

    /// The socket, to interrupt a request that waits.
    pub(super) fn socket(&self) -> io::Result<UnixStream> {
        self.out.try_clone()
    }

    /// Asks the server.
    pub(super) fn ask(&mut self, request: &Request) -> io::Result<Answer> {
        write_line(&mut self.out, request)?;
        let mut line = String::new();
        if self.answers.read_line(&mut line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        match serde_json::from_str(&line).map_err(io::Error::other)? {
            Answer::Refused(reason) => Err(io::Error::other(reason)),
            answer => Ok(answer),
        }
    }
}
