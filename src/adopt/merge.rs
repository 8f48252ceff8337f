//! Merges what a source sets into the program file that organizers edit, as version control merges two branches.
//!
//! Three versions of each session are compared: what the source set last time, what it sets now, and what the file has.
//! What only the source changed is written to the file. What the organizers changed stays; if the source changed it too,
//! that is a conflict. Sessions are recognised by their guid, or by their id where one of the versions has no guid.
//! Cells are compared as import reads them, so `9:00` equals `09:00`.
//!
//! Invariant: merging the same source again changes nothing.

use super::identity::former_id;
use super::notes::safe_line;
use crate::export::{Cells, cells_of, write_table};
use crate::import::{NewCells, Report, import, with_cells};
use crate::program::{Conference, Field, Slug, Status};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fmt;
use std::sync::Arc;

/// Fields that are merged together, because one alone says nothing: a time is several cells, and bios are in the order of
/// the speakers. The id belongs to the file, and the guid does not change.
const PARTS: &[&[Field]] = &[
    &[Field::Date, Field::Start, Field::End, Field::EndDate],
    &[Field::Kind],
    &[Field::Title],
    &[Field::Track],
    &[Field::Block],
    &[Field::Room],
    &[Field::Speakers, Field::Bios],
    &[Field::Abstract],
    &[Field::Url],
    &[Field::Links],
    &[Field::Language],
    &[Field::Tags],
    &[Field::Image],
    &[Field::FeedbackUrl],
    &[Field::Recording],
    &[Field::Status],
];

/// The most characters of a cell that a conflict shows.
const MAX_SHOWN: usize = 60;

/// A merged program file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Merged {
    /// The new file. It imports without an error.
    pub csv: Vec<u8>,
    /// What the source sets, as a program file: the `before` of the next merge. Sessions that left the source stay in it
    /// as cancelled, so that they are recognised when they come back.
    pub source: Vec<u8>,
    /// The ids of the sessions that the file did not have.
    pub added: Vec<String>,
    /// The ids of the sessions of which a cell changed.
    pub changed: Vec<String>,
    /// The ids of those of them that became cancelled.
    pub cancelled: Vec<String>,
    /// The edits of the file that win over other values of the source.
    pub conflicts: Vec<Conflict>,
    /// Where the file still differs from the source: a session's id in the file, and the first field of a part, or the id
    /// itself for a row that the file lacks.
    differences: BTreeSet<(String, Field)>,
}

/// A change of the source that was not taken over, because the file was edited by hand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Conflict {
    /// Both have a new value for the same fields of a session.
    Cells {
        /// The session's id in the file.
        id: String,
        /// The session's title in the file.
        title: String,
        /// The fields that have a value together.
        fields: Vec<Field>,
        /// The source's value.
        source: String,
        /// The file's value, which stays.
        file: String,
    },
    /// The source changed a session whose row was deleted from the file, and stays deleted.
    DeletedRow {
        /// The session's id in the source.
        id: String,
        /// The session's title in the source.
        title: String,
    },
}

/// The version of a program that a merge cannot use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// What the source set last time.
    Before,
    /// What the source sets now.
    Now,
    /// The file.
    File,
    /// The result.
    Merged,
}

/// Why versions cannot be merged. Nothing is to be written.
#[derive(Debug, Clone, thiserror::Error)]
pub enum MergeError {
    /// A version has errors.
    #[error("the program has errors")]
    Faulty {
        /// The faulty version.
        version: Version,
        /// Its contents.
        csv: Vec<u8>,
        /// Its errors.
        report: Box<Report>,
    },
    /// The source has none of the sessions that it had last time.
    #[error(
        "the source has none of the {0} sessions that it had last time, so it is probably another program"
    )]
    OtherSource(usize),
}

/// The sessions of one version.
struct Sessions {
    rows: Vec<Row>,
    by_guid: HashMap<String, usize>,
    by_id: HashMap<String, usize>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Row {
    cells: Cells,
    /// The track's slug. Its name may be spelled in two ways.
    track: Option<Slug>,
}

/// Merges. `before` is [`Merged::source`] of the last merge; without it, every difference of source and file is a conflict.
///
/// # Errors
/// [`MergeError`].
pub fn merge(
    before: Option<&[u8]>,
    now: &[u8],
    file: &[u8],
    conference: &Arc<Conference>,
) -> Result<Merged, MergeError> {
    let read = |version, csv| Sessions::read(version, csv, conference);
    // The conference may have had other dates when the source was read last.
    let of_any_date = || Arc::new(Conference { dates: None, ..conference.as_ref().clone() });
    let mut before = match before {
        Some(csv) => Sessions::read(Version::Before, csv, &of_any_date())?,
        None => Sessions::of(Vec::new()),
    };
    let (mut now, edited) = (read(Version::Now, now)?, read(Version::File, file)?);
    before.take_former_ids(&[&edited]);
    now.take_former_ids(&[&edited, &before]);
    let had = before.rows.iter().filter(|row| !row.is_cancelled()).count();
    if had > 0 && !before.rows.iter().any(|row| now.find(row).is_some()) {
        return Err(MergeError::OtherSource(had));
    }
    now.keep_departed(&before);
    let mut merge = Merge::default();
    for row in &now.rows {
        let earlier = before.find(row);
        match edited.find(row) {
            Some(own) => merge.cells(earlier, row, own),
            None if earlier.is_none() => merge.add(row, &edited),
            None if row.is_cancelled() => {}
            None => {
                merge.differences.insert((row.id().to_owned(), Field::Id));
                if earlier != Some(row) {
                    merge.conflicts.push(Conflict::DeletedRow {
                        id: row.id().to_owned(),
                        title: row.cell(Field::Title).to_owned(),
                    });
                }
            }
        }
    }
    let csv = with_cells(file, &merge.changes, &merge.rows);
    read(Version::Merged, &csv)?;
    let Merge { changes, added, cancelled, conflicts, differences, .. } = merge;
    let source = write_table(now.rows.into_iter().map(|row| row.cells).collect());
    let changed = changes.into_keys().collect();
    Ok(Merged { csv, source, added, changed, cancelled, conflicts, differences })
}

impl Sessions {
    fn read(version: Version, csv: &[u8], conference: &Arc<Conference>) -> Result<Self, MergeError> {
        let report = import(csv, conference);
        match &report.program {
            Some(program) => {
                let rows = program
                    .order()
                    .iter()
                    .map(|session| Row { cells: cells_of(session, program), track: session.track.clone() });
                Ok(Self::of(rows.collect()))
            }
            None => Err(MergeError::Faulty { version, csv: csv.to_vec(), report: Box::new(report) }),
        }
    }

    fn of(rows: Vec<Row>) -> Self {
        let index = |field| {
            let keys = rows.iter().enumerate().map(|(n, row)| (row.cell(field).to_owned(), n));
            keys.filter(|(key, _)| !key.is_empty()).collect()
        };
        Self { by_guid: index(Field::Guid), by_id: index(Field::Id), rows }
    }

    /// The same session in this version.
    fn find(&self, other: &Row) -> Option<&Row> {
        let guid = other.cell(Field::Guid);
        let by_guid = self.by_guid.get(guid).and_then(|n| self.rows.get(*n));
        by_guid.or_else(|| {
            let row = self.rows.get(*self.by_id.get(other.id())?)?;
            (guid.is_empty() || row.cell(Field::Guid).is_empty()).then_some(row)
        })
    }

    /// Gives sessions without an identity the ids that earlier versions made of their title and start, where another
    /// version of the program has them.
    fn take_former_ids(&mut self, others: &[&Self]) {
        let is_known = |id: &str| others.iter().any(|other| other.by_id.contains_key(id));
        let mut rows = std::mem::take(&mut self.rows);
        for row in rows.iter_mut().filter(|row| row.cell(Field::Guid).is_empty() && !is_known(row.id())) {
            let [title, date, start] = [Field::Title, Field::Date, Field::Start].map(|field| row.cell(field));
            let former = former_id(row.id(), title, date, start);
            let former = former.filter(|former| is_known(former) && !self.by_id.contains_key(former));
            if let Some((cell, former)) = row.cells.get_mut(Field::Id as usize).zip(former) {
                *cell = former;
            }
        }
        *self = Self::of(rows);
    }

    /// Adds the sessions that the source no longer has, as cancelled.
    fn keep_departed(&mut self, before: &Self) {
        for row in &before.rows {
            if self.find(row).is_none() && !self.by_id.contains_key(row.id()) {
                let mut departed = row.clone();
                if let Some(status) = departed.cells.get_mut(Field::Status as usize) {
                    *status = Status::Cancelled.to_string();
                }
                self.rows.push(departed);
            }
        }
    }
}

impl Row {
    fn cell(&self, field: Field) -> &str {
        self.cells.get(field as usize).map_or("", String::as_str)
    }

    fn id(&self) -> &str {
        self.cell(Field::Id)
    }

    fn has(&self, status: Status) -> bool {
        self.cell(Field::Status) == status.as_str()
    }

    fn is_cancelled(&self) -> bool {
        self.has(Status::Cancelled)
    }

    fn is_same(&self, other: &Self, fields: &[Field]) -> bool {
        let is_same = |field: &Field| match field {
            Field::Track => self.track == other.track,
            field => self.cell(*field) == other.cell(*field),
        };
        fields.iter().all(is_same)
    }

    /// The value of fields as one line.
    fn shown(&self, fields: &[Field]) -> String {
        let cells: Vec<&str> =
            fields.iter().map(|field| self.cell(*field)).filter(|cell| !cell.is_empty()).collect();
        cells.join(" ")
    }
}

/// The result while it is made.
#[derive(Default)]
struct Merge {
    /// The new cells of sessions of the file, by their ids.
    changes: BTreeMap<String, NewCells>,
    /// The new rows.
    rows: Vec<NewCells>,
    added: Vec<String>,
    cancelled: Vec<String>,
    conflicts: Vec<Conflict>,
    differences: BTreeSet<(String, Field)>,
    /// The ids of the new rows.
    taken: HashSet<String>,
}

impl Merge {
    /// Merges one session, which the file has.
    fn cells(&mut self, before: Option<&Row>, now: &Row, own: &Row) {
        let id = own.id();
        let mut new = NewCells::new();
        for fields in PARTS {
            // A session that the organizers withdrew is not brought back by its source.
            let is_withdrawn = *fields == [Field::Status] && own.has(Status::Withdrawn);
            let is_unchanged = before.is_some_and(|before| before.is_same(now, fields));
            if own.is_same(now, fields) || is_withdrawn {
                continue;
            }
            if !is_unchanged && before.is_some_and(|before| before.is_same(own, fields)) {
                new.extend(fields.iter().map(|field| (*field, now.cell(*field).to_owned())));
                continue;
            }
            self.differences.extend(fields.first().map(|first| (id.to_owned(), *first)));
            if is_unchanged {
                continue;
            }
            self.conflicts.push(Conflict::Cells {
                id: id.to_owned(),
                title: own.cell(Field::Title).to_owned(),
                fields: fields.to_vec(),
                source: now.shown(fields),
                file: own.shown(fields),
            });
        }
        // Without a guid, the session would be lost if its id changed.
        if before.is_none() && own.cell(Field::Guid).is_empty() && !now.cell(Field::Guid).is_empty() {
            new.insert(Field::Guid, now.cell(Field::Guid).to_owned());
        }
        if new.get(&Field::Status).is_some_and(|status| status == Status::Cancelled.as_str()) {
            self.cancelled.push(id.to_owned());
        }
        if !new.is_empty() {
            self.changes.insert(id.to_owned(), new);
        }
    }

    /// Adds a session that the file does not have. If another row of the file has its id, it gets a number.
    fn add(&mut self, row: &Row, file: &Sessions) {
        let further =
            (2..).map(|n| format!("{}-{n}", row.id().get(..58).unwrap_or(row.id()).trim_end_matches('-')));
        let is_free = |id: &String| !file.by_id.contains_key(id) && !self.taken.contains(id);
        let id = std::iter::once(row.id().to_owned()).chain(further).find(is_free).unwrap_or_default();
        let mut cells: NewCells = Field::ALL.iter().copied().zip(row.cells.clone()).collect();
        cells.insert(Field::Id, id.clone());
        self.rows.push(cells);
        self.taken.insert(id.clone());
        self.added.push(id);
    }
}

/// Prints one line, safe for a terminal: what the source sets, and what stays.
impl fmt::Display for Conflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cells { id, title, fields, source, file } => {
                let names: Vec<&str> = fields.iter().map(|field| field.as_str()).collect();
                let names = names.join(", ");
                let (title, source, file) = (quoted(title), quoted(source), quoted(file));
                write!(f, "conflict: {id} {title}, {names}: the source sets {source}; yours stays: {file}")
            }
            Self::DeletedRow { id, title } => {
                let title = quoted(title);
                write!(
                    f,
                    "conflict: {id} {title}: the source changed the session; you deleted its row, so it stays deleted"
                )
            }
        }
    }
}

/// A cell in quotation marks, cut to one short line.
fn quoted(cell: &str) -> String {
    if cell.is_empty() {
        return "nothing".to_owned();
    }
    let line = safe_line(cell);
    let short: String = line.chars().take(MAX_SHOWN).collect();
    format!("\"{short}{}\"", if short.len() < line.len() { "…" } else { "" })
}

impl Conflict {
    /// Where the conflict is, in [`Merged::differences`].
    fn place(&self) -> (String, Field) {
        match self {
            Self::Cells { id, fields, .. } => (id.clone(), fields.first().copied().unwrap_or(Field::Id)),
            Self::DeletedRow { id, .. } => (id.clone(), Field::Id),
        }
    }
}

impl Merged {
    /// The unresolved conflicts after this merge: its own, and those of earlier merges that nobody resolved, by taking
    /// over the source's value or because the source changed its value back.
    pub fn conflicts_since(&self, earlier: &[Conflict]) -> Vec<Conflict> {
        let own: BTreeSet<(String, Field)> = self.conflicts.iter().map(Conflict::place).collect();
        let is_unresolved = |conflict: &&Conflict| {
            let place = conflict.place();
            !own.contains(&place) && self.differences.contains(&place)
        };
        earlier.iter().filter(is_unresolved).chain(&self.conflicts).cloned().collect()
    }

    /// The conflicts and the numbers of changes as text, one line each.
    pub fn render(&self) -> String {
        let conflicts: String = self.conflicts.iter().map(|conflict| format!("{conflict}\n")).collect();
        let changed = self.changed.len() - self.cancelled.len();
        let numbers =
            [(self.added.len(), "added"), (changed, "changed"), (self.cancelled.len(), "cancelled")];
        let parts: Vec<String> = numbers
            .iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, what)| format!("{count} {what}"))
            .collect();
        let summary = if parts.is_empty() {
            "no session changed".to_owned()
        } else {
            format!("sessions: {}", parts.join(", "))
        };
        let noun = if self.conflicts.len() == 1 { "conflict" } else { "conflicts" };
        match self.conflicts.len() {
            0 => format!("{summary}\n"),
            count => format!("{conflicts}{summary}; {count} {noun}\n"),
        }
    }
}
