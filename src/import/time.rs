//! Parses times of day as people and spreadsheets write them.
//!
//! Accepted are `09:00`, `9:00`, `9:00 am`, `9:00:00 AM`, `9 am` and `9:00 p.m.`, each with an optional zone abbreviation
//! or offset (`01:30 PST`, `01:30 -08:00`). `24:00` to `35:59` are times of the next day (`25:30` is half past one), as
//! broadcasters and night programs write them. Other forms, such as `9.30`, `0.375` and
//! `9:00-9:45`, are refused with the time to write.

use super::fault::{Defect, shorten};

/// A time of day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TimeOfDay {
    /// Minutes since midnight. From 1440 on, the time is on the next day.
    pub(super) minutes: u32,
    /// The zone abbreviation or offset after the time, in capitals.
    pub(super) zone: Option<String>,
}

impl TimeOfDay {
    /// The most minutes of a time: noon of the next day.
    const LATEST: u32 = 36 * 60;
}

/// Prints minutes since midnight as `HH:MM`.
pub(super) fn clock(minutes: u32) -> String {
    format!("{:02}:{:02}", minutes / 60, minutes % 60)
}

/// Parses a time from one trimmed line.
pub(super) fn parse(raw: &str) -> Result<TimeOfDay, Defect> {
    let lower = raw.to_lowercase();
    let Some((lexed, rest)) = lex(&lower) else { return Err(not_a_time(raw, &lower)) };
    let minutes = lexed.minutes()?;
    let apart = rest.starts_with(char::is_whitespace);
    let rest = rest.trim();
    let follows = rest.trim_start_matches(|c: char| c.is_whitespace() || "-–—−‐‑,".contains(c));
    let follows =
        ["to ", "until ", "bis "].iter().find_map(|word| follows.strip_prefix(word)).unwrap_or(follows);
    // `09:00-09:45` is a range. `01:30 -08:00` has an offset: a space precedes it.
    let is_offset = apart && is_offset(rest);
    if let Some((second, _)) = lex(follows).filter(|_| !is_offset) {
        let second = second.minutes().map_or_else(|_| "…".to_owned(), clock);
        let remedy = format!("write {} into start and {second} into end", clock(minutes));
        return Err(Defect::new("time-range", "the cell has two times", remedy));
    }
    let zone = match rest {
        "" => None,
        zone if is_offset || is_abbreviation(zone) => Some(zone.to_uppercase()),
        _ => {
            let message = format!("{:?} after the time is not a zone", shorten(rest));
            return Err(Defect::new("time", message, format!("write {}", clock(minutes))));
        }
    };
    Ok(TimeOfDay { minutes, zone })
}

fn is_abbreviation(text: &str) -> bool {
    (1..=5).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphabetic())
}

fn is_offset(text: &str) -> bool {
    let Some(digits) = text.strip_prefix(['+', '-']) else { return false };
    let plain: String = digits.chars().filter(|c| *c != ':').collect();
    matches!(plain.len(), 2 | 4)
        && plain.bytes().all(|byte| byte.is_ascii_digit())
        && (digits.len() == plain.len() || digits.as_bytes().get(2) == Some(&b':'))
}

struct Lexed {
    hour: u32,
    minute: u32,
    second: u32,
    /// `pm` if true, `am` if false; none without either.
    half: Option<bool>,
}

impl Lexed {
    fn minutes(&self) -> Result<u32, Defect> {
        let Self { hour, minute, second, half } = *self;
        let hour = match half {
            Some(pm) if (1..=12).contains(&hour) => hour % 12 + if pm { 12 } else { 0 },
            Some(pm) if hour <= 24 && minute < 60 => {
                let message = format!("there is no {hour} {}", if pm { "pm" } else { "am" });
                return Err(Defect::new("time", message, format!("write {}", clock(hour * 60 + minute))));
            }
            _ => hour,
        };
        let minutes = hour * 60 + minute;
        if minute > 59 || second > 59 || minutes >= TimeOfDay::LATEST {
            let remedy = "write hours 00 to 23 and minutes 00 to 59, such as 09:30";
            return Err(Defect::new("time", "the time does not exist", remedy));
        }
        if second > 0 {
            let near = clock(minutes + u32::from(second >= 30));
            let message = "sessions start and end on a whole minute";
            return Err(Defect::new("time-seconds", message, format!("write {near}")));
        }
        Ok(minutes)
    }
}

/// Splits a time off the start of a lower-case text; none if the time has neither minutes nor am or pm.
fn lex(text: &str) -> Option<(Lexed, &str)> {
    let (hour, mut rest) = digits(text)?;
    let (mut minute, mut second, mut has_minutes) = (0, 0, false);
    if let Some((value, after)) = rest.strip_prefix(':').and_then(pair) {
        (minute, rest, has_minutes) = (value, after, true);
        if let Some((value, after)) = rest.strip_prefix(':').and_then(pair) {
            (second, rest) = (value, after);
            rest = rest.strip_prefix('.').map_or(rest, |fraction| fraction.trim_start_matches('0'));
        }
    }
    let spaced = rest.trim_start();
    let half = [("am", false), ("pm", true), ("a.m.", false), ("p.m.", true), ("a.m", false), ("p.m", true)]
        .into_iter()
        .find_map(|(word, pm)| {
            let after = spaced.strip_prefix(word)?;
            (!after.starts_with(char::is_alphabetic)).then_some((pm, after))
        });
    if let Some((_, after)) = half {
        rest = after;
    }
    (has_minutes || half.is_some())
        .then_some((Lexed { hour, minute, second, half: half.map(|(pm, _)| pm) }, rest))
}

/// One or two digits.
fn digits(text: &str) -> Option<(u32, &str)> {
    let length = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, rest) = text.split_at_checked(length)?;
    (1..=2).contains(&length).then(|| number.parse().ok().map(|number| (number, rest)))?
}

/// Exactly two digits. A third digit starts the next time, as in `9:009:45`.
fn pair(text: &str) -> Option<(u32, &str)> {
    let (number, rest) = text.split_at_checked(2)?;
    number
        .bytes()
        .all(|byte| byte.is_ascii_digit())
        .then(|| number.parse().ok().map(|number| (number, rest)))?
}

/// The defect of a text that is not a time, with the time that was probably meant.
fn not_a_time(raw: &str, lower: &str) -> Defect {
    let parts: Vec<&str> =
        lower.split(['.', 'h', ',', ' ', '-', '_']).filter(|part| !part.is_empty()).collect();
    let short = |part: &&str| part.len() <= 2 && part.bytes().all(|byte| byte.is_ascii_digit());
    let value = |part: &str| part.parse::<u32>().unwrap_or(u32::MAX);
    let meant = match parts.as_slice() {
        ["noon"] => Some(12 * 60),
        ["midnight"] => Some(0),
        ["0", fraction]
            if lower.starts_with("0.") && fraction.len() > 2
                || lower == "0.5"
                || lower == "0.25"
                || lower == "0.75" =>
        {
            lower.parse::<f64>().ok().map(|day| (day * 1440.0).round() as u32)
        }
        [hour, minute] if short(hour) && short(minute) && minute.len() == 2 => {
            (value(hour) < 24 && value(minute) < 60).then(|| value(hour) * 60 + value(minute))
        }
        [hour] if short(hour) => (value(hour) <= 24).then(|| value(hour) * 60),
        [four] if matches!(four.len(), 3 | 4) && four.bytes().all(|byte| byte.is_ascii_digit()) => {
            let (hour, minute) = (value(four) / 100, value(four) % 100);
            (hour < 24 && minute < 60).then_some(hour * 60 + minute)
        }
        _ => None,
    };
    let message = format!("{:?} is not a time", shorten(raw));
    let remedy = match meant {
        Some(minutes) => format!("write {}", clock(minutes)),
        None => "write hours and minutes, such as 09:30 or 9:30 am".to_owned(),
    };
    Defect::new("time", message, remedy)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn minutes(raw: &str) -> u32 {
        parse(raw).unwrap_or_else(|defect| panic!("{raw}: {defect:?}")).minutes
    }

    #[test]
    fn twelve_and_twenty_four_hour_times() {
        for raw in
            ["09:00", "9:00", "9:00 am", "9:00AM", "9:00:00 AM", "9 am", "9am", "9:00 a.m.", "09:00:00"]
        {
            assert_eq!(minutes(raw), 540, "{raw}");
        }
        for (raw, expected) in [
            ("12:00 am", 0),
            ("12:30 AM", 30),
            ("12:00 pm", 720),
            ("1:05 pm", 785),
            ("23:59", 1439),
            ("24:00", 1440),
            ("25:30", 1530),
        ] {
            assert_eq!(minutes(raw), expected, "{raw}");
        }
    }

    #[test]
    fn a_zone_may_follow_a_time() {
        for (raw, zone) in
            [("01:30 PST", "PST"), ("1:30 am pdt", "PDT"), ("01:30 -08:00", "-08:00"), ("01:30 -03", "-03")]
        {
            let time = parse(raw).unwrap();
            assert_eq!((time.minutes, time.zone.as_deref()), (90, Some(zone)));
        }
    }

    #[test]
    fn two_times_in_a_cell_are_refused_with_both() {
        for raw in [
            "9:00 am–9:45 am",
            "09:00-09:45",
            "9:00 am9:45 am",
            "9:00 – 9:45",
            "09:00 to 09:45",
            "9 am - 9:45 am",
        ] {
            let defect = parse(raw).unwrap_err();
            assert_eq!(defect.rule, "time-range", "{raw}");
            assert!(
                defect.remedy.contains("09:00") && defect.remedy.contains("09:45"),
                "{raw}: {}",
                defect.remedy
            );
        }
    }

    #[test]
    fn an_unreadable_time_gets_the_time_that_was_meant() {
        for (raw, remedy) in [
            ("9.30", "09:30"),
            ("0930", "09:30"),
            ("9h30", "09:30"),
            ("9", "09:00"),
            ("0.375", "09:00"),
            ("noon", "12:00"),
            ("13:00 pm", "13:00"),
            ("0:30 am", "00:30"),
            ("9:60", "09:30"),
            ("36:00", "00 to 23"),
            ("48:30", "00 to 23"),
            ("9:00:30", "09:01"),
            ("09:00 sharp!", "09:00"),
            ("TBA", "09:30"),
            ("", "09:30"),
            ("9:5", "09:30"),
        ] {
            let defect = parse(raw).unwrap_err();
            assert!(defect.remedy.contains(remedy), "{raw}: {}", defect.remedy);
        }
    }

    proptest::proptest! {
        #[test]
        fn every_minute_of_the_day_is_read_in_both_clocks(minute in 0_u32..1440) {
            proptest::prop_assert_eq!(minutes(&clock(minute)), minute);
            let (hour, half) = ((minute / 60 + 11) % 12 + 1, if minute < 720 { "AM" } else { "PM" });
            proptest::prop_assert_eq!(minutes(&format!("{hour}:{:02}:00 {half}", minute % 60)), minute);
        }

        #[test]
        fn no_text_panics(raw in ".{0,24}|[0-9:amp. –-]{0,14}") {
            let _ = parse(&raw);
        }
    }
}
