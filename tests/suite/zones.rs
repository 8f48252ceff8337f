//! Writes feeds around every clock change of many zones to `tmp/zones` of the build directory. The parsers of
//! `tests/clients` must find the same instants with only the VTIMEZONE of the feed.

use crate::truth;
use callboard::feed::FeedKey;
use callboard::fixtures::{self, talk};
use callboard::program::Zone;
use chrono::{DateTime, TimeDelta, Utc};
use std::path::Path;

/// Zones with all kinds of rules: north and south, negative and half-hour summer time, quarter-hour offsets, changes by the
/// moon or without a rule, and recent permanent changes.
const ZONES: &str = "
    Africa/Abidjan Africa/Cairo Africa/Casablanca Africa/El_Aaiun Africa/Johannesburg Africa/Juba
    Africa/Lagos Africa/Nairobi Africa/Tripoli Africa/Windhoek
    America/Adak America/Anchorage America/Argentina/Buenos_Aires America/Asuncion America/Bogota
    America/Caracas America/Chicago America/Ciudad_Juarez America/Denver America/Edmonton America/Godthab
    America/Halifax America/Havana America/Jamaica America/Lima America/Los_Angeles America/Mexico_City
    America/Miquelon America/Montevideo America/New_York America/Nuuk America/Panama America/Phoenix
    America/Port-au-Prince America/Punta_Arenas America/Regina America/Santiago America/Sao_Paulo
    America/Scoresbysund America/St_Johns America/Tijuana America/Toronto America/Vancouver America/Whitehorse
    America/Winnipeg
    Antarctica/Casey Antarctica/McMurdo Antarctica/Troll Antarctica/Vostok Arctic/Longyearbyen
    Asia/Almaty Asia/Amman Asia/Baghdad Asia/Baku Asia/Bangkok Asia/Beirut Asia/Colombo Asia/Damascus
    Asia/Dhaka Asia/Dubai Asia/Famagusta Asia/Gaza Asia/Hebron Asia/Ho_Chi_Minh Asia/Hong_Kong Asia/Jakarta
    Asia/Jerusalem Asia/Kabul Asia/Karachi Asia/Kathmandu Asia/Kolkata Asia/Manila Asia/Nicosia Asia/Qostanay
    Asia/Seoul Asia/Shanghai Asia/Singapore Asia/Tashkent Asia/Tehran Asia/Tokyo Asia/Ulaanbaatar Asia/Yangon
    Atlantic/Azores Atlantic/Bermuda Atlantic/Canary Atlantic/Reykjavik Atlantic/South_Georgia
    Australia/Adelaide Australia/Brisbane Australia/Broken_Hill Australia/Darwin Australia/Eucla
    Australia/Hobart Australia/Lord_Howe Australia/Perth Australia/Sydney
    Europe/Athens Europe/Berlin Europe/Chisinau Europe/Dublin Europe/Helsinki Europe/Istanbul Europe/Kyiv
    Europe/Lisbon Europe/London Europe/Madrid Europe/Minsk Europe/Moscow Europe/Paris Europe/Samara
    Indian/Maldives Indian/Mauritius
    Pacific/Apia Pacific/Auckland Pacific/Chatham Pacific/Easter Pacific/Fiji Pacific/Guam Pacific/Honolulu
    Pacific/Kiritimati Pacific/Marquesas Pacific/Norfolk Pacific/Tongatapu
";

/// Minutes before and after a clock change at which sessions of 45 minutes start. One of them spans it.
const AROUND: [i64; 12] = [-1560, -180, -120, -60, -30, 0, 30, 60, 90, 120, 180, 1560];

#[test]
fn feeds_around_every_clock_change_are_written_for_other_parsers() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("zones");
    _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    let (mut zones, mut changes) = (0, 0);
    for name in ZONES.split_whitespace() {
        let zone = Zone::parse(name).unwrap();
        let at = |year: i32| format!("{year}-01-01T00:00:00Z").parse::<DateTime<Utc>>().unwrap();
        let transitions = transitions(zone, at(2024), at(2028));
        changes += transitions.len();
        // Rules are inferred from a window of changes. Each year is a window as well.
        write(&folder, zone, "2024-2027", &transitions, at(2024), at(2028));
        for year in 2024..2028 {
            let within = |t: &&DateTime<Utc>| (at(year)..at(year + 1)).contains(*t);
            let of_year: Vec<DateTime<Utc>> = transitions.iter().filter(within).copied().collect();
            write(&folder, zone, &year.to_string(), &of_year, at(year), at(year + 1));
        }
        zones += 1;
    }
    assert!(zones >= 100 && changes >= 400, "{zones} zones, {changes} clock changes");
}

fn write(
    folder: &Path,
    zone: Zone,
    window: &str,
    transitions: &[DateTime<Utc>],
    from: DateTime<Utc>,
    to: DateTime<Utc>,
) {
    let around = transitions.iter().flat_map(|at| AROUND.map(|minutes| *at + TimeDelta::minutes(minutes)));
    // Noon in the middle of every month of the window.
    let noons = (0..).map(|month| from + TimeDelta::days(15 + 30 * month) + TimeDelta::hours(12));
    let starts = around.chain(noons.take_while(|at| *at < to));
    let session = |(n, start): (usize, DateTime<Utc>)| {
        talk(&format!("session-{n}"), start, start + TimeDelta::minutes(45), &format!("Session {n}"))
    };
    let release = fixtures::conference()
        .title(zone.name())
        .zone(zone.name())
        .sessions(starts.enumerate().map(session))
        .release();
    let feed = release.feeds.feed(&FeedKey::Program).unwrap();
    let truths: Vec<_> =
        release.program.order().iter().map(|session| truth::of(session, &release.ledger)).collect();
    let stem = format!("{}-{window}", zone.name().replace('/', "-"));
    std::fs::write(folder.join(format!("{stem}.ics")), &feed.identity).unwrap();
    std::fs::write(folder.join(format!("{stem}.json")), truth::file(&truths)).unwrap();
}

/// The first instants with a new offset, rounded to a quarter of an hour.
fn transitions(zone: Zone, from: DateTime<Utc>, to: DateTime<Utc>) -> Vec<DateTime<Utc>> {
    let step = TimeDelta::minutes(15);
    let mut found = Vec::new();
    let mut at = from;
    while at < to {
        if zone.offset(at) != zone.offset(at - step) {
            found.push(at);
        }
        at += step;
    }
    found
}
