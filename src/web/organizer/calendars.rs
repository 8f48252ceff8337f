//! The desk's section about calendars: which release they have.

use crate::web::site::Site;
use chrono::{DateTime, Utc};
use std::collections::BTreeMap;

/// The calendars of one kind that one family of clients fetched.
#[derive(Debug, Clone)]
pub struct CalendarCount {
    /// What the calendars show.
    pub kind: CalendarKind,
    /// The family of the clients, e.g. `Google Calendar`.
    pub client: String,
    /// The number of clients by the newest release that they have, the newest first.
    pub releases: Vec<(u64, usize)>,
    /// The last fetch.
    pub last: DateTime<Utc>,
}

/// What a calendar shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CalendarKind {
    /// The whole program, or a part of it that a filter chooses.
    Program,
    /// A track.
    Track,
    /// A room, a day or a speaker.
    Part,
    /// An agenda.
    Agenda,
}

/// A row of the table of calendars.
pub(super) struct CalendarRow {
    pub(super) kind: &'static str,
    pub(super) client: String,
    pub(super) live: String,
    pub(super) earlier: String,
    pub(super) last: String,
}

impl CalendarRow {
    pub(super) fn of(site: &Site<'_>, count: &CalendarCount) -> Self {
        let words = site.words;
        let live = site.release.number();
        let current = count.releases.iter().find(|(release, _)| *release >= live).map_or(0, |(_, n)| *n);
        let earlier = count
            .releases
            .iter()
            .filter(|(release, _)| *release < live)
            .map(|(release, n)| words.earlier_release(*n, *release));
        let earlier: Vec<String> = earlier.collect();
        Self {
            kind: match count.kind {
                CalendarKind::Program => words.calendar_program,
                CalendarKind::Track => words.calendar_track,
                CalendarKind::Part => words.calendar_part,
                CalendarKind::Agenda => words.calendar_agenda,
            },
            client: count.client.clone(),
            live: current.to_string(),
            earlier: if earlier.is_empty() { "0".to_owned() } else { earlier.join(", ") },
            last: site.when.full(count.last),
        }
    }
}

/// The share of recently fetched calendars, of every kind, that have a release or a later one: in all, and by app, such as
/// `Google Calendar 4/9 · Apple Calendar 8/11`.
pub(super) fn share(site: &Site<'_>, release: u64, calendars: &[CalendarCount]) -> Option<(String, String)> {
    let mut apps: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for calendar in calendars {
        let (with, all) = apps.entry(&calendar.client).or_default();
        for (held, count) in &calendar.releases {
            *all += count;
            *with += if *held >= release { *count } else { 0 };
        }
    }
    let with: usize = apps.values().map(|(with, _)| with).sum();
    let all: usize = apps.values().map(|(_, all)| all).sum();
    let percent = (with * 100).checked_div(all)?;
    // Apps with the most calendars first.
    let mut apps: Vec<_> = apps.into_iter().collect();
    apps.sort_by_key(|(_, (_, all))| std::cmp::Reverse(*all));
    let apps = apps.iter().map(|(app, (with, all))| format!("{app} {with}/{all}"));
    Some((site.words.release_share(with, all, percent), apps.collect::<Vec<_>>().join(" · ")))
}
