//! Time zones: converts civil times to instants and back.

mod cities;
mod names;

use chrono::{DateTime, NaiveDateTime, Offset, TimeZone, Utc};
use chrono_tz::{OffsetComponents, OffsetName, Tz};
use serde::{Deserialize, Serialize};
use std::fmt;

/// An IANA zone of the form `Area/Location`, or `UTC`.
///
/// Abbreviations (`PDT`), POSIX names (`PST8PDT`) and fixed offsets (`Etc/GMT+8`) are refused, since calendar clients
/// do not know them or interpret them differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Zone(Tz);

/// The instants of a civil time in a zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Civil {
    /// The civil time occurs once.
    Once(DateTime<Utc>),
    /// The civil time occurs twice, since the clock goes back: the first and the second instant.
    Twice(DateTime<Utc>, DateTime<Utc>),
    /// The clock skips the civil time: the instant of the jump, and the length of the gap.
    Skipped(DateTime<Utc>, chrono::TimeDelta),
}

/// Why a string is not a usable zone. The message says what to write instead.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ZoneError {
    /// An abbreviation such as `PDT`, and the zone to write.
    #[error("{0:?} is an abbreviation, which calendars read differently; write {1:?}")]
    Abbreviation(String, &'static str),
    /// An abbreviation of zones far apart, such as `IST`, and the zones of which to write one.
    #[error("{0:?} is an abbreviation in several parts of the world; write {1}")]
    Ambiguous(String, &'static str),
    /// An old name such as `US/Pacific`, or a name of Windows, and the zone to write.
    #[error("{0:?} is another name of a zone; write {1:?}")]
    OtherName(String, &'static str),
    /// A name such as `Etc/GMT+8`.
    #[error("{0:?} is not an Area/Location name; write a zone such as \"America/Los_Angeles\" or \"UTC\"")]
    NotALocation(String),
    /// A name that is not in the time-zone database, and what to write.
    #[error("{0:?} is not in the time-zone database{1}")]
    Unknown(String, String),
}

/// Abbreviations that people write, and the zones that they mean.
const ABBREVIATIONS: &[(&str, &str)] = &[
    ("PT", "America/Los_Angeles"),
    ("PDT", "America/Los_Angeles"),
    ("PST", "America/Los_Angeles"),
    ("MT", "America/Denver"),
    ("MDT", "America/Denver"),
    ("MST", "America/Denver"),
    ("CT", "America/Chicago"),
    ("CDT", "America/Chicago"),
    ("ET", "America/New_York"),
    ("EDT", "America/New_York"),
    ("EST", "America/New_York"),
    ("GMT", "Europe/London"),
    ("WET", "Europe/Lisbon"),
    ("CET", "Europe/Berlin"),
    ("CEST", "Europe/Berlin"),
    ("MET", "Europe/Berlin"),
    ("EET", "Europe/Helsinki"),
    ("EEST", "Europe/Helsinki"),
    ("MSK", "Europe/Moscow"),
    ("SGT", "Asia/Singapore"),
    ("JST", "Asia/Tokyo"),
    ("KST", "Asia/Seoul"),
    ("AEST", "Australia/Sydney"),
    ("AEDT", "Australia/Sydney"),
    ("NZST", "Pacific/Auckland"),
    ("NZDT", "Pacific/Auckland"),
];

/// Abbreviations that are used in zones far apart, and these zones.
const AMBIGUOUS: &[(&str, &str)] = &[
    ("AST", r#""America/Halifax" or "Asia/Riyadh""#),
    ("BST", r#""Europe/London" or "Asia/Dhaka""#),
    ("CST", r#""America/Chicago", "Asia/Shanghai" or "America/Havana""#),
    ("GST", r#""Asia/Dubai" or "Atlantic/South_Georgia""#),
    ("IST", r#""Asia/Kolkata", "Asia/Jerusalem" or "Europe/Dublin""#),
];

impl Zone {
    /// Coordinated universal time.
    pub const UTC: Self = Self(Tz::UTC);

    /// Parses the name of a zone.
    ///
    /// # Errors
    /// [`ZoneError`], with the zone to write instead if one is known.
    pub fn parse(raw: &str) -> Result<Self, ZoneError> {
        let raw = raw.trim();
        if raw == "UTC" {
            return Ok(Self::UTC);
        }
        if let Some((_, zone)) = ABBREVIATIONS.iter().find(|(short, _)| short.eq_ignore_ascii_case(raw)) {
            return Err(ZoneError::Abbreviation(raw.to_owned(), zone));
        }
        if let Some((_, zones)) = AMBIGUOUS.iter().find(|(short, _)| short.eq_ignore_ascii_case(raw)) {
            return Err(ZoneError::Ambiguous(raw.to_owned(), zones));
        }
        let is_location = raw.split_once('/').is_some_and(|(area, _)| names::AREAS.contains(&area));
        match raw.parse::<Tz>() {
            Ok(tz) if is_location => Ok(Self(tz)),
            _ if names::other_name(raw).is_some() => {
                Err(ZoneError::OtherName(raw.to_owned(), names::other_name(raw).unwrap_or_default()))
            }
            Ok(_) => Err(ZoneError::NotALocation(raw.to_owned())),
            Err(_) => {
                let example = || "; write the zone of a city, such as \"Europe/Berlin\"".to_owned();
                let near = cities::nearest(raw).map(|near| format!("; did you mean {near:?}?"));
                Err(ZoneError::Unknown(raw.to_owned(), near.unwrap_or_else(example)))
            }
        }
    }

    /// The zone that a foreign calendar means by a name: an `Area/Location`, an old name such as `US/Pacific` or `GB`, a
    /// name of Windows, or such a name behind a vendor's prefix (`/mozilla.org/20050126_1/Europe/Berlin`).
    pub fn meant(name: &str) -> Option<Self> {
        let name = name.trim().trim_matches('"');
        let tails = std::iter::once(name)
            .chain(name.match_indices('/').map(|(at, _)| name.get(at + 1..).unwrap_or_default()));
        tails.filter(|tail| *tail == name || tail.contains('/')).find_map(|tail| {
            let known = Self::parse(tail).ok().or_else(|| Self::parse(names::other_name(tail)?).ok());
            known.or_else(|| {
                let tz = chrono_tz::TZ_VARIANTS.iter().find(|tz| tz.name().eq_ignore_ascii_case(tail))?;
                Self::parse(tz.name()).ok()
            })
        })
    }

    /// The instants of a civil time in the zone that a foreign calendar means by a name, which may also have a fixed
    /// offset (`Etc/GMT+5`). None if the name is not known.
    pub fn instant_by_name(name: &str, civil: NaiveDateTime) -> Option<Civil> {
        let fixed =
            || name.trim().starts_with("Etc/").then(|| name.trim().parse::<Tz>().ok().map(Self)).flatten();
        Self::meant(name).or_else(fixed).map(|zone| zone.instant(civil))
    }

    /// Whether a name is in the IANA database, and is no abbreviation.
    pub fn is_iana(name: &str) -> bool {
        !matches!(Self::parse(name), Err(ZoneError::Abbreviation(..))) && name.parse::<Tz>().is_ok()
    }

    /// The name of the zone, used as TZID.
    pub fn name(self) -> &'static str {
        self.0.name()
    }

    /// The zone in the time-zone database, from which feeds infer VTIMEZONE rules.
    pub fn tz(self) -> Tz {
        self.0
    }

    /// Whether the zone is UTC. Feeds write UTC times with `Z`.
    pub fn is_utc(self) -> bool {
        self.0 == Tz::UTC
    }

    /// The civil time at an instant.
    pub fn civil(self, at: DateTime<Utc>) -> NaiveDateTime {
        at.with_timezone(&self.0).naive_local()
    }

    /// The abbreviation at an instant, such as `PDT`, or `+03` in zones without one.
    pub fn abbreviation(self, at: DateTime<Utc>) -> String {
        let offset = self.0.offset_from_utc_datetime(&at.naive_utc());
        offset.abbreviation().map_or_else(|| numeric(offset.fix().local_minus_utc()), str::to_owned)
    }

    /// Seconds east of UTC at an instant.
    pub fn offset(self, at: DateTime<Utc>) -> i32 {
        self.0.offset_from_utc_datetime(&at.naive_utc()).fix().local_minus_utc()
    }

    /// The part of [`Zone::offset`] that is summer time, in seconds. It is negative in Dublin's winter.
    pub fn summer_offset(self, at: DateTime<Utc>) -> i64 {
        self.0.offset_from_utc_datetime(&at.naive_utc()).dst_offset().num_seconds()
    }

    /// The instants of a civil time.
    pub fn instant(self, civil: NaiveDateTime) -> Civil {
        match self.0.from_local_datetime(&civil) {
            chrono::LocalResult::Single(at) => Civil::Once(at.to_utc()),
            chrono::LocalResult::Ambiguous(a, b) => {
                Civil::Twice(a.to_utc().min(b.to_utc()), a.to_utc().max(b.to_utc()))
            }
            chrono::LocalResult::None => self.jump(civil),
        }
    }

    /// Whether the civil time at an instant occurs twice.
    pub fn is_repeated(self, at: DateTime<Utc>) -> bool {
        matches!(self.instant(self.civil(at)), Civil::Twice(..))
    }

    /// The gap around a civil time that does not exist, found by bisection of the offset.
    fn jump(self, civil: NaiveDateTime) -> Civil {
        // No offset exceeds 26 hours, so the jump lies between these two instants.
        let guess = civil.and_utc().timestamp();
        let (mut before, mut after) = (guess - 27 * 3600, guess + 27 * 3600);
        let at = |seconds| DateTime::from_timestamp(seconds, 0).unwrap_or_default();
        while after - before > 1 {
            let middle = before.midpoint(after);
            if self.civil(at(middle)) < civil { before = middle } else { after = middle }
        }
        let (before, after) = (at(before), at(after));
        let by = i64::from(self.offset(after)) - i64::from(self.offset(before));
        Civil::Skipped(after, chrono::TimeDelta::seconds(by))
    }
}

/// `+03` or `+0330`, the abbreviation of zones without letters.
fn numeric(seconds: i32) -> String {
    let sign = if seconds < 0 { '-' } else { '+' };
    let (hours, minutes) = (seconds.abs() / 3600, seconds.abs() / 60 % 60);
    if minutes == 0 { format!("{sign}{hours:02}") } else { format!("{sign}{hours:02}{minutes:02}") }
}

impl TryFrom<String> for Zone {
    type Error = ZoneError;
    fn try_from(raw: String) -> Result<Self, ZoneError> {
        Self::parse(&raw)
    }
}

impl From<Zone> for String {
    fn from(zone: Zone) -> Self {
        zone.name().to_owned()
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn civil(text: &str) -> NaiveDateTime {
        text.parse().unwrap()
    }

    #[test]
    fn only_locations_and_utc_are_zones() {
        assert!(Zone::parse("America/Los_Angeles").is_ok());
        assert!(Zone::parse("America/Argentina/Buenos_Aires").is_ok());
        assert!(Zone::parse("UTC").is_ok());
        for (raw, remedy) in [
            ("PDT", "America/Los_Angeles"),
            ("IST", "\"Asia/Kolkata\", \"Asia/Jerusalem\" or \"Europe/Dublin\""),
            ("cst", "\"Asia/Shanghai\""),
            ("est", "America/New_York"),
            ("PST8PDT", "America/Los_Angeles"),
            ("Etc/GMT+8", "America/Los_Angeles"),
            ("US/Pacific", "America/Los_Angeles"),
            ("America/Los Angeles", "America/Los_Angeles"),
            ("Berlin", "Europe/Berlin"),
        ] {
            let message = Zone::parse(raw).unwrap_err().to_string();
            assert!(message.contains(remedy), "{raw}: {message}");
        }
    }

    #[test]
    fn foreign_names_mean_zones() {
        for (name, zone) in [
            ("US/Pacific", "America/Los_Angeles"),
            ("GB", "Europe/London"),
            ("Japan", "Asia/Tokyo"),
            ("W. Europe Standard Time", "Europe/Berlin"),
            ("/mozilla.org/20050126_1/America/Argentina/Ushuaia", "America/Argentina/Ushuaia"),
            ("/freeassociation.sourceforge.net/Europe/Berlin", "Europe/Berlin"),
            ("europe/berlin", "Europe/Berlin"),
            ("Etc/UTC", "UTC"),
        ] {
            assert_eq!(Zone::meant(name).map(Zone::name), Some(zone), "{name}");
        }
        for name in ["PDT", "Foo", "", "/", "Etc/GMT+5", "My/Office"] {
            assert_eq!(Zone::meant(name), None, "{name}");
        }
        let five_west = Zone::instant_by_name("Etc/GMT+5", civil("2025-03-25T09:00:00"));
        assert_eq!(five_west, Some(Civil::Once("2025-03-25T14:00:00Z".parse().unwrap())));
        assert!(
            Zone::parse("Pacific Standard Time").unwrap_err().to_string().contains("America/Los_Angeles")
        );
    }

    #[test]
    fn every_other_name_is_that_of_a_zone() {
        for (name, zone) in names::LINKS.iter().chain(names::WINDOWS) {
            assert!(Zone::parse(zone).is_ok(), "{name}: {zone}");
        }
    }

    #[test]
    fn the_first_talk_starts_at_sixteen_hundred_utc() {
        let zone = Zone::parse("America/Los_Angeles").unwrap();
        assert_eq!(
            zone.instant(civil("2025-03-25T09:00:00")),
            Civil::Once("2025-03-25T16:00:00Z".parse().unwrap())
        );
    }

    #[test]
    fn clock_changes_skip_and_repeat_times() {
        let zone = Zone::parse("America/Los_Angeles").unwrap();
        assert_eq!(
            zone.instant(civil("2025-03-09T02:30:00")),
            Civil::Skipped("2025-03-09T10:00:00Z".parse().unwrap(), chrono::TimeDelta::hours(1))
        );
        assert_eq!(
            zone.instant(civil("2025-11-02T01:30:00")),
            Civil::Twice("2025-11-02T08:30:00Z".parse().unwrap(), "2025-11-02T09:30:00Z".parse().unwrap())
        );
        assert!(zone.is_repeated("2025-11-02T09:30:00Z".parse().unwrap()));
    }

    #[test]
    fn the_abbreviation_is_the_one_at_the_instant() {
        let zone = Zone::parse("America/Los_Angeles").unwrap();
        assert_eq!(zone.abbreviation("2025-03-25T16:00:00Z".parse().unwrap()), "PDT");
        assert_eq!(zone.abbreviation("2025-01-25T16:00:00Z".parse().unwrap()), "PST");
        for (zone, name) in
            [("Africa/Casablanca", "+01"), ("Asia/Kathmandu", "+0545"), ("America/Sao_Paulo", "-03")]
        {
            let zone = Zone::parse(zone).unwrap();
            assert_eq!(zone.abbreviation("2025-07-25T16:00:00Z".parse().unwrap()), name);
        }
    }
}
