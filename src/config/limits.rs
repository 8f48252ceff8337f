//! What a client may take of the server: connections, time, and how often it may try.

use super::ConfigError;
use serde::{Deserialize, Serialize};

/// The server's limits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Connections at once.
    pub connections: usize,
    /// Connections of one address at once; trusted proxies and this machine are exempt.
    pub connections_per_address: usize,
    /// Seconds for a request's head.
    pub header_s: u64,
    /// Seconds for a request's body.
    pub body_s: u64,
    /// Seconds for taking an answer; one more for each 4 KiB that were taken.
    pub answer_s: u64,
    /// Seconds that a connection may idle between requests.
    pub idle_s: u64,
    /// Seconds that requests under way get at a stop.
    pub drain_s: u64,
    /// New agendas of one address at once.
    pub agendas_at_once: u32,
    /// … and in an hour.
    pub agendas_hour: u32,
    /// Wrong edit keys of one address at once.
    pub wrong_keys_at_once: u32,
    /// … and in an hour.
    pub wrong_keys_hour: u32,
    /// Wrong organizer's secrets of one address at once.
    pub wrong_secrets_at_once: u32,
    /// … and in an hour.
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
            wrong_keys_at_once: 60,
            wrong_keys_hour: 600,
            wrong_secrets_at_once: 10,
            wrong_secrets_hour: 60,
        }
    }
}

impl Limits {
    /// Refuses what would refuse everybody.
    pub(super) fn checked(self) -> Result<Self, ConfigError> {
        for (key, is_none) in [
            ("limits.connections", self.connections == 0),
            ("limits.connections_per_address", self.connections_per_address == 0),
            ("limits.agendas_at_once", self.agendas_at_once == 0),
            ("limits.agendas_hour", self.agendas_hour == 0),
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
