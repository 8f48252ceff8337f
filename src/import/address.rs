//! The `url` and `links` columns: absolute http and https addresses.

use super::cell;
use super::column::Column;
use super::fault::{Faults, Flaw, Spot, shorten};
use crate::program::{Link, Text};
use url::Url;

/// Parses an address; `raw` is one trimmed line.
pub(super) fn address(raw: &str) -> Result<Url, Flaw> {
    let flaw = |message: String, remedy: String| Err(Flaw::new("url", message, remedy));
    let quoted = shorten(raw);
    if raw.contains(char::is_whitespace) {
        let message = format!("a space stands in the address {quoted:?}");
        return flaw(message, "write one address without spaces; a space inside it is %20".to_owned());
    }
    match Url::parse(raw) {
        Ok(url) if !matches!(url.scheme(), "http" | "https") => {
            // "www.example.org:8080/x" parses, with the host as its scheme.
            let remedy = match without_scheme(raw) {
                Some(guess) => format!("write {guess}"),
                None => "write an address that starts with https://".to_owned(),
            };
            flaw(format!("{quoted:?} is not an http or https address"), remedy)
        }
        Ok(url) if !url.username().is_empty() || url.password().is_some() => flaw(
            "the address holds a user name or password, which everybody would read".to_owned(),
            "write it without the part before the @".to_owned(),
        ),
        // The parser also takes "https:/x" and "https:x"; readers of the CSV may not.
        Ok(_) if !raw.get(..8).is_some_and(|head| head.to_ascii_lowercase().contains("://")) => flaw(
            format!("{quoted:?} is not an absolute address"),
            "write it with https:// in front".to_owned(),
        ),
        Ok(url) => Ok(url),
        Err(url::ParseError::RelativeUrlWithoutBase) => {
            let remedy = match without_scheme(raw) {
                Some(guess) => format!("write {guess}"),
                None => "write the whole address, as in https://example.org/talk".to_owned(),
            };
            flaw(format!("{quoted:?} is not an absolute address"), remedy)
        }
        Err(cause) => flaw(
            format!("{quoted:?} is not an address: {cause}"),
            "copy it from the browser, as in https://example.org/talk".to_owned(),
        ),
    }
}

/// `www.example.org/x` with the scheme that it lacks.
fn without_scheme(raw: &str) -> Option<String> {
    let host = raw.split(['/', '?', '#', ':']).next()?;
    let looks_like_host =
        host.contains('.') && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-".contains(&byte));
    let guess = format!("https://{raw}");
    (looks_like_host && Url::parse(&guess).is_ok()).then_some(guess)
}

/// Parses the links of a cell, one per line: a label, then the address.
pub(super) fn links(spot: Spot<'_>, faults: &mut Faults) -> Option<Vec<Link>> {
    let text = cell::block(spot, faults);
    let mut links = Vec::new();
    let mut sound = true;
    for entry in text.as_str().lines().map(str::trim).filter(|entry| !entry.is_empty()) {
        match link(entry) {
            Ok(link) => links.push(link),
            Err(flaw) => {
                faults.error(spot.part(entry), flaw);
                sound = false;
            }
        }
    }
    sound.then_some(links)
}

fn link(entry: &str) -> Result<Link, Flaw> {
    let (label, last) = entry.rsplit_once([' ', '\t']).unwrap_or(("", entry));
    let label = label.trim();
    let is_address = |text: &str| text.contains("://");
    if label.is_empty() && is_address(last) {
        let message = "this link has no label";
        return Err(Flaw::new(
            "link",
            message,
            format!("write what it is in front, as in Slides {}", shorten(last)),
        ));
    }
    if label.is_empty() {
        return Err(Flaw::new(
            "link",
            "this link has no address",
            "write a label and an address, as in Slides https://example.org/s.pdf",
        ));
    }
    if let Some((first, rest)) =
        entry.split_once([' ', '\t']).filter(|(first, _)| is_address(first) && !is_address(last))
    {
        let message = "the address stands before the label";
        return Err(Flaw::new("link", message, format!("write {} {}", shorten(rest.trim()), shorten(first))));
    }
    if let Some(second) = label.split([' ', '\t', ';', ',']).find(|word| is_address(word)) {
        let message = format!("two addresses stand on this line, {:?} is one", shorten(second));
        return Err(Flaw::new("link", message, "write one link per line: label, space, address"));
    }
    if label.len() > Column::Title.cap() || last.len() > Column::Url.cap() {
        let message = "this link is too long";
        return Err(Flaw::new("too-long", message, "write a label under 1 KiB and an address under 2 KiB"));
    }
    Ok(Link { label: Text::line(label).0, url: address(last)? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_http_addresses_pass() {
        assert!(address("https://example.org/a?b=c#d").is_ok());
        assert!(address("HTTP://EXAMPLE.org").is_ok());
        for (raw, remedy) in [
            ("www.example.org/x", "https://www.example.org/x"),
            ("example.org:8080/x", "https://example.org:8080/x"),
            ("/talks/1", "https://"),
            ("mailto:a@example.org", "https://"),
            ("javascript:alert(1)", "https://"),
            ("https://a.org/x y", "%20"),
            ("https://me:secret@a.org/", "without"),
            ("https://", "https://example.org"),
            ("https:a.org", "https://"),
            ("ftp://a.org/x", "https://"),
            ("https://exa mple.org", "%20"),
        ] {
            let flaw = address(raw).unwrap_err();
            assert!(flaw.remedy.contains(remedy), "{raw}: {}", flaw.remedy);
        }
    }

    #[test]
    fn a_link_is_a_label_and_an_address() {
        let found = link("Slides of the talk https://example.org/s.pdf").unwrap();
        assert_eq!(
            (found.label.as_str(), found.url.as_str()),
            ("Slides of the talk", "https://example.org/s.pdf")
        );
        for (entry, remedy) in [
            ("https://example.org/s.pdf", "Slides https://"),
            ("https://example.org/s.pdf Slides", "write Slides https://example.org/s.pdf"),
            ("Slides", "https://example.org"),
            ("Slides www.example.org/s.pdf", "https://www.example.org/s.pdf"),
            ("a https://example.org/a b https://example.org/b", "one link per line"),
        ] {
            let flaw = link(entry).unwrap_err();
            assert!(flaw.remedy.contains(remedy), "{entry}: {}", flaw.remedy);
        }
    }
}
