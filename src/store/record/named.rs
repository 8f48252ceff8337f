//! Records with fixed names: state besides releases and agendas that survives a restart of the server.
//!
//! Names and bytes are part of the store's format: every version reads the records of earlier versions.

use super::held::{HeldRecord, HeldSource};
use super::mail::MailAsk;
use crate::revision::Digest;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::time::Duration;

/// The program file that was imported last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ImportedFile {
    /// SHA-256 of the file.
    pub digest: Digest,
    /// The release with the file's content; 0 after a newer release was made from another source.
    pub release: u64,
}

/// A release to be published at a set time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Schedule {
    /// When the release will be published.
    pub at: DateTime<Utc>,
    /// The label of the organizer's secret.
    pub who: Option<String>,
    /// When the release was scheduled.
    pub made: DateTime<Utc>,
    /// The digest that was confirmed. The confirmation is valid until another release is published.
    pub confirm: Option<String>,
    /// The live release at the time of scheduling. Earlier versions did not store it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<u64>,
    /// Whether the release was held when its time came.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub held: bool,
}

/// What a followed source set when its program was last merged, and what `callboard follow` must remember of it. The
/// merged program itself follows the record.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct SourceRecord {
    /// What `callboard follow` remembers, such as the ETag. Only that command reads it.
    pub memory: serde_json::Value,
    /// The conflicts with edits by hand that nobody has resolved.
    pub conflicts: serde_json::Value,
    /// The digest of a program of the source that an organizer discarded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub discarded: Option<Digest>,
}

/// The releases whose deliveries are in the outbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AnnouncedReleases {
    /// The last release with all its deliveries.
    pub release: u64,
    /// If the next release is being announced: the last agenda whose subscriptions have their deliveries.
    pub after: Option<Digest>,
}

/// The sessions whose reminders are in the outbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RemindedSessions {
    /// The reminders of sessions that start up to this time are queued.
    pub start: DateTime<Utc>,
    /// If the sessions that start at `start` are being queued: the last agenda whose reminders are queued.
    pub after: Option<Digest>,
}

/// The last fetch of one read link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LinkFetch {
    /// SHA-256 of the link's token.
    pub link: Digest,
    /// When the link was fetched.
    pub at: DateTime<Utc>,
    /// The release that the client received.
    pub release: u64,
    /// The code of the client's family.
    pub client: u8,
}

impl LinkFetch {
    /// Stored bytes of one fetch: link, time, release, client.
    pub const BYTES: usize = 32 + 8 + 8 + 1;

    fn decode(row: &[u8]) -> Option<Self> {
        let (link, rest) = row.split_first_chunk::<32>()?;
        let (at, rest) = rest.split_first_chunk::<8>()?;
        let (release, rest) = rest.split_first_chunk::<8>()?;
        let [client] = rest.try_into().ok()?;
        let at = DateTime::from_timestamp(i64::from_le_bytes(*at), 0)?;
        Some(Self { link: Digest(*link), at, release: u64::from_le_bytes(*release), client })
    }
}

/// A clock that jumped ahead and is not trusted yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClockProbation {
    /// The last time that the clock showed.
    pub seen: DateTime<Utc>,
    /// How long servers have watched the clock run steadily since it jumped.
    pub watched: Duration,
}

/// A key pair as PKCS#8, which is never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct PushKeyBytes(pub Vec<u8>);

impl fmt::Debug for PushKeyBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PushKeyBytes(…)")
    }
}

/// The secret of the links in mails, which is never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct MailSecretBytes(pub [u8; 32]);

impl fmt::Debug for MailSecretBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MailSecretBytes(…)")
    }
}

/// A record with a fixed name.
#[derive(Debug, Clone, PartialEq)]
pub enum NamedRecord {
    /// The program file that was imported last.
    ImportedFile(ImportedFile),
    /// The scheduled release and its program.
    Schedule(Schedule, Bytes),
    /// The followed source, and its program as it was last merged.
    Source(SourceRecord, Bytes),
    /// The releases that were announced.
    Announced(AnnouncedReleases),
    /// The sessions that attendees were reminded of.
    Reminded(RemindedSessions),
    /// The last fetches of the read links whose hashes begin with one byte.
    LinkFetches(u8, Vec<LinkFetch>),
    /// The last wall-clock time that retention trusted.
    TrustedTime(DateTime<Utc>),
    /// The clock that retention does not trust yet.
    ClockProbation(ClockProbation),
    /// When a backup was last saved.
    BackupTime(DateTime<Utc>),
    /// The key pair that signs messages to browsers, as PKCS#8. A secret.
    PushKey(PushKeyBytes),
    /// The secret of the links in mails.
    MailSecret(MailSecretBytes),
    /// The mailboxes that were asked to confirm invitations, and whose hashes begin with one byte.
    MailAsks(u8, Vec<MailAsk>),
    /// The key that signs the sign-ins of organizers on all replicas. A secret.
    SignInKey(PushKeyBytes),
    /// The version of Callboard whose renderer made the live release.
    Renderer(u64),
    /// The release of a source that waits for an organizer on all replicas.
    Held(HeldSource, HeldRecord),
    /// Its program.
    HeldProgram(HeldSource, Bytes),
}

/// The name of a [`NamedRecord`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecordName {
    /// The name of [`NamedRecord::ImportedFile`].
    ImportedFile,
    /// The name of [`NamedRecord::Schedule`].
    Schedule,
    /// The name of [`NamedRecord::Source`].
    Source,
    /// The name of [`NamedRecord::Announced`].
    Announced,
    /// The name of [`NamedRecord::Reminded`].
    Reminded,
    /// The name of [`NamedRecord::LinkFetches`].
    LinkFetches(u8),
    /// The fetches of all read links in one record, as earlier versions stored them.
    AllLinkFetches,
    /// The name of [`NamedRecord::TrustedTime`].
    TrustedTime,
    /// The name of [`NamedRecord::ClockProbation`].
    ClockProbation,
    /// The name of [`NamedRecord::BackupTime`].
    BackupTime,
    /// The name of [`NamedRecord::PushKey`].
    PushKey,
    /// The name of [`NamedRecord::MailSecret`].
    MailSecret,
    /// The name of [`NamedRecord::MailAsks`].
    MailAsks(u8),
    /// The name of [`NamedRecord::SignInKey`].
    SignInKey,
    /// The name of [`NamedRecord::Renderer`].
    Renderer,
    /// The name of [`NamedRecord::Held`].
    Held(HeldSource),
    /// The name of [`NamedRecord::HeldProgram`].
    HeldProgram(HeldSource),
}

impl RecordName {
    /// The name's spelling in keys and checkpoints.
    pub(in super::super) fn key(self) -> String {
        match self {
            Self::ImportedFile => "taken-in".to_owned(),
            Self::Schedule => "schedule".to_owned(),
            Self::Source => "source".to_owned(),
            Self::Announced => "spooled".to_owned(),
            Self::Reminded => "reminded".to_owned(),
            Self::LinkFetches(first) => format!("freshness-{first:02x}"),
            Self::AllLinkFetches => "freshness".to_owned(),
            Self::TrustedTime => "trusted-time".to_owned(),
            Self::ClockProbation => "clock-probation".to_owned(),
            Self::BackupTime => "last-backup".to_owned(),
            Self::PushKey => "push-key".to_owned(),
            Self::MailSecret => "mail-secret".to_owned(),
            Self::MailAsks(first) => format!("mail-asks-{first:02x}"),
            Self::SignInKey => "sign-in-key".to_owned(),
            Self::Renderer => "renderer".to_owned(),
            Self::Held(source) => format!("held-{}", source.name()),
            Self::HeldProgram(source) => format!("held-program-{}", source.name()),
        }
    }

    /// The record in words, for errors.
    pub(in super::super) fn label(self) -> &'static str {
        match self {
            Self::ImportedFile => "record of the imported file",
            Self::Schedule => "schedule",
            Self::Source => "record of the followed source",
            Self::Announced => "record of the announced releases",
            Self::Reminded => "record of the reminders",
            Self::LinkFetches(_) | Self::AllLinkFetches => "record of link fetches",
            Self::TrustedTime => "trusted time",
            Self::ClockProbation => "record of a clock jump",
            Self::BackupTime => "time of the last backup",
            Self::PushKey => "push key",
            Self::MailSecret => "secret of the links in mails",
            Self::MailAsks(_) => "record of the mailboxes that were asked",
            Self::SignInKey => "key of sign-ins",
            Self::Renderer => "version of the renderer",
            Self::Held(_) | Self::HeldProgram(_) => "held release",
        }
    }
}

impl NamedRecord {
    /// The name of the record.
    pub fn name(&self) -> RecordName {
        match self {
            Self::ImportedFile(_) => RecordName::ImportedFile,
            Self::Schedule(..) => RecordName::Schedule,
            Self::Source(..) => RecordName::Source,
            Self::Announced(_) => RecordName::Announced,
            Self::Reminded(_) => RecordName::Reminded,
            Self::LinkFetches(first, _) => RecordName::LinkFetches(*first),
            Self::TrustedTime(_) => RecordName::TrustedTime,
            Self::ClockProbation(_) => RecordName::ClockProbation,
            Self::BackupTime(_) => RecordName::BackupTime,
            Self::PushKey(_) => RecordName::PushKey,
            Self::MailSecret(_) => RecordName::MailSecret,
            Self::MailAsks(first, _) => RecordName::MailAsks(*first),
            Self::SignInKey(_) => RecordName::SignInKey,
            Self::Renderer(_) => RecordName::Renderer,
            Self::Held(source, _) => RecordName::Held(*source),
            Self::HeldProgram(source, _) => RecordName::HeldProgram(*source),
        }
    }

    /// The bytes of the record. Numbers are little-endian; times are seconds of the Unix epoch.
    pub(in super::super) fn encode(&self) -> Vec<u8> {
        match self {
            Self::ImportedFile(file) => [file.digest.0.as_slice(), &file.release.to_le_bytes()].concat(),
            Self::Schedule(schedule, csv) => with_csv(schedule, csv),
            Self::Source(source, csv) => with_csv(source, csv),
            Self::Announced(AnnouncedReleases { release, after }) => {
                let after = after.map_or(Vec::new(), |Digest(key)| key.to_vec());
                [release.to_le_bytes().to_vec(), after].concat()
            }
            Self::Reminded(RemindedSessions { start, after }) => {
                let after = after.map_or(Vec::new(), |Digest(key)| key.to_vec());
                [start.timestamp().to_le_bytes().to_vec(), after].concat()
            }
            Self::LinkFetches(_, fetches) => {
                let mut rows = Vec::with_capacity(fetches.len() * LinkFetch::BYTES);
                for fetch in fetches {
                    rows.extend_from_slice(&fetch.link.0);
                    rows.extend_from_slice(&fetch.at.timestamp().to_le_bytes());
                    rows.extend_from_slice(&fetch.release.to_le_bytes());
                    rows.push(fetch.client);
                }
                rows
            }
            Self::TrustedTime(at) | Self::BackupTime(at) => at.timestamp().to_le_bytes().to_vec(),
            Self::PushKey(PushKeyBytes(key)) | Self::SignInKey(PushKeyBytes(key)) => key.clone(),
            Self::Renderer(version) => version.to_le_bytes().to_vec(),
            // A struct of times, strings and numbers always has a JSON form.
            Self::Held(_, held) => serde_json::to_vec(held).unwrap_or_default(),
            Self::HeldProgram(_, csv) => csv.to_vec(),
            Self::MailSecret(MailSecretBytes(secret)) => secret.to_vec(),
            Self::MailAsks(_, asks) => asks.iter().flat_map(MailAsk::encode).collect(),
            Self::ClockProbation(ClockProbation { seen, watched }) => {
                [seen.timestamp().to_le_bytes(), watched.as_secs().to_le_bytes()].concat()
            }
        }
    }
}

/// A line of JSON, and a program file.
fn with_csv(head: &impl Serialize, csv: &[u8]) -> Vec<u8> {
    // Structs of times, strings and JSON values always have a JSON form.
    let head = serde_json::to_vec(head).unwrap_or_default();
    [head.as_slice(), b"\n", csv].concat()
}

/// Why bytes are not a valid record.
type Cause = String;

fn wrong_length(bytes: &[u8]) -> Cause {
    format!("it has {} bytes", bytes.len())
}

pub(in super::super) fn imported_file(bytes: &[u8]) -> Result<ImportedFile, Cause> {
    let parts = bytes.split_first_chunk::<32>();
    let parts = parts.and_then(|(digest, release)| Some((*digest, number(release).ok()?)));
    let (digest, release) = parts.ok_or_else(|| wrong_length(bytes))?;
    Ok(ImportedFile { digest: Digest(digest), release })
}

/// Reads what [`with_csv`] wrote.
pub(in super::super) fn head_and_csv<T: serde::de::DeserializeOwned>(
    bytes: Vec<u8>,
) -> Result<(T, Bytes), Cause> {
    let bytes = Bytes::from(bytes);
    let end = bytes.iter().position(|byte| *byte == b'\n').unwrap_or(bytes.len());
    let (head, csv) = (bytes.slice(..end), bytes.slice((end + 1).min(bytes.len())..));
    let head = serde_json::from_slice(&head).map_err(|error| error.to_string())?;
    Ok((head, csv))
}

pub(in super::super) fn number(bytes: &[u8]) -> Result<u64, Cause> {
    bytes.try_into().map(u64::from_le_bytes).map_err(|_| wrong_length(bytes))
}

pub(in super::super) fn announced(bytes: &[u8]) -> Result<AnnouncedReleases, Cause> {
    let (release, after) = number_and_key(bytes)?;
    Ok(AnnouncedReleases { release: number(release)?, after })
}

pub(in super::super) fn reminded(bytes: &[u8]) -> Result<RemindedSessions, Cause> {
    let (start, after) = number_and_key(bytes)?;
    Ok(RemindedSessions { start: time(start)?, after })
}

/// Eight bytes, and a key if one follows.
fn number_and_key(bytes: &[u8]) -> Result<(&[u8], Option<Digest>), Cause> {
    let (number, key) = bytes.split_at_checked(8).ok_or_else(|| wrong_length(bytes))?;
    let key = match key {
        [] => None,
        key => Some(Digest(key.try_into().map_err(|_| wrong_length(bytes))?)),
    };
    Ok((number, key))
}

pub(in super::super) fn time(bytes: &[u8]) -> Result<DateTime<Utc>, Cause> {
    let seconds = bytes.try_into().map(i64::from_le_bytes).map_err(|_| wrong_length(bytes))?;
    DateTime::from_timestamp(seconds, 0).ok_or_else(|| "the time is out of range".to_owned())
}

pub(in super::super) fn clock_probation(bytes: &[u8]) -> Result<ClockProbation, Cause> {
    let (seen, watched) = bytes.split_at_checked(8).ok_or_else(|| wrong_length(bytes))?;
    Ok(ClockProbation { seen: time(seen)?, watched: Duration::from_secs(number(watched)?) })
}

/// The fetches of some links. A damaged row is `None`.
pub(in super::super) fn link_fetches(bytes: &[u8]) -> Vec<Option<LinkFetch>> {
    bytes.chunks(LinkFetch::BYTES).map(LinkFetch::decode).collect()
}

/// The mailboxes that were asked. Damaged rows are left out: they cost a mailbox one mail too many.
pub(in super::super) fn mail_asks(bytes: &[u8]) -> Vec<MailAsk> {
    bytes.chunks(MailAsk::BYTES).filter_map(MailAsk::decode).collect()
}

pub(in super::super) fn mail_secret(bytes: &[u8]) -> Result<MailSecretBytes, Cause> {
    bytes.try_into().map(MailSecretBytes).map_err(|_| wrong_length(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(seconds, 0).unwrap()
    }

    #[test]
    fn bytes_of_earlier_versions_are_written_and_read() {
        let file = ImportedFile { digest: Digest([7; 32]), release: 258 };
        let bytes = NamedRecord::ImportedFile(file).encode();
        assert_eq!((bytes.len(), &bytes[32..]), (40, &[2, 1, 0, 0, 0, 0, 0, 0][..]));
        assert_eq!(imported_file(&bytes), Ok(file));
        assert_eq!(imported_file(&bytes[1..]), Err("it has 39 bytes".to_owned()));

        let schedule =
            Schedule { at: at(60), who: None, made: at(0), confirm: None, base: None, held: false };
        let bytes = NamedRecord::Schedule(schedule.clone(), Bytes::from_static(b"id,\n")).encode();
        let text = r#"{"at":"1970-01-01T00:01:00Z","who":null,"made":"1970-01-01T00:00:00Z","confirm":null}"#;
        assert_eq!(bytes, [text, "\nid,\n"].concat().into_bytes());
        assert_eq!(head_and_csv(bytes), Ok((schedule, Bytes::from_static(b"id,\n"))));
        assert!(head_and_csv::<Schedule>(b"damaged".to_vec()).is_err());

        let source = SourceRecord { memory: "etag".into(), ..SourceRecord::default() };
        let bytes = NamedRecord::Source(source.clone(), Bytes::from_static(b"id,\n")).encode();
        assert_eq!(bytes, b"{\"memory\":\"etag\",\"conflicts\":null}\nid,\n");
        assert_eq!(head_and_csv(bytes), Ok((source, Bytes::from_static(b"id,\n"))));

        let whole = AnnouncedReleases { release: 3, after: None };
        assert_eq!(NamedRecord::Announced(whole).encode(), [3, 0, 0, 0, 0, 0, 0, 0]);
        let partial = AnnouncedReleases { release: 3, after: Some(Digest([9; 32])) };
        for record in [whole, partial] {
            assert_eq!(announced(&NamedRecord::Announced(record).encode()), Ok(record));
        }
        assert!(announced(&[0; 9]).is_err() && announced(&[0; 7]).is_err());
        let half_reminded = RemindedSessions { start: at(-1), after: Some(Digest([9; 32])) };
        let bytes = NamedRecord::Reminded(half_reminded).encode();
        assert_eq!((bytes.len(), &bytes[..8], reminded(&bytes)), (40, &[255; 8][..], Ok(half_reminded)));
        assert_eq!((number(&[3, 0, 0, 0, 0, 0, 0, 0]), number(b"short").is_err()), (Ok(3), true));
        for record in [NamedRecord::TrustedTime(at(-1)), NamedRecord::BackupTime(at(-1))] {
            assert_eq!((record.encode(), time(&record.encode())), (vec![255; 8], Ok(at(-1))));
        }
        assert!(time(&i64::MAX.to_le_bytes()).is_err());
    }

    #[test]
    fn a_damaged_fetch_costs_only_itself() {
        let fetch =
            |n: u8| LinkFetch { link: Digest([n; 32]), at: at(n.into()), release: n.into(), client: n };
        let mut bytes = NamedRecord::LinkFetches(0, vec![fetch(1), fetch(2)]).encode();
        assert_eq!(bytes.len(), 2 * LinkFetch::BYTES);
        bytes[32..40].copy_from_slice(&i64::MAX.to_le_bytes());
        bytes.extend(b"torn");
        assert_eq!(link_fetches(&bytes), [None, Some(fetch(2)), None]);
    }

    #[test]
    fn a_clock_on_probation_comes_back() {
        let probation = ClockProbation { seen: at(5), watched: Duration::from_secs(60) };
        let bytes = NamedRecord::ClockProbation(probation).encode();
        assert_eq!(clock_probation(&bytes), Ok(probation));
        assert!(clock_probation(&bytes[..12]).is_err());
    }
}
