//! `ledgerline demo`, `serve`, `config` and the chores of `admin`, with the real server.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::{Ended, run};

const PROGRAM: &str = env!("CARGO_BIN_EXE_ledgerline");

/// A server that runs, and what it printed when it was ready.
struct Running {
    child: Child,
    printed: Vec<String>,
}

impl Running {
    /// Starts one and reads what it prints up to a line that starts so.
    fn start(command: &str, data: &Path, last: &str) -> Self {
        let child = on_any_port(command, data)
            .env("LEDGERLINE_LOG_LEVEL", "error")
            .stdout(Stdio::piped())
            .spawn();
        let mut child = child.expect("the program starts");
        let mut printed = Vec::new();
        let stdout = BufReader::new(child.stdout.take().expect("piped"));
        for line in stdout.lines() {
            let line = line.expect("text");
            let is_last = line.starts_with(last);
            printed.push(line);
            if is_last {
                break;
            }
        }
        Self { child, printed }
    }

    /// The word behind another in what was printed.
    fn word_after(&self, before: &str) -> String {
        let lines = self.printed.iter();
        let found = lines.filter_map(|line| line.split_once(before)).next();
        let (_, rest) = found.unwrap_or_else(|| panic!("no {before:?} in {:#?}", self.printed));
        rest.split_whitespace().next().unwrap_or_default().to_owned()
    }

    fn stop(mut self) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().expect("kill").success());
        assert_eq!(self.child.wait().expect("it ends").code(), Some(0));
    }
}

fn on_any_port(command: &str, data: &Path) -> Command {
    let mut line = Command::new(PROGRAM);
    let any = "127.0.0.1:0";
    line.args([command, "--listen", any, "--metrics-listen", any, "--data"]).arg(data);
    line.env_remove("LEDGERLINE_OPERATOR_PASSWORD").stdin(Stdio::null());
    line
}

fn count(url: &str, key: &str, dataset: &str) -> String {
    let mut command = Command::new(PROGRAM);
    command.args(["search", "--url", url, "--key", key, "--dataset", dataset]);
    command.args(["--output", "csv", "* | stats count() as n"]);
    let ended = run(command);
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    ended.out
}

fn admin(task: &str, data: &Path, more: &[&str]) -> Ended {
    let mut command = Command::new(PROGRAM);
    command.args(["admin", task, "--data"]).arg(data).args(more);
    run(command)
}

#[test]
fn a_second_start_finds_everything_as_it_was() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let first = Running::start("demo", &data, "# count what happened");
    let (url, key) = (first.word_after("runs on "), first.word_after("API key   "));
    assert_eq!(count(&url, &key, "cloudtrail"), "n\n2900\n");
    assert_eq!(count(&url, &key, "windows-security"), "n\n601\n");
    let held = admin("fsck", &data, &[]);
    assert_eq!(held.code, Some(1), "a server holds the folder");
    assert!(held.err.contains("hint: one server a data folder"), "{}", held.err);
    let passwords = ["operator@localhost   ", "admin@demo.example   "];
    let logins = passwords.map(|before| first.word_after(before));
    first.stop();

    let second = Running::start("demo", &data, "# count what happened");
    assert_eq!(second.word_after("API key   "), key);
    assert_eq!(passwords.map(|before| second.word_after(before)), logins);
    let url = second.word_after("runs on ");
    assert_eq!(count(&url, &key, "cloudtrail"), "n\n2900\n");
    second.stop();

    chores(&data);
}

/// What `admin` says of a sound folder, and of one whose segment has a flipped byte.
fn chores(data: &Path) {
    for task in ["compact", "expire", "fsck"] {
        let ended = admin(task, data, &["--tenant", "demo"]);
        assert_eq!(ended.code, Some(0), "{task}: {}{}", ended.out, ended.err);
        assert!(ended.out.starts_with("tenant demo: "), "{task}: {}", ended.out);
    }
    let segment = a_segment(data);
    let mut bytes = std::fs::read(&segment).expect("a segment");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&segment, bytes).expect("a segment");
    let ended = admin("fsck", data, &[]);
    assert_eq!(ended.code, Some(3), "{}{}", ended.out, ended.err);
    let name = segment.file_stem().expect("a name").to_string_lossy().into_owned();
    let finding = ended.out.lines().find(|line| line.starts_with("found: tenant demo: "));
    assert!(finding.is_some_and(|line| line.contains(&name)), "{}", ended.out);
}

fn a_segment(data: &Path) -> std::path::PathBuf {
    let folders = std::fs::read_dir(data.join("tenants")).expect("tenants");
    let segments = folders.flatten().map(|tenant| tenant.path().join("segments"));
    let mut files = segments.filter_map(|path| std::fs::read_dir(path).ok()).flatten().flatten();
    files.next().expect("a segment").path()
}

#[test]
fn the_operators_login_is_shown_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let first = Running::start("serve", folder.path(), "operator: ");
    let password = first.word_after("password (shown this once): ");
    assert_eq!(password.trim(), password);
    assert!(password.len() >= 12, "{password}");
    first.stop();
    let second = Running::start("serve", folder.path(), "ledgerline serves ");
    assert!(second.printed.iter().all(|line| !line.contains(&password)));
    second.stop();
}

#[test]
fn the_demo_does_not_touch_a_folder_that_is_not_its_own() {
    let folder = tempfile::tempdir().expect("a folder");
    Running::start("serve", folder.path(), "operator: ").stop();
    let ended = run(on_any_port("demo", folder.path()));
    assert_eq!(ended.code, Some(1));
    assert!(ended.err.contains("whose password the demo does not know"), "{}", ended.err);
}

#[test]
fn a_folder_or_tenant_that_is_not_there_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let ended = admin("fsck", folder.path(), &[]);
    assert_eq!(ended.code, Some(1));
    assert!(ended.err.contains("is no data folder"), "{}", ended.err);
    assert_eq!(std::fs::read_dir(folder.path()).expect("a folder").count(), 0, "none is made");

    Running::start("serve", folder.path(), "operator: ").stop();
    let ended = admin("fsck", folder.path(), &["--tenant", "acme"]);
    assert!(ended.err.contains("there is no tenant acme"), "{}", ended.err);
}

#[test]
fn config_says_where_each_setting_comes_from() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("a.toml");
    std::fs::write(&file, "query_concurrency = 7\nlisten = \"127.0.0.1:1\"\n").expect("a file");
    let mut command = Command::new(PROGRAM);
    command.args(["config", "--listen", "127.0.0.1:2", "--set", "memtable_bytes=9", "--config"]);
    command.arg(&file).env("LEDGERLINE_LOG_FORMAT", "json");
    command.env("LEDGERLINE_OPERATOR_PASSWORD", "never to be seen");
    let ended = run(command);
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    let expected = [
        ("listen = \"127.0.0.1:2\"", "# flag"),
        ("query_concurrency = 7", "# file"),
        ("memtable_bytes = 9", "# flag"),
        ("log_format = \"json\"", "# environment"),
        ("log_level = \"info\"", "# default"),
    ];
    for (setting, origin) in expected {
        let line = ended.out.lines().find(|line| line.starts_with(setting));
        assert!(line.is_some_and(|line| line.contains(origin)), "{setting}: {}", ended.out);
    }
    assert!(ended.out.ends_with("# LEDGERLINE_OPERATOR_PASSWORD is set\n"), "{}", ended.out);
    assert!(ended.out.parse::<toml::Table>().is_ok(), "it can be used as a file: {}", ended.out);
}

#[test]
fn a_wrong_setting_is_named() {
    for arguments in [["--set", "nope=1"], ["--set", "query_concurrency=0"]] {
        let mut command = Command::new(PROGRAM);
        command.arg("config").args(arguments);
        let ended = run(command);
        assert_ne!(ended.code, Some(0));
        assert!(ended.err.starts_with("error: "), "{}", ended.err);
    }
}
