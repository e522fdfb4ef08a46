//! Merging: beside flushes, around damage, and never of what is past its time.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use ledgerline_model::id::DatasetId;
use ledgerline_model::time::Timestamp;
use ledgerline_policy::Job;
use ledgerline_store::{Compacted, Horizon};
use ledgerline_world::disk::{Disk, DiskFile, MemoryDisk};
use parking_lot::Mutex;

use crate::home::{Home, How, NOW, batch, job, segments};

const HOUR: i64 = 3600 * Timestamp::SECOND;

fn fill(home: &Home, hours: &[i64]) {
    for hour in hours {
        home.append(1, batch(&[(NOW.0 - hour * HOUR, "a", *hour)]));
        home.flush();
    }
}

#[test]
fn a_segment_that_cannot_be_read_ends_no_other_merge() {
    let folder = tempfile::tempdir().expect("a folder");
    let home = Home::open(folder.path(), MemoryDisk::new(), 1);
    fill(&home, &[30]);
    let damaged = segments(&home.disk);
    fill(&home, &[31, 32, 80, 81, 82]);
    home.disk.tamper(&damaged[0], |bytes| {
        let last = bytes.len() - 1;
        bytes[last] ^= 1;
    });
    let home = home.power_cut(folder.path(), 0, 2);
    let compact = || home.store.compact(&job(Job::Compact), &Horizon::at(NOW));
    let compacted = compact().expect("the others are merged");
    assert_eq!(compacted, Compacted { merged: 5, written: 2 });
    assert_eq!(home.store.usage(DatasetId(1)).segments, 3);
    assert_eq!(compact().expect("nothing is left to do"), Compacted::default());
    fill(&home, &[33, 34]);
    assert_eq!(compact().expect("new ones are merged").merged, 3);
}

#[test]
fn one_merge_can_be_made_at_a_time() {
    let folder = tempfile::tempdir().expect("a folder");
    let home = Home::open(folder.path(), MemoryDisk::new(), 1);
    fill(&home, &[30, 31, 80, 81]);
    let next = || home.store.compact_next(&job(Job::Compact), &Horizon::at(NOW)).expect("merged");
    let one = Some(Compacted { merged: 2, written: 1 });
    assert_eq!([next(), next(), next()], [one, one, None]);
}

#[test]
fn what_is_past_its_time_is_not_merged() {
    let folder = tempfile::tempdir().expect("a folder");
    let home = Home::open(folder.path(), MemoryDisk::new(), 1);
    fill(&home, &[80, 81, 30, 31]);
    let before = Timestamp(NOW.0 + 1);
    let horizon = Horizon { now: NOW, kept_from: [(DatasetId(1), before)].into() };
    let compact = |horizon| home.store.compact(&job(Job::Compact), horizon).expect("compacted");
    assert_eq!(compact(&horizon), Compacted::default());
    assert_eq!(compact(&Horizon::at(NOW)), Compacted { merged: 4, written: 2 });
}

/// A disk that says when a segment is begun, and then waits until it may go on.
#[derive(Debug)]
struct Gate {
    below: MemoryDisk,
    ends: Mutex<Option<(SyncSender<()>, Receiver<()>)>>,
}

impl Disk for Gate {
    fn create(&self, path: &Path) -> std::io::Result<Arc<dyn DiskFile>> {
        let ends = self.ends.lock().take();
        if let Some((begun, go_on)) = ends {
            begun.send(()).expect("somebody waits");
            go_on.recv().expect("somebody lets it go on");
        }
        self.below.create(path)
    }

    fn open(&self, path: &Path) -> std::io::Result<Arc<dyn DiskFile>> {
        self.below.open(path)
    }

    fn rename(&self, source: &Path, target: &Path) -> std::io::Result<()> {
        self.below.rename(source, target)
    }

    fn remove(&self, path: &Path) -> std::io::Result<()> {
        self.below.remove(path)
    }

    fn make_folder(&self, path: &Path) -> std::io::Result<()> {
        self.below.make_folder(path)
    }

    fn exists(&self, path: &Path) -> bool {
        self.below.exists(path)
    }

    fn files(&self, folder: &Path) -> std::io::Result<Vec<PathBuf>> {
        self.below.files(folder)
    }

    fn sync_folder(&self, folder: &Path) -> std::io::Result<()> {
        self.below.sync_folder(folder)
    }

    fn free_bytes(&self, folder: &Path) -> std::io::Result<u64> {
        self.below.free_bytes(folder)
    }
}

#[test]
fn a_flush_does_not_wait_for_a_merge() {
    let folder = tempfile::tempdir().expect("a folder");
    let below = MemoryDisk::new();
    let gate = Arc::new(Gate { below: below.clone(), ends: Mutex::new(None) });
    let how = How { before: Some(Arc::clone(&gate) as Arc<dyn Disk>), ..How::default() };
    let home = Home::try_open(folder.path(), below, 1, how).expect("it opens");
    fill(&home, &[30, 31]);
    let ((begun, has_begun), (let_on, go_on)) = (sync_channel(0), sync_channel(0));
    *gate.ends.lock() = Some((begun, go_on));
    let store = Arc::clone(&home.store);
    let merging = std::thread::spawn(move || {
        store.compact(&job(Job::Compact), &Horizon::at(NOW)).expect("compacted")
    });
    has_begun.recv().expect("the merge begins");
    fill(&home, &[1, 32]);
    assert_eq!(home.store.memory_bytes(), 0, "flushed while the merge waits");
    assert_eq!(home.store.usage(DatasetId(1)).segments, 4);
    let_on.send(()).expect("the merge waits");
    merging.join().expect("it ends");
    home.compact();
    assert_eq!(home.store.usage(DatasetId(1)).segments, 2);
    let before = home.visible(1);
    assert_eq!(before.len(), 4);
    assert_eq!(home.power_cut(folder.path(), 0, 2).visible(1), before);
}
