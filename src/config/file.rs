//! The config file as TOML tables, and their conversion to checked values.

use super::identity::IdentityTable;
use super::mail::MailTable;
use super::push::PushTable;
use super::source::SourceTable;
use super::walking::WalkingTable;
use super::{ConferenceWithoutOrigin, Config, ConfigError, Limits, Overrides};
use crate::peer::Trusted;
use crate::program::{
    ClockStyle, Colour, DayChange, Room, Slug, Text, Track, Walking, Zone, former_slug_of, language_tag,
    slug_of,
};
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::path::PathBuf;
use url::Url;

/// The default address to listen on.
const DEFAULT_LISTEN: SocketAddr = SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::LOCALHOST, 8080));

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct File {
    listen: Option<String>,
    operator_listen: Option<String>,
    program: PathBuf,
    data: PathBuf,
    database: Option<String>,
    database_password_file: Option<PathBuf>,
    replica: Option<String>,
    acknowledge_loss: bool,
    public_url: Option<String>,
    frame_ancestors: Vec<String>,
    trusted_proxies: Vec<String>,
    retention_days: u32,
    checkpoint_kib: u64,
    piece_kib: usize,
    conference: ConferenceTable,
    identity: IdentityTable,
    tracks: Vec<TrackTable>,
    rooms: Vec<RoomTable>,
    walking: WalkingTable,
    publishing: Publishing,
    limits: Limits,
    backup: BackupTable,
    organizer_secret_file: Option<PathBuf>,
    webhooks: Vec<WebhookTable>,
    push: PushTable,
    source: Option<SourceTable>,
    mail: MailTable,
}

impl Default for File {
    fn default() -> Self {
        Self {
            listen: None,
            operator_listen: None,
            program: "program.csv".into(),
            data: "data".into(),
            database: None,
            database_password_file: None,
            replica: None,
            acknowledge_loss: false,
            public_url: None,
            frame_ancestors: Vec::new(),
            trusted_proxies: vec!["127.0.0.0/8".to_owned(), "::1".to_owned()],
            retention_days: 180,
            checkpoint_kib: 64 * 1024,
            piece_kib: 4 * 1024,
            conference: ConferenceTable::default(),
            identity: IdentityTable::default(),
            tracks: Vec::new(),
            rooms: Vec::new(),
            walking: WalkingTable::default(),
            publishing: Publishing::default(),
            limits: Limits::default(),
            backup: BackupTable::default(),
            organizer_secret_file: None,
            webhooks: Vec::new(),
            push: PushTable::default(),
            source: None,
            mail: MailTable::default(),
        }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct ConferenceTable {
    title: Option<String>,
    slug: Option<String>,
    first_day: Option<toml::value::Date>,
    last_day: Option<toml::value::Date>,
    zone: Option<String>,
    venue: Option<String>,
    language: Option<String>,
    clock: Option<ClockStyle>,
    day_change: Option<String>,
    uid_domain: Option<String>,
    tombstone_days: Option<u32>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct TrackTable {
    name: String,
    slug: Option<String>,
    colour: Option<String>,
    about: Option<String>,
    #[serde(default)]
    was: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RoomTable {
    name: String,
    #[serde(default)]
    was: Vec<String>,
    capacity: Option<u32>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct BackupTable {
    keep_days: u32,
}

impl Default for BackupTable {
    fn default() -> Self {
        Self { keep_days: 14 }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WebhookTable {
    url: String,
    secret_file: PathBuf,
}

/// The database that holds the journal of several replicas.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SharedDatabase {
    /// `postgresql://USER@HOST:PORT/NAME`; none for a store of its own in the data directory.
    pub url: Option<String>,
    /// The file with the database's password.
    pub password_file: Option<PathBuf>,
    /// This replica's name; none for the name of the machine.
    pub replica: Option<String>,
    /// Whether to start although a failover of the database may lose acknowledged writes.
    pub acknowledge_loss: bool,
}

/// A receiver of a delivery after each release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Webhook {
    /// The webhook's address.
    pub url: Url,
    /// The file with the secret that signs deliveries.
    pub secret_file: PathBuf,
}

/// The release guard, the file watch, and how many releases are kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Publishing {
    /// The guard holds a release that removes, moves or retitles more than this share of the program, 0 to 1.
    pub guard_share: f64,
    /// The guard ignores a release that touches fewer sessions than this.
    pub guard_least: usize,
    /// Milliseconds without a change before a saved program file is read. Twenty times as long if the file system does
    /// not report that the writer closed it.
    pub debounce_ms: u64,
    /// Seconds between polls of the file, which find changes that the file system does not report.
    pub poll_s: u64,
    /// How many releases keep their program file.
    pub keep_releases: u64,
}

impl Default for Publishing {
    fn default() -> Self {
        Self { guard_share: 0.25, guard_least: 3, debounce_ms: 300, poll_s: 5, keep_releases: 200 }
    }
}

impl File {
    pub(super) fn parse(text: &str) -> Result<Self, ConfigError> {
        toml::from_str(text).map_err(|error| ConfigError::from_toml(text, &error))
    }

    pub(super) fn resolve(self, overrides: Overrides) -> Result<Config, ConfigError> {
        let written = self.listen.as_deref().map(|raw| address("listen", raw)).transpose()?;
        let given = overrides.listen.or(written);
        let operator_listen =
            self.operator_listen.as_deref().map(|raw| address("operator_listen", raw)).transpose()?;
        let public_url = overrides.public_url.or(self.public_url).map(|raw| origin(&raw)).transpose()?;
        if !(0.0..=1.0).contains(&self.publishing.guard_share) {
            return Err(ConfigError::value(
                "publishing.guard_share",
                "write a share between 0 and 1, such as 0.25",
            ));
        }
        if self.publishing.keep_releases == 0 {
            let problem = "write 1 or more; the live release is always kept";
            return Err(ConfigError::value("publishing.keep_releases", problem));
        }
        let checkpoint_bytes = match self.checkpoint_kib {
            0 => return Err(ConfigError::value("checkpoint_kib", "write 1 or more, such as 65536")),
            kib => kib.saturating_mul(1024),
        };
        if self.backup.keep_days == 0 {
            return Err(ConfigError::value("backup.keep_days", "write 1 or more"));
        }
        let piece_bytes = match self.piece_kib {
            0 => return Err(ConfigError::value("piece_kib", "write 1 or more, such as 4096")),
            kib => kib.saturating_mul(1024),
        };
        let trusted_proxies = Trusted::parse(&self.trusted_proxies)
            .map_err(|error| ConfigError::value("trusted_proxies", error))?;
        let conference = self.conference.resolve(
            overrides.zone,
            tracks(self.tracks)?,
            rooms(self.rooms)?,
            self.walking.resolve()?,
        )?;
        let (identity, identity_files) = self.identity.resolve(conference.venue.is_some())?;
        Ok(Config {
            listen: given.unwrap_or(DEFAULT_LISTEN),
            listen_is_set: given.is_some(),
            operator_listen,
            program: overrides.program.unwrap_or(self.program),
            data: overrides.data.unwrap_or(self.data),
            database: SharedDatabase {
                url: self.database.filter(|url| !url.is_empty()),
                password_file: self.database_password_file,
                replica: self.replica.filter(|name| !name.is_empty()),
                acknowledge_loss: self.acknowledge_loss,
            },
            public_url,
            frame_ancestors: ancestors(self.frame_ancestors)?,
            publishing: self.publishing,
            limits: self.limits.checked()?,
            trusted_proxies,
            retention_days: self.retention_days,
            checkpoint_bytes,
            backup_keep_days: self.backup.keep_days,
            piece_bytes,
            organizer_secret_file: self.organizer_secret_file,
            webhooks: webhooks(self.webhooks)?,
            push: self.push.resolve()?,
            source: self.source.map(SourceTable::resolve).transpose()?,
            mail: self.mail.resolve()?,
            identity,
            identity_files,
            conference,
        })
    }
}

impl ConferenceTable {
    fn resolve(
        self,
        zone: Option<String>,
        tracks: Vec<Track>,
        rooms: Vec<Room>,
        walking: Walking,
    ) -> Result<ConferenceWithoutOrigin, ConfigError> {
        let zone = zone.or(self.zone).ok_or(ConfigError::NoZone)?;
        let zone = Zone::parse(&zone).map_err(|error| ConfigError::value("conference.zone", error))?;
        let title = Text::line(self.title.as_deref().unwrap_or("Conference")).0;
        if title.is_empty() {
            return Err(ConfigError::value("conference.title", "write the conference's name"));
        }
        let slug = match self.slug {
            Some(raw) => slug("conference.slug", &raw)?,
            // Store keys and UIDs contain it, so it is made as it always was.
            None => former_slug_of(title.as_str()),
        };
        let uid_domain = self.uid_domain.unwrap_or_else(|| format!("{slug}.callboard.invalid"));
        let fits = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'.';
        if uid_domain.is_empty() || uid_domain.len() > 190 || !uid_domain.bytes().all(fits) {
            let problem = "write a domain of letters, digits, hyphens and dots, such as \"conf.example.org\"";
            return Err(ConfigError::value("conference.uid_domain", problem));
        }
        let language = self.language.unwrap_or_else(|| "en".to_owned());
        let language =
            language_tag(&language).map_err(|error| ConfigError::value("conference.language", error))?;
        let day_change = self.day_change.map(DayChange::try_from).transpose();
        let day_change = day_change.map_err(|error| ConfigError::value("conference.day_change", error))?;
        Ok(ConferenceWithoutOrigin {
            day_change: day_change.unwrap_or_default(),
            title,
            slug,
            dates: dates(self.first_day, self.last_day)?,
            zone,
            venue: self.venue.map(|venue| Text::line(&venue).0).filter(|venue| !venue.is_empty()),
            language: language.to_owned(),
            clock: self.clock.unwrap_or(ClockStyle::TwentyFour),
            uid_domain,
            tracks,
            rooms,
            tombstone_days: self.tombstone_days.unwrap_or(30),
            walking,
        })
    }
}

fn dates(
    first: Option<toml::value::Date>,
    last: Option<toml::value::Date>,
) -> Result<Option<(NaiveDate, NaiveDate)>, ConfigError> {
    let day = |key, date: toml::value::Date| {
        NaiveDate::from_ymd_opt(i32::from(date.year), u32::from(date.month), u32::from(date.day))
            .ok_or_else(|| ConfigError::value(key, "write a day that exists, such as 2025-03-24"))
    };
    match (first, last) {
        (None, None) => Ok(None),
        (Some(first), Some(last)) => {
            let (first, last) = (day("conference.first_day", first)?, day("conference.last_day", last)?);
            if first > last {
                return Err(ConfigError::value(
                    "conference.first_day",
                    "the first day is after the last one",
                ));
            }
            if (last - first).num_days() > 366 {
                return Err(ConfigError::value("conference.last_day", "a conference lasts a year at most"));
            }
            Ok(Some((first, last)))
        }
        (Some(_), None) => {
            Err(ConfigError::value("conference.last_day", "missing; write it beside first_day"))
        }
        (None, Some(_)) => {
            Err(ConfigError::value("conference.first_day", "missing; write it beside last_day"))
        }
    }
}

fn address(key: &str, raw: &str) -> Result<SocketAddr, ConfigError> {
    let remedy = "write an address and a port, such as \"127.0.0.1:8080\"";
    raw.parse().map_err(|_| ConfigError::value(key, remedy))
}

fn origin(raw: &str) -> Result<Url, ConfigError> {
    let wrong = |problem: &str| {
        Err(ConfigError::value(
            "public_url",
            format!("{problem}; write an origin such as \"https://conf.example.org\""),
        ))
    };
    let Ok(url) = Url::parse(raw) else { return wrong("not a URL") };
    if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
        return wrong("not an http or https URL");
    }
    if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
        return wrong("one conference has one origin, without a path");
    }
    if !url.username().is_empty() || url.password().is_some() {
        return wrong("credentials do not belong here");
    }
    Ok(url)
}

/// Origins for `frame-ancestors` (Content Security Policy 3, 6.4.2), or `'self'`.
fn ancestors(raw: Vec<String>) -> Result<Vec<String>, ConfigError> {
    for entry in raw.iter().filter(|entry| *entry != "'self'") {
        let is_origin = Url::parse(entry).is_ok_and(|url| {
            matches!(url.scheme(), "http" | "https") && url.origin().ascii_serialization() == *entry
        });
        if !is_origin {
            let problem =
                format!("{entry:?} is not an origin; write one such as \"https://www.example.org\"");
            return Err(ConfigError::value("frame_ancestors", problem));
        }
    }
    Ok(raw)
}

fn slug(key: &str, raw: &str) -> Result<Slug, ConfigError> {
    Slug::parse(raw).map_err(|_| {
        ConfigError::value(
            key,
            format!(
                "{raw:?} is not a slug; use lower-case letters, digits and hyphens, such as {:?}",
                slug_of(raw).as_str()
            ),
        )
    })
}

fn tracks(tables: Vec<TrackTable>) -> Result<Vec<Track>, ConfigError> {
    let mut taken = BTreeSet::new();
    let mut tracks = Vec::with_capacity(tables.len());
    for table in tables {
        let name = Text::line(&table.name).0;
        if name.is_empty() {
            return Err(ConfigError::value("tracks.name", "write the track's name"));
        }
        let own = table.slug.map_or_else(|| Ok(slug_of(name.as_str())), |raw| slug("tracks.slug", &raw))?;
        let colour = table.colour.map(Colour::try_from).transpose();
        let colour = colour.map_err(|error| ConfigError::value("tracks.colour", error))?;
        let was = table.was.iter().map(|raw| slug("tracks.was", raw)).collect::<Result<Vec<_>, _>>()?;
        for slug in was.iter().chain([&own]) {
            if !taken.insert(slug.clone()) {
                let problem =
                    format!("two tracks have the slug {:?}; give one another `slug`", slug.as_str());
                return Err(ConfigError::value("tracks.slug", problem));
            }
        }
        let about = Text::block(table.about.as_deref().unwrap_or_default()).0;
        tracks.push(Track { name, slug: own, colour, about, was });
    }
    Ok(tracks)
}

/// The most people of a room. A larger number is a typo.
const MAX_CAPACITY: u32 = 1_000_000;

fn rooms(tables: Vec<RoomTable>) -> Result<Vec<Room>, ConfigError> {
    let room = |table: RoomTable| {
        let was = table.was.iter().map(|raw| slug("rooms.was", raw)).collect::<Result<_, _>>()?;
        let capacity = table.capacity;
        if capacity.is_some_and(|seats| !(1..=MAX_CAPACITY).contains(&seats)) {
            let problem = format!("write the number of people that the room holds, from 1 to {MAX_CAPACITY}");
            return Err(ConfigError::value("rooms.capacity", problem));
        }
        Ok(Room { name: Text::line(&table.name).0, was, capacity })
    };
    tables.into_iter().map(room).collect()
}

fn webhooks(tables: Vec<WebhookTable>) -> Result<Vec<Webhook>, ConfigError> {
    let webhook = |table: WebhookTable| match Url::parse(&table.url) {
        Ok(url) if matches!(url.scheme(), "http" | "https") => {
            Ok(Webhook { url, secret_file: table.secret_file })
        }
        _ => Err(ConfigError::value("webhooks.url", "write an absolute http or https URL")),
    };
    tables.into_iter().map(webhook).collect()
}
