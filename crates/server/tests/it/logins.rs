//! Guessing passwords: whoever does it shuts out nobody else.

use serde_json::json;

use crate::node::{Node, PASSWORD};

const EMAIL: &str = "admin@acme.example";

fn login(node: &Node, client: &str, email: &str, password: &str) -> (u16, String) {
    let ask = node.ask("POST", "/api/v1/auth/login").header("x-forwarded-for", client);
    let answer = ask.json(&json!({"email": email, "password": password})).send();
    (answer.status, answer.header("retry-after"))
}

#[test]
fn who_guesses_behind_a_trusted_proxy_shuts_out_itself_alone() {
    let node = Node::start_with(|config| {
        config.trusted_proxies = vec!["127.0.0.1".parse().expect("an address")];
    });
    node.tenant("acme");
    for _ in 0..10 {
        assert_eq!(login(&node, "192.0.2.1", EMAIL, "wrong").0, 401);
    }
    let (status, retry) = login(&node, "192.0.2.1", EMAIL, PASSWORD);
    assert_eq!(status, 429);
    assert!(retry.parse::<u64>().is_ok_and(|seconds| (800..=900).contains(&seconds)), "{retry}");
    // What a client claims stands before what the proxy says.
    assert_eq!(login(&node, "192.0.2.9, 192.0.2.1", EMAIL, PASSWORD).0, 429);
    assert_eq!(login(&node, "192.0.2.2", EMAIL, PASSWORD).0, 200);
    for n in 0..90 {
        assert_eq!(login(&node, "192.0.2.1", &format!("{n}@acme.example"), "wrong").0, 401);
    }
    let (status, retry) = login(&node, "192.0.2.1", "new@acme.example", PASSWORD);
    assert_eq!(status, 429);
    assert!(retry.parse::<u64>().is_ok_and(|seconds| seconds <= 60), "{retry}");
    assert_eq!(login(&node, "192.0.2.2", EMAIL, PASSWORD).0, 200);
}

#[test]
fn what_comes_from_this_machine_may_be_anybody() {
    let node = Node::start();
    node.tenant("acme");
    for n in 0..200 {
        assert_eq!(login(&node, "192.0.2.1", &format!("{n}@acme.example"), "wrong").0, 401);
    }
    assert_eq!(login(&node, "192.0.2.1", EMAIL, PASSWORD).0, 200);
    for n in 0..10 {
        assert_eq!(login(&node, &format!("192.0.2.{n}"), EMAIL, "wrong").0, 401);
    }
    assert_eq!(login(&node, "192.0.2.77", EMAIL, PASSWORD).0, 429, "the header is nobody's word");
}
