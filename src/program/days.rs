//! The days of a program: dates in the venue's zone, of which the night may belong to the day before.

use super::{Slot, Zone};
use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use std::fmt;

/// The time in the morning at which a night ends.
const NIGHT_ENDS: TimeDelta = TimeDelta::hours(4);

/// The most dates of one session. Each is a feed and an event in schedules, and a wrong year in a program file would
/// make thousands.
pub const MAX_DAYS: usize = 31;

/// The time at which a day of the program starts. Sessions that start between midnight and this time belong to the day
/// before: those of a night of dancing or hacking.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DayChange {
    /// Minutes after midnight.
    minutes: u16,
}

/// Why a text is no [`DayChange`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("write a time from \"00:00\" to \"12:00\", such as \"04:00\"")]
pub struct DayChangeError;

/// Which day a time belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProgramDays {
    /// The venue's zone.
    pub zone: Zone,
    /// When a day starts.
    pub change: DayChange,
}

impl DayChange {
    /// Whether a day starts at midnight.
    pub fn is_midnight(&self) -> bool {
        self.minutes == 0
    }

    /// Minutes after midnight.
    pub fn minutes(&self) -> u16 {
        self.minutes
    }

    fn after_midnight(self) -> TimeDelta {
        TimeDelta::minutes(self.minutes.into())
    }

    /// The civil time at which a day starts.
    pub fn start_of(self, day: NaiveDate) -> NaiveDateTime {
        day.and_time(NaiveTime::MIN) + self.after_midnight()
    }
}

impl ProgramDays {
    /// The day of a time.
    pub fn of(self, at: DateTime<Utc>) -> NaiveDate {
        (self.zone.civil(at) - self.change.after_midnight()).date()
    }

    /// The days of a slot: that of its start, and every later day on which it goes on after 4:00 in the morning, so that a
    /// party past midnight has one day. At most [`MAX_DAYS`] days.
    pub fn all(self, slot: &Slot) -> impl Iterator<Item = NaiveDate> + use<> {
        let (first, end) = (self.of(slot.start), self.zone.civil(slot.end));
        let morning = self.change.after_midnight().max(NIGHT_ENDS);
        let goes_on = move |day: &NaiveDate| *day == first || day.and_time(NaiveTime::MIN) + morning < end;
        first.iter_days().take(MAX_DAYS).take_while(goes_on)
    }
}

impl TryFrom<String> for DayChange {
    type Error = DayChangeError;

    fn try_from(raw: String) -> Result<Self, DayChangeError> {
        let (hours, minutes) = raw.split_once(':').ok_or(DayChangeError)?;
        let number = |text: &str, most: usize| {
            let is_number =
                (1..=most).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
            text.parse::<u16>().ok().filter(|_| is_number).ok_or(DayChangeError)
        };
        let (hours, minute) = (number(hours, 2)?, number(minutes, 2)?);
        let total = hours * 60 + minute;
        let is_time = minutes.len() == 2 && minute < 60 && total <= 12 * 60;
        if is_time { Ok(Self { minutes: total }) } else { Err(DayChangeError) }
    }
}

impl From<DayChange> for String {
    fn from(change: DayChange) -> Self {
        change.to_string()
    }
}

/// `04:00`
impl fmt::Display for DayChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.minutes / 60, self.minutes % 60)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn days(change: &str) -> ProgramDays {
        let zone = Zone::parse("America/Los_Angeles").unwrap();
        ProgramDays { zone, change: DayChange::try_from(change.to_owned()).unwrap() }
    }

    fn found(change: &str, start: &str, end: &str) -> Vec<String> {
        let slot = Slot { start: start.parse().unwrap(), end: end.parse().unwrap(), room: None };
        days(change).all(&slot).map(|day| day.to_string()).collect()
    }

    #[test]
    fn a_slot_has_each_date_on_which_it_goes_on_in_the_morning() {
        for (start, end, dates) in [
            ("2025-03-25T16:00:00Z", "2025-03-25T17:00:00Z", &["2025-03-25"][..]),
            // A party until 4:00, and one until 4:01.
            ("2025-03-26T05:00:00Z", "2025-03-26T11:00:00Z", &["2025-03-25"]),
            ("2025-03-26T05:00:00Z", "2025-03-26T11:01:00Z", &["2025-03-25", "2025-03-26"]),
            // To the end of a day.
            ("2025-03-25T16:00:00Z", "2025-03-27T07:00:00Z", &["2025-03-25", "2025-03-26"]),
            ("2025-03-25T16:00:00Z", "2025-03-27T17:00:00Z", &["2025-03-25", "2025-03-26", "2025-03-27"]),
        ] {
            assert_eq!(found("00:00", start, end), dates, "{start}");
        }
        assert_eq!(found("00:00", "2025-03-25T16:00:00Z", "2095-03-25T16:00:00Z").len(), MAX_DAYS);
    }

    #[test]
    fn the_night_belongs_to_the_day_before() {
        for (change, start, end, dates) in [
            // From 1:30 to 2:30, from 3:59, and from 4:00.
            ("04:00", "2025-03-26T08:30:00Z", "2025-03-26T09:30:00Z", &["2025-03-25"][..]),
            ("04:00", "2025-03-26T10:59:00Z", "2025-03-26T11:30:00Z", &["2025-03-25", "2025-03-26"]),
            ("04:00", "2025-03-26T11:00:00Z", "2025-03-26T11:30:00Z", &["2025-03-26"]),
            ("06:00", "2025-03-26T12:30:00Z", "2025-03-26T13:00:00Z", &["2025-03-25"]),
            ("00:00", "2025-03-26T08:30:00Z", "2025-03-26T09:30:00Z", &["2025-03-26"]),
        ] {
            assert_eq!(found(change, start, end), dates, "{change} {start}");
        }
        // A day change of the spring night that has no half past two.
        assert_eq!(days("02:30").of("2025-03-09T10:00:00Z".parse().unwrap()).to_string(), "2025-03-09");
    }

    #[test]
    fn only_times_of_the_night_and_morning_are_accepted() {
        for good in ["00:00", "04:00", "4:30", "12:00"] {
            assert!(DayChange::try_from(good.to_owned()).is_ok(), "{good}");
        }
        for bad in ["", "4", "4:5", "24:00", "12:01", "04:60", "4 am", "-1:00", "04:00:00", "+4:00"] {
            assert!(DayChange::try_from(bad.to_owned()).is_err(), "{bad}");
        }
        assert_eq!(days("4:00").change.to_string(), "04:00");
    }
}
