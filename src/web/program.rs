//! The program page: all sessions, or those that match a filter or search.

use super::day::{Day, days};
use super::encode::data_block;
use super::site::{Head, Site};
use super::text::fill;
use super::{ProgramView, schema, write};
use crate::program::{SessionKind, Track};
use crate::release::Release;
use crate::revision::Entry;
use askama::Template;
use std::collections::BTreeSet;

#[derive(Template)]
#[template(path = "program.html")]
struct ProgramPage<'a> {
    site: Site<'a>,
    head: Head,
    view: &'a ProgramView,
    heading: String,
    zone_line: String,
    shown_line: String,
    is_filtered: bool,
    choices: Vec<FilterSelect>,
    subscribe: Option<String>,
    days: Vec<Day<'a>>,
    announced: Vec<&'a Track>,
}

/// One select of the filter.
struct FilterSelect {
    key: &'static str,
    label: &'static str,
    options: Vec<FilterOption>,
}

struct FilterOption {
    value: String,
    label: String,
    is_chosen: bool,
}

/// The most sessions on a page that is rendered for one request. The whole program is rendered at publication.
const MOST_MADE: usize = 1000;

/// `12 of 64 sessions`, and how many of them are listed where not all are.
fn shown_line(site: &Site<'_>, listed: usize, found: usize, of: usize) -> String {
    let line = fill(site.words.shown, &[("n", &found.to_string()), ("of", &of.to_string())]);
    if listed == found {
        return line;
    }
    format!("{line} {}", fill(site.words.first_shown, &[("n", &listed.to_string())]))
}

/// Renders the page. [`super::Pages`] holds the default view.
pub fn program(release: &Release, view: &ProgramView) -> String {
    let site = Site::of(release);
    let conference = site.conference();
    let slugs = &release.ledger.slugs;
    let shown = release.visible_entries();
    let mut entries = view.entries(release);
    let found = entries.len();
    if !view.is_kept() {
        entries.truncate(MOST_MADE);
    }
    let words = view.filter.describe(slugs);
    let text = if view.text.is_empty() { String::new() } else { format!("“{}”", view.text) };
    let is_filtered = !words.is_empty() || !text.is_empty();
    let part = [words, text].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ");
    let heading = if is_filtered { part } else { site.words.program.to_owned() };
    let title = if is_filtered { heading.as_str() } else { conference.title.as_str() };
    let about = fill(site.words.about_program, &[("title", conference.title.as_str())]);
    let canonical = ProgramView { embed: false, ..view.clone() }.path();
    let mut head = Head::public(&site, title, &about, &canonical).at("program");
    head.embed = view.embed;
    let query = view.feed_query().map(|query| if query.is_empty() { query } else { format!("?{query}") });
    head.feed = query.as_ref().map(|query| (title.to_owned(), format!("/program.ics{query}")));
    head.schema = (!is_filtered).then(|| data_block(&schema::conference(&site, &entries)));
    let page = ProgramPage {
        head,
        view,
        zone_line: site.zone_line(),
        shown_line: shown_line(&site, entries.len(), found, shown.len()),
        is_filtered,
        choices: choices(&site, view, &shown),
        subscribe: query.map(|query| format!("/subscribe/program{query}")),
        days: days(&site, &entries),
        announced: if is_filtered { Vec::new() } else { announced(release, &shown) },
        heading,
        site,
    };
    write(&page)
}

/// The tracks of the config that have no session yet.
fn announced<'a>(release: &'a Release, shown: &[&Entry]) -> Vec<&'a Track> {
    let used: BTreeSet<_> = shown.iter().filter_map(|entry| entry.session.track.as_ref()).collect();
    release.program.tracks.iter().filter(|track| !used.contains(&track.slug)).collect()
}

fn choices(site: &Site<'_>, view: &ProgramView, shown: &[&Entry]) -> Vec<FilterSelect> {
    let slugs = &site.release.ledger.slugs;
    let sessions = || shown.iter().map(|entry| &entry.session);
    let filter = &view.filter;
    let offer = |value: String, label: String, is_chosen| FilterOption { value, label, is_chosen };
    let tracks = site.release.program.tracks.iter().map(|track| {
        offer(track.slug.to_string(), track.name.to_string(), filter.tracks.contains(&track.slug))
    });
    let days: BTreeSet<_> = sessions().map(|session| site.when.date(session.slot.start)).collect();
    let days = days.into_iter().map(|day| {
        offer(day.format("%Y-%m-%d").to_string(), site.when.short_day(day), filter.days.contains(&day))
    });
    let kinds: BTreeSet<SessionKind> = sessions().map(|session| session.kind).collect();
    let kinds = kinds
        .into_iter()
        .map(|kind| offer(kind.to_string(), site.words.kind(kind).to_owned(), filter.kinds.contains(&kind)));
    let rooms: BTreeSet<_> = sessions().filter_map(|session| session.slot.room.as_ref()).collect();
    let rooms = rooms.into_iter().filter_map(|name| {
        let slug = slugs.room_slug(name)?;
        Some(offer(slug.to_string(), name.to_string(), filter.rooms.contains(slug)))
    });
    let speakers: BTreeSet<_> =
        sessions().flat_map(|session| session.speakers.iter().map(|speaker| &speaker.name)).collect();
    let speakers = speakers.into_iter().filter_map(|name| {
        let slug = slugs.speaker_slug(name)?;
        Some(offer(slug.to_string(), name.to_string(), filter.speakers.contains(slug)))
    });
    let choices = [
        FilterSelect { key: "day", label: site.words.day_label, options: days.collect() },
        FilterSelect { key: "track", label: site.words.track, options: tracks.collect() },
        FilterSelect { key: "kind", label: site.words.kind_label, options: kinds.collect() },
        FilterSelect { key: "room", label: site.words.room, options: rooms.collect() },
        FilterSelect { key: "speaker", label: site.words.speaker, options: speakers.collect() },
    ];
    choices.into_iter().filter(|choice| !choice.options.is_empty()).collect()
}
