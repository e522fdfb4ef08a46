//! The decisions, and the only places that make a [`Scope`] from a [`Principal`].
//!
//! Two rules say which refusal is given. Who has an action on nothing at all is told
//! [`Denied::Forbidden`], whatever the object. Who may read some datasets, but not this one, is
//! told [`Denied::NotFound`], as if it did not exist. To append is always the first case: it tells
//! nothing of what exists.

use ledgerline_model::dataset::DatasetKind;
use ledgerline_model::id::{DatasetName, TenantId};

use crate::action::Action;
use crate::principal::{Principal, Subject};
use crate::scope::{Append, Job, Manage, OperatorScope, Read, Scope, Upkeep};

/// A refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Denied {
    /// The object may not be seen. To be answered exactly as if it did not exist.
    #[error("not found")]
    NotFound,
    /// The principal lacks the right for what it asks.
    #[error("not allowed")]
    Forbidden,
}

/// The right to append logs to a dataset of the principal's own tenant.
///
/// # Errors
/// [`Denied::Forbidden`] for who may not append to it; for a reserved dataset that is everybody.
pub fn authorize_append(
    principal: &Principal,
    dataset: &DatasetName,
) -> Result<Scope<Append>, Denied> {
    authorize_append_of(principal, dataset, DatasetKind::Logs)
}

/// The right to append audit events to a dataset of the principal's own tenant.
///
/// # Errors
/// As [`authorize_append`].
pub fn authorize_append_audit(
    principal: &Principal,
    dataset: &DatasetName,
) -> Result<Scope<Append>, Denied> {
    authorize_append_of(principal, dataset, DatasetKind::Audit)
}

fn authorize_append_of(
    principal: &Principal,
    dataset: &DatasetName,
    kind: DatasetKind,
) -> Result<Scope<Append>, Denied> {
    let tenant = principal.tenant().ok_or(Denied::Forbidden)?;
    if dataset.is_reserved() || !principal.appends(dataset, kind) {
        return Err(Denied::Forbidden);
    }
    let append = Append { dataset: dataset.clone(), kind };
    Ok(Scope::new(tenant, principal.subject(), append))
}

/// The right to read a dataset of the principal's own tenant.
///
/// # Errors
/// [`Denied::Forbidden`] for who may read nothing, [`Denied::NotFound`] for who may not see this
/// dataset.
pub fn authorize_read(principal: &Principal, dataset: &DatasetName) -> Result<Scope<Read>, Denied> {
    authorize_read_all(principal)?.scope(dataset)
}

/// The right to read whatever the principal may read of its own tenant, for a query that names
/// several datasets.
///
/// # Errors
/// [`Denied::Forbidden`] for who may read nothing.
pub fn authorize_read_all(principal: &Principal) -> Result<ReadGrant, Denied> {
    let tenant = principal.tenant().ok_or(Denied::Forbidden)?;
    if !principal.has(Action::Read) {
        return Err(Denied::Forbidden);
    }
    Ok(ReadGrant { tenant, principal: principal.clone() })
}

/// The right to do one kind of thing to the control records of the principal's own tenant.
///
/// # Errors
/// [`Denied::Forbidden`] for who lacks it, and for an action that is not on control records.
pub fn authorize_manage(principal: &Principal, action: Action) -> Result<Scope<Manage>, Denied> {
    let tenant = principal.tenant().ok_or(Denied::Forbidden)?;
    if !action.is_manage() || !principal.has(action) {
        return Err(Denied::Forbidden);
    }
    Ok(Scope::new(tenant, principal.subject(), Manage { action }))
}

/// The right to do one kind of thing to tenants.
///
/// # Errors
/// [`Denied::Forbidden`] for all but the operator, and for an action that is not on tenants.
pub fn authorize_operator(principal: &Principal, action: Action) -> Result<OperatorScope, Denied> {
    if principal.tenant().is_some() || !action.is_operate() || !principal.has(action) {
        return Err(Denied::Forbidden);
    }
    Ok(OperatorScope { subject: principal.subject(), action })
}

/// The right to do a background job on a tenant's data. For Ledgerline's own loops and the command
/// line of who owns the machine; never reached from a request.
#[must_use]
pub fn upkeep(tenant: TenantId, job: Job) -> Scope<Upkeep> {
    Scope::new(tenant, Subject::System, Upkeep { job })
}

/// The right to finish deletions of tenants that the operator began. For Ledgerline's own loops;
/// never reached from a request.
#[must_use]
pub fn upkeep_of_tenants() -> OperatorScope {
    OperatorScope { subject: Subject::System, action: Action::ManageTenants }
}

/// What one principal may read of its own tenant. Yields a [`Scope`] per dataset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadGrant {
    tenant: TenantId,
    principal: Principal,
}

impl ReadGrant {
    /// The tenant whose datasets may be read.
    #[must_use]
    pub fn tenant(&self) -> TenantId {
        self.tenant
    }

    /// Who asked.
    #[must_use]
    pub fn subject(&self) -> Subject {
        self.principal.subject()
    }

    /// Whether the dataset may be read, and therefore seen in a list.
    #[must_use]
    pub fn covers(&self, dataset: &DatasetName) -> bool {
        self.principal.reads(dataset)
    }

    /// The right to read one of the datasets.
    ///
    /// # Errors
    /// [`Denied::NotFound`] for a dataset that the principal may not see.
    pub fn scope(&self, dataset: &DatasetName) -> Result<Scope<Read>, Denied> {
        if !self.covers(dataset) {
            return Err(Denied::NotFound);
        }
        let read = Read { dataset: dataset.clone() };
        Ok(Scope::new(self.tenant, self.principal.subject(), read))
    }
}
