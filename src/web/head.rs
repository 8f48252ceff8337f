//! The head of a page: what tells search engines, chats and browsers what it is.

use super::site::Site;

/// What differs from page to page.
#[derive(Debug, Clone, Default)]
pub(super) struct Head {
    pub title: String,
    pub about: String,
    /// The canonical address, absolute.
    pub url: String,
    /// Which entry of the navigation it belongs to.
    pub here: &'static str,
    /// Whether no search engine may have it.
    pub is_secret: bool,
    pub embed: bool,
    /// JSON-LD, safe inside its element.
    pub schema: Option<String>,
    /// The title and address of the feed that shows the same.
    pub feed: Option<(String, String)>,
}

/// Descriptions are cut by those who show them; this is more than any of them does.
const ABOUT: usize = 200;

impl Head {
    /// For everybody.
    pub(super) fn public(site: &Site<'_>, title: &str, about: &str, path: &str) -> Self {
        let own = site.conference().title.as_str();
        let title = if title == own { title.to_owned() } else { format!("{title} · {own}") };
        let mut short: String = about.chars().take(ABOUT).collect();
        if short.len() < about.len() {
            short.push('…');
        }
        Self { title, about: short.replace('\n', " "), url: site.conference().link(path), ..Self::default() }
    }

    /// For one person: not to be found, and without a word about what it holds.
    pub(super) fn secret(site: &Site<'_>, title: &str) -> Self {
        let title = format!("{title} · {}", site.conference().title);
        Self { title, is_secret: true, ..Self::default() }
    }

    pub(super) fn at(mut self, here: &'static str) -> Self {
        self.here = here;
        self
    }

    /// Modules that the entry module imports: named here, they load at once instead of one after another.
    pub(super) fn modules(&self) -> &'static [&'static str] {
        &["words.js", "queue.js", "times.js", "live.js", "picks.js"]
    }
}
