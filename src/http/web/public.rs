//! The public pages and what stands beside them.

use super::{Visit, chosen};
use crate::export::shown_text;
use crate::feed::Coding;
use crate::http::api::reference;
use crate::http::conditional::Validators;
use crate::http::encoding::wanted;
use crate::http::exports::Format;
use crate::http::representation::{Content, Representation, settled};
use crate::http::{Body, EntityTag, Problem};
use crate::http::{plain, policy};
use crate::program::{SessionId, Slug};
use crate::revision::Digest;
use crate::web::{self, Assets, Page, ReleaseNotes, View};
use http::Response;
use url::form_urlencoded;

/// The releases that the changes page shows.
const NOTES: usize = 50;

const HTML: &str = "text/html; charset=utf-8";
const TEXT: &str = "text/plain; charset=utf-8";

impl Visit<'_> {
    pub(super) async fn program(&self) -> Result<Response<Body>, Problem> {
        let release = &self.published.release;
        let query = self.request.uri.query().unwrap_or_default();
        let pairs: Vec<(String, String)> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        let pairs = pairs.iter().map(|(key, value)| (key.as_str(), value.as_str()));
        let view = View::parse(pairs, &release.ledger.slugs)?;
        if plain::is_wanted(&self.request.headers) {
            return match view.is_default() {
                true => {
                    let (now, queue) = (self.clock.now(), &self.queues.whole);
                    self.exports.answer(Format::Text, release, self.request, now, queue).await
                }
                false => self.made_as(TEXT, shown_text(release, &view.entries(release))),
            }
            .map(chosen);
        }
        let mut response = match self.published.pages.page(&view.path()) {
            Some(page) => self.kept(page),
            None => self.made(web::program(release, &view)),
        }?;
        if view.embed && !self.frame_ancestors.is_empty() {
            policy::frame(self.frame_ancestors, response.headers_mut());
        }
        Ok(chosen(response))
    }

    pub(super) fn session(&self, id: &SessionId) -> Result<Response<Body>, Problem> {
        match self.published.pages.session(id) {
            Some(page) => self.kept(page),
            None => self.made(web::session(&self.published.release, id).ok_or(Problem::NotFound)?),
        }
    }

    pub(super) fn track(&self, slug: &Slug) -> Result<Response<Body>, Problem> {
        let release = &self.published.release;
        match self.published.pages.track(release, slug) {
            Some(page) => self.kept(page),
            None => self.made(web::track(release, slug).ok_or(Problem::NotFound)?),
        }
    }

    pub(super) fn speaker(&self, slug: &Slug) -> Result<Response<Body>, Problem> {
        match self.published.pages.page(&format!("/speakers/{slug}")) {
            Some(page) => self.kept(page),
            None => self.made(web::speaker(&self.published.release, slug).ok_or(Problem::NotFound)?),
        }
    }

    pub(super) fn file(&self, path: &str) -> Result<Response<Body>, Problem> {
        self.kept(self.published.pages.page(path).ok_or(Problem::NotFound)?)
    }

    pub(super) fn asset(&self, name: &str) -> Result<Response<Body>, Problem> {
        let path = format!("/assets/{name}");
        let page = Assets::all().get(&path).or_else(|| self.published.pages.page(&path));
        self.kept(page.ok_or(Problem::NotFound)?)
    }

    pub(super) fn changes(&self) -> Result<Response<Body>, Problem> {
        let release = &self.published.release;
        let newest = release.number();
        let oldest = newest.saturating_sub(NOTES as u64 - 1).max(1);
        let records = (oldest..=newest).rev().map(|n| self.store.release(n));
        let records: Vec<_> = records.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect();
        let notes: Vec<ReleaseNotes<'_>> = records
            .iter()
            .map(|record| ReleaseNotes {
                number: record.number,
                published: record.published,
                changes: &record.changes,
            })
            .collect();
        self.made(web::changes(release, &notes))
    }

    pub(super) fn reference(&self) -> Result<Response<Body>, Problem> {
        self.made(web::reference(&self.published.release, reference()))
    }

    /// A page that was made at publication, with its codings.
    fn kept(&self, page: &Page) -> Result<Response<Body>, Problem> {
        let coded = page.coded(|made| wanted(&self.request.headers, made));
        let tag = match &coded {
            Some(coded) => EntityTag::coded(&page.hash, coded.coding, coded.level),
            None => EntityTag::plain(&page.hash),
        };
        let representation = Representation {
            media_type: page.media_type,
            validators: Validators { tag, modified: None },
            coding: coded.as_ref().map_or(Coding::Identity, |coded| coded.coding),
            body: Content::Kept(coded.map_or_else(|| page.identity.clone(), |coded| coded.bytes)),
            fields: Vec::new(),
        };
        representation.answer(self.request)
    }

    /// A page that is the same for everybody and is made when it is asked for.
    pub(super) fn made(&self, body: String) -> Result<Response<Body>, Problem> {
        self.made_as(HTML, body)
    }

    fn made_as(&self, media_type: &'static str, body: String) -> Result<Response<Body>, Problem> {
        let tag = EntityTag::plain(Digest::of(body.as_bytes()).short());
        let modified = settled(self.published.release.published(), self.clock.now());
        let representation = Representation {
            media_type,
            // The time alone would not tell two filters apart for a cache, the tag does.
            validators: Validators { tag, modified },
            coding: Coding::Identity,
            body: Content::Kept(body.into()),
            fields: Vec::new(),
        };
        representation.answer(self.request)
    }
}
