//! Commits of agendas, links and records with fixed names.

use super::sample::{agenda, alike, id, key, open, open_with, put, slug};
use callboard::store::{
    AgendaRecord, CommitError, LinkTarget, OpenError, ReadError, Store, StoreOptions, Write,
};
use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

fn link(hash: u64, to: u64) -> Write {
    Write::PutLink { hash: key(hash), target: LinkTarget::Agenda(key(to)) }
}

#[test]
fn commits_are_read_back_also_after_reopening() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path().join("data/deep");
    let store = open(&dir);
    assert_eq!(std::fs::metadata(&dir).unwrap().permissions().mode() & 0o777, 0o700);
    let note = Write::raw("taken-in", vec![0, 255, 7]);
    store.commit_blocking(vec![put(1, None, 1), link(11, 1), note]).unwrap();
    let check = |store: &Store| {
        assert_eq!(store.agenda(&key(1)).unwrap(), Some(agenda(1)));
        assert_eq!(store.link(&key(11)).unwrap(), Some(LinkTarget::Agenda(key(1))));
        assert_eq!(store.raw("taken-in").unwrap(), Some(vec![0, 255, 7]));
        assert_eq!(store.agenda(&key(2)).unwrap(), None);
        assert_eq!(store.raw("freshness").unwrap(), None);
    };
    check(&store);
    drop(store);
    let store = open(&dir);
    check(&store);
    let gone =
        vec![Write::DropLink { hash: key(11) }, Write::PutRaw { name: "taken-in".to_owned(), value: None }];
    store.commit_blocking(gone).unwrap();
    assert_eq!((store.link(&key(11)), store.raw("taken-in")), (Ok(None), Ok(None)));
}

#[test]
fn a_commit_with_a_stale_version_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    store.commit_blocking(vec![put(1, None, 1)]).unwrap();
    store.commit_blocking(vec![put(1, Some(1), 2)]).unwrap();
    let refused = [
        put(1, None, 3),                                      // exists
        put(1, Some(1), 3),                                   // changed since
        put(2, Some(1), 2), // does not exist: a deleted agenda stays deleted
        put(1, Some(2), 1), // a version must rise
        Write::DeleteAgenda { key: key(1), expect: Some(1) }, // changed since
        Write::DeleteAgenda { key: key(2), expect: Some(1) }, // gone
    ];
    for write in refused {
        let writes = vec![link(11, 1), put(3, None, 1), write.clone()];
        assert_eq!(store.commit_blocking(writes), Err(CommitError::Conflict), "{write:?}");
    }
    assert_eq!(store.agenda(&key(1)).unwrap(), Some(agenda(2)));
    assert_eq!((store.agenda(&key(3)), store.link(&key(11))), (Ok(None), Ok(None)));
}

#[test]
fn a_repeated_write_is_no_conflict() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    for _ in 0..2 {
        store.commit_blocking(vec![put(1, None, 1)]).unwrap();
    }
    for _ in 0..2 {
        store.commit_blocking(vec![put(1, Some(1), 2)]).unwrap();
    }
    assert_eq!(store.agenda(&key(1)).unwrap(), Some(agenda(2)));
}

#[test]
fn a_new_edit_key_moves_the_agenda_in_one_step() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    store.commit_blocking(vec![put(1, None, 1), link(11, 1)]).unwrap();
    let replace =
        |new| vec![Write::DeleteAgenda { key: key(1), expect: Some(1) }, put(new, None, 2), link(11, new)];
    store.commit_blocking(replace(2)).unwrap();
    // A second device that replaces the same key must not make a second agenda of it.
    assert_eq!(store.commit_blocking(replace(3)), Err(CommitError::Conflict));
    assert_eq!(store.agenda(&key(1)).unwrap(), None);
    assert_eq!(store.agenda(&key(3)).unwrap(), None);
    assert_eq!(store.link(&key(11)).unwrap(), Some(LinkTarget::Agenda(key(2))));
}

#[test]
fn a_shorter_record_replaces_all_parts_of_a_longer_one() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let mut long = agenda(1);
    long.picks = (0..500).map(|n| id(10_000_000_000_000_000_000 + n)).collect();
    long.name = "x".repeat(100);
    store
        .commit_blocking(vec![Write::PutAgenda { key: key(1), expect: None, record: long.clone() }])
        .unwrap();
    assert_eq!(store.agenda(&key(1)).unwrap(), Some(long));
    store.commit_blocking(vec![put(1, Some(1), 2), put(2, None, 1)]).unwrap();
    let all: Vec<_> = store.agendas().map(Result::unwrap).collect();
    assert_eq!(all.len(), 2);
    assert!(all.contains(&(key(1), agenda(2))) && all.contains(&(key(2), agenda(1))));
    store.commit_blocking(vec![Write::DeleteAgenda { key: key(1), expect: None }]).unwrap();
    assert_eq!(store.agendas().count(), 1);
}

#[test]
fn a_scan_returns_every_record_once() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let mut expected = BTreeSet::new();
    for chunk in 0..30 {
        let writes = (0..100).map(|n| {
            let n = chunk * 100 + n;
            let mut record = agenda(1);
            // Every seventh record has several parts, so pages end inside records.
            record.name = "n".repeat(if n % 7 == 0 { 3 * 4096 } else { 3 });
            expected.insert((key(n), record.name.len()));
            Write::PutAgenda { key: key(n), expect: None, record }
        });
        store.commit_blocking(writes.collect()).unwrap();
    }
    let found: Vec<_> = store.agendas().map(|row| row.map(|(key, a)| (key, a.name.len())).unwrap()).collect();
    assert_eq!(found.len(), 3000);
    assert_eq!(found.into_iter().collect::<BTreeSet<_>>(), expected);
    assert_eq!(store.links().count(), 0);
}

#[test]
fn a_record_that_grows_during_a_scan_is_returned_once() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    store.commit_blocking((0..3000).map(|n| put(n, None, 1)).collect()).unwrap();
    let mut seen = Vec::new();
    // At the end of each page, its last record grows before the next page is read.
    for row in store.agendas() {
        let (key, record) = row.unwrap();
        let long = AgendaRecord { version: 2, name: "n".repeat(2 * 4096), ..record };
        store.commit_blocking(vec![Write::PutAgenda { key, expect: Some(1), record: long }]).unwrap();
        seen.push(key);
    }
    let expected: BTreeSet<_> = (0..3000).map(key).collect();
    assert!(seen.into_iter().eq(expected));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sixty_four_concurrent_writers_lose_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let done = std::sync::Arc::new(AtomicU64::new(0));
    // All of them change one agenda, so only compare-and-set keeps them apart, also within a group. All their links are in
    // one record, and a commit with a conflict must leave none there.
    let share = |n: u64| Write::PutLink { hash: alike(n as u8), target: LinkTarget::Agenda(key(n)) };
    store.commit(vec![put(0, None, 1)]).await.unwrap();
    let tasks = (1..=64u64).map(|n| {
        let (store, done) = (store.clone(), done.clone());
        tokio::spawn(async move {
            store.commit(vec![put(n, None, 1), share(n)]).await.unwrap();
            let taken = store.commit(vec![share(100 + n), put(n, None, 2)]).await;
            assert_eq!(taken, Err(CommitError::Conflict));
            let mut record = store.agenda(&key(0)).unwrap().unwrap();
            loop {
                let expect = Some(record.version);
                record.version += 1;
                record.picks.push(id(n + 100));
                let write = Write::PutAgenda { key: key(0), expect, record: record.clone() };
                match store.commit(vec![write]).await {
                    Ok(()) => break,
                    Err(CommitError::Conflict) => record = store.agenda(&key(0)).unwrap().unwrap(),
                    Err(other) => panic!("{other}"),
                }
            }
            done.fetch_add(1, Ordering::Relaxed);
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.unwrap();
    }
    assert_eq!(done.load(Ordering::Relaxed), 64);
    assert_eq!(store.status().acknowledged, 129);
    drop(store);
    let store = open(dir.path());
    assert_eq!(store.agendas().count(), 65);
    let links: Vec<_> = store.links().map(Result::unwrap).collect();
    assert!(links.into_iter().eq((1..=64).map(|n| (alike(n as u8), LinkTarget::Agenda(key(n))))));
    let shared = store.agenda(&key(0)).unwrap().unwrap();
    assert_eq!((shared.version, shared.picks.len()), (65, 65));
    let picked: BTreeSet<_> = shared.picks.into_iter().collect();
    assert!((101..=164).all(|n| picked.contains(&id(n))));
}

#[test]
fn readers_see_only_whole_and_acknowledged_commits() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    store.commit_blocking(vec![put(1, None, 1), put(2, None, 1)]).unwrap();
    let sent = AtomicU64::new(1);
    let acknowledged = AtomicU64::new(1);
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let mut reads = 0u64;
            while !stop.load(Ordering::SeqCst) {
                let least = acknowledged.load(Ordering::SeqCst);
                let one = store.agenda(&key(1)).unwrap().unwrap().version;
                let two = store.agenda(&key(2)).unwrap().unwrap().version;
                let scanned: Vec<u64> = store.agendas().map(|row| row.unwrap().1.version).collect();
                let most = sent.load(Ordering::SeqCst);
                assert!(one >= least && two >= one && two <= most, "{least} {one} {two} {most}");
                assert!(scanned[0] == scanned[1] && scanned[0] >= two, "{scanned:?}");
                reads += 1;
            }
            reads
        });
        for version in 2..200 {
            sent.store(version, Ordering::SeqCst);
            let read = Some(version - 1);
            store.commit_blocking(vec![put(1, read, version), put(2, read, version)]).unwrap();
            acknowledged.store(version, Ordering::SeqCst);
        }
        stop.store(true, Ordering::SeqCst);
        assert!(reader.join().unwrap() > 0);
    });
}

#[test]
fn the_error_of_a_locked_directory_says_what_to_do() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let error = Store::open(dir.path(), &slug()).unwrap_err();
    assert!(matches!(error, OpenError::Locked { .. }));
    assert!(error.to_string().contains("is in use by another callboard; stop that one"), "{error}");
    let clone = store.clone();
    drop(store);
    assert!(matches!(Store::open(dir.path(), &slug()), Err(OpenError::Locked { .. })));
    clone.close();
    open(dir.path());
}

#[test]
fn a_closed_store_refuses_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    assert!(store.status().writable);
    store.close();
    store.close();
    assert!(matches!(store.commit_blocking(vec![put(1, None, 1)]), Err(CommitError::Unavailable(_))));
    assert!(matches!(store.agenda(&key(1)), Err(ReadError::Unavailable(_))));
    assert!(matches!(store.agendas().next(), Some(Err(ReadError::Unavailable(_)))));
    assert!(!store.status().writable);
}

#[tokio::test]
async fn a_full_queue_refuses_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let options = StoreOptions { queue: 1, group: 1, ..StoreOptions::default() };
    let store = open_with(dir.path(), options);
    let commits = (0..200).map(|n| {
        let store = store.clone();
        tokio::spawn(async move { store.commit(vec![put(n, None, 1)]).await })
    });
    let mut taken = 0;
    let mut refused = 0;
    for commit in commits.collect::<Vec<_>>() {
        match commit.await.unwrap() {
            Ok(()) => taken += 1,
            Err(CommitError::Unavailable(why)) if why.contains("waiting") => refused += 1,
            Err(other) => panic!("{other}"),
        }
    }
    assert!(taken > 0 && refused > 0, "{taken} taken, {refused} refused");
    assert_eq!(store.agendas().count(), taken);
    assert_eq!((store.status().queue, store.status().oldest_pending), (0, None));
}

#[test]
fn an_abandoned_commit_is_still_made() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(async {
        let commit = store.commit(vec![put(1, None, 1)]);
        let _ = tokio::time::timeout(Duration::ZERO, commit).await;
    });
    store.commit_blocking(Vec::new()).unwrap(); // runs after the commit above
    assert_eq!(store.agenda(&key(1)).unwrap(), Some(agenda(1)));
}
