//! The codes of errors: stable, each with one status, and a page under `docs/errors/`.

/// What went wrong, as programs tell it apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Code {
    /// The body is not JSON, or not the JSON that the path takes.
    InvalidJson,
    /// A field, parameter or header has a value that cannot be meant.
    InvalidRequest,
    /// The body of events is malformed as a whole.
    InvalidBody,
    /// Every event of the body was rejected.
    EventsRejected,
    /// An audit event is not one.
    EventInvalid,
    /// An audit event is not as its schema demands.
    SchemaViolation,
    /// An amendment is not one.
    AmendmentInvalid,
    /// The event was erased.
    EventErased,
    /// A hold forbids that the events are removed.
    Held,
    /// The events must be kept for longer.
    RetentionMinimum,
    /// The text is no query.
    QuerySyntax,
    /// The query means nothing here.
    QueryInvalid,
    /// The query exceeds a limit.
    QueryTooBig,
    /// The cursor belongs to another query.
    CursorMismatch,
    /// There is no credential, or none that is good.
    Unauthenticated,
    /// The credential is good, and lacks the right.
    Forbidden,
    /// There is no such dataset, or it may not be seen.
    DatasetNotFound,
    /// There is no such record, or it may not be seen.
    NotFound,
    /// There is nothing at this path.
    RouteNotFound,
    /// The path does not take this method.
    MethodNotAllowed,
    /// The path is for WebSocket.
    UpgradeRequired,
    /// The body came too slowly.
    RequestTimeout,
    /// There is such a record already, or it is needed.
    Conflict,
    /// A request with the same idempotency key is on its way.
    RequestInFlight,
    /// The body exceeds a limit.
    BodyTooLarge,
    /// The path does not take bodies of this type.
    UnsupportedMediaType,
    /// The path does not take bodies compressed like this.
    UnsupportedEncoding,
    /// The idempotency key came with another body before.
    IdempotencyConflict,
    /// The query needs more memory than it may have.
    QueryMemory,
    /// Too many events are on their way in.
    IngestBusy,
    /// Too many queries of the tenant are running.
    QueryBusy,
    /// Too many logins failed.
    LoginBusy,
    /// Too much of everything is running.
    Overloaded,
    /// The tenant has stored as much as it may.
    TenantFull,
    /// The disk is full.
    DiskFull,
    /// The tenant's data cannot be opened.
    TenantUnavailable,
    /// Something that is needed is missing just now.
    Unavailable,
    /// The query took longer than it may.
    QueryTimeout,
    /// Stored bytes are not what was written.
    DataCorrupt,
    /// The program is wrong.
    Internal,
}

impl Code {
    /// Every code.
    pub const ALL: [Self; 40] = [
        Self::InvalidJson,
        Self::InvalidRequest,
        Self::InvalidBody,
        Self::EventsRejected,
        Self::EventInvalid,
        Self::SchemaViolation,
        Self::AmendmentInvalid,
        Self::EventErased,
        Self::Held,
        Self::RetentionMinimum,
        Self::QuerySyntax,
        Self::QueryInvalid,
        Self::QueryTooBig,
        Self::CursorMismatch,
        Self::Unauthenticated,
        Self::Forbidden,
        Self::DatasetNotFound,
        Self::NotFound,
        Self::RouteNotFound,
        Self::MethodNotAllowed,
        Self::UpgradeRequired,
        Self::RequestTimeout,
        Self::Conflict,
        Self::RequestInFlight,
        Self::BodyTooLarge,
        Self::UnsupportedMediaType,
        Self::UnsupportedEncoding,
        Self::IdempotencyConflict,
        Self::QueryMemory,
        Self::IngestBusy,
        Self::QueryBusy,
        Self::LoginBusy,
        Self::Overloaded,
        Self::TenantFull,
        Self::DiskFull,
        Self::TenantUnavailable,
        Self::Unavailable,
        Self::QueryTimeout,
        Self::DataCorrupt,
        Self::Internal,
    ];

    /// The code on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.facts().0
    }

    /// The HTTP status that it is answered with.
    #[must_use]
    pub fn status(self) -> u16 {
        self.facts().1
    }

    /// What it is in a few words, the same for every occurrence.
    #[must_use]
    pub fn title(self) -> &'static str {
        self.facts().2
    }

    /// Whether the same request may succeed later.
    #[must_use]
    pub fn is_retryable(self) -> bool {
        matches!(self, Self::RequestInFlight | Self::RequestTimeout)
            || matches!(self.status(), 429 | 503)
    }

    fn facts(self) -> (&'static str, u16, &'static str) {
        match self {
            Self::InvalidJson => ("invalid_json", 400, "The body is not the JSON expected here"),
            Self::InvalidRequest => ("invalid_request", 400, "A value of the request is invalid"),
            Self::InvalidBody => ("invalid_body", 400, "The body is malformed as a whole"),
            Self::EventsRejected => ("events_rejected", 400, "Every event was rejected"),
            Self::EventInvalid => ("event_invalid", 400, "The audit event is not one"),
            Self::SchemaViolation => {
                ("schema_violation", 422, "The audit event is not as its schema demands")
            }
            Self::AmendmentInvalid => ("amendment_invalid", 422, "The amendment is not one"),
            Self::EventErased => ("event_erased", 410, "The event was erased"),
            Self::Held => ("held", 409, "A hold forbids that the events are removed"),
            Self::RetentionMinimum => {
                ("retention_minimum", 409, "The events must be kept for longer")
            }
            Self::QuerySyntax => ("query_syntax", 400, "The text is no query"),
            Self::QueryInvalid => ("query_invalid", 400, "The query means nothing here"),
            Self::QueryTooBig => ("query_too_big", 400, "The query exceeds a limit"),
            Self::CursorMismatch => ("cursor_mismatch", 400, "The cursor is of another query"),
            Self::Unauthenticated => ("unauthenticated", 401, "No valid credential"),
            Self::Forbidden => ("forbidden", 403, "The credential lacks the right"),
            Self::DatasetNotFound => ("dataset_not_found", 404, "No such dataset"),
            Self::NotFound => ("not_found", 404, "No such record"),
            Self::RouteNotFound => ("route_not_found", 404, "Nothing at this path"),
            Self::MethodNotAllowed => ("method_not_allowed", 405, "Not a method of this path"),
            Self::UpgradeRequired => ("upgrade_required", 426, "The path is for WebSocket"),
            Self::RequestTimeout => ("request_timeout", 408, "The body came too slowly"),
            Self::Conflict => ("conflict", 409, "It contradicts what is there"),
            Self::RequestInFlight => ("request_in_flight", 409, "The same request is on its way"),
            Self::BodyTooLarge => ("body_too_large", 413, "The body exceeds a limit"),
            Self::UnsupportedMediaType => {
                ("unsupported_media_type", 415, "Not a type of body for this path")
            }
            Self::UnsupportedEncoding => ("unsupported_encoding", 415, "An unknown compression"),
            Self::IdempotencyConflict => {
                ("idempotency_conflict", 422, "The idempotency key came with another body")
            }
            Self::QueryMemory => ("query_memory", 422, "The query needs too much memory"),
            Self::IngestBusy => ("ingest_busy", 429, "Too many events are on their way in"),
            Self::QueryBusy => ("query_busy", 429, "Too many queries are running"),
            Self::LoginBusy => ("login_busy", 429, "Too many logins failed"),
            Self::Overloaded => ("overloaded", 503, "The server has too much to do"),
            Self::TenantFull => ("tenant_full", 507, "The tenant has stored as much as it may"),
            Self::DiskFull => ("disk_full", 503, "The disk is full"),
            Self::TenantUnavailable => ("tenant_unavailable", 503, "The data cannot be opened"),
            Self::Unavailable => ("unavailable", 503, "Not possible just now"),
            Self::QueryTimeout => ("query_timeout", 504, "The query took too long"),
            Self::DataCorrupt => ("data_corrupt", 500, "Stored data is damaged"),
            Self::Internal => ("internal", 500, "An error of the server"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_distinct() {
        let mut names: Vec<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Code::ALL.len());
    }

    #[test]
    fn a_client_that_may_retry_is_told_so() {
        let retryable: Vec<&str> =
            Code::ALL.iter().filter(|code| code.is_retryable()).map(|code| code.as_str()).collect();
        assert_eq!(
            retryable,
            [
                "request_timeout",
                "request_in_flight",
                "ingest_busy",
                "query_busy",
                "login_busy",
                "overloaded",
                "disk_full",
                "tenant_unavailable",
                "unavailable",
            ]
        );
    }
}
