//! What is behind a read link.

use super::Agendas;
use crate::agenda::ReadToken;
use crate::http::Problem;
use crate::store::{AgendaRecord, LinkTarget, LinkedAgenda, ReadError};
use chrono::{DateTime, TimeDelta, Utc};

/// How long a closed link says that it is closed.
const NOTICE: TimeDelta = TimeDelta::days(30);

/// What is behind a read link.
#[derive(Debug, Clone)]
pub enum Shared {
    /// An agenda.
    Open(AgendaRecord),
    /// Nothing any more: revoked, or deleted with its agenda, less than 30 days ago.
    Closed {
        /// Since when.
        since: DateTime<Utc>,
    },
    /// Nothing for good: closed for longer, or erased.
    Gone,
    /// Nothing ever: the token was not issued.
    Never,
}

impl Shared {
    /// The agenda, for those who have nothing more to say about a link that works no longer.
    pub(in crate::http) fn open(self) -> Result<AgendaRecord, Problem> {
        match self {
            Self::Open(record) => Ok(record),
            Self::Closed { .. } | Self::Gone => Err(Problem::Gone),
            Self::Never => Err(Problem::NotFound),
        }
    }
}

impl Agendas {
    /// Follows a read link.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn shared(&self, token: &ReadToken) -> Result<Shared, ReadError> {
        self.seen_in(&self.store.linked_agenda(&token.hash())?)
    }

    /// What it leads to, as it was read.
    pub(in crate::http) fn seen_in(&self, behind: &LinkedAgenda) -> Result<Shared, ReadError> {
        Ok(match behind.target {
            None => Shared::Never,
            Some(LinkTarget::Erased { .. }) => Shared::Gone,
            Some(LinkTarget::Closed { at }) if self.clock.now() - at > NOTICE => Shared::Gone,
            Some(LinkTarget::Closed { at }) => Shared::Closed { since: at },
            Some(LinkTarget::Agenda(_)) => behind.agenda()?.map_or(Shared::Gone, Shared::Open),
        })
    }
}
