//! Reads the source once, and hands its program to the server.

use super::fetch::{Fetched, Fetcher, Headers, Validators};
use super::handover::{Answer, Request, ask};
use super::shutdown::Shutdown;
use crate::adopt::{AdoptError, Adopted, SheetDoubt, SheetTail, SourceFormat, adopt_with_columns};
use crate::cli::control::has_no_server;
use crate::cli::exit::{Exit, Failure};
use crate::client::is_unencrypted;
use crate::config::{Config, Source};
use crate::import::counted;
use crate::program::{Zone, code_of};
use serde::{Deserialize, Serialize};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// The name of the credential that systemd passes for `headers_file`.
const HEADERS_CREDENTIAL: &str = "source-headers";

/// The result of one reading.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum SourceOutcome {
    /// A release was published: its number, and how many sessions changed.
    Published(u64, usize),
    /// The live program has everything that the source sets.
    Unchanged,
    /// The guard holds the release, or an organizer discarded it.
    Waiting(String),
    /// The source's program cannot be used.
    Refused(String),
    /// The source or the server did not answer.
    Failed(String),
    /// Another replica follows the source.
    Elsewhere,
}

impl SourceOutcome {
    pub(super) fn exit(&self) -> Exit {
        match self {
            Self::Published(..) | Self::Unchanged | Self::Elsewhere => Exit::Done,
            Self::Waiting(_) | Self::Failed(_) => Exit::Failed,
            Self::Refused(_) => Exit::BadProgram,
        }
    }

    pub(super) fn is_failure(&self) -> bool {
        matches!(self, Self::Refused(_) | Self::Failed(_))
    }
}

impl std::fmt::Display for SourceOutcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Published(release, count) => {
                write!(f, "published release {release}; {} changed", counted(*count, "session"))
            }
            Self::Unchanged => f.write_str("nothing changed"),
            Self::Waiting(reason) => f.write_str(reason),
            Self::Refused(reason) => write!(f, "not published: {}", reason.trim_end()),
            Self::Failed(reason) => f.write_str(reason),
            Self::Elsewhere => {
                f.write_str("another replica follows the source; this one takes over if that one stops")
            }
        }
    }
}

/// An outcome, and the pause that the source asks for.
#[derive(Debug)]
pub(super) struct Reading {
    pub(super) outcome: SourceOutcome,
    pub(super) retry_after: Option<Duration>,
}

/// The notes about the source that the server stores for the reader.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
struct Memory {
    /// A code of everything besides the answer that decides how it is read. With other settings, it is read again.
    settings: String,
    etag: Option<String>,
    last_modified: Option<String>,
    /// The end of the last spreadsheet.
    tail: Option<SheetTail>,
}

/// Reads the source and hands it over.
pub(super) struct SourceReader {
    pub(super) source: Source,
    zone: Zone,
    data: PathBuf,
    fetcher: Fetcher,
    settings: String,
    pub(super) shutdown: Arc<Shutdown>,
}

impl SourceReader {
    pub(super) fn new(config: Config) -> Result<Self, Failure> {
        let zone = config.conference(config.listen).zone;
        let Config { source, data, .. } = config;
        let source = source.ok_or_else(|| {
            let text = "there is no [source] in the config; write one with the address of the program, as in \
                        url = \"https://pretalx.example.org/conf/schedule/export/schedule.json\"";
            Failure::text(Exit::BadConfig, text)
        })?;
        let headers = headers(&source)?;
        let settings = format!("{source:?} {zone} {}", env!("CARGO_PKG_VERSION"));
        let fetcher = Fetcher::new(source.url.clone(), headers);
        Ok(Self { zone, data, fetcher, settings: code_of(&settings), source, shutdown: Arc::default() })
    }

    /// Whether it is this reader's turn. A server that does not answer is reported by the reading.
    pub(super) fn is_ours(&self) -> bool {
        !matches!(ask(&self.data, &Request::Turn), Ok(Answer::Turn(false)))
    }

    /// Reads the source once.
    pub(super) fn read(&self) -> Reading {
        // Without a server, nobody would use the answer of the source.
        let memory = match ask(&self.data, &Request::Memory) {
            Ok(Answer::Memory(memory)) => memory,
            Ok(_) => return failed("the server gave another answer".to_owned()),
            Err(error) => return failed(no_answer(&self.data, &error)),
        };
        let memory: Memory = serde_json::from_value(memory).unwrap_or_default();
        let is_same = memory.settings == self.settings;
        let validators = Validators {
            etag: memory.etag.as_deref().filter(|_| is_same),
            last_modified: memory.last_modified.as_deref().filter(|_| is_same),
        };
        match self.fetcher.fetch(validators) {
            Fetched::NotModified => self.report(&Request::Unchanged, SourceOutcome::Unchanged),
            Fetched::Failed { reason, retry_after } => {
                let problem = Request::Problem(reason.clone());
                Reading { retry_after, ..self.report(&problem, SourceOutcome::Failed(reason)) }
            }
            Fetched::Body { bytes, etag, last_modified } => {
                match program_of(&self.source, self.zone, &bytes) {
                    Ok((csv, notes)) => {
                        let tail = SheetTail::of(&bytes, &self.source.columns);
                        let doubts = match (&tail, &memory.tail) {
                            (Some(now), Some(before)) if is_same => now.doubts(before),
                            _ => Vec::new(),
                        };
                        let settings = self.settings.clone();
                        self.hand_over(csv, notes, doubts, &Memory { settings, etag, last_modified, tail })
                    }
                    Err(reason) => {
                        let reason = format!("{}: {reason}", self.source.host());
                        self.report(&Request::Problem(reason.clone()), SourceOutcome::Refused(reason))
                    }
                }
            }
        }
    }

    /// Reports to the server something that is no program.
    fn report(&self, request: &Request, outcome: SourceOutcome) -> Reading {
        match ask(&self.data, request) {
            Ok(_) => Reading { outcome, retry_after: None },
            Err(error) => failed(no_answer(&self.data, &error)),
        }
    }

    fn hand_over(
        &self,
        csv: String,
        notes: Vec<String>,
        doubts: Vec<SheetDoubt>,
        memory: &Memory,
    ) -> Reading {
        // A struct of texts always has a JSON form.
        let memory = serde_json::to_value(memory).unwrap_or_default();
        let _handing = self.shutdown.hand_over();
        let outcome = match ask(&self.data, &Request::Program { csv, doubts, notes, memory }) {
            Ok(Answer::Published { release, changes }) => SourceOutcome::Published(release, changes),
            Ok(Answer::Unchanged) => SourceOutcome::Unchanged,
            Ok(Answer::Held(reasons)) => SourceOutcome::Waiting(format!(
                "held: {}; look at the organizer's desk, and publish or discard it there",
                reasons.join("; ")
            )),
            Ok(Answer::Discarded) => SourceOutcome::Waiting(
                "an organizer discarded this program, so the live release stays until the source changes"
                    .to_owned(),
            ),
            Ok(Answer::Refused(report)) => SourceOutcome::Refused(report),
            Ok(Answer::Failed(reason)) => SourceOutcome::Failed(reason),
            Ok(Answer::Memory(_) | Answer::Noted | Answer::Turn(_)) => {
                SourceOutcome::Failed("the server gave another answer".to_owned())
            }
            Err(error) => SourceOutcome::Failed(no_answer(&self.data, &error)),
        };
        Reading { outcome, retry_after: None }
    }
}

fn failed(reason: String) -> Reading {
    Reading { outcome: SourceOutcome::Failed(reason), retry_after: None }
}

/// The program file of an answer, with notes about what was left out; or why the answer is no whole program.
fn program_of(source: &Source, zone: Zone, bytes: &[u8]) -> Result<(String, Vec<String>), String> {
    let (csv, format, notes) = match adopt_with_columns(bytes, Some(zone), &source.columns) {
        Ok(Adopted { cut: Some(cut), .. }) => return Err(cut),
        Ok(Adopted { csv, format, notes, .. }) => {
            (csv, format, notes.iter().map(ToString::to_string).collect())
        }
        Err(AdoptError::OwnFormat) => (bytes.to_vec(), SourceFormat::Csv, Vec::new()),
        Err(error) => return Err(error.to_string()),
    };
    if source.format.as_deref().is_some_and(|expected| expected != format.as_str()) {
        let expected = source.format.as_deref().unwrap_or_default();
        return Err(format!("the answer has the format {format}, but source.format is {expected}"));
    }
    String::from_utf8(csv)
        .map(|csv| (csv, notes))
        .map_err(|_| "the program.csv is not UTF-8; save it as UTF-8".to_owned())
}

/// The header fields of the config's file, which systemd may pass as a credential.
fn headers(source: &Source) -> Result<Headers, Failure> {
    let Some(file) = &source.headers_file else { return Ok(Headers::default()) };
    let credentials = std::env::var_os("CREDENTIALS_DIRECTORY").map(PathBuf::from);
    let passed = credentials.map(|directory| directory.join(HEADERS_CREDENTIAL));
    // The unit passes this text if the file does not exist.
    let is_given = |path: &PathBuf| std::fs::read(path).is_ok_and(|text| text.trim_ascii() != b"none");
    let path = passed.filter(is_given).unwrap_or_else(|| file.clone());
    let wrong = |error: String| {
        Failure::text(Exit::BadConfig, format!("source.headers_file: {}: {error}", file.display()))
    };
    let text = std::fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
    let headers = Headers::parse(&text).map_err(wrong)?;
    if !headers.are_none() && is_unencrypted(&source.url) {
        return Err(wrong("everybody on the network path could read it; use an https address".to_owned()));
    }
    Ok(headers)
}

/// Why the server of a data directory did not answer.
pub(super) fn no_answer(data: &Path, error: &io::Error) -> String {
    let data = data.display();
    if has_no_server(error) {
        format!("no server of {data} runs; the source is read once it does")
    } else {
        format!("the server of {data} did not answer: {error}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Overrides;

    fn source(lines: &str) -> Source {
        let text = format!("[conference]\nzone = \"UTC\"\n[source]\nurl = \"https://a.example/\"\n{lines}");
        Config::parse(Some(&text), Overrides::default()).unwrap().source.unwrap()
    }

    #[test]
    fn an_answer_that_is_no_whole_program_is_named() {
        let read = |lines: &str, body: &str| program_of(&source(lines), Zone::UTC, body.as_bytes());
        let ics = "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTART:20260501T090000Z\r\nDTEND:20260501T100000Z\r\nSUMMARY:One\r\nEND:VEVENT\r\n";
        let whole = format!("{ics}END:VCALENDAR\r\n");
        assert!(read("", &whole).unwrap().0.contains("One"));
        assert!(read("format = \"ics\"", &whole).is_ok());
        for (lines, body, expected) in [
            ("", ics, "VCALENDAR has no END"),
            ("", "<!DOCTYPE html><title>Sign in</title>", "a web page"),
            ("", "", "empty"),
            ("", "[]", "without a single session"),
            ("", "{\"sessions\":[],\"rooms\":[],\"speakers\":[]}", "without a single session"),
            ("", "{\"schedule\":{\"conference\":{\"days\":[", "JSON cannot be read"),
            ("", "<schedule><conference>", "XML cannot be read"),
            ("format = \"csv\"", whole.as_str(), "has the format ics, but source.format is csv"),
        ] {
            let error = read(lines, body).unwrap_err();
            assert!(error.contains(expected), "{body}: {error}");
        }
    }

    #[test]
    fn every_format_can_be_expected() {
        use SourceFormat::{Csv, FrabJson, FrabXml, Ics, Indico, Pretalx, ScheduleV2, Sessionize, Xcal};
        for format in [Csv, FrabJson, FrabXml, Ics, Indico, Pretalx, ScheduleV2, Sessionize, Xcal] {
            assert_eq!(source(&format!("format = \"{format}\"")).format.as_deref(), Some(format.as_str()));
        }
    }

    #[test]
    fn exit_codes_show_cron_what_happened() {
        let failed = SourceOutcome::Failed(String::new()).exit();
        assert_eq!(
            (SourceOutcome::Published(2, 1).exit(), SourceOutcome::Unchanged.exit()),
            (Exit::Done, Exit::Done)
        );
        assert_eq!((failed, SourceOutcome::Waiting(String::new()).exit()), (Exit::Failed, Exit::Failed));
        assert_eq!(SourceOutcome::Refused(String::new()).exit(), Exit::BadProgram);
    }
}
