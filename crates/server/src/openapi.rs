//! The OpenAPI document, made from the routes.

use ledgerline_api::problem::{MEDIA_TYPE, Problem};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{Content, Ref, RefOr, Response};
use utoipa::{Modify, OpenApi};

use crate::otlp_shape;
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
    components(schemas(Problem)),
    security(("credential" = [])),
    modifiers(&Completion),
    tags(
        (name = "auth", description = "Logins"),
        (name = "ingest", description = "Send events"),
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

        let problem = Content::new(Some(RefOr::Ref(Ref::from_schema_name("Problem"))));
        let mut response = Response::new("An error");
        response.content.insert(MEDIA_TYPE.to_owned(), RefOr::T(problem));
        for (path, item) in &mut document.paths.paths {
            let operations =
                [&mut item.get, &mut item.post, &mut item.put, &mut item.patch, &mut item.delete];
            let is_ours = path != otlp_shape::ROUTE && path != "/healthz" && path != "/readyz";
            for operation in operations.into_iter().flatten().filter(|_| is_ours) {
                let error = RefOr::T(response.clone());
                operation.responses.responses.insert("default".to_owned(), error);
            }
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
