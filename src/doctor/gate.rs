//! The check before publication: lints every feed of a release, and compares the parsed feed with the ledger.
//!
//! A canonical feed must consist, byte for byte, of its calendar properties, the VEVENTs of its members and a closing
//! line. So each VEVENT is parsed only once, in a batch with others, even if many feeds contain it. Parts that are
//! shared with an earlier release that passed the check are not parsed again.

use super::finding::{Finding, Findings};
use super::{ParsedCalendar, ParsedEvent, instant};
use super::{check, clients};
use crate::feed::{Feed, FeedKey, RenderedEvent};
use crate::ics::{self, Moment, Reading, ZoneRules};
use crate::program::{Status, Zone};
use crate::release::Release;
use crate::revision::Entry;
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::HashMap;
use std::fmt;

/// The last line of every feed.
const CLOSING: &[u8] = b"END:VCALENDAR\r\n";

/// The bytes of the VEVENTs in one batch. The parsed form takes about ten times as much memory.
const BATCH_BYTES: usize = 1024 * 1024;

/// A finding in a feed of a release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedFinding {
    /// The path of a feed, or the id of a session.
    pub place: String,
    /// The finding. Its line number counts within a part of the feed and has no meaning here.
    pub finding: Finding,
}

/// Prints place, client and message in one line.
impl fmt::Display for FeedFinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {}: {}", self.place, self.finding.client, self.finding.message)
    }
}

/// Lints every feed of a release, and compares the parsed feed with the ledger.
///
/// `earlier` is a release that passed this check. Parts that are shared with it are not parsed again; sizes are always
/// checked. Findings do not stop the release.
///
/// # Errors
/// [`ParseBackError`] for a feed whose sessions, times, titles, states or stamps differ from the ledger.
pub fn inspect(release: &Release, earlier: Option<&Release>) -> Result<Vec<FeedFinding>, ParseBackError> {
    let (feeds, earlier) = (&release.feeds, earlier.map(|release| &release.feeds));
    let mut found = Vec::new();
    let mut all: Vec<(&FeedKey, &Feed)> = feeds.feeds().collect();
    all.sort_unstable_by_key(|(key, _)| *key);
    for (key, feed) in all {
        let mut findings = Findings::default();
        clients::check_size(&feed.identity, &mut findings);
        collect(findings.into_list(), key, &mut found);
    }
    if let Some(program) = feeds.feed(&FeedKey::Program) {
        let visible = release.ledger.visible_entries();
        let ids = visible.iter().map(|entry| &entry.session.id);
        if !program.members().iter().map(|event| &event.id).eq(ids) {
            return Err(broken(&FeedKey::Program, "its sessions differ from those of the program"));
        }
        let head = opening(release, program).ok_or_else(|| broken(&FeedKey::Program, NOT_ITS_EVENTS))?;
        let ledger = by_uid(release, &visible);
        let mut batch = EventBatch { release, ledger: &ledger, head, events: Vec::new(), length: 0 };
        for event in feeds.unshared_events(earlier) {
            batch.add(event, &mut found)?;
        }
        batch.check(&mut found)?;
    }
    for (key, feed) in feeds.unshared_feeds(earlier) {
        let opening = opening(release, feed).ok_or_else(|| broken(key, NOT_ITS_EVENTS))?;
        let envelope = [opening, CLOSING].concat();
        let reading = ics::read(&envelope);
        compare(&reading, &[], &HashMap::new()).map_err(|problem| broken(key, problem))?;
        let mut findings = Findings::default();
        check(&envelope, &reading, &mut findings);
        let mut findings = findings.into_list();
        // The feed's components may be its VEVENTs alone, which are checked with others.
        findings.retain(|finding| finding.rule != "no-component" || feed.members().is_empty());
        collect(findings, key, &mut found);
    }
    Ok(found)
}

const NOT_ITS_EVENTS: &str = "it does not consist of the entries of its sessions";

fn broken(key: &FeedKey, problem: impl Into<String>) -> ParseBackError {
    ParseBackError { feed: key.to_string(), problem: problem.into() }
}

fn by_uid<'a>(release: &Release, visible: &[&'a Entry]) -> HashMap<String, &'a Entry> {
    visible.iter().map(|entry| (release.ledger.uid(&entry.session.id), *entry)).collect()
}

/// The start of a feed, up to its first VEVENT; none if anything but its members' VEVENTs and the closing line follows.
fn opening<'a>(release: &'a Release, feed: &'a Feed) -> Option<&'a [u8]> {
    let mut rest = feed.identity.strip_suffix(CLOSING)?;
    for member in feed.members().iter().rev() {
        // The bytes come from the program feed, which is checked, and not from the members of this feed.
        rest = rest.strip_suffix(release.feeds.event(&member.id)?.default_bytes().as_ref())?;
    }
    Some(rest)
}

/// A batch of VEVENTs that are parsed together.
struct EventBatch<'a> {
    release: &'a Release,
    ledger: &'a HashMap<String, &'a Entry>,
    /// The start of the program feed, with the VTIMEZONE that all feeds share.
    head: &'a [u8],
    events: Vec<&'a RenderedEvent>,
    length: usize,
}

impl<'a> EventBatch<'a> {
    fn add(&mut self, event: &'a RenderedEvent, found: &mut Vec<FeedFinding>) -> Result<(), ParseBackError> {
        self.length += event.default_bytes().len();
        self.events.push(event);
        if self.length >= BATCH_BYTES { self.check(found) } else { Ok(()) }
    }

    fn check(&mut self, found: &mut Vec<FeedFinding>) -> Result<(), ParseBackError> {
        let mut bytes = self.head.to_vec();
        self.events.iter().for_each(|event| bytes.extend_from_slice(&event.default_bytes()));
        bytes.extend_from_slice(CLOSING);
        let reading = ics::read(&bytes);
        let uids: Vec<String> = self.events.iter().map(|event| self.release.ledger.uid(&event.id)).collect();
        compare(&reading, &uids, self.ledger).map_err(|problem| broken(&FeedKey::Program, problem))?;
        let mut findings = Findings::default();
        check(&bytes, &reading, &mut findings);
        let lines: Vec<usize> =
            reading.calendars().flat_map(|calendar| calendar.all("VEVENT")).map(|event| event.line).collect();
        for finding in findings.into_list() {
            let place = lines.partition_point(|line| *line <= finding.line).checked_sub(1);
            // Findings before the first VEVENT belong to the head, which is checked with its own feed.
            let event = place.and_then(|place| self.events.get(place));
            found.extend(event.map(|event| FeedFinding { place: event.id.to_string(), finding }));
        }
        self.events.clear();
        self.length = 0;
        Ok(())
    }
}

fn collect(findings: Vec<Finding>, key: &FeedKey, found: &mut Vec<FeedFinding>) {
    let place = key.to_string();
    found.extend(findings.into_iter().map(|finding| FeedFinding { place: place.clone(), finding }));
}

/// A feed that differs from the ledger.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the feed {feed} does not parse back: {problem}")]
pub struct ParseBackError {
    /// The feed's path.
    pub feed: String,
    /// How the feed differs from the ledger.
    pub problem: String,
}

/// Compares a parsed calendar with the ledger. It must have exactly the sessions with the `expected` UIDs, in this order,
/// and each session as the ledger has it.
fn compare(reading: &Reading, expected: &[String], ledger: &HashMap<String, &Entry>) -> Result<(), String> {
    if let Some(error) = reading.errors.first() {
        return Err(format!("line {}: {}", error.line, error.kind));
    }
    let [component] = reading.components.as_slice() else {
        return Err(format!("the number of its components is {} instead of 1", reading.components.len()));
    };
    let calendar = ParsedCalendar::of(component);
    let found: Vec<&str> = calendar.events.iter().map(|event| event.uid.as_str()).collect();
    if found != expected {
        return Err(format!(
            "its sessions differ from those of the ledger: {} were found, {} expected",
            found.len(),
            expected.len()
        ));
    }
    for event in &calendar.events {
        let entry = ledger.get(&event.uid).ok_or_else(|| format!("{} is not in the ledger", event.uid))?;
        compare_event(event, entry, &calendar).map_err(|what| format!("{what} of {}", event.uid))?;
    }
    Ok(())
}

fn compare_event(
    event: &ParsedEvent<'_>,
    entry: &Entry,
    calendar: &ParsedCalendar<'_>,
) -> Result<(), &'static str> {
    let session = &entry.session;
    let at = |moment: Option<&Moment>| moment.and_then(|moment| agreed_instant(moment, calendar));
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

/// The instant, if the IANA database and the feed's VTIMEZONE agree on it.
fn agreed_instant(moment: &Moment, calendar: &ParsedCalendar<'_>) -> Option<DateTime<Utc>> {
    let at = instant(moment)?;
    let Moment::Zoned(civil, tzid) = moment else { return Some(at) };
    let offset = ZoneRules::of(calendar.zone(tzid)?).offset(*civil)?;
    let by_feed = civil.and_utc() - TimeDelta::seconds(i64::from(offset));
    (by_feed == at && Zone::parse(tzid).is_ok()).then_some(at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures;

    /// The replacements imitate a broken renderer.
    #[test]
    fn a_difference_from_the_ledger_stops_the_release_and_a_finding_does_not() {
        assert_eq!(inspect(&fixtures::opening().release(), None), Ok(Vec::new()));
        for (old, new, problem) in [
            ("T090000", "T100000", "the start"),
            ("Opening\\, with", "Opening, wi", "the title"),
            ("SEQUENCE:0", "SEQUENCE:9", "the sequence"),
            ("TZOFFSETTO:-0700", "TZOFFSETTO:-0600", "the start"),
            ("VERSION:2.0\r\n", "VERSION:2.0\n", "LF"),
        ] {
            let mut broken = fixtures::opening().release();
            broken.feeds.corrupt(&FeedKey::Program, old, new);
            let error = inspect(&broken, None).unwrap_err();
            assert!(error.problem.contains(problem) && error.feed == "/program.ics", "{old}: {error}");
        }
        let mut warned = fixtures::opening().release();
        warned.feeds.corrupt(&FeedKey::Program, "CLASS:PUBLIC", "CLASS:PRIVATE");
        // The day's feed still has the VEVENT that was rendered.
        assert_eq!(
            inspect(&warned, None).unwrap_err().problem,
            "it does not consist of the entries of its sessions"
        );
        let day = warned.feeds.feeds().map(|(key, _)| key.clone()).find(|key| *key != FeedKey::Program);
        warned.feeds.corrupt(&day.unwrap(), "CLASS:PUBLIC", "CLASS:PRIVATE");
        let found = inspect(&warned, None).unwrap();
        let places: Vec<_> = found.iter().map(|one| (one.place.as_str(), one.finding.rule)).collect();
        assert_eq!(places, [("opening", "class")]);
    }

    #[test]
    fn shared_parts_are_not_parsed_again() {
        let (first, now) = (fixtures::opening().release(), "2025-01-02T00:00:00Z".parse().unwrap());
        let next = first.follow(first.program.clone(), now).release;
        assert_eq!(next.feeds.unshared_events(Some(&first.feeds)).count(), 0);
        assert_eq!(next.feeds.unshared_feeds(Some(&first.feeds)).count(), 0);
        assert_eq!(next.feeds.unshared_events(None).count(), 1);
        assert_eq!(inspect(&next, Some(&first)), Ok(Vec::new()));
    }

    #[test]
    fn a_feed_that_differs_from_the_ledger_does_not_parse_back() {
        let release = fixtures::opening().release();
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
            let error =
                compare(&ics::read(broken.as_bytes()), std::slice::from_ref(&uid), &ledger).unwrap_err();
            assert!(error.contains(problem), "{old}: {error}");
        }
        assert_eq!(compare(&ics::read(text.as_bytes()), &[uid], &ledger), Ok(()));
    }
}
