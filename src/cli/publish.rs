//! `callboard publish`, `erase`, `pull` and `diff --to`: an organizer's requests to a running server.

use super::check::program_file;
use super::exit::{Exit, Failure};
use super::replace;
use super::settings::Settings;
use crate::client::{Client, ClientResponse, OutgoingRequest, Secret, is_unencrypted};
use crate::import::counted;
use crate::program::SessionId;
use crate::publisher::{ChangeDescription, Impact, changes_as_text, impact_as_text};
use clap::Args;
use serde::Deserialize;
use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::Once;
use url::Url;

/// The server, and the organizer's secret.
#[derive(Debug, Clone, Args)]
pub(super) struct PublishTarget {
    /// The server's origin
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8080")]
    pub(super) to: Url,
    /// The file with only your secret, as `callboard secret add` printed it
    #[arg(long, value_name = "FILE", env = "CALLBOARD_ORGANIZER_SECRET_FILE")]
    organizer_secret_file: Option<PathBuf>,
}

impl PublishTarget {
    fn client(&self) -> Result<Client, Failure> {
        let Some(path) = &self.organizer_secret_file else {
            let text = "the organizer's secret is missing: write what `callboard secret add LABEL` printed to a file \
                        and pass --organizer-secret-file FILE";
            return Err(Failure::text(Exit::Usage, text));
        };
        let text = read(path, Exit::Usage)?;
        let secret = Secret::from_file(&String::from_utf8_lossy(&text));
        let secret =
            secret.map_err(|error| Failure::text(Exit::Usage, format!("{}: {error}", path.display())))?;
        self.warn_if_unencrypted();
        Ok(Client::new(Some(secret)))
    }

    /// Warns once, before the secret is sent.
    fn warn_if_unencrypted(&self) {
        static ONCE: Once = Once::new();
        if is_unencrypted(&self.to) {
            let to = self.to.origin().ascii_serialization();
            ONCE.call_once(|| {
                let text = "is not encrypted: everybody on the network path can read the organizer's secret and \
                            publish with it. Use an https address";
                let _ = writeln!(std::io::stderr().lock(), "callboard: warning: {to} {text}");
            });
        }
    }

    fn url(&self, path: &str, query: &[(&str, &str)]) -> Url {
        let mut url = self.to.clone();
        url.set_path(path);
        url.set_query(None);
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        url
    }

    fn call(
        &self,
        method: &str,
        path: &str,
        query: &[(&str, &str)],
        body: Option<&[u8]>,
    ) -> Result<ClientResponse, Failure> {
        let headers =
            body.map(|_| ("content-type", "text/csv; charset=utf-8".to_owned())).into_iter().collect();
        let request = OutgoingRequest { method, url: self.url(path, query), headers, body };
        self.client()?.send(request).map_err(|error| Failure::new(Exit::Failed, &error))
    }
}

/// The members of the server's answers that are printed.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ServerAnswer {
    release: Option<u64>,
    releases: Option<u64>,
    at: Option<String>,
    changes: Vec<ChangeDescription>,
    warnings: Vec<String>,
    impact: Option<Impact>,
    reasons: Vec<String>,
    digest: Option<String>,
    report_text: Option<String>,
    detail: Option<String>,
    title: Option<String>,
}

/// The options of `publish`.
#[derive(Debug, Args)]
pub(super) struct PublishOptions {
    /// Publish a held release; fails if another release was published since its changes were shown
    #[arg(long)]
    confirm: bool,
    /// Publish at this time, such as 2025-03-24T09:00:00-07:00, instead of now
    #[arg(long, value_name = "TIME")]
    at: Option<String>,
    /// Publish only if this release is still live
    #[arg(long, value_name = "N")]
    only_after: Option<u64>,
}

/// The given file, or else the config's program.
pub(super) fn file_of(file: Option<PathBuf>, settings: &Settings) -> Result<PathBuf, Failure> {
    match file {
        Some(file) => Ok(file),
        None => Ok(settings.config()?.program),
    }
}

/// Erases a withdrawn session's text.
pub(super) fn erase(id: &str, target: &PublishTarget) -> Result<Exit, Failure> {
    let id = SessionId::parse(id).map_err(|error| Failure::new(Exit::Usage, &error))?;
    let answer = target.call("POST", &format!("/organizer/erase/{id}"), &[], Some(b""))?;
    let parsed: ServerAnswer = serde_json::from_slice(&answer.body).unwrap_or_default();
    match answer.status {
        200 => {
            print(&format!("{id} is erased from {}", counted(parsed.releases.unwrap_or_default(), "release")))
        }
        _ => Err(refused(&answer, &parsed)),
    }
}

pub(super) fn publish(
    file: &Path,
    target: &PublishTarget,
    options: &PublishOptions,
) -> Result<Exit, Failure> {
    let csv = program_file(file)?;
    let mut query: Vec<(&str, &str)> = Vec::new();
    let digest;
    if options.confirm {
        digest = digest_of_preview(target, &csv)?;
        query.push(("confirm", &digest));
    }
    if let Some(at) = &options.at {
        query.push(("at", at));
    }
    let headers = options.only_after.map(|n| ("if-match", format!("\"release-{n}\"")));
    let headers =
        headers.into_iter().chain([("content-type", "text/csv; charset=utf-8".to_owned())]).collect();
    let request = OutgoingRequest {
        method: "PUT",
        url: target.url("/organizer/program", &query),
        headers,
        body: Some(&csv),
    };
    let answer = target.client()?.send(request).map_err(|error| Failure::new(Exit::Failed, &error))?;
    let parsed: ServerAnswer = serde_json::from_slice(&answer.body).unwrap_or_default();
    match answer.status {
        200..=202 => {
            let release = parsed.release.unwrap_or_default();
            let head = match answer.status {
                200 => format!("nothing changed; release {release} stays live"),
                202 => format!("scheduled for {}", parsed.at.as_deref().unwrap_or_default()),
                _ => format!("published release {release}"),
            };
            print(&format!("{head}\n{}", if answer.status == 200 { String::new() } else { body_of(&parsed) }))
        }
        409 => {
            let digest = parsed.digest.clone().unwrap_or_default();
            print(&body_of(&parsed))?;
            let reasons = parsed.reasons.join("; ");
            Err(Failure::text(
                Exit::Failed,
                format!("held: {reasons}. If this is intended, publish with --confirm (digest {digest})"),
            ))
        }
        422 => Err(Failure::text(Exit::BadProgram, parsed.report_text.unwrap_or_else(|| raw(&answer)))),
        _ => Err(refused(&answer, &parsed)),
    }
}

fn digest_of_preview(target: &PublishTarget, csv: &[u8]) -> Result<String, Failure> {
    let answer = target.call("POST", "/organizer/preview", &[], Some(csv))?;
    let parsed: ServerAnswer = serde_json::from_slice(&answer.body).unwrap_or_default();
    parsed.digest.clone().ok_or_else(|| match parsed.report_text.clone() {
        Some(report) => Failure::text(Exit::BadProgram, report),
        None => refused(&answer, &parsed),
    })
}

pub(super) fn preview(file: &Path, target: &PublishTarget, json: bool) -> Result<Exit, Failure> {
    let csv = program_file(file)?;
    let answer = target.call("POST", "/organizer/preview", &[], Some(&csv))?;
    let parsed: ServerAnswer = serde_json::from_slice(&answer.body).unwrap_or_default();
    match answer.status {
        200 if json => print(&raw(&answer)),
        200 => print(&body_of(&parsed)),
        422 => Err(Failure::text(Exit::BadProgram, parsed.report_text.unwrap_or_else(|| raw(&answer)))),
        _ => Err(refused(&answer, &parsed)),
    }
}

/// Writes the live program; the watched file is then no longer stale.
pub(super) fn pull(file: Option<&Path>, target: &PublishTarget) -> Result<Exit, Failure> {
    let answer = target.call("GET", "/organizer/program", &[], None)?;
    if answer.status != 200 {
        return Err(refused(&answer, &serde_json::from_slice(&answer.body).unwrap_or_default()));
    }
    let written = match file {
        Some(file) => replace::write(file, &answer.body, 0o666),
        None => std::io::stdout().lock().write_all(&answer.body),
    };
    written.map_err(|error| Failure::new(Exit::Failed, &error))?;
    Ok(Exit::Done)
}

fn body_of(parsed: &ServerAnswer) -> String {
    let colour = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let impact = parsed.impact.as_ref().map(impact_as_text).unwrap_or_default();
    let warnings: String = parsed.warnings.iter().map(|warning| format!("warning: {warning}\n")).collect();
    let reasons: String = parsed.reasons.iter().map(|reason| format!("would be held: {reason}\n")).collect();
    format!("{}{impact}{warnings}{reasons}", changes_as_text(&parsed.changes, colour))
}

fn refused(answer: &ClientResponse, parsed: &ServerAnswer) -> Failure {
    let detail = parsed.detail.clone().or_else(|| parsed.title.clone()).unwrap_or_else(|| raw(answer));
    Failure::text(Exit::Failed, format!("the server answered {}: {detail}", answer.status))
}

fn raw(answer: &ClientResponse) -> String {
    String::from_utf8_lossy(&answer.body).into_owned()
}

fn print(text: &str) -> Result<Exit, Failure> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{}", text.trim_end()).map_err(|error| Failure::new(Exit::Failed, &error))?;
    Ok(Exit::Done)
}

fn read(path: &Path, exit: Exit) -> Result<Vec<u8>, Failure> {
    std::fs::read(path)
        .map_err(|error| Failure::text(exit, format!("{} cannot be read: {error}", path.display())))
}
