//! Renders pages from a release, an agenda and a query.
//!
//! Owns templates, styles, scripts, icons and every text of the interface. Pure: reads no clock, store or request, and
//! knows no status codes. The `http` layer serves the results by this contract.
//!
//! # Rendered at publication
//!
//! [`Pages`] (one per release, each [`RenderedPage`] with its hash and codings, public, `Vary: Accept-Encoding`): `/`,
//! `/?embed`, `/sessions/{id}`, `/tracks/{track}`, `/rooms/{room}`, `/speakers/{speaker}`, `/days/{date}`, their lists,
//! `/search.json`, `/offline`, `/robots.txt`, `/sitemap.xml`, `/manifest.webmanifest`, `/sw.js` (`no-cache`), and the
//! release's `/assets/colours.….css`. [`Assets`]: the other `/assets/…` (`public, max-age=31536000, immutable`). The
//! colour sheet of an earlier release may answer 404.
//!
//! # Rendered on request
//!
//! | request | answer |
//! | --- | --- |
//! | `GET /?…` | [`ProgramView::parse`], then [`program()`]; errors as for feeds |
//! | `GET /mine` | [`picked_program`], private: the program with the visitor's picks marked |
//! | `GET /tracks/{track}?page=2` … | [`part()`] |
//! | `GET /speakers?page=2` … | [`listing()`] |
//! | `GET /changes` | [`changes()`] |
//! | `GET /api` | [`reference()`] |
//! | `GET /subscribe/program?…`, `/subscribe/{tracks,days,rooms,speakers}/{…}` | [`subscribe()`], with [`Platform::of`] the User-Agent (`Vary: User-Agent`); an empty option counts as absent |
//! | `GET /subscribe/agendas/{read}` | [`subscribe()`], private like the agenda |
//! | `GET /agenda?done=…` | [`own_agenda`], which confirms the form that led there, or [`no_agenda`]; both 200, private |
//! | `GET /agenda/plan?day=…` | [`plan()`], private: a suggestion; or [`no_agenda`] |
//! | `GET /agendas/{read}` | [`shared()`]; private, not indexed; the referrer is the origin at most, never the path |
//! | `GET /team` | [`team_form()`] |
//! | `GET /team/{members}`, `/subscribe/team/{members}` | [`team()`], [`subscribe()`]; as for one agenda |
//! | `GET /agenda/import`, with `?picks=` the sessions' numbers, encoded | [`import()`], private; adds nothing |
//! | `GET /handover/{code}` | [`hand_over`], for any well-formed code; redeems nothing |
//! | `GET /organizer?done=…` | [`desk`], which confirms the form that led there, or [`sign_in`] without the cookie |
//! | `GET /organizer/rooms?by=…` | [`picks`] |
//! | a problem, for a browser | [`problem`] |
//!
//! # Forms
//!
//! All posts except the upload are `application/x-www-form-urlencoded`. The response is a 303 to the page in the last
//! column (with `Accept: application/json`: see below). Each post passes the check of `Sec-Fetch-Site` and `Origin`.
//!
//! | post | fields | then |
//! | --- | --- | --- |
//! | `/agenda/picks` | `session` (once or more), `action` = `pick` or `unpick`, `done` and `place` on the agenda page | `/mine#{session}`, or with `done` `/agenda?done={done}#{place}`; the first pick creates the agenda and sets the cookies |
//! | `/agenda/plan` | `session` (once or more), `action` = `pick` or `unpick`, `done`, `day` of a page with one day | `/agenda/plan?done={done}&day={day}` |
//! | `/agenda/ranks` | `must`, `want` or `maybe` = a session, `back` = `plan` on the page of the suggestion | `/agenda` or `/agenda/plan` |
//! | `/agenda/busy` | `date`, `from`, `to`, `label` | `/agenda/plan`; 422 with [`plan()`] if the time does not end after its start |
//! | `/agenda/busy/remove` | `busy` = its start and end in Unix time | `/agenda/plan` |
//! | `/agenda/busy/import` | multipart, `file` = a calendar | `/agenda/plan` |
//! | `/agenda/import` | multipart, `file` = a calendar or a list | 200 with [`import()`], 422 where it cannot be read; its button posts to `/agenda/picks` |
//! | `/agenda/name` | `name` | `/agenda` |
//! | `/agenda/links` | `label` (may be empty) | `/agenda` |
//! | `/agenda/links/{n}/revoke` | - | `/agenda` |
//! | `/agenda/handover` | - | 200 with [`own_agenda`], `hand_over` filled |
//! | `/agenda/key` | - | `/agenda`, with the new cookie |
//! | `/agenda/delete` | `sure` = `yes` | `/agenda`, cookies cleared |
//! | `/team` | `links`, a line each | `/team/{members}`; 422 with [`team_form()`] if a line is not a link |
//! | `/handover/{code}` | - | `/agenda?done=arrived`, with the cookies; 410 once used or late |
//! | `/organizer/session` | `username` (ignored; for password managers), `secret` | `/organizer`, with its cookie (`HttpOnly`, `SameSite=Strict`); 401 with [`sign_in`] |
//! | `/organizer/session/end` | - | `/organizer?done=signed-out`, cookies cleared |
//! | `/organizer/preview` | multipart, `program` = the file | 200 with [`preview()`]; the bytes are stored under the digest that it names |
//! | `/organizer/releases/{n}/preview` | - | the same for a stored release |
//! | `/organizer/held/preview` | `digest` of a held release | [`preview()`] |
//! | `/organizer/held/discard` | `digest` of a held release | `/organizer?done=…` |
//! | `/organizer/schedule/cancel` | `made` = when the release was scheduled | `/organizer?done=…` |
//! | `/organizer/publish` | `confirm` = that digest, `number` = [`TypedNumber`] for a held release, `at` = a time of the venue to publish later | `/organizer?done=…`; 409 with [`preview()`] when another release came first, 422 when number or time are wrong |
//!
//! # For scripts
//!
//! - `POST /agenda/picks` with `Accept: application/json`: 200 `{"picks": ["id", …], "overlaps": [{"id", "title"}]}`
//!   when the picks are on disk; else problem JSON, whose `detail` or `title` is shown. After 408, 429 and 5xx the
//!   script retries later; after any other error it undoes the pick.
//! - `GET /agenda/state`: 200 `{"picks": ["id", …], "name": "…"}`; `picks` is empty if the visitor has no agenda.
//! - `GET /events`: `text/event-stream`; `event: release`, `data: {"release": n}` at once and for each release.
//!
//! # Cookies
//!
//! - The edit key's cookie (`HttpOnly`, `SameSite=Lax`).
//! - `agenda_here=1`, set and cleared with the edit key's cookie, without `HttpOnly` and without a secret. It tells
//!   scripts to request `/agenda/state`.
//! - The organizer's sign-in (`HttpOnly`, `SameSite=Strict`).
//! - `organizer_here=1`, set and cleared with the sign-in, without `HttpOnly` and without a secret. It makes scripts
//!   add a link to `/organizer`. `/agenda` and `/mine`, which nobody else gets, contain the link themselves.
//!
//! The release that the visitor's last `/agenda` page showed is stored with the agenda and returned as
//! [`OwnAgenda::seen`].
//!
//! # Policy
//!
//! Pages contain no inline script, style or handler and load nothing from other hosts. Data blocks (JSON-LD, the
//! texts of scripts) are not scripts, so the policy permits them. Only `/?embed` may be framed: its links and forms
//! open new windows, because browsers withhold cookies from framed pages.
//!
//! Invariant: text of the program, of agendas and of requests is always escaped; the edit key appears nowhere.

mod agendas;
mod assets;
mod card;
mod changes;
mod colours;
mod day;
mod drawing;
mod encode;
mod import;
mod look;
mod notice;
mod organizer;
mod pages;
mod part;
mod picks;
mod picture;
mod plan;
mod preview;
mod program;
mod reference;
mod schema;
mod search;
mod session;
mod site;
mod subscribe;
mod suggestion;
mod team;
mod view;
mod when;

pub use agendas::{
    AgendaDone, LastFetch, LinkStatus, NoAgenda, NotifiedDevice, OwnAgenda, no_agenda, own_agenda,
    own_agenda_name, shared,
};
pub use assets::{Assets, RenderedPage};
pub use changes::{ReleaseNotes, changes};
pub use colours::Shades;
pub use import::import;
pub use notice::{MailNotice, desk_problem, hand_over, mail_notice, problem};
pub use organizer::{
    AttemptOutcome, CalendarCount, CalendarKind, DeskDone, DeskStatus, FollowedSource, HeldRelease,
    LastAttempt, MessageChannel, OutboxStatus, ReachRow, ReleaseRow, ScheduledRelease, SignInReason,
    SourceConflict, desk, sign_in,
};
pub use pages::Pages;
pub use part::{Listing, ROWS_PER_PAGE, SESSIONS_PER_PAGE, listing, part};
pub use picks::{PicksOrder, picks};
pub use picture::{MAX_PICTURE, PictureError, read_picture};
pub use preview::{FaultLine, PreviewContent, PreviewFault, ProgramSource, TypedNumber, WrittenRow, preview};
pub use program::{picked_program, program};
pub use reference::{ApiChapter, ApiOperation, ApiParameter, ApiResponse, reference};
pub use session::{picked_session, session};
pub use subscribe::{Platform, Subject, subscribe};
pub use suggestion::{BusyForm, PlanForm, UploadedBusy, plan};
pub use team::{MemberPicks, TeamFault, team, team_form};
pub use view::{MAX_SEARCH_CHARS, ProgramView};

use askama::Template;

/// Renders a template. Templates write to memory and print only strings and numbers, so this cannot fail.
fn write(template: &impl Template) -> String {
    template.render().unwrap_or_else(|error| {
        tracing::error!(%error, "a page could not be rendered");
        String::new()
    })
}
