//! The values that every page needs: the release, the texts of its language, times, tracks, and the content of
//! `<head>`.

use super::Assets;
use super::assets::fingerprinted;
use super::encode::data_block;
use super::when::When;
use crate::agenda::{Agenda, AgendaItem};
use crate::feed::FeedFilter;
use crate::program::{ClockStyle, Conference, SessionId, Slug, Track};
use crate::release::Release;
use crate::texts::Texts;
use chrono::{DateTime, Utc};
use std::collections::HashMap;
use std::sync::Arc;

/// The release and its language, shared by everything that renders a page.
#[derive(Debug, Clone)]
pub(super) struct Site<'a> {
    pub release: &'a Release,
    pub words: &'static Texts,
    pub when: When,
    /// The visitor's picks, on the pages that mark them; each with its overlaps in words.
    pub picked: Option<Arc<HashMap<SessionId, Option<String>>>>,
}

impl<'a> Site<'a> {
    pub(super) fn of(release: &'a Release) -> Self {
        let conference = &release.program.conference;
        let words = Texts::of(&conference.language);
        Self {
            release,
            words,
            when: When {
                zone: conference.zone,
                day_change: conference.day_change,
                clock: conference.clock,
                words,
            },
            picked: None,
        }
    }

    /// The site for pages that mark a visitor's picks.
    pub(super) fn with_picks(release: &'a Release, picks: &[SessionId]) -> Self {
        let site = Self::of(release);
        let items = Agenda::of(picks, release).items;
        let picked = items.iter().map(|item| (item.session().id.clone(), site.overlaps(item))).collect();
        Self { picked: Some(Arc::new(picked)), ..site }
    }

    /// The address of the program. Pages that mark picks link to one another, for visitors without scripts.
    pub(super) fn home(&self) -> &'static str {
        if self.picked.is_some() { "/mine" } else { "/" }
    }

    /// The address of a session's page.
    pub(super) fn session_path(&self, id: &SessionId) -> String {
        if self.picked.is_some() { picked_session_path(id) } else { format!("/sessions/{id}") }
    }

    pub(super) fn conference(&self) -> &'a Conference {
        &self.release.program.conference
    }

    pub(super) fn asset(&self, name: &str) -> &'static str {
        Assets::all().path(name)
    }

    /// The track as last known, even if it is no longer in the config.
    pub(super) fn track(&self, slug: &Slug) -> Option<&'a Track> {
        self.release.program.track(slug).or_else(|| self.release.ledger.slugs.track(slug))
    }

    pub(super) fn track_place(&self, slug: &Slug) -> Option<usize> {
        self.release.program.track_index(slug)
    }

    /// `A, B and 3 more`
    pub(super) fn listed(&self, named: impl Iterator<Item = String>, more: usize) -> String {
        let named: Vec<String> = named.collect();
        match more {
            0 => self.words.list(&named),
            more => self.words.list_more(&named.join(self.words.list_comma), more),
        }
    }

    /// The overlaps of a pick, in words.
    pub(super) fn overlaps(&self, item: &AgendaItem<'_>) -> Option<String> {
        let titles = item.overlaps.iter().map(|other| self.words.quoted(other.session.title.as_str()));
        let others = self.listed(titles, item.more_overlaps);
        item.has_overlap().then(|| self.words.overlaps_with(&others))
    }

    /// The language of the page: the conference's, if the texts are in it, or else that of the texts.
    pub(super) fn language(&self) -> &str {
        let primary = |tag: &str| tag.split('-').next().unwrap_or_default().to_ascii_lowercase();
        let own = &self.conference().language;
        if primary(own) == primary(self.words.tag()) { own } else { self.words.tag() }
    }

    pub(super) fn clock(&self) -> &'static str {
        match self.conference().clock {
            ClockStyle::Twelve => "12",
            ClockStyle::TwentyFour => "24",
        }
    }

    /// `March 24–27, 2025`: the dates of the config, or else of the sessions.
    pub(super) fn dates(&self) -> Option<String> {
        let days = &self.release.ledger.slugs.days;
        let sessions = || days.first().copied().zip(days.last().copied());
        self.conference().dates.or_else(sessions).map(|(first, last)| self.words.dates(first, last))
    }

    /// The abbreviation of the zone during the program, e.g. `PDT`; two across a clock change.
    pub(super) fn zone_name(&self) -> String {
        let slots = || self.release.program.order().iter().map(|session| &session.slot);
        let first = slots().next().map_or(self.release.published(), |slot| slot.start);
        let last = slots().map(|slot| slot.end).max().unwrap_or(first);
        self.when.zone_names(first, last)
    }

    /// The abbreviation of the zone, for scripts; none across a clock change.
    pub(super) fn only_zone_name(&self) -> Option<String> {
        Some(self.zone_name()).filter(|name| !name.contains('/'))
    }

    /// The line that names the time zone.
    pub(super) fn zone_line(&self) -> String {
        self.words.times_are(&self.zone_name())
    }

    /// The first start and the last end of all sessions, for scripts.
    pub(super) fn span(&self) -> Option<(String, String)> {
        let sessions = self.release.program.order();
        let first = sessions.first()?.slot.start;
        let last = sessions.iter().map(|session| session.slot.end).max()?;
        Some((When::iso(first), When::iso(last)))
    }

    /// Whether the last session has ended. Public pages do not ask, because they are cached; a script tells them.
    pub(super) fn is_over(&self, now: DateTime<Utc>) -> bool {
        let ends = self.release.program.order().iter().map(|session| session.slot.end);
        ends.max().is_some_and(|end| end <= now)
    }

    /// A filter in words: `Track 1, Talk, Tue 25`.
    pub(super) fn describe(&self, filter: &FeedFilter) -> String {
        let slugs = &self.release.ledger.slugs;
        let tracks =
            filter.tracks.iter().filter_map(|slug| self.track(slug)).map(|track| track.name.to_string());
        let rooms = filter.rooms.iter().filter_map(|slug| slugs.room(slug)).map(|(_, name)| name.to_string());
        let speakers =
            filter.speakers.iter().filter_map(|slug| slugs.speakers.get(slug)).map(ToString::to_string);
        let kinds = filter.kinds.iter().map(|kind| self.words.kind(*kind).to_owned());
        let tags = filter.tags.iter().filter_map(|slug| slugs.tags.get(slug)).map(ToString::to_string);
        let days = filter.days.iter().map(|day| self.when.short_day(*day));
        tracks
            .chain(rooms)
            .chain(speakers)
            .chain(kinds)
            .chain(tags)
            .chain(days)
            .collect::<Vec<_>>()
            .join(", ")
    }

    /// The line in the footer that names the release.
    pub(super) fn release_line(&self) -> String {
        self.words.release_is(self.release.number(), &self.when.full(self.release.published()))
    }

    /// The title of the program's change feed.
    pub(super) fn changes_title(&self) -> String {
        self.words.changes_of(self.conference().title.as_str())
    }

    /// The texts that scripts show, as a data block.
    pub(super) fn script_words(&self) -> String {
        data_block(&self.words.for_scripts())
    }

    pub(super) fn colours_path(&self) -> String {
        fingerprinted("colours.css", self.colours().as_bytes())
    }
}

/// The address of a session's page with the visitor's picks marked.
pub(super) fn picked_session_path(id: &SessionId) -> String {
    format!("/mine/sessions/{id}")
}

/// The parts of the head and the masthead that differ between pages.
#[derive(Debug, Clone, Default)]
pub(super) struct Head {
    pub title: String,
    pub about: String,
    /// The canonical address, absolute.
    pub url: String,
    /// The navigation entry that is marked as current.
    pub here: &'static str,
    /// Whether the navigation links to the organizer's desk. Only on pages that nobody else gets: public pages are
    /// cached, and a script adds the link there.
    pub has_desk: bool,
    /// Whether search engines must not index the page.
    pub is_secret: bool,
    pub embed: bool,
    /// Whether the page says that the conference is over, also without scripts.
    pub is_over: bool,
    /// The address to which the form that picks and unpicks sessions returns without scripts: the page with the visitor's
    /// picks marked. Empty on pages without that form.
    pub pressed_at: String,
    /// JSON-LD, encoded as a data block.
    pub schema: Option<String>,
    /// The title and address of the feed with the same sessions.
    pub feed: Option<(String, String)>,
    /// The change feed of a track: its title and address.
    pub track_changes: Option<(String, String)>,
}

/// The longest description, in characters. Search engines and messengers show fewer.
const ABOUT: usize = 200;

impl Head {
    /// The head of a public page.
    pub(super) fn public(site: &Site<'_>, title: &str, about: &str, path: &str) -> Self {
        let own = site.conference().title.as_str();
        let title = if title == own { title.to_owned() } else { format!("{title} · {own}") };
        let mut short: String = about.chars().take(ABOUT).collect();
        if short.len() < about.len() {
            short.push('…');
        }
        Self { title, about: short.replace('\n', " "), url: site.conference().link(path), ..Self::default() }
    }

    /// The head of a personal page, which is not indexed and has no description of its content.
    pub(super) fn secret(site: &Site<'_>, title: &str) -> Self {
        let title = format!("{title} · {}", site.conference().title);
        Self { title, is_secret: true, ..Self::default() }
    }

    pub(super) fn at(mut self, here: &'static str) -> Self {
        self.here = here;
        self
    }

    /// Links to the desk if the visitor is an organizer.
    pub(super) fn with_desk(mut self, is_organizer: bool) -> Self {
        self.has_desk = is_organizer;
        self
    }

    /// The head of a page of the desk.
    pub(super) fn desk(site: &Site<'_>, title: &str) -> Self {
        Self::secret(site, title).at("organizer").with_desk(true)
    }

    /// The modules that the entry module imports. Preloading makes them load in parallel instead of one after another.
    pub(super) fn modules(&self) -> &'static [&'static str] {
        &["words.js", "queue.js", "times.js", "live.js", "picks.js", "now.js"]
    }
}
