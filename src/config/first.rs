//! The first config of a conference whose program was imported.

use crate::program::{Colour, Zone, language_tag, slug_of};
use chrono::NaiveDate;
use std::collections::HashSet;

/// The conference of a program that another tool exported.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FirstConfig {
    /// The conference's name.
    pub title: Option<String>,
    /// The language tag, if the file says it.
    pub language: Option<String>,
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
        let slug = slug_of(self.title.as_deref().unwrap_or("conference"));
        let mut out = String::from(
            "# Made by `callboard import`. Every key is explained in docs/reference/config.md and in the sample config.\n\n",
        );
        out.push_str(&format!(
            "# The public address of the server: scheme and host, no path. Set it before the first release, and never change it\n\
             # after that: subscribed calendars keep asking the address that they were given.\n\
             # public_url = \"https://{slug}.example.org\"\n\n[conference]\n"
        ));
        if let Some(title) = &self.title {
            out.push_str(&format!("title = {}\n", text(title)));
            let name = "The name of the conference in the store and in addresses. It can never change after the first start.";
            out.push_str(&format!("# {name}\nslug = {}\n", text(slug.as_str())));
        }
        if let Some((first, last)) = self.days {
            out.push_str(&format!("first_day = {first}\nlast_day = {last}\n"));
        }
        out.push_str(&format!("zone = {}\n", text(zone.name())));
        if let Some(tag) = self.language.as_deref().and_then(|tag| language_tag(tag).ok()) {
            out.push_str(&format!("language = {}\n", text(tag)));
        }
        out.push_str(&format!(
            "\n# The part after the @ in the UID of every calendar entry. Set it before the first release, to a name under a domain\n\
             # of yours. It can never change after that, because every calendar would then show every session twice.\n\
             # uid_domain = \"{slug}.example.org\"\n"
        ));
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
            language: Some("de".to_owned()),
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
        assert_eq!((conference.language.as_str(), &conference.slug), ("de", &slug_of(hostile)));
        // What can never change is there to be set.
        let set: String = text.replace("# uid_domain", "uid_domain").replace("# public_url", "public_url");
        let set = Config::parse(Some(&set), Overrides::default()).unwrap();
        assert!(set.public_url.is_some());
        assert_eq!(set.conference(set.listen).uid_domain, format!("{}.example.org", conference.slug));
        assert_eq!(text.matches("never change").count(), 3, "{text}");
        let odd = FirstConfig { language: Some("Klingon; DROP".to_owned()), ..FirstConfig::default() };
        assert!(Config::parse(Some(&odd.render(Zone::UTC)), Overrides::default()).is_ok());
        let empty = FirstConfig::default().render(Zone::UTC);
        assert!(Config::parse(Some(&empty), Overrides::default()).is_ok(), "{empty}");
    }
}
