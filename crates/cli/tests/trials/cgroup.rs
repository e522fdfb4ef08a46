//! A limit on the memory of processes, by the kernel's memory controller, version 1.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

const CONTROLLER: &str = "/sys/fs/cgroup/memory";

/// A group of processes that share so much memory, as long as this lives.
#[derive(Debug)]
pub(crate) struct MemoryGroup {
    folder: PathBuf,
}

impl MemoryGroup {
    /// Makes a group with a limit in bytes.
    pub(crate) fn new(limit_bytes: u64) -> Result<Self> {
        let folder = Path::new(CONTROLLER).join(format!("ledgerline-{}", std::process::id()));
        fs::create_dir(&folder).with_context(|| format!("making {}", folder.display()))?;
        let group = Self { folder };
        fs::write(group.folder.join("memory.limit_in_bytes"), limit_bytes.to_string())?;
        Ok(group)
    }

    /// The program in front of one that is to run in the group.
    pub(crate) fn front(&self) -> [String; 4] {
        let processes = self.folder.join("cgroup.procs");
        let enter = format!("echo $$ > {} && exec \"$@\"", processes.display());
        ["sh".to_owned(), "-c".to_owned(), enter, "sh".to_owned()]
    }

    /// The most memory that it had at once, in bytes, with the files that were kept in memory.
    pub(crate) fn peak_bytes(&self) -> Result<u64> {
        self.figure("memory.max_usage_in_bytes")
    }

    /// How often the limit was hit. Files kept in memory count too, so this alone means little.
    pub(crate) fn limit_hits(&self) -> Result<u64> {
        self.figure("memory.failcnt")
    }

    fn figure(&self, name: &str) -> Result<u64> {
        let path = self.folder.join(name);
        let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        text.trim().parse().with_context(|| format!("{name} is {text}"))
    }
}

impl Drop for MemoryGroup {
    fn drop(&mut self) {
        // It can be removed once its last process is gone.
        drop(fs::remove_dir(&self.folder));
    }
}
