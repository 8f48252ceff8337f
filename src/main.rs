//! The process edge: arguments in, exit code out.

use callboard::cli;
use std::process::ExitCode;

fn main() -> ExitCode {
    callboard::telemetry::start();
    cli::run(std::env::args_os()).into()
}
