//! A body that is made once and served many times.

use crate::feed::{Coded, Coding, Effort};
use crate::revision::Digest;
use arc_swap::ArcSwap;
use bytes::Bytes;
use std::sync::Arc;

/// A page or asset with its validator and codings, like a feed's.
#[derive(Debug)]
pub struct Page {
    /// Its media type.
    pub media_type: &'static str,
    /// The hash in its entity tags.
    pub hash: String,
    /// The plain body.
    pub identity: Bytes,
    coded: ArcSwap<Vec<Coded>>,
}

impl Page {
    pub(super) fn new(media_type: &'static str, body: impl Into<Bytes>) -> Self {
        let identity = body.into();
        let hash = Digest::of(&identity).short();
        Self { media_type, hash, identity, coded: ArcSwap::default() }
    }

    pub(super) fn html(mut body: String) -> Self {
        body.shrink_to_fit();
        Self::new("text/html; charset=utf-8", body)
    }

    /// The body in a coding, once it is made.
    pub fn coded(&self, coding: Coding) -> Option<Coded> {
        self.coded.load().iter().find(|coded| coded.coding == coding).cloned()
    }

    /// Which codings are there.
    pub fn codings(&self) -> Vec<Coding> {
        self.coded.load().iter().map(|coded| coded.coding).collect()
    }

    /// Makes the codings; readers get the plain body until then.
    pub fn compress(&self, effort: Effort) {
        let coded = Coding::MADE.into_iter().filter_map(|coding| Coded::make(coding, effort, &self.identity));
        self.coded.store(Arc::new(coded.collect()));
    }
}
