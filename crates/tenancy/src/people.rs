//! The people of one file: the operators of the platform, or the users of one tenant.

use std::sync::Arc;

use ledgerline_model::id::RecordId;
use ledgerline_model::time::Timestamp;
use ledgerline_policy::{Principal, Role};
use rusqlite::{OptionalExtension, Row, Transaction};

use crate::address::Address;
use crate::cache::Cache;
use crate::db::Database;
use crate::error::{Error, Result, is_taken};
use crate::login::session::Person;
use crate::records::User;
use crate::seals::{Column, Owner, Seals};

/// How many users a tenant has.
const USERS_MAX: i64 = 10_000;

/// The people of one file, and their sessions.
#[derive(Debug)]
pub(crate) struct People {
    db: Arc<Database>,
    seals: Arc<Seals>,
    sessions: Cache<RecordId, Person>,
}

/// What a login needs to know of a user.
#[derive(Debug, Clone)]
pub(crate) struct Account {
    pub(crate) user: RecordId,
    pub(crate) role: Role,
    pub(crate) disabled: bool,
    pub(crate) sealed_password: Vec<u8>,
}

/// A user to be stored.
#[derive(Debug)]
pub(crate) struct NewAccount {
    pub(crate) address: Address,
    /// The PHC string.
    pub(crate) password: String,
    pub(crate) role: Role,
}

/// What is to be changed of a user.
#[derive(Debug, Default)]
pub(crate) struct Change {
    pub(crate) role: Option<Role>,
    pub(crate) disabled: Option<bool>,
    /// The PHC string.
    pub(crate) password: Option<String>,
}

impl People {
    pub(crate) fn new(db: Arc<Database>, seals: Arc<Seals>) -> Self {
        Self { db, seals, sessions: Cache::new() }
    }

    pub(crate) fn db(&self) -> &Database {
        &self.db
    }

    pub(crate) fn seals(&self) -> &Seals {
        &self.seals
    }

    pub(crate) fn sessions(&self) -> &Cache<RecordId, Person> {
        &self.sessions
    }

    /// Every user, by address.
    pub(crate) fn users(&self) -> Result<Vec<User>> {
        let mut users = self.db.read(|sql| {
            let mut select =
                sql.prepare_cached("SELECT id, email, role, created, disabled FROM user")?;
            let mut rows = select.query([])?;
            let mut users = Vec::new();
            while let Some(row) = rows.next()? {
                users.push(self.user(row)?);
            }
            Ok(users)
        })?;
        users.sort_by(|a, b| a.email.cmp(&b.email));
        Ok(users)
    }

    /// The user of an id.
    ///
    /// # Errors
    /// `NotFound`.
    pub(crate) fn get(&self, id: RecordId) -> Result<User> {
        self.db.read(|sql| {
            let mut select = sql.prepare_cached(
                "SELECT id, email, role, created, disabled FROM user WHERE id = ?",
            )?;
            let mut rows = select.query([id.as_bytes()])?;
            let row = rows.next()?.ok_or_else(|| Error::not_found("no such user"))?;
            self.user(row)
        })
    }

    /// Whether there is anybody.
    pub(crate) fn is_empty(&self) -> Result<bool> {
        self.db.read(|sql| {
            let mut select = sql.prepare_cached("SELECT NOT EXISTS (SELECT 1 FROM user)")?;
            Ok(select.query_row([], |row| row.get(0))?)
        })
    }

    /// The account of an address.
    pub(crate) fn find(&self, address: &Address) -> Result<Option<Account>> {
        let hash = self.seals.hash_address(address);
        let row: Option<([u8; 16], String, bool, Vec<u8>)> = self.db.read(|sql| {
            let mut select = sql.prepare_cached(
                "SELECT id, role, disabled, password FROM user WHERE email_hash = ?",
            )?;
            let row = select
                .query_row([hash], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)));
            Ok(row.optional()?)
        })?;
        let Some((id, role_text, disabled, sealed_password)) = row else { return Ok(None) };
        let (user, role) = (record_id(id)?, role(&role_text)?);
        Ok(Some(Account { user, role, disabled, sealed_password }))
    }

    /// The PHC string of an account.
    pub(crate) fn password_hash(&self, account: &Account) -> Result<String> {
        self.seals.unseal(Column::UserPassword, account.user, &account.sealed_password)
    }

    /// Stores a user.
    ///
    /// # Errors
    /// `Conflict` when the address is taken, `Invalid` when there are too many.
    pub(crate) fn insert(
        &self,
        id: RecordId,
        account: &NewAccount,
        created: Timestamp,
    ) -> Result<User> {
        self.db.write(|sql| self.insert_in(sql, id, account, created))
    }

    /// As [`People::insert`], as part of a larger change.
    pub(crate) fn insert_in(
        &self,
        sql: &Transaction<'_>,
        id: RecordId,
        account: &NewAccount,
        created: Timestamp,
    ) -> Result<User> {
        let NewAccount { address, password, role } = account;
        let count: i64 = sql.query_row("SELECT count(*) FROM user", [], |row| row.get(0))?;
        if count >= USERS_MAX {
            return Err(Error::invalid("email", format!("there are {USERS_MAX} users already")));
        }
        let inserted = sql
            .prepare_cached(
                "INSERT INTO user (id, email, email_hash, role, password, created, disabled)
                 VALUES (?, ?, ?, ?, ?, ?, 0)",
            )?
            .execute((
                id.as_bytes(),
                self.seals.seal(Column::UserEmail, id, address.as_str()),
                self.seals.hash_address(address),
                role.as_str(),
                self.seals.seal(Column::UserPassword, id, password),
                created.0,
            ));
        match inserted {
            Err(error) if is_taken(&error) => {
                Err(Error::conflict("email", "there is a user of this address already"))
            }
            Err(error) => Err(error.into()),
            Ok(_) => {
                let email = address.as_str().to_owned();
                Ok(User { id, email, role: *role, created, disabled: false })
            }
        }
    }

    /// Changes a user. Who is disabled or gets a new password loses every session.
    ///
    /// # Errors
    /// `NotFound`, and `Conflict` for the last enabled admin.
    pub(crate) fn update(&self, id: RecordId, change: &Change) -> Result<User> {
        self.db.write(|sql| {
            if let Some(role) = change.role {
                sql.prepare_cached("UPDATE user SET role = ? WHERE id = ?")?
                    .execute((role.as_str(), id.as_bytes()))?;
            }
            if let Some(disabled) = change.disabled {
                sql.prepare_cached("UPDATE user SET disabled = ? WHERE id = ?")?
                    .execute((disabled, id.as_bytes()))?;
            }
            if let Some(password) = &change.password {
                let sealed = self.seals.seal(Column::UserPassword, id, password);
                sql.prepare_cached("UPDATE user SET password = ? WHERE id = ?")?
                    .execute((sealed, id.as_bytes()))?;
            }
            if change.password.is_some() || change.disabled == Some(true) {
                sql.prepare_cached("DELETE FROM session WHERE user = ?")?
                    .execute([id.as_bytes()])?;
            }
            keep_an_admin(sql)
        })?;
        self.sessions.empty();
        self.get(id)
    }

    /// Deletes a user and its sessions.
    ///
    /// # Errors
    /// `NotFound`, and `Conflict` for the last enabled admin.
    pub(crate) fn delete(&self, id: RecordId) -> Result<()> {
        self.db.write(|sql| {
            let deleted =
                sql.prepare_cached("DELETE FROM user WHERE id = ?")?.execute([id.as_bytes()])?;
            if deleted == 0 {
                return Err(Error::not_found("no such user"));
            }
            keep_an_admin(sql)
        })?;
        self.sessions.empty();
        Ok(())
    }

    /// The principal of a user.
    ///
    /// # Errors
    /// `Corrupt` for a role that does not belong in this file.
    pub(crate) fn principal(&self, user: RecordId, role: Role) -> Result<Principal> {
        let misplaced = || Error::corrupt("a role is not of its place");
        match (self.seals.owner(), role) {
            (Owner::Platform, Role::Operator) => Ok(Principal::operator(user)),
            (Owner::Tenant(tenant), role) => {
                Principal::user(tenant, user, role).map_err(|_| misplaced())
            }
            (Owner::Platform, _) => Err(misplaced()),
        }
    }

    fn user(&self, row: &Row<'_>) -> Result<User> {
        let id = record_id(row.get(0)?)?;
        let email: Vec<u8> = row.get(1)?;
        let role_text: String = row.get(2)?;
        Ok(User {
            id,
            email: self.seals.unseal(Column::UserEmail, id, &email)?,
            role: role(&role_text)?,
            created: Timestamp(row.get(3)?),
            disabled: row.get(4)?,
        })
    }
}

/// Undoes a change that leaves nobody who could undo it.
fn keep_an_admin(sql: &Transaction<'_>) -> Result<()> {
    let left: bool = sql
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM user WHERE role = 'admin' AND NOT disabled)")?
        .query_row([], |row| row.get(0))?;
    if left { Ok(()) } else { Err(Error::conflict("role", "the last enabled admin stays one")) }
}

/// A stored id.
pub(crate) fn record_id(bytes: [u8; 16]) -> Result<RecordId> {
    RecordId::from_bytes(bytes).map_err(|_| Error::corrupt("a stored id is all zero"))
}

/// A stored role.
pub(crate) fn role(text: &str) -> Result<Role> {
    text.parse().map_err(|_| Error::corrupt("a stored role is none"))
}
