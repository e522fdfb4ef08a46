//! The signer of a node's ledgers: it alone holds their keys, and it signs a head only if the tree
//! holds everything that it signed before.
//!
//! What it signed last lies in `control/signer.db`, outside of the tenants' folders: a folder that
//! was put back from an old copy is found out, and no head is signed for it.

#[cfg(test)]
mod tests;

use std::fmt;
use std::path::Path;

use ledgerline_ledger::checkpoint::{Checkpoint, Origin};
use ledgerline_ledger::hash::Hash;
use ledgerline_ledger::key::{KeyUse, Signer as KeySigner, SigningKey, Vkey};
use ledgerline_ledger::log_id::LogId;
use ledgerline_ledger::rotation::Rotation;
use ledgerline_ledger::signer::advance;
use ledgerline_ledger::tree::Head;
use ledgerline_world::DataDir;
use parking_lot::Mutex;
use rusqlite::{Connection, ErrorCode, OptionalExtension, Transaction, params};

use crate::error::{Error, ErrorKind, Result};

const FILE: &str = "signer.db";
/// Version 1 lacks `prepared`.
const VERSION: i64 = 2;

const TABLES: &str = "
-- The keys of each log; the one with the greatest number signs.
CREATE TABLE key (
    log_id BLOB NOT NULL CHECK (length(log_id) = 16),
    number INTEGER NOT NULL,
    -- Sealed by the root key.
    seed   BLOB NOT NULL,
    -- From which size of the log on it signs.
    since  INTEGER NOT NULL,
    PRIMARY KEY (log_id, number)
) STRICT, WITHOUT ROWID;
-- The head that was signed last.
CREATE TABLE head (
    log_id BLOB PRIMARY KEY CHECK (length(log_id) = 16),
    size   INTEGER NOT NULL,
    root   BLOB NOT NULL CHECK (length(root) = 32)
) STRICT, WITHOUT ROWID;
";

const PREPARED: &str = "
-- The key that is to follow in each log, until it does.
CREATE TABLE prepared (
    log_id BLOB PRIMARY KEY CHECK (length(log_id) = 16),
    -- Sealed by the root key.
    seed   BLOB NOT NULL
) STRICT, WITHOUT ROWID;
";

/// A head that is to be signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToSign {
    /// The log.
    pub log_id: LogId,
    /// Its head.
    pub head: Head,
    /// The proof that the head holds what [`Signer::signed`] says was signed last.
    pub proof: Vec<Hash>,
}

/// A key of a log, and since when it signs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyPeriod {
    /// The public key.
    pub vkey: Vkey,
    /// From which size of the log on.
    pub since: u64,
}

/// The signer of a node.
pub struct Signer {
    data: DataDir,
    host: String,
    connection: Mutex<Connection>,
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer").field("host", &self.host).finish_non_exhaustive()
    }
}

impl Signer {
    /// Opens the signer; makes its file when there is none. `host` becomes part of every log's
    /// origin, and so of what verifiers trust.
    ///
    /// # Errors
    /// The database's; `Bug` for a host that no origin can have.
    pub fn open(data: &DataDir, host: &str) -> Result<Self> {
        Origin::new(host, LogId([0; 16])).map_err(|error| {
            Error::caused(ErrorKind::Bug, format!("no ledger can have the host {host:?}"), error)
        })?;
        let connection = connect(&data.control_file(FILE)).map_err(sql)?;
        Ok(Self { data: data.clone(), host: host.to_owned(), connection: Mutex::new(connection) })
    }

    /// The origin of a log: what its checkpoints and its keys are named by.
    ///
    /// # Errors
    /// None that [`Signer::open`] would not have found.
    pub fn origin(&self, log_id: LogId) -> Result<Origin> {
        Origin::new(&self.host, log_id)
            .map_err(|error| Error::caused(ErrorKind::Bug, "an origin", error))
    }

    /// The head that was signed last.
    ///
    /// # Errors
    /// The database's.
    pub fn signed(&self, log_id: LogId) -> Result<Option<Head>> {
        last_head(&self.connection.lock(), log_id).map_err(sql)
    }

    /// The keys of a log, the first one first; its first key is made when it has none.
    ///
    /// # Errors
    /// The database's; `Corrupt` for a key that does not open.
    pub fn keys(&self, log_id: LogId) -> Result<Vec<KeyPeriod>> {
        let mut connection = self.connection.lock();
        let seeds = self.seeds(&mut connection, log_id)?;
        seeds
            .into_iter()
            .map(|(seed, since)| {
                let vkey = self.key_signer(log_id, &seed)?.vkey(KeyUse::Log);
                Ok(KeyPeriod { vkey, since })
            })
            .collect()
    }

    /// Signs heads. What is signed is durably known before its signature exists, so that no crash
    /// lets two heads be signed that contradict each other.
    ///
    /// Each answer is the signed note, or why there is none: a tree that is smaller than what was
    /// signed, or that does not hold it, is `Corrupt`.
    ///
    /// # Errors
    /// The database's; then nothing is signed.
    pub fn sign(&self, heads: &[ToSign]) -> Result<Vec<Result<String>>> {
        let mut connection = self.connection.lock();
        let mut signers = Vec::with_capacity(heads.len());
        for head in heads {
            let seeds = self.seeds(&mut connection, head.log_id)?;
            let (seed, _) = seeds.last().ok_or_else(|| Error::bug("a log without a key"))?;
            signers.push(self.key_signer(head.log_id, seed)?);
        }
        let advanced = record(&mut connection, heads).map_err(sql)?;
        drop(connection);
        let sign = |((head, signer), advanced): ((&ToSign, KeySigner), Result<Head>)| {
            let checkpoint =
                Checkpoint { origin: self.origin(head.log_id)?.to_string(), head: advanced? };
            let note = checkpoint.sign(&signer);
            note.map(|note| note.to_text())
                .map_err(|error| Error::caused(ErrorKind::Bug, "a checkpoint", error))
        };
        Ok(heads.iter().zip(signers).zip(advanced).map(sign).collect())
    }

    /// Signs another one-line text with the log's key, such as the manifest of an export. A
    /// checkpoint has more lines, so neither can be taken for the other.
    ///
    /// # Errors
    /// The database's; `Bug` for a text of several lines.
    pub fn sign_line(&self, log_id: LogId, line: &str) -> Result<String> {
        if line.contains('\n') {
            return Err(Error::bug("only one line can be signed"));
        }
        let mut connection = self.connection.lock();
        let seeds = self.seeds(&mut connection, log_id)?;
        let (seed, _) = seeds.last().ok_or_else(|| Error::bug("a log without a key"))?;
        let signer = self.key_signer(log_id, seed)?;
        let note = ledgerline_ledger::note::SignedNote::sign(format!("{line}\n"), &signer);
        let note = note.map_err(|error| Error::caused(ErrorKind::Bug, "a note", error))?;
        Ok(note.to_text())
    }

    /// A new key for a log, and the statement by both keys that it follows the old one. It signs
    /// once [`Signer::adopt`] is told so. Until then it is kept: to prepare again answers the same
    /// key, so that an end of the process in between loses none that the ledger tells of.
    ///
    /// # Errors
    /// The database's; `Corrupt` for a key that does not open.
    pub fn prepare_rotation(&self, log_id: LogId) -> Result<(Rotation, Prepared)> {
        let mut connection = self.connection.lock();
        if let Some(pending) = self.pending(&mut connection, log_id)? {
            return Ok(pending);
        }
        let seed: [u8; 32] = self.data.chance().bytes();
        let sealed = self.data.seal(&label(log_id), &seed);
        connection
            .execute("INSERT INTO prepared VALUES (?1, ?2)", params![log_id.0, sealed])
            .map_err(sql)?;
        let pending = self.pending(&mut connection, log_id)?;
        pending.ok_or_else(|| Error::bug("a prepared key is kept"))
    }

    /// The key that was prepared for a log and does not sign yet.
    ///
    /// # Errors
    /// As [`Signer::prepare_rotation`].
    pub fn prepared(&self, log_id: LogId) -> Result<Option<(Rotation, Prepared)>> {
        self.pending(&mut self.connection.lock(), log_id)
    }

    fn pending(
        &self,
        connection: &mut Connection,
        log_id: LogId,
    ) -> Result<Option<(Rotation, Prepared)>> {
        let Some(sealed) = prepared_seed(connection, log_id).map_err(sql)? else {
            return Ok(None);
        };
        let seed = self.data.unseal(&label(log_id), &sealed)?;
        let seed: [u8; 32] = seed.try_into().map_err(|_| Error::corrupt("a key of a log"))?;
        let seeds = self.seeds(connection, log_id)?;
        let (old, _) = seeds.last().ok_or_else(|| Error::bug("a log without a key"))?;
        let (old, new) = (SigningKey::from_seed(old), SigningKey::from_seed(&seed));
        let rotation = Rotation::sign(&self.origin(log_id)?, &old, &new);
        Ok(Some((rotation, Prepared { log_id, seed })))
    }

    /// Lets a new key sign from a size on.
    ///
    /// # Errors
    /// The database's; `Bug` for a key that is not the one that was prepared.
    pub fn adopt(&self, prepared: &Prepared, since: u64) -> Result<()> {
        let mut connection = self.connection.lock();
        let log_id = prepared.log_id;
        let number = self.seeds(&mut connection, log_id)?.len() as i64;
        let kept = prepared_seed(&connection, log_id).map_err(sql)?;
        let kept = kept.map(|sealed| self.data.unseal(&label(log_id), &sealed)).transpose()?;
        if kept.as_deref() != Some(&prepared.seed) {
            return Err(Error::bug("a key that is not prepared"));
        }
        let sealed = self.data.seal(&label(log_id), &prepared.seed);
        let transaction = connection.transaction().map_err(sql)?;
        transaction
            .execute(
                "INSERT INTO key VALUES (?1, ?2, ?3, ?4)",
                params![log_id.0, number, sealed, since as i64],
            )
            .map_err(sql)?;
        transaction.execute("DELETE FROM prepared WHERE log_id = ?1", [log_id.0]).map_err(sql)?;
        transaction.commit().map_err(sql)
    }

    /// The seeds of a log's keys, and since when each signs. The first is made here.
    fn seeds(&self, connection: &mut Connection, log_id: LogId) -> Result<Vec<([u8; 32], u64)>> {
        let sealed = sealed_seeds(connection, log_id).map_err(sql)?;
        if sealed.is_empty() {
            let seed: [u8; 32] = self.data.chance().bytes();
            let sealed = self.data.seal(&label(log_id), &seed);
            connection
                .execute("INSERT INTO key VALUES (?1, 0, ?2, 0)", params![log_id.0, sealed])
                .map_err(sql)?;
            return Ok(vec![(seed, 0)]);
        }
        let open = |(sealed, since): (Vec<u8>, i64)| {
            let seed = self.data.unseal(&label(log_id), &sealed)?;
            let seed = seed.try_into().map_err(|_| Error::corrupt("a key of a log"))?;
            Ok((seed, since as u64))
        };
        sealed.into_iter().map(open).collect()
    }

    fn key_signer(&self, log_id: LogId, seed: &[u8; 32]) -> Result<KeySigner> {
        Ok(KeySigner::new(self.origin(log_id)?.key_name(), SigningKey::from_seed(seed)))
    }
}

/// A new key that does not sign yet.
pub struct Prepared {
    log_id: LogId,
    seed: [u8; 32],
}

impl fmt::Debug for Prepared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Prepared").field("log_id", &self.log_id).finish_non_exhaustive()
    }
}

fn label(log_id: LogId) -> String {
    format!("key of log {log_id}")
}

/// Notes heads as signed, durably, and says of each whether it may be.
fn record(connection: &mut Connection, heads: &[ToSign]) -> rusqlite::Result<Vec<Result<Head>>> {
    let transaction = connection.transaction()?;
    let mut advanced = Vec::with_capacity(heads.len());
    for to_sign in heads {
        let last = last_head(&transaction, to_sign.log_id)?;
        let next = advance(last.as_ref(), &to_sign.head, &to_sign.proof);
        if let Ok(head) = &next {
            put_head(&transaction, to_sign.log_id, head)?;
        }
        advanced.push(next.map_err(|error| {
            let what = format!("the signer refuses the log {}", to_sign.log_id);
            Error::caused(ErrorKind::Corrupt, what, error)
        }));
    }
    transaction.commit()?;
    Ok(advanced)
}

fn last_head(connection: &Connection, log_id: LogId) -> rusqlite::Result<Option<Head>> {
    connection
        .prepare_cached("SELECT size, root FROM head WHERE log_id = ?1")?
        .query_row([log_id.0], |row| {
            Ok(Head { size: row.get::<_, i64>(0)? as u64, root: Hash(row.get(1)?) })
        })
        .optional()
}

fn put_head(transaction: &Transaction<'_>, log_id: LogId, head: &Head) -> rusqlite::Result<()> {
    transaction
        .prepare_cached("INSERT OR REPLACE INTO head VALUES (?1, ?2, ?3)")?
        .execute(params![log_id.0, head.size as i64, head.root.0])
        .map(drop)
}

fn prepared_seed(connection: &Connection, log_id: LogId) -> rusqlite::Result<Option<Vec<u8>>> {
    connection
        .prepare_cached("SELECT seed FROM prepared WHERE log_id = ?1")?
        .query_row([log_id.0], |row| row.get(0))
        .optional()
}

fn sealed_seeds(connection: &Connection, log_id: LogId) -> rusqlite::Result<Vec<(Vec<u8>, i64)>> {
    connection
        .prepare_cached("SELECT seed, since FROM key WHERE log_id = ?1 ORDER BY number")?
        .query_map([log_id.0], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect()
}

fn connect(path: &Path) -> rusqlite::Result<Connection> {
    let mut connection = Connection::open(path)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "trusted_schema", false)?;
    connection.pragma_update(None, "secure_delete", true)?;
    let transaction = connection.transaction()?;
    let version: i64 = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if version == 0 {
        transaction.execute_batch(TABLES)?;
    }
    match version {
        0 | 1 => transaction.execute_batch(PREPARED)?,
        VERSION => {}
        _ => return Err(rusqlite::Error::IntegralValueOutOfRange(0, version)),
    }
    transaction.pragma_update(None, "user_version", VERSION)?;
    transaction.commit()?;
    Ok(connection)
}

fn sql(error: rusqlite::Error) -> Error {
    let kind = match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) | None => ErrorKind::Corrupt,
        Some(_) => ErrorKind::Unavailable,
    };
    Error::caused(kind, "the signer's records", error)
}
