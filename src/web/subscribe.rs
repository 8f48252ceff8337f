//! The page that explains how to subscribe to a feed, for each client. The page works without scripts.

use super::encode::encode;
use super::encode::qr_code;
use super::site::{Head, Site};
use super::write;
use crate::feed::{Cancelled, FeedFilter, FeedKey, FeedOptions, GOOGLE_MAX_BYTES, canonical_query};
use crate::program::Text;
use crate::release::Release;
use askama::Template;

/// The feed to subscribe to.
#[derive(Debug, Clone)]
pub enum Subject<'a> {
    /// The program, or its sessions that match a filter.
    Program(FeedFilter),
    /// A track, day, room or speaker.
    Part(FeedKey),
    /// An agenda, by the token in its address.
    Agenda {
        /// The token.
        token: &'a str,
        /// The agenda's name.
        name: &'a Text,
    },
    /// A team, by the tokens in its address.
    Team {
        /// The tokens.
        members: &'a str,
        /// The names of the members.
        name: &'a Text,
    },
}

#[derive(Template)]
#[template(path = "subscribe.html")]
struct SubscribePage<'a> {
    site: Site<'a>,
    head: Head,
    heading: String,
    path: String,
    filter: Vec<(&'static str, String)>,
    alarms: Vec<(String, String, bool)>,
    has_alarm: bool,
    /// The instructions for the visitor's device, and for all others.
    main: SubscribeMethod,
    others: Vec<SubscribeMethod>,
    download: String,
}

/// The instructions for one client.
struct SubscribeMethod {
    id: &'static str,
    name: &'static str,
    how: &'static str,
    button: Option<(String, &'static str)>,
    address: Option<String>,
    delay: &'static str,
    qr: Option<String>,
    /// Smaller calendars to add instead: address of the page and name. Empty if the client reads this one.
    instead: Vec<(String, String)>,
}

/// Renders the page; none if the feed does not exist. `giggity` is the link that opens the program in Giggity.
pub fn subscribe(
    release: &Release,
    subject: &Subject<'_>,
    options: FeedOptions,
    platform: Platform,
    giggity: Option<String>,
) -> Option<String> {
    let site = Site::of(release);
    let slugs = &release.ledger.slugs;
    let title = &site.conference().title;
    let (name, feed, filter) = match subject {
        Subject::Program(filter) => {
            let words = site.describe(filter);
            let name = if words.is_empty() { title.to_string() } else { format!("{title}: {words}") };
            (name, FeedKey::Program.to_string(), filter.clone())
        }
        Subject::Part(key) => {
            let key = key.clone().resolve(slugs)?;
            let feed = release.feeds.feed(&key)?;
            let name = match &key {
                FeedKey::Day(day) => format!("{title}: {}", site.when.day(*day)),
                _ => feed.calendar.name.to_string(),
            };
            (name, key.to_string(), FeedFilter::default())
        }
        Subject::Agenda { token, name } => {
            let name = if name.is_empty() { site.words.shared_agenda.to_owned() } else { name.to_string() };
            (name, format!("/agendas/{}.ics", encode(token)), FeedFilter::default())
        }
        Subject::Team { members, name } => {
            (name.to_string(), format!("/team/{}.ics", encode(members)), FeedFilter::default())
        }
    };
    let address = |options: &FeedOptions| {
        let query = canonical_query(&filter, options);
        let query = if query.is_empty() { query } else { format!("?{query}") };
        site.conference().link(&format!("{feed}{query}"))
    };
    let path = format!("/subscribe{}", feed.trim_end_matches(".ics"));
    let plain = address(&options);
    // Google Calendar hides cancelled events, so the address for Google marks cancelled sessions in the title instead.
    let for_google = address(&FeedOptions { cancelled: Cancelled::Title, ..options });
    let heading = site.words.subscribe_heading(&name);
    let mut head = match subject {
        Subject::Agenda { .. } | Subject::Team { .. } => Head::secret(&site, site.words.subscribe),
        _ => Head::public(&site, &heading, site.words.subscribe_text, &path),
    };
    head.here = "subscribe";
    let account = match subject {
        Subject::Program(_) | Subject::Part(_) => Some(("/dav/public/", site.words.caldav_how)),
        Subject::Agenda { .. } => Some(("/dav/agendas/", site.words.caldav_agenda_how)),
        Subject::Team { .. } => None,
    };
    let mut methods = methods(&site, &name, &plain, &for_google, giggity, account);
    if let Some(google) = methods.iter_mut().find(|method| method.id == "google") {
        google.instead = instead_for_google(&site, subject);
    }
    let mut methods = ordered(methods, platform).into_iter();
    Some(write(&SubscribePage {
        head,
        heading,
        filter: filter.pairs(),
        alarms: alarms(&site, options),
        has_alarm: options.alarm.is_some(),
        main: methods.next()?,
        others: methods.collect(),
        download: plain,
        path,
        site: site.clone(),
    }))
}

/// The tracks and days that Google Calendar can read, if the calendar is too large for it.
fn instead_for_google(site: &Site<'_>, subject: &Subject<'_>) -> Vec<(String, String)> {
    let (feeds, slugs) = (&site.release.feeds, &site.release.ledger.slugs);
    let is_small =
        |key: &FeedKey| feeds.feed(key).is_some_and(|feed| feed.identity.len() <= GOOGLE_MAX_BYTES);
    let is_readable = match subject {
        Subject::Program(filter) if filter.is_empty() => is_small(&FeedKey::Program),
        Subject::Program(filter) => {
            feeds.filtered(filter, FeedOptions::default(), slugs).chunks().remaining() <= GOOGLE_MAX_BYTES
        }
        Subject::Part(key) => key.clone().resolve(slugs).is_none_or(|key| is_small(&key)),
        // A person can attend far fewer sessions.
        Subject::Agenda { .. } | Subject::Team { .. } => true,
    };
    if is_readable {
        return Vec::new();
    }
    let tracks = site.release.program.tracks.iter();
    let tracks = tracks.map(|track| (FeedKey::Track(track.slug.clone()), track.name.to_string()));
    let days = slugs.days.iter().map(|day| (FeedKey::Day(*day), site.when.day(*day)));
    let parts = tracks.chain(days).filter(|(key, _)| is_small(key));
    parts
        .map(|(key, name)| (format!("/subscribe{}", key.to_string().trim_end_matches(".ics")), name))
        .collect()
}

fn alarms(site: &Site<'_>, options: FeedOptions) -> Vec<(String, String, bool)> {
    let alarm = |minutes: u16| {
        let before = site.when.length(chrono::TimeDelta::minutes(i64::from(minutes)));
        let label = site.words.alarm_before(&before);
        (format!("{minutes}m"), label, options.alarm == Some(minutes))
    };
    let none = (String::new(), site.words.alarm_none.to_owned(), options.alarm.is_none());
    [none].into_iter().chain([5, 10, 15, 30].map(alarm)).collect()
}

/// The instructions for every client. `account` is the path of a CalDAV account with the same sessions, and how to add
/// it.
fn methods(
    site: &Site<'_>,
    name: &str,
    plain: &str,
    for_google: &str,
    giggity: Option<String>,
    account: Option<(&str, &'static str)>,
) -> Vec<SubscribeMethod> {
    let w = site.words;
    let outlook =
        |host| format!("https://{host}/calendar/0/addfromweb?url={}&name={}", encode(plain), encode(name));
    let method = |id, name, how, delay| SubscribeMethod {
        id,
        name,
        how,
        delay,
        button: None,
        address: None,
        qr: None,
        instead: Vec::new(),
    };
    // With a `webcal:` address Google Calendar adds an empty calendar.
    let google = format!("https://calendar.google.com/calendar/r?cid={}", encode(for_google));
    let account = account.map(|(path, how)| (site.conference().link(path), how));
    let mut methods = vec![
        SubscribeMethod {
            button: Some((webcal(plain), w.apple_button)),
            ..method("apple", w.apple, w.apple_how, w.apple_delay)
        },
        SubscribeMethod {
            button: Some((google, w.google_button)),
            address: Some(for_google.to_owned()),
            ..method("google", w.google, w.google_how, w.google_delay)
        },
        SubscribeMethod {
            button: Some((outlook("outlook.live.com"), w.outlook_button)),
            ..method("outlook", w.outlook, w.outlook_how, w.outlook_delay)
        },
        SubscribeMethod {
            button: Some((outlook("outlook.office.com"), w.outlook_work_button)),
            ..method("microsoft", w.outlook_work, w.outlook_work_how, w.outlook_delay)
        },
        SubscribeMethod {
            address: Some(plain.to_owned()),
            ..method("thunderbird", w.thunderbird, w.thunderbird_how, w.thunderbird_delay)
        },
        SubscribeMethod {
            button: Some((webcal(plain), w.icsx5_button)),
            ..method("icsx5", w.icsx5, w.icsx5_how, w.icsx5_delay)
        },
        SubscribeMethod {
            button: giggity.map(|link| (link, w.giggity_button)),
            address: Some(plain.to_owned()),
            ..method("giggity", w.giggity, w.giggity_how, w.giggity_delay)
        },
        SubscribeMethod {
            address: Some(plain.to_owned()),
            qr: qr_code(plain),
            ..method("any", w.any_calendar, w.any_how, "")
        },
        SubscribeMethod {
            address: Some(plain.to_owned()),
            ..method("vdirsyncer", w.vdirsyncer, w.vdirsyncer_how, "")
        },
    ];
    if let Some((address, how)) = account {
        // KDE asks a server for the password that the visitor gives, and public accounts have none.
        if how == w.caldav_how {
            methods.push(SubscribeMethod {
                address: Some(address.clone()),
                ..method("kde", w.kde, w.kde_how, w.caldav_delay)
            });
        }
        methods.push(SubscribeMethod {
            address: Some(address),
            ..method("caldav", w.caldav, how, w.caldav_delay)
        });
    }
    methods
}

/// Moves the clients of the visitor's platform to the front.
fn ordered(mut methods: Vec<SubscribeMethod>, platform: Platform) -> Vec<SubscribeMethod> {
    let first: &[&str] = match platform {
        Platform::Apple => &["apple"],
        Platform::Android => &["icsx5", "giggity", "google"],
        Platform::Windows => &["outlook", "microsoft"],
        Platform::Other => &["thunderbird"],
    };
    let rank = |id: &str| first.iter().position(|known| *known == id).unwrap_or(first.len());
    // Apple Calendar exists only on Apple's platforms, so it comes last on others.
    let is_apple = |id: &str| id == "apple" && platform != Platform::Apple;
    methods.sort_by_key(|method| (is_apple(method.id), rank(method.id)));
    methods
}

/// The same address with the scheme `webcal`, which opens a calendar app.
fn webcal(address: &str) -> String {
    let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
    format!("webcal://{rest}")
}

/// The visitor's kind of device, guessed from User-Agent. The guess only orders a list and hides nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Platform {
    /// iPhone, iPad, Mac.
    Apple,
    /// Android.
    Android,
    /// Windows.
    Windows,
    /// Everything else.
    #[default]
    Other,
}

impl Platform {
    /// Guesses the platform from words that browsers put into User-Agent.
    pub fn of(user_agent: &str) -> Self {
        let has = |word: &str| user_agent.contains(word);
        if has("Android") {
            Self::Android
        } else if has("iPhone") || has("iPad") || has("Macintosh") {
            Self::Apple
        } else if has("Windows") {
            Self::Windows
        } else {
            Self::Other
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn platforms_are_recognised_by_user_agent() {
        for (agent, platform) in [
            ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X)", Platform::Apple),
            ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7)", Platform::Apple),
            ("Mozilla/5.0 (Linux; Android 15; Pixel 9)", Platform::Android),
            ("Mozilla/5.0 (Windows NT 10.0; Win64; x64)", Platform::Windows),
            ("Mozilla/5.0 (X11; Linux x86_64)", Platform::Other),
            ("", Platform::Other),
        ] {
            assert_eq!(Platform::of(agent), platform, "{agent}");
        }
    }
}
