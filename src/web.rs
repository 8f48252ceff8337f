//! The web: a release, an agenda and what a visitor asked for, as pages.
//!
//! Owns templates, styles, scripts, icons and every word of the interface. Pure: it reads no clock, no store
//! and no request, and knows nothing of status codes. The layer above serves what it gives by this contract.
//!
//! # Kept rendered
//!
//! [`Pages`] (one per release, each [`Page`] with its hash and codings, public, `Vary: Accept-Encoding`): `/`,
//! `/?embed`, `/sessions/{id}`, `/tracks/{track}`, `/speakers/{speaker}`, `/offline`, `/robots.txt`,
//! `/sitemap.xml`, `/manifest.webmanifest`, `/sw.js` (`no-cache`), and the release's `/assets/tracks.….css`.
//! [`Assets`]: the other `/assets/…` (`public, max-age=31536000, immutable`). A colour sheet of an earlier
//! release may answer 404: the page that named it is older than the release.
//!
//! # Made on request
//!
//! | request | answer |
//! | --- | --- |
//! | `GET /?…` | [`View::parse`], then [`program`]; errors as for feeds |
//! | `GET /changes` | [`changes`] |
//! | `GET /subscribe/program?…`, `/subscribe/{tracks,days,rooms,speakers}/{…}` | [`subscribe`], with [`Platform::of`] the User-Agent (`Vary: User-Agent`); an empty option counts as absent |
//! | `GET /subscribe/agendas/{read}` | [`subscribe`], private like the agenda |
//! | `GET /agenda` | [`mine`] or [`no_agenda`], both 200; `private, no-store` |
//! | `GET /agendas/{read}` | [`shared`]; `private, no-cache`, `X-Robots-Tag: noindex`, `Referrer-Policy: no-referrer`. It holds no form whose post needs an `Origin` but "pick these too", which `Sec-Fetch-Site` decides; a browser without that header is refused there, as `Origin` is then `null` |
//! | `GET /handover/{code}` | [`hand_over`], for any code that is well formed; redeems nothing |
//! | `GET /organizer` | [`desk`], or [`sign_in`] without the cookie |
//! | anything that fails, for a browser | [`problem`] |
//!
//! # Forms
//!
//! All posts are `application/x-www-form-urlencoded` but the upload, and are answered 303 to the page named
//! (`Accept: application/json`: see below). Each is subject to the check of `Sec-Fetch-Site` and `Origin`.
//!
//! | post | fields | then |
//! | --- | --- | --- |
//! | `/agenda/picks` | `session` (once or more), `action` = `pick` or `unpick`, `return` (optional: a path of ours, starting with exactly one `/`) | `return`, else `/agenda`; creates the agenda and sets the cookies on the first pick |
//! | `/agenda/name` | `name` | `/agenda` |
//! | `/agenda/links` | `label` (may be empty) | `/agenda` |
//! | `/agenda/links/{n}/revoke` | - | `/agenda` |
//! | `/agenda/handover` | - | 200 with [`mine`], `hand_over` filled |
//! | `/agenda/key` | - | `/agenda`, with the new cookie |
//! | `/agenda/delete` | `sure` = `yes` | `/agenda`, cookies cleared |
//! | `/handover/{code}` | - | `/agenda`, with the cookies; 410 once used or late |
//! | `/organizer/session` | `secret` | `/organizer`, with its cookie (`HttpOnly`, `SameSite=Strict`); 401 with [`sign_in`] |
//! | `/organizer/session/end` | - | `/organizer`, cookie cleared |
//! | `/organizer/preview` | multipart, `program` = the file | 200 with [`preview`]; the bytes are kept for the digest that it names |
//! | `/organizer/releases/{n}/preview` | - | the same for a kept release |
//! | `/organizer/publish` | `confirm` = that digest | `/organizer`; 409 with [`preview`] when it is stale |
//!
//! # For scripts
//!
//! - `POST /agenda/picks` with `Accept: application/json`: 200 `{"picks": ["id", …], "release": n}` when the
//!   picks are on disk; else problem JSON, whose `detail` or `title` is shown. 408, 429 and 5xx are tried
//!   again later, any other refusal takes the pick back.
//! - `GET /agenda/state`: 200 `{"picks": ["id", …], "name": "…", "release": n}`; 401 without a valid cookie.
//! - `GET /events`: `text/event-stream`; `event: release`, `data: {"release": n}` at once and for each release.
//!
//! # Cookies
//!
//! The edit key's (`HttpOnly`, `SameSite=Lax`), and beside it, set and cleared with it, `agenda_here=1` without
//! `HttpOnly`, which holds no secret: it tells scripts that `/agenda/state` is worth asking. What the owner
//! has seen ([`Mine::seen`]) is the release of the last `/agenda` shown, kept in a cookie `agenda_seen`.
//!
//! # Policy
//!
//! [`POLICY`] fits every page; `frame-ancestors` comes from the config for `/?embed` and is `'none'` else.
//! `Referrer-Policy: strict-origin` where nothing else is said.
//!
//! Invariant: text of the program, of agendas and of requests appears as text, whatever it holds; the edit key
//! appears nowhere.

mod assets;
mod card;
mod changes;
mod day;
mod files;
mod grid;
mod head;
mod json;
mod mine;
mod notice;
mod organizer;
mod page;
mod pages;
mod part;
mod plan;
mod platform;
mod program;
mod prose;
mod qr;
mod schema;
mod session;
mod shared;
mod site;
mod subscribe;
mod text;
mod view;
mod when;

pub use assets::Assets;
pub use changes::{ReleaseNotes, changes};
pub use mine::{Fetched, Mine, ReadLink, mine, no_agenda};
pub use notice::{hand_over, problem};
pub use organizer::{Desk, FaultLine, KeptRelease, Preview, desk, preview, sign_in};
pub use page::Page;
pub use pages::Pages;
pub use part::{speaker, track};
pub use platform::Platform;
pub use program::program;
pub use session::session;
pub use shared::shared;
pub use subscribe::{Subject, subscribe};
pub use view::{LONGEST_SEARCH, View};

use askama::Template;

/// The Content-Security-Policy of every page, without `frame-ancestors`: nothing inline, nothing from elsewhere.
/// Data blocks (JSON-LD, the words of scripts) are not scripts and need no allowance.
pub const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
                          connect-src 'self'; manifest-src 'self'; worker-src 'self'; form-action 'self'; \
                          base-uri 'none'";

/// A template's text. Templates write to memory and print only strings and numbers, so this cannot fail.
fn write(template: &impl Template) -> String {
    template.render().unwrap_or_else(|error| {
        tracing::error!(%error, "a page could not be written");
        String::new()
    })
}
