//! The config: parses TOML into checked values and refuses unknown keys.
//!
//! Owns the defaults and the error messages, which name the key, what is wrong, and what to write instead. Reads neither
//! files nor the clock, and does not know the purpose of a value. Limits of clients are in [`Limits`].

mod file;
mod first;
mod identity;
mod limits;
mod mail;
mod mail_address;
mod push;
mod reload;
mod secrets;
mod source;
mod walking;

pub use file::{Publishing, SharedDatabase, Webhook};
pub use first::FirstConfig;
pub use identity::IdentityFiles;
pub use limits::Limits;
pub use mail::{Mail, MailRelay, MailSecurity};
pub use mail_address::{MailAddress, MailAddressError};
pub use push::Push;
pub use reload::Changed;
pub use secrets::{
    MAX_SECRETS_FILE, OrganizerSecret, SecretLabel, SecretLabelError, SecretLine, SecretsFile,
};
pub use source::Source;

use crate::peer::Trusted;
use crate::program::{ClockStyle, Conference, DayChange, Identity, Room, Slug, Text, Track, Walking, Zone};
use crate::texts::Texts;
use chrono::NaiveDate;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use url::Url;

/// Everything that can be configured, with every value checked.
#[derive(Debug, Clone)]
pub struct Config {
    /// The address to listen on.
    pub listen: SocketAddr,
    /// Whether the config or a flag sets `listen`.
    pub listen_is_set: bool,
    /// The operator's address, if any.
    pub operator_listen: Option<SocketAddr>,
    /// The program file.
    pub program: PathBuf,
    /// The data directory.
    pub data: PathBuf,
    /// The database of several replicas.
    pub database: SharedDatabase,
    /// The origin of links; if none, the listen address.
    pub public_url: Option<Url>,
    /// The origins whose pages may frame `/?embed`; if empty, none may.
    pub frame_ancestors: Vec<String>,
    /// The proxies whose `X-Forwarded-For` is trusted.
    pub trusted_proxies: Trusted,
    /// Days after the conference's end until agendas are erased.
    pub retention_days: u32,
    /// Bytes of the store's journal after which a checkpoint is made.
    pub checkpoint_bytes: u64,
    /// Days for which `callboard backup DIRECTORY` keeps backups.
    pub backup_keep_days: u32,
    /// The store writes a larger release in pieces of this many bytes.
    pub piece_bytes: usize,
    /// The release guard, the file watch, and how many releases are kept.
    pub publishing: Publishing,
    /// The limits of clients.
    pub limits: Limits,
    /// The organizer secrets file. While it holds no secret, the organizer's paths answer 404.
    pub organizer_secret_file: Option<PathBuf>,
    /// The receivers of a delivery after each release.
    pub webhooks: Vec<Webhook>,
    /// Messages to the browsers of attendees; none if they are off.
    pub push: Option<Push>,
    /// The program elsewhere that `callboard follow` reads, if any.
    pub source: Option<Source>,
    /// Calendar invitations by mail; none if they are off.
    pub mail: Option<Mail>,
    /// How pages present the conference. The caller reads its pictures from `identity_files`.
    pub identity: Identity,
    /// The files of the identity's pictures.
    pub identity_files: IdentityFiles,
    conference: ConferenceWithoutOrigin,
}

/// The conference without its origin, which may be known only once the server listens.
#[derive(Debug, Clone, PartialEq)]
struct ConferenceWithoutOrigin {
    title: Text,
    slug: Slug,
    dates: Option<(NaiveDate, NaiveDate)>,
    zone: Zone,
    venue: Option<Text>,
    language: String,
    clock: ClockStyle,
    day_change: DayChange,
    uid_domain: String,
    tracks: Vec<Track>,
    rooms: Vec<Room>,
    tombstone_days: u32,
    walking: Walking,
}

/// Flags of the command line, which override the file.
#[derive(Debug, Clone, Default)]
pub struct Overrides {
    /// `--listen`
    pub listen: Option<SocketAddr>,
    /// `--program`
    pub program: Option<PathBuf>,
    /// `--data`
    pub data: Option<PathBuf>,
    /// `--public-url`
    pub public_url: Option<String>,
    /// `--zone`
    pub zone: Option<String>,
}

impl Config {
    /// Parses a config file's text. Without a file (`None`) only the zone is required.
    ///
    /// # Errors
    /// [`ConfigError`]: the key, what is wrong and what to write instead.
    pub fn parse(text: Option<&str>, overrides: Overrides) -> Result<Self, ConfigError> {
        let raw = file::File::parse(text.unwrap_or_default())?;
        raw.resolve(overrides)
    }

    /// A warning if no texts are in the conference's language.
    pub fn language_warning(&self) -> Option<String> {
        let language = &self.conference.language;
        let tags: Vec<&str> = Texts::all_tags().collect();
        (!Texts::has(language)).then(|| {
            format!(
                "there are no texts in the language {language:?}, so pages and feeds are in American English; \
                 the languages are {}",
                tags.join(", ")
            )
        })
    }

    /// The conference. Its links begin with `public_url` or, without one, with the address that the server is bound to.
    pub fn conference(&self, bound: SocketAddr) -> Conference {
        let conference = self.conference.clone();
        let fallback = || Url::parse(&format!("http://{bound}")).ok();
        #[expect(clippy::expect_used, reason = "a socket address is always a URL's authority")]
        let public_url = self.public_url.clone().or_else(fallback).expect("an address");
        Conference {
            title: conference.title,
            slug: conference.slug,
            dates: conference.dates,
            zone: conference.zone,
            venue: conference.venue,
            language: conference.language,
            clock: conference.clock,
            day_change: conference.day_change,
            uid_domain: conference.uid_domain,
            public_url,
            tracks: conference.tracks,
            rooms: conference.rooms,
            tombstone_days: conference.tombstone_days,
            identity: Arc::new(self.identity.clone()),
            walking: conference.walking,
        }
    }

    /// The walking times between rooms.
    pub fn walking(&self) -> &Walking {
        &self.conference.walking
    }

    /// The conference's slug, which is its name in the store.
    pub fn slug(&self) -> &Slug {
        &self.conference.slug
    }
}

/// A config that cannot be used (exit code 78).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// Not TOML, an unknown key, or a value of another type. The text names line, key and remedy.
    #[error("{0}")]
    Syntax(String),
    /// A value of the right type that is not allowed.
    #[error("{key}: {problem}")]
    Value {
        /// The key, with its table.
        key: String,
        /// What is wrong, and what to write.
        problem: String,
    },
    /// Neither config nor flags name a zone.
    #[error(
        "the conference's time zone is not set: write `zone = \"America/Los_Angeles\"` under [conference] in \
         the config, or pass --zone America/Los_Angeles (there is no default, since a wrong one moves every session)"
    )]
    NoZone,
}

impl ConfigError {
    fn value(key: &str, problem: impl ToString) -> Self {
        Self::Value { key: key.to_owned(), problem: problem.to_string() }
    }
}

impl ConfigError {
    /// Converts the parser's error: adds the line and, for an unknown key, the nearest known key.
    fn from_toml(text: &str, error: &toml::de::Error) -> Self {
        let line =
            error.span().map(|span| text.get(..span.start).unwrap_or_default().matches('\n').count() + 1);
        let place = line.map(|line| format!("line {line}: ")).unwrap_or_default();
        let message = error.message();
        let hint =
            nearest_known(message).map(|near| format!("; did you mean \"{near}\"?")).unwrap_or_default();
        Self::Syntax(format!("{place}{message}{hint}"))
    }
}

/// The nearest expected key in serde's message "unknown field `x`, expected one of `a`, `b`".
fn nearest_known(message: &str) -> Option<&str> {
    let mut quoted = message.split('`').skip(1).step_by(2);
    let unknown = message.starts_with("unknown ").then(|| quoted.next())??;
    quoted
        .map(|known| (strsim::damerau_levenshtein(unknown, known), known))
        .filter(|(distance, known)| *distance <= known.len().div_ceil(2))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, known)| known)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Config, ConfigError> {
        Config::parse(Some(text), Overrides::default())
    }

    fn message(text: &str) -> String {
        parse(text).unwrap_err().to_string()
    }

    const ZONE: &str = "[conference]\nzone = \"America/Los_Angeles\"\n";

    #[test]
    fn the_shipped_config_shows_the_defaults() {
        let config = parse(include_str!("../config/callboard.toml")).unwrap();
        let conference = config.conference("127.0.0.1:8080".parse().unwrap());
        assert_eq!(conference.title.as_str(), "SREcon25 Americas");
        assert_eq!(conference.uid_domain, "srecon25americas.callboard.invalid");
        assert_eq!(conference.link("/program.ics"), "http://127.0.0.1:8080/program.ics");
        let slugs: Vec<&str> = conference.tracks.iter().map(|track| track.slug.as_str()).collect();
        assert_eq!(slugs, ["plenary", "track-1", "track-2", "discussion-track"]);
        let defaults = parse(ZONE).unwrap();
        assert_eq!(config.limits, defaults.limits);
        assert_eq!(config.publishing, defaults.publishing);
        assert_eq!(config.listen, defaults.listen);
        assert_eq!(config.backup_keep_days, defaults.backup_keep_days);
        assert_eq!(config.retention_days, defaults.retention_days);
        assert_eq!(config.checkpoint_bytes, defaults.checkpoint_bytes);
        assert_eq!(config.piece_bytes, defaults.piece_bytes);
        let trusted = |config: &Config, address: &str| config.trusted_proxies.holds(address.parse().unwrap());
        for address in ["127.0.0.1", "::1", "192.0.2.1"] {
            assert_eq!(trusted(&config, address), trusted(&defaults, address), "{address}");
        }
    }

    #[test]
    fn only_the_zone_is_required() {
        assert!(message("").contains("--zone"));
        let overrides = Overrides { zone: Some("Europe/Berlin".into()), ..Overrides::default() };
        assert_eq!(Config::parse(None, overrides).unwrap().conference.zone.name(), "Europe/Berlin");
        assert!(message("[conference]\nzone = \"PDT\"").contains("America/Los_Angeles"));
    }

    #[test]
    fn a_language_without_texts_is_a_warning() {
        let warning = |tag: &str| parse(&format!("{ZONE}language = \"{tag}\"")).unwrap().language_warning();
        assert_eq!([warning("de-AT"), warning("en"), warning("pt")], [None, None, None]);
        let text = warning("sv").unwrap();
        assert!(text.contains("\"sv\"") && text.contains("en-US, en-GB, de, es, fr, ja, pt-BR"), "{text}");
    }

    #[test]
    fn flags_override_the_file() {
        let overrides = Overrides { listen: "127.0.0.1:0".parse().ok(), ..Overrides::default() };
        let config = Config::parse(Some(&format!("listen = \"127.0.0.1:9\"\n{ZONE}")), overrides).unwrap();
        assert_eq!(config.listen.port(), 0);
    }

    #[test]
    fn an_unknown_key_is_refused_with_the_nearest_known_one() {
        let text = message(&format!("lisen = \"127.0.0.1:80\"\n{ZONE}"));
        assert!(text.contains("line 1") && text.contains("did you mean \"listen\""), "{text}");
        assert!(message(&format!("{ZONE}titel = \"x\"")).contains("did you mean \"title\""));
        assert!(message(&format!("{ZONE}[limits]\nconections = 3")).contains("did you mean \"connections\""));
    }

    #[test]
    fn an_error_names_the_key_and_the_remedy() {
        for (line, expected) in [
            ("public_url = \"https://a.example/path\"", "without a path"),
            ("public_url = \"ftp://a.example\"", "http"),
            ("public_url = \"example\"", "public_url"),
            ("listen = \"8080\"", "127.0.0.1:8080"),
            ("trusted_proxies = [\"proxy.example\"]", "10.0.0.0/8"),
            ("checkpoint_kib = 0", "checkpoint_kib: write 1 or more"),
            ("piece_kib = 0", "piece_kib: write 1 or more"),
            ("checkpoint_kib = -1", "line 1: invalid value: integer `-1`"),
            ("checkpoint_kib = \"16 MiB\"", "line 1: invalid type: string"),
        ] {
            let text = message(&format!("{line}\n{ZONE}"));
            assert!(text.contains(expected), "{line}: {text}");
        }
        for (line, expected) in [
            ("slug = \"SRE con\"", "lower-case"),
            ("first_day = 2025-03-24", "last_day"),
            ("first_day = 2025-03-24\nlast_day = 2025-03-20", "after"),
            ("uid_domain = \"a b\"", "uid_domain"),
            ("clock = \"13h\"", "12h"),
            ("language = \"?\"", "language"),
            (
                "language = \"english\"",
                "conference.language: \"english\" is not a language tag; write \"en\"",
            ),
        ] {
            let text = message(&format!("{ZONE}{line}"));
            assert!(text.contains(expected), "{line}: {text}");
        }
        let twice = "[[tracks]]\nname = \"A\"\n[[tracks]]\nname = \"a\"";
        assert!(message(&format!("{ZONE}{twice}")).contains("slug"));
        assert!(message(&format!("{ZONE}[[tracks]]\nname = \"A\"\ncolour = \"red\"")).contains("#rrggbb"));
        assert!(message(&format!("{ZONE}[publishing]\nguard_share = 2.0")).contains("between 0 and 1"));
        for (table, expected) in [
            ("default = 300", "walking.default: write 240 minutes or less"),
            (
                "[[walking.between]]\nfrom = \"A\"\nto = \"a\"\nminutes = 1",
                "walking.between: \"a\" is the same room twice",
            ),
            ("[[walking.between]]\nfrom = \"A\"\nto = \"B\"", "missing field `minutes`"),
            ("[[walking.buildings]]\nname = \"A\"\nrooms = []", "walking.buildings: \"A\" has no rooms"),
            ("[[walking.building]]\nname = \"A\"", "did you mean \"buildings\""),
        ] {
            let text = message(&format!("{ZONE}[walking]\n{table}"));
            assert!(text.contains(expected), "{table}: {text}");
        }
        assert!(message(&format!("{ZONE}[limits]\nconnections = 0")).contains("connections"));
        assert!(message(&format!("{ZONE}[limits]\nagendas_hour = 0")).contains("agendas_hour"));
    }
}
