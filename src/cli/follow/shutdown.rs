//! The end of `callboard follow`: at SIGTERM or SIGINT, once a program that is being handed over is published, or when the
//! reading thread ends unexpectedly.

use crate::cli::exit::Failure;
use crate::cli::signals::on_stop;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long a stop waits for a program that is being handed over. The server publishes it in any case.
const DRAIN: Duration = Duration::from_secs(30);

/// Shared by the reading thread, the thread that waits for signals, and the one that ends the process.
#[derive(Default)]
pub(super) struct Shutdown {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    is_stopping: bool,
    is_handing_over: bool,
    has_ended: bool,
}

/// How a run ended.
pub(super) enum End {
    /// By a signal.
    Stopped,
    /// The reading thread ended unexpectedly.
    Broken,
}

impl Shutdown {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state());
        self.changed.notify_all();
    }

    /// Marks that a program is being handed over, until the result is dropped.
    pub(super) fn hand_over(&self) -> HandingOver<'_> {
        self.set(|state| state.is_handing_over = true);
        HandingOver(self)
    }

    /// Waits, and returns whether the run is to stop.
    pub(super) fn is_stopped_within(&self, pause: Duration) -> bool {
        let waiting = |state: &mut State| !state.is_stopping;
        let waited = self.changed.wait_timeout_while(self.state(), pause, waiting);
        waited.unwrap_or_else(PoisonError::into_inner).0.is_stopping
    }

    /// Waits for a signal, and then for a program that is being handed over. A request to the source is abandoned.
    pub(super) fn wait_for_end(&self) -> End {
        let wait = |state, timeout, condition: fn(&mut State) -> bool| {
            let waited = self.changed.wait_timeout_while(state, timeout, condition);
            waited.unwrap_or_else(PoisonError::into_inner).0
        };
        let state = wait(self.state(), Duration::MAX, |state| !state.is_stopping && !state.has_ended);
        if !state.is_stopping {
            return End::Broken;
        }
        let began = Instant::now();
        let state = wait(state, DRAIN, |state| state.is_handing_over);
        if state.is_handing_over {
            tracing::warn!(waited = ?began.elapsed(), "stopped while the server publishes");
        }
        End::Stopped
    }

    /// Stops the run at SIGTERM and SIGINT.
    pub(super) fn stop_on_signals(self: &Arc<Self>) -> Result<(), Failure> {
        let shutdown = Arc::clone(self);
        on_stop(move || {
            tracing::info!("stopping");
            shutdown.set(|state| state.is_stopping = true);
        })
    }
}

pub(super) struct HandingOver<'a>(&'a Shutdown);

impl Drop for HandingOver<'_> {
    fn drop(&mut self) {
        self.0.set(|state| state.is_handing_over = false);
    }
}

/// Marks the end of the reading thread when it is dropped, even by a panic.
pub(super) struct Ended(pub(super) Arc<Shutdown>);

impl Drop for Ended {
    fn drop(&mut self) {
        self.0.set(|state| state.has_ended = true);
    }
}
