//! Reading segments: every whole record, and what lies between them told apart.
//!
//! A record that is not whole is the torn end of a write that nobody acknowledged only where nothing follows
//! it. Whatever is followed by a whole record was on disk once, and is damage.

use super::record::{HEAD, Head, Record};
use super::{SEGMENT_HEAD, Segment};
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};

/// How far a sequence may be ahead and still be looked at, in the search for the next whole record.
const AHEAD: u64 = 1 << 32;

/// The next thing in a segment.
#[derive(Debug, PartialEq, Eq)]
pub(in super::super) enum Step {
    Record(Record),
    /// Bytes that are no record, with whole records behind them.
    Damage {
        at: u64,
    },
    /// Bytes that are no record, and nothing whole behind them.
    Broken {
        at: u64,
    },
    End,
}

/// Reads one segment, a record in memory at a time.
pub(in super::super) struct Reader {
    file: BufReader<File>,
    length: u64,
    at: u64,
    last: u64,
    head_is_whole: bool,
}

impl Reader {
    pub(super) fn open(segment: &Segment) -> io::Result<Self> {
        let mut file = BufReader::with_capacity(256 * 1024, File::open(&segment.path)?);
        let length = file.get_ref().metadata()?.len();
        let mut head = [0; SEGMENT_HEAD];
        let at = length.min(SEGMENT_HEAD as u64);
        let read = usize::try_from(at).unwrap_or_default();
        file.read_exact(head.get_mut(..read).unwrap_or_default())?;
        let head_is_whole = read == SEGMENT_HEAD && super::is_head_of(&head, segment.first);
        Ok(Self { file, length, at, last: segment.first.saturating_sub(1), head_is_whole })
    }

    /// Whether the segment begins as it should. Its records stand for themselves.
    pub(super) fn head_is_whole(&self) -> bool {
        self.head_is_whole
    }

    pub(in super::super) fn step(&mut self) -> io::Result<Step> {
        if self.at == self.length {
            return Ok(Step::End);
        }
        match self.record()? {
            Some(record) => Ok(Step::Record(record)),
            None => self.search(),
        }
    }

    /// The record at `at`; the position is behind it, or undefined where there is none.
    fn record(&mut self) -> io::Result<Option<Record>> {
        let mut head = [0; HEAD];
        if self.length - self.at < HEAD as u64 {
            return Ok(None);
        }
        self.file.read_exact(&mut head)?;
        let head = Head::parse(&head);
        let end = self.at + (HEAD + head.length) as u64;
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

    /// Looks for the next whole record after bytes that are none.
    fn search(&mut self) -> io::Result<Step> {
        let from = self.at;
        self.file.seek(SeekFrom::Start(from))?;
        let mut rest = Vec::new();
        self.file.read_to_end(&mut rest)?;
        for (offset, head) in rest.windows(HEAD).enumerate().skip(1) {
            let Ok(head) = head.try_into().map(Head::parse) else { continue };
            if head.sequence <= self.last || head.sequence - self.last > AHEAD {
                continue;
            }
            let body = rest.get(offset + HEAD..).and_then(|rest| rest.get(..head.length));
            if body.and_then(|body| head.open(body)).is_some() {
                self.at = from + offset as u64;
                self.file.seek(SeekFrom::Start(self.at))?;
                return Ok(Step::Damage { at: from });
            }
        }
        self.at = self.length;
        Ok(Step::Broken { at: from })
    }
}
