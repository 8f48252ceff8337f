//! Erases the text of a withdrawn session from everything that the server stores.
//!
//! Erased: the session's row in every stored program file and in the scheduled one; its title, people and texts in
//! every recorded change. Waiting deliveries hold no text. Kept: its number, sequence and times, since ledger entries
//! are never removed; the slugs of speakers and rooms, since published addresses keep working; and the last 1,000
//! departures, which keep Last-Modified of joined feeds from going back.

use super::{LiveRelease, PublishError, Publisher, StoredRelease, guard, warnings};
use crate::import::{import, without_session};
use crate::program::{Session, SessionId, Text};
use crate::release::Release;
use crate::revision::{EntryState, Ledger};
use crate::store::{Origin, ReleaseRecord, Write};
use std::sync::Arc;

/// The result of an erasure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ErasureResult {
    /// How many releases were rewritten.
    pub releases: usize,
}

impl Publisher {
    /// Erases a withdrawn session's text. An erasure that a crash interrupted can be repeated.
    ///
    /// # Errors
    /// [`PublishError::NotWithdrawn`] while it is published, [`PublishError::NoSession`] if it never was.
    pub async fn erase(self: &Arc<Self>, id: SessionId) -> Result<ErasureResult, PublishError> {
        let this = Arc::clone(self);
        tokio::spawn(async move {
            let turn = this.turn.lock().await;
            let publisher = Arc::clone(&this);
            let erased = tokio::task::spawn_blocking(move || publisher.erase_blocking(&id)).await?;
            drop(turn);
            this.restore_held_schedule().await;
            erased
        })
        .await?
    }

    fn erase_blocking(self: &Arc<Self>, id: &SessionId) -> Result<ErasureResult, PublishError> {
        let current = self.current();
        let no_session = || PublishError::NoSession { session: id.clone() };
        let entry = current.ledger.entries.get(id).ok_or_else(no_session)?;
        if entry.state != EntryState::Withdrawn {
            return Err(PublishError::NotWithdrawn { session: id.clone() });
        }
        let mut releases = 0;
        // Each release is rewritten in its own commit, since one commit may not have room for all.
        for summary in self.store.releases()? {
            let Some(mut record) = self.store.release(summary.number)? else { continue };
            let csv = self.store.program_csv(summary.number)?;
            let without = csv.as_deref().and_then(|csv| without_session(csv, id));
            let has_change = blank_changes(&mut record, id);
            if without.is_none() && !has_change {
                continue;
            }
            // Warnings may quote the erased row, so they are computed again.
            record.warnings = match without.as_ref().or(csv.as_ref()) {
                Some(csv) => warnings(&import(csv, &Arc::new(record.conference.clone()))),
                None => Vec::new(),
            };
            self.store
                .commit_blocking(vec![Write::RewriteRelease { record: Box::new(record), csv: without }])?;
            releases += 1;
        }
        self.erase_from_schedule(&current, id)?;
        let mut entry = entry.clone();
        entry.session = Arc::new(blank(&entry.session));
        entry.moved_from = None;
        self.store.commit_blocking(vec![Write::RewriteEntry { entry: Box::new(entry.clone()) }])?;
        let mut ledger: Ledger = current.ledger.clone();
        ledger.entries.insert(id.clone(), entry);
        let identity = &self.conference().identity;
        let StoredRelease { prepared, .. } = StoredRelease::load(&self.store, &ledger, identity)?;
        if prepared.is_new {
            tracing::warn!("the next start publishes the release without the erased session");
        } else {
            let replaced = self.current.swap(Arc::new(LiveRelease::new(prepared.release, false)));
            self.prepare_in_background(Some(replaced));
        }
        Ok(ErasureResult { releases })
    }

    /// Removes the session's row from the scheduled file. A confirmation of the file then confirms the shorter file.
    fn erase_from_schedule(&self, current: &Release, id: &SessionId) -> Result<(), PublishError> {
        let Some((mut schedule, csv)) = self.store.schedule()? else { return Ok(()) };
        let Some(without) = without_session(&csv, id) else { return Ok(()) };
        let digest = |csv: &[u8]| guard::digest(csv, &self.conference(), current.number());
        if schedule.confirm.as_deref() == Some(digest(&csv).as_str()) {
            schedule.confirm = Some(digest(&without));
        }
        self.store.commit_blocking(vec![Write::schedule(schedule.clone(), without)])?;
        if schedule.held {
            // The proposal in memory still has the row; the caller reads the scheduled file again.
            self.state().held.remove(Origin::Scheduled);
        } else {
            self.state().schedule = Some(schedule);
        }
        Ok(())
    }
}

/// Blanks the session in the record's changes. False if no change concerns it.
fn blank_changes(record: &mut ReleaseRecord, id: &SessionId) -> bool {
    let mut has_change = false;
    for change in record.changes.iter_mut().filter(|change| change.session == *id) {
        has_change = true;
        for side in [&mut change.before, &mut change.after].into_iter().flatten() {
            *side = Arc::new(blank(side));
        }
    }
    has_change
}

/// The session with nothing but id, time, kind and status.
fn blank(session: &Session) -> Session {
    let mut blank = session.clone();
    blank.title = Text::default();
    blank.slot.room = None;
    blank.track = None;
    blank.block = None;
    blank.speakers = Vec::new();
    blank.abstract_text = Text::default();
    blank.url = None;
    blank.links = Vec::new();
    blank
}
