//! Describes changes in words, as people at the venue would.

use crate::program::{Change, ChangeKind, Conference, Field, Session, Slot, Speaker, Text};
use crate::revision::Slugs;
use crate::texts::Texts;
use chrono::{DateTime, TimeDelta, Utc};

/// A change in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeText {
    /// The part of the headline after the session's title.
    pub headline: String,
    /// Whole sentences.
    pub sentences: Vec<String>,
}

pub(super) fn describe(change: &Change, slugs: &Slugs, conference: &Conference) -> ChangeText {
    let texts = Texts::of(&conference.language);
    let writer = SentenceWriter { slugs, conference, texts };
    let before = change.before.as_deref();
    let after = change.after.as_deref();
    let one = |headline: String, sentence: String| ChangeText { headline, sentences: vec![sentence] };
    match (change.kind, before, after) {
        (ChangeKind::Added, _, Some(after)) => {
            let place = writer.place(after);
            one(texts.change_new_head(&place), texts.change_new(&place))
        }
        (ChangeKind::Cancelled, Some(before), _) => {
            one(texts.change_cancelled_head.to_owned(), texts.change_cancelled(&writer.place(before)))
        }
        (ChangeKind::Restored, _, Some(after)) => {
            let place = writer.place(after);
            one(texts.change_restored_head(&place), texts.change_restored(&place))
        }
        (_, Some(before), Some(after)) => writer.compare(change, before, after),
        // A change without the session that it changed is not in any feed.
        _ => one(texts.change_updated_head.to_owned(), texts.change_updated.to_owned()),
    }
}

struct SentenceWriter<'a> {
    slugs: &'a Slugs,
    conference: &'a Conference,
    texts: &'static Texts,
}

impl SentenceWriter<'_> {
    /// `Tue, Mar 25, 11:00 am, Track 1`
    fn place(&self, session: &Session) -> String {
        let start = session.slot.start;
        let when = self.texts.moment(&self.texts.medium_day(self.date(start)), &self.time(start));
        let places = self.track(session).into_iter().chain(session.slot.room.as_ref().map(Text::to_string));
        places.fold(when, |text, place| format!("{text}, {place}"))
    }

    fn date(&self, at: DateTime<Utc>) -> chrono::NaiveDate {
        self.conference.zone.civil(at).date()
    }

    /// `11:00 am`
    fn time(&self, at: DateTime<Utc>) -> String {
        self.texts.time(self.conference.clock, self.conference.zone.civil(at).time())
    }

    fn track(&self, session: &Session) -> Option<String> {
        let slug = session.track.as_ref()?;
        Some(self.slugs.track(slug).map_or_else(|| slug.to_string(), |track| track.name.to_string()))
    }

    /// `Tue 11:00 am`, with the date if the weekday alone is ambiguous.
    fn moment(&self, slot: &Slot, other: &Slot) -> String {
        let (date, time) = (self.date(slot.start), self.time(slot.start));
        if (slot.start - other.start).abs() > TimeDelta::days(5) {
            return self.texts.moment(&self.texts.medium_day(date), &time);
        }
        self.texts.weekday_time(self.texts.short_weekday(date), &time)
    }

    fn compare(&self, change: &Change, before: &Session, after: &Session) -> ChangeText {
        let texts = self.texts;
        let mut headline = None;
        let mut sentences = Vec::new();
        let mut say = |head: String, sentence: String| {
            headline.get_or_insert(head);
            sentences.push(sentence);
        };
        if before.slot.start != after.slot.start {
            let from = self.moment(&before.slot, &after.slot);
            let to = self.moment(&after.slot, &before.slot);
            say(texts.change_moved_head(&to), texts.change_moved(&from, &to));
        }
        let length = |slot: &Slot| slot.end - slot.start;
        if length(&before.slot) != length(&after.slot) {
            let end = self.time(after.slot.end);
            let minutes = (length(&after.slot) - length(&before.slot)).num_minutes();
            let sentence = match minutes {
                ..0 => texts.change_shorter(&end, -minutes),
                _ => texts.change_longer(&end, minutes),
            };
            say(texts.change_end_head(&end), sentence);
        }
        match (self.track(before), self.track(after)) {
            (from, to) if from == to => {}
            (Some(from), Some(to)) => say(texts.change_in_head(&to), texts.change_track(&from, &to)),
            (_, Some(to)) => say(texts.change_in_head(&to), texts.change_track_new(&to)),
            (from, None) => say(
                texts.change_no_track_head.to_owned(),
                texts.change_track_gone(from.as_deref().unwrap_or_default()),
            ),
        }
        let room = |session: &Session| session.slot.room.as_ref().map(Text::to_string);
        match (room(before), room(after)) {
            (from, to) if from == to => {}
            (Some(from), Some(to)) => say(texts.change_in_head(&to), texts.change_room(&from, &to)),
            (_, Some(to)) => say(texts.change_in_head(&to), texts.change_room_new(&to)),
            (from, None) => say(
                texts.change_no_room_head.to_owned(),
                texts.change_room_gone(from.as_deref().unwrap_or_default()),
            ),
        }
        if before.title != after.title {
            let sentence = texts.change_title(after.title.as_str(), before.title.as_str());
            say(texts.change_title_head.to_owned(), sentence);
        }
        let names = |session: &Session| session.speakers.iter().map(Speaker::line).collect::<Vec<_>>();
        if names(before) != names(after) {
            let list = names(after).join("; ");
            let sentence = match list.as_str() {
                "" => texts.change_no_speakers.to_owned(),
                list => texts.change_speakers(list),
            };
            say(texts.change_speakers_head.to_owned(), sentence);
        }
        if before.status != after.status {
            let status = texts.status(after.status);
            say(texts.change_status_head(status), texts.change_status(status));
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
            .map(|field| texts.field(field))
            .collect();
        if !rest.is_empty() {
            let list = texts.list(&rest);
            say(texts.change_fields_head(&list), texts.change_fields(&list));
        }
        if sentences.is_empty() {
            // Only a shared value has changed, such as a track's name in the config.
            return ChangeText {
                headline: texts.change_updated_head.to_owned(),
                sentences: vec![texts.change_updated.to_owned()],
            };
        }
        ChangeText { headline: headline.unwrap_or_default(), sentences }
    }
}
