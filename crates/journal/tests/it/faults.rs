//! A disk that fails, or is full; a queue that is full; an applier that panics.

use std::sync::Arc;

use ledgerline_journal::{Apply, Committed, ErrorKind, Options, Start, TenantJournal};
use ledgerline_model::id::{DatasetId, Seq};
use ledgerline_world::disk::{Fault, MemoryDisk};
use ledgerline_world::{Chance, Clock};

use crate::support::{Bench, append_scope, key, tenant, upkeep_scope};

#[test]
fn a_failed_sync_is_fatal_and_honest() {
    let bench = Bench::new();
    let disk = MemoryDisk::new();
    let opened = bench.open(&disk, Options::default()).expect("it opens");
    bench.append_all(&opened, &["kept"]);
    disk.fail_next(Fault::Sync);
    let error = bench.append(&opened, 1, bench.texts(&["lost"]), None).expect_err("not durable");
    assert_eq!(error.kind(), ErrorKind::Unknown);
    let (changes, syncs) = (disk.changes(), disk.syncs());
    let refused = bench.append(&opened, 1, bench.texts(&["after"]), None).expect_err("refused");
    assert_eq!(refused.kind(), ErrorKind::Busy, "nothing of it was stored");
    assert_eq!(opened.trim(1).expect_err("refused").kind(), ErrorKind::Unknown);
    assert_eq!((disk.changes(), disk.syncs()), (changes, syncs), "nothing was tried again");
    assert!(opened.journal.failed().is_some());
    assert_eq!(opened.texts(), ["kept"]);
    drop(opened);
    assert_eq!((disk.changes(), disk.syncs()), (changes, syncs), "nor at the end");
}

#[test]
fn what_a_failed_sync_left_in_memory_is_written_anew_before_it_is_served() {
    let bench = Bench::new();
    let disk = MemoryDisk::new();
    let opened = bench.open(&disk, Options::default()).expect("it opens");
    bench.append_all(&opened, &["kept"]);
    disk.fail_next(Fault::Sync);
    bench.append(&opened, 1, bench.texts(&["phantom"]), None).expect_err("not durable");
    drop(opened);
    // The process starts again, and the kernel still shows the bytes that it could not keep.
    let opened = bench.open(&disk, Options::default()).expect("it opens");
    assert_eq!(opened.texts(), ["kept", "phantom"]);
    let after = bench.open(&disk.after_power_cut(0), Options::default()).expect("it opens");
    assert_eq!(after.texts(), ["kept", "phantom"]);
    // The machine starts again instead.
    let disk = MemoryDisk::new();
    let opened = bench.open(&disk, Options::default()).expect("it opens");
    bench.append_all(&opened, &["kept"]);
    disk.fail_next(Fault::Sync);
    bench.append(&opened, 1, bench.texts(&["phantom"]), None).expect_err("not durable");
    let after = bench.open(&disk.after_power_cut(0), Options::default()).expect("it opens");
    assert_eq!(after.texts(), ["kept"]);
}

#[test]
fn every_waiter_of_a_failed_group_is_told_so() {
    let bench = Bench::new();
    let disk = MemoryDisk::new();
    let opened = bench.open(&disk, Options::default()).expect("it opens");
    bench.append_all(&opened, &["kept"]);
    disk.fail_next(Fault::Sync);
    let batches = (0..30).map(|n| (1, bench.texts(&[&n.to_string()]), None)).collect();
    let answers = bench.append_at_once(&opened, batches);
    let kinds: Vec<_> = answers.into_iter().map(|answer| answer.map_err(|e| e.kind())).collect();
    assert!(kinds.contains(&Err(ErrorKind::Unknown)));
    let told = |kind: &_| matches!(kind, Err(ErrorKind::Unknown | ErrorKind::Busy));
    assert!(kinds.iter().all(told), "{kinds:?}");
    assert_eq!(opened.texts(), ["kept"]);
}

#[test]
fn a_nearly_full_disk_refuses_without_writing_and_recovers_by_itself() {
    let bench = Bench::new();
    let disk = MemoryDisk::new();
    let opened = bench.open(&disk, Options::default()).expect("it opens");
    bench.append_all(&opened, &["a"]);
    disk.set_free_bytes(64 << 20);
    let changes = disk.changes();
    let error = bench.append(&opened, 1, bench.texts(&["b"]), key("k", 1)).expect_err("full");
    assert_eq!(error.kind(), ErrorKind::DiskFull);
    assert_eq!(disk.changes(), changes);
    disk.set_free_bytes(65 << 20);
    let stored = bench.append(&opened, 1, bench.texts(&["b"]), key("k", 1)).expect("stored");
    assert!(!stored.replayed);
    assert_eq!(opened.texts(), ["a", "b"]);
}

#[test]
fn a_disk_that_fills_in_the_middle_of_a_group_loses_nothing() {
    for written in [0, 1, 21, 22, 60, 150, 200] {
        let bench = Bench::new();
        let disk = MemoryDisk::new();
        let opened = bench.open(&disk, Options::default()).expect("it opens");
        bench.append_all(&opened, &["a", "b"]);
        disk.fail_next(Fault::ShortAppend(written));
        let error = bench.append(&opened, 1, bench.texts(&["c"]), key("k", 1)).expect_err("full");
        assert_eq!(error.kind(), ErrorKind::DiskFull);
        assert_eq!(opened.journal.failed(), None);
        // Full again, while the next file is begun.
        disk.fail_next(Fault::ShortAppend(written));
        let error = bench.append(&opened, 1, bench.texts(&["c"]), key("k", 1)).expect_err("full");
        assert_eq!(error.kind(), ErrorKind::DiskFull);
        let at_this_point = bench.open(&disk.after_power_cut(written), Options::default());
        assert_eq!(at_this_point.expect("it opens").texts(), ["a", "b"]);
        let third = bench.append(&opened, 1, bench.texts(&["c"]), key("k", 1)).expect("stored");
        assert_eq!(third.first_seq, Seq(2));
        // And in the first group of a file, which is then replaced.
        disk.fail_next(Fault::ShortAppend(written));
        bench.append(&opened, 1, bench.texts(&["d"]), None).expect_err("full");
        bench.append_all(&opened, &["e"]);
        for disk in [disk.after_power_cut(0), disk.clone()] {
            let opened = bench.open(&disk, Options::default()).expect("it opens");
            assert_eq!(opened.texts(), ["a", "b", "c", "e"], "{written} bytes were written");
            let again = bench.append(&opened, 1, bench.texts(&["c"]), key("k", 1));
            assert!(again.expect("answered").replayed);
        }
    }
}

#[test]
fn the_queue_is_bounded_in_bytes() {
    let bench = Bench::new();
    let options = Options { queue_bytes: 1000, ..Options::default() };
    let opened = bench.open(&MemoryDisk::new(), options).expect("it opens");
    let large = "x".repeat(5000);
    let alone = bench.append(&opened, 1, bench.texts(&[&large]), None);
    alone.expect("a batch larger than the queue waits alone");
    let batches = (0..100).map(|_| (1, bench.texts(&[&large]), None)).collect();
    let answers = bench.append_at_once(&opened, batches);
    let busy = answers.iter().filter(|answer| answer.is_err()).count();
    let is_busy = |answer: &Result<_, ledgerline_journal::Error>| {
        answer.as_ref().err().is_none_or(|error| error.kind() == ErrorKind::Busy)
    };
    assert!(answers.iter().all(is_busy));
    assert!(busy > 0);
    assert_eq!(opened.texts().len(), 1 + 100 - busy, "acknowledged is stored");
    bench.append_all(&opened, &["later"]);
}

#[test]
fn a_panic_of_who_applies_leaves_nobody_waiting() {
    #[derive(Debug)]
    struct Panics;
    impl Apply for Panics {
        fn apply(&self, committed: Committed) {
            assert_ne!(committed.first_seq(), Seq(1), "planted");
        }
    }
    let bench = Bench::new();
    let disk = MemoryDisk::new();
    let clock = Arc::clone(&bench.clock) as Arc<dyn Clock>;
    let (journal, _) = TenantJournal::open(
        &upkeep_scope(),
        bench.blobs(Arc::new(disk.clone())),
        (clock, Chance::system()),
        Options::default(),
        Start::default(),
        Arc::new(Panics),
    )
    .expect("it opens");
    let appender = journal.appender(&append_scope(tenant()), DatasetId(1)).expect("bound");
    let append = |text| bench.runtime.block_on(appender.append(bench.texts(&[text]), None));
    append("a").expect("stored");
    assert_eq!(append("b").expect_err("not applied").kind(), ErrorKind::Unknown);
    assert_eq!(append("c").expect_err("refused").kind(), ErrorKind::Busy);
    assert!(journal.failed().is_some());
    drop((appender, journal));
    let opened = bench.open(&disk, Options::default()).expect("it opens");
    assert_eq!(opened.texts(), ["a", "b"]);
}
