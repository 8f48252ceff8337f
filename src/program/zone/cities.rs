//! The zone that somebody means who wrote a city, or a name with a typing error.

use super::names::AREAS;
use crate::program::slug_of;

/// Zones, and the slugs of large cities that are in the zone but do not name it. A city whose name is that of another
/// one far away, such as Portland, San José or Valencia, is left out.
const CITIES: &[(&str, &[&str])] = &[
    ("Africa/Cairo", &["giza"]),
    ("Africa/Johannesburg", &["cape-town", "durban", "pretoria"]),
    (
        "America/Chicago",
        &[
            "austin",
            "dallas",
            "houston",
            "kansas-city",
            "milwaukee",
            "minneapolis",
            "nashville",
            "new-orleans",
            "st-louis",
        ],
    ),
    ("America/Bogota", &["medellin", "cali"]),
    ("America/Denver", &["salt-lake-city", "albuquerque"]),
    ("America/Edmonton", &["calgary"]),
    (
        "America/Los_Angeles",
        &[
            "las-vegas",
            "oakland",
            "palo-alto",
            "sacramento",
            "san-diego",
            "san-francisco",
            "santa-clara",
            "seattle",
        ],
    ),
    (
        "America/New_York",
        &[
            "atlanta",
            "baltimore",
            "boston",
            "brooklyn",
            "charlotte",
            "cleveland",
            "miami",
            "new-york-city",
            "orlando",
            "philadelphia",
            "pittsburgh",
            "raleigh",
            "tampa",
            "washington",
            "washington-dc",
            "washington-d-c",
        ],
    ),
    (
        "America/Sao_Paulo",
        &["belo-horizonte", "brasilia", "curitiba", "florianopolis", "porto-alegre", "rio-de-janeiro"],
    ),
    ("America/Toronto", &["ottawa", "quebec"]),
    ("Asia/Dubai", &["abu-dhabi"]),
    ("Asia/Ho_Chi_Minh", &["hanoi", "da-nang"]),
    ("Asia/Jerusalem", &["haifa"]),
    ("Asia/Kolkata", &["bangalore", "bengaluru", "chennai", "delhi", "mumbai", "new-delhi", "pune"]),
    ("Asia/Seoul", &["busan", "incheon"]),
    ("Asia/Shanghai", &["beijing", "guangzhou", "hangzhou", "nanjing", "shenzhen"]),
    ("Asia/Tokyo", &["fukuoka", "kobe", "kyoto", "nagoya", "osaka", "sapporo", "yokohama"]),
    ("Europe/Amsterdam", &["den-haag", "eindhoven", "rotterdam", "the-hague", "utrecht"]),
    ("Europe/Athens", &["thessaloniki"]),
    (
        "Europe/Berlin",
        &[
            "bonn",
            "bremen",
            "cologne",
            "dortmund",
            "dresden",
            "dusseldorf",
            "frankfurt",
            "frankfurt-am-main",
            "hamburg",
            "hannover",
            "heidelberg",
            "karlsruhe",
            "koln",
            "leipzig",
            "munich",
            "munchen",
            "nuremberg",
            "nurnberg",
            "stuttgart",
        ],
    ),
    ("Europe/Brussels", &["antwerp", "antwerpen", "bruxelles", "brussel", "gent", "ghent"]),
    ("Europe/Copenhagen", &["aarhus", "kobenhavn"]),
    ("Europe/Dublin", &["cork", "galway"]),
    ("Europe/Helsinki", &["espoo", "tampere", "turku"]),
    ("Europe/Istanbul", &["ankara", "izmir"]),
    ("Europe/Lisbon", &["coimbra", "lisboa", "porto"]),
    (
        "Europe/London",
        &["bristol", "cardiff", "edinburgh", "glasgow", "leeds", "liverpool", "manchester", "oxford"],
    ),
    ("Europe/Madrid", &["barcelona", "bilbao", "malaga", "sevilla", "seville", "zaragoza"]),
    ("Europe/Oslo", &["bergen", "trondheim"]),
    (
        "Europe/Paris",
        &[
            "bordeaux",
            "grenoble",
            "lille",
            "lyon",
            "marseille",
            "nantes",
            "nice",
            "rennes",
            "strasbourg",
            "toulouse",
        ],
    ),
    ("Europe/Prague", &["brno", "ostrava", "praha"]),
    (
        "Europe/Rome",
        &[
            "bologna", "firenze", "florence", "milan", "milano", "napoli", "roma", "torino", "turin",
            "venezia",
        ],
    ),
    ("Europe/Stockholm", &["goteborg", "gothenburg", "malmo"]),
    ("Europe/Vienna", &["graz", "innsbruck", "linz", "salzburg", "wien"]),
    ("Europe/Warsaw", &["gdansk", "krakow", "katowice", "poznan", "warszawa", "wroclaw"]),
    ("Europe/Zurich", &["basel", "bern", "geneva", "geneve", "lausanne"]),
    ("Pacific/Auckland", &["christchurch", "wellington"]),
];

/// The zone that a name most likely means: that of a city, or of a name that differs in a letter or two. None if names
/// of other places are as near, since a wrong guess moves the whole conference.
pub(super) fn nearest(raw: &str) -> Option<&'static str> {
    let name = raw.rsplit('/').next().unwrap_or(raw);
    // "Berlin, Germany" and "Berlin (Mitte)" are in Berlin.
    let wanted = slug_of(name.split([',', '(']).next().unwrap_or(name));
    let wanted = wanted.as_str();
    // A name of eight letters may have two errors, one of four letters one.
    let most = (wanted.len() / 4).min(2);
    let mut best: Option<(usize, String, &str)> = None;
    let mut is_doubtful = false;
    for (place, zone) in places() {
        let errors = strsim::damerau_levenshtein(&place, wanted);
        match &best {
            _ if errors > most => {}
            Some((least, _, _)) if errors > *least => {}
            // Two names of one place, such as America/Buenos_Aires and America/Argentina/Buenos_Aires.
            Some((least, known, kept)) if errors == *least && (*known == place || *kept == zone) => {
                if zone.len() > kept.len() {
                    best = Some((errors, place, zone));
                }
            }
            Some((least, ..)) if errors == *least => is_doubtful = true,
            _ => {
                best = Some((errors, place, zone));
                is_doubtful = false;
            }
        }
    }
    best.filter(|_| !is_doubtful).map(|(_, _, zone)| zone)
}

/// The slugs of places, and their zones.
fn places() -> impl Iterator<Item = (String, &'static str)> {
    let zones = chrono_tz::TZ_VARIANTS.iter().map(|tz| tz.name());
    let named = zones.filter_map(|name| {
        let (area, _) = name.split_once('/').filter(|(area, _)| AREAS.contains(area))?;
        let place = name.rsplit('/').next().unwrap_or(area);
        Some((slug_of(place).to_string(), name))
    });
    let listed =
        CITIES.iter().flat_map(|(zone, cities)| cities.iter().map(|city| ((*city).to_owned(), *zone)));
    named.chain(listed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::program::Zone;

    #[test]
    fn cities_and_names_with_typing_errors_lead_to_their_zone() {
        for (raw, zone) in [
            ("Berlin", "Europe/Berlin"),
            ("berlin, germany", "Europe/Berlin"),
            ("San Francisco", "America/Los_Angeles"),
            ("San Fransisco", "America/Los_Angeles"),
            ("America/San_Francisco", "America/Los_Angeles"),
            ("Europe/Munich", "Europe/Berlin"),
            ("München", "Europe/Berlin"),
            ("Köln", "Europe/Berlin"),
            ("São Paulo", "America/Sao_Paulo"),
            ("New York", "America/New_York"),
            ("Buenos Aires", "America/Argentina/Buenos_Aires"),
            ("Europe/Amsterdm", "Europe/Amsterdam"),
            ("Los Angles", "America/Los_Angeles"),
            ("Washington, D.C.", "America/New_York"),
        ] {
            assert_eq!(nearest(raw), Some(zone), "{raw}");
        }
    }

    /// A bug: names that are somewhat alike led to the other side of the world.
    #[test]
    fn a_place_that_is_not_known_or_is_in_two_countries_is_not_guessed() {
        for raw in ["Portland", "San José", "Valencia", "Springfield", "Tome", "Foo", "", "/", "Mars/Crater"]
        {
            assert_eq!(nearest(raw), None, "{raw}");
        }
    }

    #[test]
    fn every_city_is_in_a_zone_and_is_listed_once() {
        let mut seen = std::collections::HashSet::new();
        for (zone, cities) in CITIES {
            assert!(Zone::parse(zone).is_ok(), "{zone}");
            for city in *cities {
                assert!(seen.insert(city) && slug_of(city).as_str() == *city, "{city}");
                assert_eq!(nearest(city), Some(*zone), "{city}");
            }
        }
    }
}
