//! The shared journal: a log in a database, to which several replicas append, and this replica's copy of it.
//!
//! An entry counts once the database has it. The copy is a local journal with the same records under the same sequences;
//! it is not synced for each record, since the database has them. Invariant: the copy is a prefix of the log. A log that
//! is not a continuation of the copy has lost entries, and then nothing is appended any more.

use super::chain::Chain;
use super::local::{LocalJournal, too_large};
use super::record::{JournalRecord, body_of, encode, rows, with_head};
use super::{Appended, Followed};
use crate::store::database::log::{LogClient, LogEntry, LogRead, NewEntry, SharedLog, pack};
use crate::store::error::StorageError;
use crate::store::rows::RowChanges;
use std::time::{Duration, Instant};

/// How long an append waits for a database that went away in the middle of it. Afterwards the outcome is unknown until the
/// database is back.
const TIMEOUT: Duration = Duration::from_secs(4);

/// The time between two attempts to learn what became of an append.
const PAUSE: Duration = Duration::from_millis(50);

/// A shared log, with this replica's copy and its position.
pub(in crate::store) struct SharedJournal {
    log: SharedLog,
    copy: LocalJournal,
    /// The hash of the log up to the copy's last record.
    chain: Chain,
    /// Why the log is not used any more: it is not a continuation of the copy, or needs a newer version.
    stopped: Option<StorageError>,
}

impl SharedJournal {
    /// Continues after the last record of a copy.
    pub(in crate::store) fn new(log: SharedLog, copy: LocalJournal, chain: Chain) -> Self {
        Self { log, copy, chain, stopped: None }
    }

    pub(in crate::store) fn sequence(&self) -> u64 {
        self.copy.sequence()
    }

    pub(in crate::store) fn append(&mut self, changes: &RowChanges) -> Result<Appended, StorageError> {
        self.check()?;
        let sequence = self.sequence() + 1;
        let record = encode(sequence, changes).ok_or_else(too_large)?;
        let hash = self.chain.after(sequence, body_of(&record));
        let packed = pack(body_of(&record)).ok_or_else(too_large)?;
        let entry = NewEntry { sequence, before: self.chain, hash, packed };
        if !is_appended(&self.log, &entry)? {
            return Ok(Appended::Overtaken);
        }
        // If this fails, the copy is repaired, and the record is read from the log.
        self.copy.append_copy(&record)?;
        self.chain = hash;
        Ok(Appended::Ours { sequence, bytes: record.len() as u64, chain: Some(hash) })
    }

    pub(in crate::store) fn follow(&mut self) -> Result<Option<Followed>, StorageError> {
        self.check()?;
        let position = self.sequence();
        let LogRead { at, entries, has_more } = self.log.read(position)?;
        if let Err(cause) = is_continued(&self.log, position, self.chain, at)? {
            return Err(self.stop(StorageError::Diverged(cause)));
        }
        if entries.is_empty() {
            return Ok(None);
        }
        let (mut records, mut bytes) = (Vec::with_capacity(entries.len()), 0);
        let mut writers = Vec::with_capacity(entries.len());
        for LogEntry { sequence, hash, writer, body } in entries {
            let expected = self.sequence() + 1;
            if sequence != expected || self.chain.after(sequence, &body) != hash {
                let cause = format!("the log has entry {sequence} where entry {expected} belongs");
                return Err(self.stop(StorageError::Diverged(cause)));
            }
            let rows = rows(&body)
                .ok_or_else(|| StorageError::Failed(format!("entry {sequence} of the log cannot be read")))?;
            let record = with_head(sequence, &body).ok_or_else(too_large)?;
            self.copy.append_copy(&record)?;
            self.chain = hash;
            bytes += record.len() as u64;
            records.push(JournalRecord { sequence, rows });
            writers.push(writer);
        }
        Ok(Some(Followed { records, writers, bytes, chain: self.chain, has_more }))
    }

    pub(in crate::store) fn repair(&mut self) -> Result<(), StorageError> {
        self.check()?;
        self.copy.repair()
    }

    fn check(&self) -> Result<(), StorageError> {
        self.stopped.clone().map_or(Ok(()), Err)
    }

    /// Refuses all further use of the log, and returns the cause.
    pub(super) fn stop(&mut self, cause: StorageError) -> StorageError {
        self.stopped = Some(cause.clone());
        cause
    }
}

/// Appends an entry, and finds out what became of it if the reply is lost. False if another entry was first, or if the log
/// is not what this replica has read.
fn is_appended(log: &LogClient, entry: &NewEntry) -> Result<bool, StorageError> {
    let until = Instant::now() + TIMEOUT;
    let mut result = log.append(entry);
    if let Ok(is_first) = result {
        return Ok(is_first);
    }
    loop {
        match result {
            // An earlier attempt may have been first, whose reply was lost.
            Ok(false) => match log.has(entry.sequence, entry.hash) {
                Ok(found) => return Ok(found == Some(true)),
                Err(error) => result = Err(error),
            },
            Err(StorageError::Away(_)) if Instant::now() < until => {
                std::thread::sleep(PAUSE);
                result = log.append(entry);
            }
            result => return result,
        }
    }
}

/// Whether the log continues a copy that ends at `position` with `chain`. `at` is the hash of the log's entry there.
///
/// # Errors
/// The inner error says what the log lacks; the outer one, that it cannot be read.
pub(in crate::store) fn is_continued(
    log: &LogClient,
    position: u64,
    chain: Chain,
    at: Option<Chain>,
) -> Result<Result<(), String>, StorageError> {
    match at {
        Some(hash) if hash == chain => return Ok(Ok(())),
        Some(_) => return Ok(Err(format!("the log has another entry {position} than this replica"))),
        None if position == 0 => return Ok(Ok(())),
        None => {}
    }
    // Entries before a checkpoint are removed after a while, and a log that was made from a data directory begins with one.
    let checkpoints = log.checkpoints()?;
    if checkpoints.iter().any(|stored| stored.sequence == position && stored.hash == chain) {
        return Ok(Ok(()));
    }
    let last = log.ends()?.map_or(0, |(_, last)| last);
    let last = checkpoints.first().map_or(last, |newest| last.max(newest.sequence));
    Ok(Err(if last < position {
        format!("the log ends at entry {last}, and this replica has entry {position}")
    } else {
        format!("the log does not have entry {position} any more, where this replica's copy ends")
    }))
}
