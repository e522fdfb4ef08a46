//! Opened chunks that were read lately, bounded in bytes.

use std::collections::HashMap;
use std::mem;
use std::sync::Arc;

use ledgerline_model::id::TenantId;
use parking_lot::Mutex;

use crate::sealed::ObjectId;

/// Which chunk: of whom, of which object, which number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct ChunkKey {
    pub(crate) tenant: TenantId,
    pub(crate) object: ObjectId,
    pub(crate) chunk: u64,
}

/// Two generations: what is used moves to the young one; when that is full, it becomes the old one
/// and the old one is dropped.
#[derive(Debug)]
pub(crate) struct ChunkCache {
    bytes_max: usize,
    generations: Mutex<Generations>,
}

#[derive(Debug, Default)]
struct Generations {
    young: HashMap<ChunkKey, Arc<[u8]>>,
    young_bytes: usize,
    old: HashMap<ChunkKey, Arc<[u8]>>,
}

impl ChunkCache {
    pub(crate) fn new(bytes_max: usize) -> Self {
        Self { bytes_max, generations: Mutex::default() }
    }

    pub(crate) fn get(&self, key: &ChunkKey) -> Option<Arc<[u8]>> {
        let mut generations = self.generations.lock();
        if let Some(chunk) = generations.young.get(key) {
            return Some(Arc::clone(chunk));
        }
        let chunk = generations.old.remove(key)?;
        self.put_young(&mut generations, *key, Arc::clone(&chunk));
        Some(chunk)
    }

    pub(crate) fn put(&self, key: ChunkKey, chunk: Arc<[u8]>) {
        self.put_young(&mut self.generations.lock(), key, chunk);
    }

    fn put_young(&self, generations: &mut Generations, key: ChunkKey, chunk: Arc<[u8]>) {
        if generations.young_bytes + chunk.len() > self.bytes_max / 2 {
            generations.old = mem::take(&mut generations.young);
            generations.young_bytes = 0;
        }
        generations.young_bytes += chunk.len();
        if let Some(before) = generations.young.insert(key, chunk) {
            generations.young_bytes -= before.len();
        }
    }
}
