//! The claims of an access token, as they are on the wire.

use serde::{Deserialize, Serialize};

/// What an access token says (RFC 9068, with our own `tid`, `role` and `sid`). Exactly these: a
/// claim that is unknown, missing, twice there or of another type makes the whole token worthless.
/// Times are whole seconds since 1970; a text, a fraction or a negative number is none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Claims {
    pub(crate) iss: String,
    pub(crate) aud: String,
    /// The user's id.
    pub(crate) sub: String,
    /// The tenant's id; none for the operator.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) tid: Option<String>,
    /// The role at login, for who reads the token. It decides nothing: the record's does.
    pub(crate) role: String,
    /// The session's id.
    pub(crate) sid: String,
    pub(crate) iat: u64,
    pub(crate) nbf: u64,
    pub(crate) exp: u64,
    /// The token's own id.
    pub(crate) jti: String,
}
