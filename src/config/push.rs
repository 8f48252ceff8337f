//! The table `[push]`: messages to the browsers of attendees.

use super::ConfigError;
use crate::peer::networks;
use ipnet::IpNet;
use serde::Deserialize;
use url::{Host, Url};

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct PushTable {
    contact: Option<String>,
    allow_networks: Vec<String>,
}

/// How messages are sent to the browsers of attendees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Push {
    /// The address that push services write to when something is wrong: a `mailto:` or https URL.
    pub contact: String,
    /// Networks in which push services are called although their addresses are not public.
    pub allow_networks: Vec<IpNet>,
}

impl PushTable {
    /// None if messages are off.
    pub(super) fn resolve(self) -> Result<Option<Push>, ConfigError> {
        let allow_networks = networks(&self.allow_networks)
            .map_err(|error| ConfigError::value("push.allow_networks", error))?;
        let Some(contact) = self.contact else { return Ok(None) };
        if !is_contact(&contact) {
            let problem = format!(
                "{contact:?} is no address that push services can reach you at; write one such as \
                 \"mailto:desk@conf.example.org\" or \"https://conf.example.org/contact\""
            );
            return Err(ConfigError::value("push.contact", problem));
        }
        Ok(Some(Push { contact, allow_networks }))
    }
}

/// Apple's push service refuses every message with a contact that nobody can have.
fn is_contact(text: &str) -> bool {
    let Ok(url) = Url::parse(text) else { return false };
    let host = match url.scheme() {
        "https" => url.host().map(|host| host.to_owned()),
        "mailto" => {
            let address = url.path().split_once('@');
            let address = address.filter(|(name, host)| !name.is_empty() && !host.contains(['@', '/', ',']));
            address.and_then(|(_, host)| Host::parse(host).ok())
        }
        _ => None,
    };
    let Some(Host::Domain(host)) = host else { return false };
    let last = host.trim_end_matches('.').rsplit('.').next().unwrap_or_default().to_owned();
    host.contains('.') && !["invalid", "localhost"].contains(&last.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_contact_is_an_address_that_somebody_can_have() {
        for good in
            ["mailto:desk@conf.example.org", "https://conf.example.org/contact", "https://conf.example.org"]
        {
            assert!(is_contact(good), "{good}");
        }
        for bad in [
            "",
            "desk@conf.example.org",
            "http://conf.example.org",
            "mailto:desk",
            "mailto:@conf.example.org",
            "mailto:desk@localhost",
            "mailto:desk@conf.localhost",
            "mailto:desk@conf.invalid",
            "mailto:a@b.org,c@d.org",
            "https://localhost/contact",
            "https://conf.invalid.",
            "https://127.0.0.1/",
        ] {
            assert!(!is_contact(bad), "{bad}");
        }
    }
}
