//! What a message says: the changes of an attendee's sessions, as a declarative push message.
//!
//! The JSON is that of Declarative Web Push, which Safari shows without a worker; the worker of the pages shows the same
//! JSON elsewhere. Only changes that people must know of are sent: moved, cancelled and reinstated sessions, with the
//! overlaps that they cause.

use crate::export::{ChangeText, describe_change};
use crate::program::{Change, ChangeKind, Session, SessionId, Slot, Status};
use crate::release::Release;
use crate::revision::Digest;
use crate::texts::Texts;
use chrono::{DateTime, TimeDelta, Utc};
use data_encoding::BASE64URL_NOPAD;
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The most characters of a title and of a body. Systems show fewer, and encrypted they fit into 4,096 bytes.
const MAX_TITLE: usize = 150;
const MAX_BODY: usize = 600;

/// The most changes that one message names.
pub(super) const MAX_NAMED: usize = 5;

/// A session that starts within this time makes a message urgent, so that a phone that saves power shows it too.
const SOON: TimeDelta = TimeDelta::hours(24);

/// One message, before it is encrypted for a device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notification {
    /// The text.
    pub text: String,
    /// The media type of the text.
    pub media_type: &'static str,
    /// A later message with the same topic replaces this one while the device is offline (RFC 8030, 5.4). It is the same
    /// for the same sessions, and names none.
    pub topic: String,
    /// Whether one of the sessions starts soon or runs.
    pub is_urgent: bool,
    /// The time after which the message is of no use.
    pub until: DateTime<Utc>,
}

/// Whether people with the session on their agenda are notified of a change. A corrected abstract is no reason to disturb
/// anybody.
pub(in crate::reach) fn notifies_people(kind: ChangeKind) -> bool {
    matches!(kind, ChangeKind::Moved | ChangeKind::Cancelled | ChangeKind::Restored)
}

/// The changes of successive releases as one for each session: a session that moved twice moved once, and one that moved
/// back did not change. The changes are in the order of the releases.
pub fn merge_changes<'a>(changes: impl IntoIterator<Item = &'a Change>) -> BTreeMap<SessionId, Change> {
    type State<'a> = Option<&'a Arc<Session>>;
    let mut sides: BTreeMap<&SessionId, (State<'_>, State<'_>)> = BTreeMap::new();
    for change in changes {
        sides
            .entry(&change.session)
            .and_modify(|(_, after)| *after = change.after.as_ref())
            .or_insert((change.before.as_ref(), change.after.as_ref()));
    }
    sides
        .into_iter()
        .filter_map(|(id, (before, after))| Some((id.clone(), Change::between(before, after)?)))
        .collect()
}

/// The message about the changes of picked sessions; none if there is nothing to tell. `changes` lead to the live
/// release.
pub fn notification(
    picks: &[SessionId],
    changes: &BTreeMap<SessionId, Change>,
    release: &Release,
    now: DateTime<Utc>,
) -> Option<Notification> {
    let mut shown: Vec<&Change> = picks.iter().filter_map(|id| changes.get(id)).collect();
    shown.retain(|change| notifies_people(change.kind) && last_end(change).is_some_and(|end| end > now));
    shown.sort_by_key(|change| (first_start(change), &change.session));
    let (first, more) = shown.split_first()?;
    let conference = &release.program.conference;
    let words = Texts::of(&conference.language);
    let title =
        |change: &Change| change.subject().map(|session| session.title.to_string()).unwrap_or_default();
    let overlaps = |change: &Change| {
        new_overlap(change, picks, changes, release).map(|other| words.push_overlap(other.title.as_str()))
    };
    let (head, body, path) = if more.is_empty() {
        let ChangeText { headline, mut sentences } = describe_change(first, release);
        sentences.extend(overlaps(first));
        (format!("{}: {headline}", title(first)), sentences.join(" "), format!("/sessions/{}", first.session))
    } else {
        let mut lines: Vec<String> = Vec::new();
        for change in shown.iter().take(MAX_NAMED) {
            let ChangeText { headline, .. } = describe_change(change, release);
            let line = format!("{}: {headline}", title(change));
            lines.push(match overlaps(change) {
                Some(overlap) => format!("{line}. {overlap}"),
                None => line,
            });
        }
        let unnamed = shown.len().saturating_sub(MAX_NAMED);
        if unnamed > 0 {
            lines.push(words.push_more(unnamed));
        }
        (words.push_several(shown.len()), lines.join("\n"), "/agenda".to_owned())
    };
    let topic = topic(&shown);
    Some(Notification {
        text: declarative(&head, &body, &topic, words, &conference.link(&path)),
        media_type: "application/octet-stream",
        topic,
        is_urgent: shown.iter().any(|change| is_soon(change, now)),
        until: shown.iter().filter_map(|change| last_end(change)).max()?,
    })
}

/// The JSON of a declarative push message that opens `navigate`.
pub(super) fn declarative(title: &str, body: &str, tag: &str, words: &Texts, navigate: &str) -> String {
    let text = json!({
        "web_push": 8030,
        "notification": {
            "title": shorten(title, MAX_TITLE),
            "body": shorten(body, MAX_BODY),
            "lang": words.tag(),
            "dir": "auto",
            "tag": tag,
            "navigate": navigate,
        },
    });
    text.to_string()
}

/// 32 characters, as many as a topic may have.
fn topic(shown: &[&Change]) -> String {
    let mut ids: Vec<&[u8]> = shown.iter().map(|change| change.session.as_str().as_bytes()).collect();
    ids.sort_unstable();
    let Digest(digest) = Digest::of_parts(ids);
    BASE64URL_NOPAD.encode(digest.get(..24).unwrap_or_default())
}

/// Whether a changed session starts soon or runs, before or after the change.
pub(super) fn is_soon(change: &Change, now: DateTime<Utc>) -> bool {
    let sides = [&change.before, &change.after].into_iter().flatten();
    let mut starts = sides.filter(|session| session.slot.end > now).map(|session| session.slot.start);
    starts.any(|start| start <= now + SOON)
}

fn first_start(change: &Change) -> Option<DateTime<Utc>> {
    [&change.before, &change.after].into_iter().flatten().map(|session| session.slot.start).min()
}

fn last_end(change: &Change) -> Option<DateTime<Utc>> {
    [&change.before, &change.after].into_iter().flatten().map(|session| session.slot.end).max()
}

/// A picked session that overlaps a changed one now, and did not before.
fn new_overlap<'a>(
    change: &Change,
    picks: &[SessionId],
    changes: &BTreeMap<SessionId, Change>,
    release: &'a Release,
) -> Option<&'a Arc<Session>> {
    let after = busy_slot(change.after.as_ref())?;
    let before = busy_slot(change.before.as_ref());
    picks.iter().filter(|id| **id != change.session).find_map(|id| {
        let other = &release.ledger.entries.get(id).filter(|entry| entry.is_visible())?.session;
        let other_before = match changes.get(id) {
            Some(change) => change.before.as_ref(),
            None => Some(other),
        };
        let overlapped = matches!((before, busy_slot(other_before)), (Some(before), Some(other)) if before.overlaps(other));
        (busy_slot(Some(other))?.overlaps(after) && !overlapped).then_some(other)
    })
}

/// The time that a session takes from an attendee; none for breaks, meals and cancelled sessions.
fn busy_slot(session: Option<&Arc<Session>>) -> Option<&Slot> {
    let takes_place = |session: &&Arc<Session>| {
        !session.kind.is_pause() && !matches!(session.status, Status::Cancelled | Status::Withdrawn)
    };
    session.filter(takes_place).map(|session| &session.slot)
}

fn shorten(text: &str, longest: usize) -> String {
    match text.char_indices().nth(longest) {
        None => text.to_owned(),
        Some(_) => text.chars().take(longest - 1).chain(['…']).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{self, at};
    use crate::program::Text;
    use crate::revision::Ledger;

    fn id(text: &str) -> SessionId {
        SessionId::parse(text).unwrap()
    }

    fn first() -> Release {
        fixtures::tricky().after(&Ledger::empty("conf.example.org"), "2025-01-10T12:00:00Z").release
    }

    fn move_to(session: &mut Session, start: &str, end: &str) {
        (session.slot.start, session.slot.end) = (at(start), at(end));
    }

    /// The title, body and address of a message.
    fn parts(notification: &Notification) -> (String, String, String) {
        let text: serde_json::Value = serde_json::from_str(&notification.text).unwrap();
        assert_eq!(text["web_push"], 8030);
        let part = |name: &str| text["notification"][name].as_str().unwrap().to_owned();
        assert_eq!(part("tag"), notification.topic);
        (part("title"), part("body"), part("navigate"))
    }

    #[test]
    fn a_message_about_a_moved_session_names_the_new_overlap_and_leads_to_its_page() {
        let program = || {
            let (start, end) = (at("2025-03-27T21:30:00Z"), at("2025-03-27T22:30:00Z"));
            fixtures::tricky().sessions([fixtures::talk("extra", start, end, "One more")])
        };
        let first = program().after(&Ledger::empty("conf.example.org"), "2025-01-10T12:00:00Z").release;
        let second = program()
            .edit("ml-monitoring", |session| move_to(session, "2025-03-27T22:00:00Z", "2025-03-27T23:00:00Z"))
            .after(&first.ledger, "2025-03-20T08:00:00Z");
        let changes = merge_changes(&second.changes);
        let now = at("2025-03-20T08:00:00Z");
        let message_for = |picks: &[SessionId]| notification(picks, &changes, &second.release, now);
        let message = message_for(&[id("ml-monitoring"), id("extra")]).unwrap();
        let (title, body, navigate) = parts(&message);
        assert!(title.contains(": moved to "), "{title}");
        assert!(body.ends_with("It now overlaps with “One more”."), "{body}");
        assert!(navigate.ends_with("/sessions/ml-monitoring"), "{navigate}");
        assert!(!message.is_urgent);
        let (_, alone, _) = parts(&message_for(&[id("ml-monitoring")]).unwrap());
        assert!(!alone.contains("overlaps"), "{alone}");
        assert_eq!(message_for(&[id("extra")]), None, "it did not change");
        assert_eq!(message_for(&[]), None);
        let late = message.until;
        assert_eq!(notification(&[id("ml-monitoring")], &changes, &second.release, late), None, "it is over");
        let day_before = late - TimeDelta::hours(20);
        let soon = notification(&[id("ml-monitoring")], &changes, &second.release, day_before).unwrap();
        assert!(soon.is_urgent);
    }

    #[test]
    fn several_changes_are_one_message_that_leads_to_the_agenda() {
        let first = first();
        let second = fixtures::tricky()
            .edit("ml-monitoring", |session| move_to(session, "2025-03-25T21:40:00Z", "2025-03-25T22:25:00Z"))
            .edit("slow-queries", |session| session.status = Status::Cancelled)
            .edit("fell-through", |session| session.status = Status::Confirmed)
            .after(&first.ledger, "2025-03-20T08:00:00Z");
        let changes = merge_changes(&second.changes);
        let picks = ["fell-through", "ml-monitoring", "slow-queries"].map(id);
        let now = at("2025-03-20T08:00:00Z");
        let message = notification(&picks, &changes, &second.release, now).unwrap();
        let (title, body, navigate) = parts(&message);
        assert_eq!(title, "3 of your sessions changed");
        assert_eq!(body.lines().count(), 3, "{body}");
        for words in [": canceled", ": takes place after all", ": moved to"] {
            assert!(body.contains(words), "{body}");
        }
        assert!(navigate.ends_with("/agenda"));
        assert_eq!(message.topic.len(), 32);
        let one = notification(&picks[..1], &changes, &second.release, now).unwrap();
        assert_ne!(one.topic, message.topic);
    }

    #[test]
    fn small_corrections_and_reverted_changes_send_no_message() {
        let first = first();
        let edited = fixtures::tricky()
            .edit("slow-queries", |session| session.title = Text::from("Slower queries"))
            .after(&first.ledger, "2025-03-20T08:00:00Z");
        let moved = fixtures::tricky()
            .edit("slow-queries", |session| move_to(session, "2025-03-25T21:40:00Z", "2025-03-25T22:25:00Z"))
            .after(&first.ledger, "2025-03-20T08:00:00Z");
        let back = fixtures::tricky().after(&moved.release.ledger, "2025-03-20T09:00:00Z");
        let (picks, now) = ([id("slow-queries")], at("2025-03-20T09:00:00Z"));
        let is_sent = |changes: &[&[Change]], release| {
            notification(&picks, &merge_changes(changes.iter().copied().flatten()), release, now).is_some()
        };
        assert!(!is_sent(&[&edited.changes], &edited.release));
        assert!(is_sent(&[&edited.changes, &moved.changes], &moved.release));
        assert!(!is_sent(&[&moved.changes, &back.changes], &back.release));
    }

    #[test]
    fn long_texts_are_cut_between_characters() {
        assert_eq!(shorten("žluťoučký", 9), "žluťoučký");
        assert_eq!(shorten("žluťoučký", 4), "žlu…");
    }
}
