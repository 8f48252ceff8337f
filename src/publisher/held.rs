//! Held releases on several replicas: an organizer can confirm or discard a held release on any of them.
//!
//! The store has a record for each source of a held release, and its program in another one. Each replica compares the
//! program with the live release itself, so all show the same changes and the same digest. Two kinds are not shared
//! here: a changed config, which each replica holds itself, and a scheduled program, which has a record of its own.

use super::publish::{CheckedProposal, hold};
use super::status::{HeldProposal, StoredHolds};
use super::{HoldReason, PublishError, Publisher};
use crate::adopt::SheetDoubt;
use crate::revision::Digest;
use crate::store::{HeldRecord, HeldSource, NamedRecord, Origin, RecordName, Store, Write};
use std::sync::Arc;

impl Publisher {
    /// The digest of what is held from a source.
    pub(super) fn held_digest(&self, origin: Origin) -> Option<String> {
        let state = self.state();
        let source = HeldSource::of(origin)?;
        let mut held = state.held.all().iter();
        held.find(|held| HeldSource::of(held.origin) == Some(source)).map(|held| held.digest.clone())
    }

    /// Records that a source has a program that was published as `release`: nothing is held from it any more, and its last
    /// failure is over. True if there was one. The caller holds the turn.
    pub(super) async fn note_published(&self, origin: Origin, release: u64) -> bool {
        let (held, live) = (self.held_digest(origin), self.current().number());
        let had_failed = {
            let mut state = self.state();
            state.held.remove(origin);
            match release == live {
                true => state.record_recovery(self.clock.now(), origin, live),
                false => state.forget_failure(origin),
            }
        };
        self.share_held(origin, held).await;
        had_failed
    }

    /// Stores for the other replicas what is held from a source, if that is not what was held `before`. The caller
    /// holds the turn.
    pub(super) async fn share_held(&self, origin: Origin, before: Option<String>) {
        let Some(source) = HeldSource::of(origin).filter(|_| self.store.is_shared()) else { return };
        let now = self.held_digest(origin);
        if now == before {
            return;
        }
        let writes = match now.as_deref().and_then(|digest| self.state().held.find(digest).cloned()) {
            Some(held) => put(source, held, self.state().held_source),
            None => drop_held(source).to_vec(),
        };
        match self.store.commit(writes).await {
            Ok(()) => {
                let mut state = self.state();
                match now {
                    Some(digest) => _ = state.stored_holds.insert(source, digest),
                    None => _ = state.stored_holds.remove(&source),
                }
            }
            Err(error) => tracing::warn!(%error, "other replicas do not show what is held"),
        }
    }

    /// The writes that remove what is held from a source.
    pub(super) fn drop_held_writes(&self, origin: Origin) -> Vec<Write> {
        match HeldSource::of(origin).filter(|_| self.store.is_shared()) {
            Some(source) => drop_held(source).to_vec(),
            None => Vec::new(),
        }
    }

    /// The writes that remove everything that is held: a new release is made.
    pub(super) fn drop_all_held_writes(&self) -> Vec<Write> {
        let stored = self.state().stored_holds.clone();
        stored.into_keys().flat_map(drop_held).collect()
    }

    /// Holds what other replicas hold, and no more what they do not. Does nothing if nothing changed.
    pub(super) async fn refresh_held(self: &Arc<Self>) -> Result<(), PublishError> {
        let live = self.current().number();
        if self.store.read(move |store| stored_holds(store, live)).await? == self.state().stored_holds {
            return Ok(());
        }
        let _turn = self.turn.lock().await;
        let live = self.current().number();
        let stored = self.store.read(move |store| stored_holds(store, live)).await?;
        let known = std::mem::replace(&mut self.state().stored_holds, stored.clone());
        for source in HeldSource::ALL {
            let (was, is) = (known.get(&source), stored.get(&source));
            if was == is {
                continue;
            }
            self.state().held.remove_from(source);
            if is.is_some() {
                self.hold_again(source).await?;
            }
        }
        Ok(())
    }

    /// Compares a held program of another replica with the live release, and holds it too.
    async fn hold_again(self: &Arc<Self>, source: HeldSource) -> Result<(), PublishError> {
        let read =
            move |store: &Store| Ok::<_, PublishError>((store.held(source)?, store.held_program(source)?));
        let (Some(record), Some(csv)) = self.store.read(read).await? else { return Ok(()) };
        let doubts = serde_json::from_value(record.doubts).unwrap_or_default();
        match self.check(&csv, None, doubts).await {
            Ok(CheckedProposal { base, prepared, report, confirmed: Err(verdict) }) => {
                let PublishError::Held(held) = hold(verdict, report, prepared, csv, base.number()) else {
                    return Ok(());
                };
                let mut state = self.state();
                if source == HeldSource::Source {
                    state.held_source = record.source;
                }
                state.held.add(HeldProposal::of(record.at, record.origin, &held));
            }
            // The guard of another config holds it.
            Ok(_) => {}
            Err(error) => {
                tracing::warn!(%error, "a release that another replica holds has errors on this one");
            }
        }
        Ok(())
    }

    /// Holds a scheduled program that another replica has held at its time, or no more if it is gone.
    pub(super) async fn refresh_held_schedule(self: &Arc<Self>) {
        let is_held = matches!(self.store.schedule(), Ok(Some((schedule, _))) if schedule.held);
        if is_held == self.state().held.has(Origin::Scheduled) {
            return;
        }
        if is_held {
            return self.restore_held_schedule().await;
        }
        let _turn = self.turn.lock().await;
        if !matches!(self.store.schedule(), Ok(Some((schedule, _))) if schedule.held) {
            self.state().held.remove(Origin::Scheduled);
        }
    }
}

/// The held releases in the store that were compared with the live release.
fn stored_holds(store: &Store, live: u64) -> Result<StoredHolds, PublishError> {
    let mut found = StoredHolds::new();
    for source in HeldSource::ALL {
        if let Some(held) = store.held(source)?.filter(|held| held.base == live) {
            found.insert(source, held.digest);
        }
    }
    Ok(found)
}

fn put(source: HeldSource, held: HeldProposal, from: Option<Digest>) -> Vec<Write> {
    let doubts = held.reasons.iter().filter_map(|reason| match reason {
        HoldReason::Source(doubt) => Some(*doubt),
        _ => None,
    });
    let doubts: Vec<SheetDoubt> = doubts.collect();
    let record = HeldRecord {
        at: held.at,
        origin: held.origin,
        digest: held.digest,
        base: held.base,
        // A list of enums with numbers always has a JSON form.
        doubts: serde_json::to_value(doubts).unwrap_or_default(),
        source: from.filter(|_| source == HeldSource::Source),
    };
    vec![NamedRecord::Held(source, record).into(), NamedRecord::HeldProgram(source, held.csv).into()]
}

fn drop_held(source: HeldSource) -> [Write; 2] {
    [Write::DropNamed(RecordName::Held(source)), Write::DropNamed(RecordName::HeldProgram(source))]
}
