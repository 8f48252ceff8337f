//! Picks: one by one, or all of them at once.

use super::{AgendaError, Agendas, Outcome, Owned};
use crate::agenda::MOST_PICKS;
use crate::program::SessionId;
use crate::release::Release;
use std::collections::HashSet;

impl Agendas {
    /// Picks a session, a cancelled one too. Doing it again changes nothing.
    ///
    /// # Errors
    /// [`AgendaError::NoSuchSession`] where the program does not show it, and the others.
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
                    return Ok(Outcome::Same(()));
                }
                if !is_known {
                    return Err(AgendaError::NoSuchSession);
                }
                if record.picks.len() >= MOST_PICKS {
                    return Err(AgendaError::TooManyPicks);
                }
                record.picks.push(session.clone());
                Ok(Outcome::Seen((), Vec::new()))
            })
            .await?;
        Ok(owned)
    }

    /// Unpicks a session, one that the program no longer shows too. Doing it again changes nothing.
    ///
    /// # Errors
    /// [`AgendaError::NoSuchSession`] where it is neither picked nor shown, and the others.
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
                    true => Ok(Outcome::Seen((), Vec::new())),
                    false if is_known => Ok(Outcome::Same(())),
                    false => Err(AgendaError::NoSuchSession),
                }
            })
            .await?;
        Ok(owned)
    }

    /// Picks several at once; those that are picked already stay, and all of them or none are taken.
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
                let new = resolve(sessions, &record.picks, release)?;
                let before = record.picks.len();
                for session in new {
                    if !record.picks.contains(&session) {
                        record.picks.push(session);
                    }
                }
                if record.picks.len() > MOST_PICKS {
                    return Err(AgendaError::TooManyPicks);
                }
                let changed = record.picks.len() > before;
                Ok(if changed { Outcome::Seen((), Vec::new()) } else { Outcome::Same(()) })
            })
            .await?;
        Ok(owned)
    }

    /// Takes several picks back; what is not picked is no error.
    ///
    /// # Errors
    /// When the agenda or the store does not answer.
    pub async fn unpick_all(&self, owned: Owned, sessions: &[String]) -> Result<Owned, AgendaError> {
        let (owned, ()) = self
            .change(owned, None, |record, _| {
                let before = record.picks.len();
                record.picks.retain(|pick| !sessions.iter().any(|session| session == pick.as_str()));
                let changed = record.picks.len() < before;
                Ok(if changed { Outcome::Seen((), Vec::new()) } else { Outcome::Same(()) })
            })
            .await?;
        Ok(owned)
    }

    /// Notes that the owner has seen a release, so that later changes are pointed out.
    ///
    /// # Errors
    /// When the agenda or the store does not answer.
    pub async fn seen(&self, owned: Owned, release: u64) -> Result<(), AgendaError> {
        if owned.record.seen_release >= release {
            return Ok(());
        }
        self.change(owned, None, |record, _| {
            record.seen_release = record.seen_release.max(release);
            Ok(Outcome::Unseen((), Vec::new()))
        })
        .await?;
        Ok(())
    }

    /// Replaces all picks; duplicates collapse.
    ///
    /// # Errors
    /// [`AgendaError::UnknownSessions`] names each that the program does not show and that was not picked
    /// already, and the others.
    pub async fn replace_picks(
        &self,
        owned: Owned,
        expect: Option<u64>,
        picks: &[String],
        release: &Release,
    ) -> Result<Owned, AgendaError> {
        let (owned, ()) = self
            .change(owned, expect, |record, _| {
                let picks = resolve(picks, &record.picks, release)?;
                if picks == record.picks {
                    return Ok(Outcome::Same(()));
                }
                record.picks = picks;
                Ok(Outcome::Seen((), Vec::new()))
            })
            .await?;
        Ok(owned)
    }
}

impl Owned {
    /// The picks in program order; those that the program no longer shows stand behind, since none is lost.
    pub fn picks(&self, release: &Release) -> Vec<SessionId> {
        let mut picks = self.record.picks.clone();
        picks.sort_by_key(|id| match release.ledger.entries.get(id).filter(|entry| entry.is_visible()) {
            Some(entry) => (false, entry.session.slot.start, entry.session.slot.end, entry.number),
            None => (true, Default::default(), Default::default(), 0),
        });
        picks
    }
}

fn is_shown(session: &SessionId, release: &Release) -> bool {
    release.ledger.entries.get(session).is_some_and(crate::revision::Entry::is_visible)
}

/// Parses a list of ids in its order, each once. `held` are picked already and stay known.
pub(super) fn resolve(
    raw: &[String],
    held: &[SessionId],
    release: &Release,
) -> Result<Vec<SessionId>, AgendaError> {
    let held: HashSet<&SessionId> = held.iter().collect();
    let (mut seen, mut picks, mut unknown) = (HashSet::new(), Vec::new(), Vec::new());
    for text in raw {
        if !seen.insert(text) {
            continue;
        }
        match SessionId::parse(text).ok().filter(|id| held.contains(id) || is_shown(id, release)) {
            Some(id) => picks.push(id),
            None => unknown.push(text.chars().take(80).collect()),
        }
    }
    if !unknown.is_empty() {
        return Err(AgendaError::UnknownSessions(unknown));
    }
    if picks.len() > MOST_PICKS {
        return Err(AgendaError::TooManyPicks);
    }
    Ok(picks)
}
