//! An agenda day by day: its sessions, their overlaps and changes, and the free time between them.

use super::card::Card;
use super::site::Site;
use super::when::{TextSegment, segments};
use crate::agenda::{Agenda, AgendaItem};
use crate::program::{Rank, SessionId};
use crate::texts::Texts;
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};

/// A day with picks.
#[derive(Debug)]
pub(super) struct PlanDay<'a> {
    pub date: NaiveDate,
    pub heading: String,
    pub short: String,
    pub zone: String,
    pub items: Vec<PlanItem<'a>>,
}

/// A pick, or the free time between two picks.
#[derive(Debug, Default)]
pub(super) struct PlanItem<'a> {
    pub card: Option<Card<'a>>,
    pub label: String,
    /// `Free 10:30–11:00 am: Coffee and Tea Break`
    pub gap: Option<Vec<TextSegment>>,
    /// The overlaps of the pick, in words.
    pub clash: Option<String>,
    /// How many overlapping picks a wide window shows beside one another; 1 if the pick overlaps none.
    pub columns: usize,
    /// The overlapping sessions, which the button that keeps this session removes.
    pub others: Vec<SessionId>,
    /// The rank of the pick, on the owner's page.
    pub rank: Option<RankView>,
    /// A word beside the time: the session changed, or both agendas contain it.
    pub mark: &'static str,
}

/// The rank of a pick, and the buttons that change it.
#[derive(Debug, Clone)]
pub(super) struct RankView {
    pub name: &'static str,
    pub choices: Vec<RankChoice>,
}

/// A button of the rank control.
#[derive(Debug, Clone)]
pub(super) struct RankChoice {
    pub rank: &'static str,
    pub name: &'static str,
    pub is_current: bool,
}

impl RankView {
    pub(super) fn of(words: &Texts, current: Rank) -> Self {
        let name = |rank: Rank| match rank {
            Rank::Must => words.rank_must,
            Rank::Want => words.rank_want,
            Rank::Maybe => words.rank_maybe,
        };
        let choice =
            |rank: &Rank| RankChoice { rank: rank.as_str(), name: name(*rank), is_current: *rank == current };
        Self { name: name(current), choices: Rank::ALL.iter().map(choice).collect() }
    }
}

/// The most breaks and meals that are listed for one gap.
const MAX_OFFERED: usize = 6;

/// The shortest time between two picks that is shown as free.
pub(super) const MIN_GAP: TimeDelta = TimeDelta::minutes(15);

/// The days of an agenda. `mark` returns the word beside a pick.
pub(super) fn plan<'a>(
    site: &Site<'a>,
    agenda: &Agenda<'a>,
    mark: impl Fn(&AgendaItem<'a>) -> &'static str,
) -> Vec<PlanDay<'a>> {
    let date = |item: &AgendaItem<'_>| site.when.date(item.session().slot.start);
    let day = |items: &[AgendaItem<'a>]| {
        let first = items.first()?.session().slot.start;
        let date = site.when.date(first);
        let mut lines: Vec<PlanItem<'a>> = Vec::new();
        let mut busy_until: Option<DateTime<Utc>> = None;
        for item in items {
            let slot = &item.session().slot;
            if let Some(from) = busy_until.filter(|from| slot.start - *from >= MIN_GAP) {
                let gap = Some(gap(site, from, slot.start));
                lines.push(PlanItem { gap, ..PlanItem::default() });
            }
            busy_until = busy_until.max(Some(slot.end));
            lines.push(line(site, item, mark(item)));
        }
        set_columns(&mut lines);
        Some(PlanDay {
            date,
            heading: site.words.day_heading(date),
            short: site.when.short_day(date),
            zone: site.when.zone_names(first, busy_until.unwrap_or(first)),
            items: lines,
        })
    };
    agenda.items.chunk_by(|a, b| date(a) == date(b)).filter_map(day).collect()
}

/// Sets the columns of picks that overlap, directly or through others.
fn set_columns(lines: &mut [PlanItem<'_>]) {
    let slot = |line: &PlanItem<'_>| {
        let card = line.card.as_ref().filter(|_| line.clash.is_some());
        card.map(|card| (card.session.slot.start, card.session.slot.end))
    };
    let mut until: Option<DateTime<Utc>> = None;
    let together = |line: &PlanItem<'_>, next: &PlanItem<'_>| {
        until = until.max(slot(line).map(|(_, end)| end));
        let is_together = slot(next).zip(until).is_some_and(|((start, _), until)| start < until);
        if !is_together {
            until = None;
        }
        is_together
    };
    for group in lines.chunk_by_mut(together) {
        let columns = match group.len() {
            1 => 1,
            n if n % 3 == 0 => 3,
            _ => 2,
        };
        group.iter_mut().for_each(|line| line.columns = columns);
    }
}

fn line<'a>(site: &Site<'a>, item: &AgendaItem<'a>, mark: &'static str) -> PlanItem<'a> {
    let slot = &item.session().slot;
    // The button must remove every overlapping session, so it is left out if not all of them are listed here.
    let others =
        item.overlaps.iter().filter(|_| item.more_overlaps == 0).map(|other| other.session.id.clone());
    PlanItem {
        card: Some(Card::of(site, item.entry)),
        label: site.when.time(slot.start),
        gap: None,
        clash: site.overlaps(item),
        others: others.collect(),
        columns: 1,
        rank: None,
        mark,
    }
}

/// Free time in words, with the breaks, meals and parties during it.
pub(super) fn gap(site: &Site<'_>, from: DateTime<Utc>, to: DateTime<Utc>) -> Vec<TextSegment> {
    let offered = site.release.pauses((from, to), MAX_OFFERED);
    let range = |from, to| vec![site.when.range_segment(from, to)];
    // `Free 11:45 am–12:35 pm, then lunch until 1:50 pm`
    if let ([only], 0) = (offered.first.as_slice(), offered.more) {
        let slot = &only.session.slot;
        if from < slot.start && slot.end >= to - MIN_GAP {
            let what = vec![TextSegment::plain(only.session.title.as_str())];
            let values = [range(from, slot.start), what, vec![site.when.time_segment(slot.end)]];
            return segments(|[range, what, until]| site.words.free_then(range, what, until), values);
        }
    }
    let mut line = segments(|[range]| site.words.free_range(range), [range(from, to)]);
    for (place, entry) in offered.first.iter().enumerate() {
        let slot = &entry.session.slot;
        let before = if place == 0 { ": " } else { ", " };
        line.push(TextSegment::plain(format!("{before}{} ", entry.session.title)));
        line.push(site.when.range_segment(slot.start, slot.end));
    }
    if offered.more > 0 {
        line.push(TextSegment::plain(format!(" {}", site.words.and_more(offered.more))));
    }
    line
}
