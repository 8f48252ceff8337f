//! Answers that are sent before the request's body has arrived. Clients such as vdirsyncer 0.19 and aiohttp write head
//! and body separately. After such an answer the connection must stay usable, or the answer must announce that it closes.

use super::test_app::{SECRET, TestApp};
use super::wire::{GET, LIMITS, TestServer, answer, field, rest, status};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// The pause between the two writes. During the pause the server answers, unless it waits for the body.
const GAP: Duration = Duration::from_millis(20);

const PROPFIND: &str =
    "<d:propfind xmlns:d=\"DAV:\"><d:prop><d:resourcetype/><d:displayname/></d:prop></d:propfind>";

fn head(method: &str, path: &str, fields: &str, body: &str) -> String {
    format!("{method} {path} HTTP/1.1\r\nHost: x\r\n{fields}Content-Length: {}\r\n\r\n", body.len())
}

/// Requests that the server answers without reading the body, and some whose body it reads.
fn requests() -> Vec<(&'static str, &'static str, String, &'static str)> {
    let wrong = "Authorization: Bearer wrong\r\n".to_owned();
    let secret = format!("Authorization: Bearer {SECRET}\r\n");
    let depth = || "Depth: 0\r\n".to_owned();
    vec![
        ("PROPFIND", "/.well-known/caldav", depth(), "301"),
        ("PROPFIND", "/program.ics", depth(), "405"),
        ("PROPFIND", "/principals/", depth(), "404"),
        ("PROPFIND", "/dav/public/", depth(), "207"),
        ("PROPFIND", "/dav/agendas/", depth(), "401"),
        ("PROPFIND", "/dav/nowhere/", depth(), "404"),
        ("PUT", "/dav/public/program/x.ics", String::new(), "403"),
        ("POST", "/", String::new(), "405"),
        ("POST", "/nowhere", String::new(), "404"),
        ("GET", "/program.ics", String::new(), "200"),
        ("GET", "/sessions/never-was.ics", String::new(), "404"),
        ("OPTIONS", "/program.ics", String::new(), "204"),
        ("PUT", "/api/v1/agenda/picks/opening", wrong.clone(), "401"),
        ("POST", "/organizer/preview", wrong, "401"),
        ("PUT", "/organizer/schedule", secret, "405"),
        ("POST", "/agenda/picks", "Origin: https://other.example\r\n".to_owned(), "403"),
    ]
}

/// Whether the route reads the body before it answers, as CalDAV, forms and the API do.
fn reads_first(path: &str) -> bool {
    ["/dav/", "/agenda/", "/api/"].iter().any(|begin| path.starts_with(begin))
}

async fn goes_on(socket: &mut TcpStream, of: &str) {
    socket.write_all(GET.as_bytes()).await.unwrap();
    assert_eq!(status(&answer(socket).await.0), "200", "after {of}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_follows_its_head_is_read_and_the_connection_goes_on() {
    let server = TestServer::open(LIMITS).await;
    for (method, path, fields, expected) in requests() {
        let mut socket = server.connect().await;
        socket.set_nodelay(true).unwrap();
        for _ in 0..3 {
            socket.write_all(head(method, path, &fields, PROPFIND).as_bytes()).await.unwrap();
            tokio::time::sleep(GAP).await;
            socket.write_all(PROPFIND.as_bytes()).await.unwrap();
            let (head, _) = answer(&mut socket).await;
            assert_eq!(status(&head), expected, "{method} {path}: {head}");
            assert_eq!(field(&head, "connection"), None, "{method} {path}");
            goes_on(&mut socket, path).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_for_too_many_tries_keep_the_connection_too() {
    let server = TestServer::with(TestApp::limited(), LIMITS).await;
    let mut socket = server.connect().await;
    let mut statuses = Vec::new();
    for _ in 0..12 {
        let fields = "Authorization: Bearer wrong\r\n";
        socket.write_all(head("POST", "/organizer/preview", fields, PROPFIND).as_bytes()).await.unwrap();
        tokio::time::sleep(GAP / 4).await;
        socket.write_all(PROPFIND.as_bytes()).await.unwrap();
        statuses.push(status(&answer(&mut socket).await.0).to_owned());
    }
    assert_eq!(statuses[..10], ["401"; 10]);
    assert_eq!(statuses[10..], ["429"; 2]);
    goes_on(&mut socket, "refusals").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_behind_an_unread_body_are_answered_in_order() {
    let server = TestServer::open(LIMITS).await;
    let close = GET.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n");
    for (method, path, fields, expected) in requests() {
        let first = head(method, path, &fields, PROPFIND);
        // Once all in one write; once the head first, and the body with the next request later.
        let mut socket = server.connect().await;
        socket.write_all(format!("{first}{PROPFIND}{close}").as_bytes()).await.unwrap();
        let whole = rest(&mut socket).await;
        let mut socket = server.connect().await;
        socket.write_all(first.as_bytes()).await.unwrap();
        tokio::time::sleep(GAP).await;
        socket.write_all(format!("{PROPFIND}{close}").as_bytes()).await.unwrap();
        for text in [whole, rest(&mut socket).await] {
            assert_eq!(status(&text), expected, "{method} {path}: {text}");
            assert!(text.ends_with("END:VCALENDAR\r\n"), "{method} {path}: {text}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_request_with_a_body_has_no_body_in_its_answer() {
    let server = TestServer::open(LIMITS).await;
    let mut socket = server.connect().await;
    for path in ["/program.ics", "/nowhere", "/dav/agendas/", "/organizer/status"] {
        socket.write_all(head("HEAD", path, "", PROPFIND).as_bytes()).await.unwrap();
        tokio::time::sleep(GAP).await;
        socket.write_all(PROPFIND.as_bytes()).await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(socket.read_u8().await.unwrap());
        }
        assert!(!String::from_utf8(head).unwrap().to_lowercase().contains("connection: close"), "{path}");
        goes_on(&mut socket, path).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chunked_body_is_read_too_and_a_broken_one_closes_the_connection() {
    let server = TestServer::open(LIMITS).await;
    let chunked = |method: &str, path: &str| {
        format!("{method} {path} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
    };
    for (method, path) in [("POST", "/nowhere"), ("PROPFIND", "/program.ics"), ("GET", "/program.ics")] {
        let mut socket = server.connect().await;
        for body in ["3\r\nabc\r\n0\r\n\r\n", "A;x=y\r\n0123456789\r\n0\r\nTrailer: 1\r\n\r\n", "0\r\n\r\n"] {
            socket.write_all(chunked(method, path).as_bytes()).await.unwrap();
            for piece in [&body[..1], &body[1..4], &body[4..]] {
                tokio::time::sleep(GAP / 4).await;
                socket.write_all(piece.as_bytes()).await.unwrap();
            }
            let (head, _) = answer(&mut socket).await;
            assert_eq!(field(&head, "connection"), None, "{method} {path} {body:?}");
            goes_on(&mut socket, path).await;
        }
        for body in ["xyz\r\n", "3\r\nabcd\r\n", "-1\r\n", "3\nabc\n0\n\n"] {
            let text = server.say(format!("{}{body}", chunked(method, path)).as_bytes()).await;
            assert!(text.to_lowercase().contains("connection: close"), "{method} {path} {body:?}: {text}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_is_not_worth_reading_is_announced_to_close_the_connection() {
    let server = TestServer::open(LIMITS).await;
    for (method, path, fields, expected) in requests() {
        let expected = if reads_first(path) { "413" } else { expected };
        // More than the server reads and discards, and more than fits into the buffers of the sockets.
        let length = 20_000_000;
        let head = format!("{method} {path} HTTP/1.1\r\nHost: x\r\n{fields}Content-Length: {length}\r\n\r\n");
        let socket = server.connect().await;
        let (mut from, mut to) = socket.into_split();
        let sending = tokio::spawn(async move {
            to.write_all(head.as_bytes()).await.unwrap();
            let piece = vec![b'x'; 50_000];
            for _ in 0..length / piece.len() {
                if to.write_all(&piece).await.is_err() {
                    break;
                }
            }
        });
        let mut bytes = Vec::new();
        let read = tokio::time::timeout(Duration::from_secs(10), from.read_to_end(&mut bytes)).await;
        read.expect("the connection closes").expect("the answer is not lost to a reset");
        let text = String::from_utf8_lossy(&bytes).to_lowercase();
        assert_eq!(status(&text), expected, "{method} {path}: {text}");
        assert!(text.contains("connection: close"), "{method} {path}: {text}");
        sending.await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_never_comes_does_not_hold_its_answer_back_for_long() {
    let server = TestServer::open(LIMITS).await;
    let mut socket = server.connect().await;
    let started = Instant::now();
    socket.write_all(head("POST", "/nowhere", "", PROPFIND).as_bytes()).await.unwrap();
    let text = rest(&mut socket).await.to_lowercase();
    assert_eq!(status(&text), "404");
    assert!(text.contains("connection: close"), "{text}");
    assert!(started.elapsed() < Duration::from_secs(4));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_expects_continue_is_not_asked_for_an_unread_body() {
    let server = TestServer::open(LIMITS).await;
    for (method, path, fields, expected) in requests() {
        if reads_first(path) {
            continue;
        }
        let mut socket = server.connect().await;
        let fields = format!("{fields}Expect: 100-continue\r\n");
        socket.write_all(head(method, path, &fields, PROPFIND).as_bytes()).await.unwrap();
        let text = rest(&mut socket).await.to_lowercase();
        assert_eq!(status(&text), expected, "{method} {path}: {text}");
        assert!(text.contains("connection: close"), "{method} {path}: {text}");
    }
    let mut socket = server.connect().await;
    let asks = head("PROPFIND", "/dav/public/", "Depth: 0\r\nExpect: 100-continue\r\n", PROPFIND);
    socket.write_all(asks.as_bytes()).await.unwrap();
    assert!(answer(&mut socket).await.0.starts_with("http/1.1 100"));
    socket.write_all(PROPFIND.as_bytes()).await.unwrap();
    let (head, _) = answer(&mut socket).await;
    assert_eq!((status(&head), field(&head, "connection")), ("207", None));
    goes_on(&mut socket, "a body that was asked for").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn http_1_0_closes_or_keeps_the_connection_as_requested() {
    let server = TestServer::open(LIMITS).await;
    let old = |fields: &str| {
        head("POST", "/nowhere", fields, PROPFIND).replace("HTTP/1.1\r\nHost: x\r\n", "HTTP/1.0\r\n")
    };
    let mut socket = server.connect().await;
    socket.write_all(old("").as_bytes()).await.unwrap();
    tokio::time::sleep(GAP).await;
    socket.write_all(PROPFIND.as_bytes()).await.unwrap();
    assert_eq!(status(&rest(&mut socket).await), "404");
    let mut socket = server.connect().await;
    for _ in 0..2 {
        socket.write_all(old("Connection: keep-alive\r\n").as_bytes()).await.unwrap();
        tokio::time::sleep(GAP).await;
        socket.write_all(PROPFIND.as_bytes()).await.unwrap();
        let (head, _) = answer(&mut socket).await;
        assert_eq!((status(&head), field(&head, "connection")), ("404", Some("keep-alive")));
    }
}
