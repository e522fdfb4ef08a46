//! What surrounds every request: its id, its line in the log, its counters, the headers that every
//! answer carries, and the shape in which failures are written.

use std::net::IpAddr;
use std::sync::{Arc, OnceLock};

use axum::body::Body;
use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderName, HeaderValue, Version, header};
use ledgerline_api::code::Code;
use ledgerline_api::problem::MEDIA_TYPE;
use ledgerline_model::id::TenantId;
use tracing::Instrument;

use crate::app::App;
use crate::error::Failure;
use crate::leftover;
use crate::listen::Peer;
use crate::otlp_shape;
use crate::workos_shape;

pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; frame-ancestors 'none'";
const ID_BYTES_MAX: usize = 64;
const USER_AGENT_BYTES_MAX: usize = 256;

/// One request, as logs and audit records name it.
#[derive(Debug)]
pub(crate) struct Exchange {
    pub(crate) id: String,
    pub(crate) client: Option<IpAddr>,
    pub(crate) user_agent: Option<String>,
    pub(crate) tenant: OnceLock<TenantId>,
}

impl Exchange {
    /// Notes whose request it is.
    pub(crate) fn belongs_to(&self, tenant: TenantId) {
        let tenant = *self.tenant.get_or_init(|| tenant);
        tracing::Span::current().record("tenant", tracing::field::display(tenant));
    }

    /// The client, where it can be told from others: what comes from this machine may be a proxy
    /// that nobody told us of, and so anybody.
    pub(crate) fn remote(&self) -> Option<IpAddr> {
        self.client.filter(|client| !client.to_canonical().is_loopback())
    }
}

/// Surrounds a request.
pub(crate) async fn surround(
    State(app): State<Arc<App>>,
    mut request: Request,
    next: Next,
) -> Response {
    let started = app.clock.monotonic();
    let exchange = Arc::new(begin(&app, &request));
    let matched = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned());
    let route = matched.unwrap_or_else(|| "none".to_owned());
    let method = method_label(request.method());
    let version = request.version();
    let shape = otlp_shape::of(&route, request.headers());
    request.extensions_mut().insert(Arc::clone(&exchange));
    let span = tracing::info_span!(
        "request",
        id = exchange.id,
        tenant = tracing::field::Empty,
        method,
        route
    );
    let (parts, body) = request.into_parts();
    let (body, leftover) = leftover::lend(body);
    let request = Request::from_parts(parts, body);
    let mut response = next.run(request).instrument(span.clone()).await;
    let is_read = leftover.read().await;

    let failure = response.extensions_mut().remove::<Failure>();
    if let Some(mut failure) = failure {
        failure.problem.request_id.clone_from(&exchange.id);
        app.metrics.refusal(failure.code().as_str());
        response = match shape {
            Some(format) => otlp_shape::written(&failure, format, response),
            None if route == workos_shape::ROUTE => workos_shape::written(&failure, response),
            None => written(&failure, response),
        };
    }
    complete(response.headers_mut(), &exchange);
    if !is_read && version <= Version::HTTP_11 {
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    let took = app.clock.monotonic().saturating_sub(started);
    app.metrics.request(&route, method, response.status().as_u16(), took);
    let status = response.status().as_u16();
    span.in_scope(|| tracing::info!(status, took_us = took.as_micros() as u64, "answered"));
    response
}

/// What a panic is answered with. The panic itself is in the log.
pub(crate) fn panicked(panic: Box<dyn std::any::Any + Send>) -> Response {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("unknown");
    tracing::error!(panic = text, "a request panicked");
    let detail = "the server's log has more under the request's id";
    Failure::new(Code::Internal, detail).into_response()
}

fn begin(app: &App, request: &Request) -> Exchange {
    let headers = request.headers();
    let peer = request.extensions().get::<Peer>().map(|peer| peer.0.ip());
    let client = peer.map(|peer| client_behind(peer, headers, &app.proxies));
    let user_agent = headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok());
    Exchange {
        id: given_id(headers).unwrap_or_else(|| new_id(app)),
        client,
        user_agent: user_agent.map(|text| text.chars().take(USER_AGENT_BYTES_MAX).collect()),
        tenant: OnceLock::new(),
    }
}

/// Who is behind a proxy that is trusted: the last address of `X-Forwarded-For` that no such proxy
/// has. What a client writes there itself stands before that, and is not believed.
fn client_behind(peer: IpAddr, headers: &HeaderMap, proxies: &[IpAddr]) -> IpAddr {
    let is_proxy = |address: &IpAddr| proxies.contains(&address.to_canonical());
    if !is_proxy(&peer) {
        return peer;
    }
    let values = headers.get_all(FORWARDED_FOR).iter().rev();
    let texts = values.map_while(|value| value.to_str().ok()).flat_map(|text| text.rsplit(','));
    let mut nearest = peer;
    for text in texts {
        let Ok(address) = text.trim().parse::<IpAddr>() else { break };
        nearest = address;
        if !is_proxy(&address) {
            break;
        }
    }
    nearest
}

/// The id that the client gave, if it is one that logs can carry.
fn given_id(headers: &HeaderMap) -> Option<String> {
    let id = headers.get(REQUEST_ID)?.to_str().ok()?;
    let allowed = |c: u8| c.is_ascii_alphanumeric() || b"-_.".contains(&c);
    let is_good = (1..=ID_BYTES_MAX).contains(&id.len()) && id.bytes().all(allowed);
    is_good.then(|| id.to_owned())
}

fn new_id(app: &App) -> String {
    format!("req_{:024x}", u128::from_le_bytes(app.chance.bytes()) >> 32)
}

/// Methods are the client's words; a label's values are a closed list.
fn method_label(method: &http::Method) -> &'static str {
    match *method {
        http::Method::GET => "GET",
        http::Method::HEAD => "HEAD",
        http::Method::POST => "POST",
        http::Method::PUT => "PUT",
        http::Method::PATCH => "PATCH",
        http::Method::DELETE => "DELETE",
        http::Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

fn written(failure: &Failure, response: Response) -> Response {
    let body = serde_json::to_vec(&failure.problem).unwrap_or_default();
    let (mut parts, _) = response.into_parts();
    parts.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
    parts.headers.remove(header::CONTENT_LENGTH);
    Response::from_parts(parts, Body::from(body))
}

/// The headers that every answer carries.
fn complete(headers: &mut HeaderMap, exchange: &Exchange) {
    if let Ok(id) = HeaderValue::from_str(&exchange.id) {
        headers.insert(REQUEST_ID, id);
    }
    let usual = [
        (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "no-referrer"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ];
    for (name, value) in usual {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_forwarded_address_is_believed_of_a_trusted_proxy_alone() {
        let address = |text: &str| text.parse::<IpAddr>().expect("an address");
        let proxies = [address("127.0.0.1"), address("10.0.0.9")];
        let client = |peer: &str, forwarded: &[&'static str]| {
            let mut headers = HeaderMap::new();
            for value in forwarded {
                headers.append(FORWARDED_FOR, HeaderValue::from_static(value));
            }
            client_behind(address(peer), &headers, &proxies).to_string()
        };
        assert_eq!(client("192.0.2.1", &["192.0.2.7"]), "192.0.2.1", "it is no proxy");
        assert_eq!(client("127.0.0.1", &["192.0.2.7"]), "192.0.2.7");
        assert_eq!(client("::ffff:127.0.0.1", &["192.0.2.7"]), "192.0.2.7");
        assert_eq!(client("127.0.0.1", &["1.1.1.1, 192.0.2.7, 10.0.0.9"]), "192.0.2.7");
        assert_eq!(client("127.0.0.1", &["1.1.1.1", "192.0.2.7"]), "192.0.2.7");
        assert_eq!(client("127.0.0.1", &["1.1.1.1, nonsense"]), "127.0.0.1");
        assert_eq!(client("127.0.0.1", &[]), "127.0.0.1");
    }
}
