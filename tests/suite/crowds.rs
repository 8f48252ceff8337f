//! Programs and agendas with thousands of sessions in one hour: pages and tables are bounded, counts are exact.
//!
//! Nothing is timed. Output that names every pair of sessions grows with their square, so each test compares the output
//! for `n` and for `2 n` sessions.

use callboard::agenda::{Agenda, MAX_NAMED, MAX_PICKS, has_new_overlap};
use callboard::export::{agenda_text, entries_text, schedule_json};
use callboard::feed::FeedKey;
use callboard::fixtures::{self, at, speaker, talk};
use callboard::program::{Program, Session, SessionId, SessionKind, Status, Text};
use callboard::release::Release;
use callboard::web::{self, Listing, OwnAgenda, Pages, ProgramView, SESSIONS_PER_PAGE};
use chrono::TimeDelta;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

/// Sessions by start and length in minutes from the start of the day.
fn sessions(spans: &[(i64, i64)]) -> Vec<Session> {
    let day = at("2025-03-25T08:00:00Z");
    let session = |(n, (from, length)): (usize, &(i64, i64))| {
        let start = day + TimeDelta::minutes(*from);
        talk(&format!("talk-{n:05}"), start, start + TimeDelta::minutes(*length), &format!("Talk {n:05}"))
    };
    spans.iter().enumerate().map(session).collect()
}

fn release(sessions: Vec<Session>) -> Release {
    fixtures::conference().title("Crowd").zone("UTC").sessions(sessions).release()
}

fn ids(sessions: &[Session]) -> Vec<SessionId> {
    sessions.iter().map(|session| session.id.clone()).collect()
}

/// `n` sessions in the same hour.
fn parallel(n: usize) -> Vec<Session> {
    sessions(&vec![(0, 60); n])
}

/// The ratio of the lengths that `make` gives for `2 n` and for `n`.
fn growth(n: usize, make: impl Fn(usize) -> usize) -> f64 {
    make(2 * n) as f64 / make(n) as f64
}

#[test]
fn an_agenda_of_parallel_picks_names_a_few_overlaps_each_and_counts_the_others() {
    let picks = ids(&parallel(MAX_PICKS));
    let release = release(parallel(MAX_PICKS));
    let agenda = Agenda::of(&picks, &release);
    for item in &agenda.items {
        assert_eq!((item.overlaps.len(), item.more_overlaps), (MAX_NAMED, MAX_PICKS - 1 - MAX_NAMED));
        assert!(item.overlaps.iter().all(|other| other.number != item.entry.number));
    }
    let name = Text::default();
    let mine = |n: usize| {
        let mine = OwnAgenda {
            name: &name,
            picks: &picks[..n],
            ranks: &BTreeMap::new(),
            links: &[],
            seen: None,
            hand_over: None,
            done: None,
            undo: &[],
            now: release.published(),
            is_organizer: false,
            push_key: None,
            devices: &[],
            has_mail: false,
            mailboxes: &[],
        };
        web::own_agenda(&release, &mine)
    };
    assert!(mine(500).len() < 1_500_000, "{} bytes", mine(500).len());
    assert!(mine(500).contains("and 494 more"), "{}", mine(500));
    assert!(growth(250, |n| mine(n).len()) < 2.3);
    let shared = |n: usize| web::shared(&release, "cbr_x", &name, &picks[..n], Some(&picks)).len();
    assert!(shared(500) < 1_500_000 && growth(250, shared) < 2.3, "{} bytes", shared(500));
    let text = |n: usize| agenda_text(&release, &name, &picks[..n]);
    assert!(text(500).contains("Talk 00005; and 494 more") || text(500).contains("494 more"), "{}", text(9));
    assert!(growth(250, |n| text(n).len()) < 2.3);
}

#[test]
fn the_button_that_keeps_one_session_lists_all_that_it_drops_or_is_absent() {
    let name = Text::default();
    for n in [2, MAX_NAMED + 1, MAX_NAMED + 2] {
        let picks = ids(&parallel(n));
        let release = release(parallel(n));
        let mine = OwnAgenda {
            name: &name,
            picks: &picks,
            ranks: &BTreeMap::new(),
            links: &[],
            seen: None,
            hand_over: None,
            done: None,
            undo: &[],
            now: release.published(),
            is_organizer: false,
            push_key: None,
            devices: &[],
            has_mail: false,
            mailboxes: &[],
        };
        let page = web::own_agenda(&release, &mine);
        let given_up =
            page.matches("name=\"session\" value=\"talk-").count() - page.matches("class=\"unpick\"").count();
        assert_eq!(given_up, if n <= MAX_NAMED + 1 { n * (n - 1) } else { 0 }, "{n} picks");
    }
}

#[test]
fn a_session_page_lists_some_concurrent_sessions() {
    let release = release(parallel(3_000));
    let page = web::session(&release, &SessionId::parse("talk-00000").unwrap()).unwrap();
    assert!(page.contains("and 2,959 more"), "{page}");
    assert!(page.len() < 60_000, "{} bytes", page.len());
    assert!(!page.contains("<a href=\"/sessions/talk-00000\""), "a session is not concurrent with itself");
}

#[test]
fn a_gap_names_a_few_breaks_and_counts_the_others() {
    let mut all = sessions(&[(0, 60), (240, 60)]);
    let mut breaks = sessions(&[(90, 30); 40]);
    for (n, pause) in breaks.iter_mut().enumerate() {
        pause.id = SessionId::parse(&format!("break-{n:02}")).unwrap();
        pause.kind = SessionKind::Break;
        pause.title = Text::from(format!("Break {n:02}"));
    }
    breaks[3].status = Status::Cancelled;
    let picks = ids(&all);
    all.extend(breaks);
    let release = release(all);
    let name = Text::default();
    let page = web::own_agenda(
        &release,
        &OwnAgenda {
            name: &name,
            picks: &picks,
            ranks: &BTreeMap::new(),
            links: &[],
            seen: None,
            hand_over: None,
            done: None,
            undo: &[],
            now: release.published(),
            is_organizer: false,
            push_key: None,
            devices: &[],
            has_mail: false,
            mailboxes: &[],
        },
    );
    for (title, is_named) in
        [("Break 00", true), ("Break 03", false), ("Break 06", true), ("Break 07", false)]
    {
        assert_eq!(page.contains(title), is_named, "{title}");
    }
    assert!(page.contains("and 33 more"), "{page}");
}

#[test]
fn pages_and_tables_made_for_one_request_are_truncated_with_a_note() {
    let release = release(parallel(3_000));
    let view = ProgramView { text: "talk".to_owned(), ..ProgramView::default() };
    let entries = view.entries(&release);
    assert_eq!(entries.len(), 3_000);
    let page = web::program(&release, &view);
    assert_eq!(page.matches("id=\"t-talk-").count(), 100);
    assert!(page.contains("3,000 of 3,000") && page.contains("the first 100"), "{}", &page[..2_000]);
    let text = entries_text(&release, &entries);
    assert!(text.contains("And 2,000 more") && text.matches("Talk ").count() == 1_000);
    let whole = web::program(&release, &ProgramView::default());
    assert_eq!(whole.matches("id=\"talk-").count(), 3_000, "the program itself is whole");
}

#[test]
fn parallel_sessions_without_a_room_get_separate_rooms_in_the_schedule() {
    let schedule = |n: usize| schedule_json(&release(parallel(n))).bytes;
    let json: serde_json::Value = serde_json::from_slice(&schedule(2_000)).unwrap();
    let conference = &json["schedule"]["conference"];
    let rooms: BTreeSet<&str> =
        conference["rooms"].as_array().unwrap().iter().map(|room| room["name"].as_str().unwrap()).collect();
    assert_eq!(rooms.len(), 2_000);
    assert!(rooms.contains("Crowd") && rooms.contains("Crowd (2000)"));
    let day = conference["days"][0]["rooms"].as_object().unwrap();
    assert!(day.len() == 2_000 && day.values().all(|events| events.as_array().unwrap().len() == 1));
    assert!(growth(500, |n| schedule(n).len()) < 2.3);
}

#[test]
fn the_page_and_the_feed_of_a_speaker_have_the_same_sessions() {
    let mut all = parallel(30);
    for (n, session) in all.iter_mut().enumerate() {
        session.speakers = vec![speaker(if n % 3 == 0 { "Zoë Müller" } else { "Zoe Muller" }, "")];
    }
    let release = release(all);
    let slug = release.ledger.slugs.speaker_slug(&Text::from("Zoë Müller")).unwrap().clone();
    let part = release.part(&FeedKey::Speaker(slug.clone()));
    assert_eq!(part.len(), 10);
    let page = web::part(&release, &FeedKey::Speaker(slug.clone()), 1).unwrap();
    assert_eq!(page.matches("id=\"talk-").count(), 10);
    assert_eq!(Pages::render(&release).page(&format!("/speakers/{slug}")).unwrap().identity, page.as_bytes());
}

#[test]
fn pages_of_tracks_rooms_speakers_and_days_are_bounded_and_link_to_the_rest() {
    let n = 2 * SESSIONS_PER_PAGE + 10;
    let mut all = parallel(n);
    for (n, session) in all.iter_mut().enumerate() {
        session.speakers = vec![speaker("Zoe", ""), speaker(&format!("Speaker {n:05}"), "")];
        session.slot.room = Some(Text::from("Hall"));
    }
    let release = release(all);
    let speakers = &release.ledger.slugs;
    let day = "2025-03-25".parse().unwrap();
    let keys = [
        FeedKey::Day(day),
        FeedKey::Room(speakers.room_slug(&Text::from("Hall")).unwrap().clone()),
        FeedKey::Speaker(speakers.speaker_slug(&Text::from("Zoe")).unwrap().clone()),
    ];
    for key in keys {
        let path = key.to_string().replace(".ics", "");
        let mut seen = BTreeSet::new();
        for (page, sessions) in [(1, SESSIONS_PER_PAGE), (2, SESSIONS_PER_PAGE), (3, 10)] {
            let html = web::part(&release, &key, page).unwrap();
            let ids: BTreeSet<&str> = html
                .split("<li class=\"card")
                .skip(1)
                .filter_map(|it| it.split("id=\"").nth(1)?.split('"').next())
                .collect();
            assert_eq!(ids.len(), sessions, "{path}, page {page}");
            seen.extend(ids.into_iter().map(str::to_owned));
            assert_eq!(
                html.contains(&format!("{path}?page={}\" rel=\"next\"", page + 1)),
                page < 3,
                "{path}, page {page}"
            );
            assert_eq!(html.contains("rel=\"prev\""), page > 1, "{path}, page {page}");
        }
        assert_eq!(seen.len(), n, "{path}: every session is on one of the pages");
        assert!(web::part(&release, &key, 4).is_none() && web::part(&release, &key, 0).is_none());
        assert!(web::part(&release, &key, usize::MAX).is_none());
    }
    let listing = |page| web::listing(&release, Listing::Speakers, page);
    assert!(listing(1).unwrap().contains("Speaker 00000") && listing(2).is_none());
}

/// All pairs of picks that overlap, by looking at every pair.
fn pairs(picks: &[SessionId], release: &Release) -> BTreeSet<(SessionId, SessionId)> {
    let takes_time = |id: &SessionId| {
        let entry = release.ledger.entries.get(id).filter(|entry| entry.is_visible())?;
        (!entry.is_cancelled() && !entry.session.kind.is_pause()).then_some(&entry.session.slot)
    };
    let mut pairs = BTreeSet::new();
    for (a, b) in picks.iter().flat_map(|a| picks.iter().map(move |b| (a, b))).filter(|(a, b)| a < b) {
        if let (Some(one), Some(other)) = (takes_time(a), takes_time(b))
            && one.overlaps(other)
        {
            pairs.insert((a.clone(), b.clone()));
        }
    }
    pairs
}

fn programs() -> impl Strategy<Value = Vec<(i64, i64, u8)>> {
    prop::collection::vec((0..300i64, 5..90i64, 0..10u8), 1..14)
}

fn with_kinds(spans: &[(i64, i64, u8)]) -> Vec<Session> {
    let times: Vec<(i64, i64)> = spans.iter().map(|(from, length, _)| (*from, *length)).collect();
    let mut all = sessions(&times);
    for (session, (_, _, kind)) in all.iter_mut().zip(spans) {
        match kind {
            0 => session.kind = SessionKind::Break,
            1 => session.status = Status::Cancelled,
            _ => {}
        }
    }
    all
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn overlaps_equal_those_found_by_comparing_every_pair(spans in programs()) {
        let all = with_kinds(&spans);
        let (picks, release) = (ids(&all), release(all));
        let expected = pairs(&picks, &release);
        for item in &Agenda::of(&picks, &release).items {
            let id = &item.session().id;
            let others = expected.iter().filter_map(|(a, b)| match () {
                () if a == id => Some(b),
                () if b == id => Some(a),
                () => None,
            });
            let mut others: Vec<_> = others.map(|id| &release.ledger.entries[id]).collect();
            others.sort_by_key(|entry| entry.program_order());
            prop_assert_eq!(item.overlaps.len() + item.more_overlaps, others.len());
            others.truncate(MAX_NAMED);
            prop_assert_eq!(&item.overlaps, &others);
        }
    }

    #[test]
    fn a_release_has_a_new_overlap_if_a_pair_overlaps_that_did_not(
        before in programs(),
        moves in prop::collection::vec((0..14usize, -60..60i64, 0..4u8), 0..4),
    ) {
        let mut all = with_kinds(&before);
        let picks = ids(&all);
        let first = release(all.clone());
        for (place, minutes, kind) in moves {
            let Some(session) = all.get_mut(place) else { continue };
            session.slot.start += TimeDelta::minutes(minutes);
            session.slot.end += TimeDelta::minutes(minutes);
            session.status = if kind == 0 { Status::Cancelled } else { Status::Confirmed };
        }
        let program = Program::new(first.program.conference.clone(), Vec::new(), all);
        let second = first.follow(program, at("2025-02-02T12:00:00Z")).release;
        let is_new = !pairs(&picks, &second).is_subset(&pairs(&picks, &first));
        prop_assert_eq!(has_new_overlap(&picks, &first, &second), is_new);
    }
}
