//! Failures on WorkOS's path, in WorkOS's shape: a message, a code, and what is at fault.

use axum::body::Body;
use axum::response::Response;
use http::{HeaderValue, header};
use ledgerline_api::problem::Fault;
use ledgerline_api::v1::workos::{Refused, WorkOsFault};

use crate::error::Failure;

/// The path of WorkOS's audit events.
pub(crate) const ROUTE: &str = "/audit_logs/events";

/// The failure as WorkOS's clients read it.
pub(crate) fn written(failure: &Failure, response: Response) -> Response {
    let problem = &failure.problem;
    let fault = |fault: &Fault| WorkOsFault {
        code: fault.code.clone(),
        message: fault.detail.clone(),
        field: fault.pointer.clone(),
    };
    let refused = Refused {
        message: problem.detail.clone(),
        code: problem.code.clone(),
        errors: problem.errors.iter().map(fault).collect(),
    };
    let body = serde_json::to_vec(&refused).unwrap_or_default();
    let (mut parts, _) = response.into_parts();
    let media = HeaderValue::from_static("application/json");
    parts.headers.insert(header::CONTENT_TYPE, media);
    parts.headers.remove(header::CONTENT_LENGTH);
    Response::from_parts(parts, Body::from(body))
}
