//! A problem as an answer: `application/problem+json` (RFC 9457), or a page for a browser.

use super::{InvalidValue, Problem};
use crate::http::agendas::AgendaError;
use crate::http::dav::Refusal;
use crate::http::negotiation::weighted;
use crate::http::{Body, request_head};
use bytes::Bytes;
use http::header::{
    ACCEPT, ACCEPT_ENCODING, ALLOW, CACHE_CONTROL, CONNECTION, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE,
};
use http::{HeaderMap, HeaderValue, Response};
use serde::Serialize;

#[derive(Serialize)]
struct ProblemDocument<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    title: &'a str,
    status: u16,
    detail: &'a str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<InvalidValue>,
    #[serde(flatten)]
    members: serde_json::Map<String, serde_json::Value>,
}

/// Makes a page of a problem.
pub(in crate::http) type RenderPage<'a> = &'a dyn Fn(&Problem) -> String;

impl Problem {
    /// The answer. If the client prefers HTML, `page` renders one.
    pub(in crate::http) fn answer(&self, page: Option<RenderPage<'_>>) -> Response<Body> {
        let status = self.status();
        let title = status.canonical_reason().unwrap_or("Error");
        let detail = self.detail();
        let (media_type, body) = if let Some(page) = page {
            ("text/html; charset=utf-8", Body::from(page(self)))
        } else if let Self::Dav(refusal) = self
            && let Some(document) = refusal.document()
        {
            ("application/xml; charset=utf-8", Body::from(Bytes::from(document)))
        } else {
            let document = ProblemDocument {
                kind: "about:blank",
                title,
                status: status.as_u16(),
                detail: &detail,
                errors: self.faults(),
                members: self.members(),
            };
            ("application/problem+json", Body::from(serde_json::to_string(&document).unwrap_or_default()))
        };
        let mut response = Response::new(body);
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        self.fields(headers);
        response
    }

    /// Further members of the document.
    fn members(&self) -> serde_json::Map<String, serde_json::Value> {
        match self {
            Self::Publish(error) => super::publication_members(error),
            _ => serde_json::Map::new(),
        }
    }

    /// The header fields that some status codes need.
    fn fields(&self, headers: &mut HeaderMap) {
        if self.is_temporary() {
            headers.insert(RETRY_AFTER, HeaderValue::from_static("10"));
        }
        if let Self::TooOften { wait, .. } = self {
            headers.insert(RETRY_AFTER, HeaderValue::from(*wait));
        }
        match self {
            Self::Method(allowed) => {
                headers.insert(ALLOW, request_head::allow(allowed));
            }
            // RFC 6750, 3: at least one parameter, and no error if no credentials were sent.
            Self::NoKey | Self::NoSecret => {
                headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"Callboard\""));
            }
            Self::Agenda(AgendaError::UnknownKey) | Self::WrongSecret => {
                let bearer = HeaderValue::from_static("Bearer realm=\"Callboard\", error=\"invalid_token\"");
                headers.insert(WWW_AUTHENTICATE, bearer);
            }
            Self::ContentCoding => {
                headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
            }
            Self::Dav(Refusal::SignIn) => {
                let basic = HeaderValue::from_static("Basic realm=\"Callboard\", charset=\"UTF-8\"");
                headers.insert(WWW_AUTHENTICATE, basic);
            }
            // The rest of the body is not read, or its end is unknown.
            Self::TooLarge(_) | Self::TooSlow | Self::BadHost(_) | Self::TransferCoding => {
                headers.insert(CONNECTION, HeaderValue::from_static("close"));
            }
            _ => {}
        }
    }
}

/// Whether a client prefers HTML to JSON (RFC 9110, 12.5.1). Without a preference it gets JSON.
pub(in crate::http) fn prefers_page(headers: &HeaderMap) -> bool {
    let lines = headers.get_all(ACCEPT).iter().filter_map(|line| line.to_str().ok());
    let ranges: Vec<(&str, u16)> = lines.flat_map(|line| line.split(',')).map(weighted).collect();
    let weight = |names: [&str; 3]| {
        let named = |name: &&str| ranges.iter().find(|(range, _)| range.eq_ignore_ascii_case(name));
        names.iter().find_map(named).map_or(0, |(_, weight)| *weight)
    };
    let json = weight(["application/problem+json", "application/json", "*/*"]);
    weight(["text/html", "text/*", "*/*"]) > json
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{CommitError, ReadError};
    use crate::texts::Texts;
    use http_body_util::BodyExt;

    async fn text(problem: &Problem, as_page: bool) -> String {
        let page = |problem: &Problem| {
            let (title, text) = problem.for_people(Texts::of("en"));
            format!("<h1>{title}</h1><p>{text}</p>")
        };
        let page = as_page.then_some(&page as RenderPage<'_>);
        let bytes = problem.answer(page).into_body().collect().await.unwrap().to_bytes();
        String::from_utf8(bytes.into()).unwrap()
    }

    #[tokio::test]
    async fn the_cause_stays_out_of_the_answer() {
        let problem = Problem::Agenda(AgendaError::Commit(CommitError::Unavailable("sda1: EIO".to_owned())));
        assert!(problem.cause().unwrap().contains("sda1"));
        for as_page in [false, true] {
            assert!(!text(&problem, as_page).await.contains("sda1"));
        }
        assert_eq!(problem.answer(None).headers()[RETRY_AFTER], "10");
        assert_eq!(Problem::NotFound.cause(), None);
    }

    #[tokio::test]
    async fn a_problem_is_a_document_of_rfc_9457() {
        let problem = Problem::Values(vec![InvalidValue::new("name", "too long")]);
        let answer = problem.answer(None);
        assert_eq!(answer.headers()[CONTENT_TYPE], "application/problem+json");
        let document: serde_json::Value = serde_json::from_str(&text(&problem, false).await).unwrap();
        assert_eq!(document["status"], 422);
        assert_eq!(document["title"], "Unprocessable Entity");
        assert_eq!(document["errors"][0]["field"], "name");
    }

    #[test]
    fn the_store_s_failures_have_their_statuses() {
        let status = |error| Problem::Agenda(AgendaError::Commit(error)).status().as_u16();
        assert_eq!(status(CommitError::Full), 507);
        assert_eq!(status(CommitError::Unavailable(String::new())), 503);
        assert_eq!(status(CommitError::Conflict), 503);
        assert_eq!(Problem::Read(ReadError::Unavailable(String::new())).status(), 503);
    }

    #[test]
    fn a_client_that_prefers_html_gets_a_page() {
        let prefers = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT, value.parse().unwrap());
            prefers_page(&headers)
        };
        assert!(prefers("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"));
        assert!(prefers("text/html"));
        assert!(!prefers("*/*"));
        assert!(!prefers("application/json, text/html;q=0.5"));
        assert!(!prefers("text/html;q=0"));
        assert!(!prefers_page(&HeaderMap::new()));
    }
}
