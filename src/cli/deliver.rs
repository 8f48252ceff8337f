//! `callboard deliver`: sends what is in the spool, and tries again later what could not be sent.

use super::exit::{Exit, Failure};
use super::settings::Settings;
use crate::client::{Call as Request, Client};
use crate::clock::Clock;
use crate::publisher::{Call, UNDELIVERED, spool_directory, write_call};
use crate::store::OwnershipGuard;
use chrono::TimeDelta;
use ring::hmac;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Minutes until the next try, by the number of tries; after the last a call is kept as undelivered.
const BACK_OFF: [i64; 8] = [1, 5, 15, 60, 180, 360, 720, 1440];

/// The directory of secrets that the packaged unit passes as credentials, and what their names begin with.
const WEBHOOK_SECRETS: &str = "webhook-secrets";

pub(super) fn deliver(settings: &Settings, forever: bool) -> Result<Exit, Failure> {
    let config = settings.config()?;
    let spool = spool_directory(&config.data);
    let (client, clock) = (Client::new(None), Clock::wall());
    loop {
        let (sent, waiting, given_up) = round(&spool, &client, &clock)?;
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

/// Tries every call that is due, oldest release first: delivered, waiting, given up.
fn round(spool: &Path, client: &Client, clock: &Clock) -> Result<(usize, usize, usize), Failure> {
    let fail = |error: std::io::Error| {
        Failure::text(
            Exit::Failed,
            format!("the spool {} cannot be read or written: {error}", spool.display()),
        )
    };
    let entries = match std::fs::read_dir(spool) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok((0, 0, 0)),
        Err(error) => return Err(fail(error)),
    };
    let _owner = OwnershipGuard::of(spool);
    let mut names: Vec<String> =
        entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect();
    names.retain(|name| !name.starts_with('.') && name.ends_with(".json"));
    names.sort();
    let (mut sent, mut waiting, mut given_up) = (0, 0, 0);
    for name in names {
        let path = spool.join(&name);
        let bytes = std::fs::read(&path).map_err(fail)?;
        let Ok(mut call) = serde_json::from_slice::<Call>(&bytes) else {
            tracing::error!(name, "not a call; kept as undelivered");
            set_aside(spool, &name).map_err(fail)?;
            given_up += 1;
            continue;
        };
        // A first try never waits: a release may carry a time just ahead of the clock.
        if call.attempts > 0 && call.due > clock.now() {
            waiting += 1;
            continue;
        }
        match send(client, &call, &name, clock) {
            Ok(()) => {
                std::fs::remove_file(&path).map_err(fail)?;
                sent += 1;
            }
            Err(reason) => {
                tracing::warn!(name, reason, "not delivered");
                let minutes = usize::try_from(call.attempts).ok().and_then(|tries| BACK_OFF.get(tries));
                call.attempts += 1;
                call.last_error = Some(reason);
                if let Some(minutes) = minutes {
                    call.due = clock.now() + TimeDelta::minutes(*minutes);
                    waiting += 1;
                } else {
                    given_up += 1;
                }
                write_call(spool, &name, &call).map_err(fail)?;
                if minutes.is_none() {
                    set_aside(spool, &name).map_err(fail)?;
                }
            }
        }
    }
    Ok((sent, waiting, given_up))
}

fn set_aside(spool: &Path, name: &str) -> std::io::Result<()> {
    let aside = spool.join(UNDELIVERED);
    std::fs::create_dir_all(&aside)?;
    std::fs::rename(spool.join(name), aside.join(name))
}

/// Where to read a webhook's secret. systemd passes the files of a directory `webhook-secrets`, which only root can read,
/// as credentials `webhook-secrets_FILE` (systemd.exec(5), `LoadCredential=`); the unit's user reads those instead.
fn readable_secret(secret_file: &Path, credentials: Option<&Path>) -> PathBuf {
    let credential = || {
        let directory = secret_file.parent()?.file_name().filter(|name| *name == WEBHOOK_SECRETS)?;
        let id = format!("{}_{}", directory.to_str()?, secret_file.file_name()?.to_str()?);
        Some(credentials?.join(id)).filter(|file| file.exists())
    };
    credential().unwrap_or_else(|| secret_file.to_owned())
}

fn send(client: &Client, call: &Call, name: &str, clock: &Clock) -> Result<(), String> {
    let credentials = std::env::var_os("CREDENTIALS_DIRECTORY").map(PathBuf::from);
    let secret_file = &call.webhook.secret_file;
    let secret = std::fs::read_to_string(readable_secret(secret_file, credentials.as_deref()))
        .map_err(|error| format!("{} cannot be read: {error}", secret_file.display()))?;
    let timestamp = clock.now().timestamp().to_string();
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.trim().as_bytes());
    let signature = hmac::sign(&key, format!("{timestamp}.{}", call.body).as_bytes());
    let signature = data_encoding::HEXLOWER.encode(signature.as_ref());
    let headers = vec![
        ("content-type", "application/json".to_owned()),
        ("callboard-release", call.release.to_string()),
        // The same for every try, so that a receiver can drop what it has seen.
        ("callboard-delivery", name.trim_end_matches(".json").to_owned()),
        ("callboard-timestamp", timestamp),
        ("callboard-signature", format!("sha256={signature}")),
    ];
    let request =
        Request { method: "POST", url: call.webhook.url.clone(), headers, body: Some(call.body.as_bytes()) };
    match client.call(request) {
        Ok(answer) if (200..300).contains(&answer.status) => Ok(()),
        Ok(answer) => Err(format!("it answered {}", answer.status)),
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
        // Another file, and a file of that name elsewhere.
        for file in ["/etc/callboard/conf/webhook-secrets/mail", "/etc/chat", "chat", "/"] {
            assert_eq!(read(file), Path::new(file));
        }
        let file = "/etc/callboard/conf/webhook-secrets/chat";
        assert_eq!(readable_secret(Path::new(file), None), Path::new(file));
    }
}
