//! Dates as people and spreadsheets write them.
//!
//! ISO 8601 and other forms with the year first, and forms with the month's name, have one reading. Of
//! `3/4/2025` there are two, whatever the separator: it is accepted only where exactly one of them lies
//! within the conference's dates, or, where no config gives any, if there is only one.

use super::fault::Flaw;
use chrono::{Datelike, NaiveDate};

/// First and last day of the conference.
pub(super) type Dates = Option<(NaiveDate, NaiveDate)>;

/// Years that a conference can be in; one typed wrongly would stretch the time-zone rules of every feed.
pub const YEARS: std::ops::RangeInclusive<i32> = 1970..=2100;

const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];
const WEEKDAYS: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

/// Parses a date; `raw` is one trimmed line.
pub(super) fn parse(raw: &str, dates: Dates) -> Result<NaiveDate, Flaw> {
    let text = without_midnight(raw);
    let date = match text.split(['-', '/', '.']).map(str::trim).collect::<Vec<_>>().as_slice() {
        [a, b, c] if [a, b, c].iter().all(|part| is_number(part, 4)) => numeric(raw, (a, b, c), dates),
        [digits] if is_number(digits, 8) => Err(unseparated(digits, dates)),
        _ => worded(text, dates),
    }?;
    if YEARS.contains(&date.year()) {
        return Ok(date);
    }
    let message = format!("the year {} is out of the question", date.year());
    Err(Flaw::new("date", message, format!("write the year in full, as in {}", example(dates))))
}

fn is_number(text: &str, most: usize) -> bool {
    (1..=most).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn number(text: &str) -> u32 {
    text.parse().unwrap_or(u32::MAX)
}

/// Spreadsheets export a date cell as `2025-03-25 00:00:00` when it is formatted as a time too.
fn without_midnight(raw: &str) -> &str {
    let Some((date, time)) = raw.split_once(['T', 't', ' ']) else { return raw };
    let time = time.trim_end_matches(['Z', 'z']);
    let is_midnight = time.contains(':') && time.chars().all(|c| matches!(c, '0' | ':' | '.'));
    if is_midnight { date } else { raw }
}

fn numeric(raw: &str, (a, b, c): (&str, &str, &str), dates: Dates) -> Result<NaiveDate, Flaw> {
    let day = |year: u32, month: &str, day: &str| {
        NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, number(month), number(day))
    };
    let mut readings: Vec<(NaiveDate, &str)> = Vec::new();
    let mut add = |date: Option<NaiveDate>, how| {
        if let Some(date) = date.filter(|date| readings.iter().all(|(known, _)| known != date)) {
            readings.push((date, how));
        }
    };
    match (a.len(), c.len()) {
        (4, 1..=2) => {
            return day(number(a), b, c).ok_or_else(|| no_such_day(raw, dates));
        }
        (1..=2, 4) => {
            add(day(number(c), a, b), "month first");
            add(day(number(c), b, a), "day first");
        }
        (1..=2, 2) => {
            add(day(2000 + number(c), a, b), "month first");
            add(day(2000 + number(c), b, a), "day first");
            if a.len() == 2 {
                add(day(2000 + number(a), b, c), "year first");
            }
        }
        _ => return Err(unreadable(raw, dates)),
    }
    let within: Vec<NaiveDate> = readings
        .iter()
        .map(|(date, _)| *date)
        .filter(|date| dates.is_none_or(|(first, last)| (first..=last).contains(date)))
        .collect();
    match (within.as_slice(), readings.is_empty()) {
        ([date], _) => Ok(*date),
        (_, true) => Err(no_such_day(raw, dates)),
        (within, false) => {
            let read: Vec<String> = readings.iter().map(|(date, how)| format!("{date} ({how})")).collect();
            let either: Vec<String> = readings.iter().map(|(date, _)| date.to_string()).collect();
            let why = match (dates, within.is_empty(), read.len()) {
                (None, ..) => "and no config gives the conference's dates".to_owned(),
                (Some((first, last)), true, 1) => {
                    format!("which is not within the conference's {first} to {last}")
                }
                (Some((first, last)), true, _) => {
                    format!("none of them within the conference's {first} to {last}")
                }
                (Some((first, last)), false, _) => {
                    format!("more than one of them within the conference's {first} to {last}")
                }
            };
            let message = format!("this date reads as {}, {why}", read.join(" or "));
            Err(Flaw::new("date-ambiguous", message, format!("write {}", either.join(" or "))))
        }
    }
}

fn worded(text: &str, dates: Dates) -> Result<NaiveDate, Flaw> {
    let lower = text.to_lowercase();
    let (mut month, mut weekday, mut numbers) = (None, None, Vec::new());
    let words = lower.split(|c: char| c.is_whitespace() || matches!(c, ',' | '.' | '-' | '/'));
    for word in words.filter(|word| !word.is_empty() && *word != "of") {
        let find = |names: &[&str]| {
            // "Tues", "Sept" and "Mar" alike; three letters tell all names apart.
            names.iter().position(|name| word.len() >= 3 && name.starts_with(word))
        };
        let bare = ["st", "nd", "rd", "th"].iter().find_map(|end| word.strip_suffix(end)).unwrap_or(word);
        if is_number(bare, 4) {
            numbers.push(bare);
        } else if let (Some(found), None) = (find(&MONTHS), month) {
            month = Some(found);
        } else if let (Some(found), None) = (find(&WEEKDAYS), weekday) {
            weekday = Some(found);
        } else {
            return Err(unreadable(text, dates));
        }
    }
    let month = month.and_then(|month| u32::try_from(month + 1).ok());
    let (day, year) = match (month, numbers.as_slice()) {
        (Some(_), [year, day]) if year.len() == 4 => (number(day), number(year)),
        (Some(_), [day, year]) if year.len() == 4 => (number(day), number(year)),
        (Some(_), [day, year]) if year.len() == 2 => (number(day), 2000 + number(year)),
        (Some(month), [day]) => return Err(without_year(text, month, number(day), dates)),
        _ => return Err(unreadable(text, dates)),
    };
    let date =
        i32::try_from(year).ok().and_then(|year| NaiveDate::from_ymd_opt(year, month.unwrap_or(0), day));
    let date = date.ok_or_else(|| no_such_day(text, dates))?;
    match weekday.filter(|weekday| date.weekday().num_days_from_monday() as usize != *weekday) {
        None => Ok(date),
        Some(_) => {
            let message = format!("{date} is a {}", date.format("%A"));
            Err(Flaw::new("date", message, format!("write {date}, or the date of the day that is meant")))
        }
    }
}

fn without_year(text: &str, month: u32, day: u32, dates: Dates) -> Flaw {
    let year = dates.map_or(2025, |(first, _)| first.year());
    match NaiveDate::from_ymd_opt(year, month, day) {
        Some(date) if dates.is_some() => Flaw::new("date", "this date has no year", format!("write {date}")),
        Some(_) => {
            Flaw::new("date", "this date has no year", format!("write it in full, as in {}", example(dates)))
        }
        None => no_such_day(text, dates),
    }
}

fn unseparated(digits: &str, dates: Dates) -> Flaw {
    let iso = (digits.len() == 8).then(|| NaiveDate::parse_from_str(digits, "%Y%m%d").ok()).flatten();
    // Day 1 of a spreadsheet is 1899-12-31, and its 1900 is a leap year: from March 1900 on, day 0 is the 30th.
    let serial = (digits.len() == 5)
        .then(|| {
            NaiveDate::from_ymd_opt(1899, 12, 30)?.checked_add_days(chrono::Days::new(number(digits).into()))
        })
        .flatten();
    match (iso, serial) {
        (Some(date), _) => Flaw::new("date", "this date has no hyphens", format!("write {date}")),
        (_, Some(date)) => Flaw::new(
            "date-serial",
            "this is a spreadsheet's count of days, not a date",
            format!("write {date}, or format the column as a date before you export it"),
        ),
        _ => unreadable(digits, dates),
    }
}

fn no_such_day(raw: &str, dates: Dates) -> Flaw {
    Flaw::new(
        "date",
        format!("there is no day {raw:?}"),
        format!("write a date that exists, as in {}", example(dates)),
    )
}

fn unreadable(raw: &str, dates: Dates) -> Flaw {
    let message = format!("{:?} is not a date", super::fault::shorten(raw));
    Flaw::new("date", message, format!("write year, month and day, as in {}", example(dates)))
}

fn example(dates: Dates) -> String {
    dates.map_or_else(|| "2025-03-25".to_owned(), |(first, _)| first.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn march() -> Dates {
        Some((day("2025-03-24"), day("2025-03-27")))
    }

    #[test]
    fn one_reading_within_the_conference_is_taken() {
        for raw in [
            "2025-03-25",
            "2025/3/25",
            "3/25/2025",
            "25.3.2025",
            "25/03/2025",
            "3/25/25",
            "25-Mar-25",
            "25 March 2025",
            "Tuesday, March 25th, 2025",
            "2025-03-25 00:00:00",
            "2025-03-25T00:00:00.000Z",
        ] {
            assert_eq!(parse(raw, march()), Ok(day("2025-03-25")), "{raw}");
        }
    }

    #[test]
    fn two_readings_within_the_conference_are_refused_with_both() {
        let flaw = parse("3/4/2025", Some((day("2025-03-01"), day("2025-04-30")))).unwrap_err();
        assert_eq!((flaw.rule, flaw.remedy.as_str()), ("date-ambiguous", "write 2025-03-04 or 2025-04-03"));
        let flaw = parse("3/4/2025", None).unwrap_err();
        assert!(flaw.message.contains("month first") && flaw.message.contains("day first"));
        assert_eq!(parse("3/3/2025", None), Ok(day("2025-03-03")));
        assert_eq!(parse("25/03/2025", None), Ok(day("2025-03-25")));
    }

    #[test]
    fn what_is_no_date_says_what_to_write() {
        for (raw, remedy) in [
            ("45741", "2025-03-25"),
            ("20250325", "2025-03-25"),
            ("25 March", "2025-03-25"),
            ("2025-02-30", "exists"),
            ("30.2.2025", "exists"),
            ("Monday, 25 March 2025", "2025-03-25"),
            ("tomorrow", "2025-03-24"),
            ("2025-03", "2025-03-24"),
            ("0025-03-25", "in full"),
            ("2025-03-25 09:00", "2025-03-24"),
            ("", "2025-03-24"),
        ] {
            let flaw = parse(raw, march()).unwrap_err();
            assert!(flaw.remedy.contains(remedy), "{raw}: {}", flaw.remedy);
        }
    }

    proptest::proptest! {
        #[test]
        fn every_iso_date_is_itself(days in 0_i64..47_000) {
            let date = day("1970-01-01") + chrono::TimeDelta::days(days);
            proptest::prop_assert_eq!(parse(&date.to_string(), None), Ok(date));
        }

        #[test]
        fn no_text_panics(raw in ".{0,24}|[0-9./ -]{0,12}") {
            let _ = parse(&raw, march());
        }
    }
}
