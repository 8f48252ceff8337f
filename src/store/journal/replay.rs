//! Reads the journal: every whole record after a sequence, and a diagnosis of all other bytes.
//!
//! Bytes that are not a whole record are a torn end only if no whole record follows: then their write was never
//! acknowledged. Otherwise the bytes were on disk once and are damaged.

use super::record::{JournalRecord, RECORD_HEAD, RecordHead};
use super::segment::{JournalSegment, SEGMENT_HEAD, is_segment_head, segments};
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

/// The largest gap between sequences in the search for the next whole record.
const AHEAD: u64 = 1 << 32;

/// The next part of a segment.
#[derive(Debug, PartialEq, Eq)]
enum Step {
    Record(JournalRecord),
    /// Damaged bytes before a whole record.
    Damage,
    /// Damaged bytes without a whole record after them.
    Broken {
        at: u64,
    },
    End,
}

/// Reads one segment, with one record in memory at a time.
struct Reader {
    file: BufReader<File>,
    length: u64,
    at: u64,
    last: u64,
    /// Whether the segment's head is whole. The records can be read without the head.
    head_is_whole: bool,
}

impl Reader {
    fn open(segment: &JournalSegment) -> io::Result<Self> {
        let mut file = BufReader::with_capacity(256 * 1024, File::open(&segment.path)?);
        let length = file.get_ref().metadata()?.len();
        let mut head = [0; SEGMENT_HEAD];
        let at = length.min(SEGMENT_HEAD as u64);
        let read = usize::try_from(at).unwrap_or_default();
        file.read_exact(head.get_mut(..read).unwrap_or_default())?;
        let head_is_whole = read == SEGMENT_HEAD && is_segment_head(&head, segment.first);
        Ok(Self { file, length, at, last: segment.first.saturating_sub(1), head_is_whole })
    }

    fn step(&mut self) -> io::Result<Step> {
        if self.at == self.length {
            return Ok(Step::End);
        }
        match self.record()? {
            Some(record) => Ok(Step::Record(record)),
            None => self.search(),
        }
    }

    /// The record at `at`. The file's position is undefined if there is none.
    fn record(&mut self) -> io::Result<Option<JournalRecord>> {
        let mut head = [0; RECORD_HEAD];
        if self.length - self.at < RECORD_HEAD as u64 {
            return Ok(None);
        }
        self.file.read_exact(&mut head)?;
        let head = RecordHead::parse(&head);
        let end = self.at + (RECORD_HEAD + head.length) as u64;
        if end > self.length || head.sequence <= self.last {
            return Ok(None);
        }
        let mut body = vec![0; head.length];
        self.file.read_exact(&mut body)?;
        let record = head.open(&body);
        if record.is_some() {
            (self.at, self.last) = (end, head.sequence);
        }
        Ok(record)
    }

    /// Searches for the next whole record after damaged bytes.
    fn search(&mut self) -> io::Result<Step> {
        let from = self.at;
        self.file.seek(SeekFrom::Start(from))?;
        let mut rest = Vec::new();
        self.file.read_to_end(&mut rest)?;
        for (offset, head) in rest.windows(RECORD_HEAD).enumerate().skip(1) {
            let Ok(head) = head.try_into().map(RecordHead::parse) else { continue };
            if head.sequence <= self.last || head.sequence - self.last > AHEAD {
                continue;
            }
            let body = rest.get(offset + RECORD_HEAD..).and_then(|rest| rest.get(..head.length));
            if body.and_then(|body| head.open(body)).is_some() {
                self.at = from + offset as u64;
                self.file.seek(SeekFrom::Start(self.at))?;
                return Ok(Step::Damage);
            }
        }
        self.at = self.length;
        Ok(Step::Broken { at: from })
    }
}

/// Whether all bytes of a segment are undamaged.
pub(in crate::store) fn is_whole(segment: &JournalSegment) -> io::Result<bool> {
    let mut reader = Reader::open(segment)?;
    if !reader.head_is_whole {
        return Ok(false);
    }
    let mut next = segment.first;
    loop {
        match reader.step()? {
            Step::Record(record) if record.sequence == next => next += 1,
            Step::End => return Ok(true),
            _ => return Ok(false),
        }
    }
}

/// The state of a journal.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(in crate::store) struct JournalFindings {
    /// The sequence of the last whole record; none if there is no segment.
    pub(in crate::store) last: Option<u64>,
    /// The newest segment and the end of its whole records, if it can be appended to.
    pub(in crate::store) tail: Option<(JournalSegment, u64)>,
    /// Whether bytes are damaged that were on disk before.
    pub(in crate::store) damaged: bool,
    /// Whether the end is torn: a write that was not acknowledged.
    pub(in crate::store) torn: bool,
    /// The number of missing records before the last one.
    pub(in crate::store) missing: u64,
}

/// The sequence of a store that an old version wrote without a journal. The first record after the upgrade has the next
/// sequence, so only a complete journal begins with 1.
pub(in crate::store) const WITHOUT_JOURNAL: u64 = 1;

impl JournalFindings {
    /// The sequence at which the journal ends.
    pub(in crate::store) fn end(&self) -> u64 {
        self.last.unwrap_or(WITHOUT_JOURNAL)
    }
}

/// Calls `take` with every record after `after`, in order.
///
/// Segments that end at `after` or earlier are not read, and [`JournalFindings`] do not include them.
pub(in crate::store) fn replay<E: From<io::Error>>(
    dir: &Path,
    after: u64,
    mut take: impl FnMut(JournalRecord) -> Result<(), E>,
) -> Result<JournalFindings, E> {
    let segments = segments(dir)?;
    let mut findings = JournalFindings::default();
    let mut next = after.saturating_add(1);
    for (n, segment) in segments.iter().enumerate() {
        let follower = segments.get(n + 1);
        if follower.is_some_and(|follower| follower.first <= after.saturating_add(1)) {
            continue;
        }
        let mut reader = Reader::open(segment)?;
        let length = std::fs::metadata(&segment.path)?.len();
        let is_last = follower.is_none();
        // A crash during the creation of a segment leaves a file without a whole head.
        let is_unborn = is_last && length < SEGMENT_HEAD as u64;
        findings.torn |= is_unborn;
        findings.damaged |= !reader.head_is_whole && !is_unborn;
        let mut end = Some(length).filter(|_| reader.head_is_whole);
        // A segment is created only after all earlier records are on disk.
        findings.last = findings.last.max(segment.first.checked_sub(1));
        loop {
            match reader.step()? {
                Step::Record(record) => {
                    findings.last = Some(record.sequence);
                    if record.sequence <= after {
                        continue;
                    }
                    findings.missing += record.sequence.saturating_sub(next);
                    next = record.sequence.saturating_add(1);
                    take(record)?;
                }
                Step::Damage => findings.damaged = true,
                Step::Broken { at } => {
                    findings.torn |= is_last;
                    findings.damaged |= !is_last;
                    end = end.map(|_| at);
                    break;
                }
                Step::End => break,
            }
        }
        findings.tail = end.filter(|_| is_last).map(|end| (segment.clone(), end));
    }
    findings.damaged |= findings.missing > 0;
    Ok(findings)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::error::StorageError;
    use crate::store::journal::local::LocalJournal;
    use crate::store::rows::RowChanges;
    use proptest::prelude::*;
    use std::fs::OpenOptions;

    fn groups() -> impl Strategy<Value = Vec<Vec<RowChanges>>> {
        let bytes = |most| prop::collection::vec(any::<u8>(), 0..most);
        let changes = prop::collection::btree_map(bytes(9), prop::option::of(bytes(60)), 0..4);
        prop::collection::vec(prop::collection::vec(changes, 0..5), 1..4)
    }

    /// Appends each group to a new segment.
    fn write(dir: &Path, groups: &[Vec<RowChanges>]) -> Vec<JournalRecord> {
        let mut written = Vec::new();
        for group in groups {
            let mut journal =
                LocalJournal::open(dir, written.len() as u64, &JournalFindings::default()).unwrap();
            for rows in group {
                let (sequence, _) = journal.append(rows).unwrap();
                written.push(JournalRecord { sequence, rows: rows.clone() });
            }
        }
        written
    }

    fn read(dir: &Path) -> (Vec<JournalRecord>, JournalFindings) {
        let mut found = Vec::new();
        let findings = replay(dir, 0, |record| {
            found.push(record);
            Ok::<_, StorageError>(())
        });
        (found, findings.unwrap())
    }

    /// Cuts the journal at some byte: shortens the segment with that byte and removes the later segments.
    fn truncate(dir: &Path, at: prop::sample::Index) {
        let segments = segments(dir).unwrap();
        let length =
            |segment: &JournalSegment| usize::try_from(segment.path.metadata().unwrap().len()).unwrap();
        let mut left = at.index(segments.iter().map(length).sum::<usize>() + 1);
        for segment in segments {
            let kept = left.min(length(&segment));
            left -= kept;
            match kept {
                0 => std::fs::remove_file(&segment.path).unwrap(),
                _ => {
                    let file = OpenOptions::new().write(true).open(&segment.path).unwrap();
                    file.set_len(kept as u64).unwrap();
                }
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        #[test]
        fn a_truncated_journal_reads_as_a_prefix_and_can_be_appended_to(
            groups in groups(), at: prop::sample::Index, more in prop::collection::vec(any::<u8>(), 0..9)
        ) {
            let dir = tempfile::tempdir().unwrap();
            let written = write(dir.path(), &groups);
            prop_assert_eq!(read(dir.path()).0, written.clone());
            truncate(dir.path(), at);
            let (mut found, findings) = read(dir.path());
            prop_assert!(written.starts_with(&found), "{found:?} of {written:?}");
            prop_assert!(!findings.damaged && findings.missing == 0, "{findings:?}");

            let end = findings.last.unwrap_or(0);
            prop_assert_eq!(end, found.len() as u64);
            let rows = RowChanges::from([(more, None)]);
            let (sequence, _) = LocalJournal::open(dir.path(), end, &findings).unwrap().append(&rows).unwrap();
            found.push(JournalRecord { sequence, rows });
            let (again, findings) = read(dir.path());
            prop_assert_eq!(again, found);
            prop_assert!(!findings.damaged && !findings.torn, "{findings:?}");
        }
    }
}
