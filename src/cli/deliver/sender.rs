//! Sends one message, and says how it ended.

use crate::client::{BeforeSend, Client, OutgoingRequest};
use crate::clock::Clock;
use crate::config::Mail;
use crate::reach::{Body, Endpoint, Guard, Message, SendResult, WEBHOOK_SIGNATURE};
use crate::smtp::{SmtpClient, SmtpError};
use data_encoding::{BASE64, HEXLOWER};
use ipnet::IpNet;
use ring::hmac;
use std::borrow::Cow;
use std::path::{Path, PathBuf};
use url::Url;

/// The file with the password for the mail relay, and the credential's name.
const MAIL_SECRET: &str = "mail-secret";

/// The directory of secrets that the packaged unit passes as credentials, and the prefix of their names.
const WEBHOOK_SECRETS: &str = "webhook-secrets";

/// Sends messages of every kind.
#[derive(Debug)]
pub(super) struct Sender {
    client: Client,
    /// Sends to addresses that clients of the server chose.
    strangers: Client,
    /// Sends mails; none if the config has no relay.
    relay: Option<SmtpClient>,
    clock: Clock,
    credentials: Option<PathBuf>,
}

impl Sender {
    /// `parallel` is how many messages are sent at a time. `allowed` are networks in which devices may be called although
    /// their addresses are not public.
    pub(super) fn new(parallel: usize, allowed: Vec<IpNet>, mail: Option<Mail>) -> Self {
        let credentials = std::env::var_os("CREDENTIALS_DIRECTORY").map(PathBuf::from);
        let may_dial = move |url: &Url, address| {
            Endpoint::parse(url.as_str(), &allowed).is_ok_and(|endpoint| endpoint.may_dial(address, &allowed))
        };
        let strangers = Client::for_strangers(parallel, Box::new(may_dial));
        let relay = mail.map(|Mail { mut relay, from, .. }| {
            if let Some((_, file)) = &mut relay.login {
                *file = readable_secret(file, credentials.as_deref());
            }
            SmtpClient::new(relay, from.domain())
        });
        Self { client: Client::for_deliveries(parallel), strangers, relay, clock: Clock::wall(), credentials }
    }

    /// Sends a message. `before` is called when it is about to leave; not if there is no connection.
    pub(super) fn send(&self, message: &Message, before: BeforeSend) -> SendResult {
        self.try_send(message, before).unwrap_or_else(|error| SendResult::Failed { error })
    }

    fn try_send(&self, message: &Message, before: BeforeSend) -> Result<SendResult, String> {
        let body: Cow<'_, [u8]> = match &message.body {
            Body::Text(text) => text.as_bytes().into(),
            Body::Base64(text) => {
                BASE64.decode(text.as_bytes()).map_err(|_| "the message is damaged")?.into()
            }
        };
        let mut headers: Vec<(&str, String)> =
            message.headers.iter().map(|(name, value)| (name.as_str(), value.clone())).collect();
        let url = message.url.parse().map_err(|_| "the address is not valid")?;
        let request = |headers| OutgoingRequest { method: "POST", url, headers, body: Some(&body) };
        let answer = match &message.guard {
            Guard::Sign(secret_file) => {
                self.sign(secret_file, &body, &mut headers)?;
                self.client.deliver(request(headers), before).map_err(|error| error.with_cause())?
            }
            Guard::Stranger => {
                self.strangers.deliver(request(headers), before).map_err(|error| error.cause())?
            }
            Guard::Relay { sender } => {
                before();
                return self.mail(sender, &message.url, &body);
            }
        };
        let retry_after = answer.retry_after.as_deref().and_then(|text| seconds(text, &self.clock));
        Ok(SendResult::Answered { status: answer.status, retry_after })
    }

    /// Ends the connections that are kept for further messages.
    pub(super) fn close(&self) {
        if let Some(relay) = &self.relay {
            relay.close();
        }
    }

    fn mail(&self, sender: &str, url: &str, body: &[u8]) -> Result<SendResult, String> {
        let relay = self.relay.as_ref().ok_or("the config has no mail relay; restart callboard deliver")?;
        let recipient = url.strip_prefix("mailto:").ok_or("the address is not valid")?;
        let mail = std::str::from_utf8(body).map_err(|_| "the mail is damaged")?;
        match relay.send(sender, recipient, mail) {
            Ok(()) => Ok(SendResult::Answered { status: 250, retry_after: None }),
            Err(SmtpError::NoRecipient { status }) => Ok(SendResult::NoRecipient { status }),
            Err(error) => Err(error.to_string()),
        }
    }

    fn sign(&self, secret_file: &Path, body: &[u8], headers: &mut Vec<(&str, String)>) -> Result<(), String> {
        let secret = std::fs::read_to_string(readable_secret(secret_file, self.credentials.as_deref()))
            .map_err(|error| format!("{} cannot be read: {error}", secret_file.display()))?;
        let timestamp = self.clock.now().timestamp().to_string();
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret.trim().as_bytes());
        let signature = hmac::sign(&key, &[timestamp.as_bytes(), b".", body].concat());
        headers.push(("callboard-timestamp", timestamp));
        headers.push((WEBHOOK_SIGNATURE, format!("sha256={}", HEXLOWER.encode(signature.as_ref()))));
        Ok(())
    }
}

/// The value of a Retry-After header in seconds: a number or a date (RFC 9110, 10.2.3).
pub(in crate::cli) fn seconds(text: &str, clock: &Clock) -> Option<u64> {
    let text = text.trim();
    text.parse().ok().or_else(|| {
        let at = httpdate::parse_http_date(text).ok()?;
        let now = std::time::SystemTime::from(clock.now());
        Some(at.duration_since(now).unwrap_or_default().as_secs())
    })
}

/// The file to read a secret from. systemd passes the files of a directory `webhook-secrets`, which only root can read, as
/// credentials `webhook-secrets_FILE`, and a file `mail-secret` as a credential of that name (systemd.exec(5),
/// `LoadCredential=`). The unit's user reads those instead.
fn readable_secret(secret_file: &Path, credentials: Option<&Path>) -> PathBuf {
    let credential = || {
        if secret_file.file_name()? == MAIL_SECRET {
            return Some(credentials?.join(MAIL_SECRET)).filter(|file| file.exists());
        }
        let directory = secret_file.parent()?.file_name().filter(|name| *name == WEBHOOK_SECRETS)?;
        let id = format!("{}_{}", directory.to_str()?, secret_file.file_name()?.to_str()?);
        Some(credentials?.join(id)).filter(|file| file.exists())
    };
    credential().unwrap_or_else(|| secret_file.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::DateTime;

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

    #[test]
    fn retry_after_is_a_number_or_a_date() {
        let clock = Clock::fixed(DateTime::from_timestamp(1_742_900_000, 0).unwrap());
        let seconds = |text: &str| super::seconds(text, &clock);
        assert_eq!((seconds("120"), seconds(" 0 ")), (Some(120), Some(0)));
        assert_eq!(seconds("Tue, 25 Mar 2025 10:54:20 GMT"), Some(60));
        assert_eq!(seconds("Tue, 25 Mar 2025 10:00:00 GMT"), Some(0), "it is over");
        assert_eq!((seconds("soon"), seconds("-1")), (None, None));
    }
}
