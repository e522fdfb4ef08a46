//! On the machine's own disk.

use std::sync::Arc;

use ledgerline_journal::{ErrorKind, Options};
use ledgerline_world::disk::RealDisk;

use crate::support::{Bench, key, small_files, start_after};

#[test]
fn a_journal_on_the_machines_disk_opens_again_and_shrinks() {
    let bench = Bench::new();
    let open = |start| bench.open_blobs(bench.blobs(Arc::new(RealDisk)), small_files(), start);
    let opened = open(start_after(&[], 0)).expect("it opens");
    let texts: Vec<String> = (0..30).map(|n| format!("event {n}")).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    bench.append_all(&opened, &texts);
    bench.append(&opened, 1, bench.texts(&["keyed"]), key("k", 1)).expect("stored");
    let commits = opened.commits();
    drop(opened);
    let opened = open(start_after(&[], 0)).expect("it opens");
    assert_eq!(opened.commits(), commits);
    let size_bytes = opened.journal.size_bytes();
    opened.trim(25).expect("trimmed");
    assert!(opened.journal.size_bytes() < size_bytes);
    drop(opened);
    let opened = open(start_after(&commits, 25)).expect("it opens");
    assert_eq!(opened.commits(), commits[25..]);
    let again = bench.append(&opened, 1, bench.texts(&["keyed"]), key("k", 1)).expect("answered");
    assert!(again.replayed);
    drop(opened);
    let error = open(start_after(&[], 0)).expect_err("segments lack what was trimmed");
    assert_eq!(error.kind(), ErrorKind::Corrupt);
}

#[test]
fn large_batches_are_kept_whole() {
    let bench = Bench::new();
    let blobs = || bench.blobs(Arc::new(RealDisk));
    let opened = bench.open_blobs(blobs(), Options::default(), start_after(&[], 0));
    let opened = opened.expect("it opens");
    let texts: Vec<String> = (0..20_000).map(|n| format!("{n} {}", "x".repeat(n % 700))).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let receipt = bench.append(&opened, 1, bench.texts(&texts), None).expect("stored");
    assert_eq!(receipt.stored, 20_000);
    drop(opened);
    let opened = bench.open_blobs(blobs(), Options::default(), start_after(&[], 0));
    assert_eq!(opened.expect("it opens").texts(), texts);
}
