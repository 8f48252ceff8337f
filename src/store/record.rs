//! The records: the types of all stored data, and their encoding.
//!
//! Records depend neither on keys nor on journal or index, so that another journal can store the same records.

pub(super) mod agenda;
pub(super) mod charge;
pub(super) mod held;
pub(super) mod mail;
pub(super) mod named;
pub(super) mod outbox;
pub(super) mod release;
pub(super) mod temporary;

use serde::{Deserialize, Serialize};

/// The kinds of records, by their letter in a key and their name in a checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[repr(u8)]
pub(super) enum RecordTable {
    Agenda = b'a',
    Csv = b'c',
    Detail = b'd',
    Entry = b'e',
    Feed = b'f',
    /// A piece of a ledger that was written whole.
    Ledger = b'g',
    Head = b'h',
    Links = b'k',
    /// One read link, as format 1 stores them.
    Link = b'l',
    /// A later change of a ledger that was written whole.
    Amended = b'm',
    /// A record with a fixed name.
    Note = b'n',
    Delivery = b'o',
    Release = b'r',
    Slug = b's',
    Subscriptions = b'u',
    Format = b'v',
    /// The delivery counts of a release.
    Reach = b'w',
    /// A piece of a release's changes.
    Changes = b'x',
}

impl RecordTable {
    /// Every kind.
    const ALL: [Self; 18] = [
        Self::Agenda,
        Self::Csv,
        Self::Detail,
        Self::Entry,
        Self::Feed,
        Self::Ledger,
        Self::Head,
        Self::Links,
        Self::Link,
        Self::Amended,
        Self::Note,
        Self::Delivery,
        Self::Release,
        Self::Slug,
        Self::Subscriptions,
        Self::Format,
        Self::Reach,
        Self::Changes,
    ];

    /// The kind with a letter; none for the kinds of later versions.
    pub(super) fn of(letter: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|table| *table as u8 == letter)
    }

    /// Whether the records of this kind are JSON rather than arbitrary bytes.
    pub(super) fn is_json(self) -> bool {
        !matches!(self, Self::Csv | Self::Note)
    }

    /// Whether its long records are compressed. Agendas are read at every poll, and read links are short.
    pub(super) fn is_compressed(self) -> bool {
        matches!(self, Self::Csv | Self::Detail | Self::Ledger | Self::Amended | Self::Note | Self::Changes)
    }

    /// Whether the ids of this kind are text rather than digests or numbers.
    pub(super) fn has_text_ids(self) -> bool {
        matches!(
            self,
            Self::Delivery | Self::Entry | Self::Feed | Self::Format | Self::Head | Self::Note | Self::Slug
        )
    }

    /// The kind in words, for errors.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Agenda => "agenda",
            Self::Csv => "program",
            Self::Changes | Self::Detail | Self::Release => "release",
            Self::Entry => "ledger entry",
            Self::Feed => "feed mark",
            Self::Amended | Self::Head | Self::Ledger => "ledger",
            Self::Link | Self::Links => "read link",
            Self::Note => "note",
            Self::Delivery => "delivery",
            Self::Subscriptions => "subscriptions",
            Self::Reach => "delivery counts",
            Self::Slug => "slug",
            Self::Format => "store format",
        }
    }
}
