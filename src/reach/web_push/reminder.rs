//! What a reminder says: which picked sessions start at a time, and where.

use super::notification::{MAX_NAMED, Notification, declarative};
use crate::program::{Session, SessionId, Status};
use crate::release::Release;
use crate::revision::Digest;
use crate::texts::Texts;
use chrono::{DateTime, Utc};
use data_encoding::BASE64URL_NOPAD;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Whether people are reminded of a session: it takes place.
pub(in crate::reach) fn is_reminded_of(session: &Session) -> bool {
    !matches!(session.status, Status::Cancelled | Status::Withdrawn)
}

/// The reminder of the picked sessions that start at `start`; none if there are none any more, or if they have begun.
///
/// The text says when the sessions start, not in how many minutes: a phone may show it later.
pub fn reminder(
    picks: &[SessionId],
    start: DateTime<Utc>,
    release: &Release,
    now: DateTime<Utc>,
) -> Option<Notification> {
    if start <= now {
        return None;
    }
    let picks: BTreeSet<&SessionId> = picks.iter().collect();
    let sessions: Vec<&Arc<Session>> = release
        .visible_entries()
        .into_iter()
        .map(|entry| &entry.session)
        .filter(|session| {
            session.slot.start == start && picks.contains(&session.id) && is_reminded_of(session)
        })
        .collect();
    let (first, more) = sessions.split_first()?;
    let conference = &release.program.conference;
    let words = Texts::of(&conference.language);
    let time = words.time(conference.clock, conference.zone.civil(start).time());
    let room = |session: &Session| session.slot.room.as_ref().map(ToString::to_string);
    let (title, body, path) = if more.is_empty() {
        let body = match room(first) {
            Some(room) => words.reminder_in_room(&time, &room),
            None => words.reminder(&time),
        };
        (first.title.to_string(), body, format!("/sessions/{}", first.id))
    } else {
        let line = |session: &&Arc<Session>| match room(session) {
            Some(room) => format!("{}, {room}", session.title),
            None => session.title.to_string(),
        };
        let mut lines: Vec<String> = sessions.iter().take(MAX_NAMED).map(line).collect();
        let unnamed = sessions.len().saturating_sub(MAX_NAMED);
        if unnamed > 0 {
            lines.push(words.push_more(unnamed));
        }
        (words.reminder_several(sessions.len(), &time), lines.join("\n"), "/agenda".to_owned())
    };
    // Later reminders replace this one at the push service, but each is a notification of its own on the device.
    let topic = encoded(&[b"reminder"]);
    let tag = encoded(&[b"reminder", &start.timestamp().to_be_bytes()]);
    Some(Notification {
        text: declarative(&title, &body, &tag, words, &conference.link(&path)),
        media_type: "application/octet-stream",
        topic,
        is_urgent: true,
        until: start,
    })
}

fn encoded(parts: &[&[u8]]) -> String {
    let Digest(digest) = Digest::of_parts(parts.iter().copied());
    BASE64URL_NOPAD.encode(digest.get(..24).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{self, at};
    use crate::revision::Ledger;

    fn id(text: &str) -> SessionId {
        SessionId::parse(text).unwrap()
    }

    fn parts(notification: &Notification) -> (String, String, String, String) {
        let text: serde_json::Value = serde_json::from_str(&notification.text).unwrap();
        let part = |name: &str| text["notification"][name].as_str().unwrap().to_owned();
        (part("title"), part("body"), part("navigate"), part("tag"))
    }

    #[test]
    fn sessions_that_start_at_one_time_share_a_reminder_until_they_start() {
        let (start, end) = (at("2025-03-25T21:00:00Z"), at("2025-03-25T21:30:00Z"));
        let release = fixtures::tricky()
            .sessions(["one", "two"].map(|name| fixtures::talk(name, start, end, &format!("Talk {name}"))))
            .edit("two", |session| session.slot.room = Some("Hall 7".into()))
            .after(&Ledger::empty("conf.example.org"), "2025-01-10T12:00:00Z")
            .release;
        let now = start - chrono::TimeDelta::minutes(10);
        let remind = |picks: &[&str]| {
            let picks: Vec<SessionId> = picks.iter().copied().map(id).collect();
            reminder(&picks, start, &release, now)
        };
        let one = remind(&["one"]).unwrap();
        let (title, body, navigate, tag) = parts(&one);
        assert_eq!((title.as_str(), body.as_str()), ("Talk one", "Starts at 2:00 pm."));
        assert!(navigate.ends_with("/sessions/one") && one.is_urgent && one.until == start);
        assert_eq!((tag.len(), one.topic.len()), (32, 32));
        let (_, body, ..) = parts(&remind(&["two"]).unwrap());
        assert_eq!(body, "Starts at 2:00 pm in Hall 7.");
        let both = remind(&["one", "two", "slow-queries"]).unwrap();
        let (title, body, navigate, both_tag) = parts(&both);
        assert_eq!(title, "2 of your sessions start at 2:00 pm");
        assert_eq!(body, "Talk one\nTalk two, Hall 7");
        assert!(navigate.ends_with("/agenda") && both_tag == tag && both.topic == one.topic);
        assert_eq!(remind(&["slow-queries"]), None, "it starts at another time");
        assert_eq!(reminder(&[id("one")], start, &release, start), None, "it has begun");
    }
}
