//! The log of a conference in the database: every statement of SQL, and the cutting of entries into parts.
//!
//! An entry is inserted with the sequence after the last one that its writer has read, and only if that last one is
//! still there with the same hash. The primary key decides which of several writers is first. No sequence, lock or
//! isolation level of the database is needed, and no entry becomes visible behind a later one.

use super::Database;
use super::TIMEOUT;
use super::link::DatabaseLink;
use crate::store::error::StorageError;
use crate::store::journal::chain::Chain;
use bytes::Bytes;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Error, Row};

/// The version of the tables.
const LAYOUT: i32 = 1;

/// The longest part of an entry or checkpoint. Some databases accept no long rows.
pub(in crate::store) const PART_BYTES: usize = 256 * 1024;

/// The most rows of one answer.
const ROWS: i64 = 256;

const TABLES: [&str; 3] = [
    "CREATE TABLE IF NOT EXISTS callboard_log (conference text NOT NULL, seq bigint NOT NULL, part int NOT NULL, \
     parts int NOT NULL, prev bytea NOT NULL, hash bytea NOT NULL, writer text NOT NULL, \
     written timestamptz NOT NULL DEFAULT now(), body bytea NOT NULL, PRIMARY KEY (conference, seq, part))",
    "CREATE TABLE IF NOT EXISTS callboard_checkpoint (conference text NOT NULL, seq bigint NOT NULL, \
     part int NOT NULL, parts int NOT NULL, hash bytea NOT NULL, body bytea NOT NULL, \
     PRIMARY KEY (conference, seq, part))",
    "CREATE TABLE IF NOT EXISTS callboard_format (version int NOT NULL PRIMARY KEY)",
];

const VERSION: &str = "SELECT version FROM callboard_format ORDER BY version DESC LIMIT 1";

const SET_VERSION: &str = "INSERT INTO callboard_format (version) VALUES ($1) ON CONFLICT DO NOTHING";

/// Without its predecessor in the log, an entry would make a gap, as after a failover that lost entries. The
/// predecessor may also be the state of a checkpoint.
const APPEND: &str = "INSERT INTO callboard_log (conference, seq, part, parts, prev, hash, writer, body) \
     SELECT $1, $2, 0, $3, $4, $5, $6, $7 WHERE $2 = 1 \
     OR EXISTS (SELECT 1 FROM callboard_log WHERE conference = $1 AND seq = $2 - 1 AND part = 0 AND hash = $4) \
     OR EXISTS (SELECT 1 FROM callboard_checkpoint WHERE conference = $1 AND seq = $2 - 1 AND part = 0 AND hash = $4) \
     ON CONFLICT DO NOTHING";

const APPEND_PART: &str = "INSERT INTO callboard_log (conference, seq, part, parts, prev, hash, writer, body) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";

const WRITER: &str = "SELECT writer, hash FROM callboard_log WHERE conference = $1 AND seq = $2 AND part = 0";

/// The entry at the reader's own position comes without its body: only its hash is compared.
const READ: &str = "SELECT seq, part, parts, hash, writer, CASE WHEN seq > $2 THEN body ELSE '' END AS body \
     FROM callboard_log WHERE conference = $1 AND (seq > $2 OR seq = $2 AND part = 0) \
     ORDER BY seq, part LIMIT $3";

const READ_PARTS: &str = "SELECT part, body FROM callboard_log WHERE conference = $1 AND seq = $2 AND part >= $3 \
     ORDER BY part LIMIT $4";

const ENDS: &str = "SELECT min(seq) AS first, max(seq) AS last FROM callboard_log WHERE conference = $1";

const CHECKPOINTS: &str = "SELECT seq, parts, hash FROM callboard_checkpoint WHERE conference = $1 AND part = 0 \
     ORDER BY seq DESC";

const CHECKPOINT_PART: &str =
    "SELECT body FROM callboard_checkpoint WHERE conference = $1 AND seq = $2 AND part = $3";

const PUT_CHECKPOINT_PART: &str = "INSERT INTO callboard_checkpoint (conference, seq, part, parts, hash, body) \
     VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING";

const DROP_CHECKPOINTS: &str = "DELETE FROM callboard_checkpoint WHERE conference = $1 AND seq < $2";

const DROP_CHECKPOINT: &str = "DELETE FROM callboard_checkpoint WHERE conference = $1 AND seq = $2";

/// A replica that was away for less than a week finds all entries that it lacks.
const PRUNE: &str = "DELETE FROM callboard_log WHERE conference = $1 AND seq <= $2 \
     AND written < now() - interval '7 days'";

/// The standbys that a failover may promote, where the database lists them.
const STANDBYS: &str = "SELECT sync_state FROM pg_stat_replication WHERE state = 'streaming'";

/// The log of one conference.
pub(in crate::store) struct LogClient {
    link: DatabaseLink,
    conference: String,
    /// The name of this replica and process, in the entries that it writes.
    writer: String,
}

/// A part of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::store) struct LogRead {
    /// The hash of the log at the reader's position, if the log still has that entry.
    pub(in crate::store) at: Option<Chain>,
    /// The entries after it, in order and without gaps among them.
    pub(in crate::store) entries: Vec<LogEntry>,
    /// Whether there may be more.
    pub(in crate::store) has_more: bool,
}

/// An entry of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::store) struct LogEntry {
    pub(in crate::store) sequence: u64,
    /// The hash of the log after the entry.
    pub(in crate::store) hash: Chain,
    /// The id of the replica that wrote it.
    pub(in crate::store) writer: String,
    /// The body of the journal's record.
    pub(in crate::store) body: Vec<u8>,
}

/// A new entry.
#[derive(Debug, Clone)]
pub(in crate::store) struct NewEntry {
    pub(in crate::store) sequence: u64,
    pub(in crate::store) before: Chain,
    pub(in crate::store) hash: Chain,
    /// The compressed body of the journal's record.
    pub(in crate::store) packed: Bytes,
}

/// A whole checkpoint in the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store) struct StoredCheckpoint {
    pub(in crate::store) sequence: u64,
    pub(in crate::store) hash: Chain,
    parts: i32,
}

impl LogClient {
    /// Begins to connect.
    pub(in crate::store) fn start(database: &Database, conference: &str) -> io::Result<Self> {
        let mut id = [0; 8];
        getrandom::fill(&mut id).map_err(io::Error::other)?;
        let writer = format!("{} {}", database.replica(), data_encoding::HEXLOWER.encode(&id));
        Ok(Self { link: DatabaseLink::start(database)?, conference: conference.to_owned(), writer })
    }

    /// The name of this replica and process, in the entries that it writes.
    pub(in crate::store) fn writer(&self) -> &str {
        &self.writer
    }

    /// Waits for a connection, at most `patience`, and creates the tables if they are missing.
    pub(in crate::store) fn open(&self, patience: Duration) -> Result<(), StorageError> {
        self.link.wait(patience)?;
        // Only a new database needs the right to create tables.
        if let Ok(version) = self.version() {
            return version;
        }
        let mut made = self.make_tables();
        for _ in 0..3 {
            if made.is_ok() {
                break;
            }
            // Replicas that create a table at the same moment disturb each other (PostgreSQL, unique_violation).
            std::thread::sleep(Duration::from_millis(100));
            made = self.make_tables();
        }
        made?;
        self.version()?
    }

    fn make_tables(&self) -> Result<(), StorageError> {
        self.link.run(TIMEOUT * 5, |client| async move {
            for table in TABLES {
                client.batch_execute(table).await?;
            }
            client.execute_typed(SET_VERSION, &[(&LAYOUT, Type::INT4)]).await
        })?;
        Ok(())
    }

    /// Fails if a newer version made the tables. The outer error means that they cannot be read.
    fn version(&self) -> Result<Result<(), StorageError>, StorageError> {
        let rows = self.link.run(TIMEOUT, |client| async move { client.query_typed(VERSION, &[]).await })?;
        let Some(found) = rows.first().and_then(|row| row.try_get::<_, i32>(0).ok()) else {
            return Err(StorageError::Failed("the tables in the database have no version".to_owned()));
        };
        Ok(if found > LAYOUT {
            let cause = format!(
                "the tables in the database are in layout {found}, and this callboard knows layouts up to {LAYOUT}; \
                 run the newer callboard"
            );
            Err(StorageError::Failed(cause))
        } else {
            Ok(())
        })
    }

    /// The standbys of the database: how many are synchronous, and how many are not. None where it does not say.
    pub(in crate::store) fn standbys(&self) -> Option<(usize, usize)> {
        let rows =
            self.link.run(TIMEOUT, |client| async move { client.query_typed(STANDBYS, &[]).await }).ok()?;
        let states: Option<Vec<String>> = rows.iter().map(|row| row.try_get(0).ok()).collect();
        let states = states?;
        let synchronous = states.iter().filter(|state| matches!(state.as_str(), "sync" | "quorum")).count();
        Some((synchronous, states.len() - synchronous))
    }

    /// Appends an entry after the one with the hash `before`. False if another entry has its sequence, or if the one
    /// before is not in the log.
    pub(in crate::store) fn append(&self, entry: &NewEntry) -> Result<bool, StorageError> {
        let parts = entry.packed.len().div_ceil(PART_BYTES).max(1);
        let patience = TIMEOUT + Duration::from_millis(250) * u32::try_from(parts).unwrap_or(u32::MAX);
        let (conference, writer, entry) = (self.conference.clone(), self.writer.clone(), entry.clone());
        self.link.run(patience, |client| async move {
            if parts == 1 {
                return insert(&client, &conference, &writer, &entry, parts).await;
            }
            client.batch_execute("BEGIN").await?;
            let inserted = insert(&client, &conference, &writer, &entry, parts).await;
            client.batch_execute(if matches!(inserted, Ok(true)) { "COMMIT" } else { "ROLLBACK" }).await?;
            inserted
        })
    }

    /// Whether an entry is in the log, after a lost reply: true if it is, false if another one has its sequence, none
    /// if none has.
    pub(in crate::store) fn has(&self, sequence: u64, hash: Chain) -> Result<Option<bool>, StorageError> {
        let conference = self.conference.clone();
        let sequence = signed(sequence);
        let rows = self.link.run(TIMEOUT, |client| async move {
            client.query_typed(WRITER, &[(&conference, Type::TEXT), (&sequence, Type::INT8)]).await
        })?;
        let Some(row) = rows.first() else { return Ok(None) };
        let (writer, found) = (get::<String>(row, 0)?, Chain::of(get::<&[u8]>(row, 1)?));
        Ok(Some(writer == self.writer && found == hash))
    }

    /// Reads entries after `sequence`.
    pub(in crate::store) fn read(&self, sequence: u64) -> Result<LogRead, StorageError> {
        let (conference, from) = (self.conference.clone(), signed(sequence));
        // Large entries take long to arrive.
        let rows = self.link.run(TIMEOUT * 5, |client| async move {
            let parameters: [(&(dyn ToSql + Sync), Type); 3] =
                [(&conference, Type::TEXT), (&from, Type::INT8), (&ROWS, Type::INT8)];
            client.query_typed(READ, &parameters).await
        })?;
        let has_more = i64::try_from(rows.len()).is_ok_and(|rows| rows >= ROWS);
        let mut read = LogRead { at: None, entries: Vec::new(), has_more };
        let mut rows = rows.iter().peekable();
        while let Some(row) = rows.next() {
            let found = unsigned(get(row, 0)?);
            let (part, parts): (i32, i32) = (get(row, 1)?, get(row, 2)?);
            let hash = Chain::of(get(row, 3)?);
            if found == sequence {
                read.at = Some(hash);
                continue;
            }
            if part != 0 {
                return Err(StorageError::Failed(format!("entry {found} of the log lacks its beginning")));
            }
            let writer = get(row, 4)?;
            let mut packed = get::<&[u8]>(row, 5)?.to_vec();
            let mut have = 1;
            while let Some(next) =
                rows.next_if(|next| next.try_get(0).is_ok_and(|n: i64| unsigned(n) == found))
            {
                packed.extend_from_slice(get(next, 5)?);
                have += 1;
            }
            while have < parts {
                let more = self.parts(found, have)?;
                if more.is_empty() {
                    return Err(StorageError::Failed(format!("entry {found} of the log lacks its end")));
                }
                for body in more {
                    packed.extend_from_slice(&body);
                    have += 1;
                }
            }
            let body = unpack(&packed).ok_or_else(|| {
                StorageError::Failed(format!("entry {found} of the log is damaged; restore the database"))
            })?;
            read.entries.push(LogEntry { sequence: found, hash, writer, body });
        }
        Ok(read)
    }

    /// The parts of an entry from a part on.
    fn parts(&self, sequence: u64, from: i32) -> Result<Vec<Vec<u8>>, StorageError> {
        let (conference, sequence) = (self.conference.clone(), signed(sequence));
        let rows = self.link.run(TIMEOUT * 5, |client| async move {
            let parameters: [(&(dyn ToSql + Sync), Type); 4] = [
                (&conference, Type::TEXT),
                (&sequence, Type::INT8),
                (&from, Type::INT4),
                (&(ROWS / 4), Type::INT8),
            ];
            client.query_typed(READ_PARTS, &parameters).await
        })?;
        rows.iter().map(|row| Ok(get::<&[u8]>(row, 1)?.to_vec())).collect()
    }

    /// The sequences of the first and the last entry; none if the log is empty.
    pub(in crate::store) fn ends(&self) -> Result<Option<(u64, u64)>, StorageError> {
        let conference = self.conference.clone();
        let rows = self.link.run(TIMEOUT, |client| async move {
            client.query_typed(ENDS, &[(&conference, Type::TEXT)]).await
        })?;
        let Some(row) = rows.first() else { return Ok(None) };
        let ends: (Option<i64>, Option<i64>) = (get(row, 0)?, get(row, 1)?);
        Ok(ends.0.zip(ends.1).map(|(first, last)| (unsigned(first), unsigned(last))))
    }

    /// The whole checkpoints, the newest first.
    pub(in crate::store) fn checkpoints(&self) -> Result<Vec<StoredCheckpoint>, StorageError> {
        let conference = self.conference.clone();
        let rows = self.link.run(TIMEOUT, |client| async move {
            client.query_typed(CHECKPOINTS, &[(&conference, Type::TEXT)]).await
        })?;
        rows.iter()
            .map(|row| {
                let sequence = unsigned(get(row, 0)?);
                Ok(StoredCheckpoint { sequence, parts: get(row, 1)?, hash: Chain::of(get(row, 2)?) })
            })
            .collect()
    }

    /// Writes the compressed bytes of a checkpoint to `out`.
    pub(in crate::store) fn download(
        &self,
        checkpoint: &StoredCheckpoint,
        out: &mut dyn io::Write,
    ) -> Result<(), StorageError> {
        let sequence = signed(checkpoint.sequence);
        // Part 0 has no bytes.
        for part in 1..checkpoint.parts {
            let conference = self.conference.clone();
            let rows = self.link.run(TIMEOUT * 5, |client| async move {
                let parameters: [(&(dyn ToSql + Sync), Type); 3] =
                    [(&conference, Type::TEXT), (&sequence, Type::INT8), (&part, Type::INT4)];
                client.query_typed(CHECKPOINT_PART, &parameters).await
            })?;
            let missing =
                || StorageError::Failed("a checkpoint in the database was replaced meanwhile".to_owned());
            out.write_all(get::<&[u8]>(rows.first().ok_or_else(missing)?, 0)?)?;
        }
        Ok(())
    }

    /// Stores a checkpoint from its compressed bytes. It can be read once part 0 is there, which comes last.
    pub(in crate::store) fn upload(
        &self,
        sequence: u64,
        hash: Chain,
        packed: &mut dyn io::Read,
    ) -> Result<(), StorageError> {
        if self.checkpoints()?.iter().any(|stored| stored.sequence == sequence && stored.hash == hash) {
            return Ok(());
        }
        // An upload that was cut off may have left parts.
        self.delete(DROP_CHECKPOINT, sequence)?;
        let mut part = 1;
        loop {
            let mut body = Vec::with_capacity(PART_BYTES);
            let mut piece = io::Read::take(&mut *packed, PART_BYTES as u64);
            io::Read::read_to_end(&mut piece, &mut body)?;
            if body.is_empty() {
                break;
            }
            self.put_checkpoint_part(sequence, part, 0, hash, body)?;
            part += 1;
        }
        self.put_checkpoint_part(sequence, 0, part, hash, Vec::new())
    }

    fn put_checkpoint_part(
        &self,
        sequence: u64,
        part: i32,
        parts: i32,
        hash: Chain,
        body: Vec<u8>,
    ) -> Result<(), StorageError> {
        let (conference, sequence) = (self.conference.clone(), signed(sequence));
        self.link.run(TIMEOUT * 5, |client| async move {
            let parameters: [(&(dyn ToSql + Sync), Type); 6] = [
                (&conference, Type::TEXT),
                (&sequence, Type::INT8),
                (&part, Type::INT4),
                (&parts, Type::INT4),
                (&hash.0.as_slice(), Type::BYTEA),
                (&body, Type::BYTEA),
            ];
            client.execute_typed(PUT_CHECKPOINT_PART, &parameters).await
        })?;
        Ok(())
    }

    /// Keeps the newest two checkpoints, and the entries that are younger than 7 days or after the older of the two.
    pub(in crate::store) fn prune(&self) -> Result<(), StorageError> {
        let Some(older) = self.checkpoints()?.get(1).copied() else { return Ok(()) };
        self.delete(DROP_CHECKPOINTS, older.sequence)?;
        self.delete(PRUNE, older.sequence)
    }

    fn delete(&self, statement: &'static str, sequence: u64) -> Result<(), StorageError> {
        let (conference, sequence) = (self.conference.clone(), signed(sequence));
        self.link.run(TIMEOUT * 30, |client| async move {
            client.execute_typed(statement, &[(&conference, Type::TEXT), (&sequence, Type::INT8)]).await
        })?;
        Ok(())
    }
}

/// Inserts all parts of an entry; false if it cannot be the next one.
async fn insert(
    client: &Client,
    conference: &str,
    writer: &str,
    entry: &NewEntry,
    parts: usize,
) -> Result<bool, Error> {
    let sequence = signed(entry.sequence);
    let count = i32::try_from(parts).unwrap_or(i32::MAX);
    let mut bodies = entry.packed.chunks(PART_BYTES);
    let first: [(&(dyn ToSql + Sync), Type); 7] = [
        (&conference, Type::TEXT),
        (&sequence, Type::INT8),
        (&count, Type::INT4),
        (&entry.before.0.as_slice(), Type::BYTEA),
        (&entry.hash.0.as_slice(), Type::BYTEA),
        (&writer, Type::TEXT),
        (&bodies.next().unwrap_or_default(), Type::BYTEA),
    ];
    if client.execute_typed(APPEND, &first).await? == 0 {
        return Ok(false);
    }
    for (part, body) in (1..).zip(bodies) {
        let part: i32 = part;
        let parameters: [(&(dyn ToSql + Sync), Type); 8] = [
            (&conference, Type::TEXT),
            (&sequence, Type::INT8),
            (&part, Type::INT4),
            (&count, Type::INT4),
            (&entry.before.0.as_slice(), Type::BYTEA),
            (&entry.hash.0.as_slice(), Type::BYTEA),
            (&writer, Type::TEXT),
            (&body, Type::BYTEA),
        ];
        client.execute_typed(APPEND_PART, &parameters).await?;
    }
    Ok(true)
}

/// Compresses the body of a record.
pub(in crate::store) fn pack(body: &[u8]) -> Option<Bytes> {
    zstd::bulk::compress(body, 1).ok().map(Bytes::from)
}

/// Decompresses the body of a record; none if it is damaged.
fn unpack(packed: &[u8]) -> Option<Vec<u8>> {
    zstd::stream::decode_all(packed).ok()
}

fn get<'a, T: tokio_postgres::types::FromSql<'a>>(row: &'a Row, column: usize) -> Result<T, StorageError> {
    row.try_get(column)
        .map_err(|error| StorageError::Failed(format!("the database's answer is odd: {error}")))
}

fn signed(sequence: u64) -> i64 {
    i64::try_from(sequence).unwrap_or(i64::MAX)
}

fn unsigned(sequence: i64) -> u64 {
    u64::try_from(sequence).unwrap_or(0)
}

/// A log that the threads of a store share.
pub(in crate::store) type SharedLog = Arc<LogClient>;

#[cfg(test)]
mod tests {
    /// Databases that speak PostgreSQL's protocol differ in everything but plain statements.
    #[test]
    fn every_statement_is_plain() {
        let source = include_str!("log.rs");
        let statements = source.split("#[cfg(test)]").next().unwrap();
        for word in [
            "UPDATE ",
            "LISTEN",
            "NOTIFY",
            "FOR UPDATE",
            "LOCK ",
            "SERIAL",
            "TRIGGER",
            "FUNCTION",
            "RETURNING",
        ] {
            assert!(!statements.contains(word), "{word}");
        }
        let begins = [
            "CREATE TABLE IF NOT EXISTS ",
            "SELECT ",
            "INSERT INTO ",
            "DELETE FROM ",
            "BEGIN",
            "COMMIT",
            "ROLLBACK",
        ];
        let literals = statements.split('"').skip(1).step_by(2);
        let sql: Vec<&str> =
            literals.filter(|text| text.chars().take(5).all(|c| c.is_ascii_uppercase())).collect();
        assert!(sql.len() > 15, "{sql:?}");
        for statement in sql {
            assert!(begins.iter().any(|begin| statement.starts_with(begin)), "{statement}");
        }
    }
}
