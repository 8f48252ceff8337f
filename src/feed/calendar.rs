//! The envelope of a feed: VCALENDAR's own properties (RFC 5545, 3.6; RFC 7986).

use super::colour::css_name;
use super::line;
use crate::program::{Colour, Conference, Text};
use crate::revision::Digest;
use chrono::{DateTime, Utc};

/// What closes a feed.
pub(super) const CLOSING: &str = "END:VCALENDAR\r\n";

/// Without a version number: a new one would change the bytes of every feed.
const PRODID: &str = "-//Callboard//Callboard//EN";

/// How often we ask clients to come back; those that read it poll hourly, and a 304 costs next to nothing.
const REFRESH: &str = "PT1H";

/// A calendar's own properties.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Calendar {
    /// The name that clients show.
    pub name: Text,
    /// What it is.
    pub about: Text,
    /// The page that shows the same.
    pub url: String,
    /// Its canonical address; none for an agenda, whose address is a secret.
    pub source: Option<String>,
    /// Its colour.
    pub colour: Option<Colour>,
}

/// BEGIN:VCALENDAR and what no calendar is without.
pub(super) fn begin() -> String {
    let mut out = String::with_capacity(1024);
    line::raw(&mut out, "BEGIN", "VCALENDAR");
    line::raw(&mut out, "VERSION", "2.0");
    line::raw(&mut out, "PRODID", PRODID);
    line::raw(&mut out, "CALSCALE", "GREGORIAN");
    out
}

impl Calendar {
    /// BEGIN:VCALENDAR up to and with the VTIMEZONE.
    pub(super) fn opening(
        &self,
        conference: &Conference,
        vtimezone: &str,
        modified: DateTime<Utc>,
    ) -> String {
        let mut out = begin();
        for name in ["NAME", "X-WR-CALNAME"] {
            line::text(&mut out, name, self.name.as_str());
        }
        for name in ["DESCRIPTION", "X-WR-CALDESC"] {
            line::text(&mut out, name, self.about.as_str());
        }
        line::raw(&mut out, "X-WR-TIMEZONE", conference.zone.name());
        line::raw(&mut out, "LAST-MODIFIED", &modified.format("%Y%m%dT%H%M%SZ").to_string());
        line::raw(&mut out, "REFRESH-INTERVAL;VALUE=DURATION", REFRESH);
        line::raw(&mut out, "X-PUBLISHED-TTL", REFRESH);
        if let Some(colour) = self.colour {
            line::raw(&mut out, "COLOR", css_name(colour));
            line::raw(&mut out, "X-APPLE-CALENDAR-COLOR", &colour.to_string().to_uppercase());
        }
        if let Some(source) = &self.source {
            line::raw(&mut out, "SOURCE;VALUE=URI", source);
        }
        line::raw(&mut out, "URL", &self.url);
        out.push_str(vtimezone);
        out
    }

    /// Of everything that fixes the opening, the surroundings (zone, conference) given as a digest.
    pub(super) fn digest(&self, surroundings: &Digest) -> Digest {
        let colour = self.colour.map(|colour| colour.to_string()).unwrap_or_default();
        Digest::of_parts([
            surroundings.0.as_slice(),
            self.name.as_str().as_bytes(),
            self.about.as_str().as_bytes(),
            self.url.as_bytes(),
            self.source.as_deref().unwrap_or_default().as_bytes(),
            colour.as_bytes(),
        ])
    }
}
