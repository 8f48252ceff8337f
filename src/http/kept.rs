//! Bodies that are made of the running release when they are first asked for, and kept until the next.
//!
//! A body that is kept is answered at once; one that is not is made in a turn of a queue. Invariant: what is kept is of one
//! release, and bounded in bytes. Clients choose what is asked for, so the cache resists scans: bodies that were asked for
//! again outlive any number that were asked for once. Only canonical questions are kept at all; a client that varies `limit`
//! gets its answers uncoded and uncached.

use super::conditional::Validators;
use super::encoding::negotiate;
use super::queue::Queue;
use super::representation::{Content, Representation, settled};
use super::{Body, EntityTag, Problem};
use crate::export::Exported;
use crate::feed::{Coded, Coding, Effort};
use crate::release::Release;
use chrono::{DateTime, Utc};
use http::Response;
use http::request::Parts;
use quick_cache::Weighter;
use quick_cache::unsync::Cache;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What an entry costs beside its bodies, in bytes.
const ENTRY: u64 = 512;

/// What was made of the running release, by path and canonical query.
pub(super) struct Kept {
    most: u64,
    /// About how many bodies there are, by which the cache's tables are laid out.
    bodies: usize,
    known: Mutex<Option<Known>>,
}

struct Known {
    /// Also tells a release whose text was erased from the same one before.
    release: Arc<Release>,
    made: Cache<String, Arc<Made>, Weight>,
}

#[derive(Debug)]
struct Made {
    exported: Exported,
    gzip: Option<Coded>,
}

/// What is asked for.
pub(super) struct Asked {
    /// By which it is kept.
    pub(super) name: String,
    /// Whether it is asked in the one way that clients have reason to.
    pub(super) is_kept: bool,
}

/// What an answer depends on beside that.
#[derive(Clone, Copy)]
pub(super) struct Ask<'a> {
    pub(super) release: &'a Arc<Release>,
    pub(super) request: &'a Parts,
    pub(super) now: DateTime<Utc>,
    /// In which it is made.
    pub(super) queue: &'a Queue,
}

#[derive(Clone)]
struct Weight;

impl Weighter<String, Arc<Made>> for Weight {
    fn weight(&self, name: &String, made: &Arc<Made>) -> u64 {
        ENTRY + (name.len() + made.len()) as u64
    }
}

impl Kept {
    /// A cache of so many bytes in about so many bodies.
    pub(super) fn within(most: u64, bodies: usize) -> Self {
        Self { most, bodies, known: Mutex::default() }
    }

    /// Answers with what is asked for, made by `make` where it is not kept.
    pub(super) async fn answer(
        &self,
        asked: Asked,
        ask: Ask<'_>,
        make: impl FnOnce(&Release) -> Result<Exported, Problem>,
    ) -> Result<Response<Body>, Problem> {
        let made = match self.find(&asked.name, ask.release) {
            Some(made) => made,
            // Somebody may have waited for the same.
            None => ask.queue.make(|| self.find_or_make(asked, ask.release, make)).await??,
        };
        made.representation(ask.request, ask.now).answer(ask.request)
    }

    fn find(&self, name: &str, release: &Arc<Release>) -> Option<Arc<Made>> {
        let mut known = self.lock();
        known.as_mut().filter(|known| Arc::ptr_eq(&known.release, release))?.made.get(name).cloned()
    }

    fn find_or_make(
        &self,
        asked: Asked,
        release: &Arc<Release>,
        make: impl FnOnce(&Release) -> Result<Exported, Problem>,
    ) -> Result<Arc<Made>, Problem> {
        if let Some(made) = self.find(&asked.name, release) {
            return Ok(made);
        }
        let exported = make(release)?;
        if !asked.is_kept {
            return Ok(Arc::new(Made { exported, gzip: None }));
        }
        let gzip = Coded::make(Coding::Gzip, Effort::Best, &exported.bytes);
        let made = Arc::new(Made { exported, gzip });
        let mut known = self.lock();
        if !known.as_ref().is_some_and(|known| Arc::ptr_eq(&known.release, release)) {
            let made = Cache::with_weighter(self.bodies, self.most, Weight);
            *known = Some(Known { release: Arc::clone(release), made });
        }
        if let Some(known) = known.as_mut() {
            known.made.insert(asked.name, Arc::clone(&made));
        }
        Ok(made)
    }

    fn lock(&self) -> MutexGuard<'_, Option<Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kept").field("most", &self.most).finish_non_exhaustive()
    }
}

impl Made {
    fn len(&self) -> usize {
        self.exported.bytes.len() + self.gzip.as_ref().map_or(0, |coded| coded.bytes.len())
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
            validators: Validators { tag, modified: settled(exported.modified, now) },
            coding: coded.map_or(Coding::Identity, |coded| coded.coding),
            body: Content::Kept(coded.map_or(&exported.bytes, |coded| &coded.bytes).clone()),
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

    const MOST: u64 = 1024 * 1024;

    struct Bench {
        kept: Kept,
        release: Arc<Release>,
        queue: Queue,
        made: Cell<usize>,
    }

    impl Bench {
        fn new() -> Self {
            let queue = Queue::new(1, Duration::ZERO);
            Self {
                kept: Kept::within(MOST, 100),
                release: Arc::new(fixtures::tricky().release()),
                queue,
                made: Cell::new(0),
            }
        }

        async fn ask(&self, name: &str, is_kept: bool) -> Result<Response<Body>, Problem> {
            let request = http::Request::get("/x").header("accept-encoding", "gzip").body(()).unwrap();
            let (request, ()) = request.into_parts();
            let now = "2025-03-01T12:00:00Z".parse().unwrap();
            let ask = Ask { release: &self.release, request: &request, now, queue: &self.queue };
            let make = |release: &Release| {
                self.made.set(self.made.get() + 1);
                Ok(Exported::new("text/plain", name.repeat(3_000).into_bytes(), release.published()))
            };
            self.kept.answer(Asked { name: name.to_owned(), is_kept }, ask, make).await
        }
    }

    #[tokio::test]
    async fn what_is_kept_is_answered_while_every_turn_is_taken() {
        let bench = Bench::new();
        bench.ask("a", true).await.unwrap();
        let _turn = bench.queue.turn().await.unwrap();
        assert!(bench.ask("a", true).await.is_ok());
        assert!(matches!(bench.ask("b", true).await, Err(Problem::Overloaded)));
        assert_eq!(bench.made.get(), 1);
    }

    #[tokio::test]
    async fn a_client_that_asks_for_everything_once_drives_nothing_out_that_is_asked_for_again() {
        let bench = Bench::new();
        for _ in 0..3 {
            bench.ask("popular", true).await.unwrap();
        }
        assert_eq!(bench.made.get(), 1);
        for n in 0..3_000 {
            bench.ask(&format!("scan {n:04}"), true).await.unwrap();
        }
        let known = bench.kept.lock().as_ref().map(|known| known.made.weight()).unwrap();
        assert!(known <= MOST, "{known}");
        bench.ask("popular", true).await.unwrap();
        assert_eq!(bench.made.get(), 3_001, "the popular body was made again");
    }

    #[tokio::test]
    async fn what_is_not_canonical_is_neither_kept_nor_coded() {
        let bench = Bench::new();
        for made in 1..=2 {
            let answer = bench.ask("odd", false).await.unwrap();
            assert!(!answer.headers().contains_key("content-encoding"));
            assert_eq!(bench.made.get(), made);
        }
        assert!(bench.ask("plain", true).await.unwrap().headers().contains_key("content-encoding"));
    }
}
