//! WorkOS's own client library sends audit events here, with nothing but its base URL changed.

use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use crate::place::{Place, launch, report, skip};
use crate::python::python_with;

const TRIAL: &str = "workos";
/// The library, as PyPI has it.
const PACKAGE: &str = "workos==10.8.0";
/// What the library is made to do: it prints what came of it, a word a line.
const SCRIPT: &str = r#"
import sys, uuid
from datetime import datetime, timezone
from workos import WorkOSClient, AuthenticationError, BadRequestError, NotFoundError
from workos.audit_logs.models import (
    AuditLogEvent, AuditLogEventActor, AuditLogEventContext, AuditLogEventTarget,
)

url, key, tenant = sys.argv[1:]
client = WorkOSClient(api_key=key, client_id="none", base_url=url)
event = AuditLogEvent(
    action="user.signed_in",
    occurred_at=datetime(2026, 1, 31, 12, tzinfo=timezone.utc),
    actor=AuditLogEventActor(id="user_1", type="user", name="Ada", metadata={"role": "owner"}),
    targets=[AuditLogEventTarget(id="team_1", type="team")],
    context=AuditLogEventContext(location="203.0.113.9", user_agent="trial"),
    metadata={"by": "workos", "tries": 1},
    version=1,
)
once = str(uuid.uuid4())
for _ in range(2):
    done = client.audit_logs.create_event(
        organization_id=tenant, event=event, idempotency_key=once)
    print("stored" if done.success else "lost")

def fails(expected, client, organization, event):
    try:
        client.audit_logs.create_event(organization_id=organization, event=event)
        print("stored")
    except expected as error:
        print(error.code, "with" if error.errors else "without", "faults")

fails(NotFoundError, client, "another", event)
event.targets = []
fails(BadRequestError, client, tenant, event)
stranger = WorkOSClient(api_key="none", client_id="none", base_url=url, max_retries=0)
fails(AuthenticationError, stranger, tenant, event)
"#;
const SAID: [&str; 5] = [
    "stored",
    "stored",
    "not_found without faults",
    "event_invalid with faults",
    "unauthenticated without faults",
];

#[test]
fn the_library_of_workos_sends_events_here() -> Result<()> {
    let Some(python) = python_with(PACKAGE) else {
        skip(TRIAL, format_args!("pip cannot install {PACKAGE}"));
        return Ok(());
    };
    let place = Place::new()?;
    let node = launch(&place.join("data")).start()?;
    let acme = node.tenant("acme")?;
    let output = Command::new(python)
        .args(["-c", SCRIPT, node.url(), &acme.key, &acme.name])
        .output()
        .context("starting Python")?;
    let said = String::from_utf8_lossy(&output.stdout);
    let wrong = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "the script failed: {said}\n{wrong}");
    ensure!(said.lines().eq(SAID), "the library was told otherwise: {said}");

    let found = node.get("/api/v1/logs?action=user.signed_in&metadata.by=workos", Some(&acme.key));
    let found: Value = serde_json::from_str(&found?.body)?;
    let events = found["data"].as_array().context("no data")?;
    ensure!(events.len() == 1, "a repeated request is stored once: {found}");
    let event = &events[0];
    ensure!(event["ip"] == "203.0.113.9" && event["resource"]["id"] == "team_1", "{event}");
    ensure!(event["actor"]["name"] == "Ada" && event["metadata"]["tries"] == 1, "{event}");
    report(format_args!("workos: its library sends, repeats and is refused as it expects"));
    node.stop().map(drop)
}
