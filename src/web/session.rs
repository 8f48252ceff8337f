//! A session's page: the session, its speakers, and the sessions at the same time.

use super::card::Card;
use super::encode::data_block;
use super::site::{Head, Site};
use super::text::fill;
use super::{schema, write};
use crate::program::{SessionId, Speaker};
use crate::release::Release;
use crate::revision::Entry;
use askama::Template;

#[derive(Template)]
#[template(path = "session.html")]
struct SessionPage<'a> {
    site: Site<'a>,
    head: Head,
    card: Card<'a>,
    date: String,
    day: String,
    zone: String,
    abstract_text: &'a [ProsePiece],
    links: Vec<(String, String)>,
    speakers: Vec<SpeakerView>,
    beside: Vec<Card<'a>>,
    /// How many more run at the same time, in words.
    more_beside: Option<String>,
}

/// The most parallel sessions that a page lists: more than any real conference has, and few enough to keep the page small
/// where thousands of sessions share one hour.
const MOST_BESIDE: usize = 40;

struct SpeakerView {
    name: String,
    slug: String,
    /// Role and affiliation.
    standing: String,
    bio: Vec<ProsePiece>,
}

/// Renders the page; none where the program does not show the session.
pub fn session(release: &Release, id: &SessionId) -> Option<String> {
    let entry = release.ledger.entries.get(id).filter(|entry| entry.is_visible())?;
    Some(render(&Site::of(release), entry))
}

pub(super) fn render(site: &Site<'_>, entry: &Entry) -> String {
    let session = &entry.session;
    let start = session.slot.start;
    let card = Card::of(site, entry);
    let people = (!card.people.is_empty()).then(|| card.people.clone());
    let when = format!("{}, {}", site.when.day(site.when.date(start)), card.range);
    let about: Vec<String> =
        [Some(when), people, Some(session.abstract_text.to_string())].into_iter().flatten().collect();
    let path = format!("/sessions/{}", session.id);
    let mut head = Head::public(site, session.title.as_str(), &about.join(". "), &path).at("session");
    head.schema = Some(data_block(&schema::single(site, entry)));
    head.feed = Some((session.title.to_string(), format!("{path}.ics")));
    let own = session.url.as_ref().map(|url| (url.to_string(), site.words.organizers_page.to_owned()));
    let links = session.links.iter().map(|link| (link.url.to_string(), link.label.to_string()));
    let meanwhile = site.release.beside(entry, MOST_BESIDE);
    write(&SessionPage {
        head,
        date: site.when.date(start).format("%Y-%m-%d").to_string(),
        day: site.when.day(site.when.date(start)),
        zone: site.when.zone.abbreviation(start),
        abstract_text: &pieces(session.abstract_text.as_str()),
        links: own.into_iter().chain(links).collect(),
        speakers: session.speakers.iter().map(|speaker| person(site, speaker)).collect(),
        beside: meanwhile.first.iter().map(|other| Card::of(site, other)).collect(),
        more_beside: (meanwhile.more > 0)
            .then(|| fill(site.words.and_more, &[("n", &meanwhile.more.to_string())])),
        card,
        site: site.clone(),
    })
}

fn person(site: &Site<'_>, speaker: &Speaker) -> SpeakerView {
    let slug = site.release.ledger.slugs.speaker_slug(&speaker.name);
    SpeakerView {
        name: speaker.name.to_string(),
        slug: slug.map(ToString::to_string).unwrap_or_default(),
        standing: standing(speaker),
        bio: pieces(speaker.bio.as_str()),
    }
}

/// `Program Co-Chair, Acme`
pub(super) fn standing(speaker: &Speaker) -> String {
    let parts = speaker.role.iter().chain(&speaker.affiliation);
    parts.map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// A paragraph or list of an abstract or bio.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ProsePiece {
    /// A paragraph, its lines joined.
    Paragraph(String),
    /// Items that began with a bullet.
    List(Vec<String>),
}

/// Splits a text at empty lines and bullets (`•`, `*`).
pub(super) fn pieces(text: &str) -> Vec<ProsePiece> {
    let mut pieces: Vec<ProsePiece> = Vec::new();
    let mut is_open = false;
    for line in text.lines().map(str::trim) {
        let bullet = line.strip_prefix('•').or_else(|| line.strip_prefix("* ")).map(str::trim);
        match (line, bullet) {
            ("", _) => is_open = false,
            (_, Some(item)) => {
                match pieces.last_mut() {
                    Some(ProsePiece::List(items)) => items.push(item.to_owned()),
                    _ => pieces.push(ProsePiece::List(vec![item.to_owned()])),
                }
                is_open = true;
            }
            (line, None) => {
                match pieces.last_mut().filter(|_| is_open) {
                    Some(ProsePiece::Paragraph(text)) => *text = format!("{text} {line}"),
                    Some(ProsePiece::List(items)) => {
                        if let Some(item) = items.last_mut() {
                            *item = format!("{item} {line}");
                        }
                    }
                    None => pieces.push(ProsePiece::Paragraph(line.to_owned())),
                }
                is_open = true;
            }
        }
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paragraphs_and_bullets() {
        let text = "One\nline.\n\nTwo:\n• a\n  b\n• c\n\nEnd.";
        assert_eq!(
            pieces(text),
            [
                ProsePiece::Paragraph("One line.".to_owned()),
                ProsePiece::Paragraph("Two:".to_owned()),
                ProsePiece::List(vec!["a b".to_owned(), "c".to_owned()]),
                ProsePiece::Paragraph("End.".to_owned()),
            ]
        );
        assert_eq!(pieces(""), []);
    }
}
