//! The fixture of the HTTP tests: an application made by the production constructors, with a temporary directory and a clock that tests set.

use bytes::Bytes;
use callboard::clock::Clock;
use callboard::config::{Config, Limits, Overrides, Publishing, Push};
use callboard::freshness::Freshness;
use callboard::http::{Allowances, App, Parts, Secrets};
use callboard::publisher::{Proposal, Publisher, PublisherSettings, Setup};
use callboard::store::{Origin, Store};
use chrono::TimeDelta;
use http::{HeaderMap, Request, Version};
use http_body_util::{BodyExt, Full};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

pub(super) const PROGRAM: &str = "\
id,date,start,end,kind,title,track,room,speakers,abstract,status
opening,2025-03-25,09:00,09:30,plenary,Opening,Main,Hall,Ada Lovelace,,
first-talk,2025-03-25,10:00,10:40,talk,First,Main,Hall,\"Ada Lovelace, Analytical\",What was first,
other-talk,2025-03-25,10:00,10:40,talk,Other,Side,Attic,Charles Babbage,,
lunch,2025-03-25,12:00,13:00,meal,Lunch,,Foyer,,,
sick-talk,2025-03-26,09:00,09:40,talk,Sick,Side,Attic,Charles Babbage,,cancelled
secret-talk,2025-03-26,11:00,11:40,talk,Secret,Side,Attic,,,withdrawn
last-talk,2025-03-26,14:00,14:40,talk,Last,Main,Hall,Grace Hopper,,
";

const CONFIG: &str = "\
public_url = \"https://conf.example\"
[conference]
title = \"Engines\"
slug = \"engines\"
zone = \"America/Los_Angeles\"
first_day = 2025-03-25
last_day = 2025-03-26
[[tracks]]
name = \"Main\"
was = [\"grand\"]
[[tracks]]
name = \"Side\"
[[tracks]]
name = \"Later\"
[push]
contact = \"mailto:desk@conf.example.org\"
[mail]
relay = \"smtp://localhost\"
from = \"calendar@conf.example.org\"
[publishing]
guard_share = 1.0
";

/// The shipped config leaves messages to browsers off.
const PUSH: &str = "[push]\ncontact = \"mailto:desk@conf.example.org\"\n";

/// The organizer's secret.
pub(super) const SECRET: &str = "an-organizer-secret";

pub(super) struct TestApp {
    pub(super) inner: App,
    pub(super) clock: Clock,
    pub(super) publisher: Arc<Publisher>,
    pub(super) store: Store,
    pub(super) freshness: Arc<Freshness>,
    pub(super) secrets: Secrets,
    pub(super) dir: tempfile::TempDir,
}

impl TestApp {
    /// An application an hour after its first release.
    pub(super) fn new() -> Self {
        Self::with(CONFIG)
    }

    /// An application with another public origin.
    pub(super) fn at(public_url: &str) -> Self {
        Self::with(&CONFIG.replace("https://conf.example", public_url))
    }

    /// An application whose guard holds releases that change a quarter of the program, from two sessions up.
    pub(super) fn guarded() -> Self {
        Self::with(&CONFIG.replace("guard_share = 1.0", "guard_share = 0.25\nguard_least = 2"))
    }

    /// A guarded application whose pages are in this language.
    pub(super) fn guarded_in(language: &str) -> Self {
        let config = CONFIG.replace("guard_share = 1.0", "guard_share = 0.24\nguard_least = 2");
        Self::with(&config.replace("[conference]\n", &format!("[conference]\nlanguage = \"{language}\"\n")))
    }

    /// An application with the shipped program and config.
    pub(super) fn shipped() -> Self {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
        let read = |path: &str| std::fs::read_to_string(root.join(path)).unwrap();
        let config = format!("{}\n{PUSH}", read("config/callboard.toml"));
        Self::of(&config, &read("program.csv"), &roomy())
    }

    /// An application with the default limits. `new`, `at`, `guarded` and `shipped` have limits that no test reaches.
    pub(super) fn limited() -> Self {
        Self::of(CONFIG, PROGRAM, &Limits::default())
    }

    /// An application with these limits.
    pub(super) fn limited_to(limits: &Limits) -> Self {
        Self::of(CONFIG, PROGRAM, limits)
    }

    /// An application whose program is kept elsewhere.
    pub(super) fn following() -> Self {
        Self::with(&format!("{CONFIG}[source]\nurl = \"https://pretalx.example.org/schedule.json\"\n"))
    }

    /// An application whose config has the capacities of two rooms.
    pub(super) fn with_capacities() -> Self {
        Self::with(&format!(
            "{CONFIG}[[rooms]]\nname = \"Attic\"\ncapacity = 4\n[[rooms]]\nname = \"Hall\"\ncapacity = 400\n"
        ))
    }

    /// An application with walking times.
    pub(super) fn with_walks(walking: &str) -> Self {
        Self::with(&format!("{CONFIG}{walking}"))
    }

    fn with(config: &str) -> Self {
        Self::of(config, PROGRAM, &roomy())
    }

    fn of(config: &str, program: &str, limits: &Limits) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let config = Config::parse(Some(config), Overrides::default()).unwrap();
        let conference = config.conference("127.0.0.1:8080".parse().unwrap());
        let clock = Clock::fixed("2025-03-01T12:00:00Z".parse().unwrap());
        let file = dir.path().join("program.csv");
        std::fs::write(&file, program).unwrap();
        let store = Store::open(&dir.path().join("data"), config.slug()).unwrap();
        let spool = dir.path().join("spool");
        let inspect = callboard::doctor::inspect;
        let setup = Setup {
            file,
            settings: config.publishing,
            webhooks: Vec::new(),
            push: config.push,
            source: config.source,
            mail: config.mail,
            spool,
            inspect,
        };
        let started = Publisher::start(store.clone(), conference, setup, clock.clone()).unwrap();
        let publisher = started.publisher;
        let secrets_file = dir.path().join("organizer-secrets");
        std::fs::write(&secrets_file, secret_line("ops", SECRET)).unwrap();
        let secrets = Secrets::open(&secrets_file).unwrap();
        let freshness = Arc::new(Freshness::default());
        let inner = App::new(Parts {
            publisher: Arc::clone(&publisher),
            store: store.clone(),
            clock: clock.clone(),
            body_patience: Duration::from_millis(200),
            frame_ancestors: Vec::new(),
            secrets: secrets.clone(),
            freshness: Arc::clone(&freshness),
            allowances: Allowances::new(limits, config.trusted_proxies.clone()),
        });
        clock.advance(TimeDelta::hours(1));
        Self { inner, clock, publisher, store, freshness, secrets, dir }
    }

    /// Overwrites the organizer secrets file and reloads it, as SIGHUP does.
    pub(super) fn reload_secrets(&self, lines: &str) {
        std::fs::write(self.dir.path().join("organizer-secrets"), lines).unwrap();
        self.secrets.reload().unwrap();
    }

    /// Makes the guard as strict as that of [`Self::guarded`], as a reload of the config does.
    pub(super) async fn guard(&self) {
        let publishing = Publishing { guard_share: 0.25, guard_least: 2, ..Publishing::default() };
        self.reconfigure(publishing, None).await;
    }

    /// Replaces the settings of push messages, as a reload of the config does; without any they are off.
    pub(super) async fn set_push(&self, push: Option<Push>) {
        self.reconfigure(Publishing::default(), push).await;
    }

    async fn reconfigure(&self, publishing: Publishing, push: Option<Push>) {
        let conference = self.publisher.conference();
        let mail = self.publisher.mail();
        let settings =
            PublisherSettings { conference, publishing, webhooks: Vec::new(), push, source: None, mail };
        assert!(self.publisher.reconfigure(settings).await.unwrap().is_none());
    }

    pub(super) fn pass(&self, seconds: i64) {
        self.clock.advance(TimeDelta::seconds(seconds));
    }

    /// Publishes another program.
    pub(super) async fn publish(&self, csv: &str) {
        let csv = csv.to_owned().into();
        let proposal = Proposal { csv, origin: Origin::Upload, who: None, confirm: None, expect: None };
        assert!(self.publisher.publish(proposal).await.unwrap().is_new);
    }

    /// Sends a request.
    pub(super) async fn send(&self, sent: TestRequest) -> TestResponse {
        let mut request = Request::builder().method(sent.method).uri(sent.target).version(sent.version);
        if sent.version == Version::HTTP_11 {
            request = request.header("host", "conf.example");
        }
        for (name, value) in sent.fields {
            request = request.header(name, value);
        }
        let request = request.body(Full::new(sent.body)).unwrap();
        let response = self.inner.clone().respond_to(request, sent.socket).await;
        let (head, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        TestResponse { status: head.status.as_u16(), headers: head.headers, body }
    }

    pub(super) async fn get(&self, target: &str) -> TestResponse {
        self.send(TestRequest::new("GET", target)).await
    }

    /// Creates an agenda with these picks through the API.
    pub(super) async fn agenda(&self, picks: &[&str]) -> TestAgenda {
        let body = serde_json::json!({ "name": "Mine", "picks": picks });
        let answer = self.send(TestRequest::new("POST", "/api/v1/agendas").json(&body)).await;
        assert_eq!(answer.status, 201, "{}", answer.text());
        let json = answer.json();
        let feed = json["read_links"][0]["feed"].as_str().unwrap();
        TestAgenda {
            key: json["edit_key"].as_str().unwrap().to_owned(),
            feed: feed.strip_prefix("https://conf.example").unwrap().to_owned(),
        }
    }
}

/// A line of the organizer secrets file.
pub(super) fn secret_line(label: &str, secret: &str) -> String {
    format!("{label} sha256:{}\n", callboard::revision::Digest::of(secret.as_bytes()))
}

fn roomy() -> Limits {
    let most = 1_000_000;
    let (agendas_at_once, wrong_keys_at_once, wrong_secrets_at_once) = (most, most, most);
    let (agenda_changes_at_once, agenda_links_at_once, agenda_handovers_at_once) = (most, most, most);
    Limits {
        agendas_at_once,
        wrong_keys_at_once,
        wrong_secrets_at_once,
        agenda_changes_at_once,
        agenda_links_at_once,
        agenda_handovers_at_once,
        ..Limits::default()
    }
}

/// An agenda's key, and the path of its first feed.
pub(super) struct TestAgenda {
    pub(super) key: String,
    pub(super) feed: String,
}

impl TestAgenda {
    pub(super) fn request(&self, method: &'static str, path: &str) -> TestRequest {
        let key = format!("Bearer {}", self.key);
        TestRequest::new(method, &format!("/api/v1{path}")).field("authorization", &key)
    }
}

/// A request to be sent.
pub(super) struct TestRequest {
    pub(super) method: &'static str,
    pub(super) target: String,
    pub(super) version: Version,
    pub(super) fields: Vec<(&'static str, String)>,
    pub(super) body: Bytes,
    /// The client's address.
    pub(super) socket: IpAddr,
}

impl TestRequest {
    pub(super) fn new(method: &'static str, target: &str) -> Self {
        let target = target.to_owned();
        let socket = IpAddr::V4(Ipv4Addr::LOCALHOST);
        Self { method, target, version: Version::HTTP_11, fields: Vec::new(), body: Bytes::new(), socket }
    }

    pub(super) fn field(mut self, name: &'static str, value: &str) -> Self {
        self.fields.push((name, value.to_owned()));
        self
    }

    pub(super) fn from(mut self, address: &str) -> Self {
        self.socket = address.parse().unwrap();
        self
    }

    pub(super) fn json(self, value: &serde_json::Value) -> Self {
        self.text("application/json", &value.to_string())
    }

    pub(super) fn text(mut self, media_type: &'static str, body: &str) -> Self {
        self.body = Bytes::from(body.to_owned());
        self.field("content-type", media_type)
    }
}

/// A received answer.
#[derive(Debug)]
pub(super) struct TestResponse {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl TestResponse {
    /// A field's value, or an empty text if the field is missing.
    pub(super) fn field(&self, name: &str) -> &str {
        assert!(self.headers.get_all(name).iter().count() < 2, "{name} twice");
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub(super) fn tag(&self) -> &str {
        self.field("etag")
    }

    pub(super) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub(super) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// The ids of the sessions in a feed, in its order.
    pub(super) fn sessions(&self) -> Vec<String> {
        let uids = self.text().lines().filter_map(|line| line.strip_prefix("UID:"));
        uids.map(|uid| uid.split('@').next().unwrap().to_owned()).collect()
    }

    /// The first property of that name in the calendar.
    pub(super) fn property(&self, name: &str) -> &str {
        self.text().lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).unwrap_or_default()
    }
}
