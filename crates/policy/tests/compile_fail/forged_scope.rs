//! A scope has no constructor and no public fields.

use ledgerline_model::id::TenantId;
use ledgerline_policy::{Read, Scope, Subject};

fn forge(tenant: TenantId, to: Read) -> Scope<Read> {
    Scope { tenant, subject: Subject::System, to }
}

fn construct(tenant: TenantId, to: Read) -> Scope<Read> {
    Scope::new(tenant, Subject::System, to)
}

fn main() {}
