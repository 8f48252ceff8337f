//! Whether a release's feeds parse back to its sessions: the one thing for which a release is stopped.

use super::calendar::{Calendar, Event, instant};
use super::zone::Rules;
use crate::feed::Feed;
use crate::ics::{self, Moment};
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
        compare(release, feed, &ledger).map_err(|problem| BackError { feed: key.to_string(), problem })?;
    }
    Ok(())
}

fn compare(release: &Release, feed: &Feed, ledger: &HashMap<String, &Entry>) -> Result<(), String> {
    let reading = ics::read(&feed.identity);
    if let Some(flaw) = reading.flaws.first() {
        return Err(format!("line {}: {}", flaw.line, flaw.kind));
    }
    let [component] = reading.components.as_slice() else {
        return Err(format!("it holds {} components", reading.components.len()));
    };
    let calendar = Calendar::of(component);
    let expected: Vec<String> =
        release.feeds.members(feed).map(|event| release.ledger.uid(&event.id)).collect();
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
    let told = Rules::of(calendar.zone(tzid)?).offset(*civil)?;
    let by_feed = civil.and_utc() - TimeDelta::seconds(i64::from(told));
    (by_feed == at && Zone::parse(tzid).is_ok()).then_some(at)
}
