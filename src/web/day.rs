//! A day of the program: its sessions by time, and their places in a grid of tracks or rooms.
//!
//! The sessions are sorted by time, then track. Phones show them as a list in this order; wide windows show the same
//! elements as a table with one column for each track or room. Sessions that overlap in one column share its width.

use super::assets::{MAX_COLUMNS, MAX_EXTRA_LANES, MAX_STEPS};
use super::card::Card;
use super::site::Site;
use crate::program::{Counted, Lanes, Text};
use crate::revision::Entry;
use chrono::{DateTime, NaiveDate, Utc};
use std::collections::BTreeMap;

/// The most lanes of a column. A title needs more room than the fourth part of a column.
const MAX_LANES: usize = 3;

/// The most rows of a grid. A table with more rows has hundreds of empty cells.
const MAX_ROWS: usize = 100;

/// The height of a row grows with its length, in steps of this many minutes.
const STEP_MINUTES: i64 = 5;

/// A day of the program.
#[derive(Debug)]
pub(super) struct Day<'a> {
    pub date: NaiveDate,
    pub heading: String,
    pub short: String,
    pub zone: String,
    /// The columns of the grid; empty if the day is shown as a list.
    pub columns: Vec<Column>,
    /// Whether the columns are tracks, so that cards need not repeat them.
    pub is_by_track: bool,
    /// Whether the day is a list because it has too many parallel tracks and rooms for a grid.
    pub is_crowded: bool,
    pub moments: Vec<TimeRow<'a>>,
}

impl Day<'_> {
    /// The number of lanes of all columns.
    pub(super) fn lanes(&self) -> usize {
        self.columns.iter().map(|column| column.lanes).sum()
    }

    /// The classes that set the width of the grid: its columns, additional lanes, and both in half columns.
    pub(super) fn grid_classes(&self) -> String {
        let (columns, lanes) = (self.columns.len(), self.lanes());
        let by = if self.is_by_track { " by-track" } else { "" };
        format!("grid of-{columns} plus-{} w{}{by}", lanes - columns, columns + lanes)
    }
}

/// A column of a grid: a track, a room, or all sessions without both.
#[derive(Debug)]
pub(super) struct Column {
    /// Empty for the sessions without track and room.
    pub name: String,
    /// The page of the track or room; empty if there is none.
    pub href: String,
    /// The class that sets the colour of a track.
    pub class: String,
    pub lanes: usize,
}

/// Sessions that start together.
#[derive(Debug)]
pub(super) struct TimeRow<'a> {
    pub at: DateTime<Utc>,
    pub label: String,
    /// The time until the next row, in steps of [`STEP_MINUTES`] minutes.
    pub steps: usize,
    pub cells: Vec<GridCell<'a>>,
}

/// A cell of the grid, or a session of the list.
#[derive(Debug)]
pub(super) struct GridCell<'a> {
    /// None for an empty cell.
    pub card: Option<Card<'a>>,
    pub rows: usize,
    pub lanes: usize,
    /// Whether the session spans all columns, because it overlaps no other.
    pub is_alone: bool,
}

impl GridCell<'_> {
    fn empty(lanes: usize) -> Self {
        Self { card: None, rows: 1, lanes, is_alone: false }
    }

    /// The classes of a cell with a session.
    pub(super) fn classes(&self) -> String {
        let track = self.card.as_ref().and_then(|card| card.track);
        let track = track.map(|track| format!(" t-{}", track.slug)).unwrap_or_default();
        format!("cards{}{track}", if self.is_alone { " alone" } else { "" })
    }
}

impl TimeRow<'_> {
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
    let last = entries.iter().map(|entry| entry.session.slot.end).max().unwrap_or(first);
    let date = site.when.date(first);
    let mut starts: Vec<DateTime<Utc>> = entries.iter().map(|entry| entry.session.slot.start).collect();
    starts.dedup();
    let plans = [GridPlan::of(site, entries, By::Track), GridPlan::of(site, entries, By::Room)];
    let is_crowded = plans.iter().all(|plan| plan.columns.len() > MAX_COLUMNS);
    let plan = plans
        .into_iter()
        .filter(|plan| plan.is_readable() && starts.len() <= MAX_ROWS)
        // The first of equal plans: tracks before rooms.
        .min_by_key(GridPlan::extra_lanes);
    let columns: Vec<Column> =
        plan.iter().flat_map(|plan| &plan.columns).map(|(key, lanes)| column(site, *key, *lanes)).collect();
    let moments = match &plan {
        Some(plan) => rows(site, entries, &starts, plan),
        None => list(site, entries),
    };
    Some(Day {
        date,
        heading: site.words.day_heading(date),
        short: site.when.short_day(date),
        zone: site.when.zone_names(first, last),
        columns,
        is_by_track: plan.is_some_and(|plan| plan.by == By::Track),
        is_crowded,
        moments,
    })
}

fn moment<'a>(site: &Site<'a>, at: DateTime<Utc>, until: DateTime<Utc>) -> TimeRow<'a> {
    let steps = usize::try_from((until - at).num_minutes() / STEP_MINUTES).unwrap_or_default();
    TimeRow { at, label: site.when.time(at), steps: steps.clamp(1, MAX_STEPS), cells: Vec::new() }
}

fn list<'a>(site: &Site<'a>, entries: &[&'a Entry]) -> Vec<TimeRow<'a>> {
    let start = |entry: &Entry| entry.session.slot.start;
    let together = entries.chunk_by(|a, b| start(a) == start(b));
    let of = |chunk: &[&'a Entry]| {
        let first = chunk.first()?;
        let cell = |entry: &&'a Entry| GridCell {
            card: Some(Card::of(site, entry)),
            rows: 1,
            lanes: 1,
            is_alone: false,
        };
        let cells = chunk.iter().map(cell).collect();
        Some(TimeRow { cells, ..moment(site, start(first), first.session.slot.end) })
    };
    together.filter_map(of).collect()
}

/// The rows of the table. Each lane of a row has a cell, a session that began earlier, or a part of an empty cell.
fn rows<'a>(
    site: &Site<'a>,
    entries: &[&'a Entry],
    starts: &[DateTime<Utc>],
    plan: &GridPlan<'_>,
) -> Vec<TimeRow<'a>> {
    let last = entries.iter().map(|entry| entry.session.slot.end).max().unwrap_or_default();
    let mut sessions = entries.iter().zip(&plan.places).collect::<Vec<_>>();
    sessions.sort_by_key(|(entry, place)| (entry.session.slot.start, place.first));
    let mut sessions = sessions.into_iter().peekable();
    // The row in which each lane is free again.
    let mut free = vec![0; plan.lanes()];
    let mut moments = Vec::new();
    for (row, at) in starts.iter().enumerate() {
        let mut moment = moment(site, *at, starts.get(row + 1).copied().unwrap_or(last));
        let (mut lane, mut empty) = (0, 0);
        while let Some(until) = free.get(lane) {
            let is_taken = *until > row;
            let begins = |(entry, place): &(&&Entry, &LaneSpan)| {
                entry.session.slot.start == *at && place.first == lane
            };
            let begun = sessions.next_if(begins);
            if (is_taken || begun.is_some()) && empty > 0 {
                moment.cells.push(GridCell::empty(empty));
                empty = 0;
            }
            let mut width = 1;
            if let Some((entry, place)) = begun {
                let end = entry.session.slot.end;
                let rows = starts.iter().skip(row).take_while(|start| **start < end).count().max(1);
                width = place.width;
                free.iter_mut().skip(lane).take(width).for_each(|until| *until = row + rows);
                moment.cells.push(GridCell {
                    card: Some(Card::of(site, entry)),
                    rows,
                    lanes: width,
                    is_alone: width == free.len(),
                });
            } else if !is_taken {
                empty += 1;
            }
            lane += width;
        }
        if empty > 0 {
            moment.cells.push(GridCell::empty(empty));
        }
        moments.push(moment);
    }
    moments
}

/// What the columns of a grid stand for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum By {
    Track,
    Room,
}

/// A column, in order: tracks as in the config, rooms as in the config, other rooms by name, sessions without both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum ColumnKey<'a> {
    Track(usize),
    Room(usize, Counted<'a>),
    Neither,
}

impl<'a> ColumnKey<'a> {
    fn of(site: &Site<'_>, entry: &'a Entry, by: By) -> Self {
        let session = &entry.session;
        let track = session.track.as_ref().and_then(|slug| site.track_place(slug)).map(ColumnKey::Track);
        let declared = &site.conference().rooms;
        let room = session.slot.room.as_ref().map(|name| {
            let place = declared.iter().position(|room| room.name == *name);
            ColumnKey::Room(place.unwrap_or(usize::MAX), Counted(name.as_str()))
        });
        match by {
            By::Track => track.or(room),
            By::Room => room.or(track),
        }
        .unwrap_or(ColumnKey::Neither)
    }
}

/// The lanes of a session: the first, and their number.
#[derive(Debug, Clone, Copy, Default)]
struct LaneSpan {
    first: usize,
    width: usize,
}

/// The columns of a day with their numbers of lanes, and the place of each session.
#[derive(Debug)]
struct GridPlan<'a> {
    by: By,
    columns: BTreeMap<ColumnKey<'a>, usize>,
    places: Vec<LaneSpan>,
}

impl<'a> GridPlan<'a> {
    /// A session that overlaps no other spans all columns.
    fn of(site: &Site<'_>, entries: &[&'a Entry], by: By) -> Self {
        let mut sessions: BTreeMap<ColumnKey<'a>, Vec<(usize, &Entry)>> = BTreeMap::new();
        let numbered: Vec<(usize, &'a Entry)> = entries.iter().copied().enumerate().collect();
        for group in overlap_groups(&numbered).into_iter().filter(|group| group.len() > 1) {
            for (at, entry) in group {
                sessions.entry(ColumnKey::of(site, entry, by)).or_default().push((*at, entry));
            }
        }
        let mut plan =
            Self { by, columns: BTreeMap::new(), places: vec![LaneSpan::default(); entries.len()] };
        let mut first = 0;
        for (key, sessions) in sessions {
            let lanes = plan.place(&sessions, first);
            plan.columns.insert(key, lanes);
            first += lanes;
        }
        plan.places.iter_mut().filter(|place| place.width == 0).for_each(|place| place.width = first);
        plan
    }

    /// Places the sessions of a column, whose first lane is given, and returns its number of lanes. The last session
    /// of an overlap takes the lanes that only other overlaps need.
    fn place(&mut self, sessions: &[(usize, &Entry)], first: usize) -> usize {
        let groups: Vec<Vec<(usize, usize)>> = overlap_groups(sessions)
            .into_iter()
            .map(|group| {
                let mut lanes = Lanes::default();
                let slot = |entry: &Entry| (entry.session.slot.start, entry.session.slot.end);
                group.iter().map(|(at, entry)| (*at, lanes.take(slot(entry).0, slot(entry).1))).collect()
            })
            .collect();
        let last = |group: &[(usize, usize)]| group.iter().map(|(_, lane)| *lane).max().unwrap_or(0);
        let most = groups.iter().map(|group| last(group)).max().map_or(0, |last| last + 1);
        for group in &groups {
            let last = last(group);
            for (at, lane) in group {
                let width = if *lane == last { most - lane } else { 1 };
                if let Some(place) = self.places.get_mut(*at) {
                    *place = LaneSpan { first: first + lane, width };
                }
            }
        }
        most
    }

    fn lanes(&self) -> usize {
        self.columns.values().sum()
    }

    fn extra_lanes(&self) -> usize {
        self.lanes() - self.columns.len()
    }

    fn is_readable(&self) -> bool {
        (2..=MAX_COLUMNS).contains(&self.columns.len())
            && self.extra_lanes() <= MAX_EXTRA_LANES
            && self.columns.values().all(|lanes| *lanes <= MAX_LANES)
    }
}

/// Groups of sessions that overlap one another, directly or through others.
fn overlap_groups<'b, 'a>(entries: &'b [(usize, &'a Entry)]) -> Vec<&'b [(usize, &'a Entry)]> {
    let mut latest = entries.first().map(|(_, entry)| entry.session.slot.end);
    let touches = |_: &(usize, &Entry), (_, next): &(usize, &Entry)| {
        let touches = latest.is_some_and(|end| next.session.slot.start < end);
        latest = latest.max(Some(next.session.slot.end));
        touches
    };
    entries.chunk_by(touches).collect()
}

fn column(site: &Site<'_>, key: ColumnKey<'_>, lanes: usize) -> Column {
    let (name, href, class) = match key {
        ColumnKey::Track(place) => site.release.program.tracks.get(place).map(|track| {
            (track.name.to_string(), format!("/tracks/{}", track.slug), format!("t-{}", track.slug))
        }),
        ColumnKey::Room(_, Counted(name)) => {
            let slug = site.release.ledger.slugs.room_slug(&Text::from(name));
            let href = slug.map(|slug| format!("/rooms/{slug}")).unwrap_or_default();
            Some((name.to_owned(), href, String::new()))
        }
        ColumnKey::Neither => None,
    }
    .unwrap_or_default();
    Column { name, href, class, lanes }
}
