//! Sessions: what a login begins, refresh tokens carry on, and a logout, a changed password, a
//! disabled or a deleted user ends.

use ledgerline_model::id::RecordId;
use ledgerline_model::time::Timestamp;
use ledgerline_policy::Role;
use rusqlite::{OptionalExtension, Transaction, params};

use crate::error::{Error, Result};
use crate::people::{Account, People, record_id, role};
use crate::seals::{Column, SecretHash};

/// How many sessions a user has; a further one ends the oldest.
const SESSIONS_MAX: i64 = 100;
/// How many used refresh tokens of a session are remembered, to know one when it comes again. An
/// older one is refused like any unknown text.
const USED_TOKENS_MAX: i64 = 64;

/// Whose a session is, as the records have it now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Person {
    pub(crate) user: RecordId,
    pub(crate) role: Role,
    /// When the session ends.
    pub(crate) expires: Timestamp,
}

/// A refresh token that is to be stored.
#[derive(Debug)]
pub(crate) struct NewToken {
    pub(crate) hash: SecretHash,
    pub(crate) expires: Timestamp,
}

/// What became of a refresh token.
enum Rotated {
    /// It was good, and is used now.
    Good(RecordId, Person),
    /// It is unknown or expired.
    Unknown,
    /// It was used before, by a thief or after one: the session was ended.
    Reused,
}

impl People {
    /// Begins a session of an account whose password was just verified.
    ///
    /// # Errors
    /// `Unauthenticated` when the account changed since it was read.
    pub(crate) fn begin_session(
        &self,
        id: RecordId,
        account: &Account,
        token: &NewToken,
        now: Timestamp,
    ) -> Result<()> {
        self.db().write(|sql| {
            let user = account.user.as_bytes();
            let unchanged = "SELECT 1 FROM user WHERE id = ? AND password = ? AND NOT disabled";
            let unchanged: Option<i64> = sql
                .prepare_cached(unchanged)?
                .query_row((user, &account.sealed_password), |row| row.get(0))
                .optional()?;
            unchanged.ok_or_else(Error::unauthenticated)?;
            sql.prepare_cached(
                "DELETE FROM session WHERE user = ?1 AND (expires <= ?2 OR id NOT IN (
                     SELECT id FROM session WHERE user = ?1 ORDER BY created DESC LIMIT ?3))",
            )?
            .execute((user, now.0, SESSIONS_MAX - 1))?;
            sql.prepare_cached(
                "INSERT INTO session (id, user, created, expires) VALUES (?, ?, ?, ?)",
            )?
            .execute((id.as_bytes(), user, now.0, token.expires.0))?;
            put_token(sql, id, token)
        })?;
        // The oldest session may have ended.
        self.sessions().empty();
        Ok(())
    }

    /// Exchanges a refresh token for another.
    ///
    /// # Errors
    /// `Unauthenticated`; when the token was used before, its session is ended.
    pub(crate) fn rotate_token(
        &self,
        old: &SecretHash,
        new: &NewToken,
        now: Timestamp,
    ) -> Result<(RecordId, Person)> {
        match self.db().write(|sql| rotate(sql, old, new, now))? {
            Rotated::Good(session, person) => {
                self.sessions().empty();
                Ok((session, person))
            }
            Rotated::Unknown => Err(Error::unauthenticated()),
            Rotated::Reused => {
                self.sessions().empty();
                Err(Error::unauthenticated())
            }
        }
    }

    /// Ends the session of a refresh token, used or not.
    pub(crate) fn end_session(&self, token: &SecretHash) -> Result<()> {
        self.db().write(|sql| {
            sql.prepare_cached(
                "DELETE FROM session
                 WHERE id = (SELECT session FROM refresh_token WHERE hash = ?)",
            )?
            .execute([token])?;
            Ok(())
        })?;
        self.sessions().empty();
        Ok(())
    }

    /// Whose a session is; none when it has ended, or its user is disabled or deleted.
    pub(crate) fn person(
        &self,
        session: RecordId,
        now: Timestamp,
        monotonic: std::time::Duration,
    ) -> Result<Option<Person>> {
        let is_live = |person: &Person| now < person.expires;
        if let Some(person) = self.sessions().get(&session, monotonic) {
            return Ok(Some(person).filter(is_live));
        }
        let reading = self.sessions().reading();
        let row: Option<([u8; 16], String, i64)> = self.db().read(|sql| {
            let mut select = sql.prepare_cached(
                "SELECT user.id, user.role, session.expires
                 FROM session JOIN user ON user.id = session.user
                 WHERE session.id = ? AND NOT user.disabled",
            )?;
            let row = select
                .query_row([session.as_bytes()], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)));
            Ok(row.optional()?)
        })?;
        let Some((user, role_text, expires)) = row else { return Ok(None) };
        let person =
            Person { user: record_id(user)?, role: role(&role_text)?, expires: Timestamp(expires) };
        self.sessions().put(reading, session, person, monotonic);
        Ok(Some(person).filter(is_live))
    }

    /// Replaces the hash of a password by one with today's parameters.
    pub(crate) fn replace_hash(&self, account: &Account, hash: &str) -> Result<Account> {
        let sealed = self.seals().seal(Column::UserPassword, account.user, hash);
        self.db().write(|sql| {
            sql.prepare_cached("UPDATE user SET password = ? WHERE id = ? AND password = ?")?
                .execute((&sealed, account.user.as_bytes(), &account.sealed_password))?;
            Ok(())
        })?;
        Ok(Account { sealed_password: sealed, ..account.clone() })
    }

    /// Forgets the sessions that have ended.
    pub(crate) fn remove_expired_sessions(&self, now: Timestamp) -> Result<()> {
        self.db().write(|sql| {
            sql.prepare_cached("DELETE FROM session WHERE expires <= ?")?.execute([now.0])?;
            Ok(())
        })
    }
}

fn rotate(
    sql: &Transaction<'_>,
    old: &SecretHash,
    new: &NewToken,
    now: Timestamp,
) -> Result<Rotated> {
    type Row = ([u8; 16], i64, bool, [u8; 16], String, bool);
    let row: Option<Row> = sql
        .prepare_cached(
            "SELECT session.id, refresh_token.expires, refresh_token.used,
                    user.id, user.role, user.disabled
             FROM refresh_token
             JOIN session ON session.id = refresh_token.session
             JOIN user ON user.id = session.user
             WHERE refresh_token.hash = ?",
        )?
        .query_row([old], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?))
        })
        .optional()?;
    let Some((session, expires, used, user, role_text, disabled)) = row else {
        return Ok(Rotated::Unknown);
    };
    let session = record_id(session)?;
    if used {
        sql.prepare_cached("DELETE FROM session WHERE id = ?")?.execute([session.as_bytes()])?;
        return Ok(Rotated::Reused);
    }
    if expires <= now.0 || disabled {
        return Ok(Rotated::Unknown);
    }
    sql.prepare_cached("UPDATE refresh_token SET used = 1 WHERE hash = ?")?.execute([old])?;
    put_token(sql, session, new)?;
    sql.prepare_cached(
        "DELETE FROM refresh_token WHERE session = ?1 AND number NOT IN (
             SELECT number FROM refresh_token WHERE session = ?1 ORDER BY number DESC LIMIT ?2)",
    )?
    .execute((session.as_bytes(), USED_TOKENS_MAX + 1))?;
    sql.prepare_cached("UPDATE session SET expires = ? WHERE id = ?")?
        .execute((new.expires.0, session.as_bytes()))?;
    let person = Person { user: record_id(user)?, role: role(&role_text)?, expires: new.expires };
    Ok(Rotated::Good(session, person))
}

fn put_token(sql: &Transaction<'_>, session: RecordId, token: &NewToken) -> Result<()> {
    sql.prepare_cached(
        "INSERT INTO refresh_token (hash, session, expires, used) VALUES (?, ?, ?, 0)",
    )?
    .execute(params![token.hash, session.as_bytes(), token.expires.0])?;
    Ok(())
}
