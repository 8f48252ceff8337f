//! The protocol with systemd: passed sockets (sd_listen_fds(3)), readiness and the watchdog (sd_notify(3)). Without
//! systemd nothing happens.

use crate::http::Operator;
use sd_notify::NotifyState;
use std::io;
use std::time::Duration;
use tokio::net::TcpListener;

/// The name of the operator's socket: `FileDescriptorName=` of its unit.
const OPERATOR: &str = "operator";

/// The sockets that systemd passes. systemd keeps them open, so connections wait during a restart instead of being
/// refused.
#[derive(Debug, Default)]
pub(super) struct Sockets {
    /// The conference's sockets.
    pub(super) main: Vec<TcpListener>,
    /// The operator's socket.
    pub(super) operator: Option<TcpListener>,
}

pub(super) fn sockets() -> io::Result<Sockets> {
    let names = std::env::var("LISTEN_FDNAMES").unwrap_or_default();
    let mut names = names.split(':');
    let mut passed = listenfd::ListenFd::from_env();
    let mut sockets = Sockets::default();
    for place in 0..passed.len() {
        let name = names.next();
        let Some(listener) = passed.take_tcp_listener(place)? else { continue };
        listener.set_nonblocking(true)?;
        let listener = TcpListener::from_std(listener)?;
        match name {
            Some(OPERATOR) => sockets.operator = Some(listener),
            _ => sockets.main.push(listener),
        }
    }
    Ok(sockets)
}

/// Tells systemd that the server answers requests.
pub(super) fn ready() {
    notify(&[NotifyState::Ready]);
}

/// Tells systemd that the server stops.
pub(super) fn stopping() {
    notify(&[NotifyState::Stopping]);
}

/// Tells systemd that the configuration is read again; [`ready`] ends the reload. The message includes the time, by
/// which systemd matches a message with a reload (sd_notify(3), MONOTONIC_USEC).
pub(super) fn reloading() {
    match NotifyState::monotonic_usec_now() {
        Ok(now) => notify(&[NotifyState::Reloading, now]),
        Err(error) => tracing::warn!(%error, "systemd could not be notified of the reload"),
    }
}

/// Notifies systemd's watchdog for as long as commits go through; never returns.
pub(super) async fn keep_alive(operator: Operator) {
    match sd_notify::watchdog_enabled() {
        Some(timeout) => {
            report_alive(timeout / 3, || operator.is_alive(), || notify(&[NotifyState::Watchdog])).await
        }
        None => std::future::pending().await,
    }
}

/// Reports at each interval that the server is alive, if it is.
async fn report_alive(interval: Duration, is_alive: impl Fn() -> bool, report: impl Fn()) {
    loop {
        tokio::time::sleep(interval).await;
        if is_alive() {
            report();
        }
    }
}

fn notify(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::warn!(%error, "systemd cannot be notified");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    #[tokio::test]
    async fn the_watchdog_gets_no_report_while_a_commit_hangs() {
        let (alive, reports) = (Cell::new(true), Cell::new(0));
        let reporting =
            report_alive(Duration::from_millis(5), || alive.get(), || reports.set(reports.get() + 1));
        let commits = async {
            let pass = || tokio::time::sleep(Duration::from_millis(60));
            pass().await;
            let before = reports.get();
            alive.set(false);
            pass().await;
            let during = reports.get();
            alive.set(true);
            pass().await;
            (before, during, reports.get())
        };
        tokio::select! {
            () = reporting => {}
            (before, during, after) = commits => {
                assert!(before > 0 && after > during);
                assert_eq!(before, during);
            }
        }
    }
}
