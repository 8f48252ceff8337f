//! The record of the replica that is in charge.

use super::outbox::Version;
use serde::{Deserialize, Serialize};

/// Who is in charge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChargeRecord {
    /// Rises with every renewal.
    #[serde(flatten)]
    pub version: Version,
    /// The id of the replica's process; empty if it has stopped.
    pub holder: String,
}

impl AsRef<Version> for ChargeRecord {
    fn as_ref(&self) -> &Version {
        &self.version
    }
}
