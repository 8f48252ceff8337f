//! What crawlers and browsers ask for beside the pages: robots.txt, sitemap, manifest, service worker.

use super::site::Site;
use super::{Assets, Page};
use crate::revision::Entry;
use serde_json::json;
use std::collections::HashMap;

/// Feeds stay allowed, since Google's calendar obeys this file; what is one person's answers with `noindex`. A rule holds for
/// every path that begins with it (RFC 9309, 2.2.2), so `/agenda` alone would forbid `/agendas/…` too. The longer rule wins;
/// readers older than the RFC take the first that matches, so it comes first as well.
const ROBOTS: &str = "User-agent: *\nAllow: /agendas/\nDisallow: /agenda\nDisallow: /handover/\n\
                      Disallow: /organizer\n\nSitemap: ";

pub(super) fn insert(site: &Site<'_>, shown: &[&Entry], pages: &mut HashMap<String, Page>) {
    let mut add = |path: String, media_type, body: String| pages.insert(path, Page::new(media_type, body));
    let robots = format!("{ROBOTS}{}\n", site.conference().link("/sitemap.xml"));
    add("/robots.txt".into(), "text/plain; charset=utf-8", robots);
    add("/sitemap.xml".into(), "application/xml", sitemap(site, shown));
    add("/manifest.webmanifest".into(), "application/manifest+json", manifest(site));
    add("/sw.js".into(), "text/javascript; charset=utf-8", service_worker(site));
    add(site.colours_path(), "text/css; charset=utf-8", site.colours());
}

/// Slugs and ids need no escaping, and the origin was parsed as a URL, which leaves at most an ampersand.
fn sitemap(site: &Site<'_>, shown: &[&Entry]) -> String {
    let slugs = &site.release.ledger.slugs;
    let sessions = shown.iter().map(|entry| {
        let modified = entry.revision.modified.format("%Y-%m-%dT%H:%M:%SZ").to_string();
        (format!("/sessions/{}", entry.session.id), Some(modified))
    });
    let tracks = slugs.tracks.keys().map(|slug| (format!("/tracks/{slug}"), None));
    let speakers = slugs.speakers.keys().map(|slug| (format!("/speakers/{slug}"), None));
    let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    xml.push_str("<urlset xmlns=\"http://www.sitemaps.org/schemas/sitemap/0.9\">\n");
    let published = Some(site.release.published().format("%Y-%m-%dT%H:%M:%SZ").to_string());
    let all = [("/".to_owned(), published), ("/changes".to_owned(), None)].into_iter();
    for (path, modified) in all.chain(tracks).chain(speakers).chain(sessions) {
        let address = site.conference().link(&path).replace('&', "&amp;");
        let modified = modified.map(|at| format!("<lastmod>{at}</lastmod>")).unwrap_or_default();
        xml.push_str(&format!("<url><loc>{address}</loc>{modified}</url>\n"));
    }
    xml.push_str("</urlset>\n");
    xml
}

/// W3C Web Application Manifest.
fn manifest(site: &Site<'_>) -> String {
    let icon = |name, purpose| json!({"src": site.asset(name), "sizes": "any", "type": "image/svg+xml", "purpose": purpose});
    let manifest = json!({
        "id": "/",
        "name": site.conference().title.as_str(),
        "short_name": site.conference().title.as_str(),
        "lang": site.conference().language,
        "start_url": "/",
        "scope": "/",
        "display": "standalone",
        "background_color": "#fbfaf7",
        "theme_color": "#fbfaf7",
        "icons": [icon("icon.svg", "any"), icon("icon-maskable.svg", "maskable")],
        "shortcuts": [{"name": site.words.my_agenda, "url": "/agenda"}],
    });
    manifest.to_string()
}

/// The worker with the list of what it keeps; another build or colour gives another worker.
fn service_worker(site: &Site<'_>) -> String {
    let mut kept: Vec<&str> = Assets::all().paths().collect();
    let colours = site.colours_path();
    kept.push(&colours);
    let kept = serde_json::to_string(&kept).unwrap_or_default();
    format!("const KEPT = {kept};\n{}", include_str!("assets/worker.js"))
}
