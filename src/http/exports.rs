//! Exports over HTTP: the whole program in the formats of other tools.
//!
//! After a publication, the publisher's background thread renders the exports of the new release ahead of requests, one
//! after the other. They are cached until the next publication. A request for an export that is not ready waits for it a
//! few seconds instead of rendering it as well. That thread yields to all others, so on a busy machine it may take very
//! long: then the request renders the export itself. The same holds for exports that are not rendered ahead.

use super::render_cache::{CacheKey, RenderCache, RenderRequest};
use super::reply::Answer;
use crate::export::{Exported, giggity_menu, program_text, schedule_csv, schedule_json, schedule_xml};
use crate::release::Release;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// A format of the whole program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ExportFormat {
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

impl ExportFormat {
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
        Self { cache: RenderCache::new(MAX_BYTES, ExportFormat::ALL.len()), warmup }
    }

    pub(super) fn render_ahead(&self, format: ExportFormat, release: &Arc<Release>) {
        self.cache.render_ahead(&format.name(), release, |release| format.render(release));
    }

    pub(super) async fn answer(&self, format: ExportFormat, request: RenderRequest<'_>) -> Answer {
        let key = CacheKey { name: format.name(), is_cacheable: true };
        self.warmup.wait(request.release, || self.cache.has(&key.name, request.release)).await;
        self.cache.answer(key, request, move |release| Ok(format.render(release))).await
    }
}

/// How long a request waits before it renders the export itself.
const MAX_WAIT: Duration = Duration::from_secs(3);

/// The release whose exports are being rendered ahead, if any.
#[derive(Debug, Clone, Default)]
pub(super) struct Warmup(watch::Sender<Option<Arc<Release>>>);

/// Marks a release as being rendered ahead, until this value is dropped.
pub(super) struct WarmupGuard {
    warmup: Warmup,
    release: Arc<Release>,
}

impl Warmup {
    /// Makes requests for the release's exports wait.
    pub(super) fn begin(&self, release: &Arc<Release>) -> WarmupGuard {
        self.0.send_replace(Some(Arc::clone(release)));
        WarmupGuard { warmup: self.clone(), release: Arc::clone(release) }
    }

    /// Waits until an export is ready or is not being rendered ahead, but not long.
    pub(super) async fn wait(&self, release: &Arc<Release>, is_ready: impl Fn() -> bool) {
        let mut rendering = self.0.subscribe();
        let wait = async {
            loop {
                let is_rendering = is_same(rendering.borrow_and_update().as_ref(), release);
                if !is_rendering || is_ready() || rendering.changed().await.is_err() {
                    return;
                }
            }
        };
        let _ = tokio::time::timeout(MAX_WAIT, wait).await;
    }
}

impl WarmupGuard {
    pub(super) fn release(&self) -> &Arc<Release> {
        &self.release
    }

    /// Wakes the requests that wait, after an export is ready.
    pub(super) fn notify(&self) {
        self.warmup.0.send_modify(|_| {});
    }
}

impl Drop for WarmupGuard {
    fn drop(&mut self) {
        self.warmup.0.send_if_modified(|rendering| {
            let is_ours = is_same(rendering.as_ref(), &self.release);
            if is_ours {
                *rendering = None;
            }
            is_ours
        });
    }
}

fn is_same(rendering: Option<&Arc<Release>>, release: &Arc<Release>) -> bool {
    rendering.is_some_and(|rendering| Arc::ptr_eq(rendering, release))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicBool, Ordering};

    fn release() -> Arc<Release> {
        Arc::new(crate::fixtures::tricky().release())
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_waits_for_its_export_but_not_long() {
        let (warmup, live, is_ready) = (Warmup::default(), release(), AtomicBool::new(false));
        let ready = || is_ready.load(Ordering::Relaxed);
        let started = tokio::time::Instant::now();
        warmup.wait(&live, ready).await;
        let rendering = warmup.begin(&live);
        warmup.wait(&release(), ready).await; // another release
        {
            let mut waiting = std::pin::pin!(warmup.wait(&live, ready));
            rendering.notify();
            assert!(tokio::time::timeout(MAX_WAIT / 2, waiting.as_mut()).await.is_err(), "another export");
            is_ready.store(true, Ordering::Relaxed);
            rendering.notify();
            waiting.await;
        }
        assert_eq!(started.elapsed().as_secs(), (MAX_WAIT / 2).as_secs());
        is_ready.store(false, Ordering::Relaxed);
        let started = tokio::time::Instant::now();
        warmup.wait(&live, ready).await;
        assert_eq!(started.elapsed().as_secs(), MAX_WAIT.as_secs());
        let mut waiting = std::pin::pin!(warmup.wait(&live, ready));
        assert!(tokio::time::timeout(MAX_WAIT / 2, waiting.as_mut()).await.is_err());
        drop(rendering);
        waiting.await;
    }
}
