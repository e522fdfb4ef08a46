//! Who may do what: roles, key scopes, principals, and [`Scope`], the value without which nothing
//! opens a tenant's data. This room is the only maker of scopes.
//!
//! It never does input or output, never looks anything up and never knows what exists: a decision
//! is a pure function of who asks, what for, and a dataset's name. An answer can therefore reveal
//! only what the asker wrote.

mod action;
mod authorize;
mod key;
mod principal;
mod scope;

pub use action::{Action, Role, RoleError};
pub use authorize::{
    Denied, ReadGrant, authorize_append, authorize_append_audit, authorize_manage,
    authorize_operator, authorize_read, authorize_read_all, upkeep, upkeep_of_tenants,
};
pub use key::{KeyScope, KeyScopeError, Reach};
pub use principal::{Principal, Subject};
pub use scope::{Append, Job, Manage, OperatorScope, Read, Scope, Upkeep};
