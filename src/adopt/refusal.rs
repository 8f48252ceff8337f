//! Says what a file is that cannot be imported, and which export to fetch instead.

use super::AdoptError;

/// The exports that can be imported, by tool.
pub(super) const EXPORTS: &str = "Fetch one of these: pretalx: EVENT/schedule/export/schedule.json; frab: schedule.json or schedule.xml; \
    Sched: all.ics; Sessionize: the JSON of an API endpoint, view All; Indico: /export/event/ID.json?detail=contributions; \
    a spreadsheet: CSV";

/// Beginnings of files, in lower case, and what the files are.
const BEGINNINGS: &[(&str, &str)] = &[
    ("pk\u{3}\u{4}", "an Excel (.xlsx), OpenDocument or other zip file; save the sheet as CSV UTF-8"),
    ("%pdf", "a PDF, which has no program that can be read"),
    ("<!doctype html", "a web page"),
    ("<html", "a web page"),
    ("<rss", "a news feed (RSS)"),
    ("<feed", "a news feed (Atom)"),
    ("<?xml", "XML, but neither a frab schedule nor a calendar (xCal)"),
    ("<", "XML, but neither a frab schedule nor a calendar (xCal)"),
];

/// Tools whose web pages name them.
const TOOLS: &[(&str, &str)] = &[
    ("pretalx", "this page of pretalx has its program at schedule/export/schedule.json"),
    ("sched.com", "this page of Sched has its program at /all.ics"),
    (
        "sessionize",
        "this page of Sessionize has no program; make an API endpoint under API / Embed, with the view All as JSON",
    ),
    ("indico", "this page of Indico has its program at /export/event/ID.json?detail=contributions"),
    ("frab", "this page of frab has its program at schedule.json"),
    ("docs.google.com", "this page of Google has its sheet under File, Share, Publish to web, as CSV"),
];

/// The refusal of a file.
pub(super) fn of(text: &str) -> AdoptError {
    let head: String = text.chars().take(4000).collect::<String>().to_lowercase();
    let what = BEGINNINGS.iter().find(|(start, _)| head.starts_with(start)).map(|(_, what)| *what);
    let is_page = what == Some("a web page");
    let tool = TOOLS.iter().find(|(word, _)| is_page && head.contains(word)).map(|(_, hint)| *hint);
    let what = match what {
        None if text.trim().is_empty() => "empty",
        Some(what) => what,
        None => "of no format that can be imported",
    };
    AdoptError::Unknown(match tool {
        Some(hint) => format!("the file is {what}; {hint}"),
        None => format!("the file is {what}. {EXPORTS}"),
    })
}
