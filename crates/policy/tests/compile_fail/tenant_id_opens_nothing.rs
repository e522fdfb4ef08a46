//! Knowing a tenant's id, or being somebody, is not yet a right.

use ledgerline_model::id::TenantId;
use ledgerline_policy::{OperatorScope, Principal, Read, Scope};

fn read(_scope: &Scope<Read>) {}

fn misuse(tenant: TenantId, principal: Principal, operator: OperatorScope) {
    read(&tenant);
    read(&principal);
    read(&operator);
    let _tenant = operator.tenant();
}

fn main() {}
