//! An operator's commands with the built program: check and reload a config, health, backup, restore, verify.

use std::fs;
use std::io::{BufRead, BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

const CONFIG: &str = "\
listen = \"127.0.0.1:0\"
[conference]
title = \"Conf\"
slug = \"conf\"
zone = \"America/Los_Angeles\"
uid_domain = \"conf.example\"
";

const PROGRAM: &str = "\
id,date,start,end,kind,title
one,2025-03-25,09:00,10:00,talk,One
two,2025-03-25,10:00,11:00,talk,Two
three,2025-03-25,11:00,12:00,talk,Three
four,2025-03-25,13:00,14:00,talk,Four
five,2025-03-25,14:00,15:00,talk,Five
";

/// A directory with a config, a program and a data directory.
struct Site {
    dir: TempDir,
}

impl Site {
    fn new() -> Self {
        let site = Self { dir: tempfile::tempdir().unwrap() };
        site.write("callboard.toml", CONFIG);
        site.write("program.csv", PROGRAM);
        site
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        // Renames the file into place as editors do, so that the server never reads half of it.
        fs::write(self.path("unfinished"), text).unwrap();
        fs::rename(self.path("unfinished"), self.path(name)).unwrap();
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_callboard"));
        command.args(arguments).args(["--config", "callboard.toml"]).current_dir(self.dir.path());
        command.env_remove("RUNTIME_DIRECTORY").stdin(Stdio::null());
        command
    }

    /// The exit code and the output.
    fn run(&self, arguments: &[&str]) -> (i32, String) {
        let Output { status, stdout, stderr } = self.command(arguments).output().unwrap();
        let text = [stdout, stderr].map(|bytes| String::from_utf8(bytes).unwrap()).concat();
        (status.code().unwrap(), text)
    }

    fn check(&self) -> (i32, String) {
        self.run(&["config", "check"])
    }

    fn serve(&self, arguments: &[&str]) -> Server {
        let log = fs::File::create(self.path("log")).unwrap();
        let mut command = self.command(&["serve"]);
        command.args(arguments).stdout(Stdio::piped()).stderr(log);
        let mut child = command.spawn().unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        while !line.contains("subscribe") {
            line.clear();
            assert!(out.read_line(&mut line).unwrap() > 0, "{}", self.log());
        }
        let port = line.split("127.0.0.1:").nth(1).unwrap().split('/').next().unwrap().parse().unwrap();
        Server { child, port, _out: out }
    }

    fn log(&self) -> String {
        fs::read_to_string(self.path("log")).unwrap()
    }

    /// Waits until the log contains a text.
    fn logged(&self, text: &str) {
        let started = Instant::now();
        while !self.log().contains(text) {
            assert!(started.elapsed() < Duration::from_secs(30), "{text:?} is not in\n{}", self.log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

struct Server {
    child: Child,
    port: u16,
    _out: BufReader<ChildStdout>,
}

impl Server {
    fn signal(&self, name: &str) {
        let kill = Command::new("kill").arg(format!("-{name}")).arg(self.child.id().to_string()).status();
        assert!(kill.unwrap().success());
    }

    fn stop(mut self) {
        self.signal("TERM");
        assert!(self.child.wait().unwrap().success());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Names, lengths and times of all files under a directory.
fn listing(dir: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![dir.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            let metadata = entry.metadata().unwrap();
            if metadata.is_dir() {
                folders.push(entry.path());
            }
            let modified = metadata.modified().unwrap();
            found.push(format!("{} {} {modified:?}", entry.path().display(), metadata.len()));
        }
    }
    found.sort();
    found
}

#[test]
fn config_check_describes_a_first_start_and_makes_no_data_directory() {
    let site = Site::new();
    let (code, text) = site.check();
    assert_eq!(code, 0, "{text}");
    assert!(
        text.contains("none, so nobody can publish over HTTP") && text.contains("5 sessions, 0 warnings"),
        "{text}"
    );
    assert!(
        text.contains("next start  publishes release 1 for the program file, as the first one"),
        "{text}"
    );
    assert!(!site.path("data").exists());
    site.write("program.csv", "id,date\nx");
    let (code, text) = site.check();
    assert_eq!(code, 65, "{text}");
}

#[test]
fn config_check_needs_no_program_file_beside_a_followed_source() {
    let site = Site::new();
    fs::remove_file(site.path("program.csv")).unwrap();
    let (code, text) = site.check();
    assert!(code == 65 && text.contains("cannot be read"), "{code} {text}");
    site.write("callboard.toml", &format!("{CONFIG}\n[source]\nurl = \"https://conf.example/all.ics\"\n"));
    let (code, text) = site.check();
    assert!(code == 0 && text.contains("the program comes from the followed source alone"), "{code} {text}");
    assert!(!text.contains("cannot be read"), "{text}");
}

#[test]
fn config_check_reports_a_wrong_config() {
    let site = Site::new();
    for (old, new, remedy) in [
        ("slug = \"conf\"", "slug = \"conf\"\nlanguage = \"english\"", "write \"en\""),
        ("America/Los_Angeles", "PDT", "America/Los_Angeles"),
        ("title", "titel", "did you mean \"title\""),
    ] {
        site.write("callboard.toml", &CONFIG.replace(old, new));
        let (code, text) = site.check();
        assert!(code == 78 && text.contains(remedy), "{code} {text}");
    }
}

#[test]
fn config_check_describes_the_next_start_beside_a_running_server() {
    let site = Site::new();
    let server = site.serve(&[]);
    let (code, text) = site.check();
    assert!(code == 0 && text.contains("next start  changes nothing"), "{code} {text}");
    // Wait until the server has finished writing after the first release.
    let quiet = || {
        let mut before = listing(&site.path("data"));
        loop {
            std::thread::sleep(Duration::from_millis(500));
            let now = listing(&site.path("data"));
            if now == before {
                return now;
            }
            before = now;
        }
    };
    let before = quiet();

    site.write("callboard.toml", &CONFIG.replace("\"Conf\"", "\"Other title\""));
    let (code, text) = site.check();
    assert!(code == 0 && text.contains("publishes release 2 for the config: 5 changes"), "{code} {text}");

    site.write("callboard.toml", &CONFIG.replace("America/Los_Angeles", "America/New_York"));
    let (code, text) = site.check();
    assert!(code == 0 && text.contains("HOLDS the config until"), "{code} {text}");

    site.write("callboard.toml", &CONFIG.replace("conf.example", "other.example"));
    let (code, text) = site.check();
    assert!(code == 78 && text.contains("uid_domain = \"conf.example\""), "{code} {text}");

    site.write("callboard.toml", &CONFIG.replace("slug = \"conf\"", "slug = \"other\""));
    let (code, text) = site.check();
    assert!(code == 78 && text.contains("--new-conference"), "{code} {text}");
    assert_eq!(listing(&site.path("data")), before);
    server.stop();

    // The server is stopped, and half of the program is gone.
    site.write("callboard.toml", CONFIG);
    let half: String = PROGRAM.lines().take(3).map(|line| format!("{line}\n")).collect();
    site.write("program.csv", &half);
    let before = listing(&site.path("data"));
    let (code, text) = site.check();
    assert!(code == 0 && text.contains("HOLDS the program file until"), "{code} {text}");
    assert!(text.contains("three"), "{text}");
    assert_eq!(listing(&site.path("data")), before);
}

#[test]
fn another_conferences_data_directory_needs_the_flag_new_conference() {
    let site = Site::new();
    site.serve(&[]).stop();
    site.write("callboard.toml", &CONFIG.replace("slug = \"conf\"", "slug = \"other\""));
    let (code, text) = site.run(&["serve"]);
    assert!(
        code == 78 && text.contains("holds the conference conf, and the config is for other"),
        "{code} {text}"
    );
    let server = site.serve(&["--new-conference"]);
    server.stop();
    site.serve(&[]).stop();
    site.write("callboard.toml", CONFIG);
    site.serve(&[]).stop();
}

#[test]
fn a_reload_applies_the_config_and_names_what_needs_a_restart() {
    let site = Site::new();
    let server = site.serve(&[]);
    let more = "retention_days = 9\n[limits]\nidle_s = 9\nagendas_hour = 9\n";
    let text = CONFIG.replace("\"Conf\"", "\"Other title\"");
    let (top, conference) = text.split_once("[conference]").unwrap();
    let (days, limits) = more.split_once('\n').unwrap();
    site.write("callboard.toml", &format!("{top}{days}\n[conference]{conference}{limits}"));
    server.signal("HUP");
    site.logged("the new config is published release=2");
    site.logged("the config was read again changed=\"conference.title, limits.agendas_hour\"");
    site.logged("need a restart keys=\"retention_days, limits.idle_s\"");

    site.write("callboard.toml", "listen = 3");
    server.signal("HUP");
    site.logged("the config is refused; the config in force stays reason=\"callboard.toml: line 1");
    site.write("callboard.toml", &CONFIG.replace("slug = \"conf\"", "slug = \"other\""));
    server.signal("HUP");
    site.logged("conference.slug cannot change for the data directory");
    server.stop();
}

#[test]
fn a_listen_that_differs_from_systemds_socket_is_logged() {
    let site = Site::new();
    // The shell passes the socket as descriptor 3, as systemd does.
    let script = "import os, socket, sys\n\
        s = socket.socket(); s.bind(('127.0.0.1', 0)); s.listen()\n\
        os.dup2(s.fileno(), 3); os.set_inheritable(3, True)\n\
        os.environ.update(LISTEN_FDS='1', LISTEN_PID=str(os.getpid()))\n\
        os.execv(sys.argv[1], sys.argv[1:])";
    let log = fs::File::create(site.path("log")).unwrap();
    let mut child = Command::new("python3")
        .args(["-c", script, env!("CARGO_BIN_EXE_callboard"), "serve", "--config", "callboard.toml"])
        .args(["--listen", "127.0.0.1:1"])
        .current_dir(site.dir.path())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log)
        .spawn()
        .unwrap();
    site.logged("`listen` is not used: systemd hands the server its socket");
    let _ = child.kill();
    let _ = child.wait();
}

#[test]
fn check_backup_and_verify_name_missing_flags_without_a_config() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("program.csv"), PROGRAM).unwrap();
    let run = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_callboard"));
        let output = command.args(arguments).current_dir(dir.path()).output().unwrap();
        (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
    };
    let (code, text) = run(&["check", "program.csv"]);
    assert!(code == 78 && text.contains("--zone America/Los_Angeles"), "{code} {text}");
    let (code, text) = run(&["backup", "out"]);
    assert!(code == 1 && text.contains("name the data directory with --data"), "{code} {text}");
    let (code, text) = run(&["verify"]);
    assert!(code == 1 && text.contains("the data directory data cannot be used"), "{code} {text}");
}

#[test]
fn health_asks_the_control_socket_or_the_operators_listener() {
    let site = Site::new();
    let (code, text) = site.run(&["health"]);
    assert!(code == 1 && text.contains("not ready: no server has the data directory open"), "{code} {text}");
    let server = site.serve(&[]);
    assert_eq!(site.run(&["health"]), (0, "ready: release 1\n".to_owned()));
    let port = free_port();
    let listen = format!("127.0.0.1:{port}");
    let (code, text) = site.run(&["health", "--operator-listen", &listen]);
    assert!(code == 1 && text.contains("does not answer"), "{code} {text}");
    server.stop();
    let server = site.serve(&["--operator-listen", &listen]);
    let (code, text) = site.run(&["health", "--operator-listen", &listen]);
    assert!(code == 0 && text.starts_with("ready: release "), "{code} {text}");
    fs::rename(site.path("data/lock"), site.path("data/away")).unwrap();
    site.logged("the store refuses writes");
    for arguments in [&["health"] as &[&str], &["health", "--operator-listen", &listen]] {
        let (code, text) = site.run(arguments);
        assert!(code == 1 && text.contains("not ready: the store refuses writes: "), "{code} {text}");
    }
    drop(server);
}

/// A free port.
fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Runs a command with bytes on standard input.
fn fed(mut command: Command, input: &[u8]) -> Output {
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    child.wait_with_output().unwrap()
}

#[test]
fn a_backup_streams_out_and_in_and_an_incomplete_one_replaces_nothing() {
    let site = Site::new();
    let server = site.serve(&[]);
    let running = site.command(&["backup", "-"]).output().unwrap();
    assert!(running.status.success() && running.stdout.ends_with(b"\n"));
    server.stop();
    let stopped = site.command(&["backup", "-"]).output().unwrap();
    assert!(stopped.status.success(), "{}", String::from_utf8_lossy(&stopped.stderr));
    assert!(String::from_utf8_lossy(&stopped.stderr).contains("SHA-256 verified"));
    assert!(!site.path("-").exists());

    let kept = |name: &str| listing(&site.path("data").join(name));
    let before = (kept("journal"), kept("checkpoints"));
    for cut in [0, 1, running.stdout.len() / 2, running.stdout.len() - 2] {
        let output = fed(site.command(&["restore", "-"]), &running.stdout[..cut]);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.code() == Some(1) && said.contains("standard input is not a complete backup"),
            "{said}"
        );
        assert_eq!((kept("journal"), kept("checkpoints")), before);
    }
    let output = fed(site.command(&["restore", "-"]), &running.stdout);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    site.serve(&[]).stop();
}

#[test]
fn backups_in_a_directory_are_kept_for_the_configured_days() {
    let site = Site::new();
    let server = site.serve(&["--operator-listen", "127.0.0.1:0"]);
    fs::create_dir(site.path("kept")).unwrap();
    for name in ["2020-01-01.ndjson", "notes.txt"] {
        fs::write(site.path("kept").join(name), "old").unwrap();
    }
    let (code, text) = site.run(&["backup", "kept"]);
    assert_eq!(code, 0, "{text}");
    let names = || {
        let mut names: Vec<String> = fs::read_dir(site.path("kept"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    };
    assert!(names().len() == 2 && names()[1] == "notes.txt", "{:?}", names());
    let (code, text) = site.run(&["backup", "kept/one.ndjson", "--keep", "3"]);
    assert!(code == 64 && text.contains("--keep needs a directory"), "{code} {text}");
    server.stop();
}

#[test]
fn a_backup_follows_no_link_beside_its_target() {
    let site = Site::new();
    let server = site.serve(&[]);
    site.write("victim", "precious");
    std::os::unix::fs::symlink(site.path("victim"), site.path("backup.ndjson.unfinished")).unwrap();
    std::os::unix::fs::symlink(site.path("victim"), site.path("backup.ndjson")).unwrap();
    let (code, text) = site.run(&["backup", "backup.ndjson"]);
    assert_eq!(code, 0, "{text}");
    assert_eq!(fs::read_to_string(site.path("victim")).unwrap(), "precious");
    assert!(fs::symlink_metadata(site.path("backup.ndjson")).unwrap().is_file());
    server.stop();
}

#[test]
fn verify_and_backup_work_on_a_read_only_mount() {
    let site = Site::new();
    site.serve(&[]).stop();
    let expected = site.command(&["backup", "-"]).output().unwrap().stdout;
    let before = listing(&site.path("data"));
    let mounted = |command: &str| {
        let script =
            format!("mount --bind data data && mount -o remount,bind,ro data || exit 99; exec {command}");
        let mut shell = Command::new("unshare");
        shell.args(["--mount", "sh", "-c", &script]).env("CALLBOARD", env!("CARGO_BIN_EXE_callboard"));
        shell.env_remove("RUNTIME_DIRECTORY").current_dir(site.dir.path()).stdin(Stdio::null());
        shell.output()
    };
    match mounted("touch data/writable") {
        Ok(output) if output.status.code() == Some(1) => {}
        refused => {
            eprintln!("skipped: no read-only mount can be made here: {refused:?}");
            return;
        }
    }
    let verified = mounted("\"$CALLBOARD\" verify --config callboard.toml").unwrap();
    let text = [verified.stdout, verified.stderr].map(|bytes| String::from_utf8(bytes).unwrap()).concat();
    assert!(verified.status.success() && text.contains("sound: "), "{text}");
    let backup = mounted("\"$CALLBOARD\" backup - --config callboard.toml").unwrap();
    assert!(backup.status.success(), "{}", String::from_utf8_lossy(&backup.stderr));
    assert_eq!(lines(&backup.stdout), lines(&expected));
    assert_eq!(listing(&site.path("data")), before);
}

/// The records of a backup without head and tail, which hold its sequence.
fn lines(backup: &[u8]) -> Vec<String> {
    let text = String::from_utf8(backup.to_vec()).unwrap();
    let records =
        text.lines().filter(|line| !line.starts_with("{\"callboard\"") && !line.starts_with("{\"records\""));
    records.filter(|line| !line.contains("last-backup")).map(str::to_owned).collect()
}

#[test]
fn a_flood_of_wrong_requests_is_logged_as_a_few_lines_and_a_count() {
    let site = Site::new();
    let server = site.serve(&[]);
    let mut client = std::net::TcpStream::connect(("127.0.0.1", server.port)).unwrap();
    client.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    let mut ask = |times: usize| {
        for _ in 0..times {
            client.write_all(b"HEAD /nothing HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
            let (mut answer, mut bytes) = (Vec::new(), [0; 4096]);
            while !answer.ends_with(b"\r\n\r\n") {
                let read = client.read(&mut bytes).unwrap();
                assert!(read > 0, "closed");
                answer.extend_from_slice(&bytes[..read]);
            }
            assert!(answer.starts_with(b"HTTP/1.1 404"), "{}", String::from_utf8_lossy(&answer));
        }
    };
    let started = Instant::now();
    ask(2_000);
    std::thread::sleep(Duration::from_millis(1_100));
    ask(1);
    site.logged("more requests within a second were answered so");
    let most = 11 * (usize::try_from(started.elapsed().as_secs()).unwrap() + 2);
    let lines = site.log().lines().filter(|line| line.contains("status=404")).count();
    assert!(lines <= most, "{lines} lines, at most {most}");
    server.stop();
}
