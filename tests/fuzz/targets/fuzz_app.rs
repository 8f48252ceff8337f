//! The server in process, with two agendas, a revoked link and a signed-in organizer. It is replaced after some thousand
//! inputs, so that their data does not accumulate.

use super::test_app::{TestAgenda, TestApp, TestRequest};
use bytes::Bytes;
use callboard::http::Body;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use std::cell::RefCell;
use tokio::runtime::{Builder, Runtime};

/// Inputs that one server handles.
const INPUTS: usize = 20_000;

/// The organizer secret of the server. A constant, so that inputs keep their meaning.
const SECRET: &str = "an-organizer-secret";

pub(super) struct FuzzApp {
    runtime: Runtime,
    app: TestApp,
    mine: TestAgenda,
    other: TestAgenda,
    revoked: String,
    desk: String,
    served: usize,
}

/// An answer with its body, unless that is a stream.
pub(super) struct FuzzResponse {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Option<Bytes>,
}

impl FuzzResponse {
    pub(super) fn media_type(&self) -> &str {
        self.headers.get("content-type").and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

thread_local! {
    static FUZZ_APP: RefCell<Option<FuzzApp>> = const { RefCell::new(None) };
}

/// Runs with the server of this thread.
pub(super) fn with(run: impl FnOnce(&mut FuzzApp)) {
    FUZZ_APP.with_borrow_mut(|fuzz_app| {
        if fuzz_app.as_ref().is_some_and(|fuzz_app| fuzz_app.served >= INPUTS) {
            *fuzz_app = None;
        }
        let fuzz_app = fuzz_app.get_or_insert_with(FuzzApp::open);
        fuzz_app.served += 1;
        run(fuzz_app);
    });
}

impl FuzzApp {
    fn open() -> Self {
        let runtime = Builder::new_current_thread().enable_time().build().unwrap();
        let (app, mine, other, revoked, desk) = runtime.block_on(async {
            let app = TestApp::new();
            let mine = app.agenda(&["opening", "first-talk"]).await;
            let other = app.agenda(&["lunch"]).await;
            let gone = app.send(mine.request("POST", "/agenda/links")).await.json();
            let revoked = gone["feed"].as_str().unwrap().to_owned();
            app.send(mine.request("DELETE", &format!("/agenda/links/{}", gone["n"]))).await;
            let sign_in =
                TestRequest::new("POST", "/organizer/session").field("sec-fetch-site", "same-origin");
            let form = format!("secret={SECRET}");
            let signed = app.send(sign_in.text("application/x-www-form-urlencoded", &form)).await;
            // The other cookie is the mark that scripts read.
            let cookies = signed.headers.get_all("set-cookie").iter().map(|line| line.to_str().unwrap());
            let sign_in = cookies.into_iter().find(|line| line.contains("HttpOnly")).unwrap();
            let desk = sign_in.split(';').next().unwrap().to_owned();
            (app, mine, other, revoked, desk)
        });
        let revoked = token(&revoked).to_owned();
        Self { runtime, app, mine, other, revoked, desk, served: 0 }
    }

    pub(super) fn key(&self) -> &str {
        &self.mine.key
    }

    pub(super) fn read(&self) -> &str {
        token(&self.mine.feed)
    }

    pub(super) fn other(&self) -> &str {
        &self.other.key
    }

    pub(super) fn revoked(&self) -> &str {
        &self.revoked
    }

    /// Replaces placeholders in an input by the secrets.
    pub(super) fn filled(&self, text: &str) -> String {
        if !text.contains('@') {
            return text.to_owned();
        }
        text.replace("@key@", self.key())
            .replace("@read@", self.read())
            .replace("@other@", &self.other.key)
            .replace("@revoked@", &self.revoked)
            .replace("@secret@", SECRET)
            .replace("@desk@", &self.desk)
    }

    /// Sends a request. Each input comes from another address, named by a trusted proxy, so that no rate limit applies.
    pub(super) fn ask(&self, mut request: Request<Full<Bytes>>) -> FuzzResponse {
        let [_, b, c, d] = u32::try_from(self.served).unwrap_or_default().to_be_bytes();
        if let Ok(address) = format!("10.{b}.{c}.{d}").parse() {
            request.headers_mut().entry("x-forwarded-for").or_insert(address);
        }
        self.runtime.block_on(async {
            let (head, body) = self.app.inner.respond(request).await.into_parts();
            let body = match body {
                Body::Stream(_) => None,
                body => Some(body.collect().await.unwrap().to_bytes()),
            };
            FuzzResponse { status: head.status, headers: head.headers, body }
        })
    }

    /// Makes a new agenda if an input deleted this one or replaced its key.
    pub(super) fn refresh(&mut self) {
        let request = Request::get("/api/v1/agenda")
            .header("host", "conf.example")
            .header("authorization", format!("Bearer {}", self.mine.key));
        let response = self.ask(request.body(Full::default()).unwrap());
        if response.status != StatusCode::OK || self.served.is_multiple_of(500) {
            // After a minute the rate limit allows new agendas.
            self.app.pass(60);
            self.mine = self.runtime.block_on(self.app.agenda(&["opening", "first-talk"]));
        }
    }
}

fn token(feed: &str) -> &str {
    feed.rsplit('/').next().unwrap_or_default().trim_end_matches(".ics")
}
