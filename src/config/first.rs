//! The first config of a conference whose program was imported.

use crate::program::{Colour, Zone, former_slug_of, slug_of};
use chrono::NaiveDate;
use std::collections::HashSet;

/// The conference of a program that another tool exported.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FirstConfig {
    /// The conference's name.
    pub title: Option<String>,
    /// The first and the last day.
    pub days: Option<(NaiveDate, NaiveDate)>,
    /// The tracks, each with its colour, if there is one.
    pub tracks: Vec<(String, Option<String>)>,
    /// The rooms, in the order in which pages show them, each with the number of people that it holds, if it is known.
    pub rooms: Vec<(String, Option<u32>)>,
}

impl FirstConfig {
    /// The text of a config file. Two tracks or rooms whose names differ in nothing that addresses show are one.
    pub fn render(&self, zone: Zone) -> String {
        let mut out = String::from(
            "# Made by `callboard import`. Every key is explained in docs/reference/config.md and in the sample config.\n\n[conference]\n",
        );
        if let Some(title) = &self.title {
            out.push_str(&format!("title = {}\n", text(title)));
            // Without a slug in the config, the title's slug lacks such letters.
            if slug_of(title) != former_slug_of(title) {
                out.push_str(&format!("slug = {}\n", text(slug_of(title).as_str())));
            }
        }
        if let Some((first, last)) = self.days {
            out.push_str(&format!("first_day = {first}\nlast_day = {last}\n"));
        }
        out.push_str(&format!("zone = {}\n", text(zone.name())));
        let mut seen = HashSet::new();
        for (name, colour) in self.tracks.iter().filter(|(name, _)| seen.insert(slug_of(name))) {
            out.push_str(&format!("\n[[tracks]]\nname = {}\n", text(name)));
            if let Some(colour) = colour.as_ref().filter(|colour| Colour::try_from((*colour).clone()).is_ok())
            {
                out.push_str(&format!("colour = {}\n", text(colour)));
            }
        }
        seen.clear();
        for (name, capacity) in self.rooms.iter().filter(|(name, _)| seen.insert(slug_of(name))) {
            out.push_str(&format!("\n[[rooms]]\nname = {}\n", text(name)));
            if let Some(seats) = capacity.filter(|seats| *seats > 0) {
                out.push_str(&format!("capacity = {seats}\n"));
            }
        }
        out
    }
}

/// A basic string of TOML. JSON escapes all that TOML must escape, except U+007F.
fn text(text: &str) -> String {
    serde_json::Value::from(text).to_string().replace('\u{7f}', "\\u007F")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, Overrides};

    #[test]
    fn the_first_config_is_valid_whatever_the_names_are() {
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        let hostile = "A \"quoted\"\nname \\ with\u{7f} = [[rooms]]";
        let first = FirstConfig {
            title: Some(hostile.to_owned()),
            days: Some((day("2026-05-01"), day("2026-05-02"))),
            tracks: vec![
                ("Web".to_owned(), Some("#0b6e8f".to_owned())),
                ("web".to_owned(), None),
                (hostile.to_owned(), Some("red; }".to_owned())),
            ],
            rooms: vec![
                ("Hall B".to_owned(), Some(400)),
                ("Hall A".to_owned(), None),
                ("hall b".to_owned(), Some(1)),
                (hostile.to_owned(), Some(0)),
            ],
        };
        let text = first.render(Zone::parse("Europe/Berlin").unwrap());
        let config = Config::parse(Some(&text), Overrides::default()).unwrap();
        let conference = config.conference(config.listen);
        assert_eq!(conference.zone.name(), "Europe/Berlin");
        assert_eq!(conference.dates, first.days);
        assert_eq!((conference.tracks.len(), conference.rooms.len()), (2, 3));
        assert_eq!(conference.rooms[0].name.as_str(), "Hall B");
        let seats: Vec<Option<u32>> = conference.rooms.iter().map(|room| room.capacity).collect();
        assert_eq!(seats, [Some(400), None, None]);
        let empty = FirstConfig::default().render(Zone::UTC);
        assert!(Config::parse(Some(&empty), Overrides::default()).is_ok(), "{empty}");
    }
}
