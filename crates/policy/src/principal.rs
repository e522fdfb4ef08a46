//! Who asks.

use std::fmt;

use ledgerline_model::dataset::DatasetKind;
use ledgerline_model::id::{DatasetName, RecordId, TenantId};

use crate::action::{Action, Role};
use crate::authorize::Denied;
use crate::key::KeyScope;

/// Who acts, as audit events name them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Subject {
    /// A person: a user of a tenant, or the operator.
    User(RecordId),
    /// An API key of a tenant.
    Key(RecordId),
    /// Ledgerline itself, in background work.
    System,
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(id) => write!(f, "user:{id}"),
            Self::Key(id) => write!(f, "key:{id}"),
            Self::System => f.write_str("system"),
        }
    }
}

/// Who asks, as an authenticated credential says it: the tenant, the subject and its rights. Made
/// where a credential was verified, from the records of that credential, and nowhere else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal(Kind);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Kind {
    Operator { user: RecordId },
    User { tenant: TenantId, user: RecordId, role: Role },
    Key { tenant: TenantId, key: RecordId, scopes: Vec<KeyScope> },
}

impl Principal {
    /// The operator, who belongs to no tenant.
    #[must_use]
    pub fn operator(user: RecordId) -> Self {
        Self(Kind::Operator { user })
    }

    /// A user of a tenant.
    ///
    /// # Errors
    /// [`Denied::Forbidden`] for [`Role::Operator`], which nobody has within a tenant.
    pub fn user(tenant: TenantId, user: RecordId, role: Role) -> Result<Self, Denied> {
        match role {
            Role::Operator => Err(Denied::Forbidden),
            Role::Admin | Role::Auditor | Role::User => Ok(Self(Kind::User { tenant, user, role })),
        }
    }

    /// An API key of a tenant. It may do what its scopes say, whoever made it.
    #[must_use]
    pub fn key(tenant: TenantId, key: RecordId, scopes: Vec<KeyScope>) -> Self {
        Self(Kind::Key { tenant, key, scopes })
    }

    /// The one tenant that the credential belongs to; none for the operator.
    #[must_use]
    pub fn tenant(&self) -> Option<TenantId> {
        match self.0 {
            Kind::Operator { .. } => None,
            Kind::User { tenant, .. } | Kind::Key { tenant, .. } => Some(tenant),
        }
    }

    /// Who it is.
    #[must_use]
    pub fn subject(&self) -> Subject {
        match self.0 {
            Kind::Operator { user } | Kind::User { user, .. } => Subject::User(user),
            Kind::Key { key, .. } => Subject::Key(key),
        }
    }

    /// A person's role; none for a key.
    #[must_use]
    pub fn role(&self) -> Option<Role> {
        match self.0 {
            Kind::Operator { .. } => Some(Role::Operator),
            Kind::User { role, .. } => Some(role),
            Kind::Key { .. } => None,
        }
    }

    /// A key's scopes; none for a person.
    #[must_use]
    pub fn key_scopes(&self) -> &[KeyScope] {
        match &self.0 {
            Kind::Operator { .. } | Kind::User { .. } => &[],
            Kind::Key { scopes, .. } => scopes,
        }
    }

    /// Whether the principal has the action on anything at all. Opens nothing: the `authorize`
    /// functions do.
    #[must_use]
    pub fn has(&self, action: Action) -> bool {
        match &self.0 {
            Kind::Operator { .. } => Role::Operator.has(action),
            Kind::User { role, .. } => role.has(action),
            Kind::Key { scopes, .. } => scopes.iter().any(|scope| scope.has(action)),
        }
    }

    /// Whether the principal may append events of a kind to the dataset of its tenant.
    pub(crate) fn appends(&self, dataset: &DatasetName, kind: DatasetKind) -> bool {
        match &self.0 {
            Kind::Operator { .. } => false,
            Kind::User { role, .. } => !dataset.is_reserved() && role.has(Action::Append),
            Kind::Key { scopes, .. } => scopes.iter().any(|scope| scope.appends(dataset, kind)),
        }
    }

    /// Whether the principal may read the dataset of its tenant.
    pub(crate) fn reads(&self, dataset: &DatasetName) -> bool {
        let action = if dataset.is_reserved() { Action::ReadAudit } else { Action::Read };
        match &self.0 {
            Kind::Operator { .. } => false,
            Kind::User { role, .. } => role.has(action),
            Kind::Key { scopes, .. } => scopes.iter().any(|scope| scope.reads(dataset)),
        }
    }
}
