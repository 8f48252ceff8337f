//! The pages of tracks, rooms, speakers and days, and the lists of tracks, rooms and speakers.
//!
//! Invariant: a page shows at most [`SESSIONS_PER_PAGE`] sessions or [`ROWS_PER_PAGE`] rows, and links to the other
//! pages.

use super::day::{Day, days};
use super::session::{ProsePiece, role_and_affiliation, split_prose};
use super::site::{Head, Site};
use super::{ProgramView, write};
use crate::feed::{FeedFilter, FeedKey};
use crate::program::Text;
use crate::release::Release;
use crate::revision::Entry;
use askama::Template;
use chrono::NaiveDate;
use std::collections::BTreeSet;

/// The most sessions on a page of a track, room, speaker or day.
pub const SESSIONS_PER_PAGE: usize = 300;

/// The most rows on a page of a list.
pub const ROWS_PER_PAGE: usize = 1000;

/// Links below a page: address, relation, label.
type PagerLinks = Vec<(String, &'static str, String)>;

#[derive(Template)]
#[template(path = "part.html")]
struct PartPage<'a> {
    site: Site<'a>,
    head: Head,
    class: String,
    over: &'static str,
    heading: String,
    people_line: String,
    prose: &'a [ProsePiece],
    nothing: &'static str,
    subscribe: String,
    offer: String,
    has_grid: bool,
    days: Vec<Day<'a>>,
    pager: PagerLinks,
}

/// The texts that differ between the pages of tracks, rooms, speakers and days.
struct PartTexts<'a> {
    path: String,
    over: &'static str,
    name: String,
    /// A description of the part, in paragraphs.
    about: Option<&'a Text>,
    people_line: String,
    nothing: &'static str,
    class: String,
    pager: PagerLinks,
}

impl<'a> PartTexts<'a> {
    fn of(site: &Site<'a>, key: &FeedKey, entries: &[&'a Entry]) -> Option<Self> {
        let (words, slugs) = (site.words, &site.release.ledger.slugs);
        let path = key.to_string().trim_end_matches(".ics").to_owned();
        let part = |over, name: String, nothing| PartTexts {
            path: path.clone(),
            over,
            name,
            about: None,
            people_line: String::new(),
            nothing,
            class: String::new(),
            pager: PagerLinks::new(),
        };
        Some(match key {
            FeedKey::Program => return None,
            FeedKey::Track(slug) => {
                let track = slugs.track(slug)?;
                let about = Some(&track.about).filter(|about| !about.is_empty());
                let class = format!("t-{slug} card");
                PartTexts { about, class, ..part(words.track, track.name.to_string(), words.announced_track) }
            }
            FeedKey::Room(slug) => {
                let (_, name) = slugs.room(slug)?;
                part(words.room, name.to_string(), words.nothing_here)
            }
            FeedKey::Day(day) => PartTexts {
                pager: neighbours_of(site, *day),
                ..part(words.day_label, words.day_heading(*day), words.nothing_here)
            },
            FeedKey::Speaker(slug) => {
                let name = slugs.speakers.get(slug)?;
                let appearances = || {
                    let speakers = entries.iter().flat_map(|entry| &entry.session.speakers);
                    speakers.filter(|speaker| speaker.name == *name)
                };
                let about = appearances().map(|speaker| &speaker.bio).find(|bio| !bio.is_empty());
                let mut lines: Vec<String> =
                    appearances().map(role_and_affiliation).filter(|text| !text.is_empty()).collect();
                lines.dedup();
                let people_line = lines.join(" · ");
                PartTexts {
                    about,
                    people_line,
                    ..part(words.speaker, name.to_string(), words.no_longer_speaking)
                }
            }
        })
    }
}

/// The days before and after a day.
fn neighbours_of(site: &Site<'_>, day: NaiveDate) -> PagerLinks {
    let days = &site.release.ledger.slugs.days;
    let link = |day: &NaiveDate, rel| (format!("/days/{day}"), rel, site.when.day(*day));
    let before = days.range(..day).next_back().map(|day| link(day, "prev"));
    let after = days.iter().find(|other| **other > day).map(|day| link(day, "next"));
    before.into_iter().chain(after).collect()
}

/// The page of a track, room, speaker or day; pages are counted from 1. None if the part or the page does not exist.
pub fn part(release: &Release, key: &FeedKey, page: usize) -> Option<String> {
    let key = key.clone().resolve(&release.ledger.slugs)?;
    render_part(&Site::of(release), &key, page)
}

pub(super) fn render_part(site: &Site<'_>, key: &FeedKey, page: usize) -> Option<String> {
    let entries = site.release.part(key);
    let part = PartTexts::of(site, key, &entries)?;
    let (listed, mut pager) = page_of(&entries, SESSIONS_PER_PAGE, &part.path, page, site)?;
    pager.extend(part.pager);
    let title = site.conference().title.as_str();
    let about = part.about.map_or_else(|| site.words.part_of(&part.name, title), ToString::to_string);
    let days = days(site, listed);
    let mut head = Head::public(site, &part.name, &about, &part.path);
    head.feed = Some((part.name.clone(), format!("{}.ics", part.path)));
    head.pressed_at = ProgramView { filter: filter_of(key), ..ProgramView::default() }.with_picks().path();
    if matches!(key, FeedKey::Track(_)) {
        let title = site.words.changes_of_part(title, &part.name);
        head.track_changes = Some((title, format!("{}/changes.atom", part.path)));
    }
    Some(write(&PartPage {
        head,
        class: part.class,
        over: part.over,
        people_line: part.people_line,
        prose: &split_prose(part.about.map(Text::as_str).unwrap_or_default()),
        nothing: part.nothing,
        subscribe: format!("/subscribe{}", part.path),
        offer: site.words.subscribe_to(&part.name),
        heading: part.name,
        has_grid: days.iter().any(|day| !day.columns.is_empty()),
        days,
        pager,
        site: site.clone(),
    }))
}

/// The filter of the program page that shows the sessions of a part.
fn filter_of(key: &FeedKey) -> FeedFilter {
    let none = FeedFilter::default();
    match key {
        FeedKey::Program => none,
        FeedKey::Track(slug) => FeedFilter { tracks: BTreeSet::from([slug.clone()]), ..none },
        FeedKey::Room(slug) => FeedFilter { rooms: BTreeSet::from([slug.clone()]), ..none },
        FeedKey::Speaker(slug) => FeedFilter { speakers: BTreeSet::from([slug.clone()]), ..none },
        FeedKey::Day(day) => FeedFilter { days: BTreeSet::from([*day]), ..none },
    }
}

/// The items of a page, and the links to the previous and the next page.
fn page_of<'b, T>(
    all: &'b [T],
    size: usize,
    path: &str,
    page: usize,
    site: &Site<'_>,
) -> Option<(&'b [T], PagerLinks)> {
    let from = page.checked_sub(1)?.checked_mul(size)?;
    let listed = all.get(from..all.len().min(from.saturating_add(size)))?;
    if listed.is_empty() && page > 1 {
        return None;
    }
    let link = |page: usize, rel, label: &str| {
        let query = if page > 1 { format!("?page={page}") } else { String::new() };
        (format!("{path}{query}"), rel, label.to_owned())
    };
    let before = (page > 1).then(|| link(page - 1, "prev", site.words.previous_page));
    let after = (from + listed.len() < all.len()).then(|| link(page + 1, "next", site.words.next_page));
    Some((listed, before.into_iter().chain(after).collect()))
}

/// A list of all tracks, rooms or speakers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listing {
    /// `/tracks`
    Tracks,
    /// `/rooms`
    Rooms,
    /// `/speakers`
    Speakers,
}

impl Listing {
    /// All lists.
    pub const ALL: [Self; 3] = [Self::Tracks, Self::Rooms, Self::Speakers];

    /// The path of the list.
    pub fn path(self) -> &'static str {
        match self {
            Self::Tracks => "/tracks",
            Self::Rooms => "/rooms",
            Self::Speakers => "/speakers",
        }
    }
}

#[derive(Template)]
#[template(path = "listing.html")]
struct ListingPage<'a> {
    site: Site<'a>,
    head: Head,
    heading: &'static str,
    rows: Vec<ListingRow>,
    pager: PagerLinks,
}

struct ListingRow {
    href: String,
    name: String,
    class: String,
    about: String,
    count: String,
}

/// A page of a list; pages are counted from 1. None if the page does not exist.
pub fn listing(release: &Release, listing: Listing, page: usize) -> Option<String> {
    let site = Site::of(release);
    let (slugs, words) = (&release.ledger.slugs, site.words);
    // A speaker or room that only earlier releases had is not listed. A track may be announced before it has sessions.
    let is_used = |key: &FeedKey| release.feeds.feed(key).is_some_and(|feed| !feed.members().is_empty());
    let mut keys: Vec<(FeedKey, &Text)> = match listing {
        Listing::Tracks => {
            release.program.tracks.iter().map(|it| (FeedKey::Track(it.slug.clone()), &it.name)).collect()
        }
        Listing::Rooms => {
            slugs.rooms.iter().map(|(slug, name)| (FeedKey::Room(slug.clone()), name)).collect()
        }
        Listing::Speakers => {
            slugs.speakers.iter().map(|(slug, name)| (FeedKey::Speaker(slug.clone()), name)).collect()
        }
    };
    if listing != Listing::Tracks {
        keys.retain(|(key, _)| is_used(key));
    }
    if listing == Listing::Rooms {
        let declared = &site.conference().rooms;
        // The sort is stable: rooms that the config does not list stay in the order of their slugs.
        keys.sort_by_key(|(_, name)| {
            declared.iter().position(|room| room.name == **name).unwrap_or(usize::MAX)
        });
    }
    let (listed, pager) = page_of(&keys, ROWS_PER_PAGE, listing.path(), page, &site)?;
    let row = |(key, name): &(FeedKey, &Text)| {
        let entries = release.part(key);
        let about = match key {
            FeedKey::Speaker(_) => {
                let speakers = entries.iter().flat_map(|entry| &entry.session.speakers);
                speakers
                    .filter(|speaker| speaker.name == **name)
                    .map(role_and_affiliation)
                    .find(|text| !text.is_empty())
            }
            FeedKey::Track(slug) => slugs.track(slug).map(|track| track.about.to_string()),
            _ => None,
        };
        ListingRow {
            href: key.to_string().trim_end_matches(".ics").to_owned(),
            name: name.to_string(),
            class: if let FeedKey::Track(slug) = key { format!("t-{slug}") } else { String::new() },
            about: about.unwrap_or_default(),
            count: words.sessions(entries.len()),
        }
    };
    let (heading, here) = match listing {
        Listing::Tracks => (words.all_tracks, "tracks"),
        Listing::Rooms => (words.all_rooms, "rooms"),
        Listing::Speakers => (words.all_speakers, "speakers"),
    };
    let about = words.part_of(heading, site.conference().title.as_str());
    let head = Head::public(&site, heading, &about, listing.path()).at(here);
    let rows = listed.iter().map(row).collect();
    Some(write(&ListingPage { head, heading, rows, pager, site: site.clone() }))
}
