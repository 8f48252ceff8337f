//! The table `[identity]`: how pages present the conference.

use super::ConfigError;
use crate::program::{Colour, Identity, Text};
use serde::Deserialize;
use std::path::PathBuf;
use url::Url;

/// The longest hero line, in characters. On a narrow phone it takes three lines, and the first session stays in view.
const MAX_HERO: usize = 120;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct IdentityTable {
    hero: Option<String>,
    accent: Option<String>,
    logo: Option<PathBuf>,
    share_image: Option<PathBuf>,
    venue_address: Option<String>,
    venue_map: Option<String>,
}

/// The files of an identity's pictures, relative to the config file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct IdentityFiles {
    /// The logo: SVG or PNG.
    pub logo: Option<PathBuf>,
    /// The picture that messengers show with a link: PNG.
    pub share_image: Option<PathBuf>,
}

impl IdentityTable {
    pub(super) fn resolve(self, has_venue: bool) -> Result<(Identity, IdentityFiles), ConfigError> {
        let line = |raw: Option<String>| raw.map(|raw| Text::line(&raw).0).unwrap_or_default();
        let hero = line(self.hero);
        let length = hero.as_str().chars().count();
        if length > MAX_HERO {
            let problem = format!("{length} characters; write one sentence of at most {MAX_HERO}");
            return Err(ConfigError::value("identity.hero", problem));
        }
        let accent = self.accent.map(Colour::try_from).transpose();
        let accent = accent.map_err(|error| ConfigError::value("identity.accent", error))?;
        let venue_address = line(self.venue_address);
        let venue_map = self.venue_map.map(|raw| map_url(&raw)).transpose()?;
        if !has_venue && (venue_map.is_some() || !venue_address.is_empty()) {
            let problem = "write the venue's name too, as conference.venue";
            let key = if venue_map.is_some() { "identity.venue_map" } else { "identity.venue_address" };
            return Err(ConfigError::value(key, problem));
        }
        let identity = Identity { hero, accent, venue_address, venue_map, ..Identity::default() };
        Ok((identity, IdentityFiles { logo: self.logo, share_image: self.share_image }))
    }
}

/// Only https: the link leaves the site, and an attendee on the venue's network follows it.
fn map_url(raw: &str) -> Result<Url, ConfigError> {
    match Url::parse(raw) {
        Ok(url) if url.scheme() == "https" && url.username().is_empty() && url.password().is_none() => {
            Ok(url)
        }
        _ => {
            let remedy = "write an https address, such as \"https://www.openstreetmap.org/way/123\"";
            Err(ConfigError::value("identity.venue_map", remedy))
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::config::{Config, ConfigError, Overrides};

    fn parse(lines: &str) -> Result<Config, ConfigError> {
        let text = format!("[conference]\nzone = \"UTC\"\nvenue = \"Hall\"\n[identity]\n{lines}");
        Config::parse(Some(&text), Overrides::default())
    }

    #[test]
    fn the_identity_is_read_and_belongs_to_the_conference() {
        let config = parse(
            "hero = \" A day  of talks \"\naccent = \"#0B6E8F\"\nlogo = \"logo.svg\"\n\
             venue_address = \"1 Main Street\"\nvenue_map = \"https://map.example/x\"",
        );
        let config = config.unwrap();
        let identity = config.conference("127.0.0.1:80".parse().unwrap()).identity;
        assert_eq!(identity.hero.as_str(), "A day of talks");
        assert_eq!(identity.accent.unwrap().to_string(), "#0b6e8f");
        assert_eq!(identity.venue_map.as_ref().unwrap().as_str(), "https://map.example/x");
        assert_eq!(config.identity_files.logo.unwrap().to_str(), Some("logo.svg"));
    }

    #[test]
    fn an_error_names_the_key_and_the_remedy() {
        for (line, expected) in [
            ("accent = \"blue\"", "identity.accent: write a colour as #rrggbb"),
            ("venue_map = \"http://map.example\"", "identity.venue_map: write an https address"),
            ("venue_map = \"https://user@map.example\"", "identity.venue_map: write an https address"),
            ("venue_map = \"javascript:alert(1)\"", "identity.venue_map: write an https address"),
            ("acent = \"#ffffff\"", "did you mean \"accent\""),
        ] {
            let text = parse(line).unwrap_err().to_string();
            assert!(text.contains(expected), "{line}: {text}");
        }
        let long = format!("hero = \"{}\"", "x".repeat(121));
        assert!(parse(&long).unwrap_err().to_string().contains("121 characters"));
        let without_venue = "[conference]\nzone = \"UTC\"\n[identity]\nvenue_address = \"1 Main Street\"";
        let text = Config::parse(Some(without_venue), Overrides::default()).unwrap_err().to_string();
        assert!(text.contains("conference.venue"), "{text}");
    }
}
