//! The process: starts logging, runs the command line, returns its exit code.

use callboard::cli;
use std::process::ExitCode;
use tikv_jemallocator::Jemalloc;

/// The allocator, which C libraries use too. `.cargo/config.toml` sets its options; `MALLOC_CONF` overrides them.
#[global_allocator]
static ALLOCATOR: Jemalloc = Jemalloc;

fn main() -> ExitCode {
    callboard::logging::start();
    cli::run(std::env::args_os()).into()
}
