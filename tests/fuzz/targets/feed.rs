//! Any program through every writer. The output has the texts of the program, and the structure of the same program with
//! harmless texts, so nothing was injected.

use super::grown::{self, Grown, TextFilter};
use super::skeleton::{self, Skeleton, has_injected_markup};
use callboard::doctor;
use callboard::export::{
    ChangeFeed, ReleaseChanges, Scope, agenda_text, deep_link, jcal, program_text, schedule_csv,
    schedule_json, schedule_xml,
};
use callboard::feed::{FeedKey, FeedOptions};
use callboard::fixtures::{PUBLISHED, at};
use callboard::ics;
use callboard::program::{Program, Session, SessionId, Slug, Status};
use callboard::release::Release;
use callboard::revision::Ledger;
use callboard::web::Pages;
use chrono::TimeDelta;
use std::sync::Arc;

pub(super) fn run(bytes: &[u8]) {
    let raw = grown::grow(bytes, &TextFilter::Raw);
    let twin = grown::grow(bytes, &TextFilter::harmless());
    assert_eq!(raw.program.order().len(), twin.program.order().len());
    let (raw, twin) = (outputs(&raw), outputs(&twin));
    for ((name, raw), (_, twin)) in raw.iter().zip(&twin) {
        assert_eq!(raw, twin, "{name}");
    }
}

fn outputs(grown: &Grown) -> Vec<(String, Skeleton)> {
    let published = at(PUBLISHED);
    let empty = Ledger::empty(&grown.program.conference.uid_domain);
    let first = Release::prepare(grown.program.clone(), &empty, published).release;
    let later = published + TimeDelta::days(1);
    let prepared = first.follow(changed(&grown.program), later);
    let mut out = Vec::new();
    release_outputs("first", &first, grown, &mut out);
    release_outputs("second", &prepared.release, grown, &mut out);
    let releases = [
        ReleaseChanges { number: 1, published, count: 0, changes: &[] },
        ReleaseChanges {
            number: 2,
            published: later,
            count: prepared.changes.len(),
            changes: &prepared.changes,
        },
    ];
    let picks = picks(&grown.program);
    let track = Slug::parse("track").unwrap();
    for scope in [
        Scope::Program,
        Scope::Track(&track),
        Scope::Agenda { name: &grown.agenda, key: b"key", picks: &picks },
    ] {
        let feed = ChangeFeed::of(&prepared.release, &releases, scope);
        out.push((format!("{scope:?} as Atom"), skeleton::document(&feed.atom().bytes)));
        out.push((format!("{scope:?} as JSON"), skeleton::json(&feed.json().bytes, &[])));
    }
    out
}

fn picks(program: &Program) -> Vec<SessionId> {
    program.order().iter().map(|session| session.id.clone()).collect()
}

/// The next program: the first session is removed, the second cancelled, the third moved, the fourth edited.
fn changed(program: &Program) -> Program {
    let sessions = program.order().iter().enumerate().filter_map(|(n, session)| {
        let mut session = Session::clone(session);
        match n {
            0 => return None,
            1 => session.status = Status::Cancelled,
            2 => {
                session.slot.start += TimeDelta::hours(1);
                session.slot.end += TimeDelta::hours(1);
                session.slot.room = session.speakers.first().map(|speaker| speaker.name.clone());
            }
            3 => session.title = session.block.clone().unwrap_or_else(|| session.title.clone()),
            _ => {}
        }
        Some(session)
    });
    Program::new(Arc::clone(&program.conference), program.tracks.clone(), sessions)
}

fn release_outputs(which: &str, release: &Release, grown: &Grown, out: &mut Vec<(String, Skeleton)>) {
    doctor::inspect(release, None).unwrap();
    let picks = picks(&release.program);
    let mut feed = |name: &str, bytes: &[u8]| {
        out.push((format!("{which}: {name}"), skeleton::calendar(bytes)));
        let json = jcal(bytes).unwrap();
        out.push((format!("{which}: {name} as jCal"), skeleton::json(&json, &[])));
    };
    let program = release.feeds.feed(&FeedKey::Program).unwrap();
    feed("program", &program.identity);
    check_texts(&program.identity, release);
    let options = FeedOptions { busy: Some(true), alarm: Some(10), ..FeedOptions::default() };
    let agenda = release.feeds.agenda(&grown.agenda, &picks, options, release.published());
    feed("agenda", &agenda.identity());
    let closed = release.feeds.revoked(&grown.agenda, &release.program.conference.title, release.published());
    feed("closed", &closed.identity());
    for id in &picks {
        let session = release.program.session(id).unwrap();
        if let Some(single) = release.feeds.single(id, &session.title, FeedOptions::default()) {
            feed(id.as_str(), &single.identity());
        }
    }
    out.push((format!("{which}: schedule.xml"), skeleton::document(&schedule_xml(release).bytes)));
    let json = schedule_json(release).bytes;
    out.push((format!("{which}: schedule.json"), skeleton::json(&json, &["/rooms"])));
    for text in [
        String::from_utf8(program_text(release).bytes.to_vec()).unwrap(),
        agenda_text(release, &grown.agenda, &picks),
        deep_link(release),
    ] {
        assert!(text.chars().all(|c| c == '\n' || !c.is_control()), "{text:?}");
    }
    String::from_utf8(schedule_csv(release).bytes.to_vec()).unwrap();
    if grown.pages {
        check_pages(release);
    }
}

/// Checks the pages. They take as long as all other outputs, so only some inputs include them.
fn check_pages(release: &Release) {
    for (path, page) in Pages::render(release).all() {
        let text = std::str::from_utf8(&page.identity).unwrap();
        assert!(!page.media_type.starts_with("text/html") || !has_injected_markup(text), "{path}");
    }
}

/// Checks that reading the feed gives the texts of the sessions.
fn check_texts(bytes: &[u8], release: &Release) {
    let reading = ics::read(bytes);
    let calendar = reading.calendars().next().unwrap();
    assert_eq!(calendar.text("NAME"), release.program.conference.title.as_str());
    assert_eq!(calendar.text("X-WR-CALNAME"), calendar.text("NAME"));
    for event in calendar.all("VEVENT") {
        let uid = event.text("UID");
        let id = SessionId::parse(uid.split('@').next().unwrap()).unwrap();
        let session = &release.ledger.entries[&id].session;
        if let Some(room) = &session.slot.room {
            assert_eq!(event.text("LOCATION"), room.as_str(), "{id}");
        }
        let described = event.text("DESCRIPTION");
        assert!(described.contains(session.abstract_text.as_str()), "{id}: {described:?}");
    }
}
