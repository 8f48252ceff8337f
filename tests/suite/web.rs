//! The pages of the real program, after a day of changes.

mod html;

use callboard::agenda::{Busy, EditKey};
use callboard::config::{Config, Overrides};
use callboard::feed::{Coding, Effort, FeedFilter, FeedKey, FeedOptions};
use callboard::import::import;
use callboard::program::{Change, Rank, Session, SessionId, Status, Text};
use callboard::release::Release;
use callboard::revision::Ledger;
use callboard::web::{self, Assets, Pages, Platform, ProgramView, RenderedPage, Subject};
use html::check;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

fn id(id: &str) -> SessionId {
    SessionId::parse(id).unwrap()
}

/// Release 2: one talk moved, one cancelled, one retitled.
fn releases() -> (Release, Vec<Change>) {
    let config =
        Config::parse(Some(include_str!("../../config/callboard.toml")), Overrides::default()).unwrap();
    let conference = Arc::new(config.conference("127.0.0.1:8080".parse().unwrap()));
    let program = import(include_bytes!("../../program.csv"), &conference).program.unwrap();
    let previous = Ledger::empty(&conference.uid_domain);
    let at = |text: &str| text.parse().unwrap();
    let first = Release::prepare(program.clone(), &previous, at("2025-03-01T12:00:00Z")).release;
    let edit = |session: &Arc<Session>| {
        let mut session = Session::clone(session);
        match session.id.as_str() {
            "ml-monitoring" => {
                session.slot.start += chrono::TimeDelta::minutes(50);
                session.slot.end += chrono::TimeDelta::minutes(50);
                session.track = Some(callboard::program::Slug::parse("track-2").unwrap());
            }
            "slow-queries" => session.status = Status::Cancelled,
            "safe-ai-rollout" => session.title = Text::from("Safe Evaluation and Rollout of Models"),
            _ => {}
        }
        session
    };
    let sessions: Vec<Session> = program.order().iter().map(edit).collect();
    let program = callboard::program::Program::new(conference, program.tracks.clone(), sessions);
    let second = Release::prepare(program, &first.ledger, at("2025-03-02T12:00:00Z"));
    (second.release, second.changes)
}

/// Every page by path. The agenda and organizer pages have content.
fn everything(release: &Release, changes: &[Change]) -> BTreeMap<String, String> {
    let mut all = BTreeMap::new();
    for (path, page) in Pages::render(release).all() {
        if page.media_type.starts_with("text/html") {
            all.insert(path.to_owned(), String::from_utf8(page.identity.to_vec()).unwrap());
        }
    }
    let talks = || release.program.order().iter().filter(|session| !session.kind.is_pause());
    let picks: Vec<SessionId> = talks().step_by(4).map(|s| s.id.clone()).collect();
    let picks: Vec<SessionId> = picks
        .into_iter()
        .chain(["ml-monitoring", "slow-queries", "search-for-speed", "ai-infrastructure", "gone-one"].map(id))
        .collect();
    let name = Text::from(HOSTILE);
    let token = EditKey::generate().unwrap().read_token(1).reveal();
    let fetched = web::LastFetch { client: HOSTILE.to_owned(), ago: chrono::TimeDelta::hours(3), unseen: 1 };
    let link =
        |n, label: &str, token, freshness| web::LinkStatus { n, label: Text::from(label), token, freshness };
    let links = [link(1, "", Some(token.clone()), Some(fetched)), link(2, HOSTILE, None, None)];
    let mine = web::OwnAgenda {
        name: &name,
        picks: &picks,
        ranks: &BTreeMap::new(),
        links: &links,
        seen: Some(1),
        hand_over: Some(("https://conf.example/handover/abcdefgh", chrono::TimeDelta::minutes(10))),
        done: Some(web::AgendaDone::Linked),
        undo: &[],
        now: release.published(),
        is_organizer: true,
        push_key: Some("BP4z9K".to_owned()),
        devices: &[web::NotifiedDevice {
            id: "0".repeat(24),
            label: Text::from("Firefox, Android"),
            reminders: true,
        }],
        has_mail: true,
        mailboxes: &[web::NotifiedDevice {
            id: "1".repeat(24),
            label: Text::from("a…@example.org"),
            reminders: false,
        }],
    };
    let ranks = [(id("ml-monitoring"), Rank::Must), (id("slow-queries"), Rank::Maybe)].into();
    let start = "2025-03-26T18:30:00Z".parse().unwrap();
    let end = start + chrono::TimeDelta::minutes(20);
    let plan = web::PlanForm {
        picks: &picks,
        ranks: &ranks,
        busy: &[Busy { start, end, label: HOSTILE.to_owned() }],
        day: None,
        done: Some(web::AgendaDone::BusyRead),
        uploaded: Some(web::UploadedBusy { times: 1, skipped: 2 }),
        refused_busy: Some(web::BusyForm { date: None, from: HOSTILE, to: HOSTILE, label: HOSTILE }),
    };
    let notes = |number, changes| web::ReleaseNotes { number, published: release.published(), changes };
    let fault = |is_error| web::FaultLine {
        is_error,
        place: "line 12, end".to_owned(),
        message: HOSTILE.to_owned(),
        remedy: HOSTILE.to_owned(),
    };
    let kept = |number| web::ReleaseRow {
        number,
        published: release.published(),
        source: if number == 1 { web::ProgramSource::First } else { web::ProgramSource::Restored(1) },
        who: HOSTILE.to_owned(),
        changes: 3,
        has_text: true,
    };
    let desk = web::DeskStatus {
        source: Some(web::FollowedSource {
            host: HOSTILE.to_owned(),
            read: None,
            problem: Some((release.published(), HOSTILE.to_owned())),
            conflicts: vec![
                web::SourceConflict::Cells {
                    title: HOSTILE.to_owned(),
                    fields: vec![callboard::program::Field::Room],
                    source: HOSTILE.to_owned(),
                    own: String::new(),
                },
                web::SourceConflict::DeletedRow(HOSTILE.to_owned()),
            ],
            is_discarded: true,
            notes: vec![HOSTILE.to_owned()],
        }),
        who: HOSTILE.to_owned(),
        done: Some(web::DeskDone::Published),
        last: Some(web::LastAttempt {
            at: release.published(),
            source: web::ProgramSource::File,
            outcome: web::AttemptOutcome::Failed(HOSTILE.to_owned()),
            faults: vec![fault(true), fault(false)],
        }),
        held: vec![web::HeldRelease {
            since: release.published(),
            source: web::ProgramSource::File,
            reasons: vec![HOSTILE.to_owned()],
            digest: "abc".to_owned(),
            changes: changes.to_vec(),
            is_discardable: true,
        }],
        stale: Some(HOSTILE.to_owned()),
        unstored: Some((release.published(), HOSTILE.to_owned())),
        stopped: vec![HOSTILE.to_owned()],
        planned: Some(web::ScheduledRelease {
            at: release.published(),
            made: release.published(),
            who: HOSTILE.to_owned(),
        }),
        calendars: [web::CalendarKind::Program, web::CalendarKind::Agenda]
            .map(|kind| web::CalendarCount {
                kind,
                client: HOSTILE.to_owned(),
                releases: vec![(release.number(), 40), (1, 2)],
                last: release.published(),
            })
            .to_vec(),
        counted_since: Some(release.published()),
        outbox: vec![web::OutboxStatus {
            channel: web::MessageChannel::Webhook,
            waiting: 2,
            failed: 1,
            oldest: Some(release.published()),
        }],
        reach: [web::MessageChannel::Browser, web::MessageChannel::CalendarProgram]
            .map(|channel| web::ReachRow {
                release: release.number(),
                channel,
                sent: 100,
                delivered: 96,
                failed: 1,
                waiting: 3,
                seconds: [Some(3), Some(240), None],
            })
            .to_vec(),
        releases: vec![kept(release.number()), kept(1)],
    };
    let row = |line| web::WrittenRow { line, text: HOSTILE.to_owned() };
    let preview = web::PreviewContent {
        key: "abc".to_owned(),
        source: web::ProgramSource::Restored(1),
        reverted: changes.iter().take(2).map(|change| (change.session.clone(), 2)).collect(),
        rows: changes.iter().map(|change| (change.session.clone(), row(34))).collect(),
        former_rows: BTreeMap::new(),
        faults: vec![fault(false)],
        changes: changes.to_vec(),
        impact: Some((120, 14)),
        most_held: vec![(Text::from(HOSTILE), 77)],
        reasons: vec![HOSTILE.to_owned()],
        digest: Some("abc".to_owned()),
        fault: Some(web::PreviewFault::WrongNumber(HOSTILE.to_owned())),
    };
    let other = web::PreviewContent {
        reasons: Vec::new(),
        fault: Some(web::PreviewFault::BadTime),
        ..preview.clone()
    };
    let counted: Vec<(Arc<Session>, usize)> = talks().map(|session| (Arc::clone(session), 7)).collect();
    let slugs = &release.ledger.slugs;
    let view =
        |pairs: &[(&'static str, &'static str)]| ProgramView::parse(pairs.iter().copied(), slugs).unwrap();
    let track = FeedKey::parse("/tracks/track-1.ics").unwrap();
    let subscribe = |subject, platform| {
        web::subscribe(release, &subject, FeedOptions::default(), platform, None).unwrap()
    };
    let agenda = || Subject::Agenda { token: &token, name: &name };
    let fellows = [Some(picks.clone()), None].map(|picks| web::MemberPicks { name: name.clone(), picks });
    let filtered = view(&[("track", "track-1"), ("day", "2025-03-25")]);
    for (path, page) in [
        ("/agenda", web::own_agenda(release, &mine)),
        ("/agenda/plan", web::plan(release, &plan)),
        ("/agenda?none", web::no_agenda(release, web::NoAgenda::SignedOut, false)),
        ("/mine", web::picked_program(release, &ProgramView::default(), &picks, true)),
        ("/mine?q", web::picked_program(release, &view(&[("q", "sre")]), &picks, false)),
        ("/mine/sessions/id", web::picked_session(release, &picks[0], &picks, false).unwrap()),
        ("/agendas/read", web::shared(release, &token, &name, &picks, Some(&picks[2..]))),
        ("/team", web::team_form(release, HOSTILE, Some(web::TeamFault::Line(3)))),
        ("/team/read", web::team(release, &token, &fellows)),
        ("/subscribe/team/read", subscribe(Subject::Team { members: &token, name: &name }, Platform::Other)),
        ("/changes", web::changes(release, &[notes(2, changes), notes(1, &[])])),
        ("/subscribe/program", subscribe(Subject::Program(filtered.filter.clone()), Platform::Apple)),
        ("/subscribe/tracks/track-1", subscribe(Subject::Part(track), Platform::Android)),
        ("/subscribe/agendas/read", subscribe(agenda(), Platform::Other)),
        ("/handover/code", web::hand_over(release, HOSTILE)),
        ("/problem", web::problem(release, HOSTILE, HOSTILE)),
        ("/organizer?out", web::sign_in(release, web::SignInReason::Wrong)),
        ("/organizer", web::desk(release, &desk)),
        ("/organizer/preview", web::preview(release, &preview)),
        ("/organizer/preview?other", web::preview(release, &other)),
        (
            "/organizer/rooms",
            web::picks(release, &release.program.conference, &counted, 5, web::PicksOrder::Picks),
        ),
        ("/organizer?gone", web::desk_problem(release, HOSTILE, HOSTILE)),
        ("/?filtered", web::program(release, &filtered)),
        ("/?q", web::program(release, &view(&[("q", HOSTILE), ("kind", "talk")]))),
    ] {
        all.insert(path.to_owned(), page);
    }
    all
}

const HOSTILE: &str = "</script><!--\"'&amp;<img src=x onerror=alert(1)> \u{202e}🎉 {title} ]]>";

/// Release 2 with hostile text in every column of text.
fn hostile_release() -> (Release, Vec<Change>) {
    let (release, changes) = releases();
    let long = format!("{HOSTILE} {}", "x".repeat(10_000));
    let spoil = |session: &Arc<Session>| {
        let mut session = Session::clone(session);
        session.title = Text::line(&format!("{HOSTILE} {}", session.id)).0;
        session.block = Some(Text::line(HOSTILE).0);
        session.slot.room = Some(Text::line(HOSTILE).0);
        session.abstract_text = Text::from(long.as_str());
        session.url = Some("https://a.example/?a=1&b=\"><script>'".parse().unwrap());
        for speaker in &mut session.speakers {
            speaker.name = Text::line(&format!("{HOSTILE} {}", speaker.name)).0;
            speaker.affiliation = Some(Text::line(HOSTILE).0);
            speaker.role = Some(Text::line(HOSTILE).0);
            speaker.bio = Text::from(long.as_str());
        }
        session
    };
    let mut conference = callboard::program::Conference::clone(&release.program.conference);
    conference.title = Text::line(HOSTILE).0;
    conference.venue = Some(Text::line(HOSTILE).0);
    let mut tracks = release.program.tracks.clone();
    for track in &mut tracks {
        track.name = Text::line(&format!("{HOSTILE} {}", track.slug)).0;
        track.about = Text::from(HOSTILE);
    }
    let sessions: Vec<Session> = release.program.order().iter().map(spoil).collect();
    let program = callboard::program::Program::new(Arc::new(conference), tracks, sessions);
    let third = Release::prepare(program, &release.ledger, "2025-03-03T12:00:00Z".parse().unwrap());
    (third.release, [changes, third.changes].concat())
}

#[test]
fn every_page_is_well_formed_and_carries_no_code() {
    for (release, changes) in [releases(), hostile_release()] {
        for (path, page) in everything(&release, &changes) {
            let tags = check(&page).unwrap_or_else(|fault| panic!("{path}: {fault}"));
            for (name, attributes) in &tags {
                let inline = attributes.keys().any(|key| key.starts_with("on") || key == "style");
                assert!(!inline && name != "style", "{path}: <{name} {attributes:?}>");
                if name == "script" {
                    let is_data = attributes.get("type").is_some_and(|t| t.starts_with("application/"));
                    let is_own = attributes.get("src").is_some_and(|src| src.starts_with("/assets/"));
                    assert!(is_data || is_own, "{path}: {attributes:?}");
                }
                let foreign = attributes.get("src").filter(|src| !src.starts_with('/'));
                assert_eq!(foreign, None, "{path}: a request to elsewhere");
            }
            if path.starts_with("/sessions") || path.starts_with("/?") {
                assert!(!page.contains('\u{202e}'), "{path}: text that reorders its neighbours");
            }
        }
    }
}

#[test]
fn every_page_exists_in_every_language() {
    // A word of each language that every page has, and English words that no translated page may contain.
    let languages = [
        ("en-US", "My agenda"),
        ("en-GB", "My agenda"),
        ("de-AT", "Meine Agenda"),
        ("es", "Mi agenda"),
        ("fr", "Mon programme"),
        ("ja", "マイスケジュール"),
        ("pt", "Minha agenda"),
    ];
    let english = [
        "Skip to content",
        ">Subscribe",
        ">Speakers<",
        "My agenda",
        ">Pick<",
        "local to the venue",
        "Mar 2",
        ">Day<",
    ];
    for (language, word) in languages {
        let (release, changes) = releases();
        let mut conference = callboard::program::Conference::clone(&release.program.conference);
        conference.language = language.to_owned();
        let sessions: Vec<Session> = release.program.order().iter().map(|it| Session::clone(it)).collect();
        let tracks = release.program.tracks.clone();
        let program = callboard::program::Program::new(Arc::new(conference), tracks, sessions);
        let third = Release::prepare(program, &release.ledger, "2025-03-03T12:00:00Z".parse().unwrap());
        for (path, page) in everything(&third.release, &changes) {
            let tags = check(&page).unwrap_or_else(|fault| panic!("{path} in {language}: {fault}"));
            let lang = tags.iter().find(|(name, _)| name == "html").and_then(|(_, it)| it.get("lang"));
            assert_eq!(lang.map(String::as_str), Some(language), "{path}");
            assert!(page.contains(word) || path.contains("embed"), "{path} in {language}");
            let day = if language == "en-GB" { "25 March" } else { "March 25" };
            let is_english = language.starts_with("en");
            assert!(!is_english || path != "/days/2025-03-25" || page.contains(day), "{path} in {language}");
            assert!(language != "en-US" || !(page.contains("25 Mar") || page.contains("26 Mar")), "{path}");
            let left: Vec<&&str> =
                english.iter().filter(|text| !is_english && page.contains(**text)).collect();
            assert!(left.is_empty(), "{path} in {language} still says {left:?}");
        }
    }
}

#[test]
fn ids_are_unique_and_what_they_are_named_by_is_there() {
    let (release, changes) = releases();
    for (path, page) in everything(&release, &changes) {
        let tags = check(&page).unwrap();
        let mut ids = BTreeSet::new();
        for id in tags.iter().filter_map(|(_, attributes)| attributes.get("id")) {
            assert!(ids.insert(id.clone()), "{path}: {id} twice");
        }
        for key in ["for", "aria-labelledby", "aria-describedby", "form", "data-copy"] {
            for named in tags.iter().filter_map(|(_, attributes)| attributes.get(key)) {
                for name in named.split(' ') {
                    assert!(ids.contains(name), "{path}: {key}={name}");
                }
            }
        }
        assert_eq!(tags.iter().filter(|(name, _)| name == "h1").count(), 1, "{path}");
    }
}

#[test]
fn links_lead_to_known_places() {
    let (release, changes) = releases();
    let pages = everything(&release, &changes);
    let rendered = Pages::render(&release);
    let exists = |path: &str| {
        rendered.page(path).is_some()
            || Assets::all().get(path).is_some()
            || FeedKey::parse(path).and_then(|key| key.resolve(&release.ledger.slugs)).is_some()
            || path
                .strip_prefix("/subscribe")
                .and_then(|rest| FeedKey::parse(&format!("{rest}.ics")))
                .is_some()
    };
    let served = [
        "/api",
        "/openapi.json",
        "/changes",
        "/changes.atom",
        "/changes.json",
        "/agenda",
        "/mine",
        "/mine/",
        "/agenda/",
        "/agendas/",
        "/subscribe/agendas/",
        "/team",
        "/team/",
        "/subscribe/team/",
        "/organizer",
        "/organizer/",
        "/handover/",
        "/sessions/",
    ];
    for (path, page) in &pages {
        for (name, attributes) in check(page).unwrap() {
            for href in ["href", "action", "src"].iter().filter_map(|key| attributes.get(*key)) {
                let own = href.strip_prefix("http://127.0.0.1:8080").unwrap_or(href);
                if !own.starts_with('/') {
                    let known = ["#", "https://", "http://", "webcal://"];
                    assert!(known.iter().any(|start| own.starts_with(start)), "{path}: <{name}> {href}");
                    continue;
                }
                let target = own.split(['?', '#']).next().unwrap();
                let is_served = served
                    .iter()
                    .any(|known| target == *known || (known.ends_with('/') && target.starts_with(known)));
                let is_track_feed = target.starts_with("/tracks/") && target.ends_with("/changes.atom");
                assert!(exists(target) || is_served || is_track_feed, "{path}: {href}");
            }
        }
    }
}

#[test]
fn secret_pages_are_kept_from_search_engines_and_say_no_key() {
    let (release, changes) = releases();
    for (path, page) in everything(&release, &changes) {
        let secret =
            ["/agenda", "/mine", "/team", "/handover", "/organizer", "/subscribe/agendas", "/subscribe/team"];
        let is_secret = secret.iter().any(|start| path.starts_with(start));
        assert_eq!(is_secret || path == "/problem" || path == "/offline", page.contains("noindex"), "{path}");
        assert!(!page.contains("cbe_"), "{path}");
    }
}

#[test]
fn search_engines_read_every_session_and_its_state() {
    for (release, _) in [releases(), hostile_release()] {
        let pages = Pages::render(&release);
        let data = |path: &str| -> serde_json::Value {
            let page = String::from_utf8(pages.page(path).unwrap().identity.to_vec()).unwrap();
            let start = page.find("<script type=\"application/ld+json\">").unwrap();
            let block = page[start..].split_once('>').unwrap().1.split_once("</script>").unwrap().0;
            serde_json::from_str(block).unwrap()
        };
        let conference = data("/");
        assert_eq!(conference["name"], release.program.conference.title.as_str());
        assert_eq!(conference["subEvent"].as_array().unwrap().len(), release.ledger.visible_entries().len());
        let cancelled = data("/sessions/slow-queries");
        assert_eq!(cancelled["eventStatus"], "https://schema.org/EventCancelled");
        assert_eq!(cancelled["superEvent"]["name"], release.program.conference.title.as_str());
    }
    let (release, _) = releases();
    let page = Pages::render(&release);
    let page = String::from_utf8(page.page("/sessions/ml-monitoring").unwrap().identity.to_vec()).unwrap();
    assert!(page.contains("https://schema.org/EventRescheduled") && page.contains("previousStartDate"));
    assert!(page.contains("data-as=\"stamp\">Tue, Mar 25, 11:00 am PDT</time>, Track 1"));
}

#[test]
fn a_place_has_an_address_only_if_the_config_has_one() {
    let place = |address: &str| {
        let mut fixture = callboard::fixtures::tricky();
        fixture.conference.venue = Some("Hyatt Regency".into());
        fixture.conference.identity = std::sync::Arc::new(callboard::program::Identity {
            venue_address: address.into(),
            ..Default::default()
        });
        let page = program_page(&fixture.release());
        let start = page.find("application/ld+json\">").unwrap() + "application/ld+json\">".len();
        let json: serde_json::Value =
            serde_json::from_str(&page[start..][..page[start..].find("</script>").unwrap()]).unwrap();
        json["location"].clone()
    };
    assert_eq!(place(""), serde_json::json!({ "@type": "Place", "name": "Hyatt Regency" }));
    assert_eq!(place("5101 Great America Pkwy")["address"], "5101 Great America Pkwy");
}

#[test]
fn public_pages_link_to_the_feeds_that_readers_subscribe_to() {
    let (release, changes) = releases();
    for (path, page) in everything(&release, &changes) {
        let alternates: Vec<&str> =
            page.lines().filter(|line| line.starts_with("<link rel=\"alternate\"")).collect();
        let has = |href: &str| alternates.iter().any(|link| link.contains(&format!("href=\"{href}\"")));
        let is_public = page.contains("<link rel=\"canonical\"");
        let is_embedded = page.contains("class=\"embed\"");
        assert_eq!(has("/changes.atom"), is_public && !is_embedded, "{path}: {alternates:?}");
        assert_eq!(has("/changes.json"), is_public && !is_embedded, "{path}");
        if path.starts_with("/tracks/") {
            assert!(
                has(&format!("{path}/changes.atom")) && has(&format!("{path}.ics")),
                "{path}: {alternates:?}"
            );
        }
    }
}

#[test]
fn a_calendar_that_google_cannot_read_offers_its_tracks_and_days() {
    use callboard::feed::GOOGLE_MAX_BYTES;
    use callboard::fixtures;
    let release = |length: usize| {
        let talk = |n: usize| {
            let (start, end) = (fixtures::at("2025-03-25T17:00:00Z"), fixtures::at("2025-03-25T18:00:00Z"));
            let days = chrono::TimeDelta::days((n % 2) as i64);
            let mut talk = fixtures::talk(&format!("talk-{n}"), start + days, end + days, "Talk");
            talk.track = Some(callboard::program::slug_of(if n.is_multiple_of(3) { "Main" } else { "Side" }));
            talk.abstract_text = "word ".repeat(length / 5).as_str().into();
            talk
        };
        fixtures::conference()
            .tracks(["Main", "Side"].map(fixtures::track))
            .sessions((0..30).map(talk))
            .release()
    };
    let page = |release: &Release, subject: &Subject<'_>| {
        callboard::web::subscribe(release, subject, FeedOptions::default(), Platform::Android, None).unwrap()
    };
    let program = || Subject::Program(FeedFilter::default());
    let small = release(1000);
    assert!(!page(&small, &program()).contains("larger than the 1 MB"));
    let large = release(45_000);
    assert!(large.feeds.feed(&FeedKey::Program).unwrap().identity.len() > GOOGLE_MAX_BYTES);
    let warned = page(&large, &program());
    assert!(warned.contains("larger than the 1 MB that Google reads"), "{warned}");
    for part in ["/tracks/main", "/days/2025-03-25", "/days/2025-03-26"] {
        assert!(warned.contains(&format!("href=\"/subscribe{part}\"")), "{part}");
        let key = FeedKey::parse(&format!("{part}.ics")).unwrap();
        assert!(!page(&large, &Subject::Part(key)).contains("larger than the 1 MB"), "{part}");
    }
    let kinds = [callboard::program::SessionKind::Talk].into();
    let filtered = page(&large, &Subject::Program(FeedFilter { kinds, ..FeedFilter::default() }));
    assert!(filtered.contains("larger than the 1 MB"));
    let findings = callboard::doctor::inspect(&large, None).unwrap();
    assert!(findings.iter().any(|found| found.finding.rule == "google-size"), "{findings:?}");
    let bytes = &large.feeds.feed(&FeedKey::Program).unwrap().identity;
    assert!(callboard::doctor::lint(bytes).iter().any(|finding| finding.rule == "google-size"));
}

#[test]
fn the_program_page_fits_its_budget() {
    let (release, _) = releases();
    let pages = Pages::render(&release);
    pages.compress(Effort::Best, || true);
    let size = |page: &RenderedPage| {
        page.codings
            .choose(|_, made| Some(made.iter().find(|coded| coded.coding == Coding::Gzip)?.bytes.len()))
            .unwrap_or(page.identity.len())
    };
    let assets: usize = Assets::all().paths().map(|path| size(Assets::all().get(path).unwrap())).sum();
    let colours = pages.all().filter(|(path, _)| path.starts_with("/assets/"));
    let rest: usize = colours.map(|(_, page)| size(page)).sum();
    let total = size(pages.page("/").unwrap()) + assets + rest;
    println!("program page with all assets: {total} bytes of gzip");
    assert!(total < 60_000, "{total} bytes");
}

#[test]
fn rendering_twice_gives_the_same_bytes() {
    let (release, _) = releases();
    let (first, second) = (Pages::render(&release), Pages::render(&release));
    for (path, page) in first.all() {
        assert_eq!(page.hash, second.page(path).unwrap().hash, "{path}");
    }
}

#[test]
fn google_gets_cancelled_sessions_in_the_title_and_android_gets_its_own_apps_first() {
    let (release, _) = releases();
    let page = |platform| {
        web::subscribe(
            &release,
            &Subject::Program(FeedFilter::default()),
            FeedOptions::default(),
            platform,
            None,
        )
        .unwrap()
    };
    let apple = page(Platform::Apple);
    let google = "https://calendar.google.com/calendar/r?cid=http%3A%2F%2F127.0.0.1%3A8080%2Fprogram.ics%3Fcancelled%3Dtitle";
    assert!(apple.contains(google));
    assert!(apple.contains("value=\"http://127.0.0.1:8080/program.ics?cancelled=title\""));
    assert!(apple.contains("href=\"webcal://127.0.0.1:8080/program.ics\""));
    let place = |page: &str, id: &str| page.find(&format!(" id=\"{id}\" class=\"way")).unwrap();
    assert!(place(&apple, "apple") < place(&apple, "google"));
    let android = page(Platform::Android);
    for (first, then) in
        [("icsx5", "giggity"), ("giggity", "google"), ("google", "outlook"), ("any", "apple")]
    {
        assert!(place(&android, first) < place(&android, then), "{first} before {then}");
    }
}

#[test]
fn an_overlap_names_both_sessions_and_one_press_keeps_one() {
    let (release, _) = releases();
    let picks = [id("ml-monitoring"), id("search-for-speed")];
    let name = Text::default();
    let mine = web::OwnAgenda {
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
    assert!(page.contains("Two of your sessions overlap."));
    assert!(page.contains("Overlaps with “The Search for Speed”."));
    assert!(page.contains("Overlaps with “An SRE Approach to Monitoring ML in Production”."));
    assert!(
        page.contains("name=\"session\" value=\"search-for-speed\"><button"),
        "keeping one drops the other"
    );
    assert_eq!(page.matches("class=\"moment beside-2\"").count(), 2, "they stand beside one another");
    assert!(!page.contains(" class=\"ended\""));
    let last = release.program.order().iter().map(|session| session.slot.end).max().unwrap();
    let after = web::own_agenda(&release, &web::OwnAgenda { now: last, ..mine });
    assert!(after.contains(" class=\"ended\"") && after.contains("This conference is over."));
}

/// The tables of a page: for each row, the text of its header and for each of its columns the sessions that it shows,
/// with the columns and rows that they span, as browsers lay tables out.
fn tables(page: &str) -> Vec<Table> {
    check(page).unwrap();
    let mut tables = Vec::new();
    for source in page.split("<table").skip(1) {
        let source = source.split("</table>").next().unwrap();
        let number = |tag: &str, key: &str| {
            let value = tag.split_once(&format!("{key}=\"")).map(|(_, rest)| rest.split('"').next().unwrap());
            value.map_or(1, |value| value.parse::<usize>().unwrap())
        };
        let (head, body) = source.split_once("</thead>").unwrap();
        let mut table = Table::default();
        for heading in head.split("<th").skip(3) {
            let (tag, text) = heading.split_once('>').unwrap();
            assert!(tag.contains("scope=\"col\""), "{tag}");
            let text: String =
                text.split('<').map(|it| it.split_once('>').map_or(it, |(_, text)| text)).collect();
            table.columns.push((text.trim().to_owned(), number(tag, "colspan")));
        }
        let width: usize = table.columns.iter().map(|(_, lanes)| lanes).sum();
        let mut free = vec![0; width];
        for (row, source) in body.split("<tr").skip(1).enumerate() {
            let mut cells = source.split("<td").skip(1);
            let time = cells.next().unwrap();
            assert!(time.starts_with(" class=\"time ") && time.contains("<h3"), "{source}");
            let mut lane = 0;
            for cell in cells {
                let (tag, content) = cell.split_once('>').unwrap();
                while free[lane] > row {
                    lane += 1;
                }
                let (lanes, rows) = (number(tag, "colspan"), number(tag, "rowspan"));
                assert!(free[lane..lane + lanes].iter().all(|until| *until <= row), "cells overlap: {tag}");
                free[lane..lane + lanes].fill(row + rows);
                if let Some((_, rest)) = content.split_once(" id=\"") {
                    let id = rest.split('"').next().unwrap().to_owned();
                    table.places.insert(id, Place { row, lane, lanes, rows });
                }
                lane += lanes;
            }
            assert!(free.iter().all(|until| *until > row), "row {row} has a gap");
            table.rows = row + 1;
        }
        assert!(free.iter().all(|until| *until == table.rows), "a cell reaches over the end");
        tables.push(table);
    }
    tables
}

#[derive(Debug, Default)]
struct Table {
    /// The headings, each with the number of its lanes.
    columns: Vec<(String, usize)>,
    places: BTreeMap<String, Place>,
    rows: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Place {
    row: usize,
    lane: usize,
    lanes: usize,
    rows: usize,
}

fn program_page(release: &Release) -> String {
    String::from_utf8(Pages::render(release).page("/").unwrap().identity.to_vec()).unwrap()
}

/// The sample program with other sessions: id, start and end on the first day, track, room.
fn timetable(sessions: &[(&str, &str, &str, Option<&str>, &str)]) -> Release {
    let (release, _) = releases();
    let model = release.program.order()[0].clone();
    let at = |time: &str| format!("2025-03-25T{time}:00Z").parse().unwrap();
    let session = |(name, start, end, track, room): &(&str, &str, &str, Option<&str>, &str)| Session {
        id: id(name),
        title: (*name).into(),
        slot: callboard::program::Slot {
            start: at(start),
            end: at(end),
            room: (!room.is_empty()).then(|| (*room).into()),
        },
        track: track.map(|slug| callboard::program::Slug::parse(slug).unwrap()),
        ..Session::clone(&model)
    };
    let conference = Arc::clone(&release.program.conference);
    let sessions: Vec<Session> = sessions.iter().map(session).collect();
    let program = callboard::program::Program::new(conference, release.program.tracks.clone(), sessions);
    Release::prepare(
        program,
        &callboard::revision::Ledger::empty("srecon25americas.callboard.invalid"),
        at("00:00"),
    )
    .release
}

#[test]
fn a_long_talk_stands_beside_the_short_ones_that_fill_its_time() {
    let (release, _) = releases();
    let page = program_page(&release);
    let tables = tables(&page);
    let tuesday = &tables[0];
    let names: Vec<&str> = tuesday.columns.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["Track 1", "Track 2"]);
    let at = |start: &str| {
        let of = |s: &&Arc<Session>| s.slot.start.to_rfc3339().starts_with(start);
        release.program.order().iter().filter(of).map(|s| tuesday.places[s.id.as_str()]).collect::<Vec<_>>()
    };
    // Tuesday at 15:55: twenty minutes in Track 1 beside forty-five in Track 2, and 16:20 in Track 1.
    let (both, then) = (at("2025-03-25T22:55"), at("2025-03-25T23:20"));
    let (short, long) = (both[0], both[1]);
    assert_eq!((short.rows, long.rows), (1, 2), "the long one reaches over both rows");
    assert_eq!(then[0].row, short.row + 1);
    assert_eq!(then[0].lane, short.lane, "a track keeps its column");
    assert_ne!(long.lane, short.lane);
    let lanes: usize = tuesday.columns.iter().map(|(_, lanes)| lanes).sum();
    assert_eq!(tuesday.places["opening-remarks"].lanes, lanes, "what overlaps nothing spans the page");
    let tags = check(&page).unwrap();
    let class = |id: &str| {
        let (_, attributes) = tags.iter().find(|(_, a)| a.get("id").is_some_and(|i| i == id)).unwrap();
        attributes["class"].clone()
    };
    assert!(class("talk-tba-wed").contains("tentative") && class("slow-queries").contains("cancelled"));
}

#[test]
fn an_overlap_within_a_track_shares_its_column_and_leaves_the_others_alone() {
    let (one, two) = (Some("track-1"), Some("track-2"));
    let release = timetable(&[
        ("early", "09:00", "10:00", one, ""),
        ("other", "09:00", "10:00", two, ""),
        ("first", "10:00", "11:00", one, ""),
        ("second", "10:30", "11:30", one, ""),
        ("beside", "10:00", "11:30", two, ""),
        ("lunch", "12:00", "13:00", None, ""),
    ]);
    let tables = tables(&program_page(&release));
    let table = &tables[0];
    assert_eq!(table.columns, [("Track 1".to_owned(), 2), ("Track 2".to_owned(), 1)]);
    let place = |name: &str| table.places[name];
    assert_eq!((place("early").lane, place("early").lanes), (0, 2), "alone in its column at that time");
    assert_eq!([place("first").lane, place("second").lane], [0, 1]);
    assert_eq!([place("first").lanes, place("second").lanes], [1, 1]);
    assert_eq!([place("other").lane, place("beside").lane, place("beside").lanes], [2, 2, 1]);
    assert_eq!((place("lunch").lane, place("lunch").lanes), (0, 3));
}

#[test]
fn rooms_are_the_columns_where_tracks_would_overlap_themselves() {
    let one = Some("track-1");
    let release = timetable(&[
        ("aa", "09:00", "10:00", one, "Room A"),
        ("bb", "09:00", "10:00", one, "Room B"),
        ("cc", "09:00", "10:00", Some("track-2"), "Room C"),
    ]);
    let names: Vec<String> =
        tables(&program_page(&release))[0].columns.iter().map(|it| it.0.clone()).collect();
    assert_eq!(names, ["Room A", "Room B", "Room C"]);
}

#[test]
fn a_day_with_more_columns_than_fit_is_a_list_with_its_rooms_in_reach() {
    let rooms: Vec<(String, String)> = (1..=9).map(|n| (format!("s{n}x"), format!("Room {n}"))).collect();
    let sessions: Vec<_> =
        rooms.iter().map(|(id, room)| (id.as_str(), "09:00", "10:00", None, room.as_str())).collect();
    let crowded = program_page(&timetable(&sessions));
    assert!(tables(&crowded).is_empty() && !crowded.contains("id=\"as-grid\""));
    assert!(crowded.contains("<details class=\"rooms\">") && crowded.contains("href=\"/?room=room-3\""));
    let fitting = program_page(&timetable(&sessions[..8]));
    assert_eq!(tables(&fitting)[0].columns.len(), 8);
    assert!(fitting.contains("id=\"as-grid\"") && !fitting.contains("class=\"rooms\""));
    let alone = program_page(&timetable(&sessions[..1]));
    assert!(tables(&alone).is_empty() && !alone.contains("id=\"as-grid\""));
}

#[test]
fn what_was_withdrawn_is_on_no_page() {
    let (release, _) = releases();
    let sessions = release.program.order().iter().map(|session| {
        let mut session = Session::clone(session);
        if session.id == id("slow-queries") {
            session.status = Status::Withdrawn;
        }
        session
    });
    let sessions: Vec<Session> = sessions.collect();
    let conference = Arc::clone(&release.program.conference);
    let program = callboard::program::Program::new(conference, release.program.tracks.clone(), sessions);
    let at = "2025-03-03T12:00:00Z".parse().unwrap();
    let next = Release::prepare(program, &release.ledger, at);
    let (release, changes) = (next.release, next.changes);
    for (path, page) in everything(&release, &changes) {
        // The organizer's pages show the session that a release would withdraw.
        if !path.starts_with("/organizer") {
            assert!(!page.contains("Tackling Slow Queries"), "{path}");
        }
    }
    assert!(Pages::render(&release).session(&id("slow-queries")).is_none());
}
