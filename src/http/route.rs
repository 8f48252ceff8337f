//! The route table: every path, the methods that it takes, and what is behind it.
//!
//! Parameters are [`Decoded`] and parsed before any look-up. Nothing redirects.

mod decoded;

use decoded::Decoded;

use super::api::Reading;
use super::dav::{Place, Tree};
use super::exports::Format;
use super::organizer::Desk;
use super::policy::Class::{
    self, AgendaApi, AgendaDav, AgendaFeed, Asset, Dav, Live, Organizer, Page, PersonalPage, PublicFeed,
    SiteFile,
};
use super::web::Web;
use super::{Problem, changes, method, organizer};
use crate::agenda::{Members, ReadToken};
use crate::feed::FeedKey;
use crate::program::SessionId;
use http::Method;
use matchit::Router;

/// What is behind a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Endpoint {
    /// A canonical feed, its filters and options.
    Feed(FeedKey),
    /// One session as a download.
    SessionFeed(SessionId),
    /// A shared agenda.
    AgendaFeed(ReadToken),
    /// Several shared agendas.
    TeamFeed(Members),
    /// `/api/v1`, agendas.
    Api(Api),
    /// `/api/v1`, the program.
    Reading(Reading),
    /// A change feed.
    Changes(changes::Endpoint),
    /// `/organizer`.
    Organizer(organizer::Endpoint),
    /// A feed as jCal.
    Jcal(Box<Endpoint>),
    /// The whole program in another format.
    Export(Format),
    /// CalDAV.
    Dav(Place),
    /// A page, or what stands beside the pages.
    Web(Web),
}

/// What is behind a path of the API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Api {
    Agendas,
    Agenda,
    Picks,
    Pick(SessionId),
    Links,
    Link(u32),
    Key,
    Import,
    Export,
    Shared(ReadToken),
}

/// A line of the table.
struct Line {
    pattern: &'static str,
    class: Class,
    methods: &'static [Method],
    /// None where the parameters name what cannot exist.
    endpoint: fn(&Decoded<'_>) -> Option<Endpoint>,
}

const fn line(
    pattern: &'static str,
    class: Class,
    methods: &'static [Method],
    endpoint: fn(&Decoded<'_>) -> Option<Endpoint>,
) -> Line {
    Line { pattern, class, methods, endpoint }
}

use changes::Form;
use method::READ;
use organizer::Endpoint as For;
const PROGRAM: &[Method] = &[Method::GET, Method::PUT];
const POST: &[Method] = &[Method::POST];
const DELETE: &[Method] = &[Method::DELETE];
const WHOLE: &[Method] = &[Method::GET, Method::PATCH, Method::DELETE];
const REPLACE: &[Method] = &[Method::PUT];
const TOGGLE: &[Method] = &[Method::PUT, Method::DELETE];
const COLLECT: &[Method] = &[Method::GET, Method::POST];

#[rustfmt::skip]
const TABLE: &[Line] = &[
    line("/program.ics",            PublicFeed, READ, |_| Some(Endpoint::Feed(FeedKey::Program))),
    line("/tracks/{track}.ics",     PublicFeed, READ, |path| path.feed("tracks", "track")),
    line("/days/{date}.ics",        PublicFeed, READ, |path| path.feed("days", "date")),
    line("/rooms/{room}.ics",       PublicFeed, READ, |path| path.feed("rooms", "room")),
    line("/speakers/{speaker}.ics", PublicFeed, READ, |path| path.feed("speakers", "speaker")),
    line("/sessions/{id}.ics",      PublicFeed, READ, |path| path.session("id").map(Endpoint::SessionFeed)),
    line("/agendas/{read}.ics",     AgendaFeed, READ, |path| path.token("read").map(Endpoint::AgendaFeed)),
    line("/team/{members}.ics",     AgendaFeed, READ, |path| path.members().map(Endpoint::TeamFeed)),

    line("/program.jcal",            PublicFeed, READ, |_| jcal(Some(Endpoint::Feed(FeedKey::Program)))),
    line("/tracks/{track}.jcal",     PublicFeed, READ, |path| jcal(path.feed("tracks", "track"))),
    line("/days/{date}.jcal",        PublicFeed, READ, |path| jcal(path.feed("days", "date"))),
    line("/rooms/{room}.jcal",       PublicFeed, READ, |path| jcal(path.feed("rooms", "room"))),
    line("/speakers/{speaker}.jcal", PublicFeed, READ, |path| jcal(path.feed("speakers", "speaker"))),
    line("/sessions/{id}.jcal",      PublicFeed, READ, |path| jcal(path.session("id").map(Endpoint::SessionFeed))),
    line("/agendas/{read}.jcal",     AgendaFeed, READ, |path| jcal(path.token("read").map(Endpoint::AgendaFeed))),
    line("/team/{members}.jcal",     AgendaFeed, READ, |path| jcal(path.members().map(Endpoint::TeamFeed))),

    line("/schedule.xml",  PublicFeed, READ, |_| Some(Endpoint::Export(Format::Xml))),
    line("/schedule.json", PublicFeed, READ, |_| Some(Endpoint::Export(Format::Json))),
    line("/schedule.csv",  PublicFeed, READ, |_| Some(Endpoint::Export(Format::Csv))),
    line("/program.txt",   PublicFeed, READ, |_| Some(Endpoint::Export(Format::Text))),

    line("/giggity.json",  PublicFeed, READ, |_| Some(Endpoint::Export(Format::Giggity))),

    line("/openapi.json",         PublicFeed, READ, |_| reading(Reading::OpenApi)),
    line("/api/v1/program",       PublicFeed, READ, |_| reading(Reading::Program)),
    line("/api/v1/sessions",      PublicFeed, READ, |_| reading(Reading::Sessions)),
    line("/api/v1/sessions/{id}", PublicFeed, READ, |path| reading(Reading::Session(path.session("id")?))),
    line("/api/v1/tracks",        PublicFeed, READ, |_| reading(Reading::Tracks)),
    line("/api/v1/speakers",      PublicFeed, READ, |_| reading(Reading::Speakers)),
    line("/api/v1/releases",      PublicFeed, READ, |_| reading(Reading::Releases)),
    line("/api/v1/changes",       PublicFeed, READ, |_| reading(Reading::Changes)),

    line("/api/v1/agendas/{read}",         AgendaFeed, READ, |path| api(Api::Shared(path.token("read")?))),
    line("/api/v1/agendas",                AgendaApi, POST,    |_| api(Api::Agendas)),
    line("/api/v1/agenda",                 AgendaApi, WHOLE,   |_| api(Api::Agenda)),
    line("/api/v1/agenda/picks",           AgendaApi, REPLACE, |_| api(Api::Picks)),
    line("/api/v1/agenda/picks/{session}", AgendaApi, TOGGLE,  |path| api(Api::Pick(path.session("session")?))),
    line("/api/v1/agenda/links",           AgendaApi, COLLECT, |_| api(Api::Links)),
    line("/api/v1/agenda/links/{n}",       AgendaApi, DELETE,  |path| api(Api::Link(path.number("n")?))),
    line("/api/v1/agenda/import",          AgendaApi, POST,    |_| api(Api::Import)),
    line("/api/v1/agenda/export",          AgendaApi, READ,    |_| api(Api::Export)),
    line("/api/v1/agenda/key",             AgendaApi, POST,    |_| api(Api::Key)),

    line("/changes.atom",                   PublicFeed, READ, |_| Some(Endpoint::Changes(changes::Endpoint::Program(Form::Atom)))),
    line("/changes.json",                   PublicFeed, READ, |_| Some(Endpoint::Changes(changes::Endpoint::Program(Form::Json)))),
    line("/tracks/{track}/changes.atom",    PublicFeed, READ, |path| Some(Endpoint::Changes(changes::Endpoint::Track(path.slug("track")?)))),
    line("/agendas/{read}/changes.atom",    AgendaFeed, READ, |path| Some(Endpoint::Changes(changes::Endpoint::Agenda(path.token("read")?)))),

    line("/organizer",                          Organizer, READ,    |_| organizer(For::Desk(Desk::Home))),
    line("/organizer/session",                  Organizer, POST,    |_| organizer(For::Desk(Desk::SignIn))),
    line("/organizer/session/end",              Organizer, POST,    |_| organizer(For::Desk(Desk::SignOut))),
    line("/organizer/publish",                  Organizer, POST,    |_| organizer(For::Desk(Desk::Publish))),
    line("/organizer/held/preview",             Organizer, POST,    |_| organizer(For::Desk(Desk::PreviewHeld))),
    line("/organizer/held/discard",             Organizer, POST,    |_| organizer(For::Desk(Desk::Discard))),
    line("/organizer/releases/{n}/preview",     Organizer, POST,    |path| organizer(For::Desk(Desk::Preview(path.number("n")?.into())))),
    line("/organizer/program",                  Organizer, PROGRAM, |_| organizer(For::Program)),
    line("/organizer/preview",                  Organizer, POST,    |_| organizer(For::Preview)),
    line("/organizer/status",                   Organizer, READ,    |_| organizer(For::Status)),
    line("/organizer/schedule",                 Organizer, DELETE,  |_| organizer(For::Schedule)),
    line("/organizer/picks",                    Organizer, READ,    |_| organizer(For::Picks)),
    line("/organizer/releases",                 Organizer, READ,    |_| organizer(For::Releases)),
    line("/organizer/releases/{n}",             Organizer, READ,    |path| organizer(For::Release(path.number("n")?.into()))),
    line("/organizer/releases/{n}/program.csv", Organizer, READ,    |path| organizer(For::ReleaseProgram(path.number("n")?.into()))),
    line("/organizer/releases/{n}/publish",     Organizer, POST,    |path| organizer(For::Publish(path.number("n")?.into()))),
    line("/organizer/erase/{session}",          Organizer, POST,    |path| organizer(For::Erase(path.session("session")?))),

    line("/.well-known/caldav",                Dav,       READ, |_| dav(Place::WellKnown)),
    line("/dav",                               Dav,       READ, |_| dav(Place::Root("/dav/"))),
    line("/dav/",                              Dav,       READ, |_| dav(Place::Root("/dav/"))),
    line("/dav/{*rest}",                       Dav,       READ, |_| dav(Place::Nowhere(Tree::PUBLIC))),
    line("/dav/public",                        Dav,       READ, |_| dav(Place::Home(Tree::PUBLIC))),
    line("/dav/public/",                       Dav,       READ, |_| dav(Place::Home(Tree::PUBLIC))),
    line("/dav/public/{calendar}",             Dav,       READ, |path| dav(path.calendar())),
    line("/dav/public/{calendar}/",            Dav,       READ, |path| dav(path.calendar())),
    line("/dav/public/{calendar}/{session}",   Dav,       READ, |path| dav(path.object())),
    line("/dav/agendas",                       AgendaDav, READ, |_| dav(Place::Home(Tree::AGENDAS))),
    line("/dav/agendas/",                      AgendaDav, READ, |_| dav(Place::Home(Tree::AGENDAS))),
    line("/dav/agendas/{*rest}",               AgendaDav, READ, |_| dav(Place::Nowhere(Tree::AGENDAS))),
    line("/dav/agendas/agenda",                AgendaDav, READ, |_| dav(Place::agenda())),
    line("/dav/agendas/agenda/",               AgendaDav, READ, |_| dav(Place::agenda())),
    line("/dav/agendas/agenda/{session}",      AgendaDav, READ, |path| dav(path.picked())),

    line("/dav/cancelled-title/public",                      Dav,       READ, |_| titled(Place::Home(Tree::PUBLIC))),
    line("/dav/cancelled-title/public/",                     Dav,       READ, |_| titled(Place::Home(Tree::PUBLIC))),
    line("/dav/cancelled-title/public/{calendar}",           Dav,       READ, |path| titled(path.calendar())),
    line("/dav/cancelled-title/public/{calendar}/",          Dav,       READ, |path| titled(path.calendar())),
    line("/dav/cancelled-title/public/{calendar}/{session}", Dav,       READ, |path| titled(path.object())),
    line("/dav/cancelled-title/agendas",                     AgendaDav, READ, |_| titled(Place::Home(Tree::AGENDAS))),
    line("/dav/cancelled-title/agendas/",                    AgendaDav, READ, |_| titled(Place::Home(Tree::AGENDAS))),
    line("/dav/cancelled-title/agendas/{*rest}",             AgendaDav, READ, |_| titled(Place::Nowhere(Tree::AGENDAS))),
    line("/dav/cancelled-title/agendas/agenda",              AgendaDav, READ, |_| titled(Place::agenda())),
    line("/dav/cancelled-title/agendas/agenda/",             AgendaDav, READ, |_| titled(Place::agenda())),
    line("/dav/cancelled-title/agendas/agenda/{session}",    AgendaDav, READ, |path| titled(path.picked())),

    line("/",                    Page,         READ,    |_| web(Web::Program)),
    line("/sessions/{id}",       Page,         READ,    |path| web(Web::Session(path.session("id")?))),
    line("/tracks/{track}",      Page,         READ,    |path| web(Web::Track(path.slug("track")?))),
    line("/speakers/{speaker}",  Page,         READ,    |path| web(Web::Speaker(path.slug("speaker")?))),
    line("/api",                 Page,         READ,    |_| web(Web::Reference)),
    line("/changes",             Page,         READ,    |_| web(Web::Changes)),
    line("/offline",             Page,         READ,    |_| web(Web::File("/offline"))),
    line("/subscribe/{*feed}",   PersonalPage, READ,    |path| web(Web::Subscribe(path.text("feed")?))),
    line("/agendas/{read}",      PersonalPage, READ,    |path| web(Web::SharedAgenda(path.token("read")?))),
    line("/team",                PersonalPage, COLLECT, |_| web(Web::MakeTeam)),
    line("/team/{members}",      PersonalPage, READ,    |path| web(Web::Team(path.members()?))),
    line("/agenda",              PersonalPage, READ,    |_| web(Web::Mine)),
    line("/agenda/state",        AgendaApi,    READ,    |_| web(Web::State)),
    line("/agenda/picks",        PersonalPage, POST,    |_| web(Web::Picks)),
    line("/agenda/import",       PersonalPage, COLLECT, |_| web(Web::Import)),
    line("/agenda/export.ics",   AgendaApi,    READ,    |_| web(Web::Export { is_calendar: true })),
    line("/agenda/export.json",  AgendaApi,    READ,    |_| web(Web::Export { is_calendar: false })),
    line("/agenda/name",         PersonalPage, POST,    |_| web(Web::Name)),
    line("/agenda/links",        PersonalPage, POST,    |_| web(Web::NewLink)),
    line("/agenda/links/{n}/revoke", PersonalPage, POST, |path| web(Web::RevokeLink(path.number("n")?))),
    line("/agenda/key",          PersonalPage, POST,    |_| web(Web::NewKey)),
    line("/agenda/delete",       PersonalPage, POST,    |_| web(Web::Delete)),
    line("/agenda/handover",     PersonalPage, POST,    |_| web(Web::MakeHandOver)),
    line("/handover/{code}",     PersonalPage, COLLECT, |path| web(Web::HandOver(path.text("code")?))),
    line("/events",              Live,         READ,    |_| web(Web::Events)),
    line("/assets/{name}",       Asset,        READ,    |path| web(Web::Asset(path.text("name")?))),
    line("/robots.txt",          SiteFile,     READ,    |_| web(Web::File("/robots.txt"))),
    line("/sitemap.xml",         SiteFile,     READ,    |_| web(Web::File("/sitemap.xml"))),
    line("/manifest.webmanifest", SiteFile,    READ,    |_| web(Web::File("/manifest.webmanifest"))),
    line("/sw.js",               Page,         READ,    |_| web(Web::File("/sw.js"))),
];

#[expect(clippy::unnecessary_wraps, reason = "the lines of the table give options")]
fn organizer(endpoint: organizer::Endpoint) -> Option<Endpoint> {
    Some(Endpoint::Organizer(endpoint))
}

#[expect(clippy::unnecessary_wraps, reason = "the lines of the table give options")]
fn api(api: Api) -> Option<Endpoint> {
    Some(Endpoint::Api(api))
}

#[expect(clippy::unnecessary_wraps, reason = "the lines of the table give options")]
fn reading(reading: Reading) -> Option<Endpoint> {
    Some(Endpoint::Reading(reading))
}

#[expect(clippy::unnecessary_wraps, reason = "the lines of the table give options")]
fn dav(place: Place) -> Option<Endpoint> {
    Some(Endpoint::Dav(place))
}

fn titled(place: Place) -> Option<Endpoint> {
    dav(place.titled())
}

fn jcal(feed: Option<Endpoint>) -> Option<Endpoint> {
    feed.map(|feed| Endpoint::Jcal(Box::new(feed)))
}

#[expect(clippy::unnecessary_wraps, reason = "the lines of the table give options")]
fn web(page: Web) -> Option<Endpoint> {
    Some(Endpoint::Web(page))
}

/// The route table: every pattern with the methods that it is written down for, for whoever has to say something
/// about each of them.
pub fn routes() -> impl Iterator<Item = (&'static str, &'static [Method])> {
    Routes::methods()
}

/// A request's place in the table.
#[derive(Debug)]
pub(super) struct Route {
    /// The pattern: what the log may show of the path.
    pub(super) pattern: &'static str,
    /// The class of what is behind it; none for the server as a whole.
    pub(super) class: Option<Class>,
    /// What it takes.
    pub(super) methods: &'static [Method],
    /// What is behind it; none where the parameters name what cannot exist.
    pub(super) endpoint: Option<Endpoint>,
}

/// The table, ready to be searched.
#[derive(Debug)]
pub(super) struct Routes(Router<usize>);

impl Routes {
    pub(super) fn new() -> Self {
        let mut router = Router::new();
        for (place, line) in TABLE.iter().enumerate() {
            #[expect(clippy::expect_used, reason = "a constant table, inserted by every test")]
            router.insert(line.pattern, place).expect("no two lines conflict");
        }
        Self(router)
    }

    /// Every pattern, and those of what is in no line.
    pub(super) fn patterns() -> impl Iterator<Item = &'static str> {
        TABLE.iter().map(|line| line.pattern).chain(["-", "*"])
    }

    /// Every pattern with its methods.
    pub(super) fn methods() -> impl Iterator<Item = (&'static str, &'static [Method])> {
        TABLE.iter().map(|line| (line.pattern, line.methods))
    }

    /// The line of a path, as it was sent. At `/` CalDAV's methods are answered beside the page's, since clients that
    /// know the host alone start there.
    pub(super) fn of(&self, method: &Method, path: &str) -> Result<Route, Problem> {
        let mut route = self.find(path)?;
        if route.pattern == "/" {
            route.methods = super::dav::methods();
            if super::dav::is_own(method) {
                route.class = Some(Dav);
                route.endpoint = dav(Place::Root("/"));
            }
        }
        Ok(route)
    }

    fn find(&self, path: &str) -> Result<Route, Problem> {
        let found = self.0.at(path).map_err(|_| Problem::NotFound)?;
        let line = TABLE.get(*found.value).ok_or(Problem::NotFound)?;
        let endpoint = (line.endpoint)(&Decoded(&found.params));
        Ok(Route { pattern: line.pattern, class: Some(line.class), methods: line.methods, endpoint })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feed::session_path;
    use crate::program::Slug;
    use proptest::prelude::*;

    fn endpoint(path: &str) -> Option<Endpoint> {
        Routes::new().find(path).ok()?.endpoint
    }

    #[test]
    fn what_could_not_exist_is_behind_no_path() {
        for path in [
            "/program.ics/",
            "//program.ics",
            "/tracks/.ics",
            "/tracks/A.ics",
            "/tracks/a%2Fb.ics",
            "/tracks/%ff.ics",
            "/tracks/a/b.ics",
            "/days/2025-02-30.ics",
            "/sessions/x.ics",
            "/agendas/cbr_x.ics",
            "/api/v1/agenda/links/0",
            "/api/v1/agenda/links/01",
            "/api/v1/agenda/links/+1",
            "/api/v1/agenda/links/4294967296",
            "/api/v1/agenda/picks/..",
        ] {
            assert_eq!(endpoint(path), None, "{path}");
        }
    }

    #[test]
    fn parameters_are_decoded_once() {
        let key = FeedKey::Track(Slug::parse("track-1").unwrap());
        assert_eq!(endpoint("/tracks/track%2d1.ics"), Some(Endpoint::Feed(key)));
        assert_eq!(endpoint("/tracks/track%252d1.ics"), None);
    }

    #[test]
    fn a_page_and_its_feed_stand_beside_each_other() {
        let slug = Slug::parse("track-1").unwrap();
        assert_eq!(endpoint("/tracks/track-1"), web(Web::Track(slug.clone())));
        assert_eq!(endpoint("/tracks/track-1.ics"), Some(Endpoint::Feed(FeedKey::Track(slug))));
        assert_eq!(endpoint("/subscribe/tracks/track-1"), web(Web::Subscribe("tracks/track-1".to_owned())));
    }

    proptest! {
        #[test]
        fn the_paths_of_feeds_lead_to_them(slug in "[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])", which in 0..3u8) {
            let parsed = Slug::parse(&slug).unwrap();
            let key = match which {
                0 => FeedKey::Track(parsed),
                1 => FeedKey::Room(parsed),
                _ => FeedKey::Speaker(parsed),
            };
            prop_assert_eq!(endpoint(&key.to_string()), Some(Endpoint::Feed(key)));
            let id = SessionId::parse(&slug).unwrap();
            prop_assert_eq!(endpoint(&session_path(&id)), Some(Endpoint::SessionFeed(id)));
        }
    }
}
