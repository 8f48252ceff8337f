//! Golden feeds: `tests/golden/*.ics` byte for byte, each with its expected sessions (`*.json`) for other parsers, and
//! change feeds in each language (`*.atom`).
//!
//! `UPDATE_GOLDEN=1 cargo test golden` rewrites them; review the diff.

use crate::sample::{conference, shipped};
use crate::truth;
use bytes::Bytes;
use callboard::export::{ChangeFeed, ReleaseChanges, Scope};
use callboard::feed::{Cancelled, FeedKey, FeedOptions, parse_query};
use callboard::fixtures::{self, Fixture, at, speaker, talk};
use callboard::program::{Change, Program, Session, SessionId, SessionKind, Slug, Status, Text, slug_of};
use callboard::release::Release;
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

struct Golden {
    name: String,
    feed: Bytes,
    truth: Vec<Value>,
}

impl Golden {
    /// A canonical feed. Its expected sessions come from the ledger, not from the feed.
    fn canonical(name: &str, release: &Release, key: &FeedKey, includes: impl Fn(&Session) -> bool) -> Self {
        let feed = release.feeds.feed(key).unwrap().identity.clone();
        let visible = release.ledger.visible_entries().into_iter().filter(|entry| includes(&entry.session));
        let truth = visible.map(|entry| truth::of(&entry.session, &release.ledger)).collect();
        Self { name: name.to_owned(), feed, truth }
    }

    fn whole(name: &str, release: &Release) -> Self {
        Self::canonical(name, release, &FeedKey::Program, |_| true)
    }
}

#[test]
fn golden_feeds_are_byte_for_byte_what_they_were() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let goldens = goldens();
    let files: Vec<(PathBuf, Vec<u8>)> = goldens
        .into_iter()
        .flat_map(|golden| {
            let path = |extension| folder.join(&golden.name).with_extension(extension);
            [(path("ics"), golden.feed.to_vec()), (path("json"), truth::file(&golden.truth).into_bytes())]
        })
        .chain(change_feeds().into_iter().map(|(name, atom)| (folder.join(name), atom)))
        .collect();
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        files.iter().for_each(|(path, bytes)| std::fs::write(path, bytes).unwrap());
    }
    for (path, bytes) in &files {
        let golden = std::fs::read(path).unwrap_or_default();
        let differs = String::from_utf8_lossy(bytes);
        let golden_text = String::from_utf8_lossy(&golden);
        let line = golden_text.lines().zip(differs.lines()).position(|(a, b)| a != b).map(|line| line + 1);
        assert!(golden == *bytes, "{} differs, first in line {line:?}", path.display());
    }
    let expected: BTreeSet<PathBuf> = files.into_iter().map(|(path, _)| path).collect();
    // The test of mails compares its own files.
    let is_mail = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "eml");
    let present: BTreeSet<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| !is_mail(path))
        .collect();
    assert_eq!(present, expected, "a golden file that no test renders, or one that is missing");
}

#[test]
fn every_line_of_a_golden_feed_is_valid_by_rfc_5545() {
    for golden in goldens() {
        let text = std::str::from_utf8(&golden.feed).unwrap();
        assert!(text.ends_with("END:VCALENDAR\r\n"), "{}", golden.name);
        for line in text.strip_suffix("\r\n").unwrap().split("\r\n") {
            let allowed = (1..=75).contains(&line.len()) && !line.chars().any(char::is_control);
            assert!(allowed, "{}: {line:?}", golden.name);
        }
    }
}

#[test]
fn golden_feeds_have_no_unwanted_properties() {
    for golden in goldens() {
        let text = std::str::from_utf8(&golden.feed).unwrap();
        for word in ["ATTENDEE", "ORGANIZER", "METHOD:", "RDATE", "BYMONTHDAY", "node:field"] {
            assert!(
                !text.contains(&format!("\n{word}")) && !text.contains("[node:"),
                "{}: {word}",
                golden.name
            );
        }
        let stamps = text.lines().filter(|line| line.starts_with("DTSTAMP:"));
        let stamps: BTreeSet<&str> = stamps.map(|line| &line[8..12]).collect();
        assert!(stamps.iter().all(|year| *year == "2025"), "{}: stamped by the wall clock", golden.name);
    }
}

fn goldens() -> Vec<Golden> {
    let mut goldens = srecon();
    goldens.extend(agendas());
    goldens.extend(zones());
    goldens.push(Golden::whole("hostile-text", &hostile()));
    goldens.push(Golden::whole("details", &crate::details::release()));
    goldens.extend(changed());
    goldens.extend(LANGUAGES.map(in_language));
    goldens
}

/// Languages with catalogues, and the prefix of a cancelled session's title.
const LANGUAGES: [(&str, &str); 7] = [
    ("en-US", "CANCELLED: "),
    ("en-GB", "CANCELLED: "),
    ("de", "ABGESAGT: "),
    ("es", "CANCELADA: "),
    ("fr", "ANNULÉE\u{a0}: "),
    ("ja", "【中止】"),
    ("pt-BR", "CANCELADA: "),
];

/// An agenda in a language, with a moved session and with cancelled sessions marked in their titles.
fn in_language((tag, prefix): (&str, &str)) -> Golden {
    let ([_, release], picks, _) = two_releases(tag);
    let options = FeedOptions { cancelled: Cancelled::Title, ..FeedOptions::default() };
    let name = Text::from("Ada");
    let feed = release.feeds.agenda(&name, &picks, options, at("2025-02-03T08:30:00Z"));
    let picked = |session: &Session| picks.contains(&session.id);
    let mut golden =
        Golden::canonical(&format!("language-{}", tag.to_lowercase()), &release, &FeedKey::Program, picked);
    golden.feed = feed.identity();
    for session in &mut golden.truth {
        if session["status"] == "CANCELLED" {
            session["status"] = "CONFIRMED".into();
            session["summary"] = format!("{prefix}{}", session["summary"].as_str().unwrap()).into();
        }
    }
    golden
}

/// The changes between two releases as Atom, in each language.
fn change_feeds() -> Vec<(String, Vec<u8>)> {
    let feed = |(tag, _): (&str, &str)| {
        let ([first, second], _, changes) = two_releases(tag);
        let count = first.program.order().len();
        let of = |release: &Release, count, changes| ReleaseChanges {
            number: release.number(),
            published: release.published(),
            count,
            changes,
        };
        let stored = [of(&first, count, &[][..]), of(&second, changes.len(), &changes)];
        let atom = ChangeFeed::of(&second, &stored, Scope::Program).atom();
        (format!("changes-{}.atom", tag.to_lowercase()), atom.bytes.to_vec())
    };
    LANGUAGES.map(feed).into()
}

/// The program of this repository: `program.csv` by the shipped config.
fn srecon() -> Vec<Golden> {
    let release = shipped();
    let conference = &release.program.conference;
    let mut goldens = vec![Golden::whole("program", &release)];
    for track in &conference.tracks {
        let of_track = |session: &Session| session.track.as_ref() == Some(&track.slug);
        let key = FeedKey::Track(track.slug.clone());
        goldens.push(Golden::canonical(&format!("track-{}", track.slug), &release, &key, of_track));
    }
    let day: NaiveDate = "2025-03-26".parse().unwrap();
    let zone = conference.zone;
    let of_day = |session: &Session| zone.civil(session.slot.start).date() == day;
    goldens.push(Golden::canonical("day-2025-03-26", &release, &FeedKey::Day(day), of_day));
    let name = Text::from("Leonardo Antônio dos Santos");
    let speaks = |session: &Session| session.speakers.iter().any(|speaker| speaker.name == name);
    let key = FeedKey::Speaker(slug_of(name.as_str()));
    goldens.push(Golden::canonical("speaker-leonardo-antonio-dos-santos", &release, &key, speaks));
    let id = SessionId::parse("ml-monitoring").unwrap();
    let session = release.program.session(&id).unwrap();
    let joined = release.feeds.single(&id, &session.title, FeedOptions::default()).unwrap();
    let truth = vec![truth::of(session, &release.ledger)];
    goldens.push(Golden { name: "session-ml-monitoring".to_owned(), feed: joined.identity(), truth });
    let query = [("kind", "talk"), ("track", "track-2"), ("track", "track-1"), ("day", "2025-03-27")];
    let (filter, options) = parse_query(query, &release.ledger.slugs).unwrap();
    let talks = |session: &Session| session.kind == SessionKind::Talk;
    let last_day = |session: &Session| zone.civil(session.slot.start).date() == day.succ_opt().unwrap();
    let mut filtered = Golden::canonical("program-filtered", &release, &FeedKey::Program, |session| {
        talks(session) && last_day(session)
    });
    filtered.feed = release.feeds.filtered(&filter, options, &release.ledger.slugs).identity();
    goldens.push(filtered);
    goldens
}

/// Ten sessions, one of each kind, one cancelled and one tentative; and some picks, unordered.
fn small_conference(language: &str) -> (Release, Vec<SessionId>) {
    let first = at("2025-03-25T16:00:00Z");
    let sessions = SessionKind::ALL.iter().zip(0..).map(|(kind, n)| {
        let start = first + TimeDelta::minutes(50 * n);
        let title = format!("A {kind} of the conference");
        let mut session = talk(&format!("a-{kind}"), start, start + TimeDelta::minutes(45), &title);
        session.kind = *kind;
        session.status = match kind {
            SessionKind::Panel => Status::Cancelled,
            SessionKind::Workshop => Status::Tentative,
            _ => Status::Confirmed,
        };
        session
    });
    let release =
        fixtures::conference().language(language).title("Small Conference").sessions(sessions).release();
    let picks = ["a-workshop", "a-panel", "a-talk", "a-break", "a-social"];
    (release, picks.map(|id| SessionId::parse(id).unwrap()).into())
}

fn agendas() -> Vec<Golden> {
    let (release, picks) = small_conference("en");
    let changed = at("2025-02-03T08:30:00Z");
    let picked = |session: &Session| picks.contains(&session.id);
    let agenda = |name: &str, options: FeedOptions| {
        let feed = release.feeds.agenda(&Text::from("My agenda, and yours"), &picks, options, changed);
        let mut golden = Golden::canonical(name, &release, &FeedKey::Program, picked);
        golden.feed = feed.identity();
        golden
    };
    let plain = agenda("agenda", FeedOptions::default());
    let options = FeedOptions { busy: Some(false), alarm: Some(10), cancelled: Cancelled::Title };
    let mut optioned = agenda("agenda-with-options", options);
    for session in &mut optioned.truth {
        if session["status"] == "CANCELLED" {
            session["status"] = "CONFIRMED".into();
            session["summary"] = format!("CANCELLED: {}", session["summary"].as_str().unwrap()).into();
        }
    }
    let mut dropped = agenda(
        "agenda-without-cancelled",
        FeedOptions { cancelled: Cancelled::Drop, ..FeedOptions::default() },
    );
    dropped.truth.retain(|session| session["status"] != "CANCELLED");
    vec![plain, optioned, dropped]
}

/// Programs around a clock change, with sessions within the repeated hour, and zones without clock changes.
fn zones() -> Vec<Golden> {
    [
        ("utc", "UTC", "2025-10-26T01:00:00Z"),
        ("dublin", "Europe/Dublin", "2025-10-26T01:00:00Z"),
        ("sydney", "Australia/Sydney", "2025-04-05T16:00:00Z"),
        ("los-angeles-spring", "America/Los_Angeles", "2025-03-09T10:00:00Z"),
        ("lord-howe", "Australia/Lord_Howe", "2025-04-05T15:00:00Z"),
        ("casablanca", "Africa/Casablanca", "2025-02-23T02:00:00Z"),
        ("kolkata", "Asia/Kolkata", "2025-06-01T00:00:00Z"),
    ]
    .map(|(name, zone, change)| {
        let change = at(change);
        let sessions = (-6..=6).map(|half_hours| session_around(change, half_hours));
        let conference = fixtures::conference().title(&format!("Around {zone}")).zone(zone);
        Golden::whole(name, &conference.sessions(sessions).release())
    })
    .into()
}

fn session_around(change: DateTime<Utc>, half_hours: i32) -> Session {
    let start = change + TimeDelta::minutes(i64::from(30 * half_hours));
    let name = match half_hours {
        ..0 => format!("{} minutes before the change", -30 * half_hours),
        0 => "At the change".to_owned(),
        _ => format!("{} minutes after the change", 30 * half_hours),
    };
    talk(&format!("around-{}", half_hours + 6), start, start + TimeDelta::minutes(50), &name)
}

/// Texts that have broken parsers: characters that iCalendar escapes, its keywords, folds at every octet.
fn hostile() -> Release {
    let conference = conference(
        "[conference]\ntitle = \"Commas, semicolons; back\\\\slashes: and \\\"quotes\\\"\"\n\
         zone = \"Europe/Berlin\"\nvenue = \"Halle 3; Tor B, links\"\n\
         [[tracks]]\nname = \"Ops, Dev; and \\\"both\\\"\"\nslug = \"ops\"\ncolour = \"#ff6347\"\n",
    );
    let titles = [
        r"commas, semicolons; colons: back\slashes, \n that is no line end, \\, \, and \;",
        "BEGIN:VEVENT",
        "END:VCALENDAR",
        "SUMMARY:twice; X=\"quoted, text\":value",
        "“Typographic” ‘quotes’ – dashes — and … an ellipsis",
        "Emoji 👩‍👩‍👧‍👦 🏳️‍🌈 🇯🇵 ☎️ and e\u{301} combining u\u{308}",
        "日本語の題名、句読点。全角；記号",
        "שלום עולם و مرحبا بالعالم in one line",
        "<b>markup</b> &amp; %0D%0A =0D=0A ${HOME} {{x}}",
        " spaces at both ends and a , comma between spaces ",
    ];
    let first = at("2025-05-05T07:00:00Z");
    let start = |n: usize| first + TimeDelta::minutes(10 * i64::try_from(n).unwrap());
    let mut sessions: Vec<Session> = titles
        .iter()
        .enumerate()
        .map(|(n, title)| hostile_session(&format!("title-{n}"), start(n), title))
        .collect();
    // SUMMARY: is 8 octets, so these end a folded line at, one before and one after its 75th octet.
    for octets in (64..=70).chain(138..=144) {
        let n = sessions.len();
        sessions.push(hostile_session(
            &format!("ascii-{octets}"),
            start(n),
            &"abcdefghi ".repeat(20)[..octets].replace(' ', "_"),
        ));
        let wide = format!("{}{}", "x".repeat(octets % 4), "🎭".repeat(octets / 4));
        sessions.push(hostile_session(&format!("wide-{octets}"), start(n + 1), &wide));
    }
    let mut long =
        hostile_session("long", start(sessions.len()), &"A title of a thousand octets, no less; ".repeat(26));
    long.abstract_text =
        Text::block(&"One paragraph, with; everything\\ in it.\n\n• and a bullet\n".repeat(300)).0;
    sessions.push(long);
    Fixture { conference, sessions }.release()
}

fn hostile_session(id: &str, start: DateTime<Utc>, title: &str) -> Session {
    let mut session = talk(id, start, start + TimeDelta::minutes(10), title);
    session.track = Slug::parse("ops").ok();
    session.slot.room = Some(Text::line("Room 1, \"left\"; upstairs\\2").0);
    session.speakers = vec![speaker("Zoë (Zo) O’Brien", "Workday, Inc.; R&D"), speaker("李 小龍", "")];
    session.abstract_text = Text::block(&format!("{title}\nEND:VEVENT\n\nBEGIN:VALARM\n{title}")).0;
    session
}

/// Release 2 of the small conference: one session moved, one cancelled, one removed, one withdrawn.
fn changed() -> Vec<Golden> {
    let ([_, second], picks, _) = two_releases("en");
    let picked = |session: &Session| picks.contains(&session.id);
    let agenda =
        second.feeds.agenda(&Text::from("Mine"), &picks, FeedOptions::default(), at("2025-02-01T13:00:00Z"));
    let mut shared = Golden::canonical("changed-agenda", &second, &FeedKey::Program, picked);
    shared.feed = agenda.identity();
    vec![Golden::whole("changed", &second), shared]
}

/// The small conference, its release after some changes, its picks and the changes.
fn two_releases(language: &str) -> ([Release; 2], Vec<SessionId>, Vec<Change>) {
    let (first, picks) = small_conference(language);
    let conference = Arc::clone(&first.program.conference);
    let sessions =
        first.program.order().iter().map(|session| Session::clone(session)).filter_map(|mut session| {
            match session.id.as_str() {
                "a-talk" => {
                    session.slot.start += TimeDelta::hours(24);
                    session.slot.end += TimeDelta::hours(24);
                    session.slot.room = Some(Text::from("Annex"));
                }
                "a-plenary" => session.status = Status::Cancelled,
                "a-meal" => return None,
                "a-remarks" => session.status = Status::Withdrawn,
                _ => {}
            }
            Some(session)
        });
    let program = Program::new(conference, first.program.tracks.clone(), sessions);
    let second = Release::prepare(program, &first.ledger, at("2025-02-02T12:00:00Z"));
    ([first, second.release], picks, second.changes)
}
