//! Evaluates VTIMEZONE (RFC 5545, 3.6.5): yearly rules by weekday, and single dates. Other rules are not supported.

use super::Component;
use super::line::date_time;
use super::value::{list, offset};
use chrono::{DateTime, Datelike, Days, NaiveDate, NaiveDateTime, TimeDelta, Utc, Weekday};

/// The rules of a VTIMEZONE.
#[derive(Debug)]
pub struct ZoneRules {
    observances: Vec<Observance>,
    /// Whether a rule of the VTIMEZONE is not supported.
    has_unsupported: bool,
}

/// A STANDARD or DAYLIGHT component.
#[derive(Debug)]
struct Observance {
    onset: NaiveDateTime,
    from: i32,
    to: i32,
    yearly: Option<Yearly>,
    dated: Vec<NaiveDateTime>,
}

#[derive(Debug)]
struct Yearly {
    month: u32,
    weekday: Weekday,
    nth: i8,
    until: Option<DateTime<Utc>>,
}

impl ZoneRules {
    /// The rules of a VTIMEZONE.
    pub fn of(zone: &Component) -> Self {
        let mut rules = Self { observances: Vec::new(), has_unsupported: false };
        for component in &zone.components {
            let onset = component.property("DTSTART").and_then(date_time).map(|moment| moment.civil());
            let shift = |name| component.property(name).and_then(|line| offset(&line.value));
            let (Some(onset), Some(from), Some(to)) = (onset, shift("TZOFFSETFROM"), shift("TZOFFSETTO"))
            else {
                rules.has_unsupported = true;
                continue;
            };
            let yearly = match component.property("RRULE").map(|line| Yearly::parse(&line.value)) {
                Some(None) => {
                    rules.has_unsupported = true;
                    None
                }
                rule => rule.flatten(),
            };
            let dates = component.properties("RDATE").flat_map(|line| list(&line.value));
            let dated =
                dates.filter_map(|raw| NaiveDateTime::parse_from_str(raw, "%Y%m%dT%H%M%S").ok()).collect();
            rules.observances.push(Observance { onset, from, to, yearly, dated });
        }
        rules
    }

    /// Seconds east of UTC at a civil time; none if the VTIMEZONE has no rule or an unsupported rule.
    pub fn offset(&self, civil: NaiveDateTime) -> Option<i32> {
        if self.has_unsupported {
            return None;
        }
        let last = self.observances.iter().filter_map(|one| Some((one.last_onset(civil)?, one.to)));
        let first = || self.observances.iter().min_by_key(|one| one.onset).map(|one| one.from);
        last.max_by_key(|(onset, _)| *onset).map(|(_, to)| to).or_else(first)
    }
}

impl Observance {
    /// The last onset at or before a civil time.
    fn last_onset(&self, civil: NaiveDateTime) -> Option<NaiveDateTime> {
        let mut onsets = vec![self.onset];
        onsets.extend(&self.dated);
        if let Some(rule) = &self.yearly {
            for year in [civil.year() - 1, civil.year()] {
                let found = rule.day(year).map(|day| day.and_time(self.onset.time()));
                let within = |onset: &NaiveDateTime| {
                    let at = onset.and_utc() - TimeDelta::seconds(i64::from(self.from));
                    *onset >= self.onset && rule.until.is_none_or(|until| at <= until)
                };
                onsets.extend(found.filter(within));
            }
            // A rule that has ended may have its last onset before these years.
            if let Some(until) = rule.until {
                let found = rule.day(until.year()).map(|day| day.and_time(self.onset.time()));
                onsets.extend(
                    found.filter(|onset| onset.and_utc() - TimeDelta::seconds(i64::from(self.from)) <= until),
                );
            }
        }
        onsets.into_iter().filter(|onset| *onset <= civil).max()
    }
}

impl Yearly {
    /// Parses `FREQ=YEARLY;BYMONTH=3;BYDAY=2SU[;UNTIL=…]`.
    fn parse(raw: &str) -> Option<Self> {
        let (mut month, mut day, mut until, mut yearly) = (None, None, None, false);
        for part in raw.split(';') {
            match part.split_once('=')? {
                ("FREQ", "YEARLY") => yearly = true,
                ("BYMONTH", value) => {
                    month = value.parse::<u32>().ok().filter(|month| (1..=12).contains(month))
                }
                ("BYDAY", value) => day = Some(value),
                ("UNTIL", value) => {
                    let civil = value.trim_end_matches('Z');
                    until = Some(NaiveDateTime::parse_from_str(civil, "%Y%m%dT%H%M%S").ok()?.and_utc());
                }
                ("INTERVAL", "1") | ("WKST", _) => {}
                _ => return None,
            }
        }
        let day = day?;
        let (nth, weekday) = day.split_at_checked(day.len().checked_sub(2)?)?;
        let weekday = match weekday {
            "MO" => Weekday::Mon,
            "TU" => Weekday::Tue,
            "WE" => Weekday::Wed,
            "TH" => Weekday::Thu,
            "FR" => Weekday::Fri,
            "SA" => Weekday::Sat,
            "SU" => Weekday::Sun,
            _ => return None,
        };
        let nth: i8 = nth.parse().ok().filter(|nth| (-1..=5).contains(nth) && *nth != 0)?;
        yearly.then_some(Self { month: month?, weekday, nth, until })
    }

    fn day(&self, year: i32) -> Option<NaiveDate> {
        if self.nth > 0 {
            return NaiveDate::from_weekday_of_month_opt(
                year,
                self.month,
                self.weekday,
                self.nth.unsigned_abs(),
            );
        }
        let (next_year, next) = if self.month == 12 { (year + 1, 1) } else { (year, self.month + 1) };
        let last = NaiveDate::from_ymd_opt(next_year, next, 1)?.pred_opt()?;
        let back = (last.weekday().num_days_from_monday() + 7 - self.weekday.num_days_from_monday()) % 7;
        last.checked_sub_days(Days::new(u64::from(back)))
    }
}
