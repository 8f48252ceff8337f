//! Content negotiation (RFC 9110, 12): the content coding, and a page as HTML or as text.
//!
//! The content coding, by Accept-Encoding (12.5.3):
//!
//! 1. Without Accept-Encoding: identity. The field's absence allows every coding, but clients without it tend to know none.
//! 2. The existing coding with the highest weight above 0.
//! 3. At equal weight in this order: br, zstd, gzip, identity. Identity counts only if the field names it or nothing else
//!    is left.
//! 4. Nothing acceptable, even with `identity;q=0`: identity. A 406 would leave a calendar empty.
//!
//! A page as a table of plain text for terminals, by Accept (12.5.1):
//!
//! 1. Accept names `text/plain` and `text/html` no higher: text.
//! 2. Accept names HTML: the page.
//! 3. Neither is named, as with `*/*` or without the field: text if the User-Agent is a command-line client, otherwise the
//!    page.

use crate::feed::{Coded, Coding};
use http::HeaderMap;
use http::header::{ACCEPT, ACCEPT_ENCODING, USER_AGENT};

/// Chooses among the existing codings; identity always exists.
pub fn negotiate(headers: &HeaderMap, exists: impl Fn(Coding) -> bool) -> Coding {
    if !headers.contains_key(ACCEPT_ENCODING) {
        return Coding::Identity;
    }
    let wanted = AcceptEncoding::of(headers);
    let coded = Coding::MADE.into_iter().filter(|coding| exists(*coding));
    let mut best = (Coding::Identity, wanted.identity.unwrap_or(0));
    for coding in coded.rev() {
        let weight = wanted.weight(coding);
        if weight > 0 && weight >= best.1 {
            best = (coding, weight);
        }
    }
    best.0
}

/// The coded body that [`negotiate`] chooses; none for identity.
pub(super) fn wanted<'a>(headers: &HeaderMap, made: &'a [Coded]) -> Option<&'a Coded> {
    let find = |coding| made.iter().find(|coded| coded.coding == coding);
    find(negotiate(headers, |coding| find(coding).is_some()))
}

/// Weights in thousandths. The first member that names a coding counts.
#[derive(Default)]
struct AcceptEncoding {
    brotli: Option<u16>,
    zstd: Option<u16>,
    gzip: Option<u16>,
    x_gzip: Option<u16>,
    identity: Option<u16>,
    any: Option<u16>,
}

impl AcceptEncoding {
    fn of(headers: &HeaderMap) -> Self {
        let mut wanted = Self::default();
        let lines = headers.get_all(ACCEPT_ENCODING).iter().filter_map(|line| line.to_str().ok());
        for (name, weight) in lines.flat_map(|line| line.split(',')).map(weighted) {
            if let Some(place) = wanted.place(name) {
                place.get_or_insert(weight);
            }
        }
        wanted
    }

    fn place(&mut self, name: &str) -> Option<&mut Option<u16>> {
        let is = |known: &str| name.eq_ignore_ascii_case(known);
        match name {
            _ if is("gzip") => Some(&mut self.gzip),
            _ if is("br") => Some(&mut self.brotli),
            _ if is("zstd") => Some(&mut self.zstd),
            _ if is("x-gzip") => Some(&mut self.x_gzip),
            _ if is("identity") => Some(&mut self.identity),
            "*" => Some(&mut self.any),
            _ => None,
        }
    }

    fn weight(&self, coding: Coding) -> u16 {
        let named = match coding {
            Coding::Identity => self.identity,
            Coding::Gzip => self.gzip.or(self.x_gzip),
            Coding::Brotli => self.brotli,
            Coding::Zstd => self.zstd,
        };
        named.or(self.any).unwrap_or(0)
    }
}

/// A list member's value and its weight (RFC 9110, 12.4.2). A malformed weight counts as 0.
pub(super) fn weighted(member: &str) -> (&str, u16) {
    let Some((value, parameters)) = member.split_once(';') else { return (member.trim(), 1000) };
    let mut parameters = parameters.split(';').map(str::trim);
    let weight = parameters.find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")));
    (value.trim(), weight.map_or(1000, |weight| thousandths(weight).unwrap_or(0)))
}

fn thousandths(weight: &str) -> Option<u16> {
    let (whole, fraction) = weight.split_once('.').unwrap_or((weight, ""));
    if fraction.len() > 3 || !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let fraction: u16 = format!("{fraction:0<3}").parse().ok()?;
    match whole {
        "0" => Some(fraction),
        "1" if fraction == 0 => Some(1000),
        _ => None,
    }
}

/// The fields on which the choice between page and text depends.
pub(super) const PAGE_OR_TEXT: &str = "Accept, User-Agent";

/// Prefixes of the User-Agent of command-line clients.
const TERMINALS: [&str; 4] = ["curl/", "wget/", "httpie/", "xh/"];

/// Whether a client gets the table of text instead of the page.
pub(super) fn prefers_text(headers: &HeaderMap) -> bool {
    let (mut text, mut html) = (0, 0);
    for line in headers.get_all(ACCEPT).iter().filter_map(|line| line.to_str().ok()) {
        for (name, weight) in line.split(',').map(weighted) {
            match name.to_ascii_lowercase().as_str() {
                "text/plain" => text = text.max(weight),
                "text/html" | "application/xhtml+xml" => html = html.max(weight),
                _ => {}
            }
        }
    }
    if text > 0 || html > 0 {
        return text > html || (text == html && html > 0 && is_terminal(headers));
    }
    is_terminal(headers)
}

fn is_terminal(headers: &HeaderMap) -> bool {
    let agent = headers.get(USER_AGENT).and_then(|agent| agent.to_str().ok()).unwrap_or_default();
    let agent = agent.to_ascii_lowercase();
    TERMINALS.iter().any(|name| agent.starts_with(name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use Coding::{Brotli, Gzip, Identity, Zstd};

    fn chosen(value: &str, available: &[Coding]) -> Coding {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT_ENCODING, value.parse().unwrap());
        negotiate(&headers, |coding| available.contains(&coding))
    }

    #[test]
    fn without_the_field_the_coding_is_identity() {
        assert_eq!(negotiate(&HeaderMap::new(), |_| true), Identity);
    }

    #[test]
    fn the_weight_decides_and_then_the_order_of_the_server() {
        for (value, expected) in [
            ("gzip, deflate, br, zstd", Brotli),
            ("gzip, deflate", Gzip),
            ("zstd, gzip", Zstd),
            ("GZIP", Gzip),
            ("x-gzip", Gzip),
            ("gzip;q=1.0, br;q=0.9", Gzip),
            ("gzip;q=0.5, br;q=0.5", Brotli),
            ("gzip;q=0.5, identity", Identity),
            ("gzip, identity", Gzip),
            ("gzip;q=0.5, identity;q=0.5", Gzip),
            ("*", Brotli),
            ("*;q=0.1, gzip;q=0.2", Gzip),
            ("br;q=0, *", Zstd),
            ("deflate", Identity),
            ("", Identity),
            ("gzip;q=0", Identity),
            ("identity;q=0", Identity),
            ("*;q=0", Identity),
            ("identity;q=0, gzip;q=0.001", Gzip),
            ("gzip;q=2", Identity),
            ("gzip;q=0.1234", Identity),
            ("gzip;q=", Identity),
            ("gzip ; q=0.8", Gzip),
        ] {
            assert_eq!(chosen(value, &Coding::MADE), expected, "{value:?}");
        }
    }

    #[test]
    fn only_an_existing_coding_is_chosen() {
        assert_eq!(chosen("br, gzip", &[Gzip]), Gzip);
        assert_eq!(chosen("br, gzip", &[]), Identity);
        assert_eq!(chosen("*", &[Gzip]), Gzip);
    }

    #[test]
    fn terminals_get_text_and_browsers_the_page() {
        let browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
        for (accept, agent, is_text) in [
            (Some("*/*"), "curl/8.5.0", true),
            (Some("*/*"), "Wget/1.21.4", true),
            (Some("*/*"), "HTTPie/3.2.1", true),
            (None, "curl/8.5.0", true),
            (Some("text/html"), "curl/8.5.0", false),
            (Some("text/plain"), "Mozilla/5.0", true),
            (Some("text/plain;q=0.5, text/html"), "curl/8.5.0", false),
            (Some("text/plain, text/html;q=0.9"), "Mozilla/5.0", true),
            (Some("text/plain, text/html"), "Mozilla/5.0", false),
            (Some("text/plain;q=0"), "Mozilla/5.0", false),
            (Some(browser), "Mozilla/5.0", false),
            (Some("*/*"), "Mozilla/5.0 curl/8", false),
            (None, "", false),
        ] {
            let mut headers = HeaderMap::new();
            if let Some(accept) = accept {
                headers.insert(ACCEPT, accept.parse().unwrap());
            }
            headers.insert(USER_AGENT, agent.parse().unwrap());
            assert_eq!(prefers_text(&headers), is_text, "{accept:?} {agent}");
        }
    }
}
