//! Both verifiers, with the files that they check.

use std::cell::Cell;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use ledgerline_ledger::tile::{bundles_written, tiles_written};

use crate::place::{binary, skip};

/// A folder of files that came from a server, and who checks them without it.
pub(super) struct Offline {
    folder: PathBuf,
    /// The second verifier, where there is a Python.
    script: Option<PathBuf>,
    checks: Cell<u32>,
}

impl fmt::Display for Offline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verifiers =
            if self.script.is_some() { "both verifiers" } else { "`ledgerline verify`" };
        write!(f, "{} checks offline by {verifiers}", self.checks.get())
    }
}

impl Offline {
    pub(super) fn new(folder: &Path) -> Result<Self> {
        fs::create_dir_all(folder)?;
        let python = Command::new("python3").arg("--version").output();
        let script = python.is_ok_and(|output| output.status.success()).then(|| {
            let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
            root.join("spec/verify/ledgerline_verify.py")
        });
        if script.is_none() {
            skip("cloudtrail, the second verifier", format_args!("there is no python3"));
        }
        Ok(Self { folder: folder.to_owned(), script, checks: Cell::new(0) })
    }

    /// Keeps what came as a file.
    pub(super) fn keep(&self, name: &str, bytes: &[u8]) -> Result<PathBuf> {
        let path = self.folder.join(name);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(&path, bytes)?;
        Ok(path)
    }

    /// A folder with all that a server serves of the ledger of a checkpoint.
    pub(super) fn mirror(
        &self,
        checkpoint: &Path,
        fetch: impl Fn(&str) -> Result<Vec<u8>>,
    ) -> Result<PathBuf> {
        let size = size(checkpoint)?;
        let tiles = tiles_written(0, size).map(|tile| tile.path());
        for path in tiles.chain(bundles_written(0, size).map(|bundle| bundle.path())) {
            self.keep(&format!("ledger/{path}"), &fetch(&format!("/api/v1/ledger/{path}"))?)?;
        }
        self.keep("ledger/checkpoint", &fs::read(checkpoint)?)?;
        Ok(self.folder.join("ledger"))
    }

    /// Both verifiers end with this code.
    pub(super) fn expect(&self, code: i32, what: &str, files: &[&Path]) -> Result<()> {
        let ours = (binary(), vec![Path::new("verify")]);
        let script = self.script.as_deref();
        let theirs = script.map(|script| (Path::new("python3"), vec![Path::new("-B"), script]));
        for (program, first) in [Some(ours), theirs].into_iter().flatten() {
            let mut command = Command::new(program);
            command
                .args(first)
                .arg(what)
                .args(files)
                .arg("--policy")
                .arg(self.folder.join("policy"));
            let output = command.output()?;
            let said = String::from_utf8_lossy(&output.stdout);
            let ended = output.status.code();
            ensure!(ended == Some(code), "{command:?}: {ended:?}, not {code}: {said}");
            self.checks.set(self.checks.get() + 1);
        }
        Ok(())
    }
}

/// How many entries a checkpoint is over.
pub(super) fn size(checkpoint: &Path) -> Result<u64> {
    let text = fs::read_to_string(checkpoint)?;
    text.lines().nth(1).context("a checkpoint has a second line")?.parse().context("a number")
}
