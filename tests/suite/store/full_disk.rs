//! Full disks. Tests that need permissions that this machine refuses are skipped with a message.

use super::sample::{agenda, key, open, put};
use callboard::store::{AgendaRecord, CommitError, ReadError, Store, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// A small file system, unmounted when it is dropped.
pub(crate) struct SmallDisk(PathBuf);

impl SmallDisk {
    pub(crate) fn mount(at: &Path, size: &str) -> Option<Self> {
        let mount = Command::new("mount").args(["-t", "tmpfs", "-o", size, "tmpfs"]).arg(at).output();
        mount.ok()?.status.success().then(|| Self(at.to_owned()))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).status();
    }
}

/// Writes agendas of about 100 KiB until one is refused.
fn fill(store: &Store) -> (u64, CommitError, Duration) {
    let mut n = 100;
    loop {
        let mut record = agenda(1);
        record.name = "f".repeat(100_000);
        let started = Instant::now();
        let write = Write::PutAgenda { key: key(n), expect: None, record };
        match store.commit_blocking(vec![write, put(1, Some(n - 99), n - 98)]) {
            Ok(()) => n += 1,
            Err(error) => return (n, error, started.elapsed()),
        }
        assert!(n < 10_000, "the disk is never full");
    }
}

pub(super) fn wait_until_writable(store: &Store, within: Duration) {
    let started = Instant::now();
    let write = || vec![Write::raw("space", vec![1])];
    while let Err(error) = store.commit_blocking(write()) {
        assert!(started.elapsed() < within, "{error} for {within:?}: {:?}", store.status());
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Reads an agenda, also during a reopening.
fn read(store: &Store, n: u64) -> Option<AgendaRecord> {
    let started = Instant::now();
    loop {
        match store.agenda(&key(n)) {
            Err(ReadError::Unavailable(_)) if started.elapsed() < Duration::from_secs(5) => {
                std::thread::sleep(Duration::from_millis(5));
            }
            found => return found.unwrap(),
        }
    }
}

#[test]
fn a_full_disk_refuses_writes_serves_reads_and_recovers() {
    let dir = tempfile::tempdir().unwrap();
    let Some(disk) = SmallDisk::mount(dir.path(), "size=24m") else {
        println!("skipped: no file system may be mounted here");
        return;
    };
    let ballast = disk.0.join("ballast");
    std::fs::write(&ballast, vec![1; 8 << 20]).unwrap();
    let store = open(&disk.0.join("data"));
    store.commit_blocking(vec![put(1, None, 1)]).unwrap();

    let stop = AtomicBool::new(false);
    let (refused, error, took) = std::thread::scope(|scope| {
        // Reads go on while the disk fills up and while it is full. During a reopening single reads fail at once, and scans
        // wait.
        let reader = scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                match store.agenda(&key(1)) {
                    Ok(found) => assert!(found.is_some()),
                    Err(error) => assert!(matches!(error, ReadError::Unavailable(_)), "{error}"),
                }
                store.agendas().for_each(|row| drop(row.unwrap()));
            }
        });
        let filled = fill(&store);
        std::thread::sleep(Duration::from_millis(100));
        stop.store(true, Ordering::Relaxed);
        reader.join().unwrap();
        filled
    });
    assert_eq!(error, CommitError::Full);
    assert!(took < Duration::from_secs(1), "refused after {took:?}");
    // The refused commit may be stored, but only whole.
    let kept = refused - 99;
    let version = read(&store, 1).unwrap().version;
    let reads = || {
        assert_eq!(read(&store, 1), Some(agenda(version)));
        assert_eq!(read(&store, refused).is_some(), version == kept + 1);
        assert!((100..refused).all(|n| read(&store, n).is_some()));
        assert_eq!(store.agendas().map(Result::unwrap).count() as u64, version);
    };
    assert!((kept..=kept + 1).contains(&version), "{version} after {kept}");
    reads();
    // Every write is refused at once while the disk is full.
    let full_since = Instant::now();
    while full_since.elapsed() < Duration::from_secs(3) {
        let started = Instant::now();
        assert_eq!(store.commit_blocking(vec![put(2, None, 1)]), Err(CommitError::Full));
        assert!(started.elapsed() < Duration::from_secs(1));
        assert!(!store.status().writable);
        reads();
        std::thread::sleep(Duration::from_millis(50));
    }

    // A restart changes nothing.
    drop(store);
    let store = open(&disk.0.join("data"));
    assert_eq!(store.commit_blocking(vec![put(2, None, 1)]), Err(CommitError::Full));
    assert_eq!(read(&store, 1), Some(agenda(version)));

    std::fs::remove_file(&ballast).unwrap();
    wait_until_writable(&store, Duration::from_secs(5));
    assert!(store.status().writable);
    assert_eq!(read(&store, 1), Some(agenda(version)));
    store.commit_blocking(vec![put(2, None, 1), put(1, Some(version), version + 1)]).unwrap();
    drop(store);
    let store = open(&disk.0.join("data"));
    assert_eq!(read(&store, 1), Some(agenda(version + 1)));
    assert_eq!(read(&store, 2), Some(agenda(1)));
    assert!((100..refused).all(|n| read(&store, n).is_some()));
}

/// For machines that allow no mounts: a limit on the size of files takes the place of the full disk.
#[test]
fn a_limit_on_the_size_of_a_file_is_treated_as_a_full_disk() {
    let dir = tempfile::tempdir().unwrap();
    let name = module_path!().split_once("::").unwrap().1;
    let child = Command::new("sh")
        .args(["-c", r#"trap "" XFSZ && ulimit -S -f 12288 && exec "$@""#, "sh"])
        .arg(std::env::current_exe().unwrap())
        .args([&format!("{name}::child"), "--exact", "--ignored", "--nocapture"])
        .env("CALLBOARD_FULL_CHILD", dir.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&child.stdout);
    assert!(child.status.success(), "{said}{}", String::from_utf8_lossy(&child.stderr));
    println!("{}", said.lines().find(|line| line.starts_with("child:")).unwrap());
}

#[test]
#[ignore = "the process that another test starts, on a directory that it names"]
fn child() {
    let dir = std::env::var_os("CALLBOARD_FULL_CHILD").expect("a directory from the test that starts this");
    let store = open(Path::new(&dir));
    store.commit_blocking(vec![put(1, None, 1)]).unwrap();
    let (refused, error, _) = fill(&store);
    assert_eq!(error, CommitError::Full);
    let version = read(&store, 1).unwrap().version;
    assert_eq!(read(&store, refused).is_some(), version == refused - 98, "half of a commit");

    let lifted = Command::new("prlimit")
        .args(["--fsize=unlimited:", &format!("--pid={}", std::process::id())])
        .status()
        .is_ok_and(|status| status.success());
    if !lifted {
        println!("child: refused at {refused}; the limit cannot be lifted here");
        return;
    }
    wait_until_writable(&store, Duration::from_secs(5));
    assert!((100..refused).all(|n| read(&store, n).is_some()));
    println!("child: refused at {refused}, then written again");
}
