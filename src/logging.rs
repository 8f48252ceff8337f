//! Logging set-up. Lines go to standard error, so that standard output stays for results.

use std::env::{VarError, var};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::prelude::*;

/// Starts logging: plain lines, or JSON lines where `CALLBOARD_LOG_FORMAT` is `json`. The level comes from
/// `CALLBOARD_LOG` (`info` unless set): a level, or several as `info,callboard=debug`.
pub fn start() {
    let (targets, refused) = match var("CALLBOARD_LOG").map(|text| text.parse::<Targets>()) {
        Ok(Ok(targets)) => (targets, None),
        Err(VarError::NotPresent) => (Targets::new().with_default(LevelFilter::INFO), None),
        Ok(Err(error)) => (Targets::new().with_default(LevelFilter::INFO), Some(error.to_string())),
        Err(error) => (Targets::new().with_default(LevelFilter::INFO), Some(error.to_string())),
    };
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let registry = tracing_subscriber::registry();
    // A second start, in a test, changes nothing.
    let _ = if var("CALLBOARD_LOG_FORMAT").is_ok_and(|format| format == "json") {
        registry.with(lines.json().with_filter(targets)).try_init()
    } else {
        registry.with(lines.with_target(false).with_ansi(false).with_filter(targets)).try_init()
    };
    if let Some(error) = refused {
        tracing::warn!(%error, "CALLBOARD_LOG is not a level such as debug or info,callboard=debug, so the level is info");
    }
}
