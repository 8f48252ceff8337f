//! The route table. Each line holds everything that the pipeline needs to know about one method of one path.
//!
//! To add a route, add a line here, its handler, and a line in `tests/suite/http/matrix.rs`. Nothing redirects.

use super::browser::MAX_FORM;
use super::context::{Context, Reply};
use super::dav::{Name, Place, Tree};
use super::exports::Format;
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
use changes::{ChangeFeed, Form};
use http::Method;
use matchit::{Params, Router};
use percent_encoding::percent_decode_str;
use std::borrow::Cow;
use std::sync::LazyLock;

/// A line of the table.
pub(super) struct Line {
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

const fn line(
    method: &'static str,
    pattern: &'static str,
    class: Class,
    queue: QueueName,
    max_body: usize,
    handler: Handler,
) -> Line {
    Line { method, pattern, class, queue, max_body, handler }
}

/// A line whose handler looks at the method itself.
const ANY: &str = "*";
const GET: &str = "GET";
const POST: &str = "POST";
const PUT: &str = "PUT";
const PATCH: &str = "PATCH";
const DELETE: &str = "DELETE";

/// The longest form with a file of picks: the file, and the bytes that a form puts around it.
const PICKS_FORM: usize = exchange::MAX_BYTES + 4096;

#[rustfmt::skip]
const TABLE: &[Line] = &[
    line(GET, "/program.ics",            PublicFeed, Short, 0, |c, _| c.feed(FeedAddress::Public(FeedKey::Program))),
    line(GET, "/tracks/{track}.ics",     PublicFeed, Short, 0, |c, path| c.feed(path.feed("tracks", "track")?)),
    line(GET, "/days/{date}.ics",        PublicFeed, Short, 0, |c, path| c.feed(path.feed("days", "date")?)),
    line(GET, "/rooms/{room}.ics",       PublicFeed, Short, 0, |c, path| c.feed(path.feed("rooms", "room")?)),
    line(GET, "/speakers/{speaker}.ics", PublicFeed, Short, 0, |c, path| c.feed(path.feed("speakers", "speaker")?)),
    line(GET, "/sessions/{id}.ics",      PublicFeed, Short, 0, |c, path| c.feed(FeedAddress::Session(path.session("id")?))),
    line(GET, "/agendas/{read}.ics",     AgendaFeed, Short, 0, |c, path| c.feed(FeedAddress::Agenda(path.token("read")?))),
    line(GET, "/team/{members}.ics",     AgendaFeed, Short, 0, |c, path| c.feed(FeedAddress::Team(path.members("members")?))),

    line(GET, "/program.jcal",            PublicFeed, Whole, 0, |c, _| c.jcal(FeedAddress::Public(FeedKey::Program))),
    line(GET, "/tracks/{track}.jcal",     PublicFeed, Whole, 0, |c, path| c.jcal(path.feed("tracks", "track")?)),
    line(GET, "/days/{date}.jcal",        PublicFeed, Whole, 0, |c, path| c.jcal(path.feed("days", "date")?)),
    line(GET, "/rooms/{room}.jcal",       PublicFeed, Whole, 0, |c, path| c.jcal(path.feed("rooms", "room")?)),
    line(GET, "/speakers/{speaker}.jcal", PublicFeed, Whole, 0, |c, path| c.jcal(path.feed("speakers", "speaker")?)),
    line(GET, "/sessions/{id}.jcal",      PublicFeed, Whole, 0, |c, path| c.jcal(FeedAddress::Session(path.session("id")?))),
    line(GET, "/agendas/{read}.jcal",     AgendaFeed, Whole, 0, |c, path| c.jcal(FeedAddress::Agenda(path.token("read")?))),
    line(GET, "/team/{members}.jcal",     AgendaFeed, Whole, 0, |c, path| c.jcal(FeedAddress::Team(path.members("members")?))),

    line(GET, "/schedule.xml",  PublicFeed, Whole, 0, |c, _| c.export(Format::Xml)),
    line(GET, "/schedule.json", PublicFeed, Whole, 0, |c, _| c.export(Format::Json)),
    line(GET, "/schedule.csv",  PublicFeed, Whole, 0, |c, _| c.export(Format::Csv)),
    line(GET, "/program.txt",   PublicFeed, Whole, 0, |c, _| c.export(Format::Text)),
    line(GET, "/giggity.json",  PublicFeed, Whole, 0, |c, _| c.export(Format::Giggity)),

    line(GET, "/openapi.json",         PublicFeed, Short, 0, |c, _| c.program_api(|api| api.openapi())),
    line(GET, "/api/v1/program",       PublicFeed, Short, 0, |c, _| c.program_api(|api| api.program())),
    line(GET, "/api/v1/sessions",      PublicFeed, Short, 0, |c, _| c.program_api(|api| api.sessions())),
    line(GET, "/api/v1/sessions/{id}", PublicFeed, Short, 0, |c, path| { let id = path.session("id")?; c.program_api(|api| api.session(id)) }),
    line(GET, "/api/v1/tracks",        PublicFeed, Short, 0, |c, _| c.program_api(|api| api.tracks())),
    line(GET, "/api/v1/speakers",      PublicFeed, Short, 0, |c, _| c.program_api(|api| api.speakers())),
    line(GET, "/api/v1/releases",      PublicFeed, Short, 0, |c, _| c.program_api(|api| api.releases())),
    line(GET, "/api/v1/changes",       PublicFeed, Short, 0, |c, _| c.program_api(|api| api.changes())),

    line(GET,    "/api/v1/agendas/{read}",         AgendaFeed, Short,     api::MAX_BODY,        |c, path| { let token = path.token("read")?; c.agenda_api(|api| api.shared(token)) }),
    line(POST,   "/api/v1/agendas",                AgendaApi,  Unlimited, api::MAX_BODY,        |c, _| c.agenda_api(|api| api.create())),
    line(GET,    "/api/v1/agenda",                 AgendaApi,  Unlimited, api::MAX_BODY,        |c, _| c.agenda_api(|api| api.show())),
    line(PATCH,  "/api/v1/agenda",                 AgendaApi,  Unlimited, api::MAX_BODY,        |c, _| c.agenda_api(|api| api.rename())),
    line(DELETE, "/api/v1/agenda",                 AgendaApi,  Unlimited, api::MAX_BODY,        |c, _| c.agenda_api(|api| api.delete())),
    line(PUT,    "/api/v1/agenda/picks",           AgendaApi,  Unlimited, api::MAX_BODY,        |c, _| c.agenda_api(|api| api.replace_picks())),
    line(PUT,    "/api/v1/agenda/picks/{session}", AgendaApi,  Unlimited, api::MAX_BODY,        |c, path| { let id = path.session("session")?; c.agenda_api(|api| api.pick(id)) }),
    line(DELETE, "/api/v1/agenda/picks/{session}", AgendaApi,  Unlimited, api::MAX_BODY,        |c, path| { let id = path.session("session")?; c.agenda_api(|api| api.unpick(id)) }),
    line(PUT,    "/api/v1/agenda/busy",            AgendaApi,  Unlimited, api::MAX_BODY,        |c, _| c.agenda_api(|api| api.replace_busy())),
    line(GET,    "/api/v1/agenda/plan",            AgendaApi,  Short,     api::MAX_BODY,        |c, _| c.agenda_api(|api| api.plan())),
    line(GET,    "/api/v1/agenda/links",           AgendaApi,  Unlimited, api::MAX_BODY,        |c, _| c.agenda_api(|api| api.links())),
    line(POST,   "/api/v1/agenda/links",           AgendaApi,  Unlimited, api::MAX_BODY,        |c, _| c.agenda_api(|api| api.add_link())),
    line(DELETE, "/api/v1/agenda/links/{n}",       AgendaApi,  Unlimited, api::MAX_BODY,        |c, path| { let n = path.number("n")?; c.agenda_api(move |api| api.revoke_link(n)) }),
    line(POST,   "/api/v1/agenda/import",          AgendaApi,  Whole,     exchange::MAX_BYTES,  |c, _| c.agenda_api(|api| api.import())),
    line(GET,    "/api/v1/agenda/export",          AgendaApi,  Short,     api::MAX_BODY,        |c, _| c.agenda_api(|api| api.export())),
    line(POST,   "/api/v1/agenda/key",             AgendaApi,  Unlimited, api::MAX_BODY,        |c, _| c.agenda_api(|api| api.replace_key())),

    line(GET, "/changes.atom",                PublicFeed, Whole, 0, |c, _| c.changes(ChangeFeed::Program(Form::Atom))),
    line(GET, "/changes.json",                PublicFeed, Whole, 0, |c, _| c.changes(ChangeFeed::Program(Form::Json))),
    line(GET, "/tracks/{track}/changes.atom", PublicFeed, Whole, 0, |c, path| c.changes(ChangeFeed::Track(path.slug("track")?))),
    line(GET, "/agendas/{read}/changes.atom", AgendaFeed, Whole, 0, |c, path| c.changes(ChangeFeed::Agenda(path.token("read")?))),

    line(GET,    "/organizer",                          Organizer, Unlimited, 0,        |c, _| c.sign_in(|door| door.home())),
    line(POST,   "/organizer/session",                  Organizer, Unlimited, MAX_FORM, |c, _| c.sign_in(|door| door.sign_in())),
    line(POST,   "/organizer/session/end",              Organizer, Unlimited, MAX_FORM, |c, _| c.sign_in(|door| door.sign_out())),
    line(POST,   "/organizer/publish",                  Organizer, Unlimited, MAX_FORM, |c, _| c.organizer_form(|call, form| call.publish_shown(form))),
    line(POST,   "/organizer/held/preview",             Organizer, Unlimited, MAX_FORM, |c, _| c.organizer_form(|call, form| call.preview_held(form))),
    line(POST,   "/organizer/held/discard",             Organizer, Unlimited, MAX_FORM, |c, _| c.organizer_form(|call, form| call.discard_held(form))),
    line(POST,   "/organizer/schedule/cancel",          Organizer, Unlimited, MAX_FORM, |c, _| c.organizer_form(|call, form| call.cancel_schedule(form))),
    line(POST,   "/organizer/releases/{n}/preview",     Organizer, Unlimited, MAX_FORM, |c, path| { let n = path.number("n")?; c.organizer_form(move |call, _| call.preview_release(n.into())) }),
    line(GET,    "/organizer/program",                  Organizer, Unlimited, MAX_FILE, |c, _| c.organizer(|call| call.read(|organizer| organizer.live_program()))),
    line(PUT,    "/organizer/program",                  Organizer, Unlimited, MAX_FILE, |c, _| c.organizer_upload(|call| call.put())),
    line(POST,   "/organizer/preview",                  Organizer, Unlimited, MAX_FILE, |c, _| c.organizer_upload(|call| call.preview_upload())),
    line(GET,    "/organizer/status",                   Organizer, Unlimited, MAX_FILE, |c, _| c.organizer(|call| call.read(|organizer| organizer.status()))),
    line(DELETE, "/organizer/schedule",                 Organizer, Unlimited, MAX_FILE, |c, _| c.organizer(|call| call.unschedule())),
    line(GET,    "/organizer/rooms",                    Organizer, Unlimited, MAX_FORM, |c, _| c.organizer(|call| call.picks_page())),
    line(GET,    "/organizer/picks.csv",                Organizer, Unlimited, MAX_FILE, |c, _| c.organizer(|call| call.read(|organizer| organizer.picks_csv()))),
    line(GET,    "/organizer/picks",                    Organizer, Unlimited, MAX_FILE, |c, _| c.organizer(|call| call.read(|organizer| organizer.picks()))),
    line(GET,    "/organizer/releases",                 Organizer, Unlimited, MAX_FILE, |c, _| c.organizer(|call| call.read(|organizer| organizer.releases()))),
    line(GET,    "/organizer/releases/{n}",             Organizer, Unlimited, MAX_FILE, |c, path| { let n = path.number("n")?; c.organizer(move |call| call.read(move |organizer| organizer.release(n.into()))) }),
    line(GET,    "/organizer/releases/{n}/program.csv", Organizer, Unlimited, MAX_FILE, |c, path| { let n = path.number("n")?; c.organizer(move |call| call.read(move |organizer| organizer.release_program(n.into()))) }),
    line(POST,   "/organizer/releases/{n}/publish",     Organizer, Unlimited, MAX_FILE, |c, path| { let n = path.number("n")?; c.organizer(move |call| call.roll_back(n.into())) }),
    line(POST,   "/organizer/erase/{session}",          Organizer, Unlimited, MAX_FILE, |c, path| { let id = path.session("session")?; c.organizer(|call| call.erase(id)) }),

    line(ANY, "/.well-known/caldav",                Dav,       Unlimited, 0,             |c, _| c.well_known_caldav()),
    line(ANY, "/dav",                               Dav,       Whole,     dav::MAX_BODY, |c, _| c.dav(Place::Root("/dav/"))),
    line(ANY, "/dav/",                              Dav,       Whole,     dav::MAX_BODY, |c, _| c.dav(Place::Root("/dav/"))),
    line(ANY, "/dav/{*rest}",                       Dav,       Whole,     dav::MAX_BODY, |c, _| c.dav(Place::Nowhere(Tree::PUBLIC))),
    line(ANY, "/dav/public",                        Dav,       Whole,     dav::MAX_BODY, |c, _| c.dav(Place::Home(Tree::PUBLIC))),
    line(ANY, "/dav/public/",                       Dav,       Whole,     dav::MAX_BODY, |c, _| c.dav(Place::Home(Tree::PUBLIC))),
    line(ANY, "/dav/public/{calendar}",             Dav,       Whole,     dav::MAX_BODY, |c, path| c.dav(path.calendar())),
    line(ANY, "/dav/public/{calendar}/",            Dav,       Whole,     dav::MAX_BODY, |c, path| c.dav(path.calendar())),
    line(ANY, "/dav/public/{calendar}/{session}",   Dav,       Whole,     dav::MAX_BODY, |c, path| c.dav(path.object())),
    line(ANY, "/dav/agendas",                       AgendaDav, Whole,     dav::MAX_BODY, |c, _| c.dav(Place::Home(Tree::AGENDAS))),
    line(ANY, "/dav/agendas/",                      AgendaDav, Whole,     dav::MAX_BODY, |c, _| c.dav(Place::Home(Tree::AGENDAS))),
    line(ANY, "/dav/agendas/{*rest}",               AgendaDav, Whole,     dav::MAX_BODY, |c, _| c.dav(Place::Nowhere(Tree::AGENDAS))),
    line(ANY, "/dav/agendas/agenda",                AgendaDav, Whole,     dav::MAX_BODY, |c, _| c.dav(Place::agenda())),
    line(ANY, "/dav/agendas/agenda/",               AgendaDav, Whole,     dav::MAX_BODY, |c, _| c.dav(Place::agenda())),
    line(ANY, "/dav/agendas/agenda/{session}",      AgendaDav, Whole,     dav::MAX_BODY, |c, path| c.dav(path.picked())),

    line(ANY, "/dav/cancelled-title/public",                      Dav,       Whole, dav::MAX_BODY, |c, _| c.dav(Place::Home(Tree::PUBLIC).titled())),
    line(ANY, "/dav/cancelled-title/public/",                     Dav,       Whole, dav::MAX_BODY, |c, _| c.dav(Place::Home(Tree::PUBLIC).titled())),
    line(ANY, "/dav/cancelled-title/public/{calendar}",           Dav,       Whole, dav::MAX_BODY, |c, path| c.dav(path.calendar().titled())),
    line(ANY, "/dav/cancelled-title/public/{calendar}/",          Dav,       Whole, dav::MAX_BODY, |c, path| c.dav(path.calendar().titled())),
    line(ANY, "/dav/cancelled-title/public/{calendar}/{session}", Dav,       Whole, dav::MAX_BODY, |c, path| c.dav(path.object().titled())),
    line(ANY, "/dav/cancelled-title/agendas",                     AgendaDav, Whole, dav::MAX_BODY, |c, _| c.dav(Place::Home(Tree::AGENDAS).titled())),
    line(ANY, "/dav/cancelled-title/agendas/",                    AgendaDav, Whole, dav::MAX_BODY, |c, _| c.dav(Place::Home(Tree::AGENDAS).titled())),
    line(ANY, "/dav/cancelled-title/agendas/{*rest}",             AgendaDav, Whole, dav::MAX_BODY, |c, _| c.dav(Place::Nowhere(Tree::AGENDAS).titled())),
    line(ANY, "/dav/cancelled-title/agendas/agenda",              AgendaDav, Whole, dav::MAX_BODY, |c, _| c.dav(Place::agenda().titled())),
    line(ANY, "/dav/cancelled-title/agendas/agenda/",             AgendaDav, Whole, dav::MAX_BODY, |c, _| c.dav(Place::agenda().titled())),
    line(ANY, "/dav/cancelled-title/agendas/agenda/{session}",    AgendaDav, Whole, dav::MAX_BODY, |c, path| c.dav(path.picked().titled())),

    line(GET,  "/",                     Page,         Short,     MAX_FORM,   |c, _| c.page_task(|page| async move { page.program().await })),
    // CalDAV clients that know only the host begin here.
    line("PROPFIND", "/",               Dav,          Whole, dav::MAX_BODY,  |c, _| c.dav(Place::Root("/"))),
    line("REPORT",   "/",               Dav,          Whole, dav::MAX_BODY,  |c, _| c.dav(Place::Root("/"))),
    line("OPTIONS",  "/",               Dav,          Whole, dav::MAX_BODY,  |c, _| c.dav(Place::Root("/"))),
    line(GET,  "/sessions/{id}",        Page,         Short,     MAX_FORM,   |c, path| { let id = path.session("id")?; c.page_task(|page| async move { page.session(&id).await }) }),
    line(GET,  "/tracks/{track}",      Page,         Short,     MAX_FORM,   |c, path| { let key = path.part("tracks", "track")?; c.page_task(|page| async move { page.part(&key).await }) }),
    line(GET,  "/rooms/{room}",        Page,         Short,     MAX_FORM,   |c, path| { let key = path.part("rooms", "room")?; c.page_task(|page| async move { page.part(&key).await }) }),
    line(GET,  "/speakers/{speaker}",  Page,         Short,     MAX_FORM,   |c, path| { let key = path.part("speakers", "speaker")?; c.page_task(|page| async move { page.part(&key).await }) }),
    line(GET,  "/days/{date}",         Page,         Short,     MAX_FORM,   |c, path| { let key = path.part("days", "date")?; c.page_task(|page| async move { page.part(&key).await }) }),
    line(GET,  "/tracks",              Page,         Short,     MAX_FORM,   |c, _| c.page_task(|page| async move { page.listing(Listing::Tracks).await })),
    line(GET,  "/rooms",               Page,         Short,     MAX_FORM,   |c, _| c.page_task(|page| async move { page.listing(Listing::Rooms).await })),
    line(GET,  "/speakers",            Page,         Short,     MAX_FORM,   |c, _| c.page_task(|page| async move { page.listing(Listing::Speakers).await })),
    line(GET,  "/search.json",         Page,         Unlimited, MAX_FORM,   |c, _| c.page(|page| page.file("/search.json"))),
    line(GET,  "/api",                  Page,         Short,     MAX_FORM,   |c, _| c.page_task(|page| async move { page.reference().await })),
    line(GET,  "/changes",              Page,         Short,     MAX_FORM,   |c, _| c.page_task(|page| async move { page.changes().await })),
    line(GET,  "/offline",              Page,         Unlimited, MAX_FORM,   |c, _| c.page(|page| page.file("/offline"))),
    line(GET,  "/subscribe/{*feed}",    PersonalPage, Short,     MAX_FORM,   |c, path| { let feed = path.text("feed")?; c.page_task(|page| async move { page.subscribe(&feed).await }) }),
    line(GET,  "/agendas/{read}",       PersonalPage, Short,     MAX_FORM,   |c, path| { let token = path.token("read")?; c.page(move |page| page.shared_agenda(&token)) }),
    line(GET,  "/team",                 PersonalPage, Unlimited, MAX_FORM,   |c, _| c.page(|page| page.make_team())),
    line(POST, "/team",                 PersonalPage, Unlimited, MAX_FORM,   |c, _| c.page(|page| page.make_team())),
    line(GET,  "/team/{members}",       PersonalPage, Short,     MAX_FORM,   |c, path| { let members = path.members("members")?; c.page_task(|page| async move { page.team(&members).await }) }),
    line(GET,  "/agenda",               PersonalPage, Short,     MAX_FORM,   |c, _| c.page_task(|page| async move { page.mine().await })),
    line(GET,  "/mine",                PersonalPage, Short,     MAX_FORM,   |c, _| c.page_task(|page| async move { page.picked_program().await })),
    line(GET,  "/agenda/state",         AgendaApi,    Unlimited, MAX_FORM,   |c, _| c.page(|page| page.state())),
    line(POST, "/agenda/picks",         PersonalPage, Unlimited, MAX_FORM,   |c, _| c.page_task(|page| async move { page.pick().await })),
    line(GET,  "/agenda/import",        PersonalPage, Whole,     PICKS_FORM, |c, _| c.page_task(|page| page.import())),
    line(POST, "/agenda/import",        PersonalPage, Whole,     PICKS_FORM, |c, _| c.page_task(|page| page.import())),
    line(GET,  "/agenda/plan",          PersonalPage, Short,     MAX_FORM,   |c, _| c.page_task(|page| async move { page.plan().await })),
    line(POST, "/agenda/plan",          PersonalPage, Short,     MAX_FORM,   |c, _| c.page_task(|page| async move { page.apply_plan().await })),
    line(POST, "/agenda/ranks",         PersonalPage, Unlimited, MAX_FORM,   |c, _| c.page_task(|page| async move { page.rank().await })),
    line(POST, "/agenda/busy",          PersonalPage, Short,     MAX_FORM,   |c, _| c.page_task(|page| async move { page.add_busy().await })),
    line(POST, "/agenda/busy/remove",   PersonalPage, Unlimited, MAX_FORM,   |c, _| c.page_task(|page| async move { page.remove_busy().await })),
    line(POST, "/agenda/busy/import",   PersonalPage, Whole,     PICKS_FORM, |c, _| c.page_task(|page| async move { page.import_busy().await })),
    line(GET,  "/agenda/export.ics",    AgendaApi,    Short,     MAX_FORM,   |c, _| c.page(|page| page.export(true))),
    line(GET,  "/agenda/export.json",   AgendaApi,    Short,     MAX_FORM,   |c, _| c.page(|page| page.export(false))),
    line(POST, "/agenda/name",          PersonalPage, Unlimited, MAX_FORM,   |c, _| c.page_task(|page| async move { page.rename().await })),
    line(POST, "/agenda/links",         PersonalPage, Unlimited, MAX_FORM,   |c, _| c.page_task(|page| async move { page.add_link().await })),
    line(POST, "/agenda/links/{n}/revoke", PersonalPage, Unlimited, MAX_FORM, |c, path| { let n = path.number("n")?; c.page_task(move |page| async move { page.revoke_link(n).await }) }),
    line(POST, "/agenda/key",           PersonalPage, Unlimited, MAX_FORM,   |c, _| c.page_task(|page| async move { page.replace_key().await })),
    line(POST, "/agenda/delete",        PersonalPage, Unlimited, MAX_FORM,   |c, _| c.page_task(|page| async move { page.delete().await })),
    line(POST, "/agenda/handover",      PersonalPage, Short,     MAX_FORM,   |c, _| c.page_task(|page| async move { page.make_hand_over().await })),
    line(GET,  "/handover/{code}",      PersonalPage, Unlimited, MAX_FORM,   |c, path| { let code = path.text("code")?; c.page(move |page| page.hand_over(&code)) }),
    line(POST, "/handover/{code}",      PersonalPage, Unlimited, MAX_FORM,   |c, path| { let code = path.text("code")?; c.page(move |page| page.hand_over(&code)) }),
    line(GET,  "/events",               Live,         Unlimited, MAX_FORM,   |c, _| c.page(|page| page.events())),
    line(GET,  "/assets/{name}",        Asset,        Unlimited, MAX_FORM,   |c, path| { let name = path.text("name")?; c.page(move |page| page.asset(&name)) }),
    line(GET,  "/robots.txt",           SiteFile,     Unlimited, MAX_FORM,   |c, _| c.page(|page| page.file("/robots.txt"))),
    line(GET,  "/sitemap.xml",          SiteFile,     Unlimited, MAX_FORM,   |c, _| c.page(|page| page.file("/sitemap.xml"))),
    line(GET,  "/manifest.webmanifest", SiteFile,     Unlimited, MAX_FORM,   |c, _| c.page(|page| page.file("/manifest.webmanifest"))),
    line(GET,  "/sw.js",                Page,         Unlimited, MAX_FORM,   |c, _| c.page(|page| page.file("/sw.js"))),
];

/// A path with the lines for its methods.
pub(super) struct Resource {
    /// The name of the path in logs and metrics.
    pub(super) pattern: &'static str,
    /// None for `*`, the server as a whole.
    pub(super) class: Option<Class>,
    /// The value of Allow, without HEAD and OPTIONS.
    pub(super) methods: Vec<&'static str>,
    lines: Vec<&'static Line>,
}

impl Resource {
    /// The line for a method.
    pub(super) fn line(&self, method: &Method) -> Option<&'static Line> {
        let method = if *method == Method::HEAD { GET } else { method.as_str() };
        self.lines.iter().find(|line| line.method == method || line.method == ANY).copied()
    }
}

struct Routes {
    router: Router<usize>,
    resources: Vec<Resource>,
}

static ROUTES: LazyLock<Routes> = LazyLock::new(|| {
    let (mut router, mut resources) = (Router::new(), Vec::<Resource>::new());
    for line in TABLE {
        let known = resources.iter().position(|resource| resource.pattern == line.pattern);
        let place = known.unwrap_or_else(|| {
            #[expect(clippy::expect_used, reason = "a constant table, inserted by every test")]
            router.insert(line.pattern, resources.len()).expect("no two patterns conflict");
            let (pattern, class) = (line.pattern, Some(line.class));
            resources.push(Resource { pattern, class, methods: Vec::new(), lines: Vec::new() });
            resources.len() - 1
        });
        if let Some(resource) = resources.get_mut(place) {
            resource.lines.push(line);
            match line.method {
                ANY => resource.methods.extend(dav::METHODS),
                "OPTIONS" => {}
                method => resource.methods.push(method),
            }
        }
    }
    Routes { router, resources }
});

/// Every pattern with its methods. A line for every method counts as GET.
pub fn routes() -> impl Iterator<Item = (&'static str, Method)> {
    TABLE.iter().filter_map(|line| {
        let method = if line.method == ANY { GET } else { line.method };
        Some((line.pattern, method.parse().ok()?))
    })
}

/// Every pattern, and the names that stand for requests without a pattern.
pub(super) fn patterns() -> impl Iterator<Item = &'static str> {
    ROUTES.resources.iter().map(|resource| resource.pattern).chain(["-", "*"])
}

/// The resource at the target of a request, and the parameters of its path. The target of CONNECT is an authority, and
/// `*` is the server as a whole (RFC 9112, 3.2).
pub(super) fn find<'a>(method: &Method, path: &'a str) -> Result<(&'static Resource, Path<'a>), Problem> {
    static SERVER: LazyLock<Resource> =
        LazyLock::new(|| Resource { pattern: "*", class: None, methods: vec![GET], lines: Vec::new() });
    match path {
        _ if !request_head::is_known(method) => Err(Problem::UnknownMethod),
        "*" if method == Method::OPTIONS => Ok((&SERVER, Path(None))),
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
        percent_decode_str(self.0.as_ref()?.get(name)?).decode_utf8().ok()
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
    fn calendar(&self) -> Place {
        Place::public(self.decoded("calendar").as_deref())
    }

    fn object(&self) -> Place {
        Place::public_object(self.decoded("calendar").as_deref(), self.decoded("session").as_deref())
    }

    fn picked(&self) -> Place {
        Place::object(Some(Name::Agenda), self.decoded("session").as_deref(), Tree::AGENDAS)
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
            let others = resource.lines.iter().filter(|line| Some(line.class) != resource.class);
            assert!(others.count() == 0 || resource.pattern == "/", "{}", resource.pattern);
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
        let pattern = |path| find(&Method::GET, path).unwrap().0.pattern;
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
