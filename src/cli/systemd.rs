//! What systemd and the server tell each other: the handed socket, readiness, the watchdog (sd_notify(3),
//! sd_listen_fds(3)). All of it does nothing where systemd did not start us.

use crate::http::Operator;
use sd_notify::NotifyState;
use std::io;
use std::time::Duration;
use tokio::net::TcpListener;

/// The name of the operator's socket.
const OPERATOR: &str = "operator";

/// The sockets that systemd passes: it holds them, so during a restart connections wait and none is refused.
#[derive(Debug, Default)]
pub(super) struct Sockets {
    /// The addresses of the conference.
    pub(super) main: Vec<TcpListener>,
    /// The operator's, which its unit names with `FileDescriptorName=operator`.
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

/// Says that requests are answered.
pub(super) fn ready() {
    tell(&[NotifyState::Ready]);
}

/// Says that the end has begun.
pub(super) fn stopping() {
    tell(&[NotifyState::Stopping]);
}

/// Says that the configuration is read again; [`ready`] ends it. Without the time in the same message systemd
/// could not tell which reload an answer belongs to (sd_notify(3), MONOTONIC_USEC).
pub(super) fn reloading() {
    match NotifyState::monotonic_usec_now() {
        Ok(now) => tell(&[NotifyState::Reloading, now]),
        Err(error) => tracing::warn!(%error, "systemd is not told of the reload"),
    }
}

/// Keeps the watchdog quiet for as long as commits go through; never returns.
pub(super) async fn keep_alive(operator: Operator) {
    match sd_notify::watchdog_enabled() {
        Some(patience) => sign(patience / 3, || operator.is_alive(), || tell(&[NotifyState::Watchdog])).await,
        None => std::future::pending().await,
    }
}

/// Gives a sign of life at each interval, but for those at which there is none.
async fn sign(interval: Duration, is_alive: impl Fn() -> bool, tell: impl Fn()) {
    loop {
        tokio::time::sleep(interval).await;
        if is_alive() {
            tell();
        }
    }
}

fn tell(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::warn!(%error, "systemd could not be told");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    #[tokio::test]
    async fn the_watchdog_hears_nothing_while_a_commit_hangs() {
        let (alive, heard) = (Cell::new(true), Cell::new(0));
        let signs = sign(Duration::from_millis(5), || alive.get(), || heard.set(heard.get() + 1));
        let story = async {
            let pass = || tokio::time::sleep(Duration::from_millis(60));
            pass().await;
            let before = heard.get();
            alive.set(false);
            pass().await;
            let during = heard.get();
            alive.set(true);
            pass().await;
            (before, during, heard.get())
        };
        tokio::select! {
            () = signs => {}
            (before, during, after) = story => {
                assert!(before > 0 && after > during);
                assert_eq!(before, during);
            }
        }
    }
}
