//! Exports over HTTP: the whole program in the formats of other tools.
//!
//! Exports are rendered ahead after each publication ([`super::warmup`]) and cached until the next one. If an export
//! is not rendered ahead, its first request renders it.

use super::render_cache::{CacheKey, RenderCache, RenderRequest};
use super::reply::Answer;
use super::warmup::Warmup;
use crate::export::{Exported, giggity_menu, program_text, schedule_csv, schedule_json, schedule_xml};
use crate::release::Release;
use std::sync::Arc;

/// A format of the whole program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    /// frab / c3voc, XML.
    Xml,
    /// frab / c3voc, JSON.
    Json,
    /// The CSV format of the program file.
    Csv,
    /// Text for terminals.
    Text,
    /// Giggity's menu entry.
    Giggity,
}

impl Format {
    /// All formats; the small ones first.
    pub(super) const ALL: [Self; 5] = [Self::Giggity, Self::Text, Self::Csv, Self::Json, Self::Xml];

    fn name(self) -> String {
        format!("{self:?}")
    }

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

/// The most bytes of cached exports. The five compressed exports of 50,000 sessions need far less, so none evicts
/// another.
const MAX_BYTES: u64 = 256 * 1024 * 1024;

/// The exports of the live release.
#[derive(Debug)]
pub(super) struct Exports {
    cache: RenderCache,
    warmup: Warmup,
}

impl Exports {
    pub(super) fn new(warmup: Warmup) -> Self {
        Self { cache: RenderCache::new(MAX_BYTES, Format::ALL.len()), warmup }
    }

    pub(super) fn render_ahead(&self, format: Format, release: &Arc<Release>) {
        self.cache.render_ahead(&format.name(), release, |release| format.render(release));
    }

    pub(super) async fn answer(&self, format: Format, request: RenderRequest<'_>) -> Answer {
        let key = CacheKey { name: format.name(), is_cacheable: true };
        self.warmup.wait(request.release, || self.cache.has(&key.name, request.release)).await?;
        self.cache.answer(key, request, move |release| Ok(format.render(release))).await
    }
}
