//! Change feeds over HTTP: Atom and JSON Feed of the program, of a track, of an agenda.
//!
//! The records of the releases are read once per release, the public feeds rendered once; a request for one
//! that is known is a look at its validators.

use super::conditional::Validators;
use super::representation::{Content, Representation, settled};
use super::{Body, EntityTag, Problem};
use crate::agenda::ReadToken;
use crate::export::{ChangeFeed, Exported, Published, Scope};
use crate::feed::Coding;
use crate::http::agendas::Agendas;
use crate::program::{Slug, Text};
use crate::release::Release;
use crate::store::{ReadError, ReleaseRecord, Store};
use chrono::{DateTime, Utc};
use http::Response;
use http::request::Parts;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// The releases that a feed looks back on, the newest.
const LOOK_BACK: u64 = 500;

/// A feed's form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Form {
    Atom,
    Json,
}

/// Which change feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Endpoint {
    Program(Form),
    Track(Slug),
    Agenda(ReadToken),
}

/// What was read and rendered for the running release.
#[derive(Debug, Default)]
pub(super) struct Changes(Mutex<Option<Arc<Known>>>);

#[derive(Debug)]
struct Known {
    /// Also tells a release whose text was erased from the same one before.
    release: Arc<Release>,
    records: Vec<ReleaseRecord>,
    rendered: Mutex<Rendered>,
}

/// By track, none for the program, and form.
type Rendered = HashMap<(Option<Slug>, Form), Arc<Exported>>;

impl Known {
    fn read(release: Arc<Release>, store: &Store) -> Result<Self, ReadError> {
        let last = release.number();
        let mut records = Vec::new();
        for number in last.saturating_sub(LOOK_BACK).max(1)..=last {
            records.extend(store.release(number)?);
        }
        Ok(Self { release, records, rendered: Mutex::default() })
    }

    fn feed(&self, scope: Scope<'_>) -> ChangeFeed {
        let published = self.records.iter().map(|record| Published {
            number: record.number,
            published: record.published,
            changes: &record.changes,
        });
        ChangeFeed::of(&self.release, &published.collect::<Vec<_>>(), scope)
    }

    fn public(&self, track: Option<Slug>, form: Form) -> Arc<Exported> {
        let mut rendered = self.rendered.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = rendered.entry((track.clone(), form));
        let render = || {
            let feed = self.feed(track.as_ref().map_or(Scope::Program, Scope::Track));
            Arc::new(match form {
                Form::Atom => feed.atom(),
                Form::Json => feed.json(),
            })
        };
        Arc::clone(entry.or_insert_with(render))
    }
}

impl Changes {
    /// What is known of a release; reading it is no work for the reactor.
    async fn known(&self, release: &Arc<Release>, store: &Store) -> Result<Arc<Known>, Problem> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(known) = kept.filter(|known| Arc::ptr_eq(&known.release, release)) {
            return Ok(known);
        }
        let (release, store) = (Arc::clone(release), store.clone());
        let read = tokio::task::spawn_blocking(move || Known::read(release, &store)).await;
        let known = Arc::new(read??);
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&known));
        Ok(known)
    }

    /// Answers.
    pub(super) async fn answer(
        &self,
        endpoint: Endpoint,
        agendas: &Agendas,
        release: &Arc<Release>,
        request: &Parts,
        now: DateTime<Utc>,
    ) -> Result<Response<Body>, Problem> {
        let known = self.known(release, agendas.store()).await?;
        let exported = match endpoint {
            Endpoint::Program(form) => known.public(None, form),
            Endpoint::Track(slug) => {
                let track = release.ledger.slugs.track(&slug).ok_or(Problem::NotFound)?;
                known.public(Some(track.slug.clone()), Form::Atom)
            }
            Endpoint::Agenda(token) => {
                let agenda = agendas.shared(&token)?.open()?;
                let name = match agenda.name.is_empty() {
                    true => Text::from("my agenda"),
                    false => Text::line(&agenda.name).0,
                };
                let scope = Scope::Agenda { name: &name, key: &token.hash().0, picks: &agenda.picks };
                let mut exported = known.feed(scope).atom();
                // Picking and unpicking changes what is in it.
                exported.modified = exported.modified.max(agenda.modified);
                Arc::new(exported)
            }
        };
        let representation = Representation {
            media_type: exported.media_type,
            validators: Validators {
                tag: EntityTag::plain(&exported.hash),
                modified: settled(exported.modified, now),
            },
            coding: Coding::Identity,
            body: Content::Kept(exported.bytes.clone()),
            fields: Vec::new(),
        };
        representation.answer(request)
    }
}
