//! The Giggity app: the entry for its menu, and the link that adds the schedule to the app.

use super::Exported;
use crate::program::Conference;
use crate::release::Release;
use chrono::NaiveDate;
use data_encoding::BASE64URL;
use flate2::{Compression, GzBuilder};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use std::io::Write;

/// One entry of Giggity's menu, in the fields of its `menu.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GiggityMenu {
    /// `yyyymmddnn`. Rises with changes of the menu entry, not of the schedule.
    pub version: u32,
    /// The address of the schedule.
    pub url: String,
    /// The name of the conference.
    pub title: String,
    /// The first day.
    pub start: String,
    /// The last day.
    pub end: String,
    /// The zone of the schedule's times.
    pub timezone: String,
    /// The links that are shown beside the schedule.
    pub metadata: GiggityMetadata,
}

/// The links that Giggity shows beside a schedule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GiggityMetadata {
    /// The links to pages.
    pub links: Vec<GiggityLink>,
}

/// A link to a page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GiggityLink {
    /// The address of the page.
    pub url: String,
    /// The label of the link.
    pub title: String,
}

impl GiggityMenu {
    /// The entry for a release's conference.
    pub fn of(release: &Release) -> Self {
        let conference = &release.program.conference;
        let (first, last) = span(release);
        let version = first.format("%Y%m%d00").to_string().parse().unwrap_or_default();
        let link =
            |path: &str, title: &str| GiggityLink { url: conference.link(path), title: title.to_owned() };
        Self {
            version,
            url: conference.link("/schedule.xml"),
            title: conference.title.to_string(),
            start: first.to_string(),
            end: last.to_string(),
            timezone: conference.zone.name().to_owned(),
            metadata: GiggityMetadata { links: vec![link("/", "Program"), link("/changes", "Changes")] },
        }
    }
}

/// The first and the last day of the schedule, computed without building the schedule.
fn span(release: &Release) -> (NaiveDate, NaiveDate) {
    let Conference { zone, dates, .. } = *release.program.conference;
    let days = release.program.conference.days();
    let entries = release.ledger.entries.values().filter(|entry| entry.is_visible() && !entry.is_cancelled());
    let starts = || entries.clone().map(|entry| entry.session.slot.start);
    let sessions = starts().min().zip(starts().max());
    let sessions = sessions.map(|(first, last)| (days.of(first), days.of(last)));
    match (dates, sessions) {
        (Some((first, last)), Some((earliest, latest))) => (first.min(earliest), last.max(latest)),
        (Some(span), None) | (None, Some(span)) => span,
        (None, None) => (zone.civil(release.published()).date(), zone.civil(release.published()).date()),
    }
}

/// `/giggity.json`: the entry as a file, for a pull request to the app's menu.
pub fn giggity_menu(release: &Release) -> Exported {
    let mut bytes = serde_json::to_vec_pretty(&GiggityMenu::of(release)).unwrap_or_default();
    bytes.push(b'\n');
    Exported::new("application/json; charset=utf-8", bytes, release.published())
}

/// The address that opens the schedule in Giggity, or a page about the app if it is not installed.
///
/// The address contains the menu entry as gzipped JSON in URL-safe base 64, as in the app's `tools/ggt.sh`.
pub fn deep_link(release: &Release) -> String {
    let conference: &Conference = &release.program.conference;
    let schedule = conference.link("/schedule.xml");
    let address = utf8_percent_encode(&schedule, NON_ALPHANUMERIC);
    let entry = serde_json::to_vec(&GiggityMenu::of(release)).unwrap_or_default();
    // Writing into memory cannot fail. The gzip header has no time, so that the link never changes.
    let mut gzip = GzBuilder::new().mtime(0).write(Vec::new(), Compression::best());
    let _ = gzip.write_all(&entry);
    let packed = gzip.finish().unwrap_or_default();
    format!("https://ggt.gaa.st/#url={address}&json={}", BASE64URL.encode(&packed))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::FrabSchedule;
    use crate::fixtures;
    use std::io::Read;

    #[test]
    fn the_days_are_those_of_the_schedule() {
        let release = fixtures::tricky().release();
        assert_eq!(span(&release), FrabSchedule::of(&release).span());
    }

    #[test]
    fn the_link_carries_the_schedule_and_the_entry() {
        let release = fixtures::tricky().release();
        let link = deep_link(&release);
        let (address, entry) =
            link.strip_prefix("https://ggt.gaa.st/#url=").unwrap().split_once("&json=").unwrap();
        let address = percent_encoding::percent_decode_str(address).decode_utf8().unwrap();
        assert_eq!(address, "https://conf.example/schedule.xml");
        let packed = BASE64URL.decode(entry.as_bytes()).unwrap();
        let mut text = String::new();
        flate2::read::GzDecoder::new(packed.as_slice()).read_to_string(&mut text).unwrap();
        let entry: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(entry["url"], "https://conf.example/schedule.xml");
        assert_eq!(
            (entry["start"].as_str(), entry["end"].as_str()),
            (Some("2025-03-24"), Some("2025-03-27"))
        );
        assert_eq!(entry["timezone"], "America/Los_Angeles");
    }
}
