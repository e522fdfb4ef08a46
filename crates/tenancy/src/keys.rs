//! The API keys of a tenant, and who sends one.

use ledgerline_model::id::RecordId;
use ledgerline_model::time::Timestamp;
use ledgerline_policy::{Action, KeyScope, Manage, Principal, Scope};

use crate::error::{Error, Result};
use crate::records::{ApiKey, NewKey};
use crate::seals::sha256;
use crate::secret;
use crate::tenancy::Tenancy;
use crate::tenant::{KeyDraft, Rotation};

const NAME_CHARS_MAX: usize = 100;
const SCOPES_MAX: usize = 100;
/// How long two secrets of a key are good beside each other: 30 days.
const OVERLAP_SECONDS_MAX: u64 = 30 * 24 * 3600;

impl Tenancy {
    /// The tenant's keys, the oldest first.
    ///
    /// # Errors
    /// `Denied` unless the scope allows `ReadKeys`.
    pub fn keys(&self, scope: &Scope<Manage>) -> Result<Vec<ApiKey>> {
        self.managed(scope, Action::ReadKeys)?.keys()
    }

    /// Makes a key. The secret is given this once.
    ///
    /// # Errors
    /// `Denied`, `Invalid`.
    pub fn create_key(&self, scope: &Scope<Manage>, key: &NewKey) -> Result<(ApiKey, String)> {
        let records = self.managed(scope, Action::ManageKeys)?;
        let now = self.now();
        let scopes = check(key, now)?;
        let chance = self.data.chance();
        let text = secret::make_key(chance, &scopes);
        let draft = KeyDraft {
            name: &key.name,
            prefix: &secret::prefix(&text),
            scopes: &scopes,
            expires: key.expires,
            hash: sha256(text.as_bytes()),
        };
        let _change = records.change().lock();
        self.index.put_secret(records.id(), &draft.hash)?;
        let key = records.insert_key(chance.record_id(), &draft, now)?;
        Ok((key, text))
    }

    /// Gives a key a second secret; the first is good for `overlap_seconds` more, at most 30 days.
    /// One from an earlier rotation is dead at once.
    ///
    /// # Errors
    /// `Denied`, `NotFound`, `Invalid`, `Conflict` for a revoked key.
    pub fn rotate_key(
        &self,
        scope: &Scope<Manage>,
        id: RecordId,
        overlap_seconds: u64,
    ) -> Result<(ApiKey, String)> {
        let records = self.managed(scope, Action::ManageKeys)?;
        if overlap_seconds > OVERLAP_SECONDS_MAX {
            let what = format!("an overlap is at most {OVERLAP_SECONDS_MAX} seconds");
            return Err(Error::invalid("overlap_seconds", what));
        }
        let _change = records.change().lock();
        let text = secret::make_key(self.data.chance(), &records.key(id)?.scopes);
        let rotation = Rotation {
            prefix: secret::prefix(&text),
            hash: sha256(text.as_bytes()),
            overlap_until: after(self.now(), overlap_seconds),
        };
        self.index.put_secret(records.id(), &rotation.hash)?;
        for gone in records.rotate_key(id, &rotation)? {
            self.index.remove_secret(records.id(), &gone);
        }
        Ok((records.key(id)?, text))
    }

    /// Revokes a key, at once.
    ///
    /// # Errors
    /// `Denied`, `NotFound`.
    pub fn revoke_key(&self, scope: &Scope<Manage>, id: RecordId) -> Result<ApiKey> {
        let records = self.managed(scope, Action::ManageKeys)?;
        let _change = records.change().lock();
        for gone in records.revoke_key(id)? {
            self.index.remove_secret(records.id(), &gone);
        }
        records.key(id)
    }

    /// Who sends this key.
    pub(crate) fn authenticate_key(&self, text: &str) -> Result<Principal> {
        let hash = secret::key_hash(text).ok_or_else(Error::unauthenticated)?;
        let tenant = self.index.tenant_of_secret(&hash).ok_or_else(Error::unauthenticated)?;
        let records = self.records(tenant).map_err(|_| Error::unauthenticated())?;
        let now = self.now();
        let key = records.live_key(&hash, self.clock.monotonic())?;
        let key = key.filter(|key| key.is_good(now)).ok_or_else(Error::unauthenticated)?;
        records.note_use(key.id, now);
        Ok(key.principal.clone())
    }
}

/// A time some seconds after another.
pub(crate) fn after(time: Timestamp, seconds: u64) -> Timestamp {
    let span = i64::try_from(seconds).unwrap_or(i64::MAX).saturating_mul(Timestamp::SECOND);
    Timestamp(time.0.saturating_add(span))
}

/// The scopes of a key to be made, each once.
fn check(key: &NewKey, now: Timestamp) -> Result<Vec<KeyScope>> {
    let name_chars = key.name.chars().count();
    if !(1..=NAME_CHARS_MAX).contains(&name_chars) || key.name.chars().any(char::is_control) {
        let what = format!("a key's name has 1 to {NAME_CHARS_MAX} characters, none of control");
        return Err(Error::invalid("name", what));
    }
    if key.scopes.len() > SCOPES_MAX {
        return Err(Error::invalid("scopes", format!("a key has at most {SCOPES_MAX} scopes")));
    }
    let mut scopes: Vec<KeyScope> = Vec::new();
    for scope in &key.scopes {
        if !scopes.contains(scope) {
            scopes.push(scope.clone());
        }
    }
    if scopes.is_empty() {
        return Err(Error::invalid("scopes", "a key has at least one scope"));
    }
    if key.expires.is_some_and(|expires| expires <= now) {
        return Err(Error::invalid("expires_at", "a key ends in the future"));
    }
    Ok(scopes)
}
