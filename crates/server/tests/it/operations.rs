//! One good request for every operation of the OpenAPI document.

use serde_json::{Value, json};

use crate::node::{Node, PASSWORD, Tenant, unique};

/// A request: method, path and body.
pub(crate) struct Request {
    pub(crate) method: &'static str,
    pub(crate) path: String,
    pub(crate) body: Value,
}

/// A request for an operation, about records of `tenant` that are made for it alone; none for an
/// operation that is not known here.
pub(crate) fn request(node: &Node, tenant: &Tenant, operation: &str) -> Option<Request> {
    let of = |method, path: &str, body| Some(Request { method, path: path.to_owned(), body });
    let dataset = json!({"dataset": "app"});
    match operation {
        "healthz" => of("GET", "/healthz", Value::Null),
        "readyz" => of("GET", "/readyz", Value::Null),
        "login" | "refresh" | "logout" | "me" => auth(node, operation),
        "ingest" => of("POST", "/api/v1/ingest/app", json!({"message": "x"})),
        "ingest_otlp" => of("POST", "/v1/logs", json!({"resourceLogs": []})),
        "search" => of("POST", "/api/v1/search", dataset),
        "histogram" => of("POST", "/api/v1/search/histogram", dataset),
        "fields" => of("POST", "/api/v1/search/fields", dataset),
        "values" => {
            of("POST", "/api/v1/search/values", json!({"dataset": "app", "field": "message"}))
        }
        "context" => of("POST", "/api/v1/search/context", json!({"dataset": "app", "seq": 0})),
        "analytics_query" => {
            let body = json!({"dataset": "app", "query": "* | stats count()"});
            of("POST", "/api/v1/analytics/query", body)
        }
        "analytics_sql" => {
            of("POST", "/api/v1/analytics/sql", json!({"sql": "SELECT count(*) FROM app"}))
        }
        _ => control(node, tenant, operation),
    }
}

fn auth(node: &Node, operation: &str) -> Option<Request> {
    let login = json!({"email": "user@ours.example", "password": PASSWORD});
    let token = || {
        let answer = node.ask("POST", "/api/v1/auth/login").json(&login).send().expect(200);
        json!({"refresh_token": answer.json()["refresh_token"]})
    };
    let (method, body) = match operation {
        "login" => ("POST", login.clone()),
        "me" => ("GET", Value::Null),
        _ => ("POST", token()),
    };
    Some(Request { method, path: format!("/api/v1/auth/{operation}"), body })
}

fn control(node: &Node, tenant: &Tenant, operation: &str) -> Option<Request> {
    let of = |method, path: String, body| Some(Request { method, path, body });
    let email = format!("{}@ours.example", unique("u"));
    let user = || format!("/api/v1/users/{}", node.user(&tenant.admin, &email, "user"));
    let key = || format!("/api/v1/keys/{}", node.key(&tenant.admin, "query:*").0);
    let person = json!({"email": email, "password": PASSWORD, "role": "user"});
    match operation {
        "list_datasets" => of("GET", "/api/v1/datasets".to_owned(), Value::Null),
        "create_dataset" => {
            of("POST", "/api/v1/datasets".to_owned(), json!({"name": unique("made")}))
        }
        "get_dataset" => of("GET", "/api/v1/datasets/app".to_owned(), Value::Null),
        "update_dataset" => of("PUT", "/api/v1/datasets/app".to_owned(), json!({})),
        "list_keys" => of("GET", "/api/v1/keys".to_owned(), Value::Null),
        "create_key" => {
            let body = json!({"name": "k", "scopes": ["ingest:*"]});
            of("POST", "/api/v1/keys".to_owned(), body)
        }
        "rotate_key" => of("POST", key() + "/rotate", json!({})),
        "revoke_key" => of("DELETE", key(), Value::Null),
        "list_users" => of("GET", "/api/v1/users".to_owned(), Value::Null),
        "create_user" => of("POST", "/api/v1/users".to_owned(), person),
        "update_user" => of("PATCH", user(), json!({"disabled": true})),
        "delete_user" => of("DELETE", user(), Value::Null),
        "get_tenant" => of("GET", "/api/v1/tenant".to_owned(), Value::Null),
        "update_tenant" => {
            of("PATCH", "/api/v1/tenant".to_owned(), json!({"makes_datasets": true}))
        }
        "list_tenants" => of("GET", "/api/v1/tenants".to_owned(), Value::Null),
        "create_tenant" => {
            let admin = json!({"email": email, "password": PASSWORD});
            let body = json!({"name": unique("t"), "admin": admin});
            of("POST", "/api/v1/tenants".to_owned(), body)
        }
        "delete_tenant" => {
            let doomed = node.tenant(&unique("doomed"));
            of("DELETE", format!("/api/v1/tenants/{}", doomed.id), Value::Null)
        }
        _ => None,
    }
}
