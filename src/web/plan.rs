//! An agenda day by day: its sessions, their overlaps and changes, and the free time between them.

use super::card::Card;
use super::site::Site;
use super::text::fill;
use crate::agenda::{Agenda, Item};
use crate::program::SessionId;
use crate::revision::Entry;
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};

/// A day with picks.
#[derive(Debug)]
pub(super) struct PlanDay<'a> {
    pub date: NaiveDate,
    pub heading: String,
    pub zone: String,
    pub items: Vec<PlanItem<'a>>,
}

/// A pick, or the time between two.
#[derive(Debug, Default)]
pub(super) struct PlanItem<'a> {
    pub card: Option<Card<'a>>,
    pub label: String,
    /// `Free 10:30–11:00 am: Coffee and Tea Break`
    pub gap: Option<String>,
    /// Its overlaps, in words.
    pub clash: Option<String>,
    /// The sessions that the button that keeps this one removes.
    pub others: Vec<SessionId>,
    /// A word beside its time: it changed, or both agendas contain it.
    pub mark: &'static str,
}

/// The most breaks and meals that are listed for one gap.
const MOST_OFFERED: usize = 6;

/// A shorter time between two picks is not shown as free.
const LEAST_GAP: TimeDelta = TimeDelta::minutes(15);

/// The days of an agenda. `mark` gives the word beside a pick.
pub(super) fn plan<'a>(
    site: &Site<'a>,
    agenda: &Agenda<'a>,
    mark: impl Fn(&Item<'a>) -> &'static str,
) -> Vec<PlanDay<'a>> {
    let date = |item: &Item<'_>| site.when.date(item.session().slot.start);
    let day = |items: &[Item<'a>]| {
        let first = items.first()?.session().slot.start;
        let date = site.when.date(first);
        let mut lines: Vec<PlanItem<'a>> = Vec::new();
        let mut busy_until: Option<DateTime<Utc>> = None;
        for item in items {
            let slot = &item.session().slot;
            if let Some(from) = busy_until.filter(|from| slot.start - *from >= LEAST_GAP) {
                let gap = Some(gap(site, from, slot.start));
                lines.push(PlanItem { gap, ..PlanItem::default() });
            }
            busy_until = busy_until.max(Some(slot.end));
            lines.push(line(site, item, mark(item)));
        }
        Some(PlanDay {
            date,
            heading: site.when.day(date),
            zone: site.when.zone.abbreviation(first),
            items: lines,
        })
    };
    agenda.items.chunk_by(|a, b| date(a) == date(b)).filter_map(day).collect()
}

fn line<'a>(site: &Site<'a>, item: &Item<'a>, mark: &'static str) -> PlanItem<'a> {
    let slot = &item.session().slot;
    let said = |other: &&Entry| {
        let range = site.when.range(other.session.slot.start, other.session.slot.end);
        format!("“{}” ({range})", other.session.title)
    };
    let others = site.listed(item.clashes.iter().map(said), item.more_clashes);
    let clash = fill(site.words.clash, &[("other", &others)]);
    // The button must remove every overlapping session, so it is left out where not all of them are known here.
    let others = item.clashes.iter().filter(|_| item.more_clashes == 0).map(|other| other.session.id.clone());
    PlanItem {
        card: Some(Card::of(site, item.entry)),
        label: site.when.time(slot.start),
        gap: None,
        clash: item.clashes().then_some(clash),
        others: others.collect(),
        mark,
    }
}

/// Free time in words, with the breaks, meals and parties during it.
fn gap(site: &Site<'_>, from: DateTime<Utc>, to: DateTime<Utc>) -> String {
    let free = fill(site.words.free_range, &[("range", &site.when.range(from, to))]);
    let offered = site.release.pauses((from, to), MOST_OFFERED);
    if offered.first.is_empty() {
        return free;
    }
    let said = offered.first.iter().map(|entry| {
        let slot = &entry.session.slot;
        format!("{} {}", entry.session.title, site.when.range(slot.start, slot.end))
    });
    format!("{free}: {}", site.listed(said, offered.more))
}
