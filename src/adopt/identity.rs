//! Session ids of foreign sessions: made from the foreign identity alone, so that a session keeps its UID while its
//! title, time and place in the file change, and while other sessions come and go.
//!
//! An identity that can be an id itself becomes the id in lower case: `G9JGWY` is `g9jgwy`. A number or a single letter
//! gets a word before it: `7` is `session-7`. Every other identity, such as a UUID or an iCalendar UID, becomes a code
//! of 60 bits of its SHA-256: `s-` and 12 letters and digits.

use super::foreign::ForeignSession;
use super::notes::Notes;
use crate::program::{SessionId, Slug, Text, Zone, code_of, former_slug_of, slug_of};
use chrono::{DateTime, Utc};
use std::collections::{BTreeMap, HashMap, HashSet};

/// The longest identity that becomes the id itself. Longer ones, such as UUIDs, are codes nobody types.
const MAX_READABLE: usize = 32;

/// The most bytes of the column `guid`.
const MAX_GUID: usize = 1024;

/// A session's id, and its cell of the column `guid`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct RowIdentity {
    pub(super) id: String,
    pub(super) guid: String,
}

/// The names of sessions, in their order. Sessions that share an identity are numbered in the order of their times.
pub(super) fn name_sessions(sessions: &[ForeignSession], zone: Zone, notes: &mut Notes) -> Vec<RowIdentity> {
    let mut groups: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (index, session) in sessions.iter().enumerate() {
        let identity = Text::line(&session.identity).0.to_string();
        if identity.is_empty() {
            notes.add_for(
                &session.title,
                "no identity in the file, so the id is made of title and start, and changes with them",
            );
        }
        groups.entry(identity).or_default().push(index);
    }
    let mut guids = vec![String::new(); sessions.len()];
    for (identity, mut members) in groups.into_iter().filter(|(identity, _)| !identity.is_empty()) {
        if members.len() > 1 {
            notes.add_for(
                &identity,
                "sessions share an identity, so the order of their times distinguishes them",
            );
            members.sort_by_cached_key(|index| {
                sessions.get(*index).map(|session| (start(session, zone), session.room.clone()))
            });
        }
        for (n, index) in members.into_iter().enumerate() {
            if let Some(guid) = guids.get_mut(index) {
                *guid = if n == 0 { identity.clone() } else { format!("{identity} #{}", n + 1) };
            }
        }
    }
    // Only two identities that differ in nothing but case, or by the word "session", compete for an id.
    let mut owners: HashMap<String, usize> = HashMap::new();
    for id in guids.iter().filter_map(|guid| readable(guid)) {
        *owners.entry(id).or_default() += 1;
    }
    let mut taken = HashSet::new();
    let names = sessions.iter().zip(guids).map(|(session, guid)| {
        let own = SessionId::parse(&session.own_id).ok().map(|id| id.to_string());
        let alone = readable(&guid).filter(|id| owners.get(id) == Some(&1));
        let identified = || if guid.is_empty() { described(session, zone) } else { code(&guid) };
        let wanted = own.or(alone).unwrap_or_else(identified);
        let further = (2..).map(|n| format!("{}-{n}", cut_id(&wanted)));
        let id = std::iter::once(wanted.clone()).chain(further).find(|id| taken.insert(id.clone()));
        let guid = if guid.len() > MAX_GUID { code(&guid) } else { guid };
        RowIdentity { id: id.unwrap_or_default(), guid }
    });
    names.collect()
}

fn start(session: &ForeignSession, zone: Zone) -> Option<DateTime<Utc>> {
    session.start.map(|time| time.instant(zone))
}

/// The id that an identity can be itself; none for a UUID, a UID and the like.
fn readable(identity: &str) -> Option<String> {
    let lower = identity.to_ascii_lowercase();
    let of_one_case = lower == identity || identity.to_ascii_uppercase() == identity;
    let needs_word = lower.len() == 1 || lower.bytes().all(|byte| byte.is_ascii_digit());
    let id = if needs_word { format!("session-{lower}") } else { lower };
    (of_one_case && id.len() <= MAX_READABLE && !id.starts_with("s-") && SessionId::parse(&id).is_ok())
        .then_some(id)
}

fn code(identity: &str) -> String {
    format!("s-{}", code_of(identity))
}

/// The id of a session without an identity: its title and start, which at least other sessions do not change.
fn described(session: &ForeignSession, zone: Zone) -> String {
    let start = start(session, zone).map(|at| zone.civil(at).format("%Y%m%d-%H%M").to_string());
    of_title(&slug_of(&session.title), start.as_deref())
}

fn of_title(slug: &Slug, start: Option<&str>) -> String {
    let stem: String = slug.as_str().chars().take(40).collect();
    let start = start.map(|start| format!("-{start}"));
    format!("{}{}", stem.trim_end_matches('-'), start.unwrap_or_default())
}

/// The id that earlier versions made of the same title and start, which dropped letters such as `ß`; none if the id is
/// not made of them, or if it is the same. `date` and `time` are cells of a program file.
pub(super) fn former_id(id: &str, title: &str, date: &str, time: &str) -> Option<String> {
    let start = format!("{}-{}", date.replace('-', ""), time.get(..5)?.replace(':', ""));
    let of = |slug: Slug| of_title(&slug, Some(&start));
    // Two sessions with the same title and start have a number at the end.
    let number = id.strip_prefix(&of(slug_of(title)))?;
    let is_number = number.strip_prefix('-').is_some_and(|n| n.bytes().all(|byte| byte.is_ascii_digit()));
    let former = format!("{}{number}", of(former_slug_of(title)));
    ((number.is_empty() || is_number) && former != id).then_some(former)
}

fn cut_id(id: &str) -> &str {
    id.get(..58).unwrap_or(id).trim_end_matches('-')
}
