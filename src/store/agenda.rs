//! The records of an agenda and of the read links that lead to it.
//!
//! Only SHA-256 digests of keys and links are in them. They are written as short JSON without field names, arrays
//! mostly: a million agendas are kept, and names would be a third of the bytes. A later format may append fields
//! at the end of an array.

use crate::program::SessionId;
use crate::revision::Digest;
use chrono::{DateTime, Utc};
use data_encoding::BASE64URL_NOPAD;
use serde::{Deserialize, Serialize};

/// A person's picks, with the links that show them. Its key is the SHA-256 of the edit key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Row", into = "Row")]
pub struct AgendaRecord {
    /// Rises with every change; what a compare-and-set compares.
    pub version: u64,
    /// Its name, empty while it has none.
    pub name: String,
    /// In the order of picking, without duplicates.
    pub picks: Vec<SessionId>,
    /// Every read link ever made, the revoked ones too.
    pub links: Vec<LinkRecord>,
    /// When the first pick was made.
    pub created: DateTime<Utc>,
    /// When it was changed last.
    pub modified: DateTime<Utc>,
    /// How often the edit key was replaced.
    pub key_generation: u32,
    /// The number of the next read link; numbers are never reused.
    pub next_link: u32,
    /// The release that the owner has seen.
    pub seen_release: u64,
}

/// One read link, as its owner sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "LinkRow", into = "LinkRow")]
pub struct LinkRecord {
    /// Its number: the link is HMAC(edit key, n).
    pub n: u32,
    /// What the owner calls it.
    pub label: String,
    /// Of the link's token.
    pub hash: Digest,
    /// Which edit key it was made with; the token can be shown again only while that is the present one.
    pub generation: u32,
    /// When it was made.
    pub created: DateTime<Utc>,
    /// When it was revoked.
    pub revoked: Option<DateTime<Utc>>,
}

/// Where a read link leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "TargetRow", into = "TargetRow")]
pub enum LinkTarget {
    /// To the agenda of this key.
    Agenda(Digest),
    /// Revoked, or deleted with its agenda: "no longer shared" for 30 days, then gone.
    Closed {
        /// Since when.
        at: DateTime<Utc>,
    },
    /// Erased by retention: gone at once.
    Erased {
        /// Since when.
        at: DateTime<Utc>,
    },
}

impl AgendaRecord {
    /// The version of a stored record, without parsing the rest of it.
    pub(super) fn version_of(stored: &[u8]) -> Option<u64> {
        let row = stored.strip_prefix(b"[")?;
        let end = row.iter().position(|byte| *byte == b',')?;
        std::str::from_utf8(row.get(..end)?).ok()?.parse().ok()
    }
}

/// Version, name, picks, links, created, modified, key generation, next link, seen release.
#[derive(Clone, Serialize, Deserialize)]
struct Row(u64, String, Vec<SessionId>, Vec<LinkRecord>, i64, i64, u32, u32, u64);

/// Number, label, hash, generation, created, revoked.
#[derive(Clone, Serialize, Deserialize)]
struct LinkRow(u32, String, String, u32, i64, Option<i64>);

#[derive(Clone, Serialize, Deserialize)]
enum TargetRow {
    #[serde(rename = "a")]
    Agenda(String),
    #[serde(rename = "c")]
    Closed(i64),
    #[serde(rename = "e")]
    Erased(i64),
}

/// Why a row is no record.
#[derive(Debug, thiserror::Error)]
pub(super) enum RowError {
    #[error("a time is out of range")]
    Time,
    #[error("a hash is not 32 bytes of base64url")]
    Hash,
}

impl From<AgendaRecord> for Row {
    fn from(a: AgendaRecord) -> Self {
        let (created, modified) = (a.created.timestamp(), a.modified.timestamp());
        Self(
            a.version,
            a.name,
            a.picks,
            a.links,
            created,
            modified,
            a.key_generation,
            a.next_link,
            a.seen_release,
        )
    }
}

impl TryFrom<Row> for AgendaRecord {
    type Error = RowError;
    fn try_from(row: Row) -> Result<Self, RowError> {
        let Row(version, name, picks, links, created, modified, key_generation, next_link, seen_release) =
            row;
        let (created, modified) = (time(created)?, time(modified)?);
        #[cfg(test)]
        count_parse(&name);
        Ok(Self { version, name, picks, links, created, modified, key_generation, next_link, seen_release })
    }
}

impl From<LinkRecord> for LinkRow {
    fn from(link: LinkRecord) -> Self {
        let revoked = link.revoked.map(|at| at.timestamp());
        Self(link.n, link.label, text(&link.hash), link.generation, link.created.timestamp(), revoked)
    }
}

impl TryFrom<LinkRow> for LinkRecord {
    type Error = RowError;
    fn try_from(LinkRow(n, label, hash, generation, created, revoked): LinkRow) -> Result<Self, RowError> {
        let (created, revoked) = (time(created)?, revoked.map(time).transpose()?);
        Ok(Self { n, label, hash: digest(&hash)?, generation, created, revoked })
    }
}

impl From<LinkTarget> for TargetRow {
    fn from(target: LinkTarget) -> Self {
        match target {
            LinkTarget::Agenda(key) => Self::Agenda(text(&key)),
            LinkTarget::Closed { at } => Self::Closed(at.timestamp()),
            LinkTarget::Erased { at } => Self::Erased(at.timestamp()),
        }
    }
}

impl TryFrom<TargetRow> for LinkTarget {
    type Error = RowError;
    fn try_from(row: TargetRow) -> Result<Self, RowError> {
        Ok(match row {
            TargetRow::Agenda(key) => Self::Agenda(digest(&key)?),
            TargetRow::Closed(at) => Self::Closed { at: time(at)? },
            TargetRow::Erased(at) => Self::Erased { at: time(at)? },
        })
    }
}

/// How often a record was parsed, by its name.
#[cfg(test)]
static PARSED: std::sync::Mutex<std::collections::BTreeMap<String, usize>> =
    std::sync::Mutex::new(std::collections::BTreeMap::new());

#[cfg(test)]
fn count_parse(name: &str) {
    if !name.is_empty() {
        *PARSED.lock().unwrap().entry(name.to_owned()).or_default() += 1;
    }
}

/// How often records of this name were parsed since the last call.
#[cfg(test)]
pub(crate) fn take_parses(name: &str) -> usize {
    PARSED.lock().unwrap().remove(name).unwrap_or_default()
}

fn time(seconds: i64) -> Result<DateTime<Utc>, RowError> {
    DateTime::from_timestamp(seconds, 0).ok_or(RowError::Time)
}

pub(super) fn text(digest: &Digest) -> String {
    BASE64URL_NOPAD.encode(&digest.0)
}

pub(super) fn digest(text: &str) -> Result<Digest, RowError> {
    let bytes = BASE64URL_NOPAD.decode(text.as_bytes()).map_err(|_| RowError::Hash)?;
    bytes.try_into().map(Digest).map_err(|_| RowError::Hash)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(seconds, 0).unwrap()
    }

    #[test]
    fn the_rows_of_format_1_stay_as_they_are() {
        let agenda = AgendaRecord {
            version: 3,
            name: "Zoë’s".to_owned(),
            picks: ["keynote-1", "lunch"].map(|id| SessionId::parse(id).unwrap()).into(),
            links: vec![LinkRecord {
                n: 1,
                label: "phone".to_owned(),
                hash: Digest([0xff; 32]),
                generation: 0,
                created: at(5),
                revoked: Some(at(6)),
            }],
            created: at(1),
            modified: at(2),
            key_generation: 4,
            next_link: 2,
            seen_release: 7,
        };
        let row = r#"[3,"Zoë’s",["keynote-1","lunch"],[[1,"phone","__________________________________________8",0,5,6]],1,2,4,2,7]"#;
        assert_eq!(serde_json::to_string(&agenda).unwrap(), row);
        assert_eq!(serde_json::from_str::<AgendaRecord>(row).unwrap(), agenda);
        assert_eq!(AgendaRecord::version_of(row.as_bytes()), Some(3));
        assert_eq!(AgendaRecord::version_of(br#"{"version":3}"#), None);

        for (target, row) in [
            (LinkTarget::Agenda(Digest([0; 32])), r#"{"a":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}"#),
            (LinkTarget::Closed { at: at(9) }, r#"{"c":9}"#),
            (LinkTarget::Erased { at: at(9) }, r#"{"e":9}"#),
        ] {
            assert_eq!(serde_json::to_string(&target).unwrap(), row);
            assert_eq!(serde_json::from_str::<LinkTarget>(row).unwrap(), target);
        }
    }

    #[test]
    fn a_row_that_cannot_be_is_refused() {
        for row in [r#"{"a":"AA"}"#, r#"{"c":9223372036854775807}"#, r#"{"x":1}"#] {
            assert!(serde_json::from_str::<LinkTarget>(row).is_err(), "{row}");
        }
    }
}
