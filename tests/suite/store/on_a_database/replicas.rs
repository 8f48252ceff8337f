//! Several replicas of one log.

use super::super::copies::copy;
use super::sample::{agenda, key, put, release, session, slug};
use crate::database::{database, sql};
use callboard::store::{AgendaRecord, Charge, CommitError, MoveError, Store, StoreOptions, Write, verify};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Replica number `n` of the log that is named after the directory.
fn replica(dir: &Path, n: u32) -> Store {
    let database = database(dir.to_str().unwrap(), &format!("replica-{n}"));
    Store::open_replica(&dir.join(n.to_string()), &slug(), StoreOptions::default(), &database).unwrap()
}

fn wait(what: &str, mut is_so: impl FnMut() -> bool) {
    let started = Instant::now();
    while !is_so() {
        assert!(started.elapsed() < Duration::from_secs(10), "{what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn agendas(store: &Store) -> Vec<(callboard::revision::Digest, u64)> {
    store.agendas().map(|row| row.map(|(key, agenda)| (key, agenda.version)).unwrap()).collect()
}

#[test]
fn a_commit_on_one_replica_is_read_on_the_others() {
    let dir = tempfile::tempdir().unwrap();
    let (one, two) = (replica(dir.path(), 1), replica(dir.path(), 2));
    let mut news = two.foreign_entries().unwrap();
    one.commit_blocking(vec![put(1, None, 1)]).unwrap();
    wait("it is not followed", || two.agenda(&key(1)).unwrap().is_some());
    assert!(news.has_changed().unwrap());
    assert_eq!(*news.borrow_and_update(), one.log_position().unwrap());
    // Both decide by the same log.
    two.commit_blocking(vec![put(1, Some(1), 2)]).unwrap();
    assert_eq!(one.commit_blocking(vec![put(1, Some(1), 3)]), Err(CommitError::Conflict));
    assert_eq!(one.agenda(&key(1)).unwrap(), Some(agenda(2)), "a conflict shows the newer record");
    // A replica that never saw the record does not acknowledge its removal without effect.
    two.commit_blocking(vec![put(2, None, 1)]).unwrap();
    one.commit_blocking(vec![Write::DeleteAgenda { key: key(2), expect: None }]).unwrap();
    wait("it comes back", || two.agenda(&key(2)).unwrap().is_none());
}

/// An append whose connection is given up while the database is slow takes effect later, unless its place is taken.
#[test]
fn an_append_of_unknown_outcome_takes_no_effect_after_an_acknowledgement() {
    let dir = tempfile::tempdir().unwrap();
    let name = dir.path().to_str().unwrap().to_owned();
    let (one, two) = (replica(dir.path(), 1), replica(dir.path(), 2));
    one.commit_blocking(vec![put(1, None, 1)]).unwrap();
    wait("it is not followed", || two.agenda(&key(1)).unwrap().is_some());
    let slow = std::thread::spawn(move || {
        // Reads go on; inserts wait.
        sql(&name, "BEGIN; LOCK TABLE callboard_log IN SHARE MODE; SELECT pg_sleep(9); COMMIT");
    });
    std::thread::sleep(Duration::from_millis(500));
    assert!(matches!(one.commit_blocking(vec![put(1, Some(1), 2)]), Err(CommitError::Unavailable(_))));
    assert!(!slow.is_finished());
    let started = Instant::now();
    let confirmed = loop {
        match two.commit_blocking(vec![Write::ExpectAgenda { key: key(1), version: 1 }]) {
            Ok(()) => break true,
            Err(CommitError::Conflict) => break false,
            Err(_) => assert!(started.elapsed() < Duration::from_secs(30)),
        }
        std::thread::sleep(Duration::from_millis(100));
    };
    slow.join().unwrap();
    std::thread::sleep(Duration::from_secs(1));
    for store in [&one, &two] {
        let version = store.agenda(&key(1)).unwrap().unwrap().version;
        assert_eq!(version, if confirmed { 1 } else { 2 }, "confirmed: {confirmed}");
    }
}

#[test]
fn a_commit_that_changes_nothing_takes_a_place_in_the_log() {
    let dir = tempfile::tempdir().unwrap();
    let (one, two) = (replica(dir.path(), 1), replica(dir.path(), 2));
    one.commit_blocking(vec![put(1, None, 1)]).unwrap();
    let position = one.log_position().unwrap();
    one.commit_blocking(vec![Write::ExpectAgenda { key: key(1), version: 1 }]).unwrap();
    assert_eq!(one.log_position(), Some(position + 1));
    let refused = one.commit_blocking(vec![Write::ExpectAgenda { key: key(1), version: 2 }]);
    assert_eq!((refused, one.log_position()), (Err(CommitError::Conflict), Some(position + 1)));
    for (version, confirmed) in [(None, Ok(())), (Some(1), Err(CommitError::Conflict))] {
        let expect = Write::ExpectSubscriptions { key: key(1), version };
        assert_eq!(one.commit_blocking(vec![expect]), confirmed);
    }
    let position = position + 1;
    assert_eq!(one.log_position(), Some(position + 1));
    wait("it is not followed", || two.log_position() == Some(position + 1));
    one.commit_blocking(vec![]).unwrap();
    drop((one, two));
    let one = replica(dir.path(), 1);
    assert_eq!((agendas(&one).len(), one.status().rebuilt), (1, 0));
    one.close();
    assert_eq!(verify(&dir.path().join("1")).unwrap().faults, []);
}

/// A process that is killed leaves an index that lacks the end of its copy of the log.
#[test]
fn an_entry_without_rows_that_the_index_lacks_is_no_divergence() {
    let dir = tempfile::tempdir().unwrap();
    let (place, older) = (dir.path().join("1"), dir.path().join("older"));
    let one = replica(dir.path(), 1);
    one.commit_blocking(vec![put(1, None, 1)]).unwrap();
    one.close();
    copy(&place.join("index"), &older);
    let one = replica(dir.path(), 1);
    one.commit_blocking(vec![Write::ExpectAgenda { key: key(1), version: 1 }]).unwrap();
    one.close();
    copy(&older, &place.join("index"));
    let one = replica(dir.path(), 1);
    assert_eq!((one.status().rebuilt, place.join("replaced").exists()), (0, false));
    one.commit_blocking(vec![put(1, Some(1), 2)]).unwrap();
}

#[tokio::test]
async fn a_reader_waits_for_the_position_of_its_own_write() {
    let dir = tempfile::tempdir().unwrap();
    let (one, two) = (replica(dir.path(), 1), replica(dir.path(), 2));
    for n in 0..20 {
        one.commit(vec![put(n, None, 1)]).await.unwrap();
        assert!(two.wait_for(one.log_position().unwrap(), Duration::from_secs(1)).await);
        assert!(two.agenda(&key(n)).unwrap().is_some(), "agenda {n}");
    }
    let started = Instant::now();
    assert!(!two.wait_for(1_000_000, Duration::from_millis(300)).await);
    assert!(started.elapsed() < Duration::from_secs(1), "a position that nobody wrote");
}

/// The process that was in charge cannot give it up when it is killed.
#[tokio::test(flavor = "multi_thread")]
async fn a_replica_that_was_killed_is_in_charge_again_after_its_restart() {
    let dir = tempfile::tempdir().unwrap();
    let (one, two) = (replica(dir.path(), 1), replica(dir.path(), 2));
    let is_soon_held = async |charge: &Charge| {
        let started = Instant::now();
        while !charge.is_held() && started.elapsed() < Duration::from_secs(5) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        charge.is_held()
    };
    let killed = Charge::of(&one);
    let task = tokio::spawn(killed.clone().keep());
    assert!(is_soon_held(&killed).await);
    let other = Charge::of(&two);
    tokio::spawn(other.clone().keep());
    task.abort();
    assert!(task.await.unwrap_err().is_cancelled());
    drop((killed, one));
    let one = replica(dir.path(), 1);
    let restarted = Charge::of(&one);
    tokio::spawn(restarted.clone().keep());
    assert!(is_soon_held(&restarted).await);
    assert!(!other.is_held());
}

#[test]
fn three_contending_replicas_lose_nothing_and_agree() {
    let dir = tempfile::tempdir().unwrap();
    let stores: Vec<Store> = (1..=3).map(|n| replica(dir.path(), n)).collect();
    const COMMITS: u64 = 150;
    let conflicts = AtomicU64::new(0);
    std::thread::scope(|scope| {
        for (at, store) in (0u64..).zip(&stores) {
            let conflicts = &conflicts;
            scope.spawn(move || {
                for n in 0..COMMITS {
                    store.commit_blocking(vec![put(1000 * (at + 1) + n, None, 1)]).unwrap();
                    // All three count up one common agenda.
                    loop {
                        let read = store.agenda(&key(1)).unwrap().map(|agenda| agenda.version);
                        let version = read.unwrap_or(0) + 1;
                        // Two equal records would be no conflict.
                        let record = AgendaRecord { name: format!("by {at}, {n}"), ..agenda(version) };
                        match store.commit_blocking(vec![Write::PutAgenda {
                            key: key(1),
                            expect: read,
                            record,
                        }]) {
                            Ok(()) => break,
                            Err(CommitError::Conflict) => _ = conflicts.fetch_add(1, Ordering::Relaxed),
                            Err(error) => panic!("{error}"),
                        }
                    }
                }
            });
        }
    });
    let last = stores.iter().map(|store| store.log_position().unwrap()).max().unwrap();
    wait("they do not catch up", || stores.iter().all(|store| store.log_position().unwrap() >= last));
    let all = agendas(&stores[0]);
    assert_eq!(all.len() as u64, 3 * COMMITS + 1);
    assert!(all.contains(&(key(1), 3 * COMMITS)), "an increment is lost");
    assert!(stores.iter().all(|store| agendas(store) == all));
    let overtaken: u64 = stores.iter().map(|store| store.replica().unwrap().conflicts).sum();
    assert!(overtaken > 0, "the replicas never met");
    stores.iter().for_each(Store::close);
    for n in 1..=3 {
        assert_eq!(verify(&dir.path().join(n.to_string())).unwrap().faults, []);
    }
}

#[test]
fn a_copy_is_made_from_the_log_and_continued_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let one = replica(dir.path(), 1);
    let (ledger, write) = release(None, (1..40).map(session).collect());
    one.commit_blocking(vec![Write::PutRelease(Box::new(write))]).unwrap();
    one.commit_blocking((0..300).map(|n| put(n, None, 1)).collect()).unwrap();
    let two = replica(dir.path(), 2);
    assert_eq!((two.ledger().unwrap(), agendas(&two)), (Some(ledger), agendas(&one)));
    drop(two);
    for n in 300..700 {
        one.commit_blocking(vec![put(n, None, 1)]).unwrap();
    }
    let two = replica(dir.path(), 2);
    assert_eq!(agendas(&two).len(), 700, "more entries than one answer has");
    assert_eq!(two.status().rebuilt, 0);
}

#[test]
fn a_copy_is_made_from_a_checkpoint_if_the_log_has_one() {
    let dir = tempfile::tempdir().unwrap();
    let name = dir.path().to_str().unwrap();
    let one = replica(dir.path(), 1);
    one.commit_blocking((0..500).map(|n| put(n, None, 1)).collect()).unwrap();
    let checkpoint = one.checkpoint().unwrap();
    one.commit_blocking(vec![put(500, None, 1)]).unwrap();
    sql(name, &format!("DELETE FROM callboard_log WHERE seq <= {checkpoint}"));
    one.commit_blocking(vec![put(501, None, 1)]).unwrap();
    let two = replica(dir.path(), 2);
    assert_eq!(agendas(&two), agendas(&one));
    assert_eq!((two.status().rebuilt, two.status().lost), (0, 0));
    two.commit_blocking(vec![put(502, None, 1)]).unwrap();
    drop(two);
    let two = replica(dir.path(), 2);
    assert_eq!(agendas(&two).len(), 503);
    // A replica that was away for so long that its next entries are gone fetches a new copy.
    drop(one);
    let checkpoint = two.checkpoint().unwrap();
    sql(name, &format!("DELETE FROM callboard_log WHERE seq <= {checkpoint}"));
    let one = replica(dir.path(), 1);
    assert_eq!(agendas(&one), agendas(&two));
}

#[test]
fn a_large_entry_is_cut_into_parts_and_read_whole() {
    let dir = tempfile::tempdir().unwrap();
    let one = replica(dir.path(), 1);
    // Bytes that zstd cannot compress.
    let mut x = 1_u32;
    let noise: Vec<u8> = (0..3_000_000)
        .map(|_| {
            x = x.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (x >> 24) as u8
        })
        .collect();
    one.commit_blocking(vec![Write::raw("noise", noise.clone())]).unwrap();
    one.commit_blocking(vec![put(1, None, 1)]).unwrap();
    let two = replica(dir.path(), 2);
    assert_eq!(two.raw("noise").unwrap(), Some(noise));
    assert!(two.agenda(&key(1)).unwrap().is_some());
}

#[test]
fn a_log_that_lost_entries_stops_the_replica_and_a_restart_fetches_a_new_copy() {
    let dir = tempfile::tempdir().unwrap();
    let name = dir.path().to_str().unwrap();
    let (one, two) = (replica(dir.path(), 1), replica(dir.path(), 2));
    one.commit_blocking(vec![put(1, None, 70)]).unwrap();
    wait("it is not followed", || two.agenda(&key(1)).unwrap().is_some());
    let kept = one.log_position().unwrap();
    one.commit_blocking(vec![put(1, Some(70), 90)]).unwrap();
    // As a standby that was behind when it was promoted.
    sql(name, &format!("DELETE FROM callboard_log WHERE seq > {kept}"));
    wait("the loss is not noticed", || one.replica().unwrap().has_diverged);
    assert!(matches!(one.commit_blocking(vec![put(2, None, 1)]), Err(CommitError::Unavailable(_))));
    assert_eq!(one.agenda(&key(1)).unwrap().unwrap().version, 90, "reads go on");
    assert!(one.failure().unwrap().contains("the log ends at entry"), "{:?}", one.failure());
    drop((one, two));

    let one = replica(dir.path(), 1);
    assert_eq!(one.agenda(&key(1)).unwrap().unwrap().version, 70);
    let lost = one.lost_numbers().unwrap().expect("the counters must be advanced");
    assert!(lost.agenda >= 90, "{lost:?}");
    assert!(dir.path().join("1/replaced/index").exists(), "the old copy is kept");
    one.advanced_past_lost_numbers().unwrap();
    one.commit_blocking(vec![put(1, Some(70), 91)]).unwrap();
    drop(one);
    assert_eq!(replica(dir.path(), 1).lost_numbers().unwrap(), None);
}

#[test]
fn an_entry_that_another_log_has_in_the_place_of_ours_is_noticed() {
    let dir = tempfile::tempdir().unwrap();
    let name = dir.path().to_str().unwrap();
    let (one, two) = (replica(dir.path(), 1), replica(dir.path(), 2));
    one.commit_blocking(vec![put(1, None, 1)]).unwrap();
    let position = one.log_position().unwrap();
    drop(one);
    wait("it is not followed", || two.log_position() == Some(position));
    drop(two);
    sql(name, &format!("DELETE FROM callboard_log WHERE seq >= {position}"));
    let three = replica(dir.path(), 3);
    three.commit_blocking(vec![put(1, None, 5)]).unwrap();
    assert_eq!(three.log_position(), Some(position));
    let one = replica(dir.path(), 1);
    assert_eq!(one.agenda(&key(1)).unwrap().unwrap().version, 5, "the log decides");
    assert!(one.lost_numbers().unwrap().is_some());
}

#[test]
fn a_data_directory_becomes_a_log_and_the_log_a_data_directory() {
    let dir = tempfile::tempdir().unwrap();
    let name = dir.path().to_str().unwrap();
    let (slug, database) = (slug(), database(name, "mover"));
    let (own, back) = (dir.path().join("own"), dir.path().join("back"));
    let store = Store::open(&own, &slug).unwrap();
    let (ledger, write) = release(None, (1..40).map(session).collect());
    store.commit_blocking(vec![Write::PutRelease(Box::new(write))]).unwrap();
    for chunk in 0..20 {
        store.commit_blocking((0..500).map(|n| put(chunk * 500 + n, None, 1)).collect()).unwrap();
    }
    let all = agendas(&store);
    store.close();
    drop(store);

    let position = Store::move_to_database(&own, &slug, &database).unwrap();
    assert!(matches!(Store::move_to_database(&own, &slug, &database), Err(MoveError::IsReplica)));
    let one = Store::open_replica(&own, &slug, StoreOptions::default(), &database).unwrap();
    assert_eq!((one.log_position(), one.status().rebuilt), (Some(position), 0));
    assert_eq!((agendas(&one), one.ledger().unwrap()), (all.clone(), Some(ledger.clone())));
    one.commit_blocking(vec![put(20_000, None, 1)]).unwrap();
    let two = replica(dir.path(), 2);
    assert_eq!(agendas(&two), agendas(&one));
    two.commit_blocking(vec![put(20_001, None, 1)]).unwrap();
    drop((one, two));

    // Another store does not go over this log.
    drop(Store::open(&back, &slug).unwrap());
    assert!(matches!(Store::move_to_database(&back, &slug, &database), Err(MoveError::HasLog(_))));
    std::fs::remove_dir_all(&back).unwrap();

    Store::move_from_database(&back, &slug, &database).unwrap();
    let store = Store::open(&back, &slug).unwrap();
    assert_eq!((store.agendas().count(), store.ledger().unwrap()), (all.len() + 2, Some(ledger)));
    store.commit_blocking(vec![put(20_002, None, 1)]).unwrap();
    drop(store);
    assert_eq!(verify(&back).unwrap().faults, []);
}
