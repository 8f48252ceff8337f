//! Read links, some in one record.
//!
//! What a start costs goes by the number of records, however small they are: sled has no more than some 16 in a page.
//! So the links whose hashes begin with the same 18 bits are one record: four of a million, one of ten thousand. With
//! fewer bits it would be read faster, and every new link would write more: with 16, the files of a million agendas
//! had twice the size. A damaged one keeps new links of its 18 bits out until it is repaired.
//!
//! Format 1 had a record for each link; those are read as they are, and move when they are written again.

use super::agenda::{RowError, digest, text};
use super::cell::{Cell, Space, Table};
use super::view::{Records, View};
use super::{LinkTarget, ReadError};
use crate::revision::Digest;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The links whose hashes begin alike, as a JSON object: base64url of the hash, and where it leads.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(try_from = "BTreeMap<String, LinkTarget>", into = "BTreeMap<String, LinkTarget>")]
pub(super) struct Links(BTreeMap<Digest, LinkTarget>);

impl Links {
    /// The place of the links that begin as this hash does: 18 bits of it, in three bytes.
    pub(super) fn cell(space: &Space, hash: &Digest) -> Cell {
        let Digest([first, second, third, ..]) = hash;
        space.cell(Table::Links, &[*first, *second, third & 0b1100_0000])
    }

    /// Has a link lead there, or nowhere.
    pub(super) fn set(&mut self, hash: Digest, target: Option<LinkTarget>) {
        match target {
            Some(target) => self.0.insert(hash, target),
            None => self.0.remove(&hash),
        };
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<Links> for BTreeMap<String, LinkTarget> {
    fn from(links: Links) -> Self {
        links.0.into_iter().map(|(hash, target)| (text(&hash), target)).collect()
    }
}

impl TryFrom<BTreeMap<String, LinkTarget>> for Links {
    type Error = RowError;
    fn try_from(links: BTreeMap<String, LinkTarget>) -> Result<Self, RowError> {
        links
            .into_iter()
            .map(|(hash, target)| Ok((digest(&hash)?, target)))
            .collect::<Result<_, _>>()
            .map(Self)
    }
}

impl View {
    /// Where a link leads; none where it was never issued.
    pub(super) fn link(&self, space: &Space, hash: &Digest) -> Result<Option<LinkTarget>, ReadError> {
        let links: Option<Links> = self.record(&Links::cell(space, hash))?;
        match links.and_then(|links| links.0.get(hash).copied()) {
            Some(target) => Ok(Some(target)),
            None => self.record(&space.cell(Table::Link, &hash.0)),
        }
    }
}

/// Each link of some records. A damaged record is one error, and the others follow.
pub(super) fn all(records: Records<'_>) -> impl Iterator<Item = Result<(Digest, LinkTarget), ReadError>> {
    records.parsed::<Links>().flat_map(|row| match row {
        Ok((_, links)) => links.0.into_iter().map(Ok).collect(),
        Err(error) => vec![Err(error)],
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_record_stays_as_it_is_written() {
        let mut links = Links::default();
        links.set(Digest([0; 32]), Some(LinkTarget::Agenda(Digest([255; 32]))));
        let json = r#"{"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA":{"a":"__________________________________________8"}}"#;
        assert_eq!(serde_json::to_string(&links).unwrap(), json);
        assert_eq!(serde_json::from_str::<Links>(json).unwrap(), links);
        assert!(serde_json::from_str::<Links>(r#"{"AAAA":{"c":9}}"#).is_err());
    }

    proptest! {
        #[test]
        fn what_was_set_last_comes_back(
            sets in prop::collection::vec((0u8..6, prop::option::of(any::<[u8; 32]>())), 0..20)
        ) {
            let (mut links, mut expected) = (Links::default(), BTreeMap::new());
            for (n, key) in sets {
                let target = key.map(|key| LinkTarget::Agenda(Digest(key)));
                links.set(Digest([n; 32]), target);
                expected.insert(Digest([n; 32]), target);
            }
            expected.retain(|_, target| target.is_some());
            let read: Links = serde_json::from_slice(&serde_json::to_vec(&links).unwrap()).unwrap();
            let read: BTreeMap<_, _> = read.0.into_iter().map(|(hash, target)| (hash, Some(target))).collect();
            prop_assert_eq!(links.is_empty(), expected.is_empty());
            prop_assert_eq!(read, expected);
        }
    }
}
