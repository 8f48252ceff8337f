//! Large releases, which are written in pieces before they are published.

use super::sample::{id, open, open_with, release, session, slug};
use callboard::program::{Session, Status, Text};
use callboard::revision::Ledger;
use callboard::store::{CommitError, ReleaseWrite, Store, StoreOptions, Write};
use std::path::Path;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

/// A store with about three sessions in a piece.
fn open_short(dir: &Path) -> Store {
    open_with(dir, StoreOptions { piece_bytes: 2000, ..StoreOptions::default() })
}

fn titled(title: &str) -> Vec<Session> {
    let mut sessions: Vec<_> = (1..=30).map(session).collect();
    sessions.iter_mut().for_each(|session| session.title = Text::from(title));
    sessions
}

fn put(write: ReleaseWrite) -> Vec<Write> {
    vec![Write::PutRelease(Box::new(write))]
}

fn publish(store: &Store, previous: Option<&Ledger>, sessions: Vec<Session>) -> Ledger {
    let (next, write) = release(previous, sessions);
    let write = store.release_write(previous, &next, write.record, write.csv);
    store.commit_blocking(vec![write]).unwrap();
    next
}

/// The number of rows of a table whose ids begin with a number.
fn rows(dir: &Path, table: u8, number: u64) -> usize {
    let prefix = [slug().as_str().as_bytes(), &[0, table], &number.to_be_bytes()].concat();
    super::raw(&dir.join("index")).scan_prefix(prefix).count()
}

/// Waits until all leftovers are removed, and closes the store.
fn close_without_leftovers(store: Store) {
    let (started, mut sequence) = (Instant::now(), store.status().sequence);
    let mut quiet = Instant::now();
    while quiet.elapsed() < Duration::from_secs(2) {
        assert!(started.elapsed() < Duration::from_secs(20), "it removes leftovers for 20 seconds");
        std::thread::sleep(Duration::from_millis(20));
        if store.status().sequence != sequence {
            (sequence, quiet) = (store.status().sequence, Instant::now());
        }
    }
    drop(store);
}

#[test]
fn a_release_in_pieces_replaces_the_ledger_before() {
    let dir = tempfile::tempdir().unwrap();
    let store = open_short(dir.path());
    let first = publish(&store, None, titled("First"));
    assert_eq!(store.ledger().unwrap().as_ref(), Some(&first));
    let record = store.release(1).unwrap().unwrap();
    assert_eq!((record.changes.len(), store.releases().unwrap()[0].changes), (30, 30));
    assert_eq!(store.release_conference(1).unwrap(), Some(record.conference));

    // A small release writes its changes beside the pieces.
    let mut sessions = titled("First");
    sessions[4].title = Text::from("Retitled");
    sessions.push(session(31));
    let second = publish(&store, Some(&first), sessions);
    assert_eq!(store.ledger().unwrap().as_ref(), Some(&second));
    assert_eq!(store.entry(&id(5)).unwrap().as_ref(), second.entries.get(&id(5)));
    assert_eq!(store.entry(&id(6)).unwrap().as_ref(), second.entries.get(&id(6)));

    let third = publish(&store, Some(&second), titled("Third"));
    assert_eq!(store.ledger().unwrap().as_ref(), Some(&third));
    assert_eq!(store.release(2).unwrap().unwrap().changes.len(), 2);
    close_without_leftovers(store);
    assert!(rows(dir.path(), b'g', 1) + rows(dir.path(), b'm', 1) == 0, "the first ledger is still there");
    assert!(rows(dir.path(), b'g', 3) > 5, "it is in pieces");
    assert_eq!(open_short(dir.path()).ledger().unwrap(), Some(third));
}

#[test]
fn a_ledger_in_pieces_replaces_single_records() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let first = publish(&store, None, titled("First"));
    drop(store);
    let store = open_short(dir.path());
    assert_eq!(store.ledger().unwrap().as_ref(), Some(&first));
    let second = publish(&store, Some(&first), titled("Second"));
    close_without_leftovers(store);
    for table in *b"efs" {
        let prefix = [slug().as_str().as_bytes(), &[0, table]].concat();
        assert_eq!(super::raw(&dir.path().join("index")).scan_prefix(prefix).count(), 0, "{}", table as char);
    }
    assert_eq!(open_short(dir.path()).ledger().unwrap(), Some(second));
}

/// Polls a commit until the store has written `steps` times, and abandons it as a crash would.
fn abandon(store: &Store, writes: Vec<Write>, steps: usize) -> Poll<Result<(), CommitError>> {
    let mut commit = pin!(store.commit(writes));
    let mut context = Context::from_waker(Waker::noop());
    for _ in 0..steps {
        let sequence = store.status().sequence;
        if let done @ Poll::Ready(_) = commit.as_mut().poll(&mut context) {
            return done;
        }
        let started = Instant::now();
        while store.status().sequence == sequence && started.elapsed() < Duration::from_secs(5) {
            std::thread::sleep(Duration::from_millis(1));
        }
    }
    Poll::Pending
}

#[test]
fn an_abandoned_publication_is_invisible_and_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let store = open_short(dir.path());
    let first = publish(&store, None, titled("First"));
    drop(store);
    for steps in [2, 3, 5, 10] {
        let store = open_short(dir.path());
        let (next, write) = release(Some(&first), titled("Never"));
        assert_eq!(abandon(&store, put(write.whole(&next)), steps), Poll::Pending);
        assert_eq!((store.ledger().unwrap().as_ref(), store.release_number()), (Some(&first), Ok(1)));
        assert_eq!((store.releases().unwrap().len(), store.release(2).unwrap()), (1, None));
        drop(store);
        let left: usize = [b'c', b'd', b'g', b'x'].map(|table| rows(dir.path(), table, 2)).iter().sum();
        assert!(left >= 1, "after {steps} steps nothing was written");
        close_without_leftovers(open_short(dir.path()));
        let left = [b'c', b'd', b'g', b'm', b'x'].map(|table| rows(dir.path(), table, 2));
        assert_eq!(left, [0; 5], "after {steps} steps");
    }
    // The next release of the same number does not contain the abandoned pieces either.
    let store = open_short(dir.path());
    let (next, write) = release(Some(&first), titled("Never"));
    assert_eq!(abandon(&store, put(write.whole(&next)), 10), Poll::Pending);
    let mut sessions = titled("First");
    sessions[0].title = Text::from("Retitled");
    let second = publish(&store, Some(&first), sessions);
    assert_eq!(store.ledger().unwrap().as_ref(), Some(&second));
    assert_eq!(store.release(2).unwrap().unwrap().changes.len(), 1);
    close_without_leftovers(store);
    assert_eq!([b'g', b'x'].map(|table| rows(dir.path(), table, 2)), [0; 2]);
    assert_eq!(open_short(dir.path()).ledger().unwrap(), Some(second));
}

#[test]
fn of_two_releases_in_pieces_after_the_same_one_the_second_conflicts() {
    let dir = tempfile::tempdir().unwrap();
    let store = open_short(dir.path());
    let first = publish(&store, None, titled("First"));
    let (one, write_one) = release(Some(&first), titled("One"));
    let (two, write_two) = release(Some(&first), titled("Two"));
    let publish_one = put(write_one.whole(&one));
    {
        // Two concurrent publications would mix their pieces.
        let mut commit = pin!(store.commit(publish_one.clone()));
        assert!(commit.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        let second = store.commit_blocking(put(write_two.clone().whole(&two)));
        assert_eq!(second, Err(CommitError::Conflict));
    }
    store.commit_blocking(publish_one).unwrap();
    assert_eq!(store.commit_blocking(put(write_two.whole(&two))), Err(CommitError::Conflict));
    assert_eq!(store.ledger().unwrap(), Some(one));
}

#[test]
fn no_text_of_an_erased_session_is_left_in_a_piece() {
    let dir = tempfile::tempdir().unwrap();
    let store = open_short(dir.path());
    let mut sessions = titled("First");
    sessions[6].title = Text::from("Secret words");
    let first = publish(&store, None, sessions.clone());
    sessions[6].status = Status::Withdrawn;
    let second = publish(&store, Some(&first), sessions);
    let mut entry = second.entries[&id(7)].clone();
    let mut blank = (*entry.session).clone();
    blank.title = Text::default();
    entry.session = blank.clone().into();
    let mut record = store.release(1).unwrap().unwrap();
    record
        .changes
        .iter_mut()
        .filter(|change| change.session == id(7))
        .for_each(|change| change.after = Some(blank.clone().into()));
    let mut later = store.release(2).unwrap().unwrap();
    later.changes.clear();
    let writes = vec![
        Write::RewriteRelease { record: Box::new(record.clone()), csv: None },
        Write::RewriteRelease { record: Box::new(later), csv: None },
        Write::RewriteEntry { entry: Box::new(entry.clone()) },
    ];
    store.commit_blocking(writes).unwrap();
    assert_eq!(store.release(1).unwrap(), Some(record));
    assert_eq!(store.ledger().unwrap().unwrap().entries[&id(7)], entry);
    let mut other = entry;
    other.revision.sequence += 1;
    let write = Write::RewriteEntry { entry: Box::new(other) };
    assert_eq!(store.commit_blocking(vec![write]), Err(CommitError::Conflict));
    drop(store);
    let db = super::raw(&dir.path().join("index"));
    let holds = |value: &[u8]| value.windows(6).any(|bytes| bytes == b"Secret");
    assert!(db.iter().all(|row| !holds(&row.unwrap().1)), "a row still holds the title");
}

#[test]
fn a_ledger_in_pieces_is_rebuilt_from_journal_and_checkpoint() {
    for has_checkpoint in [false, true] {
        let dir = tempfile::tempdir().unwrap();
        let store = open_short(dir.path());
        let first = publish(&store, None, titled("First"));
        let long = Write::raw("long", b"again and again ".repeat(2000));
        store.commit_blocking(vec![long]).unwrap();
        if has_checkpoint {
            store.checkpoint().unwrap();
        }
        let second = publish(&store, Some(&first), titled("Second"));
        let short = Write::raw("long", b"short".to_vec());
        store.commit_blocking(vec![short]).unwrap();
        drop(store);
        std::fs::remove_dir_all(dir.path().join("index")).unwrap();
        let store = open_short(dir.path());
        assert_eq!(store.ledger().unwrap(), Some(second));
        assert_eq!(store.raw("long").unwrap().as_deref(), Some(&b"short"[..]));
        assert_eq!((store.release(1).unwrap().unwrap().changes.len(), store.status().lost), (30, 0));
    }
}
