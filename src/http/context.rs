//! One request on its way to its handler, and everything that handlers work with.
//!
//! The handlers in the route table call the methods of [`Context`]. Each method serves one family of handlers and passes
//! it the services that it needs.

use super::agendas::{AgendaError, Agendas};
use super::allowance::{Allowances, Allowed};
use super::api::{self, AgendaRequest, Documents, ProgramRequest};
use super::browser::PostedForm;
use super::changes::{ChangeFeedAddress, ChangeFeeds, ReleaseHistory};
use super::dav::{self, DavPath};
use super::exports::{ExportFormat, Exports};
use super::exports::{Warmup, WarmupGuard};
use super::feeds::{FeedAddress, FeedRequest, JoinedValidators, PolledFeeds};
use super::jcal::{self, JcalCache};
use super::negotiation::prefers_text;
use super::organizer::{self, Organizer, OrganizerRequest};
use super::queue::{Queue, QueueName, Queues};
use super::render_cache::RenderRequest;
use super::reply::Answer;
use super::request_body::UnreadBody;
use super::web::{Codes, EventStreams, PageRequest, RenderedPages, program_page};
use super::{EntityTag, Problem, request_head};
use crate::clock::Clock;
use crate::feed::FeedKey;
use crate::freshness::Freshness;
use crate::publisher::Publisher;
use crate::release::Release;
use crate::store::Store;
use http::request::Parts;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;

/// The services that all requests share.
pub(super) struct Services {
    pub(super) publisher: Arc<Publisher>,
    pub(super) agendas: Agendas,
    pub(super) polled: PolledFeeds,
    pub(super) validators: JoinedValidators,
    pub(super) store: Store,
    pub(super) freshness: Arc<Freshness>,
    pub(super) codes: Codes,
    pub(super) events: EventStreams,
    pub(super) clock: Clock,
    pub(super) frame_ancestors: String,
    pub(super) organizer: Organizer,
    pub(super) changes: ChangeFeeds,
    pub(super) history: ReleaseHistory,
    pub(super) exports: Exports,
    pub(super) jcals: JcalCache,
    pub(super) warmup: Warmup,
    pub(super) documents: Documents,
    pub(super) pages: RenderedPages,
    pub(super) allowances: Allowances,
    pub(super) queues: Queues,
}

impl Services {
    /// Renders a release's exports one after the other, before they are requested. Stops early once `is_live` returns
    /// false.
    pub(super) fn render_ahead(&self, rendering: &WarmupGuard, is_live: &dyn Fn() -> bool) {
        let release = rendering.release();
        for format in ExportFormat::ALL.into_iter().take_while(|_| is_live()) {
            self.exports.render_ahead(format, release);
            rendering.notify();
        }
        self.changes.render_ahead(release, &self.store, is_live);
        rendering.notify();
        if let (true, Some(feed), Some(tag)) =
            (is_live(), release.feeds.feed(&FeedKey::Program), program_tag(release))
        {
            self.jcals.convert_ahead(tag, &feed.identity);
        }
    }
}

/// The entity tag of the program's feed without a coding, under which its jCal is cached.
fn program_tag(release: &Release) -> Option<String> {
    let feed = release.feeds.feed(&FeedKey::Program)?;
    Some(EntityTag::plain(&feed.hash).into_quoted())
}

/// The result of a handler.
pub(super) enum Reply<'a> {
    /// An answer from memory, or from one small record of the store.
    Ready(Answer),
    /// An answer that waits: for a body, for its turn, or for the disk.
    Pending(Pin<Box<dyn Future<Output = Answer> + Send + 'a>>),
}

/// A request whose path was found and whose method is allowed.
pub(super) struct Context<'a> {
    pub(super) services: &'a Services,
    pub(super) head: &'a Parts,
    pub(super) body: UnreadBody<'a>,
    pub(super) socket: IpAddr,
    pub(super) queue: QueueName,
}

#[expect(clippy::unnecessary_wraps, reason = "the handlers of the table return results")]
fn pending<'a>(answer: impl Future<Output = Answer> + Send + 'a) -> Result<Reply<'a>, Problem> {
    Ok(Reply::Pending(Box::pin(answer)))
}

impl<'a> Context<'a> {
    /// A calendar feed.
    pub(super) fn feed(self, address: FeedAddress) -> Result<Reply<'a>, Problem> {
        let feeds = self.feed_request();
        match feeds.ready(&address, self.head) {
            Some(Err(_)) if self.services.store.is_interrupted() => pending(async move {
                // Calendar clients report a failed poll to their users, so the poll waits until the store is back.
                self.services.store.until_back().await;
                feeds.answer(&address, self.head).await
            }),
            Some(answer) => Ok(Reply::Ready(answer)),
            None => pending(async move { feeds.answer(&address, self.head).await }),
        }
    }

    /// A calendar feed as jCal.
    pub(super) fn jcal(self, address: FeedAddress) -> Result<Reply<'a>, Problem> {
        let feeds = self.feed_request();
        pending(async move {
            let Services { jcals, warmup, .. } = self.services;
            if matches!(address, FeedAddress::Public(FeedKey::Program)) && self.head.uri.query().is_none() {
                let tag = program_tag(&feeds.release);
                warmup.wait(&feeds.release, || tag.as_deref().is_none_or(|tag| jcals.has(tag))).await;
            }
            let plain = feeds.answer(&address, &jcal::plain_request(self.head)).await?;
            jcals.convert(plain, &self.head.headers).await
        })
    }

    /// The whole program in another format.
    pub(super) fn export(self, format: ExportFormat) -> Result<Reply<'a>, Problem> {
        pending(async move {
            let release = self.services.publisher.current();
            self.services.exports.answer(format, self.render_request(&release)).await
        })
    }

    /// A change feed.
    pub(super) fn changes(self, feed: ChangeFeedAddress) -> Result<Reply<'a>, Problem> {
        pending(async move {
            let Services { publisher, changes, warmup, .. } = self.services;
            let release = publisher.current();
            warmup.wait(&release, || changes.is_ready(&feed, &release)).await;
            changes.answer(feed, &self.services.agendas, self.render_request(&release)).await
        })
    }

    /// A request for the program through the API.
    pub(super) fn program_api<F>(
        self,
        answer: impl FnOnce(ProgramRequest<'a>) -> F + Send + 'a,
    ) -> Result<Reply<'a>, Problem>
    where
        F: Future<Output = Answer> + Send + 'a,
    {
        let Self { services, head, .. } = self;
        pending(answer(ProgramRequest {
            documents: &services.documents,
            store: &services.store,
            history: &services.history,
            release: services.publisher.current(),
            head,
            now: services.clock.now(),
            queue: self.queue(),
        }))
    }

    /// A request for an agenda through the API.
    pub(super) fn agenda_api<F>(
        self,
        answer: impl FnOnce(AgendaRequest<'a>) -> F + Send + 'a,
    ) -> Result<Reply<'a>, Problem>
    where
        F: Future<Output = Answer> + Send + 'a,
    {
        let (services, head) = (self.services, self.head);
        let (allowed, queue) = (self.allowed(), self.queue());
        pending(async move {
            let request = AgendaRequest {
                agendas: &services.agendas,
                publisher: &services.publisher,
                release: services.publisher.current(),
                freshness: &services.freshness,
                allowed,
                now: services.clock.now(),
                queue,
                head,
                body: self.body.read().await?,
            };
            limit_key_guesses(allowed, head, answer(request).await)
        })
    }

    /// The key with which browsers subscribe to messages.
    pub(super) fn push_key(self) -> Result<Reply<'a>, Problem> {
        Ok(Reply::Ready(api::push_key(&self.services.publisher, self.head)))
    }

    /// A page that is rendered in the queue of its route.
    pub(super) fn page(
        self,
        answer: impl FnOnce(&PageRequest<'a>) -> Answer + Send + 'a,
    ) -> Result<Reply<'a>, Problem> {
        let queue = self.queue();
        self.page_task(move |page| async move { queue.make(|| answer(&page)).await? })
    }

    /// A page that waits for the disk, or is rendered only if it is not cached.
    pub(super) fn page_task<F>(
        self,
        answer: impl FnOnce(PageRequest<'a>) -> F + Send + 'a,
    ) -> Result<Reply<'a>, Problem>
    where
        F: Future<Output = Answer> + Send + 'a,
    {
        let (allowed, queue, head) = (self.allowed(), self.queue(), self.head);
        let services = self.services;
        pending(async move {
            let body = self.body.read().await?;
            let page = PageRequest {
                agendas: &services.agendas,
                publisher: &services.publisher,
                published: services.publisher.live(),
                exports: &services.exports,
                pages: &services.pages,
                store: &services.store,
                history: &services.history,
                freshness: &services.freshness,
                codes: &services.codes,
                events: &services.events,
                clock: &services.clock,
                queues: &services.queues,
                queue,
                frame_ancestors: &services.frame_ancestors,
                allowed,
                request: head,
                body,
            };
            limit_key_guesses(allowed, head, answer(page).await)
        })
    }

    /// The program's page: at once if it is sent as it was published.
    pub(super) fn program_page(self) -> Result<Reply<'a>, Problem> {
        let live = self.services.publisher.live();
        let is_plain =
            self.head.uri.query().is_none() && !prefers_text(&self.head.headers) && self.body.is_none();
        match live.pages.page("/").filter(|_| is_plain) {
            Some(page) => Ok(Reply::Ready(program_page(page, self.head))),
            None => self.page_task(|page| async move { page.program().await }),
        }
    }

    /// A CalDAV request.
    pub(super) fn dav(self, place: DavPath) -> Result<Reply<'a>, Problem> {
        let (queue, allowed) = (self.queue(), self.allowed());
        pending(async move {
            let services = self.services;
            let release = services.publisher.current();
            let request = dav::DavRequest {
                agendas: &services.agendas,
                publisher: &services.publisher,
                allowed,
                freshness: &services.freshness,
                request: self.head,
                body: self.body.read().await?,
                release: &release,
                now: services.clock.now(),
            };
            // A single session, a redirect or a refusal takes no turn.
            if !matches!(self.head.method.as_str(), "PROPFIND" | "REPORT") {
                return request.answer(place).await;
            }
            queue.turn().await?.run(request.answer(place)).await
        })
    }

    /// The redirect to CalDAV.
    pub(super) fn well_known_caldav(self) -> Result<Reply<'a>, Problem> {
        Ok(Reply::Ready(Ok(dav::well_known(&self.head.headers))))
    }

    /// The organizer's pages that need no secret yet, or check it themselves.
    pub(super) fn sign_in<F>(
        self,
        answer: impl FnOnce(organizer::UncheckedRequest<'a>) -> F + Send + 'a,
    ) -> Result<Reply<'a>, Problem>
    where
        F: Future<Output = Answer> + Send + 'a,
    {
        let (organizer, allowed) = (&self.services.organizer, self.allowed());
        pending(answer(organizer::UncheckedRequest {
            organizer,
            request: self.head,
            body: self.body,
            allowed,
        }))
    }

    /// A request that needs an organizer's secret.
    pub(super) fn organizer<F>(
        self,
        answer: impl FnOnce(OrganizerRequest<'a>) -> F + Send + 'a,
    ) -> Result<Reply<'a>, Problem>
    where
        F: Future<Output = Answer> + Send + 'a,
    {
        self.sign_in(|request| async move { answer(request.check_secret().await?).await })
    }

    /// [`Self::organizer`] with a program as the request's body.
    pub(super) fn organizer_upload<F>(
        self,
        answer: impl FnOnce(OrganizerRequest<'a>) -> F + Send + 'a,
    ) -> Result<Reply<'a>, Problem>
    where
        F: Future<Output = Answer> + Send + 'a,
    {
        self.sign_in(|request| async move {
            let (request, _turn) = request.check_secret_with_upload().await?;
            answer(request).await
        })
    }

    /// A form of the organizer's pages.
    pub(super) fn organizer_form<F>(
        self,
        answer: impl FnOnce(OrganizerRequest<'a>, PostedForm) -> F + Send + 'a,
    ) -> Result<Reply<'a>, Problem>
    where
        F: Future<Output = Answer> + Send + 'a,
    {
        self.sign_in(|request| async move {
            let (request, form) = request.check_secret_with_form().await?;
            answer(request, form).await
        })
    }

    fn queue(&self) -> &'a Queue {
        self.services.queues.get(self.queue)
    }

    fn allowed(&self) -> Allowed<'a> {
        let Self { services, head, socket, .. } = self;
        services.allowances.of(*socket, &head.headers, &services.clock)
    }

    fn render_request<'b>(&self, release: &'b Arc<Release>) -> RenderRequest<'b>
    where
        'a: 'b,
    {
        RenderRequest { release, head: self.head, now: self.services.clock.now(), queue: self.queue() }
    }

    fn feed_request(&self) -> FeedRequest<'a> {
        let Self { services, .. } = self;
        FeedRequest {
            agendas: &services.agendas,
            polled: &services.polled,
            validators: &services.validators,
            freshness: &services.freshness,
            release: services.publisher.current(),
            now: services.clock.now(),
            queue: self.queue(),
            allowed: self.allowed(),
        }
    }
}

/// Charges a failed edit key of a write to the client's limit; 429 once the limit is used up.
fn limit_key_guesses(allowed: Allowed<'_>, head: &Parts, answer: Answer) -> Answer {
    match answer {
        Err(Problem::Agenda(AgendaError::UnknownKey)) if !request_head::is_read(&head.method) => {
            Err(allowed.wrong_key().err().unwrap_or(Problem::Agenda(AgendaError::UnknownKey)))
        }
        answer => answer,
    }
}
