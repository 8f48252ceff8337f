//! Tracks and speakers as the API shows them.

use super::session::Named;
use crate::export::ident::person_guid;
use crate::feed::FeedKey;
use crate::program::{Slug, Track};
use crate::release::Release;
use serde::Serialize;
use std::collections::{BTreeMap, HashMap};

/// A track.
#[derive(Debug, Clone, Serialize)]
pub struct TrackDocument<'a> {
    #[serde(flatten)]
    named: Named<'a>,
    colour: Option<String>,
    about: &'a str,
    was: &'a [Slug],
    sessions: usize,
    page: String,
    feed: String,
    changes: String,
}

/// A speaker, with the sessions in which they are.
#[derive(Debug, Clone, Serialize)]
pub struct SpeakerDocument<'a> {
    #[serde(flatten)]
    named: Named<'a>,
    guid: String,
    sessions: Vec<&'a str>,
    page: String,
    feed: String,
}

impl SpeakerDocument<'_> {
    /// Its slug, by which speakers are sorted.
    pub fn slug(&self) -> &str {
        self.named.slug
    }
}

/// The tracks in the config's order, then those that are in it no longer but still have sessions.
pub fn track_documents(release: &Release) -> Vec<TrackDocument<'_>> {
    let conference = &release.program.conference;
    let mut sessions: HashMap<&Slug, usize> = HashMap::new();
    for entry in release.ledger.entries.values().filter(|entry| entry.is_shown()) {
        if let Some(track) = entry.session.track.as_ref().and_then(|slug| release.ledger.slugs.track(slug)) {
            *sessions.entry(&track.slug).or_default() += 1;
        }
    }
    let present = &release.program.tracks;
    let is_former =
        |track: &&Track| sessions.contains_key(&track.slug) && release.program.track(&track.slug).is_none();
    let tracks = present.iter().chain(release.ledger.slugs.tracks.values().filter(is_former));
    let documents = tracks.map(|Track { name, slug, colour, about, was }| TrackDocument {
        named: Named { slug: slug.as_str(), name: name.as_str() },
        colour: colour.map(|colour| colour.to_string()),
        about: about.as_str(),
        was,
        sessions: sessions.get(slug).copied().unwrap_or(0),
        page: conference.link(&format!("/tracks/{slug}")),
        feed: conference.link(&FeedKey::Track(slug.clone()).to_string()),
        changes: conference.link(&format!("/tracks/{slug}/changes.atom")),
    });
    documents.collect()
}

/// Everybody who is in a session that is shown, by slug.
pub fn speaker_documents(release: &Release) -> Vec<SpeakerDocument<'_>> {
    let (ledger, conference) = (&release.ledger, &release.program.conference);
    let slugs: HashMap<&str, &Slug> =
        ledger.slugs.speakers.iter().map(|(slug, name)| (name.as_str(), slug)).collect();
    let mut sessions: BTreeMap<&Slug, (&str, Vec<&str>)> = BTreeMap::new();
    for event in release.feeds.events() {
        let Some(entry) = ledger.entries.get(&event.id) else { continue };
        for speaker in &entry.session.speakers {
            let name = speaker.name.as_str();
            let Some(slug) = slugs.get(name) else { continue };
            let (_, held) = sessions.entry(slug).or_insert_with(|| (name, Vec::new()));
            if held.last() != Some(&entry.session.id.as_str()) {
                held.push(entry.session.id.as_str());
            }
        }
    }
    let documents = sessions.into_iter().map(|(slug, (name, sessions))| SpeakerDocument {
        named: Named { slug: slug.as_str(), name },
        guid: person_guid(slug, &ledger.uid_domain).to_string(),
        sessions,
        page: conference.link(&format!("/speakers/{slug}")),
        feed: conference.link(&FeedKey::Speaker(slug.clone()).to_string()),
    });
    documents.collect()
}
