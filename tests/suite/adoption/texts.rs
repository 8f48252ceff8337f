//! Texts of foreign programs: nothing is dropped without a note, and the notes are short.

use super::*;

#[test]
fn links_keep_their_address() {
    let adopted = fixture("href.xml");
    let program = program(&adopted);
    let about = program.order()[0].abstract_text.as_str();
    assert_eq!(about, "Bring a laptop, install this first (https://example.org/setup).");
    assert!(
        notes_contain(&adopted, "recording")
            && notes_contain(&adopted, "HTML became plain text in the abstract (T)")
    );
}

#[test]
fn titles_that_name_html_stay() {
    let adopted = fixture("title-html.xml");
    let program = program(&adopted);
    let titles: Vec<&str> = program.order().iter().map(|session| session.title.as_str()).collect();
    assert_eq!(titles, ["Beyond the <table> element", "Fast Vec<u> in practice", "<hr> and <img>"]);
}

#[test]
fn both_languages_of_a_title_stay_and_unread_fields_are_named() {
    let adopted = fixture("langs.json");
    let program = program(&adopted);
    let talk = &program.order()[0];
    assert_eq!(talk.title.as_str(), "Eröffnung / Opening");
    assert_eq!(
        (talk.image.as_ref().unwrap().as_str(), talk.no_recording),
        ("https://example.org/l.png", true)
    );
    assert_eq!(talk.speakers[0].bio.as_str(), "Bio");
    for part in [
        "answers",
        "a person's avatar",
        "a person's links",
        "recording_license",
        "every session is in this language",
    ] {
        assert!(notes_contain(&adopted, part), "{part}: {}", adopted.render());
    }
}

#[test]
fn a_thousand_notes_of_one_kind_are_one_line() {
    let event = |n: usize| {
        serde_json::json!({ "guid": format!("g{n}"), "title": format!("Talk {n}"), "duration": "01:00", "logo": "x",
            "date": "2025-03-25T09:00:00Z", "abstract": "<p>a</p>" })
    };
    let events: Vec<_> = (0..1000).map(event).collect();
    let file = serde_json::json!({ "schedule": { "conference": { "time_zone_name": "UTC",
        "days": [{ "date": "2025-03-25", "rooms": { "R": events } }] } } });
    let notes = adopt(file.to_string().as_bytes(), None).unwrap().render();
    assert!(
        notes.contains("HTML became plain text in the abstract (1000 times: Talk 0; Talk 1; Talk 2 …)"),
        "{notes}"
    );
    assert_eq!(notes.lines().count(), 3, "{notes}");
}
