//! Random edit histories: the laws of the ledger and the feeds hold for every sequence of edits.
//!
//! `CALLBOARD_HISTORIES` sets the number of histories (default 1,000; the long form is 100,000, best with `--release`).
//! A failure names its seed. `CALLBOARD_SEED` sets the first seed.

use callboard::feed::{FeedKey, FeedOptions, parse_query};
use callboard::fixtures::{self, talk};
use callboard::program::{
    Change, ChangeKind, Program, Session, SessionId, SessionKind, Slot, Slug, Speaker, Status, Text, Track,
    apply, diff,
};
use callboard::release::Release;
use callboard::revision::{Entry, EntryState, Issued, Ledger};
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::{BTreeMap, BTreeSet};

/// A small, fast random generator (SplitMix64).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % sides as u64).unwrap()
    }

    fn one_in(&mut self, n: usize) -> bool {
        self.roll(n) == 0
    }

    fn of<'a, T>(&mut self, values: &'a [T]) -> &'a T {
        &values[self.roll(values.len())]
    }
}

#[derive(Clone)]
struct Plan {
    title: &'static str,
    track_name: &'static str,
    sessions: BTreeMap<SessionId, Session>,
}

const TITLES: &[&str] = &["A", "B, with a comma; and \\ more", "Ünïcode “quoted”", "C"];
const ROOMS: &[&str] = &["Ballroom", "Zoë’s Room"];
const PEOPLE: &[&str] = &["Ada Lovelace", "Grace Hopper", "Zoé", "Zoe"];

impl Plan {
    fn new() -> Self {
        Self { title: "Conf", track_name: "One", sessions: BTreeMap::new() }
    }

    fn program(&self) -> Program {
        let one = Track { slug: Slug::parse("one").unwrap(), ..fixtures::track(self.track_name) };
        let mut fixture = fixtures::conference()
            .tracks([one, fixtures::track("Two"), fixtures::track("Empty")])
            .sessions(self.sessions.values().cloned());
        // The slug and the UID domain stay, as in a config in which only the title changes.
        fixture.conference.title = Text::from(self.title);
        fixture.program()
    }

    fn edit(&mut self, dice: &mut Dice) {
        let ids: Vec<SessionId> = self.sessions.keys().cloned().collect();
        match dice.roll(12) {
            0..=2 => {
                let session = session(dice);
                self.sessions.entry(session.id.clone()).or_insert(session);
            }
            3 if !ids.is_empty() => drop(self.sessions.remove(dice.of(&ids))),
            4 if dice.one_in(3) => self.track_name = *dice.of(&["One", "First"]),
            5 if dice.one_in(4) => self.title = *dice.of(&["Conf", "Conference, renamed"]),
            _ if ids.is_empty() => {}
            _ => {
                let session = self.sessions.get_mut(dice.of(&ids)).unwrap();
                match dice.roll(7) {
                    0 => session.slot = slot(dice),
                    1 => session.title = Text::from(*dice.of(TITLES)),
                    2 => session.track = track(dice),
                    3 => session.status = *dice.of(Status::ALL),
                    4 => session.speakers = speakers(dice),
                    5 => session.abstract_text = Text::from(*dice.of(&["", "Long\n\ntext, with; marks"])),
                    _ => session.kind = *dice.of(SessionKind::ALL),
                }
            }
        }
    }
}

fn start() -> DateTime<Utc> {
    "2025-03-25T16:00:00Z".parse().unwrap()
}

fn slot(dice: &mut Dice) -> Slot {
    let start = start() + TimeDelta::minutes(15 * i64::try_from(dice.roll(200)).unwrap());
    let room = dice.one_in(2).then(|| Text::from(*dice.of(ROOMS)));
    Slot { start, end: start + TimeDelta::minutes(45), room }
}

fn track(dice: &mut Dice) -> Option<Slug> {
    dice.of(&[None, Some("one"), Some("two")]).map(|slug| Slug::parse(slug).unwrap())
}

fn speakers(dice: &mut Dice) -> Vec<Speaker> {
    (0..dice.roll(3)).map(|_| fixtures::speaker(dice.of::<&str>(PEOPLE), "")).collect()
}

fn session(dice: &mut Dice) -> Session {
    let id = format!("s-{}", dice.roll(9));
    let slot = slot(dice);
    Session {
        kind: *dice.of(SessionKind::ALL),
        title: Text::from(*dice.of(TITLES)),
        track: track(dice),
        speakers: speakers(dice),
        slot: slot.clone(),
        ..talk(&id, slot.start, slot.end, "")
    }
}

/// Makes the steps of a history, and compares each step with the one before.
fn history(seed: u64) {
    let mut dice = Dice(seed);
    let mut plan = Plan::new();
    let mut release: Option<Release> = None;
    let mut seen: BTreeMap<SessionId, (u32, u32)> = BTreeMap::new();
    let mut calendar = Calendar::default();
    let mut earlier = Vec::new();
    let mut now = start();
    for _ in 0..2 + dice.roll(7) {
        if !earlier.is_empty() && dice.one_in(5) {
            plan = dice.of::<Plan>(&earlier).clone(); // a release is restored
        }
        for _ in 0..dice.roll(5) {
            plan.edit(&mut dice);
        }
        earlier.push(plan.clone());
        // Clocks sometimes stand still or run backwards.
        now += TimeDelta::seconds(i64::try_from(dice.roll(120)).unwrap() - 30);
        now += weeks(&mut dice);
        let empty = Ledger::empty("conference.callboard.invalid");
        let previous = release.as_ref().map_or(&empty, |release| &release.ledger);
        let prepared = match &release {
            Some(before) => before.follow(plan.program(), now),
            None => Release::prepare(plan.program(), previous, now),
        };
        sharing_changes_nothing(&prepared.release, &Release::prepare(plan.program(), previous, now).release);
        again_changes_nothing(&prepared.release, now);
        if let Some(before) = &release {
            let after = &prepared.release;
            changes_apply(&before.program, &after.program);
            sequences(&before.ledger, &after.ledger);
            reported(&before.ledger, &after.ledger, &prepared.changes);
            the_feed_shows_the_reported_changes(before, after, &prepared.changes);
            bytes(before, after, prepared.is_new);
        }
        calendar.update(&prepared.release);
        for (id, entry) in &prepared.release.ledger.entries {
            let (number, sequence) = *seen.entry(id.clone()).or_insert((entry.number, 0));
            assert_eq!(number, entry.number, "a number never changes");
            assert!(entry.revision.sequence >= sequence, "a sequence never falls");
            seen.insert(id.clone(), (entry.number, entry.revision.sequence));
        }
        let numbers: BTreeSet<u32> = seen.values().map(|(number, _)| *number).collect();
        assert_eq!(numbers.len(), seen.len(), "no number is used twice");
        release = Some(prepared.release);
    }
}

/// A release that shares bytes with the one before equals a newly rendered one.
fn sharing_changes_nothing(shared: &Release, fresh: &Release) {
    assert_eq!(shared.ledger, fresh.ledger);
    assert_eq!(shared.feeds.feeds().count(), fresh.feeds.feeds().count());
    for (key, feed) in fresh.feeds.feeds() {
        let same = shared.feeds.feed(key).unwrap();
        assert_eq!((&same.identity, &same.hash, same.modified), (&feed.identity, &feed.hash, feed.modified));
        assert!(
            same.members().iter().map(|event| &event.id).eq(feed.members().iter().map(|event| &event.id))
        );
    }
    let slugs = &fresh.ledger.slugs;
    let queries =
        slugs.rooms.keys().map(|room| ("room", room)).chain(slugs.speakers.keys().map(|s| ("speaker", s)));
    for pair in queries.map(|(name, slug)| (name, slug.as_str())) {
        let (filter, options) = parse_query([pair], slugs).unwrap();
        let one = |release: &Release| release.feeds.filtered(&filter, options, slugs).identity();
        assert_eq!(one(shared), one(fresh), "{pair:?}");
    }
    let picks: Vec<SessionId> = fresh.ledger.entries.keys().cloned().collect();
    let mut options = FeedOptions::default();
    options.parse_pair("cancelled", "title").unwrap();
    let agenda = |release: &Release| {
        let joined = release.feeds.agenda(&Text::from("mine"), &picks, options, release.published());
        (joined.identity(), joined.gzip(), joined.hash)
    };
    assert_eq!(agenda(shared), agenda(fresh));
}

fn again_changes_nothing(release: &Release, now: DateTime<Utc>) {
    // A tombstone may expire tomorrow.
    let has_tombstones = release.ledger.entries.values().any(|entry| entry.state == EntryState::Removed);
    let again = if has_tombstones { now } else { now + TimeDelta::days(1) };
    let again = Release::prepare(release.program.clone(), &release.ledger, again);
    assert!(!again.is_new && again.changes.is_empty());
    for (key, feed) in release.feeds.feeds() {
        assert_eq!(feed.identity, again.release.feeds.feed(key).unwrap().identity, "{key}");
    }
}

fn changes_apply(before: &Program, after: &Program) {
    assert!(diff(before, before).is_empty());
    assert_eq!(apply(before, &diff(before, after)).order(), after.order());
}

fn sequences(before: &Ledger, after: &Ledger) {
    for (id, old) in &before.entries {
        let new = &after.entries[id];
        let rise = new.revision.sequence - old.revision.sequence;
        assert_eq!(
            rise,
            u32::from(new.digest != old.digest),
            "{id}: the sequence rises exactly with the digest"
        );
        let later = new.revision.modified > old.revision.modified;
        assert_eq!(later, rise == 1, "{id}: a new revision is at least a second later");
    }
    assert!(after.published >= before.published);
}

fn reported(before: &Ledger, after: &Ledger, changes: &[Change]) {
    let reported: BTreeSet<&SessionId> = changes.iter().map(|change| &change.session).collect();
    let digest = |entry: Option<&Entry>| entry.map(|entry| entry.digest);
    for (id, entry) in &after.entries {
        if digest(before.entries.get(id)) != Some(entry.digest) {
            assert!(reported.contains(id), "{id} changed and is not reported");
        }
    }
}

/// The time until the next release: usually none, sometimes so many weeks that tombstones expire.
fn weeks(dice: &mut Dice) -> TimeDelta {
    if dice.one_in(4) { TimeDelta::weeks(i64::try_from(dice.roll(9)).unwrap()) } else { TimeDelta::zero() }
}

/// The program's feed shows exactly the reported changes.
fn the_feed_shows_the_reported_changes(before: &Release, after: &Release, changes: &[Change]) {
    let kinds: BTreeMap<&SessionId, ChangeKind> =
        changes.iter().map(|change| (&change.session, change.kind)).collect();
    let shown = |release: &Release, id: &SessionId| {
        release.feeds.event(id).map(|event| {
            let text = String::from_utf8(event.default_bytes().to_vec()).unwrap();
            (text.contains("\r\nSTATUS:CANCELLED\r\n"), event.revision.sequence, text)
        })
    };
    for id in after.ledger.entries.keys() {
        let (old, new) = (shown(before, id), shown(after, id));
        match kinds.get(id) {
            Some(ChangeKind::Cancelled) => {
                let (is_cancelled, sequence, _) = new.expect("a cancellation is shown");
                assert!(is_cancelled, "{id}");
                assert!(old.is_none_or(|(was, earlier, _)| !was && sequence > earlier), "{id}");
            }
            Some(ChangeKind::Withdrawn) => assert!(new.is_none(), "{id}"),
            Some(ChangeKind::Added) => assert!(old.is_none() && new.is_some(), "{id}"),
            Some(ChangeKind::Restored) => {
                assert!(new.is_some_and(|(is_cancelled, ..)| !is_cancelled), "{id}");
            }
            Some(ChangeKind::Moved | ChangeKind::Edited) => {}
            None => match (old, new) {
                (Some((was_cancelled, ..)), None) => {
                    assert!(was_cancelled, "{id} left without a reported change")
                }
                (Some(old), Some(new)) => assert_eq!(old, new, "{id} changed without a reported change"),
                (None, Some((is_cancelled, ..))) => {
                    assert!(is_cancelled, "{id} appeared without a reported change")
                }
                (None, None) => {}
            },
        }
    }
}

/// A calendar that stores the last version of each session, and accepts only versions with a higher sequence.
#[derive(Default)]
struct Calendar(BTreeMap<SessionId, (u32, Vec<u8>)>);

impl Calendar {
    fn update(&mut self, release: &Release) {
        for event in release.feeds.events() {
            let now = (event.revision.sequence, event.default_bytes().to_vec());
            if let Some(last) = self.0.insert(event.id.clone(), now.clone()) {
                assert!(now == last || now.0 > last.0, "{}: {} after {}", event.id, now.0, last.0);
            }
        }
    }
}

fn bytes(before: &Release, after: &Release, is_new: bool) {
    for event in after.feeds.events() {
        let old = before.feeds.event(&event.id);
        let same = before.ledger.entries.get(&event.id).map(|entry| entry.revision) == Some(event.revision);
        if let Some(old) = old.filter(|_| same) {
            assert_eq!(
                old.default_bytes(),
                event.default_bytes(),
                "{}: an unchanged session has other bytes",
                event.id
            );
        }
    }
    for (key, feed) in before.feeds.feeds() {
        let now = after.feeds.feed(key).unwrap_or_else(|| panic!("{key} stopped answering"));
        assert!(now.modified >= feed.modified, "{key}: LAST-MODIFIED never runs backwards");
        assert_eq!(
            now.modified == feed.modified,
            now.identity == feed.identity,
            "{key}: LAST-MODIFIED rises exactly with the bytes"
        );
        assert!(is_new || now.identity == feed.identity);
    }
    let program = after.feeds.feed(&FeedKey::Program).unwrap();
    let uids: Vec<&str> = std::str::from_utf8(&program.identity)
        .unwrap()
        .lines()
        .filter(|line| line.starts_with("UID:"))
        .collect();
    assert_eq!(uids.len(), uids.iter().collect::<BTreeSet<_>>().len(), "a UID occurs twice");
    let shown = after
        .ledger
        .entries
        .values()
        .filter(|entry| matches!(entry.state, EntryState::Listed | EntryState::Removed));
    assert_eq!(uids.len(), shown.count(), "cancelled and removed sessions stay, and withdrawn ones leave");
}

/// A history in which backups are sometimes restored, so that the ledger lacks what calendars have seen since.
fn restored_history(seed: u64) {
    let mut dice = Dice(seed);
    let mut plan = Plan::new();
    let mut now = start();
    let mut ledger = Ledger::empty("conference.callboard.invalid");
    let mut backups: Vec<(Plan, Ledger)> = Vec::new();
    let mut is_guessed = false;
    let mut ceiling = Issued { release: 0, published: now, number: 0 };
    // The bytes that calendars have seen, by session and sequence, and the session of each number.
    let mut seen: BTreeMap<(SessionId, u32), Vec<u8>> = BTreeMap::new();
    let mut owners: BTreeMap<u32, SessionId> = BTreeMap::new();
    for _ in 0..4 + dice.roll(10) {
        now += TimeDelta::seconds(i64::try_from(dice.roll(120)).unwrap() - 30);
        let mut newest: BTreeMap<SessionId, u32> = BTreeMap::new();
        if !backups.is_empty() && dice.one_in(3) {
            let (old_plan, old) = dice.of(&backups).clone();
            // A restore without the high-water mark guesses. A second guess could reuse the numbers of the first.
            let is_marked = is_guessed || dice.one_in(2);
            if !is_marked {
                is_guessed = true;
                now = now.max(ceiling.published + TimeDelta::minutes(1));
            }
            let over = if is_marked { ceiling } else { Issued::guess(&old, now) };
            assert!(over.release >= ceiling.release && over.number >= ceiling.number);
            plan = old_plan;
            if let Some(lifted) = old.advance_past(over, now) {
                ledger = lifted;
                newest = seen.keys().cloned().collect();
            } else {
                assert_eq!(old.release, ceiling.release, "nothing is missing");
                ledger = old;
            }
        } else {
            plan.edit(&mut dice);
            now += weeks(&mut dice);
        }
        let release = Release::prepare(plan.program(), &ledger, now).release;
        for event in release.feeds.events() {
            let sequence = event.revision.sequence;
            assert!(
                newest.get(&event.id).is_none_or(|newest| sequence > *newest),
                "a calendar would ignore it"
            );
            let bytes = event.default_bytes().to_vec();
            let known = seen.entry((event.id.clone(), sequence)).or_insert_with(|| bytes.clone());
            assert_eq!(*known, bytes, "{} was seen as {sequence} with other content", event.id);
        }
        for (id, entry) in &release.ledger.entries {
            assert!(
                u64::from(entry.revision.sequence) <= release.number(),
                "advancing after a restore relies on this"
            );
            assert_eq!(
                owners.entry(entry.number).or_insert_with(|| id.clone()),
                id,
                "a number never changes"
            );
        }
        ledger = release.ledger;
        let number = ceiling.number.max(ledger.highest_number());
        let published = ceiling.published.max(ledger.published);
        ceiling = Issued { release: ceiling.release.max(ledger.release), published, number };
        backups.push((plan.clone(), ledger.clone()));
    }
}

#[test]
fn every_history_keeps_the_laws() {
    let number =
        |name: &str, default: u64| std::env::var(name).ok().and_then(|n| n.parse().ok()).unwrap_or(default);
    let (histories, seed) = (number("CALLBOARD_HISTORIES", 1_000), number("CALLBOARD_SEED", 1));
    for seed in seed..seed + histories {
        let outcome = std::panic::catch_unwind(|| {
            history(seed);
            restored_history(seed);
        });
        if let Err(panic) = outcome {
            eprintln!("history {seed} broke a law (CALLBOARD_SEED={seed} CALLBOARD_HISTORIES=1 repeats it)");
            std::panic::resume_unwind(panic);
        }
    }
}
