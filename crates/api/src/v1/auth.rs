//! Logins.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A person logs in.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LoginRequest {
    /// The address.
    #[schema(format = Email)]
    pub email: String,
    /// The password.
    #[schema(format = Password)]
    pub password: String,
    /// The name or id of the tenant, where the address is a user of several.
    pub tenant: Option<String>,
}

/// A successful login.
#[derive(Serialize, ToSchema)]
pub struct TokenResponse {
    /// To be sent as `Authorization: Bearer …`.
    pub access_token: String,
    /// Gives new tokens, once.
    pub refresh_token: String,
    /// For how many seconds the access token is good.
    pub expires_in: u64,
    /// Always `Bearer`.
    #[schema(example = "Bearer")]
    pub token_type: String,
}

/// A refresh token.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RefreshRequest {
    /// What the last login or refresh gave.
    #[schema(format = Password)]
    pub refresh_token: String,
}

impl std::fmt::Debug for LoginRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LoginRequest").field("email", &self.email).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for TokenResponse {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TokenResponse").finish_non_exhaustive()
    }
}

impl std::fmt::Debug for RefreshRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RefreshRequest").finish_non_exhaustive()
    }
}

/// Whose credential it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Me {
    /// `user` or `key`.
    #[schema(example = "user")]
    pub kind: String,
    /// The id of the user or the key.
    pub id: String,
    /// The role of a user.
    pub role: Option<String>,
    /// The scopes of a key.
    pub scopes: Vec<String>,
    /// The tenant; null for the operator.
    pub tenant: Option<super::tenants::TenantName>,
}
