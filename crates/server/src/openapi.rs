//! The OpenAPI document, made from the routes.

mod refusals;

use ledgerline_api::problem::Problem;
use ledgerline_api::v1::workos::Refused;
use utoipa::openapi::path::Operation;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{Content, Object, RefOr, Type};
use utoipa::{Modify, OpenApi};

use crate::answer::Format;
use crate::routes;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Ledgerline",
        description = "Audit events and logs: kept durably, found again quickly, and each tenant's \
                       apart from every other's. Errors are `application/problem+json` (RFC 9457) \
                       with a stable `code`.",
        license(name = "Apache-2.0", identifier = "Apache-2.0")
    ),
    paths(
        routes::auth::login,
        routes::auth::refresh,
        routes::auth::logout,
        routes::auth::me,
        routes::ingest::ingest,
        routes::otlp::ingest_otlp,
        routes::logs::operations::create_log,
        routes::logs::operations::create_logs,
        routes::logs::operations::import_cloudtrail,
        routes::logs::operations::list_logs,
        routes::logs::operations::get_log,
        routes::logs::operations::amend_log,
        routes::logs::operations::erase_log,
        routes::logs::operations::log_stats,
        routes::logs::operations::correlated_logs,
        routes::logs::operations::export_logs,
        routes::logs::operations::stream_logs,
        routes::logs::operations::clean_up_logs,
        routes::logs::operations::erase_subject,
        routes::logs::operations::list_holds,
        routes::logs::operations::create_hold,
        routes::logs::operations::release_hold,
        routes::logs::operations::get_audit_settings,
        routes::logs::operations::set_audit_settings,
        routes::logs::operations::get_audit_masks,
        routes::logs::operations::set_audit_masks,
        routes::logs::operations::retention_plan,
        routes::logs::operations::list_schemas,
        routes::logs::operations::get_schema,
        routes::logs::operations::put_schema,
        routes::logs::operations::delete_schema,
        routes::workos::create_workos_event,
        routes::jobs::get_job,
        routes::proofs::ledger_policy,
        routes::proofs::ledger_keys,
        routes::proofs::rotate_ledger_key,
        routes::proofs::ledger_checkpoint,
        routes::proofs::ledger_checkpoints,
        routes::proofs::ledger_tile,
        routes::proofs::ledger_inclusion,
        routes::proofs::ledger_consistency,
        routes::search::search,
        routes::search::histogram,
        routes::search::fields,
        routes::search::values,
        routes::search::context,
        routes::analytics::query,
        routes::analytics::sql,
        routes::datasets::list_datasets,
        routes::datasets::create_dataset,
        routes::datasets::get_dataset,
        routes::datasets::update_dataset,
        routes::keys::list_keys,
        routes::keys::create_key,
        routes::keys::rotate_key,
        routes::keys::revoke_key,
        routes::users::list_users,
        routes::users::create_user,
        routes::users::update_user,
        routes::users::delete_user,
        routes::tenants::get_tenant,
        routes::tenants::update_tenant,
        routes::tenants::list_tenants,
        routes::tenants::create_tenant,
        routes::tenants::delete_tenant,
        routes::health::healthz,
        routes::health::readyz,
    ),
    components(schemas(Problem, Refused)),
    security(("credential" = [])),
    modifiers(&Completion),
    tags(
        (name = "auth", description = "Logins"),
        (name = "ingest", description = "Send events"),
        (name = "audit", description = "Audit events: typed, amended, erased, and always proven"),
        (name = "ledger", description = "What proves audit events"),
        (name = "search", description = "Find events"),
        (name = "analytics", description = "Count and chart events"),
        (name = "datasets", description = "Named sets of events"),
        (name = "keys", description = "API keys"),
        (name = "users", description = "People of the tenant"),
        (name = "tenants", description = "Tenants"),
        (name = "health", description = "Whether the server lives and is ready")
    )
)]
struct Document;

/// What all operations have in common.
struct Completion;

impl Modify for Completion {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let components = document.components.get_or_insert_default();
        let way = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some(
                "An API key, or the access token of a login. A key is also taken as `X-Api-Key`, as \
                 `Authorization: ApiKey …`, and as the password of `Authorization: Basic …`.",
            ))
            .build();
        components.add_security_scheme("credential", SecurityScheme::Http(way));

        refusals::examples(components);
        for (path, item) in &mut document.paths.paths {
            let operations =
                [&mut item.get, &mut item.post, &mut item.put, &mut item.patch, &mut item.delete];
            for operation in operations.into_iter().flatten() {
                answer_in_every_format(operation);
                refusals::describe(operation, refusals::Shape::of(path), components);
            }
        }
    }
}

/// Whoever answers rows does so in every format.
fn answer_in_every_format(operation: &mut Operation) {
    let has_rows = operation.tags.iter().flatten().any(|tag| tag == "search" || tag == "analytics");
    let mut parameters = operation.parameters.iter().flatten();
    let has_format = parameters.any(|parameter| match parameter {
        RefOr::T(parameter) => parameter.name == "format",
        RefOr::Ref(_) => false,
    });
    if let Some(RefOr::T(good)) = operation.responses.responses.get_mut("200")
        && has_rows
        && has_format
    {
        for media in Format::OTHERS {
            let text = Content::new(Some(Object::with_type(Type::String)));
            good.content.insert(media.to_owned(), RefOr::T(text));
        }
    }
}

/// The document as JSON.
///
/// # Errors
/// None is expected.
pub fn document() -> serde_json::Result<String> {
    Document::openapi().to_pretty_json()
}
