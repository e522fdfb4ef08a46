//! The pages for people, and the headers of every answer.

use std::path::Path;
use std::process::Command;

use crate::node::{Answer, Node};

fn guarded(answer: &Answer) {
    let policy = answer.header("content-security-policy");
    assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"));
    assert!(!policy.contains("unsafe"), "{policy}");
    assert_eq!(answer.header("x-content-type-options"), "nosniff");
    assert!(!answer.header("x-request-id").is_empty());
}

#[test]
fn the_pages_and_all_that_they_load_are_there() {
    let node = Node::start();
    for page in ["/", "/docs/api"] {
        let answer = node.ask("GET", page).send().expect(200);
        assert_eq!(answer.header("content-type"), "text/html; charset=utf-8");
        guarded(&answer);
        for part in answer.text().split("=\"/").skip(1) {
            let path = format!("/{}", part.split(['"', '#']).next().unwrap_or_default());
            guarded(&node.ask("GET", &path).send().expect(200));
        }
    }
    let document = node.ask("GET", "/openapi.json").send().expect(200);
    assert_eq!(document.json()["info"]["title"], "Ledgerline");
    let page = node.ask("GET", "/docs/errors/dataset_not_found").send().expect(200);
    assert!(page.text().starts_with("# dataset_not_found"));
}

/// Runs the page's own script in `pages.mjs`, where there is a Node.js to run it.
#[test]
#[expect(clippy::print_stderr, reason = "a test that is left out says so")]
fn the_reference_draws_all_that_the_document_says() {
    let room = Path::new(env!("CARGO_MANIFEST_DIR"));
    let version = Command::new("node").arg("--version").output();
    if !version.is_ok_and(|output| output.status.success()) {
        eprintln!("left out: there is no node to run the script of the API reference");
        return;
    }
    let mut command = Command::new("node");
    command.arg(room.join("tests/it/pages.mjs")).arg(room.join("assets"));
    let output = command.arg(room.join("../../spec/openapi.json")).output().expect("it runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn every_answer_is_guarded_and_carries_its_id() {
    let node = Node::start();
    for (path, status) in [("/healthz", 200), ("/readyz", 200), ("/nothing", 404)] {
        let answer = node.ask("GET", path).send().expect(status);
        guarded(&answer);
        assert_eq!(answer.header("cache-control"), "no-store");
    }
    let ask = |id: &str| {
        let answer = node.ask("GET", "/healthz").header("x-request-id", id).send();
        answer.header("x-request-id")
    };
    assert_eq!(ask("my-id_1.2"), "my-id_1.2");
    for bad in ["a b", "a{b}", &"a".repeat(65)] {
        assert!(ask(bad).starts_with("req_"), "{bad}");
    }
    let ready = node.ask("GET", "/readyz").send().json();
    assert_eq!(ready["status"], "ready");
}
