//! Opening: interrupted at any place it can be done again, and it guesses nothing.

use std::sync::Arc;

use ledgerline_journal::{ErrorKind, Position, Start};
use ledgerline_model::id::{DatasetId, Seq};
use ledgerline_world::disk::{Fault, MemoryDisk};

use crate::support::{Bench, key, small_files, start_after};

/// A journal that is hard to open: sealed files, one cut short by a full disk, keys set aside, and
/// a last file with a torn group.
fn hard_to_open(bench: &Bench) -> (MemoryDisk, Vec<String>) {
    let disk = MemoryDisk::new();
    let opened = bench.open(&disk, small_files()).expect("it opens");
    bench.append(&opened, 1, bench.batch(&[("keyed", Some("1"))]), key("k", 1)).expect("stored");
    let texts: Vec<String> = (0..9).map(|n| format!("event {n}")).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    bench.append_all(&opened, &texts);
    disk.fail_next(Fault::ShortAppend(90));
    bench.append(&opened, 1, bench.texts(&["refused"]), None).expect_err("full");
    bench.append_all(&opened, &["x", "y"]);
    disk.fail_next(Fault::Sync);
    bench.append(&opened, 1, bench.texts(&["unknown"]), None).expect_err("not durable");
    let expected = opened.texts();
    (disk.after_power_cut(100), expected)
}

#[test]
fn a_crash_at_any_step_of_opening_does_no_harm() {
    let bench = Bench::new();
    let (disk, expected) = hard_to_open(&bench);
    let mut steps = 0;
    loop {
        for torn in [0, 9, 100_000] {
            let first = disk.after_power_cut(0);
            let blobs = bench.blobs(Arc::new(first.clone()));
            first.lose_after(steps);
            let opened = bench.open_blobs(blobs, small_files(), Start::default());
            let second = first.after_power_cut(torn);
            drop(opened);
            let opened = bench.open(&second, small_files()).expect("it opens the second time");
            assert_eq!(opened.texts(), expected, "lost after {steps} steps, {torn} bytes torn");
            let again = bench.append(&opened, 1, bench.texts(&["keyed"]), key("k", 1));
            assert!(again.expect("answered").replayed);
        }
        let whole = disk.after_power_cut(0);
        let blobs = bench.blobs(Arc::new(whole.clone()));
        let changes = whole.changes();
        let opened = bench.open_blobs(blobs, small_files(), Start::default()).expect("it opens");
        if whole.changes() - changes <= steps {
            break;
        }
        drop(opened);
        steps += 1;
    }
    assert!(steps >= 4, "opening this journal changes the disk {steps} times");
}

#[test]
fn opening_again_and_again_changes_nothing() {
    let bench = Bench::new();
    let (mut disk, expected) = hard_to_open(&bench);
    for _ in 0..4 {
        let opened = bench.open(&disk, small_files()).expect("it opens");
        assert_eq!(opened.texts(), expected);
        disk = disk.after_power_cut(3);
    }
}

#[test]
fn what_the_catalog_and_the_journal_disagree_on_is_an_error() {
    let bench = Bench::new();
    let disk = MemoryDisk::new();
    let opened = bench.open(&disk, small_files()).expect("it opens");
    bench.append_all(&opened, &["a", "b", "c", "d", "e"]);
    let commits = opened.commits();
    drop(opened);
    let open = |start| {
        let blobs = bench.blobs(Arc::new(disk.clone()));
        bench.open_blobs(blobs, small_files(), start)
    };
    open(start_after(&commits, 3)).expect("they agree");
    let only = |applied, next| Start {
        applied: Position(applied),
        next_seqs: vec![(DatasetId(1), Seq(next))],
    };
    for (start, what) in [
        (only(6, 5), "the journal ends before what is in segments"),
        (only(3, 4), "segments hold an event that the journal has still to hand out"),
        (only(3, 2), "an event is neither in segments nor handed out"),
        (only(0, 1), "segments hold an event before the first commit"),
        (only(5, 6), "segments hold an event that the journal does not know"),
    ] {
        assert_eq!(open(start).expect_err(what).kind(), ErrorKind::Corrupt, "{what}");
    }
    open(Start { applied: Position(3), next_seqs: Vec::new() }).expect("nothing is said");
    let opened = open(Start {
        applied: Position(5),
        next_seqs: vec![(DatasetId(1), Seq(5)), (DatasetId(9), Seq(77))],
    });
    let opened = opened.expect("a dataset whose commits were trimmed");
    let next = bench.append(&opened, 9, bench.texts(&["next"]), None).expect("stored");
    assert_eq!(next.first_seq, Seq(77));
}

#[test]
fn a_journal_that_vanished_is_missed() {
    let bench = Bench::new();
    let start = Start { applied: Position(3), next_seqs: vec![(DatasetId(1), Seq(3))] };
    let blobs = bench.blobs(Arc::new(MemoryDisk::new()));
    let error = bench.open_blobs(blobs, small_files(), start).expect_err("three are missing");
    assert_eq!(error.kind(), ErrorKind::Corrupt);
}

#[test]
fn what_was_never_finished_is_cleared_away() {
    let bench = Bench::new();
    let (disk, expected) = hard_to_open(&bench);
    let blobs = bench.blobs(Arc::new(disk.clone()));
    disk.lose_after(2);
    drop(bench.open_blobs(blobs, small_files(), Start::default()).expect_err("the disk is gone"));
    let left = disk.all_files();
    assert!(left.iter().any(|file| file.to_string_lossy().ends_with(".unfinished")));
    disk.keep_all();
    let opened = bench.open(&disk, small_files()).expect("it opens");
    assert_eq!(opened.texts(), expected);
    let left = disk.all_files();
    assert!(!left.iter().any(|file| file.to_string_lossy().ends_with(".unfinished")));
}
