//! One row to one session.

use super::address::{address, links};
use super::cell::{block, filled, given, line, plain};
use super::column::Column;
use super::fault::{At, Faults, Flaw, Spot};
use super::table::Row;
use super::tracks::Tracks;
use super::{people, slot, word};
use crate::program::{Conference, Program, Session, SessionId, Slot, Speaker, Status, Text, slug_of};
use std::collections::HashMap;
use std::sync::Arc;

/// A session, and where the cells stand that a warning about two sessions marks.
#[derive(Debug)]
pub(super) struct Placed {
    pub(super) session: Session,
    pub(super) date: At,
    pub(super) start: At,
    pub(super) room: At,
    pub(super) speakers: At,
}

/// The rows read so far.
#[derive(Debug)]
pub(super) struct Rows {
    conference: Arc<Conference>,
    tracks: Tracks,
    /// Ids and the line of the first row with each.
    ids: HashMap<SessionId, u64>,
    pub(super) placed: Vec<Placed>,
    speakers: Tally,
    links: Tally,
}

/// Parts of sessions that may be many in a small file, counted over the whole of it.
#[derive(Debug)]
struct Tally {
    noun: &'static str,
    rule: &'static str,
    most: usize,
    found: usize,
}

/// Names of speakers that a program may hold: eight a session in the largest. In a file of 20 MiB there is room for ten
/// million, which take fifty times its size in memory.
const MOST_SPEAKERS: Tally = Tally { noun: "speakers", rule: "too-many-speakers", most: 400_000, found: 0 };

/// Links that a program may hold: four a session in the largest.
const MOST_LINKS: Tally = Tally { noun: "links", rule: "too-many-links", most: 200_000, found: 0 };

impl Tally {
    /// Reads a cell, unless there were too many before it; reports it where there are too many with it.
    fn read<T>(
        &mut self,
        spot: Spot<'_>,
        faults: &mut Faults,
        read: impl FnOnce(Spot<'_>, &mut Faults) -> Option<Vec<T>>,
    ) -> Option<Vec<T>> {
        if self.found > self.most {
            return None;
        }
        let entries = read(spot, faults)?;
        self.found += entries.len();
        if self.found <= self.most {
            return Some(entries);
        }
        let (noun, most) = (self.noun, self.most);
        let message = format!("a program has at most {most} {noun} in all; from here on no {noun} were read");
        faults.error(spot, Flaw::new(self.rule, message, "split the program, or write fewer into a session"));
        None
    }
}

impl Rows {
    pub(super) fn of(conference: &Arc<Conference>) -> Self {
        Self {
            conference: Arc::clone(conference),
            tracks: Tracks::of(conference),
            ids: HashMap::new(),
            placed: Vec::new(),
            speakers: MOST_SPEAKERS,
            links: MOST_LINKS,
        }
    }

    /// Reads a row. Every cell is read, whatever is wrong with those before it.
    pub(super) fn read(&mut self, row: &Row<'_>, faults: &mut Faults) {
        let id = self.id(row, faults);
        let times = slot::read(row, &self.conference, faults);
        let kind = filled(row, Column::Kind, faults)
            .and_then(|spot| parsed(spot, &plain(spot, faults)?, word::kind, faults));
        let title = filled(row, Column::Title, faults).and_then(|spot| line(spot, faults));
        let status = optional(row, Column::Status, faults, |spot, faults| {
            parsed(spot, &plain(spot, faults)?, word::status, faults)
        });
        let withdrawn = status == Some(Some(Status::Withdrawn));
        let track = optional(row, Column::Track, faults, |spot, faults| {
            let name = line(spot, faults)?;
            Some(self.tracks.resolve(spot, name, withdrawn, faults))
        });
        let block_name = optional(row, Column::Block, faults, line);
        let room = optional(row, Column::Room, faults, line);
        let speakers = read_people(row, &mut self.speakers, faults);
        let abstract_text = optional(row, Column::Abstract, faults, |spot, faults| Some(block(spot, faults)));
        let url = optional(row, Column::Url, faults, |spot, faults| {
            parsed(spot, &plain(spot, faults)?, address, faults)
        });
        let links = optional(row, Column::Links, faults, |spot, faults| self.links.read(spot, faults, links));
        let build = || {
            let (start, end) = times?;
            Some(Session {
                id: id?,
                slot: Slot { start, end, room: room? },
                kind: kind?,
                title: title?,
                track: track?,
                block: block_name?,
                speakers: speakers?,
                abstract_text: abstract_text?.unwrap_or_default(),
                url: url?,
                links: links?.unwrap_or_default(),
                status: status?.unwrap_or(Status::Confirmed),
            })
        };
        if let Some(session) = build() {
            let at = |column| row.cell(column).map(|spot| spot.at).unwrap_or_default();
            self.placed.push(Placed {
                session,
                date: at(Column::Date),
                start: at(Column::Start),
                room: at(Column::Room),
                speakers: at(Column::Speakers),
            });
        }
    }

    fn id(&mut self, row: &Row<'_>, faults: &mut Faults) -> Option<SessionId> {
        let spot = filled(row, Column::Id, faults)?;
        let raw = plain(spot, faults)?;
        let Ok(id) = SessionId::parse(raw.as_str()) else {
            let message = "an id is 2 to 63 lower-case letters, digits and hyphens, with a letter or digit at both ends";
            faults.error(spot, Flaw::new("id", message, format!("write {}", suggested(&raw, row))));
            return None;
        };
        if let Some(first) = self.ids.get(&id) {
            let message =
                format!("the id {id} is also that of line {first}, and calendars tell sessions apart by it");
            let remedy = format!("write another id on line {}, as in {}", spot.at.line, self.unused(&id));
            faults.error(spot, Flaw::new("duplicate-id", message, remedy));
            return None;
        }
        self.ids.insert(id.clone(), spot.at.line);
        Some(id)
    }

    /// An id like this one that no row has had yet.
    fn unused(&self, id: &SessionId) -> String {
        let stem: String = id.as_str().chars().take(58).collect();
        let stem = stem.trim_end_matches('-');
        let free = |n: &usize| !self.ids.contains_key(format!("{stem}-{n}").as_str());
        // A bound, so that ten thousand rows with one id cost no square.
        format!("{stem}-{}", (2..100).find(free).unwrap_or(self.ids.len() + 1))
    }

    /// Reports what concerns all rows, and hands over the program where nothing keeps it back.
    pub(super) fn finish(self, faults: &mut Faults) -> Option<Program> {
        super::booking::report(&self.placed, &self.conference, faults);
        let tracks = self.tracks.finish(faults);
        let sessions = self.placed.into_iter().map(|placed| placed.session);
        (!faults.has_errors()).then(|| Program::new(self.conference, tracks, sessions))
    }
}

/// The id that a text or, if nothing is left of it, the row's title asks for.
fn suggested(raw: &Text, row: &Row<'_>) -> String {
    let usable = |text: &str| {
        let slug = slug_of(text);
        (!slug.as_str().starts_with("x-") || text.starts_with(['x', 'X']))
            .then(|| SessionId::parse(slug.as_str()).ok())
            .flatten()
    };
    let title = row.cell(Column::Title).map(|spot| spot.text).unwrap_or_default();
    let title = if title.len() <= Column::Title.cap() { title } else { "" };
    let id = usable(raw.as_str()).or_else(|| usable(title));
    id.map_or_else(|| "a short name such as opening-keynote".to_owned(), |id| id.to_string())
}

/// An optional cell: none where it has an error, a none within where it is empty.
fn optional<T>(
    row: &Row<'_>,
    column: Column,
    faults: &mut Faults,
    read: impl FnOnce(Spot<'_>, &mut Faults) -> Option<T>,
) -> Option<Option<T>> {
    match given(row, column, faults)? {
        Some(spot) => read(spot, faults).map(Some),
        None => Some(None),
    }
}

fn parsed<T>(
    spot: Spot<'_>,
    text: &Text,
    parse: impl FnOnce(&str) -> Result<T, Flaw>,
    faults: &mut Faults,
) -> Option<T> {
    parse(text.as_str()).map_err(|flaw| faults.error(spot, flaw)).ok()
}

/// Speakers with their bios. Without readable speakers the bios' number says nothing.
fn read_people(row: &Row<'_>, tally: &mut Tally, faults: &mut Faults) -> Option<Vec<Speaker>> {
    let read = |spot: Spot<'_>, faults: &mut Faults| tally.read(spot, faults, people::speakers);
    let mut speakers = optional(row, Column::Speakers, faults, read).map(Option::unwrap_or_default);
    let bios = given(row, Column::Bios, faults)?;
    if let (Some(speakers), Some(spot)) = (&mut speakers, bios) {
        people::bios(spot, speakers, faults).then_some(())?;
    }
    speakers
}
