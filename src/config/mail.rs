//! The table `[mail]`: calendar invitations by mail.

use super::{ConfigError, MailAddress};
use serde::Deserialize;
use std::net::IpAddr;
use std::path::PathBuf;
use url::Url;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct MailTable {
    relay: Option<String>,
    user: Option<String>,
    secret_file: Option<PathBuf>,
    ca_file: Option<PathBuf>,
    from: Option<String>,
    reply_to: Option<String>,
}

/// How invitations are sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail {
    /// The server that accepts mails for every domain.
    pub relay: MailRelay,
    /// The sender of every mail, and the organizer of every invitation.
    pub from: MailAddress,
    /// Where answers go; none: to the sender.
    pub reply_to: Option<MailAddress>,
}

/// The server that accepts mails.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailRelay {
    /// A name or an IP address.
    pub host: String,
    /// The port.
    pub port: u16,
    /// How the connection is encrypted.
    pub security: MailSecurity,
    /// The user, and the file with the password; none if the relay asks for none.
    pub login: Option<(String, PathBuf)>,
    /// The certificates that sign the relay's, in PEM; none: those that browsers trust.
    pub ca_file: Option<PathBuf>,
}

/// How the connection to a relay is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailSecurity {
    /// TLS from the first byte (RFC 8314).
    Tls,
    /// TLS after the command STARTTLS, which the relay must offer (RFC 3207).
    StartTls,
    /// None. Only for a relay on this machine.
    Plain,
}

impl MailTable {
    /// None if invitations are off.
    pub(super) fn resolve(self) -> Result<Option<Mail>, ConfigError> {
        let Some(relay) = self.relay else {
            let is_empty = self.user.is_none()
                && self.secret_file.is_none()
                && self.ca_file.is_none()
                && self.from.is_none()
                && self.reply_to.is_none();
            let problem = "missing; write the server that sends the mails, such as \"smtp://localhost\"";
            return if is_empty { Ok(None) } else { Err(ConfigError::value("mail.relay", problem)) };
        };
        let address = |key: &str, text: &str| {
            MailAddress::parse(text).map_err(|error| ConfigError::value(key, format!("{text:?}: {error}")))
        };
        let from = self.from.as_deref().map(|text| address("mail.from", text)).transpose()?;
        let problem = "missing; write the sender of the mails, such as \"calendar@conf.example.org\"";
        let from = from.ok_or_else(|| ConfigError::value("mail.from", problem))?;
        let reply_to = self.reply_to.as_deref().map(|text| address("mail.reply_to", text)).transpose()?;
        let login = match (self.user, self.secret_file) {
            (Some(user), Some(file)) => Some((user, file)),
            (None, None) => None,
            (Some(_), None) => {
                let problem = "missing; write the file with the password of mail.user";
                return Err(ConfigError::value("mail.secret_file", problem));
            }
            (None, Some(_)) => {
                let problem = "missing; write the name that belongs to the password in mail.secret_file";
                return Err(ConfigError::value("mail.user", problem));
            }
        };
        let (host, port, security) = relay_address(&relay)?;
        let relay = MailRelay { host, port, security, login, ca_file: self.ca_file };
        Ok(Some(Mail { relay, from, reply_to }))
    }
}

fn relay_address(text: &str) -> Result<(String, u16, MailSecurity), ConfigError> {
    let wrong = || {
        let problem = format!(
            "{text:?} is no mail server; write \"smtps://mail.example.org\" for TLS, \
             \"smtp://mail.example.org\" for STARTTLS, or \"smtp://localhost\""
        );
        ConfigError::value("mail.relay", problem)
    };
    let url = Url::parse(text).map_err(|_| wrong())?;
    let has_more = !url.username().is_empty()
        || url.password().is_some()
        || !matches!(url.path(), "" | "/")
        || url.query().is_some()
        || url.fragment().is_some();
    let host = url.host_str().map(|host| host.trim_matches(['[', ']']).to_owned());
    let host = host.filter(|host| !host.is_empty() && !has_more).ok_or_else(wrong)?;
    let is_local =
        host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.to_canonical().is_loopback());
    let (port, security) = match (url.scheme(), is_local) {
        ("smtps", _) => (465, MailSecurity::Tls),
        ("smtp", false) => (587, MailSecurity::StartTls),
        ("smtp", true) => (25, MailSecurity::Plain),
        _ => return Err(wrong()),
    };
    Ok((host, url.port().unwrap_or(port), security))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolve(text: &str) -> Result<Option<Mail>, String> {
        let table: MailTable = toml::from_str(text).unwrap();
        table.resolve().map_err(|error| error.to_string())
    }

    #[test]
    fn a_relay_is_encrypted_unless_it_is_on_this_machine() {
        use MailSecurity::{Plain, StartTls, Tls};
        for (relay, host, port, security) in [
            ("smtps://mail.example.org", "mail.example.org", 465, Tls),
            ("smtp://mail.example.org", "mail.example.org", 587, StartTls),
            ("smtp://mail.example.org:25/", "mail.example.org", 25, StartTls),
            ("smtp://10.0.0.7", "10.0.0.7", 587, StartTls),
            ("smtp://localhost", "localhost", 25, Plain),
            ("smtp://127.0.0.1:2525", "127.0.0.1", 2525, Plain),
            ("smtp://[::1]:2525", "::1", 2525, Plain),
            ("smtps://localhost", "localhost", 465, Tls),
            ("smtp://localhost.example.org", "localhost.example.org", 587, StartTls),
        ] {
            let mail = resolve(&format!("relay = \"{relay}\"\nfrom = \"a@b.example\"")).unwrap().unwrap();
            assert_eq!(
                (mail.relay.host.as_str(), mail.relay.port, mail.relay.security),
                (host, port, security)
            );
        }
    }

    #[test]
    fn what_is_missing_or_wrong_is_named() {
        assert_eq!(resolve(""), Ok(None));
        let good = "relay = \"smtp://localhost\"\nfrom = \"a@b.example\"\n";
        for (text, expected) in [
            ("from = \"a@b.example\"".to_owned(), "mail.relay: missing"),
            ("relay = \"smtp://localhost\"".to_owned(), "mail.from: missing"),
            ("relay = \"mail.example.org\"\nfrom = \"a@b.example\"".to_owned(), "mail.relay: \"mail"),
            ("relay = \"http://mail.example.org\"\nfrom = \"a@b.example\"".to_owned(), "smtps://"),
            ("relay = \"smtp://me:pw@mail.example.org\"\nfrom = \"a@b.example\"".to_owned(), "smtps://"),
            ("relay = \"smtp://localhost\"\nfrom = \"Desk <a@b.example>\"".to_owned(), "mail.from"),
            (format!("{good}reply_to = \"desk\""), "mail.reply_to"),
            (format!("{good}user = \"me\""), "mail.secret_file: missing"),
            (format!("{good}secret_file = \"x\""), "mail.user: missing"),
        ] {
            let error = resolve(&text).unwrap_err();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }
}
