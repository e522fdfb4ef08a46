//! Whether the server lives and is ready.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Whether the server is ready.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Readiness {
    /// `ready`, `degraded` when some tenants cannot be opened, or `stopping`.
    #[schema(example = "ready")]
    pub status: String,
    /// How many tenants are open.
    pub tenants_open: usize,
    /// How many tenants cannot be opened; the server's log says which, and why.
    pub tenants_unavailable: usize,
}
