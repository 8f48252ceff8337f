//! A session's page: the session, its speakers, and the parallel sessions.

use super::card::Card;
use super::encode::data_block;
use super::site::{Head, Site, picked_session_path};
use super::{schema, write};
use crate::feed::FeedKey;
use crate::program::{Session, SessionId, Slug, Speaker};
use crate::release::Release;
use crate::revision::Entry;
use askama::Template;
use std::collections::HashMap;

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
    /// The sessions before and after the session in its track: label, relation and card.
    neighbours: Vec<(String, &'static str, Card<'a>)>,
    track_name: String,
    /// Address and name of the session's room.
    room: Option<(String, String)>,
    /// Parallel sessions, with the first sentence of each abstract.
    beside: Vec<(Card<'a>, String)>,
    /// The number of further parallel sessions, in words.
    more_beside: Option<String>,
    /// The language of the session, if it is not that of the conference.
    language: Option<&'a str>,
    /// The addresses and names of the session's topics.
    topics: Vec<(String, String)>,
    /// Language and whether the session is recorded, in words.
    notes: Vec<String>,
}

/// The most parallel sessions that a page lists. No known conference has more; the limit keeps the page small even if
/// thousands of sessions share one hour.
const MAX_PARALLEL: usize = 40;

struct SpeakerView {
    name: String,
    slug: String,
    /// Role and affiliation.
    role_and_affiliation: String,
    bio: Vec<ProsePiece>,
}

/// The sessions before and after each session in its track.
#[derive(Debug, Default)]
pub(super) struct Neighbours<'a>(HashMap<&'a SessionId, [Option<&'a Entry>; 2]>);

impl<'a> Neighbours<'a> {
    /// The neighbours of every session of a release.
    pub(super) fn of(release: &'a Release) -> Self {
        let mut all = Self::default();
        release.ledger.slugs.tracks.keys().for_each(|slug| all.add(release, slug));
        all
    }

    fn add(&mut self, release: &'a Release, track: &Slug) {
        let entries: Vec<&Entry> = release.part(&FeedKey::Track(track.clone()));
        let is_listed = |entry: &&&Entry| !entry.session.kind.is_pause();
        let entries: Vec<&Entry> = entries.iter().filter(is_listed).copied().collect();
        for (place, entry) in entries.iter().enumerate() {
            let before = place.checked_sub(1).and_then(|place| entries.get(place)).copied();
            self.0.insert(&entry.session.id, [before, entries.get(place + 1).copied()]);
        }
    }
}

/// Renders the page; none if the program does not show the session.
pub fn session(release: &Release, id: &SessionId) -> Option<String> {
    let entry = release.ledger.entries.get(id).filter(|entry| entry.is_visible())?;
    let mut neighbours = Neighbours::default();
    entry.session.track.iter().for_each(|slug| neighbours.add(release, slug));
    Some(render(&Site::of(release), entry, &neighbours))
}

/// The page with a visitor's picks marked.
pub fn picked_session(
    release: &Release,
    id: &SessionId,
    picks: &[SessionId],
    is_organizer: bool,
) -> Option<String> {
    let entry = release.ledger.entries.get(id).filter(|entry| entry.is_visible())?;
    let site = Site::with_picks(release, picks);
    let mut neighbours = Neighbours::default();
    entry.session.track.iter().for_each(|slug| neighbours.add(release, slug));
    let mut head = Head::secret(&site, entry.session.title.as_str()).at("session").with_desk(is_organizer);
    head.url = site.conference().link(&format!("/sessions/{id}"));
    Some(render_with(&site, head, entry, &neighbours))
}

pub(super) fn render<'a>(site: &Site<'a>, entry: &'a Entry, neighbours: &Neighbours<'a>) -> String {
    let session = &entry.session;
    let card = Card::of(site, entry);
    let people = (!card.people.is_empty()).then(|| card.people.clone());
    let start = session.slot.start;
    let when = format!("{}, {}", site.when.day(site.when.civil_date(start)), card.range);
    let about: Vec<String> =
        [Some(when), people, Some(session.abstract_text.to_string())].into_iter().flatten().collect();
    let path = format!("/sessions/{}", session.id);
    let mut head = Head::public(site, session.title.as_str(), &about.join(". "), &path).at("session");
    head.schema = Some(data_block(&schema::single(site, entry)));
    head.feed = Some((session.title.to_string(), format!("{path}.ics")));
    render_with(site, head, entry, neighbours)
}

fn render_with<'a>(site: &Site<'a>, mut head: Head, entry: &'a Entry, neighbours: &Neighbours<'a>) -> String {
    let (session, words) = (&entry.session, site.words);
    let start = session.slot.start;
    let card = Card::of(site, entry);
    head.pressed_at = picked_session_path(&session.id);
    let own = session.url.as_ref().map(|url| (url.to_string(), words.organizers_page.to_owned()));
    let links = session.links.iter().map(|link| (link.url.to_string(), link.label.to_string()));
    let meanwhile = site.release.beside(entry, MAX_PARALLEL);
    let track_name = card.track.map(|track| track.name.to_string()).unwrap_or_default();
    let [before, after] = neighbours.0.get(&session.id).copied().unwrap_or_default();
    let before = before.map(|entry| (words.previous_in_track(&track_name), "prev", Card::of(site, entry)));
    let after = after.map(|entry| (words.next_in_track(&track_name), "next", Card::of(site, entry)));
    let room = session.slot.room.as_ref().and_then(|name| {
        let slug = site.release.ledger.slugs.room_slug(name)?;
        Some((format!("/rooms/{slug}"), name.to_string()))
    });
    let beside = meanwhile
        .first
        .iter()
        .map(|other| (Card::of(site, other), first_sentence(other.session.abstract_text.as_str())));
    write(&SessionPage {
        head,
        date: site.when.date(start).format("%Y-%m-%d").to_string(),
        day: site.when.day(site.when.civil_date(start)),
        zone: site.when.zone_names(start, session.slot.end),
        abstract_text: &split_prose(session.abstract_text.as_str()),
        links: own.into_iter().chain(links).collect(),
        speakers: session.speakers.iter().map(|speaker| person(site, speaker)).collect(),
        neighbours: before.into_iter().chain(after).collect(),
        room,
        beside: beside.collect(),
        more_beside: (meanwhile.more > 0).then(|| words.and_more(meanwhile.more)),
        track_name,
        language: session.language.as_ref().map(|tag| tag.as_str()),
        topics: topics(site, session),
        notes: notes(site, session),
        card,
        site: site.clone(),
    })
}

/// Each topic leads to the sessions with it.
fn topics(site: &Site<'_>, session: &Session) -> Vec<(String, String)> {
    let slugs = &site.release.ledger.slugs;
    let tags = session.tags.iter().filter_map(|tag| Some((slugs.tag_slug(tag)?, tag)));
    tags.map(|(slug, tag)| (format!("/?tag={slug}"), tag.to_string())).collect()
}

fn notes(site: &Site<'_>, session: &Session) -> Vec<String> {
    let words = site.words;
    let language = session.language.as_ref().map(|tag| words.session_language(tag.as_str()));
    let recording = session.no_recording.then(|| words.not_recorded.to_owned());
    [language, recording].into_iter().flatten().collect()
}

/// The longest first sentence, in characters.
const MAX_SENTENCE_CHARS: usize = 200;

/// The first sentence of a text, shortened to [`MAX_SENTENCE_CHARS`].
fn first_sentence(text: &str) -> String {
    let line = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default().trim();
    let ends = line.match_indices(['.', '!', '?']).map(|(at, _)| at + 1);
    let is_end = |end: &usize| line.get(*end..).is_some_and(|rest| rest.starts_with(' '));
    let sentence = ends.into_iter().find(is_end).and_then(|end| line.get(..end)).unwrap_or(line);
    if sentence.chars().count() <= MAX_SENTENCE_CHARS {
        return sentence.to_owned();
    }
    let cut: String = sentence.chars().take(MAX_SENTENCE_CHARS).collect();
    format!("{}…", cut.rsplit_once(' ').map_or(cut.as_str(), |(start, _)| start))
}

fn person(site: &Site<'_>, speaker: &Speaker) -> SpeakerView {
    let slug = site.release.ledger.slugs.speaker_slug(&speaker.name);
    SpeakerView {
        name: speaker.name.to_string(),
        slug: slug.map(ToString::to_string).unwrap_or_default(),
        role_and_affiliation: role_and_affiliation(speaker),
        bio: split_prose(speaker.bio.as_str()),
    }
}

/// `Program Co-Chair, Acme`
pub(super) fn role_and_affiliation(speaker: &Speaker) -> String {
    let parts = speaker.role.iter().chain(&speaker.affiliation);
    parts.map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// A paragraph or list of an abstract or bio.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ProsePiece {
    /// A paragraph, its lines joined.
    Paragraph(String),
    /// The items of a list, without their bullets.
    List(Vec<String>),
}

/// Splits a text at empty lines and bullets (`•`, `*`).
pub(super) fn split_prose(text: &str) -> Vec<ProsePiece> {
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
    fn the_first_sentence_ends_at_a_full_stop_before_a_space_or_where_it_is_too_long() {
        assert_eq!(first_sentence("\n Version 2.0 is out. More.\nNext."), "Version 2.0 is out.");
        assert_eq!(first_sentence("No end"), "No end");
        assert_eq!(first_sentence(""), "");
        assert_eq!(first_sentence(&"word ".repeat(100)).chars().count(), 200);
    }

    #[test]
    fn paragraphs_and_bullets() {
        let text = "One\nline.\n\nTwo:\n• a\n  b\n• c\n\nEnd.";
        assert_eq!(
            split_prose(text),
            [
                ProsePiece::Paragraph("One line.".to_owned()),
                ProsePiece::Paragraph("Two:".to_owned()),
                ProsePiece::List(vec!["a b".to_owned(), "c".to_owned()]),
                ProsePiece::Paragraph("End.".to_owned()),
            ]
        );
        assert_eq!(split_prose(""), []);
    }
}
