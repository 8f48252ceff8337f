//! The operator's paths (health, readiness, metrics), and the samples in `config` that use the metrics.

use super::test_app::{TestApp, TestRequest};
use callboard::http::{Backups, Operator};
use http::{Method, Request};
use http_body_util::BodyExt;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

pub(super) struct OperatorClient {
    server: Operator,
    backups: Arc<Backups>,
    draining: Arc<AtomicBool>,
}

impl OperatorClient {
    pub(super) fn of(app: &TestApp) -> Self {
        let draining = Arc::new(AtomicBool::new(false));
        let (publisher, store) = (Arc::clone(&app.publisher), app.store.clone());
        let backups = Arc::new(Backups::default());
        let server =
            Operator::new(app.inner.clone(), publisher, store, Arc::clone(&backups), Arc::clone(&draining));
        Self { server, backups, draining }
    }

    async fn ask(&self, method: Method, path: &str) -> (u16, String) {
        let request = Request::builder().method(method).uri(path).body(()).unwrap();
        let (head, body) = self.server.respond(&request).into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        (head.status.as_u16(), String::from_utf8(body.to_vec()).unwrap())
    }

    pub(super) async fn get(&self, path: &str) -> (u16, String) {
        self.ask(Method::GET, path).await
    }
}

#[tokio::test]
async fn a_server_is_alive_and_ready_until_it_drains_or_its_store_closes() {
    let app = TestApp::new();
    let operator = OperatorClient::of(&app);
    assert_eq!(operator.get("/healthz").await, (200, "ok\n".to_owned()));
    let (status, body) = operator.get("/readyz").await;
    let body: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert_eq!((status, &body["ready"], &body["release"]), (200, &true.into(), &1.into()), "{body}");
    assert_eq!(body["store"]["failure"], serde_json::Value::Null);

    operator.draining.store(true, Ordering::Relaxed);
    assert_eq!(operator.get("/readyz").await.0, 503);
    assert_eq!(operator.get("/healthz").await.0, 200, "it is still alive");

    operator.draining.store(false, Ordering::Relaxed);
    app.store.close();
    let (status, body) = operator.get("/readyz").await;
    assert!(status == 503 && body.contains(r#""writable":false"#), "{body}");
}

#[tokio::test]
async fn readyz_names_the_reason_of_a_failure() {
    let app = TestApp::new();
    let operator = OperatorClient::of(&app);
    let data = app.dir.path().join("data");
    let lock = data.join("lock");
    std::fs::rename(&lock, data.join("away")).unwrap();
    let failure = async {
        loop {
            let (status, body) = operator.get("/readyz").await;
            let body: serde_json::Value = serde_json::from_str(&body).unwrap();
            match body["store"]["failure"].as_str() {
                Some(failure) => break (status, failure.to_owned()),
                None => tokio::time::sleep(Duration::from_millis(10)).await,
            }
        }
    };
    let failure = tokio::time::timeout(Duration::from_secs(10), failure).await.unwrap();
    assert_eq!(failure, (503, format!("{} is gone; put it back, or restart the server", lock.display())));
}

#[tokio::test]
async fn other_paths_are_not_found() {
    let app = TestApp::new();
    let operator = OperatorClient::of(&app);
    assert_eq!(operator.get("/program.ics").await.0, 404);
    assert_eq!(operator.ask(Method::POST, "/healthz").await.0, 405);
}

#[tokio::test]
async fn an_agendas_feed_counts_by_its_pattern_and_its_freshness() {
    let app = TestApp::new();
    let operator = OperatorClient::of(&app);
    let mine = app.agenda(&["first-talk"]).await;
    assert_eq!(app.send(TestRequest::new("GET", &mine.feed)).await.status, 200);
    let google = TestRequest::new("GET", "/program.ics").field("user-agent", "Google-Calendar-Importer");
    assert_eq!(app.send(google).await.status, 200);
    let (_, metrics) = operator.get("/metrics").await;
    for line in [
        r#"callboard_requests_total{route="/agendas/{read}.ics",status="2xx"} 1"#,
        "callboard_links_polled 1",
        "callboard_links_current 1",
        r#"callboard_calendars{feed="agenda",client="other",holds="live"} 1"#,
        r#"callboard_calendars{feed="agenda",client="other",holds="earlier"} 0"#,
        r#"callboard_calendars{feed="program",client="google",holds="live"} 1"#,
        "callboard_release 1",
        "callboard_store_writable 1",
    ] {
        assert!(metrics.lines().any(|found| found == line), "{line}\n{metrics}");
    }
    assert!(!metrics.contains("cbr_"), "{metrics}");
}

/// The names of Callboard's and the process's metrics in a text, without the suffixes of histograms.
fn names(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    let family = |word: &str| word.trim_end_matches("_bucket").trim_end_matches("_count").to_owned();
    let is_ours = |word: &&str| word.starts_with("callboard_") || word.starts_with("process_");
    words.filter(is_ours).map(family).collect()
}

#[tokio::test]
async fn dashboard_and_alerts_ask_for_metrics_that_exist() {
    let app = TestApp::following();
    assert_eq!(app.get("/program.ics").await.status, 200);
    let (_, metrics) = OperatorClient::of(&app).get("/metrics").await;
    let mut known = names(&metrics);
    // Only a replica has these.
    known.extend(
        names(include_str!("../../../src/http/operator.rs"))
            .into_iter()
            .filter(|name| name.contains("_replica_")),
    );
    for (file, text) in [
        ("grafana-dashboard.json", include_str!("../../../config/grafana-dashboard.json")),
        ("prometheus-alerts.yml", include_str!("../../../config/prometheus-alerts.yml")),
    ] {
        let asked = names(text);
        assert!(asked.len() > 4, "{file} asks for nothing");
        let unknown: Vec<_> = asked.difference(&known).collect();
        assert!(unknown.is_empty(), "{file} asks for {unknown:?}, which nothing counts: {known:?}");
    }
}

#[tokio::test]
async fn each_metric_has_help_and_a_type_and_a_counter_is_named_as_one() {
    let app = TestApp::new();
    assert_eq!(app.get("/program.ics").await.status, 200);
    let operator = OperatorClient::of(&app);
    operator.backups.saved(1_742_900_000);
    operator.backups.failed();
    let (_, metrics) = operator.get("/metrics").await;
    let mut types: BTreeMap<&str, &str> = BTreeMap::new();
    for line in metrics.lines() {
        match line.split(' ').collect::<Vec<_>>().as_slice() {
            ["#", "TYPE", name, kind] => {
                assert_eq!(types.insert(name, kind), None, "{name} twice");
                assert_eq!(name.ends_with("_total"), *kind == "counter", "{line}");
                assert!(metrics.contains(&format!("# HELP {name} ")), "{name} has no help");
            }
            ["#", ..] => {}
            [sample, value] => {
                let name = sample.split('{').next().unwrap();
                let family = ["_bucket", "_sum", "_count"].iter().find_map(|end| name.strip_suffix(end));
                let known = types.contains_key(name) || family.is_some_and(|name| types.contains_key(name));
                assert!(known && value.parse::<f64>().is_ok(), "{line}");
            }
            _ => panic!("{line}"),
        }
    }
    for line in [
        "callboard_build_info{version=\"0.1.0\"} 1",
        "callboard_backup_last_success_timestamp_seconds 1742900000",
        "callboard_backups_failed_total 1",
        "callboard_config_last_reload_successful 1",
        "callboard_publication_failed 0",
        "callboard_deliveries_undelivered 0",
    ] {
        assert!(metrics.lines().any(|found| found == line), "{line}\n{metrics}");
    }
    if cfg!(target_os = "linux") {
        for name in ["process_resident_memory_bytes", "process_open_fds", "process_cpu_seconds_total"] {
            assert!(types.contains_key(name), "{name}");
        }
    }
    promtool(&["check", "metrics"], &metrics);
}

#[test]
fn prometheus_accepts_the_alert_rules() {
    let rules = concat!(env!("CARGO_MANIFEST_DIR"), "/config/prometheus-alerts.yml");
    promtool(&["check", "rules", rules], "");
}

/// Runs `promtool` on the input. Skipped if it is not installed.
fn promtool(arguments: &[&str], input: &str) {
    let child = Command::new("promtool")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let mut child = match child {
        Ok(child) => child,
        Err(error) => {
            eprintln!("skipped: promtool (package prometheus) does not run: {error}");
            return;
        }
    };
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let said =
        [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    assert!(output.status.success(), "promtool {arguments:?}: {said}");
}

#[tokio::test]
async fn a_failed_publication_and_a_refused_config_are_in_metrics_and_readiness() {
    let app = TestApp::new();
    let operator = OperatorClient::of(&app);
    app.publisher.note_refused_config("line 1: no TOML".to_owned());
    app.store.close();
    std::fs::write(app.dir.path().join("program.csv"), super::test_app::PROGRAM.replace("First", "Erste"))
        .unwrap();
    assert!(app.publisher.publish_file().await.unwrap().is_err());
    let (_, metrics) = operator.get("/metrics").await;
    for line in ["callboard_publication_failed 1", "callboard_config_last_reload_successful 0"] {
        assert!(metrics.lines().any(|found| found == line), "{line}\n{metrics}");
    }
    let (_, body) = operator.get("/readyz").await;
    let body: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert_eq!(body["publication"]["last"]["verdict"], "failed", "{body}");
    assert_eq!(body["publication"]["config"]["refused"], "line 1: no TOML", "{body}");
    assert_eq!(body["reason"], "the store is closed", "{body}");
}
