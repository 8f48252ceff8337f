//! Invitations by mail: what a mailbox was sent last about each session, so that updates and cancellations are exact and
//! a restart loses nothing; and which mailboxes were asked for a confirmation.
//!
//! The address of a mailbox is personal, so no `Debug` prints it.

use crate::program::SessionId;
use crate::revision::Digest;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// A mailbox and the invitations that it got.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct MailRecord {
    /// The mail address.
    pub address: String,
    /// The last invitation to each session.
    pub invitations: BTreeMap<SessionId, InvitationRecord>,
    /// The mail that was given to a sender last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pending: Option<PendingMail>,
}

/// A mail that a sender has, or had when it was killed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PendingMail {
    /// The session.
    pub session: SessionId,
    /// The claim of the delivery.
    pub claim: u32,
}

/// The last invitation to a session. Each generation of a session has a UID of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvitationRecord {
    /// How often the session was invited to anew after a cancellation.
    pub generation: u32,
    /// The SEQUENCE of the last mail.
    pub sequence: u32,
    /// The DTSTAMP of the last mail.
    #[serde(with = "chrono::serde::ts_seconds")]
    pub stamp: DateTime<Utc>,
    /// When the session ends, as the last mail says.
    #[serde(with = "chrono::serde::ts_seconds")]
    pub end: DateTime<Utc>,
    /// What the recipient knows.
    pub state: InvitationState,
}

/// What a recipient knows of an invitation. Digests are those of the content that mails tell of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum InvitationState {
    /// A request was given to a sender. It may have arrived or not.
    Tried(Digest),
    /// The relay accepted a request.
    Sent(Digest),
    /// A cancellation was given to a sender. It may have arrived or not, so no update may follow.
    Cancelling,
    /// The relay accepted a cancellation.
    Cancelled,
}

impl fmt::Debug for MailRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MailRecord").field("invitations", &self.invitations.len()).finish_non_exhaustive()
    }
}

/// How often a mailbox was asked for a confirmation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MailAsk {
    /// A keyed hash of the mailbox.
    pub mailbox: Digest,
    /// When it was asked last.
    pub at: DateTime<Utc>,
    /// How often it was asked.
    pub count: u8,
}

impl MailAsk {
    /// Stored bytes of one mailbox: hash, time, count.
    pub(super) const BYTES: usize = 32 + 8 + 1;

    pub(super) fn encode(&self) -> Vec<u8> {
        [self.mailbox.0.as_slice(), &self.at.timestamp().to_le_bytes(), &[self.count]].concat()
    }

    pub(super) fn decode(row: &[u8]) -> Option<Self> {
        let (mailbox, rest) = row.split_first_chunk::<32>()?;
        let (at, rest) = rest.split_first_chunk::<8>()?;
        let [count] = rest.try_into().ok()?;
        let at = DateTime::from_timestamp(i64::from_le_bytes(*at), 0)?;
        Some(Self { mailbox: Digest(*mailbox), at, count })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(seconds, 0).unwrap()
    }

    #[test]
    fn a_mailbox_comes_back_with_its_invitations_and_is_not_printed() {
        let session = SessionId::parse("first-talk").unwrap();
        let states = [
            InvitationState::Tried(Digest([1; 32])),
            InvitationState::Sent(Digest([2; 32])),
            InvitationState::Cancelling,
            InvitationState::Cancelled,
        ];
        for state in states {
            let invitation =
                InvitationRecord { generation: 1, sequence: 7, stamp: at(60), end: at(120), state };
            let record = MailRecord {
                address: "ada@example.org".to_owned(),
                invitations: [(session.clone(), invitation)].into(),
                pending: Some(PendingMail { session: session.clone(), claim: 3 }),
            };
            let json = serde_json::to_string(&record).unwrap();
            assert_eq!(serde_json::from_str::<MailRecord>(&json).unwrap(), record);
            assert!(!format!("{record:?}").contains("ada"));
        }
    }

    #[test]
    fn an_ask_comes_back_and_damaged_rows_are_left_out() {
        let ask = |n: u8| MailAsk { mailbox: Digest([n; 32]), at: at(n.into()), count: n };
        let mut bytes: Vec<u8> = [ask(1), ask(2)].iter().flat_map(MailAsk::encode).collect();
        assert_eq!(bytes.len(), 2 * MailAsk::BYTES);
        bytes[32..40].copy_from_slice(&i64::MAX.to_le_bytes());
        bytes.extend(b"torn");
        assert_eq!(super::super::named::mail_asks(&bytes), [ask(2)]);
    }
}
