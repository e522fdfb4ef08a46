//! `ledgerline demo`: a server with a tenant, its logins, a key and real events in it, so that the
//! first question can be asked at once.
//!
//! What is made is made over HTTP, as any operator and admin would. The logins are chosen and
//! written down before the server first starts, and each step can be taken again: a demo that was
//! interrupted goes on where it was.

mod note;

use clap::Args;
use ledgerline_server::OPERATOR;
use ledgerline_server::config::Secret;

use crate::api::{self, Login};
use crate::client::{Client, Upload};
use crate::demo::note::Note;
use crate::failure::{Failure, Outcome};
use crate::node::Node;
use crate::output::{self, Colour, Output};
use crate::settings::Flags;
use crate::size;

const HELP: &str = "\
Example:
  ledgerline demo --data ./data --listen 127.0.0.1:8080

The first start makes the operator's login, a tenant `demo` with an admin and an API key, and sends
the sample events. The logins are kept in demo.txt in the data folder, which only its owner can
read, and printed at each start. Delete the folder to start over.

Exit code: as for `serve`.";

const TENANT: &str = "demo";
const ADMIN: &str = "admin@demo.example";

/// A file of real events that is part of the program; `demo/README.md` says whose they are.
struct Sample {
    dataset: &'static str,
    zstd: &'static [u8],
}

const SAMPLES: [Sample; 2] = [
    Sample { dataset: "cloudtrail", zstd: include_bytes!("../../../demo/cloudtrail.ndjson.zst") },
    Sample {
        dataset: "windows-security",
        zstd: include_bytes!("../../../demo/windows-security.ndjson.zst"),
    },
];

/// Run the server with a demo tenant and real sample events in it.
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(crate) struct Arguments {
    #[command(flatten)]
    flags: Flags,
}

/// Runs the command.
pub(crate) fn run(arguments: Arguments) -> Result<Outcome, Failure> {
    let (mut config, _) = arguments.flags.resolve()?;
    let given = config.operator_password.as_ref().map(|secret| secret.0.as_str());
    let mut note = Note::open(&config.data, given)?;
    config.operator_password = Some(Secret(note.operator_password.clone()));
    let data = config.data.display().to_string();
    let node = Node::start(config)?;
    let url = node.url();
    set_up(&Client::new(&url, None)?, &mut note)?;
    let mut output = Output::open();
    print(&mut output, &url, &data, &note)?;
    output.flush()?;
    drop(output);
    node.run()
}

/// Makes what is missing.
fn set_up(client: &Client, note: &mut Note) -> Result<(), Failure> {
    let admin = Login {
        email: ADMIN.to_owned(),
        password: note.admin_password.clone(),
        tenant: Some(TENANT.to_owned()),
    };
    if note.key.is_none() {
        let operator = operator(client, note)?;
        api::create_tenant(&operator, TENANT, &admin)?;
        let admin = api::log_in(client, &admin)?;
        let scopes = ["ingest:*", "query:*"].map(str::to_owned);
        note.key = Some(api::create_key(&admin, "demo", &scopes, None)?.key);
        note.write()?;
    }
    let client = client.with_credential(note.key.as_deref().unwrap_or_default());
    for sample in SAMPLES {
        if !note.loaded.iter().any(|loaded| loaded == sample.dataset) {
            load(&client, &sample)?;
            note.loaded.push(sample.dataset.to_owned());
            note.write()?;
        }
    }
    Ok(())
}

fn operator(client: &Client, note: &Note) -> Result<Client, Failure> {
    let login = Login {
        email: OPERATOR.to_owned(),
        password: note.operator_password.clone(),
        tenant: None,
    };
    api::log_in(client, &login).map_err(|_| {
        Failure::new("the data folder has an operator whose password the demo does not know")
            .hint("use `ledgerline serve` for it, or give the demo another --data folder")
    })
}

/// Sends a sample. The key makes sure that a second try after an interruption adds nothing.
fn load(client: &Client, sample: &Sample) -> Result<(), Failure> {
    let key = format!("ledgerline-demo-{}", sample.dataset);
    let upload = Upload {
        bytes: sample.zstd,
        content_type: "application/x-ndjson",
        encoding: Some("zstd"),
        idempotency_key: Some(&key),
    };
    let path = format!("/api/v1/ingest/{}", sample.dataset);
    let answer = client.post(&path, &upload).map_err(|error| client.unreachable(&error))?;
    let receipt = crate::send::Receipt::read(&answer)?;
    let accepted = size::count(receipt.accepted);
    output::note(format_args!("{accepted} events are in the dataset {}", sample.dataset));
    Ok(())
}

fn print(output: &mut Output, url: &str, data: &str, note: &Note) -> Result<(), Failure> {
    let palette = output.palette();
    let name = |text: &str| palette.paint(Colour::Cyan, text);
    let key = note.key.as_deref().unwrap_or_default();
    let (operator_password, admin_password) = (&note.operator_password, &note.admin_password);
    output.line(format_args!("\nLedgerline runs on {}", name(url)))?;
    output.line(format_args!("Its data is in {data}; Ctrl-C stops it.\n"))?;
    output.line(format_args!("  operator  {OPERATOR}   {operator_password}"))?;
    output.line(format_args!("  admin     {ADMIN}   {admin_password}   tenant {TENANT}"))?;
    output.line(format_args!("  API key   {key}   sends and searches"))?;
    for (what, path, body) in commands() {
        output.line(format_args!("\n{}", palette.paint(Colour::Dim, &format!("# {what}"))))?;
        output.line(curl(url, key, path, body))?;
    }
    output.line("")
}

/// What a first visitor may want to try: what it is, its path and its body.
fn commands() -> [(&'static str, &'static str, &'static str); 3] {
    [
        (
            "send an event",
            "/api/v1/ingest/hello",
            r#"{"level": "info", "message": "hello from curl", "user": "ada"}"#,
        ),
        (
            "find who was denied what, newest first",
            "/api/v1/search",
            r#"{"dataset": "cloudtrail", "query": "errorCode:AccessDenied", "limit": 2}"#,
        ),
        (
            "count what happened",
            "/api/v1/analytics/query",
            "{\"dataset\": \"cloudtrail\", \
             \"query\": \"* | stats count() as n by eventName | sort -n | limit 5\"}",
        ),
    ]
}

/// A command that works as printed in a POSIX shell: neither the key nor a body has a `'`.
fn curl(url: &str, key: &str, path: &str, body: &str) -> String {
    format!(
        "curl -s {url}{path} -H 'Authorization: Bearer {key}' \\\n  \
         -H 'Content-Type: application/json' -w '\\n' -d '{body}'"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_are_whole() {
        for sample in SAMPLES {
            let text = zstd::decode_all(sample.zstd).expect("zstd");
            let events = text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
            let mut count = 0;
            for event in events {
                assert!(serde_json::from_slice::<serde_json::Value>(event).is_ok());
                count += 1;
            }
            assert!(count > 500, "{}: {count}", sample.dataset);
        }
    }

    #[test]
    fn the_commands_can_be_pasted() {
        for (_, path, body) in commands() {
            let command = curl("http://127.0.0.1:8080", "ll_x", path, body);
            assert_eq!(command.matches('\'').count(), 8, "{command}");
            assert!(serde_json::from_str::<serde_json::Value>(body).is_ok(), "{body}");
        }
    }
}
