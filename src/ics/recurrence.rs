//! Recurrence rules (RFC 5545, 3.3.10), evaluated in civil time: the times of an event that repeats, and the onsets of
//! a VTIMEZONE.
//!
//! Rules that repeat each second (SECONDLY) are not supported, and neither is RSCALE (RFC 7529).

use super::value::weekday;
use chrono::{DateTime, Datelike, Days, Months, NaiveDate, NaiveDateTime, NaiveTime, Utc, Weekday};

/// A recurrence rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recurrence {
    frequency: Frequency,
    interval: u32,
    count: Option<usize>,
    until: Option<Until>,
    months: Vec<i32>,
    weeks: Vec<i32>,
    year_days: Vec<i32>,
    month_days: Vec<i32>,
    /// Weekdays, each with its place in the month or year, or 0 for every such weekday.
    weekdays: Vec<(i32, Weekday)>,
    hours: Vec<i32>,
    minutes: Vec<i32>,
    seconds: Vec<i32>,
    positions: Vec<i32>,
    week_start: Weekday,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Frequency {
    Yearly,
    Monthly,
    Weekly,
    Daily,
    Hourly,
    Minutely,
}

impl Frequency {
    /// The minutes of a rule that repeats within a day; none for other rules.
    fn minutes(self) -> Option<i64> {
        match self {
            Self::Hourly => Some(60),
            Self::Minutely => Some(1),
            Self::Yearly | Self::Monthly | Self::Weekly | Self::Daily => None,
        }
    }
}

/// The last moment of a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Until {
    Utc(DateTime<Utc>),
    Civil(NaiveDateTime),
}

/// The most periods (days, weeks, months or years) of a rule that are looked at.
const MAX_PERIODS: usize = 20_000;

impl Recurrence {
    /// Parses the value of an RRULE. None if the rule is malformed or not supported.
    pub fn parse(raw: &str) -> Option<Self> {
        let mut frequency = None;
        let mut rule = Self {
            frequency: Frequency::Daily,
            interval: 1,
            count: None,
            until: None,
            months: Vec::new(),
            weeks: Vec::new(),
            year_days: Vec::new(),
            month_days: Vec::new(),
            weekdays: Vec::new(),
            hours: Vec::new(),
            minutes: Vec::new(),
            seconds: Vec::new(),
            positions: Vec::new(),
            week_start: Weekday::Mon,
        };
        for part in raw.trim().split(';').filter(|part| !part.trim().is_empty()) {
            let (name, value) = part.split_once('=')?;
            let value = value.trim();
            match name.trim().to_ascii_uppercase().as_str() {
                "FREQ" => {
                    frequency = Some(match value.to_ascii_uppercase().as_str() {
                        "YEARLY" => Frequency::Yearly,
                        "MONTHLY" => Frequency::Monthly,
                        "WEEKLY" => Frequency::Weekly,
                        "DAILY" => Frequency::Daily,
                        "HOURLY" => Frequency::Hourly,
                        "MINUTELY" => Frequency::Minutely,
                        _ => return None,
                    });
                }
                "INTERVAL" => rule.interval = value.parse().ok().filter(|interval| *interval > 0)?,
                "COUNT" => rule.count = Some(value.parse().ok()?),
                "UNTIL" => rule.until = Some(Until::parse(value)?),
                "BYMONTH" => rule.months = numbers(value, 1..=12, false)?,
                "BYWEEKNO" => rule.weeks = numbers(value, 1..=53, true)?,
                "BYYEARDAY" => rule.year_days = numbers(value, 1..=366, true)?,
                "BYMONTHDAY" => rule.month_days = numbers(value, 1..=31, true)?,
                "BYDAY" => rule.weekdays = value.split(',').map(placed_weekday).collect::<Option<_>>()?,
                "BYHOUR" => rule.hours = numbers(value, 0..=23, false)?,
                "BYMINUTE" => rule.minutes = numbers(value, 0..=59, false)?,
                "BYSECOND" => rule.seconds = numbers(value, 0..=59, false)?,
                "BYSETPOS" => rule.positions = numbers(value, 1..=366, true)?,
                "WKST" => rule.week_start = weekday(value)?,
                name if name.starts_with("X-") => {}
                _ => return None,
            }
        }
        rule.frequency = frequency?;
        // A place within an hour or a minute has no meaning where a whole day is looked at.
        let is_within_day = rule.frequency.minutes().is_some();
        (!is_within_day || rule.positions.is_empty()).then_some(rule)
    }

    /// Whether the rule ends.
    pub fn is_finite(&self) -> bool {
        self.count.is_some() || self.until.is_some()
    }

    /// Whether a time, as civil time and as instant, is not after the rule's UNTIL.
    pub fn is_before_end(&self, civil: NaiveDateTime, at: DateTime<Utc>) -> bool {
        match self.until {
            Some(Until::Utc(until)) => at <= until,
            Some(Until::Civil(until)) => civil <= until,
            None => true,
        }
    }

    /// The civil day of the UNTIL, give or take a day.
    pub fn last_day(&self) -> Option<NaiveDate> {
        self.until.map(|until| match until {
            Until::Utc(at) => at.date_naive(),
            Until::Civil(civil) => civil.date(),
        })
    }

    /// The civil times of the rule from `from` to `last`, both included, in order: at most `most`. `start` is the DTSTART,
    /// which is the first time of every rule (3.8.5.3). UNTIL is not applied, see [`Recurrence::is_before_end`].
    pub fn times(
        &self,
        start: NaiveDateTime,
        window: (NaiveDateTime, NaiveDateTime),
        most: usize,
    ) -> Vec<NaiveDateTime> {
        self.run(start, window, most, true)
    }

    /// The times that an EXRULE (RFC 2445, 4.8.5.2) excludes: `start` only if the rule matches it. Else like
    /// [`Recurrence::times`].
    pub fn excluded(
        &self,
        start: NaiveDateTime,
        window: (NaiveDateTime, NaiveDateTime),
        most: usize,
    ) -> Vec<NaiveDateTime> {
        self.run(start, window, most, false)
    }

    fn run(
        &self,
        start: NaiveDateTime,
        (from, last): (NaiveDateTime, NaiveDateTime),
        most: usize,
        has_start: bool,
    ) -> Vec<NaiveDateTime> {
        let mut found = Vec::new();
        let mut counted = 0;
        let mut add = |time: NaiveDateTime, found: &mut Vec<NaiveDateTime>| {
            counted += 1;
            if time >= from && time <= last {
                found.push(time);
            }
            self.count.is_some_and(|count| counted >= count) || found.len() >= most
        };
        if has_start && add(start, &mut found) {
            return found;
        }
        // Without a COUNT, the periods before `from` need not be counted.
        let first = if self.count.is_some() { 0 } else { self.periods_before(start.date(), from.date()) };
        for period in first..first.saturating_add(MAX_PERIODS) {
            let Some((day, days)) = self.period(start.date(), period).filter(|(day, _)| *day <= last.date())
            else {
                break;
            };
            for time in self.times_within(start, day, days) {
                if time > last {
                    return found;
                }
                let is_next = if has_start { time > start } else { time >= start };
                if is_next && add(time, &mut found) {
                    return found;
                }
            }
        }
        found
    }

    /// The number of whole periods between two days, or fewer.
    fn periods_before(&self, start: NaiveDate, day: NaiveDate) -> usize {
        let days = usize::try_from((day - start).num_days()).unwrap_or_default();
        let length = match self.frequency {
            Frequency::Yearly => 366,
            Frequency::Monthly => 31,
            Frequency::Weekly => 7,
            Frequency::Daily | Frequency::Hourly | Frequency::Minutely => 1,
        };
        (days / length / usize::try_from(self.step()).unwrap_or(usize::MAX)).saturating_sub(1)
    }

    /// How many days, weeks, months or years one period is after the other. A rule that repeats within a day has each day
    /// as a period, and its interval decides between the times of the day.
    fn step(&self) -> u32 {
        if self.frequency.minutes().is_some() { 1 } else { self.interval }
    }

    /// The first day and the number of days of the n-th period, from 0.
    fn period(&self, start: NaiveDate, n: usize) -> Option<(NaiveDate, u64)> {
        let steps = u32::try_from(n).ok()?.checked_mul(self.step())?;
        Some(match self.frequency {
            Frequency::Yearly => {
                let year = start.year().checked_add(i32::try_from(steps).ok()?)?;
                let first = NaiveDate::from_ymd_opt(year, 1, 1)?;
                (first, if first.leap_year() { 366 } else { 365 })
            }
            Frequency::Monthly => {
                let first = start.with_day(1)?.checked_add_months(Months::new(steps))?;
                (first, u64::from(first.num_days_in_month()))
            }
            Frequency::Weekly => {
                let back = start.weekday().days_since(self.week_start);
                let first = start.checked_sub_days(Days::new(u64::from(back)))?;
                (first.checked_add_days(Days::new(u64::from(steps) * 7))?, 7)
            }
            Frequency::Daily | Frequency::Hourly | Frequency::Minutely => {
                (start.checked_add_days(Days::new(u64::from(steps)))?, 1)
            }
        })
    }

    /// The times within a period, in order.
    fn times_within(&self, start: NaiveDateTime, first: NaiveDate, days: u64) -> Vec<NaiveDateTime> {
        let all = (0..days).filter_map(|n| first.checked_add_days(Days::new(n)));
        let clocks = self.clocks(start.time());
        let times = all
            .filter(|day| self.has_day(*day, start.date()))
            .flat_map(|day| clocks.iter().map(move |clock| day.and_time(*clock)));
        let times: Vec<NaiveDateTime> = times.filter(|time| self.is_in_step(start, *time)).collect();
        if self.positions.is_empty() {
            return times;
        }
        let count = times.len();
        let is_chosen = |index: usize| self.positions.iter().any(|place| is_place(*place, index + 1, count));
        times.into_iter().enumerate().filter(|(index, _)| is_chosen(*index)).map(|(_, time)| time).collect()
    }

    /// Whether a time is a whole number of intervals after the start. Only a rule that repeats within a day needs it.
    fn is_in_step(&self, start: NaiveDateTime, time: NaiveDateTime) -> bool {
        use chrono::Timelike;
        let Some(minutes) = self.frequency.minutes() else { return true };
        let whole = |time: NaiveDateTime| {
            let minute = i64::from(time.hour() * 60 + time.minute()) / minutes;
            (time.date() - start.date()).num_days() * (24 * 60 / minutes) + minute
        };
        (whole(time) - whole(start)).rem_euclid(i64::from(self.interval)) == 0
    }

    /// Whether the rule has a day. What the rule does not say comes from the DTSTART.
    fn has_day(&self, day: NaiveDate, start: NaiveDate) -> bool {
        let month = i32::try_from(day.month()).unwrap_or_default();
        if !self.months.is_empty() && !self.months.contains(&month) {
            return false;
        }
        let says_day = !(self.weeks.is_empty()
            && self.year_days.is_empty()
            && self.month_days.is_empty()
            && self.weekdays.is_empty());
        if !says_day {
            return match self.frequency {
                Frequency::Yearly => {
                    day.day() == start.day() && (!self.months.is_empty() || day.month() == start.month())
                }
                Frequency::Monthly => day.day() == start.day(),
                Frequency::Weekly => day.weekday() == start.weekday(),
                Frequency::Daily | Frequency::Hourly | Frequency::Minutely => true,
            };
        }
        let year_length = if day.leap_year() { 366 } else { 365 };
        let month_length = usize::from(day.num_days_in_month());
        let (of_year, of_month) = (usize_of(day.ordinal()), usize_of(day.day()));
        let in_list = |list: &[i32], place, length| {
            list.is_empty() || list.iter().any(|wanted| is_place(*wanted, place, length))
        };
        in_list(&self.year_days, of_year, year_length)
            && in_list(&self.month_days, of_month, month_length)
            && (self.weeks.is_empty() || self.has_week(day))
            && match (self.weekdays.is_empty(), self.weeks.is_empty()) {
                (false, _) => self.has_weekday(day, (of_year, year_length), (of_month, month_length)),
                // BYWEEKNO alone means the weekday of the DTSTART.
                (true, false) => day.weekday() == start.weekday(),
                (true, true) => true,
            }
    }

    fn has_weekday(&self, day: NaiveDate, of_year: (usize, usize), of_month: (usize, usize)) -> bool {
        let within_month = self.frequency == Frequency::Monthly || !self.months.is_empty();
        let (place, length) = if within_month { of_month } else { of_year };
        let forward = place.div_ceil(7);
        let count = forward + (length - place.min(length)) / 7;
        self.weekdays
            .iter()
            .any(|(nth, weekday)| *weekday == day.weekday() && (*nth == 0 || is_place(*nth, forward, count)))
    }

    /// Whether a day is in one of the weeks. Week 1 is the first with four days in the year.
    fn has_week(&self, day: NaiveDate) -> bool {
        let first_week = |year: i32| {
            let fourth = NaiveDate::from_ymd_opt(year, 1, 4)?;
            let back = fourth.weekday().days_since(self.week_start);
            fourth.checked_sub_days(Days::new(u64::from(back)))
        };
        let week = || {
            let year = [day.year() + 1, day.year(), day.year() - 1]
                .into_iter()
                .find(|year| first_week(*year).is_some_and(|first| first <= day))?;
            let (first, next) = (first_week(year)?, first_week(year + 1)?);
            let weeks = |days: chrono::TimeDelta| usize::try_from(days.num_days() / 7).ok();
            Some((weeks(day - first)? + 1, weeks(next - first)?))
        };
        week().is_some_and(|(week, count)| self.weeks.iter().any(|wanted| is_place(*wanted, week, count)))
    }

    /// The times of a day.
    fn clocks(&self, start: NaiveTime) -> Vec<NaiveTime> {
        use chrono::Timelike;
        let or_start = |list: &[i32], own: u32| -> Vec<u32> {
            let stated: Vec<u32> = list.iter().filter_map(|number| u32::try_from(*number).ok()).collect();
            if stated.is_empty() { vec![own] } else { stated }
        };
        // A rule that repeats within a day has every hour, and each minute too, unless it names some.
        let every = |list: &[i32], own: u32, all: u32, is_every: bool| match is_every && list.is_empty() {
            true => (0..all).collect(),
            false => or_start(list, own),
        };
        let is_every_hour = self.frequency.minutes().is_some();
        let is_every_minute = self.frequency == Frequency::Minutely;
        let mut clocks = Vec::new();
        for hour in every(&self.hours, start.hour(), 24, is_every_hour) {
            for minute in every(&self.minutes, start.minute(), 60, is_every_minute) {
                for second in or_start(&self.seconds, start.second()) {
                    clocks.extend(NaiveTime::from_hms_opt(hour, minute, second));
                }
            }
        }
        clocks.sort_unstable();
        clocks
    }
}

impl Until {
    fn parse(raw: &str) -> Option<Self> {
        if let Ok(day) = NaiveDate::parse_from_str(raw, "%Y%m%d") {
            return day.and_hms_opt(23, 59, 59).map(Self::Civil);
        }
        let (civil, is_utc) = raw.strip_suffix('Z').map_or((raw, false), |civil| (civil, true));
        let civil = NaiveDateTime::parse_from_str(civil, "%Y%m%dT%H%M%S").ok()?;
        Some(if is_utc { Self::Utc(civil.and_utc()) } else { Self::Civil(civil) })
    }
}

fn usize_of(number: u32) -> usize {
    usize::try_from(number).unwrap_or_default()
}

/// Whether a wanted place, counted from the end if it is negative, is this place of `count`.
fn is_place(wanted: i32, place: usize, count: usize) -> bool {
    let size = usize::try_from(wanted.unsigned_abs()).unwrap_or_default();
    if wanted > 0 { place == size } else { place + size == count + 1 }
}

/// A list of numbers, each within a range; negative ones count from the end.
fn numbers(raw: &str, range: std::ops::RangeInclusive<i32>, from_end: bool) -> Option<Vec<i32>> {
    let number = |part: &str| {
        let number: i32 = part.trim().parse().ok()?;
        let is_valid = range.contains(&number) || (from_end && range.contains(&number.checked_neg()?));
        is_valid.then_some(number)
    };
    raw.split(',').map(number).collect()
}

/// `SU`, `2SU` or `-1SU`.
fn placed_weekday(raw: &str) -> Option<(i32, Weekday)> {
    let raw = raw.trim();
    let (place, day) = raw.split_at_checked(raw.len().checked_sub(2)?)?;
    let place = if place.is_empty() { 0 } else { place.parse().ok().filter(|place| *place != 0)? };
    Some((place, weekday(day)?))
}

#[cfg(test)]
mod tests;
