//! Random lives of a journal, with power cuts, lost processes, full and failing disks, against a
//! model of what senders were told: nothing acknowledged is lost, nothing is there twice, what was
//! refused is not there, numbers have no holes, and the order holds.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ledgerline_journal::{ErrorKind, IdempotencyKey, Receipt};
use ledgerline_world::disk::{Disk, DiskFile, Fault, MemoryDisk};
use proptest::prelude::*;

use crate::support::{Applied, Bench, Opened, key, small_files, start_after};

/// One thing that happens.
#[derive(Debug, Clone)]
enum Step {
    /// So many batches are sent at once, each of so many events, with keys or ids or neither.
    Send(Vec<(u32, usize, Naming)>),
    /// A part, in percent, of what was committed is in segments now, and the journal is trimmed.
    Trim(u64),
    /// Something goes wrong once.
    Fault(Fault),
    /// The disk is nearly full, or not any more.
    Full(bool),
    /// The disk takes so many changes more and then no other.
    LoseAfter(u64),
    /// The journal is closed and opened again.
    Close,
    /// The process is gone and starts again; what the kernel has, it keeps.
    Kill,
    /// The machine is gone and starts again; so many bytes of each file more than was promised.
    PowerCut(usize),
}

/// What a sender gives so that it may send again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Naming {
    Nothing,
    Key,
    Ids,
}

fn step() -> impl Strategy<Value = Step> {
    let naming = prop_oneof![Just(Naming::Nothing), Just(Naming::Key), Just(Naming::Ids)];
    let batch = (0..3_u32, 1..4_usize, naming);
    prop_oneof![
        8 => prop::collection::vec(batch, 1..6).prop_map(Step::Send),
        2 => (0..=100_u64).prop_map(Step::Trim),
        1 => Just(Step::Fault(Fault::Sync)),
        1 => (0..400_usize).prop_map(|bytes| Step::Fault(Fault::ShortAppend(bytes))),
        1 => any::<bool>().prop_map(Step::Full),
        1 => (0..25_u64).prop_map(Step::LoseAfter),
        1 => Just(Step::Close),
        1 => Just(Step::Kill),
        3 => prop_oneof![Just(0), 1..600_usize].prop_map(Step::PowerCut),
    ]
}

/// A batch that was sent, until its sender knows what became of it.
#[derive(Debug, Clone)]
struct Sent {
    dataset: u32,
    texts: Vec<String>,
    naming: Naming,
}

/// What senders know, and what segments hold.
#[derive(Debug, Default)]
struct Model {
    sent: usize,
    /// By text: dataset and number.
    acknowledged: BTreeMap<String, (u32, u64)>,
    refused: BTreeSet<String>,
    unknown: Vec<Sent>,
    /// Commits that are in segments.
    stored: Vec<Applied>,
}

impl Model {
    fn make(&mut self, dataset: u32, events: usize, naming: Naming) -> Sent {
        let texts = (0..events).map(|at| format!("{}-{at}", self.sent)).collect();
        self.sent += 1;
        Sent { dataset, texts, naming }
    }

    fn note(&mut self, sent: Sent, answer: Result<Receipt, ledgerline_journal::Error>) {
        match answer {
            Ok(receipt) => {
                // Sent again by its ids, a part may have been stored before: then who looks at the
                // numbers has to find them.
                let is_whole = receipt.stored == sent.texts.len() as u64;
                for (at, text) in sent.texts.into_iter().enumerate() {
                    let seq = if is_whole { receipt.first_seq.0 + at as u64 } else { u64::MAX };
                    self.refused.remove(&text);
                    self.acknowledged.insert(text, (sent.dataset, seq));
                }
            }
            Err(error) if error.kind() == ErrorKind::Unknown => self.unknown.push(sent),
            Err(_) => self.refused.extend(sent.texts),
        }
    }

    /// Compares what is there with what senders were told.
    fn check(&self, there: &[Applied]) -> Result<(), String> {
        let mut next_seqs = BTreeMap::<u32, u64>::new();
        let mut found = BTreeMap::<&str, (u32, u64)>::new();
        for (position, commit) in there.iter().enumerate() {
            if commit.position.0 != position as u64 {
                return Err(format!("commit {position} is at {}", commit.position.0));
            }
            let next_seq = next_seqs.entry(commit.dataset.0).or_default();
            if commit.first_seq.0 != *next_seq {
                return Err(format!("{commit:?} follows number {next_seq}"));
            }
            for text in &commit.texts {
                if found.insert(text, (commit.dataset.0, *next_seq)).is_some() {
                    return Err(format!("{text} is there twice"));
                }
                *next_seq += 1;
            }
        }
        for (text, (dataset, seq)) in &self.acknowledged {
            match found.get(text.as_str()) {
                None => return Err(format!("{text} was acknowledged and is lost")),
                Some(at) if *seq != u64::MAX && *at != (*dataset, *seq) => {
                    return Err(format!("{text} was told to be at {seq} and is at {at:?}"));
                }
                Some(_) => {}
            }
        }
        let refused = self.refused.iter().find(|text| found.contains_key(text.as_str()));
        refused.map_or(Ok(()), |text| Err(format!("{text} was refused and is there")))
    }
}

/// A life of a journal.
struct Life<'a> {
    bench: &'a Bench,
    wrap: fn(MemoryDisk) -> Arc<dyn Disk>,
    disk: MemoryDisk,
    opened: Opened,
    model: Model,
}

impl<'a> Life<'a> {
    fn begin(bench: &'a Bench, wrap: fn(MemoryDisk) -> Arc<dyn Disk>) -> Self {
        let disk = MemoryDisk::new();
        let blobs = bench.blobs(wrap(disk.clone()));
        let opened = bench.open_blobs(blobs, small_files(), start_after(&[], 0)).expect("it opens");
        Self { bench, wrap, disk, opened, model: Model::default() }
    }

    fn there(&self) -> Vec<Applied> {
        [self.model.stored.clone(), self.opened.commits()].concat()
    }

    fn send(&mut self, batches: Vec<Sent>) {
        let made = batches.iter().map(|sent| {
            let id = |text: &'_ String| text.clone();
            let ids: Vec<String> = sent.texts.iter().map(id).collect();
            let has_ids = sent.naming == Naming::Ids;
            let events: Vec<_> = (sent.texts.iter().zip(&ids))
                .map(|(text, id)| (text.as_str(), has_ids.then_some(id.as_str())))
                .collect();
            (sent.dataset, self.bench.batch(&events), self.key_of(sent))
        });
        let answers = self.bench.append_at_once(&self.opened, made.collect());
        for (sent, answer) in batches.into_iter().zip(answers) {
            self.model.note(sent, answer);
        }
    }

    fn key_of(&self, sent: &Sent) -> Option<IdempotencyKey> {
        if sent.naming == Naming::Key { key(&sent.texts[0], 0) } else { None }
    }

    fn trim(&mut self, percent: u64) {
        let end = self.opened.journal.end().0;
        let kept = self.model.stored.len() as u64;
        let applied = (end * percent / 100).max(kept);
        // What is in segments stays there, whatever becomes of the journal.
        let commits = self.opened.commits();
        let moved = commits.iter().filter(|commit| commit.position.0 < applied).cloned();
        self.model.stored.extend(moved);
        self.opened.recorder.commits.lock().retain(|commit| commit.position.0 >= applied);
        // That a failing disk refuses to trim is no harm.
        drop(self.opened.trim(applied));
    }

    /// Opens the journal on another disk, compares, and sends again what became of who knows what.
    fn restart(&mut self, disk: MemoryDisk) -> Result<(), String> {
        self.disk = disk;
        let applied = self.model.stored.len() as u64;
        let open = || {
            let blobs = self.bench.blobs((self.wrap)(self.disk.clone()));
            let start = start_after(&self.model.stored, applied);
            self.bench.open_blobs(blobs, small_files(), start)
        };
        let opened = match open() {
            // A fault that was waiting to happen; it happens once.
            Err(error) if error.kind() != ErrorKind::Corrupt => open(),
            opened => opened,
        };
        self.opened = opened.map_err(|error| format!("it does not open: {error}"))?;
        self.model.check(&self.there())?;
        let unknown = std::mem::take(&mut self.model.unknown);
        let (again, given_up): (Vec<_>, Vec<_>) =
            unknown.into_iter().partition(|sent| sent.naming != Naming::Nothing);
        drop(given_up);
        if !again.is_empty() {
            self.send(again);
        }
        self.model.check(&self.there())
    }

    fn take(&mut self, step: Step) -> Result<(), String> {
        match step {
            Step::Send(batches) => {
                let make = |(dataset, events, naming)| self.model.make(dataset, events, naming);
                let batches = batches.into_iter().map(make).collect();
                self.send(batches);
            }
            Step::Trim(percent) => self.trim(percent),
            Step::Fault(fault) => self.disk.fail_next(fault),
            Step::Full(true) => self.disk.set_free_bytes(64 << 20),
            Step::Full(false) => self.disk.set_free_bytes(1 << 40),
            Step::LoseAfter(changes) => self.disk.lose_after(changes),
            Step::Close => {
                self.opened.journal.close();
                self.disk.keep_all();
                self.restart(self.disk.clone())?;
            }
            Step::Kill => {
                // What would be written after this is not.
                self.disk.lose_after(0);
                self.opened.journal.close();
                self.disk.keep_all();
                self.restart(self.disk.clone())?;
            }
            Step::PowerCut(torn_bytes) => self.restart(self.disk.after_power_cut(torn_bytes))?,
        }
        if self.opened.journal.failed().is_some() {
            self.restart(self.disk.after_power_cut(0))?;
        }
        self.model.check(&self.there())
    }
}

fn live(
    bench: &Bench,
    wrap: fn(MemoryDisk) -> Arc<dyn Disk>,
    steps: Vec<Step>,
) -> Result<(), String> {
    let mut life = Life::begin(bench, wrap);
    for step in steps.into_iter().chain([Step::PowerCut(0), Step::Close]) {
        let told = format!("{step:?}");
        life.take(step).map_err(|what| format!("{what}, after {told}"))?;
    }
    Ok(())
}

thread_local! {
    /// Cases share the root key and the runtime, which are slow to make.
    static BENCH: Bench = Bench::new();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]
    #[test]
    fn nothing_acknowledged_is_lost_and_nothing_is_there_twice(
        steps in prop::collection::vec(step(), 1..40),
    ) {
        let lived = BENCH.with(|bench| live(bench, |disk| Arc::new(disk), steps));
        prop_assert_eq!(lived, Ok(()));
    }
}

/// A disk that says it synced, and did not.
#[derive(Debug)]
struct Liar {
    disk: MemoryDisk,
    lies: Lies,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lies {
    AboutFiles,
    AboutFolders,
}

#[derive(Debug)]
struct LiarFile {
    file: Arc<dyn DiskFile>,
    lies: Lies,
}

impl Disk for Liar {
    fn create(&self, path: &Path) -> std::io::Result<Arc<dyn DiskFile>> {
        Ok(Arc::new(LiarFile { file: self.disk.create(path)?, lies: self.lies }))
    }
    fn open(&self, path: &Path) -> std::io::Result<Arc<dyn DiskFile>> {
        self.disk.open(path)
    }
    fn rename(&self, source: &Path, target: &Path) -> std::io::Result<()> {
        self.disk.rename(source, target)
    }
    fn remove(&self, path: &Path) -> std::io::Result<()> {
        self.disk.remove(path)
    }
    fn make_folder(&self, path: &Path) -> std::io::Result<()> {
        self.disk.make_folder(path)
    }
    fn exists(&self, path: &Path) -> bool {
        self.disk.exists(path)
    }
    fn files(&self, folder: &Path) -> std::io::Result<Vec<PathBuf>> {
        self.disk.files(folder)
    }
    fn sync_folder(&self, folder: &Path) -> std::io::Result<()> {
        let is_journal = folder.ends_with("journal");
        if self.lies == Lies::AboutFolders && is_journal {
            return Ok(());
        }
        self.disk.sync_folder(folder)
    }
    fn free_bytes(&self, folder: &Path) -> std::io::Result<u64> {
        self.disk.free_bytes(folder)
    }
}

impl DiskFile for LiarFile {
    fn len(&self) -> std::io::Result<u64> {
        self.file.len()
    }
    fn read_exact_at(&self, bytes: &mut [u8], offset: u64) -> std::io::Result<()> {
        self.file.read_exact_at(bytes, offset)
    }
    fn append(&self, bytes: &[u8]) -> std::io::Result<()> {
        self.file.append(bytes)
    }
    fn sync(&self) -> std::io::Result<()> {
        // Small files, such as the tenant's key, are spared: without them nothing would open.
        if self.lies == Lies::AboutFiles && self.file.len()? > 300 {
            return Ok(());
        }
        self.file.sync()
    }
}

/// The control of the test above: were nothing synced, it would see it.
#[test]
fn a_disk_that_does_not_sync_is_found_out() {
    let bench = Bench::new();
    let wraps: [fn(MemoryDisk) -> Arc<dyn Disk>; 2] = [
        |disk| Arc::new(Liar { disk, lies: Lies::AboutFiles }),
        |disk| Arc::new(Liar { disk, lies: Lies::AboutFolders }),
    ];
    for wrap in wraps {
        let batches = vec![(1, 3, Naming::Nothing)];
        let steps = vec![Step::Send(batches.clone()), Step::Send(batches), Step::PowerCut(0)];
        let lived = live(&bench, wrap, steps);
        let what = lived.expect_err("events were acknowledged and lost");
        assert!(what.contains("lost"), "{what}");
    }
}
