//! A foreign program between its format and ours.

use super::Note;
use chrono::{DateTime, NaiveDateTime, Utc};
use std::collections::BTreeMap;

/// What a file holds.
#[derive(Debug, Default)]
pub(super) struct Foreign {
    pub title: Option<String>,
    pub zone: Option<String>,
    pub sessions: Vec<Session>,
    pub notes: Vec<Note>,
    /// Fields without a place here, and how often each was filled.
    pub unmapped: BTreeMap<String, usize>,
}

/// A time as the file has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Time {
    Instant(DateTime<Utc>),
    /// Civil time of the conference.
    Civil(NaiveDateTime),
}

/// A session, every text as it was.
#[derive(Debug, Default)]
pub(super) struct Session {
    pub title: String,
    pub start: Option<Time>,
    pub end: Option<Time>,
    /// A type or category that says what it is.
    pub kind: String,
    pub track: String,
    pub block: String,
    pub room: String,
    pub people: Vec<Person>,
    /// Paragraphs.
    pub text: Vec<String>,
    pub url: String,
    /// Label and address.
    pub links: Vec<(String, String)>,
    /// iCalendar's word.
    pub status: String,
}

/// A person.
#[derive(Debug, Default, Clone)]
pub(super) struct Person {
    pub name: String,
    pub affiliation: String,
    pub bio: String,
}

impl Foreign {
    pub(super) fn note(&mut self, message: String) {
        self.notes.push(Note { session: None, message });
    }

    /// Counts a field that has no place here.
    pub(super) fn skip(&mut self, field: &str) {
        *self.unmapped.entry(field.to_owned()).or_default() += 1;
    }
}
