//! In which tenants' files an address or a secret may be found.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::Arc;

use ledgerline_model::id::TenantId;
use parking_lot::RwLock;

use crate::address::Address;
use crate::db::Database;
use crate::error::Result;
use crate::seals::{KeyedHash, Seals, SecretHash};

/// Rows of the control file, and the same in memory, so that an unknown credential costs no disk.
pub(crate) struct Index {
    control: Arc<Database>,
    seals: Arc<Seals>,
    tenants: RwLock<HashMap<KeyedHash, Vec<TenantId>>>,
}

impl fmt::Debug for Index {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Index(..)")
    }
}

impl Index {
    /// An index that knows nothing yet: [`Index::reconcile`] fills it.
    pub(crate) fn new(control: Arc<Database>, seals: Arc<Seals>) -> Self {
        Self { control, seals, tenants: RwLock::default() }
    }

    pub(crate) fn tenants_of_address(&self, address: &Address) -> Vec<TenantId> {
        self.tenants_of(&self.seals.hash_address(address))
    }

    pub(crate) fn tenant_of_secret(&self, secret: &SecretHash) -> Option<TenantId> {
        self.tenants_of(&self.seals.hash_secret(secret)).first().copied()
    }

    /// To be called before the address is written to the tenant's file.
    pub(crate) fn put_address(&self, tenant: TenantId, address: &Address) -> Result<()> {
        self.put(tenant, self.seals.hash_address(address))
    }

    /// To be called after the address was removed from the tenant's file.
    pub(crate) fn remove_address(&self, tenant: TenantId, address: &Address) {
        self.remove(tenant, self.seals.hash_address(address));
    }

    /// To be called before the secret is written to the tenant's file.
    pub(crate) fn put_secret(&self, tenant: TenantId, secret: &SecretHash) -> Result<()> {
        self.put(tenant, self.seals.hash_secret(secret))
    }

    /// To be called after the secret was removed from the tenant's file.
    pub(crate) fn remove_secret(&self, tenant: TenantId, secret: &SecretHash) {
        self.remove(tenant, self.seals.hash_secret(secret));
    }

    /// To be called after the tenant is no longer live.
    pub(crate) fn forget_tenant(&self, tenant: TenantId) {
        self.tenants.write().retain(|_, tenants| {
            tenants.retain(|other| *other != tenant);
            !tenants.is_empty()
        });
    }

    /// Makes the rows of a tenant those that its own file says. Returns how many were wrong.
    pub(crate) fn reconcile(
        &self,
        tenant: TenantId,
        addresses: &[Address],
        secrets: &[SecretHash],
    ) -> Result<usize> {
        let addresses = addresses.iter().map(|address| self.seals.hash_address(address));
        let secrets = secrets.iter().map(|secret| self.seals.hash_secret(secret));
        let wanted: HashSet<KeyedHash> = addresses.chain(secrets).collect();
        let stored: HashSet<KeyedHash> = self.control.read(|sql| {
            let mut select = sql.prepare_cached("SELECT hash FROM lookup WHERE tenant = ?")?;
            let rows = select.query_map([tenant.as_bytes()], |row| row.get(0))?;
            Ok(rows.collect::<rusqlite::Result<_>>()?)
        })?;
        let wrong = wanted.symmetric_difference(&stored).count();
        if wrong > 0 {
            self.control.write(|sql| {
                for hash in stored.difference(&wanted) {
                    sql.prepare_cached(REMOVE)?.execute((hash, tenant.as_bytes()))?;
                }
                for hash in wanted.difference(&stored) {
                    sql.prepare_cached(PUT)?.execute((hash, tenant.as_bytes()))?;
                }
                Ok(())
            })?;
        }
        let mut tenants = self.tenants.write();
        wanted.into_iter().for_each(|hash| add(&mut tenants, hash, tenant));
        Ok(wrong)
    }

    fn tenants_of(&self, hash: &KeyedHash) -> Vec<TenantId> {
        self.tenants.read().get(hash).cloned().unwrap_or_default()
    }

    fn put(&self, tenant: TenantId, hash: KeyedHash) -> Result<()> {
        self.control.write(|sql| {
            sql.prepare_cached(PUT)?.execute((hash, tenant.as_bytes()))?;
            Ok(())
        })?;
        add(&mut self.tenants.write(), hash, tenant);
        Ok(())
    }

    /// Cannot fail: what it removes leads nowhere, and a row that stays is removed at the next
    /// start.
    fn remove(&self, tenant: TenantId, hash: KeyedHash) {
        if let Entry::Occupied(mut entry) = self.tenants.write().entry(hash) {
            entry.get_mut().retain(|other| *other != tenant);
            if entry.get().is_empty() {
                entry.remove();
            }
        }
        let removed = self.control.write(|sql| {
            sql.prepare_cached(REMOVE)?.execute((hash, tenant.as_bytes()))?;
            Ok(())
        });
        if let Err(error) = removed {
            tracing::warn!(%tenant, %error, "a row of the index stays for now");
        }
    }
}

const PUT: &str = "INSERT OR IGNORE INTO lookup (hash, tenant) VALUES (?, ?)";
const REMOVE: &str = "DELETE FROM lookup WHERE hash = ? AND tenant = ?";

fn add(tenants: &mut HashMap<KeyedHash, Vec<TenantId>>, hash: KeyedHash, tenant: TenantId) {
    let tenants = tenants.entry(hash).or_default();
    if !tenants.contains(&tenant) {
        tenants.push(tenant);
    }
}
