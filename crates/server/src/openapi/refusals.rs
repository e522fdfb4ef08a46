//! With which codes each operation may be refused, and how the document says so.

use std::collections::BTreeMap;

use ledgerline_api::code::Code;
use ledgerline_api::problem::{MEDIA_TYPE, Problem};
use utoipa::openapi::example::Example;
use utoipa::openapi::header::Header;
use utoipa::openapi::path::Operation;
use utoipa::openapi::schema::{AllOfBuilder, ObjectBuilder};
use utoipa::openapi::{Components, Content, Object, Ref, RefOr, Response, Schema, Type};

use crate::otlp_shape;
use crate::workos_shape;

use Code as C;

/// Whatever is asked.
const ALWAYS: &[Code] = &[C::InvalidRequest, C::DataCorrupt, C::Internal, C::Unavailable];
/// Whoever needs a credential and a right.
const CALLER: &[Code] = &[C::Unauthenticated, C::Forbidden];
/// Requests with a body.
const BODY: &[Code] = &[C::InvalidJson, C::InvalidBody, C::RequestTimeout, C::BodyTooLarge];
/// Bodies whose media type and encoding are looked at.
const TYPED: &[Code] = &[C::UnsupportedMediaType, C::UnsupportedEncoding];
/// Changes of control records, which are told in `_audit` first.
const ACT: &[Code] = &[C::IngestBusy, C::DiskFull, C::TenantUnavailable];
/// What is about one record.
const RECORD: &[Code] = &[C::NotFound];
/// What is about one dataset.
const DATASET: &[Code] = &[C::DatasetNotFound];
/// Questions to a dataset.
const ASKING: &[Code] = &[
    C::DatasetNotFound,
    C::QueryMemory,
    C::QueryBusy,
    C::QueryTimeout,
    C::Overloaded,
    C::TenantUnavailable,
];
/// Questions in the words of the query language.
const LANGUAGE: &[Code] = &[C::QuerySyntax, C::QueryInvalid, C::QueryTooBig];
/// Pages.
const CURSOR: &[Code] = &[C::CursorMismatch];
/// Events that are stored.
const STORING: &[Code] = &[
    C::DatasetNotFound,
    C::Conflict,
    C::IngestBusy,
    C::DiskFull,
    C::TenantFull,
    C::TenantUnavailable,
];
/// Requests that are stored once.
const ONCE: &[Code] = &[C::RequestInFlight, C::IdempotencyConflict];
/// Typed events.
const EVENT: &[Code] = &[C::EventInvalid, C::SchemaViolation];

/// The codes of an operation, beside [`ALWAYS`]; none for one that cannot be refused.
fn codes(operation: &str) -> Option<Vec<Code>> {
    let groups: &[&[Code]] = match operation {
        "healthz" | "readyz" => return None,
        "login" => &[BODY, TYPED, &[C::Unauthenticated, C::LoginBusy]],
        "refresh" => &[BODY, TYPED, &[C::Unauthenticated]],
        "logout" => &[BODY, TYPED],
        "me" => &[&[C::Unauthenticated]],
        "ingest" => &[CALLER, BODY, TYPED, STORING, ONCE, &[C::EventsRejected]],
        "ingest_otlp" => &[CALLER, BODY, TYPED, STORING],
        "create_log" | "create_logs" | "import_cloudtrail" => {
            &[CALLER, BODY, TYPED, STORING, ONCE, EVENT]
        }
        "create_workos_event" => &[CALLER, BODY, TYPED, STORING, ONCE, EVENT, RECORD],
        "list_logs" | "export_logs" => &[CALLER, ASKING, LANGUAGE, CURSOR],
        "stream_logs" => &[CALLER, ASKING, LANGUAGE, CURSOR, &[C::UpgradeRequired]],
        "log_stats" => &[CALLER, ASKING, LANGUAGE],
        "correlated_logs" => &[CALLER, ASKING],
        "get_log" => &[CALLER, ASKING, RECORD, &[C::EventErased]],
        "amend_log" => &[
            CALLER,
            BODY,
            ASKING,
            STORING,
            RECORD,
            &[C::AmendmentInvalid, C::EventInvalid, C::EventErased, C::Conflict],
        ],
        "erase_log" => &[CALLER, BODY, ASKING, STORING, RECORD, &[C::EventErased, C::Held]],
        "erase_subject" => &[CALLER, BODY, ASKING, STORING, &[C::Held]],
        "clean_up_logs" => {
            &[CALLER, BODY, ASKING, LANGUAGE, STORING, &[C::Held, C::RetentionMinimum]]
        }
        "search" => &[CALLER, BODY, TYPED, ASKING, LANGUAGE, CURSOR],
        "histogram" | "fields" | "values" | "context" | "analytics_query" | "analytics_sql" => {
            &[CALLER, BODY, TYPED, ASKING, LANGUAGE]
        }
        _ => return control(operation),
    };
    Some(groups.concat())
}

/// The codes of the operations on control records and ledgers.
fn control(operation: &str) -> Option<Vec<Code>> {
    let groups: &[&[Code]] = match operation {
        "list_holds" | "get_audit_settings" | "get_audit_masks" | "list_schemas"
        | "list_datasets" | "list_keys" | "list_users" | "get_tenant" | "list_tenants" => &[CALLER],
        "get_job" => &[CALLER, RECORD, &[C::TenantUnavailable]],
        "get_schema" => &[CALLER, RECORD],
        "retention_plan" => &[CALLER, &[C::TenantUnavailable]],
        "create_hold" => &[CALLER, BODY, ACT, LANGUAGE, &[C::Conflict]],
        "release_hold" => &[CALLER, BODY, TYPED, ACT, RECORD, &[C::Conflict]],
        "set_audit_settings" | "set_audit_masks" | "update_tenant" => &[CALLER, BODY, TYPED, ACT],
        "put_schema" | "create_dataset" => &[CALLER, BODY, TYPED, ACT, &[C::Conflict]],
        "create_user" | "create_tenant" => {
            &[CALLER, BODY, TYPED, ACT, &[C::Conflict, C::LoginBusy]]
        }
        "create_key" => &[CALLER, BODY, TYPED, ACT],
        "update_user" => &[CALLER, BODY, TYPED, ACT, RECORD, &[C::Conflict, C::LoginBusy]],
        "rotate_key" => &[CALLER, BODY, ACT, RECORD, &[C::Conflict]],
        "delete_user" => &[CALLER, ACT, RECORD, &[C::Conflict]],
        "revoke_key" | "delete_schema" => &[CALLER, ACT, RECORD],
        "delete_tenant" => &[CALLER, RECORD],
        "get_dataset" => &[CALLER, DATASET, &[C::TenantUnavailable]],
        "update_dataset" => &[CALLER, BODY, TYPED, ACT, DATASET],
        "rotate_ledger_key" => &[CALLER, BODY, TYPED, STORING, RECORD],
        "ledger_policy" | "ledger_keys" | "ledger_checkpoint" | "ledger_checkpoints"
        | "ledger_tile" | "ledger_inclusion" | "ledger_consistency" => {
            &[CALLER, DATASET, RECORD, &[C::TenantUnavailable]]
        }
        _ => return None,
    };
    Some(groups.concat())
}

/// In which shape failures are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// As problems (RFC 9457).
    Problem,
    /// As OTLP does: a `google.rpc.Status`.
    Otlp,
    /// As WorkOS does.
    WorkOs,
}

impl Shape {
    /// The shape on a path.
    pub(super) fn of(path: &str) -> Self {
        match path {
            otlp_shape::ROUTE => Self::Otlp,
            workos_shape::ROUTE => Self::WorkOs,
            _ => Self::Problem,
        }
    }

    /// The status of a code: OTLP's clients never repeat what was answered 500.
    fn status(self, code: Code) -> u16 {
        match (self, code.status()) {
            (Self::Otlp, 500) => 503,
            (_, status) => status,
        }
    }
}

/// Says with which codes an operation may be refused: an answer for each status. Those of problems
/// stand among the components, where operations share them.
pub(super) fn describe(operation: &mut Operation, shape: Shape, components: &mut Components) {
    let id = operation.operation_id.clone().unwrap_or_default();
    let Some(mut all) = codes(&id) else { return };
    all.extend_from_slice(ALWAYS);
    let mut by_status: BTreeMap<u16, Vec<Code>> = BTreeMap::new();
    for code in Code::ALL.into_iter().filter(|code| all.contains(code)) {
        by_status.entry(shape.status(code)).or_default().push(code);
    }
    for (status, codes) in by_status {
        let response = match shape {
            Shape::Problem => {
                let names: Vec<&str> = codes.iter().map(|code| code.as_str()).collect();
                let name = format!("{status}-{}", names.join("-"));
                let response = Ref::from_response_name(&name);
                components.responses.entry(name).or_insert_with(|| RefOr::T(problem(&codes)));
                RefOr::Ref(response)
            }
            Shape::Otlp => RefOr::T(otlp(&codes)),
            Shape::WorkOs => RefOr::T(workos(&codes)),
        };
        operation.responses.responses.insert(status.to_string(), response);
    }
}

/// An example of every code, as the components have it.
pub(super) fn examples(components: &mut Components) {
    for code in Code::ALL {
        let mut problem = Problem::new(code, code.title().to_lowercase());
        problem.request_id = "req_0123456789abcdef01234567".to_owned();
        let mut example = Example::new();
        example.summary = code.title().to_owned();
        example.value = serde_json::to_value(&problem).ok();
        components.examples.insert(code.as_str().to_owned(), RefOr::T(example));
    }
}

fn problem(codes: &[Code]) -> Response {
    let mut response = refusal(codes);
    let mut content = Content::new(Some(match codes {
        [C::EventErased] => erased(),
        _ => RefOr::Ref(Ref::from_schema_name("Problem")),
    }));
    for code in codes {
        let place = format!("#/components/examples/{}", code.as_str());
        content.examples.insert(code.as_str().to_owned(), RefOr::Ref(Ref::new(place)));
    }
    response.content.insert(MEDIA_TYPE.to_owned(), RefOr::T(content));
    response
}

/// The problem of an event that was erased has its proof beside it.
fn erased() -> RefOr<Schema> {
    let proof = ObjectBuilder::new()
        .schema_type(Type::Object)
        .description(Some("What proves that it was there, and who had it erased"));
    let proof = ObjectBuilder::new().property("erased", proof).required("erased");
    AllOfBuilder::new().item(Ref::from_schema_name("Problem")).item(proof).into()
}

fn otlp(codes: &[Code]) -> Response {
    let mut response = refusal(codes);
    let status = ObjectBuilder::new()
        .property("code", Object::with_type(Type::Integer))
        .property("message", Object::with_type(Type::String))
        .required("message");
    let status = Content::new(Some(status));
    response.content.insert("application/json".to_owned(), RefOr::T(status));
    let bytes = Content::new(Some(Object::with_type(Type::String)));
    response.content.insert("application/x-protobuf".to_owned(), RefOr::T(bytes));
    response
}

fn workos(codes: &[Code]) -> Response {
    let mut response = refusal(codes);
    let refused = Content::new(Some(Ref::from_schema_name("WorkOsRefused")));
    response.content.insert("application/json".to_owned(), RefOr::T(refused));
    response
}

/// An answer with the headers that its codes bring.
fn refusal(codes: &[Code]) -> Response {
    let said: Vec<String> =
        codes.iter().map(|code| format!("`{}`: {}", code.as_str(), code.title())).collect();
    let mut response = Response::new(said.join(". "));
    let mut header = |name: &str, kind: Type, about: &str| {
        let mut header = Header::new(Object::with_type(kind));
        header.description = Some(about.to_owned());
        response.headers.insert(name.to_owned(), RefOr::T(header));
    };
    if codes.iter().any(|code| code.is_retryable()) {
        header("Retry-After", Type::Integer, "After how many seconds to try again");
    }
    if codes.contains(&Code::Unauthenticated) {
        header("WWW-Authenticate", Type::String, "Which credentials are taken");
    }
    response
}
