//! Bodies that are rendered once and served many times: the type of every rendered page, and the embedded assets.
//!
//! An asset's path holds the first digits of its content's SHA-256, so caches may keep it for ever (`immutable`, RFC
//! 8246). Scripts import each other by plain names; this module replaces the names by those paths.

use crate::feed::{Coding, Codings, Effort};
use crate::revision::Digest;
use bytes::Bytes;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::LazyLock;

const CSS: &str = "text/css; charset=utf-8";
const JS: &str = "text/javascript; charset=utf-8";
const SVG: &str = "image/svg+xml";
const PNG: &str = "image/png";

/// In order of dependency: a module comes after the modules that it imports.
const SCRIPTS: &[(&str, &str)] = &[
    ("words.js", include_str!("assets/words.js")),
    ("queue.js", include_str!("assets/queue.js")),
    ("times.js", include_str!("assets/times.js")),
    ("live.js", include_str!("assets/live.js")),
    ("now.js", include_str!("assets/now.js")),
    ("filter.js", include_str!("assets/filter.js")),
    ("overlap.js", include_str!("assets/overlap.js")),
    ("waiting.js", include_str!("assets/waiting.js")),
    ("picks.js", include_str!("assets/picks.js")),
    ("search.js", include_str!("assets/search.js")),
    ("push.js", include_str!("assets/push.js")),
    ("done.js", include_str!("assets/done.js")),
    ("app.js", include_str!("assets/app.js")),
];

/// What every page needs. The program page has no other style sheet, so that a visitor sees it early.
const STYLE: &str = concat!(
    include_str!("assets/base.css"),
    include_str!("assets/program.css"),
    include_str!("assets/print.css"),
);

static ASSETS: LazyLock<Assets> = LazyLock::new(Assets::load);

/// Every embedded asset.
#[derive(Debug)]
pub struct Assets {
    pages: BTreeMap<String, RenderedPage>,
    names: BTreeMap<&'static str, String>,
}

impl Assets {
    /// The assets of this build.
    pub fn all() -> &'static Self {
        &ASSETS
    }

    /// The asset at a path such as `/assets/style.1f2e3d4c5b6a.css`.
    pub fn get(&self, path: &str) -> Option<&RenderedPage> {
        self.pages.get(path)
    }

    /// The path of the asset with a plain name such as `app.js`.
    pub(super) fn path(&self, name: &str) -> &str {
        self.names.get(name).map(String::as_str).unwrap_or_default()
    }

    /// The paths of all assets; the service worker caches them.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.pages.keys().map(String::as_str)
    }

    /// Compresses all assets. Until the compression ends, responses use the uncompressed body.
    pub(super) fn compress(&self, effort: Effort) {
        self.pages.values().for_each(|page| page.compress(effort));
    }

    fn load() -> Self {
        let mut assets = Self { pages: BTreeMap::new(), names: BTreeMap::new() };
        assets.add("style.css", CSS, format!("{}{}", without_comments(STYLE), grid_rules()));
        assets.add("pages.css", CSS, without_comments(include_str!("assets/pages.css")));
        assets.add("desk.css", CSS, without_comments(include_str!("assets/desk.css")));
        assets.add("icon.svg", SVG, include_str!("assets/icon.svg").to_owned());
        assets.add("icon-maskable.svg", SVG, include_str!("assets/icon-maskable.svg").to_owned());
        for (name, source) in SCRIPTS {
            let imports = assets.names.iter().fold(without_comments(source), |source, (name, path)| {
                source.replace(&format!("\"./{name}\""), &format!("\"{path}\""))
            });
            assets.add(name, JS, imports);
        }
        assets
    }

    fn add(&mut self, name: &'static str, media_type: &'static str, body: String) {
        let path = fingerprinted(name, body.as_bytes());
        let page = RenderedPage::new(media_type, body);
        self.pages.insert(path.clone(), page);
        self.names.insert(name, path);
    }
}

/// A script or style sheet without indentation, empty lines and comments. Comments must have lines of their own.
fn without_comments(source: &str) -> String {
    let (mut out, mut is_comment) = (String::with_capacity(source.len()), false);
    for line in source.lines().map(str::trim) {
        is_comment |= line.starts_with("/*");
        if !is_comment && !line.is_empty() && !line.starts_with("//") {
            out.push_str(line);
            out.push('\n');
        }
        is_comment &= !line.ends_with("*/");
    }
    out
}

/// `/assets/<stem>.<12 hex digits>.<extension>`
pub(super) fn fingerprinted(name: &str, body: &[u8]) -> String {
    let digest = Digest::of(body).short();
    let digest = digest.get(..12).unwrap_or_default();
    let (stem, extension) = name.split_once('.').unwrap_or((name, "bin"));
    format!("/assets/{stem}.{digest}.{extension}")
}

/// A page or asset with its entity tag and compressed forms.
#[derive(Debug)]
pub struct RenderedPage {
    /// The media type.
    pub media_type: &'static str,
    /// The hash that its entity tags contain.
    pub hash: String,
    /// The uncompressed body.
    pub identity: Bytes,
    /// The codings of the body.
    pub codings: Codings,
}

impl RenderedPage {
    pub(super) fn new(media_type: &'static str, body: impl Into<Bytes>) -> Self {
        let identity = body.into();
        let hash = Digest::of(&identity).short();
        Self { media_type, hash, identity, codings: Codings::default() }
    }

    pub(super) fn png(body: impl Into<Bytes>) -> Self {
        Self::new(PNG, body)
    }

    pub(super) fn html(mut body: String) -> Self {
        body.shrink_to_fit();
        Self::new("text/html; charset=utf-8", body)
    }

    /// Compresses the body, unless its format is compressed. Until the compression ends, responses use the uncompressed body.
    pub fn compress(&self, effort: Effort) {
        if self.media_type == PNG {
            return;
        }
        self.codings.make(effort, &Coding::MADE, &self.identity);
    }
}

/// The most columns of a grid. A day with more parallel tracks and rooms is shown as a list.
pub(super) const MAX_COLUMNS: usize = 8;

/// The most lanes that all columns of a grid have in addition to their first.
pub(super) const MAX_EXTRA_LANES: usize = 8;

/// The height of the highest row, in steps of five minutes.
pub(super) const MAX_STEPS: usize = 24;

/// The least width of a column, in rem, and half of it, which each additional lane takes.
const COLUMN: f64 = 11.5;
/// The width of the column of times, the page's edges and a scroll bar, in rem.
const MARGIN: f64 = 12.5;

/// The most columns that fit on a sheet of A4 or Letter.
const MAX_PAPER_COLUMNS: usize = 4;

/// The windows that show days as grids: wide ones unless the visitor chose the list, and narrow ones if the visitor
/// chose the grid. A list of the visitor's own sessions is never a grid.
const GRID_WINDOWS: [(&str, &str); 2] = [
    ("screen and (min-width:48rem)", "html:not(.mine-only):not(:has(#as-list:checked))"),
    ("screen and (max-width:47.99rem)", "html:not(.mine-only):has(#as-grid:checked)"),
];

/// CSS rules that show days as grids, and set widths and heights. The widths are classes because the content security
/// policy forbids inline styles.
fn grid_rules() -> String {
    let mut css = String::new();
    for steps in 1..=MAX_STEPS {
        let _ = writeln!(css, ".m{steps}{{--m:{steps}}}");
    }
    for columns in 2..=MAX_COLUMNS {
        let _ = writeln!(css, ".of-{columns}{{--n:{columns}}}");
    }
    for lanes in 0..=MAX_EXTRA_LANES {
        let _ = writeln!(css, ".plus-{lanes}{{--k:{lanes}}}");
    }
    let grid = without_comments(include_str!("assets/grid.css"));
    for (window, prefix) in GRID_WINDOWS {
        let _ = writeln!(css, "@media {window}{{\n{}}}", grid.replace(".grid", &format!("{prefix} .grid")));
    }
    for columns in 2..=MAX_PAPER_COLUMNS {
        let _ = writeln!(css, "@media print{{\n{}}}", grid.replace(".grid", &format!(".of-{columns}")));
    }
    // Where the whole grid has room, only the page scrolls, so that the headings stay at the top of the window.
    for halves in 4..=2 * MAX_COLUMNS + MAX_EXTRA_LANES {
        let width = MARGIN + COLUMN / 2.0 * halves as f64;
        let _ = writeln!(
            css,
            "@media (min-width:{width}rem){{.w{halves}{{--box:visible;--most:none;--top:var(--bar);--lead:3rem}}}}"
        );
    }
    css
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_import_of_a_script_is_replaced_by_a_path() {
        let assets = Assets::all();
        for (name, _) in SCRIPTS {
            let page = assets.get(assets.path(name)).unwrap();
            let text = std::str::from_utf8(&page.identity).unwrap();
            assert!(!text.contains("\"./"), "{name} imports a module that comes after it");
            assert!(!text.contains("\n//"), "{name} has a comment");
        }
    }

    #[test]
    fn the_path_of_an_asset_changes_with_its_content() {
        assert_ne!(fingerprinted("a.css", b"a"), fingerprinted("a.css", b"b"));
        assert!(fingerprinted("a.css", b"a").starts_with("/assets/a."));
        assert!(Assets::all().get("/assets/style.css").is_none());
    }

    #[test]
    fn every_width_and_height_has_a_rule() {
        let css = grid_rules();
        for class in [
            format!(".m{MAX_STEPS}{{"),
            format!(".of-{MAX_COLUMNS}{{"),
            format!(".plus-{MAX_EXTRA_LANES}{{"),
            format!(".w{}{{", 2 * MAX_COLUMNS + MAX_EXTRA_LANES),
        ] {
            assert!(css.contains(&class), "{class}");
        }
        assert_eq!(css.matches('{').count(), css.matches('}').count());
    }
}
