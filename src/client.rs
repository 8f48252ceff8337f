//! Outgoing HTTP requests of the command line. The server itself never opens a connection.

mod first_byte;

use first_byte::AnnouncingConnector;
pub use first_byte::BeforeSend;
use std::fmt;
use std::net::IpAddr;
use std::time::Duration;
use ureq::Agent;
use ureq::config::ConfigBuilder;
use ureq::typestate::AgentScope;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{Connector, DefaultConnector, NextTimeout};
use url::{Host, Url};

/// An organizer secret; never printed.
#[derive(Clone)]
pub struct Secret(String);

/// Why a file is not a secret file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SecretFileError {
    /// Only blank lines and comments.
    #[error("the file contains no secret")]
    Empty,
    /// The server's secrets file, which holds digests.
    #[error(
        "this is the server's file, which contains no secret; pass the file with the output of `callboard secret add`"
    )]
    Digests,
    /// More than one word, such as a label and a secret.
    #[error(
        "the file contains more than one word; write only the secret that `callboard secret add` printed"
    )]
    SeveralWords,
}

impl Secret {
    /// Reads the only word of a file. Blank lines and lines that begin with `#` are ignored.
    ///
    /// # Errors
    /// [`SecretFileError`], which never quotes the file.
    pub fn from_file(text: &str) -> Result<Self, SecretFileError> {
        let lines =
            text.trim_start_matches('\u{feff}').lines().filter(|line| !line.trim_start().starts_with('#'));
        let mut words = lines.flat_map(str::split_whitespace);
        let first = words.next().ok_or(SecretFileError::Empty)?;
        match words.next() {
            None => Ok(Self(first.to_owned())),
            Some(second) if second.starts_with("sha256:") => Err(SecretFileError::Digests),
            Some(_) => Err(SecretFileError::SeveralWords),
        }
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// Whether requests to a server cross a network unencrypted: plain http to another machine.
pub fn is_unencrypted(to: &Url) -> bool {
    let is_this_machine = match to.host() {
        Some(Host::Domain(name)) => {
            let name = name.trim_end_matches('.');
            name == "localhost" || name.ends_with(".localhost") // RFC 6761, 6.3
        }
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.to_canonical().is_loopback(),
        None => false,
    };
    to.scheme() != "https" && !is_this_machine
}

/// A server's response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientResponse {
    /// The status code.
    pub status: u16,
    /// The body.
    pub body: Vec<u8>,
    /// The Retry-After header.
    pub retry_after: Option<String>,
    /// The ETag header.
    pub etag: Option<String>,
    /// The Last-Modified header.
    pub last_modified: Option<String>,
    /// The Location header.
    pub location: Option<String>,
}

/// Why a request got no response.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// No connection, no TLS, a timeout, or a response that is too long.
    #[error("{origin} does not answer")]
    Unreachable {
        /// Scheme, host and port. The rest is left out, because even a webhook's path may be a secret.
        origin: String,
        /// The cause.
        #[source]
        cause: Box<ureq::Error>,
    },
}

impl ClientError {
    /// The error with its cause, for people. Names no path.
    pub fn with_cause(&self) -> String {
        let Self::Unreachable { origin, cause } = self;
        format!("{origin} does not answer: {cause}")
    }

    /// The cause alone, which names neither host nor path.
    pub fn cause(&self) -> String {
        let Self::Unreachable { cause, .. } = self;
        match &**cause {
            ureq::Error::BadUri(_) => "the address is not valid".to_owned(),
            ureq::Error::Other(cause) => cause.to_string(),
            cause => cause.to_string(),
        }
    }
}

/// Sends requests to a server's organizer paths or to a webhook.
#[derive(Debug)]
pub struct Client {
    agent: Agent,
    secret: Option<Secret>,
}

/// A request to send.
#[derive(Debug)]
pub struct OutgoingRequest<'a> {
    /// GET, PUT or POST.
    pub method: &'a str,
    /// The address.
    pub url: Url,
    /// Header fields besides Authorization.
    pub headers: Vec<(&'a str, String)>,
    /// The body; none for GET.
    pub body: Option<&'a [u8]>,
}

/// The longest response of a server that is read, in bytes: a program file has at most 20 MiB.
const MAX_RESPONSE_BYTES: u64 = 32 * 1024 * 1024;

/// The longest response to a delivery that is read, in bytes. Nobody looks at it, but reading it keeps the connection.
const MAX_RECEIPT_BYTES: u64 = 64 * 1024;

/// How long one attempt to deliver may take. The lease of a claim is longer.
const DELIVERY_TIMEOUT: Duration = Duration::from_secs(30);

/// The settings of every client: a response of any status is an answer, and redirects are not followed.
fn client_config(timeout: Duration) -> ConfigBuilder<AgentScope> {
    Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .timeout_global(Some(timeout))
        .accept_encoding("")
        .user_agent(concat!("callboard/", env!("CARGO_PKG_VERSION")))
}

/// The settings for deliveries, `parallel` at a time: connections stay open between deliveries to one host.
fn delivery_config(parallel: usize) -> ConfigBuilder<AgentScope> {
    client_config(DELIVERY_TIMEOUT).max_idle_connections(4 * parallel).max_idle_connections_per_host(parallel)
}

impl Client {
    /// A client that sends the organizer secret, if there is one. The client follows no redirects, so the secret
    /// reaches only the given server.
    pub fn new(secret: Option<Secret>) -> Self {
        Self { agent: client_config(Duration::from_secs(60)).build().into(), secret }
    }

    /// A client for deliveries, `parallel` at a time. It keeps connections open between deliveries to one host.
    pub fn for_deliveries(parallel: usize) -> Self {
        let config = delivery_config(parallel).build();
        Self { agent: Agent::with_parts(config, announcing(), DefaultResolver::default()), secret: None }
    }

    /// A client for messages to addresses that others choose, `parallel` at a time. It dials only what `may_dial`
    /// allows after the name was resolved, uses no proxy, and follows no redirects.
    pub fn for_strangers(parallel: usize, may_dial: MayDial) -> Self {
        Self::with_resolver(parallel, may_dial, DefaultResolver::default())
    }

    fn with_resolver(parallel: usize, may_dial: MayDial, resolver: impl Resolver) -> Self {
        let config = delivery_config(parallel).proxy(None).build();
        let resolver = CheckedResolver { resolver, may_dial };
        Self { agent: Agent::with_parts(config, announcing(), resolver), secret: None }
    }

    /// A client for a followed source, which accepts compressed responses. A response that ends before its declared
    /// length, its last chunk or the end of its compression is an error.
    pub fn for_source(timeout: Duration) -> Self {
        let config = client_config(timeout).accept_encoding("gzip").build();
        Self { agent: config.into(), secret: None }
    }

    /// A client for a server on this machine: without a proxy, and with a timeout.
    pub fn local(timeout: Duration) -> Self {
        Self { agent: client_config(timeout).proxy(None).build().into(), secret: None }
    }

    /// Sends a request and reads the whole response.
    ///
    /// # Errors
    /// [`ClientError`]. A response of any status is not an error.
    pub fn send(&self, call: OutgoingRequest<'_>) -> Result<ClientResponse, ClientError> {
        self.exchange(call, false)
    }

    /// Like [`Self::send`], but only status and Retry-After matter, so a body that is too long or cut off is no error.
    /// Clients for deliveries call `before` when the connection is established and the request is about to leave.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn deliver(
        &self,
        call: OutgoingRequest<'_>,
        before: BeforeSend,
    ) -> Result<ClientResponse, ClientError> {
        first_byte::announced(before, || self.exchange(call, true))
    }

    fn exchange(&self, call: OutgoingRequest<'_>, is_delivery: bool) -> Result<ClientResponse, ClientError> {
        let mut request = http::Request::builder().method(call.method).uri(call.url.as_str());
        for (name, value) in call.headers {
            request = request.header(name, value);
        }
        if let Some(Secret(secret)) = &self.secret {
            request = request.header("authorization", format!("Bearer {secret}"));
        }
        let origin = || call.url.origin().ascii_serialization();
        let unreachable =
            |cause: ureq::Error| ClientError::Unreachable { origin: origin(), cause: Box::new(cause) };
        let request =
            request.body(call.body.unwrap_or_default()).map_err(|error| unreachable(error.into()))?;
        let mut response = self.agent.run(request).map_err(unreachable)?;
        let status = response.status().as_u16();
        let header = |name: &str| response.headers().get(name)?.to_str().ok().map(str::to_owned);
        let [retry_after, etag, last_modified, location] =
            ["retry-after", "etag", "last-modified", "location"].map(header);
        let longest = if is_delivery { MAX_RECEIPT_BYTES } else { MAX_RESPONSE_BYTES };
        let body = response.body_mut().with_config().limit(longest).read_to_vec();
        let body = if is_delivery { body.unwrap_or_default() } else { body.map_err(unreachable)? };
        Ok(ClientResponse { status, body, retry_after, etag, last_modified, location })
    }
}

fn announcing() -> impl Connector {
    DefaultConnector::new().chain(AnnouncingConnector)
}

/// Whether a client may connect to an address for a URL.
pub type MayDial = Box<dyn Fn(&Url, IpAddr) -> bool + Send + Sync>;

/// Resolves names, and drops the addresses that may not be dialled. The connection uses the addresses that this
/// returns, so a name cannot lead elsewhere after the check.
struct CheckedResolver<R> {
    resolver: R,
    may_dial: MayDial,
}

impl<R: Resolver> Resolver for CheckedResolver<R> {
    fn resolve(
        &self,
        uri: &http::Uri,
        config: &ureq::config::Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let refused = || ureq::Error::Other("the address may not be called".into());
        let url = Url::parse(&uri.to_string()).map_err(|_| refused())?;
        let resolved = self.resolver.resolve(uri, config, timeout)?;
        let mut allowed = self.empty();
        for address in resolved.iter().filter(|address| (self.may_dial)(&url, address.ip())) {
            allowed.push(*address);
        }
        if allowed.is_empty() { Err(refused()) } else { Ok(allowed) }
    }
}

impl<R> fmt::Debug for CheckedResolver<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CheckedResolver")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};
    use std::net::TcpListener;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    fn post(client: &Client, url: &str) -> Result<ClientResponse, ClientError> {
        let url = url.parse().unwrap();
        let request = OutgoingRequest { method: "POST", url, headers: Vec::new(), body: Some(b"x") };
        client.deliver(request, Box::new(|| ()))
    }

    #[test]
    fn a_request_is_announced_once_its_connection_stands() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let called = Arc::new(AtomicUsize::new(0));
        let seen = Arc::clone(&called);
        let served = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut seen_by_requests = Vec::new();
            for _ in 0..2 {
                let mut text = Vec::new();
                while !text.ends_with(b"x") {
                    let mut chunk = [0; 4096];
                    let length = stream.read(&mut chunk).unwrap();
                    text.extend_from_slice(&chunk[..length]);
                }
                seen_by_requests.push(seen.load(Ordering::SeqCst));
                stream.write_all(b"HTTP/1.1 201 Created\r\ncontent-length: 0\r\n\r\n").unwrap();
            }
            seen_by_requests
        });
        let client = Client::for_deliveries(1);
        let deliver = |url: &str| {
            let url = url.parse().unwrap();
            let request = OutgoingRequest { method: "POST", url, headers: Vec::new(), body: Some(b"x") };
            let called = Arc::clone(&called);
            client.deliver(
                request,
                Box::new(move || {
                    called.fetch_add(1, Ordering::SeqCst);
                }),
            )
        };
        for _ in 0..2 {
            assert_eq!(deliver(&format!("http://127.0.0.1:{port}/")).unwrap().status, 201);
        }
        assert_eq!(served.join().unwrap(), [1, 2], "before its bytes, on a new connection and on a used one");
        assert!(deliver(&format!("http://127.0.0.1:{port}/")).is_err());
        let unused = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let before = called.load(Ordering::SeqCst);
        assert!(deliver(&format!("http://{unused}/")).is_err());
        assert_eq!(called.load(Ordering::SeqCst), before, "there was no connection");
    }

    #[test]
    fn an_address_is_checked_after_its_name_was_resolved_and_redirects_are_not_followed() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let dialled = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let _ = stream.read(&mut [0; 4096]).unwrap();
            let answer = format!(
                "HTTP/1.1 307 Moved\r\nlocation: http://127.0.0.1:{port}/\r\ncontent-length: 0\r\n\r\n"
            );
            stream.write_all(answer.as_bytes()).unwrap();
            listener
        });
        let url = format!("http://localhost:{port}/secret");
        let none = Client::for_strangers(1, Box::new(|_, _| false));
        let error = post(&none, &url).unwrap_err();
        assert_eq!(error.cause(), "the address may not be called");
        let asked = Client::for_strangers(
            1,
            Box::new(|url, address| url.host_str() == Some("localhost") && address.is_loopback()),
        );
        assert_eq!(post(&asked, &url).unwrap().status, 307);
        let listener = dialled.join().unwrap();
        listener.set_nonblocking(true).unwrap();
        assert!(listener.accept().is_err(), "there was one connection");
    }

    /// Gives other addresses at each question, as a name server does that attacks the network behind the client.
    #[derive(Debug)]
    struct ChangingResolver {
        answers: Vec<Vec<&'static str>>,
        asked: Arc<AtomicUsize>,
    }

    impl Resolver for ChangingResolver {
        fn resolve(
            &self,
            uri: &http::Uri,
            _: &ureq::config::Config,
            _: NextTimeout,
        ) -> Result<ResolvedSocketAddrs, ureq::Error> {
            let answer = &self.answers[self.asked.fetch_add(1, Ordering::Relaxed) % self.answers.len()];
            let mut resolved = self.empty();
            for address in answer {
                resolved.push((address.parse::<IpAddr>().unwrap(), uri.port_u16().unwrap()).into());
            }
            Ok(resolved)
        }
    }

    #[test]
    fn a_name_that_leads_elsewhere_after_the_check_reaches_nothing() {
        // One port at an address that may be called, and at others that may not.
        let outside = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = outside.local_addr().unwrap().port();
        let inside = TcpListener::bind(("127.0.0.2", port)).unwrap();
        inside.set_nonblocking(true).unwrap();
        let served = std::thread::spawn(move || {
            for answer in ["HTTP/1.1 201 Created", "HTTP/1.1 429 Too Many"] {
                let (mut stream, _) = outside.accept().unwrap();
                let _ = stream.read(&mut [0; 4096]).unwrap();
                let answer = format!("{answer}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
                stream.write_all(answer.as_bytes()).unwrap();
            }
        });
        let asked = Arc::new(AtomicUsize::new(0));
        let answers = vec![
            vec!["127.0.0.1"],
            vec!["127.0.0.2"],
            vec!["127.0.0.2", "::ffff:127.0.0.2", "127.0.0.1"],
            vec!["::ffff:127.0.0.2", "64:ff9b::7f00:2", "::1"],
            vec![],
        ];
        let resolver = ChangingResolver { answers, asked: Arc::clone(&asked) };
        let may_dial = |_: &Url, address: IpAddr| address == IpAddr::from([127, 0, 0, 1]);
        let client = Client::with_resolver(1, Box::new(may_dial), resolver);
        let url = format!("http://push.example.org:{port}/x");
        let results: Vec<Result<u16, String>> = (0..5)
            .map(|_| post(&client, &url).map(|answer| answer.status).map_err(|error| error.cause()))
            .collect();
        let refused = || Err("the address may not be called".to_owned());
        assert_eq!(results, [Ok(201), refused(), Ok(429), refused(), refused()]);
        assert_eq!(
            asked.load(Ordering::Relaxed),
            5,
            "the address that was checked is the one that is dialled"
        );
        assert!(inside.accept().is_err(), "nothing else was dialled");
        served.join().unwrap();
    }

    #[test]
    fn an_answer_that_is_cut_off_or_never_comes_is_no_answer_and_a_cut_body_is_one() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/x", listener.local_addr().unwrap());
        let served = std::thread::spawn(move || {
            for answer in
                ["", "HTTP/1.1 2", "HTTP/1.1 503 Busy\r\nretry-after: 7\r\ncontent-length: 9\r\n\r\ncut"]
            {
                let (mut stream, _) = listener.accept().unwrap();
                let _ = stream.read(&mut [0; 4096]).unwrap();
                stream.write_all(answer.as_bytes()).unwrap();
            }
            listener.accept().unwrap() // open, and silent
        });
        let config = client_config(Duration::from_millis(300)).build();
        let client = Client { agent: config.into(), secret: None };
        for _ in 0..2 {
            assert!(!post(&client, &url).unwrap_err().cause().contains("/x"));
        }
        let cut = post(&client, &url).unwrap();
        assert_eq!((cut.status, cut.retry_after.as_deref()), (503, Some("7")));
        let silent = post(&client, &url).unwrap_err();
        assert!(silent.cause().contains("timeout"), "{}", silent.cause());
        drop(served.join().unwrap());
    }

    #[test]
    fn only_plain_http_to_another_machine_is_unencrypted() {
        for (to, unencrypted) in [
            ("https://conf.example.org", false),
            ("http://127.0.0.1:8080", false),
            ("http://127.9.9.9", false),
            ("http://[::1]:8080", false),
            ("http://[::ffff:127.0.0.1]", false),
            ("http://localhost:8080", false),
            ("http://Conf.LOCALHOST./", false),
            ("http://conf.example.org", true),
            ("http://localhost.example.org", true),
            ("http://192.168.1.20:8080", true),
            ("http://[fe80::1]", true),
            ("http://notlocalhost", true),
        ] {
            assert_eq!(is_unencrypted(&to.parse().unwrap()), unencrypted, "{to}");
        }
    }

    #[test]
    fn a_secret_file_holds_one_word() {
        let secret = |text: &str| Secret::from_file(text).map(|secret| secret.0);
        assert_eq!(secret("cbo_abc\n"), Ok("cbo_abc".to_owned()));
        assert_eq!(secret("\u{feff}# for the pipeline\r\n\r\n cbo_abc\r\n"), Ok("cbo_abc".to_owned()));
        assert_eq!(secret("\n# cbo_abc\n"), Err(SecretFileError::Empty));
        assert_eq!(secret("chair sha256:00\n"), Err(SecretFileError::Digests));
        assert_eq!(secret("chair cbo_abc\n"), Err(SecretFileError::SeveralWords));
        assert_eq!(secret("cbo_abc\ncbo_def\n"), Err(SecretFileError::SeveralWords));
    }
}
