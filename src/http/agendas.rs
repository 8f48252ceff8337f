//! Operations on agendas for the API, the pages and CalDAV.
//!
//! Owns keys, caps, names, link numbers and compare-and-set. It knows neither requests nor status codes. A change commits
//! on the condition that the stored record still has the version that was read. On a conflict it reads the record and
//! starts again, so two devices that edit at once lose nothing. Invariant: a change that returns `Ok` is on disk.

mod links;
mod owner;
mod picks;
mod record;
mod shared;

pub use links::ReadLink;
pub use owner::{Agendas, Created, Owned};
pub use record::AgendaError;
pub use shared::Shared;
