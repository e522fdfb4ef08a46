//! The events of one dataset that came lately, as a few parts in memory.

use std::sync::Arc;

use crate::memory::{Memory, join};

/// Parts above this size are left as they are: to join them would copy much for little.
const JOINED_BYTES_MAX: usize = 4 << 20;

/// Parts in the order of their events. Small ones are joined as they come, each at most a few
/// times, so that a dataset that gets thousands of single events a second has a handful of parts to
/// search.
#[derive(Debug, Default)]
pub(crate) struct Stack {
    parts: Vec<Arc<Memory>>,
    size_bytes: usize,
}

impl Stack {
    pub(crate) fn parts(&self) -> &[Arc<Memory>] {
        &self.parts
    }

    pub(crate) fn size_bytes(&self) -> usize {
        self.size_bytes
    }

    /// Adds what follows the last part. Parts that are not much larger than those above them are
    /// joined with them, so sizes at least halve from one to the next.
    pub(crate) fn push(&mut self, memory: Memory) {
        self.parts.push(Arc::new(memory));
        let mut joined = self.parts.len() - 1;
        let mut above = self.parts[joined].size_bytes();
        while let Some(below) = joined.checked_sub(1) {
            let size = self.parts[below].size_bytes();
            if size > 2 * above || size + above > JOINED_BYTES_MAX {
                break;
            }
            above += size;
            joined = below;
        }
        if joined + 1 < self.parts.len() {
            let one = join(&self.parts[joined..]);
            self.parts.truncate(joined);
            self.parts.push(Arc::new(one));
        }
        self.size_bytes = self.parts.iter().map(|part| part.size_bytes()).sum();
    }

    /// Takes everything.
    pub(crate) fn take(&mut self) -> Vec<Arc<Memory>> {
        self.size_bytes = 0;
        std::mem::take(&mut self.parts)
    }

    /// Puts back what [`Stack::take`] took, before what came since.
    pub(crate) fn put_back(&mut self, mut parts: Vec<Arc<Memory>>) {
        parts.append(&mut self.parts);
        self.parts = parts;
        self.size_bytes = self.parts.iter().map(|part| part.size_bytes()).sum();
    }
}
