//! Change feeds over HTTP: Atom and JSON Feed of the program, of a track, of an agenda.
//!
//! The records of the releases are read once for each live release. Public feeds are rendered once, an agenda's feed
//! once for each of its versions, so requests for rendered feeds take no turn. [`ReleaseHistory`] gives other handlers
//! the records.

use super::conditional::Validators;
use super::queue::Queue;
use super::render_cache::RenderRequest;
use super::reply::Answer;
use super::reply::{Content, Representation, stable_last_modified};
use super::{EntityTag, Problem};
use crate::agenda::ReadToken;
use crate::export::{self, Exported, ReleaseChanges, Scope};
use crate::feed::Coding;
use crate::http::agendas::Agendas;
use crate::program::{Change, Slug, Text};
use crate::release::Release;
use crate::release::ReleaseMark;
use crate::revision::Digest;
use crate::store::{AgendaRecord, ReadError, ReleaseRecord, Store};
use chrono::{DateTime, Utc};
use quick_cache::unsync::Cache;
use std::collections::HashMap;
use std::fmt;
use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How many rendered feeds of agendas are cached.
const MAX_AGENDA_FEEDS: usize = 200;

/// A feed's form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Form {
    Atom,
    Json,
}

/// A change feed that a path names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ChangeFeedAddress {
    Program(Form),
    Track(Slug),
    Agenda(ReadToken),
}

/// The change feeds of the live release. Clones share them.
#[derive(Debug, Clone, Default)]
pub(super) struct ChangeFeeds(Arc<Mutex<Option<Arc<CachedChanges>>>>);

struct CachedChanges {
    release: ReleaseMark,
    releases: Vec<CachedRelease>,
    rendered: Mutex<RenderedFeeds>,
    /// Rendered feeds, by the hash of the read link and the agenda's version.
    agendas: Mutex<Cache<(Digest, u64), Arc<Exported>>>,
}

impl fmt::Debug for CachedChanges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CachedChanges").field("release", &self.release).finish_non_exhaustive()
    }
}

/// The parts of a release's record that a feed needs.
#[derive(Debug)]
struct CachedRelease {
    number: u64,
    published: DateTime<Utc>,
    count: usize,
    /// Empty for release 1, whose feed entry only states the number of changes.
    changes: Vec<Change>,
}

/// A public feed: its track, or none for the program, and its form.
type PublicFeedKey = (Option<Slug>, Form);

/// The public feeds; there are no more than tracks and forms.
type RenderedFeeds = HashMap<PublicFeedKey, Arc<Exported>>;

impl CachedChanges {
    fn read(release: &Arc<Release>, store: &Store) -> Result<Self, ReadError> {
        let mut releases = Vec::new();
        for number in covered(release.number()) {
            if number == 1 {
                releases.extend(store.release_summary(number)?.map(|first| CachedRelease {
                    number,
                    published: first.published,
                    count: first.changes,
                    changes: Vec::new(),
                }));
            } else if let Some(record) = store.release(number)? {
                let (published, changes) = (record.published, record.changes);
                releases.push(CachedRelease { number, published, count: changes.len(), changes });
            }
        }
        let agendas = Mutex::new(Cache::new(MAX_AGENDA_FEEDS));
        let release = ReleaseMark::of(release);
        Ok(Self { release, releases, rendered: Mutex::default(), agendas })
    }

    fn feed(&self, release: &Release, scope: Scope<'_>) -> export::ChangeFeed {
        let published = self.releases.iter().map(|release| ReleaseChanges {
            number: release.number,
            published: release.published,
            count: release.count,
            changes: &release.changes,
        });
        export::ChangeFeed::of(release, &published.collect::<Vec<_>>(), scope)
    }

    fn rendered(&self, key: &PublicFeedKey) -> Option<Arc<Exported>> {
        self.rendered.lock().unwrap_or_else(PoisonError::into_inner).get(key).cloned()
    }

    /// Renders a public feed, outside the lock: requests for rendered feeds do not wait for it.
    fn render(&self, key: PublicFeedKey, release: &Release) -> Arc<Exported> {
        if let Some(exported) = self.rendered(&key) {
            return exported;
        }
        let feed = self.feed(release, key.0.as_ref().map_or(Scope::Program, Scope::Track));
        let exported = Arc::new(match key.1 {
            Form::Atom => feed.atom(),
            Form::Json => feed.json(),
        });
        let mut rendered = self.rendered.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(rendered.entry(key).or_insert(exported))
    }

    /// A public feed. Rendering it takes a turn.
    async fn public(
        &self,
        key: PublicFeedKey,
        release: &Release,
        queue: &Queue,
    ) -> Result<Arc<Exported>, Problem> {
        match self.rendered(&key) {
            Some(exported) => Ok(exported),
            None => queue.make(|| self.render(key, release)).await,
        }
    }

    /// The feed of an agenda. Rendering it takes a turn.
    async fn agenda(
        &self,
        token: &ReadToken,
        agenda: &AgendaRecord,
        release: &Release,
        queue: &Queue,
    ) -> Result<Arc<Exported>, Problem> {
        let hash = token.hash();
        let cached = || self.agendas.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(exported) = cached().get(&(hash, agenda.version)).cloned() {
            return Ok(exported);
        }
        let name = match agenda.name.is_empty() {
            true => Text::from("my agenda"),
            false => Text::line(&agenda.name).0,
        };
        let scope = Scope::Agenda { name: &name, key: &hash.0, picks: &agenda.picks };
        let mut exported = queue.make(|| self.feed(release, scope).atom()).await?;
        // Picking and unpicking change the feed too.
        exported.modified = exported.modified.max(agenda.modified);
        let exported = Arc::new(exported);
        cached().insert((hash, agenda.version), Arc::clone(&exported));
        Ok(exported)
    }
}

impl ChangeFeeds {
    /// The cached records of a release, if they were read.
    fn cached(&self, release: &Arc<Release>) -> Option<Arc<CachedChanges>> {
        let cached = self.lock().clone();
        cached.filter(|cached| cached.release.is(release))
    }

    /// The records of a release, which are read unless they are cached.
    fn read(&self, release: &Arc<Release>, store: &Store) -> Result<Arc<CachedChanges>, Problem> {
        if let Some(cached) = self.cached(release) {
            return Ok(cached);
        }
        let cached = Arc::new(CachedChanges::read(release, store)?);
        *self.lock() = Some(Arc::clone(&cached));
        Ok(cached)
    }

    fn lock(&self) -> MutexGuard<'_, Option<Arc<CachedChanges>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Renders the public feeds before they are requested. Stops early once `is_live` returns false.
    pub(super) fn render_ahead(&self, release: &Arc<Release>, store: &Store, is_live: &dyn Fn() -> bool) {
        let cached = match self.read(release, store) {
            Ok(cached) => cached,
            Err(error) => {
                tracing::warn!(%error, "the change feeds could not be rendered ahead");
                return;
            }
        };
        let program = [(None, Form::Atom), (None, Form::Json)];
        let tracks = release.program.tracks.iter().map(|track| (Some(track.slug.clone()), Form::Atom));
        for key in program.into_iter().chain(tracks).take_while(|_| is_live()) {
            cached.render(key, release);
        }
    }

    /// Whether a feed can be sent without reading all releases.
    pub(super) fn is_ready(&self, feed: &ChangeFeedAddress, release: &Arc<Release>) -> bool {
        let Some(cached) = self.cached(release) else { return false };
        let key = match feed {
            ChangeFeedAddress::Program(form) => (None, *form),
            ChangeFeedAddress::Track(slug) => match release.ledger.slugs.track(slug) {
                Some(track) => (Some(track.slug.clone()), Form::Atom),
                None => return true,
            },
            ChangeFeedAddress::Agenda(_) => return true,
        };
        cached.rendered(&key).is_some()
    }

    /// [`Self::read`] on a thread that may wait for the disk.
    async fn load(
        &self,
        release: &Arc<Release>,
        store: &Store,
        queue: &Queue,
    ) -> Result<Arc<CachedChanges>, Problem> {
        if let Some(cached) = self.cached(release) {
            return Ok(cached);
        }
        let (turn, changes, of) = (queue.turn().await?, self.clone(), Arc::clone(release));
        let read = move |store: &Store| {
            let _turn = turn;
            changes.read(&of, store)
        };
        store.read(read).await
    }

    /// Answers a request for a change feed.
    pub(super) async fn answer(
        &self,
        feed: ChangeFeedAddress,
        agendas: &Agendas,
        RenderRequest { release, head, now, queue }: RenderRequest<'_>,
    ) -> Answer {
        let cached = self.load(release, agendas.store(), queue).await?;
        let exported = match feed {
            ChangeFeedAddress::Program(form) => cached.public((None, form), release, queue).await?,
            ChangeFeedAddress::Track(slug) => {
                let track = release.ledger.slugs.track(&slug).ok_or(Problem::NotFound)?;
                cached.public((Some(track.slug.clone()), Form::Atom), release, queue).await?
            }
            ChangeFeedAddress::Agenda(token) => {
                let agenda = agendas.shared(&token)?.open()?;
                cached.agenda(&token, &agenda, release, queue).await?
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

/// How many releases are covered.
pub(super) const MAX_HISTORY: u64 = 500;

/// The numbers of the releases that are covered while a release is live.
pub(super) fn covered(live: u64) -> RangeInclusive<u64> {
    live.saturating_sub(MAX_HISTORY).max(1)..=live
}

/// The records of the latest releases, read and parsed once for each live release. Clones share them.
///
/// One release can record a change for every session, so parsing it again for each request would take a processor for a
/// fraction of a second.
#[derive(Debug, Clone, Default)]
pub(super) struct ReleaseHistory(Arc<Mutex<Option<Arc<ReleaseRecords>>>>);

/// The records of one live release and its predecessors.
#[derive(Debug)]
pub(super) struct ReleaseRecords {
    release: ReleaseMark,
    records: Vec<ReleaseRecord>,
}

impl ReleaseHistory {
    /// The records for a live release. This method may read the disk, so call it on a thread that may wait.
    pub(super) fn of(&self, release: &Arc<Release>, store: &Store) -> Result<Arc<ReleaseRecords>, ReadError> {
        if let Some(known) = self.lock().as_ref().filter(|known| known.release.is(release)) {
            return Ok(Arc::clone(known));
        }
        let mut records = Vec::new();
        for number in covered(release.number()) {
            records.extend(store.release(number)?);
        }
        let records = Arc::new(ReleaseRecords { release: ReleaseMark::of(release), records });
        *self.lock() = Some(Arc::clone(&records));
        Ok(records)
    }

    fn lock(&self) -> MutexGuard<'_, Option<Arc<ReleaseRecords>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ReleaseRecords {
    /// The oldest first.
    pub(super) fn all(&self) -> &[ReleaseRecord] {
        &self.records
    }

    pub(super) fn get(&self, number: u64) -> Option<&ReleaseRecord> {
        let place = self.records.binary_search_by_key(&number, |record| record.number).ok()?;
        self.records.get(place)
    }
}
