//! Ledgers behind a real journal, against a model that keeps every entry in a list.

use std::path::Path;
use std::sync::Arc;

use ledgerline_journal::{Apply, Options as JournalOptions, Position, Start, TenantJournal};
use ledgerline_ledger::hash::{self, EMPTY};
use ledgerline_ledger::tile::{bundles_written, entries, tiles_written};
use ledgerline_ledger::tree::{self, Head, check_consistency, check_inclusion};
use ledgerline_model::batch::{BatchBuilder, EventHead, Flags};
use ledgerline_model::convention::ID_KEY;
use ledgerline_model::id::RecordId;
use ledgerline_model::severity::Severity;
use ledgerline_model::time::Timestamp;
use ledgerline_policy::{Append, Job, Principal, Role, authorize_append, authorize_read, upkeep};
use ledgerline_world::disk::MemoryDisk;
use ledgerline_world::{DataDir, ManualClock, Options};
use proptest::prelude::*;

use super::*;

const AUDIT: DatasetId = DatasetId(7);
const NOW: Timestamp = Timestamp(1_767_225_600 * Timestamp::SECOND);

fn tenant() -> TenantId {
    TenantId::from_bytes([3; 16]).expect("not zero")
}

fn name() -> DatasetName {
    "web".parse().expect("a name")
}

fn person() -> Principal {
    let user = RecordId::from_bytes([5; 16]).expect("not zero");
    Principal::user(tenant(), user, Role::Admin).expect("a role of a tenant")
}

fn reading() -> Scope<Read> {
    authorize_read(&person(), &name()).expect("an admin reads")
}

fn appending() -> Scope<Append> {
    authorize_append(&person(), &name()).expect("an admin appends")
}

fn signing() -> Scope<Upkeep> {
    upkeep(tenant(), Job::Sign)
}

/// Notes what it is handed, as the store does.
#[derive(Debug)]
struct Noting(Arc<Trees>);

impl Apply for Noting {
    fn apply(&self, committed: Committed) {
        self.0.note(&committed);
    }
}

/// A journal and the ledgers behind it.
struct Bench {
    disk: MemoryDisk,
    runtime: tokio::runtime::Runtime,
    trees: Arc<Trees>,
    journal: TenantJournal,
    _data: DataDir,
}

impl Bench {
    /// Opens both; the journal hands out what comes from `applied` on.
    fn open(folder: &Path, disk: MemoryDisk, applied: u64) -> Self {
        let chance = Chance::seeded(applied + 1);
        let options = Options { disk: Arc::new(disk.clone()), ..Options::default() };
        let data = DataDir::open(folder, Chance::system(), options).expect("the folder opens");
        let blobs = data.blobs(&signing()).expect("the tenant opens");
        let place = blobs.local_file(FILE);
        std::fs::create_dir_all(place.parent().expect("a folder")).expect("made");
        let trees = Trees::open(&signing(), &blobs, chance).expect("the ledgers open");
        let trees = Arc::new(trees);
        trees.ensure(AUDIT, &name()).expect("a ledger");
        let options = JournalOptions { reserve_bytes: 0, ..JournalOptions::default() };
        let (journal, _) = TenantJournal::open(
            &signing(),
            blobs,
            (Arc::new(ManualClock::new(NOW)), Chance::system()),
            options,
            Start { applied: Position(applied), next_seqs: Vec::new() },
            Arc::new(Noting(Arc::clone(&trees))),
        )
        .expect("the journal opens");
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        Self { disk, runtime, trees, journal, _data: data }
    }

    /// As after the end of the process.
    fn reopen(self, folder: &Path, applied: u64) -> Self {
        let disk = self.disk.clone();
        drop(self);
        Self::open(folder, disk, applied)
    }

    fn append(&self, dataset: DatasetId, batch: Batch) {
        let appender = self.journal.appender(&appending(), dataset).expect("bound");
        self.runtime.block_on(appender.append(batch, None)).expect("stored");
    }

    fn persist(&self) {
        self.trees.persist(&signing()).expect("durable");
    }

    fn view(&self) -> View<'_> {
        self.trees.view(&reading(), AUDIT).expect("a view")
    }
}

/// What an event of the tests says.
#[derive(Debug, Clone)]
enum Told {
    Event,
    Amends(u64),
    Erases(u64, u64),
    Retires(u64, u64),
}

fn kind(told: &Told) -> Kind {
    match told {
        Told::Event => Kind::Event,
        Told::Amends(_) => Kind::Amendment,
        Told::Erases(..) => Kind::Erasure,
        Told::Retires(..) => Kind::Retirement,
    }
}

fn payload(id: &str, told: &Told) -> String {
    match told {
        Told::Event => format!(r#"{{"id":"{id}","action":"a"}}"#),
        Told::Amends(seq) => {
            format!(r#"{{"id":"{id}","kind":"amendment","amends":"e","amends_seq":{seq}}}"#)
        }
        Told::Erases(first, last) => {
            format!(r#"{{"id":"{id}","kind":"erasure","erases":[[{first},{last}]]}}"#)
        }
        Told::Retires(first, last) => {
            format!(r#"{{"id":"{id}","kind":"retirement","retires":[[{first},{last}]]}}"#)
        }
    }
}

/// A batch of events, each with its payload, its salt and its id.
fn batch(events: &[(String, Salt, String)]) -> Batch {
    let mut builder = BatchBuilder::new(NOW);
    for (payload, salt, id) in events {
        builder.str(ID_KEY, id).expect("a key");
        builder.evidence(payload, &salt.to_base64()).expect("of its own");
        builder.commit(EventHead {
            time: NOW,
            severity: Severity::INFO,
            flags: Flags::default(),
            bytes_in: payload.len(),
        });
    }
    builder.finish()
}

/// Every entry in a list, and the tree computed from the definition each time.
#[derive(Debug, Default)]
struct Model {
    told: Vec<Told>,
    /// Kind, event id and commitment of each entry.
    entries: Vec<(Kind, [u8; 16], Hash)>,
    /// How many entries each commit ended with.
    commits: Vec<usize>,
    durable: usize,
}

impl Model {
    /// The next events of a log, as a batch.
    fn append(&mut self, told: Vec<Told>) -> Batch {
        let mut events = Vec::new();
        for told in told {
            let seq = self.entries.len() as u64;
            let id = format!("event-{seq}");
            let salt = Salt(std::array::from_fn(|at| (at as u64 * 31 + seq) as u8));
            let text = payload(&id, &told);
            let commitment = commit::payload(&commit::blob(&salt, text.as_bytes()), &[]);
            self.entries.push((kind(&told), commit::event_id(&id, &salt), commitment));
            self.told.push(told);
            events.push((text, salt, id));
        }
        self.commits.push(self.entries.len());
        batch(&events)
    }

    fn entry(&self, log_id: LogId, seq: usize) -> Entry {
        let (kind, event_id, commit) = self.entries[seq];
        Entry {
            log_id,
            seq: seq as u64,
            received_ns: NOW.0 as u64,
            event_id,
            kind,
            commit,
            dataset: Dataset::new("web").expect("a name"),
        }
    }

    fn leaves(&self, log_id: LogId, size: usize) -> Vec<Hash> {
        (0..size).map(|seq| self.entry(log_id, seq).leaf()).collect()
    }

    fn amendments(&self, of: u64) -> Vec<Seq> {
        let is_one = |told: &Told| matches!(told, Told::Amends(seq) if *seq == of);
        (0..).zip(&self.told).filter(|(_, told)| is_one(told)).map(|(seq, _)| Seq(seq)).collect()
    }

    fn remover(&self, of: u64) -> Option<Seq> {
        let removes = |told: &Told| match told {
            Told::Erases(first, last) | Told::Retires(first, last) => {
                (*first..=*last).contains(&of)
            }
            _ => false,
        };
        (0..).zip(&self.told).find(|(_, told)| removes(told)).map(|(seq, _)| Seq(seq))
    }
}

/// RFC 9162, section 2.1.1, as it stands there.
fn root_of(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => EMPTY,
        [leaf] => *leaf,
        _ => {
            let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
            hash::node(&root_of(left), &root_of(right))
        }
    }
}

/// Compares everything that can be asked of the ledger with the model.
fn check(bench: &Bench, model: &Model) {
    assert_eq!(bench.trees.fault(AUDIT), None);
    assert_eq!(bench.trees.noted(AUDIT), model.entries.len() as u64);
    let view = bench.view();
    let (size, log_id) = (model.durable, view.log().id);
    let leaves = model.leaves(log_id, size);
    assert_eq!((view.log().size, view.log().root), (size as u64, root_of(&leaves)));
    let head = Head { size: size as u64, root: view.log().root };
    for at in [0, size.min(1), size / 3, size / 2, size.saturating_sub(1), size] {
        let smaller = bench.view().at(at as u64).expect("it was as large");
        let root = root_of(&leaves[..at]);
        assert_eq!((smaller.log().size, smaller.log().root), (at as u64, root));
        let proof = tree::consistency(&view, at as u64, size as u64).expect("a proof");
        let from = Head { size: at as u64, root };
        check_consistency(&from, &head, &proof).expect("the larger holds the smaller");
        if at < size {
            let entry = view.entry(Seq(at as u64)).expect("an entry");
            assert_eq!(entry, model.entry(log_id, at));
            let path = tree::inclusion(&view, at as u64, size as u64).expect("a proof");
            check_inclusion(leaves[at], at as u64, &head, &path).expect("it is in the tree");
        }
    }
    assert!(view.entry(Seq(size as u64)).is_err());
    assert!(bench.view().at(size as u64 + 1).is_err());
    for of in (0..model.entries.len() as u64).step_by(7) {
        let amendments = bench.trees.amendments(&reading(), AUDIT, Seq(of)).expect("read");
        assert_eq!(amendments, model.amendments(of), "of {of}");
        let remover = bench.trees.remover(&reading(), AUDIT, Seq(of)).expect("read");
        assert_eq!(remover, model.remover(of), "of {of}");
    }
}

/// Every tile and bundle of the durable tree.
fn check_tiles(bench: &Bench, model: &Model) {
    let view = bench.view();
    let (size, log_id) = (model.durable, view.log().id);
    let leaves = model.leaves(log_id, size);
    for tile in tiles_written(0, size as u64) {
        let below = 1 << (8 * u32::from(tile.level));
        let first = tile.id.first() as usize;
        let nodes = (first..first + tile.id.width() as usize)
            .flat_map(|index| root_of(&leaves[index * below..(index + 1) * below]).0);
        assert_eq!(view.tile(tile).expect("a tile"), nodes.collect::<Vec<u8>>(), "{tile:?}");
    }
    for bundle in bundles_written(0, size as u64) {
        let bytes = view.bundle(bundle).expect("a bundle");
        let first = bundle.0.first() as usize;
        let expected: Vec<Vec<u8>> = (first..first + bundle.0.width() as usize)
            .map(|seq| model.entry(log_id, seq).encode())
            .collect();
        assert_eq!(entries(&bytes).expect("entries"), expected, "{bundle:?}");
    }
    for beyond in tiles_written(size as u64, size as u64 + 1) {
        assert_eq!(view.tile(beyond).expect_err("not there").kind(), ErrorKind::NotFound);
    }
    for beyond in bundles_written(size as u64, size as u64 + 1) {
        assert_eq!(view.bundle(beyond).expect_err("not there").kind(), ErrorKind::NotFound);
    }
}

#[test]
fn tiles_and_bundles_of_every_level_are_those_of_the_definition() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut model = Model::default();
    let bench = Bench::open(folder.path(), MemoryDisk::new(), 0);
    check(&bench, &model);
    // Tiles that fill up at once, and in several steps, and one of the third level.
    for events in [1, 254, 1, 1, 300, 211, 256 * 256 - 768 + 3] {
        bench.append(AUDIT, model.append(vec![Told::Event; events]));
        check(&bench, &model);
        bench.persist();
        model.durable = model.entries.len();
        check(&bench, &model);
        if model.durable < 1_000 {
            check_tiles(&bench, &model);
        }
    }
    check_tiles(&bench, &model);
    let bench = bench.reopen(folder.path(), 0);
    check(&bench, &model);
    check_tiles(&bench, &model);
}

#[test]
fn entries_that_are_missing_stop_the_ledger() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut model = Model::default();
    let bench = Bench::open(folder.path(), MemoryDisk::new(), 0);
    for _ in 0..3 {
        bench.append(AUDIT, model.append(vec![Told::Event; 2]));
    }
    // Nothing was made durable, and the journal says that the first commit is applied.
    let bench = bench.reopen(folder.path(), 1);
    let fault = bench.trees.fault(AUDIT).expect("it has stopped");
    assert_eq!(fault, "event 2 follows entry 0: entries are missing");
    assert_eq!(bench.trees.noted(AUDIT), 0);
    bench.persist();
    assert_eq!(bench.view().log().size, 0, "nothing more is taken");
    // With all of the journal nothing is missing.
    let bench = bench.reopen(folder.path(), 0);
    check(&bench, &model);
}

#[test]
fn events_without_evidence_stop_the_ledger_and_no_other() {
    let folder = tempfile::tempdir().expect("a folder");
    let other = DatasetId(8);
    let bench = Bench::open(folder.path(), MemoryDisk::new(), 0);
    bench.trees.ensure(other, &"other".parse().expect("a name")).expect("a ledger");
    let mut model = Model::default();
    bench.append(AUDIT, model.append(vec![Told::Event; 2]));
    let bad = (r#"{"action":"no id"}"#.to_owned(), Salt([1; 32]), "x".to_owned());
    bench.append(other, batch(&[bad]));
    assert_eq!(bench.trees.fault(other).as_deref(), Some("an event's evidence is none"));
    bench.append(other, Model::default().append(vec![Told::Event]));
    assert_eq!(bench.trees.noted(other), 0);
    check(&bench, &model);
    // A dataset without a ledger, and events that are none of a ledger's, change nothing.
    bench.append(DatasetId(9), Model::default().append(vec![Told::Event]));
    assert_eq!(bench.trees.log_id(DatasetId(9)), None);
    let mut plain = BatchBuilder::new(NOW);
    plain.str("word", "x").expect("a key");
    let severity = Severity::INFO;
    plain.commit(EventHead { time: NOW, severity, flags: Flags::default(), bytes_in: 1 });
    bench.append(DatasetId(10), plain.finish());
    check(&bench, &model);
    let logs = bench.trees.logs(&signing()).expect("both");
    let names: Vec<&str> = logs.iter().map(|log| log.name.as_str()).collect();
    assert_eq!(names, ["web", "other"]);
}

#[test]
fn a_ledger_keeps_its_id_and_is_of_one_tenant() {
    let folder = tempfile::tempdir().expect("a folder");
    let bench = Bench::open(folder.path(), MemoryDisk::new(), 0);
    let log_id = bench.trees.log_id(AUDIT).expect("an id");
    assert_eq!((log_id.0[6] >> 4, log_id.0[8] >> 6), (4, 2), "a random UUID");
    bench.trees.ensure(AUDIT, &name()).expect("it is there");
    let bench = bench.reopen(folder.path(), 0);
    assert_eq!(bench.trees.log_id(AUDIT), Some(log_id));
    let stranger = upkeep(TenantId::from_bytes([4; 16]).expect("not zero"), Job::Sign);
    let is_bug = |error: Error| assert_eq!(error.kind(), ErrorKind::Bug);
    is_bug(bench.trees.logs(&stranger).expect_err("another tenant's"));
    is_bug(bench.trees.persist(&stranger).expect_err("another tenant's"));
    is_bug(bench.trees.view_for(&stranger, AUDIT).map(drop).expect_err("another tenant's"));
    is_bug(bench.trees.intents(&stranger).expect_err("another tenant's"));
    let absent = bench.trees.view(&reading(), DatasetId(9)).map(drop).expect_err("none");
    assert_eq!(absent.kind(), ErrorKind::NotFound);
}

#[test]
fn a_part_of_the_tree_that_is_lost_is_found_out() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut model = Model::default();
    let bench = Bench::open(folder.path(), MemoryDisk::new(), 0);
    bench.append(AUDIT, model.append(vec![Told::Event; 300]));
    bench.persist();
    let disk = bench.disk.clone();
    drop(bench);
    let tenant_folder = folder.path().join("tenants").join(tenant().to_string());
    for lost in ["DELETE FROM tile WHERE number = 1", "DELETE FROM node"] {
        let options = Options { disk: Arc::new(disk.clone()), ..Options::default() };
        let data = DataDir::open(folder.path(), Chance::system(), options).expect("it opens");
        let blobs = data.blobs(&signing()).expect("the tenant opens");
        let file = tenant_folder.join(FILE);
        let kept = std::fs::read(&file).expect("the file");
        let connection = rusqlite::Connection::open(&file).expect("a database");
        connection.execute(lost, []).expect("deleted");
        drop(connection);
        let opened = Trees::open(&signing(), &blobs, Chance::seeded(1));
        assert_eq!(opened.map(drop).expect_err(lost).kind(), ErrorKind::Corrupt);
        std::fs::write(&file, kept).expect("put back");
    }
}

#[test]
fn signed_heads_are_kept_and_old_ones_thinned_out() {
    const HOUR: i64 = 3_600 * 1_000_000_000;
    let folder = tempfile::tempdir().expect("a folder");
    let bench = Bench::open(folder.path(), MemoryDisk::new(), 0);
    let put = |dataset, size, signed| {
        let note = format!("{size} at {signed}");
        bench.trees.put_checkpoints(&signing(), &[(dataset, size, signed, note)]).expect("kept");
    };
    for (size, signed) in [(1, 0), (2, 5), (3, HOUR - 1), (4, HOUR), (5, HOUR + 9), (6, 3 * HOUR)] {
        put(AUDIT, size, signed);
    }
    put(DatasetId(9), 1, 0);
    let view = bench.view();
    let text = |size: u64, signed: i64| format!("{size} at {signed}");
    assert_eq!(view.checkpoint(Some(2)).expect("read"), Some(text(2, 5)));
    assert_eq!(view.checkpoint(Some(9)).expect("read"), None);
    assert_eq!(view.checkpoint(None).expect("read"), Some(text(6, 3 * HOUR)));
    assert_eq!(view.checkpoints(3, 2).expect("read"), [text(4, HOUR), text(5, HOUR + 9)]);
    bench.trees.thin_checkpoints(&signing(), 2 * HOUR).expect("thinned");
    let left = [text(3, HOUR - 1), text(5, HOUR + 9), text(6, 3 * HOUR)];
    assert_eq!(view.checkpoints(0, 100).expect("read"), left);
    bench.trees.thin_checkpoints(&signing(), 2 * HOUR).expect("thinned");
    assert_eq!(view.checkpoints(0, 100).expect("read"), left, "nothing is left to thin out");
    // A head that is signed again takes the place of the first.
    put(AUDIT, 6, 4 * HOUR);
    assert_eq!(view.checkpoint(None).expect("read"), Some(text(6, 4 * HOUR)));
}

#[test]
fn what_is_begun_is_remembered_until_it_is_done() {
    let folder = tempfile::tempdir().expect("a folder");
    let bench = Bench::open(folder.path(), MemoryDisk::new(), 0);
    let (scope, one, two) = (signing(), [1; 16], [2; 16]);
    let trees = &bench.trees;
    let job = |body: &str| {
        Some(super::Job { id: "job_1".to_owned(), created: Timestamp(5), body: body.to_owned() })
    };
    let both = [(two, "second".to_owned()), (one, "first".to_owned())];
    trees.put_intents(&scope, &both, job("two parts").as_ref()).expect("kept");
    trees.put_intents(&scope, &[(two, "second, again".to_owned())], None).expect("kept");
    let bench = bench.reopen(folder.path(), 0);
    let intents = bench.trees.intents(&scope).expect("read");
    assert_eq!(intents, [(one, "first".to_owned()), (two, "second, again".to_owned())]);
    assert_eq!(bench.trees.job(&scope, "job_1").expect("read"), job("two parts"));
    bench.trees.remove_intent(&scope, one, job("one part").as_ref()).expect("forgotten");
    bench.trees.remove_intent(&scope, one, None).expect("that there is none is no error");
    assert_eq!(bench.trees.intents(&scope).expect("read").len(), 1);
    assert_eq!(bench.trees.job(&scope, "job_1").expect("read"), job("one part"));
    assert_eq!(bench.trees.job(&scope, "job_2").expect("read"), None);
}

#[derive(Debug, Clone)]
enum Step {
    /// So many events, of which every so-manieth says something of an earlier one.
    Append(usize, u64),
    Persist,
    /// The process ends; the journal hands out all, or what comes after the commits that are
    /// durable.
    Restart(bool),
}

fn step() -> impl Strategy<Value = Step> {
    let append = (prop_oneof![1_usize..8, 100_usize..400], any::<u64>());
    let append = append.prop_map(|(events, seed)| Step::Append(events, seed));
    prop_oneof![
        4 => append,
        3 => Just(Step::Persist),
        2 => any::<bool>().prop_map(Step::Restart),
    ]
}

fn told(from: u64, count: usize, seed: u64) -> Vec<Told> {
    let one = |seq: u64| {
        let random = seed.rotate_left(seq as u32 % 64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 7;
        if seq < 4 || !random.is_multiple_of(5) {
            return Told::Event;
        }
        let first = random / 16 % (seq - 3);
        let last = (first + random / 64 % 20).min(seq - 1);
        match random / 5 % 3 {
            0 => Told::Amends(first),
            1 => Told::Erases(first, last),
            _ => Told::Retires(first, last),
        }
    };
    (from..from + count as u64).map(one).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn a_ledger_is_its_list_of_entries(steps in proptest::collection::vec(step(), 1..14)) {
        let folder = tempfile::tempdir().expect("a folder");
        let mut model = Model::default();
        let mut bench = Bench::open(folder.path(), MemoryDisk::new(), 0);
        for step in steps {
            match step {
                Step::Append(count, seed) => {
                    let told = told(model.entries.len() as u64, count, seed);
                    bench.append(AUDIT, model.append(told));
                }
                Step::Persist => {
                    bench.persist();
                    model.durable = model.entries.len();
                }
                Step::Restart(replays_all) => {
                    let durable = model.commits.partition_point(|end| *end <= model.durable);
                    let replayed_from = if replays_all { 0 } else { durable as u64 };
                    bench = bench.reopen(folder.path(), replayed_from);
                }
            }
            check(&bench, &model);
        }
        bench.persist();
        model.durable = model.entries.len();
        check(&bench, &model);
        check_tiles(&bench, &model);
    }
}
