//! A body that is made once and served many times.

use crate::feed::{Coded, Coding, Codings, Effort};
use crate::revision::Digest;
use bytes::Bytes;

/// A page or asset with its validator and codings, like a feed's.
#[derive(Debug)]
pub struct Page {
    /// Its media type.
    pub media_type: &'static str,
    /// The hash in its entity tags.
    pub hash: String,
    /// The plain body.
    pub identity: Bytes,
    codings: Codings,
}

impl Page {
    pub(super) fn new(media_type: &'static str, body: impl Into<Bytes>) -> Self {
        let identity = body.into();
        let hash = Digest::of(&identity).short();
        Self { media_type, hash, identity, codings: Codings::default() }
    }

    pub(super) fn html(mut body: String) -> Self {
        body.shrink_to_fit();
        Self::new("text/html; charset=utf-8", body)
    }

    /// The body in one of the codings that are made by now.
    pub fn coded(&self, choose: impl FnOnce(&[Coded]) -> Option<&Coded>) -> Option<Coded> {
        self.codings.choose(choose)
    }

    /// Makes the codings; readers get the plain body until then.
    pub fn compress(&self, effort: Effort) {
        self.codings.make(effort, &Coding::MADE, &self.identity);
    }
}
