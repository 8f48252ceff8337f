//! The program page: all sessions, or only the sessions that match a filter or search.

use super::day::{Day, days};
use super::encode::data_block;
use super::search::Hit;
use super::site::{Head, Site};
use super::{ProgramView, schema, write};
use crate::feed::FeedFilter;
use crate::program::{Counted, SessionId, SessionKind, Text, Track};
use crate::release::Release;
use crate::revision::Entry;
use askama::Template;
use chrono::NaiveDate;
use std::collections::{BTreeMap, BTreeSet};

#[derive(Template)]
#[template(path = "program.html")]
struct ProgramPage<'a> {
    site: Site<'a>,
    head: Head,
    view: &'a ProgramView,
    heading: String,
    shown_line: String,
    is_filtered: bool,
    has_filter: bool,
    has_mine_switch: bool,
    choices: Vec<FilterSelect>,
    subscribe: Option<(String, String)>,
    tabs: Vec<(NaiveDate, String)>,
    found_line: String,
    hits: Vec<Hit<'a>>,
    has_grid: bool,
    rooms: Vec<(String, String)>,
    days: Vec<Day<'a>>,
    announced: Vec<&'a Track>,
}

/// One `<select>` of the filter.
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

/// The most sessions on a page that is rendered on request. The whole program is rendered at publication.
const MAX_MADE: usize = 1000;

/// The most results of a search. Each result's text is searched for the passages to mark.
const MAX_HITS: usize = 100;

/// `12 of 64 sessions`, and the number of listed sessions if not all are listed.
fn shown_line(site: &Site<'_>, listed: usize, found: usize, of: usize) -> String {
    let line = site.words.shown(found, of);
    if listed == found {
        return line;
    }
    format!("{line} {}", site.words.first_shown(listed))
}

/// Renders the page. [`super::Pages`] holds the page without a filter or search.
pub fn program(release: &Release, view: &ProgramView) -> String {
    render(Site::of(release), view, false)
}

/// The program with a visitor's picks marked. If the program has more sessions than a request may render, only the
/// picks.
pub fn picked_program(
    release: &Release,
    view: &ProgramView,
    picks: &[SessionId],
    is_organizer: bool,
) -> String {
    render(Site::with_picks(release, picks), &view.with_picks(), is_organizer)
}

fn render(site: Site<'_>, view: &ProgramView, is_organizer: bool) -> String {
    let release = site.release;
    let (conference, words) = (site.conference(), site.words);
    let shown = release.visible_entries();
    let (mut entries, marks, is_exact) = match view.text.is_empty() {
        true => (view.entries(release), Vec::new(), true),
        false => {
            let found = release.ranked(&view.text);
            (view.filtered(release, found.entries), found.words, found.is_exact)
        }
    };
    if let Some(picked) = site.picked.as_ref().filter(|_| entries.len() > MAX_MADE) {
        entries.retain(|entry| picked.contains_key(&entry.session.id));
    }
    let count = entries.len();
    if !view.is_rendered_at_publication() {
        entries.truncate(if view.text.is_empty() { MAX_MADE } else { MAX_HITS });
    }
    let has_filter = !view.filter.is_empty();
    let is_filtered = has_filter || !view.text.is_empty();
    let filter = site.describe(&view.filter);
    let found_line = match count {
        _ if view.text.is_empty() => String::new(),
        0 => words.nothing_found_for(&view.text),
        n if is_exact => words.results_for(n, &view.text),
        n => words.similar_results_for(n, &view.text),
    };
    let heading = match (has_filter, view.text.is_empty()) {
        (true, _) => filter,
        (false, false) => words.search.to_owned(),
        (false, true) => words.program.to_owned(),
    };
    let title = match is_filtered {
        true if !view.text.is_empty() => words.quoted(&view.text),
        true => heading.clone(),
        false => conference.title.to_string(),
    };
    let about = words.about_program(conference.title.as_str());
    let canonical = ProgramView { embed: false, is_mine: false, ..view.clone() }.path();
    let mut head = match view.is_mine {
        true => Head::secret(&site, words.program).at("program").with_desk(is_organizer),
        false => Head::public(&site, &title, &about, &canonical).at("program"),
    };
    head.embed = view.embed;
    head.pressed_at = view.with_picks().path();
    let query = view.feed_query().map(|query| if query.is_empty() { query } else { format!("?{query}") });
    head.feed = query.as_ref().map(|query| (title, format!("/program.ics{query}")));
    head.schema = (!is_filtered && !view.is_mine).then(|| data_block(&schema::conference(&site, &entries)));
    let subscribe =
        query.map(|query| (format!("/subscribe/program{query}"), words.subscribe_to_these(count)));
    let (days, hits) = match view.text.is_empty() {
        true => (days(&site, &entries), Vec::new()),
        false => (Vec::new(), entries.iter().map(|entry| Hit::of(&site, entry, &marks)).collect()),
    };
    let page = ProgramPage {
        head,
        view,
        shown_line: if has_filter || entries.len() < count {
            shown_line(&site, entries.len(), count, shown.len())
        } else {
            String::new()
        },
        is_filtered,
        has_filter,
        has_mine_switch: !view.embed,
        choices: choices(&site, view, &shown),
        subscribe,
        tabs: days.iter().map(|day| (day.date, day.short.clone())).collect(),
        found_line,
        hits,
        has_grid: days.iter().any(|day| !day.columns.is_empty()),
        rooms: if days.iter().any(|day| day.is_crowded) { rooms(&site, view, &shown) } else { Vec::new() },
        days,
        announced: if is_filtered { Vec::new() } else { announced(release, &shown) },
        heading,
        site,
    };
    write(&page)
}

/// The tracks of the config that have no sessions yet.
fn announced<'a>(release: &'a Release, shown: &[&Entry]) -> Vec<&'a Track> {
    let used: BTreeSet<_> = shown.iter().filter_map(|entry| entry.session.track.as_ref()).collect();
    release.program.tracks.iter().filter(|track| !used.contains(&track.slug)).collect()
}

/// The rooms, each with the address of its sessions within the view.
fn rooms(site: &Site<'_>, view: &ProgramView, shown: &[&Entry]) -> Vec<(String, String)> {
    let slugs = &site.release.ledger.slugs;
    let rooms = shown.iter().filter_map(|entry| entry.session.slot.room.as_ref());
    let names: BTreeMap<Counted<'_>, &Text> = rooms.map(|name| (Counted(name.as_str()), name)).collect();
    let link = |name: &Text| {
        let filter =
            FeedFilter { rooms: BTreeSet::from([slugs.room_slug(name)?.clone()]), ..view.filter.clone() };
        Some((ProgramView { filter, ..view.clone() }.path(), name.to_string()))
    };
    names.into_values().filter_map(link).collect()
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
    let tags: BTreeMap<_, _> = sessions()
        .flat_map(|session| &session.tags)
        .filter_map(|tag| Some((slugs.tag_slug(tag)?, tag)))
        .map(|(slug, tag)| (Counted(slugs.tags.get(slug).unwrap_or(tag).as_str()), slug))
        .collect();
    let tags = tags
        .into_iter()
        .map(|(tag, slug)| offer(slug.to_string(), tag.0.to_owned(), filter.tags.contains(slug)));
    let choices = [
        FilterSelect { key: "day", label: site.words.day_label, options: days.collect() },
        FilterSelect { key: "track", label: site.words.track, options: tracks.collect() },
        FilterSelect { key: "kind", label: site.words.kind_label, options: kinds.collect() },
        FilterSelect { key: "room", label: site.words.room, options: rooms.collect() },
        FilterSelect { key: "speaker", label: site.words.speaker, options: speakers.collect() },
        FilterSelect { key: "tag", label: site.words.topic, options: tags.collect() },
    ];
    choices.into_iter().filter(|choice| !choice.options.is_empty()).collect()
}
