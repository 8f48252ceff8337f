//! Opening the index: verify it, apply the rest of the journal, and rebuild it if it cannot be trusted.
//!
//! An index is trusted if every value has its checksum and all rows match the tally. After the rest of the journal is
//! applied, the index must also be as new as the newest record in journal and checkpoints. Otherwise a new index is
//! built beside it from the newest undamaged checkpoint and the journal, and renamed into place. The damaged index is
//! kept, to be analysed. The database may abort the process or hang, so a file counts the openings that did not end.
//! After two of them, the next opening rebuilds the index.

use super::Engine;
use super::tally::{TALLY, Tally};
use crate::store::checkpoint;
use crate::store::checkpoint::{LoadError, load};
use crate::store::directory::{
    Places, drop_ballast, make_directory, remove_file, remove_tree, sync_directory,
};
use crate::store::error::StorageError;
use crate::store::journal::chain::{Chain, Position};
use crate::store::journal::record::JournalRecord;
use crate::store::journal::replay::{JournalFindings, WITHOUT_JOURNAL, replay};
use crate::store::journal::segment::{begin, segments};
use crate::store::rows::{RowChanges, is_whole};
use std::fs::DirBuilder;
use std::io;
use std::os::unix::fs::DirBuilderExt;

/// After this many openings in a row that did not end, the index is rebuilt instead of opened.
const MAX_OPENINGS: u8 = 2;

/// The damage that an opening found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in crate::store) struct Damage {
    /// The index was rebuilt.
    pub(in crate::store) rebuilt: bool,
    /// Journal or checkpoints are damaged. A new checkpoint repairs the damage.
    pub(in crate::store) copy_damaged: bool,
    /// Rows or journal records that are in neither copy.
    pub(in crate::store) lost: u64,
}

/// An open index, and the journal records that could not be applied to it.
pub(in crate::store) struct OpenedIndex {
    pub(in crate::store) engine: Engine,
    pub(in crate::store) tally: Tally,
    pub(in crate::store) findings: JournalFindings,
    pub(in crate::store) damage: Damage,
    /// The rest of the journal, if the disk had no room to apply it. Its rows override the rows of the index.
    pub(in crate::store) pending: RowChanges,
}

/// Opens the index. On a full disk it removes the ballast and tries again. If the disk is still full, the rest of the
/// journal stays in memory, so that the store can be read.
pub(in crate::store) fn open_with_fallback(
    places: &Places,
    cache_bytes: u64,
) -> Result<OpenedIndex, StorageError> {
    match open(places, cache_bytes, true) {
        Err(StorageError::Full) => drop_ballast(places),
        result => return result,
    }
    match open(places, cache_bytes, true) {
        Err(StorageError::Full) => open(places, cache_bytes, false),
        result => result,
    }
}

fn open(places: &Places, cache_bytes: u64, apply_journal: bool) -> Result<OpenedIndex, StorageError> {
    let copy = SecondCopy::of(places)?;
    if copy == SecondCopy::None && !places.index.exists() {
        // A crash while sled creates its files can leave files that never open. With a journal, even an empty one, the
        // next opening may replace them.
        begin(&places.journal)?;
    }
    let opened = open_or_rebuild(places, cache_bytes, apply_journal, copy);
    if copy == SecondCopy::Whole && matches!(opened, Err(StorageError::Panicked(_))) {
        write_attempts(places, MAX_OPENINGS)?; // the next process rebuilds the index at once
    }
    opened
}

fn open_or_rebuild(
    places: &Places,
    cache_bytes: u64,
    apply_journal: bool,
    copy: SecondCopy,
) -> Result<OpenedIndex, StorageError> {
    let attempts = attempts(places);
    let mut damage = Damage::default();
    let mut can_open = false;
    if copy == SecondCopy::None || (places.index.exists() && attempts < MAX_OPENINGS) {
        write_attempts(places, attempts + 1)?;
        let examined = examine(places, cache_bytes);
        if !matches!(examined, Err(StorageError::Panicked(_))) {
            write_attempts(places, 0)?; // the attempt ended, with or without success
        }
        match examined {
            Ok(found) if copy == SecondCopy::None || found.is_sound() => {
                match catch_up(places, found, &mut damage, apply_journal) {
                    Ok(opened)
                        if copy == SecondCopy::None
                            || opened.reached >= newest_sequence(places, &opened.findings)? =>
                    {
                        return finish(places, opened, damage);
                    }
                    Ok(opened) => {
                        // sled opens on an older or empty state without an error.
                        tracing::error!(reached = opened.reached, "the index is older than a checkpoint");
                        opened.engine.close();
                    }
                    Err(CatchUpError::Gap) => {
                        tracing::error!("the index is older than the beginning of the journal")
                    }
                    Err(CatchUpError::Engine(error)) => return Err(error),
                }
            }
            Ok(found) => {
                tracing::error!(damaged = found.damaged, "the index is damaged");
                found.engine.close();
                can_open = true;
            }
            Err(error @ (StorageError::Panicked(_) | StorageError::Full)) => return Err(error),
            Err(error) if copy == SecondCopy::None => return Err(error),
            Err(error) => tracing::error!(%error, "the index does not open"),
        }
    }
    damage.rebuilt = true;
    match rebuild(places, cache_bytes, &mut damage) {
        Ok(opened) => finish(places, opened, damage),
        Err(StorageError::Full) => Err(StorageError::Full),
        Err(error) if can_open => {
            tracing::error!(%error, "the index cannot be rebuilt; the undamaged records of the damaged index are served");
            let found = examine(places, cache_bytes)?;
            match catch_up(places, found, &mut damage, apply_journal) {
                Ok(opened) => finish(places, opened, Damage { rebuilt: false, ..damage }),
                Err(CatchUpError::Engine(error)) => Err(error),
                Err(CatchUpError::Gap) => Err(error),
            }
        }
        Err(error) => Err(error),
    }
}

fn finish(places: &Places, opened: CaughtUp, mut damage: Damage) -> Result<OpenedIndex, StorageError> {
    let CaughtUp { engine, tally, mut findings, pending, .. } = opened;
    remove_file(&places.attempts)?;
    if findings.damaged || findings.end() < tally.sequence {
        tracing::error!("the journal is damaged; the index has all its records");
        damage.copy_damaged = true;
        findings.tail = None;
    }
    if findings.torn {
        tracing::info!("the end of the journal was cut off, in a write that was not acknowledged");
    }
    Ok(OpenedIndex { engine, tally, findings, damage, pending })
}

/// Whether journal and checkpoints are a second copy of the index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum SecondCopy {
    None,
    /// There is a checkpoint, or a journal that begins with the first commit.
    Whole,
}

impl SecondCopy {
    fn of(places: &Places) -> io::Result<Self> {
        let has_checkpoint = !checkpoint::list(&places.checkpoints)?.is_empty();
        Ok(if has_checkpoint || is_whole_journal(places)? { Self::Whole } else { Self::None })
    }
}

/// Whether the journal begins with the first commit of the store.
pub(in crate::store) fn is_whole_journal(places: &Places) -> io::Result<bool> {
    Ok(segments(&places.journal)?.first().is_some_and(|segment| segment.first == 1))
}

/// The sequence of the newest record in journal and checkpoints.
pub(in crate::store) fn newest_sequence(places: &Places, journal: &JournalFindings) -> io::Result<u64> {
    let newest = checkpoint::list(&places.checkpoints)?.last().map_or(0, |checkpoint| checkpoint.sequence);
    Ok(journal.last.unwrap_or(0).max(newest))
}

/// An open index and the result of scanning it.
pub(in crate::store) struct ExaminedIndex {
    pub(in crate::store) engine: Engine,
    pub(in crate::store) counted: Tally,
    stored: Option<Tally>,
    pub(in crate::store) damaged: u64,
}

impl ExaminedIndex {
    pub(in crate::store) fn is_sound(&self) -> bool {
        let is_new = self.stored.is_none() && self.counted.rows == 0;
        self.damaged == 0 && (is_new || self.stored.is_some_and(|stored| stored.agrees_with(&self.counted)))
    }

    /// The sequence of the last journal record in the index.
    pub(in crate::store) fn sequence(&self) -> u64 {
        match self.stored {
            Some(stored) => stored.sequence,
            None if self.counted.rows == 0 => 0,
            None => WITHOUT_JOURNAL,
        }
    }
}

pub(in crate::store) fn examine(places: &Places, cache_bytes: u64) -> Result<ExaminedIndex, StorageError> {
    make_directory(&places.index)?;
    let engine = Engine::open(&places.index, cache_bytes)?;
    let shares = engine.scan(|(counted, damaged): &mut (Tally, u64), key, value| {
        counted.add(value);
        *damaged += u64::from(!is_whole(key, value));
    })?;
    let counted = shares.iter().fold(Tally::default(), |sum, (counted, _)| sum.plus(counted));
    let damaged = shares.iter().map(|(_, damaged)| damaged).sum();
    let stored = engine.value(TALLY)?.and_then(|value| Tally::parse(&value));
    Ok(ExaminedIndex { engine, counted, stored, damaged })
}

enum CatchUpError {
    /// The journal lacks the next record and has later records.
    Gap,
    Engine(StorageError),
}

impl<E: Into<StorageError>> From<E> for CatchUpError {
    fn from(error: E) -> Self {
        Self::Engine(error.into())
    }
}

/// An index to which the rest of the journal was applied.
struct CaughtUp {
    engine: Engine,
    tally: Tally,
    findings: JournalFindings,
    pending: RowChanges,
    /// The sequence of the last record, pending ones included.
    reached: u64,
}

/// Applies the rest of the journal to an index that is undamaged, or that has no second copy.
fn catch_up(
    places: &Places,
    found: ExaminedIndex,
    damage: &mut Damage,
    apply_journal: bool,
) -> Result<CaughtUp, CatchUpError> {
    let after = found.sequence();
    let ExaminedIndex { engine, counted, stored, damaged } = found;
    let mut tally = counted;
    (tally.sequence, tally.chain) = (after, stored.and_then(|stored| stored.chain));
    if damaged > 0 || stored.is_some_and(|stored| !stored.agrees_with(&counted)) {
        tracing::error!(damaged, "the store is damaged and has no second copy yet");
        damage.lost += damaged.max(1);
    }
    if stored != Some(tally) && tally.sequence > 0 {
        engine.apply(&RowChanges::new(), &tally)?;
        engine.sync()?;
    }
    let mut batches = JournalBatches { engine: &engine, tally, batch: RowChanges::new(), sequence: after };
    let mut next = after;
    let findings = replay(&places.journal, after, |record| {
        next += 1;
        if record.sequence != next {
            return Err(CatchUpError::Gap);
        }
        batches.add(record);
        if apply_journal {
            batches.write_if_large()?;
        }
        Ok(())
    })?;
    let (tally, pending) =
        if apply_journal { (batches.finish()?, RowChanges::new()) } else { (tally, batches.batch) };
    if next > after {
        tracing::info!(records = next - after, "the journal was ahead of the index");
    }
    Ok(CaughtUp { engine, tally, findings, pending, reached: next })
}

/// Builds a new index beside the old one and renames it into place.
fn rebuild(places: &Places, cache_bytes: u64, damage: &mut Damage) -> Result<CaughtUp, StorageError> {
    // A restored backup has no index, nor has a replica that was just added.
    match places.index.exists() {
        true => tracing::warn!("rebuilding the index from the newest checkpoint and the journal"),
        false => tracing::info!("building the index from the newest checkpoint and the journal"),
    }
    let (engine, Position { sequence: from, chain }) = load_newest(places, cache_bytes, damage)?;
    let mut tally = Tally::default();
    tally.chain = chain;
    let mut batches = JournalBatches { engine: &engine, tally, batch: RowChanges::new(), sequence: from };
    let findings = replay(&places.journal, from, |record| {
        batches.add(record);
        batches.write_if_large()
    })?;
    let held = batches.sequence;
    let chain = batches.finish()?.chain;
    // A checkpoint that cannot be loaded may be newer than all loaded records. Its sequences must not be used again.
    let reached = newest_sequence(places, &findings)?.max(held);
    damage.lost += findings.missing + (reached - held);
    let shares = engine.scan(|share: &mut Tally, _, value| share.add(value))?;
    let mut tally = shares.iter().fold(Tally::default(), Tally::plus);
    tally.sequence = reached;
    // Without the lost records, the hash of the log up to there is unknown.
    tally.chain = chain.filter(|_| reached == held);
    engine.apply(&RowChanges::new(), &tally)?;
    engine.sync()?;
    engine.close();

    remove_tree(&places.damaged_index)?;
    if places.index.exists() {
        std::fs::rename(&places.index, &places.damaged_index)?;
    }
    std::fs::rename(&places.new_index, &places.index)?;
    sync_directory(&places.dir)?;
    let engine = Engine::open(&places.index, cache_bytes)?;
    tracing::warn!(rows = tally.rows, lost = damage.lost, "the index was rebuilt");
    Ok(CaughtUp { engine, tally, findings, pending: RowChanges::new(), reached })
}

/// Builds a new index from the newest undamaged checkpoint. Returns the index and the checkpoint's position.
fn load_newest(
    places: &Places,
    cache_bytes: u64,
    damage: &mut Damage,
) -> Result<(Engine, Position), StorageError> {
    let checkpoints = checkpoint::list(&places.checkpoints)?;
    for checkpoint in checkpoints.iter().rev() {
        let engine = empty(places, cache_bytes)?;
        match load(&checkpoint.path, &engine) {
            Ok(summary) => return Ok((engine, summary.position())),
            Err(LoadError::Engine(error)) => return Err(error),
            Err(error) => {
                tracing::error!(checkpoint = %checkpoint.path.display(), %error, "a checkpoint cannot be loaded");
                damage.copy_damaged = true;
                engine.close();
            }
        }
    }
    if is_whole_journal(places)? {
        // The log of a replica without a checkpoint began in this copy.
        let chain = places.replica.exists().then_some(Chain::EMPTY);
        return Ok((empty(places, cache_bytes)?, Position { sequence: 0, chain }));
    }
    Err(StorageError::Failed("no undamaged checkpoint is left to rebuild it from".to_owned()))
}

fn empty(places: &Places, cache_bytes: u64) -> Result<Engine, StorageError> {
    remove_tree(&places.new_index)?;
    DirBuilder::new().mode(0o700).create(&places.new_index)?;
    Engine::open(&places.new_index, cache_bytes)
}

/// The number of rows after which a batch is written.
const ROWS_PER_BATCH: usize = 2000;

/// Applies records of the journal to an index, many in one batch, with the tally after them.
struct JournalBatches<'a> {
    engine: &'a Engine,
    tally: Tally,
    /// The rows that are not applied yet.
    batch: RowChanges,
    /// The sequence of the last record.
    sequence: u64,
}

impl JournalBatches<'_> {
    fn add(&mut self, record: JournalRecord) {
        self.tally.chain = self.tally.chain.and_then(|chain| chain.after_rows(record.sequence, &record.rows));
        self.sequence = record.sequence;
        self.batch.extend(record.rows);
    }

    fn write_if_large(&mut self) -> Result<(), StorageError> {
        if self.batch.len() >= ROWS_PER_BATCH { self.write() } else { Ok(()) }
    }

    fn write(&mut self) -> Result<(), StorageError> {
        let changes = std::mem::take(&mut self.batch);
        let before: Result<RowChanges, StorageError> =
            changes.keys().map(|key| Ok((key.clone(), self.engine.value(key)?))).collect();
        self.tally = self.tally.after(self.sequence, &before?, &changes);
        self.engine.apply(&changes, &self.tally)
    }

    fn finish(mut self) -> Result<Tally, StorageError> {
        // Records without rows have a sequence too.
        if self.tally.sequence != self.sequence {
            self.write()?;
        }
        Ok(self.tally)
    }
}

fn attempts(places: &Places) -> u8 {
    let written = std::fs::read_to_string(&places.attempts).ok();
    written.and_then(|text| text.trim().parse().ok()).unwrap_or(0)
}

fn write_attempts(places: &Places, attempts: u8) -> io::Result<()> {
    std::fs::write(&places.attempts, attempts.to_string())
}
