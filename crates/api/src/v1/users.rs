//! Users.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What a person of a tenant may do.
#[derive(Debug, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Everything.
    Admin,
    /// To read everything, the records of what others did too.
    Auditor,
    /// To read and to send events.
    User,
}

/// A user is made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateUser {
    /// The address, unique within the tenant.
    #[schema(format = Email, max_length = 254)]
    pub email: String,
    /// At least 12 characters.
    #[schema(format = Password, min_length = 12, max_length = 1_024)]
    pub password: String,
    /// `admin`, `auditor` or `user`.
    #[schema(example = "user", value_type = Role)]
    pub role: String,
}

/// A user is changed. What is not said stays as it is.
#[derive(Deserialize, ToSchema)]
#[schema(example = json!({"disabled": true}))]
#[serde(deny_unknown_fields)]
pub struct UpdateUser {
    /// `admin`, `auditor` or `user`.
    #[schema(value_type = Option<Role>)]
    pub role: Option<String>,
    /// Whether the user may not log in.
    pub disabled: Option<bool>,
    /// A new password: at least 12 characters.
    #[schema(format = Password, min_length = 12, max_length = 1_024)]
    pub password: Option<String>,
}

impl std::fmt::Debug for CreateUser {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let fields = (&self.email, &self.role);
        f.debug_tuple("CreateUser").field(&fields).finish()
    }
}

impl std::fmt::Debug for UpdateUser {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let fields = (&self.role, self.disabled, self.password.is_some());
        f.debug_tuple("UpdateUser").field(&fields).finish()
    }
}

/// A user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct User {
    /// The id.
    pub id: String,
    /// The address.
    #[schema(format = Email)]
    pub email: String,
    /// `admin`, `auditor` or `user`.
    #[schema(example = "user", value_type = Role)]
    pub role: String,
    /// When it was made.
    #[schema(format = DateTime)]
    pub created_at: String,
    /// Whether the user may not log in.
    pub disabled: bool,
}
