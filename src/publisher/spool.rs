//! The spool of webhook calls: written by the server after a release, sent by `callboard deliver`.
//!
//! A call is a JSON file of its own, written whole under a temporary name first. The signature is made when
//! it is sent, over body and timestamp, so a spool that leaks cannot be replayed with a fresh one.

use super::{ShownChange, shown};
use crate::config::Webhook;
use crate::store::{NamedRecord, ReadError, RecordName, ReleaseRecord, Store, Write};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::io;
use std::path::{Path, PathBuf};

/// The folder of calls that were tried often enough.
pub const UNDELIVERED: &str = "undelivered";

/// One call that waits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Call {
    /// Where it goes, and with which secret.
    pub webhook: Webhook,
    /// The release that it tells of.
    pub release: u64,
    /// The body, byte for byte as it will be signed and sent.
    pub body: String,
    /// How often it was tried.
    pub attempts: u32,
    /// The next try comes not before this; the first does not wait.
    pub due: DateTime<Utc>,
    /// Why the last try failed.
    pub last_error: Option<String>,
}

#[derive(Serialize)]
struct Body<'a> {
    conference: &'a str,
    release: u64,
    published: DateTime<Utc>,
    changes: Vec<ShownChange>,
    url: String,
}

/// The spool's directory.
pub fn spool_directory(data: &Path) -> PathBuf {
    data.join("spool")
}

/// How many calls lie in a spool.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Spooled {
    /// They wait for `callboard deliver`.
    pub waiting: usize,
    /// They were tried often enough.
    pub undelivered: usize,
}

/// Counts the calls in a spool, which need not be there.
pub(super) fn count(directory: &Path) -> io::Result<Spooled> {
    let calls = |directory: &Path| match std::fs::read_dir(directory) {
        Ok(entries) => {
            let mut calls = 0;
            for entry in entries {
                let name = entry?.file_name();
                let name = name.to_string_lossy();
                calls += usize::from(!name.starts_with('.') && name.ends_with(".json"));
            }
            Ok(calls)
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(0),
        Err(error) => Err(error),
    };
    Ok(Spooled { waiting: calls(directory)?, undelivered: calls(&directory.join(UNDELIVERED))? })
}

/// Writes the calls of a release.
///
/// # Errors
/// When a file cannot be written.
pub fn spool(directory: &Path, webhooks: &[Webhook], release: &ReleaseRecord) -> io::Result<()> {
    let body = body(release)?;
    for (place, webhook) in webhooks.iter().enumerate() {
        let call = Call {
            webhook: webhook.clone(),
            release: release.number,
            body: body.clone(),
            attempts: 0,
            due: release.published,
            last_error: None,
        };
        write_call(directory, &format!("{:010}-{place}.json", release.number), &call)?;
    }
    Ok(())
}

fn body(release: &ReleaseRecord) -> io::Result<String> {
    let conference = &release.conference;
    let body = Body {
        conference: conference.slug.as_str(),
        release: release.number,
        published: release.published,
        changes: shown(&release.changes, conference.zone),
        url: conference.link("/changes"),
    };
    Ok(serde_json::to_string(&body)?)
}

/// Writes the calls of a release that still wait, or that nobody took, anew: after an erasure they must not tell
/// what the release no longer says. One that is sent meanwhile may be sent twice, under one delivery's name.
///
/// # Errors
/// When a file cannot be read or written.
pub(super) fn respool(directory: &Path, release: &ReleaseRecord) -> io::Result<()> {
    let prefix = format!("{:010}-", release.number);
    let body = body(release)?;
    for directory in [directory.to_owned(), directory.join(UNDELIVERED)] {
        let Ok(entries) = std::fs::read_dir(&directory) else { continue };
        let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        for name in names.filter(|name| name.starts_with(&prefix) && name.ends_with(".json")) {
            // Gone by now, or never a call: nothing that would be sent.
            let Ok(bytes) = std::fs::read(directory.join(&name)) else { continue };
            let Ok(call) = serde_json::from_slice::<Call>(&bytes) else { continue };
            if call.body != body {
                write_call(&directory, &name, &Call { body: body.clone(), ..call })?;
            }
        }
    }
    Ok(())
}

/// Writes a call under its name, whole or not at all.
///
/// # Errors
/// When the file cannot be written.
pub fn write_call(directory: &Path, name: &str, call: &Call) -> io::Result<()> {
    std::fs::create_dir_all(directory)?;
    let temporary = directory.join(format!(".{name}.part"));
    let mut file = std::fs::File::create(&temporary)?;
    io::Write::write_all(&mut file, &serde_json::to_vec(call)?)?;
    file.sync_all()?;
    std::fs::rename(&temporary, directory.join(name))
}

/// Where telling starts: webhooks that come into the config later are told of what comes after `release`, not
/// of all the past. None where nothing is to be noted.
///
/// # Errors
/// Where the note is damaged. Without webhooks nothing waits to be told, so a damaged one goes too.
pub(super) fn baseline(store: &Store, is_mute: bool, release: u64) -> Result<Option<Write>, ReadError> {
    Ok(match (is_mute, store.spooled_release()) {
        (true, Ok(Some(_)) | Err(ReadError::Damaged { .. })) => {
            Some(Write::DropNamed(RecordName::SpooledRelease))
        }
        (false, Ok(None)) => Some(NamedRecord::SpooledRelease(release).into()),
        (_, found) => found.map(|_| None)?,
    })
}
