//! The walking times of the config: their form, and what `callboard config check` says about them.

use super::{Config, ConfigError};
use crate::program::{
    Building, MAX_PLACES, Program, Shortened, Slug, Text, Walk, Walking, former_slug_of, slug_of,
};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

/// The longest walk in minutes. A larger number is a typo.
const MAX_WALK_MINUTES: u16 = 240;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct WalkingTable {
    default: u16,
    buildings: Vec<BuildingTable>,
    between: Vec<BetweenTable>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct BuildingTable {
    name: String,
    rooms: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct BetweenTable {
    from: String,
    to: String,
    minutes: u16,
}

impl WalkingTable {
    /// Rooms and buildings may be written by name or by slug.
    pub(super) fn resolve(self) -> Result<Walking, ConfigError> {
        let minutes = |key: &str, minutes: u16| match minutes {
            0..=MAX_WALK_MINUTES => Ok(minutes),
            _ => Err(ConfigError::value(key, format!("write {MAX_WALK_MINUTES} minutes or less"))),
        };
        let default = minutes("walking.default", self.default)?;
        let (mut names, mut homes) = (BTreeSet::new(), BTreeMap::new());
        let mut buildings = Vec::with_capacity(self.buildings.len());
        for table in self.buildings {
            let name = Text::line(&table.name).0;
            let refused = |problem: String| ConfigError::value("walking.buildings", problem);
            if !names.insert(slug_of(name.as_str())) {
                return Err(refused(format!("two buildings have the name {:?}", name.as_str())));
            }
            let rooms: Vec<Slug> = table.rooms.iter().map(|room| slug_of(room)).collect();
            if rooms.is_empty() {
                return Err(refused(format!("{:?} has no rooms; write rooms = [\"Room 1\"]", name.as_str())));
            }
            for room in &rooms {
                if let Some(other) = homes.insert(room.clone(), name.clone()) {
                    let (room, other) = (room.as_str(), other.as_str());
                    return Err(refused(format!("{room:?} is in {other:?} already; list it once")));
                }
            }
            buildings.push(Building { name, rooms });
        }
        let (mut between, mut pairs) = (Vec::with_capacity(self.between.len()), BTreeSet::new());
        for table in self.between {
            let (from, to) = (slug_of(&table.from), slug_of(&table.to));
            let refused = |problem: String| Err(ConfigError::value("walking.between", problem));
            if from == to && !names.contains(&from) {
                return refused(format!("{:?} is the same room twice", from.as_str()));
            }
            if !pairs.insert([&from, &to].map(Slug::clone).into_iter().collect::<BTreeSet<Slug>>()) {
                return refused(format!("{:?} and {:?} have two entries", from.as_str(), to.as_str()));
            }
            between.push(Walk { from, to, minutes: minutes("walking.between.minutes", table.minutes)? });
        }
        let walking = Walking { default, buildings, between };
        if walking.rooms().len() > MAX_PLACES {
            let problem = format!("walking times may name {MAX_PLACES} rooms at most");
            return Err(ConfigError::value("walking", problem));
        }
        Ok(walking)
    }
}

impl Config {
    /// Warnings about entries that are longer than a detour.
    pub fn walking_warnings(&self) -> Vec<String> {
        let warning = |shortened: Shortened| {
            let Shortened { walk, rooms: (from, to), via, minutes } = shortened;
            let (start, end, given) = (walk.from.as_str(), walk.to.as_str(), walk.minutes);
            format!(
                "{given} min from {start:?} to {end:?} is longer than the way from {:?} to {:?} through {:?}, which \
                 takes {minutes} min; the shorter time counts",
                from.as_str(),
                to.as_str(),
                via.as_str()
            )
        };
        self.walking().shortened().into_iter().map(warning).collect()
    }

    /// Warnings about rooms that a program does not have, with the nearest room that it has.
    pub fn unknown_rooms(&self, program: &Program) -> Vec<String> {
        let conference = &program.conference;
        let rooms = program.order().iter().filter_map(|session| session.slot.room.as_ref());
        let names: BTreeSet<&Text> = rooms.chain(conference.rooms.iter().map(|room| &room.name)).collect();
        let mut known: BTreeSet<String> =
            names.iter().map(|name| slug_of(name.as_str()).to_string()).collect();
        // Versions up to 0.1.0 published some rooms with another spelling.
        known.extend(names.iter().map(|name| former_slug_of(name.as_str()).to_string()));
        known.extend(conference.rooms.iter().flat_map(|room| &room.was).map(ToString::to_string));
        let unknown = self.walking().rooms().into_iter().filter(|room| !known.contains(room.as_str()));
        let warning = |room: &Slug| {
            let likeness = |name: &&str| strsim::normalized_damerau_levenshtein(room.as_str(), name);
            let near = known.iter().map(String::as_str).filter(|name| likeness(name) >= 0.5);
            let nearest = near.max_by(|a, b| likeness(a).total_cmp(&likeness(b)));
            let hint = nearest.map(|near| format!("; did you mean {near:?}?")).unwrap_or_default();
            format!("the program has no room {:?}{hint}", room.as_str())
        };
        unknown.map(warning).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Overrides;
    use crate::fixtures;

    fn config(walking: &str) -> Config {
        let text = format!("[conference]\nzone = \"UTC\"\n[walking]\n{walking}");
        Config::parse(Some(&text), Overrides::default()).unwrap()
    }

    #[test]
    fn names_and_slugs_are_the_same_room() {
        let entry =
            |room: &str| format!("[[walking.between]]\nfrom = \"{room}\"\nto = \"Annex\"\nminutes = 4");
        assert_eq!(
            config(&entry("Grand Ballroom A")).walking(),
            config(&entry("grand-ballroom-a")).walking()
        );
    }

    #[test]
    fn a_shortened_entry_and_an_unknown_room_are_warnings() {
        let config = config(
            "buildings = [{ name = \"Hotel\", rooms = [\"Ballroom\", \"Foyer\"] }]
            between = [
                { from = \"Hotel\", to = \"Balroom B\", minutes = 9 },
                { from = \"Foyer\", to = \"Balroom B\", minutes = 2 },
            ]",
        );
        let [warning] = &config.walking_warnings()[..] else { panic!("{:?}", config.walking_warnings()) };
        assert_eq!(
            warning,
            "9 min from \"hotel\" to \"balroom-b\" is longer than the way from \"ballroom\" to \"balroom-b\" through \
             \"foyer\", which takes 2 min; the shorter time counts"
        );
        let mut talk = fixtures::opening().sessions.remove(0);
        let rooms = ["Ballroom", "Ballroom B", "Foyer"];
        let sessions = rooms.map(|room| {
            talk.id = crate::program::SessionId::parse(slug_of(room).as_str()).unwrap();
            talk.slot.room = Some(Text::from(room));
            talk.clone()
        });
        let program = fixtures::conference().sessions(sessions).program();
        assert_eq!(
            config.unknown_rooms(&program),
            ["the program has no room \"balroom-b\"; did you mean \"ballroom-b\"?"]
        );
    }
}
