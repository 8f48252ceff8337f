//! Every slug ever published, and the track, room, speaker or day that the slug names. A slug is assigned once and
//! keeps working for ever.

use crate::program::{Program, Slug, Text, Track, slug_of};
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::OnceLock;

/// Slugs by the kind of thing that they name.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Slugs {
    /// Tracks as last configured, including removed tracks.
    pub tracks: BTreeMap<Slug, Track>,
    /// The names of rooms.
    pub rooms: BTreeMap<Slug, Text>,
    /// The names of speakers.
    pub speakers: BTreeMap<Slug, Text>,
    /// Days: dates in the venue's zone.
    pub days: BTreeSet<NaiveDate>,
    /// Old slugs of renamed tracks, with their current slugs.
    pub track_aliases: BTreeMap<Slug, Slug>,
    /// Old slugs of renamed rooms, with their current slugs.
    pub room_aliases: BTreeMap<Slug, Slug>,
    #[serde(skip)]
    pub(crate) by_name: ByName,
}

/// A cache of slugs by name, built at the first look-up, since normalising a name is slow. Each look-up checks its
/// result against the slugs, so an outdated cache does no harm. Comparisons ignore the cache.
#[derive(Debug, Default)]
pub(crate) struct ByName {
    rooms: OnceLock<HashMap<Text, Slug>>,
    speakers: OnceLock<HashMap<Text, Slug>>,
}

impl Clone for ByName {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl PartialEq for ByName {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Slugs {
    /// Adds the names of a program: new names get slugs, and known names keep their slugs.
    pub fn learn(&mut self, program: &Program) {
        for track in &program.tracks {
            self.tracks.insert(track.slug.clone(), track.clone());
            for was in &track.was {
                self.track_aliases.insert(was.clone(), track.slug.clone());
            }
        }
        let zone = program.conference.zone;
        if let Some((first, last)) = program.conference.dates {
            self.days.extend(first.iter_days().take_while(|day| *day <= last));
        }
        // Deriving a slug is slower than a set look-up, and large programs repeat their names.
        let (mut rooms, mut speakers) = (HashSet::new(), HashSet::new());
        for session in program.order() {
            self.days.insert(zone.civil(session.slot.start).date());
            if let Some(room) = session.slot.room.as_ref().filter(|room| rooms.insert(*room)) {
                assign(&mut self.rooms, room);
            }
            for speaker in session.speakers.iter().filter(|speaker| speakers.insert(&speaker.name)) {
                assign(&mut self.speakers, &speaker.name);
            }
        }
        for room in &program.conference.rooms {
            let slug = assign(&mut self.rooms, &room.name);
            for was in &room.was {
                self.room_aliases.insert(was.clone(), slug.clone());
            }
        }
    }

    /// The track with a current or old slug.
    pub fn track(&self, slug: &Slug) -> Option<&Track> {
        self.tracks.get(self.track_aliases.get(slug).unwrap_or(slug))
    }

    /// The current slug and the name of the room with a current or old slug.
    pub fn room(&self, slug: &Slug) -> Option<(&Slug, &Text)> {
        self.rooms.get_key_value(self.room_aliases.get(slug).unwrap_or(slug))
    }

    /// The slug of a room.
    pub fn room_slug(&self, name: &Text) -> Option<&Slug> {
        find_slug(&self.rooms, &self.by_name.rooms, name)
    }

    /// The slug of a speaker.
    pub fn speaker_slug(&self, name: &Text) -> Option<&Slug> {
        find_slug(&self.speakers, &self.by_name.speakers, name)
    }
}

/// The slugs that a name may get, the preferred slug first.
fn candidates(name: &Text) -> impl Iterator<Item = Slug> {
    let base = slug_of(name.as_str());
    (1..).map(move |n| if n == 1 { base.clone() } else { base.numbered(n) })
}

/// The slug of a name. A name without a slug is assigned one.
fn assign(slugs: &mut BTreeMap<Slug, Text>, name: &Text) -> Slug {
    for slug in candidates(name) {
        match slugs.get(&slug) {
            Some(owner) if owner == name => return slug,
            Some(_) => {}
            None => {
                slugs.insert(slug.clone(), name.clone());
                return slug;
            }
        }
    }
    unreachable!("the candidates never end")
}

/// The slug of a name, from the cache unless the cache is outdated.
fn find_slug<'a>(
    slugs: &'a BTreeMap<Slug, Text>,
    by_name: &OnceLock<HashMap<Text, Slug>>,
    name: &Text,
) -> Option<&'a Slug> {
    let by_name =
        by_name.get_or_init(|| slugs.iter().map(|(slug, name)| (name.clone(), slug.clone())).collect());
    let cached = by_name.get(name).and_then(|slug| slugs.get_key_value(slug));
    cached
        .filter(|(_, owner)| *owner == name)
        .map_or_else(|| search_slug(slugs, name), |(slug, _)| Some(slug))
}

fn search_slug<'a>(slugs: &'a BTreeMap<Slug, Text>, name: &Text) -> Option<&'a Slug> {
    candidates(name)
        .map_while(|slug| slugs.get_key_value(&slug))
        .find(|(_, owner)| *owner == name)
        .map(|(slug, _)| slug)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colliding_slugs_are_numbered_in_order_of_first_publication() {
        let mut slugs = BTreeMap::new();
        let first = assign(&mut slugs, &Text::from("Zoë Müller"));
        let second = assign(&mut slugs, &Text::from("Zoe Muller"));
        assert_eq!((first.as_str(), second.as_str()), ("zoe-muller", "zoe-muller-2"));
        assert_eq!(assign(&mut slugs, &Text::from("Zoe Muller")), second);
        assert_eq!(search_slug(&slugs, &Text::from("Zoe Muller")), Some(&second));
        assert_eq!(search_slug(&slugs, &Text::from("Zoé Muller")), None);
    }

    #[test]
    fn a_look_up_finds_slugs_added_after_the_cache_was_built() {
        let mut slugs = Slugs::default();
        let [first, second] = ["Zoë Müller", "Zoe Muller"].map(Text::from);
        assign(&mut slugs.speakers, &first);
        assert_eq!(slugs.speaker_slug(&first).map(Slug::as_str), Some("zoe-muller"));
        assert_eq!(slugs.speaker_slug(&second), None);
        assign(&mut slugs.speakers, &second);
        assert_eq!(slugs.speaker_slug(&second).map(Slug::as_str), Some("zoe-muller-2"));
        slugs.speakers.remove(slugs.speaker_slug(&first).cloned().as_ref().unwrap());
        assert_eq!(slugs.speaker_slug(&first), None);
        assert_eq!(slugs, slugs.clone());
    }
}
