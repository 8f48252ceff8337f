//! The columns `url` and `links`: absolute http and https addresses.

use super::cell;
use super::fault::{Defect, Faults, Spot, shorten};
use crate::program::{Field, Link, Text, rfc3986};
use url::Url;

/// Parses an address from one trimmed line.
pub(super) fn address(raw: &str) -> Result<Url, Defect> {
    let defect = |message: String, remedy: String| Err(Defect::new("url", message, remedy));
    let quoted = shorten(raw);
    if raw.contains(char::is_whitespace) {
        let remedy = "write one address without spaces; a space inside it is %20".to_owned();
        return defect(format!("the address {quoted:?} contains a space"), remedy);
    }
    match Url::parse(raw) {
        Ok(url) if !matches!(url.scheme(), "http" | "https") => {
            // `www.example.org:8080/x` parses, with the host as its scheme.
            let guess = with_scheme(raw).unwrap_or_else(|| "an address that starts with https://".to_owned());
            defect(format!("{quoted:?} is not an http or https address"), format!("write {guess}"))
        }
        Ok(url) if !url.username().is_empty() || url.password().is_some() => defect(
            "the address contains a user name or password, which would be public".to_owned(),
            "write it without the part before the @".to_owned(),
        ),
        // The parser also accepts `https:/x` and `https:x`, which programs that read the CSV may not accept.
        Ok(_) if !raw.get(..8).is_some_and(|head| head.to_ascii_lowercase().contains("://")) => defect(
            format!("{quoted:?} is not an absolute address"),
            "write it with https:// in front".to_owned(),
        ),
        Ok(url) => Ok(rfc3986(url)),
        Err(url::ParseError::RelativeUrlWithoutBase) => {
            let guess = with_scheme(raw)
                .unwrap_or_else(|| "the whole address, such as https://example.org/talk".to_owned());
            defect(format!("{quoted:?} is not an absolute address"), format!("write {guess}"))
        }
        Err(cause) => defect(
            format!("{quoted:?} is not an address: {cause}"),
            "copy it from the browser, such as https://example.org/talk".to_owned(),
        ),
    }
}

/// Puts `https://` before an address without a scheme, such as `www.example.org/x`.
fn with_scheme(raw: &str) -> Option<String> {
    let host = raw.split(['/', '?', '#', ':']).next()?;
    let looks_like_host =
        host.contains('.') && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-".contains(&byte));
    let guess = format!("https://{raw}");
    (looks_like_host && Url::parse(&guess).is_ok()).then_some(guess)
}

/// Parses the links of a cell: one per line, a label and then the address.
pub(super) fn links(spot: Spot<'_>, faults: &mut Faults) -> Option<Vec<Link>> {
    let text = cell::block(spot, faults);
    let mut links = Vec::new();
    let mut is_sound = true;
    for entry in text.as_str().lines().map(str::trim).filter(|entry| !entry.is_empty()) {
        match link(entry) {
            Ok(link) => links.push(link),
            Err(defect) => {
                faults.error(spot.part(entry), defect);
                is_sound = false;
            }
        }
    }
    is_sound.then_some(links)
}

fn link(entry: &str) -> Result<Link, Defect> {
    let defect = |message: String, remedy: String| Err(Defect::new("link", message, remedy));
    let (label, last) = entry.rsplit_once([' ', '\t']).unwrap_or(("", entry));
    let label = label.trim();
    let is_address = |text: &str| text.contains("://");
    if label.is_empty() && is_address(last) {
        let remedy = format!("write a label in front, such as Slides {}", shorten(last));
        return defect("the link has no label".to_owned(), remedy);
    }
    if label.is_empty() {
        let remedy = "write a label and an address, such as Slides https://example.org/s.pdf".to_owned();
        return defect("the link has no address".to_owned(), remedy);
    }
    let first = entry.split_once([' ', '\t']).filter(|(first, _)| is_address(first) && !is_address(last));
    if let Some((first, rest)) = first {
        let remedy = format!("write {} {}", shorten(rest.trim()), shorten(first));
        return defect("the address precedes the label".to_owned(), remedy);
    }
    if let Some(second) = label.split([' ', '\t', ';', ',']).find(|word| is_address(word)) {
        let message = format!("the line has two addresses; one is {:?}", shorten(second));
        return defect(message, "write one link per line: label, space, address".to_owned());
    }
    if label.len() > cell::max_bytes(Field::Title) || last.len() > cell::max_bytes(Field::Url) {
        let remedy = "write a label of at most 1 KiB and an address of at most 2 KiB";
        return Err(Defect::new("too-long", "the link is too long", remedy));
    }
    Ok(Link { label: Text::line(label).0, url: address(last)? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_absolute_http_addresses_are_accepted() {
        assert!(address("https://example.org/a?b=c#d").is_ok());
        assert!(address("HTTP://EXAMPLE.org").is_ok());
        assert_eq!(
            address("https://example.org/?f[track]=1").unwrap().as_str(),
            "https://example.org/?f%5Btrack%5D=1"
        );
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
            let defect = address(raw).unwrap_err();
            assert!(defect.remedy.contains(remedy), "{raw}: {}", defect.remedy);
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
            let defect = link(entry).unwrap_err();
            assert!(defect.remedy.contains(remedy), "{entry}: {}", defect.remedy);
        }
    }
}
