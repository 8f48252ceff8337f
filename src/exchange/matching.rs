//! Matches the names of sessions in files to the sessions of a release.

use crate::export::{code, guid, session_guid};
use crate::program::{SessionId, Text};
use crate::release::Release;
use crate::revision::Entry;
use chrono::{DateTime, Utc};
use std::collections::{BTreeSet, HashMap, HashSet};
use uuid::Uuid;

/// The name of a session in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SessionName {
    /// The name as messages show it.
    pub(super) text: String,
    /// The keys are tried in order. The first that finds a session decides.
    pub(super) keys: Vec<NameKey>,
}

/// A key that finds a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum NameKey {
    /// The UID of a calendar.
    Uid(String),
    /// The guid in a frab schedule.
    Guid(Uuid),
    /// The number in a frab schedule, or in one of our own codes.
    Number(u32),
    /// An id, a UID, a code or a number.
    Any(String),
    /// The title and the start.
    Titled(String, DateTime<Utc>),
}

/// Every entry of a file with its session, in the order of the file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Matching {
    /// The entries.
    pub entries: Vec<MatchedPick>,
}

/// An entry of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MatchedPick {
    /// The name of the session in the file, shortened.
    pub text: String,
    /// The session that the entry means.
    pub outcome: MatchOutcome,
}

/// The session that an entry means, or the reason why there is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MatchOutcome {
    /// The session is not picked yet.
    New(SessionId),
    /// The session is picked already, or an earlier entry means the same session.
    Picked(SessionId),
    /// The program shows no such session.
    Unknown,
    /// The entry may mean any of these sessions.
    Ambiguous(Vec<SessionId>),
}

impl Matching {
    /// The matched sessions that are not picked yet.
    pub fn new_picks(&self) -> Vec<SessionId> {
        let new = self.entries.iter().filter_map(|entry| match &entry.outcome {
            MatchOutcome::New(id) => Some(id.clone()),
            _ => None,
        });
        new.collect()
    }
}

/// The shown sessions of a release by each of their names. Guids and codes are only computed if an entry uses one,
/// since computing them takes a hash for each session.
pub(super) struct NameIndex<'a> {
    by_id: HashMap<&'a str, &'a SessionId>,
    by_uid: HashMap<String, &'a SessionId>,
    by_number: HashMap<u32, &'a SessionId>,
    by_guid: HashMap<Uuid, &'a SessionId>,
    by_code: HashMap<String, &'a SessionId>,
    by_title: HashMap<(String, DateTime<Utc>), Vec<&'a SessionId>>,
}

impl<'a> NameIndex<'a> {
    pub(super) fn of(release: &'a Release, names: &[SessionName]) -> Self {
        let shown: Vec<&'a Entry> =
            release.ledger.entries.values().filter(|entry| entry.is_visible()).collect();
        let uses = |is: fn(&NameKey) -> bool| names.iter().flat_map(|name| &name.keys).any(is);
        let id = |entry: &&'a Entry| &entry.session.id;
        let uid = |entry: &&'a Entry| release.ledger.uid(id(entry));
        let mut index = Self {
            by_id: shown.iter().map(|entry| (id(entry).as_str(), id(entry))).collect(),
            by_uid: shown.iter().map(|entry| (uid(entry), id(entry))).collect(),
            by_number: shown.iter().map(|entry| (entry.number, id(entry))).collect(),
            by_guid: HashMap::new(),
            by_code: HashMap::new(),
            by_title: HashMap::new(),
        };
        if uses(|key| matches!(key, NameKey::Guid(_))) {
            // Exports of before the row had a guid have the derived one.
            let derived = shown.iter().map(|entry| (guid(&uid(entry)), id(entry)));
            let stated = shown.iter().map(|entry| (session_guid(&entry.session, &uid(entry)), id(entry)));
            index.by_guid = derived.chain(stated).collect();
        }
        if uses(|key| matches!(key, NameKey::Any(_))) {
            index.by_code = shown.iter().map(|entry| (code(entry.number.into()), id(entry))).collect();
        }
        if uses(|key| matches!(key, NameKey::Titled(..))) {
            for entry in &shown {
                let key = (folded(entry.session.title.as_str()), entry.session.slot.start);
                index.by_title.entry(key).or_default().push(id(entry));
            }
        }
        index
    }

    /// Finds the session of each name. `picked` are the sessions that are already picked.
    pub(super) fn matching(&self, names: Vec<SessionName>, picked: &[SessionId]) -> Matching {
        let mut picked: HashSet<SessionId> = picked.iter().cloned().collect();
        let matched = |name: SessionName| {
            let found = name.keys.iter().map(|key| self.find(key)).find(|found| !found.is_empty());
            let found: Vec<&SessionId> = found.unwrap_or_default().into_iter().collect();
            let outcome = match found.as_slice() {
                [] => MatchOutcome::Unknown,
                [one] if !picked.insert((*one).clone()) => MatchOutcome::Picked((*one).clone()),
                [one] => MatchOutcome::New((*one).clone()),
                several => MatchOutcome::Ambiguous(several.iter().map(|id| (*id).clone()).collect()),
            };
            MatchedPick { text: name.text, outcome }
        };
        Matching { entries: names.into_iter().map(matched).collect() }
    }

    fn find(&self, key: &NameKey) -> BTreeSet<&'a SessionId> {
        match key {
            NameKey::Uid(uid) => self.by_uid.get(uid).copied().into_iter().collect(),
            NameKey::Guid(guid) => self.by_guid.get(guid).copied().into_iter().collect(),
            NameKey::Number(number) => self.by_number.get(number).copied().into_iter().collect(),
            NameKey::Any(text) => self.named(text),
            NameKey::Titled(title, start) => {
                let found = self.by_title.get(&(folded(title), *start));
                found.into_iter().flatten().copied().collect()
            }
        }
    }

    /// Ids precede UIDs, and UIDs precede codes and numbers. A text that is the code of one session and the number of
    /// another is ambiguous.
    fn named(&self, text: &str) -> BTreeSet<&'a SessionId> {
        if let Some(id) = self.by_id.get(text).or_else(|| self.by_uid.get(text)) {
            return BTreeSet::from([*id]);
        }
        let by_code = self.by_code.get(&text.to_ascii_uppercase()).copied();
        let number = text.parse().ok().filter(|number: &u32| number.to_string() == text);
        let by_number = number.and_then(|number| self.by_number.get(&number)).copied();
        by_code.into_iter().chain(by_number).collect()
    }
}

/// A title with case and spaces normalised, since other tools change both.
fn folded(title: &str) -> String {
    title.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}

/// An untrusted text as one line of at most 80 characters, safe on pages and terminals.
pub(super) fn shortened(text: &str) -> String {
    let line = Text::line(text).0;
    let short: String = line.as_str().chars().take(80).collect();
    if short.len() < line.as_str().len() { format!("{short}…") } else { short }
}
