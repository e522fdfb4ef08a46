//! Servers that end at a chosen step: a library in front of the C library counts the steps.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, ensure};
use ledgerline_bench::Launch;

use crate::place::{Place, cannot, restless};

/// When a server ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// Not by itself: its steps are only counted.
    Never,
    /// Just before the step of this number, from 1 on.
    Before(u64),
    /// Just after it.
    After(u64),
}

/// The library, and the files by which one speaks to it.
#[derive(Debug)]
pub(super) struct Shim {
    library: PathBuf,
    begin: PathBuf,
    told: PathBuf,
}

impl Shim {
    /// Makes the library, where there is a C compiler.
    pub(super) fn new(place: &Place) -> Result<Option<Self>> {
        let library = place.join("steps.so");
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/trials/steps/steps.c");
        let mut compiler = Command::new("cc");
        compiler.args(["-shared", "-fPIC", "-o"]).arg(&library).arg(source).arg("-ldl");
        let Ok(output) = compiler.output() else {
            cannot("steps", format_args!("there is no C compiler"))?;
            return Ok(None);
        };
        ensure!(output.status.success(), "cc: {}", String::from_utf8_lossy(&output.stderr));
        let (begin, told) = (place.join("begin"), place.join("told"));
        Ok(Some(Self { library, begin, told }))
    }

    /// A server that ends at some step; steps are counted from [`Shim::begin`] on.
    pub(super) fn launch(&self, data: &Path, end: End) -> Result<Launch> {
        for file in [&self.begin, &self.told] {
            if file.exists() {
                fs::remove_file(file)?;
            }
        }
        let (at, after) = match end {
            End::Never => (0, "0"),
            End::Before(at) => (at, "0"),
            End::After(at) => (at, "1"),
        };
        let launch = restless(data)
            .with("LD_PRELOAD", &self.library)
            .with("STEPS_BEGIN", &self.begin)
            .with("STEPS_TOLD", &self.told)
            .with("STEPS_AT", at.to_string())
            .with("STEPS_AFTER", after);
        Ok(launch)
    }

    /// Begins to count.
    pub(super) fn begin(&self) -> Result<()> {
        Ok(fs::write(&self.begin, "")?)
    }

    /// The steps that were counted, in words.
    pub(super) fn steps(&self) -> Vec<String> {
        let told = fs::read_to_string(&self.told).unwrap_or_default();
        told.lines().map(str::to_owned).collect()
    }

    /// The step at which a server ended, or was last.
    pub(super) fn last(&self) -> String {
        self.steps().pop().unwrap_or_else(|| "no step".to_owned())
    }
}
