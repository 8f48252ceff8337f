//! The organizer secrets file with the built program: written by the command line, read at a start, on SIGHUP and by
//! `callboard reload`.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

struct Host {
    dir: tempfile::TempDir,
    secrets: PathBuf,
}

impl Host {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        fs::copy(root.join("program.csv"), dir.path().join("program.csv")).unwrap();
        fs::copy(root.join("config/callboard.toml"), dir.path().join("callboard.toml")).unwrap();
        // The default file, beside the config.
        let secrets = dir.path().join("organizer-secrets");
        Self { dir, secrets }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_callboard"));
        command.args(arguments).arg("--config").arg(self.dir.path().join("callboard.toml"));
        command.stdin(Stdio::null()).env("NO_COLOR", "1");
        command
    }

    fn serve(&self) -> Command {
        let mut command = self.command(&["serve", "--listen", "127.0.0.1:0"]);
        command.arg("--program").arg(self.dir.path().join("program.csv"));
        command.arg("--data").arg(self.dir.path().join("data"));
        command
    }

    fn reload(&self) -> Output {
        self.command(&["reload"]).arg("--data").arg(self.dir.path().join("data")).output().unwrap()
    }

    fn add(&self, label: &str) -> String {
        let done = self.command(&["secret", "add", label]).output().unwrap();
        assert!(done.status.success(), "{}", said(&done));
        let printed = String::from_utf8(done.stdout).unwrap();
        let secret = printed.strip_suffix('\n').unwrap();
        assert!(!secret.is_empty() && !secret.contains(char::is_whitespace), "the secret alone: {printed:?}");
        secret.to_owned()
    }
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

struct Server {
    child: Child,
    address: String,
    log: BufReader<std::process::ChildStderr>,
}

impl Server {
    fn start(host: &Host) -> Self {
        let mut child = host.serve().stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let log = BufReader::new(child.stderr.take().unwrap());
        let out = BufReader::new(child.stdout.take().unwrap());
        let address = out.lines().map_while(Result::ok).find_map(|line| {
            let (_, rest) = line.split_once("http://")?;
            Some(rest.split(|c: char| c.is_whitespace() || c == '/').next()?.to_owned())
        });
        Self { child, address: address.expect("an address"), log }
    }

    fn status(&self, secret: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let (host, close) = (&self.address, "Connection: close");
        let head = format!(
            "GET /organizer/status HTTP/1.1\r\nHost: {host}\r\n{close}\r\nAuthorization: Bearer {secret}\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer.split(' ').nth(1).unwrap().to_owned()
    }

    /// Sends SIGHUP and waits until requests with a secret get a status.
    fn reload_until(&self, secret: &str, status: &str) {
        let kill = Command::new("kill").arg("-HUP").arg(self.child.id().to_string()).status();
        assert!(kill.unwrap().success());
        let started = Instant::now();
        while self.status(secret) != status {
            assert!(
                started.elapsed() < Duration::from_secs(30),
                "{} instead of {status}",
                self.status(secret)
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn stop(mut self) -> String {
        self.child.kill().unwrap();
        let mut log = String::new();
        self.log.read_to_string(&mut log).unwrap();
        log
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn secrets_are_added_rotated_and_removed_while_the_server_runs() {
    let host = Host::new();
    let server = Server::start(&host);
    assert_eq!(server.status("anything"), "404", "without a file nobody can publish, and the server serves");
    let first = host.add("chair");
    server.reload_until(&first, "200");
    assert!(host.command(&["secret", "remove", "chair"]).status().unwrap().success());
    let second = host.add("chair");
    server.reload_until(&second, "200");
    assert_eq!(server.status(&first), "401");
    let listed = host.command(&["secret", "list"]).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&listed.stdout), "chair\n");
    // A plain secret is neither accepted nor logged; valid lines still work.
    let mut lines = fs::read_to_string(&host.secrets).unwrap();
    lines.push_str("correct horse battery staple\n");
    fs::write(&host.secrets, &lines).unwrap();
    let third = host.add("ci");
    server.reload_until(&third, "200");
    assert_eq!((server.status("staple"), server.status(&second)), ("401".to_owned(), "200".to_owned()));
    let log = server.stop();
    assert!(log.contains("line 2 is not of the form"), "{log}");
    for word in ["staple", &first, &second, &third] {
        assert!(!log.contains(word), "{word} is in the log");
    }
}

#[test]
fn the_command_line_warns_before_it_sends_a_secret_unencrypted() {
    let host = Host::new();
    let [secret, program] = ["chair.secret", "program.csv"].map(|name| host.dir.path().join(name));
    fs::write(&secret, "cbo_never-printed\n").unwrap();
    let [secret, program] = [&secret, &program].map(|path| path.to_str().unwrap());
    // Nothing listens there. 0.0.0.0 counts as another machine and fails at once.
    for (to, is_warned) in
        [("http://0.0.0.0:9", true), ("http://127.0.0.1:9", false), ("https://0.0.0.0:9", false)]
    {
        let target = ["--to", to, "--organizer-secret-file", secret];
        for arguments in [
            vec!["diff", program],
            vec!["publish", program],
            vec!["publish", program, "--confirm"],
            vec!["pull"],
            vec!["erase", "x1"],
        ] {
            let mut command = Command::new(env!("CARGO_BIN_EXE_callboard"));
            let done = command.args(&arguments).args(target).stdin(Stdio::null()).output().unwrap();
            let said = said(&done);
            assert_eq!(
                said.matches("warning: http://0.0.0.0:9 is not encrypted").count(),
                usize::from(is_warned),
                "{said}"
            );
            assert!(done.status.code() == Some(1) && !said.contains("never-printed"), "{said}");
        }
    }
}

#[test]
fn a_start_refuses_a_plain_secret_without_quoting_it() {
    let host = Host::new();
    fs::write(&host.secrets, "# organizer secrets, one per line\ncorrect horse battery staple\n").unwrap();
    let done = host.serve().output().unwrap();
    assert_eq!(done.status.code(), Some(78), "{}", said(&done));
    let said = said(&done);
    assert!(
        said.contains("line 2 is not of the form") && said.contains("callboard secret add LABEL"),
        "{said}"
    );
    assert!(!said.contains("staple") && !said.contains("correct"), "{said}");
}

#[test]
fn a_reload_is_done_when_its_command_ends() {
    let host = Host::new();
    let server = Server::start(&host);
    let secret = host.add("chair");
    let done = host.reload();
    assert!(done.status.success(), "{}", said(&done));
    assert_eq!(said(&done), "reloaded\n");
    assert_eq!(server.status(&secret), "200", "the secret is valid at once");

    let lines = fs::read_to_string(&host.secrets).unwrap();
    fs::write(&host.secrets, format!("{lines}correct horse battery staple\n")).unwrap();
    let refused = host.reload();
    assert_eq!(refused.status.code(), Some(78), "{}", said(&refused));
    assert!(said(&refused).contains("line 2 is not of the form"), "{}", said(&refused));
    assert!(!said(&refused).contains("staple"), "{}", said(&refused));
    assert_eq!(server.status(&secret), "200", "the valid line is still used");
    fs::write(&host.secrets, lines).unwrap();
    assert!(host.reload().status.success());

    let config = host.dir.path().join("callboard.toml");
    let text = fs::read_to_string(&config).unwrap();
    fs::write(&config, format!("no_such_key = 1\n{text}")).unwrap();
    let refused = host.reload();
    assert_eq!(refused.status.code(), Some(78), "{}", said(&refused));
    assert!(
        said(&refused).contains("the config is refused, and the config in force stays"),
        "{}",
        said(&refused)
    );
    assert!(said(&refused).contains("no_such_key"), "{}", said(&refused));
    fs::write(&config, text).unwrap();

    let log = server.stop();
    assert!(log.contains("only the valid lines of the organizer secrets file are used"), "{log}");
    let gone = host.reload();
    assert_eq!(gone.status.code(), Some(1), "{}", said(&gone));
    assert!(said(&gone).contains("no server listens for the data directory"), "{}", said(&gone));
}
