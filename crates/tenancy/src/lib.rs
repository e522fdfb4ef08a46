//! Who exists: tenants, their users, keys, sessions and datasets, as control records in SQL.
//!
//! This room never sees an event.

use std::sync::Arc;

use ledgerline_model::convention::Conventions;
use ledgerline_model::id::{DatasetId, DatasetName, RecordId, TenantId, TenantName};
use ledgerline_model::time::Timestamp;
use ledgerline_policy::{
    Append, KeyScope, Manage, OperatorScope, Principal, Read, ReadGrant, Role, Scope, Upkeep,
};
use ledgerline_world::{Clock, DataDir};

/// What the caller should do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// There is no such record, or it may not be seen.
    NotFound,
    /// The credential is wrong, expired, revoked or malformed; which of them is not told.
    Unauthenticated,
    /// The scope does not allow it.
    Denied,
    /// The input is invalid; the error says which field and why.
    Invalid,
    /// There is such a record already.
    Conflict,
    /// Too many attempts; try again later.
    Busy,
    /// The database cannot be written or read just now.
    Unavailable,
    /// Stored bytes are not what was written.
    Corrupt,
    /// A broken invariant of the program.
    Bug,
}

/// The error of this room.
#[derive(Debug, thiserror::Error)]
#[error("{what}")]
pub struct Error {
    kind: ErrorKind,
    what: String,
    field: Option<&'static str>,
}

/// The result of this room's functions.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// What the caller should do.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }
    /// The field of the input that is invalid or taken, such as `password`.
    #[must_use]
    pub fn field(&self) -> Option<&'static str> {
        self.field
    }
}

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
#[derive(Debug, Clone, PartialEq, Eq)]
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

/// A user to be made.
#[derive(Debug, Clone)]
pub struct NewUser {
    /// The address.
    pub email: String,
    /// At least 12 characters, at most 1,024 bytes.
    pub password: String,
    /// The role.
    pub role: Role,
}

/// An API key, without its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
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

/// A key to be made.
#[derive(Debug, Clone)]
pub struct NewKey {
    /// What the tenant calls it: 1 to 100 characters.
    pub name: String,
    /// At least one.
    pub scopes: Vec<KeyScope>,
    /// When it ends, if ever.
    pub expires: Option<Timestamp>,
}

/// A dataset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dataset {
    /// Its number within the tenant, for ever.
    pub id: DatasetId,
    /// Its name.
    pub name: DatasetName,
    /// When it was made.
    pub created: Timestamp,
    /// What its tenant set for it.
    pub settings: DatasetSettings,
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
    /// later; for ever when there is no number.
    pub retention_days: Option<u32>,
}

impl DatasetSettings {
    /// Which keys mean what in this dataset.
    #[must_use]
    pub fn conventions(&self) -> Conventions {
        let key = |key: &Option<String>| key.as_deref().map(str::to_owned);
        let (time, message, severity) =
            (key(&self.time_key), key(&self.message_key), key(&self.severity_key));
        Conventions::with(time.as_deref(), message.as_deref(), severity.as_deref())
    }
}

/// A successful login.
#[derive(Debug, Clone)]
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

/// All control records.
#[derive(Debug)]
pub struct Tenancy {}

impl Tenancy {
    /// Opens the records, or makes them.
    ///
    /// # Errors
    /// The database's.
    pub fn open(data: &DataDir, clock: Arc<dyn Clock>, options: Options) -> Result<Self> {
        let _ = (data, clock, options);
        todo!()
    }
    /// Makes the operator when there is none. With no password given, makes a random one. Returns
    /// the password when an operator was made.
    ///
    /// # Errors
    /// The database's, and `Invalid` for a bad password.
    pub fn ensure_operator(&self, email: &str, password: Option<&str>) -> Result<Option<String>> {
        let _ = (email, password);
        todo!()
    }
    /// Every tenant, for background work.
    ///
    /// # Errors
    /// The database's.
    pub fn all_tenants(&self) -> Result<Vec<Tenant>> {
        todo!()
    }
    /// Every tenant.
    ///
    /// # Errors
    /// `Denied` unless the scope holds `ReadTenants`.
    pub fn tenants(&self, scope: &OperatorScope) -> Result<Vec<Tenant>> {
        let _ = scope;
        todo!()
    }
    /// Makes a tenant with its first admin, both or neither.
    ///
    /// # Errors
    /// `Conflict` when the name is taken.
    pub fn create_tenant(
        &self,
        scope: &OperatorScope,
        name: &TenantName,
        admin: &NewUser,
    ) -> Result<(Tenant, User)> {
        let _ = (scope, name, admin);
        todo!()
    }
    /// Forgets a tenant; its credentials are dead at once. The folder is `DataDir::delete_tenant`'s.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn delete_tenant(&self, scope: &OperatorScope, id: TenantId) -> Result<()> {
        let _ = (scope, id);
        todo!()
    }
    /// The tenant of a principal.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn tenant(&self, id: TenantId) -> Result<Tenant> {
        let _ = id;
        todo!()
    }
    /// Sets whether the first event to an unknown dataset makes it.
    ///
    /// # Errors
    /// `Denied` unless the scope allows `ManageDatasets`.
    pub fn set_makes_datasets(&self, scope: &Scope<Manage>, makes: bool) -> Result<()> {
        let _ = (scope, makes);
        todo!()
    }

    /// Logs a person in. Of a user whose address is in several tenants, `tenant` (name or id) says
    /// which. Slow by design: call it off the async threads.
    ///
    /// # Errors
    /// `Unauthenticated`, `Busy` after too many failures.
    pub fn login(&self, email: &str, password: &str, tenant: Option<&str>) -> Result<Tokens> {
        let _ = (email, password, tenant);
        todo!()
    }
    /// The tenants that hold a user of this address: whom a failed login is told to.
    ///
    /// # Errors
    /// The database's.
    pub fn tenants_of_address(&self, email: &str) -> Result<Vec<TenantId>> {
        let _ = email;
        todo!()
    }
    /// Exchanges a refresh token. Used twice, it ends the whole session.
    ///
    /// # Errors
    /// `Unauthenticated`.
    pub fn refresh(&self, refresh_token: &str) -> Result<Tokens> {
        let _ = refresh_token;
        todo!()
    }
    /// Ends the session of a refresh token.
    ///
    /// # Errors
    /// The database's.
    pub fn logout(&self, refresh_token: &str) -> Result<()> {
        let _ = refresh_token;
        todo!()
    }
    /// Who sends this credential: an API key or an access token. Quick: cached for a few seconds,
    /// and dead at once in this process when it is revoked.
    ///
    /// # Errors
    /// `Unauthenticated`.
    pub fn authenticate(&self, credential: &str) -> Result<Principal> {
        let _ = credential;
        todo!()
    }

    /// The tenant's users.
    ///
    /// # Errors
    /// `Denied` unless the scope allows `ReadUsers`.
    pub fn users(&self, scope: &Scope<Manage>) -> Result<Vec<User>> {
        let _ = scope;
        todo!()
    }
    /// Makes a user.
    ///
    /// # Errors
    /// `Denied`, `Invalid`, `Conflict`.
    pub fn create_user(&self, scope: &Scope<Manage>, user: &NewUser) -> Result<User> {
        let _ = (scope, user);
        todo!()
    }
    /// Changes a user. The last enabled admin cannot be changed to something else or disabled.
    ///
    /// # Errors
    /// `Denied`, `NotFound`, `Invalid`, `Conflict`.
    pub fn update_user(
        &self,
        scope: &Scope<Manage>,
        id: RecordId,
        role: Option<Role>,
        disabled: Option<bool>,
        password: Option<&str>,
    ) -> Result<User> {
        let _ = (scope, id, role, disabled, password);
        todo!()
    }
    /// Deletes a user and its sessions.
    ///
    /// # Errors
    /// `Denied`, `NotFound`, `Conflict` for the last enabled admin.
    pub fn delete_user(&self, scope: &Scope<Manage>, id: RecordId) -> Result<User> {
        let _ = (scope, id);
        todo!()
    }
    /// The tenant's keys.
    ///
    /// # Errors
    /// `Denied` unless the scope allows `ReadKeys`.
    pub fn keys(&self, scope: &Scope<Manage>) -> Result<Vec<ApiKey>> {
        let _ = scope;
        todo!()
    }
    /// Makes a key. The secret is given this once.
    ///
    /// # Errors
    /// `Denied`, `Invalid`.
    pub fn create_key(&self, scope: &Scope<Manage>, key: &NewKey) -> Result<(ApiKey, String)> {
        let _ = (scope, key);
        todo!()
    }
    /// Gives a key a second secret; the first is good for `overlap_seconds` more.
    ///
    /// # Errors
    /// `Denied`, `NotFound`.
    pub fn rotate_key(
        &self,
        scope: &Scope<Manage>,
        id: RecordId,
        overlap_seconds: u64,
    ) -> Result<(ApiKey, String)> {
        let _ = (scope, id, overlap_seconds);
        todo!()
    }
    /// Revokes a key, at once.
    ///
    /// # Errors
    /// `Denied`, `NotFound`.
    pub fn revoke_key(&self, scope: &Scope<Manage>, id: RecordId) -> Result<ApiKey> {
        let _ = (scope, id);
        todo!()
    }

    /// The dataset that may be read.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn dataset_to_read(&self, scope: &Scope<Read>) -> Result<Dataset> {
        let _ = scope;
        todo!()
    }
    /// The dataset that may be appended to; makes it when there is none and the tenant lets it.
    ///
    /// # Errors
    /// `NotFound` when the tenant switched that off, `Invalid` at `limits::DATASETS_MAX`.
    pub fn dataset_to_append(&self, scope: &Scope<Append>) -> Result<Dataset> {
        let _ = scope;
        todo!()
    }
    /// The datasets that may be read, by name.
    ///
    /// # Errors
    /// The database's.
    pub fn datasets(&self, grant: &ReadGrant) -> Result<Vec<Dataset>> {
        let _ = grant;
        todo!()
    }
    /// Every dataset of a tenant, for background work.
    ///
    /// # Errors
    /// The database's.
    pub fn all_datasets(&self, scope: &Scope<Upkeep>) -> Result<Vec<Dataset>> {
        let _ = scope;
        todo!()
    }
    /// Makes a dataset.
    ///
    /// # Errors
    /// `Denied`, `Conflict`, `Invalid` for a reserved name or bad settings.
    pub fn create_dataset(
        &self,
        scope: &Scope<Manage>,
        name: &DatasetName,
        settings: &DatasetSettings,
    ) -> Result<Dataset> {
        let _ = (scope, name, settings);
        todo!()
    }
    /// Sets all settings of a dataset.
    ///
    /// # Errors
    /// `Denied`, `NotFound`, `Invalid`.
    pub fn update_dataset(
        &self,
        scope: &Scope<Manage>,
        name: &DatasetName,
        settings: &DatasetSettings,
    ) -> Result<Dataset> {
        let _ = (scope, name, settings);
        todo!()
    }
}
