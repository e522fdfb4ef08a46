//! Sealed objects: what was written is read, and nothing else opens.

use std::io::Write;
use std::sync::Arc;

use ledgerline_policy::{Job, upkeep};
use ledgerline_world::disk::{Disk, MemoryDisk};
use ledgerline_world::{Chance, DataDir, ErrorKind, Options};
use proptest::prelude::*;

use crate::support::{blobs, data_dir, path, place, tenant};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn any_range_of_what_was_written_is_read(
        length in prop_oneof![0..2000_usize, 65_000..66_000_usize, 131_072..131_073_usize],
        piece in 1..70_000_usize,
        ranges in prop::collection::vec((0.0..1.0_f64, 0.0..1.0_f64), 8),
    ) {
        let folder = tempfile::tempdir()?;
        let blobs = blobs(&data_dir(folder.path(), &MemoryDisk::new()), 1);
        let bytes: Vec<u8> = (0..length).map(|at| ((at * 31) >> 3) as u8).collect();
        let mut writer = blobs.create(&path("segments/a"))?;
        for piece in bytes.chunks(piece) {
            writer.write_all(piece)?;
        }
        let written = writer.finish()?;
        prop_assert_eq!(written.plain_bytes, length as u64);
        let blob = blobs.open_blob(&path("segments/a"))?;
        prop_assert_eq!(blob.len(), length as u64);
        prop_assert_eq!(blob.sealed_len(), written.sealed_bytes);
        blob.verify()?;
        for (a, b) in ranges {
            let (a, b) = ((a * length as f64) as usize, (b * length as f64) as usize);
            let (start, end) = (a.min(b), a.max(b));
            prop_assert_eq!(blob.read_at(start as u64, end - start)?, &bytes[start..end]);
        }
        prop_assert!(blob.read_at(length as u64, 1).is_err());
    }
}

#[test]
fn a_changed_or_cut_object_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let disk = MemoryDisk::new();
    let blobs = blobs(&data_dir(folder.path(), &disk), 1);
    let place = place(folder.path(), 1, "segments/a");
    let bytes = vec![5; 130_000];
    blobs.put(&path("segments/a"), &bytes).expect("it is written");
    let length = disk.open(&place).and_then(|file| file.len()).expect("it is there") as usize;
    let mut whole = Vec::new();
    disk.tamper(&place, |bytes| whole.clone_from(bytes));
    let intact = || {
        let blob = blobs.open_blob(&path("segments/a"))?;
        blob.verify()
    };
    for at in (0..90).chain((90..length).step_by(997)).chain(length - 17..length) {
        disk.tamper(&place, |bytes| bytes[at] ^= 1);
        let error = intact().expect_err("a flipped bit is seen");
        assert_eq!(error.kind(), ErrorKind::Corrupt, "byte {at}: {error}");
        disk.tamper(&place, |bytes| bytes[at] ^= 1);
    }
    for left in [0, 10, 68, 84, 65_620, length - 1] {
        disk.tamper(&place, |bytes| bytes.truncate(left));
        assert!(intact().is_err(), "cut to {left} bytes");
        disk.tamper(&place, |bytes| bytes.clone_from(&whole));
    }
    assert!(intact().is_ok());
}

#[test]
fn an_object_opens_at_its_own_place_only() {
    let folder = tempfile::tempdir().expect("a folder");
    let disk = MemoryDisk::new();
    let data = data_dir(folder.path(), &disk);
    let (alpha, beta) = (blobs(&data, 1), blobs(&data, 2));
    alpha.put(&path("segments/a"), b"alpha's").expect("it is written");
    beta.put(&path("segments/a"), b"beta's").expect("it is written");
    beta.put(&path("segments/b"), b"beta's other").expect("it is written");
    let (of_alpha, of_beta) =
        (place(folder.path(), 1, "segments/a"), place(folder.path(), 2, "segments/a"));
    let mut stolen = Vec::new();
    disk.tamper(&of_alpha, |bytes| stolen.clone_from(bytes));
    disk.tamper(&of_beta, |bytes| bytes.clone_from(&stolen));
    let moved = beta.get(&path("segments/a")).expect_err("another tenant's object");
    assert_eq!(moved.kind(), ErrorKind::Corrupt);
    disk.rename(&place(folder.path(), 2, "segments/b"), &of_beta).expect("a move");
    let moved = beta.get(&path("segments/a")).expect_err("another path's object");
    assert_eq!(moved.kind(), ErrorKind::Corrupt);
    assert_eq!(alpha.get(&path("segments/a")).expect("its own"), b"alpha's");
}

#[test]
fn a_tenant_key_opens_with_its_root_key_and_for_its_tenant_only() {
    let folder = tempfile::tempdir().expect("a folder");
    let disk = MemoryDisk::new();
    {
        let data = data_dir(folder.path(), &disk);
        blobs(&data, 1).put(&path("a"), b"x").expect("it is written");
        blobs(&data, 2);
        assert_eq!(
            DataDir::open(folder.path(), Chance::seeded(1), Options::default())
                .expect_err("held already")
                .kind(),
            ErrorKind::Busy
        );
    }
    let (one, two) = (place(folder.path(), 1, "tenant.key"), place(folder.path(), 2, "tenant.key"));
    let mut key = Vec::new();
    disk.tamper(&two, |bytes| key.clone_from(bytes));
    disk.tamper(&one, |bytes| std::mem::swap(bytes, &mut key));
    let data = data_dir(folder.path(), &disk);
    let swapped = data.blobs(&upkeep(tenant(1), Job::Recover)).expect_err("another tenant's key");
    assert_eq!(swapped.kind(), ErrorKind::Corrupt);
    drop(data);
    disk.tamper(&one, |bytes| std::mem::swap(bytes, &mut key));
    assert_eq!(blobs(&data_dir(folder.path(), &disk), 1).get(&path("a")).expect("back"), b"x");
    std::fs::remove_file(folder.path().join("control/root.key")).expect("removed");
    Disk::remove(&disk, &folder.path().join("control/archive")).expect("removed");
    let options = Options { disk: Arc::new(disk.clone()), ..Options::default() };
    let other = DataDir::open(folder.path(), Chance::seeded(8), options).expect("a new root key");
    let lost = other.blobs(&upkeep(tenant(1), Job::Recover)).expect_err("sealed by another root");
    assert_eq!(lost.kind(), ErrorKind::Corrupt);
}

#[test]
fn a_root_key_that_others_may_read_is_refused() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().expect("a folder");
    drop(data_dir(folder.path(), &MemoryDisk::new()));
    let key = folder.path().join("control/root.key");
    let mode = std::fs::metadata(&key).expect("it is there").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    std::fs::set_permissions(&key, PermissionsExt::from_mode(0o644)).expect("changed");
    let refused = DataDir::open(folder.path(), Chance::seeded(1), Options::default());
    assert_eq!(refused.expect_err("readable by others").kind(), ErrorKind::Invalid);
}

#[test]
fn what_was_finished_survives_a_power_cut_and_nothing_else_is_seen() {
    let folder = tempfile::tempdir().expect("a folder");
    let disk = MemoryDisk::new();
    let data = data_dir(folder.path(), &disk);
    let blobs_before = blobs(&data, 1);
    blobs_before.put(&path("segments/1/a"), b"kept").expect("it is written");
    let mut unfinished = blobs_before.create(&path("segments/1/b")).expect("begun");
    unfinished.write_all(&[1; 100_000]).expect("written");
    let after = disk.after_power_cut(0);
    drop((unfinished, blobs_before, data));
    assert_eq!(disk.all_files().iter().filter(|file| file.ends_with("b")).count(), 0);
    let blobs_after = blobs(&data_dir(folder.path(), &after), 1);
    let listed = blobs_after.list(&path("segments/1")).expect("a list");
    assert_eq!(listed, [path("segments/1/a")]);
    assert_eq!(blobs_after.get(&path("segments/1/a")).expect("kept"), b"kept");
    blobs_after.delete(&path("segments/1/a")).expect("deleted");
    blobs_after.delete(&path("segments/1/a")).expect("deleting twice is no error");
    let gone = blobs_after.get(&path("segments/1/a")).expect_err("gone");
    assert_eq!(gone.kind(), ErrorKind::NotFound);
}
