//! Parses dates as people and spreadsheets write them.
//!
//! ISO 8601 and other forms with the year first, and forms with the month's name, have one reading. `3/4/2025` has two
//! readings, with any separator. It is accepted only if exactly one reading lies within the conference's dates. If the
//! config gives no dates, both readings must be the same day.

use super::calendar_words::{is_filler, month, weekday, without_ordinal};
use super::fault::{Defect, shorten};
use chrono::{Datelike, NaiveDate};

/// The first and last day of the conference.
pub(super) type Dates = Option<(NaiveDate, NaiveDate)>;

/// The years that are accepted. A mistyped year would add decades of time-zone rules to every feed.
pub const YEARS: std::ops::RangeInclusive<i32> = 1970..=2100;

/// Parses a date from one trimmed line.
pub(super) fn parse(raw: &str, dates: Dates) -> Result<NaiveDate, Defect> {
    let (text, stated_weekday) = without_weekday(without_midnight(raw));
    let japanese =
        text.split(['(', '（']).next().unwrap_or(text).replace(['年', '月'], "-").replace('日', "");
    let text = if text.contains('年') { japanese.trim() } else { text };
    let date = match text.split(['-', '/', '.']).map(str::trim).collect::<Vec<_>>().as_slice() {
        [a, b, c] if [a, b, c].iter().all(|part| is_number(part, 4)) => numeric(raw, (a, b, c), dates),
        [digits] if is_number(digits, 8) => Err(unseparated(digits, dates)),
        _ => worded(text, dates),
    }?;
    if stated_weekday.is_some_and(|weekday| weekday != place_in_week(date)) {
        return Err(other_weekday(date));
    }
    if YEARS.contains(&date.year()) {
        return Ok(date);
    }
    let message = format!("the year {} is not between {} and {}", date.year(), YEARS.start(), YEARS.end());
    Err(Defect::new("date", message, format!("write the year in full, such as {}", example(dates))))
}

fn is_number(text: &str, most: usize) -> bool {
    (1..=most).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn number(text: &str) -> u32 {
    text.parse().unwrap_or(u32::MAX)
}

/// Removes the midnight that spreadsheets add to a date: `2025-03-25 00:00:00`.
fn without_midnight(raw: &str) -> &str {
    let Some((date, time)) = raw.split_once(['T', 't', ' ']) else { return raw };
    let time = time.trim_end_matches(['Z', 'z']);
    let is_midnight = time.contains(':') && time.chars().all(|c| matches!(c, '0' | ':' | '.'));
    if is_midnight { date } else { raw }
}

fn numeric(raw: &str, (a, b, c): (&str, &str, &str), dates: Dates) -> Result<NaiveDate, Defect> {
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
        (within, false) => Err(ambiguous(&readings, !within.is_empty(), dates)),
    }
}

/// The defect of a date of which no reading, or more than one, lies within the conference's dates.
fn ambiguous(readings: &[(NaiveDate, &str)], is_any_within: bool, dates: Dates) -> Defect {
    let read: Vec<String> = readings.iter().map(|(date, how)| format!("{date} ({how})")).collect();
    let either: Vec<String> = readings.iter().map(|(date, _)| date.to_string()).collect();
    let why = match (dates, is_any_within, read.len()) {
        (None, ..) => "and the config does not give the conference's dates".to_owned(),
        (Some((first, last)), false, 1) => {
            format!("which is not within the conference's dates, {first} to {last}")
        }
        (Some((first, last)), false, _) => {
            format!("none of them within the conference's dates, {first} to {last}")
        }
        (Some((first, last)), true, _) => {
            format!("more than one of them within the conference's dates, {first} to {last}")
        }
    };
    let message = format!("the date can be read as {}, {why}", read.join(" or "));
    Defect::new("date-ambiguous", message, format!("write {}", either.join(" or ")))
}

/// Splits a weekday off the start: `Fri 1/5/2026`, `Freitag, 1.5.2026`, `Monday, 4 May 2026`.
pub(super) fn without_weekday(raw: &str) -> (&str, Option<usize>) {
    let split = || {
        let end = raw.find(|c: char| !c.is_alphabetic())?;
        let (word, rest) = raw.split_at_checked(end)?;
        let rest = rest.strip_prefix("-feira").unwrap_or(rest);
        let rest = rest.trim_start_matches(|c: char| c.is_whitespace() || matches!(c, ',' | '.'));
        // `Mar 5 2026` starts with a month in most languages, and `mar 5 mai 2026` with a weekday.
        let is_date = rest.starts_with(|c: char| c.is_ascii_digit())
            || rest.split(' ').next().and_then(month).is_some();
        let has_month = rest.split([' ', '.', '-', '/']).any(|word| month(word).is_some());
        let is_month = month(word).is_some() && !has_month;
        weekday(word).filter(|_| is_date && !is_month).map(|weekday| (rest, weekday))
    };
    split().map_or((raw, None), |(rest, weekday)| (rest, Some(weekday)))
}

fn place_in_week(date: NaiveDate) -> usize {
    date.weekday().num_days_from_monday() as usize
}

fn worded(text: &str, dates: Dates) -> Result<NaiveDate, Defect> {
    let lower = text.to_lowercase();
    let (mut named, mut numbers) = (None, Vec::new());
    let words = lower.split(|c: char| c.is_whitespace() || matches!(c, ',' | '.' | '-' | '/'));
    for word in words.filter(|word| !word.is_empty() && !is_filler(word)) {
        let bare = without_ordinal(word);
        if is_number(bare, 4) {
            numbers.push(bare);
        } else if let (Some(found), None) = (month(word), named) {
            named = Some(found);
        } else {
            return Err(unreadable(text, dates));
        }
    }
    let month = named.and_then(|month| u32::try_from(month + 1).ok());
    let (day, year) = match (month, numbers.as_slice()) {
        (Some(_), [year, day]) if year.len() == 4 => (number(day), number(year)),
        (Some(_), [day, year]) if year.len() == 4 => (number(day), number(year)),
        (Some(_), [day, year]) if year.len() == 2 => (number(day), 2000 + number(year)),
        (Some(month), [day]) => return Err(without_year(text, month, number(day), dates)),
        _ => return Err(unreadable(text, dates)),
    };
    let date =
        i32::try_from(year).ok().and_then(|year| NaiveDate::from_ymd_opt(year, month.unwrap_or(0), day));
    date.ok_or_else(|| no_such_day(text, dates))
}

fn other_weekday(date: NaiveDate) -> Defect {
    let message = format!("{date} is a {}", date.format("%A"));
    Defect::new("date", message, format!("write {date}, or the date of the day that you mean"))
}

fn without_year(text: &str, month: u32, day: u32, dates: Dates) -> Defect {
    let year = dates.map_or(2025, |(first, _)| first.year());
    match NaiveDate::from_ymd_opt(year, month, day) {
        Some(date) if dates.is_some() => Defect::new("date", "the year is missing", format!("write {date}")),
        Some(_) => Defect::new(
            "date",
            "the year is missing",
            format!("write it in full, such as {}", example(dates)),
        ),
        None => no_such_day(text, dates),
    }
}

fn unseparated(digits: &str, dates: Dates) -> Defect {
    let iso = (digits.len() == 8).then(|| NaiveDate::parse_from_str(digits, "%Y%m%d").ok()).flatten();
    // Serial day 1 is 1899-12-31, and 1900 counts as a leap year. So from March 1900 on, days count from 1899-12-30.
    let serial = (digits.len() == 5)
        .then(|| {
            NaiveDate::from_ymd_opt(1899, 12, 30)?.checked_add_days(chrono::Days::new(number(digits).into()))
        })
        .flatten();
    match (iso, serial) {
        (Some(date), _) => Defect::new("date", "the hyphens are missing", format!("write {date}")),
        (_, Some(date)) => Defect::new(
            "date-serial",
            "the cell contains a spreadsheet's day number, not a date",
            format!("write {date}, or format the column as a date before you export it"),
        ),
        _ => unreadable(digits, dates),
    }
}

fn no_such_day(raw: &str, dates: Dates) -> Defect {
    Defect::new(
        "date",
        format!("{raw:?} is not a day of the calendar"),
        format!("write a date that exists, such as {}", example(dates)),
    )
}

fn unreadable(raw: &str, dates: Dates) -> Defect {
    let message = format!("{:?} is not a date", shorten(raw));
    Defect::new("date", message, format!("write year, month and day, such as {}", example(dates)))
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
    fn a_single_reading_within_the_conference_is_accepted() {
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
            "Tue 3/25/2025",
            "Dienstag, 25.03.2025",
            "Di. 25. März 2025",
            "mardi 25 mars 2025",
            "mar 25 mars 2025",
            "martes, 25 de marzo de 2025",
            "terça-feira, 25 de março de 2025",
            "25 mrt 2025",
            "Mar 25, 2025",
            "2025年3月25日（火）",
        ] {
            assert_eq!(parse(raw, march()), Ok(day("2025-03-25")), "{raw}");
        }
    }

    #[test]
    fn two_readings_within_the_conference_are_refused_with_both() {
        let defect = parse("3/4/2025", Some((day("2025-03-01"), day("2025-04-30")))).unwrap_err();
        assert_eq!(
            (defect.rule, defect.remedy.as_str()),
            ("date-ambiguous", "write 2025-03-04 or 2025-04-03")
        );
        let defect = parse("3/4/2025", None).unwrap_err();
        assert!(defect.message.contains("month first") && defect.message.contains("day first"));
        assert_eq!(parse("3/3/2025", None), Ok(day("2025-03-03")));
        assert_eq!(parse("25/03/2025", None), Ok(day("2025-03-25")));
    }

    #[test]
    fn an_unreadable_date_gets_a_date_to_write() {
        for (raw, remedy) in [
            ("45741", "2025-03-25"),
            ("20250325", "2025-03-25"),
            ("25 March", "2025-03-25"),
            ("2025-02-30", "exists"),
            ("30.2.2025", "exists"),
            ("Monday, 25 March 2025", "2025-03-25"),
            ("Mo 25.03.2025", "2025-03-25"),
            ("tomorrow", "2025-03-24"),
            ("2025-03", "2025-03-24"),
            ("0025-03-25", "in full"),
            ("2025-03-25 09:00", "2025-03-24"),
            ("", "2025-03-24"),
        ] {
            let defect = parse(raw, march()).unwrap_err();
            assert!(defect.remedy.contains(remedy), "{raw}: {}", defect.remedy);
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
