//! XML 1.0: reads untrusted documents into a tree of elements, and writes documents.
//!
//! Owns well-formedness and the limits on documents. Knows no document type. Only this module uses quick-xml.
//! Invariant: a document that exceeds a limit, has a DOCTYPE, or uses an entity that XML does not define is refused.

mod read;
mod write;

pub use read::{Element, XmlError, read};
pub use write::Writer;

/// The most bytes of a document. Callers may set a lower limit.
pub const MOST_BYTES: usize = 20 * 1024 * 1024;
/// The most levels of elements.
pub const MOST_DEPTH: usize = 32;
/// The most elements of a document.
pub const MOST_ELEMENTS: usize = 1_000_000;
/// The most attributes of an element, and the most prefixes in scope at one place.
pub const MOST_ATTRIBUTES: usize = 64;
