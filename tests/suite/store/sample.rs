//! Sample records.

use callboard::fixtures;
use callboard::program::{ClockStyle, Conference, Program, Rank, Session, SessionId, Slug, Text};
use callboard::revision::{Digest, Ledger, advance};
use callboard::store::{
    AgendaRecord, BusyRecord, Cause, Channel, DeliveryRecord, LinkRecord, Origin, ReachRecord, ReachTally,
    ReleaseRecord, ReleaseWrite, Store, StoreOptions, SubscriptionRecord, SubscriptionsRecord, Version,
    Write,
};
use chrono::{DateTime, TimeDelta, Utc};
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub(super) fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_742_900_000 + seconds, 0).unwrap()
}

pub(super) fn slug() -> Slug {
    Slug::parse("srecon25americas").unwrap()
}

pub(super) fn open(dir: &Path) -> Store {
    Store::open(dir, &slug()).unwrap()
}

pub(super) fn key(n: u64) -> Digest {
    Digest::of(&n.to_be_bytes())
}

pub(super) fn open_with(dir: &Path, options: StoreOptions) -> Store {
    Store::open_with(dir, &slug(), options).unwrap()
}

/// Digests that differ in their last byte only.
pub(super) fn alike(n: u8) -> Digest {
    Digest(std::array::from_fn(|at| if at == 31 { n } else { 7 }))
}

/// All formats of the store so far.
pub(super) const FORMATS: [u8; 4] = [1, 2, 3, 4];

/// A fixture of a format.
pub(super) fn fixture(format: u8, name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/fixtures/store/v{format}")).join(name)
}

pub(super) fn id(n: u64) -> SessionId {
    SessionId::parse(&format!("session-{n}")).unwrap()
}

/// The subscriptions of an agenda with one device per version.
pub(super) fn subscriptions(version: u64) -> SubscriptionsRecord {
    let device = |n: u64| SubscriptionRecord {
        id: format!("{n:032x}"),
        channel: Channel::WebPush,
        endpoint: format!("https://push.example/{n}"),
        p256dh: vec![4; 65],
        auth: vec![9; 16],
        label: "Firefox on Android".to_owned(),
        reminders: n.is_multiple_of(2),
        created: at(0),
        calendar: None,
        mail: None,
    };
    SubscriptionsRecord { version: Version { version }, list: (1..=version).map(device).collect() }
}

pub(super) fn delivery(version: u64) -> DeliveryRecord {
    DeliveryRecord {
        version: Version { version },
        channel: Channel::WebPush,
        cause: Cause::Release,
        subscription: format!("{:032x}", 1),
        agenda: Some(data_encoding::HEXLOWER.encode(&key(1).0)),
        host: "push.example".to_owned(),
        since: 1,
        release: 2,
        queued: at(0),
        attempts: 1,
        interrupted: 0,
        due: at(60),
        claims: 1,
        lease: Some(at(120)),
        given_up: None,
        has_more: false,
        mails: 0,
        error: Some("the receiver answered 503".to_owned()),
    }
}

pub(super) fn reach(version: u64) -> ReachRecord {
    let tally = ReachTally { queued: 3, delivered: 1, failed: 1, dropped: 0, seconds: [(2, 1)].into() };
    ReachRecord { version: Version { version }, channels: [(Channel::WebPush, tally)].into() }
}

/// An agenda with one pick per version.
pub(super) fn agenda(version: u64) -> AgendaRecord {
    AgendaRecord {
        version,
        name: format!("Ágnes’s {version}"),
        picks: (1..=version).map(id).collect(),
        links: vec![LinkRecord {
            n: 1,
            label: "phone".to_owned(),
            hash: key(1000 + version),
            generation: 0,
            created: at(0),
            revoked: None,
        }],
        modified: at(version.try_into().unwrap()),
        next_link: 2,
        ..AgendaRecord::empty(at(0), 1)
    }
}

/// An agenda with ranks and a busy time.
pub(super) fn planned() -> AgendaRecord {
    AgendaRecord {
        ranks: [(id(1), Rank::Must), (id(3), Rank::Maybe)].into(),
        busy: vec![BusyRecord { start: at(0), end: at(3600), label: "Call".to_owned() }],
        ..agenda(3)
    }
}

pub(super) fn put(agenda_of: u64, expect: Option<u64>, version: u64) -> Write {
    Write::PutAgenda { key: key(agenda_of), expect, record: agenda(version) }
}

pub(super) fn conference() -> Conference {
    Conference {
        slug: slug(),
        language: "en-US".to_owned(),
        clock: ClockStyle::Twelve,
        uid_domain: "srecon25americas.example".to_owned(),
        public_url: "http://127.0.0.1:8080".parse().unwrap(),
        ..fixtures::conference().title("SREcon25 Americas").conference
    }
}

pub(super) fn session(n: u64) -> Session {
    let start = at(i64::try_from(n % 1000).unwrap() * 60);
    let mut session =
        fixtures::talk(id(n).as_str(), start, start + TimeDelta::minutes(30), &format!("Talk {n}"));
    session.slot.room = Some(Text::from(format!("Room {}", n % 7)));
    session.abstract_text = Text::from("About the things that break. ".repeat(4));
    session
}

/// The ledger of the next release, and the write that publishes it.
pub(super) fn release(previous: Option<&Ledger>, sessions: Vec<Session>) -> (Ledger, ReleaseWrite) {
    let conference = conference();
    let nothing = Ledger::empty(&conference.uid_domain);
    let program = Program::new(Arc::new(conference.clone()), Vec::new(), sessions);
    let before = previous.unwrap_or(&nothing);
    let step = advance(before, &program, at(0), |draft| {
        Digest::of(serde_json::to_string(&(draft.session, draft.moved_from)).unwrap().as_bytes())
    });
    let mut ledger = step.ledger;
    let csv = format!("release {}\n", ledger.release).into_bytes();
    for changed in &step.changes {
        let mark = callboard::revision::FeedMark { digest: Digest::of(&csv), modified: ledger.published };
        ledger.feeds.insert(format!("/sessions/{}.ics", changed.session), mark);
    }
    let record = ReleaseRecord {
        number: ledger.release,
        published: ledger.published,
        origin: if before.release == 0 { Origin::First } else { Origin::File },
        who: None,
        csv_digest: Digest::of(&csv),
        changes: step.changes,
        conference,
        warnings: vec!["line 7: no room".to_owned()],
        complete: true,
    };
    let write = ReleaseWrite::between(previous, &ledger, record, csv.into());
    (ledger, write)
}
