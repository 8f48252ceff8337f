//! Evaluates VTIMEZONE (RFC 5545, 3.6.5).

use super::line::date_time;
use super::value::{list, offset};
use super::{Component, Recurrence};
use chrono::{DateTime, Months, NaiveDateTime, TimeDelta, Utc};

/// The rules of a VTIMEZONE.
#[derive(Debug)]
pub struct ZoneRules {
    observances: Vec<Observance>,
    /// Whether a part of the VTIMEZONE has no readable onset or offset.
    is_broken: bool,
}

/// A STANDARD or DAYLIGHT component.
#[derive(Debug)]
struct Observance {
    onset: NaiveDateTime,
    from: i32,
    to: i32,
    rule: OnsetRule,
    dated: Vec<NaiveDateTime>,
}

#[derive(Debug)]
enum OnsetRule {
    None,
    Repeats(Box<Recurrence>),
    /// The rule cannot be read. The instant is its UNTIL, if that can be read.
    Unreadable(Option<DateTime<Utc>>),
}

impl ZoneRules {
    /// The rules of a VTIMEZONE.
    pub fn of(zone: &Component) -> Self {
        let mut rules = Self { observances: Vec::new(), is_broken: false };
        for component in &zone.components {
            let onset = component.property("DTSTART").and_then(date_time).map(|moment| moment.civil());
            let shift = |name| component.property(name).and_then(|line| offset(line.value.trim()));
            let (Some(onset), Some(from), Some(to)) = (onset, shift("TZOFFSETFROM"), shift("TZOFFSETTO"))
            else {
                rules.is_broken = true;
                continue;
            };
            let rule = match component.property("RRULE") {
                None => OnsetRule::None,
                Some(line) => Recurrence::parse(&line.value).map_or_else(
                    || OnsetRule::Unreadable(unreadable_end(&line.value)),
                    |rule| OnsetRule::Repeats(Box::new(rule)),
                ),
            };
            let dates = component.properties("RDATE").flat_map(|line| list(&line.value));
            let dated = dates.filter_map(|raw| {
                let raw = raw.split('/').next().unwrap_or(raw);
                NaiveDateTime::parse_from_str(raw.trim(), "%Y%m%dT%H%M%S").ok()
            });
            let dated = dated.collect();
            rules.observances.push(Observance { onset, from, to, rule, dated });
        }
        rules
    }

    /// Seconds east of UTC at a civil time; none if the VTIMEZONE does not say it, since it has no rule, or a rule that
    /// cannot be read may apply.
    pub fn offset(&self, civil: NaiveDateTime) -> Option<i32> {
        if self.is_broken {
            return None;
        }
        let last = self.observances.iter().filter_map(|one| Some((one.last_onset(civil)?, one.to)));
        let first = || self.observances.iter().min_by_key(|one| one.onset).map(|one| one.from);
        let found = last.max_by_key(|(onset, _)| *onset).map(|(_, to)| to).or_else(first)?;
        let contradicts = |one: &Observance| match &one.rule {
            OnsetRule::Unreadable(end) => {
                one.to != found && one.onset <= civil && end.is_none_or(|end| civil.and_utc() <= end)
            }
            OnsetRule::None | OnsetRule::Repeats(_) => false,
        };
        (!self.observances.iter().any(contradicts)).then_some(found)
    }
}

/// The UNTIL of a rule that cannot be read as a whole.
fn unreadable_end(rule: &str) -> Option<DateTime<Utc>> {
    let until = rule.split(';').find_map(|part| part.trim().strip_prefix("UNTIL="))?;
    let civil = NaiveDateTime::parse_from_str(until.trim_end_matches('Z'), "%Y%m%dT%H%M%S").ok()?;
    Some(civil.and_utc())
}

impl Observance {
    /// The last onset at or before a civil time.
    fn last_onset(&self, civil: NaiveDateTime) -> Option<NaiveDateTime> {
        let mut onsets = vec![self.onset];
        onsets.extend(&self.dated);
        if let OnsetRule::Repeats(rule) = &self.rule {
            onsets.extend(self.last_repeat(rule, civil));
        }
        onsets.into_iter().filter(|onset| *onset <= civil).max()
    }

    fn last_repeat(&self, rule: &Recurrence, civil: NaiveDateTime) -> Option<NaiveDateTime> {
        let until = rule.last_day().and_then(|day| day.succ_opt()?.and_hms_opt(23, 59, 59));
        let last = until.map_or(civil, |until| until.min(civil));
        // Most rules repeat each year; one for the fifth Sunday of a month may pause for longer.
        [2, 40].into_iter().find_map(|years| {
            let from = last.checked_sub_months(Months::new(12 * years))?;
            let onsets = rule.times(self.onset, (from, last), usize::MAX);
            onsets.into_iter().rfind(|onset| {
                let at = onset.and_utc() - TimeDelta::seconds(i64::from(self.from));
                rule.is_before_end(*onset, at)
            })
        })
    }
}
