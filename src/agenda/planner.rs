//! Suggests which picks to attend: a choice without overlaps, with time to walk between rooms.
//!
//! Owns the rules of a suggestion: breaks, meals and cancelled sessions take no time, the attendee's busy times cannot be
//! moved, and one of several times of a talk is enough. Two sessions are times of one talk if they have the same title
//! and the same speakers, and at least one speaker: program files do not mark repeats. Changes nothing.
//!
//! Invariant: the order of the picks does not change the suggestion.

mod search;

pub use search::PickWeight;

use super::takes_time;
use crate::program::{Rank, Session, SessionId, Slug};
use crate::release::Release;
use crate::revision::Entry;
use chrono::{DateTime, TimeDelta, Utc};
use search::{PickCandidate, search};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// The most busy times of an agenda.
pub const MAX_BUSY: usize = 200;

/// The most steps of all searches with repeated talks, about 3 ms (2026).
const MAX_STEPS: usize = 250_000;

/// The most other sessions that are offered in place of one.
const MAX_OFFERED: usize = 3;

/// The most parallel sessions that are looked at for each session that was left out.
const MAX_COMPARED: usize = 24;

/// A time at which the attendee is busy.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Busy {
    /// The first instant.
    pub start: DateTime<Utc>,
    /// The first instant after it, later than `start`.
    pub end: DateTime<Utc>,
    /// The attendee's name for it; may be empty.
    pub label: String,
}

/// The picks, ranks and busy times of an attendee.
#[derive(Debug, Clone, Copy)]
pub struct Preferences<'a> {
    /// The picks, in any order.
    pub picks: &'a [SessionId],
    /// The ranks of picks other than [`Rank::Want`].
    pub ranks: &'a BTreeMap<SessionId, Rank>,
    /// The times that are taken already.
    pub busy: &'a [Busy],
}

/// A choice without overlaps.
#[derive(Debug)]
pub struct Suggestion<'a> {
    /// The chosen picks, by time.
    pub chosen: Vec<&'a Entry>,
    /// The picks that were left out, in program order.
    pub left_out: Vec<LeftOut<'a>>,
    /// The picked breaks, meals and cancelled sessions, in program order. They take no time.
    pub aside: Vec<&'a Entry>,
    /// How many sessions of each rank were chosen.
    pub weight: PickWeight,
    /// Whether every combination of repeated talks was compared. If not, a better choice may exist.
    pub is_exact: bool,
}

/// A pick that was left out.
#[derive(Debug)]
pub struct LeftOut<'a> {
    /// The session.
    pub entry: &'a Entry,
    /// Why it was left out.
    pub reason: LeftOutReason<'a>,
    /// Other times of the same talk that fit the choice and are not picked, by time.
    pub again: Vec<&'a Entry>,
    /// Sessions at the same time that fit the choice and are not picked, in program order.
    pub instead: Vec<&'a Entry>,
}

/// Why a pick was left out.
#[derive(Debug)]
pub enum LeftOutReason<'a> {
    /// The attendee is busy, or cannot be there in time.
    Busy(Busy),
    /// Another time of the same talk was chosen.
    Repeat(&'a Entry, Cost<'a>),
    /// The best choice with the session is worth less, or only as much.
    Outweighed(Cost<'a>),
}

/// The difference between the suggestion and the best choice that contains a session.
#[derive(Debug)]
pub struct Cost<'a> {
    /// The weight of the suggestion minus that of the other choice. Parts of it may be negative.
    pub price: PickWeight,
    /// The chosen sessions that would be left out.
    pub goes: Vec<&'a Entry>,
    /// The other sessions that were left out and would be chosen.
    pub comes: Vec<&'a Entry>,
}

/// Suggests a choice.
pub fn suggest<'a>(preferences: &Preferences<'_>, release: &'a Release) -> Suggestion<'a> {
    let fixed = FixedTime { release, busy: preferences.busy, longest: release.walking().longest() };
    let ids: BTreeSet<&SessionId> = preferences.picks.iter().collect();
    let shown =
        ids.iter().filter_map(|id| release.ledger.entries.get(*id)).filter(|entry| entry.is_visible());
    let mut picks: Vec<&Entry> = shown.collect();
    picks.sort_by_key(|entry| entry.program_order());
    let (timed, aside): (Vec<&Entry>, Vec<&Entry>) = picks.into_iter().partition(|entry| takes_time(entry));
    let (free, taken): (Vec<&Entry>, Vec<&Entry>) =
        timed.into_iter().partition(|entry| fixed.busy_during(entry).is_none());

    let talks = talks(&free);
    let rank = |entry: &Entry| preferences.ranks.get(&entry.session.id).copied().unwrap_or(Rank::Want);
    let candidates: Vec<PickCandidate> = free
        .iter()
        .zip(&talks)
        .map(|(entry, talk)| {
            let (start, end) = (entry.session.slot.start.timestamp(), entry.session.slot.end.timestamp());
            PickCandidate { start, end, weight: weight(rank(entry)), talk: *talk }
        })
        .collect();
    let rooms: Vec<Option<&Slug>> = free.iter().map(|entry| fixed.room(&entry.session)).collect();
    let places: Vec<_> = rooms.iter().map(|room| release.walking().place(*room)).collect();
    let walk = |a: usize, b: usize| match (rooms.get(a), rooms.get(b), places.get(a), places.get(b)) {
        (Some(from), Some(to), Some(a), Some(b)) if from != to => release.walking().way(*a, *b).num_seconds(),
        _ => 0,
    };
    let result = search(&candidates, walk, fixed.longest.num_seconds(), MAX_STEPS);

    let entries = |indexes: &[usize]| -> Vec<&'a Entry> {
        indexes.iter().filter_map(|index| free.get(*index).copied()).collect()
    };
    let chosen = entries(&result.taken);
    let mut left_out: Vec<LeftOut<'a>> = Vec::new();
    for (index, entry) in free.iter().enumerate().filter(|(index, _)| !result.taken.contains(index)) {
        let Some(with) = result.with.get(index) else { continue };
        let without = |these: &[usize], others: &[usize]| -> Vec<usize> {
            these.iter().filter(|one| **one != index && !others.contains(one)).copied().collect()
        };
        let cost = Cost {
            price: with.price,
            goes: entries(&without(&result.taken, &with.taken)),
            comes: entries(&without(&with.taken, &result.taken)),
        };
        let is_repeat = |other: &&usize| talks.get(**other) == talks.get(index);
        let repeat = result.taken.iter().find(is_repeat).and_then(|other| free.get(*other).copied());
        let reason = match repeat {
            Some(other) => LeftOutReason::Repeat(other, cost),
            None => LeftOutReason::Outweighed(cost),
        };
        left_out.push(LeftOut { entry, reason, again: Vec::new(), instead: Vec::new() });
    }
    for entry in taken {
        if let Some(busy) = fixed.busy_during(entry) {
            let reason = LeftOutReason::Busy(busy.clone());
            left_out.push(LeftOut { entry, reason, again: Vec::new(), instead: Vec::new() });
        }
    }
    left_out.sort_by_key(|left| left.entry.program_order());
    fixed.add_alternatives(&mut left_out, &chosen, &ids);
    Suggestion { chosen, left_out, aside, weight: result.weight, is_exact: result.is_exact }
}

/// The first session in the same room after a session, on the same day.
pub fn next_in_room<'a>(entry: &Entry, release: &'a Release) -> Option<&'a Entry> {
    let room = release.ledger.slugs.room_slug(entry.session.slot.room.as_ref()?)?;
    let days = release.program.conference.days();
    let date = |entry: &Entry| days.of(entry.session.slot.start);
    let sessions = release.part(&crate::feed::FeedKey::Room(room.clone()));
    let later = |other: &&Entry| other.session.slot.start >= entry.session.slot.end && !other.is_cancelled();
    sessions.into_iter().find(later).filter(|next| date(next) == date(entry))
}

fn weight(rank: Rank) -> PickWeight {
    match rank {
        Rank::Must => PickWeight { musts: 1, ..PickWeight::default() },
        Rank::Want => PickWeight { wants: 1, ..PickWeight::default() },
        Rank::Maybe => PickWeight { maybes: 1, ..PickWeight::default() },
    }
}

/// Numbers the talks of sessions: times of one talk have the same number.
fn talks(entries: &[&Entry]) -> Vec<usize> {
    let mut known: HashMap<(&str, Vec<&str>), usize> = HashMap::new();
    entries
        .iter()
        .enumerate()
        .map(|(index, entry)| match talk(&entry.session) {
            Some(key) => *known.entry(key).or_insert(index),
            None => index,
        })
        .collect()
}

/// The title and the sorted speakers of a session; none without a speaker.
fn talk(session: &Session) -> Option<(&str, Vec<&str>)> {
    let mut speakers: Vec<&str> = session.speakers.iter().map(|speaker| speaker.name.as_str()).collect();
    speakers.sort_unstable();
    (!speakers.is_empty()).then_some((session.title.as_str(), speakers))
}

/// The time of the attendee that is not open to choice.
struct FixedTime<'r, 'w> {
    release: &'r Release,
    busy: &'w [Busy],
    longest: TimeDelta,
}

impl<'r> FixedTime<'r, '_> {
    fn room(&self, session: &Session) -> Option<&'r Slug> {
        self.release.ledger.slugs.room_slug(session.slot.room.as_ref()?)
    }

    /// The first busy time that excludes a session. Busy times have no known place.
    fn busy_during(&self, entry: &Entry) -> Option<&Busy> {
        if self.busy.is_empty() {
            return None;
        }
        let slot = &entry.session.slot;
        let way = self.release.walking().between(self.room(&entry.session), None);
        self.busy.iter().find(|busy| busy.start - way < slot.end && slot.start < busy.end + way)
    }

    /// Whether a session fits between the chosen ones. It is enough to compare it with the sessions before and after it,
    /// because each chosen session can follow all earlier ones.
    fn fits(&self, entry: &Entry, chosen: &[&Entry]) -> bool {
        let slot = &entry.session.slot;
        let way = |other: &Entry| {
            self.release.walking().between(self.room(&entry.session), self.room(&other.session))
        };
        let after = chosen.partition_point(|other| other.session.slot.start < slot.start);
        let follows = after
            .checked_sub(1)
            .and_then(|before| chosen.get(before))
            .is_none_or(|before| before.session.slot.end + way(before) <= slot.start);
        let precedes = chosen.get(after).is_none_or(|next| slot.end + way(next) <= next.session.slot.start);
        takes_time(entry) && follows && precedes && self.busy_during(entry).is_none()
    }

    /// Finds other times of the talks that were left out, and other sessions at their times.
    fn add_alternatives(
        &self,
        left_out: &mut [LeftOut<'r>],
        chosen: &[&'r Entry],
        picks: &BTreeSet<&SessionId>,
    ) {
        let seen: BTreeSet<_> = chosen.iter().filter_map(|entry| talk(&entry.session)).collect();
        let is_open = |entry: &Entry| !picks.contains(&entry.session.id) && self.fits(entry, chosen);
        let mut titles: HashMap<&str, Vec<usize>> = HashMap::new();
        for (index, left) in left_out.iter().enumerate() {
            if talk(&left.entry.session).is_some_and(|talk| !seen.contains(&talk)) {
                titles.entry(left.entry.session.title.as_str()).or_default().push(index);
            }
        }
        if !titles.is_empty() {
            for entry in self.release.visible_entries() {
                for index in titles.get(entry.session.title.as_str()).into_iter().flatten() {
                    let Some(left) = left_out.get_mut(*index) else { continue };
                    if talk(&entry.session) == talk(&left.entry.session) && is_open(entry) {
                        left.again.push(entry);
                    }
                }
            }
        }
        for left in left_out {
            let beside = self.release.beside(left.entry, MAX_COMPARED).first.into_iter();
            let new = beside.filter(|entry| {
                talk(&entry.session).is_none_or(|talk| !seen.contains(&talk)) && is_open(entry)
            });
            left.instead = new.take(MAX_OFFERED).collect();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{self, at, speaker};
    use crate::program::{SessionKind, Status, Text, Walk, slug_of};
    use proptest::prelude::*;

    const HOUR: &str = "2025-03-25T16:00:00Z";

    fn id(raw: &str) -> SessionId {
        SessionId::parse(raw).unwrap()
    }

    /// A talk from one minute of the morning to another, in a room unless it is empty.
    fn talk(name: &str, from: i64, to: i64, room: &str) -> Session {
        let minute = |minute| at(HOUR) + TimeDelta::minutes(minute);
        let mut session = fixtures::talk(name, minute(from), minute(to), &format!("About {name}"));
        session.slot.room = Some(Text::from(room)).filter(|room| !room.is_empty());
        session
    }

    fn release(sessions: Vec<Session>, walks: &[(&str, &str, u16)]) -> Release {
        let mut fixture = fixtures::conference().sessions(sessions);
        let walk = |(from, to, minutes): &(&str, &str, u16)| Walk {
            from: slug_of(from),
            to: slug_of(to),
            minutes: *minutes,
        };
        fixture.conference.walking.between = walks.iter().map(walk).collect();
        fixture.release()
    }

    fn names<'a>(entries: impl IntoIterator<Item = &'a &'a Entry>) -> Vec<&'a str> {
        entries.into_iter().map(|entry| entry.session.id.as_str()).collect()
    }

    fn suggested<'a>(release: &'a Release, ranks: &[(&str, Rank)], busy: &[Busy]) -> Suggestion<'a> {
        let picks: Vec<SessionId> = release.ledger.entries.keys().cloned().collect();
        let ranks = ranks.iter().map(|(name, rank)| (id(name), *rank)).collect();
        suggest(&Preferences { picks: &picks, ranks: &ranks, busy }, release)
    }

    #[test]
    fn an_overlap_is_resolved_by_rank_and_the_cost_names_what_goes() {
        let sessions = vec![talk("aa", 0, 60, ""), talk("bb", 0, 30, ""), talk("cc", 30, 60, "")];
        let release = release(sessions, &[]);
        let plain = suggested(&release, &[], &[]);
        assert_eq!(
            (names(&plain.chosen), plain.weight),
            (vec!["bb", "cc"], PickWeight { wants: 2, ..PickWeight::default() })
        );
        let ranked = suggested(&release, &[("aa", Rank::Must)], &[]);
        assert_eq!(names(&ranked.chosen), ["aa"]);
        let [bb, cc] = &ranked.left_out[..] else { panic!("{ranked:?}") };
        let LeftOutReason::Outweighed(cost) = &bb.reason else { panic!("{bb:?}") };
        assert_eq!(cost.price, PickWeight { musts: 1, wants: -2, maybes: 0 });
        assert_eq!((names(&cost.goes), names(&cost.comes)), (vec!["aa"], vec!["cc"]));
        assert_eq!(cc.entry.session.id.as_str(), "cc");
    }

    #[test]
    fn breaks_and_cancelled_sessions_take_no_time() {
        let mut lunch = talk("lunch", 0, 60, "");
        lunch.kind = SessionKind::Meal;
        let mut off = talk("off", 0, 60, "");
        off.status = Status::Cancelled;
        let release = release(vec![lunch, off, talk("aa", 30, 60, "")], &[]);
        let suggestion = suggested(&release, &[], &[]);
        assert_eq!((names(&suggestion.chosen), names(&suggestion.aside)), (vec!["aa"], vec!["lunch", "off"]));
        assert!(suggestion.left_out.is_empty());
    }

    #[test]
    fn a_walk_between_rooms_takes_time() {
        let sessions = || vec![talk("aa", 0, 30, "Ballroom A"), talk("bb", 35, 60, "Mezzanine")];
        assert_eq!(
            suggested(&release(sessions(), &[("Ballroom A", "Mezzanine", 5)]), &[], &[]).chosen.len(),
            2
        );
        let far = release(sessions(), &[("Ballroom A", "Mezzanine", 6)]);
        let suggestion = suggested(&far, &[("bb", Rank::Must)], &[]);
        assert_eq!((names(&suggestion.chosen), suggestion.left_out.len()), (vec!["bb"], 1));
    }

    #[test]
    fn a_talk_is_taken_once_and_another_time_of_it_is_offered() {
        let given = |name, from, people: &[&str]| {
            let mut session = talk(name, from, from + 30, "");
            session.title = Text::from("Given twice");
            session.speakers = people.iter().map(|name| speaker(name, "")).collect();
            session
        };
        let both = ["Ada", "Charles"];
        let mut plain = given("plain", 300, &[]);
        plain.title = Text::from("Lightning talks");
        let same = |name, from| Session { id: id(name), ..talk(name, from, from + 30, "") };
        let again = Session { title: plain.title.clone(), ..same("plain-2", 400) };
        let sessions = vec![
            given("t1", 0, &both),
            given("t2", 60, &["Charles", "Ada"]),
            given("t3", 120, &["Ada"]),
            plain,
            again,
        ];
        let release = release(sessions, &[]);
        let suggestion = suggested(&release, &[], &[]);
        assert_eq!(names(&suggestion.chosen), ["t1", "t3", "plain", "plain-2"], "no speakers, no repeat");
        assert!(
            matches!(&suggestion.left_out[0].reason, LeftOutReason::Repeat(other, _) if other.session.id == id("t1"))
        );

        let busy = [Busy { start: at(HOUR), end: at(HOUR) + TimeDelta::minutes(10), label: String::new() }];
        let preferences = Preferences { picks: &[id("t1")], ranks: &BTreeMap::new(), busy: &busy };
        let suggestion = suggest(&preferences, &release);
        assert!(matches!(suggestion.left_out[0].reason, LeftOutReason::Busy(_)));
        assert_eq!(names(&suggestion.left_out[0].again), ["t2"]);
    }

    #[test]
    fn sessions_that_fit_are_offered_in_place_of_one_that_was_left_out() {
        let sessions = vec![
            talk("chosen", 0, 60, ""),
            talk("left", 30, 120, ""),
            talk("fits", 60, 90, ""),
            talk("overlaps", 40, 100, ""),
        ];
        let release = release(sessions, &[]);
        let (picks, ranks) = ([id("chosen"), id("left")], [(id("chosen"), Rank::Must)].into());
        let suggestion = suggest(&Preferences { picks: &picks, ranks: &ranks, busy: &[] }, &release);
        assert_eq!(names(&suggestion.left_out[0].instead), ["fits"]);
    }

    #[test]
    fn the_next_session_in_the_room_is_of_the_same_day() {
        let sessions = vec![
            talk("aa", 0, 30, "R1"),
            talk("bb", 30, 60, "R2"),
            talk("cc", 45, 60, "R1"),
            talk("dd", 3000, 3030, "R1"),
        ];
        let release = release(sessions, &[]);
        let next = |name| {
            next_in_room(&release.ledger.entries[&id(name)], &release).map(|next| next.session.id.as_str())
        };
        assert_eq!((next("aa"), next("bb"), next("cc")), (Some("cc"), None, None));
    }

    /// The weight of the best set of the picks, among all sets.
    fn brute(release: &Release, ranks: &BTreeMap<SessionId, Rank>, busy: &[Busy]) -> PickWeight {
        let picks: Vec<&Entry> = release.ledger.entries.values().collect();
        let way = |a: &Session, b: &Session| {
            let room = |session: &Session| session.slot.room.as_ref().map(|room| slug_of(room.as_str()));
            release.walking().between(room(a).as_ref(), room(b).as_ref())
        };
        let apart = |a: &Session, b: &Session| {
            let way = way(a, b);
            let is_repeat = a.title == b.title && !a.speakers.is_empty() && a.speakers == b.speakers;
            !is_repeat && (a.slot.end + way <= b.slot.start || b.slot.end + way <= a.slot.start)
        };
        let is_free = |session: &Session| {
            let room = session.slot.room.as_ref().map(|room| slug_of(room.as_str()));
            let way = release.walking().between(room.as_ref(), None);
            busy.iter()
                .all(|busy| session.slot.end + way <= busy.start || busy.end + way <= session.slot.start)
        };
        let sets = (0u32..1 << picks.len()).map(|set| {
            let chosen = picks.iter().enumerate().filter(|(n, _)| set & (1 << n) != 0);
            chosen.map(|(_, entry)| entry.session.as_ref()).collect::<Vec<&Session>>()
        });
        let fits = |set: &Vec<&Session>| {
            set.iter().all(|a| is_free(a) && set.iter().all(|b| a.id == b.id || apart(a, b)))
        };
        let rank = |session: &&Session| weight(ranks.get(&session.id).copied().unwrap_or(Rank::Want));
        let sum = |set: Vec<&Session>| set.iter().map(rank).fold(PickWeight::default(), |sum, one| sum + one);
        sets.filter(fits).map(sum).max().unwrap_or_default()
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

        #[test]
        fn suggestions_are_the_best_ones_and_the_order_of_the_picks_changes_nothing(
            picks in prop::collection::vec((0i64..20, 1i64..6, 0usize..4, 0usize..3, 0usize..6), 0..10),
            walks in prop::collection::vec(0u16..20, 3),
            busy in prop::collection::vec((0i64..20, 1i64..4), 0..3),
            seed in any::<u64>(),
        ) {
            let rooms = ["", "R1", "R2", "R3"];
            let session = |(n, (from, length, room, _, title)): (usize, &(i64, i64, usize, usize, usize))| {
                let mut session = talk(&format!("s{n}"), from * 10, (from + length) * 10, rooms[*room]);
                if *title < 3 {
                    session.title = Text::from(format!("Given often {title}"));
                    session.speakers = vec![speaker("Ada", "")];
                }
                session
            };
            let walks = [("R1", "R2", walks[0]), ("R2", "R3", walks[1]), ("R1", "R3", walks[2])];
            let release = release(picks.iter().enumerate().map(session).collect(), &walks);
            let ranks: BTreeMap<SessionId, Rank> =
                picks.iter().enumerate().map(|(n, pick)| (id(&format!("s{n}")), Rank::ALL[pick.3])).collect();
            let minute = |minute: i64| at(HOUR) + TimeDelta::minutes(minute * 10);
            let busy: Vec<Busy> = busy
                .iter()
                .map(|(from, length)| Busy { start: minute(*from), end: minute(from + length), label: String::new() })
                .collect();
            let mut ids: Vec<SessionId> = release.ledger.entries.keys().cloned().collect();
            let suggest = |ids: &[SessionId]| {
                let suggestion = suggest(&Preferences { picks: ids, ranks: &ranks, busy: &busy }, &release);
                prop_assert!(suggestion.is_exact);
                prop_assert_eq!(suggestion.chosen.len() + suggestion.left_out.len(), ids.len());
                prop_assert_eq!(suggestion.weight, brute(&release, &ranks, &busy));
                Ok(format!("{suggestion:?}"))
            };
            let first = suggest(&ids)?;
            let mut seed = seed;
            for n in (1..ids.len()).rev() {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                ids.swap(n, usize::try_from(seed >> 33).unwrap() % (n + 1));
            }
            prop_assert_eq!(suggest(&ids)?, first);
        }
    }
}
