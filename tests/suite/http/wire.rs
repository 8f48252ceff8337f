//! Requests over real sockets: how hyper and the server's limits handle them.

use super::test_app::{TestApp, TestRequest};
use callboard::peer::Trusted;
use callboard::server::{ConnectionLimits, Received, Stopped, run};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

pub(super) const LIMITS: ConnectionLimits = ConnectionLimits {
    connections: 64,
    per_address: 64,
    header: Duration::from_millis(400),
    idle: Duration::from_millis(1500),
    answer: Duration::from_millis(800),
    drain: Duration::from_secs(5),
};

/// The application behind a real socket.
pub(super) struct TestServer {
    pub(super) app: Arc<TestApp>,
    pub(super) address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    running: JoinHandle<Stopped>,
}

impl TestServer {
    pub(super) async fn open(limits: ConnectionLimits) -> Self {
        Self::with(TestApp::new(), limits).await
    }

    pub(super) async fn with(app: TestApp, limits: ConnectionLimits) -> Self {
        let app = Arc::new(app);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let inner = app.inner.clone();
        let respond = move |request, socket| {
            let app = inner.clone();
            async move { app.respond_to(request, socket).await }
        };
        let running = tokio::spawn(async move {
            let stopped = async { drop(stopped.await) };
            run(vec![listener], respond, limits, Trusted::loopback(), stopped).await
        });
        Self { app, address, stop: Some(stop), running }
    }

    pub(super) async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// Sends bytes, keeps the connection open, and reads until the server closes it.
    pub(super) async fn say(&self, bytes: &[u8]) -> String {
        let mut socket = self.connect().await;
        socket.write_all(bytes).await.unwrap();
        rest(&mut socket).await
    }

    pub(super) async fn close(mut self) -> Stopped {
        drop(self.stop.take());
        self.running.await.unwrap()
    }
}

/// Reads until the server closes the connection. A reset fails the test.
pub(super) async fn rest(socket: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    let read = tokio::time::timeout(Duration::from_secs(10), socket.read_to_end(&mut bytes)).await;
    read.expect("the server leaves the connection open").expect("the answer is lost to a reset");
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Reads the head and the body of one answer on a connection that stays open.
pub(super) async fn answer(socket: &mut TcpStream) -> (String, Vec<u8>) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(socket.read_u8().await.unwrap());
    }
    let head = String::from_utf8(head).unwrap().to_lowercase();
    let length = field(&head, "content-length").map_or(0, |length| length.parse().unwrap());
    let mut body = vec![0; length];
    socket.read_exact(&mut body).await.unwrap();
    (head, body)
}

pub(super) fn field<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
}

pub(super) fn status(answer: &str) -> &str {
    answer.split(' ').nth(1).unwrap_or_default()
}

pub(super) const GET: &str = "GET /program.ics HTTP/1.1\r\nHost: x\r\n\r\n";

#[tokio::test(flavor = "multi_thread")]
async fn pipelined_requests_are_answered_in_order() {
    let server = TestServer::open(LIMITS).await;
    let text = server
        .say(
            b"GET /program.ics HTTP/1.1\r\nHost: x\r\n\r\nGET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n\
              GET /robots.txt HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        )
        .await;
    let order: Vec<usize> =
        ["HTTP/1.1 200", "END:VCALENDAR", "HTTP/1.1 404", "User-agent"].map(|s| text.find(s).unwrap()).into();
    assert!(order.is_sorted(), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn http_1_0_is_served_without_a_host_and_closed() {
    let server = TestServer::open(LIMITS).await;
    let text = server.say(b"GET /program.ics HTTP/1.0\r\n\r\n").await;
    assert!(text.starts_with("HTTP/1.0 200") && text.ends_with("END:VCALENDAR\r\n"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_host_is_a_bad_request() {
    let server = TestServer::open(LIMITS).await;
    for fields in ["", "Host: a\r\nHost: a\r\n", "Host: a b\r\n", "Host:\r\n", "Host: a/b\r\n"] {
        let text = server.say(format!("GET /program.ics HTTP/1.1\r\n{fields}\r\n").as_bytes()).await;
        assert_eq!(status(&text), "400", "{fields:?}: {text}");
        assert!(text.contains("connection: close"), "{text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn anything_but_http_is_a_bad_request() {
    let server = TestServer::open(LIMITS).await;
    for bytes in [
        "\u{16}\u{3}\u{1}hello\r\n\r\n",
        "GET  /x HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET /program.ics HTTP/1.1\r\nHost: x\r\nbad field\r\n\r\n",
        "GET /program.ics HTTP/1.1\r\nHost: x\r\nA: 1\r\n folded\r\n\r\n",
        "GET /program.ics HTTP/2.1\r\nHost: x\r\n\r\n",
        "POST /api/v1/agendas HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
    ] {
        assert_eq!(status(&server.say(bytes.as_bytes()).await), "400", "{bytes:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_over_16_kib_or_64_fields_is_431() {
    let server = TestServer::open(LIMITS).await;
    let head = |length: usize| {
        let start = "GET /robots.txt HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX-Long: ";
        format!("{start}{}\r\n\r\n", "a".repeat(length - start.len() - 4))
    };
    assert_eq!(status(&server.say(head(16 * 1024).as_bytes()).await), "200");
    for length in [16 * 1024 + 1, 20_000, 500_000] {
        assert_eq!(status(&server.say(head(length).as_bytes()).await), "431", "{length}");
    }
    let fields = |count: usize| {
        let fields: String = (2..count).map(|n| format!("X-{n}: y\r\n")).collect();
        format!("GET /robots.txt HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{fields}\r\n")
    };
    assert_eq!(status(&server.say(fields(64).as_bytes()).await), "200");
    assert_eq!(status(&server.say(fields(65).as_bytes()).await), "431");
    assert_eq!(status(&server.say(fields(300).as_bytes()).await), "431");
}

#[tokio::test(flavor = "multi_thread")]
async fn silent_connections_and_slow_heads_are_closed_by_the_timer() {
    let server = TestServer::open(LIMITS).await;
    let started = Instant::now();
    assert_eq!(server.say(b"").await, "");
    assert!(started.elapsed() < LIMITS.idle);
    // The client sends one byte at a time, so the head is not complete in time, be it the first or a later one.
    for requests in 0..2 {
        let mut socket = server.connect().await;
        for _ in 0..requests {
            socket.write_all(GET.as_bytes()).await.unwrap();
            answer(&mut socket).await;
        }
        let started = Instant::now();
        let mut sent = 0;
        for byte in GET.bytes().cycle() {
            if socket.write_all(&[byte]).await.is_err() || started.elapsed() > Duration::from_secs(5) {
                break;
            }
            sent += 1;
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        assert!(started.elapsed() < Duration::from_secs(2) && sent < GET.len(), "{sent} bytes were taken");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_connection_outlives_the_head_s_time_and_not_its_own() {
    let server = TestServer::open(LIMITS).await;
    let mut socket = server.connect().await;
    for _ in 0..2 {
        socket.write_all(GET.as_bytes()).await.unwrap();
        assert_eq!(status(&answer(&mut socket).await.0), "200");
        tokio::time::sleep(LIMITS.header * 2).await;
    }
    let started = Instant::now();
    assert_eq!(rest(&mut socket).await, "");
    assert!(started.elapsed() < LIMITS.idle * 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_half_closed_client_is_answered() {
    let server = TestServer::open(LIMITS).await;
    let mut socket = server.connect().await;
    socket.write_all(GET.as_bytes()).await.unwrap();
    socket.shutdown().await.unwrap();
    let text = rest(&mut socket).await;
    assert!(text.starts_with("HTTP/1.1 200") && text.ends_with("END:VCALENDAR\r\n"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn head_and_304_have_no_body_and_keep_the_connection() {
    let server = TestServer::open(LIMITS).await;
    let mut socket = server.connect().await;
    socket.write_all(GET.as_bytes()).await.unwrap();
    let (get, body) = answer(&mut socket).await;
    let tag = field(&get, "etag").unwrap().to_owned();

    socket.write_all(GET.replace("GET", "HEAD").as_bytes()).await.unwrap();
    let mut head = vec![0; get.len()];
    socket.read_exact(&mut head).await.unwrap();
    let head = String::from_utf8(head).unwrap().to_lowercase();
    assert_eq!(field(&head, "content-length"), Some(body.len().to_string().as_str()), "{head}");
    assert!(head.ends_with("\r\n\r\n"), "{head}");

    let conditional = GET.replace("\r\n\r\n", &format!("\r\nIf-None-Match: {tag}\r\n\r\n"));
    socket.write_all(conditional.as_bytes()).await.unwrap();
    let (unmodified, _) = answer(&mut socket).await;
    assert_eq!((status(&unmodified), field(&unmodified, "etag")), ("304", Some(tag.as_str())));
    assert_eq!(field(&unmodified, "content-length"), None);
    assert_eq!(field(&unmodified, "transfer-encoding"), None);

    socket.write_all(GET.as_bytes()).await.unwrap();
    assert_eq!(answer(&mut socket).await.1, body);
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_have_a_length_and_a_204_has_none() {
    let server = TestServer::open(LIMITS).await;
    let mut socket = server.connect().await;
    socket.write_all(b"OPTIONS /program.ics HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    let (options, _) = answer(&mut socket).await;
    assert_eq!((status(&options), field(&options, "content-length")), ("204", None));
    socket.write_all(GET.as_bytes()).await.unwrap();
    let (get, _) = answer(&mut socket).await;
    assert_eq!(field(&get, "transfer-encoding"), None);
    assert!(field(&get, "date").is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_too_long_or_too_slow_is_answered_before_the_connection_closes() {
    let server = TestServer::open(LIMITS).await;
    let post = |length: usize| {
        format!(
            "POST /api/v1/agendas HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n\
             Content-Length: {length}\r\n\r\n"
        )
    };
    let long = format!("{}{}", post(200_000), "x".repeat(200_000));
    assert_eq!(status(&server.say(long.as_bytes()).await), "413");
    let chunked = "POST /api/v1/agendas HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
    let chunked = format!("{chunked}{:x}\r\n{}\r\n0\r\n\r\n", 100_000, "x".repeat(100_000));
    assert_eq!(status(&server.say(chunked.as_bytes()).await), "413");
    let slow = server.say(format!("{}{{", post(10)).as_bytes()).await;
    assert_eq!(status(&slow), "408", "{slow}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_takes_no_answer_is_cut_off() {
    let server = TestServer::open(LIMITS).await;
    let mut socket = server.connect().await;
    // The pipelined answers fill every buffer between server and client.
    let many = GET.repeat(20_000);
    let sent = tokio::time::timeout(LIMITS.idle * 4, async {
        loop {
            if socket.write_all(many.as_bytes()).await.is_err() {
                break;
            }
        }
    });
    sent.await.expect("the server waits for ever");
}

#[tokio::test(flavor = "multi_thread")]
async fn beyond_the_cap_the_idlest_connection_closes_and_without_one_the_new_one_is_refused() {
    let limits = ConnectionLimits {
        connections: 2,
        header: Duration::from_secs(20),
        idle: Duration::from_secs(20),
        ..LIMITS
    };
    let server = TestServer::open(limits).await;
    let (mut idle, mut busy) = (server.connect().await, server.connect().await);
    for socket in [&mut idle, &mut busy] {
        socket.write_all(GET.as_bytes()).await.unwrap();
        answer(socket).await;
    }
    let mut refused = server.connect().await;
    let text = rest(&mut refused).await;
    assert!(text.starts_with("HTTP/1.1 503") && text.contains("retry-after"), "{text}");
    tokio::time::sleep(Duration::from_millis(700)).await;
    busy.write_all(GET.as_bytes()).await.unwrap();
    answer(&mut busy).await;
    tokio::time::sleep(Duration::from_millis(700)).await;
    let mut new = server.connect().await;
    new.write_all(GET.as_bytes()).await.unwrap();
    assert_eq!(status(&answer(&mut new).await.0), "200");
    assert_eq!(rest(&mut idle).await, "");
    busy.write_all(GET.as_bytes()).await.unwrap();
    assert_eq!(status(&answer(&mut busy).await.0), "200");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_answers_what_is_under_way_and_closes_what_idles() {
    let server = TestServer::open(LIMITS).await;
    let mut idle = server.connect().await;
    idle.write_all(GET.as_bytes()).await.unwrap();
    answer(&mut idle).await;
    let mut posting = server.connect().await;
    let post = "POST /api/v1/agendas HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n";
    posting.write_all(post.as_bytes()).await.unwrap();
    tokio::time::sleep(Duration::from_millis(50)).await;
    let mut fresh = server.connect().await;
    let address = server.address;
    let closing = tokio::spawn(server.close());
    fresh.write_all(GET.as_bytes()).await.unwrap();
    posting.write_all(b"{}").await.unwrap();
    assert_eq!(status(&rest(&mut posting).await), "201");
    assert_eq!(status(&rest(&mut fresh).await), "200");
    assert_eq!(rest(&mut idle).await, "");
    drop((idle, posting, fresh));
    assert_eq!(closing.await.unwrap(), Stopped { cut_off: 0 });
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_has_a_deadline() {
    let limits = ConnectionLimits { drain: Duration::from_millis(100), ..LIMITS };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let never =
        |_: http::Request<Received>, _| std::future::pending::<http::Response<callboard::http::Body>>();
    let running =
        tokio::spawn(run(vec![listener], never, limits, Trusted::loopback(), async { drop(stopped.await) }));
    let mut socket = TcpStream::connect(address).await.unwrap();
    socket.write_all(GET.as_bytes()).await.unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    drop(stop);
    let ended = tokio::time::timeout(Duration::from_secs(5), running).await.unwrap().unwrap();
    assert_eq!(ended, Stopped { cut_off: 1 });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_of_events_takes_no_place_and_ends_at_a_stop() {
    let server = TestServer::open(ConnectionLimits { connections: 1, ..LIMITS }).await;
    let mut stream = server.connect().await;
    stream.write_all(b"GET /events HTTP/1.1\r\nHost: conf.example\r\n\r\n").await.unwrap();
    let mut seen = Vec::new();
    while !String::from_utf8_lossy(&seen).contains("\"release\":1") {
        seen.push(stream.read_u8().await.unwrap());
    }
    let other = server.say(b"GET /robots.txt HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await;
    assert!(other.starts_with("HTTP/1.1 200"), "{other}");
    server.app.publish(&super::test_app::PROGRAM.replace("What was first", "What came first")).await;
    while !String::from_utf8_lossy(&seen).contains("\"release\":2") {
        seen.push(stream.read_u8().await.unwrap());
    }
    let asked = Instant::now();
    assert_eq!(server.close().await, Stopped { cut_off: 0 });
    assert!(asked.elapsed() < LIMITS.drain, "a stop waits for no stream");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_connection_goes_on_without_a_place() {
    let server = TestServer::with(TestApp::shipped(), ConnectionLimits { connections: 2, ..LIMITS }).await;
    let body = "<D:sync-collection xmlns:D='DAV:' xmlns:C='urn:ietf:params:xml:ns:caldav'><D:sync-token/>\
                <D:sync-level>1</D:sync-level><D:prop><C:calendar-data/></D:prop></D:sync-collection>";
    let report = format!(
        "REPORT /dav/public/program/ HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    // A streamed response frees its place in the limit when it ends, so its connection must be closed.
    for _ in 0..5 {
        let text = server.say(report.as_bytes()).await;
        let head = text.split("\r\n\r\n").next().unwrap().to_lowercase();
        assert!(head.contains("transfer-encoding: chunked"), "{head}");
        assert!(head.contains("connection: close") && text.ends_with("0\r\n\r\n"), "{head}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_listener_is_served() {
    let app = TestApp::new();
    let (one, two) =
        (TcpListener::bind("127.0.0.1:0").await.unwrap(), TcpListener::bind("127.0.0.1:0").await.unwrap());
    let addresses = [one.local_addr().unwrap(), two.local_addr().unwrap()];
    let app = app.inner.clone();
    let respond = move |request, socket| {
        let app = app.clone();
        async move { app.respond_to(request, socket).await }
    };
    let running =
        tokio::spawn(run(vec![one, two], respond, LIMITS, Trusted::loopback(), std::future::pending()));
    for address in addresses {
        let mut socket = TcpStream::connect(address).await.unwrap();
        socket.write_all(GET.as_bytes()).await.unwrap();
        assert_eq!(status(&answer(&mut socket).await.0), "200");
    }
    running.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_wire_carries_the_answer_of_respond() {
    let server = TestServer::open(LIMITS).await;
    let mine = server.app.agenda(&["opening", "lunch"]).await;
    let mut socket = server.connect().await;
    for target in ["/program.ics", "/tracks/side.ics?cancelled=title", &mine.feed] {
        let request = TestRequest::new("GET", target).field("accept-encoding", "gzip");
        let given = server.app.send(request).await;
        let request = format!("GET {target} HTTP/1.1\r\nHost: x\r\nAccept-Encoding: gzip\r\n\r\n");
        socket.write_all(request.as_bytes()).await.unwrap();
        assert_eq!(answer(&mut socket).await.1, given.body, "{target}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_takes_its_answer_drop_by_drop_is_cut_off() {
    let server = TestServer::open(ConnectionLimits { idle: Duration::from_secs(60), ..LIMITS }).await;
    let mut socket = server.connect().await;
    socket.write_all(GET.repeat(20_000).as_bytes()).await.unwrap();
    // The client reads all the time, so the connection is never idle.
    let started = Instant::now();
    let mut piece = [0; 64];
    while socket.read_exact(&mut piece).await.is_ok() && started.elapsed() < Duration::from_secs(20) {
        if started.elapsed() < Duration::from_secs(3) {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
    assert!(started.elapsed() < Duration::from_secs(20), "it is served for ever");
}
