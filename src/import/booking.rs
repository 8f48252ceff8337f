//! Warnings about the program as a whole: double bookings, overlaps in a track, wrong dates and very long sessions.
//!
//! These faults are never errors, since two rooms or two speakers may share a name. Sessions are compared in order of
//! their start, each with the earlier session that ends last, so that each session is reported once.

use super::fault::{Defect, Faults, Location, Spot};
use super::row::SessionRow;
use crate::program::{Conference, Field, Status};
use chrono::TimeDelta;
use std::collections::HashMap;

/// Reports all these warnings. Cancelled and withdrawn sessions do not count.
pub(super) fn report(rows: &[SessionRow], conference: &Conference, faults: &mut Faults) {
    let mut live: Vec<&SessionRow> = rows.iter().filter(|row| takes_place(row)).collect();
    live.sort_by_key(|row| (row.session.slot.start, row.date.span));
    for row in &live {
        check_dates(row, conference, faults);
        check_length(row, faults);
    }
    let mut speakers = Bookings::of(Field::Speakers, "speaker-booked-twice");
    let mut rooms = Bookings::of(Field::Room, "room-booked-twice");
    let mut tracks = Bookings::of(Field::Track, "track-overlap");
    for row in live {
        let session = &row.session;
        for speaker in &session.speakers {
            speakers.book(speaker.name.as_str(), row.speakers, row, conference, faults);
        }
        if let Some(room) = &session.slot.room {
            rooms.book(room.as_str(), row.room, row, conference, faults);
        }
        // Breaks and meals in a track do not compete with its talks.
        if let Some(track) = session.track.as_ref().filter(|_| !session.kind.is_pause()) {
            tracks.book(track.as_str(), row.start, row, conference, faults);
        }
    }
}

fn takes_place(row: &SessionRow) -> bool {
    matches!(row.session.status, Status::Confirmed | Status::Tentative)
}

/// The speakers, rooms or tracks, each with the session that ends last so far.
struct Bookings<'r> {
    field: Field,
    rule: &'static str,
    last: HashMap<String, &'r SessionRow>,
}

impl<'r> Bookings<'r> {
    fn of(field: Field, rule: &'static str) -> Self {
        Self { field, rule, last: HashMap::new() }
    }

    fn book(
        &mut self,
        name: &str,
        location: Location,
        row: &'r SessionRow,
        conference: &Conference,
        faults: &mut Faults,
    ) {
        let last = self.last.entry(name.to_lowercase()).or_insert(row);
        if last.session.id != row.session.id && last.session.slot.overlaps(&row.session.slot) {
            let (this, other) = (times(row, conference), times(last, conference));
            let (id, line) = (&last.session.id, last.start.line);
            let message = match self.field {
                Field::Track => {
                    let track = track_name(name, conference);
                    format!(
                        "the session ({this}) overlaps with {id} on line {line} ({other}) in the track {track}"
                    )
                }
                _ => format!("{name} is booked here ({this}) and in {id} on line {line} ({other})"),
            };
            let remedy = match self.field {
                Field::Track => "change the track or the time of one of them",
                Field::Room => "change the room or the time of one of them",
                _ => "change the time of one of them; if two people share the name, add an initial",
            };
            let column = if self.field == Field::Track { Field::Start } else { self.field };
            let spot = Spot { location, column: Some(column.as_str()), text: name };
            faults.warn(spot, Defect::new(self.rule, message, remedy));
        }
        if row.session.slot.end > last.session.slot.end {
            *last = row;
        }
    }
}

fn track_name<'c>(slug: &'c str, conference: &'c Conference) -> &'c str {
    let track = conference.tracks.iter().find(|track| track.slug.as_str() == slug);
    track.map_or(slug, |track| track.name.as_str())
}

fn times(row: &SessionRow, conference: &Conference) -> String {
    let civil = |at| conference.zone.civil(at);
    let (start, end) = (civil(row.session.slot.start), civil(row.session.slot.end));
    format!("{} to {}", start.format("%Y-%m-%d %H:%M"), end.format("%H:%M"))
}

fn check_dates(row: &SessionRow, conference: &Conference, faults: &mut Faults) {
    let day = conference.zone.civil(row.session.slot.start).date();
    let night = conference.days().of(row.session.slot.start);
    let is_within = |first, last| (first..=last).contains(&day) || (first..=last).contains(&night);
    let Some((first, last)) = conference.dates.filter(|(first, last)| !is_within(*first, *last)) else {
        return;
    };
    let text = day.to_string();
    let message = format!("{day} is not within the conference's dates, {first} to {last}");
    let remedy = format!("write a date from {first} to {last}, or change the dates in the config");
    let spot = Spot { location: row.date, column: Some("date"), text: &text };
    faults.warn(spot, Defect::new("outside-dates", message, remedy));
}

fn check_length(row: &SessionRow, faults: &mut Faults) {
    let length = row.session.slot.end - row.session.slot.start;
    if length > TimeDelta::hours(24) {
        let message = format!("the session lasts {} hours", length.num_hours());
        let remedy = "if it really goes on over the nights, leave it; otherwise correct date or end_date";
        let spot = Spot { location: row.start, column: Some("start"), text: row.session.id.as_str() };
        faults.warn(spot, Defect::new("very-long", message, remedy));
    }
}
