//! `callboard health`: reports to containers and scripts whether the server of a config is ready.

use super::control;
use super::exit::{Exit, Failure};
use super::settings::Serving;
use crate::client::{Client, OutgoingRequest};
use std::io::Write;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;
use std::time::Duration;
use url::Url;

/// A server that needs longer to answer is not ready.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Asks the operator's listener if the config names one, else the control socket, else the public listener. The public
/// listener does not tell whether picks can be stored.
pub(super) fn health(serving: &Serving) -> Result<Exit, Failure> {
    let config = serving.settings.config_without_zone()?;
    if let Some(address) = serving.operator_listen.or(config.operator_listen).filter(has_port) {
        return readiness(&get(address, "/readyz")?.1);
    }
    if let Some(body) = by_control_socket(&config.data)? {
        return readiness(&body);
    }
    if !has_port(&config.listen) {
        return Err(not_ready("no server has the data directory open, and listen names no port to ask"));
    }
    let (status, _) = get(config.listen, "/program.ics")?;
    if status >= 500 {
        return Err(not_ready(&format!("{} answers {status}", config.listen)));
    }
    say("ready: the public listener answers; only the operator's listener tells whether picks can be stored")
}

/// Asks the control socket; none if no server listens on it.
fn by_control_socket(data: &Path) -> Result<Option<Vec<u8>>, Failure> {
    match control::ask(data, control::HEALTH, TIMEOUT) {
        Ok(body) => Ok(Some(body)),
        Err(error) if control::has_no_server(&error) => Ok(None),
        Err(error) => Err(not_ready(&format!("the server's control socket does not answer: {error}"))),
    }
}

/// Prints the result of a `/readyz` body.
fn readiness(body: &[u8]) -> Result<Exit, Failure> {
    let Ok(body) = serde_json::from_slice::<serde_json::Value>(body) else {
        return Err(not_ready(
            "the answer does not come from /readyz; an older server or another program may listen there",
        ));
    };
    match (body.get("ready").and_then(serde_json::Value::as_bool), body.get("reason")) {
        (Some(true), _) => {
            let release = body.get("release").and_then(serde_json::Value::as_u64).unwrap_or(0);
            say(&format!("ready: release {release}"))
        }
        (_, Some(serde_json::Value::String(reason))) => Err(not_ready(reason)),
        _ => Err(not_ready("the server gives no reason")),
    }
}

fn get(address: SocketAddr, path: &str) -> Result<(u16, Vec<u8>), Failure> {
    let address = reachable(address);
    let url = Url::parse(&format!("http://{address}{path}"));
    let url = url.map_err(|error| Failure::new(Exit::Failed, &error))?;
    let answer =
        Client::local(TIMEOUT).send(OutgoingRequest { method: "GET", url, headers: Vec::new(), body: None });
    let answer = answer.map_err(|error| not_ready(&Failure::new(Exit::Failed, &error).to_string()))?;
    Ok((answer.status, answer.body))
}

/// Replaces an unspecified address, which stands for all addresses of the machine, by loopback.
fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

fn has_port(address: &SocketAddr) -> bool {
    address.port() != 0
}

fn not_ready(reason: &str) -> Failure {
    Failure::text(Exit::Failed, format!("not ready: {reason}"))
}

fn say(line: &str) -> Result<Exit, Failure> {
    let _ = writeln!(std::io::stdout().lock(), "{line}");
    Ok(Exit::Done)
}
