//! The instants of a row's start and end, in the conference's zone.
//!
//! A time that a clock change skips is an error. A time that occurs twice means the first occurrence (RFC 5545, 3.3.5),
//! unless the zone abbreviation after the time names the second.

use super::cell::{filled, given, plain};
use super::date::{self, Dates};
use super::fault::{Defect, Faults, Spot};
use super::table::Row;
use super::time::{self, TimeOfDay, clock};
use crate::program::{Civil, Conference, Field, Zone};
use chrono::{DateTime, NaiveDate, NaiveDateTime, TimeDelta, Utc};

/// The start and end of a row, if both can be read.
pub(super) fn read(
    row: &Row<'_>,
    conference: &Conference,
    faults: &mut Faults,
) -> Option<(DateTime<Utc>, DateTime<Utc>)> {
    let zone = conference.zone;
    let day = filled(row, Field::Date, faults).and_then(|spot| date_of(spot, conference.dates, faults));
    let start = filled(row, Field::Start, faults).and_then(|spot| time_of(spot, conference.dates, faults));
    let end = filled(row, Field::End, faults).and_then(|spot| time_of(spot, conference.dates, faults));
    let end_date = given(row, Field::EndDate, faults);
    let last_day = match end_date {
        Some(Some(spot)) => date_of(spot, conference.dates, faults),
        // An end such as `2025-03-26 01:00` names its day.
        Some(None) => end.as_ref().and_then(|(_, stated, _)| *stated).or(day),
        None => None,
    };
    for (found, day) in [(&start, day), (&end, last_day)] {
        let Some((spot, Some(stated), _)) = found else { continue };
        let Some(day) = day.filter(|day| day != stated) else { continue };
        let message = format!("the cell has the day {stated}, but the session is on {day}");
        faults.error(
            *spot,
            Defect::new("date-twice", message, "write the same day in both cells, or only the time"),
        );
        return None;
    }
    let ((start_spot, _, start), day) = (start?, day?);
    let from = civil(day, start.minutes);
    let started = instant(zone, from, &start, start_spot, faults);
    let ((end_spot, _, end), last_day) = (end?, last_day?);
    if let Some(spot) = end_date.flatten().filter(|_| last_day < day) {
        let message = format!("the end date, {last_day}, is before the date, {day}");
        let remedy = format!("write {day} or a later date, or leave the cell empty");
        faults.error(spot, Defect::new("end-date", message, remedy));
        return None;
    }
    let to = civil(last_day, end.minutes);
    let ended = instant(zone, to, &end, end_spot, faults);
    let (started, ended) = (started?, ended?);
    if ended > started {
        return Some((started, ended));
    }
    let repeated = zone.is_repeated(started) || zone.is_repeated(ended);
    let defect =
        if repeated { end_in_repeated_hour(zone, from, to, started) } else { end_before_start(from, to) };
    faults.error(end_spot, defect);
    None
}

fn date_of(spot: Spot<'_>, dates: Dates, faults: &mut Faults) -> Option<NaiveDate> {
    let text = plain(spot, faults)?;
    date::parse(text.as_str(), dates).map_err(|defect| faults.error(spot, defect)).ok()
}

/// A time with its cell, and the day if the cell also has one, as in exports of other tools: `2025-03-25 09:30`.
fn time_of<'r>(
    spot: Spot<'r>,
    dates: Dates,
    faults: &mut Faults,
) -> Option<(Spot<'r>, Option<NaiveDate>, TimeOfDay)> {
    let text = plain(spot, faults)?;
    let raw = text.as_str();
    let dated = || {
        let (date, time) = raw.split_once([' ', 'T'])?;
        Some((date::parse(date, dates).ok()?, time::parse(time.trim()).ok()?))
    };
    if let Some((date, time)) = dated() {
        return Some((spot, Some(date), time));
    }
    let time = time::parse(raw).map_err(|defect| faults.error(spot, defect)).ok()?;
    Some((spot, None, time))
}

fn civil(day: NaiveDate, minutes: u32) -> NaiveDateTime {
    day.and_time(chrono::NaiveTime::MIN) + TimeDelta::minutes(minutes.into())
}

/// The instant of a civil time. A zone abbreviation after the time selects one of two occurrences.
fn instant(
    zone: Zone,
    civil: NaiveDateTime,
    time: &TimeOfDay,
    spot: Spot<'_>,
    faults: &mut Faults,
) -> Option<DateTime<Utc>> {
    let is_named = |at: &DateTime<Utc>| time.zone.as_ref().is_some_and(|named| is_in_force(zone, *at, named));
    let written = civil.format("%H:%M");
    match (zone.instant(civil), &time.zone) {
        (Civil::Once(at), None) => Some(at),
        (Civil::Once(at), Some(_)) if is_named(&at) => Some(at),
        (Civil::Once(at), Some(abbreviation)) => {
            let in_force = zone.abbreviation(at);
            let message =
                format!("on {} {zone} has {in_force}, not {abbreviation}", civil.format("%Y-%m-%d"));
            let remedy = format!("write the time in {in_force}, such as {written} or {written} {in_force}");
            faults.error(spot, Defect::new("abbreviation", message, remedy));
            None
        }
        (Civil::Twice(first, second), None) => {
            let (early, late) = (zone.abbreviation(first), zone.abbreviation(second));
            let message =
                format!("{written} occurs twice that night in {zone}; it is read as the first, {early}");
            let remedy = format!("write {written} {early} for the first or {written} {late} for the second");
            faults.warn(spot, Defect::new("time-twice", message, remedy));
            Some(first)
        }
        (Civil::Twice(first, second), Some(abbreviation)) => {
            let named = [first, second].into_iter().find(|at| is_named(at));
            if named.is_none() {
                let (early, late) = (zone.abbreviation(first), zone.abbreviation(second));
                let message =
                    format!("{written} occurs twice that night in {zone}, but not in {abbreviation}");
                let remedy =
                    format!("write {written} {early} for the first or {written} {late} for the second");
                faults.error(spot, Defect::new("abbreviation", message, remedy));
            }
            named
        }
        (Civil::Skipped(jump, by), _) => {
            let after = zone.civil(jump);
            let before = zone.civil(jump - TimeDelta::seconds(1));
            let message = format!(
                "{written} does not exist on {} in {zone}: the clock goes from {} to {}, {} minutes ahead",
                civil.format("%Y-%m-%d"),
                (before + TimeDelta::seconds(1)).format("%H:%M"),
                after.format("%H:%M"),
                by.num_minutes(),
            );
            // The two civil times are usually on the same date, but Samoa once skipped a whole day.
            let form = if before.date() == civil.date() && after.date() == civil.date() {
                "%H:%M"
            } else {
                "%Y-%m-%d %H:%M"
            };
            let remedy = format!("write {} or {}", before.format(form), after.format(form));
            faults.error(spot, Defect::new("time-skipped", message, remedy));
            None
        }
    }
}

/// Whether a zone has the abbreviation, or the offset such as `-08:00`, at an instant.
fn is_in_force(zone: Zone, at: DateTime<Utc>, named: &str) -> bool {
    if zone.abbreviation(at).eq_ignore_ascii_case(named) {
        return true;
    }
    let seconds = zone.offset(at);
    let sign = if seconds < 0 { '-' } else { '+' };
    let (hours, minutes) = (seconds.abs() / 3600, seconds.abs() / 60 % 60);
    let named = named.replace(':', "");
    named == format!("{sign}{hours:02}{minutes:02}") || (minutes == 0 && named == format!("{sign}{hours:02}"))
}

/// The defect of an end that is not after its start, on a day without a repeated hour.
fn end_before_start(from: NaiveDateTime, to: NaiveDateTime) -> Defect {
    if from == to {
        let remedy = "write the time at which it ends, and end_date if it lasts a day";
        return Defect::new("end-before-start", "the end equals the start", remedy);
    }
    let afternoon = to + TimeDelta::hours(12);
    let next_day = to + TimeDelta::days(1);
    let mut remedies = Vec::new();
    if afternoon > from && afternoon.date() == from.date() && afternoon - from <= TimeDelta::hours(4) {
        remedies.push(format!("write {} if you mean pm", afternoon.format("%H:%M")));
    }
    if next_day - from <= TimeDelta::hours(12) {
        remedies
            .push(format!("write {} into end_date if it ends after midnight", next_day.format("%Y-%m-%d")));
    }
    remedies.push(format!(
        "swap start and end, {} to {}, if they are the wrong way round",
        to.format("%H:%M"),
        from.format("%H:%M")
    ));
    let message = format!("the end, {}, is before the start, {}", to.format("%H:%M"), from.format("%H:%M"));
    Defect::new("end-before-start", message, remedies.join("; "))
}

/// The defect of an end that is not after its start, in or around a repeated hour.
fn end_in_repeated_hour(
    zone: Zone,
    from: NaiveDateTime,
    to: NaiveDateTime,
    started: DateTime<Utc>,
) -> Defect {
    let message = format!(
        "the end is not after the start, {} {}, on a night in which an hour occurs twice",
        from.format("%H:%M"),
        zone.abbreviation(started),
    );
    let later = match zone.instant(to) {
        Civil::Twice(_, second) if second > started => {
            format!("{} {}", to.format("%H:%M"), zone.abbreviation(second))
        }
        _ => format!("a time after {}", clock_of(from)),
    };
    Defect::new("end-before-start", message, format!("write {later}"))
}

fn clock_of(at: NaiveDateTime) -> String {
    use chrono::Timelike;
    clock(at.hour() * 60 + at.minute())
}
