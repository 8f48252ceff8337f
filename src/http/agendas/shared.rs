//! Read links as their followers see them.

use super::owner::Agendas;
use crate::agenda::ReadToken;
use crate::http::Problem;
use crate::store::{AgendaRecord, LinkTarget, LinkedAgenda, ReadError};
use chrono::{DateTime, TimeDelta, Utc};

/// How long a revoked link answers that it is revoked.
const NOTICE: TimeDelta = TimeDelta::days(30);

/// The result of following a read link.
#[derive(Debug, Clone)]
pub enum Shared {
    /// An agenda.
    Open(AgendaRecord),
    /// The link was revoked or its agenda deleted, less than 30 days ago.
    Closed {
        /// When the link was revoked or the agenda deleted.
        since: DateTime<Utc>,
    },
    /// The link was closed earlier, or its agenda erased.
    Gone,
    /// The token was never issued.
    Never,
}

impl Shared {
    /// The agenda; an error for any other link.
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
    /// If the store cannot be read.
    pub fn shared(&self, token: &ReadToken) -> Result<Shared, ReadError> {
        self.result_of(&self.store.linked_agenda(&token.hash())?)
    }

    /// The result for a link whose records were read already.
    pub(in crate::http) fn result_of(&self, behind: &LinkedAgenda) -> Result<Shared, ReadError> {
        Ok(match behind.target {
            None => Shared::Never,
            Some(LinkTarget::Erased { .. }) => Shared::Gone,
            Some(LinkTarget::Closed { at }) if self.clock.now() - at > NOTICE => Shared::Gone,
            Some(LinkTarget::Closed { at }) => Shared::Closed { since: at },
            Some(LinkTarget::Agenda(_)) => behind.agenda()?.map_or(Shared::Gone, Shared::Open),
        })
    }
}
