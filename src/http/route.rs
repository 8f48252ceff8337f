//! The route table. Each row holds everything that the pipeline needs to know about one method of one path.
//!
//! To add a route, add a row here, its handler, and a row in `tests/suite/http/matrix.rs`. Nothing redirects.

use super::browser::MAX_FORM;
use super::context::{Context, Reply};
use super::dav::{DavPath, Name, Tree};
use super::exports::ExportFormat;
use super::feeds::FeedAddress;
use super::policy::Class::{
    self, AgendaApi, AgendaDav, AgendaFeed, Asset, Dav, Live, Organizer, Page, PersonalPage, PublicFeed,
    SiteFile,
};
use super::queue::QueueName::{self, Short, Unlimited, Whole};
use super::{Problem, api, changes, dav, request_head};
use crate::agenda::{Members, ReadToken};
use crate::exchange;
use crate::feed::FeedKey;
use crate::import::MAX_FILE;
use crate::program::{SessionId, Slug};
use crate::web::Listing;
use changes::{ChangeFeedAddress, Form};
use http::Method;
use matchit::{Params, Router};
use percent_encoding::percent_decode_str;
use std::borrow::Cow;
use std::sync::LazyLock;

/// One method of one path.
pub(super) struct Route {
    /// GET stands for HEAD too, [`ANY`] for every method.
    method: &'static str,
    pattern: &'static str,
    /// Decides caching, sharing and indexing.
    pub(super) class: Class,
    /// The queue in which the handler waits before it renders something.
    pub(super) queue: QueueName,
    /// The longest body in bytes. With 0 the body is not read.
    pub(super) max_body: usize,
    pub(super) handler: Handler,
}

/// Parses the path, then returns an answer or the future of one.
pub(super) type Handler = for<'a> fn(Context<'a>, &Path<'_>) -> Result<Reply<'a>, Problem>;

const fn route(
    method: &'static str,
    pattern: &'static str,
    class: Class,
    queue: QueueName,
    max_body: usize,
    handler: Handler,
) -> Route {
    Route { method, pattern, class, queue, max_body, handler }
}

/// The method of a route whose handler looks at the method itself.
const ANY: &str = "*";
const GET: &str = "GET";
const POST: &str = "POST";
const PUT: &str = "PUT";
const PATCH: &str = "PATCH";
const DELETE: &str = "DELETE";

/// The longest form with a file of picks: the file, and the bytes that a form puts around it.
const PICKS_FORM: usize = exchange::MAX_BYTES + 4096;

#[rustfmt::skip]
const TABLE: &[Route] = &[
    route(GET, "/program.ics",            PublicFeed, Short, 0, |c, _| c.feed(FeedAddress::Public(FeedKey::Program))),
    route(GET, "/tracks/{track}.ics",     PublicFeed, Short, 0, |c, path| c.feed(path.feed("tracks", "track")?)),
    route(GET, "/days/{date}.ics",        PublicFeed, Short, 0, |c, path| c.feed(path.feed("days", "date")?)),
    route(GET, "/rooms/{room}.ics",       PublicFeed, Short, 0, |c, path| c.feed(path.feed("rooms", "room")?)),
    route(GET, "/speakers/{speaker}.ics", PublicFeed, Short, 0, |c, path| c.feed(path.feed("speakers", "speaker")?)),
    route(GET, "/sessions/{id}.ics",      PublicFeed, Short, 0, |c, path| c.feed(FeedAddress::Session(path.session("id")?))),
    route(GET, "/agendas/{read}.ics",     AgendaFeed, Short, 0, |c, path| c.feed(FeedAddress::Agenda(path.token("read")?))),
    route(GET, "/team/{members}.ics",     AgendaFeed, Short, 0, |c, path| c.feed(FeedAddress::Team(path.members("members")?))),

    route(GET, "/program.jcal",            PublicFeed, Whole, 0, |c, _| c.jcal(FeedAddress::Public(FeedKey::Program))),
    route(GET, "/tracks/{track}.jcal",     PublicFeed, Whole, 0, |c, path| c.jcal(path.feed("tracks", "track")?)),
    route(GET, "/days/{date}.jcal",        PublicFeed, Whole, 0, |c, path| c.jcal(path.feed("days", "date")?)),
    route(GET, "/rooms/{room}.jcal",       PublicFeed, Whole, 0, |c, path| c.jcal(path.feed("rooms", "room")?)),
    route(GET, "/speakers/{speaker}.jcal", PublicFeed, Whole, 0, |c, path| c.jcal(path.feed("speakers", "speaker")?)),
    route(GET, "/sessions/{id}.jcal",      PublicFeed, Whole, 0, |c, path| c.jcal(FeedAddress::Session(path.session("id")?))),
    route(GET, "/agendas/{read}.jcal",     AgendaFeed, Whole, 0, |c, path| c.jcal(FeedAddress::Agenda(path.token("read")?))),
    route(GET, "/team/{members}.jcal",     AgendaFeed, Whole, 0, |c, path| c.jcal(FeedAddress::Team(path.members("members")?))),

    route(GET, "/schedule.xml",  PublicFeed, Whole, 0, |c, _| c.export(ExportFormat::Xml)),
    route(GET, "/schedule.json", PublicFeed, Whole, 0, |c, _| c.export(ExportFormat::Json)),
    route(GET, "/schedule.csv",  PublicFeed, Whole, 0, |c, _| c.export(ExportFormat::Csv)),
    route(GET, "/program.txt",   PublicFeed, Whole, 0, |c, _| c.export(ExportFormat::Text)),
    route(GET, "/giggity.json",  PublicFeed, Whole, 0, |c, _| c.export(ExportFormat::Giggity)),

    route(GET, "/openapi.json",         PublicFeed, Short, 0, |c, _| c.program_api(|api| api.openapi())),
    route(GET, "/api/v1/program",       PublicFeed, Short, 0, |c, _| c.program_api(|api| api.program())),
    route(GET, "/api/v1/sessions",      PublicFeed, Short, 0, |c, _| c.program_api(|api| api.sessions())),
    route(GET, "/api/v1/sessions/{id}", PublicFeed, Short, 0, |c, path| { let id = path.session("id")?; c.program_api(|api| api.session(id)) }),
    route(GET, "/api/v1/tracks",        PublicFeed, Short, 0, |c, _| c.program_api(|api| api.tracks())),
    route(GET, "/api/v1/speakers",      PublicFeed, Short, 0, |c, _| c.program_api(|api| api.speakers())),
    route(GET, "/api/v1/releases",      PublicFeed, Short, 0, |c, _| c.program_api(|api| api.releases())),
    route(GET, "/api/v1/changes",       PublicFeed, Short, 0, |c, _| c.program_api(|api| api.changes())),

    route(GET,    "/api/v1/agendas/{read}",         AgendaFeed, Short,     api::MAX_BODY,        |c, path| { let token = path.token("read")?; c.agenda_api(|api| api.shared(token)) }),
    route(POST,   "/api/v1/agendas",                AgendaApi,  Unlimited, api::MAX_BODY,        |c, _| c.agenda_api(|api| api.create())),
    route(GET,    "/api/v1/agenda",                 AgendaApi,  Unlimited, api::MAX_BODY,        |c, _| c.agenda_api(|api| api.show())),
    route(PATCH,  "/api/v1/agenda",                 AgendaApi,  Unlimited, api::MAX_BODY,        |c, _| c.agenda_api(|api| api.rename())),
    route(DELETE, "/api/v1/agenda",                 AgendaApi,  Unlimited, api::MAX_BODY,        |c, _| c.agenda_api(|api| api.delete())),
    route(PUT,    "/api/v1/agenda/picks",           AgendaApi,  Unlimited, api::MAX_BODY,        |c, _| c.agenda_api(|api| api.replace_picks())),
    route(PUT,    "/api/v1/agenda/picks/{session}", AgendaApi,  Unlimited, api::MAX_BODY,        |c, path| { let id = path.session("session")?; c.agenda_api(|api| api.pick(id)) }),
    route(DELETE, "/api/v1/agenda/picks/{session}", AgendaApi,  Unlimited, api::MAX_BODY,        |c, path| { let id = path.session("session")?; c.agenda_api(|api| api.unpick(id)) }),
    route(PUT,    "/api/v1/agenda/busy",            AgendaApi,  Unlimited, api::MAX_BODY,        |c, _| c.agenda_api(|api| api.replace_busy())),
    route(GET,    "/api/v1/agenda/plan",            AgendaApi,  Short,     api::MAX_BODY,        |c, _| c.agenda_api(|api| api.plan())),
    route(GET,    "/api/v1/agenda/links",           AgendaApi,  Unlimited, api::MAX_BODY,        |c, _| c.agenda_api(|api| api.links())),
    route(POST,   "/api/v1/agenda/links",           AgendaApi,  Unlimited, api::MAX_BODY,        |c, _| c.agenda_api(|api| api.add_link())),
    route(DELETE, "/api/v1/agenda/links/{n}",       AgendaApi,  Unlimited, api::MAX_BODY,        |c, path| { let n = path.number("n")?; c.agenda_api(move |api| api.revoke_link(n)) }),
    route(POST,   "/api/v1/agenda/import",          AgendaApi,  Whole,     exchange::MAX_BYTES,  |c, _| c.agenda_api(|api| api.import())),
    route(GET,    "/api/v1/agenda/export",          AgendaApi,  Short,     api::MAX_BODY,        |c, _| c.agenda_api(|api| api.export())),
    route(POST,   "/api/v1/agenda/key",             AgendaApi,  Unlimited, api::MAX_BODY,        |c, _| c.agenda_api(|api| api.replace_key())),
    route(GET,    "/api/v1/push-key",               PublicFeed, Short,     0,                    |c, _| c.push_key()),
    route(GET,    "/api/v1/agenda/subscriptions",   AgendaApi,  Unlimited, api::MAX_BODY,        |c, _| c.agenda_api(|api| api.subscriptions())),
    route(POST,   "/api/v1/agenda/subscriptions",   AgendaApi,  Unlimited, api::MAX_BODY,        |c, _| c.agenda_api(|api| api.subscribe())),
    route(DELETE, "/api/v1/agenda/subscriptions/{device}", AgendaApi, Unlimited, api::MAX_BODY,  |c, path| { let id = path.text("device")?; c.agenda_api(|api| api.unsubscribe(id)) }),

    route(GET, "/changes.atom",                PublicFeed, Whole, 0, |c, _| c.changes(ChangeFeedAddress::Program(Form::Atom))),
    route(GET, "/changes.json",                PublicFeed, Whole, 0, |c, _| c.changes(ChangeFeedAddress::Program(Form::Json))),
    route(GET, "/tracks/{track}/changes.atom", PublicFeed, Whole, 0, |c, path| c.changes(ChangeFeedAddress::Track(path.slug("track")?))),
    route(GET, "/agendas/{read}/changes.atom", AgendaFeed, Whole, 0, |c, path| c.changes(ChangeFeedAddress::Agenda(path.token("read")?))),

    route(GET,    "/organizer",                          Organizer, Unlimited, 0,        |c, _| c.sign_in(|request| request.home())),
    route(POST,   "/organizer/session",                  Organizer, Unlimited, MAX_FORM, |c, _| c.sign_in(|request| request.sign_in())),
    route(POST,   "/organizer/session/end",              Organizer, Unlimited, MAX_FORM, |c, _| c.sign_in(|request| request.sign_out())),
    route(POST,   "/organizer/publish",                  Organizer, Unlimited, MAX_FORM, |c, _| c.organizer_form(|request, form| request.publish_shown(form))),
    route(POST,   "/organizer/held/preview",             Organizer, Unlimited, MAX_FORM, |c, _| c.organizer_form(|request, form| request.preview_held(form))),
    route(POST,   "/organizer/held/discard",             Organizer, Unlimited, MAX_FORM, |c, _| c.organizer_form(|request, form| request.discard_held(form))),
    route(POST,   "/organizer/schedule/cancel",          Organizer, Unlimited, MAX_FORM, |c, _| c.organizer_form(|request, form| request.cancel_schedule(form))),
    route(POST,   "/organizer/releases/{n}/preview",     Organizer, Unlimited, MAX_FORM, |c, path| { let n = path.number("n")?; c.organizer_form(move |request, _| request.preview_release(n.into())) }),
    route(GET,    "/organizer/program",                  Organizer, Unlimited, MAX_FILE, |c, _| c.organizer(|request| request.read(|organizer| organizer.live_program()))),
    route(PUT,    "/organizer/program",                  Organizer, Unlimited, MAX_FILE, |c, _| c.organizer_upload(|request| request.put())),
    route(POST,   "/organizer/preview",                  Organizer, Unlimited, MAX_FILE, |c, _| c.organizer_upload(|request| request.preview_upload())),
    route(GET,    "/organizer/preview/{digest}",         Organizer, Unlimited, MAX_FORM, |c, path| { let digest = path.text("digest")?; c.organizer(|request| request.preview_page(digest)) }),
    route(GET,    "/organizer/status",                   Organizer, Unlimited, MAX_FILE, |c, _| c.organizer(|request| request.read(|organizer| organizer.status()))),
    route(DELETE, "/organizer/schedule",                 Organizer, Unlimited, MAX_FILE, |c, _| c.organizer(|request| request.unschedule())),
    route(GET,    "/organizer/rooms",                    Organizer, Unlimited, MAX_FORM, |c, _| c.organizer(|request| request.picks_page())),
    route(GET,    "/organizer/picks.csv",                Organizer, Unlimited, MAX_FILE, |c, _| c.organizer(|request| request.read(|organizer| organizer.picks_csv()))),
    route(GET,    "/organizer/picks",                    Organizer, Unlimited, MAX_FILE, |c, _| c.organizer(|request| request.read(|organizer| organizer.picks()))),
    route(GET,    "/organizer/releases",                 Organizer, Unlimited, MAX_FILE, |c, _| c.organizer(|request| request.read(|organizer| organizer.releases()))),
    route(GET,    "/organizer/releases/{n}",             Organizer, Unlimited, MAX_FILE, |c, path| { let n = path.number("n")?; c.organizer(move |request| request.read(move |organizer| organizer.release(n.into()))) }),
    route(GET,    "/organizer/releases/{n}/program.csv", Organizer, Unlimited, MAX_FILE, |c, path| { let n = path.number("n")?; c.organizer(move |request| request.read(move |organizer| organizer.release_program(n.into()))) }),
    route(POST,   "/organizer/releases/{n}/publish",     Organizer, Unlimited, MAX_FILE, |c, path| { let n = path.number("n")?; c.organizer(move |request| request.roll_back(n.into())) }),
    route(POST,   "/organizer/erase/{session}",          Organizer, Unlimited, MAX_FILE, |c, path| { let id = path.session("session")?; c.organizer(|request| request.erase(id)) }),

    route(ANY, "/.well-known/caldav",                Dav,       Unlimited, 0,             |c, _| c.well_known_caldav()),
    route(ANY, "/dav",                               Dav,       Whole,     dav::MAX_BODY, |c, _| c.dav(DavPath::Root("/dav/"))),
    route(ANY, "/dav/",                              Dav,       Whole,     dav::MAX_BODY, |c, _| c.dav(DavPath::Root("/dav/"))),
    route(ANY, "/dav/{*rest}",                       Dav,       Whole,     dav::MAX_BODY, |c, _| c.dav(DavPath::Nowhere(Tree::PUBLIC))),
    route(ANY, "/dav/public",                        Dav,       Whole,     dav::MAX_BODY, |c, _| c.dav(DavPath::Home(Tree::PUBLIC))),
    route(ANY, "/dav/public/",                       Dav,       Whole,     dav::MAX_BODY, |c, _| c.dav(DavPath::Home(Tree::PUBLIC))),
    route(ANY, "/dav/public/{calendar}",             Dav,       Whole,     dav::MAX_BODY, |c, path| c.dav(path.calendar())),
    route(ANY, "/dav/public/{calendar}/",            Dav,       Whole,     dav::MAX_BODY, |c, path| c.dav(path.calendar())),
    route(ANY, "/dav/public/{calendar}/{session}",   Dav,       Whole,     dav::MAX_BODY, |c, path| c.dav(path.object())),
    route("DELETE", "/dav/public/subscriptions/{device}",  Dav,       Unlimited, 0,        |c, path| { let id = path.text("device")?; c.dav(DavPath::Subscription(Tree::PUBLIC, id)) }),
    route("DELETE", "/dav/agendas/subscriptions/{device}", AgendaDav, Unlimited, 0,        |c, path| { let id = path.text("device")?; c.dav(DavPath::Subscription(Tree::AGENDAS, id)) }),
    route(ANY, "/dav/agendas",                       AgendaDav, Whole,     dav::MAX_BODY, |c, _| c.dav(DavPath::Home(Tree::AGENDAS))),
    route(ANY, "/dav/agendas/",                      AgendaDav, Whole,     dav::MAX_BODY, |c, _| c.dav(DavPath::Home(Tree::AGENDAS))),
    route(ANY, "/dav/agendas/{*rest}",               AgendaDav, Whole,     dav::MAX_BODY, |c, _| c.dav(DavPath::Nowhere(Tree::AGENDAS))),
    route(ANY, "/dav/agendas/agenda",                AgendaDav, Whole,     dav::MAX_BODY, |c, _| c.dav(DavPath::agenda())),
    route(ANY, "/dav/agendas/agenda/",               AgendaDav, Whole,     dav::MAX_BODY, |c, _| c.dav(DavPath::agenda())),
    route(ANY, "/dav/agendas/agenda/{session}",      AgendaDav, Whole,     dav::MAX_BODY, |c, path| c.dav(path.picked())),

    route(ANY, "/dav/cancelled-title/public",                      Dav,       Whole, dav::MAX_BODY, |c, _| c.dav(DavPath::Home(Tree::PUBLIC).titled())),
    route(ANY, "/dav/cancelled-title/public/",                     Dav,       Whole, dav::MAX_BODY, |c, _| c.dav(DavPath::Home(Tree::PUBLIC).titled())),
    route(ANY, "/dav/cancelled-title/public/{calendar}",           Dav,       Whole, dav::MAX_BODY, |c, path| c.dav(path.calendar().titled())),
    route(ANY, "/dav/cancelled-title/public/{calendar}/",          Dav,       Whole, dav::MAX_BODY, |c, path| c.dav(path.calendar().titled())),
    route(ANY, "/dav/cancelled-title/public/{calendar}/{session}", Dav,       Whole, dav::MAX_BODY, |c, path| c.dav(path.object().titled())),
    route(ANY, "/dav/cancelled-title/agendas",                     AgendaDav, Whole, dav::MAX_BODY, |c, _| c.dav(DavPath::Home(Tree::AGENDAS).titled())),
    route(ANY, "/dav/cancelled-title/agendas/",                    AgendaDav, Whole, dav::MAX_BODY, |c, _| c.dav(DavPath::Home(Tree::AGENDAS).titled())),
    route(ANY, "/dav/cancelled-title/agendas/{*rest}",             AgendaDav, Whole, dav::MAX_BODY, |c, _| c.dav(DavPath::Nowhere(Tree::AGENDAS).titled())),
    route(ANY, "/dav/cancelled-title/agendas/agenda",              AgendaDav, Whole, dav::MAX_BODY, |c, _| c.dav(DavPath::agenda().titled())),
    route(ANY, "/dav/cancelled-title/agendas/agenda/",             AgendaDav, Whole, dav::MAX_BODY, |c, _| c.dav(DavPath::agenda().titled())),
    route(ANY, "/dav/cancelled-title/agendas/agenda/{session}",    AgendaDav, Whole, dav::MAX_BODY, |c, path| c.dav(path.picked().titled())),

    route(GET,  "/",                     Page,         Short,     MAX_FORM,   |c, _| c.program_page()),
    // CalDAV clients that know only the host begin here.
    route("PROPFIND", "/",               Dav,          Whole, dav::MAX_BODY,  |c, _| c.dav(DavPath::Root("/"))),
    route("REPORT",   "/",               Dav,          Whole, dav::MAX_BODY,  |c, _| c.dav(DavPath::Root("/"))),
    route("OPTIONS",  "/",               Dav,          Whole, dav::MAX_BODY,  |c, _| c.dav(DavPath::Root("/"))),
    route(GET,  "/sessions/{id}",        Page,         Short,     MAX_FORM,   |c, path| { let id = path.session("id")?; c.page_task(|page| async move { page.session(&id).await }) }),
    route(GET,  "/tracks/{track}",      Page,         Short,     MAX_FORM,   |c, path| { let key = path.part("tracks", "track")?; c.page_task(|page| async move { page.part(&key).await }) }),
    route(GET,  "/rooms/{room}",        Page,         Short,     MAX_FORM,   |c, path| { let key = path.part("rooms", "room")?; c.page_task(|page| async move { page.part(&key).await }) }),
    route(GET,  "/speakers/{speaker}",  Page,         Short,     MAX_FORM,   |c, path| { let key = path.part("speakers", "speaker")?; c.page_task(|page| async move { page.part(&key).await }) }),
    route(GET,  "/days/{date}",         Page,         Short,     MAX_FORM,   |c, path| { let key = path.part("days", "date")?; c.page_task(|page| async move { page.part(&key).await }) }),
    route(GET,  "/tracks",              Page,         Short,     MAX_FORM,   |c, _| c.page_task(|page| async move { page.listing(Listing::Tracks).await })),
    route(GET,  "/rooms",               Page,         Short,     MAX_FORM,   |c, _| c.page_task(|page| async move { page.listing(Listing::Rooms).await })),
    route(GET,  "/speakers",            Page,         Short,     MAX_FORM,   |c, _| c.page_task(|page| async move { page.listing(Listing::Speakers).await })),
    route(GET,  "/search.json",         Page,         Unlimited, MAX_FORM,   |c, _| c.page(|page| page.file("/search.json"))),
    route(GET,  "/api",                  Page,         Short,     MAX_FORM,   |c, _| c.page_task(|page| async move { page.reference().await })),
    route(GET,  "/changes",              Page,         Short,     MAX_FORM,   |c, _| c.page_task(|page| async move { page.changes().await })),
    route(GET,  "/offline",              Page,         Unlimited, MAX_FORM,   |c, _| c.page(|page| page.file("/offline"))),
    route(GET,  "/subscribe/{*feed}",    PersonalPage, Short,     MAX_FORM,   |c, path| { let feed = path.text("feed")?; c.page_task(|page| async move { page.subscribe(&feed).await }) }),
    route(GET,  "/agendas/{read}",       PersonalPage, Short,     MAX_FORM,   |c, path| { let token = path.token("read")?; c.page(move |page| page.shared_agenda(&token)) }),
    route(GET,  "/team",                 PersonalPage, Unlimited, MAX_FORM,   |c, _| c.page(|page| page.make_team())),
    route(POST, "/team",                 PersonalPage, Unlimited, MAX_FORM,   |c, _| c.page(|page| page.make_team())),
    route(GET,  "/team/{members}",       PersonalPage, Short,     MAX_FORM,   |c, path| { let members = path.members("members")?; c.page_task(|page| async move { page.team(&members).await }) }),
    route(GET,  "/agenda",               PersonalPage, Short,     MAX_FORM,   |c, _| c.page_task(|page| async move { page.own_agenda().await })),
    route(GET,  "/mine",                PersonalPage, Short,     MAX_FORM,   |c, _| c.page_task(|page| async move { page.picked_program().await })),
    route(GET,  "/mine/sessions/{id}",  PersonalPage, Short,     MAX_FORM,   |c, path| { let id = path.session("id")?; c.page_task(|page| async move { page.picked_session(&id).await }) }),
    route(GET,  "/agenda/state",         AgendaApi,    Unlimited, MAX_FORM,   |c, _| c.page(|page| page.state())),
    route(POST, "/agenda/picks",         PersonalPage, Unlimited, MAX_FORM,   |c, _| c.page_task(|page| async move { page.pick().await })),
    route(GET,  "/agenda/import",        PersonalPage, Whole,     PICKS_FORM, |c, _| c.page_task(|page| page.import())),
    route(POST, "/agenda/import",        PersonalPage, Whole,     PICKS_FORM, |c, _| c.page_task(|page| page.import())),
    route(GET,  "/agenda/plan",          PersonalPage, Short,     MAX_FORM,   |c, _| c.page_task(|page| async move { page.plan().await })),
    route(POST, "/agenda/plan",          PersonalPage, Short,     MAX_FORM,   |c, _| c.page_task(|page| async move { page.apply_plan().await })),
    route(POST, "/agenda/ranks",         PersonalPage, Unlimited, MAX_FORM,   |c, _| c.page_task(|page| async move { page.rank().await })),
    route(POST, "/agenda/busy",          PersonalPage, Short,     MAX_FORM,   |c, _| c.page_task(|page| async move { page.add_busy().await })),
    route(POST, "/agenda/busy/remove",   PersonalPage, Unlimited, MAX_FORM,   |c, _| c.page_task(|page| async move { page.remove_busy().await })),
    route(POST, "/agenda/busy/import",   PersonalPage, Whole,     PICKS_FORM, |c, _| c.page_task(|page| async move { page.import_busy().await })),
    route(GET,  "/agenda/export.ics",    AgendaApi,    Short,     MAX_FORM,   |c, _| c.page(|page| page.export(true))),
    route(GET,  "/agenda/export.json",   AgendaApi,    Short,     MAX_FORM,   |c, _| c.page(|page| page.export(false))),
    route(POST, "/agenda/name",          PersonalPage, Unlimited, MAX_FORM,   |c, _| c.page_task(|page| async move { page.rename().await })),
    route(POST, "/agenda/links",         PersonalPage, Unlimited, MAX_FORM,   |c, _| c.page_task(|page| async move { page.add_link().await })),
    route(POST, "/agenda/links/{n}/revoke", PersonalPage, Unlimited, MAX_FORM, |c, path| { let n = path.number("n")?; c.page_task(move |page| async move { page.revoke_link(n).await }) }),
    route(POST, "/agenda/key",           PersonalPage, Unlimited, MAX_FORM,   |c, _| c.page_task(|page| async move { page.replace_key().await })),
    route(POST, "/agenda/devices",       AgendaApi,    Unlimited, MAX_FORM,   |c, _| c.page_task(|page| async move { page.add_device().await })),
    route(POST, "/agenda/devices/remove", PersonalPage, Unlimited, MAX_FORM,  |c, _| c.page_task(|page| async move { page.remove_device().await })),
    route(POST, "/agenda/mail",          PersonalPage, Unlimited, MAX_FORM,   |c, _| c.page_task(|page| async move { page.ask_mailbox().await })),
    route(GET,  "/mail/confirm/{link}",  PersonalPage, Unlimited, MAX_FORM,   |c, path| { let link = path.text("link")?; c.page_task(|page| async move { page.confirm_mailbox(&link).await }) }),
    route(POST, "/mail/confirm/{link}",  PersonalPage, Unlimited, MAX_FORM,   |c, path| { let link = path.text("link")?; c.page_task(|page| async move { page.confirm_mailbox(&link).await }) }),
    route(GET,  "/mail/end/{link}",      PersonalPage, Unlimited, MAX_FORM,   |c, path| { let link = path.text("link")?; c.page_task(|page| async move { page.end_mailbox(&link).await }) }),
    route(POST, "/mail/end/{link}",      PersonalPage, Unlimited, MAX_FORM,   |c, path| { let link = path.text("link")?; c.page_task(|page| async move { page.end_mailbox(&link).await }) }),
    route(POST, "/agenda/delete",        PersonalPage, Unlimited, MAX_FORM,   |c, _| c.page_task(|page| async move { page.delete().await })),
    route(POST, "/agenda/handover",      PersonalPage, Short,     MAX_FORM,   |c, _| c.page_task(|page| async move { page.make_hand_over().await })),
    route(GET,  "/handover/{code}",      PersonalPage, Unlimited, MAX_FORM,   |c, path| { let code = path.text("code")?; c.page_task(move |page| async move { page.hand_over(&code).await }) }),
    route(POST, "/handover/{code}",      PersonalPage, Unlimited, MAX_FORM,   |c, path| { let code = path.text("code")?; c.page_task(move |page| async move { page.hand_over(&code).await }) }),
    route(GET,  "/events",               Live,         Unlimited, MAX_FORM,   |c, _| c.page(|page| page.events())),
    route(GET,  "/assets/{name}",        Asset,        Unlimited, MAX_FORM,   |c, path| { let name = path.text("name")?; c.page(move |page| page.asset(&name)) }),
    route(GET,  "/robots.txt",           SiteFile,     Unlimited, MAX_FORM,   |c, _| c.page(|page| page.file("/robots.txt"))),
    route(GET,  "/sitemap.xml",          SiteFile,     Unlimited, MAX_FORM,   |c, _| c.page(|page| page.file("/sitemap.xml"))),
    route(GET,  "/manifest.webmanifest", SiteFile,     Unlimited, MAX_FORM,   |c, _| c.page(|page| page.file("/manifest.webmanifest"))),
    route(GET,  "/sw.js",                Page,         Unlimited, MAX_FORM,   |c, _| c.page(|page| page.file("/sw.js"))),
];

/// The name of a path in logs, and its place among the counters of metrics.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pattern {
    pub(super) text: &'static str,
    pub(super) number: usize,
}

/// Stands for a path without a route.
pub(super) const UNKNOWN: Pattern = Pattern { text: "-", number: 0 };
/// The server as a whole.
const SERVER: Pattern = Pattern { text: "*", number: 1 };

/// A path with the routes of its methods.
pub(super) struct Resource {
    pub(super) pattern: Pattern,
    /// None for `*`, the server as a whole.
    pub(super) class: Option<Class>,
    /// The value of Allow, without HEAD and OPTIONS.
    pub(super) methods: Vec<&'static str>,
    routes: Vec<&'static Route>,
}

impl Resource {
    /// The route for a method.
    pub(super) fn route(&self, method: &Method) -> Option<&'static Route> {
        let method = if *method == Method::HEAD { GET } else { method.as_str() };
        self.routes.iter().find(|route| route.method == method || route.method == ANY).copied()
    }
}

struct Routes {
    router: Router<usize>,
    resources: Vec<Resource>,
}

static ROUTES: LazyLock<Routes> = LazyLock::new(|| {
    let (mut router, mut resources) = (Router::new(), Vec::<Resource>::new());
    for route in TABLE {
        let known = resources.iter().position(|resource| resource.pattern.text == route.pattern);
        let place = known.unwrap_or_else(|| {
            #[expect(clippy::expect_used, reason = "a constant table, inserted by every test")]
            router.insert(route.pattern, resources.len()).expect("no two patterns conflict");
            let pattern = Pattern { text: route.pattern, number: SERVER.number + 1 + resources.len() };
            let class = Some(route.class);
            resources.push(Resource { pattern, class, methods: Vec::new(), routes: Vec::new() });
            resources.len() - 1
        });
        if let Some(resource) = resources.get_mut(place) {
            resource.routes.push(route);
            match route.method {
                ANY => resource.methods.extend(dav::METHODS),
                "OPTIONS" => {}
                method => resource.methods.push(method),
            }
        }
    }
    Routes { router, resources }
});

/// Every pattern with its methods. A route for every method counts as GET.
pub fn routes() -> impl Iterator<Item = (&'static str, Method)> {
    TABLE.iter().filter_map(|route| {
        let method = if route.method == ANY { GET } else { route.method };
        Some((route.pattern, method.parse().ok()?))
    })
}

/// Every pattern, in the order of their numbers.
pub(super) fn patterns() -> impl Iterator<Item = &'static str> {
    [UNKNOWN, SERVER]
        .into_iter()
        .chain(ROUTES.resources.iter().map(|resource| resource.pattern))
        .map(|pattern| pattern.text)
}

/// The resource at the target of a request, and the parameters of its path. The target of CONNECT is an authority, and
/// `*` is the server as a whole (RFC 9112, 3.2).
pub(super) fn find<'a>(method: &Method, path: &'a str) -> Result<(&'static Resource, Path<'a>), Problem> {
    static WHOLE_SERVER: LazyLock<Resource> =
        LazyLock::new(|| Resource { pattern: SERVER, class: None, methods: vec![GET], routes: Vec::new() });
    match path {
        _ if !request_head::is_known(method) => Err(Problem::UnknownMethod),
        "*" if method == Method::OPTIONS => Ok((&WHOLE_SERVER, Path(None))),
        path if path.starts_with('/') => {
            let found = ROUTES.router.at(path).map_err(|_| Problem::NotFound)?;
            let resource = ROUTES.resources.get(*found.value).ok_or(Problem::NotFound)?;
            Ok((resource, Path(Some(found.params))))
        }
        _ => Err(Problem::BadTarget),
    }
}

/// The parameters of a path. Each is percent-decoded and parsed once (RFC 3986, 2.1 and 3.3): an id, slug, date or token
/// that cannot exist is "not found" before any look-up.
pub(super) struct Path<'a>(Option<Params<'a, 'a>>);

impl Path<'_> {
    fn decoded(&self, name: &str) -> Option<Cow<'_, str>> {
        let raw = self.0.as_ref()?.get(name)?;
        if !raw.contains('%') {
            return Some(raw.into());
        }
        percent_decode_str(raw).decode_utf8().ok()
    }

    fn parsed<T>(&self, name: &str, parse: impl FnOnce(&str) -> Option<T>) -> Result<T, Problem> {
        self.decoded(name).and_then(|text| parse(&text)).ok_or(Problem::NotFound)
    }

    fn text(&self, name: &str) -> Result<String, Problem> {
        self.parsed(name, |text| Some(text.to_owned()))
    }

    fn part(&self, part: &str, name: &str) -> Result<FeedKey, Problem> {
        self.parsed(name, |text| FeedKey::part(part, text))
    }

    fn feed(&self, part: &str, name: &str) -> Result<FeedAddress, Problem> {
        self.part(part, name).map(FeedAddress::Public)
    }

    fn session(&self, name: &str) -> Result<SessionId, Problem> {
        self.parsed(name, |text| SessionId::parse(text).ok())
    }

    fn slug(&self, name: &str) -> Result<Slug, Problem> {
        self.parsed(name, |text| Slug::parse(text).ok())
    }

    fn token(&self, name: &str) -> Result<ReadToken, Problem> {
        self.parsed(name, |text| ReadToken::parse(text).ok())
    }

    fn members(&self, name: &str) -> Result<Members, Problem> {
        self.parsed(name, |text| Members::parse(text).ok())
    }

    /// A number without sign or leading zeros.
    fn number(&self, name: &str) -> Result<u32, Problem> {
        self.parsed(name, |text| {
            text.parse().ok().filter(|number: &u32| *number > 0 && number.to_string() == text)
        })
    }

    /// CalDAV answers an impossible name itself, after it has asked for credentials.
    fn calendar(&self) -> DavPath {
        DavPath::public(self.decoded("calendar").as_deref())
    }

    fn object(&self) -> DavPath {
        DavPath::public_object(self.decoded("calendar").as_deref(), self.decoded("session").as_deref())
    }

    fn picked(&self) -> DavPath {
        DavPath::object(Some(Name::Agenda), self.decoded("session").as_deref(), Tree::AGENDAS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feed::session_path;
    use proptest::prelude::*;

    fn path(path: &str) -> Path<'_> {
        find(&Method::GET, path).unwrap().1
    }

    #[test]
    fn all_methods_of_a_path_have_one_class_but_for_caldav_at_the_root() {
        for resource in &ROUTES.resources {
            let others = resource.routes.iter().filter(|route| Some(route.class) != resource.class);
            assert!(others.count() == 0 || resource.pattern.text == "/", "{}", resource.pattern.text);
        }
    }

    #[test]
    fn parameters_are_decoded_once() {
        let key = FeedKey::Track(Slug::parse("track-1").unwrap());
        assert_eq!(path("/tracks/track%2d1.ics").feed("tracks", "track").unwrap(), FeedAddress::Public(key));
        for twice in ["/tracks/track%252d1.ics", "/tracks/a%2Fb.ics", "/tracks/%ff.ics", "/tracks/A.ics"] {
            assert!(path(twice).feed("tracks", "track").is_err(), "{twice}");
        }
    }

    #[test]
    fn numbers_have_one_spelling() {
        assert_eq!(path("/api/v1/agenda/links/12").number("n").unwrap(), 12);
        for bad in ["0", "01", "+1", "4294967296", "x"] {
            assert!(path(&format!("/api/v1/agenda/links/{bad}")).number("n").is_err(), "{bad}");
        }
    }

    #[test]
    fn a_page_and_its_feed_stand_beside_each_other() {
        let pattern = |path| find(&Method::GET, path).unwrap().0.pattern.text;
        assert_eq!(pattern("/tracks/track-1"), "/tracks/{track}");
        assert_eq!(pattern("/tracks/track-1.ics"), "/tracks/{track}.ics");
        assert_eq!(path("/subscribe/tracks/track-1").text("feed").unwrap(), "tracks/track-1");
        for none in ["/program.ics/", "//program.ics", "/tracks/a/b.ics"] {
            assert!(find(&Method::GET, none).is_err(), "{none}");
        }
    }

    proptest! {
        #[test]
        fn the_paths_of_feeds_lead_to_them(slug in "[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])", which in 0..3u8) {
            let parsed = Slug::parse(&slug).unwrap();
            let (key, part, name) = match which {
                0 => (FeedKey::Track(parsed), "tracks", "track"),
                1 => (FeedKey::Room(parsed), "rooms", "room"),
                _ => (FeedKey::Speaker(parsed), "speakers", "speaker"),
            };
            prop_assert_eq!(path(&key.to_string()).feed(part, name).unwrap(), FeedAddress::Public(key));
            let id = SessionId::parse(&slug).unwrap();
            prop_assert_eq!(path(&session_path(&id)).session("id").unwrap(), id);
        }
    }
}
