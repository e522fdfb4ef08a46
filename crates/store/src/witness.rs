//! What a witness remembers: its key, and of each log the head that it cosigned last.
//!
//! A witness is run by somebody else than the log. It cosigns a checkpoint only when that holds
//! everything that it cosigned before (C2SP tlog-witness), so a log can't show it two histories.

use std::fmt;

use ledgerline_ledger::checkpoint::Checkpoint;
use ledgerline_ledger::hash::Hash;
use ledgerline_ledger::key::{KeyName, KeyUse, Signer, SigningKey, Vkey};
use ledgerline_ledger::note::SignatureLine;
use ledgerline_ledger::tree::Head;
use ledgerline_ledger::witness::{AddCheckpoint, Decision, decide};
use ledgerline_world::DataDir;
use parking_lot::Mutex;
use rusqlite::{Connection, ErrorCode, OptionalExtension, params};

use crate::error::{Error, ErrorKind, Result};

const FILE: &str = "witness.db";
const LABEL: &str = "key of the witness";

const TABLES: &str = "
CREATE TABLE IF NOT EXISTS key (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    name TEXT NOT NULL,
    -- Sealed by the root key.
    seed BLOB NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS head (
    origin TEXT PRIMARY KEY,
    size   INTEGER NOT NULL,
    root   BLOB NOT NULL CHECK (length(root) = 32)
) STRICT, WITHOUT ROWID;
";

/// A witness.
pub struct Witness {
    signer: Signer,
    connection: Mutex<Connection>,
}

impl fmt::Debug for Witness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Witness").finish_non_exhaustive()
    }
}

/// What a witness answers to a checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// It cosigned it.
    Cosigned(SignatureLine),
    /// It did not, and why.
    Refused(Decision),
}

impl Witness {
    /// Opens a witness; makes its key, under this name, when it has none.
    ///
    /// # Errors
    /// The database's; `Bug` for a name that no key can have, `Corrupt` when the key has another.
    pub fn open(data: &DataDir, name: &str) -> Result<Self> {
        let wrong = |error| Error::caused(ErrorKind::Bug, "the name of the witness", error);
        let key_name = KeyName::new(name).map_err(wrong)?;
        let mut connection = Connection::open(data.control_file(FILE)).map_err(sql)?;
        let stored = prepare(&mut connection).map_err(sql)?;
        let seed: [u8; 32] = match stored {
            Some((stored, sealed)) if stored == name => {
                let seed = data.unseal(LABEL, &sealed)?;
                seed.try_into().map_err(|_| Error::corrupt("the key of the witness"))?
            }
            Some((stored, _)) => {
                return Err(Error::corrupt(format!("the witness is called {stored}")));
            }
            None => {
                let seed: [u8; 32] = data.chance().bytes();
                let sealed = data.seal(LABEL, &seed);
                let put = "INSERT INTO key VALUES (1, ?1, ?2)";
                connection.execute(put, params![name, sealed]).map_err(sql)?;
                seed
            }
        };
        let signer = Signer::new(key_name, SigningKey::from_seed(&seed));
        Ok(Self { signer, connection: Mutex::new(connection) })
    }

    /// The key that others trust.
    #[must_use]
    pub fn vkey(&self) -> Vkey {
        self.signer.vkey(KeyUse::Witness)
    }

    /// Decides on a checkpoint and cosigns it. What is cosigned is durably known before, and no
    /// other is decided on meanwhile.
    ///
    /// # Errors
    /// The database's.
    pub fn add(
        &self,
        request: &AddCheckpoint,
        checkpoint: &Checkpoint,
        (keys, now_seconds): (&[Vkey], u64),
    ) -> Result<Answer> {
        let connection = self.connection.lock();
        let last = last(&connection, &checkpoint.origin).map_err(sql)?;
        let decision = decide(request, checkpoint, keys, last.as_ref());
        let Decision::Cosign(head) = decision else { return Ok(Answer::Refused(decision)) };
        connection
            .execute(
                "INSERT OR REPLACE INTO head VALUES (?1, ?2, ?3)",
                params![checkpoint.origin, head.size as i64, head.root.0],
            )
            .map_err(sql)?;
        Ok(Answer::Cosigned(self.signer.cosign(request.note.text(), now_seconds)))
    }
}

fn prepare(connection: &mut Connection) -> rusqlite::Result<Option<(String, Vec<u8>)>> {
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "trusted_schema", false)?;
    connection.execute_batch(TABLES)?;
    connection
        .query_row("SELECT name, seed FROM key", [], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()
}

fn last(connection: &Connection, origin: &str) -> rusqlite::Result<Option<Head>> {
    connection
        .prepare_cached("SELECT size, root FROM head WHERE origin = ?1")?
        .query_row([origin], |row| {
            Ok(Head { size: row.get::<_, i64>(0)? as u64, root: Hash(row.get(1)?) })
        })
        .optional()
}

fn sql(error: rusqlite::Error) -> Error {
    let kind = match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) | None => ErrorKind::Corrupt,
        Some(_) => ErrorKind::Unavailable,
    };
    Error::caused(kind, "the witness's records", error)
}
