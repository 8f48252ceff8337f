//! Feeds that are joined on request from the pieces of a release: filtered feeds, feeds with options, single sessions,
//! agendas and teams.
//!
//! The entity tag is a digest of all values that determine the bytes (revisions, properties, options), so a 304 joins
//! no text.

use super::calendar::CLOSING;
use super::coding::{Deflated, Gzip};
use super::event::{END, EventPieces};
use super::query::FeedDeparture;
use super::render::stamp_bytes;
use super::set::{Feed, FeedSet, RenderedEvent};
use super::{CalendarProperties, Cancelled, FeedFilter, FeedOptions, canonical_query, line, session_path};
use crate::program::{SessionId, Text};
use crate::revision::{Digest, Slugs};
use crate::texts::Texts;
use bytes::Bytes;
use chrono::{DateTime, SubsecRound, Utc};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The input of a join.
#[derive(Debug)]
struct JoinRequest<'a> {
    calendar: CalendarProperties,
    events: Vec<&'a Arc<RenderedEvent>>,
    /// Whether sessions block their time if the options do not say.
    busy: bool,
    options: FeedOptions,
    /// The lower bound of LAST-MODIFIED.
    floor: DateTime<Utc>,
}

/// A joined feed. Its entity tag is known before its bytes are joined.
#[derive(Debug)]
pub struct JoinedFeed<'a> {
    set: &'a FeedSet,
    calendar: CalendarProperties,
    /// The events, each with whether it has the alternate status.
    events: Vec<(&'a Arc<RenderedEvent>, bool)>,
    alarm: Option<u16>,
    /// The names in a team's feed.
    team: Option<TeamNames>,
    /// When the feed last changed.
    pub modified: DateTime<Utc>,
    /// The hash of the feed's entity tag.
    pub hash: String,
}

/// A member of a team.
#[derive(Debug, Clone)]
pub struct TeamMember<'a> {
    /// The member's name, which the titles show.
    pub name: Text,
    /// The member's picks.
    pub picks: &'a [SessionId],
}

/// The members who attend each event of a team's feed.
#[derive(Debug)]
struct TeamNames {
    /// `Ada, Grace` for each event, escaped.
    names: Vec<String>,
    /// When a member's picks last changed.
    changed: DateTime<Utc>,
    /// The prefix of cancelled sessions' titles.
    prefix: &'static str,
}

impl FeedSet {
    /// The program, filtered and with options.
    pub fn filtered<'a>(
        &'a self,
        filter: &FeedFilter,
        options: FeedOptions,
        slugs: &Slugs,
    ) -> JoinedFeed<'a> {
        let events = self.matching(filter).collect();
        let title = &self.conference.title;
        let texts = self.texts();
        let words = filter.describe(slugs, texts);
        let name = if words.is_empty() { title.to_string() } else { format!("{title}: {words}") };
        let query = canonical_query(filter, &options);
        let page = canonical_query(filter, &FeedOptions::default());
        let page = if page.is_empty() { "/".to_owned() } else { format!("/?{page}") };
        let calendar = CalendarProperties {
            name: Text::line(&name).0,
            about: Text::line(&texts.feed_program(&name)).0,
            url: self.conference.link(&page),
            source: Some(self.conference.link(&format!("/program.ics?{query}"))),
            colour: None,
        };
        let floor = self.newest_departure(|one| one.leaves(|facets| filter.matches(facets)));
        self.join(JoinRequest { calendar, events, busy: false, options, floor })
    }

    /// The events that match a filter, in program order.
    pub fn matching<'a>(&'a self, filter: &FeedFilter) -> impl Iterator<Item = &'a Arc<RenderedEvent>> {
        self.events.iter().filter(|event| filter.matches(&event.facets))
    }

    /// A canonical feed with options.
    pub fn with_options<'a>(&'a self, feed: &'a Feed, options: FeedOptions) -> JoinedFeed<'a> {
        let mut calendar = feed.calendar.clone();
        calendar.source = calendar.source.map(|source| format!("{source}?{options}"));
        let events = feed.members.iter().collect();
        self.join(JoinRequest { calendar, events, busy: false, options, floor: feed.modified })
    }

    /// The feed of one session; none if the session is hidden.
    pub fn single<'a>(
        &'a self,
        id: &SessionId,
        title: &Text,
        options: FeedOptions,
    ) -> Option<JoinedFeed<'a>> {
        let event = self.event(id)?;
        let query = canonical_query(&FeedFilter::default(), &options);
        let query = if query.is_empty() { query } else { format!("?{query}") };
        let calendar = CalendarProperties {
            name: title.clone(),
            about: Text::line(&self.texts().part_of(title.as_str(), self.conference.title.as_str())).0,
            url: self.conference.link(&format!("/sessions/{id}")),
            source: Some(self.conference.link(&format!("{}{query}", session_path(id)))),
            colour: None,
        };
        let floor = DateTime::UNIX_EPOCH;
        Some(self.join(JoinRequest { calendar, events: vec![event], busy: false, options, floor }))
    }

    /// The feed of an agenda. Its sessions block their time, except for breaks and meals; hidden sessions are omitted.
    /// `changed` is when the picks last changed.
    pub fn agenda<'a>(
        &'a self,
        name: &Text,
        picks: &[SessionId],
        options: FeedOptions,
        changed: DateTime<Utc>,
    ) -> JoinedFeed<'a> {
        let events = self.events_of(picks).collect();
        let calendar = self.private_calendar(name.clone(), self.agenda_description());
        let left = self.newest_departure(|one| one.is_hidden() && picks.contains(&one.session));
        self.join(JoinRequest { calendar, events, busy: true, options, floor: changed.max(left) })
    }

    fn texts(&self) -> &'static Texts {
        Texts::of(&self.conference.language)
    }

    /// The description of an agenda's calendar.
    pub fn agenda_description(&self) -> Text {
        Text::line(&self.texts().feed_agenda(self.conference.title.as_str())).0
    }

    /// A calendar without sessions, for a read link that was revoked.
    pub fn revoked<'a>(&'a self, name: &Text, about: &Text, since: DateTime<Utc>) -> JoinedFeed<'a> {
        let calendar = self.private_calendar(name.clone(), about.clone());
        let options = FeedOptions::default();
        self.join(JoinRequest { calendar, events: Vec::new(), busy: false, options, floor: since })
    }

    /// The feed of a team: its sessions, with the members' names before the titles. The sessions do not block time,
    /// since the reader may not attend them. `changed` is when the members or their picks last changed.
    ///
    /// Some clients (ICSx5) read a VEVENT again only if its LAST-MODIFIED rises, so every change of picks raises it.
    pub fn team<'a>(
        &'a self,
        members: &[TeamMember<'_>],
        options: FeedOptions,
        changed: DateTime<Utc>,
    ) -> JoinedFeed<'a> {
        let names: Vec<&str> = members.iter().map(|member| member.name.as_str()).collect();
        let name = Text::line(&self.texts().feed_team(&names.join(self.texts().list_comma))).0;
        let about = Text::line(&self.texts().feed_team_about(self.conference.title.as_str())).0;
        let calendar = self.private_calendar(name, about);
        let mut going: BTreeMap<&SessionId, Vec<&str>> = BTreeMap::new();
        for (member, name) in members.iter().zip(names) {
            for pick in member.picks {
                going.entry(pick).or_default().push(name);
            }
        }
        let picks: Vec<SessionId> = going.keys().map(|id| (*id).clone()).collect();
        let events = self.events_of(&picks).collect();
        let left = self.newest_departure(|one| one.is_hidden() && going.contains_key(&one.session));
        let changed = changed.trunc_subsecs(0);
        let floor = changed.max(left);
        let joined = self.join(JoinRequest { calendar, events, busy: false, options, floor });
        let names = |event: &RenderedEvent| {
            let names = going.get(&event.id).map(|names| names.join(", ")).unwrap_or_default();
            line::escape(&names)
        };
        let names: Vec<String> = joined.events.iter().map(|(event, _)| names(event)).collect();
        let times = changed.timestamp().to_le_bytes();
        let fixed = [joined.hash.as_bytes(), times.as_slice()];
        let hash = Digest::of_parts(fixed.into_iter().chain(names.iter().map(String::as_bytes))).short();
        JoinedFeed {
            hash,
            team: Some(TeamNames { names, changed, prefix: self.texts().cancelled_prefix }),
            ..joined
        }
    }

    /// The properties of a feed whose address is a secret.
    fn private_calendar(&self, name: Text, about: Text) -> CalendarProperties {
        CalendarProperties { name, about, url: self.conference.link("/"), source: None, colour: None }
    }

    /// The time of the newest departure that `fits` accepts. If it accepts none, the time of the newest departure that
    /// the ledger dropped.
    fn newest_departure(&self, fits: impl Fn(&FeedDeparture) -> bool) -> DateTime<Utc> {
        self.departures.iter().rev().find(|one| fits(one)).map_or(self.last_departure, |one| one.at)
    }

    fn join<'a>(&'a self, request: JoinRequest<'a>) -> JoinedFeed<'a> {
        let options = request.options;
        let is_dropped = |event: &RenderedEvent| event.cancelled && options.cancelled == Cancelled::Drop;
        let is_alternate = |event: &RenderedEvent| match event.cancelled {
            true => options.cancelled == Cancelled::Title,
            false => options.busy.unwrap_or(request.busy && !event.free),
        };
        let events = request.events.into_iter().filter(|event| !is_dropped(event));
        let events: Vec<_> = events.map(|event| (event, is_alternate(event))).collect();
        let newest = events.iter().map(|(event, _)| event.revision.modified).max().unwrap_or_default();
        let modified = newest.max(request.floor).max(self.shared_modified);
        let calendar = request.calendar;
        let own = calendar.digest(&self.shared_digest);
        let fixed = [modified.timestamp().to_le_bytes(), u64::from(options.alarm.unwrap_or(0)).to_le_bytes()];
        let stamps: Vec<([u8; 12], [u8; 1])> =
            events.iter().map(|(event, alternate)| (stamp_bytes(event), [u8::from(*alternate)])).collect();
        let content = events.iter().zip(&stamps).flat_map(|((event, _), (stamp, alternate))| {
            [event.digest.0.as_slice(), stamp.as_slice(), alternate.as_slice()]
        });
        let fixed = [own.0.as_slice()].into_iter().chain(fixed.iter().map(<[u8; 8]>::as_slice));
        let hash = Digest::of_parts(fixed.chain(content)).short();
        JoinedFeed { set: self, calendar, events, alarm: options.alarm, team: None, modified, hash }
    }
}

impl JoinedFeed<'_> {
    /// The number of events.
    pub fn len(&self) -> usize {
        self.events.len()
    }

    /// Whether the feed has no events.
    pub fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    /// Deflates at most `most` VEVENTs that are not deflated yet. Returns false if some are left: compressing all
    /// VEVENTs of a large feed would take seconds.
    pub fn deflate(&self, most: usize) -> bool {
        let mut left = self.events.iter().filter(|(event, _)| event.deflated.get().is_none());
        left.by_ref().take(most).for_each(|(event, _)| _ = event.deflated());
        left.next().is_none()
    }

    /// The plain body of the feed.
    pub fn identity(&self) -> Bytes {
        if self.team.is_none() {
            let chunks = self.chunks();
            let mut out = Vec::with_capacity(chunks.remaining());
            chunks.for_each(|chunk| out.extend_from_slice(&chunk));
            return out.into();
        }
        let [ending, cancelled_ending] = self.endings();
        let mut out = self.opening().into_bytes();
        for (index, (event, alternate)) in self.events.iter().enumerate() {
            out.extend_from_slice(self.named_start(index, event, *alternate).unwrap_or_default().as_bytes());
            out.extend_from_slice(event.pieces.tail());
            let ending = if event.cancelled { &cancelled_ending } else { &ending };
            out.extend_from_slice(ending.as_bytes());
        }
        out.extend_from_slice(CLOSING.as_bytes());
        out.into()
    }

    /// The plain body in chunks, each joined when it is asked for. Not for a team's feed.
    pub fn chunks(&self) -> JoinedChunks {
        let (opening, [ending, cancelled_ending]) = (self.opening(), self.endings());
        let length = |event: &RenderedEvent, alternate: bool| {
            let ending = if event.cancelled { &cancelled_ending } else { &ending };
            event.pieces.joined_length(alternate) + ending.len()
        };
        let events: usize = self.events.iter().map(|(event, alternate)| length(event, *alternate)).sum();
        JoinedChunks {
            remaining: opening.len() + events + CLOSING.len(),
            events: self.events.iter().map(|(event, alternate)| (Arc::clone(event), *alternate)).collect(),
            next: 0,
            opening,
            ending,
            cancelled_ending,
        }
    }

    /// The body as one gzip member, joined from deflated pieces; none if the member is not smaller, as in a feed of a
    /// few short sessions.
    pub fn gzip(&self) -> Option<Bytes> {
        let [ending, cancelled_ending] = self.endings();
        let mut gzip = Gzip::new(1024 + self.events.len() * 512);
        let (opening, zone) = (self.opening(), self.set.vtimezone.as_str());
        // The VTIMEZONE is half of a short feed and the same in all feeds, so it is deflated once.
        let own = opening.strip_suffix(zone).unwrap_or_default();
        gzip.text(own.as_bytes());
        gzip.piece(self.set.deflated_zone.get_or_init(|| Deflated::piece(zone.as_bytes())), zone.len());
        for (index, (event, alternate)) in self.events.iter().enumerate() {
            let [head, default_status, alternate_status, tail] = event.deflated();
            match self.named_start(index, event, *alternate) {
                Some(start) => gzip.text(start.as_bytes()),
                None => {
                    gzip.piece(head, event.pieces.head().len());
                    let status = if *alternate { alternate_status } else { default_status };
                    gzip.piece(status, event.pieces.status(*alternate).len());
                }
            }
            gzip.piece(tail, event.pieces.tail().len());
            let ending = if event.cancelled { &cancelled_ending } else { &ending };
            gzip.text(ending.as_bytes());
        }
        gzip.text(CLOSING.as_bytes());
        gzip.finish()
    }

    fn opening(&self) -> String {
        let zone = self.set.zone_of(!self.events.is_empty());
        self.calendar.opening(&self.set.conference, zone, self.modified)
    }

    /// The text after the tail of a VEVENT, and after that of a cancelled one, which has no alarm. The VALARM is written
    /// here since the icalendar crate would add a wall-clock stamp and a random UID.
    fn endings(&self) -> [String; 2] {
        let Some(minutes) = self.alarm else { return [END.to_owned(), END.to_owned()] };
        let alarm = format!(
            "BEGIN:VALARM\r\nACTION:DISPLAY\r\nDESCRIPTION:Reminder\r\nTRIGGER:-PT{minutes}M\r\nEND:VALARM\r\n"
        );
        [alarm + END, END.to_owned()]
    }

    /// In a team's feed, head and status of an event, with the members' names before the title.
    fn named_start(&self, index: usize, event: &RenderedEvent, alternate: bool) -> Option<String> {
        let team = self.team.as_ref()?;
        let names = team.names.get(index)?;
        let at = line::utc(event.revision.modified.max(team.changed));
        Some(with_names(&event.pieces, alternate, names, &at, team.prefix))
    }
}

/// The bytes of a chunk, at which it ends: joining it takes about 20 µs of a thread that answers requests.
const CHUNK: usize = 32 * 1024;

/// The plain body of a joined feed, in chunks. The whole text of a large feed is never in memory.
#[derive(Debug)]
pub struct JoinedChunks {
    opening: String,
    events: Vec<(Arc<RenderedEvent>, bool)>,
    /// The index of the next event.
    next: usize,
    ending: String,
    cancelled_ending: String,
    remaining: usize,
}

impl JoinedChunks {
    /// The bytes of all chunks that are left.
    pub fn remaining(&self) -> usize {
        self.remaining
    }
}

impl Iterator for JoinedChunks {
    type Item = Bytes;

    fn next(&mut self) -> Option<Bytes> {
        if self.remaining == 0 {
            return None;
        }
        let mut out = Vec::with_capacity(self.remaining.min(CHUNK + 4096));
        out.extend_from_slice(std::mem::take(&mut self.opening).as_bytes());
        while out.len() < CHUNK
            && let Some((event, alternate)) = self.events.get(self.next)
        {
            out.extend_from_slice(event.pieces.head());
            out.extend_from_slice(event.pieces.status(*alternate));
            out.extend_from_slice(event.pieces.tail());
            let ending = if event.cancelled { &self.cancelled_ending } else { &self.ending };
            out.extend_from_slice(ending.as_bytes());
            self.next += 1;
        }
        if self.next == self.events.len() {
            out.extend_from_slice(CLOSING.as_bytes());
        }
        self.remaining = self.remaining.saturating_sub(out.len());
        Some(out.into())
    }
}

fn with_names(pieces: &EventPieces, alternate: bool, names: &str, at: &str, prefix: &str) -> String {
    let stored = [pieces.head(), pieces.status(alternate)].concat();
    let mut out = String::with_capacity(stored.len() + names.len() + 16);
    for content in line::unfold(&String::from_utf8_lossy(&stored)) {
        let content = match content.split_once(':') {
            Some((name @ ("DTSTAMP" | "LAST-MODIFIED"), _)) => format!("{name}:{at}"),
            Some(("SUMMARY", title)) => match title.strip_prefix(prefix).filter(|_| alternate) {
                Some(title) => format!("SUMMARY:{prefix}{names}: {title}"),
                None => format!("SUMMARY:{names}: {title}"),
            },
            _ => content,
        };
        line::fold(&mut out, &content);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{self, at};
    use crate::program::Status;
    use chrono::TimeDelta;
    use std::io::Read;

    #[test]
    fn the_chunks_of_a_large_feed_are_the_text_of_its_gzip_member() {
        let start = at("2025-03-25T16:00:00Z");
        let sessions = (0..700).map(|n| {
            let talk =
                fixtures::talk(&format!("talk-{n}"), start, start + TimeDelta::minutes(5 + n), "A talk");
            crate::program::Session {
                status: if n % 7 == 0 { Status::Cancelled } else { Status::Confirmed },
                ..talk
            }
        });
        let release = fixtures::conference().sessions(sessions).release();
        for query in [
            FeedOptions::default(),
            FeedOptions { alarm: Some(15), busy: Some(true), ..FeedOptions::default() },
        ] {
            let joined = release.feeds.filtered(&FeedFilter::default(), query, &release.ledger.slugs);
            let chunks = joined.chunks();
            let length = chunks.remaining();
            let chunks: Vec<Bytes> = chunks.collect();
            assert!(chunks.len() > 5 && chunks.iter().all(|chunk| chunk.len() < 2 * CHUNK));
            let text = chunks.concat();
            assert_eq!((text.len(), joined.identity()), (length, Bytes::from(text.clone())));
            let mut unpacked = Vec::new();
            flate2::bufread::GzDecoder::new(&joined.gzip().unwrap()[..]).read_to_end(&mut unpacked).unwrap();
            assert_eq!(unpacked, text);
        }
    }
}
