//! Power cuts and lost processes at every change of the disk.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use ledgerline_world::disk::MemoryDisk;
use ledgerline_world::{ErrorKind, Result, TenantBlobs};
use proptest::prelude::*;

use crate::support::{
    data_dir, keyring, path, place, read, records, reopen, sealed_files, tenant, try_blobs,
    try_data_dir, write,
};

/// What a path holds.
type Contents = BTreeMap<String, Vec<u8>>;

/// One thing that is done.
#[derive(Debug, Clone)]
enum Step {
    Put(u8, u8),
    PutLog(u8, u8),
    Delete(Vec<u8>),
    Quarantine(u8),
    Archive(u8),
    Abandon(u8),
}

fn name(number: u8) -> String {
    ["segments/a", "segments/deep/b", "journal/c", "d"][usize::from(number % 4)].to_owned()
}

fn is_log(bytes: &[u8]) -> bool {
    bytes.len() == 2
}

/// Opens what a path holds, whichever of the two it is.
fn open(blobs: &TenantBlobs, at: &str) -> Result<Vec<u8>> {
    let at = path(at);
    let Ok(log) = blobs.open_log(&at) else { return blobs.get(&at) };
    let mut frame = log.read_at(ledgerline_world::LogReader::START, 100)?;
    Ok(log.key().open(3, &mut frame)?.to_vec())
}

impl Step {
    fn take(&self, blobs: &TenantBlobs) -> Result<()> {
        match self {
            Self::Put(at, byte) => blobs.put(&path(&name(*at)), &[*byte; 3]),
            Self::PutLog(at, byte) => {
                let mut log = blobs.create_log(&path(&name(*at)))?;
                let mut frame = vec![*byte; 2];
                log.key().seal(3, &mut frame, 0);
                log.append(&frame)?;
                log.publish()
            }
            Self::Delete(all) => {
                let all: Vec<_> = all.iter().map(|at| path(&name(*at))).collect();
                blobs.delete_all(&all)
            }
            Self::Quarantine(at) => match blobs.quarantine(&path(&name(*at))) {
                Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
                done => done,
            },
            Self::Archive(at) => match blobs.archive(&path(&name(*at))) {
                Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::Invalid) => {
                    Ok(())
                }
                done => done,
            },
            Self::Abandon(at) => blobs.create(&path(&name(*at))).map(drop),
        }
    }

    fn model(&self, contents: &mut Contents) {
        match self {
            Self::Put(at, byte) => drop(contents.insert(name(*at), vec![*byte; 3])),
            Self::PutLog(at, byte) => drop(contents.insert(name(*at), vec![*byte; 2])),
            Self::Delete(all) => all.iter().for_each(|at| drop(contents.remove(&name(*at)))),
            Self::Quarantine(at) => {
                if let Some(bytes) = contents.remove(&name(*at)) {
                    contents.insert(format!("{}.quarantined", name(*at)), bytes);
                }
            }
            Self::Archive(_) | Self::Abandon(_) => {}
        }
    }
}

/// Takes steps until one fails. Answers what must be there, and what may be there if that step came
/// to its end all the same.
fn live(blobs: &TenantBlobs, steps: &[Step]) -> (Contents, Option<Contents>) {
    let mut contents = Contents::new();
    for step in steps {
        let before = contents.clone();
        step.model(&mut contents);
        if step.take(blobs).is_err() {
            return (before, Some(contents));
        }
    }
    (contents, None)
}

/// Every object is as it was before or after the step that was cut off, opens, and no key is left
/// over.
fn check(folder: &Path, disk: &MemoryDisk, before: &Contents, after: &Contents, about: &str) {
    let blobs = reopen(folder, disk).unwrap_or_else(|error| panic!("{about}: {error}"));
    for at in before.keys().chain(after.keys()).filter(|at| !at.ends_with("quarantined")) {
        let found = match open(&blobs, at) {
            Ok(found) => Some(found),
            Err(error) => {
                let kind = error.kind();
                assert_eq!(kind, ErrorKind::NotFound, "{about}: {at}: {error}");
                None
            }
        };
        let expected = [before.get(at), after.get(at)];
        assert!(expected.contains(&found.as_ref()), "{about}: {at} holds {found:?}");
    }
    let keys = records(disk, folder, 1).len();
    assert_eq!(keys, sealed_files(disk, folder, 1), "{about}: a key for each file");
    let leftover = keyring(folder, 1).with_extension("keys.unfinished");
    assert!(!disk.all_files().contains(&leftover), "{about}: no keys lie elsewhere");
}

fn script() -> Vec<Step> {
    vec![
        Step::Put(0, 1),
        Step::PutLog(2, 2),
        Step::Put(1, 3),
        Step::Put(0, 4),
        Step::Archive(0),
        Step::Archive(1),
        Step::Abandon(3),
        Step::PutLog(2, 5),
        Step::Put(1, 5),
        Step::Archive(1),
        Step::Quarantine(0),
        Step::Put(0, 6),
        Step::Delete(vec![1]),
        Step::Put(1, 7),
        Step::Put(3, 8),
        Step::Archive(1),
        Step::Quarantine(0),
        Step::Delete(vec![0, 1, 2, 3]),
        Step::Put(0, 9),
    ]
}

#[test]
fn a_cut_after_any_change_leaves_every_object_with_its_key_and_no_other_key() {
    let folder = tempfile::tempdir().expect("a folder");
    for changes in 0.. {
        let disk = MemoryDisk::new();
        let data = data_dir(folder.path(), &disk);
        let blobs = try_blobs(&data, 1).expect("it opens");
        disk.lose_after(changes);
        let (before, after) = live(&blobs, &script());
        disk.keep_all();
        drop((blobs, data));
        let is_cut = after.is_some();
        let after = after.unwrap_or_else(|| before.clone());
        for torn_bytes in [0, 1, 30, 76, 84, 1000] {
            let cut = disk.after_power_cut(torn_bytes);
            let about = format!("power cut after {changes} changes, {torn_bytes} bytes more");
            check(folder.path(), &cut, &before, &after, &about);
        }
        let about = format!("killed after {changes} changes");
        check(folder.path(), &disk, &before, &after, &about);
        // The start above has destroyed keys, so what it saw must last.
        check(folder.path(), &disk.after_power_cut(0), &before, &after, &about);
        if !is_cut {
            assert!(changes > 80, "the script makes more changes than {changes}");
            return;
        }
    }
}

#[test]
fn a_start_that_is_cut_off_can_be_made_again() {
    let folder = tempfile::tempdir().expect("a folder");
    // A tenant with an object too few, a key too many, a torn record and an unfinished keyring.
    let disk = MemoryDisk::new();
    let blobs = reopen(folder.path(), &disk).expect("it opens");
    let (contents, cut) = live(&blobs, &[Step::Put(0, 1), Step::Put(1, 2), Step::PutLog(2, 3)]);
    assert!(cut.is_none());
    drop(blobs);
    let (keys, gone) = (keyring(folder.path(), 1), place(folder.path(), 1, &name(0)));
    write(&disk, &keys.with_extension("keys.unfinished"), &read(&disk, &keys));
    disk.tamper(&keys, |bytes| bytes.extend_from_slice(&[7; 40]));
    ledgerline_world::disk::Disk::remove(&disk, &gone).expect("removed");
    write(&disk, &place(folder.path(), 1, "segments/x.0.unfinished"), b"LLO1");
    let mut contents = contents;
    contents.remove(&name(0));
    for disk in [MemoryDisk::new(), disk] {
        let contents = if disk.all_files().is_empty() { Contents::new() } else { contents.clone() };
        for changes in 0.. {
            let disk = disk.after_power_cut(0);
            disk.lose_after(changes);
            drop(try_data_dir(folder.path(), &disk).and_then(|data| try_blobs(&data, 1)));
            let is_whole = disk.changes() < changes;
            disk.keep_all();
            let about = format!("start cut off after {changes} changes");
            let cut = disk.after_power_cut(20);
            check(folder.path(), &cut, &contents, &contents, &about);
            check(folder.path(), &disk, &contents, &contents, &about);
            if is_whole {
                assert!(changes > 8, "a start makes more changes than {changes}");
                break;
            }
        }
    }
}

fn step() -> impl Strategy<Value = Step> {
    let at = || 0..4_u8;
    prop_oneof![
        3 => (at(), any::<u8>()).prop_map(|(at, byte)| Step::Put(at, byte)),
        2 => (at(), any::<u8>()).prop_map(|(at, byte)| Step::PutLog(at, byte)),
        2 => prop::collection::vec(at(), 0..4).prop_map(Step::Delete),
        1 => at().prop_map(Step::Quarantine),
        2 => at().prop_map(Step::Archive),
        1 => at().prop_map(Step::Abandon),
    ]
}

/// A life: some steps, a cut after so many changes of them, and how it is cut.
fn lives() -> impl Strategy<Value = Vec<(Vec<Step>, u64, Option<usize>)>> {
    let cut = prop_oneof![Just(None), (0..100_usize).prop_map(Some)];
    prop::collection::vec((prop::collection::vec(step(), 1..8), 1..90_u64, cut), 1..5)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn whatever_happens_what_is_there_opens_and_what_is_gone_is_gone_for_good(lives in lives()) {
        let folder = tempfile::tempdir()?;
        let mut disk = MemoryDisk::new();
        // Every sealed file that ever had a name, and where.
        let mut copies: BTreeMap<Vec<u8>, String> = BTreeMap::new();
        for (steps, changes, cut) in lives {
            let blobs = reopen(folder.path(), &disk)?;
            disk.lose_after(changes);
            for step in &steps {
                let done = step.take(&blobs);
                for number in 0..4 {
                    let place = place(folder.path(), 1, &name(number));
                    if disk.all_files().contains(&place) {
                        copies.insert(read(&disk, &place), name(number));
                    }
                }
                if done.is_err() {
                    break;
                }
            }
            disk.keep_all();
            drop(blobs);
            disk = match cut {
                Some(torn_bytes) => disk.after_power_cut(torn_bytes),
                None => disk,
            };
        }
        let blobs = reopen(folder.path(), &disk)?;
        let keys = records(&disk, folder.path(), 1).len();
        prop_assert_eq!(keys, sealed_files(&disk, folder.path(), 1));
        // A copy in the archive counts where there is a marker for it.
        let archive = folder.path().join("archive").join(tenant(1).to_string());
        let is_there = |file: &&PathBuf| match file.strip_prefix(&archive) {
            Ok(at) => ["archived", "archived.quarantined"].iter().any(|ending| {
                let marker = place(folder.path(), 1, "").join(at).with_added_extension(ending);
                disk.all_files().contains(&marker)
            }),
            Err(_) => true,
        };
        let there = disk.all_files();
        let there: Vec<_> = there.iter().filter(is_there).map(|file| read(&disk, file)).collect();
        for number in 0..4 {
            if disk.all_files().contains(&place(folder.path(), 1, &name(number))) {
                let bytes = open(&blobs, &name(number))?;
                prop_assert!(bytes.len() == 3 || is_log(&bytes));
            }
        }
        for (copy, at) in copies {
            let is_there = there.contains(&copy);
            write(&disk, &place(folder.path(), 1, &at), &copy);
            prop_assert_eq!(open(&blobs, &at).is_ok(), is_there, "an old copy of {}", at);
        }
    }
}
