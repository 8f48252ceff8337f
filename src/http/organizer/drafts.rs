//! The previewed files, which wait until they are published: in memory, or in the store of several replicas.

use crate::http::Problem;
use crate::publisher::PublishError;
use crate::store::{Origin, Store, TemporaryKind, TemporaryRecord, Write};
use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

/// The most previewed files in memory; beyond that, the oldest is dropped.
const MAX_DRAFTS: usize = 8;

/// The most previewed files in the store of several replicas.
const MAX_SHARED_DRAFTS: usize = 32;

/// How long a previewed file stays in the store.
const LASTS: TimeDelta = TimeDelta::hours(1);

/// The previewed files, by the digest that confirmed them when they were first previewed.
#[derive(Debug)]
pub(in crate::http) enum Drafts {
    Memory(Mutex<VecDeque<(String, PreviewedFile)>>),
    Shared(Store),
}

/// A program that a preview showed.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(in crate::http) struct PreviewedFile {
    #[serde(skip)]
    pub(super) csv: Bytes,
    pub(super) origin: Origin,
    /// The release that was live when the file was first previewed.
    pub(super) base: u64,
}

impl PreviewedFile {
    /// A line of JSON and the file.
    fn encode(&self) -> Bytes {
        let head = serde_json::to_vec(self).unwrap_or_default();
        [head.as_slice(), b"\n", &self.csv].concat().into()
    }

    fn decode(bytes: &Bytes) -> Option<Self> {
        let end = bytes.iter().position(|byte| *byte == b'\n')?;
        let draft: Self = serde_json::from_slice(bytes.get(..end)?).ok()?;
        Some(Self { csv: bytes.slice(end + 1..), ..draft })
    }
}

impl Drafts {
    /// The previewed files of this process; with a shared store, those of all replicas.
    pub(in crate::http) fn of(store: &Store) -> Self {
        match store.is_shared() {
            false => Self::Memory(Mutex::default()),
            true => Self::Shared(store.clone()),
        }
    }

    pub(super) async fn add(
        &self,
        digest: String,
        draft: PreviewedFile,
        now: DateTime<Utc>,
    ) -> Result<(), Problem> {
        match self {
            Self::Memory(drafts) => {
                let mut drafts = drafts.lock().unwrap_or_else(PoisonError::into_inner);
                drafts.retain(|(known, _)| *known != digest);
                if drafts.len() >= MAX_DRAFTS {
                    drafts.pop_front();
                }
                drafts.push_back((digest, draft));
            }
            Self::Shared(store) => {
                let kind = TemporaryKind::Preview;
                if store.count_temporary(kind)? >= MAX_SHARED_DRAFTS {
                    return Err(Problem::Overloaded);
                }
                let record = TemporaryRecord { until: now + LASTS, bytes: draft.encode() };
                let write = Write::PutTemporary { kind, id: digest, record };
                store.commit(vec![write]).await.map_err(PublishError::from)?;
            }
        }
        Ok(())
    }

    pub(super) fn find(&self, digest: &str, now: DateTime<Utc>) -> Result<Option<PreviewedFile>, Problem> {
        Ok(match self {
            Self::Memory(drafts) => {
                let drafts = drafts.lock().unwrap_or_else(PoisonError::into_inner);
                drafts.iter().find(|(known, _)| known == digest).map(|(_, draft)| draft.clone())
            }
            Self::Shared(store) => {
                store.temporary(TemporaryKind::Preview, digest, now)?.as_ref().and_then(PreviewedFile::decode)
            }
        })
    }
}
