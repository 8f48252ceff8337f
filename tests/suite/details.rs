//! The columns `language`, `tags`, `image`, `feedback_url` and `recording`, from the file to every output.

use callboard::adopt::adopt;
use callboard::export::{SessionDocument, schedule_csv, schedule_json, schedule_xml};
use callboard::feed::{FeedKey, canonical_query, parse_query};
use callboard::fixtures::{PUBLISHED, at, conference};
use callboard::import::import;
use callboard::program::{Session, diff};
use callboard::release::Release;
use callboard::revision::Ledger;
use callboard::web::{self, ProgramView};
use chrono::{DateTime, Utc};
use std::sync::Arc;

const PROGRAM: &str = "\
id,date,start,end,kind,title,language,tags,image,feedback_url,recording,end_date
detailed,2025-03-25,09:00,09:45,talk,Detailed,de,\"Rust; AI, ethics\",https://img.example/a.png?x=[1],https://feedback.example/f,no,
plain,2025-03-26,10:00,10:45,talk,Plain,,,,,,
long,2025-03-26,11:00,25:30,social,Party,,,,,yes,
hack,2025-03-27,10:00,12:00,workshop,Hackathon,,Rust,,,,2025-03-28
";

fn imported(csv: &str) -> Release {
    let conference = conference().dates("2025-03-25", "2025-03-28").build();
    let report = import(csv.as_bytes(), &conference);
    assert_eq!(report.errors().count(), 0, "{:?}", report.faults);
    Release::prepare(report.program.unwrap(), &Ledger::empty(&conference.uid_domain), at(PUBLISHED)).release
}

/// A release whose first session has all details.
pub(crate) fn release() -> Release {
    imported(PROGRAM)
}

fn detailed(release: &Release) -> &Arc<Session> {
    release.program.order().iter().find(|session| session.id.as_str() == "detailed").unwrap()
}

#[test]
fn details_reach_the_session_and_survive_an_export() {
    let release = release();
    let session = detailed(&release);
    assert_eq!(session.language.as_ref().unwrap().as_str(), "de");
    assert_eq!(session.tags.iter().map(|tag| tag.as_str()).collect::<Vec<_>>(), ["Rust", "AI, ethics"]);
    assert_eq!(session.image.as_ref().unwrap().as_str(), "https://img.example/a.png?x=%5B1%5D");
    assert!(session.no_recording);
    let again = import(&schedule_csv(&release).bytes, &release.program.conference);
    assert_eq!(diff(&release.program, &again.program.unwrap()), []);
}

#[test]
fn a_program_without_details_has_no_such_columns() {
    let plain = "id,date,start,end,kind,title\naa,2025-03-25,09:00,09:45,talk,A\n";
    let header = String::from_utf8(schedule_csv(&imported(plain)).bytes.to_vec()).unwrap();
    assert!(header.starts_with("id,date,start,end,end_date,kind,title,track,block,room,speakers,abstract,bios,url,links,guid,status\r\n"), "{header}");
    let tagged = imported("id,date,start,end,kind,title,tags\naa,2025-03-25,09:00,09:45,talk,A,x\n");
    let header = String::from_utf8(schedule_csv(&tagged).bytes.to_vec()).unwrap();
    assert!(header.contains("links,tags,guid,status\r\n"), "{header}");
}

#[test]
fn calendars_have_tags_as_categories_and_the_image() {
    let release = release();
    let feed = std::str::from_utf8(&release.feeds.feed(&FeedKey::Program).unwrap().identity).unwrap();
    let unfolded = feed.replace("\r\n ", "");
    assert!(unfolded.contains("CATEGORIES:talk,Rust,AI\\, ethics\r\n"), "{unfolded}");
    assert!(unfolded.contains("IMAGE;VALUE=URI:https://img.example/a.png?x=%5B1%5D\r\n"), "{unfolded}");
    assert_eq!(unfolded.matches("IMAGE").count(), 1);
    assert_eq!(callboard::doctor::lint(feed.as_bytes()), []);
    let edited = imported(&PROGRAM.replace("Rust; AI, ethics", "Rust"));
    let next = Release::prepare(edited.program, &release.ledger, at("2025-02-02T00:00:00Z")).release;
    let id = &detailed(&next).id;
    assert_eq!(next.ledger.entries[id].revision.sequence, 1, "a visible change");
    assert_eq!(
        next.ledger.entries[&callboard::program::SessionId::parse("plain").unwrap()].revision.sequence,
        0
    );
}

#[test]
fn schedules_the_api_and_pages_have_them_where_there_is_a_place() {
    let release = release();
    let xml = String::from_utf8(schedule_xml(&release).bytes.to_vec()).unwrap();
    for part in [
        "<logo>https://img.example/a.png?x=%5B1%5D</logo>",
        "<language>de</language>",
        "<feedback_url>https://feedback.example/f</feedback_url>",
        "<optout>true</optout>",
    ] {
        assert_eq!(xml.matches(part).count(), 1, "{part}: {xml}");
    }
    let json = String::from_utf8(schedule_json(&release).bytes.to_vec()).unwrap();
    for part in [
        "\"do_not_record\": true",
        "\"feedback_url\": \"https://feedback.example/f\"",
        "\"logo\": \"https://img.example",
    ] {
        assert_eq!(json.matches(part).count(), 1, "{part}");
    }
    let session = detailed(&release);
    let document = serde_json::json!(SessionDocument::of(&release.ledger.entries[&session.id], &release));
    assert_eq!(document["tags"], serde_json::json!(["Rust", "AI, ethics"]));
    assert_eq!((&document["language"], &document["recording"]), (&"de".into(), &false.into()));
    let page = web::session(&release, &session.id).unwrap();
    for part in [
        "lang=\"de\"",
        "src=\"https://img.example/a.png?x=%5B1%5D\"",
        "href=\"https://feedback.example/f\" rel=\"noopener\" data-after=\"2025-03-25T16:00:00Z\"",
        "Topics: <a href=\"/?tag=rust\"><bdi>Rust</bdi></a> <a href=\"/?tag=ai-ethics\"><bdi>AI, ethics</bdi></a>",
        "This session is not recorded.",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
    let found: Vec<_> =
        release.ranked("ethics").entries.iter().map(|entry| entry.session.id.to_string()).collect();
    assert_eq!(found, ["detailed"]);
}

/// The canonical query, the feed's sessions and when it last changed.
fn tagged(release: &Release, value: &str) -> Option<(String, Vec<String>, DateTime<Utc>)> {
    let slugs = &release.ledger.slugs;
    let (filter, options) = parse_query([("tag", value)], slugs).ok()?;
    let feed = release.feeds.filtered(&filter, options, slugs);
    let bytes: Vec<u8> = feed.chunks().flatten().collect();
    let text = String::from_utf8(bytes).unwrap();
    let ids = text.lines().filter_map(|line| Some(line.strip_prefix("UID:")?.split('@').next()?.to_owned()));
    Some((canonical_query(&filter, &options), ids.collect(), feed.modified))
}

#[test]
fn a_tag_filters_feeds_and_pages_in_any_case() {
    let release = release();
    let ids = |value| tagged(&release, value).map(|(query, ids, _)| (query, ids));
    let both = ["detailed", "hack"].map(str::to_owned).to_vec();
    for value in ["rust", "Rust", "RUST"] {
        assert_eq!(ids(value), Some(("tag=rust".to_owned(), both.clone())), "{value}");
    }
    assert_eq!(ids("AI, ethics").unwrap().1, ["detailed"]);
    assert_eq!(ids("go"), None);
    let view = ProgramView::parse([("tag", "Rust")], &release.ledger.slugs).unwrap();
    let page = web::program(&release, &view);
    assert!(page.contains("<option value=\"rust\" selected>Rust</option>"), "{page}");
    assert!(page.contains("Hackathon") && !page.contains("/sessions/plain\""), "{page}");
    assert!(page.contains("href=\"/program.ics?tag=rust\""), "{page}");
}

/// The feed of a tag keeps its address when no session has the tag any more, and its LAST-MODIFIED rises.
#[test]
fn the_feed_of_a_tag_that_is_gone_is_empty() {
    let release = release();
    let (_, _, before) = tagged(&release, "ai-ethics").unwrap();
    let csv = PROGRAM.replace("\"Rust; AI, ethics\"", "rust; Go");
    let program = import(csv.as_bytes(), &release.program.conference).program.unwrap();
    let next = release.follow(program, at("2025-02-02T12:00:00Z")).release;
    let (query, ids, modified) = tagged(&next, "ai-ethics").unwrap();
    assert_eq!((query.as_str(), ids.len()), ("tag=ai-ethics", 0));
    assert!(modified > before);
    assert_eq!(tagged(&next, "rust").unwrap().1.len(), 2);
    assert_eq!(tagged(&next, "go").unwrap().1, ["detailed"]);
}

#[test]
fn our_own_schedules_bring_the_details_back() {
    let release = release();
    let zone = release.program.conference.zone;
    for bytes in [schedule_xml(&release).bytes, schedule_json(&release).bytes] {
        let adopted = adopt(&bytes, Some(zone)).unwrap();
        let again = import(&adopted.csv, &release.program.conference).program.unwrap();
        let session = again.order().iter().find(|session| session.title.as_str() == "Detailed").unwrap();
        let original = detailed(&release);
        assert_eq!((&session.image, &session.feedback_url), (&original.image, &original.feedback_url));
        assert_eq!((&session.language, session.no_recording), (&original.language, true));
    }
    let feed = &release.feeds.feed(&FeedKey::Program).unwrap().identity;
    let adopted = adopt(feed, Some(zone)).unwrap();
    let again = import(&adopted.csv, &release.program.conference).program.unwrap();
    let session = again.order().iter().find(|session| session.title.as_str() == "Detailed").unwrap();
    assert_eq!(session.image, detailed(&release).image);
    assert!(session.tags.iter().any(|tag| tag.as_str() == "AI, ethics"), "{session:?}");
}

#[test]
fn a_wrong_detail_is_an_error_with_a_remedy() {
    let conference = conference().build();
    for (cells, remedy) in [
        ("English,,,,", "write \"en\""),
        (",,http://img.example/a.png,,", "https://img.example/a.png"),
        (",,,feedback.example/f,", "https://feedback.example/f"),
        (",,,,perhaps", "write no"),
    ] {
        let csv = format!(
            "id,date,start,end,kind,title,language,tags,image,feedback_url,recording\naa,2025-03-25,09:00,09:45,talk,A,{cells}\n"
        );
        let report = import(csv.as_bytes(), &conference);
        let errors: Vec<_> = report.errors().collect();
        assert_eq!(errors.len(), 1, "{cells}: {errors:?}");
        assert!(errors[0].to_string().to_lowercase().contains(remedy), "{}", errors[0]);
    }
}
