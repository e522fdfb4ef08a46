//! Every operation of the OpenAPI document × every kind of credential, against a text file. An
//! operation without a row fails.

use std::fmt::Write as _;
use std::path::Path;

use crate::node::Node;
use crate::operations::request;

#[test]
fn every_operation_answers_every_credential_as_the_table_says() {
    let node = Node::start_with(|config| config.tenancy.access_seconds = 1);
    let expired = node.operator.clone();
    let node = node.restart();
    let (ours, theirs) = (node.tenant("ours"), node.tenant("theirs"));
    let first = serde_json::json!({"message": "x"});
    node.send(&ours.ingest, "app", &first);
    let event = serde_json::json!({
        "action": "a", "actor": {"id": "u"}, "resource": {"type": "t", "id": "1"},
    });
    node.ask("POST", "/api/v1/logs").by(&ours.ingest).json(&event).send().expect(201);
    // Proves it, and so signs a checkpoint over it.
    let path = "/api/v1/ledger/proof/inclusion?seq=0";
    node.ask("GET", path).by(&ours.admin).send().expect(200);
    let (id, revoked) = node.key(&ours.admin, "admin:*");
    let path = format!("/api/v1/keys/{id}");
    node.ask("DELETE", &path).by(&ours.admin).send().expect(204);
    // Its second has passed when it is refused; until then there is nothing to see.
    while node.ask("GET", "/api/v1/auth/me").by(&expired).send().status != 401 {}

    let (_, all) = node.key(&ours.admin, "admin:*");
    let (_, narrow) = node.key(&ours.admin, "query:other");
    let credentials = [
        ("none", ""),
        ("malformed", "ll_not_a_key"),
        ("expired", expired.as_str()),
        ("revoked", revoked.as_str()),
        ("stranger", theirs.admin.as_str()),
        ("ingest", ours.ingest.as_str()),
        ("query", ours.query.as_str()),
        ("narrow", narrow.as_str()),
        ("user", ours.user.as_str()),
        ("auditor", ours.auditor.as_str()),
        ("admin", ours.admin.as_str()),
        ("all", all.as_str()),
        ("operator", node.operator.as_str()),
    ];
    let mut table = "# The status of a good request, by operation and credential. `stranger` is \
                     another tenant's\n# admin with our ids, `narrow` a key for another dataset, \
                     `all` a key with admin:*.\n"
        .to_owned();
    let mut row = |name: &str, cells: &[String]| {
        let cells: String = cells.iter().map(|cell| format!(" {cell:>9}")).collect();
        writeln!(table, "{name:<18}{cells}").expect("a string takes everything");
    };
    let names: Vec<String> = credentials.iter().map(|(name, _)| (*name).to_owned()).collect();
    row("operation", &names);
    for operation in operations() {
        let cells = credentials.map(|(_, credential)| {
            let request = request(&node, &ours, &operation)
                .unwrap_or_else(|| panic!("{operation} has no row: add it to operations.rs"));
            let ask = node.ask(request.method, &request.path).by(credential);
            let answer = if request.body.is_null() { ask } else { ask.json(&request.body) };
            answer.send().status.to_string()
        });
        row(&operation, &cells);
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/matrix.txt");
    if std::env::var_os("UPDATE_MATRIX").is_some() {
        std::fs::write(&path, &table).expect("the table is written");
    }
    let checked_in = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(table == checked_in, "run with UPDATE_MATRIX=1 and look at the difference:\n{table}");
}

fn operations() -> Vec<String> {
    let text = ledgerline_server::document().expect("the document is JSON");
    let document: serde_json::Value = serde_json::from_str(&text).expect("the document is JSON");
    let paths = document["paths"].as_object().expect("paths");
    let operations = paths.values().flat_map(|item| item.as_object().expect("operations").values());
    operations
        .map(|operation| operation["operationId"].as_str().expect("an id").to_owned())
        .collect()
}
