//! The column `track`: tracks of the config, and tracks that only the program names.

use super::fault::{Defect, Faults, Location, Spot, counted};
use super::word::nearest;
use crate::program::{Conference, Slug, Text, Track, slug_of};
use std::collections::HashMap;

/// The most tracks of a program. Each track is a feed.
const MAX_TRACKS: usize = 500;

/// The tracks found so far.
#[derive(Debug)]
pub(super) struct Tracks {
    /// The tracks, beginning with those of the config.
    list: Vec<Track>,
    configured: usize,
    /// Maps names in lower case, slugs and former slugs of the config's tracks to slugs.
    slugs: HashMap<String, Slug>,
    unlisted: HashMap<Slug, UnlistedTrack>,
}

/// A track that the config does not list.
#[derive(Debug)]
struct UnlistedTrack {
    name: Text,
    /// The location of the first cell that names the track.
    first: Location,
    sessions: usize,
    is_published: bool,
}

impl Tracks {
    pub(super) fn of(conference: &Conference) -> Self {
        let mut slugs = HashMap::new();
        for track in &conference.tracks {
            for former in &track.was {
                slugs.entry(former.as_str().to_owned()).or_insert_with(|| track.slug.clone());
            }
        }
        for track in &conference.tracks {
            slugs.insert(track.name.as_str().to_lowercase(), track.slug.clone());
            slugs.insert(track.slug.as_str().to_owned(), track.slug.clone());
        }
        let list = conference.tracks.clone();
        Self { configured: list.len(), list, slugs, unlisted: HashMap::new() }
    }

    /// The slug of the track that a row names. A withdrawn session does not add its track to the program.
    pub(super) fn resolve(
        &mut self,
        spot: Spot<'_>,
        name: Text,
        withdrawn: bool,
        faults: &mut Faults,
    ) -> Slug {
        if let Some(slug) = self.slugs.get(&name.as_str().to_lowercase()) {
            return slug.clone();
        }
        let slug = slug_of(name.as_str());
        if let Some(track) = self.list.iter().take(self.configured).find(|track| track.slug == slug) {
            let message = format!("{:?} is read as the track {:?}", name.as_str(), track.name.as_str());
            let remedy = format!("write {:?}", track.name.as_str());
            faults.warn(spot, Defect::new("track-spelling", message, remedy));
            return slug;
        }
        let track = self.unlisted.entry(slug.clone()).or_insert_with(|| UnlistedTrack {
            name: name.clone(),
            first: spot.location,
            sessions: 0,
            is_published: false,
        });
        track.sessions += 1;
        if track.name.as_str().to_lowercase() != name.as_str().to_lowercase() && track.sessions > 1 {
            let message = format!("{:?} is read as the track {:?}", name.as_str(), track.name.as_str());
            faults.warn(spot, Defect::new("track-spelling", message, "spell the track alike in every row"));
        }
        if !withdrawn && !track.is_published {
            track.is_published = true;
            let name = track.name.clone();
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

    /// Reports the tracks that the config does not list, and returns all tracks.
    pub(super) fn finish(self, faults: &mut Faults) -> Vec<Track> {
        let mut unlisted: Vec<UnlistedTrack> = self.unlisted.into_values().collect();
        unlisted.sort_by_key(|track| track.first.span);
        if self.list.len() > MAX_TRACKS {
            let location = unlisted.last().map_or(Location::default(), |track| track.first);
            let message = format!("the program has {} tracks, more than {MAX_TRACKS}", self.list.len());
            let remedy = "leave the cell empty if it does not hold a track, but a room or a title";
            let spot = Spot { location, column: Some("track"), text: "" };
            faults.error(spot, Defect::new("too-many-tracks", message, remedy));
            return self.list;
        }
        let configured: Vec<&str> =
            self.list.iter().take(self.configured).map(|track| track.name.as_str()).collect();
        for track in &unlisted {
            let name = track.name.as_str();
            let sessions = counted(track.sessions, "session");
            let message = format!("the track {name:?} is not in the config; it has {sessions}");
            let remedy = match nearest(name, &configured) {
                Some(near) => {
                    format!("write {near:?} if that is what you mean; otherwise add the track to the config")
                }
                None => "add it to the config, or write one of the config's tracks".to_owned(),
            };
            let spot = Spot { location: track.first, column: Some("track"), text: name };
            faults.warn(spot, Defect::new("unknown-track", message, remedy));
        }
        self.list
    }
}
