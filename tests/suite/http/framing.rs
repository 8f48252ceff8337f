//! Where a request begins and ends (RFC 9112). Ambiguous requests are refused, so that this server and a proxy in front
//! of it never disagree about the end of a request.

use super::wire::{GET, LIMITS, TestServer, answer, rest, status};
use std::time::Duration;
use tokio::io::AsyncWriteExt;

#[tokio::test(flavor = "multi_thread")]
async fn a_line_of_a_head_ends_with_cr_and_lf() {
    let server = TestServer::open(LIMITS).await;
    let post = "POST /api/v1/agendas HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 4\r\n\r\n";
    for head in [
        "GET /program.ics HTTP/1.1\nHost: x\n\n",
        "GET /program.ics HTTP/1.1\nHost: x\r\n\r\n",
        "GET /program.ics HTTP/1.1\r\nHost: x\n\r\n",
        "GET /program.ics HTTP/1.1\r\nHost: x\r\n\n",
        "GET /program.ics HTTP/1.1\r\nHost: x\r\nA: b\nC: d\r\n\r\n",
        "\nGET /program.ics HTTP/1.1\r\nHost: x\r\n\r\n",
        "\r\n\nGET /program.ics HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET /program.ics\nHost: x\n\n",
        "\n",
    ] {
        // As the first request, and after other requests and their bodies.
        assert_eq!(status(&server.say(head.as_bytes()).await), "400", "{head:?}");
        for first in [GET.to_owned(), format!("{post}{{\n}}\n"), chunked(&["{\n\n}"])] {
            let text = server.say(format!("{first}{head}").as_bytes()).await;
            let statuses: Vec<&str> = text.split("HTTP/1.1 ").skip(1).map(|answer| &answer[..3]).collect();
            let expected = if first == GET { "200" } else { "201" };
            assert_eq!(statuses, [expected, "400"], "{first:?} {head:?}: {text}");
        }
        // Byte by byte.
        let mut socket = server.connect().await;
        socket.set_nodelay(true).unwrap();
        for byte in head.bytes() {
            if socket.write_all(&[byte]).await.is_err() {
                break;
            }
            tokio::time::sleep(Duration::from_micros(200)).await;
        }
        assert_eq!(status(&rest(&mut socket).await), "400", "{head:?}");
    }
}

fn chunked(pieces: &[&str]) -> String {
    let pieces: String = pieces.iter().map(|piece| format!("{:x}\r\n{piece}\r\n", piece.len())).collect();
    format!(
        "POST /api/v1/agendas HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n\
         Transfer-Encoding: chunked\r\n\r\n{pieces}0\r\n\r\n"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_may_hold_anything_and_the_next_request_is_found_behind_them() {
    let server = TestServer::open(LIMITS).await;
    let trailer = chunked(&["{}"]).replace("0\r\n\r\n", "0\r\nA: b\r\nC: d\r\n\r\n");
    let name = |text: &str| format!("{{\"name\": \"{text}\"}}");
    let long = name(&"n".repeat(60));
    let posts = [
        chunked(&["{}\n\n\r\n\r\n"]),
        chunked(&["{", "\n", "}", "\r\n\r\nGET / HTTP/1.1\n\n".get(..4).unwrap()]),
        chunked(&[&long]).replace("4b\r\n", "004B;a=\"b\"\r\n"),
        trailer,
        "\r\n\r\nPOST /api/v1/agendas HTTP/1.1\r\nHost: x\r\n\r\n".to_owned(),
    ];
    for post in posts {
        let both = format!("{post}{GET}");
        for size in [1, 2, 3, 7, 50, both.len()] {
            let mut socket = server.connect().await;
            socket.set_nodelay(true).unwrap();
            for piece in both.as_bytes().chunks(size) {
                socket.write_all(piece).await.unwrap();
                if size < 50 {
                    tokio::task::yield_now().await;
                }
            }
            let (head, _) = answer(&mut socket).await;
            assert_eq!(status(&head), "201", "{post:?} in pieces of {size}: {head}");
            assert_eq!(status(&answer(&mut socket).await.0), "200", "{post:?} in pieces of {size}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn many_pipelined_requests_are_each_answered_once() {
    let server = TestServer::open(LIMITS).await;
    let small = "GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n";
    let close = "GET /nowhere HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    let text = server.say(format!("{}{close}", small.repeat(300)).as_bytes()).await;
    assert_eq!(text.matches("HTTP/1.1 404").count(), 301);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transfer_coding_beside_chunked_is_not_implemented() {
    let server = TestServer::open(LIMITS).await;
    for (codings, expected) in [
        ("gzip, chunked", "501"),
        ("identity, chunked", "501"),
        ("chunked, chunked", "501"),
        ("\"chunked\", chunked", "501"),
        ("gzip\r\nTransfer-Encoding: chunked", "501"),
        ("chunked\r\nTransfer-Encoding: chunked", "501"),
        ("chunked, gzip", "400"),
        ("gzip", "400"),
        ("xchunked", "400"),
        ("chunked;q=1", "400"),
        ("Chunked", "201"),
        (" chunked\t", "201"),
    ] {
        for path in ["/api/v1/agendas", "/program.ics", "/nowhere", "/dav/public/"] {
            let request = chunked(&["{}"]).replace(": chunked", &format!(": {codings}"));
            let request = request.replace("/api/v1/agendas", path);
            // The server closes the connection after a refused coding. With an accepted coding, the request asks for it.
            let text = if expected == "201" {
                let request = request.replace("Host: x\r\n", "Host: x\r\nConnection: close\r\n");
                server.say(request.as_bytes()).await
            } else {
                server.say(request.as_bytes()).await
            };
            match path {
                "/api/v1/agendas" => assert_eq!(status(&text), expected, "{codings:?}: {text}"),
                _ if expected == "201" => assert!(text.starts_with("HTTP/1.1 4"), "{codings:?}: {text}"),
                _ => assert_eq!(status(&text), expected, "{codings:?} {path}: {text}"),
            }
        }
    }
}

/// Requests with the statuses of their answers. No request closes the connection.
fn pool() -> Vec<(String, &'static str)> {
    let of =
        |line: &str, fields: &str, body: &str| format!("{line} HTTP/1.1\r\nHost: x\r\n{fields}\r\n{body}");
    let length = |line: &str, body: &str| of(line, &format!("Content-Length: {}\r\n", body.len()), body);
    let hidden = "GET / HTTP/1.1\r\nHost: x\n\n\r\n\r\n";
    vec![
        (GET.to_owned(), "200"),
        (of("HEAD /program.ics", "", ""), "200"),
        (of("GET /nowhere", "", ""), "404"),
        (of("BREW /", "", ""), "501"),
        (of("OPTIONS /program.ics", "", ""), "204"),
        (length("POST /nowhere", hidden), "404"),
        (length("GET /program.ics", hidden), "200"),
        (length("PUT /api/v1/agenda/picks/opening", hidden), "401"),
        (length("POST /program.ics", &hidden.repeat(100)), "405"),
        (length("PROPFIND /.well-known/caldav", hidden), "301"),
        (chunked(&["{}"]), "201"),
        (chunked(&[hidden, "\n", hidden]).replace("/api/v1/agendas", "/nowhere"), "404"),
        (chunked(&["{", "}"]).replace("0\r\n\r\n", "0\r\nA: b\r\n\r\n"), "201"),
    ]
}

/// A seeded generator of numbers below a bound, so that a failure can be repeated.
struct Dice(u64);

impl Dice {
    fn below(&mut self, most: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % most
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn any_requests_in_any_pieces_are_answered_one_by_one() {
    let server = TestServer::open(LIMITS).await;
    let pool = pool();
    for seed in 0..80 {
        let mut dice = Dice(seed);
        let chosen: Vec<_> = (0..=dice.below(8)).map(|_| &pool[dice.below(pool.len())]).collect();
        let mut bytes: Vec<u8> = chosen.iter().flat_map(|(request, _)| request.bytes()).collect();
        bytes.extend_from_slice(GET.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n").as_bytes());
        let mut socket = server.connect().await;
        socket.set_nodelay(true).unwrap();
        let mut rest_of = bytes.as_slice();
        while !rest_of.is_empty() {
            let most = [3, 40, 400, 4000][dice.below(4)];
            let (piece, later) = rest_of.split_at((1 + dice.below(most)).min(rest_of.len()));
            socket.write_all(piece).await.unwrap();
            rest_of = later;
            if dice.below(8) == 0 {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        }
        let text = rest(&mut socket).await;
        let heads = text.match_indices("HTTP/1.1 ").map(|(at, _)| &text[at + 9..at + 12]);
        let expected = chosen.iter().map(|(_, status)| *status).chain(["200"]);
        assert_eq!(heads.collect::<Vec<_>>(), expected.collect::<Vec<_>>(), "seed {seed}: {text}");
    }
}
