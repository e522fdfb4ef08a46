//! What the compiler and clippy do not check: the arrows between the rooms, the map, the sizes of
//! files, and words that do not belong in them.

mod arrows;
mod map;
mod text;

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

/// Checks the whole repository. An empty list is what is wanted.
///
/// # Errors
/// When something cannot be read.
pub(crate) fn run(root: &Path) -> Result<Vec<String>> {
    let architecture = read(&root.join("ARCHITECTURE.md"))?;
    let mut findings = arrows::check(&architecture, &metadata(root)?)?;
    findings.extend(map::check(&architecture, |path| root.join(path).exists()));
    for path in files(root)? {
        // A file that is no text (an archive, a sample) has nothing to check.
        let Ok(text) = std::fs::read_to_string(root.join(&path)) else { continue };
        findings.extend(text::check(&path, &text));
    }
    Ok(findings)
}

fn read(path: &Path) -> Result<String> {
    std::fs::read_to_string(path).with_context(|| format!("{} cannot be read", path.display()))
}

fn metadata(root: &Path) -> Result<serde_json::Value> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(["metadata", "--no-deps", "--format-version", "1"]).current_dir(root);
    serde_json::from_slice(&output(command)?).context("cargo metadata is not JSON")
}

/// The files that are, or would be, in the repository, as paths below its top.
fn files(root: &Path) -> Result<Vec<String>> {
    let mut command = Command::new("git");
    command.args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]);
    command.current_dir(root);
    let listed = String::from_utf8(output(command)?).context("a file's name is not text")?;
    let exists = |path: &&str| !path.is_empty() && root.join(PathBuf::from(path)).is_file();
    Ok(listed.split('\0').filter(exists).map(str::to_owned).collect())
}

fn output(mut command: Command) -> Result<Vec<u8>> {
    let ended = command.output().with_context(|| format!("{command:?} does not start"))?;
    if !ended.status.success() {
        bail!("{command:?} failed: {}", String::from_utf8_lossy(&ended.stderr));
    }
    Ok(ended.stdout)
}
