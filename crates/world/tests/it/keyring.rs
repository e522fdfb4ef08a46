//! What was deleted does not open again, from no copy of the tenant's folder; all else does.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::thread;

use ledgerline_model::id::RecordId;
use ledgerline_policy::{Action, Job, Principal, authorize_operator, upkeep};
use ledgerline_world::disk::{Disk, Fault, MemoryDisk, RealDisk};
use ledgerline_world::{Chance, DataDir, ErrorKind, Options, TenantBlobs};

use crate::support::{
    KEYRING_HEADER_BYTES, RECORD_BYTES, blobs, data_dir, keyring, path, place, read, records,
    reopen, sealed_files, tenant, try_blobs, write,
};

const A: &str = "segments/a.lls";
const B: &str = "segments/deep/b.lls";
const LOG: &str = "journal/0.log";

/// Writes a log with one frame.
fn put_log(blobs: &TenantBlobs, at: &str, text: &[u8]) {
    let mut log = blobs.create_log(&path(at)).expect("begun");
    let mut frame = text.to_vec();
    log.key().seal(1, &mut frame, 0);
    log.append(&frame).expect("written");
    log.publish().expect("published");
}

fn kind_of_log(blobs: &TenantBlobs, at: &str) -> Option<ErrorKind> {
    blobs.open_log(&path(at)).err().map(|error| error.kind())
}

fn kind_of(blobs: &TenantBlobs, at: &str) -> Option<ErrorKind> {
    blobs.open_blob(&path(at)).err().map(|error| error.kind())
}

#[test]
fn an_old_copy_of_what_was_deleted_or_replaced_does_not_open() {
    let folder = tempfile::tempdir().expect("a folder");
    let disk = MemoryDisk::new();
    let data = data_dir(folder.path(), &disk);
    let held = blobs(&data, 1);
    let places = [A, B, LOG].map(|at| place(folder.path(), 1, at));
    held.put(&path(A), b"erased").expect("written");
    held.put(&path(B), b"replaced").expect("written");
    put_log(&held, LOG, b"trimmed");
    held.put(&path("segments/kept.lls"), b"kept").expect("written");
    let copies = places.each_ref().map(|place| read(&disk, place));
    let in_cache = held.open_blob(&path(A)).expect("it opens");
    held.delete_all(&[path(A), path(LOG), path("segments/none.lls")]).expect("deleted");
    held.put(&path(B), b"new").expect("written");
    assert_eq!(records(&disk, folder.path(), 1).len(), 2);
    assert_eq!(in_cache.read_at(0, 6).expect("who has it open reads on"), b"erased");

    let check = |blobs: &TenantBlobs| {
        assert_eq!(kind_of(blobs, A), Some(ErrorKind::Corrupt));
        assert_eq!(kind_of(blobs, B), Some(ErrorKind::Corrupt));
        assert_eq!(kind_of_log(blobs, LOG), Some(ErrorKind::Corrupt));
        assert_eq!(blobs.get(&path("segments/kept.lls")).expect("kept"), b"kept");
    };
    let new = read(&disk, &places[1]);
    for (place, copy) in places.iter().zip(&copies) {
        write(&disk, place, copy);
    }
    check(&held);
    held.put(&path("segments/other.lls"), b"other").expect("written");
    held.delete(&path("segments/other.lls")).expect("deleted");
    check(&held);
    drop((held, data));
    // A start does not take the key of the newer file away because an old one lies in its place.
    check(&reopen(folder.path(), &disk).expect("it opens"));
    write(&disk, &places[1], &new);
    let again = reopen(folder.path(), &disk).expect("it opens");
    assert_eq!(again.get(&path(B)).expect("it was put back"), b"new");
    again.delete(&path(A)).expect("an old copy can be deleted");
    assert_eq!(kind_of(&again, A), Some(ErrorKind::NotFound));
}

#[test]
fn what_was_set_aside_keeps_its_key() {
    let folder = tempfile::tempdir().expect("a folder");
    let disk = MemoryDisk::new();
    let aside = place(folder.path(), 1, &format!("{A}.quarantined"));
    {
        let blobs = reopen(folder.path(), &disk).expect("it opens");
        blobs.put(&path(A), b"before").expect("written");
        blobs.quarantine(&path(A)).expect("set aside");
        let before = read(&disk, &aside);
        blobs.put(&path(A), b"damaged").expect("written");
        blobs.quarantine(&path(A)).expect("set aside");
        write(&disk, &place(folder.path(), 1, A), &before);
        assert_eq!(kind_of(&blobs, A), Some(ErrorKind::Corrupt), "another took its place aside");
        blobs.delete(&path(A)).expect("deleted");
    }
    let blobs = reopen(folder.path(), &disk).expect("it opens");
    assert_eq!(records(&disk, folder.path(), 1).len(), 1);
    disk.rename(&aside, &place(folder.path(), 1, A)).expect("put back");
    assert_eq!(blobs.get(&path(A)).expect("it opens"), b"damaged");
}

#[test]
fn a_destroyed_record_is_in_no_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let disk = MemoryDisk::new();
    let blobs = reopen(folder.path(), &disk).expect("it opens");
    let mut kept = BTreeSet::new();
    for number in 0..20 {
        blobs.put(&path(&format!("segments/{number}")), b"x").expect("written");
        let all = records(&disk, folder.path(), 1);
        assert_eq!(all.len(), number + 1);
        kept = all.into_iter().collect();
    }
    for number in 0..20 {
        blobs.delete(&path(&format!("segments/{number}"))).expect("deleted");
        let now: BTreeSet<_> = records(&disk, folder.path(), 1).into_iter().collect();
        let gone: Vec<_> = kept.difference(&now).collect();
        assert!(gone.len() == 1 && now.is_subset(&kept), "one record is gone, no other changed");
        for file in disk.all_files() {
            let bytes = read(&disk, &file);
            let holds = bytes.windows(16).any(|some| gone[0].windows(16).any(|of| of == some));
            assert!(!holds, "{} holds a part of it", file.display());
        }
        kept = now;
    }
}

#[test]
fn a_keyring_opens_for_its_tenant_only() {
    let folder = tempfile::tempdir().expect("a folder");
    let disk = MemoryDisk::new();
    {
        let data = data_dir(folder.path(), &disk);
        for (number, objects) in [(1, 1), (2, 3), (3, 1)] {
            for object in 0..objects {
                let object = path(&format!("segments/{object}"));
                blobs(&data, number).put(&object, b"x").expect("written");
            }
        }
    }
    let own = read(&disk, &keyring(folder.path(), 1));
    for other in [2, 3] {
        write(&disk, &keyring(folder.path(), 1), &read(&disk, &keyring(folder.path(), other)));
        let error = reopen(folder.path(), &disk).expect_err("another tenant's");
        assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}");
    }
    write(&disk, &keyring(folder.path(), 1), &own);
    let blobs = reopen(folder.path(), &disk).expect("it opens");
    assert_eq!(blobs.get(&path("segments/0")).expect("its own"), b"x");
}

#[test]
fn a_lost_keyring_is_told_from_one_that_never_was() {
    let folder = tempfile::tempdir().expect("a folder");
    let disk = MemoryDisk::new();
    let keys = keyring(folder.path(), 1);
    drop(reopen(folder.path(), &disk).expect("made"));
    disk.remove(&keys).expect("there is one from the beginning");
    let blobs = reopen(folder.path(), &disk).expect("without objects nothing is lost");
    blobs.put(&path(B), b"x").expect("written");
    drop(blobs);
    let before = read(&disk, &keys);
    disk.remove(&keys).expect("it was there");
    let error = reopen(folder.path(), &disk).expect_err("lost");
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    assert_eq!(error.to_string(), "the keyring of the tenant is lost; restore control/keyrings");
    assert!(!disk.exists(&keys), "and none is made");
    write(&disk, &keys, &before);
    assert!(reopen(folder.path(), &disk).is_ok());

    // A folder that is not there, such as one that is not mounted, is no reason to destroy keys.
    let moved = disk.after_power_cut(0);
    moved.remove(&place(folder.path(), 1, "tenant.key")).expect("it was there");
    moved.remove(&place(folder.path(), 1, B)).expect("it was there");
    let error = reopen(folder.path(), &moved).expect_err("the folder is lost");
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    assert_eq!(read(&moved, &keys), before);
    assert!(!moved.exists(&place(folder.path(), 1, "tenant.key")), "and none is made");
}

/// A tenant with three objects, of which the last has the last record.
fn three_objects(folder: &Path) -> MemoryDisk {
    let disk = MemoryDisk::new();
    let blobs = reopen(folder, &disk).expect("it opens");
    for at in ["segments/0", "segments/1", "segments/2"] {
        blobs.put(&path(at), at.as_bytes()).expect("written");
    }
    disk
}

fn opens(blobs: &TenantBlobs, at: &str) -> bool {
    match blobs.get(&path(at)) {
        Ok(bytes) => {
            assert_eq!(bytes, at.as_bytes());
            true
        }
        Err(error) => {
            assert!([ErrorKind::Corrupt, ErrorKind::NotFound].contains(&error.kind()), "{error}");
            false
        }
    }
}

#[test]
fn a_torn_last_record_is_dropped_when_it_has_no_object_and_refused_when_it_may_have() {
    let folder = tempfile::tempdir().expect("a folder");
    let whole = three_objects(folder.path());
    let keys = keyring(folder.path(), 1);
    let length = read(&whole, &keys).len();
    assert_eq!(length, KEYRING_HEADER_BYTES + 3 * RECORD_BYTES);
    for cut in 1..=RECORD_BYTES {
        // Its object never got its name.
        let disk = whole.after_power_cut(0);
        disk.remove(&place(folder.path(), 1, "segments/2")).expect("it was there");
        disk.tamper(&keys, |bytes| bytes.truncate(length - cut));
        let blobs = reopen(folder.path(), &disk).expect("it opens");
        assert_eq!(records(&disk, folder.path(), 1).len(), 2, "cut by {cut}");
        assert!(opens(&blobs, "segments/0") && opens(&blobs, "segments/1"), "cut by {cut}");
        blobs.put(&path("segments/2"), b"segments/2").expect("written");
        drop(blobs);
        let blobs = reopen(folder.path(), &disk.after_power_cut(0)).expect("it opens");
        assert!(opens(&blobs, "segments/2"), "cut by {cut}");

        // Its object is there, so the record was whole once.
        let disk = whole.after_power_cut(0);
        disk.tamper(&keys, |bytes| bytes.truncate(length - cut));
        let before = read(&disk, &keys);
        match reopen(folder.path(), &disk) {
            Ok(blobs) => {
                assert_eq!(cut, RECORD_BYTES, "nothing tells that a record was there");
                assert!(!opens(&blobs, "segments/2") && opens(&blobs, "segments/0"));
            }
            Err(error) => assert_eq!(error.kind(), ErrorKind::Corrupt, "cut by {cut}"),
        }
        assert_eq!(read(&disk, &keys), before, "nothing was changed, cut by {cut}");
    }
}

#[test]
fn a_flipped_byte_of_a_keyring_never_gives_a_wrong_key() {
    let folder = tempfile::tempdir().expect("a folder");
    let whole = three_objects(folder.path());
    let keys = keyring(folder.path(), 1);
    let length = read(&whole, &keys).len();
    for at in 0..length {
        let disk = whole.after_power_cut(0);
        disk.tamper(&keys, |bytes| bytes[at] ^= 1 << (at % 8));
        let before = read(&disk, &keys);
        let error = reopen(folder.path(), &disk).expect_err("each record has its object");
        assert_eq!(error.kind(), ErrorKind::Corrupt, "byte {at}");
        assert_eq!(read(&disk, &keys), before, "nothing was changed, byte {at}");
        // Without the last object, its record looks like a torn one.
        disk.remove(&place(folder.path(), 1, "segments/2")).expect("it was there");
        match reopen(folder.path(), &disk) {
            Ok(blobs) => {
                assert!(at >= length - RECORD_BYTES, "byte {at}");
                assert!(opens(&blobs, "segments/0") && opens(&blobs, "segments/1"), "byte {at}");
            }
            Err(error) => assert_eq!(error.kind(), ErrorKind::Corrupt, "byte {at}"),
        }
    }
}

#[test]
fn a_damaged_header_costs_no_key() {
    let folder = tempfile::tempdir().expect("a folder");
    let disk = three_objects(folder.path());
    let damaged = place(folder.path(), 1, "segments/1");
    let whole = read(&disk, &damaged);
    let orphan = || {
        // The next start would destroy the key of an object that is gone.
        drop(disk.remove(&place(folder.path(), 1, "segments/2")));
    };
    for change in (0..24).map(Some).chain([None]) {
        disk.tamper(&damaged, |bytes| match change {
            Some(at) => bytes[at] ^= 4,
            None => bytes.truncate(20),
        });
        let blobs = reopen(folder.path(), &disk).expect("it opens");
        assert!(opens(&blobs, "segments/0") && !opens(&blobs, "segments/1"), "{change:?}");
        write(&disk, &damaged, &whole);
        assert!(opens(&blobs, "segments/1"), "{change:?}");
    }
    disk.tamper(&damaged, |bytes| bytes[10] ^= 4);
    orphan();
    drop(reopen(folder.path(), &disk).expect("it opens"));
    assert_eq!(records(&disk, folder.path(), 1).len(), 3, "any may be the damaged one's");
    write(&disk, &damaged, &whole);
    let blobs = reopen(folder.path(), &disk).expect("it opens");
    assert_eq!(records(&disk, folder.path(), 1).len(), 2, "now it is known whose they are");
    assert!(opens(&blobs, "segments/0") && opens(&blobs, "segments/1"));
}

#[test]
fn who_opens_a_tenant_again_takes_no_key_from_who_is_writing() {
    let folder = tempfile::tempdir().expect("a folder");
    let disk = MemoryDisk::new();
    let data = data_dir(folder.path(), &disk);
    let first = blobs(&data, 1);
    let mut writer = first.create(&path(A)).expect("begun");
    writer.write_all(b"written meanwhile").expect("written");
    let second = blobs(&data, 1);
    second.put(&path(B), b"x").expect("written");
    second.delete(&path(B)).expect("deleted");
    writer.finish().expect("finished");
    drop(first);
    assert_eq!(blobs(&data, 1).get(&path(A)).expect("it opens"), b"written meanwhile");
    drop((second, data));
    let again = reopen(folder.path(), &disk).expect("it opens");
    assert_eq!(again.get(&path(A)).expect("it opens"), b"written meanwhile");
}

#[test]
fn what_is_not_finished_has_no_key_on_the_disk() {
    let folder = tempfile::tempdir().expect("a folder");
    let disk = MemoryDisk::new();
    let blobs = reopen(folder.path(), &disk).expect("it opens");
    let mut writer = blobs.create(&path(A)).expect("begun");
    writer.write_all(&[1; 100_000]).expect("written");
    let mut log = blobs.create_log(&path(LOG)).expect("begun");
    log.append(b"frames").expect("written");
    assert!(records(&disk, folder.path(), 1).is_empty());
    drop((writer, log));
    assert!(records(&disk, folder.path(), 1).is_empty());
    assert_eq!(sealed_files(&disk, folder.path(), 1), 0);
}

#[test]
fn a_disk_that_fails_the_keyring_loses_no_object_and_is_overcome() {
    let folder = tempfile::tempdir().expect("a folder");
    let all_have_keys = |disk: &MemoryDisk| {
        let keys = records(disk, folder.path(), 1).len();
        assert_eq!(keys, sealed_files(disk, folder.path(), 1));
    };
    for fault in [Fault::Sync, Fault::ShortAppend(0), Fault::ShortAppend(30)] {
        let disk = three_objects(folder.path());
        let blobs = reopen(folder.path(), &disk).expect("it opens");
        // The keyring is written whole in the first round, and a record is appended later.
        for round in 0..3 {
            let object = path(&format!("segments/n{round}"));
            if fault == Fault::Sync {
                blobs.put(&object, b"x").expect("written");
                disk.fail_next(fault);
                blobs.delete(&object).expect_err("the key is not destroyed yet");
                assert_eq!(kind_of(&blobs, object.as_str()), Some(ErrorKind::NotFound));
            } else {
                let mut log = blobs.create_log(&path(LOG)).expect("begun");
                disk.fail_next(fault);
                log.publish().expect_err("the key is not durable");
            }
            let cut = disk.after_power_cut(40);
            let after = reopen(folder.path(), &cut).expect("it opens");
            assert!(opens(&after, "segments/0") && opens(&after, "segments/2"));
            all_have_keys(&cut);
            blobs.delete(&object).expect("deleted, be it again");
            all_have_keys(&disk);
            blobs.put(&object, b"x").expect("written");
            all_have_keys(&disk);
        }
        assert!(opens(&blobs, "segments/0") && opens(&blobs, "segments/2"));
    }
}

#[test]
fn a_full_disk_keeps_no_tenant_from_being_read() {
    let folder = tempfile::tempdir().expect("a folder");
    let disk = three_objects(folder.path());
    let gone = place(folder.path(), 1, "segments/1");
    let copy = read(&disk, &gone);
    disk.remove(&gone).expect("it was there");
    disk.fail_next(Fault::ShortAppend(30));
    let blobs = reopen(folder.path(), &disk).expect("it opens");
    assert!(opens(&blobs, "segments/0") && opens(&blobs, "segments/2"));
    assert_eq!(records(&disk, folder.path(), 1).len(), 3, "there was no room to write it anew");
    write(&disk, &gone, &copy);
    assert!(!opens(&blobs, "segments/1"), "its key is not given out any more");
    blobs.put(&path("segments/3"), b"segments/3").expect("written");
    assert_eq!(records(&disk, folder.path(), 1).len(), 3, "and now it is destroyed");
    assert!(opens(&blobs, "segments/3") && !opens(&blobs, "segments/1"));
}

#[test]
fn names_of_files_that_are_not_sealed_are_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let blobs = reopen(folder.path(), &MemoryDisk::new()).expect("it opens");
    let names = ["catalog.db", "records.db-wal", "a/b.unfinished", "a/b.quarantined"];
    for name in names {
        let refused = blobs.create(&path(name)).expect_err(name);
        assert_eq!(refused.kind(), ErrorKind::Invalid);
        assert!(blobs.create_log(&path(name)).is_err());
    }
    blobs.put(&path("segments/a.db"), b"x").expect("in folders there are no databases");
}

#[test]
fn many_write_replace_delete_and_read_at_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let disk = MemoryDisk::new();
    let data = data_dir(folder.path(), &disk);
    let shared = path("segments/shared");
    blobs(&data, 1).put(&shared, b"first").expect("written");
    thread::scope(|scope| {
        for writer in 0..4_u8 {
            let (blobs, shared) = (blobs(&data, 1), shared.clone());
            scope.spawn(move || {
                for round in 0..40 {
                    let own = path(&format!("segments/{writer}-{}", round % 5));
                    blobs.put(&own, &[writer; 10]).expect("written");
                    blobs.put(&shared, &[writer; 10]).expect("written");
                    assert_eq!(blobs.get(&own).expect("its own"), [writer; 10]);
                    match round % 4 {
                        0 => blobs.delete(&own).expect("deleted"),
                        1 => put_log(&blobs, &format!("journal/{writer}.log"), b"x"),
                        2 => drop(blobs.delete(&path("segments/contested"))),
                        _ => blobs.put(&path("segments/contested"), b"x").expect("written"),
                    }
                }
            });
        }
        let (blobs, shared) = (blobs(&data, 1), shared.clone());
        scope.spawn(move || {
            for _ in 0..2000 {
                blobs.get(&shared).expect("whoever replaces it, it is there and opens");
                if let Some(kind) = kind_of(&blobs, "segments/contested") {
                    assert_eq!(kind, ErrorKind::NotFound);
                }
            }
        });
    });
    assert_eq!(
        records(&disk, folder.path(), 1).len(),
        sealed_files(&disk, folder.path(), 1),
        "each file has its key, and no key is left over"
    );
    drop(data);
    let blobs = reopen(folder.path(), &disk.after_power_cut(0)).expect("it opens");
    let objects = blobs.list(&path("segments")).expect("a list");
    assert!(objects.len() > 10);
    objects.iter().for_each(|object| drop(blobs.get(object).expect("it opens")));
    (0..4)
        .for_each(|writer| assert_eq!(kind_of_log(&blobs, &format!("journal/{writer}.log")), None));
}

fn real(folder: &Path) -> DataDir {
    let options = Options { disk: Arc::new(RealDisk), ..Options::default() };
    DataDir::open(folder, Chance::system(), options).expect("the folder opens")
}

#[test]
fn on_the_machines_disk_too() {
    let folder = tempfile::tempdir().expect("a folder");
    let erased = place(folder.path(), 1, B);
    let copy = {
        let data = real(folder.path());
        let blobs = blobs(&data, 1);
        for at in [A, B, "segments/linked/c"] {
            blobs.put(&path(at), at.as_bytes()).expect("written");
        }
        put_log(&blobs, LOG, b"x");
        let copy = std::fs::read(&erased).expect("read");
        blobs.put(&path("orphan"), b"x").expect("written");
        copy
    };
    // A crash between the removal of a file and of its key; and a folder that was moved elsewhere.
    std::fs::remove_file(place(folder.path(), 1, "orphan")).expect("removed");
    let linked = place(folder.path(), 1, "segments/linked");
    std::fs::rename(&linked, folder.path().join("elsewhere")).expect("moved");
    std::os::unix::fs::symlink(folder.path().join("elsewhere"), &linked).expect("linked");
    {
        let data = real(folder.path());
        let blobs = blobs(&data, 1);
        assert_eq!(records(&RealDisk, folder.path(), 1).len(), 4);
        assert!([A, B, "segments/linked/c"].iter().all(|at| opens(&blobs, at)));
        assert_eq!(kind_of_log(&blobs, LOG), None);
        blobs.delete(&path(B)).expect("deleted");
    }
    write(&RealDisk, &erased, &copy);
    std::fs::rename(folder.path().join("elsewhere"), folder.path().join("away")).expect("moved");
    let away = try_blobs(&real(folder.path()), 1);
    assert!(away.is_err(), "what a link led to is away, and not deleted");
    std::fs::rename(folder.path().join("away"), folder.path().join("elsewhere")).expect("moved");
    let data = real(folder.path());
    let blobs = blobs(&data, 1);
    assert_eq!(kind_of(&blobs, B), Some(ErrorKind::Corrupt));
    assert!(opens(&blobs, A) && opens(&blobs, "segments/linked/c"));
}

#[test]
fn no_copy_of_a_deleted_tenant_opens() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = real(folder.path());
    let held = blobs(&data, 1);
    held.put(&path(A), b"x").expect("written");
    blobs(&data, 2).put(&path(A), b"the other's").expect("written");
    let copied = [A, "tenant.key"].map(|at| {
        let place = place(folder.path(), 1, at);
        let bytes = std::fs::read(&place).expect("read");
        (place, bytes)
    });
    let operator = Principal::operator(RecordId::from_bytes([9; 16]).expect("not zero"));
    let scope = authorize_operator(&operator, Action::ManageTenants).expect("an operator may");
    data.delete_tenant(&scope, tenant(1)).expect("deleted");
    data.delete_tenant(&scope, tenant(1)).expect("deleting twice is no error");
    assert!(!keyring(folder.path(), 1).exists());
    assert!(!place(folder.path(), 1, "").exists());
    let late = held.put(&path(B), b"late").expect_err("the tenant is gone");
    assert_eq!(late.kind(), ErrorKind::NotFound);
    for (place, bytes) in copied {
        std::fs::create_dir_all(place.parent().expect("a folder")).expect("made");
        std::fs::write(place, bytes).expect("put back");
    }
    let error = data.blobs(&upkeep(tenant(1), Job::Recover)).expect_err("nothing opens it");
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    assert_eq!(blobs(&data, 2).get(&path(A)).expect("another's"), b"the other's");
}
