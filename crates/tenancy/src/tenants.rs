//! Making, listing and deleting tenants.
//!
//! ```text
//! create   control: a row, in the making → folder and records.db
//! confirm  control: the row is live
//! delete   control: the row is deleted, its name free → the folder and its keys → no row
//! ```
//! Only a live row outlives a restart. What is left of a tenant whose making or deleting was cut
//! short is removed at the next start, and while the server runs by the background loop.

use std::sync::Arc;

use ledgerline_model::id::{TenantId, TenantName};
use ledgerline_policy::{Action, Manage, OperatorScope, Role, Scope};

use crate::address::Address;
use crate::error::{Error, ErrorKind, Result};
use crate::people::NewAccount;
use crate::records::{NewUser, Tenant, User};
use crate::tenancy::{Damaged, Tenancy, require};
use crate::tenant::TenantRecords;

impl Tenancy {
    /// Every tenant, by name, for background work.
    ///
    /// # Errors
    /// The database's.
    pub fn all_tenants(&self) -> Result<Vec<Tenant>> {
        let mut tenants: Vec<Tenant> =
            self.live_tenants().iter().map(|records| records.tenant()).collect();
        tenants.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(tenants)
    }

    /// Every tenant, by name.
    ///
    /// # Errors
    /// `Denied` unless the scope holds `ReadTenants`.
    pub fn tenants(&self, scope: &OperatorScope) -> Result<Vec<Tenant>> {
        require(scope, Action::ReadTenants)?;
        self.all_tenants()
    }

    /// Makes a tenant with its first admin, both or neither. It is there for good when
    /// [`Tenancy::confirm_tenant`] says so; before that, a restart removes it. Slow by design: it
    /// hashes a password.
    ///
    /// # Errors
    /// `Denied`, `Invalid`, `Conflict` when the name is taken, `Busy`.
    pub fn create_tenant(
        &self,
        scope: &OperatorScope,
        name: &TenantName,
        admin: &NewUser,
    ) -> Result<(Tenant, User)> {
        require(scope, Action::ManageTenants)?;
        if admin.role != Role::Admin {
            return Err(Error::invalid("role", "the first user of a tenant is an admin"));
        }
        // A login names a tenant by either.
        if name.as_str().parse::<TenantId>().is_ok() {
            return Err(Error::invalid("name", "a name that looks like a tenant's id"));
        }
        self.check_name(name)?;
        let account = self.new_account(admin)?;
        let _change = self.change.lock();
        self.check_name(name)?;
        let id = self.data.chance().tenant_id();
        let created = self.now();
        let tenant = Tenant { id, name: name.clone(), created, makes_datasets: true };
        let made = self.make(tenant, &account);
        if made.is_err() {
            self.index.forget_tenant(id);
            if self.remove_leftover(scope, id).is_err() {
                self.leftovers.lock().push(id);
            }
        }
        made
    }

    /// Says that a tenant that was created is there for good.
    ///
    /// # Errors
    /// `Denied`, `NotFound`, the database's.
    pub fn confirm_tenant(&self, scope: &OperatorScope, id: TenantId) -> Result<()> {
        require(scope, Action::ManageTenants)?;
        let _change = self.change.lock();
        let tenant = self.records(id)?.tenant();
        self.control.write(|sql| {
            sql.prepare_cached("UPDATE tenant SET state = 'live', name = ? WHERE id = ?")?
                .execute((tenant.name.as_str(), id.as_bytes()))?;
            Ok(())
        })
    }

    /// Forgets a tenant, whether its records open or not; its credentials are dead at once. Its
    /// folder and keys are left for [`Tenancy::remove_leftovers`].
    ///
    /// # Errors
    /// `Denied`, `NotFound`.
    pub fn delete_tenant(&self, scope: &OperatorScope, id: TenantId) -> Result<()> {
        require(scope, Action::ManageTenants)?;
        let _change = self.change.lock();
        let is_there: bool = self.control.read(|sql| {
            let exists = "SELECT EXISTS (SELECT 1 FROM tenant WHERE id = ? AND state <> 'deleted')";
            Ok(sql.query_row(exists, [id.as_bytes()], |row| row.get(0))?)
        })?;
        if !is_there {
            return Err(Error::not_found("no such tenant"));
        }
        self.mark_deleted(id)?;
        self.leftovers.lock().push(id);
        self.damaged.lock().retain(|damaged| damaged.tenant != id);
        let records = self.tenants.write().remove(&id);
        self.index.forget_tenant(id);
        if let Some(Err(error)) = records.map(|records| records.mark_deleted()) {
            tracing::warn!(tenant = %id, %error, "the tenant's own file does not say it is deleted");
        }
        Ok(())
    }

    /// Destroys what is left of tenants that were deleted, or only half made. `let_go` is called
    /// before the folder of each goes. Returns the tenants of which something stays for the next
    /// time.
    pub fn remove_leftovers(
        &self,
        scope: &OperatorScope,
        mut let_go: impl FnMut(TenantId),
    ) -> Vec<TenantId> {
        let mut leftovers = self.leftovers.lock();
        leftovers.retain(|id| {
            self.index.forget_tenant(*id);
            let_go(*id);
            let removed = self.remove_leftover(scope, *id);
            if let Err(error) = &removed {
                let error = error.with_causes();
                tracing::warn!(tenant = %id, error, "what is left of a tenant stays for now");
            }
            removed.is_err()
        });
        leftovers.clone()
    }

    /// The tenant of a principal.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn tenant(&self, id: TenantId) -> Result<Tenant> {
        Ok(self.records(id)?.tenant())
    }

    /// Sets whether the first event to an unknown dataset makes it.
    ///
    /// # Errors
    /// `Denied` unless the scope allows `ManageDatasets`.
    pub fn set_makes_datasets(&self, scope: &Scope<Manage>, makes: bool) -> Result<()> {
        self.managed(scope, Action::ManageDatasets)?.set_makes_datasets(makes)
    }

    /// Live tenants whose records do not open, and why. Their credentials are good for nothing, and
    /// all other tenants are served.
    #[must_use]
    pub fn damaged_tenants(&self) -> Vec<(TenantId, String)> {
        let damaged = self.damaged.lock();
        damaged.iter().map(|damaged| (damaged.tenant, damaged.why.clone())).collect()
    }

    /// Tries those again whose records are not damaged for good. Returns the tenants that open now.
    pub fn retry_damaged(&self) -> Vec<TenantId> {
        let _change = self.change.lock();
        let mut open = Vec::new();
        self.damaged.lock().retain_mut(|damaged| {
            if damaged.is_corrupt {
                return true;
            }
            match self.open_tenant(damaged.tenant) {
                Ok(()) => open.push(damaged.tenant),
                Err(error) => *damaged = Damaged::new(damaged.tenant, &error),
            }
            open.last() != Some(&damaged.tenant)
        });
        open
    }

    /// Opens every live tenant, and makes the index what their files say.
    pub(crate) fn open_tenants(&self) -> Result<()> {
        let mut rows = self.rows()?;
        // A platform always has an operator: one without either has lost its control file, or is
        // new.
        if rows.is_empty() && self.operators.is_empty()? {
            self.adopt_tenants()?;
            rows = self.rows()?;
        }
        for (id, is_live) in rows {
            if !is_live {
                self.leftovers.lock().push(id);
                continue;
            }
            if let Err(error) = self.open_tenant(id) {
                let damaged = Damaged::new(id, &error);
                let why = &damaged.why;
                tracing::error!(tenant = %id, error = why, "the records of a tenant do not open");
                self.damaged.lock().push(damaged);
            }
        }
        Ok(())
    }

    fn open_tenant(&self, id: TenantId) -> Result<()> {
        let records = TenantRecords::open(&self.data, id)?;
        let repaired = self.reconcile(&records)?;
        if repaired > 0 {
            tracing::warn!(tenant = %id, rows = repaired, "the index was made right again");
        }
        self.tenants.write().insert(id, Arc::new(records));
        Ok(())
    }

    /// Every tenant that the control file knows, and whether it is live.
    fn rows(&self) -> Result<Vec<(TenantId, bool)>> {
        self.control.read(|sql| {
            let mut select = sql.prepare("SELECT id, state = 'live' FROM tenant")?;
            let mut rows = select.query([])?;
            let mut tenants = Vec::new();
            while let Some(row) = rows.next()? {
                let id = TenantId::from_bytes(row.get(0)?);
                let id = id.map_err(|_| Error::corrupt("a tenant without id"))?;
                tenants.push((id, row.get(1)?));
            }
            Ok(tenants)
        })
    }

    /// Takes up the tenants whose folders there are, as after the loss of the control file.
    fn adopt_tenants(&self) -> Result<()> {
        for id in self.data.tenant_folders()? {
            let named = |error: Error| error.about(format_args!("tenant {id}"));
            let Some(tenant) = TenantRecords::left(&self.data, id).map_err(named)? else {
                continue;
            };
            self.control.write(|sql| {
                let insert = "INSERT INTO tenant (id, state, name) VALUES (?, 'live', ?)";
                sql.execute(insert, (id.as_bytes(), tenant.name.as_str()))?;
                Ok(())
            })?;
            tracing::warn!(tenant = %id, "taken up again from its folder");
        }
        Ok(())
    }

    fn reconcile(&self, records: &TenantRecords) -> Result<usize> {
        let users = records.people().users()?;
        let addresses: Result<Vec<Address>> =
            users.iter().map(|user| Address::parse(&user.email)).collect();
        self.index.reconcile(records.id(), &addresses?, &records.secrets()?)
    }

    fn check_name(&self, name: &TenantName) -> Result<()> {
        let is_open = self.live_tenants().iter().any(|records| records.tenant().name == *name);
        // One whose records do not open has its name all the same.
        let is_there: bool = self.control.read(|sql| {
            let exists = "SELECT EXISTS (SELECT 1 FROM tenant WHERE name = ?)";
            Ok(sql.query_row(exists, [name.as_str()], |row| row.get(0))?)
        })?;
        if is_open || is_there {
            return Err(Error::conflict("name", "there is a tenant of this name already"));
        }
        Ok(())
    }

    fn make(&self, tenant: Tenant, account: &NewAccount) -> Result<(Tenant, User)> {
        let id = tenant.id;
        self.control.write(|sql| {
            sql.prepare_cached("INSERT INTO tenant (id, state) VALUES (?, 'making')")?
                .execute([id.as_bytes()])?;
            Ok(())
        })?;
        let admin = self.data.chance().record_id();
        let (records, user) = TenantRecords::make(&self.data, tenant.clone(), admin, account)?;
        self.index.put_address(id, &account.address)?;
        self.tenants.write().insert(id, Arc::new(records));
        Ok((tenant, user))
    }

    /// The row is dead before the folder goes, whatever became of its last change, and goes after
    /// it.
    fn remove_leftover(&self, scope: &OperatorScope, id: TenantId) -> Result<()> {
        self.mark_deleted(id)?;
        self.data.delete_tenant(scope, id)?;
        self.control.write(|sql| {
            sql.prepare_cached("DELETE FROM tenant WHERE id = ?")?.execute([id.as_bytes()])?;
            Ok(())
        })
    }

    fn mark_deleted(&self, id: TenantId) -> Result<()> {
        self.control.write(|sql| {
            sql.prepare_cached("UPDATE tenant SET state = 'deleted', name = NULL WHERE id = ?")?
                .execute([id.as_bytes()])?;
            sql.prepare_cached("DELETE FROM lookup WHERE tenant = ?")?.execute([id.as_bytes()])?;
            Ok(())
        })
    }
}

impl Damaged {
    fn new(tenant: TenantId, error: &Error) -> Self {
        let is_corrupt = error.kind() == ErrorKind::Corrupt;
        Self { tenant, why: error.with_causes(), is_corrupt }
    }
}
