//! Several agendas in one feed: each session once, and who goes before its title.
//!
//! Everything of a VEVENT but its title and its two times is the stored one. Clients that take a VEVENT in again
//! only when LAST-MODIFIED moves (ICSx5) would keep yesterday's names, so it moves when anybody's picks do.

use super::{Join, Joined};
use crate::feed::event::{CANCELLED_PREFIX, Pieces};
use crate::feed::set::{Event, FeedSet};
use crate::feed::{Calendar, Options, line};
use crate::program::{SessionId, Text};
use crate::revision::Digest;
use chrono::{DateTime, SubsecRound, Utc};
use std::collections::BTreeMap;

/// Somebody in a team.
#[derive(Debug, Clone)]
pub struct Member<'a> {
    /// What titles call them.
    pub name: Text,
    /// Where they go.
    pub picks: &'a [SessionId],
}

/// Who goes to each event of a feed.
#[derive(Debug)]
pub(super) struct Going {
    /// `Ada, Grace`, as it stands in a content line.
    names: Vec<String>,
    /// When a choice last changed.
    changed: DateTime<Utc>,
}

impl FeedSet {
    /// A team's sessions. They leave their hour free: it is not the reader's own. `changed` is when the choice
    /// of any member, or who is one, last changed.
    pub fn team<'a>(
        &'a self,
        members: &[Member<'_>],
        options: Options,
        changed: DateTime<Utc>,
    ) -> Joined<'a> {
        let names: Vec<&str> = members.iter().map(|member| member.name.as_str()).collect();
        let calendar = Calendar {
            name: Text::line(&format!("Team: {}", names.join(", "))).0,
            about: Text::line(&format!("Who goes where at {}", self.conference.title)).0,
            url: self.conference.link("/"),
            source: None,
            colour: None,
        };
        let mut going: BTreeMap<&SessionId, Vec<&str>> = BTreeMap::new();
        for (member, name) in members.iter().zip(names) {
            for pick in member.picks {
                going.entry(pick).or_default().push(name);
            }
        }
        let picks: Vec<SessionId> = going.keys().map(|id| (*id).clone()).collect();
        let events = self.picked(&picks).map(AsRef::as_ref).collect();
        let left = self.departed(|left| left.is_hidden() && going.contains_key(&left.session));
        let changed = changed.trunc_subsecs(0);
        let joined = self.join(Join { calendar, events, busy: false, options, floor: changed.max(left) });
        let names = |event: &Event| {
            let names = going.get(&event.id).map(|names| names.join(", ")).unwrap_or_default();
            line::escape(&names)
        };
        let names: Vec<String> = joined.events.iter().map(|(event, _)| names(event)).collect();
        let times = changed.timestamp().to_le_bytes();
        let fixed = [joined.hash.as_bytes(), times.as_slice()];
        let hash = Digest::of_parts(fixed.into_iter().chain(names.iter().map(String::as_bytes))).short();
        Joined { hash, going: Some(Going { names, changed }), ..joined }
    }
}

impl Joined<'_> {
    /// Head and window of an event with those who go; none where the feed is nobody's but one's own.
    pub(super) fn led(&self, place: usize, event: &Event, other: bool) -> Option<String> {
        let going = self.going.as_ref()?;
        let names = going.names.get(place)?;
        let at = event.revision.modified.max(going.changed).format("%Y%m%dT%H%M%SZ").to_string();
        Some(led(&event.pieces, other, names, &at))
    }
}

fn led(pieces: &Pieces, other: bool, names: &str, at: &str) -> String {
    let (head, window) = (pieces.head(), pieces.window(other));
    let stored = [head, window].concat();
    let mut out = String::with_capacity(stored.len() + names.len() + 16);
    for content in line::unfold(&String::from_utf8_lossy(&stored)) {
        let led = match content.split_once(':') {
            Some((name @ ("DTSTAMP" | "LAST-MODIFIED"), _)) => format!("{name}:{at}"),
            Some(("SUMMARY", title)) => match title.strip_prefix(CANCELLED_PREFIX).filter(|_| other) {
                Some(title) => format!("SUMMARY:{CANCELLED_PREFIX}{names}: {title}"),
                None => format!("SUMMARY:{names}: {title}"),
            },
            _ => content,
        };
        line::fold(&mut out, &led);
    }
    out
}
