//! Reads a spreadsheet of another tool or of an organizer: CSV whose columns have other names, in any order.
//!
//! A column is found by what its name means in one of several languages, or by `--map`. Dates such as `1/5/2026` are read
//! only if a date of the same column shows which number is the month.

use super::AdoptError;
use super::foreign::{ForeignPerson, ForeignProgram, ForeignSession, ForeignTime};
use super::length::{self, Unit};
use super::notes::Notes;
use super::value::moment;
use crate::import::{YEARS, field_meant, read_clock, read_date, without_weekday};
use crate::program::{Field, Status};
use chrono::{Datelike, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta};
use csv::StringRecord;
use std::collections::HashMap;

/// An end on the next day is doubted from this length on. A party from 22:00 to 06:00 is none.
const LONG_NIGHT: TimeDelta = TimeDelta::hours(8);

/// A column of whole numbers below this one holds hours: no program has only sessions of 1 to 4 minutes.
const FEWEST_MINUTES: f64 = 5.0;

/// What the columns hold.
#[derive(Debug, Default)]
pub(super) struct Columns {
    pub(super) fields: HashMap<Field, usize>,
    /// The column of lengths, with the unit of its numbers if its name says it.
    length: Option<(usize, Option<Unit>)>,
    /// The columns that no field holds.
    others: Vec<(usize, String)>,
}

/// A table with a header that means a program; none if the text is no such table.
///
/// # Errors
/// [`AdoptError::OwnFormat`] for a program.csv, [`AdoptError::Columns`] if a required column is missing, and
/// [`AdoptError::AmbiguousDates`].
pub(super) fn read(text: &str, map: &[(String, Field)]) -> Option<Result<ForeignProgram, AdoptError>> {
    let (names, columns, delimiter) = header(text, map)?;
    let is_ours = ["id", "date", "start", "end", "kind", "title"]
        .iter()
        .all(|own| names.iter().any(|name| name == *own));
    if is_ours {
        return Some(Err(AdoptError::OwnFormat));
    }
    let has = |field| columns.fields.contains_key(&field);
    // A table without a title that has times is a program whose title nobody recognised.
    let is_program = has(Field::Title) || has(Field::Start) || (has(Field::Date) && has(Field::End));
    let rows = || reader(text, delimiter).records().flatten().collect();
    let lines_before = u64::from(without_separator_line(text).len() < text.len());
    (is_program && names.len() > 1).then(|| Sheet { columns, rows: rows(), lines_before }.read())
}

/// A text without the line `sep=;`, by which spreadsheets name their delimiter.
fn without_separator_line(text: &str) -> &str {
    let is_named = text.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("sep="));
    let end = text.find('\n').filter(|end| is_named && *end < 10);
    end.and_then(|end| text.get(end + 1..)).unwrap_or(text)
}

/// The names of the columns, their meaning, and the delimiter.
pub(super) fn header(text: &str, map: &[(String, Field)]) -> Option<(StringRecord, Columns, u8)> {
    let read = |delimiter: u8| {
        let names = reader(text, delimiter).headers().ok()?.clone();
        let columns = Columns::of(&names, map);
        Some((names, columns, delimiter))
    };
    [b',', b';', b'\t'].into_iter().filter_map(read).max_by_key(|(_, columns, _)| columns.fields.len())
}

pub(super) fn reader(text: &str, delimiter: u8) -> csv::Reader<&[u8]> {
    let text = without_separator_line(text);
    csv::ReaderBuilder::new()
        .delimiter(delimiter)
        .flexible(true)
        .trim(csv::Trim::All)
        .from_reader(text.as_bytes())
}

impl Columns {
    fn of(names: &StringRecord, map: &[(String, Field)]) -> Self {
        let mut columns = Self::default();
        for (index, name) in names.iter().enumerate() {
            let mapped = map.iter().find(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, field)| *field);
            let length = length::column(name).filter(|_| mapped.is_none() && columns.length.is_none());
            let field = mapped.or_else(|| field_meant(name).filter(|_| length.is_none()));
            match field.filter(|field| !columns.fields.contains_key(field)) {
                Some(field) => drop(columns.fields.insert(field, index)),
                None if length.is_some() => columns.length = length.map(|unit| (index, unit)),
                None if name.is_empty() => {}
                None => columns.others.push((index, name.to_owned())),
            }
        }
        columns
    }
}

struct Sheet {
    columns: Columns,
    rows: Vec<StringRecord>,
    /// The number of lines before the header.
    lines_before: u64,
}

impl Sheet {
    fn cell<'r>(&self, row: &'r StringRecord, field: Field) -> &'r str {
        self.columns.fields.get(&field).and_then(|index| row.get(*index)).unwrap_or_default().trim()
    }

    fn read(&self) -> Result<ForeignProgram, AdoptError> {
        let has = |field| self.columns.fields.contains_key(&field);
        let missing = match (has(Field::Title), has(Field::Start) || has(Field::Date)) {
            (false, _) => Some(Field::Title),
            (true, false) => Some(Field::Start),
            (true, true) => None,
        };
        if let Some(missing) = missing {
            let unknown: Vec<&str> = self.columns.others.iter().map(|(_, name)| name.as_str()).collect();
            return Err(AdoptError::Columns { missing, others: unknown.join(", ") });
        }
        let day_first = self.day_comes_first()?;
        let mut foreign = ForeignProgram::default();
        for row in self.rows.iter().filter(|row| row.iter().any(|cell| !cell.trim().is_empty())) {
            let session = self.session(row, day_first, &mut foreign);
            foreign.sessions.push(session);
        }
        Ok(foreign)
    }

    /// Whether dates such as `1/5/2026` have the day first; none if there are no such dates.
    fn day_comes_first(&self) -> Result<Option<bool>, AdoptError> {
        let cells = self
            .rows
            .iter()
            .flat_map(|row| [Field::Date, Field::Start, Field::End].map(|field| self.cell(row, field)));
        let numbers: Vec<(u32, u32)> =
            cells.filter_map(|cell| slashed(cell).map(|(a, b, _)| (a, b))).collect();
        let (day_first, month_first) =
            (numbers.iter().any(|(a, _)| *a > 12), numbers.iter().any(|(_, b)| *b > 12));
        match (numbers.iter().find(|(a, b)| a != b), day_first, month_first) {
            (None, ..) => Ok(None),
            (_, true, false) => Ok(Some(true)),
            (_, false, true) => Ok(Some(false)),
            (Some((a, b)), ..) => Err(AdoptError::AmbiguousDates(format!("{a}/{b}"))),
        }
    }

    fn session(
        &self,
        row: &StringRecord,
        day_first: Option<bool>,
        foreign: &mut ForeignProgram,
    ) -> ForeignSession {
        let text = |field| self.cell(row, field).to_owned();
        let (start, end) = self.times(row, day_first, &mut foreign.notes);
        let title = text(Field::Title);
        for (index, name) in &self.columns.others {
            if let Some(value) = row.get(*index).filter(|value| !value.trim().is_empty()) {
                foreign.notes.unmapped(&format!("the column {name:?}"), value);
            }
        }
        let mut people: Vec<ForeignPerson> = Vec::new();
        for entry in
            text(Field::Speakers).split(['\n', ';']).flat_map(|entry| entry.split(" & ")).map(str::trim)
        {
            let (name, affiliation) = entry.split_once(',').unwrap_or((entry, ""));
            if !affiliation.is_empty() {
                foreign
                    .notes
                    .add_for(entry, "the first comma of a speaker was read as the start of the affiliation");
            }
            let (name, affiliation) = (name.trim().to_owned(), affiliation.trim().to_owned());
            people.extend((!name.is_empty()).then_some(ForeignPerson {
                name,
                affiliation,
                ..ForeignPerson::default()
            }));
        }
        let bio = text(Field::Bios);
        match people.as_mut_slice() {
            [only] => only.bio = bio,
            _ if bio.is_empty() => {}
            _ => foreign.notes.unmapped("a bio of several speakers", &bio),
        }
        let identity = [Field::Guid, Field::Id].into_iter().map(text).find(|text| !text.is_empty());
        let status = text(Field::Status).to_lowercase().replace("canceled", "cancelled");
        let stated = [Field::Date, Field::Start].map(text).into_iter().filter(|text| !text.is_empty());
        ForeignSession {
            identity: identity.unwrap_or_default(),
            stated_start: stated.collect::<Vec<_>>().join(" "),
            title,
            start,
            end,
            kind: text(Field::Kind),
            track: text(Field::Track),
            block: text(Field::Block),
            room: text(Field::Room),
            people,
            text: vec![text(Field::Abstract)],
            url: text(Field::Url),
            links: links(&text(Field::Links)),
            language: text(Field::Language),
            tags: text(Field::Tags).split(['\n', ';', ',']).map(|tag| tag.trim().to_owned()).collect(),
            image: text(Field::Image),
            feedback_url: text(Field::FeedbackUrl),
            no_recording: matches!(text(Field::Recording).to_lowercase().as_str(), "no" | "false" | "0"),
            status: status.parse::<Status>().ok(),
            ..ForeignSession::default()
        }
    }

    /// The start and end: of cells with date and time, of a date and a time, or of a range such as `10:00-11:00`.
    fn times(
        &self,
        row: &StringRecord,
        day_first: Option<bool>,
        notes: &mut Notes,
    ) -> (Option<ForeignTime>, Option<ForeignTime>) {
        let [date_cell, start, end] =
            [Field::Date, Field::Start, Field::End].map(|field| self.cell(row, field));
        let (day, time_of_date) = day_and_time(date_cell, day_first);
        let is_of_date = start.is_empty() && !time_of_date.is_empty() && !is_midnight(time_of_date);
        let start = if is_of_date { time_of_date } else { start };
        // A date with a time may have an offset, which is no range: `13:00-07:00`.
        let whole_date = whole(date_cell, day_first).filter(|_| is_of_date);
        let day = day.or_else(|| {
            // The day may stand in the start alone.
            date(start.split(' ').next().unwrap_or_default(), day_first)
        });
        let last_day = date(self.cell(row, Field::EndDate), day_first).or(day);
        let on = |raw: &str, day: Option<NaiveDate>| whole(raw, day_first).or_else(|| time_on(day?, raw));
        let two = start.split_once(['–', '—']).or_else(|| range(start)).filter(|_| whole_date.is_none());
        let (first, second) = match two {
            Some((first, second)) => (first.trim(), second.trim()),
            None => (start, end),
        };
        let Some(start) = whole_date.or_else(|| on(first, day)) else { return (None, None) };
        let example = |cell: &str| format!("line {}: {cell}", self.line(row));
        let end = Some(second).filter(|raw| !raw.is_empty()).and_then(|raw| {
            let end = self.end(raw, first, start, on(raw, last_day), |message| {
                notes.add_for(&example(raw), message);
            });
            if end.is_none() {
                notes.add_for(&example(raw), "an end cannot be read; write a time such as 10:30, or 45 min");
            }
            end
        });
        let end = end.or_else(|| {
            start.plus(self.length(row, |cell, message| notes.add_for(&example(cell), message))?)
        });
        let end = end.map(|end| match end.since(start) {
            // A party from 22:00 to 02:00 ends on the next day.
            Some(length) if length < TimeDelta::zero() && length > TimeDelta::hours(-24) => {
                if length + TimeDelta::days(1) > LONG_NIGHT {
                    let times = format!("{first} to {second}");
                    notes.add_for(
                        &example(&times),
                        "an end is before its start, so it was read as a time of the next day, more than 8 hours later",
                    );
                }
                end.plus(TimeDelta::days(1)).unwrap_or(end)
            }
            _ => end,
        });
        (Some(start), end)
    }

    /// The line of a row in the file.
    fn line(&self, row: &StringRecord) -> u64 {
        row.position().map_or(0, csv::Position::line) + self.lines_before
    }

    /// The end that a cell of the column of ends says, as a time or as a length after the start. `first` is the text of
    /// the start, and `time` the cell as a time.
    fn end(
        &self,
        raw: &str,
        first: &str,
        start: ForeignTime,
        time: Option<ForeignTime>,
        mut note: impl FnMut(&str),
    ) -> Option<ForeignTime> {
        // `10h` is a time after 9:00, and a length after 11:00. After 22h, `2h` is a time.
        let is_time = |time: ForeignTime| {
            let next = time.plus(TimeDelta::days(1)).and_then(|next| next.since(start));
            time > start || (length::stated(first).is_some() && next.is_some_and(|next| next <= LONG_NIGHT))
        };
        let length = match (time, length::stated(raw)) {
            (Some(time), None) => return Some(time),
            (Some(time), Some(_)) if is_time(time) => return Some(time),
            (_, Some(length)) => length,
            (_, None) => {
                let number = length::bare(raw)?;
                let mut numbers = self.numbers(self.columns.fields.get(&Field::End).copied());
                match number.fract() == 0.0 {
                    // `10` alone may be an hour of the day.
                    true if !numbers.any(|number| number > 24.0) => return None,
                    true => length::of(number, Unit::Minute)?,
                    false => length::of(number, Unit::Hour)?,
                }
            }
        };
        note("an end that is a length was added to the start");
        start.plus(length)
    }

    /// The length of a session of the column of lengths. `note` has the cell and a message.
    fn length(&self, row: &StringRecord, mut note: impl FnMut(&str, &str)) -> Option<TimeDelta> {
        let (index, unit) = self.columns.length?;
        let raw = row.get(index).filter(|raw| !raw.is_empty())?;
        if let Some(length) = length::stated(raw).or_else(|| length::hours_and_minutes(raw)) {
            return Some(length);
        }
        let length = length::bare(raw).and_then(|number| {
            let all_are_few = || self.numbers(Some(index)).all(|number| number < FEWEST_MINUTES);
            let read_as = match unit {
                Some(unit) => unit,
                None if number.fract() != 0.0 || all_are_few() => {
                    note(raw, "a length without a unit was read as hours");
                    Unit::Hour
                }
                None => {
                    if number < FEWEST_MINUTES {
                        note(raw, "a length without a unit was read as minutes");
                    }
                    Unit::Minute
                }
            };
            length::of(number, read_as)
        });
        if length.is_none() {
            note(raw, "a length cannot be read; write 45 min, 1 h 30 min or 1:30");
        }
        length
    }

    /// The numbers without a unit of a column.
    fn numbers(&self, index: Option<usize>) -> impl Iterator<Item = f64> {
        self.rows.iter().filter_map(move |row| length::bare(row.get(index?)?))
    }
}

/// The day of a cell, and the text of a time or a range after it.
fn day_and_time(raw: &str, day_first: Option<bool>) -> (Option<NaiveDate>, &str) {
    let split = |at: usize| {
        let (day, time) = raw.split_at_checked(at)?;
        let time = time.trim_start_matches('T').trim();
        let is_time = clock(time).is_some() || range(time).is_some() || moment(raw).is_some();
        Some((date(day.trim_end_matches(','), day_first)?, time)).filter(|_| is_time)
    };
    match date(raw, day_first) {
        Some(day) => (Some(day), ""),
        None => match raw.match_indices([' ', 'T']).find_map(|(at, _)| split(at)) {
            Some((day, time)) => (Some(day), time),
            None => (None, ""),
        },
    }
}

/// Whether a time is that of a date alone, as spreadsheets export it.
fn is_midnight(time: &str) -> bool {
    time.starts_with("00:00") || time.starts_with("0:00")
}

/// `10:00-11:00`, but not a date or a time with an offset.
fn range(raw: &str) -> Option<(&str, &str)> {
    raw.split_once('-').filter(|(first, second)| clock(first).is_some() && clock(second).is_some())
}

/// A cell with date and time.
fn whole(raw: &str, day_first: Option<bool>) -> Option<ForeignTime> {
    let split = |at: usize| {
        let (day, time) = raw.split_at_checked(at)?;
        time_on(date(day.trim_end_matches(','), day_first)?, time.trim_start_matches('T').trim())
    };
    moment(raw).or_else(|| raw.match_indices([' ', 'T']).find_map(|(at, _)| split(at)))
}

fn time_on(day: NaiveDate, raw: &str) -> Option<ForeignTime> {
    let length = TimeDelta::try_minutes(clock(raw)?.into())?;
    let civil: NaiveDateTime = day.and_time(NaiveTime::MIN).checked_add_signed(length)?;
    Some(ForeignTime::Civil(civil))
}

/// Minutes since midnight of `9:30`, `9.30`, `9h30`, `0930`, `9:30 am`, `9:30 Uhr` or `9 Uhr`.
fn clock(raw: &str) -> Option<u32> {
    let raw = raw.trim();
    // Letters after a time are read as its zone.
    if length::ends_with_unit(raw) {
        return None;
    }
    let bare = raw.trim_end_matches("Uhr").trim_end_matches(['h', 'H']).trim();
    let hours = |hours: &str| read_clock(&format!("{hours}:00")).filter(|_| bare.len() < raw.len());
    let joined = || {
        let (hours, minutes) = bare.split_at_checked(2)?;
        let is_time = bare.len() == 4 && bare.bytes().all(|byte| byte.is_ascii_digit());
        read_clock(&format!("{hours}:{minutes}")).filter(|_| is_time)
    };
    read_clock(bare)
        .or_else(|| read_clock(&bare.replacen(['.', 'h', 'H'], ":", 1)))
        .or_else(|| hours(bare))
        .or_else(joined)
}

fn date(raw: &str, day_first: Option<bool>) -> Option<NaiveDate> {
    // The weekday is checked where the whole text is read.
    let bare = without_weekday(raw);
    let slashed = || {
        let (a, b, year) = slashed(bare)?;
        let (day, month) = if day_first? { (a, b) } else { (b, a) };
        NaiveDate::from_ymd_opt(year, month, day)
    };
    let dotted = || {
        let mut parts = bare.split('.').map(str::trim);
        let (day, month, year) = (parts.next()?, parts.next()?, year(parts.next()?)?);
        NaiveDate::from_ymd_opt(year, month.parse().ok()?, day.parse().ok()?)
    };
    let joined = || NaiveDate::parse_from_str(bare, "%Y%m%d").ok().filter(|_| bare.len() == 8);
    // With dots, the day is first everywhere.
    let found = slashed().or_else(dotted).or_else(joined).or_else(|| read_date(raw))?;
    let is_right = bare.len() == raw.trim().len() || read_date(&weekday_and(raw, found)).is_some();
    YEARS.contains(&found.year()).then_some(found).filter(|_| is_right)
}

/// A date with the weekday of a text, so that a wrong weekday is noticed.
fn weekday_and(raw: &str, date: NaiveDate) -> String {
    let rest = without_weekday(raw);
    let weekday = raw.trim().strip_suffix(rest).unwrap_or_default();
    format!("{weekday}{date}")
}

/// A year of four digits, or of two in this half of the century: `26` could also be a day.
fn year(raw: &str) -> Option<i32> {
    let year: i32 = raw.parse().ok().filter(|_| raw.bytes().all(|byte| byte.is_ascii_digit()))?;
    match raw.len() {
        4 => Some(year),
        2 if (20..60).contains(&year) => Some(2000 + year),
        _ => None,
    }
}

/// The numbers of `1/5/2026` or `1/5/26`, at the start of a cell or after a weekday.
fn slashed(raw: &str) -> Option<(u32, u32, i32)> {
    let mut parts = without_weekday(raw).split([' ', ',']).next()?.split('/');
    let (a, b, last) = (parts.next()?, parts.next()?, year(parts.next()?)?);
    (a.len() <= 2).then(|| Some((a.parse().ok()?, b.parse().ok()?, last)))?
}

fn links(raw: &str) -> Vec<(String, String)> {
    let link = |line: &str| {
        let at = line.find("http")?;
        let (label, address) = line.split_at(at);
        Some((label.trim().trim_end_matches(':').to_owned(), address.trim().to_owned()))
    };
    raw.lines().filter_map(|line| link(line.trim())).collect()
}
