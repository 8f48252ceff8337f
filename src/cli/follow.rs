//! `callboard follow`: reads a program from its source at intervals, and hands it to the server, which merges and
//! publishes it.
//!
//! ```text
//! source --fetch--> bytes --adopt--> program file --handover--> server: merge, guard, publish
//! ```
//!
//! The reader is a process of its own, because the server opens no connection. It keeps no state: the server stores
//! its notes about the source together with the merged program. An answer that is not a whole program of the expected format
//! is never handed over; the desk shows why.

mod fetch;
pub(super) mod handover;
mod reader;
mod shutdown;

use super::exit::{Exit, Failure};
use super::settings::Settings;
use handover::{Answer, Request, ask};
use reader::{Reading, SourceOutcome, SourceReader, no_answer};
use shutdown::{End, Ended};
use std::io::{self, Write as _};
use std::sync::Arc;
use std::time::Duration;

/// The pause after the first failed reading. It doubles with each further one, up to the configured interval, so that
/// following resumes within one interval after the source recovered.
const FIRST_RETRY: Duration = Duration::from_secs(2);

/// The longest pause that a source may ask for.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(60 * 60);

/// The longest time between two questions of a reader whose replica does not follow the source, whether it does now.
const TURN: Duration = Duration::from_secs(5);

/// What `callboard follow` is to do.
#[derive(Debug, Clone, Copy, Default, clap::Args)]
pub(super) struct Options {
    /// Read the source once and exit, for cron and CI
    #[arg(long)]
    once: bool,
    /// Forget what the source set, after it was replaced by another program, and exit
    #[arg(long, conflicts_with = "once")]
    forget: bool,
}

pub(super) fn follow(settings: &Settings, options: Options) -> Result<Exit, Failure> {
    let config = settings.config()?;
    if options.forget {
        return match ask(&config.data, &Request::Forget) {
            Ok(Answer::Noted) => Ok(Exit::Done),
            Ok(answer) => Err(Failure::text(Exit::Failed, format!("the server answered {answer:?}"))),
            Err(error) => Err(Failure::text(Exit::Failed, no_answer(&config.data, &error))),
        };
    }
    let reader = SourceReader::new(config)?;
    if options.once {
        let Reading { outcome, .. } = reader.read();
        let _ = writeln!(io::stdout().lock(), "{outcome}");
        return Ok(outcome.exit());
    }
    run(reader)
}

/// Reads the source again and again until SIGTERM or SIGINT.
fn run(reader: SourceReader) -> Result<Exit, Failure> {
    let shutdown = Arc::clone(&reader.shutdown);
    shutdown.stop_on_signals()?;
    let failed = |error: io::Error| Failure::new(Exit::Failed, &error);
    tracing::info!(host = reader.source.host(), every = ?reader.source.every, "following the source");
    let work = move || {
        let _ended = Ended(Arc::clone(&reader.shutdown));
        let (mut failures, mut last) = (0, None);
        loop {
            let is_ours = reader.is_ours();
            let elsewhere = || Reading { outcome: SourceOutcome::Elsewhere, retry_after: None };
            let Reading { outcome, retry_after } = if is_ours { reader.read() } else { elsewhere() };
            failures = if outcome.is_failure() { failures + 1 } else { 0 };
            log(&outcome, last.as_ref());
            last = Some(outcome);
            let every = if is_ours { reader.source.every } else { TURN.min(reader.source.every) };
            let pause = pause(every, failures, retry_after, random_share());
            if reader.shutdown.is_stopped_within(pause) {
                return;
            }
        }
    };
    std::thread::Builder::new().name("read".into()).spawn(work).map_err(failed)?;
    match shutdown.wait_for_end() {
        End::Stopped => Ok(Exit::Done),
        End::Broken => Err(Failure::text(Exit::Failed, "the reader ended unexpectedly")),
    }
}

/// Logs an outcome, unless it is a failure that was logged already.
fn log(outcome: &SourceOutcome, last: Option<&SourceOutcome>) {
    let is_new = last != Some(outcome);
    match outcome {
        SourceOutcome::Published(release, changes) => tracing::info!(release, changes, "published"),
        SourceOutcome::Unchanged => tracing::debug!("nothing changed"),
        SourceOutcome::Elsewhere if is_new => tracing::info!("{outcome}"),
        SourceOutcome::Elsewhere => {}
        outcome if is_new => tracing::warn!("{outcome}"),
        outcome => tracing::debug!("{outcome}"),
    }
}

/// The pause before the next reading. `share` from 0 to 1 spreads the readers of many servers.
fn pause(every: Duration, failures: u32, retry_after: Option<Duration>, share: f64) -> Duration {
    let usual = match failures.checked_sub(1) {
        None => every.mul_f64(0.9 + 0.1 * share),
        Some(earlier) => (FIRST_RETRY * 2_u32.pow(earlier.min(16))).min(every).mul_f64(0.75 + 0.25 * share),
    };
    usual.max(retry_after.unwrap_or_default().min(MAX_RETRY_AFTER))
}

/// A random number from 0 to 1; without randomness, readers are not spread.
fn random_share() -> f64 {
    let mut byte = [128];
    let _ = getrandom::fill(&mut byte);
    f64::from(byte[0]) / 255.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn readings_resume_within_one_interval_after_a_failure() {
        let seconds = |failures, retry_after: Option<u64>, share| {
            pause(Duration::from_secs(60), failures, retry_after.map(Duration::from_secs), share).as_secs()
        };
        assert_eq!((seconds(0, None, 0.0), seconds(0, None, 1.0)), (54, 60));
        let first: Vec<u64> = (1..8).map(|failures| seconds(failures, None, 1.0)).collect();
        assert_eq!(first, [2, 4, 8, 16, 32, 60, 60]);
        assert_eq!((seconds(6, None, 0.0), seconds(u32::MAX, None, 1.0)), (45, 60));
        assert_eq!((seconds(1, Some(120), 0.0), seconds(1, Some(1_000_000), 0.0)), (120, 3600));
        assert_eq!(pause(Duration::from_secs(1), 9, None, 1.0), Duration::from_secs(1));
    }
}
