//! The format on disk: newer versions read what older ones wrote, and older ones refuse a newer format.
//!
//! `tests/fixtures/store/v4/rows` has the keys and values of [`expected`] in format 4, one hexadecimal pair a line;
//! `pieces` has those of a ledger in pieces. `CALLBOARD_WRITE_FIXTURES=1` writes the fixtures of the present format. Those
//! of older formats never change.

use super::sample::{
    FORMATS, agenda, alike, at, conference, delivery, fixture, id, key, open, planned, reach, release,
    session, slug, subscriptions,
};
use callboard::program::{Slug, Speaker, Text, Track};
use callboard::revision::{Digest, Ledger};
use callboard::store::{
    LinkTarget, OpenError, ReadError, ReleaseRecord, ReleaseWrite, Store, StoreOptions, Write,
};
use std::path::Path;

/// A ledger with an entry, a mark and a slug of every kind.
fn expected() -> (Ledger, ReleaseRecord, Vec<Write>) {
    let named = |raw: &str| Slug::parse(raw).unwrap();
    let mut talk = session(1);
    talk.speakers = vec![Speaker {
        name: Text::from("Zoë Müller"),
        affiliation: Some(Text::from("Workday, Inc.")),
        role: None,
        bio: Text::default(),
    }];
    let (mut ledger, write) = release(None, vec![talk, session(2)]);
    let track = Track {
        name: Text::from("Track 1"),
        slug: named("track-1"),
        colour: "#1f6feb".to_owned().try_into().ok(),
        about: Text::default(),
        was: vec![named("main")],
    };
    ledger.slugs.tracks.insert(named("track-1"), track);
    ledger.slugs.track_aliases.insert(named("main"), named("track-1"));
    ledger.slugs.room_aliases.insert(named("hall"), named("room-1"));
    let write = ReleaseWrite::between(None, &ledger, write.record, write.csv);
    let record = write.record.clone();
    let link = |n, target| Write::PutLink { hash: key(n), target };
    let writes = vec![
        Write::PutRelease(Box::new(write)),
        Write::PutAgenda { key: key(1), expect: None, record: agenda(3) },
        Write::PutAgenda { key: key(2), expect: None, record: planned() },
        link(11, LinkTarget::Agenda(key(1))),
        link(12, LinkTarget::Closed { at: at(1) }),
        link(13, LinkTarget::Erased { at: at(2) }),
        Write::raw("taken-in", vec![0, 255]),
        Write::PutSubscriptions { key: key(1), expect: None, record: subscriptions(1) },
        Write::PutDelivery { id: "push-00ff".to_owned(), expect: None, record: Some(delivery(1)) },
        Write::PutReach { release: 1, expect: None, record: reach(1) },
    ];
    (ledger, record, writes)
}

fn hex(bytes: &[u8]) -> String {
    data_encoding::HEXLOWER.encode(bytes)
}

fn rows(dir: &Path) -> String {
    let db = super::raw(&dir.join("index"));
    let line = |(key, value): (sled::IVec, sled::IVec)| format!("{} {}\n", hex(&key), hex(&value));
    // Skips the tally, which sorts first and is not a record.
    db.range([1]..).map(|row| line(row.unwrap())).collect()
}

#[test]
fn format_4_stays_the_same() {
    let dir = tempfile::tempdir().unwrap();
    open(dir.path()).commit_blocking(expected().2).unwrap();
    let written = rows(dir.path());
    if std::env::var_os("CALLBOARD_WRITE_FIXTURES").is_some() {
        std::fs::create_dir_all(fixture(4, "")).unwrap();
        std::fs::write(fixture(4, "rows"), &written).unwrap();
    }
    assert!(
        written == std::fs::read_to_string(fixture(4, "rows")).unwrap(),
        "stored bytes changed: raise the format, unless every version that reads it reads these too"
    );
}

/// A store in an older format.
fn open_fixture(format: u8, dir: &Path) -> Store {
    open_rows(&fixture(format, "rows"), dir)
}

fn open_rows(rows: &Path, dir: &Path) -> Store {
    let db = super::raw(&dir.join("index"));
    for line in std::fs::read_to_string(rows).unwrap().lines() {
        let (key, value) = line.split_once(' ').unwrap();
        let bytes = |hex: &str| data_encoding::HEXLOWER.decode(hex.as_bytes()).unwrap();
        db.insert(bytes(key), bytes(value)).unwrap();
    }
    drop(db);
    open(dir)
}

#[test]
fn a_store_of_every_format_opens() {
    for format in FORMATS {
        let dir = tempfile::tempdir().unwrap();
        let store = open_fixture(format, dir.path());
        let (ledger, record, _) = expected();
        assert_eq!(store.ledger().unwrap(), Some(ledger));
        assert_eq!(store.release(1).unwrap(), Some(record));
        assert_eq!(store.program_csv(1).unwrap().as_deref(), Some(&b"release 1\n"[..]));
        assert_eq!(store.agenda(&key(1)).unwrap(), Some(agenda(3)));
        assert_eq!(store.agenda(&key(2)).unwrap(), (format >= 4).then(planned), "ranks came with format 4");
        let targets: Vec<_> = (11..=13).map(|n| store.link(&key(n)).unwrap().unwrap()).collect();
        let closed = [LinkTarget::Closed { at: at(1) }, LinkTarget::Erased { at: at(2) }];
        assert_eq!(targets, [&[LinkTarget::Agenda(key(1))], &closed[..]].concat());
        assert_eq!(store.linked_agenda(&key(11)).unwrap().agenda(), Ok(Some(agenda(3))));
        assert_eq!(store.raw("taken-in").unwrap(), Some(vec![0, 255]));
        // Older formats have no subscriptions and no deliveries.
        let is_new = format >= 4;
        assert_eq!(store.subscriptions(&key(1)).unwrap(), is_new.then(|| subscriptions(1)));
        assert_eq!(store.delivery("push-00ff").unwrap(), is_new.then(|| delivery(1)));
        assert_eq!(store.reach(1).unwrap(), is_new.then(|| reach(1)));
        assert_eq!(conference().slug, slug());
    }
}

/// A release in pieces, a small one after it, and a compressed note.
fn in_pieces(store: &Store) -> Ledger {
    let (first, write) = release(None, (1..=9).map(session).collect());
    store.commit_blocking(vec![Write::PutRelease(Box::new(write.whole(&first)))]).unwrap();
    let mut sessions: Vec<_> = (2..=10).map(session).collect();
    sessions[3].title = Text::from("Retitled");
    let (mut second, write) = release(Some(&first), sessions);
    second.feeds.remove("/sessions/session-2.ics");
    let write = ReleaseWrite::between(Some(&first), &second, write.record, write.csv);
    store.commit_blocking(vec![Write::PutRelease(Box::new(write))]).unwrap();
    second
}

const NOTE: [u8; 9000] = [7; 9000];

#[test]
fn the_format_of_a_ledger_in_pieces_stays_the_same() {
    let dir = tempfile::tempdir().unwrap();
    // Pieces this short are not compressed. Compressed bytes would depend on the version of zstd.
    let options = StoreOptions { piece_bytes: 2000, ..StoreOptions::default() };
    let store = Store::open_with(dir.path(), &slug(), options).unwrap();
    let expected = in_pieces(&store);
    drop(store);
    let written = rows(dir.path());
    let compressed = |line: &str| line.starts_with(&hex(b"srecon25americas\0nlong"));
    if std::env::var_os("CALLBOARD_WRITE_FIXTURES").is_some() {
        let other = tempfile::tempdir().unwrap();
        let note = Write::raw("long", NOTE.to_vec());
        open(other.path()).commit_blocking(vec![note]).unwrap();
        let note: String = rows(other.path()).lines().filter(|line| compressed(line)).collect();
        std::fs::write(fixture(4, "pieces"), written.clone() + &note + "\n").unwrap();
    }
    let kept = std::fs::read_to_string(fixture(4, "pieces")).unwrap();
    assert!(
        written.lines().eq(kept.lines().filter(|line| !compressed(line))),
        "stored bytes changed: raise the format, unless every version that reads it reads these too"
    );
    for format in [3, 4] {
        let dir = tempfile::tempdir().unwrap();
        let store = open_rows(&fixture(format, "pieces"), dir.path());
        assert_eq!(store.ledger().unwrap(), Some(expected.clone()));
        assert_eq!(store.release(1).unwrap().unwrap().changes.len(), 9);
        assert_eq!(store.entry(&id(5)).unwrap().as_ref(), expected.entries.get(&id(5)));
        assert_eq!(store.raw("long").unwrap().as_deref(), Some(&NOTE[..]));
    }
}

/// The number of records in a table, and the stored format.
fn counted(dir: &Path, table: u8) -> (usize, String) {
    let rows = rows(dir);
    let begins = |table: u8| hex(&[slug().as_str().as_bytes(), &[0, table]].concat());
    let of = |table| rows.lines().filter(move |line| line.starts_with(&begins(table)));
    let format = of(b'v').next().unwrap();
    (of(table).count(), format.get(format.len() - 2..).unwrap().to_owned())
}

#[test]
fn the_first_written_link_raises_format_1() {
    let dir = tempfile::tempdir().unwrap();
    let all = |store: &Store| store.links().map(|link| link.unwrap().0).collect::<Vec<Digest>>();
    let store = open_fixture(1, dir.path());
    let mut links = all(&store);
    store.commit_blocking(vec![super::sample::put(2, None, 1)]).unwrap();
    drop(store);
    assert_eq!(counted(dir.path(), b'l'), (3, hex(b"1")), "other writes keep format 1");

    let store = open(dir.path());
    let closed = LinkTarget::Closed { at: at(3) };
    store.commit_blocking(vec![Write::PutLink { hash: key(11), target: closed }]).unwrap();
    store.commit_blocking(vec![Write::DropLink { hash: key(12) }]).unwrap();
    assert_eq!((store.link(&key(11)), store.link(&key(12))), (Ok(Some(closed)), Ok(None)));
    links.retain(|hash| *hash != key(12));
    let mut left = all(&store);
    left.sort();
    assert_eq!(left, links);
    drop(store);
    assert_eq!(counted(dir.path(), b'l'), (1, hex(b"4")));
    assert_eq!(counted(dir.path(), b'k'), (1, hex(b"4")));
}

#[test]
fn the_first_rank_raises_format_3() {
    let dir = tempfile::tempdir().unwrap();
    let store = open_fixture(3, dir.path());
    let put = |record| vec![Write::PutAgenda { key: key(2), expect: None, record }];
    store.commit_blocking(vec![super::sample::put(3, None, 1)]).unwrap();
    drop(store);
    assert_eq!(counted(dir.path(), b'a'), (2, hex(b"3")), "an agenda without ranks keeps format 3");
    let store = open(dir.path());
    store.commit_blocking(put(planned())).unwrap();
    assert_eq!(store.agenda(&key(2)).unwrap(), Some(planned()));
    drop(store);
    assert_eq!(counted(dir.path(), b'a'), (3, hex(b"4")));
}

#[test]
fn links_with_the_same_first_bits_share_a_record() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let to = |n: u8| LinkTarget::Agenda(key(n.into()));
    // Each record needs several parts. Some records are written in one commit, others one by one.
    let put = |n| Write::PutLink { hash: alike(n), target: to(n) };
    store.commit_blocking((0..60).map(put).collect()).unwrap();
    (60..120).for_each(|n| store.commit_blocking(vec![put(n)]).unwrap());
    assert!((0..120).all(|n| store.link(&alike(n)) == Ok(Some(to(n)))));
    assert_eq!((store.link(&alike(120)), store.links().count()), (Ok(None), 120));
    store.commit_blocking((1..120).map(|n| Write::DropLink { hash: alike(n) }).collect()).unwrap();
    let left: Vec<_> = store.links().map(Result::unwrap).collect();
    assert_eq!(left, [(alike(0), to(0))]);
    store.commit_blocking(vec![Write::DropLink { hash: alike(0) }]).unwrap();
    assert_eq!(store.links().count(), 0);
    drop(store);
    assert_eq!(counted(dir.path(), b'k').0, 0, "an empty record is removed");
}

fn tamper(dir: &Path, table: u8, change: impl Fn(&mut Vec<u8>)) {
    super::tamper(dir, slug().as_str(), table, change);
}

#[test]
fn a_newer_format_is_refused_before_any_record_is_read() {
    let dir = tempfile::tempdir().unwrap();
    open(dir.path()).commit_blocking(expected().2).unwrap();
    tamper(dir.path(), b'v', |value| value[0] = 5);
    let error = Store::open(dir.path(), &slug()).unwrap_err();
    assert!(matches!(error, OpenError::Newer { found: 5, known: 4, .. }), "{error}");
    assert!(error.to_string().contains("run the newer callboard"), "{error}");
    // The failed opening leaves the directory unlocked.
    tamper(dir.path(), b'v', |value| value[0] = 1);
    open(dir.path());
}

#[test]
fn newer_and_damaged_records_are_errors() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    store.commit_blocking(expected().2).unwrap();
    drop(store);
    tamper(dir.path(), b'a', |value| value[0] = 9);
    tamper(dir.path(), b'k', |value| *value.last_mut().unwrap() ^= 1);
    let store = open(dir.path());
    let newer = ReadError::Newer { what: "agenda", found: 9, known: 4 };
    assert_eq!(store.agenda(&key(1)), Err(newer.clone()));
    assert_eq!(store.agendas().next(), Some(Err(newer)));
    assert!(matches!(store.link(&key(11)), Err(ReadError::Damaged { what: "read link", .. })));
    assert_eq!(store.links().count(), 3, "each is returned");
    // A compare-and-set cannot overwrite a record that it could not read.
    let write = Write::PutAgenda { key: key(1), expect: None, record: agenda(1) };
    assert!(store.commit_blocking(vec![write]).is_err());
    assert!(store.status().writable);
    assert!(store.entry(&id(1)).unwrap().is_some());
}

#[test]
fn a_damaged_note_can_be_replaced_and_removed() {
    for write in
        [Write::raw("taken-in", vec![1, 2]), Write::PutRaw { name: "taken-in".to_owned(), value: None }]
    {
        let dir = tempfile::tempdir().unwrap();
        let store = open(dir.path());
        // The note has several parts. None of them may be left.
        let value = vec![7; 20_000];
        store.commit_blocking(vec![Write::raw("taken-in", value)]).unwrap();
        drop(store);
        tamper(dir.path(), b'n', |value| *value.last_mut().unwrap() ^= 1);
        let store = open(dir.path());
        assert!(matches!(store.raw("taken-in"), Err(ReadError::Damaged { what: "note", .. })));
        store.commit_blocking(vec![write.clone()]).unwrap();
        let expected = match &write {
            Write::PutRaw { value, .. } => value.clone(),
            _ => None,
        };
        assert_eq!(store.raw("taken-in"), Ok(expected.clone()));
        drop(store);
        let left = super::raw(&dir.path().join("index"))
            .scan_prefix([slug().as_str().as_bytes(), b"\0n"].concat())
            .count();
        assert_eq!(left, usize::from(expected.is_some()), "a part of the damaged note is left");
    }
}
