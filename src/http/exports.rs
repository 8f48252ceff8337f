//! Exports over HTTP: the whole program in the formats of other tools.
//!
//! An export is rendered on its first request after a publication, and cached until the next.

use super::render_cache::{CacheKey, RenderCache, RenderRequest};
use super::reply::Answer;
use crate::export::{Exported, giggity_menu, program_text, schedule_csv, schedule_json, schedule_xml};
use crate::release::Release;

/// A format of the whole program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    /// frab / c3voc, XML.
    Xml,
    /// frab / c3voc, JSON.
    Json,
    /// Our own CSV back out.
    Csv,
    /// For terminals.
    Text,
    /// Giggity's menu entry.
    Giggity,
}

impl Format {
    fn render(self, release: &Release) -> Exported {
        match self {
            Self::Xml => schedule_xml(release),
            Self::Json => schedule_json(release),
            Self::Csv => schedule_csv(release),
            Self::Text => program_text(release),
            Self::Giggity => giggity_menu(release),
        }
    }
}

/// The most bytes of cached exports: room for all five of a program of 50,000 sessions, so none evicts another.
const MAX_BYTES: u64 = 512 * 1024 * 1024;

/// The exports of the live release that were requested.
#[derive(Debug)]
pub(super) struct Exports(RenderCache);

impl Default for Exports {
    fn default() -> Self {
        Self(RenderCache::new(MAX_BYTES, 5))
    }
}

impl Exports {
    pub(super) async fn answer(&self, format: Format, request: RenderRequest<'_>) -> Answer {
        let key = CacheKey { name: format!("{format:?}"), is_cacheable: true };
        self.0.answer(key, request, move |release| Ok(format.render(release))).await
    }
}
