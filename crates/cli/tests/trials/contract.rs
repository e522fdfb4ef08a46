//! The server answers as its OpenAPI document says: Schemathesis reads the document, makes good and
//! bad requests of it, and holds every answer against it.

use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, Result, ensure};
use ledgerline_bench::{Node, Tenant};
use serde_json::json;

use crate::place::{Place, launch, number, report, skip};
use crate::python;

const TRIAL: &str = "contract";
/// The validator and the tester, as PyPI has them.
const PACKAGES: [&str; 2] = ["openapi-spec-validator==0.9.0", "schemathesis==4.32.5"];
/// Every check is made but whether all that the document allows is taken: it counts characters
/// where the server counts bytes, and knows nothing of what is there already.
const NOT_CHECKED: &str = "positive_data_acceptance";
/// What is otherwise checked of two operations: in a bulk a wrong event is refused alone, and the
/// request is good.
const EXCEPTION: &str = r#"
[[operations]]
include-operation-id = ["create_logs", "import_cloudtrail"]
checks.negative_data_rejection.expected-statuses = [200, "4xx"]
"#;
/// How many requests are made of each operation's description, and from which seed.
const EXAMPLES: u64 = 6;
const SEED: &str = "1";

/// Who tests, and with which operations not.
struct Tester {
    role: &'static str,
    credential: String,
    left_out: &'static [&'static str],
}

#[test]
fn the_server_answers_as_its_document_says() -> Result<()> {
    let Some(programs) = python::environment("contract", &PACKAGES) else {
        skip(TRIAL, format_args!("pip cannot install {}", PACKAGES.join(" and ")));
        return Ok(());
    };
    let place = Place::new()?;
    let node = launch(&place.join("data")).with("LEDGERLINE_LOG_LEVEL", "warn").start()?;
    let document = place.join("openapi.json");
    std::fs::write(&document, node.get("/openapi.json", None)?.body)?;
    let valid = Command::new(programs.join("openapi-spec-validator")).arg(&document).output();
    let valid = valid.context("starting the validator")?;
    let said = String::from_utf8_lossy(&valid.stdout);
    ensure!(valid.status.success(), "the document is not valid: {said}");

    let acme = node.tenant("acme")?;
    let event = json!({"action": "a", "actor": {"id": "u"}, "resource": {"type": "t", "id": "1"}});
    node.posted("/api/v1/logs", &acme.key, &event)?;
    node.posted("/api/v1/ingest/app", &acme.key, &json!({"message": "x"}))?;
    // At the same time: they need few processors, and disturb each other as strangers do.
    let mut tests = Vec::new();
    for tester in testers(&node, &acme)? {
        let folder = place.join(tester.role);
        std::fs::create_dir(&folder)?;
        std::fs::write(folder.join("schemathesis.toml"), EXCEPTION)?;
        tests.push((tester.role, test(&programs, &folder, node.url(), &tester)?));
    }
    let mut failures = String::new();
    for (role, test) in tests {
        let output = test.wait_with_output()?;
        let said = String::from_utf8_lossy(&output.stdout);
        let counted = said.lines().find(|line| line.contains(" generated, ")).unwrap_or_default();
        report(format_args!("{TRIAL}: as {role}: {}", counted.trim()));
        if !output.status.success() {
            failures.push_str(&format!("as {role}:\n{said}"));
        }
    }
    ensure!(failures.is_empty(), "{failures}");
    node.stop().map(drop)
}

fn testers(node: &Node, tenant: &Tenant) -> Result<[Tester; 3]> {
    let (_, auditor) = node.user(tenant, "auditor@acme.example", "auditor")?;
    Ok([
        Tester {
            role: "admin",
            credential: tenant.token.clone(),
            // They would end the tester's own right to test.
            left_out: &["update_user", "delete_user"],
        },
        Tester { role: "auditor", credential: auditor, left_out: &[] },
        Tester {
            role: "operator",
            credential: node.operator()?,
            // It would remove the tenant of the others.
            left_out: &["delete_tenant"],
        },
    ])
}

fn test(programs: &Path, folder: &Path, url: &str, tester: &Tester) -> Result<Child> {
    let examples = number("LEDGERLINE_CONTRACT_EXAMPLES").unwrap_or(EXAMPLES).to_string();
    let mut command = Command::new(programs.join("schemathesis"));
    command
        .current_dir(folder)
        .args(["--no-color", "run", "--exclude-checks", NOT_CHECKED, "--seed", SEED])
        .args(["--max-examples", &examples, "--suppress-health-check", "all"])
        .args(["--header", &format!("Authorization: Bearer {}", tester.credential)]);
    for operation in tester.left_out {
        command.args(["--exclude-operation-id", operation]);
    }
    command.arg(format!("{url}/openapi.json")).stdin(Stdio::null()).stdout(Stdio::piped());
    command.spawn().context("starting Schemathesis")
}
