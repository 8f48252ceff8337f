//! Replaying: all records after a sequence, in order, and what is wrong with them.

use super::{Record, SEGMENT_HEAD, Segment, Step, segments};
use std::io;
use std::path::Path;

/// What reading a journal found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(in super::super) struct Findings {
    /// The sequence of the last whole record; none where there is no segment.
    pub(in super::super) last: Option<u64>,
    /// The newest segment and where its whole records end, if writing can go on there.
    pub(in super::super) tail: Option<(Segment, u64)>,
    /// Whether there is anything that was on disk once and is not whole now.
    pub(in super::super) damaged: bool,
    /// Whether a write was cut short at the end, which nobody waited for.
    pub(in super::super) torn: bool,
    /// Records after the sequence that are not there, though later ones are.
    pub(in super::super) missing: u64,
}

/// What a store without a journal begins with: no record has this sequence, so that a journal that begins
/// with 1 is known to hold everything.
pub(in super::super) const WITHOUT_JOURNAL: u64 = 1;

impl Findings {
    /// The sequence that the journal reaches to.
    pub(in super::super) fn end(&self) -> u64 {
        self.last.unwrap_or(WITHOUT_JOURNAL)
    }
}

/// Hands every record after `after` to `take`, in order.
///
/// Segments that end before are not read; [`Findings`] are of the others.
pub(in super::super) fn replay<E: From<io::Error>>(
    dir: &Path,
    after: u64,
    mut take: impl FnMut(Record) -> Result<(), E>,
) -> Result<Findings, E> {
    let segments = segments(dir)?;
    let mut findings = Findings::default();
    let mut next = after.saturating_add(1);
    for (n, segment) in segments.iter().enumerate() {
        let follower = segments.get(n + 1);
        if follower.is_some_and(|follower| follower.first <= after.saturating_add(1)) {
            continue;
        }
        let mut reader = segment.reader()?;
        let length = std::fs::metadata(&segment.path)?.len();
        let is_last = follower.is_none();
        // A segment that a crash left while it was made holds nothing yet.
        let is_unborn = is_last && length < SEGMENT_HEAD as u64;
        findings.torn |= is_unborn;
        findings.damaged |= !reader.head_is_whole() && !is_unborn;
        let mut end = Some(length).filter(|_| reader.head_is_whole());
        // It was made when all before it were written.
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
                Step::Damage { .. } => {
                    findings.damaged = true;
                }
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
    use super::super::super::engine::EngineError;
    use super::super::{Changes, Journal};
    use super::*;
    use proptest::prelude::*;
    use std::fs::OpenOptions;

    fn groups() -> impl Strategy<Value = Vec<Vec<Changes>>> {
        let bytes = |most| prop::collection::vec(any::<u8>(), 0..most);
        let changes = prop::collection::btree_map(bytes(9), prop::option::of(bytes(60)), 0..4);
        prop::collection::vec(prop::collection::vec(changes, 0..5), 1..4)
    }

    /// Appends each group to a segment of its own.
    fn write(dir: &Path, groups: &[Vec<Changes>]) -> Vec<Record> {
        let mut written = Vec::new();
        for group in groups {
            let mut journal = Journal::open(dir, written.len() as u64, &Findings::default()).unwrap();
            for rows in group {
                let (sequence, _) = journal.append(rows).unwrap();
                written.push(Record { sequence, rows: rows.clone() });
            }
        }
        written
    }

    fn read(dir: &Path) -> (Vec<Record>, Findings) {
        let mut found = Vec::new();
        let findings = replay(dir, 0, |record| {
            found.push(record);
            Ok::<_, EngineError>(())
        });
        (found, findings.unwrap())
    }

    /// Cuts the last segment at a place, or an earlier one with all after it gone.
    fn truncate(dir: &Path, at: prop::sample::Index) {
        let segments = segments(dir).unwrap();
        let length = |segment: &Segment| usize::try_from(segment.path.metadata().unwrap().len()).unwrap();
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
        fn any_truncation_of_a_journal_reads_as_a_prefix_of_what_was_written_and_goes_on(
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
            let rows = Changes::from([(more, None)]);
            let (sequence, _) = Journal::open(dir.path(), end, &findings).unwrap().append(&rows).unwrap();
            found.push(Record { sequence, rows });
            let (again, findings) = read(dir.path());
            prop_assert_eq!(again, found);
            prop_assert!(!findings.damaged && !findings.torn, "{findings:?}");
        }
    }
}
