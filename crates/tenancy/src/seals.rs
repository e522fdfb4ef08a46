//! What is sealed in a file of records, and how a sealed value is found again.
//!
//! Every value is sealed under a label that names the tenant, the column and the row, so a value
//! that was copied to another row, column or tenant does not open. To look for one, its keyed hash
//! is stored beside it: HMAC-SHA-256 under a key that lies, sealed, in the same file. The key is
//! another in each file, so two tenants' files do not show that they hold the same address.

use std::fmt;

use aws_lc_rs::{digest, hmac};
use ledgerline_model::id::{RecordId, TenantId};
use ledgerline_world::DataDir;
use rusqlite::OptionalExtension;

use crate::address::Address;
use crate::db::Database;
use crate::error::{Error, Result};

/// A hash under the lookup key of one file.
pub(crate) type KeyedHash = [u8; 32];
/// SHA-256 of a secret of high entropy, which needs no slow hash.
pub(crate) type SecretHash = [u8; 32];

/// Whose file it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Owner {
    /// The platform's: the operators.
    Platform,
    /// A tenant's.
    Tenant(TenantId),
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Platform => f.write_str("platform"),
            Self::Tenant(tenant) => write!(f, "tenant {tenant}"),
        }
    }
}

/// A column whose values are sealed.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Column {
    UserEmail,
    UserPassword,
    KeyName,
}

impl Column {
    fn as_str(self) -> &'static str {
        match self {
            Self::UserEmail => "user.email",
            Self::UserPassword => "user.password",
            Self::KeyName => "key.name",
        }
    }
}

/// Seals and hashes for one file.
pub(crate) struct Seals {
    data: DataDir,
    owner: Owner,
    lookup: hmac::Key,
}

impl fmt::Debug for Seals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Seals").field("owner", &self.owner).finish_non_exhaustive()
    }
}

impl Seals {
    /// Reads the file's lookup key, or makes it.
    pub(crate) fn open(data: &DataDir, owner: Owner, db: &Database) -> Result<Self> {
        let lookup = stored_secret(data, owner, db, "lookup")?;
        let lookup = hmac::Key::new(hmac::HMAC_SHA256, &lookup);
        Ok(Self { data: data.clone(), owner, lookup })
    }

    pub(crate) fn owner(&self) -> Owner {
        self.owner
    }

    pub(crate) fn seal(&self, column: Column, row: RecordId, text: &str) -> Vec<u8> {
        self.data.seal(&self.label(column, row), text.as_bytes())
    }

    pub(crate) fn unseal(&self, column: Column, row: RecordId, sealed: &[u8]) -> Result<String> {
        let bytes = self.data.unseal(&self.label(column, row), sealed)?;
        String::from_utf8(bytes).map_err(|_| Error::corrupt("a sealed record is not text"))
    }

    pub(crate) fn hash_address(&self, address: &Address) -> KeyedHash {
        self.hash(b"address", address.as_str().as_bytes())
    }

    /// Of whatever was given as an address, to count attempts by.
    pub(crate) fn hash_attempt(&self, text: &str) -> KeyedHash {
        self.hash(b"attempt", text.as_bytes())
    }

    pub(crate) fn hash_secret(&self, secret: &SecretHash) -> KeyedHash {
        self.hash(b"secret", secret)
    }

    /// The kind goes first with its length, so no kind's values can pass for another's.
    fn hash(&self, kind: &[u8], bytes: &[u8]) -> KeyedHash {
        let mut context = hmac::Context::with_key(&self.lookup);
        context.update(&(kind.len() as u64).to_be_bytes());
        context.update(kind);
        context.update(bytes);
        context.sign().as_ref().try_into().expect("HMAC-SHA-256 gives 32 bytes")
    }

    fn label(&self, column: Column, row: RecordId) -> String {
        format!("{} {} {row}", self.owner, column.as_str())
    }
}

/// SHA-256.
pub(crate) fn sha256(bytes: &[u8]) -> SecretHash {
    let hash = digest::digest(&digest::SHA256, bytes);
    hash.as_ref().try_into().expect("SHA-256 gives 32 bytes")
}

/// Reads one of the file's own keys, or makes it.
pub(crate) fn stored_secret(
    data: &DataDir,
    owner: Owner,
    db: &Database,
    name: &str,
) -> Result<[u8; 32]> {
    let label = format!("{owner} secret {name}");
    let select = "SELECT sealed FROM secret WHERE name = ?";
    let sealed: Option<Vec<u8>> =
        db.read(|sql| Ok(sql.query_row(select, [name], |row| row.get(0)).optional()?))?;
    if let Some(sealed) = sealed {
        let bytes =
            data.unseal(&label, &sealed).map_err(|error| Error::from(error).about(owner))?;
        return bytes.try_into().map_err(|_| Error::corrupt("a key has a wrong length"));
    }
    let secret: [u8; 32] = data.chance().bytes();
    let sealed = data.seal(&label, &secret);
    db.write(|sql| {
        sql.execute("INSERT INTO secret (name, sealed) VALUES (?, ?)", (name, sealed))?;
        Ok(())
    })?;
    Ok(secret)
}
