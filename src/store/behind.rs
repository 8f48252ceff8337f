//! What is behind a read link: where it leads and the agenda there, read at one moment.

use super::cell::Table;
use super::view;
use super::{AgendaRecord, LinkTarget, ReadError, Store};
use crate::revision::Digest;
use std::sync::PoisonError;

/// What is behind a read link, as it lies in the store: to find out that it is the same, no agenda is parsed.
#[derive(Debug, Clone)]
pub struct Behind {
    /// When it was read.
    pub generation: u64,
    /// Where the link leads; none where it was never issued.
    pub target: Option<LinkTarget>,
    /// The record of the agenda, where it leads to one that is there.
    record: Option<Vec<u8>>,
}

impl Behind {
    /// Whether both are the same, whenever they were read.
    pub fn is_same(&self, other: &Self) -> bool {
        (self.target, &self.record) == (other.target, &other.record)
    }

    /// The agenda, where the link leads to one that is there.
    ///
    /// # Errors
    /// [`ReadError::Damaged`] where its record is none.
    pub fn agenda(&self) -> Result<Option<AgendaRecord>, ReadError> {
        let parsed = self.record.as_deref().map(serde_json::from_slice).transpose();
        parsed.map_err(|cause| ReadError::Damaged { what: Table::Agenda.name(), cause: cause.to_string() })
    }

    /// How many bytes the record has.
    pub fn len(&self) -> usize {
        self.record.as_ref().map_or(0, Vec::len)
    }

    /// Whether there is no agenda.
    pub fn is_empty(&self) -> bool {
        self.record.is_none()
    }
}

impl Store {
    /// A number that differs whenever anything that readers see may have changed in between: what was read at a
    /// generation is still so while it is the present one.
    pub fn generation(&self) -> u64 {
        self.view().read().unwrap_or_else(PoisonError::into_inner).generation
    }

    /// What is behind the read link of a token's SHA-256.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn behind(&self, hash: &Digest) -> Result<Behind, ReadError> {
        view::read(self.view(), |view| {
            let target = view.link(self.space(), hash)?;
            let record = match &target {
                Some(LinkTarget::Agenda(key)) => view.bytes(&self.space().cell(Table::Agenda, &key.0))?,
                _ => None,
            };
            Ok(Behind { generation: view.generation, target, record })
        })
    }
}
