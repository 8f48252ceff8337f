//! Every slug ever published, and the track, room, speaker, tag or day that the slug names. A slug is assigned once and
//! keeps working for ever.

use crate::program::{Program, Slug, Text, Track, former_slug_of, slug_of};
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
    /// The tags, as spelled when they were first published. Case does not matter.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<Slug, Text>,
    /// Days: dates in the venue's zone.
    pub days: BTreeSet<NaiveDate>,
    /// Old slugs of renamed tracks, with their current slugs.
    pub track_aliases: BTreeMap<Slug, Slug>,
    /// Old slugs of renamed rooms, with their current slugs.
    pub room_aliases: BTreeMap<Slug, Slug>,
    /// The first names of renamed rooms, by their current slugs.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub first_room_names: BTreeMap<Slug, Text>,
    #[serde(skip)]
    pub(crate) by_name: ByName,
}

/// A cache of slugs by name, built at the first look-up, since normalising a name is slow. Each look-up checks its
/// result against the slugs, so an outdated cache does no harm. Comparisons ignore the cache.
#[derive(Debug, Default)]
pub(crate) struct ByName {
    rooms: OnceLock<HashMap<Text, Slug>>,
    speakers: OnceLock<HashMap<Text, Slug>>,
    tags: OnceLock<HashMap<String, Slug>>,
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
    pub fn add_names_of(&mut self, program: &Program) {
        for (former, slug) in self.respelled_tracks(program) {
            self.track_aliases.insert(former, slug);
        }
        for track in &program.tracks {
            self.tracks.insert(track.slug.clone(), track.clone());
            for was in &track.was {
                self.track_aliases.insert(was.clone(), track.slug.clone());
            }
        }
        let days = program.conference.days();
        if let Some((first, last)) = program.conference.dates {
            self.days.extend(first.iter_days().take_while(|day| *day <= last));
        }
        // Deriving a slug is slower than a set look-up, and large programs repeat their names.
        let (mut rooms, mut speakers) = (HashSet::new(), HashSet::new());
        let mut tags: HashSet<String> = self.tags.values().map(folded).collect();
        for session in program.order() {
            self.days.extend(days.all(&session.slot));
            if let Some(room) = session.slot.room.as_ref().filter(|room| rooms.insert(*room)) {
                assign(&mut self.rooms, room);
            }
            for speaker in session.speakers.iter().filter(|speaker| speakers.insert(&speaker.name)) {
                assign(&mut self.speakers, &speaker.name);
            }
            for tag in session.tags.iter().filter(|tag| tags.insert(folded(tag))) {
                assign(&mut self.tags, tag);
            }
        }
        for room in &program.conference.rooms {
            let slug = assign(&mut self.rooms, &room.name);
            for was in &room.was {
                self.room_aliases.insert(was.clone(), slug.clone());
            }
            let first_name =
                |was: &Slug| self.first_room_names.get(was).or_else(|| self.rooms.get(was)).cloned();
            if let Some(name) = room.was.iter().find_map(first_name) {
                self.first_room_names.entry(slug).or_insert(name);
            }
        }
    }

    /// The tracks that were published with the slug by which versions up to 0.1.0 spelled their name: that slug, and the
    /// slug of today. Nobody has to declare such a rename.
    pub(super) fn respelled_tracks(&self, program: &Program) -> Vec<(Slug, Slug)> {
        let is_used = |slug: &Slug| program.tracks.iter().any(|track| track.slug == *slug);
        let respelled = |track: &Track| {
            let (former, slug) = (former_slug_of(track.name.as_str()), slug_of(track.name.as_str()));
            let is_published = self.tracks.get(&former).is_some_and(|known| known.name == track.name);
            (track.slug == slug && former != slug && is_published && !is_used(&former))
                .then_some((former, slug))
        };
        program.tracks.iter().filter_map(respelled).collect()
    }

    /// The track with a current or old slug.
    pub fn track(&self, slug: &Slug) -> Option<&Track> {
        self.tracks.get(self.track_aliases.get(slug).unwrap_or(slug))
    }

    /// The current slug and the name of the room with a current or old slug.
    pub fn room(&self, slug: &Slug) -> Option<(&Slug, &Text)> {
        self.rooms.get_key_value(self.room_aliases.get(slug).unwrap_or(slug))
    }

    /// The room whose name is spelled so today, if it was published with its former slug.
    pub fn room_of_spelling(&self, slug: &Slug) -> Option<(&Slug, &Text)> {
        let (published, _) = self.rooms.iter().find(|(_, name)| slug_of(name.as_str()) == *slug)?;
        self.room(published)
    }

    /// The name that a room had before it was renamed; its name if it was not.
    pub fn first_room_name<'a>(&'a self, name: &'a Text) -> &'a Text {
        self.room_slug(name).and_then(|slug| self.first_room_names.get(slug)).unwrap_or(name)
    }

    /// The slug of a room.
    pub fn room_slug(&self, name: &Text) -> Option<&Slug> {
        find_slug(&self.rooms, &self.by_name.rooms, name)
    }

    /// The slug of a tag in any case.
    pub fn tag_slug(&self, tag: &Text) -> Option<&Slug> {
        let by_name = self
            .by_name
            .tags
            .get_or_init(|| self.tags.iter().map(|(slug, name)| (folded(name), slug.clone())).collect());
        let wanted = folded(tag);
        let is_same = |(_, name): &(&Slug, &Text)| folded(name) == wanted;
        let cached = by_name.get(&wanted).and_then(|slug| self.tags.get_key_value(slug)).filter(is_same);
        let is_outdated = by_name.len() != self.tags.len();
        let known = cached.or_else(|| self.tags.iter().find(is_same).filter(|_| is_outdated));
        known.map(|(slug, _)| slug)
    }

    /// The slug of a speaker.
    pub fn speaker_slug(&self, name: &Text) -> Option<&Slug> {
        find_slug(&self.speakers, &self.by_name.speakers, name)
    }
}

/// A tag without its case.
fn folded(tag: &Text) -> String {
    tag.as_str().to_lowercase()
}

/// The slugs that a name may get, the preferred slug first.
fn candidates(base: Slug) -> impl Iterator<Item = Slug> {
    (1..).map(move |n| if n == 1 { base.clone() } else { base.numbered(n) })
}

/// The slug of a name. A name without a slug is assigned one.
fn assign(slugs: &mut BTreeMap<Slug, Text>, name: &Text) -> Slug {
    if let Some(published) = search_slug(slugs, name) {
        return published.clone();
    }
    for slug in candidates(slug_of(name.as_str())) {
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

/// The slug of a name without the cache, by the rule of today or by the former one.
fn search_slug<'a>(slugs: &'a BTreeMap<Slug, Text>, name: &Text) -> Option<&'a Slug> {
    let search = |base: Slug| {
        candidates(base)
            .map_while(|slug| slugs.get_key_value(&slug))
            .find(|(_, owner)| *owner == name)
            .map(|(slug, _)| slug)
    };
    let slug = slug_of(name.as_str());
    search(slug.clone()).or_else(|| {
        let former = former_slug_of(name.as_str());
        (former != slug).then(|| search(former)).flatten()
    })
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

    /// Versions up to 0.1.0 dropped letters such as `ß`. Names that they published keep their addresses.
    #[test]
    fn published_names_keep_their_slugs_and_new_names_keep_their_letters() {
        let [street, yard, thief] = ["Straße", "Weißer Hof", "Strasse"].map(Text::from);
        let mut slugs = BTreeMap::from([(Slug::parse("strae").unwrap(), street.clone())]);
        let slug = |slugs: &mut BTreeMap<Slug, Text>, name| assign(slugs, name).to_string();
        assert_eq!(slug(&mut slugs, &street), "strae");
        assert_eq!(slug(&mut slugs, &yard), "weisser-hof");
        assert_eq!(slug(&mut slugs, &thief), "strasse");
        assert_eq!(slug(&mut slugs, &street), "strae");
        assert_eq!(slugs.len(), 3);
    }

    #[test]
    fn tags_differ_in_more_than_case() {
        let mut slugs = Slugs::default();
        let mut talk = crate::fixtures::opening().sessions.remove(0);
        talk.tags = ["Rust", "C", "C++", "rust", "C#"].map(Text::from).to_vec();
        slugs.add_names_of(&crate::fixtures::conference().sessions([talk.clone()]).program());
        let found: Vec<_> = slugs.tags.iter().map(|(slug, name)| (slug.as_str(), name.as_str())).collect();
        assert_eq!(found, [("c", "C"), ("c-2", "C++"), ("c-3", "C#"), ("rust", "Rust")]);
        assert_eq!(slugs.tag_slug(&Text::from("RUST")).map(Slug::as_str), Some("rust"));
        assert_eq!(slugs.tag_slug(&Text::from("c#")).map(Slug::as_str), Some("c-3"));
        assert_eq!(slugs.tag_slug(&Text::from("Go")), None);
        talk.tags.push(Text::from("Go"));
        slugs.add_names_of(&crate::fixtures::conference().sessions([talk]).program());
        assert_eq!(slugs.tag_slug(&Text::from("GO")).map(Slug::as_str), Some("go"));
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
