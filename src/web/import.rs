//! The page that shows which sessions an uploaded file or a link would add to the agenda. The page itself adds none.

use super::card::Card;
use super::site::{Head, Site};
use super::write;
use crate::agenda::MAX_PICKS;
use crate::exchange::{MatchOutcome, Matching};
use crate::program::SessionId;
use crate::release::Release;
use askama::Template;

#[derive(Template)]
#[template(path = "import.html")]
struct ImportPage<'a> {
    site: Site<'a>,
    head: Head,
    fault: Option<&'a str>,
    is_read: bool,
    new: Vec<Card<'a>>,
    take: String,
    /// Why the new sessions cannot be added.
    full: Option<String>,
    held: Vec<Card<'a>>,
    unknown: Vec<&'a str>,
    ambiguous: Vec<(&'a str, Vec<Card<'a>>)>,
}

/// Renders the form, with the sessions that were found or the reason why a file could not be read.
pub fn import(
    release: &Release,
    held: &[SessionId],
    matching: Option<&Matching>,
    fault: Option<&str>,
) -> String {
    let site = Site::of(release);
    let card = |id: &SessionId| release.ledger.entries.get(id).map(|entry| Card::of(&site, entry));
    let (mut new, mut known, mut unknown, mut ambiguous) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for line in matching.into_iter().flat_map(|matching| &matching.entries) {
        match &line.outcome {
            MatchOutcome::New(id) => new.extend(card(id)),
            MatchOutcome::Picked(id) => known.extend(card(id)),
            MatchOutcome::Unknown => unknown.push(line.text.as_str()),
            MatchOutcome::Ambiguous(ids) => {
                ambiguous.push((line.text.as_str(), ids.iter().filter_map(card).collect()));
            }
        }
    }
    let words = site.words;
    let total = held.len() + new.len();
    let full = (total > MAX_PICKS).then(|| words.import_full(total, MAX_PICKS));
    let take = words.import_take(new.len());
    write(&ImportPage {
        head: Head::secret(&site, words.import).at("agenda"),
        fault,
        is_read: matching.is_some(),
        new,
        take,
        full,
        held: known,
        unknown,
        ambiguous,
        site: site.clone(),
    })
}
