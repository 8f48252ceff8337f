//! The messages of the built program to systemd (sd_notify(3)).

use std::fs;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

struct Service {
    child: Child,
    manager: UnixDatagram,
    _dir: tempfile::TempDir,
}

impl Service {
    fn start() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        fs::copy(root.join("program.csv"), dir.path().join("program.csv")).unwrap();
        let notify = dir.path().join("notify");
        let manager = UnixDatagram::bind(&notify).unwrap();
        manager.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_callboard"))
            .arg("serve")
            .args(["--listen", "127.0.0.1:0", "--config"])
            .arg(root.join("config/callboard.toml"))
            .arg("--program")
            .arg(dir.path().join("program.csv"))
            .arg("--data")
            .arg(dir.path().join("data"))
            .env("NOTIFY_SOCKET", &notify)
            .env("WATCHDOG_USEC", "600000")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Self { child, manager, _dir: dir }
    }

    /// The next message, watchdog reports aside.
    fn next(&self) -> String {
        loop {
            let message = self.message();
            if message != "WATCHDOG=1" {
                return message;
            }
        }
    }

    fn message(&self) -> String {
        let mut bytes = [0; 1024];
        let length = self.manager.recv(&mut bytes).expect("a message");
        String::from_utf8_lossy(&bytes[..length]).trim_end().to_owned()
    }

    fn signal(&self, name: &str) {
        let kill = Command::new("kill").arg(format!("-{name}")).arg(self.child.id().to_string()).status();
        assert!(kill.unwrap().success());
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The machine's uptime in microseconds.
fn uptime() -> u128 {
    let text = fs::read_to_string("/proc/uptime").unwrap();
    let seconds: f64 = text.split(' ').next().unwrap().parse().unwrap();
    Duration::from_secs_f64(seconds).as_micros()
}

#[test]
fn systemd_gets_ready_reloading_watchdog_and_stopping_messages() {
    let mut service = Service::start();
    assert_eq!(service.next(), "READY=1");
    let before = uptime();
    service.signal("HUP");
    let reloading = service.next();
    let at = reloading.strip_prefix("RELOADING=1\nMONOTONIC_USEC=").expect("both in one message");
    let at: u128 = at.parse().unwrap();
    // Only one of the two clocks counts the time that the machine was asleep.
    assert!(at > 0 && at <= uptime() + 20_000, "{before} {at}");
    assert_eq!(service.next(), "READY=1");
    let started = Instant::now();
    while service.message() != "WATCHDOG=1" {
        assert!(started.elapsed() < Duration::from_secs(30), "no sign of life");
    }
    service.signal("TERM");
    assert_eq!(service.next(), "STOPPING=1");
    assert!(service.child.wait().unwrap().success());
}
