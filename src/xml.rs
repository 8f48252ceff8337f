//! XML 1.0: reads untrusted documents into a tree of elements, and writes documents.
//!
//! Owns well-formedness and the limits on documents. Knows no particular kind of document. Only this module uses
//! quick-xml.
//!
//! Invariants: a document that exceeds a limit, has a DOCTYPE, or uses an entity that XML does not define is refused; a
//! written document is indented UTF-8 without characters that XML 1.0 does not allow.

mod read;

pub use read::{Element, XmlError, read};

use quick_xml::events::{BytesDecl, BytesEnd, BytesStart, BytesText, Event};

/// The most bytes of a document. Callers may set a lower limit.
pub const MAX_BYTES: usize = 20 * 1024 * 1024;
/// The most levels of elements.
pub const MAX_DEPTH: usize = 32;
/// The most elements of a document.
pub const MAX_ELEMENTS: usize = 1_000_000;
/// The most attributes of an element, and the most prefixes in scope at one place.
pub const MAX_ATTRIBUTES: usize = 64;

/// Writes one document into memory.
pub struct XmlWriter {
    inner: quick_xml::Writer<Vec<u8>>,
    open: Vec<&'static str>,
}

impl std::fmt::Debug for XmlWriter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("XmlWriter").field("open", &self.open).finish_non_exhaustive()
    }
}

impl Default for XmlWriter {
    fn default() -> Self {
        let mut writer =
            Self { inner: quick_xml::Writer::new_with_indent(Vec::new(), b' ', 2), open: Vec::new() };
        writer.event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)));
        writer
    }
}

impl XmlWriter {
    fn event(&mut self, event: Event<'_>) {
        // Writing into memory cannot fail.
        let _ = self.inner.write_event(event);
    }

    /// Opens an element.
    pub fn open(&mut self, name: &'static str, attributes: &[(&str, &str)]) {
        self.event(Event::Start(start(name, attributes)));
        self.open.push(name);
    }

    /// Closes the element that was opened last.
    pub fn close(&mut self) {
        if let Some(name) = self.open.pop() {
            self.event(Event::End(BytesEnd::new(name)));
        }
    }

    /// Writes an element without content.
    pub fn empty(&mut self, name: &str, attributes: &[(&str, &str)]) {
        self.event(Event::Empty(start(name, attributes)));
    }

    /// Writes an element with a text, which may be empty.
    pub fn leaf(&mut self, name: &str, attributes: &[(&str, &str)], text: &str) {
        self.event(Event::Start(start(name, attributes)));
        // XML readers turn an unescaped carriage return into a line feed (2.11).
        let escaped = quick_xml::escape::escape(clean(text)).replace('\r', "&#13;");
        self.event(Event::Text(BytesText::from_escaped(escaped)));
        self.event(Event::End(BytesEnd::new(name)));
    }

    /// The bytes written since the last call, for a document that is sent piece by piece.
    pub fn drain(&mut self) -> Vec<u8> {
        std::mem::take(self.inner.get_mut())
    }

    /// Closes all open elements and returns the document with a line end.
    pub fn finish(mut self) -> Vec<u8> {
        while !self.open.is_empty() {
            self.close();
        }
        let mut bytes = self.inner.into_inner();
        bytes.push(b'\n');
        bytes
    }
}

fn start<'a>(name: &'a str, attributes: &[(&str, &str)]) -> BytesStart<'a> {
    let mut start = BytesStart::new(name);
    for (key, value) in attributes {
        start.push_attribute((*key, clean(value).as_str()));
    }
    start
}

/// Replaces characters that XML 1.0 does not allow, not even escaped (2.2), by U+FFFD.
fn clean(text: &str) -> String {
    let allowed = |c: char| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..);
    text.chars().map(|c| if allowed(c) { c } else { '\u{fffd}' }).collect()
}

#[cfg(test)]
mod tests {
    use super::{MAX_BYTES, read, *};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn reading_a_written_text_gives_the_text(text in any::<String>(), attribute in "[^\\p{C}\n\t]*") {
            let mut writer = XmlWriter::default();
            writer.open("a", &[]);
            writer.leaf("b", &[("x", &attribute)], &text);
            let root = read(&writer.finish(), MAX_BYTES).unwrap();
            let leaf = root.child("b").unwrap();
            prop_assert_eq!(&leaf.text, &clean(&text));
            let kept = clean(&attribute);
            prop_assert_eq!(leaf.attribute("x"), Some(kept.as_str()));
        }
    }
}
