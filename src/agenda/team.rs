//! Several agendas side by side: the sessions that each member attends, and the parallel sessions that no member
//! attends.

use super::{ReadToken, takes_time};
use crate::program::SessionId;
use crate::release::Release;
use crate::revision::Entry;
use chrono::{DateTime, Utc};
use std::collections::BTreeMap;

/// The most agendas in one team.
pub const MAX_MEMBERS: usize = 20;

/// The separator of tokens in a combined link. No token contains it, and a path does not escape it (RFC 3986, 2.3).
const SEPARATOR: char = '.';

/// The read links of a team in their given order, without duplicates: the `{members}` of its URLs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Members(Vec<ReadToken>);

/// Why a list of links is not a team: the list is empty or too long, or has an invalid link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not 1 to {MAX_MEMBERS} valid links")]
pub struct TeamError;

impl Members {
    /// A team of these links.
    ///
    /// # Errors
    /// [`TeamError`] without a link, or with more than [`MAX_MEMBERS`] different links.
    pub fn of(tokens: impl IntoIterator<Item = ReadToken>) -> Result<Self, TeamError> {
        let mut members: Vec<ReadToken> = Vec::new();
        for token in tokens {
            if !members.contains(&token) {
                members.push(token);
            }
            if members.len() > MAX_MEMBERS {
                return Err(TeamError);
            }
        }
        if members.is_empty() { Err(TeamError) } else { Ok(Self(members)) }
    }

    /// Parses tokens that are separated by dots.
    ///
    /// # Errors
    /// [`TeamError`] if one of the tokens is invalid, and as for [`Members::of`].
    pub fn parse(text: &str) -> Result<Self, TeamError> {
        let tokens: Result<Vec<ReadToken>, _> =
            text.split(SEPARATOR).take(MAX_MEMBERS + 1).map(ReadToken::parse).collect();
        Self::of(tokens.map_err(|_| TeamError)?)
    }

    /// The tokens as a path spells them, separated by dots.
    pub fn reveal(&self) -> String {
        let tokens: Vec<String> = self.0.iter().map(ReadToken::reveal).collect();
        tokens.join(&SEPARATOR.to_string())
    }

    /// The tokens of the links.
    pub fn tokens(&self) -> &[ReadToken] {
        &self.0
    }
}

/// A team's sessions, in program order.
#[derive(Debug)]
pub struct TeamAgenda<'a> {
    /// The picked sessions, and the parallel sessions that no member picked.
    pub items: Vec<Attended<'a>>,
}

/// A session and the members who attend it.
#[derive(Debug)]
pub struct Attended<'a> {
    /// The session's entry in the ledger.
    pub entry: &'a Entry,
    /// The indexes of the attending members. Empty for a session parallel to a member's pick.
    pub who: Vec<usize>,
}

impl<'a> TeamAgenda<'a> {
    /// Combines the picks of the members.
    pub fn of(members: &[&[SessionId]], release: &'a Release) -> Self {
        let mut going: BTreeMap<&SessionId, Vec<usize>> = BTreeMap::new();
        for (place, picks) in members.iter().enumerate() {
            for pick in *picks {
                let who = going.entry(pick).or_default();
                if who.last() != Some(&place) {
                    who.push(place);
                }
            }
        }
        let shown = release.visible_entries();
        let is_busy = |entry: &&Entry| takes_time(entry) && going.contains_key(&entry.session.id);
        let busy = merged(shown.iter().copied().filter(is_busy));
        let attended = |entry: &'a Entry| {
            let who = going.get(&entry.session.id).cloned().unwrap_or_default();
            let is_beside = takes_time(entry) && overlaps(&busy, entry);
            (!who.is_empty() || is_beside).then_some(Attended { entry, who })
        };
        Self { items: shown.into_iter().filter_map(attended).collect() }
    }
}

/// The union of the entries' slots, as disjoint intervals.
fn merged<'a>(entries: impl Iterator<Item = &'a Entry>) -> Vec<(DateTime<Utc>, DateTime<Utc>)> {
    let mut slots: Vec<_> = entries.map(|entry| (entry.session.slot.start, entry.session.slot.end)).collect();
    slots.sort_unstable();
    let mut merged: Vec<(DateTime<Utc>, DateTime<Utc>)> = Vec::new();
    for (start, end) in slots {
        match merged.last_mut().filter(|last| start < last.1) {
            Some(last) => last.1 = last.1.max(end),
            None => merged.push((start, end)),
        }
    }
    merged
}

fn overlaps(busy: &[(DateTime<Utc>, DateTime<Utc>)], entry: &Entry) -> bool {
    let slot = &entry.session.slot;
    let first = busy.partition_point(|(_, end)| *end <= slot.start);
    busy.get(first).is_some_and(|(start, _)| *start < slot.end)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agenda::EditKey;

    #[test]
    fn a_team_keeps_the_order_of_its_links_each_once() {
        let key = EditKey::generate().unwrap();
        let [a, b] = [2, 1].map(|n| key.read_token(n));
        let text = format!("{}.{}", a.reveal(), b.reveal());
        let twice = format!("{text}.{}", a.reveal());
        assert_eq!(Members::parse(&text), Ok(Members(vec![a, b])));
        assert_eq!(Members::parse(&twice), Members::parse(&text));
        assert_eq!(Members::parse(&twice).unwrap().reveal(), text);
        assert!(!format!("{:?}", Members::parse(&text)).contains(&text[..20]));
    }

    #[test]
    fn no_links_too_many_links_and_half_a_link_are_refused() {
        let key = EditKey::generate().unwrap();
        let team = |most: u32| (1..=most).map(|n| key.read_token(n).reveal()).collect::<Vec<_>>().join(".");
        assert_eq!(Members::parse(&team(20)).unwrap().tokens().len(), 20);
        for bad in [String::new(), team(21), team(2) + ".", format!(".{}", team(1)), team(1)[..42].to_owned()]
        {
            assert_eq!(Members::parse(&bad), Err(TeamError), "{bad}");
        }
    }
}
