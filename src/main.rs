//! The process edge: arguments in, exit code out.

use callboard::cli;
use std::process::ExitCode;
use tikv_jemallocator::Jemalloc;

/// C libraries use it too. What it keeps for itself is set in `.cargo/config.toml`, and `MALLOC_CONF` changes it.
#[global_allocator]
static ALLOCATOR: Jemalloc = Jemalloc;

fn main() -> ExitCode {
    callboard::telemetry::start();
    cli::run(std::env::args_os()).into()
}
