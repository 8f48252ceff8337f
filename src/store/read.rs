//! The reading side of the store: synchronous, and never behind the disk unless a page is not cached. What reads more than a
//! small record does so through [`Store::read`], on a thread that may wait.

use super::cell::{Cell, Table};
use super::plan::decode;
use super::record::named::{self, ClockProbation, ImportedFile, LinkFetch, RecordName, Schedule};
use super::release::{ReleaseDetail, ReleaseFrame};
use super::view::{self, Records};
use super::{AgendaRecord, LedgerHead, LinkTarget, ReadError, ReleaseRecord, ReleaseSummary, Store};
use super::{ledger, links, staging};
use crate::program::{Change, Conference, SessionId};
use crate::revision::{Digest, Entry, Ledger};
use bytes::Bytes;
use chrono::{DateTime, Utc};
use serde::de::DeserializeOwned;
use std::time::Duration;

impl Store {
    /// The agenda of an edit key's SHA-256.
    pub fn agenda(&self, key: &Digest) -> Result<Option<AgendaRecord>, ReadError> {
        self.record(Table::Agenda, &key.0)
    }

    /// Whether reads fail because the database is being opened anew, or is about to be.
    pub fn is_interrupted(&self) -> bool {
        view::is_interrupted(self.view())
    }

    /// Waits until reads succeed again, for two seconds at most, without blocking the thread.
    pub async fn until_back(&self) {
        for _ in 0..400 {
            if !self.is_interrupted() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Runs reads on a thread that may wait for the disk and for an index that is being opened anew: scans, and records
    /// of more than a few kilobytes. The threads that answer requests go on meanwhile.
    ///
    /// # Errors
    /// Those of `read`, and [`ReadError::Unavailable`] where it does not come to an end, as at a stop.
    pub async fn read<T, E>(&self, read: impl FnOnce(&Self) -> Result<T, E> + Send + 'static) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<ReadError> + Send + 'static,
    {
        let store = self.clone();
        let ended = |error: tokio::task::JoinError| ReadError::Unavailable(error.to_string());
        tokio::task::spawn_blocking(move || read(&store)).await.map_err(ended)?
    }

    /// Where the read link of a token's SHA-256 leads.
    pub fn link(&self, hash: &Digest) -> Result<Option<LinkTarget>, ReadError> {
        view::read(self.view(), |view| view.link(self.space(), hash))
    }

    /// All agendas, by key. Commits go on during the scan: each record is whole, but they are not all of one
    /// moment. A damaged record is an error in its place, and the others follow it.
    pub fn agendas(&self) -> impl Iterator<Item = Result<(Digest, AgendaRecord), ReadError>> + '_ {
        self.by_digest(Table::Agenda)
    }

    /// All read links, the closed ones too; by hash but for those that format 1 wrote, which come first.
    pub fn links(&self) -> impl Iterator<Item = Result<(Digest, LinkTarget), ReadError>> + '_ {
        // In this order, one that is written meanwhile and so moves is met twice at worst, and never missed.
        self.by_digest(Table::Link).chain(links::all(self.records(Table::Links)))
    }

    /// The program file that was imported last; `None` before the first import of a file.
    ///
    /// # Errors
    /// [`ReadError::Damaged`] is no `None`: a stale file would then undo an upload.
    pub fn imported_file(&self) -> Result<Option<ImportedFile>, ReadError> {
        self.named(RecordName::ImportedFile, |bytes| named::imported_file(&bytes))
    }

    /// The scheduled release and its program.
    pub fn schedule(&self) -> Result<Option<(Schedule, Bytes)>, ReadError> {
        self.named(RecordName::Schedule, named::schedule)
    }

    /// The last release with webhook deliveries in the spool.
    ///
    /// # Errors
    /// [`ReadError::Damaged`] is no `None`: the deliveries of the releases since would then never be made.
    pub fn spooled_release(&self) -> Result<Option<u64>, ReadError> {
        self.named(RecordName::SpooledRelease, |bytes| named::number(&bytes))
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

    /// The bytes under a name, for tests.
    #[doc(hidden)]
    pub fn raw(&self, name: &str) -> Result<Option<Vec<u8>>, ReadError> {
        self.bytes(&self.space().cell(Table::Note, name.as_bytes()))
    }

    fn named<T>(
        &self,
        name: RecordName,
        decode: impl FnOnce(Vec<u8>) -> Result<T, String>,
    ) -> Result<Option<T>, ReadError> {
        let Some(bytes) = self.raw(&name.key())? else { return Ok(None) };
        decode(bytes).map(Some).map_err(|cause| ReadError::Damaged { what: name.label(), cause })
    }

    /// The number of the release that runs; 0 before the first.
    pub fn release_number(&self) -> Result<u64, ReadError> {
        Ok(self.head()?.map_or(0, |head| head.release))
    }

    /// A kept release.
    pub fn release(&self, n: u64) -> Result<Option<ReleaseRecord>, ReadError> {
        let cell = |table| self.space().cell(table, &n.to_be_bytes());
        let (summary, detail) = (cell(Table::Release), cell(Table::Detail));
        // All of it at one moment.
        view::read(self.view(), |view| {
            let Some(kept) = view.record::<ReleaseSummary>(&summary)? else { return Ok(None) };
            let Some(mut lists) = view.record::<ReleaseDetail>(&detail)? else {
                return Err(detail.damaged("its changes are missing"));
            };
            for piece in 0..lists.pieces {
                let cell = staging::cell(self.space(), Table::Changes, n, piece);
                let changes: Option<Vec<Change>> = view.record(&cell)?;
                lists.changes.append(&mut changes.ok_or_else(|| cell.damaged("some changes are missing"))?);
            }
            Ok(Some(ReleaseRecord::from_parts(kept, lists)))
        })
    }

    /// The config that a kept release was published with, without reading its changes.
    pub fn release_conference(&self, n: u64) -> Result<Option<Conference>, ReadError> {
        let frame: Option<ReleaseFrame> = self.record(Table::Detail, &n.to_be_bytes())?;
        Ok(frame.map(|frame| frame.conference))
    }

    /// A kept release's line in the list.
    pub fn release_summary(&self, n: u64) -> Result<Option<ReleaseSummary>, ReadError> {
        self.record(Table::Release, &n.to_be_bytes())
    }

    /// Every release, the oldest first.
    pub fn releases(&self) -> Result<Vec<ReleaseSummary>, ReadError> {
        self.each_release().collect()
    }

    /// [`Self::releases`] one by one: a damaged record is an error in its place, and the others follow it.
    pub fn each_release(&self) -> impl Iterator<Item = Result<ReleaseSummary, ReadError>> + '_ {
        self.records(Table::Release).parsed().map(|row| row.map(|(_, summary)| summary))
    }

    /// The program of a release, byte for byte; none when it is no longer kept.
    pub fn program_csv(&self, n: u64) -> Result<Option<Vec<u8>>, ReadError> {
        self.bytes(&self.space().cell(Table::Csv, &n.to_be_bytes()))
    }

    /// The ledger of the running release; none before the first. What comes back is of one release.
    pub fn ledger(&self) -> Result<Option<Ledger>, ReadError> {
        ledger::read(self.view(), self.space())
    }

    /// The ledger's entry of one session.
    pub fn entry(&self, id: &SessionId) -> Result<Option<Entry>, ReadError> {
        view::read(self.view(), |view| view.entry(self.space(), id))
    }

    fn head(&self) -> Result<Option<LedgerHead>, ReadError> {
        self.record(Table::Head, b"")
    }

    fn record<T: DeserializeOwned>(&self, table: Table, id: &[u8]) -> Result<Option<T>, ReadError> {
        let cell = self.space().cell(table, id);
        decode(&cell, self.bytes(&cell)?)
    }

    fn bytes(&self, cell: &Cell) -> Result<Option<Vec<u8>>, ReadError> {
        view::read(self.view(), |view| view.bytes(cell))
    }

    fn records(&self, table: Table) -> Records<'_> {
        Records::new(self.view(), self.space(), table)
    }

    fn by_digest<T: DeserializeOwned>(
        &self,
        table: Table,
    ) -> impl Iterator<Item = Result<(Digest, T), ReadError>> + '_ {
        self.records(table).parsed().map(move |row| {
            let (id, record) = row?;
            let cause = "its key is no digest".to_owned();
            let key = id.try_into().map_err(|_| ReadError::Damaged { what: table.name(), cause })?;
            Ok((Digest(key), record))
        })
    }
}

/// Reads that wait for a disk which does not answer, for tests of who waits with them.
#[cfg(test)]
pub(crate) struct Stalled(std::sync::mpsc::Sender<()>);

#[cfg(test)]
impl Stalled {
    /// Lets the reads go on; false where they did already, since nothing else happened for seconds.
    pub(crate) fn end(self) -> bool {
        self.0.send(()).is_ok()
    }
}

#[cfg(test)]
impl Store {
    /// Stalls every read for ten seconds, or until the stall is ended.
    pub(crate) fn stall(&self) -> Stalled {
        let (end, ends) = std::sync::mpsc::channel();
        let (stalled, stalls) = std::sync::mpsc::channel();
        let store = self.clone();
        std::thread::spawn(move || {
            let _view = view::write(store.view());
            let _ = stalled.send(());
            let _ = ends.recv_timeout(Duration::from_secs(10));
        });
        stalls.recv().unwrap();
        Stalled(end)
    }
}
