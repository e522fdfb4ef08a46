//! A disk in memory that forgets, when its power is cut, exactly what was not made durable, and
//! that fails when it is told to.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Error, ErrorKind, Result};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::Mutex;

use super::{Disk, DiskFile};

/// What shall go wrong next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The next sync of a file fails. What it should have kept stays to be read, and reads as zeros
    /// after a power cut even if a later sync succeeds, as kernels have it.
    Sync,
    /// The next append writes so many bytes, never all of them, and fails, as on a full disk.
    ShortAppend(usize),
}

/// A disk in memory.
#[derive(Debug, Clone, Default)]
pub struct MemoryDisk {
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    names: BTreeMap<PathBuf, Arc<Mutex<Contents>>>,
    durable_names: BTreeMap<PathBuf, Arc<Mutex<Contents>>>,
    folders: BTreeSet<PathBuf>,
    fault: Option<Fault>,
    syncs: u64,
    free_bytes: Option<u64>,
    changes: u64,
    changes_max: Option<u64>,
}

impl State {
    /// Counts a change; refuses it when the disk is to be gone by now.
    fn count_change(&mut self) -> Result<()> {
        if self.changes_max.is_some_and(|max| self.changes >= max) {
            return Err(Error::other("the disk is gone"));
        }
        self.changes += 1;
        Ok(())
    }
}

#[derive(Debug, Default)]
struct Contents {
    bytes: Vec<u8>,
    durable: usize,
    /// What a sync failed to keep.
    lost: Vec<Range<usize>>,
}

impl Contents {
    fn after_power_cut(&self, torn_bytes: usize) -> Self {
        let length = self.bytes.len().min(self.durable + torn_bytes);
        let mut bytes = self.bytes[..length].to_vec();
        for lost in &self.lost {
            bytes[lost.start.min(length)..lost.end.min(length)].fill(0);
        }
        Self { bytes, durable: length, lost: Vec::new() }
    }
}

#[derive(Debug)]
struct MemoryFile {
    contents: Arc<Mutex<Contents>>,
    state: Arc<Mutex<State>>,
}

impl MemoryDisk {
    /// An empty disk.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// What a machine finds after its power was cut: only what was made durable, and of the rest of
    /// each file the first `torn_bytes`.
    #[must_use]
    pub fn after_power_cut(&self, torn_bytes: usize) -> Self {
        let state = self.state.lock();
        let survive = |(path, contents): (&PathBuf, &Arc<Mutex<Contents>>)| {
            let contents = contents.lock().after_power_cut(torn_bytes);
            (path.clone(), Arc::new(Mutex::new(contents)))
        };
        let names: BTreeMap<_, _> = state.durable_names.iter().map(survive).collect();
        let folders = state.folders.clone();
        let state = State { durable_names: names.clone(), names, folders, ..State::default() };
        Self { state: Arc::new(Mutex::new(state)) }
    }

    /// Sets what goes wrong next.
    pub fn fail_next(&self, fault: Fault) {
        self.state.lock().fault = Some(fault);
    }

    /// Sets how much room there is.
    pub fn set_free_bytes(&self, free_bytes: u64) {
        self.state.lock().free_bytes = Some(free_bytes);
    }

    /// Lets the disk take so many changes from now on (files made, renamed and removed, bytes
    /// appended, syncs) and refuse all after them, as if the machine had lost it there.
    pub fn lose_after(&self, changes: u64) {
        let mut state = self.state.lock();
        state.changes_max = Some(state.changes + changes);
    }

    /// Takes changes again, after [`MemoryDisk::lose_after`]: the process alone was lost.
    pub fn keep_all(&self) {
        self.state.lock().changes_max = None;
    }

    /// How many changes were made so far, as [`MemoryDisk::lose_after`] counts them.
    #[must_use]
    pub fn changes(&self) -> u64 {
        self.state.lock().changes
    }

    /// How often a file was synced.
    #[must_use]
    pub fn syncs(&self) -> u64 {
        self.state.lock().syncs
    }

    /// Changes bytes of a file behind everyone's back.
    ///
    /// # Panics
    /// When there is no such file.
    pub fn tamper(&self, path: &Path, change: impl FnOnce(&mut Vec<u8>)) {
        let state = self.state.lock();
        let mut contents = state.names[path].lock();
        change(&mut contents.bytes);
        contents.durable = contents.bytes.len();
    }

    /// Every file.
    #[must_use]
    pub fn all_files(&self) -> Vec<PathBuf> {
        self.state.lock().names.keys().cloned().collect()
    }
}

impl Disk for MemoryDisk {
    fn create(&self, path: &Path) -> Result<Arc<dyn DiskFile>> {
        let mut state = self.state.lock();
        state.count_change()?;
        if state.names.contains_key(path) {
            return Err(ErrorKind::AlreadyExists.into());
        }
        let contents = Arc::new(Mutex::new(Contents::default()));
        state.names.insert(path.to_owned(), Arc::clone(&contents));
        Ok(Arc::new(MemoryFile { contents, state: Arc::clone(&self.state) }))
    }

    fn open(&self, path: &Path) -> Result<Arc<dyn DiskFile>> {
        let state = self.state.lock();
        let contents = Arc::clone(state.names.get(path).ok_or(ErrorKind::NotFound)?);
        Ok(Arc::new(MemoryFile { contents, state: Arc::clone(&self.state) }))
    }

    fn rename(&self, source: &Path, target: &Path) -> Result<()> {
        let mut state = self.state.lock();
        state.count_change()?;
        let contents = state.names.remove(source).ok_or(ErrorKind::NotFound)?;
        state.names.insert(target.to_owned(), contents);
        Ok(())
    }

    fn remove(&self, path: &Path) -> Result<()> {
        let mut state = self.state.lock();
        state.count_change()?;
        let removed = state.names.remove(path);
        removed.map(drop).ok_or_else(|| ErrorKind::NotFound.into())
    }

    fn make_folder(&self, path: &Path) -> Result<()> {
        let mut state = self.state.lock();
        state.count_change()?;
        state.folders.insert(path.to_owned());
        Ok(())
    }

    fn exists(&self, path: &Path) -> bool {
        let state = self.state.lock();
        state.names.contains_key(path) || state.folders.contains(path)
    }

    fn files(&self, folder: &Path) -> Result<Vec<PathBuf>> {
        let state = self.state.lock();
        Ok(state.names.keys().filter(|path| path.parent() == Some(folder)).cloned().collect())
    }

    fn folders(&self, folder: &Path) -> Result<Vec<PathBuf>> {
        let state = self.state.lock();
        let of_files = state.names.keys().filter_map(|path| path.parent());
        let all = of_files.chain(state.folders.iter().map(PathBuf::as_path));
        let first_below = |path: &Path| {
            let below = path.strip_prefix(folder).ok()?;
            Some(folder.join(below.components().next()?))
        };
        Ok(all.filter_map(first_below).collect::<BTreeSet<_>>().into_iter().collect())
    }

    fn sync_folder(&self, folder: &Path) -> Result<()> {
        let mut state = self.state.lock();
        state.count_change()?;
        let in_folder = |path: &PathBuf| path.parent() == Some(folder);
        let now: Vec<_> = state
            .names
            .iter()
            .filter(|(path, _)| in_folder(path))
            .map(|(path, contents)| (path.clone(), Arc::clone(contents)))
            .collect();
        state.durable_names.retain(|path, _| !in_folder(path));
        state.durable_names.extend(now);
        Ok(())
    }

    fn free_bytes(&self, _folder: &Path) -> Result<u64> {
        Ok(self.state.lock().free_bytes.unwrap_or(u64::MAX))
    }
}

impl DiskFile for MemoryFile {
    fn len(&self) -> Result<u64> {
        Ok(self.contents.lock().bytes.len() as u64)
    }

    fn read_exact_at(&self, bytes: &mut [u8], offset: u64) -> Result<()> {
        let contents = self.contents.lock();
        let start = usize::try_from(offset).map_err(Error::other)?;
        let end = start.checked_add(bytes.len());
        let found = end.and_then(|end| contents.bytes.get(start..end));
        bytes.copy_from_slice(found.ok_or(ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn append(&self, bytes: &[u8]) -> Result<()> {
        let mut state = self.state.lock();
        state.count_change()?;
        let fault = state.fault.take_if(|fault| matches!(fault, Fault::ShortAppend(_)));
        let mut contents = self.contents.lock();
        if let Some(Fault::ShortAppend(written)) = fault {
            contents.bytes.extend_from_slice(&bytes[..written.min(bytes.len().saturating_sub(1))]);
            return Err(ErrorKind::StorageFull.into());
        }
        contents.bytes.extend_from_slice(bytes);
        Ok(())
    }

    fn sync(&self) -> Result<()> {
        let mut state = self.state.lock();
        state.count_change()?;
        state.syncs += 1;
        if state.fault.take_if(|fault| *fault == Fault::Sync).is_some() {
            let mut contents = self.contents.lock();
            let lost = contents.durable..contents.bytes.len();
            contents.lost.push(lost);
            return Err(Error::other("the disk lost what it was given"));
        }
        let mut contents = self.contents.lock();
        contents.durable = contents.bytes.len();
        Ok(())
    }
}
