//! No log line contains a token, a query or a body, also if a request fails.

use super::test_app::{TestApp, TestRequest};
use serde_json::json;
use std::io::Write;
use std::sync::{Arc, Mutex};
use tracing_subscriber::fmt::MakeWriter;

/// Everything that is logged, at every level.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Self;
    fn make_writer(&self) -> Self {
        self.clone()
    }
}

#[tokio::test]
async fn planted_secrets_are_in_no_log_line() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_ansi(false)
        .with_writer(log.clone())
        .finish();
    // The subscriber is global, so the log lines of other tests are checked as well.
    tracing::subscriber::set_global_default(subscriber).unwrap();

    let app = TestApp::new();
    let mine = app.agenda(&["opening"]).await;
    let token = mine.feed.trim_start_matches("/agendas/").trim_end_matches(".ics").to_owned();
    let planted = "planted-secret";
    let new_key = app.send(mine.request("POST", "/agenda/key")).await.json()["edit_key"].clone();
    let new_key = new_key.as_str().unwrap().to_owned();
    for request in [
        TestRequest::new("GET", &format!("{}?alarm=10m&x={planted}", mine.feed)),
        TestRequest::new("GET", &format!("/agendas/{token}x.ics")),
        TestRequest::new("GET", &format!("/agendas/{token}")),
        TestRequest::new("GET", &format!("/program.ics?track={planted}")),
        TestRequest::new("GET", &format!("/program.ics?busy={planted}")),
        TestRequest::new("GET", &format!("/{planted}")),
        TestRequest::new("GET", "/program.ics").field("referer", planted).field("user-agent", planted),
        TestRequest::new("GET", "/api/v1/agenda").field("authorization", &format!("Bearer {planted}")),
        TestRequest::new("PUT", "/api/v1/agenda/picks")
            .field("authorization", &format!("Bearer {new_key}"))
            .json(&json!([planted])),
        TestRequest::new("POST", "/api/v1/agendas").json(&json!({ "name": planted })),
        TestRequest::new("PLANTED-SECRET", "/program.ics"),
    ] {
        app.send(request).await;
    }
    app.store.close();
    assert_eq!(app.get(&mine.feed).await.status, 503);
    assert_eq!(app.send(mine.request("GET", "/agenda")).await.status, 503);

    let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(text.contains("/agendas/{read}.ics") && text.contains("status=503"), "{text}");
    assert!(text.contains("a request failed") && text.contains("cause="), "{text}");
    let lower = text.to_lowercase();
    for secret in [&mine.key, &new_key, &token, planted] {
        assert!(!lower.contains(secret), "{secret} in {text}");
    }
    for form in ["cbe_", "cbr_"] {
        let bare: Vec<&str> =
            text.match_indices(form).map(|(at, _)| &text[at..(at + 12).min(text.len())]).collect();
        assert!(bare.is_empty(), "{bare:?}");
    }
}
