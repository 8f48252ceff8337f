//! A stop under load: a request that the server has read is answered, and its answer announces that the connection closes.

use super::wire::{GET, LIMITS, TestServer, rest, status};
use callboard::server::Stopped;
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const POST: &str = "POST /api/v1/agendas HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n\
                    Content-Length: 2\r\n\r\n{}";

/// How a client's connection ended.
#[derive(Debug, PartialEq)]
enum End {
    /// The last answer announced the end.
    Told,
    /// The client was so late with its next request that its connection was idle to the server.
    Idle,
    /// The connection ended while the client waited for an answer.
    Unanswered(String),
}

/// A stopping server closes connections that are idle for 250 ms. On a busy machine a client may be so late.
const LATE: Duration = Duration::from_millis(125);

/// Sends one request after the other on one connection until the connection ends.
async fn client(address: SocketAddr, request: &'static str) -> (usize, End) {
    let mut socket = TcpStream::connect(address).await.unwrap();
    socket.set_nodelay(true).unwrap();
    let mut last_sent = Instant::now();
    for answers in 0.. {
        let unanswered = |what, late| if late { End::Idle } else { End::Unanswered(what) };
        let sent = socket.write_all(request.as_bytes()).await;
        let is_late = last_sent.elapsed() > LATE;
        last_sent = Instant::now();
        if let Err(error) = sent {
            return (answers, unanswered(format!("not sent: {error}"), is_late));
        }
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            match socket.read_u8().await {
                Ok(byte) => head.push(byte),
                Err(error) => return (answers, unanswered(format!("not answered: {error}"), is_late)),
            }
        }
        let head = String::from_utf8(head).unwrap().to_lowercase();
        let length = super::wire::field(&head, "content-length").map_or(0, |length| length.parse().unwrap());
        socket.read_exact(&mut vec![0; length]).await.unwrap();
        if head.contains("connection: close") {
            return (answers + 1, End::Told);
        }
    }
    unreachable!()
}

#[tokio::test(flavor = "multi_thread")]
async fn no_client_that_is_busy_is_cut_off_by_a_stop() {
    for round in 0..5 {
        let server = TestServer::open(LIMITS).await;
        let clients = (0..24).map(|n| client(server.address, if n % 3 == 0 { POST } else { GET }));
        let clients: Vec<_> = clients.map(tokio::spawn).collect();
        tokio::time::sleep(Duration::from_millis(150 + 7 * round)).await;
        assert_eq!(server.close().await, Stopped { cut_off: 0 });
        for client in clients {
            let (answers, end) = client.await.unwrap();
            assert!(
                matches!(end, End::Told | End::Idle),
                "{end:?} after {answers} answers, in round {round}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_whose_head_has_begun_is_answered_and_an_idle_connection_is_closed() {
    let server = TestServer::open(LIMITS).await;
    let mut idle = server.connect().await;
    idle.write_all(GET.as_bytes()).await.unwrap();
    super::wire::answer(&mut idle).await;
    let mut silent = server.connect().await;
    let mut begun = server.connect().await;
    begun.write_all(&GET.as_bytes()[..20]).await.unwrap();
    tokio::time::sleep(Duration::from_millis(50)).await;
    let closing = tokio::spawn(server.close());
    assert_eq!(rest(&mut idle).await, "");
    assert_eq!(rest(&mut silent).await, "");
    begun.write_all(&GET.as_bytes()[20..]).await.unwrap();
    let text = rest(&mut begun).await.to_lowercase();
    assert_eq!(status(&text), "200");
    assert!(text.contains("connection: close"), "{text}");
    drop((idle, silent, begun));
    assert_eq!(closing.await.unwrap(), Stopped { cut_off: 0 });
}
