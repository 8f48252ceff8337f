//! The pages that are rendered once, when a release is published.

use super::site::Site;
use super::{Assets, Page, View, files, part, program, session};
use crate::feed::Effort;
use crate::program::{SessionId, Slug};
use crate::release::Release;
use std::collections::HashMap;

/// Programs with more sessions have the pages of sessions, tracks and speakers made when they are asked for:
/// tens of thousands that nobody opens would outweigh everything else that a publication does.
const MOST_SESSIONS: usize = 2000;

/// Every public page of a release, by path.
#[derive(Debug)]
pub struct Pages {
    pages: HashMap<String, Page>,
}

impl Pages {
    /// Renders the program's default view and, but in a large program, every session, track and speaker, with what crawlers and
    /// browsers ask for beside them. Reads no clock: the same release gives the same bytes.
    pub fn render(release: &Release) -> Self {
        let site = Site::of(release);
        let shown = release.shown();
        let slugs = &release.ledger.slugs;
        let mut pages = HashMap::new();
        pages.insert("/".to_owned(), Page::html(program::program(release, &View::default())));
        let embedded = View { embed: true, ..View::default() };
        pages.insert(embedded.path(), Page::html(program::program(release, &embedded)));
        if shown.len() <= MOST_SESSIONS {
            for entry in &shown {
                let path = format!("/sessions/{}", entry.session.id);
                pages.insert(path, Page::html(session::render(&site, entry)));
            }
            for (slug, track) in &slugs.tracks {
                pages.insert(format!("/tracks/{slug}"), Page::html(part::render_track(&site, track)));
            }
            for slug in slugs.speakers.keys() {
                let page = part::render_speaker(&site, slug);
                pages.insert(format!("/speakers/{slug}"), Page::html(page));
            }
        }
        pages.insert("/offline".to_owned(), Page::html(super::notice::offline(release)));
        files::insert(&site, &shown, &mut pages);
        Self { pages }
    }

    /// The page at a path, `/?embed` included.
    pub fn page(&self, path: &str) -> Option<&Page> {
        self.pages.get(path)
    }

    /// A session's page.
    pub fn session(&self, id: &SessionId) -> Option<&Page> {
        self.page(&format!("/sessions/{id}"))
    }

    /// A track's page, under an old slug of it too.
    pub fn track(&self, release: &Release, slug: &Slug) -> Option<&Page> {
        let track = release.ledger.slugs.track(slug)?;
        self.page(&format!("/tracks/{}", track.slug))
    }

    /// All paths and pages, in no order.
    pub fn all(&self) -> impl Iterator<Item = (&str, &Page)> {
        self.pages.iter().map(|(path, page)| (path.as_str(), page))
    }

    /// Makes the codings of every page and asset; readers get the plain body until then. Stops between two pages
    /// once `is_wanted` says so.
    pub fn compress(&self, effort: Effort, is_wanted: impl Fn() -> bool) {
        Assets::all().compress(effort);
        self.pages.values().take_while(|_| is_wanted()).for_each(|page| page.compress(effort));
    }
}
