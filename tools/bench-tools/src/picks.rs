//! Clients that each have one agenda and one connection. A client picks and unpicks a session and waits for every answer.

use crate::timing::summary;
use serde_json::{Value, json};
use std::error::Error;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::sync::Barrier;
use std::time::{Duration, Instant};

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

pub(crate) fn measure(address: &str, clients: usize, seconds: f64) -> Result<Value, Box<dyn Error>> {
    let sessions = sessions(address)?;
    let barrier = Barrier::new(clients);
    let span = Duration::from_secs_f64(seconds);
    let took: Outcome<Vec<(Vec<Duration>, Duration)>> = std::thread::scope(|scope| {
        let work = || client(address, &sessions, &barrier, span);
        let threads: Vec<_> = (0..clients).map(|_| scope.spawn(work)).collect();
        threads.into_iter().map(|thread| thread.join().map_err(|_| "a client panicked")?).collect()
    });
    let took = took.map_err(|error| error.to_string())?;
    let longest = took.iter().map(|(_, span)| *span).max().unwrap_or(span);
    Ok(summary(took.into_iter().flat_map(|(latencies, _)| latencies).collect(), longest))
}

/// Eleven session ids, from the UIDs of the full feed.
fn sessions(address: &str) -> Result<Vec<String>, Box<dyn Error>> {
    let mut connection = Connection::open(address).map_err(|error| error.to_string())?;
    let (_, body) = connection.ask("GET", "/program.ics", "", "").map_err(|error| error.to_string())?;
    let ids = body.lines().filter_map(|line| line.strip_prefix("UID:")?.split('@').next());
    let ids: Vec<String> = ids.take(11).map(str::to_owned).collect();
    if ids.len() < 11 { Err("the program has fewer than eleven sessions".into()) } else { Ok(ids) }
}

fn client(
    address: &str,
    sessions: &[String],
    barrier: &Barrier,
    span: Duration,
) -> Outcome<(Vec<Duration>, Duration)> {
    let ready = prepare(address, sessions);
    barrier.wait(); // also after an error, or the other clients would wait for ever
    let (mut connection, bearer, last) = ready?;
    let path = format!("/api/v1/agenda/picks/{last}");
    let started = Instant::now();
    let mut latencies = Vec::new();
    for method in ["PUT", "DELETE"].into_iter().cycle() {
        let before = Instant::now();
        let (status, body) = connection.ask(method, &path, &bearer, "")?;
        latencies.push(before.elapsed());
        if status != 204 {
            return Err(format!("{method} was answered with {status}: {body}").into());
        }
        if started.elapsed() >= span {
            break;
        }
    }
    Ok((latencies, started.elapsed()))
}

/// Creates an agenda of ten picks. Returns the connection, the header field with the edit key, and the session that the
/// client picks and unpicks.
fn prepare(address: &str, sessions: &[String]) -> Outcome<(Connection, String, String)> {
    let (last, ten) = sessions.split_last().ok_or("no session")?;
    let mut connection = Connection::open(address)?;
    let body = json!({ "picks": ten }).to_string();
    let (status, answer) =
        connection.ask("POST", "/api/v1/agendas", "Content-Type: application/json\r\n", &body)?;
    let answer: Value = serde_json::from_str(&answer)?;
    let key =
        answer.get("edit_key").and_then(Value::as_str).ok_or(format!("no agenda: {status} {answer}"))?;
    Ok((connection, format!("Authorization: Bearer {key}\r\n"), last.clone()))
}

struct Connection(BufReader<TcpStream>);

impl Connection {
    fn open(address: &str) -> Outcome<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        Ok(Self(BufReader::new(stream)))
    }

    /// Returns the status and the body. `fields` are whole header lines.
    fn ask(&mut self, method: &str, path: &str, fields: &str, body: &str) -> Outcome<(u16, String)> {
        let length = body.len();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: localhost\r\n{fields}Content-Length: {length}\r\n\r\n{body}"
        );
        self.0.get_mut().write_all(request.as_bytes())?;
        let mut line = String::new();
        self.0.read_line(&mut line)?;
        let status = line.split(' ').nth(1).ok_or("no status line")?.parse()?;
        let mut length = 0;
        loop {
            line.clear();
            self.0.read_line(&mut line)?;
            match line.trim_end().split_once(':') {
                Some((name, value)) if name.eq_ignore_ascii_case("content-length") => {
                    length = value.trim().parse()?;
                }
                Some(_) => {}
                None => break,
            }
        }
        let mut body = vec![0; length];
        self.0.read_exact(&mut body)?;
        Ok((status, String::from_utf8(body)?))
    }
}
