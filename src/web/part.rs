//! The pages of tracks and speakers.

use super::day::{Day, days};
use super::session::{ProsePiece, pieces, standing};
use super::site::{Head, Site};
use super::text::fill;
use super::write;
use crate::feed::FeedKey;
use crate::program::{Slug, Track};
use crate::release::Release;
use askama::Template;

#[derive(Template)]
#[template(path = "part.html")]
struct PartPage<'a> {
    site: Site<'a>,
    head: Head,
    class: String,
    over: &'static str,
    heading: String,
    standing: String,
    prose: &'a [ProsePiece],
    nothing: &'static str,
    subscribe: String,
    offer: String,
    days: Vec<Day<'a>>,
}

/// A track's page; none where the slug was never published.
pub fn track(release: &Release, slug: &Slug) -> Option<String> {
    let track = release.ledger.slugs.track(slug)?;
    Some(render_track(&Site::of(release), track))
}

pub(super) fn render_track(site: &Site<'_>, track: &Track) -> String {
    let entries = site.release.part(&FeedKey::Track(track.slug.clone()));
    let path = format!("/tracks/{}", track.slug);
    let about = if track.about.is_empty() {
        fill(
            site.words.part_of,
            &[("name", track.name.as_str()), ("title", site.conference().title.as_str())],
        )
    } else {
        track.about.to_string()
    };
    let mut head = Head::public(site, track.name.as_str(), &about, &path);
    head.feed = Some((track.name.to_string(), format!("{path}.ics")));
    let nothing = site.words.announced_track;
    write(&PartPage {
        head,
        class: format!("t-{} card", track.slug),
        over: site.words.track,
        heading: track.name.to_string(),
        standing: String::new(),
        prose: &pieces(track.about.as_str()),
        nothing,
        subscribe: format!("/subscribe{path}"),
        offer: fill(site.words.subscribe_to, &[("name", track.name.as_str())]),
        days: days(site, &entries),
        site: site.clone(),
    })
}

/// A speaker's page; none where the slug was never published.
pub fn speaker(release: &Release, slug: &Slug) -> Option<String> {
    release.ledger.slugs.speakers.get(slug)?;
    Some(render_speaker(&Site::of(release), slug))
}

pub(super) fn render_speaker(site: &Site<'_>, slug: &Slug) -> String {
    let name = site.release.ledger.slugs.speakers.get(slug).cloned().unwrap_or_default();
    let entries = site.release.part(&FeedKey::Speaker(slug.clone()));
    let appearances =
        || entries.iter().flat_map(|entry| &entry.session.speakers).filter(|speaker| speaker.name == name);
    let bio = appearances().map(|speaker| &speaker.bio).find(|bio| !bio.is_empty());
    let mut standings: Vec<String> = appearances().map(standing).filter(|text| !text.is_empty()).collect();
    standings.dedup();
    let path = format!("/speakers/{slug}");
    let about = bio.map(ToString::to_string).unwrap_or_else(|| {
        fill(site.words.part_of, &[("name", name.as_str()), ("title", site.conference().title.as_str())])
    });
    let mut head = Head::public(site, name.as_str(), &about, &path);
    head.feed = Some((name.to_string(), format!("{path}.ics")));
    write(&PartPage {
        head,
        class: String::new(),
        over: site.words.speaker,
        heading: name.to_string(),
        standing: standings.join(" · "),
        prose: &pieces(bio.map(crate::program::Text::as_str).unwrap_or_default()),
        nothing: site.words.no_longer_speaking,
        subscribe: format!("/subscribe{path}"),
        offer: fill(site.words.subscribe_to, &[("name", name.as_str())]),
        days: days(site, &entries),
        site: site.clone(),
    })
}
