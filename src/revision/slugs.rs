//! Every slug ever published, and whose it is. A slug is given once and keeps answering for ever.

use crate::program::{Program, Slug, Text, Track, slug_of};
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::OnceLock;

/// Slugs by what they name.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Slugs {
    /// Tracks as last known, those that left the config too.
    pub tracks: BTreeMap<Slug, Track>,
    /// Rooms, by name.
    pub rooms: BTreeMap<Slug, Text>,
    /// Speakers, by name.
    pub speakers: BTreeMap<Slug, Text>,
    /// Days, by the venue's date.
    pub days: BTreeSet<NaiveDate>,
    /// Old slugs of renamed tracks, and what they are now.
    pub track_aliases: BTreeMap<Slug, Slug>,
    /// Old slugs of renamed rooms, and what they are now.
    pub room_aliases: BTreeMap<Slug, Slug>,
    #[serde(skip)]
    pub(crate) by_name: ByName,
}

/// The slugs by name, made when one is first looked up: normalising a name takes longer than everything else that a session's
/// card is made of. A hint alone, checked against the slugs at each look-up, so it is part of no comparison.
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
    /// Takes in what a program names: new names get slugs, nothing loses one.
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
        // A name's slug takes longer to find than the name in a set, and large programs repeat theirs.
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

    /// The track behind a slug, by its present slug.
    pub fn track(&self, slug: &Slug) -> Option<&Track> {
        self.tracks.get(self.track_aliases.get(slug).unwrap_or(slug))
    }

    /// The room behind a slug, with its present slug.
    pub fn room(&self, slug: &Slug) -> Option<(&Slug, &Text)> {
        self.rooms.get_key_value(self.room_aliases.get(slug).unwrap_or(slug))
    }

    /// The slug of a room's name.
    pub fn room_slug(&self, name: &Text) -> Option<&Slug> {
        named(&self.rooms, &self.by_name.rooms, name)
    }

    /// The slug of a speaker's name.
    pub fn speaker_slug(&self, name: &Text) -> Option<&Slug> {
        named(&self.speakers, &self.by_name.speakers, name)
    }
}

/// The slugs that a name can have, in the order in which they are tried.
fn candidates(name: &Text) -> impl Iterator<Item = Slug> {
    let base = slug_of(name.as_str());
    (1..).map(move |n| if n == 1 { base.clone() } else { base.numbered(n) })
}

/// The name's slug: its own, or a new one that nobody has.
fn assign(slugs: &mut BTreeMap<Slug, Text>, name: &Text) -> Slug {
    for slug in candidates(name) {
        match slugs.get(&slug) {
            Some(holder) if holder == name => return slug,
            Some(_) => {}
            None => {
                slugs.insert(slug.clone(), name.clone());
                return slug;
            }
        }
    }
    unreachable!("the candidates never end")
}

/// The slug of a name by the index; without its help where the slugs have changed since it was made.
fn named<'a>(
    slugs: &'a BTreeMap<Slug, Text>,
    by_name: &OnceLock<HashMap<Text, Slug>>,
    name: &Text,
) -> Option<&'a Slug> {
    let by_name =
        by_name.get_or_init(|| slugs.iter().map(|(slug, name)| (name.clone(), slug.clone())).collect());
    let hint = by_name.get(name).and_then(|slug| slugs.get_key_value(slug));
    hint.filter(|(_, holder)| *holder == name).map_or_else(|| holder(slugs, name), |(slug, _)| Some(slug))
}

fn holder<'a>(slugs: &'a BTreeMap<Slug, Text>, name: &Text) -> Option<&'a Slug> {
    candidates(name)
        .map_while(|slug| slugs.get_key_value(&slug))
        .find(|(_, holder)| *holder == name)
        .map(|(slug, _)| slug)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_collision_is_numbered_in_order_of_first_publication() {
        let mut slugs = BTreeMap::new();
        let first = assign(&mut slugs, &Text::from("Zoë Müller"));
        let second = assign(&mut slugs, &Text::from("Zoe Muller"));
        assert_eq!((first.as_str(), second.as_str()), ("zoe-muller", "zoe-muller-2"));
        assert_eq!(assign(&mut slugs, &Text::from("Zoe Muller")), second);
        assert_eq!(holder(&slugs, &Text::from("Zoe Muller")), Some(&second));
        assert_eq!(holder(&slugs, &Text::from("Zoé Muller")), None);
    }

    #[test]
    fn a_look_up_finds_what_was_learnt_after_the_first() {
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
