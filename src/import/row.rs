//! Turns rows into sessions, and sessions into a program.

use super::address::{address, links};
use super::cell::{block, filled, given, line, max_bytes, plain};
use super::fault::{Defect, Faults, Location, Spot};
use super::table::Row;
use super::tracks::Tracks;
use super::{details, people, slot, word};
use crate::program::{Conference, Field, Program, Session, SessionId, Slot, Speaker, Status, Text, slug_of};
use std::collections::HashMap;
use std::sync::Arc;

/// A session, and the cells that warnings about several sessions point to.
#[derive(Debug)]
pub(super) struct SessionRow {
    pub(super) session: Session,
    pub(super) date: Location,
    pub(super) start: Location,
    pub(super) room: Location,
    pub(super) speakers: Location,
}

/// Builds a program row by row.
#[derive(Debug)]
pub(super) struct ProgramBuilder {
    conference: Arc<Conference>,
    tracks: Tracks,
    /// The ids, each with the line of the first row that has the id.
    ids: HashMap<SessionId, u64>,
    /// The guids, each with the line of the first row that has the guid.
    guids: HashMap<Text, u64>,
    rows: Vec<SessionRow>,
    speakers: Quota,
    links: Quota,
}

/// A limit on the entries in cells over the whole file, since even a small file may have very many.
#[derive(Debug)]
struct Quota {
    noun: &'static str,
    rule: &'static str,
    most: usize,
    found: usize,
}

/// The most speakers of a program: eight for each session of the largest program. 20 MiB have room for ten million
/// speakers, which would take fifty times the file's size in memory.
const SPEAKERS: Quota = Quota { noun: "speakers", rule: "too-many-speakers", most: 400_000, found: 0 };

/// The most links of a program: four for each session of the largest program.
const LINKS: Quota = Quota { noun: "links", rule: "too-many-links", most: 200_000, found: 0 };

impl Quota {
    /// Reads a cell, or reports the cell that exceeds the limit.
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
        let message = format!("a program has at most {most} {noun}; those from here on are unread");
        faults.error(
            spot,
            Defect::new(self.rule, message, "split the program, or write fewer into each session"),
        );
        None
    }
}

impl ProgramBuilder {
    pub(super) fn of(conference: &Arc<Conference>) -> Self {
        Self {
            conference: Arc::clone(conference),
            tracks: Tracks::of(conference),
            ids: HashMap::new(),
            guids: HashMap::new(),
            rows: Vec::new(),
            speakers: SPEAKERS,
            links: LINKS,
        }
    }

    /// Reads a row. Every cell is read, even after a fault, so that one report holds all faults.
    pub(super) fn read(&mut self, row: &Row<'_>, faults: &mut Faults) {
        let id = self.id(row, faults);
        let times = slot::read(row, &self.conference, faults);
        let kind = filled(row, Field::Kind, faults)
            .and_then(|spot| parsed(spot, &plain(spot, faults)?, word::kind, faults));
        let title = filled(row, Field::Title, faults).and_then(|spot| line(spot, faults));
        let status = optional(row, Field::Status, faults, |spot, faults| {
            parsed(spot, &plain(spot, faults)?, word::status, faults)
        });
        let withdrawn = status == Some(Some(Status::Withdrawn));
        let track = optional(row, Field::Track, faults, |spot, faults| {
            let name = line(spot, faults)?;
            Some(self.tracks.resolve(spot, name, withdrawn, faults))
        });
        let block_name = optional(row, Field::Block, faults, line);
        let room = optional(row, Field::Room, faults, line);
        let speakers = read_people(row, &mut self.speakers, faults);
        let abstract_text = optional(row, Field::Abstract, faults, |spot, faults| Some(block(spot, faults)));
        let url = optional(row, Field::Url, faults, |spot, faults| {
            parsed(spot, &plain(spot, faults)?, address, faults)
        });
        let links = optional(row, Field::Links, faults, |spot, faults| self.links.read(spot, faults, links));
        let language = optional(row, Field::Language, faults, |spot, faults| {
            parsed(spot, &plain(spot, faults)?, details::language, faults)
        });
        let tags = optional(row, Field::Tags, faults, details::tags);
        let mut secure = |field| {
            optional(row, field, faults, |spot, faults| {
                parsed(spot, &plain(spot, faults)?, details::secure, faults)
            })
        };
        let (image, feedback_url) = (secure(Field::Image), secure(Field::FeedbackUrl));
        let recording = optional(row, Field::Recording, faults, details::recording);
        let guid = optional(row, Field::Guid, faults, |spot, faults| self.guid(spot, faults));
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
                language: language?,
                tags: tags?.unwrap_or_default(),
                image: image?,
                feedback_url: feedback_url?,
                no_recording: recording? == Some(false),
                guid: guid?.flatten(),
                status: status?.unwrap_or(Status::Confirmed),
            })
        };
        if let Some(session) = build() {
            let location = |field| row.cell(field).map(|spot| spot.location).unwrap_or_default();
            self.rows.push(SessionRow {
                session,
                date: location(Field::Date),
                start: location(Field::Start),
                room: location(Field::Room),
                speakers: location(Field::Speakers),
            });
        }
    }

    fn id(&mut self, row: &Row<'_>, faults: &mut Faults) -> Option<SessionId> {
        let spot = filled(row, Field::Id, faults)?;
        let raw = plain(spot, faults)?;
        let Ok(id) = SessionId::parse(raw.as_str()) else {
            let message =
                "an id has 2 to 63 lower-case letters, digits and hyphens, and no hyphen at either end";
            faults.error(spot, Defect::new("id", message, format!("write {}", suggested(&raw, row))));
            return None;
        };
        if let Some(first) = self.ids.get(&id) {
            let message =
                format!("the id {id} is already used on line {first}, and each session needs its own");
            let remedy = format!("write another id, such as {}", self.unused(&id));
            faults.error(spot, Defect::new("duplicate-id", message, remedy));
            return None;
        }
        self.ids.insert(id.clone(), spot.location.line);
        Some(id)
    }

    /// The identity of a session in the source of its row. An identity that an earlier row has is ignored, since apps
    /// would take the two sessions for one.
    fn guid(&mut self, spot: Spot<'_>, faults: &mut Faults) -> Option<Option<Text>> {
        let guid = line(spot, faults)?;
        if let Some(first) = self.guids.get(&guid) {
            let message = format!("the guid is already used on line {first}, so it is ignored here");
            faults.warn(spot, Defect::new("duplicate-guid", message, "leave it empty in one of the rows"));
            return Some(None);
        }
        self.guids.insert(guid.clone(), spot.location.line);
        Some(Some(guid))
    }

    /// A similar id that no earlier row has.
    fn unused(&self, id: &SessionId) -> String {
        let stem: String = id.as_str().chars().take(58).collect();
        let stem = stem.trim_end_matches('-');
        let free = |n: &usize| !self.ids.contains_key(format!("{stem}-{n}").as_str());
        // Without a bound, many rows with the same id would take quadratic time.
        format!("{stem}-{}", (2..100).find(free).unwrap_or(self.ids.len() + 1))
    }

    /// The rows without an error that were read so far.
    pub(super) fn rows(&self) -> &[SessionRow] {
        &self.rows
    }

    /// Reports the faults of the tracks, and returns the program if there is no error.
    pub(super) fn finish(self, faults: &mut Faults) -> Option<Program> {
        let tracks = self.tracks.finish(faults);
        let sessions = self.rows.into_iter().map(|row| row.session);
        (!faults.has_errors()).then(|| Program::new(self.conference, tracks, sessions))
    }
}

/// An id made from a text, or from the row's title if the text has no letters.
fn suggested(raw: &Text, row: &Row<'_>) -> String {
    let usable = |text: &str| {
        let slug = slug_of(text);
        (!slug.as_str().starts_with("x-") || text.starts_with(['x', 'X']))
            .then(|| SessionId::parse(slug.as_str()).ok())
            .flatten()
    };
    let title = row.cell(Field::Title).map(|spot| spot.text).unwrap_or_default();
    let title = if title.len() <= max_bytes(Field::Title) { title } else { "" };
    let id = usable(raw.as_str()).or_else(|| usable(title));
    id.map_or_else(|| "a short name, such as opening-keynote".to_owned(), |id| id.to_string())
}

/// An optional cell: `Some(None)` if it is blank, none if it has an error.
fn optional<T>(
    row: &Row<'_>,
    field: Field,
    faults: &mut Faults,
    read: impl FnOnce(Spot<'_>, &mut Faults) -> Option<T>,
) -> Option<Option<T>> {
    match given(row, field, faults)? {
        Some(spot) => read(spot, faults).map(Some),
        None => Some(None),
    }
}

fn parsed<T>(
    spot: Spot<'_>,
    text: &Text,
    parse: impl FnOnce(&str) -> Result<T, Defect>,
    faults: &mut Faults,
) -> Option<T> {
    parse(text.as_str()).map_err(|defect| faults.error(spot, defect)).ok()
}

/// The speakers with their bios. Bios are not read if the speakers have an error, since their number must match.
fn read_people(row: &Row<'_>, quota: &mut Quota, faults: &mut Faults) -> Option<Vec<Speaker>> {
    let read = |spot: Spot<'_>, faults: &mut Faults| quota.read(spot, faults, people::speakers);
    let mut speakers = optional(row, Field::Speakers, faults, read).map(Option::unwrap_or_default);
    let bios = given(row, Field::Bios, faults)?;
    if let (Some(speakers), Some(spot)) = (&mut speakers, bios) {
        people::bios(spot, speakers, faults).then_some(())?;
    }
    speakers
}
