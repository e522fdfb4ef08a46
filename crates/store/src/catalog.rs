//! The catalog: which segments are live, and up to where the journal is in them. One SQLite file
//! for each tenant; every change is one transaction.
//!
//! It holds numbers and ids, never a name or a value of an event.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::OnceLock;

use ledgerline_journal::Position;
use ledgerline_model::id::{DatasetId, SegmentId, Seq};
use ledgerline_model::time::Timestamp;
use parking_lot::Mutex;
use rusqlite::{Connection, ErrorCode, Row, Transaction, params};

use crate::error::{Error, ErrorKind, Result};
use crate::segment::directory::Directory;
use crate::window::Window;

/// SQLite before this can corrupt its journal (fixed on 2026-03-13).
const SQLITE_VERSION_MIN: i32 = 3_051_003;
/// The version of the tables. Version 1 lacks `leaving`.
const VERSION: i64 = 2;

const TABLES: &str = "
    CREATE TABLE segments (
        id BLOB PRIMARY KEY, dataset INTEGER NOT NULL,
        window_start INTEGER NOT NULL, window_width INTEGER NOT NULL, rows INTEGER NOT NULL,
        seq_first INTEGER NOT NULL, seq_last INTEGER NOT NULL,
        time_first INTEGER NOT NULL, time_last INTEGER NOT NULL,
        received_first INTEGER NOT NULL, received_last INTEGER NOT NULL,
        bytes_in INTEGER NOT NULL, sealed_bytes INTEGER NOT NULL,
        applied INTEGER NOT NULL, is_settled INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE datasets (id INTEGER PRIMARY KEY, next_seq INTEGER NOT NULL) STRICT;
    CREATE TABLE journal (id INTEGER PRIMARY KEY CHECK (id = 1), applied INTEGER NOT NULL) STRICT;
    INSERT INTO journal VALUES (1, 0);
";
/// Segments that are live no more, and whose files may not be deleted yet.
const LEAVING: &str = "CREATE TABLE leaving (id BLOB PRIMARY KEY) STRICT, WITHOUT ROWID;";

/// What the catalog knows of a segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) id: SegmentId,
    pub(crate) dataset: DatasetId,
    pub(crate) window: Window,
    pub(crate) rows: u64,
    pub(crate) seqs: (Seq, Seq),
    pub(crate) times: (Timestamp, Timestamp),
    pub(crate) received: (Timestamp, Timestamp),
    pub(crate) bytes_in: u64,
    pub(crate) sealed_bytes: u64,
    /// [`Directory::applied`].
    pub(crate) applied: u64,
    /// Whether it was written for long, not in haste.
    pub(crate) is_settled: bool,
}

impl Entry {
    /// The entry of a segment, from its own directory.
    pub(crate) fn of(directory: &Directory, sealed_bytes: u64) -> Self {
        Self {
            id: directory.id,
            dataset: directory.dataset,
            window: directory.window,
            rows: u64::from(directory.rows),
            seqs: directory.seqs,
            times: directory.times,
            received: directory.received,
            bytes_in: directory.bytes_in,
            sealed_bytes,
            applied: directory.applied,
            is_settled: directory.is_settled,
        }
    }

    fn read(row: &Row<'_>) -> rusqlite::Result<Option<Self>> {
        let time = |at: usize| row.get(at).map(Timestamp);
        let number = |at: usize| row.get::<_, i64>(at).map(|number| number as u64);
        let Ok(id) = SegmentId::from_bytes(row.get(0)?) else { return Ok(None) };
        Ok(Some(Self {
            id,
            dataset: DatasetId(row.get(1)?),
            window: Window { start: time(2)?, width: row.get(3)? },
            rows: number(4)?,
            seqs: (Seq(number(5)?), Seq(number(6)?)),
            times: (time(7)?, time(8)?),
            received: (time(9)?, time(10)?),
            bytes_in: number(11)?,
            sealed_bytes: number(12)?,
            applied: number(13)?,
            is_settled: row.get(14)?,
        }))
    }

    fn insert(&self, transaction: &Transaction<'_>) -> rusqlite::Result<()> {
        let mut statement = transaction.prepare_cached(
            "INSERT INTO segments VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15)",
        )?;
        statement.execute(params![
            self.id.as_bytes(),
            self.dataset.0,
            self.window.start.0,
            self.window.width,
            self.rows as i64,
            self.seqs.0.0 as i64,
            self.seqs.1.0 as i64,
            self.times.0.0,
            self.times.1.0,
            self.received.0.0,
            self.received.1.0,
            self.bytes_in as i64,
            self.sealed_bytes as i64,
            self.applied as i64,
            self.is_settled,
        ])?;
        Ok(())
    }
}

/// Everything that the catalog holds.
#[derive(Debug, Clone, Default)]
pub(crate) struct Contents {
    pub(crate) segments: Vec<Entry>,
    pub(crate) next_seqs: Vec<(DatasetId, Seq)>,
    pub(crate) applied: Position,
    /// Segments whose files are to be deleted: their events are in others, or are past their time.
    pub(crate) leaving: BTreeSet<SegmentId>,
}

/// One change, which happens whole or not at all.
#[derive(Debug, Default)]
pub(crate) struct Change {
    pub(crate) added: Vec<Entry>,
    /// Segments that are live no more. Their files may be deleted from now on.
    pub(crate) removed: Vec<SegmentId>,
    /// Segments whose files are gone.
    pub(crate) lost: Vec<SegmentId>,
    pub(crate) next_seqs: Vec<(DatasetId, Seq)>,
    /// Where the journal is applied now, when that changes.
    pub(crate) applied: Option<Position>,
}

/// An open catalog.
#[derive(Debug)]
pub(crate) struct Catalog {
    connection: Mutex<Connection>,
    /// Files that were deleted since the last change, which will say so.
    deleted: Mutex<Vec<SegmentId>>,
    failure: OnceLock<String>,
}

impl Catalog {
    /// Opens a catalog, or makes it.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        if rusqlite::version_number() < SQLITE_VERSION_MIN {
            return Err(Error::bug(format!("SQLite {} is too old", rusqlite::version())));
        }
        let connection = Mutex::new(Self::connect(path).map_err(sql)?);
        Ok(Self { connection, deleted: Mutex::default(), failure: OnceLock::new() })
    }

    fn connect(path: &Path) -> rusqlite::Result<Connection> {
        let mut connection = Connection::open(path)?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        let transaction = connection.transaction()?;
        let version: i64 = transaction.pragma_query_value(None, "user_version", |r| r.get(0))?;
        match version {
            0 => transaction.execute_batch(&format!("{TABLES}{LEAVING}"))?,
            1 => transaction.execute_batch(LEAVING)?,
            VERSION => {}
            unknown => return Err(rusqlite::Error::IntegralValueOutOfRange(0, unknown)),
        }
        if version != VERSION {
            transaction.pragma_update(None, "user_version", VERSION)?;
        }
        transaction.commit()?;
        Ok(connection)
    }

    /// Reads everything.
    pub(crate) fn read(&self) -> Result<Contents> {
        let mut connection = self.connection.lock();
        let transaction = connection.transaction().map_err(sql)?;
        let contents = contents(&transaction).map_err(sql)?;
        contents.ok_or_else(|| Error::corrupt("the catalog has a segment without an id"))
    }

    /// Why the catalog takes no change any more, when the disk failed under one.
    pub(crate) fn failure(&self) -> Option<&str> {
        self.failure.get().map(String::as_str)
    }

    /// Makes a change, durably.
    ///
    /// # Errors
    /// `Unknown` when the disk failed under it, or under one before it: whether that change was
    /// made shows when the catalog is opened again. After any other error it was not made.
    pub(crate) fn commit(&self, change: &Change) -> Result<()> {
        let mut connection = self.connection.lock();
        if let Some(failure) = self.failure() {
            return Err(Error::new(ErrorKind::Unknown, failure.to_owned()));
        }
        let deleted = std::mem::take(&mut *self.deleted.lock());
        let made = make(&mut connection, change, &deleted).map_err(unmade);
        if let Err(error) = &made {
            self.deleted.lock().extend(deleted);
            if error.kind() == ErrorKind::Unknown {
                let cause = std::error::Error::source(error).map(ToString::to_string);
                self.failure.get_or_init(|| format!("{error}: {}", cause.unwrap_or_default()));
            }
        }
        made
    }

    /// Notes that the file of a segment that left is deleted. The next change says so.
    pub(crate) fn note_deleted(&self, id: SegmentId) {
        self.deleted.lock().push(id);
    }

    /// What is wrong with the file itself, if anything.
    pub(crate) fn check(&self) -> Result<Option<String>> {
        let connection = self.connection.lock();
        let answer: String = connection
            .pragma_query_value(None, "integrity_check", |row| row.get(0))
            .map_err(sql)?;
        Ok((answer != "ok").then_some(answer))
    }
}

fn make(
    connection: &mut Connection,
    change: &Change,
    deleted: &[SegmentId],
) -> rusqlite::Result<()> {
    let transaction = connection.transaction()?;
    let execute = |text: &str, id: &SegmentId| {
        transaction.prepare_cached(text)?.execute([id.as_bytes()]).map(drop)
    };
    for id in change.removed.iter().chain(&change.lost) {
        execute("DELETE FROM segments WHERE id = ?1", id)?;
    }
    for id in &change.removed {
        execute("INSERT OR REPLACE INTO leaving VALUES (?1)", id)?;
    }
    for id in deleted {
        execute("DELETE FROM leaving WHERE id = ?1", id)?;
    }
    change.added.iter().try_for_each(|entry| entry.insert(&transaction))?;
    for (dataset, next) in &change.next_seqs {
        transaction
            .prepare_cached("INSERT OR REPLACE INTO datasets VALUES (?1, ?2)")?
            .execute(params![dataset.0, next.0 as i64])?;
    }
    if let Some(applied) = change.applied {
        transaction.execute("UPDATE journal SET applied = ?1", [applied.0 as i64])?;
    }
    transaction.commit()
}

fn contents(transaction: &Transaction<'_>) -> rusqlite::Result<Option<Contents>> {
    let mut statement = transaction.prepare("SELECT * FROM segments")?;
    let segments: Option<Vec<Entry>> =
        statement.query_map([], Entry::read)?.collect::<rusqlite::Result<_>>()?;
    let mut statement = transaction.prepare("SELECT id, next_seq FROM datasets")?;
    let next_seq = |row: &Row<'_>| Ok((DatasetId(row.get(0)?), Seq(row.get::<_, i64>(1)? as u64)));
    let next_seqs = statement.query_map([], next_seq)?.collect::<rusqlite::Result<_>>()?;
    let applied: i64 = transaction.query_row("SELECT applied FROM journal", [], |r| r.get(0))?;
    let applied = Position(applied as u64);
    let mut statement = transaction.prepare("SELECT id FROM leaving")?;
    let leaving: Vec<[u8; 16]> =
        statement.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
    let leaving = leaving.into_iter().filter_map(|id| SegmentId::from_bytes(id).ok()).collect();
    Ok(segments.map(|segments| Contents { segments, next_seqs, applied, leaving }))
}

/// The error of a change. When the disk fails under one, SQLite cannot tell either whether what it
/// wrote will be found again; on a full disk it can, and takes the change back.
fn unmade(error: rusqlite::Error) -> Error {
    if error.sqlite_error_code() == Some(ErrorCode::SystemIoFailure) {
        return Error::caused(ErrorKind::Unknown, "a change of the catalog", error);
    }
    sql(error)
}

fn sql(error: rusqlite::Error) -> Error {
    let kind = match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => ErrorKind::Corrupt,
        Some(_) => ErrorKind::Unavailable,
        None => ErrorKind::Corrupt,
    };
    Error::caused(kind, "the catalog", error)
}

#[cfg(test)]
mod tests {
    use rusqlite::ffi;

    use super::*;

    #[test]
    fn only_a_failing_disk_leaves_unknown_whether_a_change_was_made() {
        let kind =
            |code| unmade(rusqlite::Error::SqliteFailure(ffi::Error::new(code), None)).kind();
        assert_eq!(kind(ffi::SQLITE_IOERR_FSYNC), ErrorKind::Unknown);
        assert_eq!(kind(ffi::SQLITE_IOERR_WRITE), ErrorKind::Unknown);
        assert_eq!(kind(ffi::SQLITE_FULL), ErrorKind::Unavailable);
        assert_eq!(kind(ffi::SQLITE_CORRUPT), ErrorKind::Corrupt);
    }

    #[test]
    fn a_catalog_of_the_first_version_is_taken_over() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("catalog.db");
        let old = Connection::open(&path).expect("made");
        old.execute_batch(TABLES).expect("made");
        old.execute("INSERT INTO datasets VALUES (3, 77)", []).expect("written");
        old.pragma_update(None, "user_version", 1).expect("written");
        drop(old);
        for _ in 0..2 {
            let catalog = Catalog::open(&path).expect("opened");
            let contents = catalog.read().expect("read");
            assert_eq!(contents.next_seqs, [(DatasetId(3), Seq(77))]);
            assert!(contents.leaving.is_empty());
        }
    }

    #[test]
    fn what_leaves_is_known_until_its_file_is_gone() {
        let folder = tempfile::tempdir().expect("a folder");
        let catalog = Catalog::open(&folder.path().join("catalog.db")).expect("opened");
        let id = SegmentId::from_bytes([7; 16]).expect("not zero");
        let change = Change { removed: vec![id], ..Change::default() };
        catalog.commit(&change).expect("made");
        assert_eq!(catalog.read().expect("read").leaving, BTreeSet::from([id]));
        catalog.note_deleted(id);
        catalog.commit(&Change::default()).expect("made");
        assert!(catalog.read().expect("read").leaving.is_empty());
    }
}
