//! A session's page: what, when, who, and what else takes place meanwhile.

use super::card::Card;
use super::head::Head;
use super::json::data_block;
use super::prose::{Piece, pieces};
use super::site::Site;
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
    abstract_text: &'a [Piece],
    links: Vec<(String, String)>,
    speakers: Vec<Person>,
    beside: Vec<Card<'a>>,
    /// How many more there are, in words.
    more_beside: Option<String>,
}

/// The most sessions that a session's page lists of those at the same time. More than any real conference has in parallel, and
/// few enough for thousands of sessions in one hour.
const MOST_BESIDE: usize = 40;

struct Person {
    name: String,
    slug: String,
    /// Role and affiliation.
    standing: String,
    bio: Vec<Piece>,
}

/// Renders it; none where the program does not show the session.
pub fn session(release: &Release, id: &SessionId) -> Option<String> {
    let entry = release.ledger.entries.get(id).filter(|entry| entry.is_shown())?;
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

fn person(site: &Site<'_>, speaker: &Speaker) -> Person {
    let slug = site.release.ledger.slugs.speaker_slug(&speaker.name);
    Person {
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
