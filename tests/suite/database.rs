//! A PostgreSQL of the tests: one cluster for the whole test process, with a schema for each data directory.

use callboard::store::{Database, DatabaseOptions};
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::net::TcpListener;
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::LazyLock;
use std::time::{Duration, Instant};

/// The user whom PostgreSQL runs as if the tests run as root, which PostgreSQL refuses.
const NOBODY: u32 = 65_534;

static CLUSTER: LazyLock<Cluster> = LazyLock::new(Cluster::start);

struct Cluster {
    port: u16,
    bin: PathBuf,
}

/// The folder with PostgreSQL's programs.
fn programs() -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql").expect(
        "these tests need PostgreSQL: apt-get install postgresql, or skip them with `cargo test -- --skip on_a_database`",
    );
    versions.map(|version| version.unwrap().path().join("bin")).max().unwrap()
}

/// A program of PostgreSQL, as a user that it accepts. It is stopped when this process ends.
fn program(path: &Path) -> Command {
    if !rustix::process::geteuid().is_root() {
        return Command::new(path);
    }
    let mut command = Command::new("setpriv");
    let ids = [format!("--reuid={NOBODY}"), format!("--regid={NOBODY}")];
    command.args(ids).args(["--clear-groups", "--pdeathsig", "INT"]).arg(path);
    command
}

impl Cluster {
    fn start() -> Self {
        let bin = programs();
        let base = std::env::temp_dir().join("callboard-test-clusters");
        std::fs::create_dir_all(&base).unwrap();
        remove_old_clusters(&base);
        let dir = base.join(std::process::id().to_string());
        std::fs::create_dir(&dir).unwrap();
        if rustix::process::geteuid().is_root() {
            chown(&dir, Some(NOBODY), Some(NOBODY)).unwrap();
        }
        let data = dir.join("data");
        let made = program(&bin.join("initdb"))
            .args(["--username=callboard", "--auth=trust", "--no-sync", "--encoding=UTF8", "--pgdata"])
            .arg(&data)
            .output()
            .unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        // The death of this thread would stop the server.
        let (postgres, log) = (bin.join("postgres"), std::fs::File::create(dir.join("log")).unwrap());
        std::thread::spawn(move || {
            let mut server = program(&postgres)
                .arg("-D")
                .arg(&data)
                .args(["-p", &port.to_string(), "-c", "listen_addresses=127.0.0.1"])
                .args(["-c", "unix_socket_directories=", "-c", "fsync=off", "-c", "max_connections=200"])
                .stdout(Stdio::null())
                .stderr(log)
                .spawn()
                .unwrap();
            let _ = server.wait();
        });
        let cluster = Self { port, bin };
        let started = Instant::now();
        while !cluster.psql("SELECT 1") {
            assert!(
                started.elapsed() < Duration::from_secs(30),
                "PostgreSQL does not start, see {}",
                dir.display()
            );
            std::thread::sleep(Duration::from_millis(50));
        }
        cluster
    }

    fn psql(&self, statement: &str) -> bool {
        let status = Command::new(self.bin.join("psql"))
            .args(["-h", "127.0.0.1", "-p", &self.port.to_string(), "-U", "callboard", "-d", "postgres"])
            .args(["-q", "-v", "ON_ERROR_STOP=1", "-c", statement])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        status.unwrap().success()
    }
}

/// Removes the clusters of test processes that have ended.
fn remove_old_clusters(base: &Path) {
    for entry in std::fs::read_dir(base).unwrap().flatten() {
        if !Path::new("/proc").join(entry.file_name()).exists() {
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
}

/// The database of a name. Different names never see each other's tables.
pub(crate) fn database(name: &str, replica: &str) -> Database {
    let url = url(name);
    let options = DatabaseOptions { url: &url, password_file: None, replica, acknowledge_loss: false };
    Database::new(&options).unwrap()
}

/// The URL of the database of a name.
pub(crate) fn url(name: &str) -> String {
    let mut hash = DefaultHasher::new();
    name.hash(&mut hash);
    let schema = format!("s{:016x}", hash.finish());
    assert!(CLUSTER.psql(&format!("CREATE SCHEMA IF NOT EXISTS {schema}")));
    format!("postgresql://callboard@127.0.0.1:{}/postgres?options=-csearch_path%3D{schema}", CLUSTER.port)
}

/// Runs a statement on the tables of a name.
pub(crate) fn sql(name: &str, statement: &str) {
    let mut hash = DefaultHasher::new();
    name.hash(&mut hash);
    assert!(CLUSTER.psql(&format!("SET search_path TO s{:016x}; {statement}", hash.finish())), "{statement}");
}
