//! The `track` column: the config's tracks, and those that only the program names.

use super::fault::{At, Faults, Flaw, Spot};
use super::nearest::nearest;
use crate::program::{Conference, Slug, Text, Track, slug_of};
use std::collections::HashMap;

/// Tracks that a program may have: each is a feed, and a row's track is looked up among them.
const MOST: usize = 500;

/// All tracks known so far.
#[derive(Debug)]
pub(super) struct Tracks {
    list: Vec<Track>,
    declared: usize,
    /// Names in lower case, slugs and former slugs.
    known: HashMap<String, Slug>,
    strangers: HashMap<Slug, Stranger>,
}

/// A track that the config does not know.
#[derive(Debug)]
struct Stranger {
    name: Text,
    first: At,
    sessions: usize,
    published: bool,
}

impl Tracks {
    pub(super) fn of(conference: &Conference) -> Self {
        let mut known = HashMap::new();
        for track in &conference.tracks {
            for former in &track.was {
                known.entry(former.as_str().to_owned()).or_insert_with(|| track.slug.clone());
            }
        }
        for track in &conference.tracks {
            known.insert(track.name.as_str().to_lowercase(), track.slug.clone());
            known.insert(track.slug.as_str().to_owned(), track.slug.clone());
        }
        let list = conference.tracks.clone();
        Self { declared: list.len(), list, known, strangers: HashMap::new() }
    }

    /// The slug of the track that a row names. A withdrawn row publishes no track.
    pub(super) fn resolve(
        &mut self,
        spot: Spot<'_>,
        name: Text,
        withdrawn: bool,
        faults: &mut Faults,
    ) -> Slug {
        if let Some(slug) = self.known.get(&name.as_str().to_lowercase()) {
            return slug.clone();
        }
        let slug = slug_of(name.as_str());
        if let Some(track) = self.list.iter().take(self.declared).find(|track| track.slug == slug) {
            let message = format!("{:?} is taken as the track {:?}", name.as_str(), track.name.as_str());
            let remedy = format!("write {:?}", track.name.as_str());
            faults.warn(spot, Flaw::new("track-spelling", message, remedy));
            return slug;
        }
        let stranger = self.strangers.entry(slug.clone()).or_insert_with(|| Stranger {
            name: name.clone(),
            first: spot.at,
            sessions: 0,
            published: false,
        });
        stranger.sessions += 1;
        if stranger.name.as_str().to_lowercase() != name.as_str().to_lowercase() && stranger.sessions > 1 {
            let message = format!("{:?} is taken as the track {:?}", name.as_str(), stranger.name.as_str());
            faults.warn(spot, Flaw::new("track-spelling", message, "spell the track alike in every row"));
        }
        if !withdrawn && !stranger.published {
            stranger.published = true;
            let name = stranger.name.clone();
            self.list.push(Track {
                name,
                slug: slug.clone(),
                colour: None,
                about: Text::default(),
                was: Vec::new(),
            });
        }
        slug
    }

    /// Reports the tracks that the config does not know, and hands over all of them.
    pub(super) fn finish(self, faults: &mut Faults) -> Vec<Track> {
        let declared: Vec<&str> =
            self.list.iter().take(self.declared).map(|track| track.name.as_str()).collect();
        let mut strangers: Vec<Stranger> = self.strangers.into_values().collect();
        strangers.sort_by_key(|stranger| stranger.first.span);
        if self.list.len() > MOST {
            let at = strangers.last().map_or(At::default(), |stranger| stranger.first);
            let message =
                format!("the program names {} tracks; at most {MOST} can be subscribed to", self.list.len());
            let spot = Spot { at, column: Some("track"), text: "" };
            faults.error(
                spot,
                Flaw::new(
                    "too-many-tracks",
                    message,
                    "leave the track empty, or write a room or a title into its own column",
                ),
            );
            return self.list;
        }
        for stranger in &strangers {
            let name = stranger.name.as_str();
            let message = format!(
                "the track {name:?} is not in the config; {} of the program in it",
                counted(stranger.sessions)
            );
            let remedy = match nearest(name, &declared) {
                Some(near) => {
                    format!("write {near:?} if that is meant, else declare the track in the config")
                }
                None => "declare it in the config, or write one of its tracks".to_owned(),
            };
            let spot = Spot { at: stranger.first, column: Some("track"), text: name };
            faults.warn(spot, Flaw::new("unknown-track", message, remedy));
        }
        self.list
    }
}

fn counted(sessions: usize) -> String {
    if sessions == 1 { "1 session".to_owned() } else { format!("{sessions} sessions") }
}
