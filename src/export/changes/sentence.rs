//! Describes changes in words, as people at the venue would.

use crate::program::{Change, ChangeKind, Field, Session, Slot, Speaker, Text, Zone};
use crate::revision::Slugs;
use chrono::TimeDelta;

/// A change in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ChangeText {
    /// The part of the headline after the session's title.
    pub headline: String,
    /// Whole sentences.
    pub sentences: Vec<String>,
}

pub(super) fn describe(change: &Change, slugs: &Slugs, zone: Zone) -> ChangeText {
    let writer = Writer { slugs, zone };
    let before = change.before.as_deref();
    let after = change.after.as_deref();
    match (change.kind, before, after) {
        (ChangeKind::Added, _, Some(after)) => {
            let place = writer.place(after);
            ChangeText {
                headline: format!("new, {place}"),
                sentences: vec![format!("New in the program: {place}.")],
            }
        }
        (ChangeKind::Cancelled, Some(before), _) => {
            let place = writer.place(before);
            ChangeText {
                headline: "cancelled".to_owned(),
                sentences: vec![format!("Cancelled. It was {place}.")],
            }
        }
        (ChangeKind::Restored, _, Some(after)) => {
            let place = writer.place(after);
            let sentence = format!("It takes place after all: {place}.");
            ChangeText { headline: format!("takes place after all, {place}"), sentences: vec![sentence] }
        }
        (_, Some(before), Some(after)) => writer.compare(change, before, after),
        _ => ChangeText {
            headline: change.kind.as_str().to_owned(),
            sentences: vec![sentence_case(change.kind)],
        },
    }
}

fn sentence_case(kind: ChangeKind) -> String {
    let word = kind.as_str();
    format!("{}{}.", word.get(..1).unwrap_or_default().to_uppercase(), word.get(1..).unwrap_or_default())
}

struct Writer<'a> {
    slugs: &'a Slugs,
    zone: Zone,
}

impl Writer<'_> {
    /// `Tue 25 Mar 11:00, Track 1`
    fn place(&self, session: &Session) -> String {
        let when = self.zone.civil(session.slot.start).format("%a %-d %b %H:%M");
        let places = self.track(session).into_iter().chain(session.slot.room.as_ref().map(Text::to_string));
        places.fold(when.to_string(), |text, place| format!("{text}, {place}"))
    }

    fn track(&self, session: &Session) -> Option<String> {
        let slug = session.track.as_ref()?;
        Some(self.slugs.track(slug).map_or_else(|| slug.to_string(), |track| track.name.to_string()))
    }

    /// `Tue 11:00`, with the date if the weekday alone is ambiguous.
    fn moment(&self, slot: &Slot, other: &Slot) -> String {
        let far = (slot.start - other.start).abs() > TimeDelta::days(5);
        let form = if far { "%a %-d %b %H:%M" } else { "%a %H:%M" };
        self.zone.civil(slot.start).format(form).to_string()
    }

    fn compare(&self, change: &Change, before: &Session, after: &Session) -> ChangeText {
        let mut headline = None;
        let mut sentences = Vec::new();
        let mut say = |head: String, sentence: String| {
            headline.get_or_insert(head);
            sentences.push(sentence);
        };
        if before.slot.start != after.slot.start {
            let from = self.moment(&before.slot, &after.slot);
            let to = self.moment(&after.slot, &before.slot);
            say(format!("moved to {to}"), format!("Moved from {from} to {to}."));
        }
        let length = |slot: &Slot| slot.end - slot.start;
        if length(&before.slot) != length(&after.slot) {
            let end = self.zone.civil(after.slot.end).format("%H:%M");
            let minutes = (length(&after.slot) - length(&before.slot)).num_minutes();
            let word = if minutes < 0 { "shorter" } else { "longer" };
            say(format!("ends at {end}"), format!("It ends at {end}, {} minutes {word}.", minutes.abs()));
        }
        let (from, to) = (self.track(before), self.track(after));
        if from != to {
            say(moved_to("track", to.as_deref()), swapped("Track", from.as_deref(), to.as_deref()));
        }
        let rooms = [before, after].map(|session| session.slot.room.as_ref().map(Text::as_str));
        if rooms[0] != rooms[1] {
            say(moved_to("room", rooms[1]), swapped("Room", rooms[0], rooms[1]));
        }
        if before.title != after.title {
            let sentence = format!("New title: {} (was: {}).", after.title, before.title);
            say("new title".to_owned(), sentence);
        }
        let names = |session: &Session| session.speakers.iter().map(Speaker::line).collect::<Vec<_>>();
        if names(before) != names(after) {
            let list = names(after).join("; ");
            let sentence = if list.is_empty() {
                "No speaker is named now.".to_owned()
            } else {
                format!("Speakers: {list}.")
            };
            say("new speakers".to_owned(), sentence);
        }
        if before.status != after.status {
            say(format!("now {}", after.status), format!("It is now {}.", after.status));
        }
        let described = [
            Field::Start,
            Field::End,
            Field::Track,
            Field::Room,
            Field::Title,
            Field::Speakers,
            Field::Status,
        ];
        let rest: Vec<&str> = change
            .fields()
            .iter()
            .map(|change| change.field)
            .filter(|field| !described.contains(field))
            .map(Field::as_str)
            .collect();
        if !rest.is_empty() {
            let list = rest.join(", ");
            say(format!("new {list}"), format!("Edited: {list}."));
        }
        if sentences.is_empty() {
            // Only a shared value has changed, such as a track's name in the config.
            return ChangeText { headline: "updated".to_owned(), sentences: vec!["Updated.".to_owned()] };
        }
        ChangeText { headline: headline.unwrap_or_default(), sentences }
    }
}

fn moved_to(what: &str, to: Option<&str>) -> String {
    to.map_or_else(|| format!("no {what} now"), |to| format!("now in {to}"))
}

fn swapped(what: &str, from: Option<&str>, to: Option<&str>) -> String {
    match (from, to) {
        (Some(from), Some(to)) => format!("{what} changed from {from} to {to}."),
        (None, Some(to)) => format!("{what}: {to}."),
        (_, None) => format!("{what} {} no longer applies.", from.unwrap_or_default()),
    }
}
