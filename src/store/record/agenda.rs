//! Agendas and read links.
//!
//! Records hold SHA-256 digests of keys and links, never the secrets themselves. Their JSON is arrays without field
//! names; names would take a third of the bytes of a million agendas. A later format may append fields to an array.
//!
//! The time of a start depends on the number of records, since sled has at most about 16 records in a page. So all read
//! links whose hashes begin with the same 18 bits share one record: of a million links, four share a record; of ten
//! thousand, each has its own. With 16 bits the files of a million agendas were twice as large. While a record of links
//! is damaged, no new link with its 18 bits can be stored. Format 1 had one record for each link.
//!
//! Format 4 appends the ranks of the picks and the busy times. An agenda without either is stored as in format 1.

use crate::program::{Rank, SessionId};
use crate::revision::Digest;
use chrono::{DateTime, Utc};
use data_encoding::BASE64URL_NOPAD;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A person's picks and read links. It is stored under the SHA-256 of the edit key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "AgendaRow", into = "AgendaRow")]
pub struct AgendaRecord {
    /// Rises with every change. Compare-and-set uses it.
    pub version: u64,
    /// The agenda's name; may be empty.
    pub name: String,
    /// The picked sessions, in the order of picking, without duplicates.
    pub picks: Vec<SessionId>,
    /// The read links of the agenda, including the most recently revoked ones.
    pub links: Vec<LinkRecord>,
    /// When the first pick was made.
    pub created: DateTime<Utc>,
    /// When the agenda was last changed.
    pub modified: DateTime<Utc>,
    /// How often the edit key was replaced.
    pub key_generation: u32,
    /// The number of the next read link; numbers are never reused.
    pub next_link: u32,
    /// The newest release that the owner has seen.
    pub seen_release: u64,
    /// The ranks of picks, except [`Rank::Want`], the rank of every other pick. Ranks of other sessions are not stored.
    pub ranks: BTreeMap<SessionId, Rank>,
    /// The times at which the owner is busy, sorted.
    pub busy: Vec<BusyRecord>,
}

/// A time at which the owner of an agenda is busy.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "BusyRow", into = "BusyRow")]
pub struct BusyRecord {
    /// The first second.
    pub start: DateTime<Utc>,
    /// The first second after it.
    pub end: DateTime<Utc>,
    /// The owner's name for it; may be empty.
    pub label: String,
}

/// One read link of an agenda.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "LinkRow", into = "LinkRow")]
pub struct LinkRecord {
    /// The number of the link: its token is HMAC(edit key, n).
    pub n: u32,
    /// The owner's name for the link.
    pub label: String,
    /// SHA-256 of the link's token.
    pub hash: Digest,
    /// The generation of the edit key that made the link. The token can be shown again only while the agenda has that
    /// key.
    pub generation: u32,
    /// When the link was made.
    pub created: DateTime<Utc>,
    /// When the link was revoked.
    pub revoked: Option<DateTime<Utc>>,
}

/// Where a read link leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "TargetRow", into = "TargetRow")]
pub enum LinkTarget {
    /// The link leads to the agenda of this key.
    Agenda(Digest),
    /// The link was revoked, or deleted with its agenda. For 30 days its feed is an empty calendar named "no longer
    /// shared"; then the link answers 410 Gone.
    Closed {
        /// When the link was closed.
        at: DateTime<Utc>,
    },
    /// Retention erased the link: it answers 410 Gone at once.
    Erased {
        /// When the link was erased.
        at: DateTime<Utc>,
    },
}

impl AgendaRecord {
    /// An agenda at version 1 without a name, picks and links. Its owner has seen `release`.
    pub fn empty(now: DateTime<Utc>, release: u64) -> Self {
        Self {
            version: 1,
            name: String::new(),
            picks: Vec::new(),
            links: Vec::new(),
            created: now,
            modified: now,
            key_generation: 0,
            next_link: 1,
            seen_release: release,
            ranks: BTreeMap::new(),
            busy: Vec::new(),
        }
    }

    /// The rank of a pick.
    pub fn rank(&self, pick: &SessionId) -> Rank {
        self.ranks.get(pick).copied().unwrap_or(Rank::Want)
    }

    /// Whether only format 4 and later versions can store the record.
    pub(in crate::store) fn needs_format_4(&self) -> bool {
        !self.busy.is_empty() || self.picks.iter().any(|pick| self.rank(pick) != Rank::Want)
    }

    /// The version of a stored record, without parsing the rest of it.
    pub(in crate::store) fn version_of(stored: &[u8]) -> Option<u64> {
        let row = stored.strip_prefix(b"[")?;
        let end = row.iter().position(|byte| *byte == b',')?;
        std::str::from_utf8(row.get(..end)?).ok()?.parse().ok()
    }
}

/// The read links whose hashes begin with the same bits, as a JSON object from base64url hashes to targets.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(try_from = "BTreeMap<String, LinkTarget>", into = "BTreeMap<String, LinkTarget>")]
pub(in crate::store) struct LinkBucket(BTreeMap<Digest, LinkTarget>);

impl LinkBucket {
    /// The id of the record that holds a link: the first 18 bits of the link's hash, in three bytes.
    pub(in crate::store) fn id(hash: &Digest) -> [u8; 3] {
        let Digest([first, second, third, ..]) = hash;
        [*first, *second, third & 0b1100_0000]
    }

    /// The target of a link.
    pub(in crate::store) fn target(&self, hash: &Digest) -> Option<LinkTarget> {
        self.0.get(hash).copied()
    }

    /// Replaces the target of a link, or removes the link.
    pub(in crate::store) fn set(&mut self, hash: Digest, target: Option<LinkTarget>) {
        match target {
            Some(target) => self.0.insert(hash, target),
            None => self.0.remove(&hash),
        };
    }

    pub(in crate::store) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl IntoIterator for LinkBucket {
    type Item = (Digest, LinkTarget);
    type IntoIter = std::collections::btree_map::IntoIter<Digest, LinkTarget>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl From<LinkBucket> for BTreeMap<String, LinkTarget> {
    fn from(links: LinkBucket) -> Self {
        links.into_iter().map(|(hash, target)| (text(&hash), target)).collect()
    }
}

impl TryFrom<BTreeMap<String, LinkTarget>> for LinkBucket {
    type Error = RowError;
    fn try_from(links: BTreeMap<String, LinkTarget>) -> Result<Self, RowError> {
        let links = links.into_iter().map(|(hash, target)| Ok((digest(&hash)?, target)));
        links.collect::<Result<_, _>>().map(Self)
    }
}

/// The fields are version, name, picks, links, created, modified, key generation, next link, seen release and plan.
#[derive(Clone, Serialize, Deserialize)]
struct AgendaRow(
    u64,
    String,
    Vec<SessionId>,
    Vec<LinkRecord>,
    i64,
    i64,
    u32,
    u32,
    u64,
    #[serde(default, skip_serializing_if = "Option::is_none")] Option<PlanRow>,
);

/// The fields are the ranks and the busy times. Ranks are a string with a letter for each pick, in the order of the
/// picks: `m` must, `w` want, `y` maybe. The string may end early; every further pick has the rank want.
#[derive(Clone, Serialize, Deserialize)]
struct PlanRow(String, Vec<BusyRecord>);

/// The fields are start, end and label.
#[derive(Clone, Serialize, Deserialize)]
struct BusyRow(i64, i64, String);

/// The fields are number, label, hash, generation, created and revoked.
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

/// Why JSON is not a valid record.
#[derive(Debug, thiserror::Error)]
pub(in crate::store) enum RowError {
    #[error("a time is out of range")]
    Time,
    #[error("a hash is not 32 bytes of base64url")]
    Hash,
    #[error("a rank is none of the known letters")]
    Rank,
}

impl From<AgendaRecord> for AgendaRow {
    fn from(a: AgendaRecord) -> Self {
        let (created, modified) = (a.created.timestamp(), a.modified.timestamp());
        let plan = a.needs_format_4().then(|| PlanRow(rank_letters(&a), a.busy.clone()));
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
            plan,
        )
    }
}

impl TryFrom<AgendaRow> for AgendaRecord {
    type Error = RowError;
    fn try_from(row: AgendaRow) -> Result<Self, RowError> {
        let AgendaRow(
            version,
            name,
            picks,
            links,
            created,
            modified,
            key_generation,
            next_link,
            seen_release,
            plan,
        ) = row;
        let PlanRow(letters, busy) = plan.unwrap_or_else(|| PlanRow(String::new(), Vec::new()));
        let mut ranks = BTreeMap::new();
        for (pick, letter) in picks.iter().zip(letters.chars()) {
            let rank = Rank::ALL.iter().find(|rank| letter_of(**rank) == letter).ok_or(RowError::Rank)?;
            if *rank != Rank::Want {
                ranks.insert(pick.clone(), *rank);
            }
        }
        let (created, modified) = (time(created)?, time(modified)?);
        #[cfg(test)]
        count_parse(&name);
        Ok(Self {
            version,
            name,
            picks,
            links,
            created,
            modified,
            key_generation,
            next_link,
            seen_release,
            ranks,
            busy,
        })
    }
}

fn letter_of(rank: Rank) -> char {
    match rank {
        Rank::Must => 'm',
        Rank::Want => 'w',
        Rank::Maybe => 'y',
    }
}

fn rank_letters(agenda: &AgendaRecord) -> String {
    let letters: String = agenda.picks.iter().map(|pick| letter_of(agenda.rank(pick))).collect();
    letters.trim_end_matches(letter_of(Rank::Want)).to_owned()
}

impl From<BusyRecord> for BusyRow {
    fn from(busy: BusyRecord) -> Self {
        Self(busy.start.timestamp(), busy.end.timestamp(), busy.label)
    }
}

impl TryFrom<BusyRow> for BusyRecord {
    type Error = RowError;
    fn try_from(BusyRow(start, end, label): BusyRow) -> Result<Self, RowError> {
        Ok(Self { start: time(start)?, end: time(end)?, label })
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

/// How often records of a kind were parsed, by the name of the kind.
#[cfg(test)]
static PARSED: std::sync::Mutex<std::collections::BTreeMap<String, usize>> =
    std::sync::Mutex::new(std::collections::BTreeMap::new());

#[cfg(test)]
fn count_parse(name: &str) {
    if !name.is_empty() {
        *PARSED.lock().unwrap().entry(name.to_owned()).or_default() += 1;
    }
}

/// How often records of this kind were parsed since the last call.
#[cfg(test)]
pub(crate) fn take_parses(name: &str) -> usize {
    PARSED.lock().unwrap().remove(name).unwrap_or_default()
}

fn time(seconds: i64) -> Result<DateTime<Utc>, RowError> {
    DateTime::from_timestamp(seconds, 0).ok_or(RowError::Time)
}

fn text(digest: &Digest) -> String {
    BASE64URL_NOPAD.encode(&digest.0)
}

fn digest(text: &str) -> Result<Digest, RowError> {
    let bytes = BASE64URL_NOPAD.decode(text.as_bytes()).map_err(|_| RowError::Hash)?;
    bytes.try_into().map(Digest).map_err(|_| RowError::Hash)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(seconds, 0).unwrap()
    }

    #[test]
    fn the_json_of_format_1_stays_the_same() {
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
            ranks: BTreeMap::new(),
            busy: Vec::new(),
        };
        let row = r#"[3,"Zoë’s",["keynote-1","lunch"],[[1,"phone","__________________________________________8",0,5,6]],1,2,4,2,7]"#;
        assert_eq!(serde_json::to_string(&agenda).unwrap(), row);
        assert_eq!(serde_json::from_str::<AgendaRecord>(row).unwrap(), agenda);
        assert_eq!(AgendaRecord::version_of(row.as_bytes()), Some(3));
        assert_eq!(AgendaRecord::version_of(br#"{"version":3}"#), None);

        let stale = (SessionId::parse("unpicked").unwrap(), Rank::Must);
        assert_eq!(serde_json::to_string(&AgendaRecord { ranks: [stale].into(), ..agenda }).unwrap(), row);

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
    fn the_json_of_format_4_stays_the_same() {
        let picks = ["a1", "b2", "c3", "d4"].map(|id| SessionId::parse(id).unwrap());
        let [a, _, c, _] = picks.clone();
        let agenda = AgendaRecord {
            picks: picks.into(),
            modified: at(2),
            ranks: [(a, Rank::Must), (c, Rank::Maybe)].into(),
            busy: vec![BusyRecord { start: at(60), end: at(120), label: "Call".to_owned() }],
            ..AgendaRecord::empty(at(1), 3)
        };
        let row = r#"[1,"",["a1","b2","c3","d4"],[],1,2,0,1,3,["mwy",[[60,120,"Call"]]]]"#;
        assert_eq!(serde_json::to_string(&agenda).unwrap(), row);
        assert_eq!(serde_json::from_str::<AgendaRecord>(row).unwrap(), agenda);
        let unknown = row.replace("mwy", "mxy");
        assert!(serde_json::from_str::<AgendaRecord>(&unknown).is_err());
    }

    #[test]
    fn impossible_json_is_refused() {
        for row in [r#"{"a":"AA"}"#, r#"{"c":9223372036854775807}"#, r#"{"x":1}"#] {
            assert!(serde_json::from_str::<LinkTarget>(row).is_err(), "{row}");
        }
    }

    #[test]
    fn the_json_of_links_stays_the_same() {
        let mut links = LinkBucket::default();
        links.set(Digest([0; 32]), Some(LinkTarget::Agenda(Digest([255; 32]))));
        let json = r#"{"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA":{"a":"__________________________________________8"}}"#;
        assert_eq!(serde_json::to_string(&links).unwrap(), json);
        assert_eq!(serde_json::from_str::<LinkBucket>(json).unwrap(), links);
        assert!(serde_json::from_str::<LinkBucket>(r#"{"AAAA":{"c":9}}"#).is_err());
    }

    proptest! {
        #[test]
        fn the_last_target_is_read(
            sets in prop::collection::vec((0u8..6, prop::option::of(any::<[u8; 32]>())), 0..20)
        ) {
            let (mut links, mut expected) = (LinkBucket::default(), BTreeMap::new());
            for (n, key) in sets {
                let target = key.map(|key| LinkTarget::Agenda(Digest(key)));
                links.set(Digest([n; 32]), target);
                expected.insert(Digest([n; 32]), target);
            }
            expected.retain(|_, target| target.is_some());
            let read: LinkBucket = serde_json::from_slice(&serde_json::to_vec(&links).unwrap()).unwrap();
            let read: BTreeMap<_, _> = read.0.into_iter().map(|(hash, target)| (hash, Some(target))).collect();
            prop_assert_eq!(links.is_empty(), expected.is_empty());
            prop_assert_eq!(read, expected);
        }
    }
}
