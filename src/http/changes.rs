//! Change feeds over HTTP: Atom and JSON Feed of the program, of a track, of an agenda.
//!
//! The records of the releases are read once per release, the public feeds rendered once; a request for one
//! that is known is a look at its validators.

use super::conditional::Validators;
use super::queue::Queue;
use super::render_cache::RenderRequest;
use super::reply::Answer;
use super::representation::{Content, Representation, stable_last_modified};
use super::{EntityTag, Problem};
use crate::agenda::ReadToken;
use crate::export::{self, Exported, ReleaseChanges, Scope};
use crate::feed::Coding;
use crate::http::agendas::Agendas;
use crate::program::{Change, Slug, Text};
use crate::release::Release;
use crate::store::{ReadError, Store};
use chrono::{DateTime, Utc};
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
pub(super) enum ChangeFeed {
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
    releases: Vec<KnownRelease>,
    rendered: Mutex<Rendered>,
}

/// What a feed needs of a release's record.
#[derive(Debug)]
struct KnownRelease {
    number: u64,
    published: DateTime<Utc>,
    count: usize,
    /// Empty for release 1, whose feed entry only gives their number.
    changes: Vec<Change>,
}

/// A track, or none for the program, and the form.
type Which = (Option<Slug>, Form);

/// The public feeds; there are no more than tracks and forms.
type Rendered = HashMap<Which, Arc<Exported>>;

impl Known {
    fn read(release: Arc<Release>, store: &Store) -> Result<Self, ReadError> {
        let last = release.number();
        let mut releases = Vec::new();
        for number in last.saturating_sub(LOOK_BACK).max(1)..=last {
            if number == 1 {
                releases.extend(store.release_summary(number)?.map(|first| KnownRelease {
                    number,
                    published: first.published,
                    count: first.changes,
                    changes: Vec::new(),
                }));
            } else if let Some(record) = store.release(number)? {
                let (published, changes) = (record.published, record.changes);
                releases.push(KnownRelease { number, published, count: changes.len(), changes });
            }
        }
        Ok(Self { release, releases, rendered: Mutex::default() })
    }

    fn feed(&self, scope: Scope<'_>) -> export::ChangeFeed {
        let published = self.releases.iter().map(|release| ReleaseChanges {
            number: release.number,
            published: release.published,
            count: release.count,
            changes: &release.changes,
        });
        export::ChangeFeed::of(&self.release, &published.collect::<Vec<_>>(), scope)
    }

    fn rendered(&self, which: &Which) -> Option<Arc<Exported>> {
        self.rendered.lock().unwrap_or_else(PoisonError::into_inner).get(which).cloned()
    }

    /// Renders it outside the lock: those that lie ready do not wait for it.
    fn render(&self, which: Which) -> Arc<Exported> {
        if let Some(exported) = self.rendered(&which) {
            return exported;
        }
        let feed = self.feed(which.0.as_ref().map_or(Scope::Program, Scope::Track));
        let exported = Arc::new(match which.1 {
            Form::Atom => feed.atom(),
            Form::Json => feed.json(),
        });
        let mut rendered = self.rendered.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(rendered.entry(which).or_insert(exported))
    }
}

impl Changes {
    /// What was read for a release.
    fn known(&self, release: &Arc<Release>) -> Option<Arc<Known>> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        known.filter(|known| Arc::ptr_eq(&known.release, release))
    }

    /// The same, read where it was not.
    fn read(&self, release: &Arc<Release>, store: &Store) -> Result<Arc<Known>, Problem> {
        if let Some(known) = self.known(release) {
            return Ok(known);
        }
        let known = Arc::new(Known::read(Arc::clone(release), store)?);
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&known));
        Ok(known)
    }

    /// Renders the public feeds before they are requested. `is_live` ends that early.
    pub(super) fn render_ahead(&self, release: &Arc<Release>, store: &Store, is_live: &dyn Fn() -> bool) {
        let known = match self.read(release, store) {
            Ok(known) => known,
            Err(error) => {
                tracing::warn!(%error, "the change feeds could not be rendered ahead");
                return;
            }
        };
        let program = [(None, Form::Atom), (None, Form::Json)];
        let tracks = release.program.tracks.iter().map(|track| (Some(track.slug.clone()), Form::Atom));
        for which in program.into_iter().chain(tracks).take_while(|_| is_live()) {
            known.render(which);
        }
    }

    /// Whether a feed can be sent without reading all releases.
    pub(super) fn is_ready(&self, feed: &ChangeFeed, release: &Arc<Release>) -> bool {
        let Some(known) = self.known(release) else { return false };
        let which = match feed {
            ChangeFeed::Program(form) => (None, *form),
            ChangeFeed::Track(slug) => match release.ledger.slugs.track(slug) {
                Some(track) => (Some(track.slug.clone()), Form::Atom),
                None => return true,
            },
            ChangeFeed::Agenda(_) => return true,
        };
        known.rendered(&which).is_some()
    }

    /// A public feed, made in a turn where it does not lie ready.
    async fn public(
        &self,
        which: Which,
        release: &Arc<Release>,
        store: &Store,
        queue: &Queue,
    ) -> Result<Arc<Exported>, Problem> {
        match self.known(release).and_then(|known| known.rendered(&which)) {
            Some(exported) => Ok(exported),
            None => queue.make(|| Ok(self.read(release, store)?.render(which))).await?,
        }
    }

    /// Answers.
    pub(super) async fn answer(
        &self,
        feed: ChangeFeed,
        agendas: &Agendas,
        RenderRequest { release, head, now, queue }: RenderRequest<'_>,
    ) -> Answer {
        let store = agendas.store();
        let exported = match feed {
            ChangeFeed::Program(form) => self.public((None, form), release, store, queue).await?,
            ChangeFeed::Track(slug) => {
                let track = release.ledger.slugs.track(&slug).ok_or(Problem::NotFound)?;
                self.public((Some(track.slug.clone()), Form::Atom), release, store, queue).await?
            }
            ChangeFeed::Agenda(token) => {
                let agenda = agendas.shared(&token)?.open()?;
                let name = match agenda.name.is_empty() {
                    true => Text::from("my agenda"),
                    false => Text::line(&agenda.name).0,
                };
                let scope = Scope::Agenda { name: &name, key: &token.hash().0, picks: &agenda.picks };
                let make = || Ok::<_, Problem>(self.read(release, store)?.feed(scope).atom());
                let mut exported = queue.make(make).await??;
                // Picking and unpicking changes what is in it.
                exported.modified = exported.modified.max(agenda.modified);
                Arc::new(exported)
            }
        };
        let representation = Representation {
            media_type: exported.media_type,
            validators: Validators {
                tag: EntityTag::plain(&exported.hash),
                modified: stable_last_modified(exported.modified, now),
            },
            coding: Coding::Identity,
            body: Content::Kept(exported.bytes.clone()),
            fields: Vec::new(),
        };
        representation.answer(head)
    }
}
