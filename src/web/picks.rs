//! The number of picks of each session by day, which helps organizers to choose rooms.

use super::site::{Head, Site};
use super::write;
use crate::program::{Conference, Session};
use crate::release::Release;
use askama::Template;
use std::sync::Arc;

/// The order of the sessions of a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PicksOrder {
    /// The most picked first.
    Picks,
    /// The earliest first.
    Time,
}

#[derive(Template)]
#[template(path = "picks.html")]
struct PicksPage<'a> {
    site: Site<'a>,
    head: Head,
    text: String,
    none: String,
    is_by_time: bool,
    has_capacities: bool,
    days: Vec<PicksDay<'a>>,
}

struct PicksDay<'a> {
    heading: String,
    rows: Vec<PicksRow<'a>>,
}

struct PicksRow<'a> {
    session: &'a Session,
    range: String,
    picks: usize,
    /// How many people the room holds.
    capacity: Option<u32>,
}

impl PicksRow<'_> {
    /// Whether the room may be too small.
    fn is_crowded(&self) -> bool {
        self.capacity.is_some_and(|seats| usize::try_from(seats).is_ok_and(|seats| self.picks > seats))
    }
}

/// Renders the page. `counted` holds sessions with at least `least` picks. The capacities of rooms are those of
/// `conference`, the config in force.
pub fn picks(
    release: &Release,
    conference: &Conference,
    counted: &[(Arc<Session>, usize)],
    least: usize,
    order: PicksOrder,
) -> String {
    let site = Site::of(release);
    let words = site.words;
    let date = |row: &PicksRow<'_>| site.when.date(row.session.slot.start);
    let mut rows: Vec<PicksRow<'_>> = counted
        .iter()
        .map(|(session, picks)| PicksRow {
            session,
            range: site.when.range(session.slot.start, session.slot.end),
            picks: *picks,
            capacity: conference.capacity(session.slot.room.as_ref()),
        })
        .collect();
    rows.sort_by(|a, b| {
        let by_time = a.session.slot.start.cmp(&b.session.slot.start);
        match order {
            PicksOrder::Time => by_time,
            PicksOrder::Picks => date(a).cmp(&date(b)).then(b.picks.cmp(&a.picks)).then(by_time),
        }
    });
    let mut days: Vec<PicksDay<'_>> = Vec::new();
    let mut last = None;
    for row in rows {
        let day = date(&row);
        if last != Some(day) {
            days.push(PicksDay { heading: site.when.day(day), rows: Vec::new() });
            last = Some(day);
        }
        if let Some(day) = days.last_mut() {
            day.rows.push(row);
        }
    }
    write(&PicksPage {
        head: Head::desk(&site, words.picks_by_session),
        text: words.picks_text(least),
        none: words.picks_none(least),
        is_by_time: order == PicksOrder::Time,
        has_capacities: conference.rooms.iter().any(|room| room.capacity.is_some()),
        days,
        site: site.clone(),
    })
}
