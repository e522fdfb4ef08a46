//! The records as others see them. What a person wrote about itself, and every secret, is left out
//! of their debug texts.

use std::fmt;

use ledgerline_model::convention::Conventions;
use ledgerline_model::dataset::DatasetKind;
use ledgerline_model::id::{DatasetId, DatasetName, RecordId, TenantId, TenantName};
use ledgerline_model::limits::KEY_BYTES_MAX;
use ledgerline_model::time::Timestamp;
use ledgerline_policy::{KeyScope, Principal, Role};

use crate::error::{Error, Result};

/// How long a dataset can be told to keep its events: a hundred years.
const RETENTION_DAYS_MAX: u32 = 36_500;

/// A tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tenant {
    /// Its id, for ever.
    pub id: TenantId,
    /// Its name, unique among tenants.
    pub name: TenantName,
    /// When it was made.
    pub created: Timestamp,
    /// Whether the first event to an unknown dataset makes it.
    pub makes_datasets: bool,
}

/// A user, without the password.
#[derive(Clone, PartialEq, Eq)]
pub struct User {
    /// Its id.
    pub id: RecordId,
    /// Its address, unique within the tenant, folded to lower case.
    pub email: String,
    /// Its role.
    pub role: Role,
    /// When it was made.
    pub created: Timestamp,
    /// Whether it may not log in.
    pub disabled: bool,
}

impl fmt::Debug for User {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("User")
            .field("id", &self.id)
            .field("role", &self.role)
            .field("disabled", &self.disabled)
            .finish_non_exhaustive()
    }
}

/// A user to be made.
#[derive(Clone)]
pub struct NewUser {
    /// The address.
    pub email: String,
    /// At least 12 characters, at most 1,024 bytes, and not the address.
    pub password: String,
    /// The role.
    pub role: Role,
}

impl fmt::Debug for NewUser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewUser").field("role", &self.role).finish_non_exhaustive()
    }
}

/// An API key, without its secret.
#[derive(Clone, PartialEq, Eq)]
pub struct ApiKey {
    /// Its id.
    pub id: RecordId,
    /// What the tenant calls it.
    pub name: String,
    /// The first characters of the secret, to recognise it by.
    pub prefix: String,
    /// What it may do.
    pub scopes: Vec<KeyScope>,
    /// When it was made.
    pub created: Timestamp,
    /// When it ends.
    pub expires: Option<Timestamp>,
    /// When it was last used, to about a minute.
    pub last_used: Option<Timestamp>,
    /// Whether it was revoked.
    pub revoked: bool,
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiKey")
            .field("id", &self.id)
            .field("prefix", &self.prefix)
            .field("scopes", &self.scopes)
            .field("expires", &self.expires)
            .field("revoked", &self.revoked)
            .finish_non_exhaustive()
    }
}

/// A key to be made.
#[derive(Clone)]
pub struct NewKey {
    /// What the tenant calls it: 1 to 100 characters.
    pub name: String,
    /// At least one.
    pub scopes: Vec<KeyScope>,
    /// When it ends, if ever.
    pub expires: Option<Timestamp>,
}

impl fmt::Debug for NewKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewKey")
            .field("scopes", &self.scopes)
            .field("expires", &self.expires)
            .finish_non_exhaustive()
    }
}

/// A dataset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dataset {
    /// Its number within the tenant, for ever.
    pub id: DatasetId,
    /// Its name.
    pub name: DatasetName,
    /// What it holds, for ever.
    pub kind: DatasetKind,
    /// When it was made.
    pub created: Timestamp,
    /// What its tenant set for it.
    pub settings: DatasetSettings,
}

impl Dataset {
    /// Which keys mean what in this dataset.
    #[must_use]
    pub fn conventions(&self) -> Conventions {
        match self.kind {
            DatasetKind::Audit => Conventions::audit(),
            DatasetKind::Logs => self.settings.conventions(),
        }
    }
}

/// What a tenant can set for a dataset.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DatasetSettings {
    /// The key that holds the time, before the usual ones.
    pub time_key: Option<String>,
    /// The key that holds the message, before the usual ones.
    pub message_key: Option<String>,
    /// The key that holds the severity, before the usual ones.
    pub severity_key: Option<String>,
    /// For how many days events are kept, from when they happened or were received, whichever is
    /// later; for ever when there is no number. 1 to 36,500.
    pub retention_days: Option<u32>,
    /// For how many of these days they stay on the disk, before they are moved to the archive where
    /// there is one; all of them when there is no number. 1 to `retention_days`.
    pub hot_days: Option<u32>,
}

impl DatasetSettings {
    fn conventions(&self) -> Conventions {
        Conventions::with(
            self.time_key.as_deref(),
            self.message_key.as_deref(),
            self.severity_key.as_deref(),
        )
    }

    pub(crate) fn check(&self) -> Result<()> {
        let keys = [
            ("time_key", &self.time_key),
            ("message_key", &self.message_key),
            ("severity_key", &self.severity_key),
        ];
        for (field, key) in keys {
            if key.as_ref().is_some_and(|key| !(1..=KEY_BYTES_MAX).contains(&key.len())) {
                let what = format!("a key has 1 to {KEY_BYTES_MAX} bytes");
                return Err(Error::invalid(field, what));
            }
        }
        if self.retention_days.is_some_and(|days| !(1..=RETENTION_DAYS_MAX).contains(&days)) {
            let what = format!("events are kept for 1 to {RETENTION_DAYS_MAX} days, or for ever");
            return Err(Error::invalid("retention_days", what));
        }
        let kept = self.retention_days.unwrap_or(RETENTION_DAYS_MAX);
        if self.hot_days.is_some_and(|days| !(1..=kept).contains(&days)) {
            let what = format!("events are at hand for 1 to {kept} days, or as long as they stay");
            return Err(Error::invalid("hot_days", what));
        }
        Ok(())
    }
}

/// A successful login.
#[derive(Clone)]
pub struct Tokens {
    /// A signed JWT (EdDSA, `typ: at+jwt`).
    pub access_token: String,
    /// Gives new tokens, once.
    pub refresh_token: String,
    /// For how many seconds the access token is good.
    pub expires_in: u64,
    /// Who logged in.
    pub principal: Principal,
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tokens").field("principal", &self.principal).finish_non_exhaustive()
    }
}

/// How the records are kept.
#[derive(Debug, Clone)]
pub struct Options {
    /// For how many seconds an access token is good (900).
    pub access_seconds: u64,
    /// For how many seconds a refresh token is good (30 days).
    pub refresh_seconds: u64,
    /// Memory cost of Argon2id in KiB (19,456, OWASP's first choice); less in tests.
    pub argon2_kib: u32,
}

impl Default for Options {
    fn default() -> Self {
        Self { access_seconds: 900, refresh_seconds: 30 * 24 * 3600, argon2_kib: 19_456 }
    }
}
