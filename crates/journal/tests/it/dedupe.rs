//! What is sent twice is stored once: within a batch, across batches, restarts and trims.

use std::sync::Arc;
use std::time::Duration;

use ledgerline_journal::{ErrorKind, Options, Position, Start};
use ledgerline_model::id::{DatasetId, Seq};
use ledgerline_world::disk::MemoryDisk;

use crate::support::{Bench, key, small_files};

const DAY: Duration = Duration::from_secs(24 * 3600);

#[test]
fn the_same_key_is_answered_as_before_and_other_contents_are_refused() {
    let bench = Bench::new();
    let disk = MemoryDisk::new();
    let opened = bench.open(&disk, Options::default()).expect("it opens");
    let first = bench.append(&opened, 1, bench.texts(&["a"]), key("k", 1)).expect("stored");
    let again = bench.append(&opened, 1, bench.texts(&["a"]), key("k", 1)).expect("answered");
    assert!(again.replayed && !first.replayed);
    assert_eq!((again.first_seq, again.id_base), (first.first_seq, first.id_base));
    let refused = bench.append(&opened, 1, bench.texts(&["b"]), key("k", 2)).expect_err("other");
    assert_eq!(refused.kind(), ErrorKind::Conflict);
    let other = bench.append(&opened, 2, bench.texts(&["a"]), key("k", 1)).expect("stored");
    assert!(!other.replayed, "a key counts within its dataset");
    assert_eq!(opened.texts(), ["a", "a"]);
    drop(opened);
    let opened = bench.open(&disk.after_power_cut(0), Options::default()).expect("it opens");
    let again = bench.append(&opened, 1, bench.texts(&["a"]), key("k", 1)).expect("answered");
    assert!(again.replayed);
    assert_eq!((again.first_seq, again.id_base), (first.first_seq, first.id_base));
    let refused = bench.append(&opened, 1, bench.texts(&["b"]), key("k", 2)).expect_err("other");
    assert_eq!(refused.kind(), ErrorKind::Conflict);
}

#[test]
fn of_requests_with_the_same_key_at_once_one_is_stored() {
    let bench = Bench::new();
    let opened = bench.open(&MemoryDisk::new(), Options::default()).expect("it opens");
    let batches = (0..16).map(|_| (1, bench.texts(&["a"]), key("k", 1))).collect();
    let mut stored = 0;
    for answer in bench.append_at_once(&opened, batches) {
        match answer {
            Ok(receipt) => stored += u64::from(!receipt.replayed),
            Err(error) => assert_eq!(error.kind(), ErrorKind::InFlight),
        }
    }
    assert_eq!(stored, 1);
    assert_eq!(opened.texts(), ["a"]);
    let again = bench.append(&opened, 1, bench.texts(&["a"]), key("k", 1)).expect("answered");
    assert!(again.replayed, "the key is free again");
}

#[test]
fn a_key_of_a_batch_without_new_events_is_remembered() {
    let bench = Bench::new();
    let opened = bench.open(&MemoryDisk::new(), Options::default()).expect("it opens");
    bench.append(&opened, 1, bench.batch(&[("a", Some("1"))]), None).expect("stored");
    for replayed in [false, true] {
        let batch = bench.batch(&[("a", Some("1"))]);
        let receipt = bench.append(&opened, 1, batch, key("k", 1)).expect("answered");
        assert_eq!((receipt.stored, receipt.duplicates), (0, 1));
        assert_eq!(receipt.replayed, replayed);
    }
    let empty = bench.append(&opened, 1, bench.texts(&[]), key("empty", 1)).expect("answered");
    assert!(!empty.replayed);
    let refused = bench.append(&opened, 1, bench.texts(&[]), key("empty", 2)).expect_err("other");
    assert_eq!(refused.kind(), ErrorKind::Conflict);
}

#[test]
fn an_event_whose_id_was_stored_is_left_out() {
    let bench = Bench::new();
    let disk = MemoryDisk::new();
    let opened = bench.open(&disk, Options::default()).expect("it opens");
    let batch = bench.batch(&[("a", Some("1")), ("b", None), ("c", Some("1")), ("d", Some("2"))]);
    let first = bench.append(&opened, 1, batch, None).expect("stored");
    assert_eq!((first.stored, first.duplicates), (3, 1));
    let batch = bench.batch(&[("e", Some("2")), ("b", None), ("f", Some("3"))]);
    let second = bench.append(&opened, 1, batch.clone(), None).expect("stored");
    assert_eq!((second.first_seq, second.stored, second.duplicates), (Seq(3), 2, 1));
    let other = bench.append(&opened, 2, batch, None).expect("stored");
    assert_eq!((other.stored, other.duplicates), (3, 0), "an id counts within its dataset");
    assert_eq!(opened.texts(), ["a", "b", "d", "b", "f", "e", "b", "f"]);
    drop(opened);
    let opened = bench.open(&disk.after_power_cut(0), Options::default()).expect("it opens");
    let batch = bench.batch(&[("a", Some("1")), ("f", Some("3")), ("g", Some("4"))]);
    let third = bench.append(&opened, 1, batch, None).expect("stored");
    assert_eq!((third.first_seq, third.stored, third.duplicates), (Seq(5), 1, 2));
}

#[test]
fn of_events_with_the_same_id_at_once_one_is_stored() {
    let bench = Bench::new();
    let opened = bench.open(&MemoryDisk::new(), Options::default()).expect("it opens");
    let batches = (0..50)
        .map(|n| (1, bench.batch(&[("same", Some("1")), (&n.to_string(), None)]), None))
        .collect();
    let answers = bench.append_at_once(&opened, batches);
    let duplicates: u64 =
        answers.into_iter().map(|answer| answer.expect("stored").duplicates).sum();
    assert_eq!(duplicates, 49);
    let texts = opened.texts();
    assert_eq!(texts.iter().filter(|text| *text == "same").count(), 1);
    assert_eq!(texts.len(), 51);
}

#[test]
fn keys_and_ids_outlive_the_commits_that_carried_them_for_a_day() {
    let bench = Bench::new();
    let disk = MemoryDisk::new();
    let opened = bench.open(&disk, small_files()).expect("it opens");
    let batch = || bench.batch(&[("a", Some("1"))]);
    bench.append(&opened, 1, batch(), key("k", 1)).expect("stored");
    let fill = "x".repeat(2000);
    bench.append_all(&opened, &[&fill, &fill, &fill]);
    opened.trim(4).expect("trimmed");
    drop(opened);
    let disk = disk.after_power_cut(0);
    let reopen = || {
        let start = Start { applied: Position(4), next_seqs: vec![(DatasetId(1), Seq(4))] };
        bench.open_blobs(bench.blobs(Arc::new(disk.clone())), small_files(), start)
    };
    let opened = reopen().expect("it opens");
    let again = bench.append(&opened, 1, batch(), key("k", 1)).expect("answered");
    assert!(again.replayed);
    let by_id = bench.append(&opened, 1, batch(), None).expect("answered");
    assert_eq!((by_id.stored, by_id.duplicates), (0, 1));
    drop(opened);
    bench.clock.advance(DAY + Duration::from_secs(1));
    let opened = reopen().expect("it opens");
    let later = bench.append(&opened, 1, batch(), key("k", 2)).expect("stored");
    assert_eq!((later.stored, later.duplicates, later.replayed), (1, 0, false));
}

#[test]
fn a_trim_is_put_off_that_would_keep_more_than_it_frees() {
    let bench = Bench::new();
    let disk = MemoryDisk::new();
    let opened = bench.open(&disk, small_files()).expect("it opens");
    let mut stored = 0;
    let mut store = |count: u64| {
        for number in stored..stored + count {
            let key = key(&number.to_string(), 1);
            bench.append(&opened, 1, bench.texts(&["a"]), key).expect("stored");
        }
        stored += count;
        opened.trim(stored).expect("trimmed");
        (bench.log_files(&disk).len(), opened.journal.size_bytes())
    };
    let (files, _) = store(60);
    assert_eq!(files, 1);
    let kept = || {
        let mut bytes = Vec::new();
        disk.tamper(&bench.place("journal/dedupe"), |kept| bytes.clone_from(kept));
        bytes
    };
    let before = kept();
    let (_, size_bytes) = store(5);
    assert!(size_bytes > 900 && kept() == before, "60 keys are kept already");
    let (files, less_bytes) = store(60);
    assert!(files == 1 && less_bytes < size_bytes && kept() != before);
    let again = bench.append(&opened, 1, bench.texts(&["a"]), key("61", 1)).expect("answered");
    assert!(again.replayed);
}

#[test]
fn damaged_keys_are_set_aside_and_told() {
    let bench = Bench::new();
    let disk = MemoryDisk::new();
    let opened = bench.open(&disk, small_files()).expect("it opens");
    bench.append(&opened, 1, bench.texts(&["a"]), key("k", 1)).expect("stored");
    let fill = "x".repeat(2000);
    bench.append_all(&opened, &[&fill, &fill]);
    opened.trim(3).expect("trimmed");
    drop(opened);
    disk.tamper(&bench.place("journal/dedupe"), |bytes| bytes[100] ^= 1);
    let start = Start { applied: Position(3), next_seqs: vec![(DatasetId(1), Seq(3))] };
    let blobs = bench.blobs(Arc::new(disk.clone()));
    let opened = bench.open_blobs(blobs, small_files(), start).expect("it opens");
    assert_eq!(opened.recovered.quarantined.len(), 1);
    assert!(opened.recovered.quarantined[0].starts_with("journal/dedupe: "));
    assert!(disk.all_files().contains(&bench.place("journal/dedupe.quarantined")));
}
