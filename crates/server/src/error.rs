//! Failures: the one place where what went wrong in a room becomes a status and a code.

use std::ops::Range;

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use ledgerline_api::code::Code;
use ledgerline_api::problem::{Fault, Position, Problem};

/// A request that cannot be answered as was asked. Written as `application/problem+json`, on a
/// foreign protocol's path in that protocol's shape, by `exchange`, which adds the request's id.
#[derive(Debug, Clone)]
pub(crate) struct Failure {
    pub(crate) problem: Box<Problem>,
    code: Code,
    retry_seconds: u64,
}

/// The result of a route.
pub(crate) type Result<T, E = Failure> = std::result::Result<T, E>;

/// How long a client should wait that came when all was busy.
const RETRY_SECONDS: u64 = 1;
/// How long a client should wait for what a person has to repair, or time.
const RETRY_LATER_SECONDS: u64 = 30;

impl Failure {
    pub(crate) fn new(code: Code, detail: impl Into<String>) -> Self {
        let retry_seconds = match code {
            Code::DiskFull | Code::TenantUnavailable | Code::LoginBusy => RETRY_LATER_SECONDS,
            _ => RETRY_SECONDS,
        };
        Self { problem: Box::new(Problem::new(code, detail)), code, retry_seconds }
    }

    /// A value of the body that is invalid.
    pub(crate) fn invalid(field: &str, detail: impl Into<String>) -> Self {
        let detail = detail.into();
        let fault = Fault {
            pointer: Some(format!("/{field}")),
            code: "invalid".to_owned(),
            detail: detail.clone(),
            ..Fault::default()
        };
        Self::new(Code::InvalidRequest, detail).with_faults(vec![fault])
    }

    /// The dataset does not exist, or may not be seen: the same words for both.
    pub(crate) fn no_dataset() -> Self {
        Self::new(Code::DatasetNotFound, "there is no such dataset")
    }

    /// The record does not exist, or may not be seen: the same words for both.
    pub(crate) fn no_record() -> Self {
        Self::new(Code::NotFound, "there is no such record")
    }

    pub(crate) fn unauthenticated() -> Self {
        Self::new(Code::Unauthenticated, "the credential is missing or not valid")
    }

    /// An error of the program. What it was stands in the log and nowhere else.
    pub(crate) fn internal(error: &(dyn std::error::Error + 'static)) -> Self {
        tracing::error!(error = chain(error), "an error of the program");
        Self::new(Code::Internal, "the server's log has more under the request's id")
    }

    pub(crate) fn with_faults(mut self, faults: Vec<Fault>) -> Self {
        self.problem.errors = faults;
        self
    }

    pub(crate) fn code(&self) -> Code {
        self.code
    }

    /// A failed query of this text.
    pub(crate) fn of_query(error: &ledgerline_query::Error, text: &str) -> Self {
        use ledgerline_query::ErrorKind as Kind;
        let code = match error.kind() {
            Kind::Syntax => Code::QuerySyntax,
            Kind::Invalid => Code::QueryInvalid,
            Kind::TooBig => Code::QueryTooBig,
            Kind::NotFound => return Self::no_dataset(),
            Kind::Memory => Code::QueryMemory,
            Kind::Timeout => Code::QueryTimeout,
            Kind::Cancelled => Code::Unavailable,
            Kind::Corrupt => return Self::corrupt(error),
            Kind::Unavailable => return Self::unavailable(error),
            Kind::Bug => return Self::internal(error),
        };
        let mut failure = Self::new(code, error.to_string());
        let inside = |span: &Range<usize>| span.start <= span.end && span.end <= text.len();
        failure.problem.position =
            error.span().filter(inside).map(|span| Position::in_text(text, &span));
        failure.problem.hint = error.hint().map(str::to_owned);
        failure
    }

    fn corrupt(error: &(dyn std::error::Error + 'static)) -> Self {
        tracing::error!(error = chain(error), "stored bytes are damaged");
        Self::new(Code::DataCorrupt, "the server's log names what is damaged")
    }

    fn unavailable(error: &(dyn std::error::Error + 'static)) -> Self {
        tracing::warn!(error = chain(error), "something that is needed is missing");
        Self::new(Code::Unavailable, "try again later")
    }
}

/// An error and its causes, in one line.
pub(crate) fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

impl From<ledgerline_tenancy::Error> for Failure {
    fn from(error: ledgerline_tenancy::Error) -> Self {
        use ledgerline_tenancy::ErrorKind as Kind;
        match error.kind() {
            Kind::NotFound => Self::no_record(),
            Kind::Unauthenticated => Self::unauthenticated(),
            Kind::Denied => Self::from(ledgerline_policy::Denied::Forbidden),
            Kind::Invalid => Self::invalid(error.field().unwrap_or_default(), error.to_string()),
            Kind::Conflict => Self::new(Code::Conflict, error.to_string()),
            Kind::Busy => {
                let mut failure = Self::new(Code::LoginBusy, error.to_string());
                if let Some(after) = error.retry_after() {
                    failure.retry_seconds = after.as_secs().max(1);
                }
                failure
            }
            Kind::Unavailable => Self::unavailable(&error),
            Kind::Corrupt => Self::corrupt(&error),
            Kind::Bug => Self::internal(&error),
        }
    }
}

impl From<ledgerline_policy::Denied> for Failure {
    fn from(denied: ledgerline_policy::Denied) -> Self {
        match denied {
            ledgerline_policy::Denied::NotFound => Self::no_dataset(),
            ledgerline_policy::Denied::Forbidden => {
                Self::new(Code::Forbidden, "the credential does not have the right to do this")
            }
        }
    }
}

impl From<ledgerline_journal::Error> for Failure {
    fn from(error: ledgerline_journal::Error) -> Self {
        use ledgerline_journal::ErrorKind as Kind;
        match error.kind() {
            Kind::Busy => Self::new(Code::IngestBusy, "too many events wait to be stored"),
            Kind::DiskFull => Self::new(Code::DiskFull, "nothing was stored"),
            Kind::InFlight => {
                Self::new(Code::RequestInFlight, "the same idempotency key is on its way")
            }
            Kind::Conflict => {
                Self::new(Code::IdempotencyConflict, "the key came with another body before")
            }
            Kind::Unknown => Self::unavailable(&error),
            Kind::Corrupt => Self::corrupt(&error),
            Kind::Bug => Self::internal(&error),
        }
    }
}

impl From<ledgerline_store::error::Error> for Failure {
    fn from(error: ledgerline_store::error::Error) -> Self {
        use ledgerline_store::error::ErrorKind as Kind;
        match error.kind() {
            Kind::NotFound => Self::no_dataset(),
            Kind::Busy | Kind::Unavailable | Kind::Unknown => Self::unavailable(&error),
            Kind::Corrupt => Self::corrupt(&error),
            Kind::Bug => Self::internal(&error),
        }
    }
}

impl From<ledgerline_ingest::Error> for Failure {
    fn from(error: ledgerline_ingest::Error) -> Self {
        let code = match error.kind {
            ledgerline_ingest::ErrorKind::Invalid => Code::InvalidBody,
            ledgerline_ingest::ErrorKind::TooLarge => Code::BodyTooLarge,
        };
        let fault =
            Fault { code: error.code.to_owned(), detail: error.detail.clone(), ..Fault::default() };
        Self::new(code, error.detail).with_faults(vec![fault])
    }
}

impl From<ledgerline_world::Error> for Failure {
    fn from(error: ledgerline_world::Error) -> Self {
        use ledgerline_world::ErrorKind as Kind;
        match error.kind() {
            Kind::NotFound | Kind::Busy | Kind::Unavailable => Self::unavailable(&error),
            Kind::Corrupt => Self::corrupt(&error),
            Kind::Invalid | Kind::Bug => Self::internal(&error),
        }
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let code = self.code;
        let status = StatusCode::from_u16(code.status()).unwrap_or(StatusCode::BAD_GATEWAY);
        let mut response = status.into_response();
        let headers = response.headers_mut();
        if code.is_retryable() {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(self.retry_seconds));
        }
        if code == Code::Unauthenticated {
            let ways = HeaderValue::from_static("Bearer realm=\"ledgerline\"");
            headers.insert(header::WWW_AUTHENTICATE, ways);
        }
        response.extensions_mut().insert(self);
        response
    }
}

/// Runs work that may wait for a disk or a processor off the threads that serve connections.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    let span = tracing::Span::current();
    match tokio::task::spawn_blocking(move || span.in_scope(work)).await {
        Ok(answer) => answer,
        Err(error) => Err(Failure::internal(&error)),
    }
}
