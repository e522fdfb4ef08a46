//! What cut-off work leaves, and catalogs that are older than what lies beside them: nothing is
//! deleted that is nowhere else, and nothing counts twice.

use std::io::{Error, ErrorKind as IoKind, Result};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use ledgerline_model::id::DatasetId;
use ledgerline_model::time::{TimeRange, Timestamp};
use ledgerline_policy::Job;
use ledgerline_store::error::ErrorKind;
use ledgerline_store::tenant::TenantStore;
use ledgerline_store::{Erase, Findings, Horizon};
use ledgerline_world::Chance;
use ledgerline_world::disk::{Disk, DiskFile, MemoryDisk};

use crate::home::{
    Home, How, NOW, aside, batch, blobs, expected, job, read_scope, segments, trimmed,
};

const HOUR: i64 = 3600 * Timestamp::SECOND;

fn catalog(home: &Home) -> PathBuf {
    home.blobs.local_file("catalog.db")
}

fn fsck(folder: &Path, disk: &MemoryDisk) -> Findings {
    let (_data, blobs) = blobs(folder, disk, 90);
    TenantStore::fsck(&job(Job::Fsck), &blobs).expect("checked")
}

/// Appends and flushes an event of each of some hours ago, one after the other.
fn fill(home: &Home, hours: &[i64]) {
    for hour in hours {
        home.append(1, batch(&[(NOW.0 - hour * HOUR, "a", *hour)]));
        home.flush();
    }
}

/// Ends the process with a catalog whose last change cannot be read any more, since a bit of the
/// catalog's own log flipped.
fn forget_last_change(home: Home) -> MemoryDisk {
    let (disk, catalog) = (home.disk.clone(), catalog(&home));
    let log = catalog.with_extension("db-wal");
    let (main, mut frames) =
        (std::fs::read(&catalog).expect("read"), std::fs::read(&log).expect("read"));
    let at = frames.len() - 100;
    frames[at] ^= 1;
    home.journal.close();
    drop(home);
    std::fs::write(&catalog, main).expect("written");
    std::fs::write(&log, frames).expect("written");
    disk
}

#[test]
fn a_catalog_that_went_back_in_time_costs_no_segment() {
    let folder = tempfile::tempdir().expect("a folder");
    let home = Home::try_open(folder.path(), MemoryDisk::new(), 1, trimmed()).expect("it opens");
    fill(&home, &[1, 2, 3]);
    let before = home.visible(1);
    let disk = forget_last_change(home);
    let files = segments(&disk);
    let refused = Home::try_open(folder.path(), disk.clone(), 2, trimmed()).map(drop);
    refused.expect_err("the journal has forgotten what the catalog does not know");
    assert_eq!(segments(&disk), files, "nothing is deleted before that is found out");
    let findings = fsck(folder.path(), &disk);
    assert!(findings.rebuilt && findings.problems.len() == 1, "{:?}", findings.problems);
    let home = Home::try_open(folder.path(), disk, 3, trimmed()).expect("it opens");
    assert_eq!(home.visible(1), before);
    assert_eq!(aside(&home.disk), Vec::<PathBuf>::new());
    fill(&home, &[4]);
    assert_eq!(home.visible(1).len(), before.len() + 1);
}

#[test]
fn a_catalog_that_forgot_a_merge_is_made_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let home = Home::open(folder.path(), MemoryDisk::new(), 1);
    fill(&home, &[30, 31, 32, 1]);
    let before = home.visible(1);
    home.compact();
    let disk = forget_last_change(home);
    let refused = Home::try_open(folder.path(), disk.clone(), 2, How::default()).map(drop);
    let why = refused.expect_err("live segments are missing");
    assert!(why.ends_with("is live, and is missing"), "{why}");
    assert!(fsck(folder.path(), &disk).rebuilt);
    assert_eq!(Home::open(folder.path(), disk, 3).visible(1), before);
}

#[test]
fn what_the_journal_still_has_is_deleted_and_comes_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let home = Home::open(folder.path(), MemoryDisk::new(), 1);
    fill(&home, &[1, 2, 3]);
    let before = home.visible(1);
    let disk = forget_last_change(home);
    let home = Home::open(folder.path(), disk, 2);
    assert_eq!(home.visible(1), before);
    assert_eq!((segments(&home.disk).len(), aside(&home.disk).len()), (2, 0));
}

#[test]
fn what_is_nowhere_else_or_cannot_be_read_is_set_aside() {
    for is_damaged in [false, true] {
        let folder = tempfile::tempdir().expect("a folder");
        let home = Home::try_open(folder.path(), MemoryDisk::new(), 1, trimmed()).expect("opens");
        fill(&home, &[1, 2]);
        let known = segments(&home.disk);
        fill(&home, &[3]);
        let disk = forget_last_change(home);
        let unknown: Vec<PathBuf> =
            segments(&disk).into_iter().filter(|file| !known.contains(file)).collect();
        if is_damaged {
            disk.tamper(&unknown[0], |bytes| {
                let last = bytes.len() - 1;
                bytes[last] ^= 1;
            });
        }
        let (_data, blobs) = blobs(folder.path(), &disk, 2);
        let store = TenantStore::open(&job(Job::Recover), blobs, Chance::seeded(2));
        // Without its journal, which would have told that the catalog is old.
        let told = store.expect("opens").remove_leftovers(&job(Job::Recover)).expect("looked at");
        assert_eq!((told.len(), segments(&disk)), (1, known));
        let name = format!("{}.quarantined", unknown[0].display());
        assert_eq!(aside(&disk), [PathBuf::from(name)]);
    }
}

#[test]
fn what_was_set_aside_is_erased_too() {
    for is_damaged in [false, true] {
        let folder = tempfile::tempdir().expect("a folder");
        let home = Home::try_open(folder.path(), MemoryDisk::new(), 1, trimmed()).expect("opens");
        fill(&home, &[1, 2]);
        let known = segments(&home.disk);
        let at = NOW.0 - 3 * HOUR;
        home.append(1, batch(&[(at, "a", 3), (at, "b", 4)]));
        home.flush();
        let disk = forget_last_change(home);
        let unknown = segments(&disk).into_iter().find(|file| !known.contains(file));
        if is_damaged {
            disk.tamper(&unknown.expect("a new one"), |bytes| {
                let last = bytes.len() - 1;
                bytes[last] ^= 1;
            });
        }
        let (_data, blobs) = blobs(folder.path(), &disk, 2);
        let store = TenantStore::open(&job(Job::Recover), blobs, Chance::seeded(2));
        let store = store.expect("opens");
        assert_eq!(store.remove_leftovers(&job(Job::Recover)).expect("looked at").len(), 1);
        let all = aside(&disk);
        assert_eq!(all.len(), 1);
        let erase = |dataset: u32, seqs: std::ops::Range<u64>| {
            let erased = store.erase(&job(Job::Erase), DatasetId(dataset), &[seqs], Erase::Content);
            (erased.expect("erased").unread, aside(&disk))
        };
        if is_damaged {
            assert_eq!(erase(1, 2..3), (1, all), "nobody knows what is in it");
            continue;
        }
        assert_eq!(erase(2, 2..4), (0, all.clone()), "of another dataset");
        assert_eq!(erase(1, 4..9), (0, all.clone()), "other events");
        let (unread, written) = erase(1, 2..3);
        assert_eq!((unread, written.len()), (0, 1));
        assert_ne!(written, all, "it is written again without one");
        assert_eq!(erase(1, 2..3), (0, written));
        assert_eq!(erase(1, 3..4), (0, Vec::new()), "nothing is left of it");
    }
}

#[test]
fn what_expired_is_deleted_at_the_next_start_when_it_could_not_be_at_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let home = Home::open(folder.path(), MemoryDisk::new(), 1);
    fill(&home, &[100, 1]);
    home.disk.lose_after(0);
    let expired = home.store.expire(&job(Job::Expire), DatasetId(1), Timestamp(NOW.0 + 1));
    assert_eq!(expired.expect("gone from the catalog").events, 1);
    home.disk.keep_all();
    assert_eq!(segments(&home.disk).len(), 2);
    let home = home.power_cut(folder.path(), 0, 2);
    assert_eq!((segments(&home.disk).len(), aside(&home.disk).len()), (1, 0));
    assert_eq!(home.visible(1).len(), 1);
}

/// A disk that is full for a while: so many more files can be made.
#[derive(Debug)]
struct Filling {
    below: MemoryDisk,
    files_left: AtomicI64,
}

impl Disk for Filling {
    fn create(&self, path: &Path) -> Result<Arc<dyn DiskFile>> {
        if self.files_left.fetch_sub(1, Ordering::SeqCst) <= 0 {
            return Err(Error::from(IoKind::StorageFull));
        }
        self.below.create(path)
    }

    fn open(&self, path: &Path) -> Result<Arc<dyn DiskFile>> {
        self.below.open(path)
    }

    fn rename(&self, source: &Path, target: &Path) -> Result<()> {
        self.below.rename(source, target)
    }

    fn remove(&self, path: &Path) -> Result<()> {
        self.below.remove(path)
    }

    fn make_folder(&self, path: &Path) -> Result<()> {
        self.below.make_folder(path)
    }

    fn exists(&self, path: &Path) -> bool {
        self.below.exists(path)
    }

    fn files(&self, folder: &Path) -> Result<Vec<PathBuf>> {
        self.below.files(folder)
    }

    fn sync_folder(&self, folder: &Path) -> Result<()> {
        self.below.sync_folder(folder)
    }

    fn free_bytes(&self, folder: &Path) -> Result<u64> {
        self.below.free_bytes(folder)
    }
}

#[test]
fn a_flush_that_fails_leaves_no_segment() {
    let folder = tempfile::tempdir().expect("a folder");
    let below = MemoryDisk::new();
    let disk = Arc::new(Filling { below: below.clone(), files_left: AtomicI64::new(i64::MAX) });
    let how = How { before: Some(Arc::clone(&disk) as Arc<dyn Disk>), ..How::default() };
    let home = Home::try_open(folder.path(), below, 1, how).expect("it opens");
    home.append(1, batch(&[30, 60, 90].map(|hour| (NOW.0 - hour * HOUR, "a", hour))));
    for written in [0, 1, 2] {
        disk.files_left.store(written, Ordering::SeqCst);
        let error = home.store.flush(&job(Job::Flush)).expect_err("the disk is full");
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        assert_eq!(segments(&home.disk), Vec::<PathBuf>::new());
    }
    assert_eq!((home.visible(1).len(), home.store.failed()), (3, None));
    disk.files_left.store(i64::MAX, Ordering::SeqCst);
    home.flush();
    assert_eq!((home.visible(1).len(), segments(&home.disk).len()), (3, 3));
}

/// Puts a pipe where the catalog has its log, on which no disk's write succeeds.
fn break_catalog(catalog: &Path) {
    let made = Command::new("mkfifo").arg(catalog.with_extension("db-wal")).status();
    assert!(made.expect("mkfifo runs").success());
}

fn mend_catalog(catalog: &Path) {
    for ending in ["db-wal", "db-shm"] {
        drop(std::fs::remove_file(catalog.with_extension(ending)));
    }
}

/// A tenant with an event in memory whose catalog cannot be written.
fn with_broken_catalog(folder: &Path) -> Home {
    let home = Home::open(folder, MemoryDisk::new(), 1);
    fill(&home, &[1, 2]);
    let (disk, catalog) = (home.disk.clone(), catalog(&home));
    home.journal.close();
    drop(home);
    break_catalog(&catalog);
    let home = Home::open(folder, disk, 2);
    home.append(1, batch(&[(NOW.0 - 40 * HOUR, "b", 5), (NOW.0, "b", 5)]));
    home
}

#[test]
fn a_change_of_unknown_outcome_is_the_last_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let home = with_broken_catalog(folder.path());
    let before = home.visible(1);
    assert_eq!(home.store.failed(), None);
    for _ in 0..2 {
        let error = home.store.flush(&job(Job::Flush)).expect_err("not known");
        assert_eq!(error.kind(), ErrorKind::Unknown);
        assert!(home.store.failed().is_some());
        assert_eq!(home.visible(1), before);
    }
    mend_catalog(&catalog(&home));
    let again = home.store.flush(&job(Job::Flush)).expect_err("nothing is tried again");
    assert_eq!(again.kind(), ErrorKind::Unknown);
    let merged = home.store.compact(&job(Job::Compact), &Horizon::at(Timestamp(NOW.0 + 30 * HOUR)));
    assert_eq!(merged.expect_err("nor this").kind(), ErrorKind::Unknown);
    assert!(segments(&home.disk).len() > 2, "what the catalog may know of stays");
    let home = home.power_cut(folder.path(), 0, 3);
    assert_eq!(home.visible(1), before);
    assert_eq!((segments(&home.disk).len(), aside(&home.disk).len()), (2, 0));
    home.flush();
    assert_eq!(home.visible(1), before);
}

#[test]
fn what_several_flushes_wrote_of_the_same_events_counts_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let home = with_broken_catalog(folder.path());
    home.store.flush(&job(Job::Flush)).expect_err("not known");
    let (disk, catalog) = (home.disk.clone(), catalog(&home));
    home.journal.close();
    drop(home);
    mend_catalog(&catalog);
    let how = How { are_leftovers_removed: false, ..How::default() };
    let home = Home::try_open(folder.path(), disk.clone(), 3, how).expect("it opens");
    home.append(1, batch(&[(NOW.0 - 41 * HOUR, "c", 7)]));
    home.flush();
    assert_eq!(segments(&disk).len(), 6, "two of a flush that does not count");
    let before = home.visible(1);
    home.journal.close();
    drop(home);
    std::fs::remove_file(&catalog).expect("it was there");
    assert!(fsck(folder.path(), &disk).rebuilt);
    let home = Home::open(folder.path(), disk, 4);
    assert_eq!(home.visible(1), before);
    assert_eq!((segments(&home.disk).len(), aside(&home.disk).len()), (4, 0));
}

#[test]
fn what_was_merged_twice_and_could_not_be_deleted_counts_once() {
    for changes in 0.. {
        let folder = tempfile::tempdir().expect("a folder");
        let home = Home::open(folder.path(), MemoryDisk::new(), 1);
        fill(&home, &[30, 31, 32]);
        home.disk.lose_after(changes);
        let merged = home.store.compact(&job(Job::Compact), &Horizon::at(NOW));
        home.disk.keep_all();
        fill(&home, &[33, 34]);
        home.compact();
        let before = home.visible(1);
        let (disk, catalog) = (home.disk.clone(), catalog(&home));
        home.journal.close();
        drop(home);
        std::fs::remove_file(&catalog).expect("it was there");
        assert!(fsck(folder.path(), &disk).rebuilt);
        let is_whole = segments(&disk).len() == 1;
        let home = Home::open(folder.path(), disk, 4);
        assert_eq!(home.visible(1), before, "lost after {changes} changes");
        assert_eq!((segments(&home.disk).len(), aside(&home.disk).len()), (1, 0));
        if merged.is_ok() && is_whole {
            return;
        }
    }
}

#[test]
fn a_missing_segment_is_damage_and_not_an_empty_answer() {
    let folder = tempfile::tempdir().expect("a folder");
    let home = Home::open(folder.path(), MemoryDisk::new(), 1);
    fill(&home, &[1, 50]);
    let last = segments(&home.disk).pop().expect("there are two");
    home.disk.remove(&last).expect("removed");
    let snapshot = home.store.snapshot(&read_scope(), DatasetId(1), TimeRange::ALL);
    let error = snapshot.expect_err("one is missing");
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    let id = last.file_stem().expect("a name").to_string_lossy().into_owned();
    assert!(error.to_string().contains(&id), "{error}");
    let disk = home.disk.clone();
    home.journal.close();
    drop(home);
    let refused = Home::try_open(folder.path(), disk.clone(), 2, How::default()).map(drop);
    assert!(refused.expect_err("one is missing").contains(&id));
    let findings = fsck(folder.path(), &disk);
    assert!(!findings.rebuilt && findings.problems.len() == 1, "{:?}", findings.problems);
    assert!(findings.problems[0].contains(&id), "{:?}", findings.problems);
    let home = Home::open(folder.path(), disk, 3);
    assert_eq!(home.visible(1).len(), 1, "the rest is there");
}

#[test]
fn of_a_segment_that_is_damaged_in_part_a_new_catalog_knows() {
    let folder = tempfile::tempdir().expect("a folder");
    let home = Home::try_open(folder.path(), MemoryDisk::new(), 1, trimmed()).expect("it opens");
    let words: Vec<String> = (0..40_000).map(|word| format!("word {}", word * 7919)).collect();
    let events: Vec<_> = words.iter().map(|word| (NOW.0 - HOUR, &**word, 1)).collect();
    home.append(1, batch(&events));
    home.append(2, batch(&[(NOW.0, "b", 1)]));
    home.flush();
    let (disk, catalog) = (home.disk.clone(), catalog(&home));
    home.journal.close();
    drop(home);
    std::fs::remove_file(&catalog).expect("it was there");
    let mut largest = (0, PathBuf::new());
    for file in segments(&disk) {
        disk.tamper(&file, |bytes| largest = largest.clone().max((bytes.len(), file.clone())));
    }
    disk.tamper(&largest.1, |bytes| bytes[largest.0 / 2] ^= 1);
    let findings = fsck(folder.path(), &disk);
    assert!(findings.rebuilt && findings.problems.len() == 1, "{:?}", findings.problems);
    let home = Home::try_open(folder.path(), disk, 2, trimmed()).expect("it opens");
    assert_eq!(home.store.usage(DatasetId(1)).events, 40_000);
    assert_eq!(home.visible(2).into_values().collect::<Vec<_>>(), [expected(NOW.0, "b", 1)]);
}
