//! What every page knows: the release, its words, clock and tracks.

use super::Assets;
use super::assets::fingerprinted;
use super::card::Card;
use super::json::data_block;
use super::text::{Words, fill};
use super::when::When;
use crate::program::{Clock, Conference, Slug, Track};
use crate::release::Release;
use std::fmt::Write;

/// The surroundings of a page.
#[derive(Debug, Clone)]
pub(super) struct Site<'a> {
    pub release: &'a Release,
    pub words: &'static Words,
    pub when: When,
}

impl<'a> Site<'a> {
    pub(super) fn of(release: &'a Release) -> Self {
        let conference = &release.program.conference;
        let words = Words::of(&conference.language);
        Self { release, words, when: When { zone: conference.zone, clock: conference.clock, words } }
    }

    pub(super) fn conference(&self) -> &'a Conference {
        &self.release.program.conference
    }

    pub(super) fn asset(&self, name: &str) -> &'static str {
        Assets::all().path(name)
    }

    /// The track as it is now, those that left the config too.
    pub(super) fn track(&self, slug: &Slug) -> Option<&'a Track> {
        self.release.program.track(slug).or_else(|| self.release.ledger.slugs.track(slug))
    }

    pub(super) fn track_place(&self, slug: &Slug) -> Option<usize> {
        self.release.program.track_place(slug)
    }

    /// `A, B and 3 more`
    pub(super) fn listed(&self, named: impl Iterator<Item = String>, more: usize) -> String {
        let named = named.collect::<Vec<_>>().join(", ");
        match more {
            0 => named,
            more => format!("{named} {}", fill(self.words.and_more, &[("n", &more.to_string())])),
        }
    }

    pub(super) fn clock(&self) -> &'static str {
        match self.conference().clock {
            Clock::Twelve => "12",
            Clock::TwentyFour => "24",
        }
    }

    /// `March 24–27, 2025`: the config's dates, else those of the sessions.
    pub(super) fn dates(&self) -> Option<String> {
        let days = &self.release.ledger.slugs.days;
        let sessions = || days.first().copied().zip(days.last().copied());
        self.conference().dates.or_else(sessions).map(|(first, last)| self.when.days(first, last))
    }

    /// `PDT`, at the first session.
    pub(super) fn zone_name(&self) -> String {
        let first = self.release.program.order().first();
        let at = first.map_or(self.release.published(), |session| session.slot.start);
        self.when.zone.abbreviation(at)
    }

    /// When a session starts, complete.
    pub(super) fn stamp_of(&self, card: &Card<'_>) -> String {
        self.when.stamp(card.session.slot.start)
    }

    /// Whose the times are.
    pub(super) fn zone_line(&self) -> String {
        let place = self.when.zone.name();
        fill(self.words.times_are, &[("zone", &self.zone_name()), ("place", place)])
    }

    /// Which release the page shows, for its foot.
    pub(super) fn release_line(&self) -> String {
        let at = self.when.full(self.release.published());
        fill(self.words.release_is, &[("n", &self.release.number().to_string()), ("at", &at)])
    }

    /// The words that scripts say, for a data block.
    pub(super) fn script_words(&self) -> String {
        data_block(&self.words.for_scripts())
    }

    pub(super) fn colours_path(&self) -> String {
        fingerprinted("tracks.css", self.colours().as_bytes())
    }

    /// The style sheet that the config's colours give: a policy without inline styles needs it as a file.
    pub(super) fn colours(&self) -> String {
        let mut css = String::new();
        for track in self.release.ledger.slugs.tracks.values().chain(&self.release.program.tracks) {
            if let Some(colour) = track.colour {
                let _ = writeln!(css, ".t-{}{{--track:{colour}}}", track.slug);
            }
        }
        css
    }
}
