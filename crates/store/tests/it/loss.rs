//! Lost and damaged catalogs and segments.

use ledgerline_model::id::DatasetId;
use ledgerline_model::time::Timestamp;
use ledgerline_policy::Job;
use ledgerline_store::Horizon;
use ledgerline_store::tenant::TenantStore;
use ledgerline_world::Chance;
use ledgerline_world::disk::{Fault, MemoryDisk};

use crate::home::{Home, NOW, batch, blobs, job};

const HOUR: i64 = 3600 * Timestamp::SECOND;

/// A tenant with events in segments of several flushes, in a merged segment, and in the journal.
fn lived(folder: &std::path::Path) -> Home {
    let home = Home::open(folder, MemoryDisk::new(), 1);
    for hour in [30, 31, 80] {
        home.append(1, batch(&[(NOW.0 - hour * HOUR, "a", hour), (NOW.0 - 200 * HOUR, "b", 1)]));
        home.append(2, batch(&[(NOW.0 - hour * HOUR, "other", hour)]));
        home.flush();
    }
    home.compact();
    home.append(1, batch(&[(NOW.0, "late", 7)]));
    home.flush();
    home.append(2, batch(&[(NOW.0, "in the journal", 7)]));
    home
}

fn catalog(home: &Home) -> std::path::PathBuf {
    home.blobs.local_file("catalog.db")
}

/// Ends a tenant, removes or damages its catalog, checks it, and opens it again.
fn without_catalog(
    folder: &std::path::Path,
    home: Home,
    damage: impl Fn(&std::path::Path),
) -> (Home, Vec<String>) {
    let (disk, catalog) = (home.disk.clone(), catalog(&home));
    home.journal.close();
    drop(home);
    for ending in ["db-wal", "db-shm"] {
        drop(std::fs::remove_file(catalog.with_extension(ending)));
    }
    damage(&catalog);
    let problems = {
        let (_data, blobs) = blobs(folder, &disk, 90);
        let findings = TenantStore::fsck(&job(Job::Fsck), &blobs).expect("checked");
        assert!(findings.rebuilt);
        let again = TenantStore::fsck(&job(Job::Fsck), &blobs).expect("checked");
        assert!(!again.rebuilt && again.problems.is_empty(), "{:?}", again.problems);
        findings.problems
    };
    (Home::open(folder, disk, 91), problems)
}

fn remove(catalog: &std::path::Path) {
    std::fs::remove_file(catalog).expect("it was there");
}

#[test]
fn a_lost_catalog_is_made_again_from_segments() {
    let folder = tempfile::tempdir().expect("a folder");
    let home = lived(folder.path());
    let before = (home.visible(1), home.visible(2));
    let (home, problems) = without_catalog(folder.path(), home, remove);
    assert!(problems.is_empty(), "{problems:?}");
    assert_eq!((home.visible(1), home.visible(2)), before);
    home.append(1, batch(&[(NOW.0, "next", 1)]));
    assert_eq!(home.visible(1).len(), before.0.len() + 1);
}

#[test]
fn a_damaged_catalog_is_set_aside_and_made_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let home = lived(folder.path());
    let before = (home.visible(1), home.visible(2));
    let (home, problems) = without_catalog(folder.path(), home, |catalog| {
        std::fs::write(catalog, b"no database, but a text of some length").expect("written");
    });
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert_eq!((home.visible(1), home.visible(2)), before);
    assert!(catalog(&home).with_extension("damaged").exists());
}

#[test]
fn a_store_with_segments_and_no_catalog_does_not_open_as_if_it_were_empty() {
    let folder = tempfile::tempdir().expect("a folder");
    let home = lived(folder.path());
    let (disk, catalog) = (home.disk.clone(), catalog(&home));
    drop(home);
    remove(&catalog);
    let (_data, blobs) = blobs(folder.path(), &disk, 2);
    let error = TenantStore::open(&job(Job::Recover), blobs, Chance::seeded(2));
    assert!(error.is_err());
}

/// What is visible of both datasets.
fn both(home: &Home) -> [std::collections::BTreeMap<u64, crate::home::Seen>; 2] {
    [home.visible(1), home.visible(2)]
}

#[test]
fn what_a_cut_off_flush_left_counts_for_nothing() {
    for changes in 0.. {
        let folder = tempfile::tempdir().expect("a folder");
        let home = lived(folder.path());
        let hours = [1, 40, 90];
        home.append(1, batch(&hours.map(|hour| (NOW.0 - hour * HOUR, "cut", hour))));
        let before = both(&home);
        home.disk.lose_after(changes);
        let flushed = home.store.flush(&job(Job::Flush));
        assert_eq!(both(&home), before, "all stays visible");
        home.disk.keep_all();
        if changes % 2 == 0 {
            let (home, problems) = without_catalog(folder.path(), home, remove);
            assert!(problems.is_empty(), "{problems:?}");
            assert_eq!(both(&home), before, "cut after {changes} changes, catalog lost");
        } else {
            let home = home.power_cut(folder.path(), 30, 8);
            assert_eq!(both(&home), before, "cut after {changes} changes");
            home.flush();
            assert_eq!(both(&home), before);
        }
        if flushed.is_ok() {
            assert!(changes > 20, "a flush makes more changes than {changes}");
            return;
        }
    }
}

#[test]
fn what_a_cut_off_merge_left_counts_for_nothing() {
    for changes in 0.. {
        let folder = tempfile::tempdir().expect("a folder");
        let home = lived(folder.path());
        for number in 0..3 {
            home.append(1, batch(&[(NOW.0 - 40 * HOUR, "merged", number)]));
            home.flush();
        }
        let before = both(&home);
        home.disk.lose_after(changes);
        let compacted = home.store.compact(&job(Job::Compact), &Horizon::at(NOW));
        home.disk.keep_all();
        let home = if changes % 2 == 0 {
            without_catalog(folder.path(), home, remove).0
        } else {
            home.power_cut(folder.path(), 30, 8)
        };
        assert_eq!(both(&home), before, "cut after {changes} changes");
        if compacted.is_ok() {
            assert!(changes > 5, "a merge makes more changes than {changes}");
            return;
        }
    }
}

#[test]
fn every_flipped_byte_of_a_segment_is_found() {
    let folder = tempfile::tempdir().expect("a folder");
    let home = lived(folder.path());
    let disk = home.disk.clone();
    drop(home);
    let is_segment = |path: &&std::path::PathBuf| path.extension().is_some_and(|e| e == "lls");
    let segment = disk.all_files().iter().find(is_segment).cloned().expect("there are segments");
    let mut length = 0;
    disk.tamper(&segment, |bytes| length = bytes.len());
    let (_data, blobs) = blobs(folder.path(), &disk, 2);
    for at in (0..length).step_by(7) {
        disk.tamper(&segment, |bytes| bytes[at] ^= 4);
        let findings = TenantStore::fsck(&job(Job::Fsck), &blobs).expect("checked");
        // The file itself, and the catalog's entry that has no sound file.
        assert_eq!(findings.problems.len(), 2, "byte {at}: {:?}", findings.problems);
        disk.tamper(&segment, |bytes| bytes[at] ^= 4);
    }
    let findings = TenantStore::fsck(&job(Job::Fsck), &blobs).expect("checked");
    assert!(findings.problems.is_empty() && !findings.rebuilt, "{:?}", findings.problems);
}

#[test]
fn a_full_disk_loses_nothing_and_is_overcome() {
    let folder = tempfile::tempdir().expect("a folder");
    let home = lived(folder.path());
    let before = home.visible(2);
    home.disk.fail_next(Fault::ShortAppend(10));
    assert!(home.store.flush(&job(Job::Flush)).is_err());
    assert_eq!(home.visible(2), before);
    home.flush();
    assert_eq!(home.visible(2), before);
    assert_eq!(home.store.memory_bytes(), 0);
    assert_eq!(home.store.usage(DatasetId(2)).events, before.len() as u64);
}
