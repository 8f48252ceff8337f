//! Date, start and end of a row to instants, by the conference's zone.
//!
//! A time that a clock change skips is an error, one that comes twice means the first (RFC 5545, 3.3.5)
//! unless the abbreviation in force at the second stands behind it.

use super::cell::{filled, given, plain};
use super::column::Column;
use super::date::{self, Dates};
use super::fault::{Faults, Flaw, Spot};
use super::table::Row;
use super::time::{self, TimeOfDay, clock};
use crate::program::{Civil, Conference, Zone};
use chrono::{DateTime, Days, NaiveDate, NaiveDateTime, TimeDelta, Utc};

/// Start and end of a row, if both can be told.
pub(super) fn read(
    row: &Row<'_>,
    conference: &Conference,
    faults: &mut Faults,
) -> Option<(DateTime<Utc>, DateTime<Utc>)> {
    let zone = conference.zone;
    let day = filled(row, Column::Date, faults).and_then(|spot| date_of(spot, conference.dates, faults));
    let start = filled(row, Column::Start, faults).and_then(|spot| time_of(spot, faults));
    let end = filled(row, Column::End, faults).and_then(|spot| time_of(spot, faults));
    let end_date = given(row, Column::EndDate, faults);
    let last_day = match end_date {
        Some(Some(spot)) => date_of(spot, conference.dates, faults),
        Some(None) => day,
        None => None,
    };
    let ((start_spot, start), day) = (start?, day?);
    if start.minutes == TimeOfDay::END_OF_DAY {
        let next = day.checked_add_days(Days::new(1)).unwrap_or(day);
        let flaw =
            Flaw::new("time", "no session starts at 24:00", format!("write 00:00 and the date {next}"));
        faults.error(start_spot, flaw);
        return None;
    }
    let from = civil(day, start.minutes);
    let started = instant(zone, from, &start, start_spot, faults);
    let ((end_spot, end), last_day) = (end?, last_day?);
    if let Some(spot) = end_date.flatten().filter(|_| last_day < day) {
        let message = format!("the session would end on {last_day}, before its date {day}");
        faults.error(
            spot,
            Flaw::new("end-date", message, format!("write {day} or a later date, or leave it empty")),
        );
        return None;
    }
    let to = civil(last_day, end.minutes);
    let ended = instant(zone, to, &end, end_spot, faults);
    let (started, ended) = (started?, ended?);
    if ended > started {
        return Some((started, ended));
    }
    let repeated = zone.is_repeated(started) || zone.is_repeated(ended);
    let flaw = if repeated { within_repeated(zone, from, to, started) } else { before_start(from, to) };
    faults.error(end_spot, flaw);
    None
}

fn date_of(spot: Spot<'_>, dates: Dates, faults: &mut Faults) -> Option<NaiveDate> {
    let text = plain(spot, faults)?;
    date::parse(text.as_str(), dates).map_err(|flaw| faults.error(spot, flaw)).ok()
}

fn time_of<'r>(spot: Spot<'r>, faults: &mut Faults) -> Option<(Spot<'r>, TimeOfDay)> {
    let text = plain(spot, faults)?;
    let time = time::parse(text.as_str()).map_err(|flaw| faults.error(spot, flaw)).ok()?;
    Some((spot, time))
}

fn civil(day: NaiveDate, minutes: u32) -> NaiveDateTime {
    day.and_time(chrono::NaiveTime::MIN) + TimeDelta::minutes(minutes.into())
}

/// The instant of a civil time, with what the clock change and the abbreviation say to it.
fn instant(
    zone: Zone,
    civil: NaiveDateTime,
    time: &TimeOfDay,
    spot: Spot<'_>,
    faults: &mut Faults,
) -> Option<DateTime<Utc>> {
    let stated = |at: &DateTime<Utc>| time.zone.as_ref().is_some_and(|stated| is_in_force(zone, *at, stated));
    let written = civil.format("%H:%M");
    match (zone.instant(civil), &time.zone) {
        (Civil::Once(at), None) => Some(at),
        (Civil::Once(at), Some(_)) if stated(&at) => Some(at),
        (Civil::Once(at), Some(abbreviation)) => {
            let in_force = zone.abbreviation(at);
            let message = format!(
                "{abbreviation} is not in force in {zone} on {}: at that time it is {in_force}",
                civil.format("%Y-%m-%d")
            );
            let remedy =
                format!("write the time that clocks show there, as in {written} or {written} {in_force}");
            faults.error(spot, Flaw::new("abbreviation", message, remedy));
            None
        }
        (Civil::Twice(first, second), None) => {
            let (early, late) = (zone.abbreviation(first), zone.abbreviation(second));
            let message =
                format!("{written} comes twice that night in {zone}; the first one, {early}, is taken");
            let remedy = format!("write {written} {early} for the first or {written} {late} for the second");
            faults.warn(spot, Flaw::new("time-twice", message, remedy));
            Some(first)
        }
        (Civil::Twice(first, second), Some(abbreviation)) => {
            let named = [first, second].into_iter().find(|at| stated(at));
            if named.is_none() {
                let (early, late) = (zone.abbreviation(first), zone.abbreviation(second));
                let message =
                    format!("{abbreviation} is not in force in {zone} that night, which has {written} twice");
                let remedy =
                    format!("write {written} {early} for the first or {written} {late} for the second");
                faults.error(spot, Flaw::new("abbreviation", message, remedy));
            }
            named
        }
        (Civil::Skipped(jump, by), _) => {
            let after = zone.civil(jump);
            let before = zone.civil(jump - TimeDelta::seconds(1));
            let message = format!(
                "{written} does not exist on {} in {zone}: the clock goes from {} to {}, {} minutes on",
                civil.format("%Y-%m-%d"),
                (before + TimeDelta::seconds(1)).format("%H:%M"),
                after.format("%H:%M"),
                by.num_minutes(),
            );
            // On most zones' nights both are of the same date; Samoa once skipped a whole day.
            let form = if before.date() == civil.date() && after.date() == civil.date() {
                "%H:%M"
            } else {
                "%Y-%m-%d %H:%M"
            };
            let remedy = format!("write {} or {}", before.format(form), after.format(form));
            faults.error(spot, Flaw::new("time-skipped", message, remedy));
            None
        }
    }
}

fn is_in_force(zone: Zone, at: DateTime<Utc>, stated: &str) -> bool {
    if zone.abbreviation(at).eq_ignore_ascii_case(stated) {
        return true;
    }
    let seconds = zone.offset(at);
    let sign = if seconds < 0 { '-' } else { '+' };
    let (hours, minutes) = (seconds.abs() / 3600, seconds.abs() / 60 % 60);
    let stated = stated.replace(':', "");
    stated == format!("{sign}{hours:02}{minutes:02}")
        || (minutes == 0 && stated == format!("{sign}{hours:02}"))
}

/// An end that is not after its start, on a day without a repeated hour in it.
fn before_start(from: NaiveDateTime, to: NaiveDateTime) -> Flaw {
    if from == to {
        let message = "the session ends when it starts";
        return Flaw::new(
            "end-before-start",
            message,
            "write the time at which it ends, or end_date if it lasts a day",
        );
    }
    let afternoon = to + TimeDelta::hours(12);
    let next_day = to + TimeDelta::days(1);
    let mut remedies = Vec::new();
    if afternoon > from && afternoon.date() == from.date() && afternoon - from <= TimeDelta::hours(4) {
        remedies.push(format!("write {} if it is meant to be pm", afternoon.format("%H:%M")));
    }
    if next_day - from <= TimeDelta::hours(12) {
        remedies
            .push(format!("write {} into end_date if it ends after midnight", next_day.format("%Y-%m-%d")));
    }
    remedies.push(format!(
        "exchange start and end if they are swapped, as in {} to {}",
        to.format("%H:%M"),
        from.format("%H:%M")
    ));
    let message = format!("the end, {}, is before the start, {}", to.format("%H:%M"), from.format("%H:%M"));
    Flaw::new("end-before-start", message, remedies.join(", or "))
}

/// Within a repeated hour the clock may show a later time that comes earlier.
fn within_repeated(zone: Zone, from: NaiveDateTime, to: NaiveDateTime, started: DateTime<Utc>) -> Flaw {
    let message = format!(
        "this end is not after the start, {} {}, in a night that has an hour twice",
        from.format("%H:%M"),
        zone.abbreviation(started),
    );
    let later = match zone.instant(to) {
        Civil::Twice(_, second) if second > started => {
            format!("{} {}", to.format("%H:%M"), zone.abbreviation(second))
        }
        _ => format!("a time after {}", clock_of(from)),
    };
    Flaw::new("end-before-start", message, format!("write {later}"))
}

fn clock_of(at: NaiveDateTime) -> String {
    use chrono::Timelike;
    clock(at.hour() * 60 + at.minute())
}
