//! Bodies that are made of the running release when they are first asked for, and kept until the next.
//!
//! Making one runs on a thread of its own. Invariant: what is kept is of one release, and bounded.

use super::conditional::Validators;
use super::encoding::negotiate;
use super::representation::{Content, Representation, settled};
use super::{Body, EntityTag, Problem};
use crate::export::Exported;
use crate::feed::{Coded, Coding, Effort};
use crate::release::Release;
use chrono::{DateTime, Utc};
use http::Response;
use http::request::Parts;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Bytes kept at most, but for the last body; beyond, all are let go.
const MOST: usize = 32 * 1024 * 1024;
/// Bodies kept at most.
const MOST_BODIES: usize = 1000;

/// What was made of the running release, by path and canonical query.
#[derive(Debug, Default)]
pub(super) struct Kept(Mutex<Option<Known>>);

#[derive(Debug)]
struct Known {
    /// Also tells a release whose text was erased from the same one before.
    release: Arc<Release>,
    made: HashMap<String, Arc<Made>>,
    bytes: usize,
}

#[derive(Debug)]
struct Made {
    exported: Exported,
    gzip: Option<Coded>,
}

impl Kept {
    /// Answers with the body of a name, made by `make` where it is not kept.
    pub(super) async fn answer(
        &self,
        name: String,
        release: &Arc<Release>,
        request: &Parts,
        now: DateTime<Utc>,
        make: impl FnOnce(&Release) -> Result<Exported, Problem> + Send + 'static,
    ) -> Result<Response<Body>, Problem> {
        let made = match self.known(&name, release) {
            Some(made) => made,
            None => self.make(name, release, make).await?,
        };
        made.representation(request, now).answer(request)
    }

    fn known(&self, name: &str, release: &Arc<Release>) -> Option<Arc<Made>> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.as_ref().filter(|known| Arc::ptr_eq(&known.release, release))?.made.get(name).cloned()
    }

    async fn make(
        &self,
        name: String,
        release: &Arc<Release>,
        make: impl FnOnce(&Release) -> Result<Exported, Problem> + Send + 'static,
    ) -> Result<Arc<Made>, Problem> {
        let whole = Arc::clone(release);
        let work = move || {
            let exported = make(&whole)?;
            let gzip = Coded::make(Coding::Gzip, Effort::Best, &exported.bytes);
            Ok::<_, Problem>(Made { exported, gzip })
        };
        let made = Arc::new(tokio::task::spawn_blocking(work).await??);
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let fits = |known: &Known| {
            Arc::ptr_eq(&known.release, release)
                && known.bytes + made.len() <= MOST
                && known.made.len() < MOST_BODIES
        };
        if !kept.as_ref().is_some_and(fits) {
            *kept = Some(Known { release: Arc::clone(release), made: HashMap::new(), bytes: 0 });
        }
        if let Some(known) = kept.as_mut() {
            known.bytes += made.len();
            known.made.insert(name, Arc::clone(&made));
        }
        Ok(made)
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
