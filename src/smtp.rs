//! Gives mails to a relay (SMTP, RFC 5321), with STARTTLS (RFC 3207) or TLS from the first byte (RFC 8314), and a login
//! (RFC 4954).
//!
//! Owns the connections and their timeouts. It knows neither what a mail says nor when it is tried again. Invariant: no
//! error contains an address or a text of the relay, which may repeat an address.

mod connection;

use crate::config::{MailRelay, MailSecurity};
use connection::{Connection, ReplyError};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use std::io;
use std::net::{TcpStream, ToSocketAddrs};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long everything before the content of a mail may take: the connection, the login and the commands.
const TIMEOUT: Duration = Duration::from_secs(60);

/// How long the relay may then take to accept the mail. It may look for viruses meanwhile; a client that gives up sooner
/// sends the mail again, and the recipient gets both (RFC 5321, 4.5.3.2.6). A claim of a mail lasts longer than both.
const ACCEPTANCE: Duration = Duration::from_secs(600);

/// How long a connection waits to say goodbye.
const QUIT_TIMEOUT: Duration = Duration::from_secs(1);

/// How long a connection to one address of the relay may take.
const CONNECT: Duration = Duration::from_secs(10);

/// How long a connection is kept without a mail. Relays close theirs after minutes.
const IDLE: Duration = Duration::from_secs(30);

/// Why a mail was not accepted.
#[derive(Debug, thiserror::Error)]
pub enum SmtpError {
    /// The relay refused the recipient for good.
    #[error("the relay refused the recipient with {status}")]
    NoRecipient {
        /// The reply code.
        status: u16,
    },
    /// The relay answered something else than expected.
    #[error("the relay answered {status} to {command}")]
    Refused {
        /// The reply code.
        status: u16,
        /// The name of the command.
        command: &'static str,
    },
    /// The relay does not offer what the config demands.
    #[error("the relay does not offer {0}")]
    Missing(&'static str),
    /// The connection failed.
    #[error("the relay does not answer: {0}")]
    Connection(#[from] io::Error),
    /// TLS failed.
    #[error("TLS with the relay failed: {0}")]
    Tls(#[from] rustls::Error),
    /// A file of the config cannot be used.
    #[error("{} cannot be read: {cause}", file.display())]
    File {
        /// The file.
        file: PathBuf,
        /// The cause.
        cause: String,
    },
}

/// Sends mails through one relay, over connections that are used again.
#[derive(Debug)]
pub struct SmtpClient {
    relay: MailRelay,
    /// The name with which the client greets.
    name: String,
    idle: Mutex<Vec<(Connection, Instant)>>,
}

impl SmtpClient {
    /// A client that greets with a domain name.
    pub fn new(relay: MailRelay, name: &str) -> Self {
        Self { relay, name: name.to_owned(), idle: Mutex::default() }
    }

    /// Sends a mail to one recipient. Both addresses are checked ones, without line ends.
    ///
    /// # Errors
    /// [`SmtpError`]. If the connection breaks after the mail was sent, the relay may have accepted it.
    pub fn send(&self, sender: &str, recipient: &str, mail: &str) -> Result<(), SmtpError> {
        let until = Instant::now() + TIMEOUT;
        while let Some(mut connection) = self.take() {
            connection.wait_until(until);
            // The relay may have closed a connection that was idle. Then another one is used.
            if connection.begin(sender).is_ok() {
                return self.finish(connection, recipient, mail);
            }
        }
        let mut connection = self.connect(until)?;
        connection.begin(sender)?;
        self.finish(connection, recipient, mail)
    }

    fn finish(&self, mut connection: Connection, recipient: &str, mail: &str) -> Result<(), SmtpError> {
        let sent = connection.deliver(recipient, mail, ACCEPTANCE);
        let is_usable = match &sent {
            Ok(()) => true,
            Err(SmtpError::NoRecipient { .. } | SmtpError::Refused { .. }) => connection.reset().is_ok(),
            Err(_) => false,
        };
        if is_usable {
            self.idle().push((connection, Instant::now()));
        }
        sent
    }

    /// Ends the connections that nobody uses.
    pub fn close(&self) {
        let idle = std::mem::take(&mut *self.idle());
        quit(idle.into_iter().map(|(connection, _)| connection));
    }

    fn take(&self) -> Option<Connection> {
        let is_stale = |(_, since): &mut (Connection, Instant)| since.elapsed() >= IDLE;
        let (stale, taken) = {
            let mut idle = self.idle();
            let stale: Vec<_> = idle.extract_if(.., is_stale).collect();
            (stale, idle.pop())
        };
        quit(stale.into_iter().map(|(connection, _)| connection));
        taken.map(|(connection, _)| connection)
    }

    fn idle(&self) -> MutexGuard<'_, Vec<(Connection, Instant)>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn connect(&self, until: Instant) -> Result<Connection, SmtpError> {
        let MailRelay { host, port, security, login, .. } = &self.relay;
        let mut refused = io::Error::new(io::ErrorKind::NotFound, "its name leads to no address");
        let mut stream = None;
        for address in (host.as_str(), *port).to_socket_addrs()? {
            match TcpStream::connect_timeout(&address, CONNECT) {
                Ok(connected) => {
                    stream = Some(connected);
                    break;
                }
                Err(error) => refused = error,
            }
        }
        let stream = stream.ok_or(refused)?;
        let mut connection = match security {
            MailSecurity::Plain | MailSecurity::StartTls => Connection::plain(stream, until),
            MailSecurity::Tls => Connection::tls(stream, until, self.tls()?, self.server_name()?)?,
        };
        connection.expect("the connection", 220)?;
        connection.greet(&self.name)?;
        if *security == MailSecurity::StartTls {
            connection = connection.start_tls(self.tls()?, self.server_name()?)?;
            connection.greet(&self.name)?;
        }
        if let Some((user, file)) = login {
            let cause = |cause: io::Error| SmtpError::File { file: file.clone(), cause: cause.to_string() };
            let password = std::fs::read_to_string(file).map_err(cause)?;
            connection.log_in(user, password.trim())?;
        }
        Ok(connection)
    }

    fn server_name(&self) -> Result<ServerName<'static>, SmtpError> {
        ServerName::try_from(self.relay.host.clone())
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error).into())
    }

    fn tls(&self) -> Result<Arc<ClientConfig>, SmtpError> {
        let mut roots = RootCertStore::empty();
        match &self.relay.ca_file {
            None => roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()),
            Some(file) => {
                let fault = |cause: String| SmtpError::File { file: file.clone(), cause };
                let found = CertificateDer::pem_file_iter(file).map_err(|error| fault(error.to_string()))?;
                for certificate in found {
                    roots.add(certificate.map_err(|error| fault(error.to_string()))?)?;
                }
                if roots.is_empty() {
                    return Err(fault("it contains no certificate".to_owned()));
                }
            }
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
        Ok(Arc::new(config.with_root_certificates(roots).with_no_client_auth()))
    }
}

/// A connection must not be closed without QUIT (RFC 5321, 4.1.1.10). Nobody waits for the answers.
fn quit(connections: impl Iterator<Item = Connection>) {
    for mut connection in connections {
        connection.wait_until(Instant::now() + QUIT_TIMEOUT);
        connection.quit();
    }
}

impl From<ReplyError> for SmtpError {
    fn from(error: ReplyError) -> Self {
        match error {
            ReplyError::Io(error) => Self::Connection(error),
            ReplyError::Unexpected { status, command } => Self::Refused { status, command },
        }
    }
}
