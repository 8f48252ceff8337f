//! VTIMEZONE, executed: the offset that its rules give at each time of the feed, against the IANA database.

use super::calendar::Calendar;
use super::finding::{Client, Findings};
use crate::ics::{self, Component, Moment};
use crate::program::{Civil, Zone};
use chrono::{DateTime, Datelike, Days, NaiveDate, NaiveDateTime, TimeDelta, Utc, Weekday};

pub(super) fn examine(calendar: &Calendar<'_>, findings: &mut Findings) {
    let every = Client::Every;
    for (index, (tzid, zone)) in calendar.zones.iter().enumerate() {
        if calendar.zones.iter().take(index).any(|(other, _)| other == tzid) {
            let message = format!("the zone {tzid:?} is defined twice");
            findings.warn(every, "zone-twice", zone.line, message, "write one VTIMEZONE for each TZID");
        }
        for part in &zone.components {
            for name in ["DTSTART", "TZOFFSETFROM", "TZOFFSETTO"] {
                let line = part.property(name);
                let sound = match name {
                    "DTSTART" => line.and_then(ics::date_time).is_some(),
                    _ => line.and_then(|line| ics::offset(&line.value)).is_some(),
                };
                if !sound {
                    let at = line.map_or(part.line, |line| line.number);
                    let message = format!("{name} is missing or has not its form in this part of the zone");
                    let remedy = "write DTSTART as civil time, and both offsets as in -0800";
                    findings.error(every, "zone-part", at, message, remedy);
                }
            }
        }
    }
    let mut wrong: Vec<&str> = Vec::new();
    for (line, tzid) in calendar.zoned() {
        let (Some(zone), Ok(known)) = (calendar.zone(tzid), Zone::parse(tzid)) else { continue };
        let Some(Moment::Zoned(civil, _)) = ics::date_time(line) else { continue };
        match known.instant(civil) {
            Civil::Once(at) => {
                let told = Rules::of(zone).offset(civil);
                if told.is_some_and(|told| told != known.offset(at)) && !wrong.contains(&tzid) {
                    wrong.push(tzid);
                    let message = format!(
                        "by the feed's VTIMEZONE, {tzid} is {} at {civil}, and it is {}",
                        hours(told.unwrap_or_default()),
                        hours(known.offset(at)),
                    );
                    let remedy = "correct the rules of the VTIMEZONE; Outlook goes by them";
                    findings.error(every, "zone-offset", line.number, message, remedy);
                }
            }
            Civil::Twice(..) => {
                let message = format!("{civil} comes twice in {tzid}, and clients differ on which is meant");
                findings.warn(every, "time-twice", line.number, message, "write it in UTC");
            }
            Civil::Skipped(..) => {
                let message = format!("{civil} does not exist in {tzid}: the clock skips it");
                findings.error(every, "time-skipped", line.number, message, "write a time that exists");
            }
        }
    }
}

fn hours(seconds: i32) -> String {
    let sign = if seconds < 0 { '-' } else { '+' };
    format!("{sign}{:02}{:02}", seconds.abs() / 3600, seconds.abs() / 60 % 60)
}

/// The parts of a VTIMEZONE that can be executed.
pub(super) struct Rules {
    parts: Vec<Part>,
    /// Whether some rule has a form that is not known here.
    strange: bool,
}

struct Part {
    onset: NaiveDateTime,
    from: i32,
    to: i32,
    yearly: Option<Yearly>,
    dated: Vec<NaiveDateTime>,
}

struct Yearly {
    month: u32,
    weekday: Weekday,
    nth: i8,
    until: Option<DateTime<Utc>>,
}

impl Rules {
    pub(super) fn of(zone: &Component) -> Self {
        let mut rules = Self { parts: Vec::new(), strange: false };
        for part in &zone.components {
            let onset = part.property("DTSTART").and_then(ics::date_time).map(|moment| moment.civil());
            let offset = |name| part.property(name).and_then(|line| ics::offset(&line.value));
            let (Some(onset), Some(from), Some(to)) = (onset, offset("TZOFFSETFROM"), offset("TZOFFSETTO"))
            else {
                rules.strange = true;
                continue;
            };
            let yearly = match part.property("RRULE").map(|line| Yearly::parse(&line.value)) {
                Some(None) => {
                    rules.strange = true;
                    None
                }
                rule => rule.flatten(),
            };
            let dates = part.properties("RDATE").flat_map(|line| ics::list(&line.value));
            let dated =
                dates.filter_map(|raw| NaiveDateTime::parse_from_str(raw, "%Y%m%dT%H%M%S").ok()).collect();
            rules.parts.push(Part { onset, from, to, yearly, dated });
        }
        rules
    }

    /// The offset at a civil time; none where a rule cannot be executed or there is none.
    pub(super) fn offset(&self, civil: NaiveDateTime) -> Option<i32> {
        if self.strange {
            return None;
        }
        let last = self.parts.iter().filter_map(|part| Some((part.last_before(civil)?, part.to)));
        let first = || self.parts.iter().min_by_key(|part| part.onset).map(|part| part.from);
        last.max_by_key(|(onset, _)| *onset).map(|(_, to)| to).or_else(first)
    }
}

impl Part {
    /// The last onset at or before a civil time.
    fn last_before(&self, civil: NaiveDateTime) -> Option<NaiveDateTime> {
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
            // A rule that has ended still gave its last onset.
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
    /// `FREQ=YEARLY;BYMONTH=3;BYDAY=2SU[;UNTIL=…]`
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
