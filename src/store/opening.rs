//! Opening the index: verified, brought up to the end of the journal, and made anew where it is not to be
//! trusted.
//!
//! The index is trusted when every value has its checksum, all of them together have the tally that the
//! last group left, and with what the journal has beyond it, which is applied, it reaches as far as the journal
//! and the newest checkpoint do. Otherwise a new one is made beside it from the last whole checkpoint and the
//! journal, takes its place by a rename, and the damaged one is kept for whoever wants to look at it. An opening
//! that did not come to its end (a database that aborts or hangs) is noticed by the next one.

use super::applying::Applying;
use super::cell::is_whole;
use super::checkpoint;
use super::engine::{Engine, EngineError};
use super::files::{Places, drop_ballast, make_directory, remove_file, remove_tree, sync_directory};
use super::journal::{Findings, WITHOUT_JOURNAL, begin, replay, segments};
use super::plan::Changes;
use super::tally::{TALLY, Tally};
use std::fs::DirBuilder;
use std::io;
use std::os::unix::fs::DirBuilderExt;

/// After so many openings in a row that did not end the index is not opened again.
const ATTEMPTS: u8 = 2;

/// What opening met.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Health {
    /// The index was made anew.
    pub(super) rebuilt: bool,
    /// Something of the journal or a checkpoint is damaged: a new checkpoint makes it good.
    pub(super) copy_damaged: bool,
    /// Rows or records that are in neither copy.
    pub(super) lost: u64,
}

/// An index that is open and holds all that the journal has.
pub(super) struct Opened {
    pub(super) engine: Engine,
    pub(super) tally: Tally,
    pub(super) findings: Findings,
    pub(super) health: Health,
    /// What the journal has beyond the index, where there was no room to apply it: it goes before the index.
    pub(super) pending: Changes,
}

/// Opens the index, whatever it takes: on a full disk it takes the ballast, and where that is not enough what
/// the journal has beyond the index stays in memory, so that it can be read.
pub(super) fn open_somehow(places: &Places, cache_bytes: u64) -> Result<Opened, EngineError> {
    match open(places, cache_bytes, true) {
        Err(EngineError::Full) => drop_ballast(places),
        result => return result,
    }
    match open(places, cache_bytes, true) {
        Err(EngineError::Full) => open(places, cache_bytes, false),
        result => result,
    }
}

fn open(places: &Places, cache_bytes: u64, applies: bool) -> Result<Opened, EngineError> {
    let copy = Copy::of(places)?;
    if copy == Copy::None && !places.index.exists() {
        // A crash while sled makes its files can leave ones that never open: then there is a copy, of nothing.
        begin(&places.journal)?;
    }
    let opened = open_or_rebuild(places, cache_bytes, applies, copy);
    if copy == Copy::Whole && matches!(opened, Err(EngineError::Panicked(_))) {
        write_attempts(places, ATTEMPTS)?; // another process does not even try it
    }
    opened
}

fn open_or_rebuild(
    places: &Places,
    cache_bytes: u64,
    applies: bool,
    copy: Copy,
) -> Result<Opened, EngineError> {
    let attempts = attempts(places);
    let mut health = Health::default();
    let mut opens = false;
    if copy == Copy::None || (places.index.exists() && attempts < ATTEMPTS) {
        write_attempts(places, attempts + 1)?;
        let examined = examine(places, cache_bytes);
        if !matches!(examined, Err(EngineError::Panicked(_))) {
            write_attempts(places, 0)?; // it came to an end, whichever
        }
        match examined {
            Ok(found) if copy == Copy::None || found.is_sound() => {
                match catch_up(places, found, &mut health, applies) {
                    Ok(opened)
                        if copy == Copy::None || opened.reached >= reach(places, &opened.findings)? =>
                    {
                        return finish(places, opened, health);
                    }
                    Ok(opened) => {
                        // sled opens on an older state without a word, on an empty one too.
                        tracing::error!(reached = opened.reached, "the index lacks what a checkpoint has");
                        opened.engine.close();
                    }
                    Err(CatchUpError::Gap) => {
                        tracing::error!("the index is older than the journal reaches back")
                    }
                    Err(CatchUpError::Engine(error)) => return Err(error),
                }
            }
            Ok(found) => {
                let Found { damaged, .. } = &found;
                tracing::error!(damaged, "the index is not what was written");
                found.engine.close();
                opens = true;
            }
            Err(error @ (EngineError::Panicked(_) | EngineError::Full)) => return Err(error),
            Err(error) if copy == Copy::None => return Err(error),
            Err(error) => tracing::error!(%error, "the index does not open"),
        }
    }
    health.rebuilt = true;
    match rebuild(places, cache_bytes, &mut health) {
        Ok(opened) => finish(places, opened, health),
        Err(EngineError::Full) => Err(EngineError::Full),
        Err(error) if opens => {
            tracing::error!(%error, "the index cannot be made anew; what is whole in the damaged one is served");
            let found = examine(places, cache_bytes)?;
            match catch_up(places, found, &mut health, applies) {
                Ok(opened) => finish(places, opened, Health { rebuilt: false, ..health }),
                Err(CatchUpError::Engine(error)) => Err(error),
                Err(CatchUpError::Gap) => Err(error),
            }
        }
        Err(error) => Err(error),
    }
}

fn finish(places: &Places, opened: CaughtUp, mut health: Health) -> Result<Opened, EngineError> {
    let CaughtUp { engine, tally, mut findings, pending, .. } = opened;
    remove_file(&places.attempts)?;
    if findings.damaged || findings.end() < tally.sequence {
        tracing::error!("the journal is damaged; the index holds what it held");
        health.copy_damaged = true;
        findings.tail = None;
    }
    if findings.torn {
        tracing::info!("the end of the journal was cut off in the middle of a write that nobody waited for");
    }
    Ok(Opened { engine, tally, findings, health, pending })
}

/// What there is beside the index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Copy {
    None,
    /// Checkpoints, or a journal from the beginning.
    Whole,
}

impl Copy {
    fn of(places: &Places) -> io::Result<Self> {
        let has_checkpoint = !checkpoint::list(&places.checkpoints)?.is_empty();
        Ok(if has_checkpoint || is_whole_journal(places)? { Self::Whole } else { Self::None })
    }
}

/// Whether the journal goes back to the first commit.
pub(super) fn is_whole_journal(places: &Places) -> io::Result<bool> {
    Ok(segments(&places.journal)?.first().is_some_and(|segment| segment.first == 1))
}

/// The sequence of the last record that was ever written, as far as anything on disk tells.
pub(super) fn reach(places: &Places, journal: &Findings) -> io::Result<u64> {
    let newest = checkpoint::list(&places.checkpoints)?.last().map_or(0, |checkpoint| checkpoint.sequence);
    Ok(journal.last.unwrap_or(0).max(newest))
}

/// An open index and what a scan of it gave.
pub(super) struct Found {
    pub(super) engine: Engine,
    pub(super) counted: Tally,
    stored: Option<Tally>,
    pub(super) damaged: u64,
}

impl Found {
    pub(super) fn is_sound(&self) -> bool {
        let is_new = self.stored.is_none() && self.counted.rows == 0;
        self.damaged == 0 && (is_new || self.stored.is_some_and(|stored| stored.agrees_with(&self.counted)))
    }

    /// Of the last journal record that the index holds.
    pub(super) fn sequence(&self) -> u64 {
        match self.stored {
            Some(stored) => stored.sequence,
            None if self.counted.rows == 0 => 0,
            None => WITHOUT_JOURNAL,
        }
    }
}

pub(super) fn examine(places: &Places, cache_bytes: u64) -> Result<Found, EngineError> {
    make_directory(&places.index)?;
    let engine = Engine::open(&places.index, cache_bytes)?;
    let shares = engine.scan(|(counted, damaged): &mut (Tally, u64), key, value| {
        counted.add(value);
        *damaged += u64::from(!is_whole(key, value));
    })?;
    let counted = shares.iter().fold(Tally::default(), |sum, (counted, _)| sum.plus(counted));
    let damaged = shares.iter().map(|(_, damaged)| damaged).sum();
    let stored = engine.value(TALLY)?.and_then(|value| Tally::parse(&value));
    Ok(Found { engine, counted, stored, damaged })
}

enum CatchUpError {
    /// Records after the index's are missing, though there are later ones.
    Gap,
    Engine(EngineError),
}

impl<E: Into<EngineError>> From<E> for CatchUpError {
    fn from(error: E) -> Self {
        Self::Engine(error.into())
    }
}

/// An index and what the journal had for it.
struct CaughtUp {
    engine: Engine,
    tally: Tally,
    findings: Findings,
    pending: Changes,
    /// The sequence of the last record in it, pending ones too.
    reached: u64,
}

/// Applies what the journal has beyond a sound index, or one that there is no copy of.
fn catch_up(
    places: &Places,
    found: Found,
    health: &mut Health,
    applies: bool,
) -> Result<CaughtUp, CatchUpError> {
    let after = found.sequence();
    let Found { engine, counted, stored, damaged } = found;
    let mut tally = counted;
    tally.sequence = after;
    if damaged > 0 || stored.is_some_and(|stored| !stored.agrees_with(&counted)) {
        tracing::error!(damaged, "the store is damaged, and there is no second copy of it yet");
        health.lost += damaged.max(1);
    }
    if stored != Some(tally) && tally.sequence > 0 {
        engine.apply(&Changes::new(), &tally)?;
        engine.sync()?;
    }
    let mut applying = Applying { engine: &engine, tally, batch: Changes::new(), sequence: after };
    let mut next = after;
    let findings = replay(&places.journal, after, |record| {
        next += 1;
        if record.sequence != next {
            return Err(CatchUpError::Gap);
        }
        applying.hold(record);
        if applies {
            applying.write_if_large()?;
        }
        Ok(())
    })?;
    let (tally, pending) =
        if applies { (applying.finish()?, Changes::new()) } else { (tally, applying.batch) };
    if next > after {
        tracing::info!(records = next - after, "the journal was ahead of the index");
    }
    Ok(CaughtUp { engine, tally, findings, pending, reached: next })
}

/// Makes the index anew, beside the old one, and puts it in its place.
fn rebuild(places: &Places, cache_bytes: u64, health: &mut Health) -> Result<CaughtUp, EngineError> {
    tracing::warn!("making the index anew from the last checkpoint and the journal");
    let (engine, from) = load(places, cache_bytes, health)?;
    let mut applying =
        Applying { engine: &engine, tally: Tally::default(), batch: Changes::new(), sequence: from };
    let findings = replay(&places.journal, from, |record| {
        applying.hold(record);
        applying.write_if_large()
    })?;
    let held = applying.sequence;
    applying.finish()?;
    // More than this was written, if only its end is in a checkpoint that is of no use: its numbers are taken.
    let reached = reach(places, &findings)?.max(held);
    health.lost += findings.missing + (reached - held);
    let shares = engine.scan(|share: &mut Tally, _, value| share.add(value))?;
    let mut tally = shares.iter().fold(Tally::default(), Tally::plus);
    tally.sequence = reached;
    engine.apply(&Changes::new(), &tally)?;
    engine.sync()?;
    engine.close();

    remove_tree(&places.damaged_index)?;
    if places.index.exists() {
        std::fs::rename(&places.index, &places.damaged_index)?;
    }
    std::fs::rename(&places.new_index, &places.index)?;
    sync_directory(&places.dir)?;
    let engine = Engine::open(&places.index, cache_bytes)?;
    tracing::warn!(rows = tally.rows, lost = health.lost, "the index is made anew");
    Ok(CaughtUp { engine, tally, findings, pending: Changes::new(), reached })
}

/// A new index with the newest checkpoint that is whole, and the sequence of that.
fn load(places: &Places, cache_bytes: u64, health: &mut Health) -> Result<(Engine, u64), EngineError> {
    let checkpoints = checkpoint::list(&places.checkpoints)?;
    for checkpoint in checkpoints.iter().rev() {
        let engine = empty(places, cache_bytes)?;
        match checkpoint::load(&checkpoint.path, &engine) {
            Ok(summary) => return Ok((engine, summary.sequence)),
            Err(checkpoint::LoadError::Engine(error)) => return Err(error),
            Err(error) => {
                tracing::error!(checkpoint = %checkpoint.path.display(), %error, "a checkpoint is of no use");
                health.copy_damaged = true;
                engine.close();
            }
        }
    }
    if is_whole_journal(places)? {
        return Ok((empty(places, cache_bytes)?, 0));
    }
    Err(EngineError::Failed("no whole checkpoint is left to make it from".to_owned()))
}

fn empty(places: &Places, cache_bytes: u64) -> Result<Engine, EngineError> {
    remove_tree(&places.new_index)?;
    DirBuilder::new().mode(0o700).create(&places.new_index)?;
    Engine::open(&places.new_index, cache_bytes)
}

fn attempts(places: &Places) -> u8 {
    let written = std::fs::read_to_string(&places.attempts).ok();
    written.and_then(|text| text.trim().parse().ok()).unwrap_or(0)
}

fn write_attempts(places: &Places, attempts: u8) -> io::Result<()> {
    std::fs::write(&places.attempts, attempts.to_string())
}
