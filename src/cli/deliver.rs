//! `callboard deliver`: sends the outbox's deliveries and retries failed ones with back-off.

use super::exit::{Exit, Failure};
use super::settings::Settings;
use crate::client::{Client, OutgoingRequest};
use crate::clock::Clock;
use crate::publisher::{Delivery, UNDELIVERED, outbox_directory, write_delivery};
use crate::store::OwnershipGuard;
use chrono::TimeDelta;
use ring::hmac;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Minutes before each retry. After the last failed retry, a delivery is undelivered.
const BACK_OFF: [i64; 8] = [1, 5, 15, 60, 180, 360, 720, 1440];

/// The directory of secrets that the packaged unit passes as credentials, and the prefix of their names.
const WEBHOOK_SECRETS: &str = "webhook-secrets";

pub(super) fn deliver(settings: &Settings, forever: bool) -> Result<Exit, Failure> {
    let config = settings.config()?;
    let outbox = outbox_directory(&config.data);
    let (client, clock) = (Client::new(None), Clock::wall());
    loop {
        let (sent, waiting, given_up) = send_due(&outbox, &client, &clock)?;
        if !forever || sent + given_up > 0 {
            let _ = writeln!(
                std::io::stdout().lock(),
                "{sent} delivered, {waiting} waiting, {given_up} given up"
            );
        }
        if !forever {
            return Ok(if given_up == 0 { Exit::Done } else { Exit::Failed });
        }
        std::thread::sleep(Duration::from_secs(5));
    }
}

/// Tries every delivery that is due, the oldest release first. Returns the numbers of deliveries that were
/// delivered, that wait and that were given up.
fn send_due(outbox: &Path, client: &Client, clock: &Clock) -> Result<(usize, usize, usize), Failure> {
    let fail = |error: std::io::Error| {
        Failure::text(
            Exit::Failed,
            format!("the deliveries in {} cannot be read or written: {error}", outbox.display()),
        )
    };
    let entries = match std::fs::read_dir(outbox) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok((0, 0, 0)),
        Err(error) => return Err(fail(error)),
    };
    let _owner = OwnershipGuard::of(outbox);
    let mut names: Vec<String> =
        entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect();
    names.retain(|name| !name.starts_with('.') && name.ends_with(".json"));
    names.sort();
    let (mut sent, mut waiting, mut given_up) = (0, 0, 0);
    for name in names {
        let path = outbox.join(&name);
        let bytes = std::fs::read(&path).map_err(fail)?;
        let Ok(mut delivery) = serde_json::from_slice::<Delivery>(&bytes) else {
            tracing::error!(name, "not a delivery; moved to undelivered");
            move_to_undelivered(outbox, &name).map_err(fail)?;
            given_up += 1;
            continue;
        };
        // The first attempt does not wait: a release's time may be just ahead of the clock.
        if delivery.attempts > 0 && delivery.due > clock.now() {
            waiting += 1;
            continue;
        }
        match send(client, &delivery, &name, clock) {
            Ok(()) => {
                std::fs::remove_file(&path).map_err(fail)?;
                sent += 1;
            }
            Err(reason) => {
                tracing::warn!(name, reason, "not delivered");
                let minutes = usize::try_from(delivery.attempts).ok().and_then(|tries| BACK_OFF.get(tries));
                delivery.attempts += 1;
                delivery.last_error = Some(reason);
                if let Some(minutes) = minutes {
                    delivery.due = clock.now() + TimeDelta::minutes(*minutes);
                    waiting += 1;
                } else {
                    given_up += 1;
                }
                write_delivery(outbox, &name, &delivery).map_err(fail)?;
                if minutes.is_none() {
                    move_to_undelivered(outbox, &name).map_err(fail)?;
                }
            }
        }
    }
    Ok((sent, waiting, given_up))
}

fn move_to_undelivered(outbox: &Path, name: &str) -> std::io::Result<()> {
    let undelivered = outbox.join(UNDELIVERED);
    std::fs::create_dir_all(&undelivered)?;
    std::fs::rename(outbox.join(name), undelivered.join(name))
}

/// The file to read a webhook's secret from. systemd passes the files of a directory `webhook-secrets`, which only root can
/// read, as credentials `webhook-secrets_FILE` (systemd.exec(5), `LoadCredential=`). The unit's user reads those instead.
fn readable_secret(secret_file: &Path, credentials: Option<&Path>) -> PathBuf {
    let credential = || {
        let directory = secret_file.parent()?.file_name().filter(|name| *name == WEBHOOK_SECRETS)?;
        let id = format!("{}_{}", directory.to_str()?, secret_file.file_name()?.to_str()?);
        Some(credentials?.join(id)).filter(|file| file.exists())
    };
    credential().unwrap_or_else(|| secret_file.to_owned())
}

fn send(client: &Client, delivery: &Delivery, name: &str, clock: &Clock) -> Result<(), String> {
    let credentials = std::env::var_os("CREDENTIALS_DIRECTORY").map(PathBuf::from);
    let secret_file = &delivery.webhook.secret_file;
    let secret = std::fs::read_to_string(readable_secret(secret_file, credentials.as_deref()))
        .map_err(|error| format!("{} cannot be read: {error}", secret_file.display()))?;
    let timestamp = clock.now().timestamp().to_string();
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.trim().as_bytes());
    let signature = hmac::sign(&key, format!("{timestamp}.{}", delivery.body).as_bytes());
    let signature = data_encoding::HEXLOWER.encode(signature.as_ref());
    let headers = vec![
        ("content-type", "application/json".to_owned()),
        ("callboard-release", delivery.release.to_string()),
        // The name is the same for every attempt, so that a receiver can ignore duplicates.
        ("callboard-delivery", name.trim_end_matches(".json").to_owned()),
        ("callboard-timestamp", timestamp),
        ("callboard-signature", format!("sha256={signature}")),
    ];
    let request = OutgoingRequest {
        method: "POST",
        url: delivery.webhook.url.clone(),
        headers,
        body: Some(delivery.body.as_bytes()),
    };
    match client.send(request) {
        Ok(answer) if (200..300).contains(&answer.status) => Ok(()),
        Ok(answer) => Err(format!("the receiver answered {}", answer.status)),
        Err(error) => Err(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_that_systemd_passes_is_read_from_its_credential() {
        let credentials = tempfile::tempdir().unwrap();
        let passed = credentials.path().join("webhook-secrets_chat");
        std::fs::write(&passed, "secret").unwrap();
        let read = |file: &str| readable_secret(Path::new(file), Some(credentials.path()));
        assert_eq!(read("/etc/callboard/conf/webhook-secrets/chat"), passed);
        // A file without a credential, and files outside `webhook-secrets`.
        for file in ["/etc/callboard/conf/webhook-secrets/mail", "/etc/chat", "chat", "/"] {
            assert_eq!(read(file), Path::new(file));
        }
        let file = "/etc/callboard/conf/webhook-secrets/chat";
        assert_eq!(readable_secret(Path::new(file), None), Path::new(file));
    }
}
