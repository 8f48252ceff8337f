//! Operations on agendas for the API, the pages and CalDAV.
//!
//! Owns keys, caps, names, link numbers and compare-and-set. It knows neither requests nor status codes. A change commits
//! on the condition that the stored record still has the version that was read. On a conflict it reads the record and
//! starts again, so two devices that edit at once lose nothing. Invariant: a change that returns `Ok` is on disk.
//!
//! This file has the rules for an agenda's record: its name, links and picks.

mod links;
mod mailboxes;
mod owner;
mod picks;
mod plan;
mod subscriptions;

pub use links::{FollowedLink, ReadLink};
pub use owner::{Agendas, Created, Owned};
pub use subscriptions::Device;

use crate::agenda::{EditKey, MAX_BUSY, MAX_LINKS, MAX_NAME_CHARS, MAX_PICKS};
use crate::program::{SessionId, Text};
use crate::reach::{MAX_MAILBOXES, MAX_SUBSCRIPTIONS};
use crate::release::Release;
use crate::store::{AgendaRecord, CommitError, LinkRecord, LinkTarget, ReadError, Write};
use chrono::{DateTime, Utc};
use std::collections::HashSet;

/// How many revoked links an agenda remembers, the newest ones. Older ones answer 404. The limit bounds the records
/// of an agenda whose links are issued and revoked again and again.
const MAX_REVOKED: usize = 50;

/// Why an agenda was not changed. No text here holds a token.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum AgendaError {
    /// The key is malformed, unknown, replaced or deleted; the answer does not say which.
    #[error("no agenda has this edit key")]
    UnknownKey,
    /// The program does not show the session.
    #[error("there is no such session")]
    NoSuchSession,
    /// The program does not show these sessions of a list. They are spelled as the client wrote them.
    #[error("some sessions do not exist")]
    UnknownSessions(Vec<String>),
    /// No link of the agenda ever had this number.
    #[error("there is no such link")]
    NoSuchLink,
    /// Too many picks.
    #[error("an agenda holds {MAX_PICKS} sessions at most")]
    TooManyPicks,
    /// Too many busy times.
    #[error("an agenda holds {MAX_BUSY} busy times at most")]
    TooManyBusy,
    /// A busy time does not end after its start.
    #[error("a busy time must end after its start")]
    BadBusy,
    /// Too many links.
    #[error("an agenda has {MAX_LINKS} links at most; revoke one first")]
    TooManyLinks,
    /// No device of the agenda has this id.
    #[error("there is no such subscription")]
    NoSuchDevice,
    /// Too many devices.
    #[error("an agenda notifies {MAX_SUBSCRIPTIONS} devices at most; remove one first")]
    TooManyDevices,
    /// Too many mailboxes.
    #[error("an agenda has {MAX_MAILBOXES} mailboxes at most; remove one first")]
    TooManyMailboxes,
    /// A name or label is too long. Holds the name of the field.
    #[error("a name has {MAX_NAME_CHARS} characters at most")]
    NameTooLong(&'static str),
    /// The agenda no longer has the version that the change requires.
    #[error("the agenda was changed in the meantime")]
    Changed,
    /// The store could not write.
    #[error(transparent)]
    Commit(#[from] CommitError),
    /// The store could not read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The system gave no random bytes for a key.
    #[error("no random bytes: {0}")]
    Random(#[from] getrandom::Error),
}

/// A name or label: one normalised line with a limited number of characters.
pub(super) fn checked_name(field: &'static str, raw: &str) -> Result<String, AgendaError> {
    let (text, _) = Text::line(raw);
    if text.as_str().chars().count() > MAX_NAME_CHARS {
        return Err(AgendaError::NameTooLong(field));
    }
    Ok(text.to_string())
}

/// The links that are not revoked.
pub(super) fn live_links(record: &AgendaRecord) -> impl Iterator<Item = &LinkRecord> {
    record.links.iter().filter(|link| link.revoked.is_none())
}

/// Adds the next link to a record.
pub(super) fn issue_link(
    record: &mut AgendaRecord,
    key: &EditKey,
    label: String,
    now: DateTime<Utc>,
) -> LinkRecord {
    let n = record.next_link;
    record.next_link += 1;
    let hash = key.read_token(n).hash();
    let link = LinkRecord { n, label, hash, generation: record.key_generation, created: now, revoked: None };
    record.links.push(link.clone());
    link
}

pub(super) fn put_link(link: &LinkRecord, target: LinkTarget) -> Write {
    Write::PutLink { hash: link.hash, target }
}

/// Removes the oldest revoked links from a record. Returns the writes that remove their hashes from the store.
pub(super) fn forget_revoked_links(record: &mut AgendaRecord) -> impl Iterator<Item = Write> {
    let revoked = record.links.iter().filter(|link| link.revoked.is_some()).count();
    let mut surplus = revoked.saturating_sub(MAX_REVOKED);
    let mut forgotten = Vec::new();
    record.links.retain(|link| {
        let goes = link.revoked.is_some() && surplus > 0;
        if goes {
            surplus -= 1;
            forgotten.push(link.hash);
        }
        !goes
    });
    forgotten.into_iter().map(|hash| Write::DropLink { hash })
}

pub(super) fn is_shown(session: &SessionId, release: &Release) -> bool {
    release.ledger.entries.get(session).is_some_and(crate::revision::Entry::is_visible)
}

/// Parses a list of ids in its order, each once. `held` are picked already, so they are valid even if the program no longer
/// shows them.
pub(super) fn resolve_picks(
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
    if picks.len() > MAX_PICKS {
        return Err(AgendaError::TooManyPicks);
    }
    Ok(picks)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_are_counted_after_normalising() {
        assert_eq!(checked_name("name", "  Zoë’s\r\nplan\u{0}\u{202e} ").unwrap(), "Zoë’s plan");
        assert_eq!(
            checked_name("name", &"é".repeat(MAX_NAME_CHARS)).unwrap().chars().count(),
            MAX_NAME_CHARS
        );
        assert!(checked_name("name", &format!(" {}", "\u{0}".repeat(500))).unwrap().is_empty());
        let long = "x".repeat(MAX_NAME_CHARS + 1);
        assert_eq!(checked_name("label", &long), Err(AgendaError::NameTooLong("label")));
    }
}
