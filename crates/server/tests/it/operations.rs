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
        _ => audit(node, tenant, operation),
    }
}

fn audit(node: &Node, tenant: &Tenant, operation: &str) -> Option<Request> {
    let of = |method, path: String, body| Some(Request { method, path, body });
    let event = json!({
        "action": "document.update",
        "actor": {"id": "user_1"},
        "resource": {"type": "document", "id": "doc_1"},
    });
    let made = || {
        let ask = node.ask("POST", "/api/v1/logs").by(&tenant.admin).json(&event);
        ask.send().expect(201).json()["id"].as_str().expect("an id").to_owned()
    };
    let reason = json!({"reason": "asked"});
    let hold = json!({"name": "h", "query": "actor.id:nobody", "reason": "r", "owner": "o"});
    let held = || {
        let ask = node.ask("POST", "/api/v1/holds").by(&tenant.admin).json(&hold);
        ask.send().expect(201).json()["id"].as_str().expect("an id").to_owned()
    };
    let job = || {
        let path = "/api/v1/logs/cleanup?before=2000-01-01T00:00:00Z&dry_run=true";
        let ask = node.ask("DELETE", path).by(&tenant.admin).json(&reason);
        ask.send().expect(202).header("location")
    };
    match operation {
        "create_log" => of("POST", "/api/v1/logs".to_owned(), event),
        "create_logs" => of("POST", "/api/v1/logs/bulk".to_owned(), json!({"events": [event]})),
        "import_cloudtrail" => {
            let record = json!({
                "eventTime": "2026-01-31T12:00:00Z",
                "eventSource": "s3.amazonaws.com",
                "eventName": "GetObject",
            });
            let body = json!({"Records": [record]});
            of("POST", "/api/v1/logs/import/cloudtrail".to_owned(), body)
        }
        "list_logs" => of("GET", "/api/v1/logs".to_owned(), Value::Null),
        "get_log" => of("GET", format!("/api/v1/logs/{}?proof=true", made()), Value::Null),
        "amend_log" => of("PATCH", format!("/api/v1/logs/{}", made()), json!({"note": "seen"})),
        "erase_log" => of("DELETE", format!("/api/v1/logs/{}", made()), reason),
        "log_stats" => of("GET", "/api/v1/logs/stats".to_owned(), Value::Null),
        "correlated_logs" => of("GET", "/api/v1/logs/correlated/req_1".to_owned(), Value::Null),
        "stream_logs" => of("GET", "/api/v1/logs/stream".to_owned(), Value::Null),
        "export_logs" => of("GET", "/api/v1/logs/export".to_owned(), Value::Null),
        "clean_up_logs" => {
            let path = "/api/v1/logs/cleanup?before=2000-01-01T00:00:00Z";
            of("DELETE", path.to_owned(), reason)
        }
        "erase_subject" => {
            let body = json!({"actor": unique("nobody"), "reason": "asked"});
            of("POST", "/api/v1/erasures".to_owned(), body)
        }
        "list_holds" => of("GET", "/api/v1/holds".to_owned(), Value::Null),
        "create_hold" => of("POST", "/api/v1/holds".to_owned(), hold),
        "release_hold" => of("DELETE", format!("/api/v1/holds/{}", held()), reason),
        "get_audit_settings" => of("GET", "/api/v1/audit/settings".to_owned(), Value::Null),
        "set_audit_settings" => {
            let body = json!({"retention_presets": [], "unknown_actions": "off"});
            of("PUT", "/api/v1/audit/settings".to_owned(), body)
        }
        "get_job" => of("GET", job(), Value::Null),
        "rotate_ledger_key" => {
            made();
            of("POST", "/api/v1/ledger/rotate".to_owned(), reason)
        }
        _ => rules(node, tenant, operation),
    }
}

/// What a tenant demands of its audit events.
fn rules(node: &Node, tenant: &Tenant, operation: &str) -> Option<Request> {
    let of = |method, path: &str, body| Some(Request { method, path: path.to_owned(), body });
    let schema = format!("/api/v1/schemas/{}", unique("document.update"));
    let warn = json!({"mode": "warn"});
    let put = || node.ask("PUT", &schema).by(&tenant.admin).json(&warn).send().expect(201);
    match operation {
        "list_schemas" => of("GET", "/api/v1/schemas", Value::Null),
        "get_schema" => {
            put();
            of("GET", &schema, Value::Null)
        }
        "put_schema" => of("PUT", &schema, warn),
        "delete_schema" => {
            put();
            of("DELETE", &schema, Value::Null)
        }
        "get_audit_masks" => of("GET", "/api/v1/audit/masks", Value::Null),
        "set_audit_masks" => of("PUT", "/api/v1/audit/masks", json!({})),
        "retention_plan" => of("GET", "/api/v1/audit/retention/plan", Value::Null),
        "create_workos_event" => of("POST", "/audit_logs/events", workos_event(tenant)),
        _ => ledger(operation).map(|path| Request { method: "GET", path, body: Value::Null }),
    }
}

fn workos_event(tenant: &Tenant) -> Value {
    json!({"organization_id": tenant.id, "event": {
        "action": "user.signed_in",
        "occurred_at": "2026-01-31T12:00:00Z",
        "actor": {"id": "user_1", "type": "user"},
        "targets": [{"id": "team_1", "type": "team"}],
        "context": {"location": "203.0.113.7"},
    }})
}

fn ledger(operation: &str) -> Option<String> {
    let path = match operation {
        "ledger_policy" => "policy",
        "ledger_keys" => "keys",
        "ledger_checkpoint" => "checkpoint",
        "ledger_checkpoints" => "checkpoints",
        "ledger_tile" => "tile/entries/000.p/1",
        "ledger_inclusion" => "proof/inclusion?seq=0",
        "ledger_consistency" => "proof/consistency?from=0&to=1",
        _ => return None,
    };
    Some(format!("/api/v1/ledger/{path}"))
}
