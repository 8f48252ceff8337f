//! Whether a release's feeds parse back to its sessions: the one thing for which a release is stopped.

use super::calendar::{Calendar, Event, instant};
use crate::ics::{self, Moment, Reading, ZoneRules};
use crate::program::{Status, Zone};
use crate::release::Release;
use crate::revision::Entry;
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::HashMap;

/// How a feed differs from what it was made of.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the feed {feed} does not parse back: {problem}")]
pub struct BackError {
    /// The feed's path.
    pub feed: String,
    /// What is wrong with it.
    pub problem: String,
}

/// Reads every canonical feed of a release as a stranger would, and compares it with the ledger.
///
/// # Errors
/// [`BackError`] for the first feed that holds other sessions, times, titles, states or stamps.
pub fn parses_back(release: &Release) -> Result<(), BackError> {
    let shown = release.ledger.shown();
    let ledger: HashMap<String, &Entry> =
        shown.into_iter().map(|entry| (release.ledger.uid(&entry.session.id), entry)).collect();
    for (key, feed) in release.feeds.feeds() {
        let members: Vec<String> =
            release.feeds.members(feed).map(|event| release.ledger.uid(&event.id)).collect();
        compare(&ics::read(&feed.identity), &members, &ledger)
            .map_err(|problem| BackError { feed: key.to_string(), problem })?;
    }
    Ok(())
}

/// Holds one calendar against the ledger: just these sessions, in this order, each as it was published.
pub(super) fn compare(
    reading: &Reading,
    expected: &[String],
    ledger: &HashMap<String, &Entry>,
) -> Result<(), String> {
    if let Some(flaw) = reading.flaws.first() {
        return Err(format!("line {}: {}", flaw.line, flaw.kind));
    }
    let [component] = reading.components.as_slice() else {
        return Err(format!("it holds {} components", reading.components.len()));
    };
    let calendar = Calendar::of(component);
    let found: Vec<&str> = calendar.events.iter().map(|event| event.uid.as_str()).collect();
    if found != expected {
        return Err(format!("it holds {} sessions of {}", found.len(), expected.len()));
    }
    for event in &calendar.events {
        let entry = ledger.get(&event.uid).ok_or_else(|| format!("{} is in no ledger", event.uid))?;
        same(event, entry, &calendar).map_err(|what| format!("{what} of {}", event.uid))?;
    }
    Ok(())
}

fn same(event: &Event<'_>, entry: &Entry, calendar: &Calendar<'_>) -> Result<(), &'static str> {
    let session = &entry.session;
    let at = |moment: Option<&Moment>| moment.and_then(|moment| by_rules(moment, calendar));
    let status = match session.status {
        Status::Cancelled => "CANCELLED",
        Status::Tentative => "TENTATIVE",
        Status::Confirmed | Status::Withdrawn => "CONFIRMED",
    };
    if at(event.start.as_ref()) != Some(session.slot.start) {
        return Err("the start");
    }
    if at(event.end.as_ref()) != Some(session.slot.end) {
        return Err("the end");
    }
    if event.component.text("SUMMARY") != session.title.as_str() {
        return Err("the title");
    }
    if event.value("STATUS") != status {
        return Err("the status");
    }
    if event.value("SEQUENCE") != entry.revision.sequence.to_string() {
        return Err("the sequence");
    }
    Ok(())
}

/// The instant, by the IANA database and by the feed's own VTIMEZONE; none where the two differ.
fn by_rules(moment: &Moment, calendar: &Calendar<'_>) -> Option<DateTime<Utc>> {
    let at = instant(moment)?;
    let Moment::Zoned(civil, tzid) = moment else { return Some(at) };
    let told = ZoneRules::of(calendar.zone(tzid)?).offset(*civil)?;
    let by_feed = civil.and_utc() - TimeDelta::seconds(i64::from(told));
    (by_feed == at && Zone::parse(tzid).is_ok()).then_some(at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures;

    /// A feed as a broken renderer could write it: what each mistake is called.
    #[test]
    fn a_feed_that_says_something_else_does_not_parse_back() {
        let release = fixtures::opening().release();
        assert_eq!(parses_back(&release), Ok(()));
        let feed = release.feeds.feed(&crate::feed::FeedKey::Program).unwrap();
        let text = String::from_utf8(feed.identity.to_vec()).unwrap();
        let entry = release.ledger.entries.values().next().unwrap();
        let uid = "opening@conference.callboard.invalid".to_owned();
        let ledger = HashMap::from([(uid.clone(), entry)]);
        for (old, new, problem) in [
            ("T090000", "T100000", "the start"),
            ("T094500", "T104500", "the end"),
            ("TZOFFSETTO:-0700", "TZOFFSETTO:-0600", "the start"),
            ("Opening\\, with", "Opening, wi", "the title"),
            ("STATUS:CONFIRMED", "STATUS:CANCELLED", "the status"),
            ("SEQUENCE:0", "SEQUENCE:1", "the sequence"),
            ("UID:opening", "UID:closing", "sessions"),
            ("END:VEVENT\r\n", "", "END:VCALENDAR"),
            ("\r\n", "\n", "LF"),
        ] {
            let broken = text.replace(old, new);
            assert_ne!(broken, text, "{old}");
            let told =
                compare(&ics::read(broken.as_bytes()), std::slice::from_ref(&uid), &ledger).unwrap_err();
            assert!(told.contains(problem), "{old}: {told}");
        }
        assert_eq!(compare(&ics::read(text.as_bytes()), &[uid], &ledger), Ok(()));
    }
}
