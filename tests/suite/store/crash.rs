//! kill -9 at random moments. A child process writes and prints each acknowledgement. The next opening must find every
//! acknowledged commit, and only whole ones.
//!
//! `CALLBOARD_KILLS` (30) rounds with the seed `CALLBOARD_SEED` (1), all on one directory.

use super::sample::{agenda, id, key, open, release, session, slug};
use callboard::program::Text;
use callboard::store::{Store, StoreOptions, Write};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

const WRITERS: u64 = 6;

#[test]
fn acknowledged_commits_survive_a_kill_at_any_moment() {
    let rounds = number("CALLBOARD_KILLS", 30);
    let mut seed = number("CALLBOARD_SEED", 1).wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let dir = tempfile::tempdir().unwrap();
    // The last version by writer. The publisher has the number 0.
    let mut acknowledged: BTreeMap<u64, u64> = BTreeMap::new();
    let mut total = 0;
    for round in 0..rounds {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        let before: u64 = acknowledged.values().sum();
        write_until_killed(dir.path(), Duration::from_micros(seed % 250_000), &mut acknowledged);
        total += acknowledged.values().sum::<u64>() - before;
        let store = open(dir.path());
        for (writer, least) in &acknowledged {
            let found = if *writer == 0 { check_releases(&store) } else { check_agenda(&store, *writer) };
            assert!(found >= *least, "round {round}: writer {writer} lost {} of {least}", least - found);
        }
        // Commits that were on disk without an acknowledgement count as acknowledged from now on.
        for (writer, least) in &mut acknowledged {
            *least = if *writer == 0 { check_releases(&store) } else { check_agenda(&store, *writer) };
        }
    }
    assert!(total > rounds, "only {total} acknowledgements in {rounds} rounds");
    println!("{rounds} kills, {total} acknowledged commits, none lost");
}

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |raw| raw.parse().unwrap())
}

fn write_until_killed(dir: &Path, after: Duration, acknowledged: &mut BTreeMap<u64, u64>) {
    let name = module_path!().split_once("::").unwrap().1;
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args([&format!("{name}::child"), "--exact", "--ignored", "--nocapture", "--test-threads=1"])
        .env("CALLBOARD_STORE_CHILD", dir)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    // Half of the kills come during opening, the others during writing.
    let waits_for_writes = after.as_micros().is_multiple_of(2);
    let (started, starts) = std::sync::mpsc::channel();
    let reader = std::thread::spawn(move || {
        let mut acknowledgements = Vec::new();
        for line in lines.map_while(Result::ok) {
            let Some(line) = line.strip_prefix("ack ") else { continue };
            let (writer, version) = line.split_once(' ').unwrap();
            acknowledgements.push((writer.parse::<u64>().unwrap(), version.parse::<u64>().unwrap()));
            let _ = started.send(());
        }
        acknowledgements
    });
    if waits_for_writes {
        starts.recv_timeout(Duration::from_secs(30)).expect("the child acknowledged nothing");
    }
    std::thread::sleep(after);
    child.kill().unwrap();
    child.wait().unwrap();
    for (writer, version) in reader.join().unwrap() {
        let least = acknowledged.entry(writer).or_default();
        assert!(version > *least, "writer {writer} went back from {least} to {version}");
        *least = version;
    }
}

#[test]
#[ignore = "the process that another test starts, on a directory that it names"]
fn child() {
    let dir = std::env::var_os("CALLBOARD_STORE_CHILD").expect("a directory from the test that starts this");
    // Every release is longer than a piece, so some kills come between two pieces.
    let options = StoreOptions { piece_bytes: 4096, ..StoreOptions::default() };
    let store = Store::open_with(Path::new(&dir), &slug(), options).unwrap();
    std::thread::scope(|scope| {
        scope.spawn(|| publish_for_ever(&store));
        for writer in 1..=WRITERS {
            let store = &store;
            scope.spawn(move || pick_for_ever(store, writer));
        }
    });
}

/// Every version has one more pick. After 300 it starts again, so records shrink too.
fn picks(version: u64) -> u64 {
    version % 300
}

fn pick_for_ever(store: &Store, writer: u64) {
    loop {
        let expect = store.agenda(&key(writer)).unwrap().map(|record| record.version);
        let version = expect.unwrap_or(0) + 1;
        let mut record = agenda(1);
        record.version = version;
        record.picks = (1..=picks(version)).map(id).collect();
        let put = Write::PutAgenda { key: key(writer), expect, record };
        let note = Write::raw(&format!("w{writer}"), version.to_string());
        store.commit_blocking(vec![put, note]).unwrap();
        println!("ack {writer} {version}");
    }
}

fn check_agenda(store: &Store, writer: u64) -> u64 {
    let Some(record) = store.agenda(&key(writer)).unwrap() else { return 0 };
    assert!(record.picks.iter().cloned().eq((1..=picks(record.version)).map(id)), "torn: {record:?}");
    let note = store.raw(&format!("w{writer}")).unwrap().unwrap();
    assert_eq!(String::from_utf8(note).unwrap(), record.version.to_string(), "half of a commit");
    record.version
}

fn publish_for_ever(store: &Store) {
    loop {
        let previous = store.ledger().unwrap();
        let number = previous.as_ref().map_or(1, |ledger| ledger.release + 1);
        let mut sessions: Vec<_> = (1..=60).map(session).collect();
        for session in &mut sessions {
            session.title = Text::from(format!("In release {number}"));
        }
        let (next, mut write) = release(previous.as_ref(), sessions);
        write.csv = vec![b'0' + (number % 10) as u8; 10_000 + (number as usize % 7) * 10_000].into();
        // One in three changes every entry without writing the ledger whole.
        let write = if number.is_multiple_of(3) { write } else { write.whole(&next) };
        store.commit_blocking(vec![Write::PutRelease(Box::new(write))]).unwrap();
        println!("ack 0 {number}");
        if number > 5 {
            store.commit_blocking(vec![Write::DropReleaseText { n: number - 5 }]).unwrap();
        }
    }
}

fn check_releases(store: &Store) -> u64 {
    let Some(ledger) = store.ledger().unwrap() else { return 0 };
    let number = ledger.release;
    let title = format!("In release {number}");
    assert_eq!(ledger.entries.len(), 60);
    for entry in ledger.entries.values() {
        // Every release changes every session, so sequences follow its number.
        assert_eq!(u64::from(entry.revision.sequence) + 1, number, "a mix of releases");
        assert_eq!((entry.session.title.as_str(), entry.release), (title.as_str(), number));
    }
    let record = store.release(number).unwrap().unwrap();
    assert_eq!((record.number, record.published), (number, ledger.published));
    let csv = store.program_csv(number).unwrap().unwrap();
    assert_eq!(csv.len(), 10_000 + (number as usize % 7) * 10_000);
    assert!(csv.iter().all(|byte| *byte == b'0' + (number % 10) as u8));
    assert_eq!(store.releases().unwrap().len() as u64, number);
    number
}
