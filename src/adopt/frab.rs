//! One event of a frab schedule, whichever way it was written.

use super::foreign::{Foreign, Person, Session, Time};
use super::ical::later;
use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta};

/// The fields that XML and JSON share.
#[derive(Debug, Default)]
pub(super) struct Event {
    pub day: String,
    pub date: String,
    pub start: String,
    pub duration: String,
    pub end: String,
    pub title: String,
    pub subtitle: String,
    pub kind: String,
    pub track: String,
    pub room: String,
    pub abstract_text: String,
    pub description: String,
    pub url: String,
    pub people: Vec<Person>,
    pub links: Vec<(String, String)>,
}

impl Event {
    /// Adds the event. Of a schedule of ours the subtitle is the block and the description lists people.
    pub(super) fn add(self, ours: bool, foreign: &mut Foreign) {
        let start = self.starts();
        let stated = DateTime::parse_from_rfc3339(&self.end).ok().map(|at| Time::Instant(at.to_utc()));
        let end = stated.or_else(|| later(start?, length(&self.duration)?));
        let (block, subtitle) =
            if ours { (self.subtitle, String::new()) } else { (String::new(), self.subtitle) };
        let description = if ours { String::new() } else { self.description };
        foreign.sessions.push(Session {
            title: self.title,
            start,
            end,
            kind: self.kind,
            track: self.track,
            block,
            room: self.room,
            people: self.people,
            text: vec![subtitle, self.abstract_text, description],
            url: self.url,
            links: self.links,
            status: String::new(),
        });
    }

    /// `date` with its offset, else the day's date and `start`.
    fn starts(&self) -> Option<Time> {
        if let Ok(at) = DateTime::parse_from_rfc3339(&self.date) {
            return Some(Time::Instant(at.to_utc()));
        }
        let day = NaiveDate::parse_from_str(self.day.get(..10)?, "%Y-%m-%d").ok()?;
        let time = NaiveTime::parse_from_str(self.start.get(..5)?, "%H:%M").ok()?;
        Some(Time::Civil(day.and_time(time)))
    }
}

/// `00:45`, `1:30` or, with days in front, `1:02:00`.
fn length(raw: &str) -> Option<TimeDelta> {
    let parts: Vec<i64> = raw.split(':').map(|part| part.trim().parse().ok()).collect::<Option<_>>()?;
    match parts.as_slice() {
        [hours, minutes] => TimeDelta::try_minutes(hours.checked_mul(60)?.checked_add(*minutes)?),
        [days, hours, minutes] => {
            let hours = days.checked_mul(24)?.checked_add(*hours)?;
            TimeDelta::try_minutes(hours.checked_mul(60)?.checked_add(*minutes)?)
        }
        _ => None,
    }
}

/// Splits a value like a schedule's `generator` to whether it is ours.
pub(super) fn is_ours(generator: Option<&str>) -> bool {
    generator.is_some_and(|name| name.eq_ignore_ascii_case("callboard"))
}
