//! The public pages and files, and the pages that explain how to subscribe.

use super::{PageRequest, vary_by_text};
use crate::agenda::{Members, ReadToken};
use crate::export::{Exported, deep_link, entries_text};
use crate::feed::{Coding, FeedFilter, FeedKey, parse_query};
use crate::http::agendas::Owned;
use crate::http::api::reference;
use crate::http::conditional::Validators;
use crate::http::exports::ExportFormat;
use crate::http::negotiation::{self, PAGE_OR_TEXT};
use crate::http::policy::{self, Class};
use crate::http::query::Query;
use crate::http::queue::QueueName;
use crate::http::render_cache::{CacheKey, RenderCache, RenderRequest};
use crate::http::reply::{Answer, HTML, TEXT, html};
use crate::http::reply::{Content, Published, Representation, stable_last_modified};
use crate::http::{EntityTag, Problem};
use crate::program::{SessionId, Text};
use crate::release::Release;
use crate::revision::Digest;
use crate::store::Store;
use crate::web::{self, Assets, Listing, Platform, ProgramView, ReleaseNotes, RenderedPage, Subject};
use http::header::{ETAG, USER_AGENT};
use http::request::Parts;
use http::{HeaderMap, HeaderValue};
use std::sync::Arc;

/// The most releases that the page of changes shows.
const NOTES: usize = 50;

/// The most bytes of cached pages.
const MAX_BYTES: u64 = 16 * 1024 * 1024;

/// The pages that are rendered once for each release, when they are first requested.
#[derive(Debug)]
pub(in crate::http) struct RenderedPages(RenderCache);

impl Default for RenderedPages {
    fn default() -> Self {
        Self(RenderCache::new(MAX_BYTES, 2))
    }
}

/// A page as it was rendered at publication.
fn published(page: &RenderedPage) -> Published<'_> {
    let RenderedPage { media_type, hash, identity: plain, codings } = page;
    Published { media_type, hash, modified: None, plain, codings }
}

/// The program's page, for a request without a query that prefers pages to text.
pub(in crate::http) fn program_page(page: &RenderedPage, request: &Parts) -> Answer {
    let vary = |headers: &mut HeaderMap| policy::vary(headers, HeaderValue::from_static(PAGE_OR_TEXT));
    published(page).answer(request, Class::Page, vary)
}

impl PageRequest<'_> {
    pub(in crate::http) async fn program(&self) -> Answer {
        let release = &self.published.release;
        let view = ProgramView::parse(Query::of(&self.request.uri).pairs(), &release.ledger.slugs)?;
        if negotiation::prefers_text(&self.request.headers) {
            return match view.is_default() {
                true => {
                    let queue = self.queues.get(QueueName::Whole);
                    let (now, head) = (self.clock.now(), self.request);
                    self.exports.answer(ExportFormat::Text, RenderRequest { release, head, now, queue }).await
                }
                false => {
                    let text = || self.made_as(TEXT, entries_text(release, &view.entries(release)));
                    self.queue.make(text).await?
                }
            }
            .map(vary_by_text);
        }
        let mut response = match self.published.pages.page(&view.path()) {
            Some(page) => self.rendered(page),
            None => self.queue.make(|| self.made(web::program(release, &view))).await?,
        }?;
        if view.embed && !self.frame_ancestors.is_empty() {
            policy::frame(self.frame_ancestors, response.headers_mut());
        }
        Ok(vary_by_text(response))
    }

    pub(in crate::http) async fn session(&self, id: &SessionId) -> Answer {
        let mut answer = match self.published.pages.session(id) {
            Some(page) => self.rendered(page),
            None => self.make(|release| web::session(release, id)).await,
        }?;
        let session = self.published.release.program.session(id);
        if let Some(image) = session.and_then(|session| session.image.as_ref()) {
            policy::show_image(image, answer.headers_mut());
        }
        Ok(answer)
    }

    /// A page of a track, room, speaker or day.
    pub(in crate::http) async fn part(&self, key: &FeedKey) -> Answer {
        let number = self.page_number()?;
        match self.published.pages.part(&self.published.release, key).filter(|_| number == 1) {
            Some(page) => self.rendered(page),
            None => self.make(|release| web::part(release, key, number)).await,
        }
    }

    pub(in crate::http) async fn listing(&self, list: Listing) -> Answer {
        let number = self.page_number()?;
        match self.published.pages.page(list.path()).filter(|_| number == 1) {
            Some(page) => self.rendered(page),
            None => self.make(|release| web::listing(release, list, number)).await,
        }
    }

    /// `?page=`, counted from 1.
    fn page_number(&self) -> Result<usize, Problem> {
        let query = Query::of(&self.request.uri);
        query.first("page").unwrap_or("1").parse().map_err(|_| Problem::NotFound)
    }

    /// A page that is rendered in a turn; 404 if there is no such page.
    async fn make(&self, page: impl FnOnce(&Release) -> Option<String>) -> Answer {
        self.queue.make(|| self.made(page(&self.published.release).ok_or(Problem::NotFound)?)).await?
    }

    pub(in crate::http) fn file(&self, path: &str) -> Answer {
        self.rendered(self.published.pages.page(path).ok_or(Problem::NotFound)?)
    }

    pub(in crate::http) fn asset(&self, name: &str) -> Answer {
        let path = format!("/assets/{name}");
        let page = Assets::all().get(&path).or_else(|| self.published.pages.page(&path));
        let mut response = self.rendered(page.ok_or(Problem::NotFound)?)?;
        // The name stands for the content, so no browser ever asks whether it has changed.
        response.headers_mut().remove(ETAG);
        Ok(response)
    }

    pub(in crate::http) async fn changes(&self) -> Answer {
        let history = self.history.clone();
        let render = move |release: &Arc<Release>, store: &Store| {
            let records = history.of(release, store)?;
            let notes = records.all().iter().rev().take(NOTES).map(|record| ReleaseNotes {
                number: record.number,
                published: record.published,
                changes: &record.changes,
            });
            let page = web::changes(release, &notes.collect::<Vec<_>>());
            Ok(Exported::new(HTML, page.into_bytes(), release.published()))
        };
        let key = CacheKey { name: "/changes".to_owned(), is_cacheable: true };
        self.pages.0.answer_from_store(key, self.render_request(), self.store, render).await
    }

    pub(in crate::http) async fn reference(&self) -> Answer {
        let render = |release: &Release| {
            let page = web::reference(release, reference());
            Ok(Exported::new(HTML, page.into_bytes(), release.published()))
        };
        let key = CacheKey { name: "/api".to_owned(), is_cacheable: true };
        self.pages.0.answer(key, self.render_request(), render).await
    }

    fn render_request(&self) -> RenderRequest<'_> {
        let release = &self.published.release;
        RenderRequest { release, head: self.request, now: self.clock.now(), queue: self.queue }
    }

    /// A page that was rendered at publication, compressed where the client accepts it.
    fn rendered(&self, page: &RenderedPage) -> Answer {
        published(page).representation(self.request).answer(self.request)
    }

    /// A page that is the same for everybody and was rendered for this request.
    pub(in crate::http) fn made(&self, body: String) -> Answer {
        self.made_as(HTML, body)
    }

    fn made_as(&self, media_type: &'static str, body: String) -> Answer {
        let tag = EntityTag::plain(Digest::of(body.as_bytes()).short());
        let modified = stable_last_modified(self.published.release.published(), self.clock.now());
        let representation = Representation {
            media_type,
            // Pages with different filters have the same time; only the tag tells them apart.
            validators: Validators { tag, modified },
            coding: Coding::Identity,
            body: Content::Kept(body.into()),
            fields: Vec::new(),
        };
        representation.answer(self.request)
    }
}

impl PageRequest<'_> {
    pub(in crate::http) async fn subscribe(&self, path: &str) -> Answer {
        let release = &self.published.release;
        // A form also sends its empty fields.
        let query = Query::of(&self.request.uri).without_empty();
        let agent = self.request.headers.get(USER_AGENT).and_then(|agent| agent.to_str().ok());
        let platform = Platform::of(agent.unwrap_or_default());
        if let Some(token) = path.strip_prefix("agendas/") {
            let token = ReadToken::parse(token).map_err(|_| Problem::NotFound)?;
            let record = self.open_link(&token)?;
            let is_own = |own: &Owned| own.links().iter().any(|link| link.token.as_ref() == Some(&token));
            let name = match self.own()?.filter(is_own) {
                Some(_) if record.name.is_empty() => web::own_agenda_name(release),
                _ => Text::line(&record.name).0,
            };
            let token = token.reveal();
            let subject = Subject::Agenda { token: &token, name: &name };
            let page = web::subscribe(release, &subject, query.feed_options()?, platform, None);
            return Ok(html(page.ok_or(Problem::NotFound)?));
        }
        if let Some(members) = path.strip_prefix("team/") {
            let members = Members::parse(members).map_err(|_| Problem::NotFound)?;
            let name = self.open_team(&members).await?.name();
            let members = members.reveal();
            let subject = Subject::Team { members: &members, name: &name };
            let page = web::subscribe(release, &subject, query.feed_options()?, platform, None);
            return Ok(html(page.ok_or(Problem::NotFound)?));
        }
        let key = FeedKey::parse(&format!("/{path}.ics")).ok_or(Problem::NotFound)?;
        let (filter, options) = match key {
            FeedKey::Program => parse_query(query.pairs(), &release.ledger.slugs)?,
            _ => (FeedFilter::default(), query.feed_options()?),
        };
        let subject = if key == FeedKey::Program { Subject::Program(filter) } else { Subject::Part(key) };
        // Giggity takes only the whole program, in a format of its own.
        let giggity = matches!(&subject, Subject::Program(filter) if filter.is_empty());
        let giggity = giggity.then(|| deep_link(release));
        let page = web::subscribe(release, &subject, options, platform, giggity);
        Ok(html(page.ok_or(Problem::NotFound)?))
    }
}
