//! A session in a list: its texts and its state.

use super::site::Site;
use super::when::{TextSegment, When, segments};
use crate::program::{Session, Status, Track};
use crate::revision::{Entry, FormerPlace};

/// One session in a list.
#[derive(Debug)]
pub(super) struct Card<'a> {
    pub session: &'a Session,
    pub track: Option<&'a Track>,
    /// `9:00–9:45 am`
    pub range: String,
    /// The line above the title, without the track: kind, block and room.
    pub label: String,
    /// The speakers. An affiliation that consecutive speakers share is printed once.
    pub people: String,
    pub is_cancelled: bool,
    pub is_tentative: bool,
    /// Whether the visitor picked the session; false on public pages.
    pub is_picked: bool,
    /// The overlaps of a pick with other picks, in words.
    pub overlap: Option<String>,
    /// `Moved from Tue, Mar 25, 11:00 am PDT, Track 1`
    pub moved: Option<Vec<TextSegment>>,
}

impl<'a> Card<'a> {
    pub(super) fn of(site: &Site<'a>, entry: &'a Entry) -> Self {
        let session = entry.session.as_ref();
        let track = session.track.as_ref().and_then(|slug| site.track(slug));
        let kind = site.words.kind(session.kind);
        let has_plain_kind = matches!(session.kind, crate::program::SessionKind::Talk);
        let repeats = track.is_some_and(|track| track.name.as_str().eq_ignore_ascii_case(kind));
        let picked = site.picked.as_ref().and_then(|picked| picked.get(&session.id));
        let mut label: Vec<&str> = Vec::new();
        if !has_plain_kind && !repeats && !session.title.as_str().eq_ignore_ascii_case(kind) {
            label.push(kind);
        }
        label.extend(session.block.iter().map(crate::program::Text::as_str));
        label.extend(session.slot.room.iter().map(crate::program::Text::as_str));
        Self {
            session,
            track,
            range: site.when.range(session.slot.start, session.slot.end),
            label: label.join(" · "),
            people: people(session),
            is_cancelled: entry.is_cancelled(),
            is_tentative: session.status == Status::Tentative,
            is_picked: picked.is_some(),
            overlap: picked.cloned().flatten(),
            moved: entry.moved_from.as_ref().map(|place| moved(site, place)),
        }
    }

    /// Whether the session is a break or a meal, which nobody picks.
    pub(super) fn is_pause(&self) -> bool {
        self.session.kind.is_pause()
    }

    pub(super) fn start(&self) -> String {
        When::iso(self.session.slot.start)
    }

    pub(super) fn end(&self) -> String {
        When::iso(self.session.slot.end)
    }

    /// When the session starts, with date and zone.
    pub(super) fn stamp(&self, site: &Site<'_>) -> String {
        site.when.stamp(self.session.slot.start)
    }

    /// The CSS classes of the card: track and state.
    pub(super) fn classes(&self) -> String {
        let mut classes = String::from("card");
        if let Some(track) = self.track {
            classes.push_str(&format!(" t-{}", track.slug));
        }
        let states = [
            (self.is_pause(), " pause"),
            (self.is_cancelled, " cancelled"),
            (self.is_tentative, " tentative"),
            (self.is_picked, " chosen"),
        ];
        states.iter().filter(|(is, _)| *is).for_each(|(_, class)| classes.push_str(class));
        classes
    }
}

/// When and where a session was before its last move.
fn moved(site: &Site<'_>, place: &FormerPlace) -> Vec<TextSegment> {
    let names: String = place.track.iter().chain(&place.slot.room).map(|name| format!(", {name}")).collect();
    let from = vec![site.when.stamp_segment(place.slot.start), TextSegment::plain(names)];
    segments(|[place]| site.words.moved_from(place), [from])
}

/// `A, B (Acme); C (Initech)`
fn people(session: &Session) -> String {
    let groups = session.speakers.chunk_by(|a, b| a.affiliation == b.affiliation && a.role == b.role);
    let group = |group: &[crate::program::Speaker]| {
        let names: Vec<&str> = group.iter().map(|speaker| speaker.name.as_str()).collect();
        let affiliation = group.first().and_then(|first| first.affiliation.as_ref());
        let affiliation = affiliation.map(|name| format!(" ({name})")).unwrap_or_default();
        format!("{}{affiliation}", names.join(", "))
    };
    groups.map(group).collect::<Vec<_>>().join("; ")
}
