//! Sessions one by one, as calendar objects (RFC 4791, 4.1): the VTIMEZONE and one VEVENT, and nothing of a
//! feed's envelope, so that a new name of the conference or of a feed changes no tag.

use super::calendar::{CLOSING, begin};
use super::render::stamp_bytes;
use super::set::{Event, FeedSet};
use super::{FeedKey, event::END};
use crate::program::SessionId;
use crate::revision::Digest;
use bytes::Bytes;
use chrono::{DateTime, Utc};

/// A session as an object of its own. Its tag and its length are known without its bytes.
#[derive(Debug, Clone, Copy)]
pub struct Object<'a> {
    set: &'a FeedSet,
    event: &'a Event,
    /// Whether the other window is taken: opaque, or for a cancelled session titled.
    other: bool,
}

impl FeedSet {
    /// A session's object. A `busy` one blocks its hour, as an agenda's sessions do, breaks and meals aside. Where
    /// `titled`, a cancelled session says so in its title instead of its STATUS.
    pub fn object<'a>(&'a self, event: &'a Event, busy: bool, titled: bool) -> Object<'a> {
        let other = if event.cancelled { titled } else { busy && !event.free };
        Object { set: self, event, other }
    }

    /// The conference's VTIMEZONE in a calendar of its own; none where all times are in UTC.
    pub fn timezone(&self) -> Option<String> {
        (!self.vtimezone.is_empty()).then(|| format!("{}{}{CLOSING}", begin(), self.vtimezone))
    }

    /// The sessions that left a canonical feed after a time, in whole seconds, those that came back too; none
    /// where that is not known any longer.
    pub fn left_since(&self, key: &FeedKey, seconds: i64) -> Option<Vec<&SessionId>> {
        let is_known = self.last_departure.timestamp() <= seconds;
        let since = self.departures.iter().filter(|left| left.at.timestamp() > seconds);
        is_known.then(|| since.filter(|left| left.leaves_feed(key)).map(|left| &left.session).collect())
    }
}

impl Object<'_> {
    /// When it last changed: the session, or what surrounds all of them, the zone's rules among it.
    pub fn modified(&self) -> DateTime<Utc> {
        self.event.revision.modified.max(self.set.surroundings.1)
    }

    /// The hash in its entity tag, of what fixes its bytes.
    pub fn hash(&self) -> String {
        let stamp = stamp_bytes(self.event);
        let other = [u8::from(self.other)];
        Digest::of_parts([
            self.set.vtimezone.as_bytes(),
            self.event.digest.0.as_slice(),
            stamp.as_slice(),
            other.as_slice(),
        ])
        .short()
    }

    /// Whether it blocks its hour.
    pub fn is_busy(&self) -> bool {
        self.other && !self.event.cancelled
    }

    fn parts(&self) -> [Bytes; 3] {
        let pieces = &self.event.pieces;
        [pieces.head(), pieces.window(self.other), pieces.tail()]
    }

    /// Its length in bytes.
    pub fn length(&self) -> usize {
        let parts: usize = self.parts().iter().map(Bytes::len).sum();
        begin().len() + self.set.vtimezone.len() + parts + END.len() + CLOSING.len()
    }

    /// The object.
    pub fn bytes(&self) -> Bytes {
        let mut out = begin().into_bytes();
        out.extend_from_slice(self.set.vtimezone.as_bytes());
        self.parts().iter().for_each(|part| out.extend_from_slice(part));
        out.extend_from_slice(END.as_bytes());
        out.extend_from_slice(CLOSING.as_bytes());
        out.into()
    }
}
