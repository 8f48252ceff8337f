//! Invitations to single sessions (iTIP, RFC 5546, 3.2.2 and 3.2.5), which calendars add by themselves when they arrive by
//! mail (iMIP, RFC 6047).
//!
//! An invitation has the properties of the session in an agenda's feed, with a UID, a SEQUENCE and a DTSTAMP of its own:
//! each recipient has other invitations. It has exactly one attendee, and the organizer is the sender of the mail.
//! Google and Outlook accept nothing else.

use super::calendar::{CLOSING, begin};
use super::event::END;
use super::line;
use super::set::{FeedSet, RenderedEvent};
use crate::program::Session;
use chrono::{DateTime, Utc};

/// The properties of one invitation that do not come from the session.
#[derive(Debug, Clone, Copy)]
pub struct Invitation<'a> {
    /// The UID.
    pub uid: &'a str,
    /// The SEQUENCE. It rises with every mail about the UID.
    pub sequence: u32,
    /// The DTSTAMP. It rises too.
    pub stamp: DateTime<Utc>,
    /// The mail address of the sender.
    pub organizer: &'a str,
    /// The mail address of the recipient.
    pub attendee: &'a str,
}

impl Invitation<'_> {
    /// The lines of the invitation; some clients need them in no particular order, so they are not sorted.
    fn lines(&self, out: &mut String) {
        line::raw(out, "UID", self.uid);
        line::raw(out, "SEQUENCE", &self.sequence.to_string());
        line::raw(out, "DTSTAMP", &line::utc(self.stamp));
        line::raw(out, "ORGANIZER", &format!("mailto:{}", self.organizer));
        let attendee = "ATTENDEE;CUTYPE=INDIVIDUAL;ROLE=REQ-PARTICIPANT;PARTSTAT=NEEDS-ACTION;RSVP=FALSE";
        line::raw(out, attendee, &format!("mailto:{}", self.attendee));
    }
}

impl FeedSet {
    /// The calendar that invites to a session, or tells of its changes.
    pub fn request(&self, event: &RenderedEvent, invitation: &Invitation<'_>) -> String {
        let mut out = self.opening("REQUEST");
        out.push_str("BEGIN:VEVENT\r\n");
        invitation.lines(&mut out);
        let pieces = &event.pieces;
        for part in [pieces.head(), pieces.status(!event.free), pieces.tail()] {
            let of_feeds = ["BEGIN:", "UID:", "SEQUENCE:", "DTSTAMP:", "LAST-MODIFIED:"];
            let lines = line::unfold(std::str::from_utf8(part).unwrap_or_default());
            lines
                .filter(|line| !of_feeds.iter().any(|name| line.starts_with(name)))
                .for_each(|line| line::fold(&mut out, &line));
        }
        out.push_str(END);
        out.push_str(CLOSING);
        out
    }

    /// The calendar that removes a session. `session` is what was last known of it; some calendars show it.
    pub fn cancellation(&self, session: Option<&Session>, invitation: &Invitation<'_>) -> String {
        let mut out = self.opening("CANCEL");
        out.push_str("BEGIN:VEVENT\r\n");
        invitation.lines(&mut out);
        line::raw(&mut out, "STATUS", "CANCELLED");
        if let Some(session) = session {
            let zone = self.conference.zone;
            for (name, at) in [("DTSTART", session.slot.start), ("DTEND", session.slot.end)] {
                if zone.is_utc() || zone.is_repeated(at) {
                    line::raw(&mut out, name, &line::utc(at));
                } else {
                    line::raw(
                        &mut out,
                        &format!("{name};TZID={}", zone.name()),
                        &line::civil(zone.civil(at)),
                    );
                }
            }
            line::text(&mut out, "SUMMARY", session.title.as_str());
        }
        out.push_str(END);
        out.push_str(CLOSING);
        out
    }

    fn opening(&self, method: &str) -> String {
        let mut out = begin();
        line::raw(&mut out, "METHOD", method);
        out.push_str(&self.vtimezone);
        out
    }
}
