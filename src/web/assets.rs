//! Styles, scripts and icons: embedded, named by their content, compressed once, behind the first start.
//!
//! A path holds the first digits of its content's SHA-256, so an answer never changes and may be kept for
//! ever (`immutable`, RFC 8246). Modules import each other by plain names, which become those paths here.

use super::{Page, grid};
use crate::feed::Effort;
use crate::revision::Digest;
use std::collections::BTreeMap;
use std::sync::LazyLock;

const CSS: &str = "text/css; charset=utf-8";
const JS: &str = "text/javascript; charset=utf-8";
const SVG: &str = "image/svg+xml";

/// A module stands after those that it imports.
const SCRIPTS: &[(&str, &str)] = &[
    ("words.js", include_str!("assets/words.js")),
    ("queue.js", include_str!("assets/queue.js")),
    ("times.js", include_str!("assets/times.js")),
    ("live.js", include_str!("assets/live.js")),
    ("picks.js", include_str!("assets/picks.js")),
    ("app.js", include_str!("assets/app.js")),
];

const STYLE: &str = concat!(
    include_str!("assets/base.css"),
    include_str!("assets/program.css"),
    include_str!("assets/pages.css"),
    include_str!("assets/print.css"),
);

static ASSETS: LazyLock<Assets> = LazyLock::new(Assets::load);

/// Every embedded asset.
#[derive(Debug)]
pub struct Assets {
    pages: BTreeMap<String, Page>,
    names: BTreeMap<&'static str, String>,
}

impl Assets {
    /// The assets of this build.
    pub fn all() -> &'static Self {
        &ASSETS
    }

    /// The asset at a path such as `/assets/style.1f2e3d4c5b6a.css`.
    pub fn get(&self, path: &str) -> Option<&Page> {
        self.pages.get(path)
    }

    /// The path of an asset's plain name.
    pub(super) fn path(&self, name: &str) -> &str {
        self.names.get(name).map(String::as_str).unwrap_or_default()
    }

    /// All paths, for the service worker.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.pages.keys().map(String::as_str)
    }

    /// Makes their codings; a browser gets the plain body until then.
    pub(super) fn compress(&self, effort: Effort) {
        self.pages.values().for_each(|page| page.compress(effort));
    }

    fn load() -> Self {
        let mut assets = Self { pages: BTreeMap::new(), names: BTreeMap::new() };
        assets.add("style.css", CSS, format!("{STYLE}{}", grid::rules()));
        assets.add("icon.svg", SVG, include_str!("assets/icon.svg").to_owned());
        assets.add("icon-maskable.svg", SVG, include_str!("assets/icon-maskable.svg").to_owned());
        for (name, source) in SCRIPTS {
            let imports = assets.names.iter().fold((*source).to_owned(), |source, (name, path)| {
                source.replace(&format!("\"./{name}\""), &format!("\"{path}\""))
            });
            assets.add(name, JS, imports);
        }
        assets
    }

    fn add(&mut self, name: &'static str, media_type: &'static str, body: String) {
        let path = fingerprinted(name, body.as_bytes());
        let page = Page::new(media_type, body);
        self.pages.insert(path.clone(), page);
        self.names.insert(name, path);
    }
}

/// `/assets/<stem>.<12 hex digits>.<extension>`
pub(super) fn fingerprinted(name: &str, body: &[u8]) -> String {
    let digest = Digest::of(body).short();
    let digest = digest.get(..12).unwrap_or_default();
    let (stem, extension) = name.split_once('.').unwrap_or((name, "bin"));
    format!("/assets/{stem}.{digest}.{extension}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modules_import_each_other_by_content() {
        let assets = Assets::all();
        for (name, _) in SCRIPTS {
            let page = assets.get(assets.path(name)).unwrap();
            let text = std::str::from_utf8(&page.identity).unwrap();
            assert!(!text.contains("from \"./"), "{name} imports a module that stands after it");
        }
    }

    #[test]
    fn a_path_is_fixed_by_its_content() {
        assert_ne!(fingerprinted("a.css", b"a"), fingerprinted("a.css", b"b"));
        assert!(fingerprinted("a.css", b"a").starts_with("/assets/a."));
        assert!(Assets::all().get("/assets/style.css").is_none());
    }
}
