//! The program as a whole: the conference, its counts, and where everything is.

use super::session::Named;
use super::{parts, utc};
use crate::program::Clock;
use crate::release::Release;
use chrono::NaiveDate;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// What a client reads first.
#[derive(Debug, Clone, Serialize)]
pub struct ProgramDocument<'a> {
    conference: ConferenceDocument<'a>,
    release: u64,
    published: String,
    counts: Counts,
    days: Vec<NaiveDate>,
    rooms: Vec<Named<'a>>,
    links: BTreeMap<&'static str, String>,
}

#[derive(Debug, Clone, Serialize)]
struct ConferenceDocument<'a> {
    title: &'a str,
    slug: &'a str,
    zone: &'static str,
    language: &'a str,
    clock: Clock,
    first_day: Option<NaiveDate>,
    last_day: Option<NaiveDate>,
    venue: Option<&'a str>,
    uid_domain: &'a str,
}

#[derive(Debug, Clone, Serialize)]
struct Counts {
    sessions: usize,
    cancelled: usize,
    tracks: usize,
    rooms: usize,
    speakers: usize,
}

/// Where everything else is.
const LINKS: &[(&str, &str)] = &[
    ("agendas", "/api/v1/agendas"),
    ("changes", "/api/v1/changes"),
    ("changes_atom", "/changes.atom"),
    ("changes_json", "/changes.json"),
    ("feed", "/program.ics"),
    ("giggity", "/giggity.json"),
    ("openapi", "/openapi.json"),
    ("page", "/"),
    ("releases", "/api/v1/releases"),
    ("schedule_csv", "/schedule.csv"),
    ("schedule_json", "/schedule.json"),
    ("schedule_xml", "/schedule.xml"),
    ("sessions", "/api/v1/sessions"),
    ("speakers", "/api/v1/speakers"),
    ("tracks", "/api/v1/tracks"),
];

impl<'a> ProgramDocument<'a> {
    /// Of a release.
    pub fn of(release: &'a Release) -> Self {
        let conference = &release.program.conference;
        let slugs = &release.ledger.slugs;
        let shown: Vec<_> = release.ledger.entries.values().filter(|entry| entry.is_shown()).collect();
        let zone = conference.zone;
        let mut days: BTreeSet<NaiveDate> =
            shown.iter().map(|entry| zone.civil(entry.session.slot.start).date()).collect();
        let dates = conference.dates;
        if let Some((first, last)) = dates {
            days.extend(first.iter_days().take_while(|day| *day <= last));
        }
        let used: BTreeSet<&str> = shown
            .iter()
            .filter_map(|entry| entry.session.slot.room.as_ref())
            .map(|name| name.as_str())
            .collect();
        let rooms = slugs.rooms.iter().filter(|(_, name)| used.contains(name.as_str()));
        let rooms: Vec<Named<'a>> =
            rooms.map(|(slug, name)| Named { slug: slug.as_str(), name: name.as_str() }).collect();
        let counts = Counts {
            sessions: shown.len(),
            cancelled: shown.iter().filter(|entry| entry.is_cancelled()).count(),
            tracks: parts::track_documents(release).len(),
            rooms: rooms.len(),
            speakers: parts::speaker_documents(release).len(),
        };
        Self {
            conference: ConferenceDocument {
                title: conference.title.as_str(),
                slug: conference.slug.as_str(),
                zone: zone.name(),
                language: &conference.language,
                clock: conference.clock,
                first_day: dates.map(|(first, _)| first),
                last_day: dates.map(|(_, last)| last),
                venue: conference.venue.as_ref().map(|text| text.as_str()),
                uid_domain: &release.ledger.uid_domain,
            },
            release: release.number(),
            published: utc(release.published()),
            counts,
            days: days.into_iter().collect(),
            rooms,
            links: LINKS.iter().map(|(name, path)| (*name, conference.link(path))).collect(),
        }
    }
}
