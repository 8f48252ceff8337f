//! From names to sessions.

use super::{Key, Wanted};
use crate::export::{code, guid};
use crate::program::SessionId;
use crate::release::Release;
use crate::revision::Entry;
use chrono::{DateTime, Utc};
use std::collections::{BTreeSet, HashMap, HashSet};
use uuid::Uuid;

/// Every line of what came in, in its order, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Matching {
    /// The lines.
    pub lines: Vec<Line>,
}

/// One line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// How the file names the session, shortened.
    pub text: String,
    /// Which session it is.
    pub outcome: Outcome,
}

/// Which session a line means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// This one, which is not picked yet.
    New(SessionId),
    /// This one, which is picked already, or stands further up in the same file.
    Held(SessionId),
    /// None that the program shows.
    Unknown,
    /// One of these.
    Ambiguous(Vec<SessionId>),
}

impl Matching {
    /// What can be picked.
    pub fn new_picks(&self) -> Vec<SessionId> {
        let new = self.lines.iter().filter_map(|line| match &line.outcome {
            Outcome::New(id) => Some(id.clone()),
            _ => None,
        });
        new.collect()
    }
}

/// What the shown sessions of a release can be found by; guids and codes only where they are asked for, since
/// each is a hash.
pub(super) struct Index<'a> {
    by_id: HashMap<&'a str, &'a SessionId>,
    by_uid: HashMap<String, &'a SessionId>,
    by_number: HashMap<u32, &'a SessionId>,
    by_guid: HashMap<Uuid, &'a SessionId>,
    by_code: HashMap<String, &'a SessionId>,
    by_title: HashMap<(String, DateTime<Utc>), Vec<&'a SessionId>>,
}

impl<'a> Index<'a> {
    pub(super) fn of(release: &'a Release, wanted: &[Wanted]) -> Self {
        let shown: Vec<&'a Entry> =
            release.ledger.entries.values().filter(|entry| entry.is_shown()).collect();
        let asks = |is: fn(&Key) -> bool| wanted.iter().flat_map(|wanted| &wanted.keys).any(is);
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
        if asks(|key| matches!(key, Key::Guid(_))) {
            index.by_guid = shown.iter().map(|entry| (guid(&uid(entry)), id(entry))).collect();
        }
        if asks(|key| matches!(key, Key::Any(_))) {
            index.by_code = shown.iter().map(|entry| (code(entry.number), id(entry))).collect();
        }
        if asks(|key| matches!(key, Key::Titled(..))) {
            for entry in &shown {
                let key = (folded(entry.session.title.as_str()), entry.session.slot.start);
                index.by_title.entry(key).or_default().push(id(entry));
            }
        }
        index
    }

    pub(super) fn matching(&self, wanted: Vec<Wanted>, held: &[SessionId]) -> Matching {
        let mut held: HashSet<SessionId> = held.iter().cloned().collect();
        let line = |wanted: Wanted| {
            let found = wanted.keys.iter().map(|key| self.find(key)).find(|found| !found.is_empty());
            let found: Vec<&SessionId> = found.unwrap_or_default().into_iter().collect();
            let outcome = match found.as_slice() {
                [] => Outcome::Unknown,
                [one] if !held.insert((*one).clone()) => Outcome::Held((*one).clone()),
                [one] => Outcome::New((*one).clone()),
                several => Outcome::Ambiguous(several.iter().map(|id| (*id).clone()).collect()),
            };
            Line { text: wanted.text, outcome }
        };
        Matching { lines: wanted.into_iter().map(line).collect() }
    }

    fn find(&self, key: &Key) -> BTreeSet<&'a SessionId> {
        match key {
            Key::Uid(uid) => self.by_uid.get(uid).copied().into_iter().collect(),
            Key::Guid(guid) => self.by_guid.get(guid).copied().into_iter().collect(),
            Key::Number(number) => self.by_number.get(number).copied().into_iter().collect(),
            Key::Any(text) => self.named(text),
            Key::Titled(title, start) => {
                let found = self.by_title.get(&(folded(title), *start));
                found.into_iter().flatten().copied().collect()
            }
        }
    }

    /// An id counts before a UID, that before a code or a number; a text that is a code of one session and the
    /// number of another means either.
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

/// A title without what other tools change in it: case and spaces.
fn folded(title: &str) -> String {
    title.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}
