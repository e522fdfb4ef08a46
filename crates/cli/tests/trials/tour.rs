//! Every command of the tour in the README works as it is printed.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use crate::place::{Place, launch, report, skip};

/// What stands in the README around the commands of the tour.
const BEGIN: &str = "<!-- tour -->";
const END: &str = "<!-- /tour -->";
/// The address at which the README says that Ledgerline is.
const PRINTED_URL: &str = "http://127.0.0.1:8080";

#[test]
fn the_tour_works_as_printed() -> Result<()> {
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../README.md");
    let commands = commands(&fs::read_to_string(readme).unwrap_or_default());
    if commands.is_empty() {
        skip("tour", format_args!("README.md has no commands between {BEGIN} and {END}"));
        return Ok(());
    }
    let place = Place::new()?;
    let node = launch(&place.join("data")).start()?;
    let tenant = node.tenant("demo")?;
    for command in &commands {
        let here = command.replace(PRINTED_URL, node.url());
        let output = Command::new("sh")
            .args(["-c", &here])
            .env("KEY", &tenant.key)
            .env("LEDGERLINE_KEY", &tenant.key)
            .env("TOKEN", &tenant.token)
            .current_dir(place.path())
            .output()
            .context("starting a shell")?;
        let said = String::from_utf8_lossy(&output.stdout);
        ensure!(output.status.success(), "{command}\nended with {}: {said}", output.status);
        let is_problem = said.contains("\"type\":\"/docs/errors/");
        ensure!(!is_problem && !said.is_empty(), "{command}\nanswered {said}");
    }
    report(format_args!("tour: {} commands work as printed", commands.len()));
    node.stop().map(drop)
}

/// The `curl` commands in the fenced blocks of the tour; one may go on over lines that end in a
/// backslash.
fn commands(readme: &str) -> Vec<String> {
    let mut commands = Vec::new();
    for tour in readme.split(BEGIN).skip(1) {
        let tour = tour.split(END).next().unwrap_or_default();
        for block in tour.split("```").skip(1).step_by(2) {
            let lines = block.split_once('\n').map_or("", |(_, lines)| lines);
            let joined = lines.replace("\\\n", " ");
            commands.extend(
                joined
                    .lines()
                    .map(str::trim)
                    .filter(|line| line.starts_with("curl"))
                    .map(str::to_owned),
            );
        }
    }
    commands
}

#[test]
fn commands_are_found_in_a_readme() {
    let readme = "curl no\n<!-- tour -->\n```sh\ncurl -s \\\n  a\n# curl b\n```\ncurl c\n\
                  ```sh\ncurl d\n```\n<!-- /tour -->\n```sh\ncurl e\n```\n";
    assert_eq!(commands(readme), ["curl -s    a", "curl d"]);
}
