//! What only the whole program shows: a speaker, a room or a track booked twice, sessions outside the
//! conference's dates or of more than a day.
//!
//! Warnings only: two rooms may share a name, and two speakers too. One pass over each group in order of
//! start, so that a session is reported against the one before it that lasts longest, once.

use super::fault::{At, Faults, Flaw, Spot};
use super::row::Placed;
use crate::program::{Conference, Status};
use chrono::TimeDelta;
use std::collections::HashMap;

/// Reports every clash. Cancelled and withdrawn sessions take nobody's time.
pub(super) fn report(placed: &[Placed], conference: &Conference, faults: &mut Faults) {
    let mut live: Vec<&Placed> = placed.iter().filter(|placed| takes_place(placed)).collect();
    live.sort_by_key(|placed| (placed.session.slot.start, placed.date.span));
    for placed in &live {
        outside(placed, conference, faults);
        long(placed, faults);
    }
    let mut speakers = Bookings::of("speakers", "speaker-booked-twice");
    let mut rooms = Bookings::of("room", "room-booked-twice");
    let mut tracks = Bookings::of("track", "track-overlap");
    for placed in live {
        let session = &placed.session;
        for speaker in &session.speakers {
            speakers.book(speaker.name.as_str(), placed.speakers, placed, conference, faults);
        }
        if let Some(room) = &session.slot.room {
            rooms.book(room.as_str(), placed.room, placed, conference, faults);
        }
        // A coffee break that is listed in a track leaves the track's talks alone.
        if let Some(track) = session.track.as_ref().filter(|_| !session.kind.is_pause()) {
            tracks.book(track.as_str(), placed.start, placed, conference, faults);
        }
    }
}

fn takes_place(placed: &Placed) -> bool {
    matches!(placed.session.status, Status::Confirmed | Status::Tentative)
}

/// Who or what is taken until when.
struct Bookings<'p> {
    noun: &'static str,
    rule: &'static str,
    last: HashMap<String, &'p Placed>,
}

impl<'p> Bookings<'p> {
    fn of(noun: &'static str, rule: &'static str) -> Self {
        Self { noun, rule, last: HashMap::new() }
    }

    fn book(&mut self, name: &str, at: At, placed: &'p Placed, conference: &Conference, faults: &mut Faults) {
        let last = self.last.entry(name.to_lowercase()).or_insert(placed);
        if last.session.id != placed.session.id && last.session.slot.overlaps(&placed.session.slot) {
            let (one, two) = (times(last, conference), times(placed, conference));
            let (before, line) = (&last.session.id, last.start.line);
            let message = match self.noun {
                "track" => format!(
                    "in the track {}, {two} overlaps with {before} (line {line}), {one}",
                    track_name(name, conference)
                ),
                _ => format!("{name} is booked here, {two}, and in {before} (line {line}), {one}"),
            };
            let remedy = match self.noun {
                "track" => "change the track or the time of one of them",
                "room" => "change the room or the time of one of them",
                _ => {
                    "change the time of one of them, or tell two people of one name apart, with an initial perhaps"
                }
            };
            let column = if self.noun == "track" { "start" } else { self.noun };
            faults.warn(Spot { at, column: Some(column), text: name }, Flaw::new(self.rule, message, remedy));
        }
        if placed.session.slot.end > last.session.slot.end {
            *last = placed;
        }
    }
}

fn track_name<'c>(slug: &'c str, conference: &'c Conference) -> &'c str {
    let track = conference.tracks.iter().find(|track| track.slug.as_str() == slug);
    track.map_or(slug, |track| track.name.as_str())
}

fn times(placed: &Placed, conference: &Conference) -> String {
    let civil = |at| conference.zone.civil(at);
    let (start, end) = (civil(placed.session.slot.start), civil(placed.session.slot.end));
    format!("{} {} to {}", start.format("%Y-%m-%d"), start.format("%H:%M"), end.format("%H:%M"))
}

fn outside(placed: &Placed, conference: &Conference, faults: &mut Faults) {
    let day = conference.zone.civil(placed.session.slot.start).date();
    let Some((first, last)) = conference.dates.filter(|(first, last)| !(*first..=*last).contains(&day))
    else {
        return;
    };
    let text = day.to_string();
    let message = format!("{day} is not within the conference's dates, {first} to {last}");
    let spot = Spot { at: placed.date, column: Some("date"), text: &text };
    let remedy = format!("write a date from {first} to {last}, or widen the dates in the config");
    faults.warn(spot, Flaw::new("outside-dates", message, remedy));
}

fn long(placed: &Placed, faults: &mut Faults) {
    let length = placed.session.slot.end - placed.session.slot.start;
    if length > TimeDelta::hours(24) {
        let message = format!("this session lasts {} hours", length.num_hours());
        let spot = Spot { at: placed.start, column: Some("start"), text: placed.session.id.as_str() };
        let remedy = "check date and end_date, or write one session for each day";
        faults.warn(spot, Flaw::new("very-long", message, remedy));
    }
}
