//! Parses values by their types (RFC 5545, 3.3).

use chrono::{DateTime, NaiveDate, NaiveDateTime, TimeDelta, Utc, Weekday};

/// A DATE or DATE-TIME. Its zone is not resolved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Moment {
    /// A whole day.
    Day(NaiveDate),
    /// A time with `Z`.
    Utc(DateTime<Utc>),
    /// A time with a TZID.
    Zoned(NaiveDateTime, String),
    /// A time with neither, which means the reader's zone.
    Floating(NaiveDateTime),
}

impl Moment {
    /// The same form with another civil time.
    pub fn at(&self, civil: NaiveDateTime) -> Self {
        match self {
            Self::Day(_) => Self::Day(civil.date()),
            Self::Utc(_) => Self::Utc(civil.and_utc()),
            Self::Zoned(_, zone) => Self::Zoned(civil, zone.clone()),
            Self::Floating(_) => Self::Floating(civil),
        }
    }

    /// The civil time. A whole day starts at midnight.
    pub fn civil(&self) -> NaiveDateTime {
        match self {
            Self::Day(day) => day.and_time(chrono::NaiveTime::MIN),
            Self::Utc(at) => at.naive_utc(),
            Self::Zoned(civil, _) | Self::Floating(civil) => *civil,
        }
    }
}

/// A weekday of a rule, such as `SU`.
pub(super) fn weekday(raw: &str) -> Option<Weekday> {
    Some(match raw.trim().to_ascii_uppercase().as_str() {
        "MO" => Weekday::Mon,
        "TU" => Weekday::Tue,
        "WE" => Weekday::Wed,
        "TH" => Weekday::Thu,
        "FR" => Weekday::Fri,
        "SA" => Weekday::Sat,
        "SU" => Weekday::Sun,
        _ => return None,
    })
}

/// A TEXT value with its escapes decoded. An unknown escape becomes the character after the backslash.
pub fn unescape(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    let mut chars = value.chars();
    while let Some(c) = chars.next() {
        match (c, if c == '\\' { chars.next() } else { None }) {
            ('\\', Some('n' | 'N')) => out.push('\n'),
            ('\\', Some(escaped)) => out.push(escaped),
            (c, _) => out.push(c),
        }
    }
    out
}

/// The parts of a list, separated by unescaped commas.
pub fn list(value: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut start, mut escaped) = (0, false);
    for (at, c) in value.char_indices() {
        if c == ',' && !escaped {
            parts.push(value.get(start..at).unwrap_or_default());
            start = at + 1;
        }
        escaped = c == '\\' && !escaped;
    }
    parts.push(value.get(start..).unwrap_or_default());
    parts
}

pub(super) fn digits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Parses a DURATION (3.3.6).
pub fn duration(raw: &str) -> Option<TimeDelta> {
    let (sign, rest) = match raw.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, raw.strip_prefix('+').unwrap_or(raw)),
    };
    let rest = rest.strip_prefix('P')?;
    let (mut seconds, mut number, mut in_time, mut parts) = (0_i64, String::new(), false, 0);
    for c in rest.chars() {
        let unit = match (c, in_time) {
            ('0'..='9', _) => {
                number.push(c);
                continue;
            }
            ('T', false) if number.is_empty() => {
                in_time = true;
                continue;
            }
            ('W', false) => 604_800,
            ('D', false) => 86_400,
            ('H', true) => 3_600,
            ('M', true) => 60,
            ('S', true) => 1,
            _ => return None,
        };
        let count: i64 = number.parse().ok()?;
        seconds = seconds.checked_add(count.checked_mul(unit)?)?;
        number.clear();
        parts += 1;
    }
    (number.is_empty() && parts > 0).then(|| TimeDelta::try_seconds(sign * seconds)).flatten()
}

/// Parses a UTC-OFFSET into seconds (3.3.14).
pub fn offset(raw: &str) -> Option<i32> {
    let sign = if raw.starts_with('-') { -1 } else { 1 };
    let rest = raw.strip_prefix(['+', '-']).filter(|rest| digits(rest) && matches!(rest.len(), 4 | 6))?;
    let part = |at: usize| rest.get(at..at + 2).map_or(Some(0), |text| text.parse::<i32>().ok());
    let (hours, minutes, seconds) = (part(0)?, part(2)?, part(4)?);
    (hours < 24 && minutes < 60 && seconds < 60).then_some(sign * (hours * 3600 + minutes * 60 + seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_split_at_unescaped_commas_only() {
        assert_eq!(list("a\\,b,c\\\\,d,"), ["a\\,b", "c\\\\", "d", ""]);
        assert_eq!(unescape("a\\,b\\Nc\\\\n\\;"), "a,b\nc\\n;");
    }

    #[test]
    fn durations_and_offsets_are_parsed() {
        assert_eq!(duration("-PT10M"), Some(TimeDelta::minutes(-10)));
        assert_eq!(duration("P1DT2H"), Some(TimeDelta::hours(26)));
        assert_eq!(duration("P2W"), Some(TimeDelta::weeks(2)));
        for bad in ["", "P", "PT", "PT5", "5M", "P5M", "PTxM"] {
            assert_eq!(duration(bad), None, "{bad}");
        }
        assert_eq!((offset("-0730"), offset("+053000")), (Some(-27_000), Some(19_800)));
        assert_eq!((offset("0730"), offset("+2500"), offset("+05:30")), (None, None, None));
    }
}
