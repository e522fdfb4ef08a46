//! Programs that others wrote, from Python's package index, each with the version that is named.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};

/// One trial at a time sets an environment up.
static TURN: Mutex<()> = Mutex::new(());

/// The folder of programs of a virtual environment that has these packages, each written as
/// `name==version`; none where they cannot be had. What is missing is installed, under the user's
/// cache, so that the next time needs no network.
pub(crate) fn environment(name: &str, packages: &[&str]) -> Option<PathBuf> {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let home = std::env::var_os("HOME")?;
    let folder = Path::new(&home).join(".cache/ledgerline").join(format!("{name}-venv"));
    let programs = folder.join("bin");
    let python = programs.join("python");
    if !packages.iter().all(|package| has(&python, package)) {
        let made = Command::new("python3").args(["-m", "venv"]).arg(&folder).output().ok()?;
        let pip = ["-m", "pip", "install", "--quiet", "--timeout", "20"];
        let installed = Command::new(&python).args(pip).args(packages).output().ok()?;
        if !made.status.success() || !installed.status.success() {
            return None;
        }
    }
    packages.iter().all(|package| has(&python, package)).then_some(programs)
}

/// A Python that has a package.
pub(crate) fn python_with(package: &str) -> Option<PathBuf> {
    environment("clients", &[package]).map(|programs| programs.join("python"))
}

fn has(python: &Path, package: &str) -> bool {
    let Some((name, version)) = package.split_once("==") else { return false };
    let check = "import sys; from importlib.metadata import version; print(version(sys.argv[1]))";
    let done = Command::new(python).args(["-c", check, name]).output();
    done.is_ok_and(|output| String::from_utf8_lossy(&output.stdout).trim() == version)
}
