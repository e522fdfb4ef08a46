//! What callers rely on while nothing goes wrong.

use std::future::Future as _;
use std::sync::{Arc, mpsc};
use std::task::{Context, Waker};

use ledgerline_journal::{Apply, Committed, ErrorKind, Options, Position, Start, TenantJournal};
use ledgerline_model::id::{DatasetId, Seq, TenantId};
use ledgerline_policy::{Job, upkeep};
use ledgerline_world::disk::MemoryDisk;
use ledgerline_world::{Chance, Clock};

use crate::support::{Bench, append_scope, small_files, start_after, tenant, upkeep_scope};

#[test]
fn events_are_numbered_by_dataset_in_the_order_of_commits() {
    let bench = Bench::new();
    let opened = bench.open(&MemoryDisk::new(), Options::default()).expect("it opens");
    let first = bench.append(&opened, 1, bench.texts(&["a", "b"]), None).expect("stored");
    let other = bench.append(&opened, 2, bench.texts(&["c"]), None).expect("stored");
    let second = bench.append(&opened, 1, bench.texts(&["d"]), None).expect("stored");
    assert_eq!((first.first_seq, first.stored), (Seq(0), 2));
    assert_eq!((other.first_seq, other.stored), (Seq(0), 1));
    assert_eq!((second.first_seq, second.stored), (Seq(2), 1));
    assert!(!first.replayed);
    assert_ne!(first.id(0), first.id(1));
    assert_eq!(first.id(1).received().as_millis(), first.received.as_millis());
    let commits = opened.commits();
    let positions: Vec<_> = commits.iter().map(|commit| commit.position.0).collect();
    assert_eq!(positions, [0, 1, 2]);
    assert_eq!(opened.texts(), ["a", "b", "c", "d"]);
    assert_eq!(opened.journal.end(), Position(3));
}

#[test]
fn a_receipt_tells_the_ids_that_the_commit_carries() {
    #[derive(Debug, Default)]
    struct IdBase(parking_lot::Mutex<Option<u128>>);
    impl Apply for IdBase {
        fn apply(&self, committed: Committed) {
            *self.0.lock() = Some(committed.id_base());
        }
    }
    let bench = Bench::new();
    let id_base = Arc::new(IdBase::default());
    let (journal, _) = TenantJournal::open(
        &upkeep_scope(),
        bench.blobs(Arc::new(MemoryDisk::new())),
        (Arc::clone(&bench.clock) as Arc<dyn Clock>, Chance::system()),
        Options::default(),
        Start::default(),
        Arc::clone(&id_base) as Arc<dyn Apply>,
    )
    .expect("it opens");
    let appender = journal.appender(&append_scope(tenant()), DatasetId(1)).expect("bound");
    let receipt = bench.runtime.block_on(appender.append(bench.texts(&["a"]), None));
    assert_eq!(Some(receipt.expect("stored").id_base), *id_base.0.lock());
}

#[test]
fn an_empty_batch_leaves_no_trace() {
    let bench = Bench::new();
    let disk = MemoryDisk::new();
    let opened = bench.open(&disk, Options::default()).expect("it opens");
    bench.append_all(&opened, &["a"]);
    let (changes, size_bytes) = (disk.changes(), opened.journal.size_bytes());
    let receipt = bench.append(&opened, 1, bench.texts(&[]), None).expect("nothing to store");
    assert_eq!((receipt.first_seq, receipt.stored, receipt.duplicates), (Seq(1), 0, 0));
    assert_eq!((disk.changes(), opened.journal.size_bytes()), (changes, size_bytes));
    assert_eq!(opened.journal.end(), Position(1));
}

/// Holds the writer in the first commit until it is let go.
#[derive(Debug)]
struct Gate(parking_lot::Mutex<mpsc::Receiver<()>>);

impl Apply for Gate {
    fn apply(&self, committed: Committed) {
        if committed.position() == Position(0) {
            self.0.lock().recv().expect("the test lets it go");
        }
    }
}

#[test]
fn what_waits_is_written_with_one_sync() {
    let bench = Bench::new();
    let disk = MemoryDisk::new();
    let (let_go, gate) = mpsc::channel();
    let (journal, _) = TenantJournal::open(
        &upkeep_scope(),
        bench.blobs(Arc::new(disk.clone())),
        (Arc::clone(&bench.clock) as Arc<dyn Clock>, Chance::system()),
        Options::default(),
        Start::default(),
        Arc::new(Gate(parking_lot::Mutex::new(gate))),
    )
    .expect("it opens");
    let appender = journal.appender(&append_scope(tenant()), DatasetId(1)).expect("bound");
    let mut appends: Vec<_> =
        (0..200).map(|n| Box::pin(appender.append(bench.texts(&[&n.to_string()]), None))).collect();
    let mut context = Context::from_waker(Waker::noop());
    // Polled once, each waits for the writer, which is held in the first of them.
    let first = appends[0].as_mut().poll(&mut context);
    assert!(first.is_pending());
    while journal.end() == Position(0) {
        std::thread::yield_now();
    }
    let syncs = disk.syncs();
    for append in &mut appends[1..] {
        assert!(append.as_mut().poll(&mut context).is_pending());
    }
    let_go.send(()).expect("the writer waits for it");
    for (n, append) in (0..).zip(appends) {
        assert_eq!(bench.runtime.block_on(append).expect("stored").first_seq, Seq(n));
    }
    assert_eq!(disk.syncs() - syncs, 1);
    assert_eq!(journal.end(), Position(200));
}

#[test]
fn a_restart_finds_everything_and_replays_what_segments_lack() {
    let bench = Bench::new();
    let disk = MemoryDisk::new();
    let texts: Vec<String> = (0..40).map(|n| format!("event {n}")).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let opened = bench.open(&disk, small_files()).expect("it opens");
    bench.append_all(&opened, &texts);
    let commits = opened.commits();
    drop(opened);
    assert!(bench.log_files(&disk).len() > 3, "several files are needed");
    for applied in [0, 1, 17, 39, 40] {
        let blobs = bench.blobs(Arc::new(disk.clone()));
        let start = start_after(&commits, applied);
        let opened = bench.open_blobs(blobs, small_files(), start).expect("it opens");
        assert_eq!(opened.commits(), commits[applied as usize..]);
        assert_eq!(opened.recovered.replayed, 40 - applied);
        assert_eq!(opened.recovered.trimmed_bytes, 0);
        assert_eq!(opened.journal.end(), Position(40));
    }
    let opened = bench.open(&disk, small_files()).expect("it opens");
    let next = bench.append(&opened, 1, bench.texts(&["next"]), None).expect("stored");
    assert_eq!(next.first_seq, Seq(40));
}

#[test]
fn a_trim_deletes_whole_files_only_and_an_idle_journal_shrinks() {
    let bench = Bench::new();
    let disk = MemoryDisk::new();
    let opened = bench.open(&disk, small_files()).expect("it opens");
    let texts: Vec<String> = (0..30).map(|n| format!("event {n}")).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    bench.append_all(&opened, &texts);
    let commits = opened.commits();
    let files = bench.log_files(&disk).len();
    opened.trim(0).expect("nothing to do");
    assert_eq!(bench.log_files(&disk).len(), files);
    opened.trim(15).expect("trimmed");
    let left = bench.log_files(&disk).len();
    assert!(left < files && left > 1);
    assert!(opened.journal.size_bytes() > 0);
    bench.append_all(&opened, &["more", "and more"]);
    opened.trim(32).expect("trimmed");
    drop(opened);
    assert_eq!(bench.log_files(&disk.after_power_cut(0)).len(), 1);
    let blobs = bench.blobs(Arc::new(disk.after_power_cut(0)));
    let mut start = start_after(&commits, 30);
    (start.applied, start.next_seqs) = (Position(32), vec![(DatasetId(1), Seq(32))]);
    let opened = bench.open_blobs(blobs, small_files(), start).expect("it opens");
    assert_eq!(opened.commits(), []);
    let next = bench.append(&opened, 1, bench.texts(&["next"]), None).expect("stored");
    assert_eq!(next.first_seq, Seq(32));
}

#[test]
fn a_closed_journal_refuses() {
    let bench = Bench::new();
    let opened = bench.open(&MemoryDisk::new(), Options::default()).expect("it opens");
    bench.append_all(&opened, &["a"]);
    opened.journal.close();
    opened.journal.close();
    let refused = bench.append(&opened, 1, bench.texts(&["b"]), None).expect_err("closed");
    assert_eq!(refused.kind(), ErrorKind::Busy);
    assert_eq!(opened.texts(), ["a"]);
}

#[test]
fn a_scope_of_another_tenant_opens_nothing() {
    let bench = Bench::new();
    let other = TenantId::from_bytes([8; 16]).expect("not zero");
    let opened = bench.open(&MemoryDisk::new(), Options::default()).expect("it opens");
    let refused = opened.journal.appender(&append_scope(other), DatasetId(1));
    assert_eq!(refused.expect_err("another's").kind(), ErrorKind::Bug);
    let stranger = upkeep(other, Job::Flush);
    let refused = opened.journal.trim(&stranger, Position(0));
    assert_eq!(refused.expect_err("another's").kind(), ErrorKind::Bug);
}

/// Keeps the journal from applying anything for as long as somebody holds it.
#[derive(Debug, Default)]
struct Closed(parking_lot::Mutex<()>);

impl Apply for Closed {
    fn apply(&self, _: Committed) {
        drop(self.0.lock());
    }
}

#[test]
fn what_is_durable_and_not_applied_keeps_its_file_until_it_is() {
    let bench = Bench::new();
    let disk = MemoryDisk::new();
    let closed = Arc::new(Closed::default());
    let (journal, _) = TenantJournal::open(
        &upkeep_scope(),
        bench.blobs(Arc::new(disk.clone())),
        (Arc::clone(&bench.clock) as Arc<dyn Clock>, Chance::system()),
        Options::default(),
        Start::default(),
        Arc::clone(&closed) as Arc<dyn Apply>,
    )
    .expect("it opens");
    let appender = journal.appender(&append_scope(tenant()), DatasetId(1)).expect("bound");
    let held = closed.0.lock();
    let mut append = std::pin::pin!(appender.append(bench.texts(&["a"]), None));
    let mut context = Context::from_waker(Waker::noop());
    assert!(append.as_mut().poll(&mut context).is_pending());
    while journal.end() < Position(1) {
        std::thread::yield_now();
    }
    let scope = upkeep_scope();
    assert_eq!(journal.turn(&scope).expect("a new file"), Position(1));
    assert_eq!(bench.log_files(&disk).len(), 2);
    // A flush at this moment has nothing of it, and says so.
    journal.forget(&scope, Position(0)).expect("nothing to forget");
    assert_eq!(bench.log_files(&disk).len(), 2);
    drop(held);
    bench.runtime.block_on(append).expect("stored");
    journal.forget(&scope, Position(1)).expect("forgotten");
    assert_eq!(bench.log_files(&disk).len(), 1);
    assert_eq!(journal.turn(&scope).expect("a new file"), Position(1), "the last one is empty");
    assert_eq!(bench.log_files(&disk).len(), 1);
}
