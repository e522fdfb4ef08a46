//! The events that are sent, as whole requests made beforehand.

use serde_json::{Value, json};

use super::connection::request;
use crate::node::Tenant;

/// About how many events there are before they come again. They have no ids of their own, so that
/// one that comes again is another event.
const EVENTS: u64 = 8_192;
const ACTORS: u64 = 1_009;
pub(super) const ACTIONS: [&str; 8] = [
    "user.login",
    "user.logout",
    "document.read",
    "document.update",
    "document.share",
    "key.create",
    "key.revoke",
    "settings.update",
];

/// Requests that bring events.
#[derive(Debug)]
pub(super) struct Requests {
    /// How many events each of them brings.
    pub(super) events: u64,
    /// The requests, each as it goes over the wire.
    pub(super) all: Vec<Vec<u8>>,
}

impl Requests {
    /// Requests with so many events each.
    pub(super) fn new(tenant: &Tenant, events: u64) -> Self {
        let requests = EVENTS.div_ceil(events);
        let all = (0..requests).map(|number| {
            let first = number * events;
            let (path, body) = match events {
                1 => ("/api/v1/logs", event(first)),
                _ => {
                    let events: Vec<Value> = (first..first + events).map(event).collect();
                    ("/api/v1/logs/bulk", json!({"events": events}))
                }
            };
            request("POST", path, &tenant.key, &body.to_string())
        });
        Self { events, all: all.collect() }
    }
}

/// Spreads numbers so that neighbours differ in everything.
fn spread(number: u64) -> u64 {
    number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20
}

fn event(number: u64) -> Value {
    let at = spread(number);
    let pick = |count: u64| at / 7 % count;
    let outcome = if at.is_multiple_of(41) { "denied" } else { "success" };
    json!({
        "action": ACTIONS[(at % ACTIONS.len() as u64) as usize],
        "actor": {
            "id": format!("user-{}", at % ACTORS), "type": "user",
            "name": format!("Person {}", at % ACTORS), "session": format!("session-{at:x}"),
        },
        "resource": {"type": "document", "id": format!("doc-{}", pick(5_003)), "name": "Plan"},
        "severity": if outcome == "denied" { "WARNING" } else { "INFO" },
        "outcome": outcome,
        "ip": format!("198.51.{}.{}", pick(200), at % 251),
        "user_agent": "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
        "request_id": format!("{:032x}", u128::from(at) << 64 | u128::from(number)),
        "message": format!("the plan was looked at by person {}", at % ACTORS),
        "metadata": {"team": format!("team-{}", pick(97)), "plan": "gold", "took_ms": at % 1_000},
    })
}

/// The searches that are made meanwhile, again and again with other values.
pub(super) fn search(tenant: &Tenant, number: u64) -> Vec<u8> {
    let at = spread(number + 1);
    let filter = match number % 6 {
        0 => format!("actor=user-{}", at % ACTORS),
        1 => format!("resource_id=doc-{}", at % 5_003),
        2 => format!("action={}&outcome=denied", ACTIONS[(at % ACTIONS.len() as u64) as usize]),
        3 => format!("ip=198.51.{}.*&order=oldest", at % 200),
        4 => format!("metadata.team=team-{}&from=-1m", at % 97),
        _ => format!("q=%22by+person+{}%22", at % ACTORS),
    };
    request("GET", &format!("/api/v1/logs?limit=50&{filter}"), &tenant.key, "")
}
