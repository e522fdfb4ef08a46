//! Who acts in a scenario.

use serde_json::{Map, Value, json};

use crate::node::{Node, PASSWORD, Tenant, unique};

/// Everybody who may act.
pub(super) const ROLES: [&str; 8] =
    ["admin", "auditor", "user", "ingest", "query", "operator", "stranger", "nobody"];

/// Two tenants that nobody else has, and the credentials of everybody.
pub(super) struct Cast {
    operator: String,
    name: String,
    other: String,
    ours: Tenant,
    theirs: Tenant,
}

impl Cast {
    pub(super) fn new(node: &Node) -> Self {
        let (name, other) = (unique("ours"), unique("theirs"));
        let (ours, theirs) = (node.tenant(&name), node.tenant(&other));
        Self { operator: node.operator.clone(), name, other, ours, theirs }
    }

    /// The credential of a role; empty for who has none.
    pub(super) fn credential(&self, role: &str) -> Result<&str, String> {
        Ok(match role {
            "admin" => &self.ours.admin,
            "auditor" => &self.ours.auditor,
            "user" => &self.ours.user,
            "ingest" => &self.ours.ingest,
            "query" => &self.ours.query,
            "operator" => &self.operator,
            "stranger" => &self.theirs.admin,
            "nobody" => "",
            _ => return Err(format!("there is no role {role}")),
        })
    }

    /// What a scenario may name from its first step on.
    pub(super) fn variables(&self) -> Map<String, Value> {
        let variables = json!({
            "tenant": {"id": self.ours.id, "name": self.name},
            "other": {"id": self.theirs.id, "name": self.other},
            "password": PASSWORD,
            "unique": unique("word"),
        });
        variables.as_object().cloned().unwrap_or_default()
    }
}
