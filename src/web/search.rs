//! The search on pages: marked matches, snippets, and the index that scripts search while the visitor types.
//!
//! Matching and ranking belong to [`Release::ranked`]; the script `search.js` folds and ranks in the same way.

use super::card::Card;
use super::site::Site;
use crate::release::fold_char;
use crate::revision::Entry;
use serde_json::json;

/// The length of a snippet, in characters.
const SNIPPET: usize = 160;
/// How many characters of a snippet come before the match.
const BEFORE: usize = 60;

/// A text as consecutive runs, each with whether it matches.
pub(super) type Marked = Vec<(String, bool)>;

/// A session that a search found.
pub(super) struct Hit<'a> {
    pub card: Card<'a>,
    pub track: Marked,
    pub label: Marked,
    pub title: Marked,
    pub people: Marked,
    /// The matching part of the abstract; empty if the other fields contain every word.
    pub snippet: Marked,
}

impl<'a> Hit<'a> {
    pub(super) fn of(site: &Site<'a>, entry: &'a Entry, words: &[String]) -> Self {
        let card = Card::of(site, entry);
        let mark = |text: &str| marked(text, words);
        let track = card.track.map(|track| mark(track.name.as_str())).unwrap_or_default();
        let (label, title, people) =
            (mark(&card.label), mark(card.session.title.as_str()), mark(&card.people));
        let other: String = [card.label.as_str(), card.session.title.as_str(), &card.people]
            .into_iter()
            .chain(card.track.map(|track| track.name.as_str()))
            .chain(card.session.tags.iter().map(crate::program::Text::as_str))
            .flat_map(|text| text.chars().flat_map(fold_char).chain(['\n']))
            .collect();
        let is_elsewhere = words.iter().any(|word| !other.contains(word.as_str()));
        let about = card.session.abstract_text.as_str();
        let snippet = if is_elsewhere { mark(&snippet(about, words)) } else { Marked::new() };
        Self { card, track, label, title, people, snippet }
    }
}

/// The folded text, and for each of its bytes the position of the original character.
fn folded(text: &str) -> (String, Vec<usize>) {
    let (mut folded, mut places) = (String::new(), Vec::new());
    for (place, c) in text.chars().enumerate() {
        for c in fold_char(c) {
            folded.push(c);
            places.extend(std::iter::repeat_n(place, c.len_utf8()));
        }
    }
    (folded, places)
}

fn marked(text: &str, words: &[String]) -> Marked {
    let (folded, places) = folded(text);
    let mut hits = vec![false; text.chars().count()];
    for word in words {
        for (at, _) in folded.match_indices(word.as_str()) {
            // From the first to the last character of the match, including apostrophes between them.
            let ends = places.get(at).zip(places.get(at + word.len() - 1));
            let run = ends.and_then(|(first, last)| hits.get_mut(*first..=*last));
            run.into_iter().flatten().for_each(|hit| *hit = true);
        }
    }
    let mut runs = Marked::new();
    for (c, is_hit) in text.chars().zip(hits) {
        match runs.last_mut() {
            Some((run, kind)) if *kind == is_hit => run.push(c),
            _ => runs.push((c.to_string(), is_hit)),
        }
    }
    runs
}

/// The text around the first match, cut at a space.
fn snippet(text: &str, words: &[String]) -> String {
    let (folded, places) = folded(text);
    let first = words.iter().filter_map(|word| folded.find(word.as_str())).min();
    let Some(first) = first.and_then(|at| places.get(at)) else { return String::new() };
    let chars: Vec<char> = text.chars().collect();
    let from = first.saturating_sub(BEFORE);
    let space = chars.get(from..*first).and_then(|before| before.iter().position(|c| c.is_whitespace()));
    let from = if from == 0 { 0 } else { from + space.map_or(0, |space| space + 1) };
    let cut: String = chars.iter().skip(from).take(SNIPPET).collect();
    let start = if from > 0 { "…" } else { "" };
    let end = if chars.len() > from + SNIPPET { "…" } else { "" };
    format!("{start}{}{end}", cut.trim())
}

/// The sessions as JSON for the script, in program order.
pub(super) fn index(site: &Site<'_>, shown: &[&Entry]) -> String {
    let rows = shown.iter().map(|entry| {
        let card = Card::of(site, entry);
        let mut row = json!({
            "id": card.session.id.as_str(),
            "title": card.session.title.as_str(),
            "people": card.people,
            "track": card.track.map(|track| track.name.as_str()),
            "slug": card.track.map(|track| track.slug.as_str()),
            "label": card.label,
            "kind": card.session.kind.as_str(),
            "start": card.start(),
            "end": card.end(),
            "about": card.session.abstract_text.as_str(),
            "pause": card.is_pause() || card.is_cancelled,
        });
        let tags: Vec<&str> = card.session.tags.iter().map(|tag| tag.as_str()).collect();
        if let Some(members) = row.as_object_mut().filter(|_| !tags.is_empty()) {
            members.insert("tags".to_owned(), json!(tags.join("\n")));
        }
        row
    });
    serde_json::Value::Array(rows.collect()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(query: &str) -> Vec<String> {
        vec![query.chars().flat_map(fold_char).collect()]
    }

    #[test]
    fn matches_are_marked_in_the_spelling_of_the_text() {
        let run = |text: &str, is_hit: bool| (text.to_owned(), is_hit);
        assert_eq!(
            marked("Leonardo Antônio", &words("ANTONIO")),
            [run("Leonardo ", false), run("Antônio", true)]
        );
        assert_eq!(marked("let’s go", &words("let's")), [run("let’s", true), run(" go", false)]);
        assert_eq!(marked("Straße", &words("strasse")), [run("Straße", true)]);
        assert_eq!(marked("", &words("x")), []);
        assert_eq!(marked("none", &words("x")), [run("none", false)]);
    }

    #[test]
    fn a_snippet_shows_the_first_match_in_its_surroundings() {
        let text = format!("{} needle {}", "before ".repeat(40), "after ".repeat(40));
        let snippet = snippet(&text, &words("NEEDLE"));
        assert!(
            snippet.starts_with('…') && snippet.ends_with('…') && snippet.contains(" needle "),
            "{snippet}"
        );
        assert!(snippet.chars().count() <= SNIPPET + 2);
        assert_eq!(super::snippet("short needle", &words("needle")), "short needle");
        assert_eq!(super::snippet("nothing", &words("needle")), "");
    }
}
