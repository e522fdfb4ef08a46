//! The pages for people: what runs here, the API reference, and the pages of error codes. They load
//! nothing from elsewhere.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use http::{HeaderValue, header};
use ledgerline_api::code::Code;

use crate::app::App;
use crate::error::{Failure, Result};
use crate::extract::Path;

const PAGE_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
                           img-src 'self'; connect-src 'self'; base-uri 'none'; \
                           form-action 'none'; frame-ancestors 'none'";

/// How long a browser may keep a file of a page: a new version of the server is seen within a
/// minute.
const KEPT: &str = "public, max-age=60";

const HOME: &str = include_str!("../../assets/home.html");
const DOCS: &str = include_str!("../../assets/docs.html");
const FILES: [(&str, &str, &str); 8] = [
    ("style.css", "text/css; charset=utf-8", include_str!("../../assets/style.css")),
    ("icon.svg", "image/svg+xml", include_str!("../../assets/icon.svg")),
    ("page.js", SCRIPT, include_str!("../../assets/page.js")),
    ("home.js", SCRIPT, include_str!("../../assets/home.js")),
    ("docs.js", SCRIPT, include_str!("../../assets/docs.js")),
    ("render.js", SCRIPT, include_str!("../../assets/render.js")),
    ("operations.js", SCRIPT, include_str!("../../assets/operations.js")),
    ("schema.js", SCRIPT, include_str!("../../assets/schema.js")),
];
const SCRIPT: &str = "text/javascript; charset=utf-8";

pub(super) fn router() -> Router<Arc<App>> {
    Router::new()
        .route("/", get(home))
        .route("/docs/api", get(docs))
        .route("/docs/errors/{code}", get(error_page))
        .route("/openapi.json", get(document))
        .route("/assets/{file}", get(asset))
}

async fn home() -> Response {
    page(HOME.replace("{{version}}", env!("CARGO_PKG_VERSION")))
}

async fn docs() -> Response {
    page(DOCS.to_owned())
}

fn page(html: String) -> Response {
    let policy = HeaderValue::from_static(PAGE_POLICY);
    ([(header::CONTENT_SECURITY_POLICY, policy)], Html(html)).into_response()
}

async fn document(State(app): State<Arc<App>>) -> Response {
    let headers = [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, KEPT)];
    (headers, app.document.clone()).into_response()
}

async fn asset(Path(file): Path<String>) -> Result<Response> {
    let found = FILES.iter().find(|(name, ..)| *name == file);
    let (_, media, text) = found.ok_or_else(nothing)?;
    let headers = [(header::CONTENT_TYPE, *media), (header::CACHE_CONTROL, KEPT)];
    Ok((headers, *text).into_response())
}

async fn error_page(Path(code): Path<String>) -> Result<Response> {
    let code = Code::ALL.into_iter().find(|one| one.as_str() == code).ok_or_else(nothing)?;
    let headers =
        [(header::CONTENT_TYPE, "text/markdown; charset=utf-8"), (header::CACHE_CONTROL, KEPT)];
    Ok((headers, text_of(code)).into_response())
}

fn nothing() -> Failure {
    Failure::new(Code::RouteNotFound, "there is nothing at this path")
}

/// The page of a code, from `docs/errors/`.
fn text_of(code: Code) -> &'static str {
    macro_rules! page {
        ($name:literal) => {
            include_str!(concat!("../../../../docs/errors/", $name, ".md"))
        };
    }
    match code {
        Code::InvalidJson => page!("invalid_json"),
        Code::InvalidRequest => page!("invalid_request"),
        Code::InvalidBody => page!("invalid_body"),
        Code::EventsRejected => page!("events_rejected"),
        Code::EventInvalid => page!("event_invalid"),
        Code::SchemaViolation => page!("schema_violation"),
        Code::AmendmentInvalid => page!("amendment_invalid"),
        Code::EventErased => page!("event_erased"),
        Code::Held => page!("held"),
        Code::RetentionMinimum => page!("retention_minimum"),
        Code::QuerySyntax => page!("query_syntax"),
        Code::QueryInvalid => page!("query_invalid"),
        Code::QueryTooBig => page!("query_too_big"),
        Code::CursorMismatch => page!("cursor_mismatch"),
        Code::Unauthenticated => page!("unauthenticated"),
        Code::Forbidden => page!("forbidden"),
        Code::DatasetNotFound => page!("dataset_not_found"),
        Code::NotFound => page!("not_found"),
        Code::RouteNotFound => page!("route_not_found"),
        Code::MethodNotAllowed => page!("method_not_allowed"),
        Code::UpgradeRequired => page!("upgrade_required"),
        Code::RequestTimeout => page!("request_timeout"),
        Code::Conflict => page!("conflict"),
        Code::RequestInFlight => page!("request_in_flight"),
        Code::BodyTooLarge => page!("body_too_large"),
        Code::UnsupportedMediaType => page!("unsupported_media_type"),
        Code::UnsupportedEncoding => page!("unsupported_encoding"),
        Code::IdempotencyConflict => page!("idempotency_conflict"),
        Code::QueryMemory => page!("query_memory"),
        Code::IngestBusy => page!("ingest_busy"),
        Code::QueryBusy => page!("query_busy"),
        Code::LoginBusy => page!("login_busy"),
        Code::Overloaded => page!("overloaded"),
        Code::TenantFull => page!("tenant_full"),
        Code::DiskFull => page!("disk_full"),
        Code::TenantUnavailable => page!("tenant_unavailable"),
        Code::Unavailable => page!("unavailable"),
        Code::QueryTimeout => page!("query_timeout"),
        Code::DataCorrupt => page!("data_corrupt"),
        Code::Internal => page!("internal"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_its_page_and_every_page_its_code() {
        for code in Code::ALL {
            let title = format!("# {}\n", code.as_str());
            assert!(text_of(code).starts_with(&title), "{}", code.as_str());
        }
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/errors");
        let files = std::fs::read_dir(folder).expect("the folder of the pages");
        assert_eq!(files.count(), Code::ALL.len());
    }

    #[test]
    fn pages_load_nothing_from_elsewhere() {
        let scripts = FILES.iter().map(|(_, _, text)| *text);
        for text in [HOME, DOCS].into_iter().chain(scripts) {
            for outside in ["src=\"http", "href=\"http", "url(http", "from \"http", "@import"] {
                assert!(!text.contains(outside), "{outside}");
            }
            assert!(!text.contains("<script>") && !text.contains("onclick="), "inline script");
        }
    }

    #[test]
    fn what_the_pages_load_is_there() {
        for page in [HOME, DOCS] {
            for part in page.split("\"/assets/").skip(1) {
                let name = part.split('"').next().unwrap_or_default();
                assert!(FILES.iter().any(|(file, ..)| *file == name), "{name}");
            }
        }
        for (_, media, text) in FILES.iter().filter(|(_, media, _)| *media == SCRIPT) {
            for part in text.split("from \"./").skip(1) {
                let name = part.split('"').next().unwrap_or_default();
                assert!(FILES.iter().any(|(file, ..)| *file == name), "{name} {media}");
            }
        }
    }
}
