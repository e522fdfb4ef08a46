//! The kitchen: what the `Makefile` and CI need and a shell recipe is too short for.
//!
//! `cargo xtask tidy` checks what the compiler does not; `cargo xtask setup NAME` gets a tool.

mod setup;
mod tidy;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};

const USAGE: &str = "usage: cargo xtask tidy | cargo xtask setup NAME";

fn main() -> ExitCode {
    let Err(error) = run() else { return ExitCode::SUCCESS };
    // Where not even standard error can be written, the exit code says it.
    drop(writeln!(std::io::stderr().lock(), "error: {error:#}"));
    ExitCode::FAILURE
}

fn run() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["tidy"] => {
            let findings = tidy::run(&root()?)?;
            for finding in &findings {
                say(finding)?;
            }
            if !findings.is_empty() {
                bail!("tidy found {} things", findings.len());
            }
            say("tidy: nothing found")
        }
        ["setup", name] => say(&setup::run(name)?.display().to_string()),
        _ => bail!(USAGE),
    }
}

/// The top of the repository: the folder above this crate's.
fn root() -> Result<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent();
    root.map(Path::to_owned).context("xtask lies in the repository")
}

fn say(line: &str) -> Result<()> {
    Ok(writeln!(std::io::stdout().lock(), "{line}")?)
}
