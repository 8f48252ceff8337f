//! Both copies of the store: damage in one is repaired from the other, and losses are counted.

use super::sample::{agenda, id, key, open, put, release, session, slug};
use callboard::store::{OpenError, Store, StoreOptions, Write, verify};
use std::fs::{self, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// Makes two checkpoints, with commits before, between and after them.
fn filled(dir: &Path) -> Vec<u64> {
    let store = open(dir);
    let (_, write) = release(None, (1..20).map(session).collect());
    store.commit_blocking(vec![Write::PutRelease(Box::new(write))]).unwrap();
    (1..30).for_each(|n| store.commit_blocking(vec![put(n, None, n % 7 + 1)]).unwrap());
    store.checkpoint().unwrap();
    (30..40).for_each(|n| store.commit_blocking(vec![put(n, None, n % 7 + 1)]).unwrap());
    store.commit_blocking(vec![Write::DeleteAgenda { key: key(7), expect: None }]).unwrap();
    store.checkpoint().unwrap();
    (40..45).for_each(|n| store.commit_blocking(vec![put(n, None, n % 7 + 1)]).unwrap());
    (1..45).filter(|n| *n != 7).collect()
}

/// The same with an empty journal, as after a restore.
fn settled(dir: &Path) -> Vec<u64> {
    let agendas = filled(dir);
    cut_short(&files(&dir.join("journal")).pop().unwrap()); // so that a new segment is begun
    let store = open(dir);
    for _ in 0..2 {
        store.checkpoint().unwrap();
    }
    agendas
}

fn cut_short(file: &Path) {
    cut(file, fs::metadata(file).unwrap().len() - 1);
}

fn cut(file: &Path, at: u64) {
    OpenOptions::new().write(true).open(file).unwrap().set_len(at).unwrap();
}

fn check(store: &Store, agendas: &[u64], context: &str) {
    let found: Vec<_> = store.agendas().map(|row| row.unwrap().0).collect();
    assert_eq!(found.len(), agendas.len(), "{context}");
    for n in agendas {
        assert_eq!(store.agenda(&key(*n)).unwrap(), Some(agenda(n % 7 + 1)), "{context}: agenda {n}");
    }
    assert_eq!(store.ledger().unwrap().unwrap().entries.len(), 19, "{context}");
    assert!(store.entry(&id(3)).unwrap().is_some(), "{context}");
    assert_eq!(store.status().lost, 0, "{context}");
}

/// Opens a store as `serve` does: again after a panic of the database.
fn reopen(dir: &Path, context: &str) -> Store {
    match Store::open(dir, &slug()) {
        Err(OpenError::Panicked { .. }) => Store::open(dir, &slug()),
        result => result,
    }
    .unwrap_or_else(|error| panic!("{context}: {error}"))
}

pub(super) fn files(dir: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files.extend(self::files(&path)) } else { files.push(path) }
    }
    files.sort();
    files
}

pub(super) fn copy(from: &Path, to: &Path) {
    let _ = fs::remove_dir_all(to);
    for file in files(from) {
        let target = to.join(file.strip_prefix(from).unwrap());
        fs::create_dir_all(target.parent().unwrap()).unwrap();
        fs::copy(file, target).unwrap();
    }
}

fn flip(file: &Path, at: u64) {
    let file = OpenOptions::new().read(true).write(true).open(file).unwrap();
    let mut byte = [0];
    file.read_exact_at(&mut byte, at).unwrap();
    file.write_all_at(&[byte[0] ^ 0x10], at).unwrap();
}

/// `CALLBOARD_FLIPS` (40) flipped bytes and as many cuts, in all files of two stores.
#[test]
fn a_flipped_byte_or_a_cut_loses_nothing() {
    let count: u64 = std::env::var("CALLBOARD_FLIPS").map_or(40, |raw| raw.parse().unwrap());
    damage_anywhere(filled, count);
    damage_anywhere(settled, count);
}

fn damage_anywhere(fill: fn(&Path) -> Vec<u64>, count: u64) {
    let whole = tempfile::tempdir().unwrap();
    let agendas = fill(whole.path());
    let work = tempfile::tempdir().unwrap();
    let dir = work.path().join("data");
    let all: Vec<_> = files(whole.path());
    let all: Vec<_> = all.iter().map(|file| file.strip_prefix(whole.path()).unwrap()).collect();
    let all: Vec<_> =
        all.into_iter().filter(|file| !["lock", "ballast"].map(Path::new).contains(file)).collect();
    assert!(all.len() >= 5, "{all:?}");
    let mut rebuilt = 0;
    for n in 0..count {
        let file = all[(n % all.len() as u64) as usize];
        let length = fs::metadata(whole.path().join(file)).unwrap().len();
        if length == 0 {
            continue;
        }
        // The first byte of each file comes first. A cut there empties the file.
        let at = (n / all.len() as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15) % length;
        for is_cut in [false, true] {
            let context = format!("{} {} at {at}", file.display(), if is_cut { "cut" } else { "flipped" });
            copy(whole.path(), &dir);
            if is_cut {
                cut(&dir.join(file), at)
            } else {
                flip(&dir.join(file), at)
            }
            let store = reopen(&dir, &context);
            check(&store, &agendas, &context);
            store.commit_blocking(vec![put(100, None, 1)]).unwrap();
            rebuilt += store.status().rebuilt;
            drop(store);
            assert_eq!(reopen(&dir, &context).agendas().count(), agendas.len() + 1, "{context}");
        }
    }
    println!("{count} flips and {count} cuts; the index was rebuilt {rebuilt} times");
    assert!(rebuilt > 0);
}

#[test]
fn a_missing_index_is_rebuilt() {
    let dir = tempfile::tempdir().unwrap();
    let agendas = filled(dir.path());
    fs::remove_dir_all(dir.path().join("index")).unwrap();
    let store = open(dir.path());
    check(&store, &agendas, "no index");
    assert_eq!(store.status().rebuilt, 1);
    drop(store);
    assert_eq!(open(dir.path()).status().rebuilt, 0);
}

#[test]
fn a_store_without_a_checkpoint_is_rebuilt_from_its_journal() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    (1..9).for_each(|n| store.commit_blocking(vec![put(n, None, 1)]).unwrap());
    store
        .commit_blocking(vec![put(1, Some(1), 2), Write::DeleteAgenda { key: key(2), expect: None }])
        .unwrap();
    drop(store);
    fs::remove_dir_all(dir.path().join("index")).unwrap();
    let store = open(dir.path());
    assert_eq!((store.agendas().count(), store.agenda(&key(1))), (7, Ok(Some(agenda(2)))));
    assert_eq!((store.status().rebuilt, store.status().lost), (1, 0));
}

/// sled writes `conf` before `db`, and neither is durable until both are.
#[test]
fn a_first_start_that_crashed_can_be_repeated() {
    let dir = tempfile::tempdir().unwrap();
    // This opening fails before it reads the index.
    let attempts = dir.path().join("index.opening");
    fs::create_dir(&attempts).unwrap();
    Store::open(dir.path(), &slug()).unwrap_err();
    fs::remove_dir(&attempts).unwrap();
    fs::create_dir(dir.path().join("index")).unwrap();
    fs::write(dir.path().join("index/conf"), b"half of a conf").unwrap();
    let store = open(dir.path());
    store.commit_blocking(vec![put(1, None, 1)]).unwrap();
    drop(store);
    let store = open(dir.path());
    assert_eq!((store.agendas().count(), store.status().lost, store.status().rebuilt), (1, 0, 0));
}

/// sled alone does not detect an outdated index, because all of its pages are whole.
#[test]
fn an_outdated_index_is_updated_or_rebuilt() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let store = open(&data);
    store.commit_blocking(vec![put(1, None, 1)]).unwrap();
    drop(store);
    let old = dir.path().join("old");
    copy(&data.join("index"), &old);
    let store = open(&data);
    store.commit_blocking(vec![put(1, Some(1), 2), put(2, None, 1)]).unwrap();
    drop(store);
    copy(&old, &data.join("index"));
    let store = open(&data);
    assert_eq!((store.agenda(&key(1)), store.agendas().count()), (Ok(Some(agenda(2))), 2));
    assert_eq!(store.status().rebuilt, 0, "the journal has the missing records");
    store.commit_blocking(vec![put(2, Some(1), 2)]).unwrap();
    store.checkpoint().unwrap();
    store.checkpoint().unwrap();
    drop(store);
    // One row disappears.
    let db = super::raw(&data.join("index"));
    let row = db.scan_prefix([slug().as_str().as_bytes(), b"\0a"].concat()).next().unwrap().unwrap();
    db.remove(row.0).unwrap();
    drop(db);
    let store = open(&data);
    assert_eq!((store.agenda(&key(2)), store.agendas().count()), (Ok(Some(agenda(2))), 2));
    assert_eq!(store.status().rebuilt, 1);
    assert!(data.join("index.damaged").is_dir());
}

/// Both copies are whole. Only a comparison shows that one of them is outdated.
#[test]
fn verifying_compares_the_index_with_the_journal() {
    let dir = tempfile::tempdir().unwrap();
    let whole = dir.path().join("whole");
    let agendas = filled(&whole);
    let found = verify(&whole).unwrap();
    assert_eq!((found.faults, found.lacking), (vec![], 0));
    let data = dir.path().join("data");

    copy(&whole, &data);
    cut_short(&files(&data.join("journal")).pop().unwrap());
    let [fault] = verify(&data).unwrap().faults.try_into().unwrap();
    assert_eq!(fault.place, data.join("journal"));
    let store = open(&data);
    check(&store, &agendas, "the index has the last record");
    for _ in 0..2 {
        store.checkpoint().unwrap(); // after two checkpoints the damaged segment is removed
    }
    drop(store);
    assert_eq!(verify(&data).unwrap().faults, []);

    // An empty index, with everything in the checkpoints.
    fs::remove_dir_all(&data).unwrap();
    let agendas = settled(&data);
    assert_eq!(verify(&data).unwrap().faults, []);
    fs::remove_dir_all(data.join("index")).unwrap();
    fs::create_dir(data.join("index")).unwrap();
    let [fault] = verify(&data).unwrap().faults.try_into().unwrap();
    assert_eq!(fault.place, data.join("index"));
    assert!(fault.what.starts_with("it ends at record 0; records up to "), "{fault}");
    let store = open(&data);
    check(&store, &agendas, "rebuilt");
    assert_eq!(store.status().rebuilt, 1);
    drop(store);
    assert_eq!(verify(&data).unwrap().faults, []);

    // As after a killed process, the index lacks the end of the journal.
    let old = dir.path().join("old");
    copy(&whole.join("index"), &old);
    let store = open(&whole);
    (50..53).for_each(|n| store.commit_blocking(vec![put(n, None, 1)]).unwrap());
    drop(store);
    copy(&old, &whole.join("index"));
    let found = verify(&whole).unwrap();
    assert_eq!((found.faults, found.lacking), (vec![], 3));
}

/// With damage in both copies, undamaged records are served, losses are counted, and later commits are safe.
#[test]
fn losses_in_both_copies_are_counted() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    (1..4).for_each(|n| store.commit_blocking(vec![put(n, None, 1)]).unwrap());
    store.checkpoint().unwrap();
    (4..6).for_each(|n| store.commit_blocking(vec![put(n, None, 1)]).unwrap());
    store.checkpoint().unwrap();
    drop(store);
    flip(files(&dir.path().join("checkpoints")).last().unwrap(), 90);
    for gone in ["index", "journal"] {
        fs::remove_dir_all(dir.path().join(gone)).unwrap();
    }
    let store = open(dir.path());
    assert_eq!((store.agendas().count(), store.status().lost), (3, 2));
    store.commit_blocking(vec![put(9, None, 1)]).unwrap();
    store.checkpoint().unwrap();
    drop(store);
    let store = open(dir.path());
    assert_eq!((store.agendas().count(), store.agenda(&key(9)).unwrap()), (4, Some(agenda(1))));
}

#[test]
fn a_store_without_a_journal_gets_a_checkpoint_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let agendas = filled(&data);
    // The old layout has sled's files in the data directory itself.
    let old = dir.path().join("old");
    copy(&data.join("index"), &old);
    let db = super::raw(&old);
    db.remove(b"\0tally").unwrap().unwrap();
    drop(db);
    let store = open(&old);
    check(&store, &agendas, "moved");
    let started = std::time::Instant::now();
    while store.status().checkpoint == 0 {
        assert!(started.elapsed().as_secs() < 30, "no checkpoint");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    store.commit_blocking(vec![put(100, None, 1)]).unwrap();
    drop(store);
    assert!(!old.join("db").exists());
    fs::remove_dir_all(old.join("index")).unwrap();
    assert_eq!(open(&old).agendas().count(), agendas.len() + 1);
}

#[test]
fn checkpoints_are_made_as_the_journal_grows_and_two_stay() {
    let dir = tempfile::tempdir().unwrap();
    let options = StoreOptions { checkpoint_bytes: 50_000, ..StoreOptions::default() };
    let store = Store::open_with(dir.path(), &slug(), options).unwrap();
    let started = std::time::Instant::now();
    let (mut n, mut seen) = (0, std::collections::BTreeSet::new());
    while seen.len() < 4 {
        n += 1;
        store.commit_blocking(vec![put(n, None, 40)]).unwrap();
        seen.insert(store.status().checkpoint);
        assert!(started.elapsed().as_secs() < 60, "{seen:?}");
    }
    drop(store);
    assert_eq!(fs::read_dir(dir.path().join("checkpoints")).unwrap().count(), 2);
    fs::remove_dir_all(dir.path().join("index")).unwrap();
    let store = Store::open_with(dir.path(), &slug(), options).unwrap();
    assert_eq!((store.agendas().count() as u64, store.status().lost), (n, 0));
}

/// Records change, grow, shrink and are removed meanwhile.
#[test]
fn a_checkpoint_made_during_commits_is_of_one_moment() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    (0..2500).for_each(|n| drop(store.commit_blocking(vec![put(n, None, 1)])));
    let stop = std::sync::atomic::AtomicBool::new(false);
    let checkpoints = std::thread::scope(|scope| {
        let writing = scope.spawn(|| {
            let mut version = 1;
            while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                version += 1;
                let mut record = agenda(1);
                record.version = version;
                record.name = "n".repeat(if version % 2 == 0 { 9000 } else { 3 });
                // The first and last records of a scan, always of one version.
                let writes = [0, 1, 2, 3, 4, 5, 6, 7].map(|n| Write::PutAgenda {
                    key: key(n),
                    expect: Some(version - 1),
                    record: record.clone(),
                });
                store.commit_blocking(writes.to_vec()).unwrap();
                let gone = Write::DeleteAgenda { key: key(100 + version), expect: None };
                store.commit_blocking(vec![gone]).unwrap();
            }
        });
        for _ in 0..3 {
            store.checkpoint().unwrap();
        }
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
        writing.join().unwrap();
        fs::read_dir(dir.path().join("checkpoints")).unwrap().map(|entry| entry.unwrap().path())
    });
    drop(store);
    // Each checkpoint is opened alone, without index and journal.
    for checkpoint in checkpoints {
        let alone = tempfile::tempdir().unwrap();
        fs::create_dir(alone.path().join("checkpoints")).unwrap();
        fs::copy(&checkpoint, alone.path().join("checkpoints").join(checkpoint.file_name().unwrap()))
            .unwrap();
        let store = open(alone.path());
        let versions: Vec<_> = (0..8).map(|n| store.agenda(&key(n)).unwrap().unwrap().version).collect();
        assert!(versions.iter().all(|version| *version == versions[0]), "{versions:?}");
        let gone = store.agendas().count() as u64;
        assert!(gone == 2501 - versions[0] || gone == 2502 - versions[0], "{gone} at {versions:?}");
    }
}
