//! The limits of clients: connections, time, and requests per address or agenda. Every default is here.

use super::ConfigError;
use serde::{Deserialize, Serialize};

/// The limits of clients. `docs/operations/limits.md` explains them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Connections at once.
    pub connections: usize,
    /// Connections of one address at once. Trusted proxies and this machine are exempt.
    pub connections_per_address: usize,
    /// Seconds to send a request's head.
    pub header_s: u64,
    /// Seconds to send a request's body.
    pub body_s: u64,
    /// Seconds to receive a response; each 4 KiB received add one second.
    pub answer_s: u64,
    /// Seconds that a connection may be idle between requests.
    pub idle_s: u64,
    /// Seconds that requests in progress get when the server stops.
    pub drain_s: u64,
    /// New agendas of one address at once.
    pub agendas_at_once: u32,
    /// New agendas of one address in an hour.
    pub agendas_hour: u32,
    /// Changes of one agenda at once.
    pub agenda_changes_at_once: u32,
    /// Changes of one agenda in an hour.
    pub agenda_changes_hour: u32,
    /// Changes by one address at once. Only changes of agendas that have used a fifth of their own limit count.
    pub changes_at_once: u32,
    /// Changes by one address in an hour.
    pub changes_hour: u32,
    /// New read links of one agenda at once.
    pub agenda_links_at_once: u32,
    /// New read links of one agenda in an hour.
    pub agenda_links_hour: u32,
    /// New read links by one address at once. Only links of agendas that have used a fifth of their own limit count.
    pub links_at_once: u32,
    /// New read links by one address in an hour.
    pub links_hour: u32,
    /// Hand-over links of one agenda at once.
    pub agenda_handovers_at_once: u32,
    /// Hand-over links of one agenda in an hour.
    pub agenda_handovers_hour: u32,
    /// Hand-over links by one address at once. Only links of agendas that have used a fifth of their own limit count.
    pub handovers_at_once: u32,
    /// Hand-over links by one address in an hour.
    pub handovers_hour: u32,
    /// Wrong edit keys of one address at once.
    pub wrong_keys_at_once: u32,
    /// Wrong edit keys of one address in an hour.
    pub wrong_keys_hour: u32,
    /// Wrong organizer secrets of one address at once.
    pub wrong_secrets_at_once: u32,
    /// Wrong organizer secrets of one address in an hour.
    pub wrong_secrets_hour: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 4096,
            connections_per_address: 1024,
            header_s: 10,
            body_s: 30,
            answer_s: 30,
            idle_s: 60,
            drain_s: 10,
            agendas_at_once: 600,
            agendas_hour: 3_000,
            agenda_changes_at_once: 1_000,
            agenda_changes_hour: 3_000,
            changes_at_once: 10_000,
            changes_hour: 60_000,
            agenda_links_at_once: 40,
            agenda_links_hour: 40,
            links_at_once: 600,
            links_hour: 3_000,
            agenda_handovers_at_once: 10,
            agenda_handovers_hour: 60,
            handovers_at_once: 300,
            handovers_hour: 1_200,
            wrong_keys_at_once: 60,
            wrong_keys_hour: 600,
            wrong_secrets_at_once: 10,
            wrong_secrets_hour: 60,
        }
    }
}

impl Limits {
    /// Refuses limits of zero, which would reject every client.
    pub(super) fn checked(self) -> Result<Self, ConfigError> {
        for (key, is_none) in [
            ("limits.connections", self.connections == 0),
            ("limits.connections_per_address", self.connections_per_address == 0),
            ("limits.agendas_at_once", self.agendas_at_once == 0),
            ("limits.agendas_hour", self.agendas_hour == 0),
            ("limits.agenda_changes_at_once", self.agenda_changes_at_once == 0),
            ("limits.agenda_changes_hour", self.agenda_changes_hour == 0),
            ("limits.changes_at_once", self.changes_at_once == 0),
            ("limits.changes_hour", self.changes_hour == 0),
            ("limits.agenda_links_at_once", self.agenda_links_at_once == 0),
            ("limits.agenda_links_hour", self.agenda_links_hour == 0),
            ("limits.links_at_once", self.links_at_once == 0),
            ("limits.links_hour", self.links_hour == 0),
            ("limits.agenda_handovers_at_once", self.agenda_handovers_at_once == 0),
            ("limits.agenda_handovers_hour", self.agenda_handovers_hour == 0),
            ("limits.handovers_at_once", self.handovers_at_once == 0),
            ("limits.handovers_hour", self.handovers_hour == 0),
            ("limits.wrong_keys_at_once", self.wrong_keys_at_once == 0),
            ("limits.wrong_keys_hour", self.wrong_keys_hour == 0),
            ("limits.wrong_secrets_at_once", self.wrong_secrets_at_once == 0),
            ("limits.wrong_secrets_hour", self.wrong_secrets_hour == 0),
        ] {
            if is_none {
                return Err(ConfigError::value(key, "write 1 or more"));
            }
        }
        Ok(self)
    }
}
