//! The program as a person runs it, against a server that answers what the test says.

mod bench;
mod demo;
mod search;
mod send;
mod stand_in;
mod tail;

use std::process::{Command, Output, Stdio};

use stand_in::StandIn;

/// The program, with a server and a key and nothing else of this environment.
fn ledgerline(server: &StandIn, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ledgerline"));
    command
        .args(arguments)
        .env("LEDGERLINE_URL", server.url())
        .env("LEDGERLINE_KEY", "ll_test")
        .env_remove("NO_COLOR")
        .stdin(Stdio::null());
    command
}

/// What a command printed and how it ended.
struct Ended {
    code: Option<i32>,
    out: String,
    err: String,
}

fn run(mut command: Command) -> Ended {
    let Output { status, stdout, stderr } = command.output().expect("the program starts");
    let text = |bytes| String::from_utf8(bytes).expect("the program prints text");
    Ended { code: status.code(), out: text(stdout), err: text(stderr) }
}

#[test]
fn a_wrong_command_line_is_2() {
    let server = StandIn::start(|_| stand_in::json(500, "{}"));
    let ended = run(ledgerline(&server, &["send", "--dataset", "x"]));
    assert_eq!(ended.code, Some(2), "{}", ended.err);
    let ended = run(ledgerline(&server, &["frobnicate"]));
    assert_eq!(ended.code, Some(2), "{}", ended.err);
}

#[test]
fn help_has_examples_and_exit_codes() {
    let server = StandIn::start(|_| stand_in::json(500, "{}"));
    for command in ["serve", "demo", "send", "search", "tail", "admin", "bench", "config"] {
        let ended = run(ledgerline(&server, &[command, "--help"]));
        assert_eq!(ended.code, Some(0));
        assert!(ended.out.contains("Example"), "{}", ended.out);
        assert!(ended.out.to_lowercase().contains("exit"), "{}", ended.out);
    }
}

#[test]
fn without_a_key_the_hint_names_it() {
    let server = StandIn::start(|_| stand_in::json(500, "{}"));
    let mut command = ledgerline(&server, &["search", "--dataset", "x", "*"]);
    command.env_remove("LEDGERLINE_KEY");
    let ended = run(command);
    assert_eq!(ended.code, Some(1));
    let expected = "error: no API key is given\nhint: give --key, or set LEDGERLINE_KEY\n";
    assert_eq!(ended.err, expected);
}

#[test]
fn a_server_that_is_not_there_is_named() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ledgerline"));
    // Nothing listens on the port of a listener that is closed again.
    let closed = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", closed.local_addr().expect("an address"));
    drop(closed);
    command.args(["search", "--dataset", "x", "*", "--key", "k", "--url", &url]);
    let ended = run(command);
    assert_eq!(ended.code, Some(1));
    assert!(ended.err.starts_with(&format!("error: {url} does not answer")), "{}", ended.err);
    assert!(ended.err.contains("hint: is the server running"), "{}", ended.err);
}
