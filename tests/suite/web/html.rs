//! A small parser of HTML that is stricter than browsers, so that all browsers parse the accepted pages alike.

use std::collections::BTreeMap;

/// An opening tag: its name and attributes, the values unescaped.
pub(super) type Tag = (String, BTreeMap<String, String>);

const VOID: [&str; 10] = ["base", "col", "meta", "link", "input", "br", "img", "hr", "source", "path"];

/// Parses a document. Every element except void ones must be closed in order, and every attribute quoted and unique.
pub(super) fn check(page: &str) -> Result<Vec<Tag>, String> {
    let mut rest = page.strip_prefix("<!doctype html>").ok_or("no doctype")?;
    let (mut open, mut tags): (Vec<String>, Vec<Tag>) = (Vec::new(), Vec::new());
    while let Some(start) = rest.find('<') {
        if rest[..start].contains('>') {
            return Err(format!("a bare > in {:?}", &rest[..start]));
        }
        rest = &rest[start + 1..];
        let (tag, after) = split_tag(rest).ok_or_else(|| format!("a tag without an end: {}", head(rest)))?;
        rest = after;
        if let Some(name) = tag.strip_prefix('/') {
            match open.pop() {
                Some(expected) if expected == name => {}
                expected => return Err(format!("</{name}> closes {expected:?}")),
            }
            continue;
        }
        let (name, attributes) = attributes(tag.trim_end_matches('/'))?;
        if name == "script" {
            let (_, after) = rest.split_once("</script>").ok_or("a script without an end")?;
            rest = after;
        } else if !VOID.contains(&name.as_str()) {
            open.push(name.clone());
        }
        tags.push((name, attributes));
    }
    if open.is_empty() { Ok(tags) } else { Err(format!("elements without an end tag: {open:?}")) }
}

/// The text of a tag, and the rest of the document. A `>` inside quotes does not end a tag.
fn split_tag(text: &str) -> Option<(&str, &str)> {
    let mut quoted = false;
    let end = text.find(|c| {
        quoted ^= c == '"';
        c == '>' && !quoted
    })?;
    Some((&text[..end], &text[end + 1..]))
}

fn attributes(tag: &str) -> Result<Tag, String> {
    let name: String = tag.chars().take_while(|c| c.is_ascii_alphanumeric()).collect();
    let mut rest = &tag[name.len()..];
    let mut attributes = BTreeMap::new();
    while !rest.trim().is_empty() {
        let trimmed = rest.trim_start();
        if trimmed.len() == rest.len() {
            return Err(format!("no space before an attribute: {}", head(tag)));
        }
        let key: String =
            trimmed.chars().take_while(|c| c.is_ascii_alphanumeric() || "-:".contains(*c)).collect();
        if key.is_empty() {
            return Err(format!("not an attribute: {}", head(trimmed)));
        }
        rest = &trimmed[key.len()..];
        let mut value = String::new();
        if let Some(quoted) = rest.strip_prefix("=\"") {
            let (text, after) = quoted.split_once('"').ok_or("a quote without an end")?;
            if text.contains('<') {
                return Err(format!("a bare < in {key}"));
            }
            value = unescape(text);
            rest = after;
        } else if rest.starts_with('=') {
            return Err(format!("{key} is not quoted"));
        }
        if attributes.insert(key.clone(), value).is_some() {
            return Err(format!("{key} twice: {}", head(tag)));
        }
    }
    Ok((name, attributes))
}

fn unescape(text: &str) -> String {
    text.replace("&#38;", "&")
        .replace("&amp;", "&")
        .replace("&#60;", "<")
        .replace("&#62;", ">")
        .replace("&#34;", "\"")
}

fn head(text: &str) -> String {
    text.chars().take(80).collect()
}
