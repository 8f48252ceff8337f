//! Opening a store from its second copy alone: a journal or a checkpoint of each format, whole and damaged.
//!
//! `tests/fixtures/store/v4/journal` and `checkpoint` have the files of [`fill`], whole and damaged by [`damages`].
//! `CALLBOARD_WRITE_FIXTURES=1 cargo test stay_the_same` writes the fixtures of the present format. The fixtures of
//! older formats never change.

use super::sample::{FORMATS, agenda, at, fixture, id, key, open, put, release, session, slug};
use callboard::revision::Digest;
use callboard::store::{LinkTarget, OpenError, Store, Write, verify};
use std::fs;

/// The sequence of the last record. The format is the first, and each commit is one.
const LAST: u64 = 8;

/// Writes a record of each kind, changes one and removes one, each in its own commit.
fn fill(store: &Store) {
    let (_, write) = release(None, vec![session(1), session(2)]);
    let commits = [
        Write::PutRelease(Box::new(write)),
        put(1, None, 2),
        put(1, Some(2), 3),
        put(2, None, 1),
        Write::DeleteAgenda { key: key(2), expect: Some(1) },
        Write::PutLink { hash: key(11), target: LinkTarget::Closed { at: at(1) } },
        Write::raw("taken-in", vec![0, 255]),
    ];
    commits.into_iter().for_each(|write| store.commit_blocking(vec![write]).unwrap());
}

/// A store's content: the version of agenda 1, and whether agenda 2, the link and the note exist.
fn content(store: &Store) -> (Option<u64>, bool, bool, bool) {
    let note = store.raw("taken-in").unwrap();
    assert!(note.is_none() || note == Some(vec![0, 255]));
    let first = store.agenda(&key(1)).unwrap();
    assert!(first.iter().all(|record| *record == agenda(record.version)), "torn: {first:?}");
    (
        first.map(|record| record.version),
        store.agenda(&key(2)).unwrap().is_some(),
        store.link(&key(11)).unwrap().is_some(),
        note.is_some(),
    )
}

const ALL: (Option<u64>, bool, bool, bool) = (Some(3), false, true, true);

/// The position of a journal record. The record after the last gives the end.
fn record(segment: &[u8], sequence: u64) -> usize {
    let head = b"callboard journal 1\n".len() + 12;
    (1..sequence).fold(head, |at, _| {
        let length = u32::from_le_bytes(segment[at..at + 4].try_into().unwrap());
        at + 16 + length as usize
    })
}

/// The files of the fixture, made from the whole ones.
fn damages(segment: &[u8], checkpoint: &str) -> Vec<(&'static str, Vec<u8>)> {
    let flipped = |at: usize| {
        let mut bytes = segment.to_vec();
        bytes[at] ^= 0x20;
        bytes
    };
    let (third, fourth) = (record(segment, 3), record(segment, 4));
    let lines: Vec<&str> = checkpoint.lines().collect();
    let joined = |lines: &[&str]| format!("{}\n", lines.join("\n")).into_bytes();
    vec![
        ("journal/whole.journal", segment.to_vec()),
        ("journal/torn-in-the-last-record.journal", segment[..segment.len() - 3].to_vec()),
        ("journal/torn-in-the-head.journal", segment[..7].to_vec()),
        ("journal/flipped-in-the-head.journal", flipped(2)),
        ("journal/flipped-in-the-third-record.journal", flipped(fourth - 5)),
        ("journal/flipped-in-the-last-record.journal", flipped(segment.len() - 5)),
        ("journal/without-the-third-record.journal", [&segment[..third], &segment[fourth..]].concat()),
        ("checkpoint/whole.ndjson", checkpoint.as_bytes().to_vec()),
        ("checkpoint/cut-in-the-middle.ndjson", checkpoint.as_bytes()[..checkpoint.len() / 2].to_vec()),
        ("checkpoint/without-its-end.ndjson", joined(&lines[..lines.len() - 1])),
        ("checkpoint/without-a-record.ndjson", joined(&[&lines[..2], &lines[3..]].concat())),
        ("checkpoint/flipped.ndjson", checkpoint.replacen("taken-in", "taken-io", 1).into_bytes()),
        (
            "checkpoint/of-a-later-version.ndjson",
            checkpoint.replacen("\"version\":4", "\"version\":5", 1).into_bytes(),
        ),
    ]
}

/// A data directory with fixtures of a format.
fn with_copies(format: u8, journal: Option<&str>, checkpoint: Option<&str>) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (name, at) in [
        (journal, "journal/00000000000000000001.journal"),
        (checkpoint, "checkpoints/00000000000000000008.ndjson"),
    ] {
        let to = dir.path().join(at);
        fs::create_dir(to.parent().unwrap()).unwrap();
        if let Some(name) = name {
            fs::copy(fixture(format, name), to).unwrap();
        }
    }
    dir
}

#[test]
fn journal_and_checkpoint_stay_the_same() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    fill(&store);
    assert_eq!(store.checkpoint().unwrap(), LAST);
    drop(store);
    let segment = fs::read(dir.path().join("journal/00000000000000000001.journal")).unwrap();
    let checkpoint = fs::read_to_string(dir.path().join("checkpoints/00000000000000000008.ndjson")).unwrap();
    assert_eq!(record(&segment, LAST + 1), segment.len());
    for (name, bytes) in damages(&segment, &checkpoint) {
        if std::env::var_os("CALLBOARD_WRITE_FIXTURES").is_some() {
            fs::create_dir_all(fixture(4, name).parent().unwrap()).unwrap();
            fs::write(fixture(4, name), &bytes).unwrap();
        }
        let found = Digest::of(&fs::read(fixture(4, name)).unwrap());
        assert_eq!(
            found,
            Digest::of(&bytes),
            "{name}: raise the format, unless every version that reads it reads this too"
        );
    }
}

#[test]
fn a_journal_alone_gives_its_whole_records_and_counts_missing_ones() {
    let before_the_last = (Some(3), false, true, false);
    let cases = [
        ("whole", ALL, 0),
        ("torn-in-the-last-record", before_the_last, 0),
        ("torn-in-the-head", (None, false, false, false), 0),
        ("flipped-in-the-head", ALL, 0),
        // The third record has version 2, which version 3 replaced. It counts as lost nevertheless.
        ("flipped-in-the-third-record", ALL, 1),
        // A damaged last record looks like a write that was not acknowledged. Only an index would show the difference.
        ("flipped-in-the-last-record", before_the_last, 0),
        ("without-the-third-record", ALL, 1),
    ];
    for (format, (name, expected, lost)) in
        FORMATS.into_iter().flat_map(|format| cases.map(|case| (format, case)))
    {
        let dir = with_copies(format, Some(&format!("journal/{name}.journal")), None);
        let store = open(dir.path());
        assert_eq!((content(&store), store.status().lost), (expected, lost), "{format} {name}");
        store.commit_blocking(vec![put(3, None, 1)]).unwrap();
        drop(store);
        let store = open(dir.path());
        assert_eq!(
            (content(&store), store.agendas().count()),
            (expected, 1 + usize::from(expected.0.is_some())),
            "{format} {name}"
        );
    }
}

#[test]
fn a_checkpoint_is_loaded_whole_or_refused() {
    for format in FORMATS {
        let dir = with_copies(format, None, Some("checkpoint/whole.ndjson"));
        let store = open(dir.path());
        assert_eq!((content(&store), store.status().lost, store.status().sequence), (ALL, 0, LAST));
        let (ledger, write) = release(None, vec![session(1), session(2)]);
        assert_eq!(store.ledger().unwrap(), Some(ledger));
        assert_eq!(store.program_csv(1).unwrap(), Some(write.csv.to_vec()));
        assert!(store.entry(&id(2)).unwrap().is_some());
    }
    let damaged = ["cut-in-the-middle", "without-its-end", "without-a-record", "flipped"];
    let damaged = FORMATS.into_iter().flat_map(|format| damaged.map(|name| (format, name)));
    for (format, name) in damaged.chain([(4, "of-a-later-version")]) {
        let name = format!("checkpoint/{name}.ndjson");
        let dir = with_copies(format, None, Some(&name));
        let error = Store::open(dir.path(), &slug()).unwrap_err();
        assert!(matches!(error, OpenError::Engine { .. }), "{format} {name}: {error}");
        assert!(error.to_string().contains("no undamaged checkpoint is left"), "{format} {name}: {error}");
        // A complete journal replaces the damaged checkpoint.
        let dir = with_copies(format, Some("journal/whole.journal"), Some(&name));
        let store = open(dir.path());
        assert_eq!((content(&store), store.status().lost), (ALL, 0), "{format} {name}");
    }
}

#[test]
fn a_checkpoint_of_a_newer_version_is_not_called_damaged() {
    let dir = with_copies(4, Some("journal/whole.journal"), Some("checkpoint/of-a-later-version.ndjson"));
    let error = verify(dir.path()).unwrap_err();
    assert!(matches!(error, OpenError::Newer { found: 5, known: 4, .. }), "{error}");
}
