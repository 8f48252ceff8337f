//! The test fixture: one conference with its program file, store and clock.

use callboard::clock::Clock;
use callboard::config::{Config, Overrides, Publishing, Webhook};
use callboard::program::{Conference, SessionId};
use callboard::publisher::{Inspect, Proposal, Publication, PublishError, Publisher, Setup, StartError};
use callboard::revision::Entry;
use callboard::store::{DeliveryRecord, Origin, Store};
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tempfile::TempDir;

pub(super) const CONFIG: &str = r#"
public_url = "https://conf.example"
[conference]
title = "Conf"
slug = "conf"
first_day = 2025-03-24
last_day = 2025-03-27
zone = "America/Los_Angeles"
uid_domain = "conf.example"
[[tracks]]
name = "One"
slug = "one"
[[tracks]]
name = "Two"
slug = "two"
"#;

pub(super) fn start_of_day() -> DateTime<Utc> {
    "2025-03-20T16:00:00Z".parse().unwrap()
}

/// A program of eight talks of one hour, which tests edit as text.
pub(super) fn csv() -> String {
    let mut csv = String::from("id,date,start,end,kind,title,track,room,speakers,abstract,status\n");
    for n in 1..=8 {
        let track = if n % 2 == 0 { "Two" } else { "One" };
        let hour = 8 + n;
        writeln!(
            csv,
            "talk-{n},2025-03-25,{hour:02}:00,{:02}:00,talk,Talk {n},{track},Room {n},Ada {n},About {n},confirmed",
            hour + 1
        )
        .unwrap();
    }
    csv
}

pub(super) fn moved(csv: &str, n: usize) -> String {
    csv.replace(&format!("talk-{n},2025-03-25"), &format!("talk-{n},2025-03-26"))
}

pub(super) fn without(csv: &str, gone: impl Fn(usize) -> bool) -> String {
    let row = |line: &&str| !(1..=8).any(|n| gone(n) && line.starts_with(&format!("talk-{n},")));
    csv.lines().filter(row).map(|line| format!("{line}\n")).collect()
}

pub(super) fn id(n: usize) -> SessionId {
    SessionId::parse(&format!("talk-{n}")).unwrap()
}

pub(super) struct Venue {
    pub(super) dir: TempDir,
    pub(super) clock: Clock,
    pub(super) config: String,
    pub(super) settings: Publishing,
    pub(super) webhooks: Vec<Webhook>,
    pub(super) inspect: Inspect,
    /// The highest sequence of each session that was served.
    served: BTreeMap<SessionId, u32>,
    pub(super) publisher: Option<Arc<Publisher>>,
    pub(super) store: Option<Store>,
}

impl Venue {
    pub(super) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("program.csv"), csv()).unwrap();
        Self {
            dir,
            clock: Clock::fixed(start_of_day()),
            config: CONFIG.to_owned(),
            settings: Publishing::default(),
            webhooks: Vec::new(),
            inspect: callboard::doctor::inspect,
            served: BTreeMap::new(),
            publisher: None,
            store: None,
        }
    }

    pub(super) fn started() -> Self {
        let mut venue = Self::new();
        venue.start().unwrap();
        venue
    }

    pub(super) fn data(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    pub(super) fn conference(&self) -> Conference {
        let config = Config::parse(Some(&self.config), Overrides::default()).unwrap();
        config.conference(config.listen)
    }

    pub(super) fn start(&mut self) -> Result<bool, StartError> {
        let data = self.data();
        self.start_in(&data)
    }

    pub(super) fn start_in(&mut self, data: &Path) -> Result<bool, StartError> {
        let conference = self.conference();
        let store = Store::open(data, &conference.slug).unwrap();
        let setup = Setup {
            file: self.dir.path().join("program.csv"),
            settings: self.settings.clone(),
            webhooks: self.webhooks.clone(),
            push: Config::parse(Some(&self.config), Overrides::default()).unwrap().push,
            source: Config::parse(Some(&self.config), Overrides::default()).unwrap().source,
            mail: None,
            spool: self.dir.path().join("spool"),
            inspect: self.inspect,
        };
        let started = Publisher::start(store.clone(), conference, setup, self.clock.clone())?;
        (self.publisher, self.store) = (Some(started.publisher), Some(store));
        self.check_invariants();
        Ok(started.is_first)
    }

    /// Stops without telling the publisher, as a crash does.
    pub(super) fn stop(&mut self) {
        self.publisher = None;
        self.store.take().unwrap().close();
    }

    /// Stops, starts, and publishes the file if it changed.
    pub(super) async fn restart(&mut self) {
        self.stop();
        self.clock.advance(TimeDelta::minutes(1));
        self.start().unwrap();
        self.running().catch_up().await;
        self.check_invariants();
    }

    /// The deliveries in the outbox, with their ids.
    pub(super) fn deliveries(&self) -> Vec<(String, DeliveryRecord)> {
        self.store.as_ref().unwrap().deliveries().map(Result::unwrap).collect()
    }

    /// The ids of the deliveries in the outbox.
    pub(super) fn delivery_ids(&self) -> Vec<String> {
        self.deliveries().into_iter().map(|(id, _)| id).collect()
    }

    pub(super) fn running(&self) -> &Arc<Publisher> {
        self.publisher.as_ref().unwrap()
    }

    pub(super) fn number(&self) -> u64 {
        self.running().current().number()
    }

    pub(super) fn entry(&self, n: usize) -> Entry {
        self.running().current().ledger.entries[&id(n)].clone()
    }

    pub(super) fn sequence(&self, n: usize) -> u32 {
        self.entry(n).revision.sequence
    }

    pub(super) fn save(&self, csv: &str) {
        std::fs::write(self.dir.path().join("program.csv"), csv).unwrap();
    }

    /// Saves the file and publishes it as the watch does.
    pub(super) async fn save_and_publish(&mut self, csv: &str) -> Option<Result<Publication, PublishError>> {
        self.save(csv);
        self.clock.advance(TimeDelta::minutes(1));
        let result = self.running().publish_file().await;
        self.check_invariants();
        result
    }

    pub(super) async fn upload(&mut self, csv: &str) -> Result<Publication, PublishError> {
        self.upload_with(csv, None, None).await
    }

    pub(super) async fn upload_with(
        &mut self,
        csv: &str,
        confirm: Option<String>,
        expect: Option<u64>,
    ) -> Result<Publication, PublishError> {
        self.clock.advance(TimeDelta::minutes(1));
        let result = self.running().publish(proposal(csv, confirm, expect)).await;
        self.check_invariants();
        result
    }

    /// No sequence ever falls, and the served release is the stored one.
    pub(super) fn check_invariants(&mut self) {
        let release = self.running().current();
        for (id, entry) in &release.ledger.entries {
            let before = self.served.insert(id.clone(), entry.revision.sequence).unwrap_or(0);
            assert!(entry.revision.sequence >= before, "{id} fell from {before}");
        }
        let stored = self.store.as_ref().unwrap().ledger().unwrap().unwrap();
        assert_eq!(release.ledger, stored, "the live release is the stored one");
        for event in release.feeds.events() {
            assert_eq!(event.revision, release.ledger.entries[&event.id].revision);
        }
    }

    /// The bytes of every public feed.
    pub(super) fn feeds(&self) -> BTreeMap<String, Vec<u8>> {
        let release = self.running().current();
        release.feeds.feeds().map(|(key, feed)| (key.to_string(), feed.identity.to_vec())).collect()
    }
}

pub(super) fn proposal(csv: &str, confirm: Option<String>, expect: Option<u64>) -> Proposal {
    Proposal {
        csv: csv.to_owned().into(),
        origin: Origin::Upload,
        who: Some("ops".to_owned()),
        confirm,
        expect,
    }
}

/// The digest that confirms a held release.
pub(super) fn held_digest<T: std::fmt::Debug>(result: Result<T, PublishError>) -> String {
    match result {
        Err(PublishError::Held(held)) => held.verdict.digest,
        other => panic!("not held: {other:?}"),
    }
}
