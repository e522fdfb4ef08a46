//! The API keys of one tenant.

use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use ledgerline_model::id::RecordId;
use ledgerline_model::time::Timestamp;
use ledgerline_policy::{KeyScope, Principal};
use rusqlite::{OptionalExtension, Row, params};

use super::TenantRecords;
use crate::error::{Error, Result};
use crate::people::record_id;
use crate::records::ApiKey;
use crate::seals::{Column, SecretHash};

/// How many keys a tenant has. Revoked ones are kept as long as there is room for them.
const KEYS_MAX: i64 = 10_000;
/// How often it is written when keys were used.
const USES_WRITTEN_EVERY: i64 = 60 * Timestamp::SECOND;

/// A key to be stored, with its secret's hash.
#[derive(Debug)]
pub(crate) struct KeyDraft<'a> {
    pub(crate) name: &'a str,
    pub(crate) prefix: &'a str,
    pub(crate) scopes: &'a [KeyScope],
    pub(crate) expires: Option<Timestamp>,
    pub(crate) hash: SecretHash,
}

/// A second secret for a key.
#[derive(Debug)]
pub(crate) struct Rotation {
    pub(crate) prefix: String,
    pub(crate) hash: SecretHash,
    /// Until when the secret before it is good.
    pub(crate) overlap_until: Timestamp,
}

/// A key that a request may come with.
#[derive(Debug)]
pub(crate) struct LiveKey {
    pub(crate) id: RecordId,
    pub(crate) principal: Principal,
    /// When the secret or the key ends, whichever is sooner.
    expires: Option<Timestamp>,
}

impl LiveKey {
    pub(crate) fn is_good(&self, now: Timestamp) -> bool {
        self.expires.is_none_or(|expires| now < expires)
    }
}

const SELECT: &str =
    "SELECT id, name, prefix, scopes, created, expires, last_used, revoked FROM key";

const DELETE_OLDEST_REVOKED: &str = "DELETE FROM key WHERE id = (
    SELECT id FROM key WHERE revoked ORDER BY created, id LIMIT 1)";

impl TenantRecords {
    /// Every key, the oldest first.
    pub(crate) fn keys(&self) -> Result<Vec<ApiKey>> {
        self.db.read(|sql| {
            let mut select = sql.prepare_cached(&format!("{SELECT} ORDER BY created, id"))?;
            let mut rows = select.query([])?;
            let mut keys = Vec::new();
            while let Some(row) = rows.next()? {
                keys.push(self.key_of(row)?);
            }
            Ok(keys)
        })
    }

    pub(crate) fn key(&self, id: RecordId) -> Result<ApiKey> {
        self.db.read(|sql| {
            let mut select = sql.prepare_cached(&format!("{SELECT} WHERE id = ?"))?;
            let mut rows = select.query([id.as_bytes()])?;
            self.key_of(rows.next()?.ok_or_else(|| Error::not_found("no such key"))?)
        })
    }

    /// The key of a secret, if it is not revoked.
    pub(crate) fn live_key(
        &self,
        hash: &SecretHash,
        monotonic: Duration,
    ) -> Result<Option<Arc<LiveKey>>> {
        if let Some(key) = self.live_keys.get(hash, monotonic) {
            return Ok(Some(key));
        }
        let reading = self.live_keys.reading();
        type Found = ([u8; 32], [u8; 16], String, Option<i64>);
        let row: Option<Found> = self.db.read(|sql| {
            let mut select = sql.prepare_cached(
                "SELECT key_secret.hash, key.id, key.scopes,
                        min(coalesce(key.expires, key_secret.expires),
                            coalesce(key_secret.expires, key.expires))
                 FROM key_secret JOIN key ON key.id = key_secret.key
                 WHERE key_secret.hash = ? AND NOT key.revoked",
            )?;
            let row = select
                .query_row([hash], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)));
            Ok(row.optional()?)
        })?;
        let Some((stored, id, scopes, expires)) = row else { return Ok(None) };
        if verify_slices_are_equal(&stored, hash).is_err() {
            return Ok(None);
        }
        let id = record_id(id)?;
        let principal = Principal::key(self.id(), id, read_scopes(&scopes)?);
        let key = Arc::new(LiveKey { id, principal, expires: expires.map(Timestamp) });
        self.live_keys.put(reading, *hash, Arc::clone(&key), monotonic);
        Ok(Some(key))
    }

    /// Stores a key.
    ///
    /// # Errors
    /// `Invalid` when there are too many.
    pub(crate) fn insert_key(
        &self,
        id: RecordId,
        draft: &KeyDraft<'_>,
        created: Timestamp,
    ) -> Result<ApiKey> {
        self.db.write(|sql| {
            let count: i64 =
                sql.prepare_cached("SELECT count(*) FROM key")?.query_row([], |row| row.get(0))?;
            let is_full = count >= KEYS_MAX;
            if is_full && sql.prepare_cached(DELETE_OLDEST_REVOKED)?.execute([])? == 0 {
                return Err(Error::invalid("name", format!("there are {KEYS_MAX} keys already")));
            }
            sql.prepare_cached(
                "INSERT INTO key (id, name, prefix, scopes, created, expires, revoked)
                 VALUES (?, ?, ?, ?, ?, ?, 0)",
            )?
            .execute(params![
                id.as_bytes(),
                self.seals.seal(Column::KeyName, id, draft.name),
                draft.prefix,
                write_scopes(draft.scopes),
                created.0,
                draft.expires.map(|time| time.0),
            ])?;
            sql.prepare_cached("INSERT INTO key_secret (hash, key) VALUES (?, ?)")?
                .execute((draft.hash, id.as_bytes()))?;
            Ok(())
        })?;
        self.key(id)
    }

    /// Gives a key a further secret. Returns the secrets that it is no longer known by: all but the
    /// newest two.
    ///
    /// # Errors
    /// `NotFound`, and `Conflict` for a revoked key.
    pub(crate) fn rotate_key(&self, id: RecordId, rotation: &Rotation) -> Result<Vec<SecretHash>> {
        if self.key(id)?.revoked {
            return Err(Error::conflict("id", "the key is revoked"));
        }
        let gone = self.db.write(|sql| {
            let mut gone = Vec::new();
            let mut delete = sql.prepare_cached(
                "DELETE FROM key_secret WHERE key = ?1 AND number <> (
                     SELECT max(number) FROM key_secret WHERE key = ?1) RETURNING hash",
            )?;
            let mut rows = delete.query([id.as_bytes()])?;
            while let Some(row) = rows.next()? {
                gone.push(row.get(0)?);
            }
            sql.prepare_cached("UPDATE key_secret SET expires = ? WHERE key = ?")?
                .execute((rotation.overlap_until.0, id.as_bytes()))?;
            sql.prepare_cached("INSERT INTO key_secret (hash, key) VALUES (?, ?)")?
                .execute((rotation.hash, id.as_bytes()))?;
            sql.prepare_cached("UPDATE key SET prefix = ? WHERE id = ?")?
                .execute((&rotation.prefix, id.as_bytes()))?;
            Ok(gone)
        })?;
        self.live_keys.empty();
        Ok(gone)
    }

    /// Revokes a key. Returns the secrets that it was known by.
    ///
    /// # Errors
    /// `NotFound`.
    pub(crate) fn revoke_key(&self, id: RecordId) -> Result<Vec<SecretHash>> {
        let gone = self.db.write(|sql| {
            let revoked = sql
                .prepare_cached("UPDATE key SET revoked = 1 WHERE id = ?")?
                .execute([id.as_bytes()])?;
            if revoked == 0 {
                return Err(Error::not_found("no such key"));
            }
            let mut delete =
                sql.prepare_cached("DELETE FROM key_secret WHERE key = ? RETURNING hash")?;
            let gone = delete.query_map([id.as_bytes()], |row| row.get(0))?;
            Ok(gone.collect::<rusqlite::Result<_>>()?)
        })?;
        self.live_keys.empty();
        Ok(gone)
    }

    /// Every secret that a key is known by.
    pub(crate) fn secrets(&self) -> Result<Vec<SecretHash>> {
        self.db.read(|sql| {
            let mut select = sql.prepare_cached("SELECT hash FROM key_secret")?;
            let hashes = select.query_map([], |row| row.get(0))?;
            Ok(hashes.collect::<rusqlite::Result<_>>()?)
        })
    }

    /// Notes, in memory, that a key was used.
    pub(crate) fn note_use(&self, key: RecordId, now: Timestamp) {
        self.used_keys.lock().times.insert(key, now);
    }

    /// Writes when keys were used, unless that was done less than a minute ago.
    pub(crate) fn write_uses_sometimes(&self, now: Timestamp) -> Result<()> {
        let written = self.used_keys.lock().written;
        if written.is_some_and(|written| (0..USES_WRITTEN_EVERY).contains(&(now.0 - written.0))) {
            return Ok(());
        }
        self.write_uses(now)
    }

    /// Writes when keys were used.
    pub(crate) fn write_uses(&self, now: Timestamp) -> Result<()> {
        let times = {
            let mut used = self.used_keys.lock();
            used.written = Some(now);
            used.times.clone()
        };
        if times.is_empty() {
            return Ok(());
        }
        self.db.write(|sql| {
            let mut update = sql.prepare_cached(
                "UPDATE key SET last_used = ?1 WHERE id = ?2 AND coalesce(last_used, ?1) <= ?1",
            )?;
            for (key, time) in &times {
                update.execute((time.0, key.as_bytes()))?;
            }
            Ok(())
        })?;
        // What was noted while this was written stays for the next time.
        self.used_keys.lock().times.retain(|key, time| times.get(key) != Some(time));
        Ok(())
    }

    fn key_of(&self, row: &Row<'_>) -> Result<ApiKey> {
        let id = record_id(row.get(0)?)?;
        let name: Vec<u8> = row.get(1)?;
        let scopes: String = row.get(3)?;
        let written: Option<i64> = row.get(6)?;
        let noted = self.used_keys.lock().times.get(&id).copied();
        Ok(ApiKey {
            id,
            name: self.seals.unseal(Column::KeyName, id, &name)?,
            prefix: row.get(2)?,
            scopes: read_scopes(&scopes)?,
            created: Timestamp(row.get(4)?),
            expires: row.get::<_, Option<i64>>(5)?.map(Timestamp),
            last_used: noted.max(written.map(Timestamp)),
            revoked: row.get(7)?,
        })
    }
}

fn write_scopes(scopes: &[KeyScope]) -> String {
    let scopes: Vec<String> = scopes.iter().map(ToString::to_string).collect();
    scopes.join(" ")
}

fn read_scopes(text: &str) -> Result<Vec<KeyScope>> {
    let scopes: Result<_, _> = text.split(' ').map(str::parse).collect();
    scopes.map_err(|_| Error::corrupt("a stored scope of a key is none"))
}
