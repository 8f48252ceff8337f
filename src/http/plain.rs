//! Pages as tables of plain text, for terminals (RFC 9110, 12.5.1).
//!
//! 1. Accept names `text/plain` and `text/html` no higher: text.
//! 2. Accept names HTML: the page.
//! 3. Neither is named, as with `*/*` or without the field: text if the User-Agent is a command-line client, otherwise the
//!    page.

use super::encoding::weighted;
use http::HeaderMap;
use http::header::{ACCEPT, USER_AGENT};

/// The fields that the choice depends on.
pub(super) const VARY: &str = "Accept, User-Agent";

/// Prefixes of the User-Agent of command-line clients.
const TERMINALS: [&str; 4] = ["curl/", "wget/", "httpie/", "xh/"];

/// Rules 1 to 3.
pub(super) fn is_wanted(headers: &HeaderMap) -> bool {
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
            assert_eq!(is_wanted(&headers), is_text, "{accept:?} {agent}");
        }
    }
}
