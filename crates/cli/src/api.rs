//! Tenants, users and keys over HTTP: what `admin` and `demo` ask for.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::client::Client;
use crate::failure::Failure;

/// An address and a password.
#[derive(Clone)]
pub(crate) struct Login {
    pub(crate) email: String,
    pub(crate) password: String,
    /// Which of the tenants that have a user of this address; not said by the operator.
    pub(crate) tenant: Option<String>,
}

impl std::fmt::Debug for Login {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Login").field("email", &self.email).finish_non_exhaustive()
    }
}

/// A key that was just made.
#[derive(Deserialize)]
pub(crate) struct NewKey {
    pub(crate) id: String,
    /// The secret, told this once.
    pub(crate) key: String,
}

#[derive(Deserialize)]
struct Made {
    id: String,
}

#[derive(Deserialize)]
struct Tokens {
    access_token: String,
}

/// Logs in: the same server, asked as this person.
pub(crate) fn log_in(client: &Client, login: &Login) -> Result<Client, Failure> {
    let mut question = json!({ "email": login.email, "password": login.password });
    if let Some(tenant) = &login.tenant {
        question["tenant"] = json!(tenant);
    }
    let tokens: Tokens = client.post_json("/api/v1/auth/login", &question)?.json()?;
    Ok(client.with_credential(&tokens.access_token))
}

/// Makes a tenant with its first admin, as the operator. Nothing when there is one of that name.
pub(crate) fn create_tenant(
    operator: &Client,
    name: &str,
    admin: &Login,
) -> Result<Option<String>, Failure> {
    let admin = json!({ "email": admin.email, "password": admin.password });
    let question = json!({ "name": name, "admin": admin });
    let answer = operator.post_json("/api/v1/tenants", &question)?;
    if answer.status.as_u16() == 409 {
        return Ok(None);
    }
    answer.json::<Made>().map(|made| Some(made.id))
}

/// Makes a user, as an admin.
pub(crate) fn create_user(admin: &Client, user: &Login, role: &str) -> Result<String, Failure> {
    let question = json!({ "email": user.email, "password": user.password, "role": role });
    admin.post_json("/api/v1/users", &question)?.json::<Made>().map(|made| made.id)
}

/// Makes a key, as an admin.
pub(crate) fn create_key(
    admin: &Client,
    name: &str,
    scopes: &[String],
    expires_at: Option<&str>,
) -> Result<NewKey, Failure> {
    let mut question = json!({ "name": name, "scopes": scopes });
    if let Some(expires_at) = expires_at {
        question["expires_at"] = Value::from(expires_at);
    }
    admin.post_json("/api/v1/keys", &question)?.json()
}
