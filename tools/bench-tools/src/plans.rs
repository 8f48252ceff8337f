//! The planner alone: a suggestion for many picks, with and without repeated talks.

use callboard::agenda::{Busy, Preferences, suggest};
use callboard::fixtures;
use callboard::program::{Building, Rank, Session, SessionId, Slug, Text, Walk, slug_of};
use callboard::release::Release;
use chrono::TimeDelta;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::error::Error;
use std::time::{Duration, Instant};

const DAYS: usize = 4;
const ROOMS: usize = 37;

/// Suggests a choice among `picks` sessions of four days in 37 rooms, `rounds` times.
pub(crate) fn measure(picks: usize, rounds: usize) -> Result<Value, Box<dyn Error>> {
    let plain = timed(&release(picks, picks)?, rounds);
    // Every tenth talk is given twice.
    let repeats = timed(&release(picks, picks - picks / 10)?, rounds);
    Ok(json!({ "picks": picks, "plain": plain, "repeats": repeats }))
}

fn release(picks: usize, talks: usize) -> Result<Release, Box<dyn Error>> {
    let mut sessions: Vec<Session> = Vec::with_capacity(picks);
    for n in 0..picks {
        // Sessions of 25 to 90 minutes begin every five minutes from nine to five.
        let (day, minute) = (n % DAYS, (n * 7919 / DAYS) % 96 * 5);
        let start = fixtures::at("2025-03-24T16:00:00Z")
            + TimeDelta::days(i64::try_from(day)?)
            + TimeDelta::minutes(i64::try_from(minute)?);
        let end = start + TimeDelta::minutes([25, 45, 60, 90].get(n % 3 + n % 2).copied().unwrap_or(45));
        let talk = n % talks;
        let mut session = fixtures::talk(&format!("talk-{n}"), start, end, &format!("Talk {talk}"));
        session.slot.room = Some(Text::from(format!("Room {}", n % ROOMS)));
        session.speakers = vec![fixtures::speaker(&format!("Speaker {talk}"), "")];
        sessions.push(session);
    }
    let mut fixture = fixtures::conference().sessions(sessions);
    let rooms = |house: usize| -> Vec<Slug> {
        (0..ROOMS).filter(|room| room % 4 == house).map(|room| slug_of(&format!("Room {room}"))).collect()
    };
    let walking = &mut fixture.conference.walking;
    walking.buildings = (0..4)
        .map(|house| Building { name: Text::from(format!("House {house}")), rooms: rooms(house) })
        .collect();
    let house = |n: usize| slug_of(&format!("House {n}"));
    walking.between =
        (1..4_u16).map(|n| Walk { from: house(0), to: house(n.into()), minutes: 5 * n }).collect();
    Ok(fixture.release())
}

fn timed(release: &Release, rounds: usize) -> Value {
    let picks: Vec<SessionId> = release.ledger.entries.keys().cloned().collect();
    let rank = |(n, id): (usize, &SessionId)| match n % 5 {
        0 => Some((id.clone(), Rank::Must)),
        1 | 2 => Some((id.clone(), Rank::Maybe)),
        _ => None,
    };
    let ranks: BTreeMap<SessionId, Rank> = picks.iter().enumerate().filter_map(rank).collect();
    let lunch = |day: i64| {
        let start = fixtures::at("2025-03-24T19:00:00Z") + TimeDelta::days(day);
        Busy { start, end: start + TimeDelta::hours(1), label: String::new() }
    };
    let busy: Vec<Busy> = (0..4).map(lunch).collect();
    let preferences = Preferences { picks: &picks, ranks: &ranks, busy: &busy };
    let first = suggest(&preferences, release);
    let mut times: Vec<Duration> = (0..rounds)
        .map(|_| {
            let start = Instant::now();
            let suggestion = suggest(&preferences, release);
            let took = start.elapsed();
            drop(suggestion);
            took
        })
        .collect();
    times.sort_unstable();
    let median = times.get(times.len() / 2).copied().unwrap_or_default();
    let (chosen, left_out) = (first.chosen.len(), first.left_out.len());
    json!({ "ms": median.as_secs_f64() * 1e3, "chosen": chosen, "left_out": left_out, "exact": first.is_exact })
}
