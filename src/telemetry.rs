//! Logging set-up. Lines go to standard error, so that standard output stays for results.

use std::io::IsTerminal;
use tracing_subscriber::EnvFilter;

/// Starts logging: for people on a terminal, as JSON lines where `CALLBOARD_LOG_FORMAT` is `json`. The level
/// comes from `CALLBOARD_LOG` (`info` unless set; the form is `tracing`'s directives).
pub fn start() {
    let filter = EnvFilter::try_from_env("CALLBOARD_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // A second start, in a test, changes nothing.
    let _ = if std::env::var("CALLBOARD_LOG_FORMAT").is_ok_and(|format| format == "json") {
        builder.json().try_init()
    } else {
        builder.with_target(false).with_ansi(std::io::stderr().is_terminal()).try_init()
    };
}
