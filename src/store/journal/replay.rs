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
