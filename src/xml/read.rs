//! Reads documents, with limits on everything that untrusted input can enlarge.

use super::{MAX_ATTRIBUTES, MAX_BYTES, MAX_DEPTH, MAX_ELEMENTS};
use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
use std::sync::Arc;

/// An element with its content.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Element {
    /// The element's name without the prefix.
    pub name: String,
    /// The namespace of the element's prefix, or empty. Elements of a namespace share the text.
    pub namespace: Arc<str>,
    /// The attributes except namespace declarations: names as written, values with entities replaced.
    pub attributes: Vec<(String, String)>,
    /// The child elements.
    pub children: Vec<Element>,
    /// The text directly in the element, joined.
    pub text: String,
    /// The line on which the element starts, from 1.
    pub line: usize,
}

/// Why a document is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum XmlError {
    /// The document is too large.
    #[error("the document has {0} bytes, more than {1}")]
    TooLarge(usize, usize),
    /// Elements are nested too deeply.
    #[error("line {0}: elements are nested more than {MAX_DEPTH} levels deep")]
    TooDeep(usize),
    /// The document has too many elements.
    #[error("the document has more than {MAX_ELEMENTS} elements")]
    TooMany,
    /// The document has a DOCTYPE.
    #[error("line {0}: a DOCTYPE is not accepted, because it could define entities")]
    DocType(usize),
    /// An element has too many attributes, or too many prefixes are in scope.
    #[error("line {0}: an element has more than {MAX_ATTRIBUTES} attributes or prefixes")]
    TooManyAttributes(usize),
    /// The document uses an entity that XML does not define.
    #[error("line {0}: the entity &{1}; is not accepted; write the character itself")]
    Entity(usize, String),
    /// The document is not UTF-8.
    #[error("the document is not UTF-8")]
    NotUtf8,
    /// The document is not well-formed.
    #[error("line {0}: {1}")]
    Malformed(usize, String),
}

impl Element {
    /// Whether the element has this namespace and name.
    pub fn is(&self, namespace: &str, name: &str) -> bool {
        self.name == name && *self.namespace == *namespace
    }

    /// The first child with a name.
    pub fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }

    /// Every child with a name.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Self> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// The trimmed text of the first child with a name; empty if there is none.
    pub fn text_of(&self, name: &str) -> &str {
        self.child(name).map_or("", |child| child.text.trim())
    }

    /// The value of an attribute, by its name as written.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// Reads a document of at most `most` bytes into its root element.
///
/// # Errors
/// [`XmlError`]. No part of a refused document is returned.
pub fn read(bytes: &[u8], most: usize) -> Result<Element, XmlError> {
    let most = most.min(MAX_BYTES);
    if bytes.len() > most {
        return Err(XmlError::TooLarge(bytes.len(), most));
    }
    let text = std::str::from_utf8(bytes).map_err(|_| XmlError::NotUtf8)?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    Builder { text, line: 1, counted: 0, elements: 0, scopes: vec![Vec::new()], open: Vec::new(), root: None }
        .build()
}

struct Builder<'t> {
    text: &'t str,
    /// The line number at byte `counted`, so that each line end is counted only once.
    line: usize,
    counted: usize,
    elements: usize,
    /// Prefixes and their namespaces, one list per open element.
    scopes: Vec<Vec<(String, Arc<str>)>>,
    open: Vec<Element>,
    root: Option<Element>,
}

impl Builder<'_> {
    fn build(mut self) -> Result<Element, XmlError> {
        let mut reader = Reader::from_str(self.text);
        reader.config_mut().check_end_names = true;
        loop {
            let at = usize::try_from(reader.buffer_position()).unwrap_or(usize::MAX);
            let line = self.line_at(at);
            let event = reader.read_event().map_err(|e| XmlError::Malformed(line, e.to_string()))?;
            match event {
                Event::Start(start) => self.start(&start, line)?,
                Event::Empty(start) => {
                    self.start(&start, line)?;
                    self.end();
                }
                Event::End(_) => self.end(),
                Event::Text(text) => self.characters(&text.xml10_content(), line)?,
                Event::CData(data) => self.characters(&data.xml10_content(), line)?,
                Event::GeneralRef(reference) => {
                    let resolved = match reference.resolve_char_ref() {
                        Ok(Some(c)) => Some(c),
                        Ok(None) => named(&reference.xml10_content()),
                        Err(error) => return Err(XmlError::Malformed(line, error.to_string())),
                    };
                    let c = resolved
                        .ok_or_else(|| XmlError::Entity(line, shorten(&reference.xml10_content())))?;
                    self.characters(c.encode_utf8(&mut [0; 4]), line)?;
                }
                Event::DocType(_) => return Err(XmlError::DocType(line)),
                Event::Decl(_) | Event::PI(_) | Event::Comment(_) => {}
                Event::Eof => break,
            }
        }
        match (self.open.last(), self.root) {
            (Some(open), _) => {
                Err(XmlError::Malformed(open.line, format!("<{}> is not closed", shorten(&open.name))))
            }
            (None, Some(root)) => Ok(root),
            (None, None) => Err(XmlError::Malformed(1, "the document has no element".to_owned())),
        }
    }

    fn line_at(&mut self, at: usize) -> usize {
        let passed = self.text.as_bytes().get(self.counted..at).unwrap_or_default();
        self.line += passed.iter().filter(|byte| **byte == b'\n').count();
        self.counted = at.max(self.counted);
        self.line
    }

    fn start(&mut self, start: &BytesStart<'_>, line: usize) -> Result<(), XmlError> {
        let malformed = |error: &dyn std::fmt::Display| XmlError::Malformed(line, error.to_string());
        if self.open.is_empty() && self.root.is_some() {
            return Err(malformed(&"a second element follows the root element"));
        }
        if self.open.len() >= MAX_DEPTH {
            return Err(XmlError::TooDeep(line));
        }
        self.elements += 1;
        if self.elements > MAX_ELEMENTS {
            return Err(XmlError::TooMany);
        }
        let mut scope = Vec::new();
        let mut attributes = Vec::new();
        for (place, attribute) in start.attributes().enumerate() {
            // quick-xml compares each attribute name with all earlier names, in quadratic time.
            if place >= MAX_ATTRIBUTES {
                return Err(XmlError::TooManyAttributes(line));
            }
            let attribute = attribute.map_err(|error| malformed(&error))?;
            let key: &str = attribute.key.as_ref();
            let value = quick_xml::escape::unescape(&attribute.value)
                .map_err(|error| match error {
                    quick_xml::escape::EscapeError::UnrecognizedEntity(_, name) => {
                        XmlError::Entity(line, shorten(&name))
                    }
                    other => malformed(&other),
                })?
                .into_owned();
            match key.strip_prefix("xmlns") {
                Some("") => scope.push((String::new(), value.into())),
                // A prefix cannot be undeclared (Namespaces in XML 1.0, 5).
                Some(prefix) if prefix.starts_with(':') && value.is_empty() => {
                    return Err(malformed(&format_args!("the prefix {} has no namespace", shorten(prefix))));
                }
                Some(prefix) if prefix.starts_with(':') => {
                    scope.push((prefix.trim_start_matches(':').to_owned(), value.into()));
                }
                _ => attributes.push((key.to_owned(), value)),
            }
        }
        self.scopes.push(scope);
        if self.scopes.iter().map(Vec::len).sum::<usize>() > MAX_ATTRIBUTES {
            return Err(XmlError::TooManyAttributes(line));
        }
        let name = start.name();
        let full: &str = name.as_ref();
        let (prefix, local) = full.split_once(':').unwrap_or(("", full));
        if local.is_empty() {
            return Err(malformed(&"an element has no name"));
        }
        let declared = self.scopes.iter().rev().flatten().find(|(known, _)| known == prefix);
        let namespace = match declared {
            Some((_, namespace)) => Arc::clone(namespace),
            None if prefix.is_empty() || prefix == "xml" => Arc::default(),
            None => return Err(malformed(&format_args!("the prefix {} is not declared", shorten(prefix)))),
        };
        self.open.push(Element { name: local.to_owned(), namespace, attributes, line, ..Element::default() });
        Ok(())
    }

    fn end(&mut self) {
        self.scopes.pop();
        let Some(element) = self.open.pop() else { return };
        match self.open.last_mut() {
            Some(parent) => parent.children.push(element),
            None => self.root = Some(element),
        }
    }

    fn characters(&mut self, text: &str, line: usize) -> Result<(), XmlError> {
        match self.open.last_mut() {
            Some(element) => element.text.push_str(text),
            None if text.trim().is_empty() => {}
            None => return Err(XmlError::Malformed(line, "text is outside of every element".to_owned())),
        }
        Ok(())
    }
}

/// The five entities that XML 1.0 defines itself (4.6).
fn named(name: &str) -> Option<char> {
    Some(match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        _ => return None,
    })
}

fn shorten(text: &str) -> String {
    text.chars().take(40).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> XmlError {
        read(text.as_bytes(), MAX_BYTES).unwrap_err()
    }

    #[test]
    fn text_attributes_and_lines_are_read() {
        let text =
            "<?xml version=\"1.0\"?>\n<a x='1 &amp; 2'>\n <b>one &lt;two&#x41;</b><b/><![CDATA[<c>]]></a>";
        let root = read(text.as_bytes(), MAX_BYTES).unwrap();
        assert_eq!(root.attribute("x"), Some("1 & 2"));
        assert_eq!((root.text_of("b"), root.all("b").count()), ("one <twoA", 2));
        assert_eq!(root.text.trim(), "<c>");
        assert_eq!(root.child("b").map(|b| b.line), Some(3));
    }

    #[test]
    fn prefixes_are_replaced_by_their_namespace() {
        let root = read(b"<D:a xmlns:D='DAV:' xmlns='urn:x'><b/><D:c/></D:a>", 100).unwrap();
        let seen: Vec<_> = root.children.iter().map(|c| (&*c.namespace, c.name.as_str())).collect();
        assert_eq!((&*root.namespace, seen), ("DAV:", vec![("urn:x", "b"), ("DAV:", "c")]));
    }

    #[test]
    fn entity_bombs_and_external_entities_are_refused() {
        let bomb = "<!DOCTYPE a [<!ENTITY x \"xx\"><!ENTITY y \"&x;&x;\">]><a>&y;</a>";
        assert_eq!(error(bomb), XmlError::DocType(1));
        assert_eq!(error("<!DOCTYPE a SYSTEM \"file:///etc/passwd\"><a/>"), XmlError::DocType(1));
        assert_eq!(error("<a>\n&nbsp;</a>"), XmlError::Entity(2, "nbsp".to_owned()));
        assert_eq!(error("<a x='&nbsp;'/>"), XmlError::Entity(1, "nbsp".to_owned()));
    }

    #[test]
    fn depth_and_size_are_limited() {
        let deep = "<a>".repeat(MAX_DEPTH + 1);
        assert_eq!(error(&deep), XmlError::TooDeep(1));
        assert_eq!(read(b"<a></a>", 3), Err(XmlError::TooLarge(7, 3)));
    }

    #[test]
    fn attributes_and_prefixes_are_limited() {
        let many = |name: &str| (0..=MAX_ATTRIBUTES).map(|n| format!(" {name}{n}='x'")).collect::<String>();
        assert_eq!(error(&format!("<a{}/>", many("y"))), XmlError::TooManyAttributes(1));
        let half = |name: &str| {
            (0..=MAX_ATTRIBUTES / 2).map(|n| format!(" xmlns:{name}{n}='x'")).collect::<String>()
        };
        assert_eq!(error(&format!("<a{}><b{}/></a>", half("y"), half("z"))), XmlError::TooManyAttributes(1));
    }

    #[test]
    fn documents_that_are_not_well_formed_are_refused() {
        for text in [
            "",
            "x",
            "<a>",
            "<a></b>",
            "<a/><b/>",
            "<a>&#0;</a>",
            "<a x=1/>",
            "<a x='1' x='2'/>",
            "<a>&</a>",
            "<a/>x",
            "<a xmlns:x=''/>",
            "<x:a/>",
            "<></>",
            "<D:/>",
            "< x='1'/>",
        ] {
            error(text);
        }
        assert_eq!(read(b"<a>\xff</a>", 100), Err(XmlError::NotUtf8));
    }
}
