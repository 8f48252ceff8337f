//! The protocol between the reader of a source and the server: one request and one answer, each a line of JSON, on a
//! connection of the control socket.
//!
//! The reader keeps no state of its own. Before each request to the source, it fetches its notes about the source from
//! the server, so a restored backup and a restart of either process need no special handling.

use crate::adopt::SheetDoubt;
use crate::cli::control::{FOLLOW, request};
use crate::publisher::{FollowResult, PublishError, Publisher, SourceReading};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Handle;

/// The longest line: a program of 20 MiB whose every character is escaped.
const MAX_LINE: u64 = 128 * 1024 * 1024;

/// How long the reader waits for an answer. A publication of 50,000 sessions takes tens of seconds.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(600);

/// How long the server waits for the line of a request.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(20);

/// A request of the reader.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(in crate::cli) enum Request {
    /// Asks whether this server follows the source. Of several replicas, only the one in charge does.
    Turn,
    /// Asks what to remember of the source.
    Memory,
    /// Hands over a program.
    Program {
        /// The program file.
        csv: String,
        /// Why sessions may be missing.
        doubts: Vec<SheetDoubt>,
        /// Notes about parts that were left out or guessed.
        notes: Vec<String>,
        /// What to remember once the program is merged.
        memory: Value,
    },
    /// The source says that it did not change.
    Unchanged,
    /// The source cannot be followed now, for this reason.
    Problem(String),
    /// Forgets what the source set.
    Forget,
}

/// The server's answer.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(in crate::cli) enum Answer {
    /// Whether this server follows the source.
    Turn(bool),
    /// What to remember; null for nothing.
    Memory(Value),
    /// The request was carried out.
    Noted,
    /// A release was published: its number, and how many sessions changed.
    Published {
        /// The release's number.
        release: u64,
        /// The number of changed sessions.
        changes: usize,
    },
    /// The live program has everything that the source sets.
    Unchanged,
    /// The guard holds the release, for these reasons.
    Held(Vec<String>),
    /// An organizer discarded this program.
    Discarded,
    /// The program has errors or is another one: the report.
    Refused(String),
    /// The server cannot carry out the request now.
    Failed(String),
}

/// Answers one request.
pub(in crate::cli) fn serve(
    publisher: &Arc<Publisher>,
    runtime: &Handle,
    stream: UnixStream,
) -> io::Result<()> {
    stream.set_read_timeout(Some(REQUEST_TIMEOUT))?;
    stream.set_write_timeout(Some(REQUEST_TIMEOUT))?;
    let mut out = stream.try_clone()?;
    let request = read_line(&stream)?;
    let failed = |error: PublishError| Answer::Failed(error.to_string());
    let answer = match request {
        Request::Turn => Answer::Turn(publisher.charge().is_held()),
        Request::Memory => match publisher.source_memory() {
            Ok(memory) => Answer::Memory(memory),
            Err(error) => Answer::Failed(error.to_string()),
        },
        Request::Program { csv, doubts, notes, memory } => {
            publisher.note_source(notes);
            let reading = SourceReading { csv: csv.into(), doubts, memory };
            runtime.block_on(publisher.follow(reading)).map_or_else(failed, answer_of)
        }
        Request::Unchanged => {
            runtime.block_on(publisher.source_is_unchanged()).map_or_else(failed, |()| Answer::Noted)
        }
        Request::Problem(reason) => {
            publisher.note_source_problem(reason);
            Answer::Noted
        }
        Request::Forget => {
            runtime.block_on(publisher.forget_source()).map_or_else(failed, |()| Answer::Noted)
        }
    };
    if let Answer::Failed(reason) = &answer {
        publisher.note_source_problem(reason.clone());
    }
    write_line(&mut out, &answer)
}

fn answer_of(result: FollowResult) -> Answer {
    match result {
        FollowResult::Published(publication) => {
            Answer::Published { release: publication.release.number(), changes: publication.changes.len() }
        }
        FollowResult::Unchanged => Answer::Unchanged,
        FollowResult::Held(verdict) => {
            Answer::Held(verdict.reasons.iter().map(ToString::to_string).collect())
        }
        FollowResult::Discarded => Answer::Discarded,
        FollowResult::Refused(report) => {
            Answer::Refused(report.render_human("the source's program", b"", false))
        }
        FollowResult::OtherProgram(reason) => {
            Answer::Refused(format!("{reason}. If it is the right one, run callboard follow --forget"))
        }
    }
}

/// Sends a request to the server of a data directory.
pub(super) fn ask(data: &Path, question: &Request) -> io::Result<Answer> {
    let mut server = request(data, FOLLOW)?;
    server.set_write_timeout(Some(REQUEST_TIMEOUT))?;
    server.set_read_timeout(Some(ANSWER_TIMEOUT))?;
    write_line(&mut server, question)?;
    read_line(&server)
}

fn write_line(out: &mut UnixStream, value: &impl Serialize) -> io::Result<()> {
    let mut line = serde_json::to_vec(value).map_err(io::Error::other)?;
    line.push(b'\n');
    out.write_all(&line)
}

/// Reads a line. One without its end was cut off, so it is an error.
fn read_line<T: for<'de> Deserialize<'de>>(stream: &UnixStream) -> io::Result<T> {
    let mut line = Vec::new();
    BufReader::new(stream.take(MAX_LINE)).read_until(b'\n', &mut line)?;
    if !line.ends_with(b"\n") {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    serde_json::from_slice(&line).map_err(io::Error::other)
}
