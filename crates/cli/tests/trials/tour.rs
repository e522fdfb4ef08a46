//! What a newcomer does works as it is printed: the commands that `ledgerline demo` prints, and
//! those of the tour in the README.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};

use crate::place::{Place, binary, launch, report};

/// How many commands the demo prints.
const PRINTED: usize = 3;
const TRIES: usize = 600;
const PAUSE: Duration = Duration::from_millis(100);
/// The part of the README that is tried.
const TOUR: &str = "## The first ten minutes";
/// A command of the tour that is meant to fail.
const BROKEN: &str = "'eventName:('";

#[test]
fn the_tour_works_as_printed() -> Result<()> {
    let place = Place::new()?;
    let launch = launch(&place.join("data")).as_demo();
    let node = launch.start()?;
    let printed = printed(&launch.log())?;
    for command in &printed {
        let (is_success, said) = shell(&place, command, &[])?;
        let is_answer = said.starts_with('{') && !said.contains("/docs/errors/");
        ensure!(is_success && is_answer, "{command}\nanswered {said}");
    }
    let key = printed[0].split("Bearer ").nth(1).and_then(|rest| rest.split('\'').next());
    let environment =
        [("LEDGERLINE_URL", node.url()), ("LEDGERLINE_KEY", key.context("no key is printed")?)];
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../README.md");
    let tour = tour(&fs::read_to_string(readme)?);
    ensure!(!tour.is_empty(), "the README has no commands under {TOUR}");
    for command in &tour {
        let (is_success, said) = shell(&place, command, &environment)?;
        ensure!(is_success != command.contains(BROKEN), "{command}\nended with {said}");
        ensure!(!said.trim().is_empty(), "{command}\nsays nothing");
    }
    report(format_args!(
        "tour: {} commands of the demo and {} of the README work as printed",
        printed.len(),
        tour.len()
    ));
    node.stop().map(drop)
}

/// The commands that the demo prints once it has everything.
fn printed(log: &Path) -> Result<Vec<String>> {
    for _ in 0..TRIES {
        let commands = commands(&fs::read_to_string(log)?, "curl ");
        if commands.len() == PRINTED {
            return Ok(commands);
        }
        thread::sleep(PAUSE);
    }
    bail!("the demo does not print {PRINTED} commands; see {}", log.display())
}

/// The commands of the README's tour that need nobody to watch them.
fn tour(readme: &str) -> Vec<String> {
    let rest = readme.split(TOUR).nth(1).unwrap_or_default();
    let part = rest.split("\n## ").next().unwrap_or_default();
    let blocks = part.split("```").skip(1).step_by(2);
    let commands = blocks.flat_map(|block| commands(block, "ledgerline "));
    let file_is_here = |command: &String| {
        let files = command.split(' ').filter(|word| word.starts_with('/'));
        files.clone().all(|file| Path::new(file).exists())
    };
    // What was sent is searched for right behind, so one goes with the other.
    let is_kept = |command: &String| {
        !command.contains(" tail ")
            && file_is_here(command)
            && (!command.contains("--dataset system") || Path::new("/var/log/dpkg.log").exists())
    };
    commands.filter(is_kept).collect()
}

/// The commands of a text that begin so, each in one line though it went on behind backslashes.
fn commands(text: &str, start: &str) -> Vec<String> {
    let joined = text.replace("\\\n", " ");
    let lines = joined.lines().map(str::trim).filter(|line| line.starts_with(start));
    lines.map(str::to_owned).collect()
}

/// Runs a command line in a shell that finds the program, and tells what it said.
fn shell(place: &Place, line: &str, environment: &[(&str, &str)]) -> Result<(bool, String)> {
    let mut folders = vec![binary().parent().context("a folder")?.to_owned()];
    folders.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()));
    let output = Command::new("sh")
        .args(["-c", line])
        .env("PATH", std::env::join_paths(folders)?)
        .envs(environment.iter().copied())
        .current_dir(place.path())
        .output()
        .context("starting a shell")?;
    let said = [output.stdout, output.stderr].concat();
    Ok((output.status.success(), String::from_utf8_lossy(&said).into_owned()))
}

#[test]
fn commands_are_found_in_a_readme() {
    let readme = format!(
        "{TOUR}\n```sh\nledgerline search \\\n  a\n# no\n```\nledgerline no\n   ```sh\n   \
         ledgerline tail b\n   ledgerline search c\n```\n\n## More\n```sh\nledgerline search d\n```\n"
    );
    assert_eq!(tour(&readme), ["ledgerline search    a", "ledgerline search c"]);
}
