//! A visitor's own agenda, identified by cookie: pages, forms, import and export. Scripts get JSON from the same paths.

use super::PageRequest;
use crate::agenda::{Agenda, ReadToken};
use crate::exchange::{self, ExchangeError, Matching};
use crate::http::agendas::{AgendaError, Created, Owned};
use crate::http::browser::{CookieJar, PostedForm, uploaded_file};
use crate::http::query::Query;
use crate::http::reply::{html, json, see_other, see_other_at, set_cookies};
use crate::http::{Body, Problem, browser, feeds, organizer, policy};
use crate::program::{SessionId, Text};
use crate::release::Release;
use crate::revision::Entry;
use crate::store::SubscriptionRecord;
use crate::web::{self, AgendaDone, LastFetch, LinkStatus, NoAgenda, NotifiedDevice, OwnAgenda, ProgramView};
use chrono::TimeDelta;
use http::header::{ACCEPT, CONTENT_DISPOSITION, CONTENT_TYPE};
use http::{HeaderValue, Method, Response, StatusCode, Uri};
use std::sync::Arc;

impl PageRequest<'_> {
    pub(super) fn jar(&self) -> CookieJar {
        CookieJar::of(&self.published.release.program.conference.public_url)
    }

    /// The posted form, after the check that one of our own pages sent it.
    pub(super) fn form(&self) -> Result<PostedForm, Problem> {
        browser::check_origin(&self.request.headers, &self.published.release.program.conference.public_url)?;
        PostedForm::read(&self.request.headers, &self.body)
    }

    /// The agenda of the visitor's cookie; none where the cookie is missing or its key no longer works.
    pub(super) fn own(&self) -> Result<Option<Owned>, Problem> {
        let Some(key) = self.jar().key(&self.request.headers) else { return Ok(None) };
        match self.agendas.open(&key) {
            Ok(owned) => Ok(Some(owned)),
            Err(AgendaError::UnknownKey) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// The visitor's agenda for a change, which counts against its limit.
    pub(super) fn own_for_change(&self) -> Result<Owned, Problem> {
        let owned = self.own()?.ok_or(AgendaError::UnknownKey)?;
        self.allowed.change(&owned.key)?;
        Ok(owned)
    }

    pub(in crate::http) async fn own_agenda(&self) -> Result<Response<Body>, Problem> {
        match self.own()? {
            None => Ok(self.no_agenda()),
            Some(owned) => {
                let page = self.queue.make(|| self.page(&owned, None)).await?;
                // This page points out the changes, so the next page need not. The write is not awaited: neither a
                // slow nor a full disk may delay a read.
                let (agendas, release) = (self.agendas.clone(), self.published.release.number());
                let is_unseen = self.request.method == Method::HEAD || self.is_prefetch();
                if is_unseen || owned.record.seen_release >= release {
                    return Ok(page);
                }
                tokio::spawn(async move {
                    if let Err(error) = agendas.seen(owned, release).await {
                        tracing::debug!(%error, "the release that the owner saw last could not be stored");
                    }
                });
                Ok(page)
            }
        }
    }

    /// Whether the service worker stores the page for a time without a network, and nobody looks at it.
    fn is_prefetch(&self) -> bool {
        self.request.headers.get("purpose").is_some_and(|purpose| purpose == "prefetch")
    }

    /// The page for a visitor without an agenda.
    pub(super) fn no_agenda(&self) -> Response<Body> {
        let has_cookie = self.jar().key(&self.request.headers).is_some();
        let reason = match self.done() {
            Some(AgendaDone::Deleted) => NoAgenda::Deleted,
            _ if has_cookie => NoAgenda::SignedOut,
            _ => NoAgenda::New,
        };
        html(web::no_agenda(&self.published.release, reason, self.is_organizer()))
    }

    /// The form that led to this page, by `?done=`.
    pub(super) fn done(&self) -> Option<AgendaDone> {
        let query = Query::of(&self.request.uri);
        query.first("done").and_then(AgendaDone::parse)
    }

    /// The sessions that the form removed, by `?undo=`: those that the visitor can pick again.
    fn removed(&self, picks: &[SessionId]) -> Vec<SessionId> {
        let entries = &self.published.release.ledger.entries;
        let can_return =
            |id: &SessionId| entries.get(id).is_some_and(Entry::is_visible) && !picks.contains(id);
        let query = Query::of(&self.request.uri);
        let named = query.pairs().filter(|(key, _)| *key == "undo");
        named.filter_map(|(_, id)| SessionId::parse(id).ok()).filter(can_return).collect()
    }

    /// The program with the visitor's picks marked, for browsers without scripts.
    pub(in crate::http) async fn picked_program(&self) -> Result<Response<Body>, Problem> {
        let release = &self.published.release;
        let view = ProgramView::parse(Query::of(&self.request.uri).pairs(), &release.ledger.slugs)?;
        let picks = self.own()?.map(|owned| owned.record.picks).unwrap_or_default();
        let is_organizer = self.is_organizer();
        self.queue.make(|| html(web::picked_program(release, &view, &picks, is_organizer))).await
    }

    /// A session's page with the visitor's picks marked, for browsers without scripts.
    pub(in crate::http) async fn picked_session(&self, id: &SessionId) -> Result<Response<Body>, Problem> {
        let release = &self.published.release;
        let picks = self.own()?.map(|owned| owned.record.picks).unwrap_or_default();
        let is_organizer = self.is_organizer();
        let page = self.queue.make(|| web::picked_session(release, id, &picks, is_organizer)).await?;
        let mut response = html(page.ok_or(Problem::NotFound)?);
        let session = release.program.session(id);
        if let Some(image) = session.and_then(|session| session.image.as_ref()) {
            policy::show_image(image, response.headers_mut());
        }
        Ok(response)
    }

    /// Whether the browser says that it is signed in as an organizer. Only decides whether pages link to the desk.
    fn is_organizer(&self) -> bool {
        organizer::is_marked(&self.request.headers)
    }

    pub(super) fn page(&self, owned: &Owned, hand_over: Option<(&str, TimeDelta)>) -> Response<Body> {
        let (release, now) = (&self.published.release, self.clock.now());
        let links: Vec<LinkStatus> =
            owned
                .links()
                .into_iter()
                .map(|link| LinkStatus {
                    n: link.n,
                    label: Text::line(&link.label).0,
                    freshness: owned.fetched(&link, release, self.freshness).map(|(seen, unseen)| {
                        LastFetch { client: seen.by.display_name().to_owned(), ago: now - seen.at, unseen }
                    }),
                    token: link.token.map(|token| token.reveal()),
                })
                .collect();
        let name = Text::line(&owned.record.name).0;
        let seen = Some(owned.record.seen_release);
        let done = self.done();
        let undo = self.removed(&owned.record.picks);
        let (picks, ranks, is_organizer) = (&owned.record.picks, &owned.ranks(), self.is_organizer());
        let devices = self.agendas.devices(owned).unwrap_or_default();
        let (mailboxes, devices): (Vec<_>, Vec<_>) =
            devices.into_iter().partition(|device| device.mail.is_some());
        let view = |device: SubscriptionRecord| NotifiedDevice {
            id: device.id,
            label: Text::line(&device.label).0,
            reminders: device.reminders,
        };
        let devices: Vec<NotifiedDevice> = devices.into_iter().map(view).collect();
        let mailboxes: Vec<NotifiedDevice> = mailboxes.into_iter().map(view).collect();
        let key = self.publisher.push().and_then(|_| self.publisher.push_key().ok().flatten());
        let own = OwnAgenda {
            name: &name,
            picks,
            ranks,
            links: &links,
            seen,
            hand_over,
            done,
            undo: &undo,
            now,
            is_organizer,
            push_key: key.map(|key| key.public()),
            devices: &devices,
            has_mail: self.publisher.mail().is_some(),
            mailboxes: &mailboxes,
        };
        html(web::own_agenda(release, &own))
    }

    /// The picks as JSON, for the pages' scripts.
    pub(in crate::http) fn state(&self) -> Result<Response<Body>, Problem> {
        let owned = self.own()?;
        let (name, picks) = match &owned {
            Some(owned) => (owned.record.name.as_str(), owned.picks(&self.published.release)),
            None => ("", Vec::new()),
        };
        let mut response = json(StatusCode::OK, &serde_json::json!({ "name": name, "picks": picks }));
        if owned.is_none() && self.jar().key(&self.request.headers).is_some() {
            set_cookies(&mut response, self.jar().forget());
        }
        Ok(response)
    }

    /// Adds or removes picks; the first pick creates the agenda.
    pub(in crate::http) async fn pick(&self) -> Result<Response<Body>, Problem> {
        let form = self.form()?;
        // The button of a picked session unpicks it, in the form that picks the others.
        let unpicked = form.all("unpick");
        let picks = form.one("action") != "unpick" && unpicked.is_empty();
        let sessions = if unpicked.is_empty() { form.all("session") } else { unpicked };
        let release = &self.published.release;
        let (owned, is_new) = match self.own()? {
            Some(owned) => {
                self.allowed.change(&owned.key)?;
                let owned = match picks {
                    true => self.agendas.pick_all(owned, None, &sessions, release).await?,
                    false => self.agendas.unpick_all(owned, &sessions).await?,
                };
                (owned, false)
            }
            None if picks => {
                self.allowed.agenda()?;
                let Created(owned) = self.agendas.create("", &sessions, release).await?;
                (owned, true)
            }
            None => return Err(AgendaError::UnknownKey.into()),
        };
        let mut response = if self.wants_json() {
            let overlaps = if picks { overlaps(&owned, &sessions, release) } else { Vec::new() };
            json(StatusCode::OK, &serde_json::json!({ "picks": owned.picks(release), "overlaps": overlaps }))
        } else {
            after_pick(&form, &sessions, release)?
        };
        if is_new {
            set_cookies(&mut response, self.jar().keep(&owned.key));
        }
        Ok(response)
    }

    pub(in crate::http) async fn rename(&self) -> Result<Response<Body>, Problem> {
        let form = self.form()?;
        self.agendas.rename(self.own_for_change()?, None, form.one("name")).await?;
        done(AgendaDone::Renamed)
    }

    pub(in crate::http) async fn add_link(&self) -> Result<Response<Body>, Problem> {
        let form = self.form()?;
        let owned = self.own_for_change()?;
        self.allowed.link(&owned.key)?;
        self.agendas.add_link(owned, None, form.one("label")).await?;
        done(if form.one("fresh") == "yes" { AgendaDone::Fresh } else { AgendaDone::Linked })
    }

    pub(in crate::http) async fn revoke_link(&self, n: u32) -> Result<Response<Body>, Problem> {
        self.form()?;
        self.agendas.revoke_link(self.own_for_change()?, None, n).await?;
        done(AgendaDone::Revoked)
    }

    /// Issues a new edit key, which signs out every other device.
    pub(in crate::http) async fn replace_key(&self) -> Result<Response<Body>, Problem> {
        self.form()?;
        let owned = self.own_for_change()?;
        let key = owned.key.clone();
        let owned = self.agendas.replace_key(owned, None).await?;
        self.allowed.new_key(&key, &owned.key);
        let mut response = done(AgendaDone::NewKey)?;
        set_cookies(&mut response, self.jar().keep(&owned.key));
        Ok(response)
    }

    pub(in crate::http) async fn delete(&self) -> Result<Response<Body>, Problem> {
        let form = self.form()?;
        if form.one("sure") != "yes" {
            return Ok(see_other("/agenda"));
        }
        self.agendas.delete(self.own_for_change()?, None).await?;
        let mut response = done(AgendaDone::Deleted)?;
        set_cookies(&mut response, self.jar().forget());
        Ok(response)
    }

    fn wants_json(&self) -> bool {
        let accept = self.request.headers.get(ACCEPT).and_then(|accept| accept.to_str().ok());
        accept.is_some_and(|accept| accept.contains("application/json"))
    }
}

/// The redirect to the agenda page that confirms a form, at the place of the form.
pub(super) fn done(done: AgendaDone) -> Result<Response<Body>, Problem> {
    let fragment = if done.section() == "top" { String::new() } else { format!("#{}", done.section()) };
    see_path(&format!("/agenda?done={}{fragment}", done.name()))
}

pub(super) fn see_path(path: &str) -> Result<Response<Body>, Problem> {
    Ok(see_other_at(HeaderValue::try_from(path).map_err(|_| Problem::NotFound)?))
}

/// The redirect after sessions were added or removed: back to the place in the program or agenda where the visitor
/// pressed.
fn after_pick(form: &PostedForm, sessions: &[String], release: &Release) -> Result<Response<Body>, Problem> {
    let Some(done) = AgendaDone::parse(form.one("done")) else {
        return see_path(&pressed_at(form.one("from"), sessions, release));
    };
    let session = |id: &str| release.ledger.entries.get(&SessionId::parse(id).ok()?);
    let place = match session(form.one("place")) {
        Some(entry) => format!("#{}", entry.session.id),
        None if done == AgendaDone::Removed => {
            let day = sessions
                .first()
                .and_then(|id| session(id))
                .map(|entry| release.program.conference.days().of(entry.session.slot.start));
            day.map(|day| format!("#day-{day}")).unwrap_or_default()
        }
        None => String::new(),
    };
    let removed = sessions.iter().filter_map(|id| SessionId::parse(id).ok());
    let undo: String = match form.one("action") {
        "unpick" => removed.map(|id| format!("&undo={id}")).collect(),
        _ => String::new(),
    };
    see_path(&format!("/agenda?done={}{undo}{place}", done.name()))
}

/// The page on which a session was picked, with the picks marked and at the session; the program if the form names no
/// such page. The path is made anew of valid values, so no text from the client reaches the header.
fn pressed_at(from: &str, sessions: &[String], release: &Release) -> String {
    let known = || {
        let uri: Uri = from.parse().ok()?;
        if let Some(id) = uri.path().strip_prefix("/mine/sessions/") {
            return Some(format!("/mine/sessions/{}", SessionId::parse(id).ok()?));
        }
        if let Some(token) = uri.path().strip_prefix("/agendas/") {
            return Some(format!("/agendas/{}", ReadToken::parse(token).ok()?.reveal()));
        }
        let view = ProgramView::parse(Query::of(&uri).pairs(), &release.ledger.slugs).ok()?;
        Some(view.with_picks().path())
    };
    let page = known().unwrap_or_else(|| "/mine".to_owned());
    match sessions.last().and_then(|id| SessionId::parse(id).ok()) {
        Some(id) if !page.ends_with(&format!("/{id}")) => format!("{page}#{id}"),
        _ => page,
    }
}

/// The picks that overlap the sessions that were just picked.
fn overlaps(owned: &Owned, picked: &[String], release: &Release) -> Vec<serde_json::Value> {
    let agenda = Agenda::of(&owned.record.picks, release);
    let is_new = |id: &SessionId| picked.iter().any(|picked| picked == id.as_str());
    let new = agenda.items.iter().filter(|item| is_new(&item.session().id));
    let others = new.flat_map(|item| &item.overlaps).filter(|other| !is_new(&other.session.id));
    others
        .map(|other| serde_json::json!({ "id": other.session.id.as_str(), "title": other.session.title.as_str() }))
        .collect()
}

impl PageRequest<'_> {
    pub(in crate::http) async fn import(self) -> Result<Response<Body>, Problem> {
        let release = Arc::clone(&self.published.release);
        let held = self.own()?.map(|owned| owned.record.picks).unwrap_or_default();
        let picked = held.clone();
        let (file, code) = if self.request.method == Method::POST {
            browser::check_origin(&self.request.headers, &release.program.conference.public_url)?;
            (Some(uploaded_file(self.request, self.body.clone(), "file").await?), None)
        } else {
            (None, Query::of(&self.request.uri).first("picks").map(ToOwned::to_owned))
        };
        let look = move || match (file, code) {
            (Some(file), _) => exchange::from_file(&file, &release, &picked).map(Some),
            (None, Some(code)) => exchange::from_code(&code)
                .map(|numbers| Some(exchange::from_numbers(&numbers, &release, &picked))),
            (None, None) => Ok(None),
        };
        let make = move || {
            let found: Result<Option<Matching>, ExchangeError> = look();
            let (matching, fault) = match found {
                Ok(matching) => (matching, None),
                Err(error) => (None, Some(error.to_string())),
            };
            let page = web::import(&self.published.release, &held, matching.as_ref(), fault.as_deref());
            let mut response = html(page);
            if fault.is_some() {
                *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
            }
            response
        };
        self.queue.make(make).await
    }

    /// The visitor's picks as a file: a calendar, or a JSON list that the import reads.
    pub(in crate::http) fn export(&self, is_calendar: bool) -> Result<Response<Body>, Problem> {
        let owned = self.own()?.ok_or(AgendaError::UnknownKey)?;
        let release = &self.published.release;
        if is_calendar {
            return feeds::agenda_download(&owned.record, release, self.request, self.clock.now());
        }
        let list = exchange::to_json(release, &owned.record.picks);
        let mut response = Response::new(Body::from(format!("{list:#}\n")));
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let name = HeaderValue::from_static("attachment; filename=\"agenda.json\"");
        headers.insert(CONTENT_DISPOSITION, name);
        Ok(response)
    }
}
