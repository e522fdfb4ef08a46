//! Access tokens: JWTs of type `at+jwt` (RFC 9068), signed with Ed25519 and nothing else.

use std::fmt;

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use ledgerline_model::id::{RecordId, TenantId};
use ledgerline_model::time::Timestamp;
use ledgerline_policy::Role;
use ledgerline_world::Chance;

use super::format::Claims;
use crate::error::{Error, ErrorKind, Result};
use crate::seals::{Owner, sha256};

const ISSUER: &str = "ledgerline";
const AUDIENCE: &str = "ledgerline-api";
const TYPE: &str = "at+jwt";
/// Ours have a few hundred bytes.
const BYTES_MAX: usize = 2048;
/// How far the clock may have been set back since a token was made.
const LEEWAY_SECONDS: u64 = 60;

/// Whose an access token is, of which session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Bearer {
    pub(crate) owner: Owner,
    pub(crate) user: RecordId,
    pub(crate) session: RecordId,
}

/// Signs and verifies access tokens.
pub(crate) struct Signer {
    sign: EncodingKey,
    verify: DecodingKey,
    /// The one header that our tokens have.
    header: Header,
    validation: Validation,
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Signer(..)")
    }
}

impl Signer {
    /// A signer with the key of this seed (RFC 8032, 5.1.5).
    pub(crate) fn new(seed: &[u8; 32]) -> Result<Self> {
        let bug = |_| Error::new(ErrorKind::Bug, "the signing key is not one of Ed25519");
        let pair = Ed25519KeyPair::from_seed_unchecked(seed).map_err(bug)?;
        let private = pair.to_pkcs8().map_err(|_| Error::new(ErrorKind::Bug, "no PKCS #8"))?;
        let public = pair.public_key().as_ref();
        let key_id = sha256(public)[..8].iter().map(|byte| format!("{byte:02x}")).collect();
        let header = Header {
            typ: Some(TYPE.to_owned()),
            kid: Some(key_id),
            ..Header::new(Algorithm::EdDSA)
        };
        Ok(Self {
            sign: EncodingKey::from_ed_der(private.as_ref()),
            verify: DecodingKey::from_ed_der(public),
            header,
            validation: validation(),
        })
    }

    /// A token, good from now for some seconds.
    pub(crate) fn sign(
        &self,
        bearer: &Bearer,
        role: Role,
        now: Timestamp,
        good_for: u64,
        chance: &Chance,
    ) -> Result<String> {
        let now = seconds(now);
        let claims = Claims {
            iss: ISSUER.to_owned(),
            aud: AUDIENCE.to_owned(),
            sub: bearer.user.to_string(),
            tid: match bearer.owner {
                Owner::Platform => None,
                Owner::Tenant(tenant) => Some(tenant.to_string()),
            },
            role: role.as_str().to_owned(),
            sid: bearer.session.to_string(),
            iat: now,
            nbf: now,
            exp: now.saturating_add(good_for),
            jti: chance.record_id().to_string(),
        };
        jsonwebtoken::encode(&self.header, &claims, &self.sign)
            .map_err(|_| Error::new(ErrorKind::Bug, "a token could not be signed"))
    }

    /// Whose the token is; none when anything at all about it is not as we would have made it.
    pub(crate) fn verify(&self, token: &str, now: Timestamp) -> Option<Bearer> {
        if token.len() > BYTES_MAX {
            return None;
        }
        let token = jsonwebtoken::decode::<Claims>(token, &self.verify, &self.validation).ok()?;
        // Pins the type and the key's id, and refuses `jku`, `jwk`, `x5u`, `crit` and all others.
        if token.header != self.header {
            return None;
        }
        let claims = token.claims;
        let now = seconds(now);
        let is_ours = claims.iss == ISSUER && claims.aud == AUDIENCE;
        let is_good = now < claims.exp && claims.nbf <= now.saturating_add(LEEWAY_SECONDS);
        if !is_ours || !is_good {
            return None;
        }
        let owner = match claims.tid {
            None => Owner::Platform,
            Some(tenant) => Owner::Tenant(tenant.parse::<TenantId>().ok()?),
        };
        let (user, session) = (claims.sub.parse().ok()?, claims.sid.parse().ok()?);
        Some(Bearer { owner, user, session })
    }
}

/// The library checks the signature, and once more issuer and audience. It reads the machine's
/// clock, so the times are left to us.
fn validation() -> Validation {
    let mut validation = Validation::new(Algorithm::EdDSA);
    validation.set_required_spec_claims(&["exp", "nbf", "iss", "aud", "sub"]);
    validation.set_issuer(&[ISSUER]);
    validation.set_audience(&[AUDIENCE]);
    validation.validate_exp = false;
    validation.validate_nbf = false;
    validation
}

fn seconds(time: Timestamp) -> u64 {
    u64::try_from(time.0.div_euclid(Timestamp::SECOND)).unwrap_or(0)
}

#[cfg(test)]
mod tests;
