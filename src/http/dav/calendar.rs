//! The resources of CalDAV: homes, calendars and their objects, all of one release.

use super::{Name, Tree};
use crate::agenda::ReadToken;
use crate::feed::{CalendarObject, Feed, FeedKey, RenderedEvent};
use crate::program::{Colour, SessionId, Text};
use crate::release::Release;
use crate::revision::Digest;
use crate::store::CalendarSource;
use data_encoding::BASE64URL_NOPAD;
use std::sync::Arc;

/// Distinct colours on which white text is readable.
const COLOURS: &[&str] =
    &["#1f6feb", "#8250df", "#bf3989", "#cf222e", "#bc4c00", "#9a6700", "#1a7f37", "#0f7b8a"];

/// A resource with properties.
#[derive(Debug, Clone)]
pub(super) enum DavResource {
    /// The root or `/dav/`, by its path, with the tree that it leads to.
    Root(&'static str, Tree, Arc<Release>),
    Home(Home),
    Calendar(Calendar),
    Object(Calendar, Arc<RenderedEvent>),
}

impl DavResource {
    pub(super) fn href(&self) -> String {
        match self {
            Self::Root(href, ..) => (*href).to_owned(),
            Self::Home(home) => home.tree.home().to_owned(),
            Self::Calendar(calendar) => calendar.href(),
            Self::Object(calendar, event) => calendar.object_href(&event.id),
        }
    }

    pub(super) fn tree(&self) -> Tree {
        match self {
            Self::Root(_, tree, _) => *tree,
            Self::Home(home) => home.tree,
            Self::Calendar(calendar) | Self::Object(calendar, _) => calendar.tree,
        }
    }
}

/// A principal and its home.
#[derive(Debug, Clone)]
pub(super) struct Home {
    pub(super) release: Arc<Release>,
    pub(super) tree: Tree,
    /// The calendar of an agenda's home; none in the public home.
    pub(super) mine: Option<Calendar>,
}

impl Home {
    pub(super) fn title(&self) -> &Text {
        self.mine.as_ref().map_or(&self.release.program.conference.title, |mine| &mine.title)
    }

    /// The listed calendars: an agenda, or the program and its tracks. Calendars of days, rooms and speakers are not
    /// listed, since every session would appear three more times; a client can add their addresses.
    pub(super) fn calendars(&self) -> Vec<Calendar> {
        if let Some(mine) = &self.mine {
            return vec![mine.clone()];
        }
        let program = &self.release.program;
        let announced = program.tracks.iter().map(|track| &track.slug);
        let others = self.release.ledger.slugs.tracks.keys().filter(|slug| {
            let feed = self.release.feeds.feed(&FeedKey::Track((*slug).clone()));
            program.track(slug).is_none() && feed.is_some_and(|feed| !feed.members().is_empty())
        });
        let tracks = announced.chain(others).cloned().map(FeedKey::Track);
        let keys = [FeedKey::Program].into_iter().chain(tracks);
        keys.filter_map(|key| Calendar::of_feed(Arc::clone(&self.release), self.tree, &key)).collect()
    }
}

/// A collection of sessions.
#[derive(Debug, Clone)]
pub(super) struct Calendar {
    pub(super) release: Arc<Release>,
    tree: Tree,
    pub(super) name: Name,
    pub(super) title: Text,
    content: CalendarContent,
}

#[derive(Debug, Clone)]
enum CalendarContent {
    /// A canonical feed, by its current key. The calendar's name may hold an old slug.
    Feed(FeedKey),
    Agenda {
        /// The SHA-256 of the link's token. Distinguishes the sync tokens of different links.
        link: Digest,
        picks: Arc<[SessionId]>,
    },
}

impl Calendar {
    /// The calendar of a canonical feed; none if the slug never existed.
    pub(super) fn of_feed(release: Arc<Release>, tree: Tree, asked: &FeedKey) -> Option<Self> {
        let key = asked.clone().resolve(&release.ledger.slugs)?;
        let title = release.feeds.feed(&key)?.calendar.name.clone();
        Some(Self {
            release,
            tree,
            name: Name::Public(asked.clone()),
            title,
            content: CalendarContent::Feed(key),
        })
    }

    pub(super) fn of_agenda(
        release: Arc<Release>,
        tree: Tree,
        title: Text,
        picks: Vec<SessionId>,
        token: &ReadToken,
    ) -> Self {
        let content = CalendarContent::Agenda { link: token.hash(), picks: picks.into() };
        Self { release, tree, name: Name::Agenda, title, content }
    }

    pub(super) fn href(&self) -> String {
        format!("{}{}/", self.tree.home(), self.name)
    }

    pub(super) fn object_href(&self, id: &SessionId) -> String {
        format!("{}{id}.ics", self.href())
    }

    /// The feed's key; none for an agenda.
    pub(super) fn key(&self) -> Option<&FeedKey> {
        match &self.content {
            CalendarContent::Feed(key) => Some(key),
            CalendarContent::Agenda { .. } => None,
        }
    }

    fn feed(&self) -> Option<&Feed> {
        self.release.feeds.feed(self.key()?)
    }

    pub(super) fn about(&self) -> String {
        let about = self.feed().map(|feed| feed.calendar.about.clone());
        about.unwrap_or_else(|| self.release.feeds.agenda_description()).to_string()
    }

    /// The configured colour, or else one derived from the name, so that the calendars of an account differ.
    pub(super) fn colour(&self) -> String {
        let own: Option<Colour> = self.feed().and_then(|feed| feed.calendar.colour);
        let by_name = || {
            let place = Digest::of(self.name.to_string().as_bytes()).0;
            let place = place.first().map_or(0, |byte| usize::from(*byte) % COLOURS.len());
            COLOURS.get(place).copied().unwrap_or_default().to_owned()
        };
        own.map_or_else(by_name, |colour| colour.to_string())
    }

    /// The prefix of its sync tokens.
    pub(super) fn token_base(&self) -> String {
        let link = match &self.content {
            CalendarContent::Feed(_) => String::new(),
            CalendarContent::Agenda { link, .. } => format!("-{}", link.short()),
        };
        let form = if self.tree.is_titled { "cancelled-title/" } else { "" };
        self.release.program.conference.link(&format!("/dav/sync/{form}{}{link}/", self.name))
    }

    /// The calendar's name in push messages: unique, the same for ever, and without meaning for a push service.
    pub(super) fn topic(&self) -> String {
        let Digest(digest) = Digest::of(self.token_base().as_bytes());
        BASE64URL_NOPAD.encode(digest.get(..24).unwrap_or_default())
    }

    /// What push messages about the calendar depend on.
    pub(super) fn source(&self) -> CalendarSource {
        match &self.content {
            CalendarContent::Feed(key) => CalendarSource::Feed(key.to_string()),
            CalendarContent::Agenda { link, .. } => CalendarSource::Link(*link),
        }
    }

    /// The calendar's events in program order.
    pub(super) fn members(&self) -> Vec<Arc<RenderedEvent>> {
        match &self.content {
            CalendarContent::Feed(_) => self.feed().map(Feed::members).unwrap_or_default().to_vec(),
            CalendarContent::Agenda { picks, .. } => self.release.feeds.events_of(picks).cloned().collect(),
        }
    }

    pub(super) fn member(&self, id: &SessionId) -> Option<Arc<RenderedEvent>> {
        let event = self.release.feeds.event(id)?;
        let is_member = match &self.content {
            CalendarContent::Feed(FeedKey::Program) => true,
            CalendarContent::Feed(_) => self.feed()?.members().iter().any(|member| member.id == *id),
            CalendarContent::Agenda { picks, .. } => picks.contains(id),
        };
        is_member.then(|| Arc::clone(event))
    }

    /// A member as an object.
    pub(super) fn object<'a>(&'a self, event: &'a RenderedEvent) -> CalendarObject<'a> {
        self.release.feeds.object(event, self.name == Name::Agenda, self.tree.is_titled)
    }

    /// A tag that changes whenever a member is added, changed or removed.
    pub(super) fn tag(&self) -> String {
        match self.feed() {
            Some(feed) if self.tree.is_titled => format!("{}-title", feed.hash),
            Some(feed) => feed.hash.clone(),
            None => {
                let hashes: Vec<String> =
                    self.members().iter().map(|event| self.object(event).hash()).collect();
                Digest::of_parts(hashes.iter().map(String::as_bytes)).short()
            }
        }
    }
}
