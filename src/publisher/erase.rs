//! Erasing the text of a withdrawn session from everything that is kept.
//!
//! Number, sequence and times stay, since the ledger never forgets; the line leaves every kept program file, the
//! one on the schedule too, and titles, people and texts leave every recorded change and every call that waits
//! in the spool. What stays is the slug of a speaker or room that the session named, since every address once
//! published keeps answering, and by whom a joined feed was left, until a thousand later departures.

use super::kept::{self, Kept};
use super::{PublishError, Published, Publisher, guard, spool};
use crate::import::{import, without_session};
use crate::program::{Session, SessionId, Text};
use crate::release::Release;
use crate::revision::{Ledger, Standing};
use crate::store::{Origin, ReleaseRecord, Write};
use std::sync::Arc;

/// What an erasure did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Erased {
    /// Releases that were rewritten.
    pub releases: usize,
}

impl Publisher {
    /// Erases a withdrawn session's text. Doing it twice does no harm, so one that a crash ended is repeated.
    ///
    /// # Errors
    /// [`PublishError::NotWithdrawn`] while it is published, [`PublishError::NoSession`] where it never was.
    pub async fn erase(self: &Arc<Self>, id: SessionId) -> Result<Erased, PublishError> {
        let this = Arc::clone(self);
        tokio::spawn(async move {
            let turn = this.turn.lock().await;
            let publisher = Arc::clone(&this);
            let erased = tokio::task::spawn_blocking(move || publisher.erase_blocking(&id)).await?;
            drop(turn);
            this.hold_schedule_again().await;
            erased
        })
        .await?
    }

    fn erase_blocking(self: &Arc<Self>, id: &SessionId) -> Result<Erased, PublishError> {
        let current = self.current();
        let no_session = || PublishError::NoSession { session: id.clone() };
        let entry = current.ledger.entries.get(id).ok_or_else(no_session)?;
        if entry.standing != Standing::Withdrawn {
            return Err(PublishError::NotWithdrawn { session: id.clone() });
        }
        let mut releases = 0;
        // The oldest first and each by itself: all of them together may be more than one commit takes.
        for summary in self.store.releases()? {
            let Some(mut record) = self.store.release(summary.number)? else { continue };
            let csv = self.store.program_csv(summary.number)?;
            let without = csv.as_deref().and_then(|csv| without_session(csv, id));
            let is_named = blank_changes(&mut record, id);
            if without.is_none() && !is_named {
                continue;
            }
            // Warnings quote the file.
            record.warnings = match without.as_ref().or(csv.as_ref()) {
                Some(csv) => kept::warnings(&import(csv, &Arc::new(record.conference.clone()))),
                None => Vec::new(),
            };
            spool::respool(&self.spool, &record).map_err(PublishError::Spool)?;
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
        let Kept { prepared, .. } = kept::of(&self.store, &ledger)?;
        if prepared.is_new {
            tracing::warn!("the release without the erased session waits for the next start");
        } else {
            let replaced = self.current.swap(Arc::new(Published::new(prepared.release, false)));
            self.behind(Some(replaced));
        }
        Ok(Erased { releases })
    }
}

impl Publisher {
    /// What was confirmed for the file on the schedule is confirmed for it without the line.
    fn erase_from_schedule(&self, current: &Release, id: &SessionId) -> Result<(), PublishError> {
        let Some((mut schedule, csv)) = self.store.schedule()? else { return Ok(()) };
        let Some(without) = without_session(&csv, id) else { return Ok(()) };
        let digest = |csv: &[u8]| guard::digest(csv, &self.conference(), current.number());
        if schedule.confirm.as_deref() == Some(digest(&csv).as_str()) {
            schedule.confirm = Some(digest(&without));
        }
        self.store.commit_blocking(vec![Write::schedule(schedule.clone(), without)])?;
        if schedule.held {
            // It still has the line: the caller weighs what the store holds now.
            self.state().held.let_go(Origin::Scheduled);
        } else {
            self.state().schedule = Some(schedule);
        }
        Ok(())
    }
}

/// Whether a change of the session was there.
fn blank_changes(record: &mut ReleaseRecord, id: &SessionId) -> bool {
    let mut is_named = false;
    for change in record.changes.iter_mut().filter(|change| change.session == *id) {
        is_named = true;
        for side in [&mut change.before, &mut change.after].into_iter().flatten() {
            *side = Arc::new(blank(side));
        }
    }
    is_named
}

/// The session with its id, time, kind and status alone.
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
