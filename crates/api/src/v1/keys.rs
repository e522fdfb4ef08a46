//! API keys.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A key is made.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(example = json!({"name": "web servers", "scopes": ["ingest:*"]}))]
#[serde(deny_unknown_fields)]
pub struct CreateKey {
    /// What the tenant calls it: 1 to 100 characters.
    #[schema(example = "web servers", min_length = 1, max_length = 100)]
    pub name: String,
    /// What it may do, of `ingest:*`, `ingest:logs:*`, `ingest:logs:<dataset>`, `ingest:audit:*`,
    /// `ingest:audit:<dataset>`, `query:*`, `query:<dataset>` and `admin:*`.
    #[schema(example = json!(["ingest:*"]), min_items = 1, max_items = 100, value_type = Vec<KeyScope>)]
    pub scopes: Vec<String>,
    /// When it ends, if ever.
    #[schema(format = DateTime)]
    pub expires_at: Option<String>,
}

/// What a key may do.
#[derive(Debug, ToSchema)]
#[schema(
    value_type = String,
    pattern = r"^(admin:\*|ingest:\*|(ingest:logs|ingest:audit|query):(\*|[a-z0-9](\.?[a-z0-9_-])*\.?))$"
)]
pub struct KeyScope(pub String);

/// A key gets a second secret.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[schema(example = json!({"overlap_seconds": 3600}))]
#[serde(deny_unknown_fields)]
pub struct RotateKey {
    /// For how many seconds more the first secret is good; a day when nothing is said.
    #[schema(maximum = 2_592_000)]
    pub overlap_seconds: Option<u64>,
}

/// A new secret, which is shown this once.
#[derive(Serialize, ToSchema)]
pub struct NewKey {
    /// The id of the key.
    pub id: String,
    /// The secret, to be sent as `Authorization: Bearer …`.
    pub key: String,
    /// What the tenant calls it.
    pub name: String,
    /// What it may do.
    pub scopes: Vec<String>,
    /// When it ends, if ever.
    #[schema(format = DateTime)]
    pub expires_at: Option<String>,
}

impl std::fmt::Debug for NewKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewKey").field("id", &self.id).finish_non_exhaustive()
    }
}

/// A key, without its secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Key {
    /// The id.
    pub id: String,
    /// What the tenant calls it.
    pub name: String,
    /// The first characters of the secret, to recognise it by.
    pub prefix: String,
    /// What it may do.
    pub scopes: Vec<String>,
    /// When it was made.
    #[schema(format = DateTime)]
    pub created_at: String,
    /// When it ends, if ever.
    #[schema(format = DateTime)]
    pub expires_at: Option<String>,
    /// When it was last used, to about a minute.
    #[schema(format = DateTime)]
    pub last_used_at: Option<String>,
    /// Whether it was revoked.
    pub revoked: bool,
}
