//! Programs of others that Python's package index has, in a virtual environment of the trials.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};

/// One trial at a time sets the environment up.
static TURN: Mutex<()> = Mutex::new(());

/// A Python that has this version of a package (`name==version`), which is installed if it has not:
/// under the user's cache, so that the next time needs no network. Nothing where it cannot be had.
pub(crate) fn python_with(package: &str) -> Option<PathBuf> {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let home = std::env::var_os("HOME")?;
    let folder = Path::new(&home).join(".cache/ledgerline/clients-venv");
    let python = folder.join("bin/python");
    if !has(&python, package) {
        let made = Command::new("python3").args(["-m", "venv"]).arg(&folder).output().ok()?;
        let pip = ["-m", "pip", "install", "--quiet", "--timeout", "20", package];
        let installed = Command::new(&python).args(pip).output().ok()?;
        if !made.status.success() || !installed.status.success() {
            return None;
        }
    }
    has(&python, package).then_some(python)
}

fn has(python: &Path, package: &str) -> bool {
    let Some((name, version)) = package.split_once("==") else { return false };
    let check = "import sys\nfrom importlib.metadata import version\nprint(version(sys.argv[1]))";
    let done = Command::new(python).args(["-c", check, name]).output();
    done.is_ok_and(|output| String::from_utf8_lossy(&output.stdout).trim() == version)
}
