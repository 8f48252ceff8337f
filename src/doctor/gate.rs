//! The gate of publication: a release's feeds, linted and read back before they are served.
//!
//! A canonical feed is an envelope, its members' VEVENTs and a closing line, and the gate checks just that byte
//! for byte. So each VEVENT is read once, beside others of its release, however many feeds hold it, and each
//! envelope once; what an earlier release, which went through the gate, shares is not read again.

use super::back::{BackError, compare};
use super::finding::{Finding, Findings};
use super::{examine, google};
use crate::feed::{Event, Feed, FeedKey};
use crate::ics;
use crate::release::Release;
use crate::revision::Entry;
use std::collections::HashMap;
use std::fmt;

/// What closes every feed.
const CLOSING: &[u8] = b"END:VCALENDAR\r\n";

/// VEVENTs that are read at a time, in bytes: a reading takes some ten times as much memory.
const AT_A_TIME: usize = 1024 * 1024;

/// A finding, and what it was found in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// A feed's path, or a session's id.
    pub place: String,
    /// What would break; its line is that of a part of the feed and tells nothing here.
    pub finding: Finding,
}

/// Where, for whom and what, in one line.
impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {}: {}", self.place, self.finding.client, self.finding.message)
    }
}

/// Lints every feed of a release, and reads each back.
///
/// With an earlier release that went through the gate, only what the two do not share is read. Sizes are
/// measured always. Findings stop nothing.
///
/// # Errors
/// [`BackError`] for a feed that holds other sessions, times, titles, states or stamps than the ledger.
pub fn inspect(release: &Release, earlier: Option<&Release>) -> Result<Vec<Found>, BackError> {
    let (feeds, earlier) = (&release.feeds, earlier.map(|release| &release.feeds));
    let mut found = Vec::new();
    let mut all: Vec<(&FeedKey, &Feed)> = feeds.feeds().collect();
    all.sort_unstable_by_key(|(key, _)| *key);
    for (key, feed) in all {
        let mut findings = Findings::default();
        google::measure(&feed.identity, &mut findings);
        keep(findings, key, &mut found);
    }
    if let Some(program) = feeds.feed(&FeedKey::Program) {
        let shown = release.ledger.shown();
        if !feeds.members(program).map(|event| &event.id).eq(shown.iter().map(|entry| &entry.session.id)) {
            return Err(broken(&FeedKey::Program, "it holds other sessions than the program"));
        }
        let head = opening(release, program).ok_or_else(|| broken(&FeedKey::Program, NO_JOIN))?;
        let ledger = by_uid(release, &shown);
        let mut batch = Batch { release, ledger: &ledger, head, events: Vec::new(), length: 0 };
        for event in feeds.fresh_events(earlier) {
            batch.take(event, &mut found)?;
        }
        batch.read(&mut found)?;
    }
    for (key, feed) in feeds.fresh_feeds(earlier) {
        let opening = opening(release, feed).ok_or_else(|| broken(key, NO_JOIN))?;
        let envelope = [opening, CLOSING].concat();
        let reading = ics::read(&envelope);
        compare(&reading, &[], &HashMap::new()).map_err(|problem| broken(key, problem))?;
        let mut findings = Findings::default();
        examine(&envelope, &reading, &mut findings);
        keep(findings, key, &mut found);
    }
    Ok(found)
}

const NO_JOIN: &str = "it is not the join of its sessions";

fn broken(key: &FeedKey, problem: impl Into<String>) -> BackError {
    BackError { feed: key.to_string(), problem: problem.into() }
}

fn by_uid<'a>(release: &Release, shown: &[&'a Entry]) -> HashMap<String, &'a Entry> {
    shown.iter().map(|entry| (release.ledger.uid(&entry.session.id), *entry)).collect()
}

/// A feed without its members and its closing line; none where the rest is anything else.
fn opening<'a>(release: &'a Release, feed: &'a Feed) -> Option<&'a [u8]> {
    let mut rest = feed.identity.strip_suffix(CLOSING)?;
    let members: Vec<&Event> = release.feeds.members(feed).collect();
    for member in members.iter().rev() {
        // Not the feed's own word for what its members are, but what the program feed shows of them.
        rest = rest.strip_suffix(release.feeds.event(&member.id)?.default_bytes().as_ref())?;
    }
    Some(rest)
}

/// VEVENTs to be read together.
struct Batch<'a> {
    release: &'a Release,
    ledger: &'a HashMap<String, &'a Entry>,
    /// The program feed's envelope, whose VTIMEZONE all feeds share.
    head: &'a [u8],
    events: Vec<&'a Event>,
    length: usize,
}

impl<'a> Batch<'a> {
    fn take(&mut self, event: &'a Event, found: &mut Vec<Found>) -> Result<(), BackError> {
        self.length += event.default_bytes().len();
        self.events.push(event);
        if self.length >= AT_A_TIME { self.read(found) } else { Ok(()) }
    }

    fn read(&mut self, found: &mut Vec<Found>) -> Result<(), BackError> {
        let mut bytes = self.head.to_vec();
        self.events.iter().for_each(|event| bytes.extend_from_slice(&event.default_bytes()));
        bytes.extend_from_slice(CLOSING);
        let reading = ics::read(&bytes);
        let uids: Vec<String> = self.events.iter().map(|event| self.release.ledger.uid(&event.id)).collect();
        compare(&reading, &uids, self.ledger).map_err(|problem| broken(&FeedKey::Program, problem))?;
        let mut findings = Findings::default();
        examine(&bytes, &reading, &mut findings);
        let lines: Vec<usize> =
            reading.calendars().flat_map(|calendar| calendar.all("VEVENT")).map(|event| event.line).collect();
        for finding in findings.into_list() {
            let place = lines.partition_point(|line| *line <= finding.line).checked_sub(1);
            // What is in front of the first VEVENT was looked at with its own feed.
            let event = place.and_then(|place| self.events.get(place));
            found.extend(event.map(|event| Found { place: event.id.to_string(), finding }));
        }
        self.events.clear();
        self.length = 0;
        Ok(())
    }
}

fn keep(findings: Findings, key: &FeedKey, found: &mut Vec<Found>) {
    let place = key.to_string();
    found.extend(findings.into_list().into_iter().map(|finding| Found { place: place.clone(), finding }));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures;

    /// What a broken renderer could write, and what the release is stopped for.
    #[test]
    fn a_renderers_fault_stops_the_release_and_a_finding_does_not() {
        assert_eq!(inspect(&fixtures::opening().release(), None), Ok(Vec::new()));
        for (old, new, problem) in [
            ("T090000", "T100000", "the start"),
            ("Opening\\, with", "Opening, wi", "the title"),
            ("SEQUENCE:0", "SEQUENCE:9", "the sequence"),
            ("TZOFFSETTO:-0700", "TZOFFSETTO:-0600", "the start"),
            ("VERSION:2.0\r\n", "VERSION:2.0\n", "LF"),
        ] {
            let mut broken = fixtures::opening().release();
            broken.feeds.plant(&FeedKey::Program, old, new);
            let told = inspect(&broken, None).unwrap_err();
            assert!(told.problem.contains(problem) && told.feed == "/program.ics", "{old}: {told}");
        }
        let mut warned = fixtures::opening().release();
        warned.feeds.plant(&FeedKey::Program, "CLASS:PUBLIC", "CLASS:PRIVATE");
        // The day's feed still holds the sound VEVENT, which is no longer the session's.
        assert_eq!(inspect(&warned, None).unwrap_err().problem, "it is not the join of its sessions");
        let day = warned.feeds.feeds().map(|(key, _)| key.clone()).find(|key| *key != FeedKey::Program);
        warned.feeds.plant(&day.unwrap(), "CLASS:PUBLIC", "CLASS:PRIVATE");
        let found = inspect(&warned, None).unwrap();
        let told: Vec<_> = found.iter().map(|one| (one.place.as_str(), one.finding.rule)).collect();
        assert_eq!(told, [("opening", "class")]);
    }

    #[test]
    fn what_an_inspected_release_shares_is_not_read_again() {
        let (first, now) = (fixtures::opening().release(), "2025-01-02T00:00:00Z".parse().unwrap());
        let next = first.follow(first.program.clone(), now).release;
        assert_eq!(next.feeds.fresh_events(Some(&first.feeds)).count(), 0);
        assert_eq!(next.feeds.fresh_feeds(Some(&first.feeds)).count(), 0);
        assert_eq!(next.feeds.fresh_events(None).count(), 1);
        assert_eq!(inspect(&next, Some(&first)), Ok(Vec::new()));
    }
}
