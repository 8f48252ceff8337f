//! Bodies that are rendered from the live release on their first request, and cached until the next release.
//!
//! A cached body is sent at once; another is rendered in a turn of a queue. Invariant: all cached bodies belong to one
//! release, within a limit of bytes. Clients choose the names, so the cache resists scans: a body that was requested twice
//! outlives any number that were requested once. Only canonical queries are cached; a client that varies `limit` gets its
//! answers uncompressed and uncached.

use super::body::Packed;
use super::conditional::Validators;
use super::negotiation::negotiate;
use super::queue::Queue;
use super::reply::Answer;
use super::reply::{Content, Representation, stable_last_modified};
use super::{EntityTag, Problem};
use crate::export::Exported;
use crate::feed::{Coded, Coding, Effort};
use crate::release::Release;
use crate::release::ReleaseMark;
use crate::store::Store;
use chrono::{DateTime, Utc};
use http::request::Parts;
use quick_cache::Weighter;
use quick_cache::unsync::Cache;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The cost of an entry besides its bodies, in bytes.
const ENTRY_BYTES: u64 = 512;

/// Rendered bodies of the live release, by name.
pub(super) struct RenderCache {
    max_bytes: u64,
    /// The expected number of bodies, which sizes the tables.
    bodies: usize,
    current: Mutex<Option<ReleaseBodies>>,
}

struct ReleaseBodies {
    release: ReleaseMark,
    bodies: Cache<String, Arc<RenderedBody>, BodyWeight>,
}

#[derive(Debug)]
struct RenderedBody {
    /// The export without its bytes, which `plain` holds.
    exported: Exported,
    plain: Packed,
    gzip: Option<Coded>,
}

/// The name of a body.
pub(super) struct CacheKey {
    pub(super) name: String,
    /// Whether clients have a reason to repeat the query.
    pub(super) is_cacheable: bool,
}

/// A request for something that is rendered from a release.
#[derive(Clone, Copy)]
pub(super) struct RenderRequest<'a> {
    pub(super) release: &'a Arc<Release>,
    pub(super) head: &'a Parts,
    pub(super) now: DateTime<Utc>,
    pub(super) queue: &'a Queue,
}

#[derive(Clone)]
struct BodyWeight;

impl Weighter<String, Arc<RenderedBody>> for BodyWeight {
    fn weight(&self, name: &String, rendered: &Arc<RenderedBody>) -> u64 {
        ENTRY_BYTES + (name.len() + rendered.len()) as u64
    }
}

impl RenderCache {
    /// A cache of at most `max_bytes` in about `bodies` bodies.
    pub(super) fn new(max_bytes: u64, bodies: usize) -> Self {
        Self { max_bytes, bodies, current: Mutex::default() }
    }

    /// Answers with a cached body, or with the body that `render` returns.
    pub(super) async fn answer(
        &self,
        key: CacheKey,
        request: RenderRequest<'_>,
        render: impl FnOnce(&Release) -> Result<Exported, Problem>,
    ) -> Answer {
        let RenderRequest { release, queue, .. } = request;
        let rendered = match self.find(&key.name, release) {
            Some(rendered) => rendered,
            None => queue.make(|| self.find_or_render(key, release, render)).await??,
        };
        rendered.representation(request.head, request.now).answer(request.head)
    }

    /// [`Self::answer`] for bodies that are rendered from the store, on a thread that may wait for the disk.
    pub(super) async fn answer_from_store(
        &self,
        key: CacheKey,
        request: RenderRequest<'_>,
        store: &Store,
        render: impl FnOnce(&Arc<Release>, &Store) -> Result<Exported, Problem> + Send + 'static,
    ) -> Answer {
        let RenderRequest { release, queue, .. } = request;
        let rendered = match self.find(&key.name, release) {
            Some(rendered) => rendered,
            None => {
                let turn = queue.turn().await?;
                match self.find(&key.name, release) {
                    Some(rendered) => rendered,
                    None => {
                        let (of, is_cacheable) = (Arc::clone(release), key.is_cacheable);
                        let rendered = store.read(move |store| {
                            let _turn = turn;
                            Ok::<_, Problem>(RenderedBody::new(render(&of, store)?, is_cacheable))
                        });
                        self.insert(key, release, rendered.await?)
                    }
                }
            }
        };
        rendered.representation(request.head, request.now).answer(request.head)
    }

    /// Renders a body before it is requested.
    pub(super) fn render_ahead(
        &self,
        name: &str,
        release: &Arc<Release>,
        render: impl FnOnce(&Release) -> Exported,
    ) {
        let key = CacheKey { name: name.to_owned(), is_cacheable: true };
        // Rendering itself cannot fail here.
        let _ = self.find_or_render(key, release, |release| Ok(render(release)));
    }

    /// Whether a body is cached.
    pub(super) fn has(&self, name: &str, release: &Arc<Release>) -> bool {
        self.find(name, release).is_some()
    }

    fn find(&self, name: &str, release: &Arc<Release>) -> Option<Arc<RenderedBody>> {
        let mut current = self.lock();
        let current = current.as_mut().filter(|current| current.release.is(release));
        current?.bodies.get(name).cloned()
    }

    /// Looks into the cache again first: another request may have rendered the body while this one waited.
    fn find_or_render(
        &self,
        key: CacheKey,
        release: &Arc<Release>,
        render: impl FnOnce(&Release) -> Result<Exported, Problem>,
    ) -> Result<Arc<RenderedBody>, Problem> {
        if let Some(rendered) = self.find(&key.name, release) {
            return Ok(rendered);
        }
        let rendered = RenderedBody::new(render(release)?, key.is_cacheable);
        Ok(self.insert(key, release, rendered))
    }

    fn insert(&self, key: CacheKey, release: &Arc<Release>, rendered: RenderedBody) -> Arc<RenderedBody> {
        let rendered = Arc::new(rendered);
        if !key.is_cacheable {
            return rendered;
        }
        let mut current = self.lock();
        if !current.as_ref().is_some_and(|current| current.release.is(release)) {
            let bodies = Cache::with_weighter(self.bodies, self.max_bytes, BodyWeight);
            *current = Some(ReleaseBodies { release: ReleaseMark::of(release), bodies });
        }
        if let Some(current) = current.as_mut() {
            current.bodies.insert(key.name, Arc::clone(&rendered));
        }
        rendered
    }

    fn lock(&self) -> MutexGuard<'_, Option<ReleaseBodies>> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for RenderCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RenderCache").field("max_bytes", &self.max_bytes).finish_non_exhaustive()
    }
}

impl RenderedBody {
    /// Only a cached body is worth compressing.
    fn new(mut exported: Exported, is_cacheable: bool) -> Self {
        let gzip = is_cacheable.then(|| Coded::make(Coding::Gzip, Effort::Best, &exported.bytes)).flatten();
        let plain = Packed::with(std::mem::take(&mut exported.bytes), gzip.as_ref());
        Self { exported, plain, gzip }
    }

    fn len(&self) -> usize {
        self.plain.weight() + self.gzip.as_ref().map_or(0, |coded| coded.bytes.len())
    }

    fn representation(&self, request: &Parts, now: DateTime<Utc>) -> Representation<'_> {
        let exported = &self.exported;
        let coded = self
            .gzip
            .as_ref()
            .filter(|_| negotiate(&request.headers, |coding| coding == Coding::Gzip) == Coding::Gzip);
        let tag = match coded {
            Some(coded) => EntityTag::coded(&exported.hash, coded.coding, coded.level),
            None => EntityTag::plain(&exported.hash),
        };
        Representation {
            media_type: exported.media_type,
            validators: Validators { tag, modified: stable_last_modified(exported.modified, now) },
            coding: coded.map_or(Coding::Identity, |coded| coded.coding),
            body: match coded {
                Some(coded) => Content::Kept(coded.bytes.clone()),
                None => Content::Packed(&self.plain),
            },
            fields: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures;
    use std::cell::Cell;
    use std::time::Duration;

    const MAX_BYTES: u64 = 1024 * 1024;

    struct CacheFixture {
        cache: RenderCache,
        release: Arc<Release>,
        queue: Queue,
        rendered: Cell<usize>,
    }

    impl CacheFixture {
        fn new() -> Self {
            let queue = Queue::new(1, Duration::ZERO);
            Self {
                cache: RenderCache::new(MAX_BYTES, 100),
                release: Arc::new(fixtures::tricky().release()),
                queue,
                rendered: Cell::new(0),
            }
        }

        async fn get(&self, name: &str, is_cacheable: bool) -> Answer {
            let request = http::Request::get("/x").header("accept-encoding", "gzip").body(()).unwrap();
            let (request, ()) = request.into_parts();
            let now = "2025-03-01T12:00:00Z".parse().unwrap();
            let request = RenderRequest { release: &self.release, head: &request, now, queue: &self.queue };
            let render = |release: &Release| {
                self.rendered.set(self.rendered.get() + 1);
                Ok(Exported::new("text/plain", name.repeat(3_000).into_bytes(), release.published()))
            };
            self.cache.answer(CacheKey { name: name.to_owned(), is_cacheable }, request, render).await
        }
    }

    #[tokio::test]
    async fn a_cached_body_is_sent_while_every_turn_is_taken() {
        let fixture = CacheFixture::new();
        fixture.get("a", true).await.unwrap();
        let _turn = fixture.queue.turn().await.unwrap();
        assert!(fixture.get("a", true).await.is_ok());
        assert!(matches!(fixture.get("b", true).await, Err(Problem::Overloaded)));
        assert_eq!(fixture.rendered.get(), 1);
    }

    #[tokio::test]
    async fn a_scan_evicts_no_body_that_is_requested_again() {
        let fixture = CacheFixture::new();
        for _ in 0..3 {
            fixture.get("popular", true).await.unwrap();
        }
        assert_eq!(fixture.rendered.get(), 1);
        for n in 0..3_000 {
            fixture.get(&format!("scan {n:04}"), true).await.unwrap();
        }
        let weight = fixture.cache.lock().as_ref().map(|current| current.bodies.weight()).unwrap();
        assert!(weight <= MAX_BYTES, "{weight}");
        fixture.get("popular", true).await.unwrap();
        assert_eq!(fixture.rendered.get(), 3_001, "the popular body was rendered again");
    }

    #[tokio::test]
    async fn an_uncacheable_body_is_neither_cached_nor_compressed() {
        let fixture = CacheFixture::new();
        for rendered in 1..=2 {
            let answer = fixture.get("odd", false).await.unwrap();
            assert!(!answer.headers().contains_key("content-encoding"));
            assert_eq!(fixture.rendered.get(), rendered);
        }
        assert!(fixture.get("plain", true).await.unwrap().headers().contains_key("content-encoding"));
    }
}
