//! Roles, the actions that routes ask for, and the one table between them.

use std::fmt;
use std::str::FromStr;

/// What a person is in the platform. Exactly one per user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// Runs the platform: makes and deletes tenants. Belongs to no tenant and never touches events.
    Operator,
    /// Does everything in its own tenant.
    Admin,
    /// Reads everything in its own tenant, its `_audit` included, and changes nothing.
    Auditor,
    /// Reads and appends the tenant's own events.
    User,
}

/// A text that names no role.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a role is one of operator, admin, auditor and user")]
pub struct RoleError;

impl Role {
    /// Every role.
    pub const ALL: [Self; 4] = [Self::Operator, Self::Admin, Self::Auditor, Self::User];

    /// The role's name, as stored and as on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Operator => "operator",
            Self::Admin => "admin",
            Self::Auditor => "auditor",
            Self::User => "user",
        }
    }

    /// Whether the role has the action at all. Written out for every role, so that a new action is
    /// denied to all until somebody decides.
    pub(crate) fn has(self, action: Action) -> bool {
        use Action::{
            AmendEvents, Append, EraseEvents, ListDatasets, ManageAudit, ManageDatasets,
            ManageKeys, ManageTenants, ManageUsers, Read, ReadAudit, ReadKeys, ReadTenants,
            ReadUsers,
        };
        match self {
            Self::Operator => matches!(action, ReadTenants | ManageTenants),
            Self::Admin => matches!(
                action,
                Append
                    | Read
                    | ReadAudit
                    | ListDatasets
                    | ManageDatasets
                    | ReadUsers
                    | ManageUsers
                    | ReadKeys
                    | ManageKeys
                    | AmendEvents
                    | EraseEvents
                    | ManageAudit
            ),
            Self::Auditor => {
                matches!(action, Read | ReadAudit | ListDatasets | ReadUsers | ReadKeys)
            }
            Self::User => matches!(action, Append | Read | ListDatasets),
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Role {
    type Err = RoleError;

    fn from_str(text: &str) -> Result<Self, RoleError> {
        Self::ALL.into_iter().find(|role| role.as_str() == text).ok_or(RoleError)
    }
}

/// What a request wants to do. Every route names one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// Append events to a dataset that is not reserved.
    Append,
    /// Read the events of a dataset that is not reserved.
    Read,
    /// Read the events of a reserved dataset, such as `_audit`.
    ReadAudit,
    /// List datasets and their settings.
    ListDatasets,
    /// Make datasets, change their settings and the tenant's for them. No dataset is deleted: its
    /// events go by its retention.
    ManageDatasets,
    /// List users.
    ReadUsers,
    /// Make, change and delete users.
    ManageUsers,
    /// List API keys; never the keys themselves, which nobody can read back.
    ReadKeys,
    /// Make, rotate and revoke API keys.
    ManageKeys,
    /// Add amendments to audit events.
    AmendEvents,
    /// Erase audit events, and remove those whose time is over.
    EraseEvents,
    /// Set what audit events must look like, how long they are kept and what is held.
    ManageAudit,
    /// List tenants.
    ReadTenants,
    /// Make and delete tenants.
    ManageTenants,
}

impl Action {
    /// Every action.
    pub const ALL: [Self; 14] = [
        Self::Append,
        Self::Read,
        Self::ReadAudit,
        Self::ListDatasets,
        Self::ManageDatasets,
        Self::ReadUsers,
        Self::ManageUsers,
        Self::ReadKeys,
        Self::ManageKeys,
        Self::AmendEvents,
        Self::EraseEvents,
        Self::ManageAudit,
        Self::ReadTenants,
        Self::ManageTenants,
    ];

    /// The action's name, as audit events carry it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Append => "append",
            Self::Read => "read",
            Self::ReadAudit => "read_audit",
            Self::ListDatasets => "list_datasets",
            Self::ManageDatasets => "manage_datasets",
            Self::ReadUsers => "read_users",
            Self::ManageUsers => "manage_users",
            Self::ReadKeys => "read_keys",
            Self::ManageKeys => "manage_keys",
            Self::AmendEvents => "amend_events",
            Self::EraseEvents => "erase_events",
            Self::ManageAudit => "manage_audit",
            Self::ReadTenants => "read_tenants",
            Self::ManageTenants => "manage_tenants",
        }
    }

    /// Whether the right to do `self` holds the right to do `other`: to manage a thing is also to
    /// list it.
    #[must_use]
    pub fn implies(self, other: Self) -> bool {
        self == other
            || matches!(
                (self, other),
                (Self::ManageDatasets, Self::ListDatasets)
                    | (Self::ManageUsers, Self::ReadUsers)
                    | (Self::ManageKeys, Self::ReadKeys)
                    | (Self::ManageTenants, Self::ReadTenants)
            )
    }

    /// Whether the action is on a tenant's control records, which [`crate::Scope`] of
    /// [`crate::Manage`] is for.
    pub(crate) fn is_manage(self) -> bool {
        matches!(
            self,
            Self::ListDatasets
                | Self::ManageDatasets
                | Self::ReadUsers
                | Self::ManageUsers
                | Self::ReadKeys
                | Self::ManageKeys
                | Self::AmendEvents
                | Self::EraseEvents
                | Self::ManageAudit
        )
    }

    /// Whether the action is on tenants, which [`crate::OperatorScope`] is for.
    pub(crate) fn is_operate(self) -> bool {
        matches!(self, Self::ReadTenants | Self::ManageTenants)
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
