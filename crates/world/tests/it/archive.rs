//! Objects that were moved to the archive.

use std::path::Path;
use std::sync::Arc;

use ledgerline_policy::{Job, upkeep};
use ledgerline_world::disk::{Disk, MemoryDisk};
use ledgerline_world::{Chance, DataDir, ErrorKind, Options, TenantBlobs};

use crate::support::{blobs, data_dir, path, place, read, records, reopen, tenant, write};

fn in_archive(folder: &Path, disk: &MemoryDisk) -> Vec<String> {
    let archive = folder.join("archive");
    let files = disk.all_files();
    let names = files.iter().filter_map(|file| file.strip_prefix(&archive).ok()?.to_str());
    let tenant = format!("{}/", tenant(1));
    names.filter_map(|name| Some(name.strip_prefix(&tenant)?.to_owned())).collect()
}

fn put(blobs: &TenantBlobs, name: &str, bytes: &[u8]) {
    blobs.put(&path(name), bytes).expect("written");
}

#[test]
fn what_was_moved_is_found_listed_and_measured_as_before() {
    let folder = tempfile::tempdir().expect("a folder");
    let disk = MemoryDisk::new();
    let data = data_dir(folder.path(), &disk);
    let one = blobs(&data, 1);
    assert!(one.has_archive());
    let bytes: Vec<u8> = (0..3_000_000_u32).map(|number| number as u8).collect();
    put(&one, "segments/a", &bytes);
    put(&one, "segments/b", b"b");
    let size = one.sealed_bytes(&path("segments/a")).expect("a size");
    let held = one.open_blob(&path("segments/a")).expect("it opens");
    one.archive(&path("segments/a")).expect("moved");
    one.archive(&path("segments/a")).expect("moved already");
    assert!(!disk.exists(&place(folder.path(), 1, "segments/a")));
    assert_eq!(in_archive(folder.path(), &disk), ["segments/a"]);
    assert_eq!(held.read_at(2_000_000, 10).expect("read on"), bytes[2_000_000..2_000_010]);
    for one in [one, {
        drop((held, data));
        reopen(folder.path(), &disk).expect("it opens")
    }] {
        let segments = path("segments");
        let all = [path("segments/a"), path("segments/b")];
        assert_eq!(one.list(&segments).expect("a list"), all);
        assert_eq!(one.list_archived(&segments).expect("a list"), all[..1]);
        assert_eq!(one.sealed_bytes(&all[0]).expect("a size"), size);
        assert_eq!(one.get(&all[0]).expect("found"), bytes);
        let missing = one.archive(&path("segments/c")).expect_err("there is none");
        assert_eq!(missing.kind(), ErrorKind::NotFound);
    }
}

#[test]
fn what_is_deleted_or_replaced_goes_from_the_archive_and_its_key_too() {
    let folder = tempfile::tempdir().expect("a folder");
    let disk = MemoryDisk::new();
    let one = blobs(&data_dir(folder.path(), &disk), 1);
    let archived = folder.path().join("archive").join(tenant(1).to_string());
    for change in [
        &|one: &TenantBlobs| one.delete(&path("segments/a")).expect("deleted"),
        &|one: &TenantBlobs| put(one, "segments/a", b"new"),
    ] as [&dyn Fn(&TenantBlobs); 2]
    {
        put(&one, "segments/a", b"old");
        one.archive(&path("segments/a")).expect("moved");
        let old = read(&disk, &archived.join("segments/a"));
        change(&one);
        assert_eq!(in_archive(folder.path(), &disk), [""; 0]);
        one.delete(&path("segments/a")).expect("deleted");
        assert_eq!(one.get(&path("segments/a")).expect_err("gone").kind(), ErrorKind::NotFound);
        write(&disk, &place(folder.path(), 1, "segments/a"), &old);
        let keyless = one.get(&path("segments/a")).expect_err("its key is gone");
        assert_eq!(keyless.kind(), ErrorKind::Corrupt);
        one.delete(&path("segments/a")).expect("deleted");
    }
    assert_eq!(records(&disk, folder.path(), 1).len(), 0);
}

#[test]
fn an_archive_that_is_away_or_anothers_costs_no_key() {
    let folder = tempfile::tempdir().expect("a folder");
    let disk = MemoryDisk::new();
    let segment = path("segments/a");
    let one = blobs(&data_dir(folder.path(), &disk), 1);
    put(&one, "segments/a", b"kept");
    one.archive(&segment).expect("moved");
    drop(one);
    let id = folder.path().join("archive/archive.id");
    let mark = read(&disk, &id);
    let open = |archive| {
        let options = Options { disk: Arc::new(disk.clone()), archive, ..Options::default() };
        DataDir::open(folder.path(), Chance::seeded(5), options)
    };
    let set = || Some(folder.path().join("archive"));
    // Nothing is mounted there.
    disk.remove(&id).expect("removed");
    assert_eq!(open(set()).expect_err("it is away").kind(), ErrorKind::Invalid);
    // Another is.
    write(&disk, &id, &[&mark[..5], b"another data folder's mark"].concat());
    assert_eq!(open(set()).expect_err("not this one's").kind(), ErrorKind::Invalid);
    write(&disk, &id, &mark);
    // It is not set.
    assert_eq!(open(None).expect_err("where is it?").kind(), ErrorKind::Invalid);
    // It is given up.
    disk.remove(&folder.path().join("control/archive")).expect("removed");
    let data = open(None).expect("it opens");
    let one = data.blobs(&upkeep(tenant(1), Job::Recover)).expect("it opens");
    assert_eq!(one.get(&segment).expect_err("it is away").kind(), ErrorKind::Unavailable);
    assert_eq!(one.list(&path("segments")).expect("a list"), std::slice::from_ref(&segment));
    assert!(one.sealed_bytes(&segment).expect("a size") > 4);
    assert_eq!(one.archive(&path("a")).expect_err("no archive").kind(), ErrorKind::Invalid);
    drop((one, data));
    assert_eq!(
        reopen(folder.path(), &disk).expect("it opens").get(&segment).expect("found"),
        b"kept"
    );
}

#[test]
fn what_is_set_aside_in_the_archive_comes_back_from_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let disk = MemoryDisk::new();
    let data = data_dir(folder.path(), &disk);
    let one = blobs(&data, 1);
    let segment = path("segments/a");
    put(&one, "segments/a", b"kept");
    one.archive(&segment).expect("moved");
    one.quarantine(&segment).expect("set aside");
    assert_eq!(one.get(&segment).expect_err("set aside").kind(), ErrorKind::NotFound);
    drop((one, data));
    let one = reopen(folder.path(), &disk).expect("it opens");
    assert_eq!(
        one.list_set_aside(&path("segments")).expect("a list"),
        std::slice::from_ref(&segment)
    );
    put(&one, "segments/a", b"another");
    assert_eq!(one.archive(&segment).expect_err("it is taken").kind(), ErrorKind::Invalid);
    one.delete(&segment).expect("deleted");
    one.take_back(&segment).expect("back");
    assert!(one.is_archived(&segment));
    assert_eq!(one.get(&segment).expect("found"), b"kept");
}

#[test]
fn an_archived_object_that_was_cut_or_swapped_does_not_open() {
    let folder = tempfile::tempdir().expect("a folder");
    let disk = MemoryDisk::new();
    let one = blobs(&data_dir(folder.path(), &disk), 1);
    for name in ["segments/a", "segments/b"] {
        put(&one, name, name.as_bytes());
        one.archive(&path(name)).expect("moved");
    }
    let archived = folder.path().join("archive").join(tenant(1).to_string());
    let b = read(&disk, &archived.join("segments/b"));
    disk.tamper(&archived.join("segments/a"), |bytes| bytes.clone_from(&b));
    disk.tamper(&archived.join("segments/b"), |bytes| bytes.truncate(bytes.len() - 1));
    for name in ["segments/a", "segments/b"] {
        let error = one.get(&path(name)).expect_err("not what was written");
        assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}");
    }
}
