//! Dates and times in words. The patterns and names are messages; a test compares them with CLDR.

use super::Texts;
use crate::program::ClockStyle;
use chrono::{Datelike, NaiveDate, NaiveTime, Timelike, Weekday};

impl Texts {
    /// `Tuesday, March 25`
    pub(crate) fn day(&self, date: NaiveDate) -> String {
        self.day_long(self.weekday(date), self.month(date), date.day())
    }

    /// `Tuesday, March 25` as a heading. It begins with a capital in languages that write weekdays small, too.
    pub(crate) fn day_heading(&self, date: NaiveDate) -> String {
        let day = self.day(date);
        let mut chars = day.chars();
        chars.next().into_iter().flat_map(char::to_uppercase).chain(chars.as_str().chars()).collect()
    }

    /// `Tuesday, 25 March`, in the name of a day's calendar
    pub(crate) fn calendar_day(&self, date: NaiveDate) -> String {
        self.feed_day(self.weekday(date), self.month(date), date.day())
    }

    /// `Tue 25 Mar`, in the name of a filtered calendar
    pub(crate) fn calendar_short_day(&self, date: NaiveDate) -> String {
        self.feed_day_short(self.short_weekday(date), self.short_month(date), date.day())
    }

    /// `Tuesday, March 25, 2025`
    pub(crate) fn day_of_year(&self, date: NaiveDate) -> String {
        self.day_year(self.weekday(date), self.month(date), date.day(), &date.year().to_string())
    }

    /// `Tue, Mar 25`
    pub(crate) fn medium_day(&self, date: NaiveDate) -> String {
        self.day_medium(self.short_weekday(date), self.short_month(date), date.day())
    }

    /// `Tue 25`
    pub(crate) fn short_day(&self, date: NaiveDate) -> String {
        self.day_short(self.short_weekday(date), date.day())
    }

    /// `March 25, 2025`
    pub(crate) fn full_date(&self, date: NaiveDate) -> String {
        self.date(self.month(date), date.day(), &date.year().to_string())
    }

    /// `March 24–27, 2025`; both dates in full if they are in different months.
    pub(crate) fn dates(&self, first: NaiveDate, last: NaiveDate) -> String {
        if first == last {
            return self.full_date(first);
        }
        if first.year() != last.year() {
            return self.date_range_years(&self.full_date(first), &self.full_date(last));
        }
        let year = first.year().to_string();
        if first.month() != last.month() {
            let day = |date: NaiveDate| self.month_day(self.month(date), date.day());
            return self.date_range_months(&day(first), &day(last), &year);
        }
        self.date_range(self.month(first), first.day(), last.day(), &year)
    }

    /// `9:00 am` or `09:00`
    pub(crate) fn time(&self, clock: ClockStyle, time: NaiveTime) -> String {
        match clock {
            ClockStyle::Twelve => self.time_of_12(time),
            ClockStyle::TwentyFour => time.format("%H:%M").to_string(),
        }
    }

    /// `9:00–9:45 am` or `09:00–09:45`
    pub(crate) fn time_range(&self, clock: ClockStyle, start: NaiveTime, end: NaiveTime) -> String {
        match clock {
            ClockStyle::Twelve => self.range_of_12(start, end),
            ClockStyle::TwentyFour => self.range(&self.time(clock, start), &self.time(clock, end)),
        }
    }

    /// `9:00 am`
    pub(crate) fn time_of_12(&self, time: NaiveTime) -> String {
        self.time_12(&self.hour_of_12(time), self.half(time))
    }

    /// `9:00–9:45 am`
    pub(crate) fn range_of_12(&self, start: NaiveTime, end: NaiveTime) -> String {
        if self.half(start) == self.half(end) {
            return self.range_12(&self.hour_of_12(start), &self.hour_of_12(end), self.half(start));
        }
        self.range(&self.time_of_12(start), &self.time_of_12(end))
    }

    /// `am` or `pm`
    fn half(&self, time: NaiveTime) -> &'static str {
        if time.hour() < 12 { self.am } else { self.pm }
    }

    /// `9:00`
    fn hour_of_12(&self, time: NaiveTime) -> String {
        match time.hour() % 12 {
            0 => format!("{}:{:02}", self.twelve, time.minute()),
            hour => format!("{hour}:{:02}", time.minute()),
        }
    }

    fn weekday(&self, date: NaiveDate) -> &'static str {
        match date.weekday() {
            Weekday::Mon => self.monday,
            Weekday::Tue => self.tuesday,
            Weekday::Wed => self.wednesday,
            Weekday::Thu => self.thursday,
            Weekday::Fri => self.friday,
            Weekday::Sat => self.saturday,
            Weekday::Sun => self.sunday,
        }
    }

    /// `Tue`
    pub(crate) fn short_weekday(&self, date: NaiveDate) -> &'static str {
        match date.weekday() {
            Weekday::Mon => self.monday_short,
            Weekday::Tue => self.tuesday_short,
            Weekday::Wed => self.wednesday_short,
            Weekday::Thu => self.thursday_short,
            Weekday::Fri => self.friday_short,
            Weekday::Sat => self.saturday_short,
            Weekday::Sun => self.sunday_short,
        }
    }

    fn month(&self, date: NaiveDate) -> &'static str {
        let months = [
            self.january,
            self.february,
            self.march,
            self.april,
            self.may,
            self.june,
            self.july,
            self.august,
            self.september,
            self.october,
            self.november,
            self.december,
        ];
        months.get(date.month0() as usize).copied().unwrap_or_default()
    }

    pub(super) fn short_month(&self, date: NaiveDate) -> &'static str {
        let months = [
            self.january_short,
            self.february_short,
            self.march_short,
            self.april_short,
            self.may_short,
            self.june_short,
            self.july_short,
            self.august_short,
            self.september_short,
            self.october_short,
            self.november_short,
            self.december_short,
        ];
        months.get(date.month0() as usize).copied().unwrap_or_default()
    }
}
