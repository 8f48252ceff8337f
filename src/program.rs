//! The program of a conference: sessions, slots, tracks, speakers, and the diff of two programs.
//!
//! Owns the words of the field and their rules. Pure: it reads no clock, no file and no network, and it
//! knows neither CSV nor iCalendar nor HTTP. Everything here has been validated on the way in, so the
//! layers above never check a title for control characters or a zone for existence.
//!
//! Invariant: the sessions of a [`Program`] are unique by id and stand in [`Program::order`].

mod change;
mod conference;
mod id;
mod intervals;
mod language;
mod numbers;
mod session;
mod text;
mod vocabulary;
mod zone;

pub use change::{Change, ChangeKind, FieldChange, apply, diff};
pub use conference::{Clock, Colour, ColourError, Conference, Room, Track};
pub use id::{IdError, SessionId, Slug, slug_of};
pub use intervals::Intervals;
pub use language::{LanguageError, language_tag};
pub use numbers::Numbers;
pub use session::{Link, Session, Slot, Speaker};
pub use text::{Removed, Text, printable};
pub use vocabulary::{Field, SessionKind, Severity, Status, UnknownWord};
pub use zone::{Civil, Zone, ZoneError};

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// The validated set of sessions, with the conference that they belong to.
#[derive(Debug, Clone, PartialEq)]
pub struct Program {
    /// The gathering itself, from the config.
    pub conference: Arc<Conference>,
    /// The config's tracks in its order, then those that only the program names.
    pub tracks: Vec<Track>,
    /// The places of the tracks by slug.
    places: HashMap<Slug, usize>,
    sessions: Vec<Arc<Session>>,
    /// Places in `sessions`, by id.
    by_id: Vec<usize>,
}

impl Program {
    /// Takes sessions in any order and keeps them in program order. Of two with one id the later wins;
    /// import refuses such a file before it gets here.
    pub fn new(
        conference: Arc<Conference>,
        tracks: Vec<Track>,
        sessions: impl IntoIterator<Item = Session>,
    ) -> Self {
        let unique: BTreeMap<SessionId, Arc<Session>> =
            sessions.into_iter().map(|session| (session.id.clone(), Arc::new(session))).collect();
        Self::from_shared(conference, tracks, unique.into_values().collect())
    }

    pub(crate) fn from_shared(
        conference: Arc<Conference>,
        tracks: Vec<Track>,
        mut sessions: Vec<Arc<Session>>,
    ) -> Self {
        let places: HashMap<Slug, usize> =
            tracks.iter().enumerate().map(|(place, track)| (track.slug.clone(), place)).collect();
        let place = |session: &Session| {
            session.track.as_ref().and_then(|slug| places.get(slug)).copied().unwrap_or(usize::MAX)
        };
        sessions.sort_by_cached_key(|session| {
            (session.slot.start, session.slot.end, place(session), session.id.clone())
        });
        let ids: Vec<&SessionId> = sessions.iter().map(|session| &session.id).collect();
        let mut by_id: Vec<usize> = (0..ids.len()).collect();
        by_id.sort_unstable_by_key(|place| ids.get(*place));
        Self { conference, tracks, places, sessions, by_id }
    }

    /// The sessions by start, end, track (in the config's order) and id.
    pub fn order(&self) -> &[Arc<Session>] {
        &self.sessions
    }

    /// The session of that id, withdrawn ones included.
    pub fn session(&self, id: &SessionId) -> Option<&Arc<Session>> {
        let at = |place: &usize| self.sessions.get(*place);
        let found = self.by_id.binary_search_by(|place| at(place).map(|session| &session.id).cmp(&Some(id)));
        self.by_id.get(found.ok()?).and_then(at)
    }

    /// Takes over the sessions that are known and the same, so that each is in memory once.
    pub(crate) fn share<'a>(&mut self, known: impl Fn(&SessionId) -> Option<&'a Arc<Session>>) {
        for session in &mut self.sessions {
            if let Some(known) = known(&session.id).filter(|known| ***known == **session) {
                *session = Arc::clone(known);
            }
        }
    }

    /// The track of that slug.
    pub fn track(&self, slug: &Slug) -> Option<&Track> {
        self.tracks.get(self.track_place(slug)?)
    }

    /// The place of a track in their order.
    pub fn track_place(&self, slug: &Slug) -> Option<usize> {
        self.places.get(slug).copied()
    }
}
