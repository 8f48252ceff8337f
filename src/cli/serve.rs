//! `callboard serve`: opens the store, starts the publisher, listens, and stops cleanly.

use super::background::Background;
use super::control::{Answers, Control, last_backup};
use super::deliver::link;
use super::exit::{Exit, Failure};
use super::follow::handover;
use super::reload::{Applied, Reload};
use super::replica;
use super::settings::Serving;
use super::signals::stop_signal;
use super::systemd::{self, Sockets};
use crate::clock::Clock;
use crate::config::Config;
use crate::freshness::Freshness;
use crate::http::{Allowances, App, Backups, Operator, Parts, Secrets};
use crate::import::counted;
use crate::peer::Trusted;
use crate::publisher::{Publisher, Setup, StartError, Started, spool_directory};
use crate::release::Release;
use crate::server::{self, ConnectionLimits};
use crate::store::{OpenError, Store, StoreOptions};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::io::Write;
use std::net::SocketAddr;
use std::os::unix::process::CommandExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

pub(super) fn serve(serving: &Serving) -> Result<Exit, Failure> {
    let config = serving.config()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    runtime.map_err(|error| Failure::new(Exit::Failed, &error))?.block_on(run(serving, &config))
}

async fn run(serving: &Serving, config: &Config) -> Result<Exit, Failure> {
    let hang_ups = signal(SignalKind::hangup()).map_err(|error| Failure::new(Exit::Failed, &error))?;
    // Signals are handled from here on, so that a stop during the start is clean too.
    let signal = stop_signal()?;
    let (listeners, operator) = listen(config).await?;
    let bound = listeners.first().map_or(Ok(config.listen), TcpListener::local_addr);
    let bound = bound.map_err(|error| Failure::new(Exit::Failed, &error))?;
    if config.public_url.is_none() {
        tracing::warn!(
            "public_url is not set: links in feeds lead to http://{bound}, which only this machine can open"
        );
    }
    if let Some(warning) = config.language_warning() {
        tracing::warn!("{warning}");
    }
    for warning in config.walking_warnings() {
        tracing::warn!("walking: {warning}");
    }
    let secrets = match &config.organizer_secret_file {
        Some(file) => Secrets::open(file).map_err(|error| Failure::new(Exit::BadConfig, &error))?,
        None => Secrets::none(),
    };
    let options = StoreOptions {
        checkpoint_bytes: config.checkpoint_bytes,
        piece_bytes: config.piece_bytes,
        new_conference: serving.new_conference,
        ..StoreOptions::default()
    };
    let database = replica::database(config)?;
    replica::check_origin(config, database.as_ref())?;
    let store = replica::open(config, options, database.as_ref()).map_err(|error| match error {
        OpenError::Panicked { .. } => start_again(&error),
        error => start_failure(&StartError::Open(error)),
    })?;
    replica::advance_past_lost_numbers(&store, Clock::wall().now()).map_err(|error| start_failure(&error))?;
    let setup = Setup {
        file: config.program.clone(),
        settings: config.publishing.clone(),
        webhooks: config.webhooks.clone(),
        push: config.push.clone(),
        source: config.source.clone(),
        mail: config.mail.clone(),
        spool: spool_directory(&config.data),
        inspect: crate::doctor::inspect,
    };
    let clock = Clock::wall();
    let Started { publisher, is_first } =
        Publisher::start(store.clone(), config.conference(bound), setup, clock.clone())
            .map_err(|error| start_failure(&error))?;
    let freshness = Arc::new(Freshness::load(&store));
    let parts = Parts {
        publisher: Arc::clone(&publisher),
        store: store.clone(),
        clock: clock.clone(),
        body_patience: Duration::from_secs(config.limits.body_s),
        frame_ancestors: config.frame_ancestors.clone(),
        secrets: secrets.clone(),
        freshness: Arc::clone(&freshness),
        allowances: Allowances::new(&config.limits, config.trusted_proxies.clone()),
    };
    let app = App::new(parts);
    publisher.compress_in_background();
    let applied =
        Applied { publisher: Arc::clone(&publisher), app: app.clone(), secrets, clock: clock.clone() };
    let reload = Arc::new(Reload::new(serving, config, bound, applied));
    let background = Background {
        publisher: Arc::clone(&publisher),
        reload: Arc::clone(&reload),
        store: store.clone(),
        freshness,
        clock: clock.clone(),
        retention_days: config.retention_days,
    };
    let tasks = tokio::spawn(background.clone().run(hang_ups));
    let draining = Arc::new(AtomicBool::new(false));
    let backups = Arc::new(Backups::since(last_backup(&store)));
    let (for_deliveries, for_source) = (Arc::clone(&publisher), Arc::clone(&publisher));
    let (runtime, for_reload) = (tokio::runtime::Handle::current(), tokio::runtime::Handle::current());
    let for_operator =
        Operator::new(app.clone(), publisher, store.clone(), Arc::clone(&backups), Arc::clone(&draining));
    let answers = Answers {
        store: store.clone(),
        clock,
        backups,
        readiness: {
            let operator = for_operator.clone();
            Box::new(move || operator.readiness().1.to_string())
        },
        reload: Arc::new(move |stream| for_reload.block_on(reload.serve(stream))),
        deliver: Arc::new(move |stream| link::serve(&for_deliveries, stream)),
        follow: Arc::new(move |stream| handover::serve(&for_source, &runtime, stream)),
    };
    let control = Control::open(&config.data, answers);
    // This follows the control socket: a script that waits for these lines may use the socket at once.
    announce(&background.publisher.current(), is_first);
    let watchdog = tokio::spawn(systemd::keep_alive(for_operator.clone()));
    let operator =
        operator.map(|listener| tokio::spawn(serve_operator(listener, for_operator, limits(config))));
    let pace = tokio::spawn({
        let app = app.clone();
        async move { app.keep_pace().await }
    });
    let respond = move |request, socket| app.clone().respond_to(request, socket);
    let watched = store.clone();
    let stop = async move {
        tokio::select! {
            () = signal => tracing::info!("stopping: requests in progress are answered"),
            () = divergence(&watched) => {}
        }
        draining.store(true, Ordering::Relaxed);
        systemd::stopping();
    };
    systemd::ready();
    let stopped = server::run(listeners, respond, limits(config), config.trusted_proxies.clone(), stop).await;
    for task in [Some(tasks), Some(watchdog), Some(pace), operator].into_iter().flatten() {
        task.abort();
    }
    background.finish().await;
    drop(control);
    let has_diverged = store.replica().is_some_and(|replica| replica.has_diverged);
    store.close();
    if has_diverged {
        return Err(Failure::text(
            Exit::Failed,
            "the database lacks entries that this replica acknowledged or read, as after a failover to a standby that was \
             behind; the next start sets the copy aside and continues above all numbers in it",
        ));
    }
    tracing::info!(cut_off = stopped.cut_off, "stopped");
    Ok(Exit::Done)
}

/// The listeners of the conference and of the operator: the sockets that systemd passed, or else new ones.
async fn listen(config: &Config) -> Result<(Vec<TcpListener>, Option<TcpListener>), Failure> {
    let address = config.listen;
    let failed = |error: std::io::Error| cannot_listen(address, &error);
    let Sockets { main: mut listeners, mut operator } = systemd::sockets().map_err(failed)?;
    match listeners.first().and_then(|listener| listener.local_addr().ok()) {
        Some(handed) if config.listen_is_set && handed != address => tracing::warn!(
            listen = %address,
            %handed,
            "`listen` is not used: systemd hands the server its socket; write ListenStream= in the .socket unit"
        ),
        _ => {}
    }
    if listeners.is_empty() {
        listeners.push(TcpListener::bind(address).await.map_err(failed)?);
    }
    if let (None, Some(address)) = (&operator, config.operator_listen) {
        let bound = TcpListener::bind(address).await;
        operator = Some(bound.map_err(|error| cannot_listen_for_operator(address, &error))?);
    }
    Ok((listeners, operator))
}

async fn serve_operator(listener: TcpListener, operator: Operator, limits: ConnectionLimits) {
    let respond = move |request, _| operator.respond_apart(&request);
    server::run(vec![listener], respond, limits, Trusted::loopback(), std::future::pending()).await;
}

fn limits(config: &Config) -> ConnectionLimits {
    let limits = &config.limits;
    ConnectionLimits {
        connections: limit_connections(limits.connections),
        per_address: limits.connections_per_address,
        header: Duration::from_secs(limits.header_s),
        idle: Duration::from_secs(limits.idle_s),
        answer: Duration::from_secs(limits.answer_s),
        drain: Duration::from_secs(limits.drain_s),
    }
}

/// Completes when the database lacks entries of this replica. Only a start can fetch a new copy.
async fn divergence(store: &Store) {
    while let Some(replica) = store.replica() {
        if replica.has_diverged {
            return;
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    std::future::pending().await // a store of its own
}

/// Prints the addresses to open and to subscribe to.
fn announce(release: &Release, is_first: bool) {
    let conference = &release.program.conference;
    let sessions = counted(release.visible_entries().len(), "session");
    let news = if is_first { "published as release" } else { "release" };
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{}: {sessions}, {news} {}", conference.title, release.number());
    let _ = writeln!(out, "  open       {}", conference.link("/"));
    let _ = writeln!(out, "  subscribe  {}", conference.link("/program.ics"));
    for track in &release.program.tracks {
        let feed = conference.link(&format!("/tracks/{}.ics", track.slug));
        let _ = writeln!(out, "             {feed} ({})", track.name);
    }
    let _ = out.flush();
}

fn cannot_listen(address: SocketAddr, error: &std::io::Error) -> Failure {
    let text = format!(
        "cannot listen on {address}: {error}; choose another address with --listen, or port 0 for a free one"
    );
    Failure::text(Exit::Failed, text)
}

/// The packaged unit's sandbox does not let the server open a socket.
fn cannot_listen_for_operator(address: SocketAddr, error: &std::io::Error) -> Failure {
    let text = format!(
        "cannot listen on {address} for the operator: {error}; choose another address with --operator-listen, or, with the \
         packaged systemd units, leave operator_listen out and enable callboard-operator@NAME.socket"
    );
    Failure::text(Exit::Failed, text)
}

/// Replaces this process by a new one, which rebuilds the database: after a panic of the database this process may be
/// corrupt. Returns only if that fails or was done already.
fn start_again(error: &OpenError) -> Failure {
    const AGAIN: &str = "CALLBOARD_STARTED_AGAIN";
    tracing::error!(%error, "starting again");
    if std::env::var_os(AGAIN).is_none()
        && let Ok(program) = std::env::current_exe()
    {
        let mut command = std::process::Command::new(program);
        let cause = command.args(std::env::args_os().skip(1)).env(AGAIN, "1").exec();
        tracing::error!(%cause, "no new process can be started");
    }
    Failure::new(Exit::Failed, error)
}

/// The exit code: 65 if a first start has no valid program, 78 if the config does not fit the data directory.
fn start_failure(error: &StartError) -> Failure {
    match error {
        StartError::BadProgram(report) => {
            let text = report.render_human("the program", b"", false);
            Failure::text(Exit::BadProgram, format!("{error}\n{text}"))
        }
        StartError::NoProgram { .. } => Failure::new(Exit::BadProgram, error),
        StartError::UidDomain { .. } => Failure::new(Exit::BadConfig, error),
        StartError::Open(cause) => Failure::new(Exit::of_opening(cause), error),
        _ => Failure::new(Exit::Failed, error),
    }
}

/// Descriptors for store, outbox, file watch and connections that wait for a place. Connections must not take the
/// store's last descriptor.
const OTHER_DESCRIPTORS: u64 = 96;

/// The configured number of connections, or fewer if the process may not open that many descriptors (getrlimit(2)).
///
/// The soft limit is raised first: it is often 1,024, for old programs that use select(2).
fn limit_connections(connections: usize) -> usize {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
    let limit = if setrlimit(Resource::Nofile, raised).is_ok() { raised } else { limit };
    let Some(most) = limit.current else { return connections };
    let possible = most.saturating_sub(OTHER_DESCRIPTORS).max(1);
    let possible = usize::try_from(possible).unwrap_or(usize::MAX).min(connections);
    if possible < connections {
        tracing::warn!(
            "limits.connections is {connections}, but this process may open {most} files, which is enough for \
             {possible} connections; raise the hard limit (systemd: LimitNOFILE)"
        );
    }
    possible
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_are_limited_by_the_config_and_by_descriptors() {
        assert_eq!(limit_connections(1), 1);
        let most = getrlimit(Resource::Nofile).current;
        if let Some(most) = most.and_then(|most| usize::try_from(most).ok()) {
            assert!(limit_connections(usize::MAX) < most.max(2));
        }
    }
}
