//! Renders VTIMEZONE (RFC 5545, 3.6.5), with yearly rules inferred from the transitions of chrono-tz.
//!
//! Outlook needs a yearly RRULE with both offsets and ignores RDATE, and every client must find the right offset in all
//! covered years. Transitions that follow no yearly weekday rule in these years (Nuuk, Jerusalem, Cairo, Casablanca …)
//! are written one by one.

use super::line;
use crate::program::Zone;
use chrono::{DateTime, Datelike, Days, Months, NaiveDateTime, TimeDelta, Utc, Weekday};
use std::collections::BTreeMap;
use std::ops::RangeInclusive;

/// One change of a zone's offset or name.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Transition {
    at: DateTime<Utc>,
    /// The civil time of the change, by the clock before the change, for DTSTART.
    onset: NaiveDateTime,
}

/// The properties that the transitions of a group share.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct TransitionKind {
    from: i32,
    to: i32,
    name: String,
    daylight: bool,
}

/// A VTIMEZONE of UTC. Times in UTC need none, but a calendar must have a component (RFC 5545, 3.6), so it stands in a
/// calendar without events.
pub(super) const UTC: &str = "BEGIN:VTIMEZONE\r\nTZID:UTC\r\nBEGIN:STANDARD\r\nDTSTART:19700101T000000\r\n\
                              TZNAME:UTC\r\nTZOFFSETFROM:+0000\r\nTZOFFSETTO:+0000\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\n";

/// The VTIMEZONE of a zone for some calendar years; empty for UTC, which feeds write as `Z`.
pub(super) fn vtimezone(zone: Zone, years: RangeInclusive<i32>) -> String {
    let mut out = String::new();
    if zone.is_utc() {
        return out;
    }
    line::raw(&mut out, "BEGIN", "VTIMEZONE");
    line::raw(&mut out, "TZID", zone.name());
    let groups = transitions(zone, &years);
    if groups.is_empty() {
        let at = start_of(*years.start());
        let (offset, name) = (zone.offset(at), zone.abbreviation(at));
        let kind = TransitionKind { from: offset, to: offset, name, daylight: false };
        part(&mut out, &kind, NaiveDateTime::default(), None);
    }
    for (kind, group) in &groups {
        match yearly_rule(zone, group, *years.end()) {
            Some((first, rule)) => part(&mut out, kind, first, Some(&rule)),
            None => group.iter().for_each(|transition| part(&mut out, kind, transition.onset, None)),
        }
    }
    line::raw(&mut out, "END", "VTIMEZONE");
    out
}

fn part(out: &mut String, kind: &TransitionKind, onset: NaiveDateTime, rule: Option<&str>) {
    let component = if kind.daylight { "DAYLIGHT" } else { "STANDARD" };
    line::raw(out, "BEGIN", component);
    line::raw(out, "DTSTART", &line::civil(onset));
    if let Some(rule) = rule {
        line::raw(out, "RRULE", rule);
    }
    line::text(out, "TZNAME", &kind.name);
    line::raw(out, "TZOFFSETFROM", &utc_offset(kind.from));
    line::raw(out, "TZOFFSETTO", &utc_offset(kind.to));
    line::raw(out, "END", component);
}

/// `+hhmm`, or `+hhmmss` for some historical offsets (RFC 5545, 3.3.14).
fn utc_offset(seconds: i32) -> String {
    let sign = if seconds < 0 { '-' } else { '+' };
    let (hours, minutes, rest) = (seconds.abs() / 3600, seconds.abs() / 60 % 60, seconds.abs() % 60);
    let tail = if rest == 0 { String::new() } else { format!("{rest:02}") };
    format!("{sign}{hours:02}{minutes:02}{tail}")
}

fn start_of(year: i32) -> DateTime<Utc> {
    chrono::NaiveDate::from_ymd_opt(year, 1, 1).unwrap_or_default().and_time(chrono::NaiveTime::MIN).and_utc()
}

/// The transitions of those years and the last transition before them, by kind.
fn transitions(zone: Zone, years: &RangeInclusive<i32>) -> BTreeMap<TransitionKind, Vec<Transition>> {
    let (start, end) = (start_of(*years.start()), start_of(years.end() + 1));
    let mut groups: BTreeMap<TransitionKind, Vec<Transition>> = BTreeMap::new();
    let mut add = |before: DateTime<Utc>, after: DateTime<Utc>| {
        let (kind, transition) = bisect(zone, before, after);
        groups.entry(kind).or_default().push(transition);
    };
    // No conference needs the history of a time zone before 1970.
    let earlier = std::iter::successors(Some(start), |day| day.checked_sub_days(Days::new(1)))
        .take_while(|day| day.timestamp() > 0)
        .map(|day| (day - TimeDelta::days(1), day));
    if let Some((before, after)) = { earlier }.find(|(before, after)| differ(zone, *before, *after)) {
        add(before, after);
    }
    let mut day = start;
    while day < end {
        let next = day + TimeDelta::days(1);
        if differ(zone, day, next) {
            add(day, next);
        }
        day = next;
    }
    groups
}

fn differ(zone: Zone, a: DateTime<Utc>, b: DateTime<Utc>) -> bool {
    zone.offset(a) != zone.offset(b)
        || zone.summer_offset(a) != zone.summer_offset(b)
        || zone.abbreviation(a) != zone.abbreviation(b)
}

/// The transition between two instants with different offsets, to the second.
fn bisect(zone: Zone, mut before: DateTime<Utc>, mut after: DateTime<Utc>) -> (TransitionKind, Transition) {
    while after - before > TimeDelta::seconds(1) {
        let middle = before + TimeDelta::seconds((after - before).num_seconds() / 2);
        if differ(zone, before, middle) { after = middle } else { before = middle }
    }
    let (from, to) = (zone.offset(before), zone.offset(after));
    // Dublin has a negative offset in winter, so its standard time counts as daylight.
    let daylight = match (zone.summer_offset(before), zone.summer_offset(after)) {
        (_, after) if after > 0 => true,
        (before, 0) => before < 0,
        _ => false,
    };
    let kind = TransitionKind { from, to, name: zone.abbreviation(after), daylight };
    (kind, Transition { at: after, onset: (after + TimeDelta::seconds(i64::from(from))).naive_utc() })
}

/// The yearly rule that gives exactly these transitions, with the first onset; none if there is no such rule.
fn yearly_rule(zone: Zone, group: &[Transition], last_year: i32) -> Option<(NaiveDateTime, String)> {
    let (first, last) = (group.first()?, group.last()?);
    let consecutive = group.windows(2).all(|pair| match pair {
        [a, b] => a.onset.year() + 1 == b.onset.year(),
        _ => true,
    });
    let alike = group.iter().all(|t| {
        t.onset.month() == first.onset.month()
            && t.onset.weekday() == first.onset.weekday()
            && t.onset.time() == first.onset.time()
    });
    if !consecutive || !alike {
        return None;
    }
    let runs_on = last.onset.year() >= last_year;
    if !runs_on && group.len() == 1 {
        return None; // a past transition needs no rule
    }
    let fits: Vec<i8> = [1, 2, 3, 4, -1]
        .into_iter()
        .filter(|nth| group.iter().all(|t| is_nth_weekday(t.onset, *nth)))
        .collect();
    // A weekday from the 25th to the 28th can be both the fourth and the last of its month. The years around the window
    // decide.
    let around = fits.into_iter().map(|nth| (years_around(zone, first, last, nth), nth));
    let (years, nth) = around.max_by_key(|(years, _)| *years)?;
    // A single transition that no other year repeats is not a rule (Casablanca follows the moon).
    if group.len() == 1 && years == 0 {
        return None;
    }
    let day = match first.onset.weekday() {
        Weekday::Mon => "MO",
        Weekday::Tue => "TU",
        Weekday::Wed => "WE",
        Weekday::Thu => "TH",
        Weekday::Fri => "FR",
        Weekday::Sat => "SA",
        Weekday::Sun => "SU",
    };
    let mut rule = format!("FREQ=YEARLY;BYMONTH={};BYDAY={nth}{day}", first.onset.month());
    if !runs_on {
        // Some parsers lose an onset that is equal to UNTIL. UNTIL a day later adds no onset.
        let until = last.at + TimeDelta::days(1);
        rule.push_str(&format!(";UNTIL={}", line::utc(until)));
    }
    Some((first.onset, rule))
}

fn is_nth_weekday(onset: NaiveDateTime, nth: i8) -> bool {
    match nth {
        -1 => (onset + TimeDelta::days(7)).month() != onset.month(),
        nth => (onset.day() - 1) / 7 + 1 == u32::from(nth.unsigned_abs()),
    }
}

/// The number of years, of the six around the window, in which the zone also changes on that weekday.
fn years_around(zone: Zone, first: &Transition, last: &Transition, nth: i8) -> usize {
    let changes_in = |transition: &Transition, months: i32| {
        let shifted = if months < 0 {
            transition.onset.checked_sub_months(Months::new(months.unsigned_abs()))
        } else {
            transition.onset.checked_add_months(Months::new(months.unsigned_abs()))
        };
        let Some(near) = shifted else { return false };
        // The same weekday of the month is at most a week away from the same date.
        (-7..=7)
            .map(|days| near + TimeDelta::days(days))
            .filter(|day| day.month() == near.month() && day.weekday() == transition.onset.weekday())
            .filter(|day| is_nth_weekday(*day, nth))
            .any(|day| {
                differ(zone, (day - TimeDelta::days(1)).and_utc(), (day + TimeDelta::days(1)).and_utc())
            })
    };
    (1..=3).filter(|years| changes_in(first, -12 * years)).count()
        + (1..=3).filter(|years| changes_in(last, 12 * years)).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(zone: &str, years: RangeInclusive<i32>) -> String {
        vtimezone(Zone::parse(zone).unwrap(), years)
    }

    #[test]
    fn los_angeles_has_two_yearly_rules() {
        assert_eq!(
            of("America/Los_Angeles", 2025..=2025).replace("\r\n", "\n"),
            "BEGIN:VTIMEZONE\nTZID:America/Los_Angeles\n\
             BEGIN:DAYLIGHT\nDTSTART:20250309T020000\nRRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=2SU\n\
             TZNAME:PDT\nTZOFFSETFROM:-0800\nTZOFFSETTO:-0700\nEND:DAYLIGHT\n\
             BEGIN:STANDARD\nDTSTART:20241103T020000\nRRULE:FREQ=YEARLY;BYMONTH=11;BYDAY=1SU\n\
             TZNAME:PST\nTZOFFSETFROM:-0700\nTZOFFSETTO:-0800\nEND:STANDARD\nEND:VTIMEZONE\n"
        );
    }

    #[test]
    fn the_last_sunday_is_not_mistaken_for_the_fourth() {
        // 28 March 2027 is the fourth and the last Sunday.
        let berlin = of("Europe/Berlin", 2027..=2027);
        assert!(berlin.contains("BYMONTH=3;BYDAY=-1SU"), "{berlin}");
        assert!(berlin.contains("BYMONTH=10;BYDAY=-1SU"), "{berlin}");
    }

    #[test]
    fn zones_without_daylight_saving_have_one_standard_part() {
        for (zone, offset) in
            [("Asia/Kolkata", "+0530"), ("America/Phoenix", "-0700"), ("Asia/Kathmandu", "+0545")]
        {
            let text = of(zone, 2025..=2025);
            assert_eq!(text.matches("BEGIN:STANDARD").count(), 1, "{text}");
            assert_eq!(text.matches("DAYLIGHT").count(), 0, "{text}");
            assert!(text.contains(&format!("TZOFFSETTO:{offset}")), "{text}");
        }
        assert_eq!(of("UTC", 2025..=2025), "");
    }

    #[test]
    fn southern_and_negative_summers_are_daylight() {
        let sydney = of("Australia/Sydney", 2025..=2025);
        assert!(sydney.contains("BEGIN:DAYLIGHT\r\nDTSTART:20241006T020000"), "{sydney}");
        let dublin = of("Europe/Dublin", 2025..=2025);
        assert!(
            dublin.contains("TZNAME:IST\r\nTZOFFSETFROM:+0000\r\nTZOFFSETTO:+0100\r\nEND:DAYLIGHT"),
            "{dublin}"
        );
        assert!(
            dublin.contains("TZNAME:GMT\r\nTZOFFSETFROM:+0100\r\nTZOFFSETTO:+0000\r\nEND:STANDARD"),
            "{dublin}"
        );
    }

    #[test]
    fn irregular_zones_get_dated_parts() {
        let casablanca = of("Africa/Casablanca", 2024..=2026);
        assert!(!casablanca.contains("RRULE"), "{casablanca}");
        assert!(casablanca.matches("BEGIN:").count() > 6, "{casablanca}");
        assert!(!of("Africa/Casablanca", 2025..=2025).contains("RRULE"));
    }
}
