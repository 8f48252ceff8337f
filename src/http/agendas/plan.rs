//! Ranks of picks and busy times: what only the owner of an agenda sees, and no feed contains.

use super::owner::{Agendas, Effect, Owned};
use super::{AgendaError, checked_name, is_shown};
use crate::agenda::{Busy, MAX_BUSY, MAX_PICKS};
use crate::program::{Rank, SessionId};
use crate::release::Release;
use crate::store::{AgendaRecord, BusyRecord};
use chrono::SubsecRound;
use std::collections::BTreeMap;

impl Agendas {
    /// Ranks a session, and picks it if it was not picked. A repetition changes nothing.
    ///
    /// # Errors
    /// [`AgendaError::NoSuchSession`] if the session is neither picked nor shown, or another [`AgendaError`].
    pub async fn rank(
        &self,
        owned: Owned,
        expect: Option<u64>,
        session: &SessionId,
        rank: Rank,
        release: &Release,
    ) -> Result<Owned, AgendaError> {
        let is_known = is_shown(session, release);
        let (owned, ()) = self
            .change(owned, expect, |record, _| {
                let is_picked = record.picks.contains(session);
                if is_picked && record.rank(session) == rank {
                    return Ok(Effect::None(()));
                }
                if !is_picked && !is_known {
                    return Err(AgendaError::NoSuchSession);
                }
                if !is_picked && record.picks.len() >= MAX_PICKS {
                    return Err(AgendaError::TooManyPicks);
                }
                match rank {
                    Rank::Want => record.ranks.remove(session),
                    rank => record.ranks.insert(session.clone(), rank),
                };
                if is_picked {
                    return Ok(Effect::Private((), Vec::new()));
                }
                record.picks.push(session.clone());
                Ok(Effect::Public((), Vec::new()))
            })
            .await?;
        Ok(owned)
    }

    /// Adds busy times. Times that the agenda has already are not added again.
    ///
    /// # Errors
    /// [`AgendaError::BadBusy`], [`AgendaError::TooManyBusy`], or another [`AgendaError`].
    pub async fn add_busy(&self, owned: Owned, new: &[Busy]) -> Result<Owned, AgendaError> {
        self.change_busy(owned, None, |record| {
            let mut busy = record.busy.clone();
            for one in new.iter().map(checked_busy) {
                let one = one?;
                if !busy.iter().any(|known| (known.start, known.end) == (one.start, one.end)) {
                    busy.push(one);
                }
            }
            Ok(busy)
        })
        .await
    }

    /// Removes the busy time with a start and an end. A repetition changes nothing.
    ///
    /// # Errors
    /// [`AgendaError`].
    pub async fn remove_busy(&self, owned: Owned, start: i64, end: i64) -> Result<Owned, AgendaError> {
        self.change_busy(owned, None, |record| {
            let is_other =
                |busy: &&BusyRecord| (busy.start.timestamp(), busy.end.timestamp()) != (start, end);
            Ok(record.busy.iter().filter(is_other).cloned().collect())
        })
        .await
    }

    /// Replaces all busy times.
    ///
    /// # Errors
    /// As for [`Self::add_busy`].
    pub async fn replace_busy(
        &self,
        owned: Owned,
        expect: Option<u64>,
        busy: &[Busy],
    ) -> Result<Owned, AgendaError> {
        self.change_busy(owned, expect, |_| busy.iter().map(checked_busy).collect()).await
    }

    async fn change_busy(
        &self,
        owned: Owned,
        expect: Option<u64>,
        change: impl Fn(&AgendaRecord) -> Result<Vec<BusyRecord>, AgendaError>,
    ) -> Result<Owned, AgendaError> {
        let (owned, ()) = self
            .change(owned, expect, |record, _| {
                let mut busy = change(record)?;
                busy.sort();
                busy.dedup_by_key(|busy| (busy.start, busy.end));
                if busy.len() > MAX_BUSY {
                    return Err(AgendaError::TooManyBusy);
                }
                if busy == record.busy {
                    return Ok(Effect::None(()));
                }
                record.busy = busy;
                Ok(Effect::Private((), Vec::new()))
            })
            .await?;
        Ok(owned)
    }
}

/// A busy time in whole seconds, with a checked label.
fn checked_busy(busy: &Busy) -> Result<BusyRecord, AgendaError> {
    let (start, end) = (busy.start.trunc_subsecs(0), busy.end.trunc_subsecs(0));
    if end <= start {
        return Err(AgendaError::BadBusy);
    }
    Ok(BusyRecord { start, end, label: checked_name("label", &busy.label)? })
}

impl Owned {
    /// The ranks of picks other than [`Rank::Want`].
    pub fn ranks(&self) -> BTreeMap<SessionId, Rank> {
        let ranked = |pick: &SessionId| (pick.clone(), self.record.rank(pick));
        self.record.picks.iter().map(ranked).filter(|(_, rank)| *rank != Rank::Want).collect()
    }

    /// The busy times, sorted.
    pub fn busy(&self) -> Vec<Busy> {
        let busy =
            |record: &BusyRecord| Busy { start: record.start, end: record.end, label: record.label.clone() };
        self.record.busy.iter().map(busy).collect()
    }
}
