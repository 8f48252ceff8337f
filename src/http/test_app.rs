//! The application with a small conference, for tests that need private parts of this module. Other tests use the fixture of
//! `tests/suite/http`.

use super::{Allowances, App, Parts, Secrets};
use crate::clock::Clock;
use crate::config::{Config, Overrides};
use crate::freshness::Freshness;
use crate::publisher::{Publisher, Setup};
use crate::revision::Digest;
use crate::store::Store;
use http::request::Builder;
use http::{Method, Request};
use std::sync::Arc;
use std::time::Duration;

pub(super) const SECRET: &str = "a-secret-of-the-organizer";

const CONFIG: &str = "\
public_url = \"https://conf.example\"
[conference]
title = \"Engines\"
slug = \"engines\"
zone = \"America/Los_Angeles\"
first_day = 2025-03-25
last_day = 2025-03-26
";

pub(super) const PROGRAM: &str = "\
id,date,start,end,kind,title
opening,2025-03-25,09:00,09:30,plenary,Opening
first-talk,2025-03-25,10:00,10:40,talk,First
";

/// The application with its store in a temporary directory.
pub(super) struct TestApp {
    pub(super) app: App,
    pub(super) store: Store,
    pub(super) _dir: tempfile::TempDir,
}

impl TestApp {
    pub(super) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let config = Config::parse(Some(CONFIG), Overrides::default()).unwrap();
        let conference = config.conference(config.listen);
        let clock = Clock::fixed("2025-03-01T12:00:00Z".parse().unwrap());
        let (file, lines) = (dir.path().join("program.csv"), dir.path().join("secrets"));
        std::fs::write(&file, PROGRAM).unwrap();
        std::fs::write(&lines, format!("ops sha256:{}\n", Digest::of(SECRET.as_bytes()))).unwrap();
        let store = Store::open(&dir.path().join("data"), config.slug()).unwrap();
        let (spool, inspect) = (dir.path().join("spool"), crate::doctor::inspect);
        let (settings, push, mail) = (config.publishing, config.push, config.mail);
        let webhooks = Vec::new();
        let setup = Setup { file, settings, webhooks, push, source: None, mail, spool, inspect };
        let publisher = Publisher::start(store.clone(), conference, setup, clock.clone()).unwrap().publisher;
        let app = App::new(Parts {
            publisher,
            store: store.clone(),
            clock,
            body_patience: Duration::from_millis(200),
            frame_ancestors: Vec::new(),
            secrets: Secrets::open(&lines).unwrap(),
            freshness: Arc::new(Freshness::default()),
            allowances: Allowances::new(&config.limits, config.trusted_proxies),
        });
        Self { app, store, _dir: dir }
    }
}

/// A request with a form, or with a program.
pub(super) fn request(method: &Method, path: &str, body: &str) -> Builder {
    let request = Request::builder().method(method).uri(path).header("host", "conf.example");
    let form = "application/x-www-form-urlencoded";
    let request = request.header("origin", "https://conf.example").header("content-length", body.len());
    if path.contains("program") { request } else { request.header("content-type", form) }
}
