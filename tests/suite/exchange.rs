//! Lists of picks in the formats of other tools, matched to the sessions of a release.

use callboard::exchange::{self, ExchangeError, MAX_BYTES, MAX_ENTRIES, MatchOutcome, Matching};
use callboard::export::{code, guid};
use callboard::fixtures::{self, at, talk};
use callboard::program::SessionId;
use callboard::release::Release;
use proptest::prelude::*;
use std::sync::LazyLock;

fn id(text: &str) -> SessionId {
    SessionId::parse(text).unwrap()
}

static RELEASE: LazyLock<Release> = LazyLock::new(|| {
    let hour = |n: u32| at(&format!("2025-03-25T{n}:00:00Z"));
    let mut sessions: Vec<_> =
        (0..40).map(|n| talk(&format!("talk-{n}"), hour(16), hour(17), &format!("Talk {n}"))).collect();
    sessions.push(talk("one-twin", hour(18), hour(19), "The same title"));
    sessions.push(talk("other-twin", hour(18), hour(19), "The  same TITLE"));
    // The id of this session is the number of another session.
    sessions.push(talk("12", hour(20), hour(21), "Twelve"));
    fixtures::conference().sessions(sessions).release()
});

fn matched(file: &str, picked: &[SessionId]) -> Matching {
    exchange::from_file(file.as_bytes(), &RELEASE, picked).unwrap()
}

fn outcomes(file: &str) -> Vec<MatchOutcome> {
    matched(file, &[id("talk-1")]).entries.into_iter().map(|entry| entry.outcome).collect()
}

fn new(text: &str) -> MatchOutcome {
    MatchOutcome::New(id(text))
}

#[test]
fn a_list_may_have_guids_ids_uids_codes_and_numbers() {
    let entry = &RELEASE.ledger.entries[&id("talk-5")];
    let uid = RELEASE.ledger.uid(&id("talk-6"));
    let file = serde_json::json!([
        "talk-4",
        guid(&RELEASE.ledger.uid(&id("talk-3"))).to_string().to_uppercase(),
        code(entry.number.into()).to_lowercase(),
        uid,
        RELEASE.ledger.entries[&id("talk-7")].number,
        RELEASE.ledger.entries[&id("talk-8")].number.to_string(),
        "12",
        "talk-1",
        "talk-4",
        "never-was",
        4_000_000_000_u64,
        -1,
        { "id": 99_999, "guid": guid(&RELEASE.ledger.uid(&id("talk-9"))).to_string(), "title": "Talk 9" },
    ]);
    let number = RELEASE.ledger.entries[&id("talk-8")].number.to_string();
    assert_ne!(number, "12");
    let found = outcomes(&file.to_string());
    assert_eq!(
        found,
        [
            new("talk-4"),
            new("talk-3"),
            new("talk-5"),
            new("talk-6"),
            new("talk-7"),
            new("talk-8"),
            new("12"),
            MatchOutcome::Picked(id("talk-1")),
            MatchOutcome::Picked(id("talk-4")),
            MatchOutcome::Unknown,
            MatchOutcome::Unknown,
            MatchOutcome::Unknown,
            new("talk-9"),
        ]
    );
}

#[test]
fn a_text_that_is_the_code_of_one_and_the_number_of_another_is_ambiguous() {
    let (start, end) = (at("2025-03-25T16:00:00Z"), at("2025-03-25T17:00:00Z"));
    let mut release = fixtures::conference().sessions([talk("aa", start, end, "A")]).release();
    // The code of number 60466176 is 100000, which is the number of another session.
    let mut other = release.ledger.entries[&id("aa")].clone();
    other.number = 100_000;
    release.ledger.entries.get_mut(&id("aa")).unwrap().number = 60_466_176;
    let mut session = (*other.session).clone();
    session.id = id("bb");
    other.session = std::sync::Arc::new(session);
    release.ledger.entries.insert(id("bb"), other);
    let found = exchange::from_file(b"[\"100000\"]", &release, &[]).unwrap();
    assert_eq!(found.entries[0].outcome, MatchOutcome::Ambiguous(vec![id("aa"), id("bb")]));
}

#[test]
fn our_own_export_and_feeds_import_completely() {
    let picks: Vec<SessionId> = (0..20).map(|n| id(&format!("talk-{n}"))).collect();
    let list = exchange::to_json(&RELEASE, &picks).to_string();
    let mut back = matched(&list, &[]).new_picks();
    back.sort();
    let mut sorted = picks.clone();
    sorted.sort();
    assert_eq!(back, sorted);
    let changed = at("2025-03-01T00:00:00Z");
    let title = callboard::program::Text::line("Mine").0;
    for query in ["", "cancelled=title&busy=no&alarm=5m"] {
        let mut options = callboard::feed::FeedOptions::default();
        for pair in query.split('&').filter_map(|pair| pair.split_once('=')) {
            options.parse_pair(pair.0, pair.1).unwrap();
        }
        let feed = RELEASE.feeds.agenda(&title, &picks, options, changed).identity();
        let mut back = exchange::from_file(&feed, &RELEASE, &[]).unwrap().new_picks();
        back.sort();
        assert_eq!(back, sorted);
    }
}

fn event(uid: &str, title: &str, start: &str) -> String {
    format!("BEGIN:VEVENT\nUID:{uid}\nSUMMARY:{title}\nDTSTART{start}\nEND:VEVENT\n")
}

#[test]
fn a_foreign_calendar_matches_by_title_and_start() {
    let zoned = ";TZID=America/Los_Angeles:20250325T090000";
    let file = [
        "BEGIN:VCALENDAR\n".to_owned(),
        event("x1@sched", "talk  2", zoned),
        event("x2@sched", "Talk 3", ":20250325T160000Z"),
        event("x3@sched", "Talk 4", ":20250325T090000"),
        event("x4@sched", "Talk 5", ":20250325T100000"),
        event("x5@sched", "The same title", ";TZID=America/Los_Angeles:20250325T110000"),
        event("x6@sched", "CANCELLED: Talk 6", zoned),
        event("x7@sched", "Talk 7", ";VALUE=DATE:20250325"),
        "BEGIN:VEVENT\nEND:VEVENT\nEND:VCALENDAR\n".to_owned(),
    ]
    .concat();
    let found = matched(&file, &[]);
    let outcomes: Vec<&MatchOutcome> = found.entries.iter().map(|entry| &entry.outcome).collect();
    let twins = MatchOutcome::Ambiguous(vec![id("one-twin"), id("other-twin")]);
    let unknown = MatchOutcome::Unknown;
    assert_eq!(
        outcomes,
        [
            &new("talk-2"),
            &new("talk-3"),
            &new("talk-4"),
            &unknown,
            &twins,
            &new("talk-6"),
            &unknown,
            &unknown
        ]
    );
    assert_eq!(found.entries[3].text, "Talk 5");
    assert_eq!(found.entries[7].text, "an event without UID and title");
}

#[test]
fn other_files_and_files_over_a_limit_are_refused() {
    let read = |file: &[u8]| exchange::from_file(file, &RELEASE, &[]).unwrap_err();
    for file in [&b""[..], b"hello", b"BEGIN:VEVENT\r\nEND:VEVENT\r\n", b"\x00\xff"] {
        assert_eq!(read(file), ExchangeError::Unknown, "{file:?}");
    }
    assert!(matches!(read(b"[1,"), ExchangeError::NotJson(_)));
    assert!(matches!(read(b"{}"), ExchangeError::NoList(_)));
    assert!(matches!(read(b"{\"picks\": 1}"), ExchangeError::NoList(_)));
    let message = read(b"[\"talk-1\", null]").to_string();
    assert!(message.contains("member 2"), "{message}");
    assert!(matches!(read(b"[[1]]"), ExchangeError::NoList(_)));
    assert!(matches!(read("[".repeat(100_000).as_bytes()), ExchangeError::NotJson(_)));
    assert_eq!(read(&vec![b' '; MAX_BYTES + 1]), ExchangeError::TooLarge);
    let many = serde_json::to_string(&vec!["x"; MAX_ENTRIES + 1]).unwrap();
    assert_eq!(read(many.as_bytes()), ExchangeError::TooMany(MAX_ENTRIES + 1));
    let events = "BEGIN:VEVENT\r\nEND:VEVENT\r\n".repeat(MAX_ENTRIES + 1);
    let many = format!("BEGIN:VCALENDAR\r\n{events}END:VCALENDAR\r\n");
    assert_eq!(read(many.as_bytes()), ExchangeError::TooMany(MAX_ENTRIES + 1));
}

#[test]
fn a_code_finds_sessions_by_their_numbers_and_reports_unknown_numbers() {
    let number = |text: &str| RELEASE.ledger.entries[&id(text)].number;
    let code = exchange::to_code([number("talk-2"), number("talk-1"), 9_999]);
    let found = exchange::from_numbers(&exchange::from_code(&code).unwrap(), &RELEASE, &[id("talk-1")]);
    assert_eq!(found.new_picks(), [id("talk-2")]);
    assert!(
        found
            .entries
            .iter()
            .any(|entry| entry.text == "number 9999" && entry.outcome == MatchOutcome::Unknown)
    );
}

proptest! {
    #[test]
    fn no_file_panics_and_every_entry_is_in_the_matching(
        bytes in proptest::collection::vec(any::<u8>(), 0..300),
        list in proptest::collection::vec("[a-z0-9-]{0,12}|[0-9]{1,12}", 0..20),
        text in "(BEGIN:VCALENDAR\r\n|BEGIN:VEVENT\r\n|END:VEVENT\r\n|END:VCALENDAR\r\n|UID:|SUMMARY:|DTSTART|;TZID=|:2025|\r\n|\\\\|.){0,40}",
    ) {
        let _ = exchange::from_file(&bytes, &RELEASE, &[]);
        let _ = exchange::from_file(text.as_bytes(), &RELEASE, &[]);
        let file = serde_json::to_string(&list).unwrap();
        if let Ok(found) = exchange::from_file(file.as_bytes(), &RELEASE, &[]) {
            prop_assert_eq!(found.entries.len(), list.len());
            let new = found.new_picks();
            let once: std::collections::BTreeSet<_> = new.iter().collect();
            prop_assert_eq!(once.len(), new.len());
        }
    }
}
