//! What systemd and the server tell each other: the handed socket, readiness, the watchdog (sd_notify(3),
//! sd_listen_fds(3)). All of it does nothing where systemd did not start us.

use crate::http::Operator;
use sd_notify::NotifyState;
use std::io;
use std::time::Duration;
use tokio::net::TcpListener;

/// The first socket that systemd holds for us, if there is one: a restart then refuses nobody.
pub(super) fn listener() -> io::Result<Option<TcpListener>> {
    let Some(listener) = listenfd::ListenFd::from_env().take_tcp_listener(0)? else { return Ok(None) };
    listener.set_nonblocking(true)?;
    TcpListener::from_std(listener).map(Some)
}

/// Says that requests are answered.
pub(super) fn ready() {
    tell(&[NotifyState::Ready]);
}

/// Says that the end has begun.
pub(super) fn stopping() {
    tell(&[NotifyState::Stopping]);
}

/// Keeps the watchdog quiet for as long as commits go through; never returns.
pub(super) async fn keep_alive(operator: Operator) {
    let patience = sd_notify::watchdog_enabled();
    let interval = patience.map_or(Duration::from_secs(3600), |patience| patience / 3);
    loop {
        tokio::time::sleep(interval).await;
        if patience.is_some() && operator.is_alive() {
            tell(&[NotifyState::Watchdog]);
        }
    }
}

fn tell(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::warn!(%error, "systemd could not be told");
    }
}
