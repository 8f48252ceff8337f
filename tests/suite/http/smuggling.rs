//! Requests that two servers could parse differently (RFC 9112, 11.2). Each is refused, or parsed in the only way that
//! the standard allows. Bytes after a refused request are never answered.

use super::wire::{LIMITS, TestServer, rest};
use tokio::io::AsyncWriteExt;

const POST: &str = "POST /api/v1/agendas HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n";
/// The request that an attacker hides from a proxy.
const HIDDEN: &str = "GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n";

/// A case, the bytes, and the statuses of all answers.
type Case = (&'static str, String, &'static [&'static str]);

fn post(fields: &str, body: &str) -> String {
    format!("{POST}{fields}\r\n{body}{HIDDEN}")
}

fn get(head: &str) -> String {
    format!("{head}{HIDDEN}")
}

#[rustfmt::skip]
fn cases() -> Vec<Case> {
    let ok = "GET /robots.txt HTTP/1.1\r\nHost: x\r\n";
    vec![
        // These requests are valid, and the connection stays open.
        ("one length", post("Content-Length: 2\r\n", "{}"), &["201", "404"]),
        ("no length", post("", ""), &["201", "404"]),
        ("a length of zero", post("Content-Length: 0\r\n", ""), &["201", "404"]),
        ("the same length twice", post("Content-Length: 2\r\nContent-Length: 2\r\n", "{}"), &["201", "404"]),
        ("a length with zeros before it", post("Content-Length: 0002\r\n", "{}"), &["201", "404"]),
        ("space around a length", post("Content-Length: \t2 \r\n", "{}"), &["201", "404"]),
        ("chunked", post("Transfer-Encoding: chunked\r\n", "2\r\n{}\r\n0\r\n\r\n"), &["201", "404"]),
        ("chunked in capitals", post("TRANSFER-ENCODING: CHUNKED\r\n", "2\r\n{}\r\n0\r\n\r\n"), &["201", "404"]),
        ("an extension of a chunk", post("Transfer-Encoding: chunked\r\n", "2;a=b\r\n{}\r\n0\r\n\r\n"), &["201", "404"]),
        ("a trailer", post("Transfer-Encoding: chunked\r\n", "2\r\n{}\r\n0\r\nA: b\r\n\r\n"), &["201", "404"]),
        ("zeros before a size", post("Transfer-Encoding: chunked\r\n", "00002\r\n{}\r\n000\r\n\r\n"), &["201", "404"]),
        ("an empty line before a request", get(&format!("\r\n{ok}\r\n")), &["200", "404"]),
        ("a body of a GET", get(&format!("{ok}Content-Length: 5\r\n\r\nGET /")), &["200", "404"]),
        ("a whole target", get("GET http://x/robots.txt HTTP/1.1\r\nHost: x\r\n\r\n"), &["200", "404"]),
        // Lengths.
        ("two lengths", post("Content-Length: 2\r\nContent-Length: 3\r\n", "{}"), &["400"]),
        ("two lengths in one line", post("Content-Length: 2, 3\r\n", "{}"), &["400"]),
        ("a list of one length", post("Content-Length: 2, 2\r\n", "{}"), &["400"]),
        ("a plus sign", post("Content-Length: +2\r\n", "{}"), &["400"]),
        ("a minus sign", post("Content-Length: -2\r\n", "{}"), &["400"]),
        ("a hexadecimal length", post("Content-Length: 0x2\r\n", "{}"), &["400"]),
        ("a fraction", post("Content-Length: 2.0\r\n", "{}"), &["400"]),
        ("a space within a length", post("Content-Length: 1 2\r\n", "{}"), &["400"]),
        ("no digits", post("Content-Length: \r\n", "{}"), &["400"]),
        ("too many digits", post("Content-Length: 99999999999999999999999\r\n", "{}"), &["400"]),
        ("other digits", post("Content-Length: \u{ff12}\r\n", "{}"), &["400"]),
        // Transfer codings.
        // RFC 9112, 6.1: read as chunked, and the connection closes.
        ("a length and chunked", post("Content-Length: 2\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"), &["201"]),
        ("chunked and a length", post("Transfer-Encoding: chunked\r\nContent-Length: 2\r\n", "0\r\n\r\n"), &["201"]),
        ("chunked, of HTTP/1.0", post("Transfer-Encoding: chunked\r\n", "0\r\n\r\n").replacen("HTTP/1.1", "HTTP/1.0", 1), &["400"]),
        ("gzip, chunked", post("Transfer-Encoding: gzip, chunked\r\n", "0\r\n\r\n"), &["501"]),
        ("chunked, gzip", post("Transfer-Encoding: chunked, gzip\r\n", "0\r\n\r\n"), &["400"]),
        ("chunked twice", post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"), &["501"]),
        ("identity behind chunked", post("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", "0\r\n\r\n"), &["400"]),
        ("a quoted coding", post("Transfer-Encoding: \"chunked\"\r\n", "0\r\n\r\n"), &["400"]),
        ("something before chunked", post("Transfer-Encoding: \u{b}chunked\r\n", "0\r\n\r\n"), &["400"]),
        ("something behind chunked", post("Transfer-Encoding: chunked\u{0}\r\n", "0\r\n\r\n"), &["400"]),
        ("a space before the colon", post("Transfer-Encoding : chunked\r\n", "0\r\n\r\n"), &["400"]),
        ("a space before the name", post(" Transfer-Encoding: chunked\r\n", "0\r\n\r\n"), &["400"]),
        ("a folded line", post("Transfer-Encoding:\r\n chunked\r\n", "0\r\n\r\n"), &["400"]),
        // Chunks.
        ("a size that is none", post("Transfer-Encoding: chunked\r\n", "x\r\n{}\r\n0\r\n\r\n"), &["400"]),
        ("a size with a sign", post("Transfer-Encoding: chunked\r\n", "+2\r\n{}\r\n0\r\n\r\n"), &["400"]),
        ("a size with 0x", post("Transfer-Encoding: chunked\r\n", "0x2\r\n{}\r\n0\r\n\r\n"), &["400"]),
        ("a size too large", post("Transfer-Encoding: chunked\r\n", "fffffffffffffffff\r\n{}\r\n0\r\n\r\n"), &["400"]),
        ("a size of no digits", post("Transfer-Encoding: chunked\r\n", "\r\n{}\r\n0\r\n\r\n"), &["400"]),
        ("a chunk longer than its size", post("Transfer-Encoding: chunked\r\n", "1\r\n{}\r\n0\r\n\r\n"), &["400"]),
        ("a bare LF behind a size", post("Transfer-Encoding: chunked\r\n", "2\n{}\r\n0\r\n\r\n"), &["400"]),
        ("a bare LF behind a chunk", post("Transfer-Encoding: chunked\r\n", "2\r\n{}\n0\r\n\r\n"), &["400"]),
        ("a bare LF in an extension", post("Transfer-Encoding: chunked\r\n", "2;a\nb\r\n{}\r\n0\r\n\r\n"), &["400"]),
        ("a bare CR in a size", post("Transfer-Encoding: chunked\r\n", "2\r{}\r\n0\r\n\r\n"), &["400"]),
        // Heads.
        ("a bare LF", get("GET /robots.txt HTTP/1.1\nHost: x\r\n\r\n"), &["400"]),
        ("a bare LF in a value", get(&format!("{ok}A: b\nTransfer-Encoding: chunked\r\n\r\n")), &["400"]),
        ("a bare CR in a value", get(&format!("{ok}A: b\rC: d\r\n\r\n")), &["400"]),
        ("a NUL in a value", get(&format!("{ok}A: b\u{0}\r\n\r\n")), &["400"]),
        ("a space in a name", get(&format!("{ok}A B: c\r\n\r\n")), &["400"]),
        ("no name", get(&format!("{ok}: c\r\n\r\n")), &["400"]),
        ("no colon", get(&format!("{ok}A\r\n\r\n")), &["400"]),
        ("two spaces in the request line", get("GET  /robots.txt HTTP/1.1\r\nHost: x\r\n\r\n"), &["400"]),
        ("a tab in the request line", get("GET\t/robots.txt HTTP/1.1\r\nHost: x\r\n\r\n"), &["400"]),
        ("a space before the request line", get(" GET /robots.txt HTTP/1.1\r\nHost: x\r\n\r\n"), &["400"]),
        ("no version", get("GET /robots.txt\r\nHost: x\r\n\r\n"), &["400"]),
        ("another version", get("GET /robots.txt HTTP/1.2\r\nHost: x\r\n\r\n"), &["400"]),
        ("a version in small letters", get("GET /robots.txt http/1.1\r\nHost: x\r\n\r\n"), &["400"]),
        ("two hosts", get(&format!("{ok}Host: y\r\n\r\n")), &["400"]),
        ("no host", get("GET /robots.txt HTTP/1.1\r\n\r\n"), &["400"]),
        ("HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_owned(), &["400"]),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_is_read_in_one_way_or_not_at_all() {
    let server = TestServer::open(LIMITS).await;
    let mut wrong = Vec::new();
    for (name, bytes, expected) in cases() {
        let mut socket = server.connect().await;
        socket.write_all(bytes.as_bytes()).await.unwrap();
        socket.shutdown().await.unwrap();
        let text = rest(&mut socket).await;
        let statuses: Vec<&str> = text
            .match_indices("HTTP/1.")
            .filter_map(|(at, _)| text.get(at + 9..at + 12))
            .filter(|status| status.bytes().all(|byte| byte.is_ascii_digit()))
            .collect();
        if statuses != expected {
            wrong.push(format!("{name}: {statuses:?} instead of {expected:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
