//! All control records, opened.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use ledgerline_model::id::TenantId;
use ledgerline_model::time::Timestamp;
use ledgerline_policy::{Action, Manage, OperatorScope, Scope};
use ledgerline_world::{Clock, DataDir};
use parking_lot::{Mutex, RwLock};

use crate::address::Address;
use crate::db::{CONTROL, Database};
use crate::error::{Error, Result};
use crate::index::Index;
use crate::login::password::{self, Passwords};
use crate::login::token::Signer;
use crate::people::{NewAccount, People};
use crate::records::{NewUser, Options};
use crate::seals::{Owner, Seals, stored_secret};
use crate::tenant::TenantRecords;
use crate::throttle::Throttle;

const FILE: &str = "control.db";

/// All control records. Every change is durable when its function returns, and is seen by every
/// function that is called after that.
pub struct Tenancy {
    pub(crate) data: DataDir,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) options: Options,
    pub(crate) control: Arc<Database>,
    pub(crate) seals: Arc<Seals>,
    pub(crate) operators: People,
    pub(crate) index: Index,
    pub(crate) signer: Signer,
    pub(crate) passwords: Passwords,
    pub(crate) throttle: Throttle,
    /// The live tenants.
    pub(crate) tenants: RwLock<HashMap<TenantId, Arc<TenantRecords>>>,
    /// Tenants whose folders were left behind: half made or half deleted when the process ended.
    pub(crate) leftovers: Mutex<Vec<TenantId>>,
    pub(crate) damaged: Mutex<Vec<Damaged>>,
    /// Held while tenants or operators are made or deleted.
    pub(crate) change: Mutex<()>,
}

/// A live tenant whose records do not open.
#[derive(Debug)]
pub(crate) struct Damaged {
    pub(crate) tenant: TenantId,
    pub(crate) why: String,
    /// The bytes are not what was written: to try again is of no use.
    pub(crate) is_corrupt: bool,
}

impl fmt::Debug for Tenancy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tenancy").field("data", &self.data).finish_non_exhaustive()
    }
}

impl Tenancy {
    /// Opens the records, or makes them.
    ///
    /// # Errors
    /// The database's, and `Invalid` for options that cannot be meant.
    pub fn open(data: &DataDir, clock: Arc<dyn Clock>, options: Options) -> Result<Self> {
        let control = Arc::new(Database::open_or_make(&data.control_file(FILE), &CONTROL)?);
        let seals = Arc::new(Seals::open(data, Owner::Platform, &control)?);
        let signing_seed = stored_secret(data, Owner::Platform, &control, "signing")?;
        let tenancy = Self {
            data: data.clone(),
            clock,
            operators: People::new(Arc::clone(&control), Arc::clone(&seals)),
            index: Index::new(Arc::clone(&control), Arc::clone(&seals)),
            signer: Signer::new(&signing_seed)?,
            passwords: Passwords::new(options.argon2_kib, data.chance().clone())?,
            throttle: Throttle::default(),
            tenants: RwLock::default(),
            leftovers: Mutex::default(),
            damaged: Mutex::default(),
            change: Mutex::default(),
            control,
            seals,
            options,
        };
        tenancy.open_tenants()?;
        Ok(tenancy)
    }

    /// Writes what may be written late (when keys were last used), and forgets what has ended. For
    /// a background loop, about once a minute; one that fails is made good by the next.
    ///
    /// # Errors
    /// The database's.
    pub fn maintain(&self) -> Result<()> {
        let now = self.clock.now();
        let mut done = self.operators.remove_expired_sessions(now);
        for records in self.live_tenants() {
            // One tenant's trouble is not another's.
            done = done
                .and(records.write_uses_sometimes(now))
                .and(records.people().remove_expired_sessions(now));
        }
        done
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(crate) fn live_tenants(&self) -> Vec<Arc<TenantRecords>> {
        self.tenants.read().values().cloned().collect()
    }

    /// The records of a live tenant.
    ///
    /// # Errors
    /// `NotFound`.
    pub(crate) fn records(&self, id: TenantId) -> Result<Arc<TenantRecords>> {
        let records = self.tenants.read().get(&id).cloned();
        records.ok_or_else(|| Error::not_found("no such tenant"))
    }

    /// The records that a scope opens, if it allows the action.
    ///
    /// # Errors
    /// `Denied`, `NotFound`.
    pub(crate) fn managed(
        &self,
        scope: &Scope<Manage>,
        action: Action,
    ) -> Result<Arc<TenantRecords>> {
        if scope.allows(action) { self.records(scope.tenant()) } else { Err(Error::denied()) }
    }

    /// A user to be stored: checked, and the password hashed, which is slow.
    ///
    /// # Errors
    /// `Invalid`, and `Busy` when too many passwords are being hashed.
    pub(crate) fn new_account(&self, user: &NewUser) -> Result<NewAccount> {
        let address = Address::parse(&user.email)?;
        password::check(&user.password, &address)?;
        let password = self.passwords.hash(&user.password)?;
        Ok(NewAccount { address, password, role: user.role })
    }
}

/// What the operator asks for, if its scope allows it.
pub(crate) fn require(scope: &OperatorScope, action: Action) -> Result<()> {
    if scope.allows(action) { Ok(()) } else { Err(Error::denied()) }
}

impl Drop for Tenancy {
    fn drop(&mut self) {
        for records in self.live_tenants() {
            if let Err(error) = records.write_uses(self.clock.now()) {
                let tenant = records.id();
                tracing::warn!(%tenant, %error, "when keys were last used is lost");
            }
        }
    }
}
