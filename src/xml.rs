//! XML for the formats that speak it: a hardened reader into a small tree, and a writer.
//!
//! Owns well-formedness (XML 1.0) and the caps that keep a stranger's document harmless; it knows no format.
//! Only user of quick-xml. Invariant: a document with a DOCTYPE, an entity of its own, or more depth, size,
//! elements or attributes than the caps is refused, never expanded.

mod read;
mod write;

pub use read::{Element, XmlError, read};
pub use write::Writer;

/// Bytes that a document may have unless the caller caps it lower.
pub const MOST_BYTES: usize = 20 * 1024 * 1024;
/// Elements within elements.
pub const MOST_DEPTH: usize = 32;
/// Elements of a document.
pub const MOST_ELEMENTS: usize = 1_000_000;
/// Attributes of an element, and prefixes in force at one place.
pub const MOST_ATTRIBUTES: usize = 64;
