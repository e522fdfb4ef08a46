//! The two kinds of SQLite files. One connection to each, behind a lock; every change is one
//! transaction and durable when it returns.

use std::fmt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use rusqlite::{Connection, ErrorCode, OpenFlags, Transaction, TransactionBehavior};

use crate::error::{Error, ErrorKind, Result};

/// 3.51.3 is the first version without a bug that could damage a file with a write-ahead log when
/// two connections checkpoint and write at once.
const SQLITE_VERSION_MIN: i32 = 3_051_003;
/// Enough for every statement of this room.
const STATEMENTS_KEPT: usize = 64;
const WAIT_FOR_LOCK: Duration = Duration::from_secs(5);

/// What a kind of file holds.
#[derive(Debug)]
pub(crate) struct Layout {
    /// Says in the file's header which kind it is: four letters.
    application: [u8; 4],
    /// What leads from each version of the layout to the next, the first from an empty file. One
    /// that was released is never changed.
    migrations: &'static [&'static [&'static str]],
}

const PEOPLE: &str = include_str!("db/people.sql");

const RECORDS_1: &str = include_str!("db/records.sql");
const RECORDS_2: &str = "ALTER TABLE dataset ADD COLUMN hot_days INTEGER;";

/// Of `control/control.db`.
pub(crate) const CONTROL: Layout =
    Layout { application: *b"LLCO", migrations: &[&[PEOPLE, include_str!("db/control.sql")]] };

/// Of `tenants/<id>/records.db`.
pub(crate) const RECORDS: Layout =
    Layout { application: *b"LLTR", migrations: &[&[PEOPLE, RECORDS_1], &[RECORDS_2]] };

/// One file.
pub(crate) struct Database {
    connection: Mutex<Connection>,
    /// The disk failed to take a change. What it holds now is not known (a kernel forgets the pages
    /// that it could not write), so no change is built on it before the file is opened again.
    is_doubtful: AtomicBool,
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Database(..)")
    }
}

impl Database {
    /// Opens a file that must be there, and brings it to the newest layout.
    ///
    /// # Errors
    /// `Unavailable` for an SQLite that is too old and for a file that is missing or of a newer
    /// Ledgerline, `Corrupt` for a file of another kind.
    pub(crate) fn open(path: &Path, layout: &Layout) -> Result<Self> {
        Self::open_with(path, layout, OpenFlags::empty())
    }

    /// As [`Database::open`], but makes a file that is missing.
    pub(crate) fn open_or_make(path: &Path, layout: &Layout) -> Result<Self> {
        Self::open_with(path, layout, OpenFlags::SQLITE_OPEN_CREATE)
    }

    fn open_with(path: &Path, layout: &Layout, flags: OpenFlags) -> Result<Self> {
        check_version(rusqlite::version_number())?;
        // The lock around the connection makes SQLite's own one needless.
        let flags = flags | OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut connection = Connection::open_with_flags(path, flags)?;
        connection.busy_timeout(WAIT_FOR_LOCK)?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS_KEPT);
        let mode: String =
            connection.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0))?;
        if mode != "wal" {
            return Err(Error::new(ErrorKind::Unavailable, "the disk allows no write-ahead log"));
        }
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.pragma_update(None, "foreign_keys", true)?;
        connection.pragma_update(None, "trusted_schema", false)?;
        connection.pragma_update(None, "cell_size_check", true)?;
        // What was deleted is gone from the file too.
        connection.pragma_update(None, "secure_delete", true)?;
        migrate(&mut connection, layout)?;
        Ok(Self { connection: Mutex::new(connection), is_doubtful: AtomicBool::new(false) })
    }

    /// Reads.
    pub(crate) fn read<T>(&self, read: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
        read(&self.connection.lock())
    }

    /// Changes, all or nothing: an error undoes it.
    pub(crate) fn write<T>(&self, write: impl FnOnce(&Transaction<'_>) -> Result<T>) -> Result<T> {
        let mut connection = self.connection.lock();
        if self.is_doubtful.load(Ordering::Acquire) {
            let what =
                "the disk failed to take a change; the records are read-only until a restart";
            return Err(Error::new(ErrorKind::Unavailable, what));
        }
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let value = write(&transaction)?;
        if let Err(error) = transaction.commit() {
            self.is_doubtful.fetch_or(is_disk_failure(&error), Ordering::Release);
            return Err(error.into());
        }
        Ok(value)
    }
}

/// Whether the disk failed, other than by being full, which it recovers from.
fn is_disk_failure(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code() == Some(ErrorCode::SystemIoFailure)
}

fn check_version(version: i32) -> Result<()> {
    if version < SQLITE_VERSION_MIN {
        let what = format!("sqlite {version} is older than {SQLITE_VERSION_MIN}");
        return Err(Error::new(ErrorKind::Unavailable, what));
    }
    Ok(())
}

fn migrate(connection: &mut Connection, layout: &Layout) -> Result<()> {
    let pragma = |connection: &Connection, name: &str| -> Result<i64> {
        Ok(connection.pragma_query_value(None, name, |row| row.get(0))?)
    };
    let application = i64::from(i32::from_be_bytes(layout.application));
    let newest = layout.migrations.len();
    let version = usize::try_from(pragma(connection, "user_version")?).unwrap_or(usize::MAX);
    if version > newest {
        let what = "the records were written by a newer version of this program";
        return Err(Error::new(ErrorKind::Unavailable, what));
    }
    if version > 0 && pragma(connection, "application_id")? != application {
        return Err(Error::corrupt("the file holds records of another kind"));
    }
    for (step, scripts) in layout.migrations.iter().enumerate().skip(version) {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        for script in *scripts {
            transaction.execute_batch(script)?;
        }
        transaction.pragma_update(None, "application_id", application)?;
        transaction.pragma_update(None, "user_version", (step + 1) as i64)?;
        transaction.commit()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_old_sqlite_is_refused() {
        assert!(check_version(rusqlite::version_number()).is_ok());
        assert!(check_version(3_051_002).is_err());
    }

    #[test]
    fn files_of_another_kind_or_of_the_future_are_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.db");
        assert!(Database::open(&path, &CONTROL).is_err(), "nothing is there yet");
        drop(Database::open_or_make(&path, &CONTROL).expect("made"));
        drop(Database::open(&path, &CONTROL).expect("opened again"));
        let kind = Database::open(&path, &RECORDS).map(drop).map_err(|error| error.kind());
        assert_eq!(kind, Err(ErrorKind::Corrupt));
        let connection = Connection::open(&path).expect("opened");
        connection.pragma_update(None, "user_version", 1_000).expect("written");
        let kind = Database::open(&path, &CONTROL).map(drop).map_err(|error| error.kind());
        assert_eq!(kind, Err(ErrorKind::Unavailable));
    }

    #[test]
    fn no_change_is_built_on_one_that_the_disk_did_not_take() {
        let error = |code| rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(code), None);
        assert!(is_disk_failure(&error(rusqlite::ffi::SQLITE_IOERR_FSYNC)));
        assert!(is_disk_failure(&error(rusqlite::ffi::SQLITE_IOERR_WRITE)));
        assert!(!is_disk_failure(&error(rusqlite::ffi::SQLITE_FULL)));
        assert!(!is_disk_failure(&error(rusqlite::ffi::SQLITE_CONSTRAINT)));
        let folder = tempfile::tempdir().expect("a folder");
        let database = Database::open_or_make(&folder.path().join("a.db"), &CONTROL).expect("made");
        database.is_doubtful.store(true, Ordering::Release);
        let refused = database.write(|_| Ok(())).map_err(|error| error.kind());
        assert_eq!(refused, Err(ErrorKind::Unavailable));
        assert!(database.read(|_| Ok(())).is_ok());
    }

    #[test]
    fn a_failed_change_leaves_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        let database = Database::open_or_make(&folder.path().join("a.db"), &CONTROL).expect("made");
        let failed = database.write(|sql| {
            sql.execute("INSERT INTO secret VALUES ('a', x'00')", [])?;
            sql.execute("INSERT INTO secret VALUES ('a', x'00')", [])?;
            Ok(())
        });
        assert!(failed.is_err());
        let count: i64 = database
            .read(|sql| Ok(sql.query_row("SELECT count(*) FROM secret", [], |row| row.get(0))?))
            .expect("read");
        assert_eq!(count, 0);
    }
}
