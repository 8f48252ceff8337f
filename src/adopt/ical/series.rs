//! The times of an event that repeats: its rules, further times and exclusions, and the events that replace one time or all
//! later ones.

use super::{EventReader, Zones};
use crate::adopt::foreign::{ForeignProgram, ForeignSession, ForeignTime};
use crate::ics::{self, Component, Line, Moment, Recurrence};
use chrono::{NaiveDate, NaiveDateTime, NaiveTime, TimeDelta};
use std::collections::{BTreeSet, HashSet};

/// The most times of one repeated event.
const MAX_TIMES: usize = 1000;

/// The events of one UID.
pub(super) struct Series {
    /// The events that repeat or stand alone, each with its start and its rules.
    masters: Vec<Master>,
    replacements: Vec<Replacement>,
}

/// An event with a RECURRENCE-ID.
struct Replacement {
    /// The time that the event replaces.
    time: ForeignTime,
    session: ForeignSession,
    /// Whether the event also changes all later times of the series (RANGE=THISANDFUTURE).
    changes_later: bool,
}

impl Replacement {
    /// The session of a later time of the series: as long after its time as the replacement is after its own.
    fn at(&self, start: ForeignTime) -> Option<ForeignSession> {
        let shifted = |time: Option<ForeignTime>| start.plus(time?.since(self.time)?);
        Some(ForeignSession {
            identity: start.name_of(&self.session.identity),
            start: Some(shifted(self.session.start)?),
            end: shifted(self.session.end),
            ..self.session.clone()
        })
    }
}

struct Master {
    session: ForeignSession,
    start: Option<Moment>,
    rules: Vec<Recurrence>,
    /// The rules of times that do not take place (EXRULE of RFC 2445).
    excluding: Vec<Recurrence>,
    /// Further times, each with its own length if it has one.
    dates: Vec<(ForeignTime, Option<TimeDelta>)>,
    excluded: HashSet<ForeignTime>,
    excluded_days: HashSet<NaiveDate>,
}

impl Series {
    pub(super) fn read(events: &[&Component], reader: &EventReader, foreign: &mut ForeignProgram) -> Self {
        let mut series = Self { masters: Vec::new(), replacements: Vec::new() };
        let is_master = |event: &&&Component| event.property("RECURRENCE-ID").is_none();
        let first =
            events.iter().find(is_master).and_then(|event| ics::date_time(event.property("DTSTART")?));
        for event in events {
            let Some((mut session, start)) = reader.event(event, foreign) else { continue };
            let Some(line) = event.property("RECURRENCE-ID") else {
                series.masters.push(Master::read(event, session, start, reader, foreign));
                continue;
            };
            let range = line.parameter("RANGE").unwrap_or_default().to_ascii_uppercase();
            if !["", "THISANDFUTURE"].contains(&range.as_str()) {
                let message = format!("RANGE={range} was read as one time only");
                foreign.notes.add_for(&session.title, message);
            }
            let named = ics::date_time(line).map(|moment| aligned(moment, first.as_ref()));
            let named = named.and_then(|moment| reader.zones.place(&moment, &session.title, foreign));
            match named {
                Some(time) => {
                    let changes_later = range == "THISANDFUTURE";
                    series.replacements.push(Replacement { time, session, changes_later });
                }
                None => {
                    session.identity.push_str(&format!(" {}", line.value.trim()));
                    series.masters.push(Master::alone(session, start));
                }
            }
        }
        series
    }

    fn repeats(&self) -> bool {
        self.masters.iter().any(Master::repeats)
    }

    /// The sessions that replace a time. Of an event that does not repeat, the one time needs no name.
    pub(super) fn replaced(&self) -> Vec<ForeignSession> {
        let alone = !self.repeats() && self.replacements.len() == 1 && !self.masters.is_empty();
        let name = |Replacement { time, session, .. }: &Replacement| match alone {
            true => session.clone(),
            false => ForeignSession { identity: time.name_of(&session.identity), ..session.clone() },
        };
        self.replacements.iter().map(name).collect()
    }

    /// The sessions of all times that nothing replaces. `window` bounds a rule without an end.
    pub(super) fn times(
        self,
        window: Option<(NaiveDateTime, NaiveDateTime)>,
        zones: &Zones,
        foreign: &mut ForeignProgram,
    ) -> Vec<ForeignSession> {
        let repeats = self.repeats();
        let replaced: HashSet<ForeignTime> = self.replacements.iter().map(|one| one.time).collect();
        let mut later: Vec<&Replacement> = self.replacements.iter().filter(|one| one.changes_later).collect();
        later.sort_by_key(|one| one.time);
        let mut sessions = Vec::new();
        for master in self.masters {
            if !repeats {
                let is_replaced = master.session.start.is_some_and(|start| replaced.contains(&start));
                sessions.extend((!is_replaced).then_some(master.session));
                continue;
            }
            let times = master.times(window, zones, foreign);
            for (start, length) in times.into_iter().filter(|(start, _)| !replaced.contains(start)) {
                let changed = later.iter().rfind(|one| one.time <= start).and_then(|one| one.at(start));
                sessions.push(if let Some(changed) = changed {
                    changed
                } else {
                    ForeignSession {
                        identity: start.name_of(&master.session.identity),
                        start: Some(start),
                        end: length.and_then(|length| start.plus(length)),
                        ..master.session.clone()
                    }
                });
            }
        }
        sessions
    }
}

impl Master {
    fn read(
        event: &Component,
        session: ForeignSession,
        start: Option<Moment>,
        reader: &EventReader,
        foreign: &mut ForeignProgram,
    ) -> Self {
        let title = session.title.clone();
        let mut rules = |name: &str, message: &str| {
            let mut rules = Vec::new();
            for line in event.properties(name) {
                match Recurrence::parse(&line.value) {
                    Some(rule) => rules.push(rule),
                    None => foreign.notes.add_for(&format!("{title}: {}", line.value), message),
                }
            }
            rules
        };
        let excluding = rules(
            "EXRULE",
            "an exclusion that is not understood, so its times are imported; cancel them by hand",
        );
        let rules = rules("RRULE", "a repetition that is not understood, so only the first time is imported");
        let mut dates = Vec::new();
        for (moment, length) in event.properties("RDATE").flat_map(moments) {
            let moment = aligned(moment, start.as_ref());
            dates.extend(reader.zones.place(&moment, &title, foreign).map(|time| (time, length)));
        }
        let (mut excluded, mut excluded_days) = (HashSet::new(), HashSet::new());
        for (moment, _) in event.properties("EXDATE").flat_map(moments) {
            match moment {
                Moment::Day(day) if !matches!(start, Some(Moment::Day(_))) => drop(excluded_days.insert(day)),
                moment => {
                    let moment = aligned(moment, start.as_ref());
                    excluded.extend(reader.zones.place(&moment, &title, foreign));
                }
            }
        }
        Self { session, start, rules, excluding, dates, excluded, excluded_days }
    }

    /// An event that does not repeat.
    fn alone(session: ForeignSession, start: Option<Moment>) -> Self {
        let (rules, excluding, dates) = (Vec::new(), Vec::new(), Vec::new());
        let (excluded, excluded_days) = (HashSet::new(), HashSet::new());
        Self { session, start, rules, excluding, dates, excluded, excluded_days }
    }

    fn repeats(&self) -> bool {
        !self.rules.is_empty() || !self.dates.is_empty()
    }

    /// The times that rules exclude.
    fn excluded_by_rules(
        &self,
        start: &Moment,
        window: Option<(NaiveDateTime, NaiveDateTime)>,
        zones: &Zones,
        foreign: &mut ForeignProgram,
    ) -> HashSet<ForeignTime> {
        let mut excluded = HashSet::new();
        for rule in &self.excluding {
            let bounds = window.filter(|_| !rule.is_finite()).unwrap_or((start.civil(), end_of(rule)));
            for civil in rule.excluded(start.civil(), bounds, MAX_TIMES) {
                let time = zones.place(&start.at(civil), &self.session.title, foreign);
                excluded.extend(time.filter(|time| rule.is_before_end(civil, time.in_utc())));
            }
        }
        excluded
    }

    /// The times and lengths of the session.
    fn times(
        &self,
        window: Option<(NaiveDateTime, NaiveDateTime)>,
        zones: &Zones,
        foreign: &mut ForeignProgram,
    ) -> Vec<(ForeignTime, Option<TimeDelta>)> {
        let (Some(start), Some(first)) = (&self.start, self.session.start) else { return Vec::new() };
        let length = self.session.end.and_then(|end| end.since(first));
        let mut seen = BTreeSet::new();
        let mut found = Vec::new();
        let mut unmatched = self.excluded.clone();
        let by_rules = self.excluded_by_rules(start, window, zones, foreign);
        let mut add = |time: ForeignTime, civil: NaiveDateTime, length| {
            unmatched.remove(&time);
            let is_excluded = self.excluded.contains(&time)
                || self.excluded_days.contains(&civil.date())
                || by_rules.contains(&time);
            if !is_excluded && seen.insert(time) {
                found.push((time, length));
            }
        };
        // An old meeting that repeats for ever started long before the conference.
        let is_outside =
            |(from, last): (NaiveDateTime, NaiveDateTime)| start.civil() < from || start.civil() > last;
        let is_endless = self.rules.iter().any(|rule| !rule.is_finite());
        if !(is_endless && window.is_some_and(is_outside)) {
            add(first, start.civil(), length);
        }
        for rule in &self.rules {
            let bounds = match (rule.is_finite(), window) {
                (true, _) => (start.civil(), end_of(rule)),
                (false, Some(window)) => window,
                (false, None) => {
                    let message = "a repetition without an end, in a file without other dates: only the first time is imported";
                    foreign.notes.add_for(&self.session.title, message);
                    continue;
                }
            };
            if !rule.is_finite() {
                let message =
                    "a repetition without an end is imported within the dates of the other sessions";
                foreign.notes.add_for(&self.session.title, message);
            }
            let times = rule.times(start.civil(), bounds, MAX_TIMES);
            if times.len() == MAX_TIMES {
                foreign.notes.add_for(
                    &self.session.title,
                    format!("only {MAX_TIMES} times of a repetition are imported"),
                );
            }
            for civil in times {
                let moment = start.at(civil);
                let Some(time) = zones.place(&moment, &self.session.title, foreign) else { break };
                if !rule.is_before_end(civil, time.in_utc()) {
                    break;
                }
                add(time, civil, length);
            }
        }
        for (time, own) in &self.dates {
            let civil = match time {
                ForeignTime::Instant(at) => at.naive_utc(),
                ForeignTime::Civil(civil) => *civil,
            };
            add(*time, civil, own.or(length));
        }
        if !is_endless && !unmatched.is_empty() && found.len() < MAX_TIMES {
            let message = "an exclusion (EXDATE) names no time of its repetition, so it excludes nothing";
            foreign.notes.add_for(&self.session.title, message);
        }
        found
    }
}

/// The end of the last day of a rule with an UNTIL.
fn end_of(rule: &Recurrence) -> NaiveDateTime {
    let last = rule.last_day().and_then(|day| day.succ_opt()?.and_hms_opt(23, 59, 59));
    last.unwrap_or(NaiveDateTime::MAX)
}

/// A moment that names a time of a series, in the form of the series' start. Exchange and others write the time without
/// the zone of the start, or only its day.
fn aligned(moment: Moment, start: Option<&Moment>) -> Moment {
    match (moment, start) {
        (Moment::Floating(civil), Some(start @ (Moment::Zoned(..) | Moment::Utc(_)))) => start.at(civil),
        (Moment::Day(day), Some(start)) if !matches!(start, Moment::Day(_)) => {
            start.at(day.and_time(start.civil().time()))
        }
        (moment, _) => moment,
    }
}

/// The moments of an RDATE or EXDATE, with the length of each period (3.3.9).
fn moments(line: &Line) -> Vec<(Moment, Option<TimeDelta>)> {
    let part = |raw: &str| {
        let (first, rest) =
            raw.trim().split_once('/').map_or((raw.trim(), None), |(first, rest)| (first, Some(rest)));
        let moment = |raw: &str| ics::date_time(&Line { value: raw.to_owned(), ..line.clone() });
        let start = moment(first)?;
        let length = rest.and_then(|rest| {
            ics::duration(rest).or_else(|| Some(moment(rest)?.civil().signed_duration_since(start.civil())))
        });
        Some((start, length))
    };
    ics::list(&line.value).into_iter().filter_map(part).collect()
}

/// The days from the first to the last session that is not of a rule without an end.
pub(super) fn span(
    sessions: &[ForeignSession],
    series: &[(Series, Zones)],
) -> Option<(NaiveDateTime, NaiveDateTime)> {
    let endless = |master: &Master| master.rules.iter().any(|rule| !rule.is_finite());
    let masters = series.iter().flat_map(|(series, _)| &series.masters).filter(|master| !endless(master));
    let known = sessions.iter().chain(masters.map(|master| &master.session));
    let civil = |time: ForeignTime| match time {
        ForeignTime::Instant(at) => at.naive_utc(),
        ForeignTime::Civil(civil) => civil,
    };
    let times: Vec<NaiveDateTime> =
        known.flat_map(|session| [session.start, session.end]).flatten().map(civil).collect();
    let (first, last) = (times.iter().min()?, times.iter().max()?);
    Some((first.date().and_time(NaiveTime::MIN), last.date().and_hms_opt(23, 59, 59)?))
}
