//! Which mail a mailbox gets next: the difference between what it was sent last and what its agenda holds now.
//!
//! Since only the difference is sent, a burst of releases becomes one mail for each session, and a change that is
//! reverted in time causes none. The plan is written to the store before its mail is given to a sender. Invariants,
//! whatever is lost, repeated or picked again: the SEQUENCE of a UID only rises; after a cancellation its UID gets
//! nothing but the same cancellation; a session that is picked again has a new UID, since Google never shows a deleted
//! one again.

use crate::program::SessionId;
use crate::revision::Digest;
use crate::store::{InvitationRecord, InvitationState, MailRecord, PendingMail};
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::BTreeMap;

/// The shortest time between two mails about one session. Corrections that follow each other closely become one mail.
pub(super) const PAUSE: TimeDelta = TimeDelta::seconds(60);

/// A session that a mailbox should have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::reach) struct WantedSession {
    /// The digest of what mails tell of the session.
    pub(in crate::reach) digest: Digest,
    pub(in crate::reach) start: DateTime<Utc>,
    pub(in crate::reach) end: DateTime<Utc>,
}

/// The next mail to a mailbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedMail {
    /// The session.
    pub session: SessionId,
    /// Whether the mail invites, updates or cancels.
    pub kind: MailKind,
    /// The generation of the UID.
    pub generation: u32,
    /// The SEQUENCE.
    pub sequence: u32,
    /// The DTSTAMP.
    pub stamp: DateTime<Utc>,
}

/// What a mail does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailKind {
    /// The first mail to the mailbox.
    First,
    /// An invitation to a session.
    Invitation,
    /// A change of a session.
    Update,
    /// The end of an invitation.
    Cancellation,
}

/// The next step of a mailbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::reach) enum Step {
    /// Send this mail.
    Send(PlannedMail),
    /// The next mail follows too closely on the last one about its session.
    Wait(DateTime<Utc>),
    /// The mailbox has everything.
    Done,
}

/// Plans the next mail, and records that it is tried. `wanted` are the sessions of the agenda that take place and are
/// not over; `claim` is the claim of the delivery.
pub(in crate::reach) fn plan_next(
    record: &mut MailRecord,
    wanted: &BTreeMap<SessionId, WantedSession>,
    now: DateTime<Utc>,
    claim: u32,
) -> Step {
    // Cancellations come first: they free the time that other sessions take. Then the earliest session.
    let mut due: Option<((bool, DateTime<Utc>), SessionId)> = None;
    let mut wait: Option<DateTime<Utc>> = None;
    let invited = record.invitations.keys().filter(|id| !wanted.contains_key(*id));
    for id in wanted.keys().chain(invited) {
        let known = record.invitations.get(id);
        let Some(is_request) = step_of(known, wanted.get(id), now) else { continue };
        let ready = known.map_or(now, |known| known.stamp + PAUSE);
        if ready > now {
            wait = Some(wait.map_or(ready, |wait| wait.min(ready)));
            continue;
        }
        let at = wanted.get(id).map(|one| one.start).or(known.map(|known| known.end)).unwrap_or(now);
        let order = ((is_request, at), id.clone());
        if due.as_ref().is_none_or(|due| order < *due) {
            due = Some(order);
        }
    }
    let Some(((is_request, _), session)) = due else { return wait.map_or(Step::Done, Step::Wait) };
    let is_first = !record
        .invitations
        .values()
        .any(|known| matches!(known.state, InvitationState::Sent(_) | InvitationState::Cancelled));
    let known = record.invitations.get(&session);
    let is_new = known.is_none_or(|known| known.state == InvitationState::Cancelled);
    let (generation, sequence) = match known {
        None => (0, 0),
        Some(known) if is_new => (known.generation + 1, 0),
        Some(known) => (known.generation, known.sequence + 1),
    };
    let stamp = known.map_or(now, |known| now.max(known.stamp + TimeDelta::seconds(1)));
    let kind = match (is_request, is_new) {
        (false, _) => MailKind::Cancellation,
        (true, _) if is_first => MailKind::First,
        (true, true) => MailKind::Invitation,
        (true, false) => MailKind::Update,
    };
    let wanted = wanted.get(&session).filter(|_| is_request);
    let end = wanted.map(|one| one.end).or(known.map(|known| known.end)).unwrap_or(now);
    let state = wanted.map_or(InvitationState::Cancelling, |one| InvitationState::Tried(one.digest));
    let tried = InvitationRecord { generation, sequence, stamp, end, state };
    record.invitations.insert(session.clone(), tried);
    record.pending = Some(PendingMail { session: session.clone(), claim });
    Step::Send(PlannedMail { session, kind, generation, sequence, stamp })
}

/// Whether a session needs a request, or else a cancellation; none if it needs no mail.
fn step_of(
    known: Option<&InvitationRecord>,
    wanted: Option<&WantedSession>,
    now: DateTime<Utc>,
) -> Option<bool> {
    let Some(known) = known else { return wanted.map(|_| true) };
    match (known.state, wanted) {
        (InvitationState::Cancelled, wanted) => wanted.map(|_| true),
        // Nobody needs to remove what is over.
        (_, None) if known.end <= now => None,
        (InvitationState::Cancelling, _) | (_, None) => Some(false),
        (InvitationState::Sent(digest), Some(wanted)) if digest == wanted.digest => None,
        (InvitationState::Tried(_) | InvitationState::Sent(_), Some(_)) => Some(true),
    }
}

/// Records that the relay accepted the mail of a claim.
pub(in crate::reach) fn accept(record: &mut MailRecord, claim: u32) {
    let Some(pending) = record.pending.take_if(|pending| pending.claim == claim) else { return };
    if let Some(tried) = record.invitations.get_mut(&pending.session) {
        tried.state = match tried.state {
            InvitationState::Tried(digest) => InvitationState::Sent(digest),
            InvitationState::Cancelling => InvitationState::Cancelled,
            settled => settled,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_742_900_000 + seconds, 0).unwrap()
    }

    fn id(n: usize) -> SessionId {
        SessionId::parse(&format!("session-{n}")).unwrap()
    }

    fn version(n: u8) -> WantedSession {
        WantedSession { digest: Digest([n; 32]), start: at(1_000_000), end: at(1_003_600) }
    }

    /// What the mailbox of a recipient holds of one UID.
    #[derive(Debug, Clone, Copy, Default)]
    struct Received {
        sequence: Option<u32>,
        stamp: Option<DateTime<Utc>>,
        digest: Option<Digest>,
        is_cancelled: bool,
    }

    /// One event of a history.
    #[derive(Debug, Clone, Copy)]
    enum Event {
        Pick(usize),
        Unpick(usize),
        /// A release changes a session.
        Change(usize, u8),
        /// The conference cancels a session, or reinstates it.
        Cancel(usize, bool),
        /// A mail is sent, accepted and reported.
        Send,
        /// A mail arrives, but its sender is killed before it reports.
        SendUnreported,
        /// The relay refuses the mail for now.
        Refuse,
        Pass(i64),
    }

    fn event() -> impl Strategy<Value = Event> {
        prop_oneof![
            1 => (0..3usize).prop_map(Event::Pick),
            1 => (0..3usize).prop_map(Event::Unpick),
            1 => (0..3usize, 0..4u8).prop_map(|(n, version)| Event::Change(n, version)),
            1 => (0..3usize, any::<bool>()).prop_map(|(n, is_cancelled)| Event::Cancel(n, is_cancelled)),
            4 => Just(Event::Send),
            1 => Just(Event::SendUnreported),
            1 => Just(Event::Refuse),
            1 => (1..90i64).prop_map(Event::Pass),
        ]
    }

    struct World {
        record: MailRecord,
        mailbox: BTreeMap<(SessionId, u32), Received>,
        sessions: [(bool, u8, bool); 3],
        now: i64,
        claim: u32,
    }

    impl World {
        fn wanted(&self) -> BTreeMap<SessionId, WantedSession> {
            let sessions = self.sessions.iter().enumerate();
            let takes_place =
                sessions.filter(|(_, (is_picked, _, is_cancelled))| *is_picked && !is_cancelled);
            takes_place.map(|(n, (_, digest, _))| (id(n), version(*digest))).collect()
        }

        /// Plans a mail, and lets it arrive.
        fn send(&mut self, arrives: bool, is_reported: bool) -> Step {
            self.claim += 1;
            let wanted = self.wanted();
            let step = plan_next(&mut self.record, &wanted, at(self.now), self.claim);
            let Step::Send(mail) = &step else { return step };
            if arrives {
                let held = self.mailbox.entry((mail.session.clone(), mail.generation)).or_default();
                assert!(
                    held.sequence.is_none_or(|last| mail.sequence > last),
                    "the sequence rises: {mail:?}"
                );
                assert!(held.stamp.is_none_or(|last| mail.stamp > last), "the stamp rises: {mail:?}");
                let is_cancellation = mail.kind == MailKind::Cancellation;
                assert!(!held.is_cancelled || is_cancellation, "no update after a cancellation: {mail:?}");
                *held = Received {
                    sequence: Some(mail.sequence),
                    stamp: Some(mail.stamp),
                    digest: wanted.get(&mail.session).map(|one| one.digest).filter(|_| !is_cancellation),
                    is_cancelled: is_cancellation,
                };
            }
            if arrives && is_reported {
                accept(&mut self.record, self.claim);
            }
            // A restart reads the record from the store.
            self.record = serde_json::from_str(&serde_json::to_string(&self.record).unwrap()).unwrap();
            step
        }

        fn shown(&self) -> BTreeMap<SessionId, Digest> {
            let mut shown = BTreeMap::new();
            for ((session, _), held) in &self.mailbox {
                if let Some(digest) = held.digest {
                    assert!(shown.insert(session.clone(), digest).is_none(), "{session} is there twice");
                }
            }
            shown
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]
        #[test]
        fn whatever_happens_sequences_rise_and_the_mailbox_ends_with_the_agenda(
            events in proptest::collection::vec(event(), 0..60),
        ) {
            let mut world = World {
                record: MailRecord::default(),
                mailbox: BTreeMap::new(),
                sessions: [(false, 0, false); 3],
                now: 0,
                claim: 0,
            };
            for event in events {
                match event {
                    Event::Pick(n) => world.sessions[n].0 = true,
                    Event::Unpick(n) => world.sessions[n].0 = false,
                    Event::Change(n, version) => world.sessions[n].1 = version,
                    Event::Cancel(n, is_cancelled) => world.sessions[n].2 = is_cancelled,
                    Event::Send => drop(world.send(true, true)),
                    Event::SendUnreported => drop(world.send(true, false)),
                    Event::Refuse => drop(world.send(false, false)),
                    Event::Pass(seconds) => world.now += seconds,
                }
            }
            for _ in 0..40 {
                world.now += 61;
                if world.send(true, true) == Step::Done {
                    break;
                }
            }
            let wanted: BTreeMap<_, _> =
                world.wanted().into_iter().map(|(session, one)| (session, one.digest)).collect();
            prop_assert_eq!(world.shown(), wanted);
            world.now += 61;
            prop_assert_eq!(world.send(true, true), Step::Done, "then there is nothing more to send");
        }
    }

    fn sent(record: &mut MailRecord, wanted: &BTreeMap<SessionId, WantedSession>, now: i64) -> PlannedMail {
        let Step::Send(mail) = plan_next(record, wanted, at(now), 1) else { panic!("nothing is sent") };
        accept(record, 1);
        mail
    }

    #[test]
    fn a_session_is_invited_to_updated_cancelled_and_invited_to_anew() {
        let mut record = MailRecord::default();
        let with = |digest| [(id(1), version(digest))].into();
        let said = |mail: PlannedMail| (mail.kind, mail.generation, mail.sequence);
        assert_eq!(said(sent(&mut record, &with(1), 0)), (MailKind::First, 0, 0));
        assert_eq!(plan_next(&mut record, &with(1), at(100), 1), Step::Done);
        assert_eq!(
            plan_next(&mut record, &with(2), at(59), 1),
            Step::Wait(at(60)),
            "a burst becomes one mail"
        );
        assert_eq!(said(sent(&mut record, &with(3), 60)), (MailKind::Update, 0, 1));
        assert_eq!(said(sent(&mut record, &BTreeMap::new(), 120)), (MailKind::Cancellation, 0, 2));
        assert_eq!(plan_next(&mut record, &BTreeMap::new(), at(500), 1), Step::Done);
        assert_eq!(said(sent(&mut record, &with(3), 600)), (MailKind::Invitation, 1, 0));
    }

    #[test]
    fn what_is_over_is_not_cancelled_and_cancellations_come_first() {
        let mut record = MailRecord::default();
        sent(&mut record, &[(id(1), version(1))].into(), 0);
        let mut later = record.clone();
        assert_eq!(plan_next(&mut later, &BTreeMap::new(), at(1_003_600), 2), Step::Done);
        let mail = sent(&mut record, &[(id(0), version(1))].into(), 100);
        assert_eq!((mail.session, mail.kind), (id(1), MailKind::Cancellation));
    }

    #[test]
    fn the_result_of_another_claim_changes_nothing() {
        let mut record = MailRecord::default();
        plan_next(&mut record, &[(id(1), version(1))].into(), at(0), 7);
        let tried = record.clone();
        accept(&mut record, 6);
        assert_eq!(record, tried);
    }
}
