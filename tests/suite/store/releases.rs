//! Publishing and reading releases and the ledger.

use super::sample::{conference, id, open, release, session};
use callboard::program::{Status, Text};
use callboard::store::{CommitError, Origin, Write};
use std::path::Path;

fn publish(write: callboard::store::ReleaseWrite) -> Vec<Write> {
    vec![Write::PutRelease(Box::new(write))]
}

#[test]
fn releases_and_the_ledger_are_read_back() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    assert_eq!((store.ledger(), store.release(1), store.release_number()), (Ok(None), Ok(None), Ok(0)));
    let (first, write) = release(None, (1..40).map(session).collect());
    let record = write.record.clone();
    store.commit_blocking(publish(write)).unwrap();
    drop(store);
    let store = open(dir.path());
    assert_eq!(store.ledger().unwrap().as_ref(), Some(&first));
    assert_eq!(store.release(1).unwrap().as_ref(), Some(&record));
    assert_eq!(store.program_csv(1).unwrap().as_deref(), Some(&b"release 1\n"[..]));
    assert_eq!(store.releases().unwrap(), [record.summary()]);
    assert_eq!((record.summary().changes, record.summary().warnings), (39, 1));

    // One session is removed and one is retitled. The ledger has both, and the first release is unchanged.
    let mut sessions: Vec<_> = (2..40).map(session).collect();
    sessions[0].title = Text::from("Retitled");
    let (second, write) = release(Some(&first), sessions);
    store.commit_blocking(publish(write)).unwrap();
    assert_eq!(store.ledger().unwrap(), Some(second));
    assert_eq!(store.release(1).unwrap(), Some(record));
    assert_eq!(store.release(2).unwrap().unwrap().origin, Origin::File);
    assert_eq!(store.releases().unwrap().iter().map(|r| r.number).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(store.release_number().unwrap(), 2);
}

#[test]
fn only_changes_are_written() {
    let (first, write) = release(None, (1..200).map(session).collect());
    assert_eq!((write.entries.len(), write.feeds.len(), write.expect), (199, 199, 0));
    assert_eq!(write.slugs, first.slugs);
    let mut sessions: Vec<_> = (1..200).map(session).collect();
    sessions[7].slot.room = Some(Text::from("Ballroom"));
    let (mut second, _) = release(Some(&first), sessions);
    second.feeds.remove("/sessions/session-3.ics").unwrap();
    let record = release(None, Vec::new()).1.record;
    let write = callboard::store::ReleaseWrite::between(Some(&first), &second, record, bytes::Bytes::new());
    assert_eq!(write.expect, 1);
    assert_eq!(write.entries.iter().map(|entry| &entry.session.id).collect::<Vec<_>>(), [&id(8)]);
    assert_eq!(write.feeds.keys().collect::<Vec<_>>(), ["/sessions/session-8.ics"]);
    assert_eq!(write.feeds_gone.iter().collect::<Vec<_>>(), ["/sessions/session-3.ics"]);
    assert_eq!(write.slugs.rooms.values().map(Text::as_str).collect::<Vec<_>>(), ["Ballroom"]);
    assert!(write.slugs.days.is_empty() && write.slugs.speakers.is_empty());
}

#[test]
fn a_removed_feed_mark_is_removed_from_the_store() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let (first, write) = release(None, vec![session(1), session(2)]);
    store.commit_blocking(publish(write)).unwrap();
    let (mut second, write) = release(Some(&first), vec![session(1), session(3)]);
    second.feeds.remove("/sessions/session-1.ics").unwrap();
    let write = callboard::store::ReleaseWrite::between(Some(&first), &second, write.record, write.csv);
    store.commit_blocking(publish(write)).unwrap();
    assert_eq!(store.ledger().unwrap(), Some(second));
}

#[test]
fn of_two_releases_after_the_same_one_the_second_conflicts() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let (first, write) = release(None, vec![session(1)]);
    store.commit_blocking(publish(write.clone())).unwrap();
    store.commit_blocking(publish(write)).unwrap(); // the same write again
    let (second, one) = release(Some(&first), vec![session(1), session(2)]);
    let (_, mut two) = release(Some(&first), vec![session(1), session(3)]);
    two.head.last_departure = two.head.published; // another release with the same number
    store.commit_blocking(publish(one)).unwrap();
    assert_eq!(store.commit_blocking(publish(two)), Err(CommitError::Conflict));
    assert_eq!(store.ledger().unwrap(), Some(second));
}

#[test]
fn no_text_of_an_erased_session_is_left() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let (first, write) = release(None, vec![session(1), session(2)]);
    store.commit_blocking(publish(write)).unwrap();
    let mut withdrawn = session(1);
    withdrawn.status = Status::Withdrawn;
    let (second, write) = release(Some(&first), vec![withdrawn.clone(), session(2)]);
    store.commit_blocking(publish(write)).unwrap();

    let mut record = store.release(1).unwrap().unwrap();
    record.changes.retain(|change| change.session != id(1));
    let mut entry = second.entries[&id(1)].clone();
    withdrawn.title = Text::from("Erased");
    entry.session = withdrawn.into();
    store
        .commit_blocking(vec![
            Write::RewriteRelease { record: Box::new(record.clone()), csv: Some(b"blank".to_vec()) },
            Write::RewriteEntry { entry: Box::new(entry.clone()) },
        ])
        .unwrap();
    assert_eq!(store.release(1).unwrap(), Some(record.clone()));
    assert_eq!(store.program_csv(1).unwrap().as_deref(), Some(&b"blank"[..]));
    assert_eq!(store.entry(&id(1)).unwrap(), Some(entry.clone()));
    assert_eq!(store.ledger().unwrap().unwrap().entries[&id(2)], second.entries[&id(2)]);

    // An erasure neither overwrites a later revision nor creates a release.
    entry.revision.sequence += 1;
    assert_eq!(
        store.commit_blocking(vec![Write::RewriteEntry { entry: Box::new(entry) }]),
        Err(CommitError::Conflict)
    );
    record.number = 9;
    let write = Write::RewriteRelease { record: Box::new(record), csv: None };
    assert_eq!(store.commit_blocking(vec![write]), Err(CommitError::Conflict));
}

#[test]
fn a_release_without_its_program_stays_in_the_list() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let (_, write) = release(None, vec![session(1)]);
    store.commit_blocking(publish(write)).unwrap();
    for _ in 0..2 {
        store
            .commit_blocking(vec![Write::DropReleaseText { n: 1 }, Write::DropReleaseText { n: 7 }])
            .unwrap();
    }
    assert_eq!(store.program_csv(1).unwrap(), None);
    let kept = store.release(1).unwrap().unwrap();
    assert_eq!((kept.complete, kept.changes.len(), kept.conference), (false, 1, conference()));
    assert_eq!(store.releases().unwrap().len(), 1);
}

/// The largest program that an import accepts, with a CSV of 20 MiB. sled must keep all pages in its log, since files under
/// `blobs/` are never synced.
#[test]
fn fifty_thousand_sessions_and_their_program_are_read_back() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let mut sessions: Vec<_> = (1..=50_000).map(session).collect();
    sessions[17].abstract_text = Text::from("Words. ".repeat(64 * 1024 / 7));
    let (ledger, mut write) = release(None, sessions);
    write.csv = (0..20 * 1024 * 1024u32).map(|n| (n % 251) as u8).collect::<Vec<_>>().into();
    let csv = write.csv.clone();
    let started = std::time::Instant::now();
    store.commit_blocking(publish(write.whole(&ledger))).unwrap();
    println!("written in {:?}", started.elapsed());
    drop(store);
    assert_eq!(blobs(dir.path()), 0);

    let started = std::time::Instant::now();
    let store = open(dir.path());
    println!("opened in {:?}", started.elapsed());
    assert!(store.ledger().unwrap() == Some(ledger), "another ledger came back");
    println!("read after {:?}", started.elapsed());
    assert!(store.program_csv(1).unwrap().is_some_and(|kept| kept == csv), "another program came back");
    assert_eq!(store.release(1).unwrap().unwrap().changes.len(), 50_000);
}

fn blobs(dir: &Path) -> usize {
    std::fs::read_dir(dir.join("index/blobs")).unwrap().count()
}
