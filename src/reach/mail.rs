//! Mails to attendees: the invitations that follow an agenda, and the mail that asks a mailbox to confirm them (iMIP, RFC
//! 6047).
//!
//! No mail contains a text of an attendee, so nobody can use the server to write to strangers.

mod confirmations;
mod link;
mod mime;
mod plan;

pub(crate) use confirmations::Waiting;
pub use confirmations::{AskError, ConfirmationCounts};
pub(super) use confirmations::{Confirmations, is_confirmation};
pub use link::{CONFIRMATION_LASTS, MailKeys, MailLink};
pub use plan::{MailKind, PlannedMail};
pub(super) use plan::{Step, WantedSession, accept, plan_next};

use super::{Body, Guard, Message};
use crate::config::{Mail, MailAddress};
use crate::feed::Invitation;
use crate::program::{ClockStyle, Conference, Session, SessionId, Status};
use crate::release::Release;
use crate::revision::Digest;
use crate::store::AgendaRecord;
use crate::texts::Texts;
use chrono::{DateTime, Utc};
use mime::{Mime, encoded_words};
use std::collections::BTreeMap;

/// The host of every mail in the outbox. The domain of a recipient is personal, and all mails go to the relay.
pub const MAIL_HOST: &str = "mail";

/// The most mailboxes of one agenda.
pub const MAX_MAILBOXES: usize = 2;

/// The sessions of an agenda that a mailbox should have: those that take place and are not over.
pub(super) fn wanted_sessions(
    agenda: &AgendaRecord,
    release: &Release,
    now: DateTime<Utc>,
) -> BTreeMap<SessionId, WantedSession> {
    let entries = agenda.picks.iter().filter_map(|id| release.ledger.entries.get(id));
    entries
        .filter(|entry| entry.is_visible() && !entry.is_cancelled() && entry.session.slot.end > now)
        .map(|entry| (entry.session.id.clone(), wanted(&entry.session)))
        .collect()
}

/// Only what changes a plan is worth a mail: title, time, room, people, and whether it is certain. A corrected abstract is
/// sent with the next such change.
fn wanted(session: &Session) -> WantedSession {
    let slot = &session.slot;
    let times = [slot.start, slot.end].map(|at| at.timestamp().to_string());
    let room = slot.room.as_ref().map(ToString::to_string).unwrap_or_default();
    let people: Vec<String> = session.speakers.iter().map(|one| one.name.to_string()).collect();
    let is_tentative = if session.status == Status::Tentative { "tentative" } else { "" };
    let parts = [session.title.as_str(), &times[0], &times[1], &room, &people.join("\n"), is_tentative];
    let digest = Digest::of_parts(parts.map(str::as_bytes));
    WantedSession { digest, start: slot.start, end: slot.end }
}

/// Composes mails.
#[derive(Debug)]
pub struct MailWriter<'a> {
    mail: &'a Mail,
    keys: &'a MailKeys,
    release: &'a Release,
    words: &'static Texts,
}

impl<'a> MailWriter<'a> {
    /// A writer in the language of a release's conference.
    pub fn new(mail: &'a Mail, keys: &'a MailKeys, release: &'a Release) -> Self {
        Self { mail, keys, release, words: Texts::of(&release.program.conference.language) }
    }

    /// The mail that asks a mailbox to confirm invitations. None only if the link cannot be encrypted.
    pub fn confirmation(&self, agenda: Digest, address: &MailAddress, now: DateTime<Utc>) -> Option<Message> {
        let (words, title) = (self.words, self.conference().title.as_str());
        let until = now + CONFIRMATION_LASTS;
        let link = self.keys.seal(&MailLink::Confirm { agenda, address: address.clone(), until })?;
        let link = self.conference().link(&format!("/mail/confirm/{link}"));
        let text = [words.mail_confirm_text(title), link, words.mail_confirm_ignore.to_owned()].join("\n\n");
        let Digest(id) = Digest::of_parts([text.as_bytes()]);
        let id = data_encoding::HEXLOWER.encode(id.get(..16).unwrap_or_default());
        let mime = Mime {
            fields: self.fields(address.as_str(), &words.mail_confirm_subject(title), &id, now),
            language: words.tag(),
            text: &text,
            calendar: None,
        };
        Some(self.message(address.as_str(), mime.write()))
    }

    /// The mail of a plan. None if the session that it invites to is gone, or the link cannot be encrypted.
    pub fn invitation(
        &self,
        agenda: Digest,
        subscription: &str,
        address: &str,
        planned: &PlannedMail,
    ) -> Option<Message> {
        let (words, release) = (self.words, self.release);
        let PlannedMail { session, kind, generation, sequence, stamp } = planned;
        let domain = &release.ledger.uid_domain;
        let uid = format!("{session}.{subscription}.{generation}@{domain}");
        let invitation = Invitation {
            uid: &uid,
            sequence: *sequence,
            stamp: *stamp,
            organizer: self.mail.from.as_str(),
            attendee: address,
        };
        let known = release.ledger.entries.get(session).map(|entry| &entry.session);
        let title = known.map_or(session.as_str(), |session| session.title.as_str());
        let (method, calendar) = match kind {
            MailKind::Cancellation => {
                ("CANCEL", release.feeds.cancellation(known.map(AsRef::as_ref), &invitation))
            }
            _ => ("REQUEST", release.feeds.request(release.feeds.event(session)?, &invitation)),
        };
        let end = MailLink::End { agenda, subscription: subscription.to_owned() };
        let end = self.conference().link(&format!("/mail/end/{}", self.keys.seal(&end)?));
        let subject = match kind {
            MailKind::First | MailKind::Invitation => words.mail_invitation(title),
            MailKind::Update => words.mail_update(title),
            MailKind::Cancellation => words.mail_cancellation(title),
        };
        let mut paragraphs = vec![self.describe(title, known.map(AsRef::as_ref))];
        match kind {
            MailKind::First => paragraphs.push(words.mail_first.to_owned()),
            MailKind::Cancellation => paragraphs.push(words.mail_cancelled_text.to_owned()),
            MailKind::Invitation | MailKind::Update => {}
        }
        let own = words.mail_reason(self.conference().title.as_str());
        paragraphs.push(format!("{own}\n{}\n{end}", words.mail_end_here));
        let id = format!("{session}.{subscription}.{generation}.{sequence}");
        let mut fields = self.fields(address, &subject, &id, *stamp);
        fields.push(("List-Unsubscribe", format!("<{end}>")));
        fields.push(("List-Unsubscribe-Post", "List-Unsubscribe=One-Click".to_owned()));
        let text = paragraphs.join("\n\n");
        let mime = Mime { fields, language: words.tag(), text: &text, calendar: Some((method, &calendar)) };
        Some(self.message(address, mime.write()))
    }

    fn conference(&self) -> &Conference {
        &self.release.program.conference
    }

    /// Title, time, room, people and page of a session.
    fn describe(&self, title: &str, session: Option<&Session>) -> String {
        let mut lines = vec![title.to_owned()];
        if let Some(session) = session {
            lines.push(self.when(session));
            lines.extend(session.slot.room.iter().map(ToString::to_string));
            lines.extend(session.speakers.iter().map(crate::program::Speaker::line));
            lines.push(self.conference().link(&format!("/sessions/{}", session.id)));
        }
        lines.join("\n")
    }

    /// `Tuesday, March 25, 2025, 10:00–10:40 PDT`
    fn when(&self, session: &Session) -> String {
        let (words, Conference { zone, clock, .. }) = (self.words, self.conference());
        let (start, end) = (zone.civil(session.slot.start), zone.civil(session.slot.end));
        let range = match clock {
            ClockStyle::Twelve => words.range_of_12(start.time(), end.time()),
            ClockStyle::TwentyFour => {
                words.range(&start.format("%H:%M").to_string(), &end.format("%H:%M").to_string())
            }
        };
        let moment = words.moment(&words.day_of_year(start.date()), &range);
        format!("{moment} {}", zone.abbreviation(session.slot.start))
    }

    fn fields(&self, to: &str, subject: &str, id: &str, date: DateTime<Utc>) -> Vec<(&'static str, String)> {
        let name = encoded_words(&self.conference().title.as_str().replace(['"', '\\'], "'"));
        // Lines with encoded words are short (RFC 2047, 2).
        let name = if name.starts_with("=?") { format!("{name}\r\n") } else { format!("\"{name}\"") };
        let mut fields = vec![
            ("From", format!("{name} <{}>", self.mail.from.as_str())),
            ("To", format!("<{to}>")),
            ("Subject", encoded_words(subject)),
            ("Date", date.to_rfc2822()),
            ("Message-ID", format!("<{id}@{}>", self.mail.from.domain())),
            // No answer of a machine is wanted (RFC 3834).
            ("Auto-Submitted", "auto-generated".to_owned()),
        ];
        if let Some(reply_to) = &self.mail.reply_to {
            fields.insert(1, ("Reply-To", format!("<{}>", reply_to.as_str())));
        }
        fields
    }

    fn message(&self, to: &str, mime: String) -> Message {
        Message {
            url: format!("mailto:{to}"),
            headers: Vec::new(),
            body: Body::Text(mime),
            guard: Guard::Relay { sender: self.mail.from.as_str().to_owned() },
        }
    }
}
