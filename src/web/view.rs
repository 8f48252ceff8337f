//! The query of the program page: a filter, a search text, the embedded form.

use super::encode::encode;
use crate::feed::{FeedFilter, FeedOptions, QueryError, canonical_query, parse_query};
use crate::program::Text;
use crate::release::Release;
use crate::revision::{Entry, Slugs};
use std::collections::HashSet;

/// The longest search text, in characters; the rest is ignored.
pub const MAX_SEARCH_CHARS: usize = 200;

/// The parameters of the program page.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ProgramView {
    /// The filter, as in a feed's query.
    pub filter: FeedFilter,
    /// Words that must all occur, in any order and case; empty without a search.
    pub text: String,
    /// Whether the page has no masthead and footer, because another site frames it.
    pub embed: bool,
    /// Whether the visitor's picks are marked. No query sets this, because pages with marked picks are personal and have
    /// an address of their own (`/mine`).
    pub is_mine: bool,
}

impl ProgramView {
    /// Reads the percent-decoded pairs of a query. Empty values, which a plain form sends, count as absent.
    ///
    /// # Errors
    /// [`QueryError`], as for a feed's query.
    pub fn parse<'a>(
        pairs: impl IntoIterator<Item = (&'a str, &'a str)>,
        slugs: &Slugs,
    ) -> Result<Self, QueryError> {
        let (mut text, mut embed, mut rest) = (String::new(), false, Vec::new());
        for (key, value) in pairs {
            match key {
                "q" => {
                    let short: String = value.chars().take(MAX_SEARCH_CHARS).collect();
                    text = Text::line(&short).0.to_string();
                }
                "embed" => embed = true,
                _ if value.is_empty() => {}
                _ => rest.push((key, value)),
            }
        }
        let (filter, _) = parse_query(rest, slugs)?;
        Ok(Self { filter, text, embed, is_mine: false })
    }

    /// Whether the view is the program page without any parameter.
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// The canonical query, without the question mark.
    pub fn query(&self) -> String {
        let filter = canonical_query(&self.filter, &FeedOptions::default());
        let text = if self.text.is_empty() { String::new() } else { format!("q={}", encode(&self.text)) };
        let embed = if self.embed { "embed" } else { "" };
        [filter.as_str(), &text, embed]
            .into_iter()
            .filter(|part| !part.is_empty())
            .collect::<Vec<_>>()
            .join("&")
    }

    /// The page's path with its query.
    pub fn path(&self) -> String {
        let (page, query) = (if self.is_mine { "/mine" } else { "/" }, self.query());
        if query.is_empty() { page.to_owned() } else { format!("{page}?{query}") }
    }

    /// The same view with the visitor's picks marked, which no other site frames.
    pub fn with_picks(&self) -> Self {
        Self { is_mine: true, embed: false, ..self.clone() }
    }

    /// The query of the feed with the same sessions; none with a search text, because feeds cannot be searched.
    pub(super) fn feed_query(&self) -> Option<String> {
        self.text.is_empty().then(|| canonical_query(&self.filter, &FeedOptions::default()))
    }

    /// Whether the view's page is rendered at publication.
    pub(super) fn is_rendered_at_publication(&self) -> bool {
        self.filter.is_empty() && self.text.is_empty() && !self.is_mine
    }

    /// The matching entries, in program order.
    pub fn entries<'a>(&self, release: &'a Release) -> Vec<&'a Entry> {
        let found = if self.text.is_empty() { release.visible_entries() } else { release.search(&self.text) };
        self.filtered(release, found)
    }

    /// The entries that match the filter, in their given order.
    pub(super) fn filtered<'a>(&self, release: &'a Release, mut entries: Vec<&'a Entry>) -> Vec<&'a Entry> {
        if !self.filter.is_empty() {
            // Feeds have the slugs of each session; computing the slugs again here would be slow.
            let admitted: HashSet<_> = release.feeds.matching(&self.filter).map(|event| &event.id).collect();
            entries.retain(|entry| admitted.contains(&entry.session.id));
        }
        entries
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_with_empty_fields_is_the_default_view() {
        let view = ProgramView::parse([("track", ""), ("q", "  "), ("day", "")], &Slugs::default()).unwrap();
        assert!(view.is_default());
        assert_eq!(view.path(), "/");
    }

    #[test]
    fn the_path_of_a_view_parses_back() {
        let pairs = [("kind", "talk"), ("q", "Let’s  <b>&\" x=1"), ("embed", "")];
        let view = ProgramView::parse(pairs, &Slugs::default()).unwrap();
        assert_eq!(view.path(), "/?kind=talk&q=Let%E2%80%99s%20%3Cb%3E%26%22%20x%3D1&embed");
        assert_eq!(view.text, "Let’s <b>&\" x=1");
        assert_eq!(view.feed_query(), None);
        assert!(ProgramView::parse([("track", "never")], &Slugs::default()).is_err());
    }
}
