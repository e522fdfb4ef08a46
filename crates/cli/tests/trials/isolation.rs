//! Two tenants with equal names for everything: no byte of one in any answer to the other.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use anyhow::{Context as _, Result, ensure};
use ledgerline_bench::{Node, Reply, Tenant};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use rand::{Rng as _, SeedableRng as _};
use serde_json::{Value, json};

use crate::audit::first_number;
use crate::place::{Place, launch, number, report};

const REQUESTS: u64 = 400;
const DATASET: &str = "app";
const EVENTS: u64 = 300;
const ADMIN: &str = "ada@shared.example";
const AUDITOR: &str = "grace@shared.example";

/// A tenant, and what somebody could try to use of it.
struct Side {
    tenant: Tenant,
    /// Stands in everything that is this tenant's alone, and in no request of the other.
    canary: String,
    /// What the other must not be told, besides the canary.
    secrets: Vec<String>,
    credentials: Vec<String>,
    users: Vec<String>,
    keys: Vec<String>,
    datasets: Vec<String>,
    cursor: String,
}

/// A request, without its credential.
#[derive(Debug)]
struct Ask {
    method: &'static str,
    path: String,
    body: Value,
}

#[test]
fn no_byte_of_one_tenant_reaches_the_other() -> Result<()> {
    let requests = number("LEDGERLINE_ISOLATION_REQUESTS").unwrap_or(REQUESTS);
    let place = Place::new()?;
    let node = launch(&place.join("data"))
        .with("LEDGERLINE_FLUSH_INTERVAL_SECONDS", "1")
        .with("LEDGERLINE_LOG_LEVEL", "warn")
        .start()?;
    let mut random = StdRng::seed_from_u64(requests);
    let sides = [side(&node, &place, "alpha", 0xa1)?, side(&node, &place, "beta", 0xb2)?];
    let mut statuses = BTreeMap::<u16, u64>::new();
    let mut own = 0;
    for _ in 0..requests {
        let at = random.random_range(0..2);
        let (us, them) = (&sides[at], &sides[1 - at]);
        let ask = ask(us, them, &mut random)?;
        let reply = send(&node, us, them, &ask, &mut random)?;
        let said = said(&reply)?;
        for secret in them.secrets.iter().chain([&them.canary]) {
            ensure!(!said.contains(secret.as_str()), "{ask:?} answered {secret}:\n{said}");
        }
        ensure!(reply.status < 500, "{ask:?} answered {said}");
        own += u64::from(said.contains(&us.canary));
        *statuses.entry(reply.status).or_default() += 1;
    }
    // Who sees nothing leaks nothing: a fair share of the answers must have shown the tenant's own.
    ensure!(own * 5 > requests, "only {own} of {requests} answers had anything to show");
    for side in &sides {
        let count = node.analyse(&side.tenant, DATASET, "* | stats count()")?;
        ensure!(first_number(&count)? == EVENTS, "{}: changed by the other", side.tenant.name);
        let users = node.get("/api/v1/users", Some(&side.tenant.token))?.json()?;
        ensure!(ids(&users)?.len() == side.users.len(), "users were changed: {users}");
    }
    report(format_args!(
        "isolation: {requests} requests, statuses {statuses:?}, {own} showed the tenant's own words, \
         none the other's"
    ));
    node.stop().map(drop)
}

fn side(node: &Node, place: &Place, name: &str, seed: u64) -> Result<Side> {
    let mut random = StdRng::seed_from_u64(seed);
    let canary = format!("canary{:032x}", random.random::<u128>());
    let tenant = node.tenant_of(name, ADMIN)?;
    let (_, auditor) = node.user(&tenant, AUDITOR, "auditor")?;
    node.user(&tenant, &format!("{canary}@shared.example"), "user")?;
    let body = json!({"name": format!("shipper {canary}"), "scopes": ["query:*"]});
    let made = node.posted("/api/v1/keys", &tenant.token, &body)?;
    let second = made["key"].as_str().context("no key")?.to_owned();

    // The same file name for both, and half of it is in segments before the rest comes.
    let folder = place.join(name);
    std::fs::create_dir_all(&folder)?;
    let file = folder.join("app.ndjson");
    let mut lines = String::new();
    for n in 0..EVENTS {
        let day = 1 + n % 28;
        writeln!(
            lines,
            r#"{{"_id":"event-{n}","n":{n},"@timestamp":"2026-01-{day:02}T00:00:00Z","level":"info",
            "message":"shared words and {canary} number {n}","who":"{canary}","{canary}":"a field",
            "nested":{{"{canary}":[1,"{canary}"]}}}}"#
        )?;
    }
    std::fs::write(&file, lines)?;
    ensure!(node.send(&tenant, DATASET, &[&file])?.is_success, "{name}: not acknowledged");
    let one = json!([{"message": format!("{canary} alone")}]);
    let path = format!("/api/v1/ingest/only-{}", &canary[..20]);
    node.posted(&path, &tenant.key, &one)?;

    let list = |path: &str| ids(&node.get(path, Some(&tenant.token))?.json()?);
    let (users, keys, datasets) =
        (list("/api/v1/users")?, list("/api/v1/keys")?, list("/api/v1/datasets")?);
    let page = node.search(&tenant, DATASET, "*", 1)?;
    let cursor = page["page"]["next_cursor"].as_str().context("no cursor")?.to_owned();
    let secrets = vec![tenant.key.clone(), second.clone(), tenant.token.clone(), auditor.clone()];
    let credentials = vec![tenant.key.clone(), second, tenant.token.clone(), auditor];
    Ok(Side { tenant, canary, secrets, credentials, users, keys, datasets, cursor })
}

/// The ids in a list, or its names where records have no other.
fn ids(list: &Value) -> Result<Vec<String>> {
    let records = list["data"].as_array().with_context(|| format!("no list: {list}"))?;
    let id = |record: &Value| {
        Some(record["id"].as_str().or_else(|| record["name"].as_str())?.to_owned())
    };
    records.iter().map(id).collect::<Option<Vec<_>>>().context("a record without an id")
}

/// All that a client is told, headers too.
fn said(reply: &Reply) -> Result<String> {
    let mut said = format!("{}\n", reply.status);
    for (name, value) in &reply.headers {
        writeln!(said, "{name}: {}", String::from_utf8_lossy(value.as_bytes()))?;
    }
    said.push_str(&reply.body);
    Ok(said)
}

fn send(node: &Node, us: &Side, them: &Side, ask: &Ask, random: &mut StdRng) -> Result<Reply> {
    let credential = us.credentials.choose(random).context("no credential")?;
    let authorization = format!("Bearer {credential}");
    let mut headers = vec![("authorization", authorization.as_str())];
    if !ask.body.is_null() {
        headers.push(("content-type", "application/json"));
    }
    let accepts = ["application/json", "application/x-ndjson", "text/csv", "*/*"];
    headers.push(("accept", accepts.choose(random).copied().unwrap_or("*/*")));
    let names = [
        "x-scope-orgid",
        "x-tenant",
        "x-tenant-id",
        "x-ledgerline-tenant",
        "x-org-id",
        "accountid",
        "x-forwarded-user",
        "x-original-url",
    ];
    let values = [&them.tenant.id, &them.tenant.name];
    for name in names {
        if random.random_bool(0.2) {
            headers.push((name, values.choose(random).map_or("", |value| value.as_str())));
        }
    }
    let body = if ask.body.is_null() { String::new() } else { ask.body.to_string() };
    node.client().request(ask.method, &ask.path, &headers, body.as_bytes())
}

fn ask(us: &Side, them: &Side, random: &mut StdRng) -> Result<Ask> {
    Ok(match random.random_range(0..12) {
        0 => records(us, them, random)?,
        1 => others_records(them, random)?,
        2 | 3 => sql(them, random)?,
        4 => {
            let query = format!("{} | {}", search_text(us, them, random)?, pipe(random));
            post("analytics/query", json!({"dataset": dataset(random), "query": query}))
        }
        5 => {
            let seq = random.random_range(0..EVENTS * 2);
            post("search/context", json!({"dataset": dataset(random), "seq": seq, "before": 3}))
        }
        6 => {
            let fields = ["message", "who", "_id", "_message", "nested", &us.canary, "level"];
            let field = fields.choose(random).copied().unwrap_or("who");
            let query = search_text(us, them, random)?;
            post(
                "search/values",
                json!({"dataset": dataset(random), "field": field, "query": query}),
            )
        }
        7 => post("search/fields", json!({"dataset": dataset(random)})),
        8 => {
            let query = search_text(us, them, random)?;
            post(
                "search/histogram",
                json!({"dataset": dataset(random), "query": query, "width": "1d"}),
            )
        }
        _ => {
            let query = search_text(us, them, random)?;
            let mut body = json!({"dataset": dataset(random), "query": query, "limit": 20});
            match random.random_range(0..4) {
                0 => body["cursor"] = them.cursor.clone().into(),
                1 => body["tenant"] = them.tenant.id.clone().into(),
                2 => body["order"] = "oldest".into(),
                _ => {}
            }
            post("search", body)
        }
    })
}

fn post(path: &str, body: Value) -> Ask {
    Ask { method: "POST", path: format!("/api/v1/{path}"), body }
}

fn get(path: &str) -> Ask {
    Ask { method: "GET", path: format!("/api/v1/{path}"), body: Value::Null }
}

/// Usually the dataset that both have, sometimes one that only Ledgerline writes.
fn dataset(random: &mut StdRng) -> &'static str {
    let names = [DATASET, DATASET, DATASET, DATASET, "_audit", "_usage", "none"];
    names.choose(random).copied().unwrap_or(DATASET)
}

fn search_text(us: &Side, them: &Side, random: &mut StdRng) -> Result<String> {
    let texts = [
        "*".to_owned(),
        "canary*".to_owned(),
        "_message:*canary*".to_owned(),
        "*:canary*".to_owned(),
        "/canary[0-9a-f]+/".to_owned(),
        "\"shared words\"".to_owned(),
        "n:>3".to_owned(),
        "NOT level:error".to_owned(),
        format!("_id:event-{}", random.random_range(0..EVENTS)),
        format!("_seq:{}", random.random_range(0..EVENTS)),
        format!("tenant:{} OR *", them.tenant.id),
        format!("_tenant:{} OR who:*", them.tenant.name),
        us.canary.clone(),
    ];
    texts.choose(random).cloned().context("no text")
}

fn pipe(random: &mut StdRng) -> &'static str {
    let pipes = [
        "stats count()",
        "stats count() by who",
        "stats count() as n by message | sort -n | limit 5",
        "stats distinct(who)",
        "stats count() by 1d",
        "limit 5",
    ];
    pipes.choose(random).copied().unwrap_or("stats count()")
}

/// What the tenant may list of its own.
fn records(us: &Side, them: &Side, random: &mut StdRng) -> Result<Ask> {
    let paths = [
        "auth/me".to_owned(),
        "tenant".to_owned(),
        "tenants".to_owned(),
        "users".to_owned(),
        "keys".to_owned(),
        "datasets".to_owned(),
        format!("datasets/{DATASET}"),
        format!("datasets/{}", us.datasets.choose(random).context("no dataset")?),
        format!("users?tenant={}", them.tenant.id),
        format!("keys?tenant_id={}", them.tenant.id),
        format!("tenants/{}/users", them.tenant.id),
        format!("../../tenants/{}", them.tenant.id),
    ];
    paths.choose(random).map(|path| get(path)).context("no path")
}

/// Records of the other tenant, by their ids.
fn others_records(them: &Side, random: &mut StdRng) -> Result<Ask> {
    let user = them.users.choose(random).context("no user")?;
    let key = them.keys.choose(random).context("no key")?;
    let change = |method, path: String, body| Ask { method, path: format!("/api/v1/{path}"), body };
    let asks = [
        change("PATCH", format!("users/{user}"), json!({"role": "user"})),
        change("DELETE", format!("users/{user}"), Value::Null),
        change("DELETE", format!("keys/{key}"), Value::Null),
        change("POST", format!("keys/{key}/rotate"), json!({})),
        change("DELETE", format!("tenants/{}", them.tenant.id), Value::Null),
        get(&format!("tenants/{}", them.tenant.id)),
        get(&format!("users/{user}")),
    ];
    let at = random.random_range(0..asks.len());
    asks.into_iter().nth(at).context("nothing to ask")
}

fn sql(them: &Side, random: &mut StdRng) -> Result<Ask> {
    let Tenant { id, name, .. } = &them.tenant;
    let texts = [
        format!("SELECT * FROM {DATASET} LIMIT 5"),
        format!("SELECT message, count(*) FROM {DATASET} GROUP BY message LIMIT 5"),
        format!("SELECT a.message FROM {DATASET} a JOIN {DATASET} b ON a.n = b.n LIMIT 5"),
        format!("SELECT * FROM {name}.{DATASET} LIMIT 5"),
        format!("SELECT * FROM {name}.public.{DATASET} LIMIT 5"),
        format!("SELECT * FROM \"{id}\".\"{DATASET}\" LIMIT 5"),
        format!("SELECT * FROM \"{id}/{DATASET}\" LIMIT 5"),
        format!("SELECT * FROM '../{id}/catalog.db'"),
        format!("SELECT * FROM {DATASET} WHERE tenant = '{id}' OR 1 = 1 LIMIT 5"),
        format!("SELECT who FROM {DATASET} UNION ALL SELECT who FROM \"{name}\".{DATASET}"),
        "SELECT * FROM information_schema.tables".to_owned(),
        "SELECT * FROM information_schema.columns".to_owned(),
        "SHOW TABLES".to_owned(),
        "SELECT * FROM _audit LIMIT 20".to_owned(),
        format!("SELECT * FROM read_parquet('/{id}')"),
    ];
    let text = texts.choose(random).context("no statement")?;
    Ok(post("analytics/sql", json!({"sql": text})))
}
