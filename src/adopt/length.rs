//! The length of a session in a cell of a spreadsheet: `45`, `90 min`, `1h30`, `1,5 h`, `1:30` or `PT1H30M`.
//!
//! Reads only what has one reading: `1.30 h` may be an hour and a half or 78 minutes, so it is no length. Knows nothing
//! about columns; a number without a unit is only a [`bare`] number.

use crate::ics;
use chrono::TimeDelta;
use unicode_normalization::UnicodeNormalization;

/// The unit of a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    Hour,
    Minute,
}

const HOURS: &[&str] = &[
    "h", "hr", "hrs", "hour", "hours", "std", "stunde", "stunden", "heure", "heures", "hora", "horas", "ora",
    "ore", "uur", "uren", "時間",
];

const MINUTES: &[&str] = &[
    "'", "m", "min", "mins", "minute", "minutes", "minuten", "minuto", "minutos", "minuti", "minuut", "分",
    "分間",
];

/// Names of columns with a length.
const COLUMNS: &[&str] = &[
    "duration",
    "length",
    "minutes",
    "minuten",
    "hours",
    "stunden",
    "dauer",
    "durée",
    "duración",
    "duração",
    "durata",
    "duur",
    "所要時間",
];

/// Words that join hours and minutes: `1 hour and 30 minutes`.
const JOINTS: &[&str] = &["and", "und", "et", "y", "e", "en"];

/// The longest length that a number without a unit, or `30:00`, can be.
const MAX_BARE_MINUTES: f64 = 24.0 * 60.0;

/// A column of lengths by its name, with the unit of its numbers if the name says it: `Dauer (min)`, `Hours`.
pub(super) fn column(name: &str) -> Option<Option<Unit>> {
    let lower = name.nfkc().collect::<String>().to_lowercase();
    let mut words = lower.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    let first = words.next()?;
    let rest: Vec<&str> = words.filter(|word| !["in", "en", "em", "mm", "hh"].contains(word)).collect();
    let unit_after = rest.iter().find_map(|word| unit(word));
    let is_length = COLUMNS.contains(&first) || (first == "時間" && unit_after == Some(Unit::Minute));
    // `Dauer (h:mm)` has clocks, and `Length of the break` is no length of a session.
    (is_length && rest.iter().all(|word| unit(word).is_some())).then(|| unit_after.or_else(|| unit(first)))
}

/// A length with its units, or as ISO 8601 writes it.
pub(super) fn stated(raw: &str) -> Option<TimeDelta> {
    let text = normal(raw);
    if text.starts_with('p') {
        return ics::duration(&text.to_uppercase());
    }
    if text.contains(':') {
        let (clock, word) = text.split_at_checked(text.find(char::is_alphabetic)?)?;
        return hours_and_minutes(clock).filter(|_| unit(word) == Some(Unit::Hour));
    }
    let (mut rest, mut minutes, mut last) = (text.as_str(), 0.0, None);
    while !rest.is_empty() {
        let (value, after) = number(rest)?;
        let (unit, after) = match (word_of(after), last) {
            // `1h30`
            (("", after), Some(Unit::Hour)) => (Unit::Minute, after),
            ((word, after), _) => (unit(word)?, after),
        };
        match (unit, last) {
            (Unit::Hour, None) => minutes += value * 60.0,
            (Unit::Minute, None) => minutes += value,
            (Unit::Minute, Some(Unit::Hour)) if value < 60.0 => minutes += value,
            _ => return None,
        }
        last = Some(unit);
        rest = after.trim_start_matches([',', '+']).trim_start();
        let (word, after) = word_of(rest);
        if JOINTS.contains(&word) {
            rest = after;
        }
    }
    last.and_then(|_| whole_minutes(minutes))
}

/// A length such as `1:30` or `01:30:00`, which could also be a time.
pub(super) fn hours_and_minutes(raw: &str) -> Option<TimeDelta> {
    let text = normal(raw);
    let digits = |part: &str| part.parse::<f64>().ok().filter(|_| part.bytes().all(|b| b.is_ascii_digit()));
    let parts: Vec<f64> = text.split(':').map(digits).collect::<Option<_>>()?;
    let (hours, minutes) = match *parts.as_slice() {
        [hours, minutes] | [hours, minutes, 0.0] => (hours, minutes),
        _ => return None,
    };
    (hours < 24.0 && minutes < 60.0).then(|| whole_minutes(hours * 60.0 + minutes))?
}

/// A number without a unit.
pub(super) fn bare(raw: &str) -> Option<f64> {
    let text = normal(raw);
    // `0930` is a time.
    let is_time = text.len() == 4 && text.starts_with('0') && !text.contains(['.', ',']);
    number(&text).filter(|(_, rest)| rest.is_empty() && !is_time).map(|(value, _)| value)
}

/// The length of a number without a unit.
pub(super) fn of(value: f64, unit: Unit) -> Option<TimeDelta> {
    let minutes = if unit == Unit::Hour { value * 60.0 } else { value };
    (minutes <= MAX_BARE_MINUTES).then(|| whole_minutes(minutes))?
}

/// Whether a text ends with the word of a unit, so that it is no time. `9 h` can be a time.
pub(super) fn ends_with_unit(raw: &str) -> bool {
    let text = normal(raw);
    let word = text.rsplit(|c: char| !c.is_alphabetic() && c != '\'').next().unwrap_or_default();
    word != "h" && word != "m" && unit(word).is_some()
}

/// In lower case, with ASCII digits and one sign for minutes, without the dot of an abbreviation at the end.
fn normal(raw: &str) -> String {
    let text: String = raw.nfkc().collect::<String>().to_lowercase();
    text.replace(['’', '′'], "'").trim().trim_end_matches('.').to_owned()
}

fn unit(word: &str) -> Option<Unit> {
    let is_in = |words: &[&str]| words.contains(&word);
    if is_in(HOURS) { Some(Unit::Hour) } else { is_in(MINUTES).then_some(Unit::Minute) }
}

/// The word at the start of a text, without its dot, and the text after it.
fn word_of(text: &str) -> (&str, &str) {
    let text = text.trim_start();
    let end = text.find(|c: char| !c.is_alphabetic() && c != '\'').unwrap_or(text.len());
    let (word, rest) = text.split_at_checked(end).unwrap_or((text, ""));
    (word, rest.strip_prefix('.').unwrap_or(rest).trim_start())
}

/// The number at the start of a text, and the text after it. `1.30` is none: it may be meant as `1:30`.
fn number(text: &str) -> Option<(f64, &str)> {
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let (whole, rest) = text.split_at_checked(digits(text)).filter(|(whole, _)| !whole.is_empty())?;
    let Some(after) = rest.strip_prefix(['.', ',']) else { return Some((whole.parse().ok()?, rest)) };
    let (fraction, after) = after.split_at_checked(digits(after))?;
    if fraction.is_empty() {
        return Some((whole.parse().ok()?, rest));
    }
    let is_quarter = ["00", "25", "50", "75"].contains(&fraction);
    let is_clear = fraction.len() != 2 || is_quarter || fraction >= "60";
    let value = format!("{whole}.{fraction}").parse().ok()?;
    is_clear.then_some((value, after))
}

/// A length of minutes, rounded; none if nothing is left, or if it is longer than a year.
fn whole_minutes(minutes: f64) -> Option<TimeDelta> {
    let rounded = minutes.round();
    (1.0..=366.0 * 24.0 * 60.0).contains(&rounded).then(|| TimeDelta::try_minutes(rounded as i64))?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_with_units_are_read_in_every_form() {
        for (raw, minutes) in [
            ("45 min", 45),
            ("45min.", 45),
            ("45'", 45),
            ("90 Minuten", 90),
            ("90 mins", 90),
            ("1h", 60),
            ("1 h", 60),
            ("1 hour", 60),
            ("2 hrs", 120),
            ("2 Stunden", 120),
            ("1 Std.", 60),
            ("1 Std. 30 Min.", 90),
            ("1h30", 90),
            ("1h 30m", 90),
            ("1 h 30 min", 90),
            ("1 hour and 30 minutes", 90),
            ("1 hour, 30 minutes", 90),
            ("1.5 h", 90),
            ("1,5 h", 90),
            ("1.25 hours", 75),
            ("0,75 Std", 45),
            ("2 heures", 120),
            ("1 hora y 15 minutos", 75),
            ("2 ore", 120),
            ("1 uur", 60),
            ("1時間30分", 90),
            ("９０分", 90),
            ("1:30 h", 90),
            ("0:45 hours", 45),
            ("PT1H30M", 90),
        ] {
            assert_eq!(stated(raw).map(|length| length.num_minutes()), Some(minutes), "{raw}");
        }
        for raw in [
            "",
            "90",
            "1:30",
            "9 Uhr",
            "9:30 am",
            "1.30 h",
            "1h90",
            "30 min 1 h",
            "45-60 min",
            "1:30 min",
            "h",
            "1 x",
            "1 h 1 h",
            "-1 h",
            "0 min",
            "1e9 h",
            "99999999999 h",
        ] {
            assert_eq!(stated(raw), None, "{raw}");
        }
    }

    #[test]
    fn numbers_and_clocks_are_read_only_with_one_reading() {
        assert_eq!((bare("90"), bare("1,5"), bare("45.0")), (Some(90.0), Some(1.5), Some(45.0)));
        assert_eq!((bare("1.30"), bare("0930"), bare("90 min"), bare("")), (None, None, None, None));
        let minutes = |raw| hours_and_minutes(raw).map(|length| length.num_minutes());
        assert_eq!((minutes("1:30"), minutes("01:30:00"), minutes("0:45")), (Some(90), Some(90), Some(45)));
        assert_eq!((minutes("45:00"), minutes("1:60"), minutes("1:30:20")), (None, None, None));
    }

    #[test]
    fn columns_of_lengths_say_their_unit() {
        for (name, unit) in [
            ("Duration", None),
            ("Duration (min)", Some(Unit::Minute)),
            ("Length in minutes", Some(Unit::Minute)),
            ("Dauer [Std.]", Some(Unit::Hour)),
            ("Hours", Some(Unit::Hour)),
            ("時間(分)", Some(Unit::Minute)),
        ] {
            assert_eq!(column(name), Some(unit), "{name}");
        }
        assert_eq!(column("Dauer (h:mm)"), Some(Some(Unit::Hour)));
        for name in ["Length of the break", "時間", "Time", ""] {
            assert_eq!(column(name), None, "{name}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_panics(raw in ".{0,24}|[0-9hmin:,. 'pt]{0,14}") {
            let _ = (stated(&raw), bare(&raw), hours_and_minutes(&raw), column(&raw), ends_with_unit(&raw));
        }
    }
}
