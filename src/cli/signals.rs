//! SIGTERM and SIGINT, which ask a command to stop.

use super::exit::{Exit, Failure};
use std::io;
use tokio::signal::unix::{SignalKind, signal};

/// Completes at SIGTERM or SIGINT. Both are caught from this call on, which must be within a runtime.
pub(super) fn stop_signal() -> Result<impl Future<Output = ()>, Failure> {
    let (mut term, mut interrupt) =
        (signal(SignalKind::terminate()).map_err(failed)?, signal(SignalKind::interrupt()).map_err(failed)?);
    Ok(async move {
        tokio::select! {
            _ = term.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

/// Calls `stop` at SIGTERM or SIGINT, on a thread of its own. For commands without a runtime.
pub(super) fn on_stop(stop: impl FnOnce() + Send + 'static) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
    let stopped = {
        let _entered = runtime.enter();
        stop_signal()?
    };
    let wait = move || {
        runtime.block_on(stopped);
        stop();
    };
    std::thread::Builder::new().name("signals".into()).spawn(wait).map(drop).map_err(failed)
}

fn failed(error: io::Error) -> Failure {
    Failure::new(Exit::Failed, &error)
}
