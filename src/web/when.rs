//! Prints dates and times in the venue's zone, on the conference's clock, in the page's language.

use crate::program::{ClockStyle, DayChange, ProgramDays, Zone};
use crate::texts::Texts;
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};

/// A run of text. If the run prints a time, it also holds the time, so that scripts can show it in another zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TextSegment {
    pub text: String,
    /// The time for a `datetime` attribute; none for plain text.
    pub at: Option<String>,
    /// The end of a range.
    pub end: Option<String>,
    /// The name of the format in `times.js`.
    pub format: &'static str,
}

impl TextSegment {
    pub(super) fn plain(text: impl Into<String>) -> Self {
        Self { text: text.into(), at: None, end: None, format: "" }
    }

    fn time(text: String, at: DateTime<Utc>, format: &'static str) -> Self {
        Self { text, at: Some(When::iso(at)), end: None, format }
    }
}

/// A text with values that contain times. `text` is called with a mark in the place of each value.
pub(super) fn segments<const N: usize>(
    text: impl Fn([&str; N]) -> String,
    values: [Vec<TextSegment>; N],
) -> Vec<TextSegment> {
    // Private-use characters, which no catalogue contains.
    const FIRST: u32 = 0xE000;
    let mark = |place: usize| char::from_u32(FIRST + place as u32).unwrap_or_default().to_string();
    let marks: [String; N] = std::array::from_fn(mark);
    let text = text(marks.each_ref().map(String::as_str));
    let (mut out, mut rest) = (Vec::new(), text.as_str());
    let is_mark = |c: char| (FIRST..FIRST + N as u32).contains(&u32::from(c));
    while let Some((before, found)) = rest.find(is_mark).map(|at| rest.split_at(at)) {
        if !before.is_empty() {
            out.push(TextSegment::plain(before));
        }
        let mut chars = found.chars();
        let place = chars.next().map(|c| u32::from(c) - FIRST).unwrap_or_default();
        out.extend(values.get(place as usize).cloned().unwrap_or_default());
        rest = chars.as_str();
    }
    if !rest.is_empty() {
        out.push(TextSegment::plain(rest));
    }
    out
}

/// Prints instants and dates.
#[derive(Debug, Clone, Copy)]
pub(super) struct When {
    pub zone: Zone,
    /// When a day of the program starts.
    pub day_change: DayChange,
    pub clock: ClockStyle,
    pub words: &'static Texts,
}

impl When {
    /// The day of the program, under which pages list a session.
    pub(super) fn date(&self, at: DateTime<Utc>) -> NaiveDate {
        ProgramDays { zone: self.zone, change: self.day_change }.of(at)
    }

    /// The date at the venue, which pages print beside a time.
    pub(super) fn civil_date(&self, at: DateTime<Utc>) -> NaiveDate {
        self.zone.civil(at).date()
    }

    /// `9:00 am`
    pub(super) fn time(&self, at: DateTime<Utc>) -> String {
        self.words.time(self.clock, self.zone.civil(at).time())
    }

    /// `9:00–9:45 am`. If the range passes midnight, the end names its day.
    pub(super) fn range(&self, start: DateTime<Utc>, end: DateTime<Utc>) -> String {
        let (from, to) = (self.zone.civil(start), self.zone.civil(end));
        if from.date() != to.date() && to - from >= TimeDelta::hours(12) {
            return self.words.range_days(&self.time(start), &self.short_day(to.date()), &self.time(end));
        }
        self.words.time_range(self.clock, from.time(), to.time())
    }

    /// `Tuesday, March 25`
    pub(super) fn day(&self, date: NaiveDate) -> String {
        self.words.day(date)
    }

    /// `Tue 25`
    pub(super) fn short_day(&self, date: NaiveDate) -> String {
        self.words.short_day(date)
    }

    /// `Tue, Mar 25, 9:00 am PDT`
    pub(super) fn stamp(&self, at: DateTime<Utc>) -> String {
        format!("{} {}", self.moment(at), self.zone.abbreviation(at))
    }

    /// `Tue, Mar 25, 9:00 am`
    fn moment(&self, at: DateTime<Utc>) -> String {
        self.words.moment(&self.words.medium_day(self.civil_date(at)), &self.time(at))
    }

    pub(super) fn stamp_segment(&self, at: DateTime<Utc>) -> TextSegment {
        TextSegment::time(self.stamp(at), at, "stamp")
    }

    pub(super) fn moment_segment(&self, at: DateTime<Utc>) -> TextSegment {
        TextSegment::time(self.moment(at), at, "moment")
    }

    pub(super) fn time_segment(&self, at: DateTime<Utc>) -> TextSegment {
        TextSegment::time(self.time(at), at, "time")
    }

    pub(super) fn range_segment(&self, start: DateTime<Utc>, end: DateTime<Utc>) -> TextSegment {
        TextSegment { end: Some(Self::iso(end)), ..TextSegment::time(self.range(start, end), start, "range") }
    }

    /// The abbreviations of the zone from one time to another: `PST`, or `PST/PDT` across a clock change.
    pub(super) fn zone_names(&self, from: DateTime<Utc>, to: DateTime<Utc>) -> String {
        let [from, to] = [from, to].map(|at| self.zone.abbreviation(at));
        if from == to { from } else { format!("{from}/{to}") }
    }

    /// `March 2, 2025, 4:00 am PST`, for times that may be far from the conference.
    pub(super) fn full(&self, at: DateTime<Utc>) -> String {
        let date = self.words.full_date(self.civil_date(at));
        format!("{} {}", self.words.moment(&date, &self.time(at)), self.zone.abbreviation(at))
    }

    /// An instant for `datetime` attributes and scripts.
    pub(super) fn iso(at: DateTime<Utc>) -> String {
        at.format("%Y-%m-%dT%H:%M:%SZ").to_string()
    }

    /// An instant with the venue's offset, as schema.org requires.
    pub(super) fn offset_iso(&self, at: DateTime<Utc>) -> String {
        at.with_timezone(&self.zone.tz()).format("%Y-%m-%dT%H:%M:%S%:z").to_string()
    }

    /// `45 minutes`, `3 hours`, `2 days`: a length of time in its largest whole unit.
    pub(super) fn length(&self, length: TimeDelta) -> String {
        let minutes = length.num_minutes().max(1);
        match minutes {
            0..120 => self.words.minutes(minutes),
            120..2880 => self.words.hours(minutes / 60),
            _ => self.words.days(minutes / 1440),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn when(clock: ClockStyle, language: &str) -> When {
        let zone = Zone::parse("America/Los_Angeles").unwrap();
        When { zone, day_change: DayChange::default(), clock, words: Texts::of(language) }
    }

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn times_are_the_venues_on_either_clock() {
        let (start, end) = (at("2025-03-25T16:00:00Z"), at("2025-03-25T16:45:00Z"));
        let twelve = when(ClockStyle::Twelve, "en-US");
        assert_eq!(twelve.range(start, end), "9:00–9:45 am");
        assert_eq!(twelve.range(at("2025-03-25T18:45:00Z"), at("2025-03-25T19:30:00Z")), "11:45 am–12:30 pm");
        assert_eq!(when(ClockStyle::TwentyFour, "en-GB").range(start, end), "09:00–09:45");
        assert_eq!(twelve.stamp(start), "Tue, Mar 25, 9:00 am PDT");
        assert_eq!(when(ClockStyle::TwentyFour, "en-GB").stamp(start), "Tue 25 Mar, 09:00 PDT");
        assert_eq!(twelve.full(start), "March 25, 2025, 9:00 am PDT");
        assert_eq!(twelve.offset_iso(start), "2025-03-25T09:00:00-07:00");
    }

    #[test]
    fn a_range_over_days_names_the_last() {
        let twelve = when(ClockStyle::Twelve, "en-US");
        assert_eq!(
            twelve.range(at("2025-03-25T16:00:00Z"), at("2025-03-27T00:00:00Z")),
            "9:00 am – Wed 26 5:00 pm"
        );
        assert_eq!(twelve.range(at("2025-03-26T06:00:00Z"), at("2025-03-26T08:00:00Z")), "11:00 pm–1:00 am");
    }

    #[test]
    fn a_clock_change_has_both_names_of_the_zone() {
        let when = when(ClockStyle::TwentyFour, "en-US");
        let (evening, morning) = (at("2025-03-09T04:00:00Z"), at("2025-03-09T17:00:00Z"));
        assert_eq!(when.range(evening, morning), "20:00 – Sun 9 10:00");
        assert_eq!(when.zone_names(evening, morning), "PST/PDT");
        assert_eq!(when.zone_names(morning, morning), "PDT");
    }

    #[test]
    fn dates_follow_the_language() {
        let day = NaiveDate::from_ymd_opt(2025, 3, 25).unwrap();
        let last = NaiveDate::from_ymd_opt(2025, 3, 27).unwrap();
        assert_eq!(when(ClockStyle::Twelve, "en-US").day(day), "Tuesday, March 25");
        assert_eq!(when(ClockStyle::Twelve, "en-GB").day(day), "Tuesday 25 March");
        assert_eq!(when(ClockStyle::Twelve, "en-US").words.dates(day, last), "March 25–27, 2025");
        assert_eq!(when(ClockStyle::Twelve, "en-AU").words.dates(day, last), "25–27 March 2025");
        let (from, to) =
            (NaiveDate::from_ymd_opt(2026, 11, 28).unwrap(), NaiveDate::from_ymd_opt(2026, 12, 1).unwrap());
        assert_eq!(when(ClockStyle::Twelve, "en-US").words.dates(from, to), "November 28 – December 1, 2026");
        assert_eq!(when(ClockStyle::Twelve, "en-GB").words.dates(from, to), "28 November – 1 December 2026");
    }

    #[test]
    fn lengths_take_the_largest_whole_unit() {
        let when = when(ClockStyle::Twelve, "en");
        assert_eq!(when.length(TimeDelta::minutes(45)), "45 minutes");
        assert_eq!(when.length(TimeDelta::minutes(200)), "3 hours");
        assert_eq!(when.length(TimeDelta::days(3)), "3 days");
        assert_eq!(when.length(TimeDelta::zero()), "1 minute");
    }
}
