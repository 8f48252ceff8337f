//! A day of the program, with the place of each session in a grid.
//!
//! Sessions that overlap stand side by side in lanes; other sessions span the page. The elements are sorted by time,
//! then track: phones and screen readers follow this order. Rows and lanes only place the sessions on wide screens.

use super::assets::{MOST_LANES, MOST_ROWS};
use super::card::Card;
use super::site::Site;
use crate::program::{Lanes, Text};
use crate::revision::Entry;
use chrono::{DateTime, NaiveDate, Utc};
use std::collections::HashMap;

/// A day of the program.
#[derive(Debug)]
pub(super) struct Day<'a> {
    pub date: NaiveDate,
    pub heading: String,
    pub short: String,
    pub zone: String,
    /// The number of lanes; 1 if the day has no grid.
    pub lanes: usize,
    pub moments: Vec<Moment<'a>>,
}

/// Sessions that start together.
#[derive(Debug)]
pub(super) struct Moment<'a> {
    pub row: usize,
    pub at: DateTime<Utc>,
    pub label: String,
    pub cards: Vec<Card<'a>>,
}

impl Moment<'_> {
    pub(super) fn start(&self) -> String {
        super::when::When::iso(self.at)
    }
}

/// Groups entries by the venue's date. The entries are in program order.
pub(super) fn days<'a>(site: &Site<'a>, entries: &[&'a Entry]) -> Vec<Day<'a>> {
    let date = |entry: &Entry| site.when.date(entry.session.slot.start);
    entries.chunk_by(|a, b| date(a) == date(b)).filter_map(|chunk| day(site, chunk)).collect()
}

fn day<'a>(site: &Site<'a>, entries: &[&'a Entry]) -> Option<Day<'a>> {
    let first = entries.first()?.session.slot.start;
    let mut starts: Vec<DateTime<Utc>> = entries.iter().map(|entry| entry.session.slot.start).collect();
    starts.dedup();
    let stretches = stretches(entries);
    let placed: Vec<Option<Lane<'_>>> = stretches.iter().flat_map(|stretch| lanes(site, stretch)).collect();
    let mut keys: Vec<&Lane<'_>> = placed.iter().flatten().collect();
    keys.sort();
    keys.dedup();
    let is_grid = (2..=MOST_LANES).contains(&keys.len()) && starts.len() <= MOST_ROWS;
    let mut moments: Vec<Moment<'a>> = Vec::new();
    for (entry, lane) in entries.iter().zip(&placed) {
        let slot = &entry.session.slot;
        let mut card = Card::of(site, entry);
        if is_grid {
            card.lane = lane.as_ref().and_then(|lane| keys.binary_search(&lane).ok()).map_or(0, |at| at + 1);
            card.row = starts.iter().filter(|start| **start <= slot.start).count();
            card.span = starts.iter().filter(|start| slot.start <= **start && **start < slot.end).count();
        }
        match moments.last_mut() {
            Some(moment) if moment.at == slot.start => moment.cards.push(card),
            _ => {
                let label = site.when.time(slot.start);
                moments.push(Moment { row: moments.len() + 1, at: slot.start, label, cards: vec![card] });
            }
        }
    }
    let date = site.when.date(first);
    Some(Day {
        date,
        heading: site.words.day_heading(date),
        short: site.when.short_day(date),
        zone: site.when.zone.abbreviation(first),
        lanes: if is_grid { keys.len() } else { 1 },
        moments,
    })
}

/// A lane: the track's place, the room, and a number that tells overlapping sessions of one track apart.
type Lane<'a> = (usize, &'a str, usize);

/// Groups of sessions that overlap one another, directly or through others.
fn stretches<'a, 'b>(entries: &'b [&'a Entry]) -> Vec<&'b [&'a Entry]> {
    let mut latest = entries.first().map(|entry| entry.session.slot.end);
    let touches = |_: &&Entry, next: &&Entry| {
        let touches = latest.is_some_and(|end| next.session.slot.start < end);
        latest = latest.max(Some(next.session.slot.end));
        touches
    };
    entries.chunk_by(touches).collect()
}

/// The lane of each session: the lowest free lane, or none for a session that overlaps no other.
fn lanes<'a>(site: &Site<'_>, stretch: &[&'a Entry]) -> Vec<Option<Lane<'a>>> {
    if stretch.len() == 1 {
        return vec![None];
    }
    let mut groups: HashMap<(usize, &str), Lanes> = HashMap::new();
    let lane_of = |entry: &&'a Entry| {
        let session = &entry.session;
        let place = session.track.as_ref().and_then(|slug| site.track_place(slug));
        let room = session.slot.room.as_ref().filter(|_| place.is_none()).map_or("", Text::as_str);
        let place = place.unwrap_or(usize::MAX);
        let number = groups.entry((place, room)).or_default().take(session.slot.start, session.slot.end);
        Some((place, room, number))
    };
    stretch.iter().map(lane_of).collect()
}
