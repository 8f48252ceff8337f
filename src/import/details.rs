//! The columns `language`, `tags`, `image`, `feedback_url` and `recording`.

use super::address::address;
use super::cell::{block, plain};
use super::fault::{Defect, Faults, Spot, shorten};
use crate::program::{Text, language_tag};
use url::Url;

/// The most tags of a session.
const MAX_TAGS: usize = 50;

/// The most characters of a tag.
const MAX_TAG: usize = 100;

/// Parses a language tag (BCP 47).
pub(super) fn language(raw: &str) -> Result<Text, Defect> {
    language_tag(raw).map(Text::from).map_err(|error| {
        let text = error.to_string();
        let (message, remedy) = text.split_once("; ").unwrap_or((&text, "write one such as en or de-CH"));
        Defect::new("language", message.to_owned(), remedy.to_owned())
    })
}

/// Reads tags: one per line, or separated by `;`. A repeated tag counts once.
pub(super) fn tags(spot: Spot<'_>, faults: &mut Faults) -> Option<Vec<Text>> {
    let text = block(spot, faults);
    let mut tags: Vec<Text> = Vec::new();
    for tag in text.as_str().split(['\n', ';']).map(|tag| Text::line(tag).0).filter(|tag| !tag.is_empty()) {
        if tag.as_str().chars().count() > MAX_TAG {
            let message = format!("a tag has more than {MAX_TAG} characters");
            let remedy = "write short tags, one per line or separated by ;";
            faults.error(spot.part(tag.as_str()), Defect::new("tag", message, remedy));
            return None;
        }
        if !tags.contains(&tag) {
            tags.push(tag);
        }
    }
    if tags.len() > MAX_TAGS {
        let message = format!("the session has {} tags, more than {MAX_TAGS}", tags.len());
        faults.error(spot, Defect::new("tag", message, "keep those by which people search"));
        return None;
    }
    Some(tags)
}

/// Parses an https address. Browsers do not show an image over plain http on a page over https.
pub(super) fn secure(raw: &str) -> Result<Url, Defect> {
    let url = address(raw)?;
    if url.scheme() == "https" {
        return Ok(url);
    }
    let rest = raw.split_once("://").map_or("", |(_, rest)| rest);
    Err(Defect::new(
        "https",
        format!("{:?} is not an https address", shorten(raw)),
        format!("write https://{rest}, if the server has https"),
    ))
}

/// Whether a session may be recorded.
pub(super) fn recording(spot: Spot<'_>, faults: &mut Faults) -> Option<bool> {
    let text = plain(spot, faults)?;
    match text.as_str().to_lowercase().as_str() {
        "yes" | "true" | "1" => Some(true),
        "no" | "false" | "0" => Some(false),
        _ => {
            let message = format!("{:?} is neither yes nor no", shorten(text.as_str()));
            let remedy = "write no if the session must not be recorded; otherwise leave the cell empty";
            faults.error(spot, Defect::new("recording", message, remedy));
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::fault::Location;

    fn spot(text: &str) -> Spot<'_> {
        Spot { location: Location { line: 2, span: None }, column: Some("tags"), text }
    }

    #[test]
    fn a_language_is_a_tag_and_a_name_is_answered_with_its_tag() {
        assert_eq!(language("pt-BR").unwrap().as_str(), "pt-BR");
        let defect = language("German").unwrap_err();
        assert_eq!(defect.message, "\"German\" is not a language tag");
        assert_eq!(defect.remedy, "write \"de\"");
    }

    #[test]
    fn tags_are_separated_by_lines_or_semicolons() {
        let mut faults = Faults::default();
        let read = tags(spot("Rust; AI & ethics\nRust;;  two  words "), &mut faults).unwrap();
        assert_eq!(read.iter().map(Text::as_str).collect::<Vec<_>>(), ["Rust", "AI & ethics", "two words"]);
        assert!(!faults.has_errors());
        assert_eq!(tags(spot(&"a".repeat(101)), &mut faults), None);
        let many: Vec<String> = (0..51).map(|n| n.to_string()).collect();
        assert_eq!(tags(spot(&many.join(";")), &mut faults), None);
        assert_eq!(faults.into_list().len(), 2);
    }

    #[test]
    fn images_need_https_and_recordings_yes_or_no() {
        assert!(secure("https://example.org/a.png").is_ok());
        assert_eq!(
            secure("http://example.org/a.png").unwrap_err().remedy,
            "write https://example.org/a.png, if the server has https"
        );
        assert!(secure("a.png").is_err());
        let mut faults = Faults::default();
        assert_eq!(recording(spot("No"), &mut faults), Some(false));
        assert_eq!(recording(spot("true"), &mut faults), Some(true));
        assert_eq!(recording(spot("maybe"), &mut faults), None);
        assert!(faults.has_errors());
    }
}
