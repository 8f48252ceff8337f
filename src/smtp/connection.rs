//! One connection to a relay: commands and replies (RFC 5321, 4.1 and 4.2).

use super::SmtpError;
use data_encoding::BASE64;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, StreamOwned};
use std::fmt;
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The longest line of a reply and the most lines, so that a relay cannot fill the memory (RFC 5321, 4.5.3.1.5).
const MAX_LINE: usize = 4096;
const MAX_LINES: usize = 128;

/// A reply: its code, and the texts of its lines.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Reply {
    status: u16,
    lines: Vec<String>,
}

/// Why a reply is not the expected one.
#[derive(Debug)]
pub(super) enum ReplyError {
    Io(io::Error),
    Unexpected { status: u16, command: &'static str },
}

impl From<io::Error> for ReplyError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// A socket whose every operation ends at a time.
struct Timed {
    socket: TcpStream,
    until: Instant,
}

impl Timed {
    fn left(&self) -> io::Result<Option<Duration>> {
        let left = self.until.saturating_duration_since(Instant::now());
        if left.is_zero() { Err(io::ErrorKind::TimedOut.into()) } else { Ok(Some(left)) }
    }
}

impl Read for Timed {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.socket.set_read_timeout(self.left()?)?;
        self.socket.read(into)
    }
}

impl Write for Timed {
    fn write(&mut self, from: &[u8]) -> io::Result<usize> {
        self.socket.set_write_timeout(self.left()?)?;
        self.socket.write(from)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.socket.flush()
    }
}

enum Stream {
    Plain(Timed),
    Tls(Box<StreamOwned<ClientConnection, Timed>>),
}

/// A connection.
pub(super) struct Connection {
    stream: Stream,
    /// Bytes that were read after the end of a line.
    rest: Vec<u8>,
    /// The extensions that the relay offers, in capitals.
    offers: Vec<String>,
}

impl Connection {
    pub(super) fn plain(socket: TcpStream, until: Instant) -> Self {
        Self { stream: Stream::Plain(Timed { socket, until }), rest: Vec::new(), offers: Vec::new() }
    }

    pub(super) fn tls(
        socket: TcpStream,
        until: Instant,
        config: Arc<ClientConfig>,
        name: ServerName<'static>,
    ) -> Result<Self, SmtpError> {
        let session = ClientConnection::new(config, name)?;
        let stream = StreamOwned::new(session, Timed { socket, until });
        Ok(Self { stream: Stream::Tls(Box::new(stream)), rest: Vec::new(), offers: Vec::new() })
    }

    /// Sets the time at which every operation ends.
    pub(super) fn wait_until(&mut self, until: Instant) {
        match &mut self.stream {
            Stream::Plain(timed) => timed.until = until,
            Stream::Tls(tls) => tls.sock.until = until,
        }
    }

    /// Says EHLO.
    pub(super) fn greet(&mut self, name: &str) -> Result<(), SmtpError> {
        let reply = self.ask("EHLO", &format!("EHLO {name}"), 250)?;
        self.offers = reply.lines.iter().skip(1).map(|line| line.to_ascii_uppercase()).collect();
        Ok(())
    }

    /// Continues the connection with TLS.
    pub(super) fn start_tls(
        mut self,
        config: Arc<ClientConfig>,
        name: ServerName<'static>,
    ) -> Result<Self, SmtpError> {
        if !self.offers.iter().any(|offer| offer == "STARTTLS") {
            return Err(SmtpError::Missing("STARTTLS"));
        }
        self.ask("STARTTLS", "STARTTLS", 220)?;
        // Bytes that came with the reply are not protected by TLS; somebody between may have added them.
        match self.stream {
            Stream::Plain(Timed { socket, until }) if self.rest.is_empty() => {
                Self::tls(socket, until, config, name)
            }
            _ => Err(io::Error::new(io::ErrorKind::InvalidData, "text follows the reply to STARTTLS").into()),
        }
    }

    /// Logs in with AUTH PLAIN, or else with AUTH LOGIN.
    pub(super) fn log_in(&mut self, user: &str, password: &str) -> Result<(), SmtpError> {
        let offers = |method: &str| {
            let auth = self.offers.iter().find_map(|offer| offer.strip_prefix("AUTH "));
            auth.is_some_and(|methods| methods.split_whitespace().any(|offered| offered == method))
        };
        if offers("PLAIN") {
            let text = BASE64.encode(format!("\0{user}\0{password}").as_bytes());
            self.ask("AUTH", &format!("AUTH PLAIN {text}"), 235)?;
        } else if offers("LOGIN") {
            self.ask("AUTH", "AUTH LOGIN", 334)?;
            self.ask("AUTH", &BASE64.encode(user.as_bytes()), 334)?;
            self.ask("AUTH", &BASE64.encode(password.as_bytes()), 235)?;
        } else {
            return Err(SmtpError::Missing("AUTH PLAIN or LOGIN"));
        }
        Ok(())
    }

    /// Begins a mail.
    pub(super) fn begin(&mut self, sender: &str) -> Result<(), SmtpError> {
        self.ask("MAIL", &format!("MAIL FROM:<{sender}>"), 250)?;
        Ok(())
    }

    /// Names the recipient and sends the mail. The relay has `timeout` to accept it.
    pub(super) fn deliver(
        &mut self,
        recipient: &str,
        mail: &str,
        timeout: Duration,
    ) -> Result<(), SmtpError> {
        self.write(&format!("RCPT TO:<{recipient}>\r\n"))?;
        let reply = self.read()?;
        match reply.status {
            250 | 251 => {}
            status if is_no_recipient(&reply) => return Err(SmtpError::NoRecipient { status }),
            status => return Err(SmtpError::Refused { status, command: "RCPT" }),
        }
        self.ask("DATA", "DATA", 354)?;
        self.wait_until(Instant::now() + timeout);
        self.write(&stuffed(mail))?;
        self.expect("the mail", 250)
    }

    /// Forgets a mail that was begun.
    pub(super) fn reset(&mut self) -> Result<(), SmtpError> {
        self.ask("RSET", "RSET", 250)?;
        Ok(())
    }

    /// Says QUIT.
    pub(super) fn quit(&mut self) {
        let _ = self.write("QUIT\r\n");
    }

    /// Reads a reply that must have this code.
    pub(super) fn expect(&mut self, command: &'static str, status: u16) -> Result<(), SmtpError> {
        let reply = self.read()?;
        if reply.status == status {
            return Ok(());
        }
        Err(ReplyError::Unexpected { status: reply.status, command }.into())
    }

    fn ask(&mut self, command: &'static str, line: &str, status: u16) -> Result<Reply, ReplyError> {
        self.write(&format!("{line}\r\n"))?;
        let reply = self.read()?;
        if reply.status == status {
            Ok(reply)
        } else {
            Err(ReplyError::Unexpected { status: reply.status, command })
        }
    }

    fn write(&mut self, text: &str) -> io::Result<()> {
        match &mut self.stream {
            Stream::Plain(timed) => timed.write_all(text.as_bytes()),
            Stream::Tls(tls) => tls.write_all(text.as_bytes()).and_then(|()| tls.flush()),
        }
    }

    fn read(&mut self) -> io::Result<Reply> {
        let mut lines = Vec::new();
        while lines.len() < MAX_LINES {
            let line = self.read_line()?;
            let (status, is_last, text) = parse_line(&line).ok_or_else(no_reply)?;
            lines.push(text);
            if is_last {
                return Ok(Reply { status, lines });
            }
        }
        Err(no_reply())
    }

    fn read_line(&mut self) -> io::Result<String> {
        loop {
            if let Some(end) = self.rest.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.rest.drain(..=end).collect();
                return Ok(String::from_utf8_lossy(&line).trim_end().to_owned());
            }
            if self.rest.len() > MAX_LINE {
                return Err(no_reply());
            }
            let mut chunk = [0; 1024];
            let count = match &mut self.stream {
                Stream::Plain(timed) => timed.read(&mut chunk),
                Stream::Tls(tls) => tls.read(&mut chunk),
            }?;
            if count == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            self.rest.extend_from_slice(chunk.get(..count).unwrap_or_default());
        }
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Connection")
    }
}

fn no_reply() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "it does not speak SMTP")
}

/// The code of a line, whether the line is the last of its reply, and its text.
fn parse_line(line: &str) -> Option<(u16, bool, String)> {
    let (code, rest) = line.split_at_checked(3)?;
    let status = code.parse().ok().filter(|status| (200..600).contains(status))?;
    let is_last = !rest.starts_with('-');
    Some((status, is_last, rest.get(1..).unwrap_or_default().to_owned()))
}

/// The enhanced codes (RFC 3463, and RFC 7505 for 5.1.10) that say that a mailbox does not exist or is closed. Others of the
/// same classes are about the sender (5.1.7, 5.1.8) or pass (5.2.2: it is full).
const NO_RECIPIENT: [&str; 7] = ["5.1.0", "5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.2.1"];

/// Words of refusals without an enhanced code that are about the sender, the login or the rules of the relay.
const ABOUT_OTHERS: [&str; 9] =
    ["relay", "sender", "denied", "prohibit", "auth", "block", "spam", "policy", "reject"];

/// Whether a refusal means that the recipient does not exist, rather than that the relay refuses the sender, the login or
/// everything. The enhanced code says so. If there is none, the status and the text must.
fn is_no_recipient(reply: &Reply) -> bool {
    let text = reply.lines.last().map(String::as_str).unwrap_or_default();
    let code = text.split_whitespace().next().unwrap_or_default();
    let is_enhanced = code.len() >= 5 && code.bytes().all(|b| b == b'.' || b.is_ascii_digit());
    if is_enhanced {
        return (550..560).contains(&reply.status) && NO_RECIPIENT.contains(&code);
    }
    let text = reply.lines.join(" ").to_ascii_lowercase();
    matches!(reply.status, 550 | 551 | 553) && !ABOUT_OTHERS.iter().any(|word| text.contains(word))
}

/// A mail as DATA sends it: a line that begins with a dot gets a second one, and a dot ends it (RFC 5321, 4.5.2).
fn stuffed(mail: &str) -> String {
    let mut out = String::with_capacity(mail.len() + 8);
    for line in mail.split_inclusive("\r\n") {
        if line.starts_with('.') {
            out.push('.');
        }
        out.push_str(line);
    }
    out.push_str(if mail.ends_with("\r\n") { ".\r\n" } else { "\r\n.\r\n" });
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(text: &str) -> Reply {
        let (status, _, text) = parse_line(text).unwrap();
        Reply { status, lines: vec![text] }
    }

    #[test]
    fn only_a_refusal_of_the_recipient_ends_a_subscription() {
        for (line, expected) in [
            ("550 5.1.1 unknown user", true),
            ("550 5.2.1 disabled", true),
            ("550 no such user here", true),
            ("553 mailbox name not allowed", true),
            ("550 5.1.10 the domain accepts no mail", true),
            ("550 5.1.2 unknown domain", true),
            // An answer that a relay gives to every recipient must not erase an address.
            ("550 5.1.8 sender address rejected: domain not found", false),
            ("550 5.1.7 sender refused", false),
            ("550 5.4.1 recipient address rejected: access denied", false),
            ("550 relay not permitted", false),
            ("550 Sender verify failed", false),
            ("550 Administrative prohibition", false),
            ("550 Access denied", false),
            ("552 5.2.2 mailbox full", false),
            ("552 mailbox full", false),
            ("554 transaction failed", false),
            ("554 5.7.1 relay access denied", false),
            ("550 5.7.26 not authenticated", false),
            ("503 5.5.1 bad sequence", false),
            ("530 authentication required", false),
            ("450 4.2.0 greylisted", false),
        ] {
            assert_eq!(is_no_recipient(&refusal(line)), expected, "{line}");
        }
    }

    #[test]
    fn lines_of_replies_are_parsed() {
        assert_eq!(parse_line("250-STARTTLS"), Some((250, false, "STARTTLS".to_owned())));
        assert_eq!(parse_line("250"), Some((250, true, String::new())));
        for line in ["", "25", "2500 x"] {
            assert_eq!(parse_line(line).map(|(status, ..)| status), (line == "2500 x").then_some(250));
        }
        for line in ["HTTP/1.1 400", "999 x", "ünd"] {
            assert_eq!(parse_line(line), None, "{line}");
        }
    }

    #[test]
    fn dots_are_doubled_and_the_mail_is_ended() {
        assert_eq!(stuffed("a\r\n.b\r\n..\r\n"), "a\r\n..b\r\n...\r\n.\r\n");
        assert_eq!(stuffed("a"), "a\r\n.\r\n");
    }
}
