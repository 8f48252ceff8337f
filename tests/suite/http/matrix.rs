//! Every route of the table with every credential in every place. The right credential gets the documented answer. Every
//! other credential gets the answer to a request without credentials: the same status, fields and body.
//!
//! The test `every_route_has_a_row` fails if a route has no row in this table.

use super::test_app::{PROGRAM, SECRET, TestAgenda, TestApp};
use callboard::agenda::EditKey;
use callboard::http::{Body, routes};
use data_encoding::BASE64;
use http::{Method, Request};
use http_body_util::{BodyExt, Full};
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU32, Ordering};

/// The credential that opens a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Access {
    /// The route needs no credential, and no credential changes the answer.
    Public,
    /// Like `Public`, but each answer contains a new secret.
    Makes,
    /// A read link's token in the path. The number is the status for a revoked link.
    Link(u16),
    /// An edit key as a bearer token.
    Key,
    /// An edit key in the cookie, on a form of our own pages.
    Form,
    /// An edit key in the cookie, on a page that only reads.
    Cookie,
    /// A page that explains itself to visitors without an edit key in the cookie.
    OwnPage,
    /// A read link's token as the password of Basic credentials.
    Basic,
    /// The organizer's secret as a bearer token, on forms too.
    Organizer,
    /// The sign-in of the organizer's pages.
    Desk,
    /// The secret or the code is in the form or the path. Other tests cover these routes.
    Elsewhere,
}
use Access::{Basic, Cookie, Desk, Elsewhere, Form, Key, Link, Makes, Organizer, OwnPage, Public};

/// A pattern, the credential that opens it, and the status by method.
type Row = (&'static str, Access, &'static [(&'static str, u16)]);

const ROWS: &[Row] = &[
    ("/program.ics", Public, &[("GET", 200)]),
    ("/tracks/{track}.ics", Public, &[("GET", 200)]),
    ("/days/{date}.ics", Public, &[("GET", 200)]),
    ("/rooms/{room}.ics", Public, &[("GET", 200)]),
    ("/speakers/{speaker}.ics", Public, &[("GET", 200)]),
    ("/sessions/{id}.ics", Public, &[("GET", 200)]),
    ("/agendas/{read}.ics", Link(200), &[("GET", 200)]),
    ("/team/{members}.ics", Link(200), &[("GET", 200)]),
    ("/program.jcal", Public, &[("GET", 200)]),
    ("/tracks/{track}.jcal", Public, &[("GET", 200)]),
    ("/days/{date}.jcal", Public, &[("GET", 200)]),
    ("/rooms/{room}.jcal", Public, &[("GET", 200)]),
    ("/speakers/{speaker}.jcal", Public, &[("GET", 200)]),
    ("/sessions/{id}.jcal", Public, &[("GET", 200)]),
    ("/agendas/{read}.jcal", Link(200), &[("GET", 200)]),
    ("/team/{members}.jcal", Link(200), &[("GET", 200)]),
    ("/schedule.xml", Public, &[("GET", 200)]),
    ("/schedule.json", Public, &[("GET", 200)]),
    ("/schedule.csv", Public, &[("GET", 200)]),
    ("/program.txt", Public, &[("GET", 200)]),
    ("/giggity.json", Public, &[("GET", 200)]),
    ("/openapi.json", Public, &[("GET", 200)]),
    ("/api/v1/program", Public, &[("GET", 200)]),
    ("/api/v1/sessions", Public, &[("GET", 200)]),
    ("/api/v1/sessions/{id}", Public, &[("GET", 200)]),
    ("/api/v1/tracks", Public, &[("GET", 200)]),
    ("/api/v1/speakers", Public, &[("GET", 200)]),
    ("/api/v1/releases", Public, &[("GET", 200)]),
    ("/api/v1/changes", Public, &[("GET", 200)]),
    ("/api/v1/agendas/{read}", Link(410), &[("GET", 200)]),
    ("/api/v1/agendas", Makes, &[("POST", 201)]),
    ("/api/v1/agenda", Key, &[("GET", 200), ("PATCH", 200), ("DELETE", 204)]),
    ("/api/v1/agenda/picks", Key, &[("PUT", 200)]),
    ("/api/v1/agenda/picks/{session}", Key, &[("PUT", 204), ("DELETE", 204)]),
    ("/api/v1/agenda/busy", Key, &[("PUT", 200)]),
    ("/api/v1/agenda/plan", Key, &[("GET", 200)]),
    ("/api/v1/agenda/links", Key, &[("GET", 200), ("POST", 201)]),
    ("/api/v1/agenda/links/{n}", Key, &[("DELETE", 204)]),
    ("/api/v1/push-key", Public, &[("GET", 200)]),
    ("/api/v1/agenda/subscriptions", Key, &[("GET", 200), ("POST", 201)]),
    ("/api/v1/agenda/subscriptions/{device}", Key, &[("DELETE", 404)]),
    ("/api/v1/agenda/key", Key, &[("POST", 200)]),
    ("/api/v1/agenda/import", Key, &[("POST", 200)]),
    ("/api/v1/agenda/export", Key, &[("GET", 200)]),
    ("/changes.atom", Public, &[("GET", 200)]),
    ("/changes.json", Public, &[("GET", 200)]),
    ("/tracks/{track}/changes.atom", Public, &[("GET", 200)]),
    ("/agendas/{read}/changes.atom", Link(410), &[("GET", 200)]),
    ("/organizer", Desk, &[("GET", 200)]),
    ("/organizer/session", Elsewhere, &[("POST", 303)]),
    ("/organizer/session/end", Elsewhere, &[("POST", 303)]),
    ("/organizer/publish", Organizer, &[("POST", 410)]),
    ("/organizer/held/preview", Organizer, &[("POST", 410)]),
    ("/organizer/preview/{digest}", Organizer, &[("GET", 410)]),
    ("/organizer/held/discard", Organizer, &[("POST", 303)]),
    ("/organizer/releases/{n}/preview", Organizer, &[("POST", 303)]),
    ("/organizer/program", Organizer, &[("GET", 200), ("PUT", 200)]),
    ("/organizer/preview", Organizer, &[("POST", 200)]),
    ("/organizer/status", Organizer, &[("GET", 200)]),
    ("/organizer/schedule", Organizer, &[("DELETE", 404)]),
    ("/organizer/schedule/cancel", Organizer, &[("POST", 303)]),
    ("/organizer/rooms", Organizer, &[("GET", 200)]),
    ("/organizer/picks.csv", Organizer, &[("GET", 200)]),
    ("/organizer/picks", Organizer, &[("GET", 200)]),
    ("/organizer/releases", Organizer, &[("GET", 200)]),
    ("/organizer/releases/{n}", Organizer, &[("GET", 200)]),
    ("/organizer/releases/{n}/program.csv", Organizer, &[("GET", 200)]),
    ("/organizer/releases/{n}/publish", Organizer, &[("POST", 200)]),
    ("/organizer/erase/{session}", Organizer, &[("POST", 409)]),
    ("/.well-known/caldav", Public, &[("GET", 301)]),
    ("/dav", Public, &[("GET", 200)]),
    ("/dav/", Public, &[("GET", 200)]),
    ("/dav/{*rest}", Public, &[("GET", 404)]),
    ("/dav/public", Public, &[("GET", 200)]),
    ("/dav/public/", Public, &[("GET", 200)]),
    ("/dav/public/{calendar}", Public, &[("GET", 200)]),
    ("/dav/public/{calendar}/", Public, &[("GET", 200)]),
    ("/dav/public/{calendar}/{session}", Public, &[("GET", 200)]),
    ("/dav/public/subscriptions/{device}", Public, &[("DELETE", 404)]),
    ("/dav/agendas/subscriptions/{device}", Basic, &[("DELETE", 404)]),
    ("/dav/agendas", Basic, &[("GET", 200)]),
    ("/dav/agendas/", Basic, &[("GET", 200)]),
    ("/dav/agendas/{*rest}", Basic, &[("GET", 404)]),
    ("/dav/agendas/agenda", Basic, &[("GET", 200)]),
    ("/dav/agendas/agenda/", Basic, &[("GET", 200)]),
    ("/dav/agendas/agenda/{session}", Basic, &[("GET", 200)]),
    ("/dav/cancelled-title/public", Public, &[("GET", 200)]),
    ("/dav/cancelled-title/public/", Public, &[("GET", 200)]),
    ("/dav/cancelled-title/public/{calendar}", Public, &[("GET", 200)]),
    ("/dav/cancelled-title/public/{calendar}/", Public, &[("GET", 200)]),
    ("/dav/cancelled-title/public/{calendar}/{session}", Public, &[("GET", 200)]),
    ("/dav/cancelled-title/agendas", Basic, &[("GET", 200)]),
    ("/dav/cancelled-title/agendas/", Basic, &[("GET", 200)]),
    ("/dav/cancelled-title/agendas/{*rest}", Basic, &[("GET", 404)]),
    ("/dav/cancelled-title/agendas/agenda", Basic, &[("GET", 200)]),
    ("/dav/cancelled-title/agendas/agenda/", Basic, &[("GET", 200)]),
    ("/dav/cancelled-title/agendas/agenda/{session}", Basic, &[("GET", 200)]),
    ("/", Public, &[("GET", 200)]),
    // The tests of CalDAV clients cover CalDAV at the root.
    ("/", Elsewhere, &[("OPTIONS", 200), ("PROPFIND", 207), ("REPORT", 403)]),
    ("/sessions/{id}", Public, &[("GET", 200)]),
    ("/tracks/{track}", Public, &[("GET", 200)]),
    ("/rooms/{room}", Public, &[("GET", 200)]),
    ("/speakers/{speaker}", Public, &[("GET", 200)]),
    ("/days/{date}", Public, &[("GET", 200)]),
    ("/tracks", Public, &[("GET", 200)]),
    ("/rooms", Public, &[("GET", 200)]),
    ("/speakers", Public, &[("GET", 200)]),
    ("/search.json", Public, &[("GET", 200)]),
    ("/api", Public, &[("GET", 200)]),
    ("/changes", Public, &[("GET", 200)]),
    ("/offline", Public, &[("GET", 200)]),
    ("/subscribe/{*feed}", Link(410), &[("GET", 200)]),
    ("/agendas/{read}", Link(410), &[("GET", 200)]),
    ("/team", Elsewhere, &[("GET", 200), ("POST", 303)]),
    ("/team/{members}", Link(410), &[("GET", 200)]),
    ("/agenda", OwnPage, &[("GET", 200)]),
    ("/mine", OwnPage, &[("GET", 200)]),
    ("/mine/sessions/{id}", OwnPage, &[("GET", 200)]),
    ("/agenda/state", OwnPage, &[("GET", 200)]),
    ("/agenda/picks", Form, &[("POST", 303)]),
    ("/agenda/name", Form, &[("POST", 303)]),
    ("/agenda/links", Form, &[("POST", 303)]),
    ("/agenda/links/{n}/revoke", Form, &[("POST", 303)]),
    ("/agenda/devices", Form, &[("POST", 200)]),
    ("/agenda/devices/remove", Form, &[("POST", 303)]),
    ("/agenda/mail", Form, &[("POST", 303)]),
    ("/mail/confirm/{link}", Elsewhere, &[("GET", 200), ("POST", 200)]),
    ("/mail/end/{link}", Elsewhere, &[("GET", 200), ("POST", 200)]),
    ("/agenda/key", Form, &[("POST", 303)]),
    ("/agenda/delete", Form, &[("POST", 303)]),
    ("/agenda/handover", Form, &[("POST", 200)]),
    ("/agenda/plan", OwnPage, &[("GET", 200)]),
    ("/agenda/plan", Form, &[("POST", 303)]),
    ("/agenda/ranks", Form, &[("POST", 303)]),
    ("/agenda/busy", Form, &[("POST", 303)]),
    ("/agenda/busy/remove", Form, &[("POST", 303)]),
    ("/agenda/busy/import", Elsewhere, &[("POST", 303)]),
    ("/agenda/import", Public, &[("GET", 200)]),
    // A first import creates an agenda, as a first pick does.
    ("/agenda/import", Elsewhere, &[("POST", 200)]),
    ("/agenda/export.ics", Cookie, &[("GET", 200)]),
    ("/agenda/export.json", Cookie, &[("GET", 200)]),
    ("/handover/{code}", Elsewhere, &[("GET", 200), ("POST", 303)]),
    ("/events", Public, &[("GET", 200)]),
    ("/assets/{name}", Public, &[("GET", 404)]),
    ("/robots.txt", Public, &[("GET", 200)]),
    ("/sitemap.xml", Public, &[("GET", 200)]),
    ("/manifest.webmanifest", Public, &[("GET", 200)]),
    ("/sw.js", Public, &[("GET", 200)]),
];

#[test]
fn every_route_has_a_row() {
    let listed: BTreeSet<(&str, String)> = ROWS
        .iter()
        .flat_map(|(pattern, _, methods)| methods.iter().map(|(method, _)| (*pattern, (*method).to_owned())))
        .collect();
    let taken: BTreeSet<(&str, String)> =
        routes().map(|(pattern, method)| (pattern, method.to_string())).collect();
    assert_eq!(listed, taken, "a route without a row in this matrix, or a row without a route");
}

/// The parts of an answer that could reveal something.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Reply {
    status: u16,
    fields: Vec<String>,
    body: Vec<u8>,
}

/// Where a credential is put.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Bearer,
    Password,
    AgendaCookie,
    OrganizerCookie,
    Path,
}
const PLACES: [Place; 5] =
    [Place::Bearer, Place::Password, Place::AgendaCookie, Place::OrganizerCookie, Place::Path];

/// A token that was never issued, for paths that must have one.
pub(super) const NOBODY: &str = "cbr_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

struct Matrix {
    app: TestApp,
    mine: TestAgenda,
    /// The credentials by name.
    credentials: Vec<(&'static str, String)>,
}

impl Matrix {
    async fn new() -> Self {
        let app = TestApp::new();
        let mine = app.agenda(&["opening", "first-talk"]).await;
        let others = app.agenda(&["opening"]).await;
        let gone = app.send(mine.request("POST", "/agenda/links")).await.json();
        app.send(mine.request("DELETE", &format!("/agenda/links/{}", gone["n"]))).await;
        let revoked = token(gone["feed"].as_str().unwrap());
        let replaced = app.agenda(&["opening"]).await;
        app.send(replaced.request("POST", "/agenda/key")).await;
        let deleted = app.agenda(&["opening"]).await;
        app.send(deleted.request("DELETE", "/agenda")).await;
        let unknown = EditKey::generate().unwrap();
        let mut typo = mine.key.clone();
        typo.replace_range(9..10, if &typo[9..10] == "a" { "b" } else { "a" });
        let credentials = vec![
            ("the read link", token(&mine.feed)),
            ("the edit key", mine.key.clone()),
            ("another's edit key", others.key.clone()),
            ("another's read link", token(&others.feed)),
            ("a revoked link", revoked),
            ("a replaced key", replaced.key.clone()),
            ("a deleted agenda's key", deleted.key.clone()),
            ("a key never issued", unknown.reveal()),
            ("a link never issued", unknown.read_token(1).reveal()),
            ("a key with a typo", typo),
            ("a key cut off", mine.key[..20].to_owned()),
            ("a key in capitals", mine.key.to_uppercase()),
            ("nothing that it could be", "x".to_owned()),
            ("the organizer's secret", SECRET.to_owned()),
            ("the organizer's secret cut off", SECRET[..12].to_owned()),
        ];
        Self { app, mine, credentials }
    }

    /// The answer to a credential in a place, or to none.
    async fn ask(
        &self,
        pattern: &str,
        access: Access,
        method: &str,
        credential: Option<(Place, &str)>,
        is_ours: bool,
    ) -> Reply {
        let in_path = credential.filter(|(place, _)| *place == Place::Path).map_or(NOBODY, |(_, it)| it);
        let target = filled(pattern, in_path);
        let mut request = Request::builder()
            .method(Method::from_bytes(method.as_bytes()).unwrap())
            .uri(&target)
            .header("host", "conf.example")
            .header("x-forwarded-for", address());
        if is_ours {
            request = request.header("sec-fetch-site", "same-origin");
        }
        match credential {
            Some((Place::Bearer, it)) => request = request.header("authorization", format!("Bearer {it}")),
            Some((Place::Password, it)) => {
                let pair = BASE64.encode(format!("me:{it}").as_bytes());
                request = request.header("authorization", format!("Basic {pair}"));
            }
            Some((Place::AgendaCookie, it)) => {
                request = request.header("cookie", format!("__Host-agenda={it}"));
            }
            Some((Place::OrganizerCookie, it)) => {
                request = request.header("cookie", format!("__Host-organizer={it}"));
            }
            Some((Place::Path, _)) | None => {}
        }
        let (media_type, body) = body_of(pattern, method, access);
        if !body.is_empty() {
            request = request.header("content-type", media_type);
        }
        let response = self.app.inner.respond(request.body(Full::from(body)).unwrap()).await;
        let (head, body) = response.into_parts();
        let body = match body {
            Body::Stream(_) => Vec::new(),
            body => body.collect().await.unwrap().to_bytes().to_vec(),
        };
        let mut fields: Vec<String> =
            head.headers.iter().map(|(name, value)| format!("{name}: {value:?}")).collect();
        fields.sort();
        Reply { status: head.status.as_u16(), fields, body }
    }
}

/// A new address for each request, so that no rate limit applies.
fn address() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let [_, b, c, d] = NEXT.fetch_add(1, Ordering::Relaxed).to_be_bytes();
    format!("10.{b}.{c}.{d}")
}

pub(super) fn token(feed: &str) -> String {
    feed.rsplit('/').next().unwrap().trim_end_matches(".ics").to_owned()
}

/// Fills the pattern with values of the app's program, and with the token if the pattern has one.
pub(super) fn filled(pattern: &str, in_path: &str) -> String {
    let values = [
        ("{track}", "main"),
        ("{date}", "2025-03-25"),
        ("{room}", "hall"),
        ("{speaker}", "ada-lovelace"),
        ("/public/{calendar}/{session}", "/public/program/opening.ics"),
        ("/agendas/agenda/{session}", "/agendas/agenda/opening.ics"),
        ("{calendar}", "program"),
        ("{id}", "opening"),
        ("{session}", "opening"),
        ("{n}", "1"),
        ("{device}", "000000000000000000000000"),
        ("{name}", "none.js"),
        ("{digest}", "none"),
    ];
    let target = values.iter().fold(pattern.to_owned(), |target, (name, value)| target.replace(name, value));
    target
        .replace("/api/v1/changes", "/api/v1/changes?since=1")
        .replace("{*feed}", &format!("agendas/{in_path}"))
        .replace("{read}", in_path)
        .replace("{members}", in_path)
        .replace("{code}", in_path)
        .replace("{link}", in_path)
}

/// What a browser gives, with the keys of RFC 8291, appendix A.
pub(super) const DEVICE: &str = r#"{
    "channel": "web-push",
    "endpoint": "https://push.example.org/send/1",
    "expirationTime": null,
    "keys": {
        "p256dh": "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
        "auth": "BTBZMqHH6r4Tts7J_aSIgg"
    }
}"#;

/// The same, as the page's script sends it.
const DEVICE_FORM: &str = "endpoint=https%3A%2F%2Fpush.example.org%2Fsend%2F1&auth=BTBZMqHH6r4Tts7J_aSIgg&p256dh=\
                           BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4";

fn body_of(pattern: &str, method: &str, access: Access) -> (&'static str, String) {
    const JSON: &str = "application/json";
    const FORM: &str = "application/x-www-form-urlencoded";
    let (media_type, body) = match (pattern, method) {
        ("/api/v1/agenda", "PATCH") => (JSON, "{\"name\":\"Other\"}"),
        ("/api/v1/agenda/picks", _) => (JSON, "[\"opening\"]"),
        ("/api/v1/agenda/busy", _) => (JSON, "[]"),
        ("/api/v1/agenda/subscriptions", "POST") => (JSON, DEVICE),
        ("/api/v1/agenda/import", _) => (JSON, "{\"picks\":[\"opening\"]}"),
        ("/agenda/picks", _) => (FORM, "session=opening&action=unpick"),
        ("/agenda/plan", "POST") => (FORM, "session=opening&action=unpick"),
        ("/agenda/ranks", _) => (FORM, "must=opening"),
        ("/agenda/busy", _) => (FORM, "date=2025-03-25&from=09:00&to=10:00"),
        ("/agenda/busy/remove", _) => (FORM, "busy=1/2"),
        ("/agenda/name", _) => (FORM, "name=Other"),
        ("/agenda/links", _) => (FORM, "label=Other"),
        ("/agenda/devices", _) => (FORM, DEVICE_FORM),
        ("/agenda/devices/remove", _) => (FORM, "device=000000000000000000000000"),
        ("/agenda/mail", _) => (FORM, "address=ada%40example.org"),
        ("/agenda/delete", _) => (FORM, "sure=yes"),
        ("/organizer/publish", _) => (FORM, "confirm=none"),
        ("/organizer/held/preview" | "/organizer/held/discard", _) => (FORM, "digest=none"),
        ("/organizer/schedule/cancel", _) => (FORM, "made=2025-03-01T12:00:00Z"),
        ("/organizer/program", "PUT") | ("/organizer/preview", _) => ("text/csv", PROGRAM),
        _ if access == Form => (FORM, "x=1"),
        _ => ("", ""),
    };
    (media_type, body.to_owned())
}

/// Whether a credential in a place opens a route. Revoked links are handled by the test.
fn opens(access: Access, place: Place, name: &str) -> bool {
    let is_key = ["the edit key", "another's edit key"].contains(&name);
    let is_link = ["the read link", "another's read link"].contains(&name);
    match access {
        Link(_) => place == Place::Path && is_link,
        Key => place == Place::Bearer && is_key,
        Form | OwnPage | Cookie => place == Place::AgendaCookie && is_key,
        Basic => place == Place::Password && is_link,
        Organizer => place == Place::Bearer && name == "the organizer's secret",
        Public | Makes | Desk | Elsewhere => false,
    }
}

/// The answer without the right credential.
fn closed(access: Access, right: u16) -> u16 {
    match access {
        Public | Makes | OwnPage | Desk => right,
        Link(_) => 404,
        Key | Form | Cookie | Basic | Organizer => 401,
        Elsewhere => 0,
    }
}

#[tokio::test]
async fn a_wrong_credential_is_answered_like_none() {
    let matrix = Matrix::new().await;
    let version = matrix.app.send(matrix.mine.request("GET", "/agenda")).await.tag().to_owned();
    let (mut tried, mut wrong) = (0, Vec::new());
    for (pattern, access, methods) in ROWS.iter().filter(|(_, access, _)| *access != Elsewhere) {
        for (method, right) in *methods {
            let nothing = matrix.ask(pattern, *access, method, None, true).await;
            let what = format!("{method} {pattern}");
            if nothing.status != closed(*access, *right) {
                wrong.push(format!("{what} with nothing: {}", nothing.status));
                continue;
            }
            let foreign = matrix.ask(pattern, *access, method, None, false).await;
            // The challenge tells a wrong credential from a missing one (RFC 6750, 3).
            let nonsense =
                matrix.ask(pattern, *access, method, Some((Place::Bearer, "nonsense")), true).await;
            for (place, (name, credential)) in
                PLACES.iter().flat_map(|place| matrix.credentials.iter().map(move |it| (*place, it)))
            {
                let is_in_path = ["{read}", "{members}", "{*feed}"].iter().any(|name| pattern.contains(name));
                if opens(*access, place, name) || (place == Place::Path && !is_in_path) {
                    continue;
                }
                tried += 1;
                let reply = matrix.ask(pattern, *access, method, Some((place, credential)), true).await;
                let with = format!("{what} with {name} as {place:?}");
                let is_alike = match access {
                    Makes => reply.status == *right,
                    Link(revoked) if place == Place::Path && *name == "a revoked link" => {
                        reply.status == *revoked
                    }
                    // For 30 days the calendar of a revoked link is empty and says that it is no longer shared.
                    Basic if place == Place::Password && *name == "a revoked link" => {
                        reply.status == if pattern.ends_with("{session}") { 404 } else { *right }
                    }
                    // The answer deletes a cookie that is no longer valid. The agenda page gives the reason.
                    OwnPage if place == Place::AgendaCookie => {
                        let body = String::from_utf8_lossy(&reply.body);
                        let is_same = reply.body == nothing.body
                            || (["/agenda", "/agenda/plan"].contains(pattern)
                                && body.contains("was signed out"));
                        reply.status == nothing.status && is_same
                    }
                    Key | Organizer if matches!(place, Place::Bearer | Place::Password) => {
                        reply == nonsense && reply.status == nothing.status
                    }
                    // The redirect leads to the tree of agendas.
                    Public if *pattern == "/.well-known/caldav" && place == Place::Password => {
                        reply.status == nothing.status
                    }
                    _ => reply == nothing,
                };
                if !is_alike {
                    wrong.push(format!("{with}:\n  {}\n  {}", shown(&reply), shown(&nothing)));
                }
                if *access == Form {
                    let reply = matrix.ask(pattern, *access, method, Some((place, credential)), false).await;
                    if reply.status != 403 || reply != foreign {
                        wrong.push(format!("{with} from another site: {}", shown(&reply)));
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {tried}:\n{}", wrong.len(), wrong.join("\n"));
    assert!(tried > 4000, "{tried}");
    let after = matrix.app.send(matrix.mine.request("GET", "/agenda")).await.tag().to_owned();
    assert_eq!(after, version, "somebody changed the agenda");
}

/// The answer as text for a failure message.
fn shown(reply: &Reply) -> String {
    let body: String = String::from_utf8_lossy(&reply.body).chars().take(200).collect();
    format!("{} {:?} {body:?}", reply.status, reply.fields)
}

#[tokio::test]
async fn the_right_credential_gets_the_documented_answer() {
    let matrix = Matrix::new().await;
    let mut wrong = Vec::new();
    for (pattern, access, methods) in ROWS.iter().filter(|(_, access, _)| *access != Elsewhere) {
        for (method, right) in *methods {
            // Each request gets a new agenda, so that no request affects the next one.
            let mine = matrix.app.agenda(&["opening", "first-talk"]).await;
            let (place, credential) = match access {
                Link(_) => (Place::Path, token(&mine.feed)),
                Key => (Place::Bearer, mine.key.clone()),
                Form | OwnPage | Cookie => (Place::AgendaCookie, mine.key.clone()),
                Basic => (Place::Password, token(&mine.feed)),
                Organizer => (Place::Bearer, SECRET.to_owned()),
                _ => continue,
            };
            let nothing = matrix.ask(pattern, *access, method, None, true).await;
            let reply = matrix.ask(pattern, *access, method, Some((place, &credential)), true).await;
            let text = String::from_utf8_lossy(&reply.body).into_owned();
            if reply.status != *right || reply == nothing {
                wrong.push(format!("{method} {pattern}: {}", shown(&reply)));
                continue;
            }
            // These pages may repeat the link: the owner may see it, and a reader of the link has it already.
            let shows_links = [
                "/api/v1/agenda",
                "/api/v1/agenda/picks",
                "/api/v1/agenda/busy",
                "/api/v1/agenda/links",
                "/agenda",
            ];
            let is_shown =
                shows_links.contains(pattern) || *pattern == "/agenda/handover" || *access == Link(410);
            if text.contains(&mine.key) || (!is_shown && text.contains(&token(&mine.feed))) {
                wrong.push(format!("{method} {pattern} repeats a secret"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}:\n{}", wrong.len(), wrong.join("\n"));
}

#[tokio::test]
async fn a_code_or_a_secret_in_a_form_opens_once_and_every_other_is_answered_alike() {
    let matrix = Matrix::new().await;
    let codes = ["x", NOBODY, &"a".repeat(24), &"a".repeat(500), "%00", SECRET];
    let mut reply = Vec::new();
    for code in codes {
        for method in ["GET", "POST"] {
            reply.push(
                matrix.ask("/handover/{code}", Elsewhere, method, Some((Place::Path, code)), true).await,
            );
        }
    }
    assert!(reply.iter().all(|one| one.status == 410 && *one == reply[0]), "{reply:?}");
    let key = matrix.mine.key.clone();
    let page = matrix.ask("/agenda/handover", Form, "POST", Some((Place::AgendaCookie, &key)), true).await;
    let page = String::from_utf8(page.body).unwrap();
    let code = page.split("/handover/").nth(1).unwrap();
    let code: String = code.chars().take_while(char::is_ascii_alphanumeric).collect();
    for (method, ours, status) in [
        ("GET", true, 200),
        ("POST", false, 403),
        ("GET", true, 200),
        ("POST", true, 303),
        ("POST", true, 410),
    ] {
        let got = matrix.ask("/handover/{code}", Elsewhere, method, Some((Place::Path, &code)), ours).await;
        assert_eq!(got.status, status, "{method}");
        assert!(status != 410 || got == reply[0]);
    }
    let mut refused = Vec::new();
    for secret in ["", "x", "an-organizer-secre", "an-organizer-secret-", &matrix.mine.key, &"x".repeat(5000)]
    {
        let form = format!("secret={secret}");
        let request = Request::post("/organizer/session")
            .header("host", "conf.example")
            .header("sec-fetch-site", "same-origin")
            .header("x-forwarded-for", address())
            .header("content-type", "application/x-www-form-urlencoded");
        let answer = matrix.app.inner.respond(request.body(Full::from(form)).unwrap()).await;
        assert_eq!(answer.status(), 401);
        assert!(answer.headers().get("set-cookie").is_none());
        refused.push(answer.into_body().collect().await.unwrap().to_bytes());
    }
    assert!(refused.iter().all(|page| *page == refused[0]));
}
