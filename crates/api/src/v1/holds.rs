//! Legal holds.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A hold is placed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({
    "name": "Case 7",
    "query": "actor.id:user_123",
    "reason": "court order of 2026-01-31",
    "owner": "legal@example.com"
}))]
#[serde(deny_unknown_fields)]
pub struct NewHold {
    /// What it is called.
    #[schema(min_length = 1, max_length = 255)]
    pub name: String,
    /// What it holds, in the search language.
    #[schema(min_length = 1, max_length = 65_536)]
    pub query: String,
    /// Why.
    #[schema(min_length = 1, max_length = 1_000)]
    pub reason: String,
    /// Who answers for it.
    #[schema(min_length = 1, max_length = 255)]
    pub owner: String,
    /// When it is to be looked at again.
    #[schema(format = DateTime)]
    pub review_at: Option<String>,
}

/// A hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Hold {
    /// Its id.
    pub id: String,
    /// What it is called.
    pub name: String,
    /// What it holds, in the search language.
    pub query: String,
    /// Why.
    pub reason: String,
    /// Who answers for it.
    pub owner: String,
    /// When it is to be looked at again.
    #[schema(format = DateTime)]
    pub review_at: Option<String>,
    /// When it was placed.
    #[serde(default)]
    #[schema(format = DateTime)]
    pub created_at: String,
    /// When and by whom it was released, if it was.
    pub released: Option<Released>,
}

/// The end of a hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Released {
    /// When.
    #[schema(format = DateTime)]
    pub at: String,
    /// Who released it.
    pub by: String,
    /// What that is: `user` or `key`.
    pub by_type: String,
}

/// Why a hold is released.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Release {
    /// In words: 1 to 1,000 characters.
    #[schema(min_length = 1, max_length = 1_000)]
    pub reason: String,
}
