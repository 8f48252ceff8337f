//! `callboard agenda`: prints a shared agenda as a table.
//!
//! The read link is a secret, so messages show only its origin.

use super::exit::{Exit, Failure};
use crate::agenda::{ReadToken, in_path};
use crate::client::{Client, OutgoingRequest};
use crate::program::printable;
use std::io::Write;
use url::Url;

/// A parsed read link.
struct AgendaLink {
    page: Url,
    token: String,
}

pub(super) fn show(link: &str) -> Result<Exit, Failure> {
    let Some(AgendaLink { page, token }) = AgendaLink::parse(link) else {
        let text = "this is not a read link of an agenda; a read link looks like https://conf.example.org/agendas/cbr_…, \
                    with or without .ics or .jcal";
        return Err(Failure::text(Exit::Usage, text));
    };
    let origin = page.origin().ascii_serialization();
    let failed = |text: String| Failure::text(Exit::Failed, text.replace(&token, "cbr_…"));
    let headers = vec![("accept", "text/plain".to_owned())];
    let answer = Client::new(None)
        .send(OutgoingRequest { method: "GET", url: page, headers, body: None })
        .map_err(|error| failed(Failure::new(Exit::Failed, &error).to_string()))?;
    let text = String::from_utf8_lossy(&answer.body);
    match answer.status {
        200 if !text.trim_start().starts_with('<') => {
            write!(std::io::stdout().lock(), "{}", printable(&text))
                .map_err(|error| Failure::new(Exit::Failed, &error))?;
            Ok(Exit::Done)
        }
        200 => Err(failed(format!(
            "{origin} answers with a page instead of a table; it may be an older version"
        ))),
        404 => Err(failed(format!("{origin} has no agenda with this link; check it for a typo"))),
        410 => Err(failed(format!("this agenda is no longer shared at {origin}"))),
        status => Err(failed(format!("{origin} answers {status}"))),
    }
}

impl AgendaLink {
    /// Parses the address of an agenda in any form.
    fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let text = match text.strip_prefix("webcal://") {
            Some(rest) => format!("https://{rest}"),
            None => text.to_owned(),
        };
        let mut page = Url::parse(&text).ok().filter(|url| matches!(url.scheme(), "http" | "https"))?;
        let token = ReadToken::parse(in_path(page.path(), &["/agendas/"])?).ok()?.reveal();
        page.set_path(&format!("/agendas/{token}"));
        page.set_query(None);
        page.set_fragment(None);
        Some(Self { page, token })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agenda::EditKey;

    #[test]
    fn every_form_of_a_read_link_gives_its_page() {
        let token = EditKey::generate().unwrap().read_token(1).reveal();
        let page = format!("https://conf.example/agendas/{token}");
        for link in [
            page.clone(),
            format!("{page}.ics"),
            format!("{page}.jcal?busy=no"),
            format!("webcal://conf.example/agendas/{token}.ics"),
            format!(" https://conf.example/subscribe/agendas/{token}#x "),
        ] {
            let parsed = AgendaLink::parse(&link).unwrap();
            assert_eq!((parsed.page.as_str(), &parsed.token), (page.as_str(), &token), "{link}");
        }
        for link in ["", "conf.example", "https://conf.example/", "ftp://conf.example/agendas/x", &page[..60]]
        {
            assert!(AgendaLink::parse(link).is_none(), "{link}");
        }
    }

    #[test]
    fn no_failure_shows_the_token() {
        let token = EditKey::generate().unwrap().read_token(1).reveal();
        for link in [
            // Nobody listens on port 1.
            format!("http://127.0.0.1:1/agendas/{token}.ics"),
            format!("https://conf.example/agendas/{token}x"),
        ] {
            let failure = show(&link).unwrap_err().to_string();
            assert!(!failure.contains(&token), "{failure}");
        }
    }

    #[test]
    fn control_characters_of_a_server_are_not_printed() {
        assert_eq!(printable("a\x1b[31m\nb\u{9b}\r"), "a\u{fffd}[31m\nb\u{fffd}\u{fffd}");
    }
}
