//! Any bytes as a file on a bad disk: a segment of the journal, or a checkpoint.
//!
//! Bytes that start like one of these files are that file. Otherwise the first byte decides how the rest is used: as edits
//! of a valid file, or as records or lines with valid checksums. The result for a segment is compared with a second reader.
//! One file in [`OPENED`] is also opened as a store, which takes much longer.

use callboard::program::Slug;
use callboard::revision::Digest;
use callboard::store::{Store, Write, verify, verify_backup};
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::LazyLock;
use tempfile::TempDir;

const JOURNAL: &[u8] = include_bytes!("../../fixtures/store/v2/journal/whole.journal");
const CHECKPOINT: &[u8] = include_bytes!("../../fixtures/store/v2/checkpoint/whole.ndjson");
const SEGMENT_HEAD: usize = 32;
const RECORD_HEAD: usize = 16;

/// One file in this many is opened as a store.
const OPENED: u32 = 32;

/// The contents of a store after 0, 1, 2 … records of the valid segment.
static CONTENTS: LazyLock<Vec<BTreeSet<String>>> = LazyLock::new(|| {
    let ends = read(JOURNAL).records.into_iter().scan(SEGMENT_HEAD, |at, record| {
        *at += record.len();
        Some(*at)
    });
    let ends = [SEGMENT_HEAD].into_iter().chain(ends);
    ends.map(|end| contents(&open(lay(Some(&JOURNAL[..end]), None).path()).unwrap())).collect()
});

thread_local! {
    static DIR: TempDir = lay(None, None);
}

pub(super) fn run(bytes: &[u8]) {
    match bytes {
        [] | [b'c', ..] => journal(bytes),
        [b'{', ..] => checkpoint(bytes),
        [how, rest @ ..] => match how % 4 {
            0 => journal(&edited(JOURNAL, rest)),
            1 => journal(&sealed_records(rest)),
            2 => checkpoint(&edited(CHECKPOINT, rest)),
            _ => checkpoint(&sealed_lines(rest)),
        },
    }
}

/// Edits of three bytes: a position (u16) and the new byte. Two remaining bytes are the length to which the file is cut.
fn edited(whole: &[u8], edits: &[u8]) -> Vec<u8> {
    let mut bytes = whole.to_vec();
    for edit in edits.chunks(3) {
        match *edit {
            [high, low, byte] => {
                let place = usize::from(u16::from_be_bytes([high, low])) % whole.len();
                bytes[place] = byte;
            }
            [high, low] => bytes.truncate(u16::from_be_bytes([high, low]).into()),
            _ => {}
        }
    }
    bytes
}

/// Records: the step of the sequence, the length of the body (u16), and the body. Then the remaining bytes.
fn sealed_records(mut rest: &[u8]) -> Vec<u8> {
    let mut segment = JOURNAL[..SEGMENT_HEAD].to_vec();
    let mut sequence = 0;
    while let [step, high, low, after @ ..] = rest {
        let Some((body, after)) = after.split_at_checked(u16::from_be_bytes([*high, *low]).into()) else {
            break;
        };
        sequence += u64::from(*step);
        segment.extend(u32::try_from(body.len()).unwrap().to_le_bytes());
        segment.extend(checksum(sequence, body).to_le_bytes());
        segment.extend(sequence.to_le_bytes());
        segment.extend(body);
        rest = after;
    }
    segment.extend(rest);
    segment
}

fn checksum(sequence: u64, body: &[u8]) -> u32 {
    let length = u32::try_from(body.len()).unwrap();
    crc32c::crc32c(&[&length.to_le_bytes(), sequence.to_le_bytes().as_slice(), body].concat())
}

/// A checkpoint with these lines between a valid first and last line.
fn sealed_lines(lines: &[u8]) -> Vec<u8> {
    let head = CHECKPOINT.split_inclusive(|byte| *byte == b'\n').next().unwrap();
    let end: &[u8] = if lines.is_empty() || lines.ends_with(b"\n") { b"" } else { b"\n" };
    let mut file = [head, lines, end].concat();
    let records = file.iter().filter(|byte| **byte == b'\n').count() - 1;
    let digest = Digest::of(&file);
    file.extend(format!("{{\"records\":{records},\"sequence\":8,\"sha256\":\"{digest}\"}}\n").into_bytes());
    file
}

/// The contents of a segment.
#[derive(Debug, PartialEq, Eq)]
struct Read<'a> {
    /// The records with their heads.
    records: Vec<&'a [u8]>,
    /// Whether a record is damaged or missing.
    is_damaged: bool,
}

/// Reads the only segment of a journal by the description of its format.
fn read(segment: &[u8]) -> Read<'_> {
    let head = segment.get(..SEGMENT_HEAD);
    let mut read =
        Read { records: Vec::new(), is_damaged: head.is_some_and(|head| head != &JOURNAL[..SEGMENT_HEAD]) };
    let (mut at, mut last) = (head.map_or(segment.len(), <[u8]>::len), 0);
    while let Some((from, record, sequence)) = (at..segment.len()).find_map(|from| {
        let (record, sequence) = record(&segment[from..], last)?;
        // A sequence far ahead is only accepted directly after a record.
        (from == at || sequence - last <= 1 << 32).then_some((from, record, sequence))
    }) {
        read.is_damaged |= from != at || sequence != last + 1;
        read.records.push(record);
        (at, last) = (from + record.len(), sequence);
    }
    read
}

/// The record at the start of some bytes, and its sequence.
fn record(bytes: &[u8], last: u64) -> Option<(&[u8], u64)> {
    let number = |at: usize| Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().unwrap()));
    let (length, sum) = (number(0)?, number(4)?);
    let sequence = u64::from(number(8)?) | u64::from(number(12)?) << 32;
    let record = bytes.get(..RECORD_HEAD + usize::try_from(length).unwrap())?;
    let body = &record[RECORD_HEAD..];
    let is_whole = sequence > last && checksum(sequence, body) == sum && is_rows(body);
    is_whole.then_some((record, sequence))
}

/// Whether a body is keys and values with their lengths. A deleted row has no value.
fn is_rows(mut body: &[u8]) -> bool {
    let mut take = |length: usize| {
        let (taken, rest) = body.split_at_checked(length)?;
        body = rest;
        Some(taken)
    };
    loop {
        let Some(length) = take(2) else { return body.is_empty() };
        let row = (|| {
            take(u16::from_le_bytes(length.try_into().unwrap()).into())?;
            let length = u32::from_le_bytes(take(4)?.try_into().unwrap());
            if length == u32::MAX { Some(()) } else { take(length.try_into().unwrap()).map(drop) }
        })();
        if row.is_none() {
            return false;
        }
    }
}

fn journal(segment: &[u8]) {
    let read = read(segment);
    DIR.with(|dir| {
        let file = dir.path().join(SEGMENT);
        fs::write(&file, segment).unwrap();
        let found = verify(dir.path()).unwrap();
        assert_eq!(found.records, read.records.len() as u64, "{found:?}");
        assert_eq!(found.faults.is_empty(), !read.is_damaged, "{found:?}");
        assert_eq!(fs::read(&file).unwrap(), segment, "verify repairs nothing");
    });
    if !is_opened(segment) {
        return;
    }
    let dir = lay(Some(segment), None);
    let sound = self::read(JOURNAL).records;
    let opened = opened_twice(dir.path());
    // If all records come from the valid segment, the store has exactly their contents.
    if read.records.iter().all(|record| sound.contains(record)) {
        let found = opened.unwrap();
        match sound.strip_prefix(read.records.as_slice()) {
            Some(_) => assert_eq!(found, CONTENTS[read.records.len()]),
            None => assert!(
                found.iter().all(|fact| CONTENTS.iter().any(|known| known.contains(fact))),
                "{found:?}"
            ),
        }
    }
}

fn checkpoint(bytes: &[u8]) {
    let backup = DIR.with(|dir| {
        let file = dir.path().join("backup");
        fs::write(&file, bytes).unwrap();
        verify_backup(&file)
    });
    assert!(backup.is_ok() || bytes != CHECKPOINT);
    if let Ok(backup) = &backup {
        let lines: Vec<&[u8]> = bytes.split_inclusive(|byte| *byte == b'\n').collect();
        let (last, lines) = lines.split_last().unwrap();
        let tail: serde_json::Value = serde_json::from_slice(last).unwrap();
        assert_eq!(tail["sha256"], Digest::of(&lines.concat()).to_string());
        assert_eq!(tail["records"], lines.len() - 1);
        assert_eq!((&tail["records"], &tail["sequence"]), (&backup.records.into(), &backup.sequence.into()));
    }
    if !is_opened(bytes) {
        return;
    }
    let dir = lay(None, Some(bytes));
    let opened = opened_twice(dir.path());
    assert!(opened.is_err() || backup.is_ok(), "{opened:?}");
    if bytes == CHECKPOINT {
        assert_eq!(opened.as_ref(), Ok(CONTENTS.last().unwrap()));
    }
}

/// Whether the file is opened as a store. Decided by its bytes, so that an input always gives the same result.
fn is_opened(bytes: &[u8]) -> bool {
    crc32c::crc32c(bytes).is_multiple_of(OPENED)
}

/// The contents of a store that is opened, written to and opened again without a change.
fn opened_twice(dir: &Path) -> Result<BTreeSet<String>, String> {
    let store = open(dir)?;
    let before = contents(&store);
    let note = |value: &[u8]| Write::raw("later", value.to_vec());
    store.commit_blocking(vec![note(b"on")]).unwrap();
    drop(store);
    let store = open(dir).unwrap();
    assert_eq!(store.raw("later"), Ok(Some(b"on".to_vec())));
    assert_eq!(contents(&store), before);
    Ok(before)
}

fn open(dir: &Path) -> Result<Store, String> {
    Store::open(dir, &Slug::parse("srecon25americas").unwrap()).map_err(|error| error.to_string())
}

/// The readable contents of a store, as text.
fn contents(store: &Store) -> BTreeSet<String> {
    let agendas = store.agendas().filter_map(Result::ok).map(|agenda| format!("{agenda:?}"));
    let links = store.links().filter_map(Result::ok).map(|link| format!("{link:?}"));
    let others = [
        store.raw("taken-in").map(|note| format!("{note:?}")).ok(),
        store.release(1).map(|release| format!("{release:?}")).ok(),
        store.program_csv(1).map(|csv| format!("{csv:?}")).ok(),
        store.ledger().map(|ledger| format!("{ledger:?}")).ok(),
    ];
    agendas.chain(links).chain(others.into_iter().flatten()).collect()
}

const SEGMENT: &str = "journal/00000000000000000001.journal";

/// A data directory with only these files.
fn lay(journal: Option<&[u8]>, checkpoint: Option<&[u8]>) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (bytes, file) in [(journal, SEGMENT), (checkpoint, "checkpoints/00000000000000000008.ndjson")] {
        let file = dir.path().join(file);
        fs::create_dir(file.parent().unwrap()).unwrap();
        if let Some(bytes) = bytes {
            fs::write(file, bytes).unwrap();
        }
    }
    dir
}
