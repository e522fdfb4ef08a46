//! The rows of `ledger.db`, one file a tenant.
//!
//! It holds no payload and no salt, only what anyone may know who may see the ledger, and so it is
//! not sealed. What is deleted is gone from the file too.

mod begun;

use std::ops::Range;
use std::path::Path;

use ledgerline_ledger::entry::Kind;
use ledgerline_ledger::hash::Hash;
use ledgerline_ledger::log_id::LogId;
use ledgerline_model::id::DatasetId;
use parking_lot::Mutex;
use rusqlite::{Connection, ErrorCode, OptionalExtension, Transaction, params};

use self::begun::JOBS;
use crate::error::{Error, ErrorKind, Result};

const VERSION: i64 = 2;

const TABLES: &str = "
-- The log of each audit dataset, and how many entries of it are here.
CREATE TABLE log (
    dataset INTEGER PRIMARY KEY,
    log_id  BLOB NOT NULL UNIQUE CHECK (length(log_id) = 16),
    name    TEXT NOT NULL,
    size    INTEGER NOT NULL
) STRICT;
-- The records of 256 entries each; of the last tile, those that there are.
CREATE TABLE tile (
    dataset INTEGER NOT NULL,
    number  INTEGER NOT NULL,
    records BLOB NOT NULL,
    UNIQUE (dataset, number)
) STRICT;
-- The roots of complete subtrees of 256^level entries.
CREATE TABLE node (
    dataset INTEGER NOT NULL,
    level   INTEGER NOT NULL,
    number  INTEGER NOT NULL,
    hash    BLOB NOT NULL CHECK (length(hash) = 32),
    PRIMARY KEY (dataset, level, number)
) STRICT, WITHOUT ROWID;
-- What entries say of earlier ones: amendments of one, erasures and retirements of spans.
CREATE TABLE link (
    dataset INTEGER NOT NULL,
    first   INTEGER NOT NULL,
    last    INTEGER NOT NULL,
    -- The entry that says it, and its kind.
    seq     INTEGER NOT NULL,
    kind    INTEGER NOT NULL,
    PRIMARY KEY (dataset, first, seq)
) STRICT, WITHOUT ROWID;
-- The signed heads that were published.
CREATE TABLE checkpoint (
    dataset INTEGER NOT NULL,
    size    INTEGER NOT NULL,
    signed  INTEGER NOT NULL,
    note    TEXT NOT NULL,
    PRIMARY KEY (dataset, size)
) STRICT, WITHOUT ROWID;
-- Erasures that are not done yet.
CREATE TABLE erasure (
    id      BLOB PRIMARY KEY CHECK (length(id) = 16),
    intent  TEXT NOT NULL
) STRICT, WITHOUT ROWID;
";

/// One dataset's log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LogRow {
    pub(crate) dataset: DatasetId,
    pub(crate) log_id: LogId,
    pub(crate) name: String,
    pub(crate) size: u64,
}

/// How a log grows.
#[derive(Debug, Default)]
pub(crate) struct Growth {
    pub(crate) size: u64,
    /// Tiles of records, by number: new ones, and the one that was the last before.
    pub(crate) tiles: Vec<(u64, Vec<u8>)>,
    /// Level of the tile, number, hash.
    pub(crate) nodes: Vec<(u8, u64, Hash)>,
    pub(crate) links: Vec<Link>,
}

/// What an entry says of earlier ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Link {
    pub(crate) first: u64,
    pub(crate) last: u64,
    /// The entry that says it.
    pub(crate) seq: u64,
    pub(crate) kind: Kind,
}

#[derive(Debug)]
pub(crate) struct Rows {
    connection: Mutex<Connection>,
}

impl Rows {
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let connection = connect(path).map_err(sql)?;
        Ok(Self { connection: Mutex::new(connection) })
    }

    pub(crate) fn logs(&self) -> Result<Vec<LogRow>> {
        let connection = self.connection.lock();
        let run = || -> rusqlite::Result<Vec<LogRow>> {
            let mut select = connection.prepare("SELECT dataset, log_id, name, size FROM log")?;
            let log = |row: &rusqlite::Row<'_>| {
                Ok(LogRow {
                    dataset: DatasetId(row.get(0)?),
                    log_id: LogId(row.get(1)?),
                    name: row.get(2)?,
                    size: row.get::<_, i64>(3)? as u64,
                })
            };
            select.query_map([], log)?.collect()
        };
        run().map_err(sql)
    }

    pub(crate) fn add_log(&self, log: &LogRow) -> Result<()> {
        self.write(|transaction| {
            transaction.execute(
                "INSERT INTO log VALUES (?1, ?2, ?3, ?4)",
                params![log.dataset.0, log.log_id.0, log.name, log.size as i64],
            )?;
            Ok(())
        })
    }

    /// Lets logs grow, all or none.
    pub(crate) fn grow(&self, growths: &[(DatasetId, Growth)]) -> Result<()> {
        self.write(|transaction| {
            for (dataset, growth) in growths {
                let mut tile = transaction
                    .prepare_cached("INSERT OR REPLACE INTO tile VALUES (?1, ?2, ?3)")?;
                for (number, records) in &growth.tiles {
                    tile.execute(params![dataset.0, *number as i64, records])?;
                }
                let mut node =
                    transaction.prepare_cached("INSERT INTO node VALUES (?1, ?2, ?3, ?4)")?;
                for (level, number, hash) in &growth.nodes {
                    node.execute(params![dataset.0, level, *number as i64, hash.0])?;
                }
                let mut put =
                    transaction.prepare_cached("INSERT INTO link VALUES (?1, ?2, ?3, ?4, ?5)")?;
                for link in &growth.links {
                    let (first, last, seq) = (link.first as i64, link.last as i64, link.seq as i64);
                    put.execute(params![dataset.0, first, last, seq, link.kind.to_byte()])?;
                }
                transaction
                    .prepare_cached("UPDATE log SET size = ?2 WHERE dataset = ?1")?
                    .execute(params![dataset.0, growth.size as i64])?;
            }
            Ok(())
        })
    }

    pub(crate) fn tile(&self, dataset: DatasetId, number: u64) -> Result<Option<Vec<u8>>> {
        self.read(|connection| {
            connection
                .prepare_cached("SELECT records FROM tile WHERE dataset = ?1 AND number = ?2")?
                .query_row(params![dataset.0, number as i64], |row| row.get(0))
                .optional()
        })
    }

    /// The hashes of so many nodes from one on, as far as they are there.
    pub(crate) fn nodes(
        &self,
        dataset: DatasetId,
        level: u8,
        first: u64,
        count: u64,
    ) -> Result<Vec<Hash>> {
        self.read(|connection| {
            connection
                .prepare_cached(
                    "SELECT hash FROM node
                     WHERE dataset = ?1 AND level = ?2 AND number >= ?3 AND number < ?4
                     ORDER BY number",
                )?
                .query_map(
                    params![dataset.0, level, first as i64, (first + count) as i64],
                    |row| row.get(0).map(Hash),
                )?
                .collect()
        })
    }

    /// The amendments of an entry, the first one first.
    pub(crate) fn amendments(&self, dataset: DatasetId, target: u64) -> Result<Vec<u64>> {
        self.read(|connection| {
            connection
                .prepare_cached(
                    "SELECT seq FROM link WHERE dataset = ?1 AND first = ?2 AND kind = ?3
                     ORDER BY seq",
                )?
                .query_map(params![dataset.0, target as i64, Kind::Amendment.to_byte()], |row| {
                    row.get::<_, i64>(0).map(|seq| seq as u64)
                })?
                .collect()
        })
    }

    /// The amendments of the entries in a span.
    pub(crate) fn amendments_within(
        &self,
        dataset: DatasetId,
        span: &Range<u64>,
    ) -> Result<Vec<u64>> {
        self.read(|connection| {
            connection
                .prepare_cached(
                    "SELECT seq FROM link
                     WHERE dataset = ?1 AND first >= ?2 AND first < ?3 AND kind = ?4",
                )?
                .query_map(
                    params![
                        dataset.0,
                        bound(span.start),
                        bound(span.end),
                        Kind::Amendment.to_byte()
                    ],
                    |row| row.get::<_, i64>(0).map(|seq| seq as u64),
                )?
                .collect()
        })
    }

    /// What entries in a span erased or retired: first and last.
    pub(crate) fn removed_by(
        &self,
        dataset: DatasetId,
        span: &Range<u64>,
    ) -> Result<Vec<(u64, u64)>> {
        let (erasure, retirement) = (Kind::Erasure.to_byte(), Kind::Retirement.to_byte());
        let both = |row: &rusqlite::Row<'_>| {
            Ok((row.get::<_, i64>(0)? as u64, row.get::<_, i64>(1)? as u64))
        };
        self.read(|connection| {
            let (start, end) = (bound(span.start), bound(span.end));
            connection
                .prepare_cached(
                    "SELECT first, last FROM link
                     WHERE dataset = ?1 AND seq >= ?2 AND seq < ?3 AND kind IN (?4, ?5)",
                )?
                .query_map(params![dataset.0, start, end, erasure, retirement], both)?
                .collect()
        })
    }

    /// The first entry that erased or retired another.
    pub(crate) fn remover(&self, dataset: DatasetId, target: u64) -> Result<Option<u64>> {
        self.read(|connection| {
            connection
                .prepare_cached(
                    "SELECT seq FROM link
                     WHERE dataset = ?1 AND first <= ?2 AND last >= ?2 AND kind IN (?3, ?4)
                     ORDER BY seq LIMIT 1",
                )?
                .query_row(
                    params![
                        dataset.0,
                        target as i64,
                        Kind::Erasure.to_byte(),
                        Kind::Retirement.to_byte()
                    ],
                    |row| row.get::<_, i64>(0).map(|seq| seq as u64),
                )
                .optional()
        })
    }

    /// The signed head of a size, or the largest one.
    pub(crate) fn checkpoint(
        &self,
        dataset: DatasetId,
        size: Option<u64>,
    ) -> Result<Option<String>> {
        self.read(|connection| match size {
            Some(size) => connection
                .prepare_cached("SELECT note FROM checkpoint WHERE dataset = ?1 AND size = ?2")?
                .query_row(params![dataset.0, size as i64], |row| row.get(0))
                .optional(),
            None => connection
                .prepare_cached(
                    "SELECT note FROM checkpoint WHERE dataset = ?1 ORDER BY size DESC LIMIT 1",
                )?
                .query_row(params![dataset.0], |row| row.get(0))
                .optional(),
        })
    }

    /// The largest signed head with a second signature: the log's own comes first.
    pub(crate) fn cosigned_checkpoint(&self, dataset: DatasetId) -> Result<Option<String>> {
        self.read(|connection| {
            connection
                .prepare_cached(
                    "SELECT note FROM checkpoint WHERE dataset = ?1 AND note LIKE '%— %— %'
                     ORDER BY size DESC LIMIT 1",
                )?
                .query_row(params![dataset.0], |row| row.get(0))
                .optional()
        })
    }

    /// The signed heads above a size, the smallest first.
    pub(crate) fn checkpoints(
        &self,
        dataset: DatasetId,
        above: u64,
        limit: u32,
    ) -> Result<Vec<String>> {
        self.read(|connection| {
            connection
                .prepare_cached(
                    "SELECT note FROM checkpoint WHERE dataset = ?1 AND size > ?2
                     ORDER BY size LIMIT ?3",
                )?
                .query_map(params![dataset.0, above as i64, limit], |row| row.get(0))?
                .collect()
        })
    }

    /// Keeps signed heads: dataset, size, when it was signed, note.
    pub(crate) fn put_checkpoints(&self, notes: &[(DatasetId, u64, i64, String)]) -> Result<()> {
        self.write(|transaction| {
            let mut put = transaction
                .prepare_cached("INSERT OR REPLACE INTO checkpoint VALUES (?1, ?2, ?3, ?4)")?;
            for (dataset, size, signed, note) in notes {
                put.execute(params![dataset.0, *size as i64, signed, note])?;
            }
            Ok(())
        })
    }

    /// Forgets all signed heads before a time but the last of each hour.
    pub(crate) fn thin_checkpoints(&self, before_ns: i64) -> Result<()> {
        const HOUR_NS: i64 = 3_600 * 1_000_000_000;
        self.write(|transaction| {
            transaction.execute(
                "DELETE FROM checkpoint WHERE signed < ?1 AND (dataset, size) NOT IN
                 (SELECT dataset, max(size) FROM checkpoint GROUP BY dataset, signed / ?2)",
                params![before_ns, HOUR_NS],
            )?;
            Ok(())
        })
    }

    fn read<T>(&self, run: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T> {
        run(&self.connection.lock()).map_err(sql)
    }

    fn write(&self, run: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<()>) -> Result<()> {
        let mut connection = self.connection.lock();
        let change = || -> rusqlite::Result<()> {
            let transaction = connection.transaction()?;
            run(&transaction)?;
            transaction.commit()
        };
        change().map_err(unmade)
    }
}

/// The bound of a span: no entry has a number beyond these.
fn bound(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// The error of a change. When the disk fails under one, nobody can tell whether what was written
/// will be found again.
fn unmade(error: rusqlite::Error) -> Error {
    if error.sqlite_error_code() == Some(ErrorCode::SystemIoFailure) {
        return Error::caused(ErrorKind::Unknown, "a change of the ledger", error);
    }
    sql(error)
}

fn connect(path: &Path) -> rusqlite::Result<Connection> {
    let mut connection = Connection::open(path)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "trusted_schema", false)?;
    connection.pragma_update(None, "cell_size_check", true)?;
    connection.pragma_update(None, "secure_delete", true)?;
    let transaction = connection.transaction()?;
    let version: i64 = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
    match version {
        0 => transaction.execute_batch(&format!("{TABLES}{JOBS}"))?,
        1 => transaction.execute_batch(JOBS)?,
        VERSION => {}
        unknown => return Err(rusqlite::Error::IntegralValueOutOfRange(0, unknown)),
    }
    if version != VERSION {
        transaction.pragma_update(None, "user_version", VERSION)?;
    }
    transaction.commit()?;
    Ok(connection)
}

fn sql(error: rusqlite::Error) -> Error {
    let kind = match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) | None => ErrorKind::Corrupt,
        Some(_) => ErrorKind::Unavailable,
    };
    Error::caused(kind, "the ledger's rows", error)
}
