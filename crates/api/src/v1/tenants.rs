//! Tenants.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A tenant is made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateTenant {
    /// Its name: 1 to 64 characters of a-z, 0-9 and '-', a letter first.
    #[schema(example = "acme", max_length = 64, pattern = "^[a-z][a-z0-9-]*$")]
    pub name: String,
    /// Its first admin.
    #[serde(deserialize_with = "crate::object::object")]
    pub admin: FirstAdmin,
}

/// The first admin of a tenant.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FirstAdmin {
    /// The address.
    #[schema(format = Email, max_length = 254)]
    pub email: String,
    /// At least 12 characters.
    #[schema(format = Password, min_length = 12, max_length = 1_024)]
    pub password: String,
}

impl std::fmt::Debug for FirstAdmin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FirstAdmin").field("email", &self.email).finish_non_exhaustive()
    }
}

/// A tenant's id and name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TenantName {
    /// The id, for ever.
    #[schema(example = "8a6e0804f2b14d6c9d4f5a0d3c2b1a09")]
    pub id: String,
    /// The name.
    #[schema(example = "acme")]
    pub name: String,
}

/// A tenant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Tenant {
    /// The id, for ever.
    #[schema(example = "8a6e0804f2b14d6c9d4f5a0d3c2b1a09")]
    pub id: String,
    /// The name.
    #[schema(example = "acme")]
    pub name: String,
    /// When it was made.
    #[schema(format = DateTime)]
    pub created_at: String,
    /// Whether the first event to an unknown dataset makes it.
    pub makes_datasets: bool,
}

/// A tenant's settings are changed.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateTenant {
    /// Whether the first event to an unknown dataset makes it.
    pub makes_datasets: bool,
}
