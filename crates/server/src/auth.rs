//! Who asks, and what for. The extractor [`Caller`] is the only way from a request to a scope, and
//! the credential alone says whose data it is about: no header, path or body can.

use std::sync::Arc;

use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::request::Parts;
use http::{HeaderMap, HeaderName, header};
use ledgerline_model::id::{DatasetName, TenantId};
use ledgerline_policy::{
    Action, Append, Denied, Manage, OperatorScope, Principal, Read, ReadGrant, Scope,
    authorize_append, authorize_append_audit, authorize_manage, authorize_operator, authorize_read,
    authorize_read_all,
};

use crate::app::App;
use crate::audit::{Outcome, Record};
use crate::error::{Failure, Result};
use crate::exchange::Exchange;

const API_KEY: HeaderName = HeaderName::from_static("x-api-key");
/// Longer than any token, short enough to be looked at.
const CREDENTIAL_BYTES_MAX: usize = 4096;

/// Whoever sent a request, authenticated.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    pub(crate) principal: Principal,
    pub(crate) exchange: Arc<Exchange>,
    app: Arc<App>,
}

impl FromRequestParts<Arc<App>> for Caller {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self> {
        let (credential, exchange) = presented(parts)?;
        Self::new(app, exchange, credential).await
    }
}

/// Whoever sent a request whose answer lasts so long that the right to it may end meanwhile.
pub(crate) struct Lasting {
    pub(crate) caller: Caller,
    credential: String,
}

impl std::fmt::Debug for Lasting {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Lasting").field("caller", &self.caller).finish_non_exhaustive()
    }
}

impl FromRequestParts<Arc<App>> for Lasting {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self> {
        let (credential, exchange) = presented(parts)?;
        let caller = Caller::new(app, exchange, credential.clone()).await?;
        Ok(Self { caller, credential })
    }
}

impl Lasting {
    /// Authenticates the credential once more.
    ///
    /// # Errors
    /// `unauthenticated` when it has expired or was revoked.
    pub(crate) async fn renew(&mut self) -> Result<()> {
        let Caller { app, exchange, .. } = &self.caller;
        self.caller = Caller::new(app, Arc::clone(exchange), self.credential.clone()).await?;
        Ok(())
    }
}

/// The request as logs name it, for routes that need no credential.
#[derive(Debug, Clone)]
pub(crate) struct Anyone(pub(crate) Arc<Exchange>);

impl FromRequestParts<Arc<App>> for Anyone {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &Arc<App>) -> Result<Self> {
        exchange(parts).map(Self)
    }
}

impl OptionalFromRequestParts<Arc<App>> for Caller {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(
        parts: &mut Parts,
        app: &Arc<App>,
    ) -> Result<Option<Self>, Self::Rejection> {
        Ok(<Self as FromRequestParts<_>>::from_request_parts(parts, app).await.ok())
    }
}

/// The credential of a request, and the request's exchange.
fn presented(parts: &Parts) -> Result<(String, Arc<Exchange>)> {
    let credential = credential(&parts.headers).ok_or_else(Failure::unauthenticated)?;
    Ok((credential, exchange(parts)?))
}

fn exchange(parts: &Parts) -> Result<Arc<Exchange>> {
    let exchange = parts.extensions.get::<Arc<Exchange>>().map(Arc::clone);
    exchange.ok_or_else(|| Failure::internal(&std::fmt::Error))
}

impl Caller {
    async fn new(app: &Arc<App>, exchange: Arc<Exchange>, credential: String) -> Result<Self> {
        let principal = app.records(move |tenancy| tenancy.authenticate(&credential)).await?;
        if let Some(tenant) = principal.tenant() {
            exchange.belongs_to(tenant);
        }
        Ok(Self { principal, exchange, app: Arc::clone(app) })
    }

    /// The tenant that the credential belongs to.
    ///
    /// # Errors
    /// `forbidden` for the operator, who belongs to none.
    pub(crate) fn tenant(&self) -> Result<TenantId> {
        self.principal.tenant().ok_or_else(|| Denied::Forbidden.into())
    }

    pub(crate) fn may_append(&self, dataset: &DatasetName) -> Result<Scope<Append>> {
        self.noting(authorize_append(&self.principal, dataset), Action::Append, Some(dataset))
    }

    pub(crate) fn may_append_audit(&self, dataset: &DatasetName) -> Result<Scope<Append>> {
        let scope = authorize_append_audit(&self.principal, dataset);
        self.noting(scope, Action::Append, Some(dataset))
    }

    pub(crate) fn may_read(&self, dataset: &DatasetName) -> Result<Scope<Read>> {
        let action = if dataset.is_reserved() { Action::ReadAudit } else { Action::Read };
        self.noting(authorize_read(&self.principal, dataset), action, Some(dataset))
    }

    pub(crate) fn may_read_all(&self) -> Result<ReadGrant> {
        self.noting(authorize_read_all(&self.principal), Action::Read, None)
    }

    pub(crate) fn may_manage(&self, action: Action) -> Result<Scope<Manage>> {
        self.noting(authorize_manage(&self.principal, action), action, None)
    }

    pub(crate) fn may_operate(&self, action: Action) -> Result<OperatorScope> {
        self.noting(authorize_operator(&self.principal, action), action, None)
    }

    /// A record of what this caller does, to be completed.
    pub(crate) fn record(&self, action: &'static str) -> Record {
        Record::new(action, &self.exchange).by(self.principal.subject())
    }

    /// Every refusal is told to the tenant whose credential it was.
    fn noting<T>(
        &self,
        decided: Result<T, Denied>,
        action: Action,
        dataset: Option<&DatasetName>,
    ) -> Result<T> {
        decided.map_err(|denied| {
            if let Some(tenant) = self.principal.tenant() {
                let mut record = self.record("access.refused").outcome(Outcome::Refused);
                record = record.with("refused.action", action.as_str());
                if let Some(dataset) = dataset {
                    record = record.on("dataset", dataset.as_str());
                }
                self.app.audit.later(tenant, record);
            }
            denied.into()
        })
    }
}

/// The one credential of a request. Several are none: which of them counts would be a guess.
fn credential(headers: &HeaderMap) -> Option<String> {
    let mut all = headers.get_all(header::AUTHORIZATION).iter().chain(headers.get_all(API_KEY));
    let (value, more) = (all.next()?, all.next());
    if more.is_some() || value.len() > CREDENTIAL_BYTES_MAX {
        return None;
    }
    let value = value.to_str().ok()?;
    if headers.contains_key(API_KEY) {
        return Some(value.trim().to_owned());
    }
    let (way, rest) = value.split_once(' ')?;
    let rest = rest.trim();
    let found = match way.to_ascii_lowercase().as_str() {
        "bearer" => rest.to_owned(),
        "basic" => decoded(rest)?.split_once(':')?.1.to_owned(),
        // Elasticsearch's clients send base64 of `id:key`; a person sends the key.
        "apikey" => match decoded(rest).and_then(|text| Some(text.split_once(':')?.1.to_owned())) {
            Some(key) => key,
            None => rest.to_owned(),
        },
        _ => return None,
    };
    (!found.is_empty()).then_some(found)
}

fn decoded(text: &str) -> Option<String> {
    String::from_utf8(STANDARD.decode(text).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn found(headers: &[(HeaderName, &str)]) -> Option<String> {
        let pair = |(name, value): &(HeaderName, &str)| {
            (name.clone(), HeaderValue::from_str(value).expect("a header value"))
        };
        let mut map = HeaderMap::new();
        for (name, value) in headers.iter().map(pair) {
            map.append(name, value);
        }
        credential(&map)
    }

    #[test]
    fn a_key_is_found_wherever_clients_put_it() {
        let basic = format!("Basic {}", STANDARD.encode("anyone:ll_key"));
        let pair = format!("ApiKey {}", STANDARD.encode("id:ll_key"));
        let ways = [
            (header::AUTHORIZATION, "Bearer ll_key"),
            (header::AUTHORIZATION, "bearer  ll_key "),
            (header::AUTHORIZATION, "ApiKey ll_key"),
            (header::AUTHORIZATION, basic.as_str()),
            (header::AUTHORIZATION, pair.as_str()),
            (API_KEY, "ll_key"),
        ];
        for way in ways {
            assert_eq!(found(std::slice::from_ref(&way)).as_deref(), Some("ll_key"), "{way:?}");
        }
    }

    #[test]
    fn what_is_ambiguous_or_malformed_is_no_credential() {
        let long = format!("Bearer {}", "a".repeat(CREDENTIAL_BYTES_MAX));
        for value in ["", "Bearer", "Bearer ", "Digest x", "Basic !", "Basic YQ==", long.as_str()] {
            assert_eq!(found(&[(header::AUTHORIZATION, value)]), None, "{value}");
        }
        let one = (header::AUTHORIZATION, "Bearer a");
        assert_eq!(found(&[one.clone(), (API_KEY, "a")]), None);
        assert_eq!(found(&[one.clone(), one]), None);
        assert_eq!(found(&[]), None);
    }
}
