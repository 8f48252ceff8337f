//! Picking and unpicking sessions, one by one or several at once.

use super::owner::{Agendas, Effect, Owned};
use super::{AgendaError, is_shown, resolve_picks};
use crate::agenda::MAX_PICKS;
use crate::program::SessionId;
use crate::release::Release;

impl Agendas {
    /// Picks a session, even a cancelled one. A repeated pick changes nothing.
    ///
    /// # Errors
    /// [`AgendaError::NoSuchSession`] if the program does not show the session, or another [`AgendaError`].
    pub async fn pick(
        &self,
        owned: Owned,
        expect: Option<u64>,
        session: &SessionId,
        release: &Release,
    ) -> Result<Owned, AgendaError> {
        let is_known = is_shown(session, release);
        let (owned, ()) = self
            .change(owned, expect, |record, _| {
                if record.picks.contains(session) {
                    return Ok(Effect::None(()));
                }
                if !is_known {
                    return Err(AgendaError::NoSuchSession);
                }
                if record.picks.len() >= MAX_PICKS {
                    return Err(AgendaError::TooManyPicks);
                }
                record.picks.push(session.clone());
                Ok(Effect::Public((), Vec::new()))
            })
            .await?;
        Ok(owned)
    }

    /// Unpicks a session, even one that the program no longer shows. A repetition changes nothing.
    ///
    /// # Errors
    /// [`AgendaError::NoSuchSession`] if the session is neither picked nor shown, or another [`AgendaError`].
    pub async fn unpick(
        &self,
        owned: Owned,
        expect: Option<u64>,
        session: &SessionId,
        release: &Release,
    ) -> Result<Owned, AgendaError> {
        let is_known = is_shown(session, release);
        let (owned, ()) = self
            .change(owned, expect, |record, _| {
                let before = record.picks.len();
                record.picks.retain(|pick| pick != session);
                match record.picks.len() < before {
                    true => Ok(Effect::Public((), Vec::new())),
                    false if is_known => Ok(Effect::None(())),
                    false => Err(AgendaError::NoSuchSession),
                }
            })
            .await?;
        Ok(owned)
    }

    /// Picks several sessions, all or none. Sessions that are picked already stay.
    ///
    /// # Errors
    /// [`AgendaError::UnknownSessions`] naming each, [`AgendaError::TooManyPicks`].
    pub async fn pick_all(
        &self,
        owned: Owned,
        expect: Option<u64>,
        sessions: &[String],
        release: &Release,
    ) -> Result<Owned, AgendaError> {
        let (owned, ()) = self
            .change(owned, expect, |record, _| {
                let new = resolve_picks(sessions, &record.picks, release)?;
                let before = record.picks.len();
                for session in new {
                    if !record.picks.contains(&session) {
                        record.picks.push(session);
                    }
                }
                if record.picks.len() > MAX_PICKS {
                    return Err(AgendaError::TooManyPicks);
                }
                let changed = record.picks.len() > before;
                Ok(if changed { Effect::Public((), Vec::new()) } else { Effect::None(()) })
            })
            .await?;
        Ok(owned)
    }

    /// Unpicks several sessions and ignores those that are not picked.
    ///
    /// # Errors
    /// [`AgendaError`].
    pub async fn unpick_all(&self, owned: Owned, sessions: &[String]) -> Result<Owned, AgendaError> {
        let (owned, ()) = self
            .change(owned, None, |record, _| {
                let before = record.picks.len();
                record.picks.retain(|pick| !sessions.iter().any(|session| session == pick.as_str()));
                let changed = record.picks.len() < before;
                Ok(if changed { Effect::Public((), Vec::new()) } else { Effect::None(()) })
            })
            .await?;
        Ok(owned)
    }

    /// Records that the owner has seen a release. Pages then point out only later changes.
    ///
    /// # Errors
    /// [`AgendaError`].
    pub async fn seen(&self, owned: Owned, release: u64) -> Result<(), AgendaError> {
        if owned.record.seen_release >= release {
            return Ok(());
        }
        self.change(owned, None, |record, _| {
            record.seen_release = record.seen_release.max(release);
            Ok(Effect::Private((), Vec::new()))
        })
        .await?;
        Ok(())
    }

    /// Replaces all picks; duplicates collapse.
    ///
    /// # Errors
    /// [`AgendaError::UnknownSessions`] names each session that is neither shown nor picked already; or another
    /// error.
    pub async fn replace_picks(
        &self,
        owned: Owned,
        expect: Option<u64>,
        picks: &[String],
        release: &Release,
    ) -> Result<Owned, AgendaError> {
        let (owned, ()) = self
            .change(owned, expect, |record, _| {
                let picks = resolve_picks(picks, &record.picks, release)?;
                if picks == record.picks {
                    return Ok(Effect::None(()));
                }
                record.picks = picks;
                Ok(Effect::Public((), Vec::new()))
            })
            .await?;
        Ok(owned)
    }
}

impl Owned {
    /// The picks in program order, followed by those that the program no longer shows.
    pub fn picks(&self, release: &Release) -> Vec<SessionId> {
        let mut picks = self.record.picks.clone();
        picks.sort_by_key(|id| match release.ledger.entries.get(id).filter(|entry| entry.is_visible()) {
            Some(entry) => (false, entry.session.slot.start, entry.session.slot.end, entry.number),
            None => (true, Default::default(), Default::default(), 0),
        });
        picks
    }
}
