//! XML 1.0: a reader of untrusted documents into a tree of elements, and a writer.
//!
//! Owns well-formedness and the limits on documents. Knows no format. Only user of quick-xml. Invariant: a document that
//! exceeds a limit, has a DOCTYPE or uses an entity beyond those of XML is refused.

mod read;
mod write;

pub use read::{Element, XmlError, read};
pub use write::Writer;

/// Bytes of a document. Callers may set a lower limit.
pub const MOST_BYTES: usize = 20 * 1024 * 1024;
/// Levels of elements.
pub const MOST_DEPTH: usize = 32;
/// Elements of a document.
pub const MOST_ELEMENTS: usize = 1_000_000;
/// Attributes of an element, and prefixes in scope at one place.
pub const MOST_ATTRIBUTES: usize = 64;
