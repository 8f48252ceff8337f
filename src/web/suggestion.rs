//! The page that suggests which picks to attend, day by day: the choice, what was left out and what it would cost, and
//! the owner's busy times. Only its buttons change the agenda.

use super::agendas::AgendaDone;
use super::card::Card;
use super::plan::{MIN_GAP, RankView, gap};
use super::site::{Head, Site};
use super::when::{TextSegment, When, segments};
use super::write;
use crate::agenda::{
    Busy, Cost, LeftOut, LeftOutReason, PickWeight, Preferences, Suggestion, next_in_room, suggest,
};
use crate::program::{Rank, SessionId};
use crate::release::Release;
use crate::revision::Entry;
use askama::Template;
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use std::collections::{BTreeMap, BTreeSet};

/// The input of the page.
#[derive(Debug, Clone)]
pub struct PlanForm<'a> {
    /// The picks.
    pub picks: &'a [SessionId],
    /// The ranks of picks other than [`Rank::Want`].
    pub ranks: &'a BTreeMap<SessionId, Rank>,
    /// The owner's busy times, sorted.
    pub busy: &'a [Busy],
    /// The only day to show.
    pub day: Option<NaiveDate>,
    /// The form that redirected to the page.
    pub done: Option<AgendaDone>,
    /// The result of an uploaded calendar.
    pub uploaded: Option<UploadedBusy>,
    /// The form for a busy time, if it was refused.
    pub refused_busy: Option<BusyForm<'a>>,
}

/// The fields of the form for a busy time, as the visitor filled them in.
#[derive(Debug, Clone, Copy, Default)]
pub struct BusyForm<'a> {
    /// The day.
    pub date: Option<NaiveDate>,
    /// The time of its start.
    pub from: &'a str,
    /// The time of its end.
    pub to: &'a str,
    /// Its name.
    pub label: &'a str,
}

/// The result of an uploaded calendar.
#[derive(Debug, Clone, Copy)]
pub struct UploadedBusy {
    /// The number of busy times in it.
    pub times: u32,
    /// The number of events that were not read.
    pub skipped: u32,
}

#[derive(Template)]
#[template(path = "suggestion.html")]
struct SuggestionPage<'a> {
    site: Site<'a>,
    head: Head,
    done: (&'static str, String),
    is_empty: bool,
    counts: String,
    is_exact: bool,
    /// The day of the page, for its forms; none for all days.
    only: Option<NaiveDate>,
    days: Vec<SuggestedDay<'a>>,
    busy: Vec<BusyView>,
    /// The days of the conference, for the form.
    dates: Vec<(NaiveDate, String, bool)>,
    typed: BusyForm<'a>,
    bad_busy: &'static str,
}

struct SuggestedDay<'a> {
    date: NaiveDate,
    heading: String,
    zone: String,
    lines: Vec<SuggestedLine<'a>>,
    left_out: Vec<LeftOutView<'a>>,
    remove: String,
}

/// A chosen session, a busy time, or the free time between two of them.
#[derive(Default)]
struct SuggestedLine<'a> {
    label: String,
    start: String,
    card: Option<Card<'a>>,
    rank: Option<RankView>,
    /// `10 minutes to walk`
    walk: Option<String>,
    next: Option<NextView<'a>>,
    busy: Option<(Vec<TextSegment>, String)>,
    gap: Option<Vec<TextSegment>>,
}

struct NextView<'a> {
    label: String,
    session: &'a SessionId,
    title: &'a str,
    time: Vec<TextSegment>,
}

struct LeftOutView<'a> {
    card: Card<'a>,
    rank: RankView,
    reason: Vec<TextSegment>,
    cost: String,
    /// The sessions that the button removes, so that this one can be attended.
    skip: Vec<&'a SessionId>,
    attend: String,
    again: Vec<Card<'a>>,
    instead: Vec<Card<'a>>,
}

struct BusyView {
    range: Vec<TextSegment>,
    label: String,
    value: String,
}

/// `/agenda/plan` for the agenda's owner.
pub fn plan(release: &Release, plan: &PlanForm<'_>) -> String {
    let site = Site::of(release);
    let preferences = Preferences { picks: plan.picks, ranks: plan.ranks, busy: plan.busy };
    let suggestion = suggest(&preferences, release);
    let timed = suggestion.chosen.len() + suggestion.left_out.len();
    let view = PlanView { site: &site, plan, suggestion: &suggestion };
    let days = view.days();
    let words = site.words;
    let uploaded = plan.uploaded.map(|it| {
        let skipped = if it.skipped > 0 { words.busy_skipped(it.skipped) } else { String::new() };
        format!("{} {skipped}", words.done_busy_read(it.times)).trim().to_owned()
    });
    let done = plan.done.map(|done| {
        let text = uploaded.unwrap_or_else(|| done.text(words).to_owned());
        (done.section(), text)
    });
    let counts = match suggestion.left_out.len() {
        0 => words.plan_all_fit.to_owned(),
        _ => words.plan_counts(suggestion.chosen.len(), timed),
    };
    let dates = release.ledger.slugs.days.iter();
    let typed = plan.refused_busy.unwrap_or(BusyForm { date: plan.day, ..BusyForm::default() });
    let dates = dates.map(|day| (*day, site.when.day(*day), typed.date == Some(*day))).collect();
    write(&SuggestionPage {
        head: Head::secret(&site, words.suggest).at("agenda"),
        done: done.unwrap_or_default(),
        is_empty: timed + suggestion.aside.len() == 0,
        counts,
        is_exact: suggestion.is_exact,
        only: plan.day.filter(|day| days.iter().any(|shown| shown.date == *day)),
        days,
        busy: plan.busy.iter().map(|busy| view.busy(busy)).collect(),
        dates,
        typed,
        bad_busy: if plan.refused_busy.is_some() { words.busy_wrong } else { "" },
        site: site.clone(),
    })
}

struct PlanView<'p, 'a> {
    site: &'p Site<'a>,
    plan: &'p PlanForm<'p>,
    suggestion: &'p Suggestion<'a>,
}

impl<'a> PlanView<'_, 'a> {
    fn days(&self) -> Vec<SuggestedDay<'a>> {
        let date = |at: DateTime<Utc>| self.site.when.date(at);
        let of = |entry: &&Entry| date(entry.session.slot.start);
        let Suggestion { chosen, left_out, aside, .. } = self.suggestion;
        let mut dates: BTreeSet<NaiveDate> = chosen.iter().chain(aside).map(of).collect();
        dates.extend(left_out.iter().map(|left| of(&left.entry)));
        let shown = |day: &NaiveDate| self.plan.day.is_none_or(|only| only == *day || !dates.contains(&only));
        dates.iter().filter(|day| shown(day)).map(|day| self.day(*day)).collect()
    }

    fn day(&self, day: NaiveDate) -> SuggestedDay<'a> {
        let words = self.site.words;
        let is_today = |at: DateTime<Utc>| self.site.when.date(at) == day;
        let left_out: Vec<LeftOutView<'a>> = self
            .suggestion
            .left_out
            .iter()
            .filter(|left| is_today(left.entry.session.slot.start))
            .map(|left| self.left_out(left))
            .collect();
        let lines = self.lines(&is_today);
        let first =
            self.suggestion.chosen.iter().chain(&self.suggestion.aside).map(|entry| entry.session.slot.start);
        let at = first.chain(self.suggestion.left_out.iter().map(|left| left.entry.session.slot.start));
        SuggestedDay {
            date: day,
            heading: self.site.when.day(day),
            zone: at
                .into_iter()
                .find(|at| is_today(*at))
                .map(|at| self.site.when.zone.abbreviation(at))
                .unwrap_or_default(),
            lines,
            remove: words.plan_remove(left_out.len()),
            left_out,
        }
    }

    fn lines(&self, is_today: &impl Fn(DateTime<Utc>) -> bool) -> Vec<SuggestedLine<'a>> {
        enum DayItem<'b, 'a> {
            Session(&'a Entry),
            Busy(&'b Busy),
        }
        let Suggestion { chosen, aside, .. } = self.suggestion;
        let sessions = chosen.iter().chain(aside).filter(|entry| is_today(entry.session.slot.start));
        let mut moments: Vec<(DateTime<Utc>, DateTime<Utc>, DayItem<'_, 'a>)> = sessions
            .map(|entry| (entry.session.slot.start, entry.session.slot.end, DayItem::Session(entry)))
            .chain(
                self.plan
                    .busy
                    .iter()
                    .filter(|busy| is_today(busy.start))
                    .map(|busy| (busy.start, busy.end, DayItem::Busy(busy))),
            )
            .collect();
        moments.sort_by_key(|(start, end, _)| (*start, *end));
        let mut lines: Vec<SuggestedLine<'a>> = Vec::new();
        let mut busy_until: Option<DateTime<Utc>> = None;
        for (start, end, moment) in moments {
            if let Some(from) = busy_until.filter(|from| start - *from >= MIN_GAP) {
                lines.push(SuggestedLine {
                    gap: Some(gap(self.site, from, start)),
                    ..SuggestedLine::default()
                });
            }
            busy_until = busy_until.max(Some(end));
            let line = SuggestedLine {
                label: self.site.when.time(start),
                start: When::iso(start),
                ..SuggestedLine::default()
            };
            lines.push(match moment {
                DayItem::Busy(busy) => SuggestedLine {
                    busy: Some((vec![self.site.when.range_segment(start, end)], self.busy_name(busy))),
                    ..line
                },
                DayItem::Session(entry) => SuggestedLine {
                    card: Some(Card::of(self.site, entry)),
                    rank: chosen.iter().any(|it| it.number == entry.number).then(|| self.rank(entry)),
                    walk: self.walk_to(entry),
                    next: self.next(entry),
                    ..line
                },
            });
        }
        lines
    }

    fn rank(&self, entry: &Entry) -> RankView {
        let rank = self.plan.ranks.get(&entry.session.id).copied().unwrap_or(Rank::Want);
        RankView::of(self.site.words, rank)
    }

    fn busy_name(&self, busy: &Busy) -> String {
        if busy.label.is_empty() { self.site.words.busy.to_owned() } else { busy.label.clone() }
    }

    fn busy(&self, busy: &Busy) -> BusyView {
        let when = self.site.when;
        let label = busy.label.clone();
        let range = vec![
            TextSegment::plain(format!("{}, ", when.short_day(when.civil_date(busy.start)))),
            when.range_segment(busy.start, busy.end),
        ];
        BusyView { range, label, value: format!("{}/{}", busy.start.timestamp(), busy.end.timestamp()) }
    }

    /// The walk from the chosen session before a session.
    fn walk_to(&self, entry: &Entry) -> Option<String> {
        let chosen = &self.suggestion.chosen;
        let place = chosen.iter().position(|it| it.number == entry.number)?;
        let before = chosen.get(place.checked_sub(1)?)?;
        let date = |entry: &Entry| self.site.when.date(entry.session.slot.start);
        let slugs = &self.site.release.ledger.slugs;
        let room = |entry: &Entry| slugs.room_slug(entry.session.slot.room.as_ref()?).cloned();
        let way = self.site.release.walking().between(room(before).as_ref(), room(entry).as_ref());
        // Half minutes are rounded up.
        let whole = TimeDelta::minutes((way.num_seconds() + 59) / 60);
        (whole > TimeDelta::zero() && date(before) == date(entry))
            .then(|| self.site.words.walk(&self.site.when.length(whole)))
    }

    fn next(&self, entry: &'a Entry) -> Option<NextView<'a>> {
        let next = next_in_room(entry, self.site.release)?;
        let room = entry.session.slot.room.as_ref()?;
        Some(NextView {
            label: self.site.words.next_in(room.as_str()),
            session: &next.session.id,
            title: next.session.title.as_str(),
            time: vec![self.site.when.time_segment(next.session.slot.start)],
        })
    }

    fn left_out(&self, left: &LeftOut<'a>) -> LeftOutView<'a> {
        let words = self.site.words;
        let (reason, cost) = match &left.reason {
            LeftOutReason::Busy(busy) if busy.label.is_empty() => {
                (vec![TextSegment::plain(words.left_busy)], None)
            }
            LeftOutReason::Busy(busy) => (vec![TextSegment::plain(words.left_busy_with(&busy.label))], None),
            LeftOutReason::Repeat(other, cost) => {
                let at = vec![self.site.when.moment_segment(other.session.slot.start)];
                (segments(|[at]| words.left_repeat(at), [at]), Some(cost))
            }
            // A search that reached its limit may leave out a session that fits.
            LeftOutReason::Outweighed(cost) if cost.goes.is_empty() => (Vec::new(), Some(cost)),
            LeftOutReason::Outweighed(cost) => {
                (vec![TextSegment::plain(words.left_for(&self.titles(&cost.goes)))], Some(cost))
            }
        };
        let skip: Vec<&SessionId> =
            cost.map(|cost| cost.goes.iter().map(|entry| &entry.session.id).collect()).unwrap_or_default();
        LeftOutView {
            card: Card::of(self.site, left.entry),
            rank: self.rank(left.entry),
            reason,
            cost: cost.map(|cost| self.cost(cost)).unwrap_or_default(),
            attend: words.plan_attend_instead(skip.len()),
            skip,
            again: left.again.iter().map(|entry| Card::of(self.site, entry)).collect(),
            instead: left.instead.iter().map(|entry| Card::of(self.site, entry)).collect(),
        }
    }

    fn titles(&self, entries: &[&Entry]) -> String {
        let titles: Vec<String> =
            entries.iter().map(|entry| self.site.words.quoted(entry.session.title.as_str())).collect();
        self.site.words.list(&titles)
    }

    /// `You would see 1 must-see session less and 2 want-to-see sessions more, with “C”.`
    fn cost(&self, cost: &Cost<'_>) -> String {
        let words = self.site.words;
        let PickWeight { musts, wants, maybes } = cost.price;
        let mut parts: Vec<String> = Vec::new();
        let [musts, wants, maybes] = [musts, wants, maybes].map(i64::from);
        for (price, less, more) in [
            (musts, words.fewer_musts(musts), String::new()),
            (wants, words.fewer_wants(wants), words.more_wants(wants.saturating_neg())),
            (maybes, words.fewer_maybes(maybes), words.more_maybes(maybes.saturating_neg())),
        ] {
            match price {
                0 => {}
                1.. => parts.push(less),
                _ => parts.push(more),
            }
        }
        let price =
            if parts.is_empty() { words.cost_nothing.to_owned() } else { words.cost(&words.list(&parts)) };
        match cost.comes.is_empty() {
            true => price,
            false => format!("{price} {}", words.cost_comes(&self.titles(&cost.comes))),
        }
    }
}
