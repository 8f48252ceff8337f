//! Reading the store.
//!
//! Reads are synchronous, since small records are usually in memory. Run scans and reads of long records in
//! [`Store::read`].

use super::Store;
use super::error::ReadError;
use super::index::ledger;
use super::index::scan::RecordScan;
use super::plan::CHARGE;
use super::record::RecordTable;
use super::record::agenda::{AgendaRecord, LinkBucket, LinkTarget};
use super::record::charge::ChargeRecord;
use super::record::held::{HeldRecord, HeldSource};
use super::record::mail::MailAsk;
use super::record::named::{
    self, AnnouncedReleases, ClockProbation, ImportedFile, LinkFetch, MailSecretBytes, PushKeyBytes,
    RecordName, RemindedSessions, Schedule, SourceRecord,
};
use super::record::outbox::{DeliveryRecord, ReachRecord, SubscriptionsRecord};
use super::record::release::{LedgerHead, ReleaseDetail, ReleaseFrame, ReleaseRecord, ReleaseSummary};
use super::rows::RecordAddress;
use crate::program::{Change, Conference, SessionId};
use crate::revision::{Digest, Entry, Ledger};
use bytes::Bytes;
use chrono::{DateTime, Utc};
use serde::de::DeserializeOwned;
use std::time::Duration;

impl Store {
    /// The agenda under the SHA-256 of an edit key.
    pub fn agenda(&self, key: &Digest) -> Result<Option<AgendaRecord>, ReadError> {
        self.record(RecordTable::Agenda, &key.0)
    }

    /// Whether reads fail because the index is being reopened, or because it has failed and will be reopened.
    pub fn is_interrupted(&self) -> bool {
        self.index().is_interrupted()
    }

    /// Waits up to two seconds for an interrupted index, without blocking the thread.
    pub async fn until_back(&self) {
        for _ in 0..400 {
            if !self.is_interrupted() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Runs reads on a blocking thread. Scans, and reads of records of more than a few kilobytes, must run here: they
    /// wait for the disk, and scans also wait for an index that is being reopened.
    ///
    /// # Errors
    /// The errors of `read`, and [`ReadError::Unavailable`] if the thread does not end, as when the server stops.
    pub async fn read<T, E>(&self, read: impl FnOnce(&Self) -> Result<T, E> + Send + 'static) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<ReadError> + Send + 'static,
    {
        let store = self.clone();
        let ended = |error: tokio::task::JoinError| ReadError::Unavailable(error.to_string());
        tokio::task::spawn_blocking(move || read(&store)).await.map_err(ended)?
    }

    /// The target of a read link, by the SHA-256 of its token.
    pub fn link(&self, hash: &Digest) -> Result<Option<LinkTarget>, ReadError> {
        self.index().read(|view| view.link(self.space(), hash))
    }

    /// All agendas, in the order of their keys. Commits go on during the scan: each record is whole, but different
    /// records may be from different moments. A damaged record yields an error, and the scan continues.
    pub fn agendas(&self) -> impl Iterator<Item = Result<(Digest, AgendaRecord), ReadError>> + '_ {
        self.by_digest(RecordTable::Agenda)
    }

    /// All read links, including closed ones, in the order of their hashes. Links of format 1 come first.
    pub fn links(&self) -> impl Iterator<Item = Result<(Digest, LinkTarget), ReadError>> + '_ {
        // A link of format 1 moves when it is written. In this order it may be returned twice, but is never missed.
        let links = self.records(RecordTable::Links).parsed::<LinkBucket>();
        let links = links.flat_map(|row| match row {
            Ok((_, links)) => links.into_iter().map(Ok).collect(),
            Err(error) => vec![Err(error)],
        });
        self.by_digest(RecordTable::Link).chain(links)
    }

    /// The program file that was imported last; `None` before the first import of a file.
    ///
    /// # Errors
    /// [`ReadError::Damaged`] instead of `None`: after `None`, a stale file would undo an upload.
    pub fn imported_file(&self) -> Result<Option<ImportedFile>, ReadError> {
        self.named(RecordName::ImportedFile, |bytes| named::imported_file(&bytes))
    }

    /// The scheduled release and its program.
    pub fn schedule(&self) -> Result<Option<(Schedule, Bytes)>, ReadError> {
        self.named(RecordName::Schedule, named::head_and_csv)
    }

    /// The followed source, and its program as it was last merged.
    pub fn source(&self) -> Result<Option<(SourceRecord, Bytes)>, ReadError> {
        self.named(RecordName::Source, named::head_and_csv)
    }

    /// The releases that were announced.
    ///
    /// # Errors
    /// [`ReadError::Damaged`] instead of `None`: after `None`, the deliveries of the later releases would never be
    /// made.
    pub fn announced(&self) -> Result<Option<AnnouncedReleases>, ReadError> {
        self.named(RecordName::Announced, |bytes| named::announced(&bytes))
    }

    /// The sessions that attendees were reminded of.
    ///
    /// # Errors
    /// [`ReadError::Damaged`] if the record cannot be read.
    pub fn reminded(&self) -> Result<Option<RemindedSessions>, ReadError> {
        self.named(RecordName::Reminded, |bytes| named::reminded(&bytes))
    }

    /// The subscriptions of an agenda, by the SHA-256 of its edit key.
    pub fn subscriptions(&self, key: &Digest) -> Result<Option<SubscriptionsRecord>, ReadError> {
        self.record(RecordTable::Subscriptions, &key.0)
    }

    /// The subscriptions of all agendas, in the order of their keys. A damaged record yields an error, and the scan
    /// continues.
    pub fn all_subscriptions(
        &self,
    ) -> impl Iterator<Item = Result<(Digest, SubscriptionsRecord), ReadError>> + '_ {
        self.by_digest(RecordTable::Subscriptions)
    }

    /// A delivery in the outbox.
    pub fn delivery(&self, id: &str) -> Result<Option<DeliveryRecord>, ReadError> {
        self.record(RecordTable::Delivery, id.as_bytes())
    }

    /// All deliveries in the outbox, in the order of their ids. A damaged record yields an error, and the scan
    /// continues.
    pub fn deliveries(&self) -> impl Iterator<Item = Result<(String, DeliveryRecord), ReadError>> + '_ {
        self.records(RecordTable::Delivery).parsed().map(|row| {
            let (id, record) = row?;
            Ok((String::from_utf8_lossy(&id).into_owned(), record))
        })
    }

    /// The delivery counts of a release.
    pub fn reach(&self, release: u64) -> Result<Option<ReachRecord>, ReadError> {
        self.record(RecordTable::Reach, &release.to_be_bytes())
    }

    /// The last fetches of the read links whose hashes begin with `first`. A damaged row is `None`.
    pub fn link_fetches(&self, first: u8) -> Result<Option<Vec<Option<LinkFetch>>>, ReadError> {
        self.named(RecordName::LinkFetches(first), |bytes| Ok(named::link_fetches(&bytes)))
    }

    /// The last fetches of all read links, where an earlier version stored them in one record.
    pub fn all_link_fetches(&self) -> Result<Option<Vec<Option<LinkFetch>>>, ReadError> {
        self.named(RecordName::AllLinkFetches, |bytes| Ok(named::link_fetches(&bytes)))
    }

    /// The last wall-clock time that retention trusted.
    pub fn trusted_time(&self) -> Result<Option<DateTime<Utc>>, ReadError> {
        self.named(RecordName::TrustedTime, |bytes| named::time(&bytes))
    }

    /// The clock that retention does not trust yet.
    pub fn clock_probation(&self) -> Result<Option<ClockProbation>, ReadError> {
        self.named(RecordName::ClockProbation, |bytes| named::clock_probation(&bytes))
    }

    /// When a backup was last saved.
    pub fn last_backup(&self) -> Result<Option<DateTime<Utc>>, ReadError> {
        self.named(RecordName::BackupTime, |bytes| named::time(&bytes))
    }

    /// The key pair that signs messages to browsers.
    pub fn push_key(&self) -> Result<Option<PushKeyBytes>, ReadError> {
        self.named(RecordName::PushKey, |bytes| Ok(PushKeyBytes(bytes)))
    }

    /// The secret of the links in mails.
    pub fn mail_secret(&self) -> Result<Option<MailSecretBytes>, ReadError> {
        self.named(RecordName::MailSecret, |bytes| named::mail_secret(&bytes))
    }

    /// The mailboxes that were asked to confirm invitations, and whose hashes begin with `first`.
    pub fn mail_asks(&self, first: u8) -> Result<Vec<MailAsk>, ReadError> {
        let asks = self.named(RecordName::MailAsks(first), |bytes| Ok(named::mail_asks(&bytes)))?;
        Ok(asks.unwrap_or_default())
    }

    /// Who is in charge of the work that one replica does for all.
    pub fn charge(&self) -> Result<Option<ChargeRecord>, ReadError> {
        let address = self.space().named(CHARGE);
        address.decode(self.bytes(&address)?)
    }

    /// The key that signs the sign-ins of organizers.
    pub fn sign_in_key(&self) -> Result<Option<PushKeyBytes>, ReadError> {
        self.named(RecordName::SignInKey, |bytes| Ok(PushKeyBytes(bytes)))
    }

    /// The version of Callboard whose renderer made the live release; none in a store of an earlier version.
    pub fn renderer(&self) -> Result<Option<u64>, ReadError> {
        self.named(RecordName::Renderer, |bytes| named::number(&bytes))
    }

    /// The release of a source that waits for an organizer on all replicas.
    pub fn held(&self, source: HeldSource) -> Result<Option<HeldRecord>, ReadError> {
        let decode = |bytes: Vec<u8>| serde_json::from_slice(&bytes).map_err(|error| error.to_string());
        self.named(RecordName::Held(source), decode)
    }

    /// The program of [`Self::held`].
    pub fn held_program(&self, source: HeldSource) -> Result<Option<Bytes>, ReadError> {
        self.named(RecordName::HeldProgram(source), |bytes| Ok(Bytes::from(bytes)))
    }

    /// The bytes under a name, for tests.
    #[doc(hidden)]
    pub fn raw(&self, name: &str) -> Result<Option<Vec<u8>>, ReadError> {
        self.bytes(&self.space().named(name))
    }

    fn named<T>(
        &self,
        name: RecordName,
        decode: impl FnOnce(Vec<u8>) -> Result<T, String>,
    ) -> Result<Option<T>, ReadError> {
        let Some(bytes) = self.raw(&name.key())? else { return Ok(None) };
        decode(bytes).map(Some).map_err(|cause| ReadError::Damaged { what: name.label(), cause })
    }

    /// The number of the live release; 0 before the first.
    pub fn release_number(&self) -> Result<u64, ReadError> {
        Ok(self.head()?.map_or(0, |head| head.release))
    }

    /// A release.
    pub fn release(&self, n: u64) -> Result<Option<ReleaseRecord>, ReadError> {
        let space = self.space();
        let (summary, detail) =
            (space.release(RecordTable::Release, n), space.release(RecordTable::Detail, n));
        self.index().read(|view| {
            let Some(found) = view.record::<ReleaseSummary>(&summary)? else { return Ok(None) };
            let Some(mut lists) = view.record::<ReleaseDetail>(&detail)? else {
                return Err(detail.damaged("its changes are missing"));
            };
            for piece in 0..lists.pieces {
                let address = space.piece(RecordTable::Changes, n, piece);
                let changes: Option<Vec<Change>> = view.record(&address)?;
                lists
                    .changes
                    .append(&mut changes.ok_or_else(|| address.damaged("some changes are missing"))?);
            }
            Ok(Some(ReleaseRecord::from_parts(found, lists)))
        })
    }

    /// The config of a release, without reading its changes.
    pub fn release_conference(&self, n: u64) -> Result<Option<Conference>, ReadError> {
        let frame: Option<ReleaseFrame> = self.record(RecordTable::Detail, &n.to_be_bytes())?;
        Ok(frame.map(|frame| frame.conference))
    }

    /// The summary of a release.
    pub fn release_summary(&self, n: u64) -> Result<Option<ReleaseSummary>, ReadError> {
        self.record(RecordTable::Release, &n.to_be_bytes())
    }

    /// All releases, the oldest first.
    pub fn releases(&self) -> Result<Vec<ReleaseSummary>, ReadError> {
        self.each_release().collect()
    }

    /// Like [`Self::releases`], one by one. A damaged record yields an error, and the scan continues.
    pub fn each_release(&self) -> impl Iterator<Item = Result<ReleaseSummary, ReadError>> + '_ {
        self.records(RecordTable::Release).parsed().map(|row| row.map(|(_, summary)| summary))
    }

    /// The program of a release, byte for byte; none if it is no longer stored.
    pub fn program_csv(&self, n: u64) -> Result<Option<Vec<u8>>, ReadError> {
        self.bytes(&self.space().release(RecordTable::Csv, n))
    }

    /// The ledger of the live release; none before the first.
    pub fn ledger(&self) -> Result<Option<Ledger>, ReadError> {
        ledger::read(self.index(), self.space())
    }

    /// The ledger's entry of a session.
    pub fn entry(&self, id: &SessionId) -> Result<Option<Entry>, ReadError> {
        self.index().read(|view| view.entry(self.space(), id))
    }

    fn head(&self) -> Result<Option<LedgerHead>, ReadError> {
        self.record(RecordTable::Head, b"")
    }

    fn record<T: DeserializeOwned>(&self, table: RecordTable, id: &[u8]) -> Result<Option<T>, ReadError> {
        let address = self.space().address(table, id);
        address.decode(self.bytes(&address)?)
    }

    fn bytes(&self, address: &RecordAddress) -> Result<Option<Vec<u8>>, ReadError> {
        self.index().read(|view| view.bytes(address))
    }

    fn records(&self, table: RecordTable) -> RecordScan<'_> {
        RecordScan::new(self.index(), self.space(), table)
    }

    fn by_digest<T: DeserializeOwned>(
        &self,
        table: RecordTable,
    ) -> impl Iterator<Item = Result<(Digest, T), ReadError>> + '_ {
        self.records(table).parsed().map(move |row| {
            let (id, record) = row?;
            let cause = "its key is not a digest".to_owned();
            let key = id.try_into().map_err(|_| ReadError::Damaged { what: table.name(), cause })?;
            Ok((Digest(key), record))
        })
    }
}

/// A read link and its agenda, read at one moment. The agenda is parsed only when it is needed, so comparing two of
/// these values is cheap.
#[derive(Debug, Clone)]
pub struct LinkedAgenda {
    /// The store's generation at that moment.
    pub generation: u64,
    /// The link's target; none if the link was never issued.
    pub target: Option<LinkTarget>,
    /// The bytes of the agenda, if the link leads to one.
    record: Option<Vec<u8>>,
}

impl LinkedAgenda {
    /// Whether both values are equal, ignoring their generations.
    pub fn is_same(&self, other: &Self) -> bool {
        (self.target, &self.record) == (other.target, &other.record)
    }

    /// The agenda, if the link leads to one.
    ///
    /// # Errors
    /// [`ReadError::Damaged`] if it cannot be parsed.
    pub fn agenda(&self) -> Result<Option<AgendaRecord>, ReadError> {
        let parsed = self.record.as_deref().map(serde_json::from_slice).transpose();
        parsed.map_err(|cause| ReadError::Damaged {
            what: RecordTable::Agenda.name(),
            cause: cause.to_string(),
        })
    }

    /// The bytes of the agenda's record.
    pub fn len(&self) -> usize {
        self.record.as_ref().map_or(0, Vec::len)
    }

    /// Whether there is no agenda.
    pub fn is_empty(&self) -> bool {
        self.record.is_none()
    }
}

impl Store {
    /// A number that changes with every change that readers may see. A record that was read at the present generation
    /// is up to date.
    pub fn generation(&self) -> u64 {
        self.index().generation()
    }

    /// A read link, by the SHA-256 of its token, and the agenda that it leads to.
    ///
    /// # Errors
    /// [`ReadError`] if the store cannot be read.
    pub fn linked_agenda(&self, hash: &Digest) -> Result<LinkedAgenda, ReadError> {
        self.index().read(|view| {
            let target = view.link(self.space(), hash)?;
            let record = match &target {
                Some(LinkTarget::Agenda(key)) => {
                    view.bytes(&self.space().address(RecordTable::Agenda, &key.0))?
                }
                _ => None,
            };
            Ok(LinkedAgenda { generation: view.generation, target, record })
        })
    }
}

/// Skips and counts the damaged records of a scan.
///
/// One damaged record must not stop a scan: previews would fail for good, and nothing would be erased any more. The
/// number of skipped records is logged, with the cause of the first, which names no key.
#[derive(Debug, Default)]
pub struct Skipped {
    count: usize,
    first: Option<ReadError>,
}

impl Skipped {
    /// The records of a scan without damaged records and records of newer versions. An unreadable store remains an
    /// error.
    pub fn over<T>(
        &mut self,
        rows: impl Iterator<Item = Result<T, ReadError>>,
    ) -> impl Iterator<Item = Result<T, ReadError>> {
        rows.filter(|row| match row {
            Err(error @ (ReadError::Damaged { .. } | ReadError::Newer { .. })) => {
                self.count += 1;
                self.first.get_or_insert_with(|| error.clone());
                false
            }
            _ => true,
        })
    }

    /// The number of skipped records.
    pub fn count(&self) -> usize {
        self.count
    }

    /// Logs the number of skipped records, if there are any. `during` names the work.
    pub fn log(&self, during: &'static str) {
        if let Some(error) = &self.first {
            tracing::error!(records = self.count, %error, "{during}: damaged records were skipped; `callboard verify` names the damage, and a backup may have them");
        }
    }
}

/// Reads that wait for a disk which does not answer.
#[cfg(test)]
pub(crate) struct Stalled {
    store: Store,
    end: std::sync::mpsc::Sender<()>,
}

#[cfg(test)]
impl Stalled {
    /// Ends the stall. Returns false if it has ended before, after ten seconds.
    pub(crate) fn end(self) -> bool {
        self.end.send(()).is_ok()
    }

    /// Waits until a scan waits for its page.
    pub(super) fn wait_for_a_scan(&self) {
        while self.store.index().slow_disk.waiting_scans.load(std::sync::atomic::Ordering::SeqCst) == 0 {
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

#[cfg(test)]
impl Store {
    /// Stalls every read for ten seconds, or until the stall is ended.
    pub(crate) fn stall(&self) -> Stalled {
        self.stall_at(|store| &store.index().slow_disk.reads)
    }

    /// Like [`Self::stall`], for scans only.
    pub(super) fn stall_scans(&self) -> Stalled {
        self.stall_at(|store| &store.index().slow_disk.scans)
    }

    fn stall_at(&self, gate: impl FnOnce(&Self) -> &std::sync::RwLock<()> + Send + 'static) -> Stalled {
        let (end, ends) = std::sync::mpsc::channel();
        let (stalled, stalls) = std::sync::mpsc::channel();
        let store = self.clone();
        std::thread::spawn(move || {
            let _gate = gate(&store).write().unwrap();
            let _ = stalled.send(());
            let _ = ends.recv_timeout(Duration::from_secs(10));
        });
        stalls.recv().unwrap();
        Stalled { store: self.clone(), end }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_single_records_are_skipped() {
        let damaged = || ReadError::Damaged { what: "agenda", cause: String::new() };
        let newer = ReadError::Newer { what: "agenda", found: 9, known: 2 };
        let closed = ReadError::Unavailable("closed".to_owned());
        let rows = vec![Ok(1), Err(damaged()), Ok(2), Err(newer), Err(damaged()), Err(closed.clone())];
        let mut skipped = Skipped::default();
        let left: Vec<_> = skipped.over(rows.into_iter()).collect();
        assert_eq!(left, [Ok(1), Ok(2), Err(closed)]);
        assert_eq!((skipped.count(), skipped.first), (3, Some(damaged())));
    }
}
