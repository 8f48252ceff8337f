//! The pages and files that are rendered once, when a release is published.

use super::look::{Pictures, own_picture};
use super::part::{self, Listing};
use super::session::Neighbours;
use super::site::Site;
use super::when::When;
use super::{Assets, ProgramView, RenderedPage, program, search, session};
use crate::feed::{Effort, FeedKey};
use crate::program::SessionId;
use crate::release::Release;
use crate::revision::Entry;
use crate::xml::XmlWriter;
use bytes::Bytes;
use serde_json::json;
use std::collections::HashMap;

/// In a program with more sessions, the pages of sessions, tracks and speakers are rendered on request. Most of these
/// tens of thousands of pages are never requested, and rendering them would take most of the time of a publication.
const MAX_SESSIONS: usize = 2000;

/// Every public page of a release, by path.
#[derive(Debug)]
pub struct Pages {
    pages: HashMap<String, RenderedPage>,
    pictures: Pictures,
}

impl Pages {
    /// Renders the program, the files for crawlers and browsers and, unless the program is large, every other public
    /// page. Reads no clock: the same release gives the same bytes.
    pub fn render(release: &Release) -> Self {
        let site = Site::of(release);
        let shown = release.visible_entries();
        let slugs = &release.ledger.slugs;
        let mut pages = HashMap::new();
        pages.insert("/".to_owned(), RenderedPage::html(program::program(release, &ProgramView::default())));
        let embedded = ProgramView { embed: true, ..ProgramView::default() };
        pages.insert(embedded.path(), RenderedPage::html(program::program(release, &embedded)));
        if shown.len() <= MAX_SESSIONS {
            let neighbours = Neighbours::of(release);
            for entry in &shown {
                let path = format!("/sessions/{}", entry.session.id);
                pages.insert(path, RenderedPage::html(session::render(&site, entry, &neighbours)));
            }
            for key in FeedKey::all(slugs) {
                let page = part::render_part(&site, &key, 1).map(RenderedPage::html);
                pages.extend(page.map(|page| (part_path(&key), page)));
            }
            for list in Listing::ALL {
                let page = part::listing(release, list, 1).map(RenderedPage::html);
                pages.extend(page.map(|page| (list.path().to_owned(), page)));
            }
            pages.insert(
                "/search.json".to_owned(),
                RenderedPage::new("application/json", search::index(&site, &shown)),
            );
        }
        pages.insert("/offline".to_owned(), RenderedPage::html(super::notice::offline(release)));
        insert_files(&site, &shown, &mut pages);
        Self { pages, pictures: Pictures::of(&site) }
    }

    /// The page at a path, `/?embed` included.
    pub fn page(&self, path: &str) -> Option<&RenderedPage> {
        self.pages.get(path).or_else(|| self.pictures.get(path))
    }

    /// A session's page.
    pub fn session(&self, id: &SessionId) -> Option<&RenderedPage> {
        self.page(&format!("/sessions/{id}"))
    }

    /// The first page of a track, room, speaker or day. An old slug gives the page of the current slug.
    pub fn part(&self, release: &Release, key: &FeedKey) -> Option<&RenderedPage> {
        self.page(&part_path(&key.clone().resolve(&release.ledger.slugs)?))
    }

    /// All paths and pages, in no particular order.
    pub fn all(&self) -> impl Iterator<Item = (&str, &RenderedPage)> {
        self.pages.iter().map(|(path, page)| (path.as_str(), page))
    }

    /// Draws the pictures, and compresses every page and asset. Until the compression ends, responses use the uncompressed body. Stops between
    /// two pages as soon as `is_wanted` returns false.
    pub fn compress(&self, effort: Effort, is_wanted: impl Fn() -> bool) {
        self.pictures.draw();
        Assets::all().compress(effort);
        self.pages.values().take_while(|_| is_wanted()).for_each(|page| page.compress(effort));
    }
}

/// Google Calendar obeys this file, so feeds stay allowed; personal feeds are served with `noindex`. A rule matches
/// every path that begins with it (RFC 9309, 2.2.2), so `/agenda` alone would forbid `/agendas/…` too. The longest
/// match wins, but crawlers older than the RFC take the first match, so the longer rule comes first.
const ROBOTS: &str = "User-agent: *\nAllow: /agendas/\nDisallow: /agenda\nDisallow: /handover/\n\
                      Disallow: /organizer\nDisallow: /mine\n\nSitemap: ";

fn insert_files(site: &Site<'_>, shown: &[&Entry], pages: &mut HashMap<String, RenderedPage>) {
    let mut add =
        |path: String, media_type, body: Bytes| pages.insert(path, RenderedPage::new(media_type, body));
    let robots = format!("{ROBOTS}{}\n", site.conference().link("/sitemap.xml"));
    add("/robots.txt".into(), "text/plain; charset=utf-8", robots.into());
    add("/sitemap.xml".into(), "application/xml", sitemap(site, shown).into());
    add("/manifest.webmanifest".into(), "application/manifest+json", manifest(site).into());
    add("/sw.js".into(), "text/javascript; charset=utf-8", service_worker(site).into());
    add(site.colours_path(), "text/css; charset=utf-8", site.colours().into());
    let identity = &site.conference().identity;
    for (name, picture) in [("logo", &identity.logo), ("share", &identity.share_image)] {
        if let Some(picture) = picture {
            add(own_picture(name, picture), picture.format.media_type(), picture.bytes.clone());
        }
    }
}

/// The path of a part's page: the path of its feed without the suffix.
fn part_path(key: &FeedKey) -> String {
    key.to_string().trim_end_matches(".ics").to_owned()
}

fn sitemap(site: &Site<'_>, shown: &[&Entry]) -> Vec<u8> {
    let slugs = &site.release.ledger.slugs;
    let sessions = shown
        .iter()
        .map(|entry| (format!("/sessions/{}", entry.session.id), Some(When::iso(entry.revision.modified))));
    let lists = Listing::ALL.iter().map(|list| (list.path().to_owned(), None));
    let parts = FeedKey::all(slugs).filter(|key| *key != FeedKey::Program).map(|key| (part_path(&key), None));
    let top = [("/".to_owned(), Some(When::iso(site.release.published()))), ("/changes".to_owned(), None)];
    let mut xml = XmlWriter::default();
    xml.open("urlset", &[("xmlns", "http://www.sitemaps.org/schemas/sitemap/0.9")]);
    for (path, modified) in top.into_iter().chain(lists).chain(parts).chain(sessions) {
        xml.open("url", &[]);
        xml.leaf("loc", &[], &site.conference().link(&path));
        if let Some(modified) = modified {
            xml.leaf("lastmod", &[], &modified);
        }
        xml.close();
    }
    xml.finish()
}

/// W3C Web Application Manifest.
fn manifest(site: &Site<'_>) -> String {
    let manifest = json!({
        "id": "/",
        "name": site.conference().title.as_str(),
        "short_name": site.conference().title.as_str(),
        "lang": site.conference().language,
        "start_url": "/",
        "scope": "/",
        "display": "standalone",
        "background_color": "#fbfaf7",
        "theme_color": site.theme_colours().light.to_string(),
        "icons": site.manifest_icons(),
        "shortcuts": [{"name": site.words.my_agenda, "url": "/agenda"}],
    });
    manifest.to_string()
}

/// The worker, which contains the list of assets that it caches. Another build gives another worker, which replaces the
/// old worker.
fn service_worker(site: &Site<'_>) -> String {
    let mut kept: Vec<&str> = Assets::all().paths().collect();
    let colours = site.colours_path();
    kept.push(&colours);
    let logo = site.logo().map(|logo| logo.path);
    kept.extend(logo.as_deref());
    let kept = serde_json::to_string(&kept).unwrap_or_default();
    format!("const KEPT = {kept};\n{}", include_str!("assets/worker.js"))
}
