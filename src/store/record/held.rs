//! The records of held releases, which wait for an organizer on all replicas.

use super::release::Origin;
use crate::revision::Digest;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// The source of a held release. At most one release of each source is held; a newer one replaces it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum HeldSource {
    /// The watched program file.
    File,
    /// An upload by an organizer.
    Upload,
    /// An earlier release.
    Rollback,
    /// A program elsewhere that is followed.
    Source,
}

impl HeldSource {
    /// All sources.
    pub const ALL: [Self; 4] = [Self::File, Self::Upload, Self::Rollback, Self::Source];

    /// The source of an event; none if what is held from it is stored elsewhere, or found by each replica itself.
    pub fn of(origin: Origin) -> Option<Self> {
        match origin {
            Origin::File => Some(Self::File),
            Origin::Upload => Some(Self::Upload),
            Origin::Rollback { .. } => Some(Self::Rollback),
            Origin::Source => Some(Self::Source),
            Origin::First | Origin::Config | Origin::Upgrade | Origin::Scheduled | Origin::Restored => None,
        }
    }

    /// The name in keys.
    pub(in super::super) fn name(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Upload => "upload",
            Self::Rollback => "rollback",
            Self::Source => "source",
        }
    }
}

/// A held release. Its program is a record of its own, which is read only when this one has changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HeldRecord {
    /// When it was held.
    pub at: DateTime<Utc>,
    /// What would have made the release.
    pub origin: Origin,
    /// The digest that confirms it.
    pub digest: String,
    /// The release that it was compared with. It is held while that one is live.
    pub base: u64,
    /// The signs that the followed sheet was cut off.
    pub doubts: serde_json::Value,
    /// The digest of the followed source's program, before it was merged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Digest>,
}
