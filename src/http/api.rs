//! `/api/v1`: the program as JSON for everybody, and agendas for those who have a key or a link.

mod agenda;
mod exchange;
mod history;
mod json;
mod openapi;
mod paging;
mod program;

pub(super) use agenda::AgendaRequest;
pub(super) use openapi::reference;
pub(super) use program::{Documents, ProgramRequest};

/// The longest body in bytes: 500 session ids of 63 characters take half of it.
pub(super) const MAX_BODY: usize = 64 * 1024;
