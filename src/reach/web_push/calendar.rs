//! What a message to a calendar program says: that a calendar has changed (WebDAV-Push, a draft by bitfire). The program
//! then fetches the calendar.

use super::MAX_TTL;
use super::notification::{Notification, is_soon};
use crate::program::{Change, SessionId};
use crate::store::FollowedCalendar;
use crate::xml::XmlWriter;
use chrono::{DateTime, Utc};
use std::collections::BTreeMap;

/// The message that a calendar has changed.
pub fn calendar_notification(
    calendar: &FollowedCalendar,
    changes: &BTreeMap<SessionId, Change>,
    now: DateTime<Utc>,
) -> Notification {
    let mut xml = XmlWriter::default();
    xml.open("push-message", &[("xmlns", "https://bitfire.at/webdav-push")]);
    xml.leaf("topic", &[], &calendar.topic);
    xml.empty("content-update", &[]);
    Notification {
        text: String::from_utf8_lossy(&xml.finish()).into_owned(),
        media_type: "application/xml; charset=\"UTF-8\"",
        topic: calendar.topic.clone(),
        is_urgent: changes.values().any(|change| is_soon(change, now)),
        until: now + MAX_TTL,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::CalendarSource;
    use crate::xml::{MAX_BYTES, read};

    #[test]
    fn a_message_names_the_topic_of_the_calendar() {
        let now = DateTime::UNIX_EPOCH;
        let calendar = FollowedCalendar {
            source: CalendarSource::Feed("/program.ics".into()),
            topic: "O7M1nQ7cKkKTKsoS_j6Z3w".into(),
            expires: now,
        };
        let message = calendar_notification(&calendar, &BTreeMap::new(), now);
        let root = read(message.text.as_bytes(), MAX_BYTES).unwrap();
        assert!(root.is("https://bitfire.at/webdav-push", "push-message"));
        assert_eq!(
            (root.text_of("topic"), message.topic.as_str()),
            (calendar.topic.as_str(), &*calendar.topic)
        );
        assert!(root.child("content-update").is_some() && root.child("property-update").is_none());
        assert!(!message.is_urgent);
    }
}
