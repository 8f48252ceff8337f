//! The number of picks of each session by day, which helps organizers to choose rooms.

use super::site::{Head, Site};
use super::write;
use crate::program::Session;
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
}

/// Renders the page. `counted` holds sessions with at least `least` picks.
pub fn picks(
    release: &Release,
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
        days,
        site: site.clone(),
    })
}
