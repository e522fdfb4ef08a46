//! Opening a journal: what lies there is read in order, checked, and handed out.
//!
//! 1. What was begun and never finished is removed; the files are listed.
//! 2. Every file must continue the one before it: names, positions and chain.
//! 3. Every group of a file that another continues must be whole, up to the end that this one
//!    names.
//! 4. In the last file, a torn tail is left out (see [`super::scan`]).
//! 5. Nothing proves that its last group was ever durable: kernels show bytes that a failed sync
//!    has lost. So this group is written anew, into a file of its own, and only then handed out.
//! 6. The keys and ids that were remembered, and the events' numbers, are gathered on the way.
//!    Where the journal and the catalog disagree, that is an error and not a guess.

use std::collections::HashMap;

use ledgerline_model::id::{DatasetId, Seq};
use ledgerline_world::{BlobPath, Chance, TenantBlobs};

use super::mark::Before;
use super::scan::{FileScan, Group, Step};
use super::tail::{Closed, Tail, WriteError, file_path, folder, later_keyed};
use crate::committed::{Apply, Committed, Position};
use crate::dedupe::{self, Dedupe};
use crate::entry::{Body, EntryHead};
use crate::error::{Error, ErrorKind, Result};
use crate::options::{Options, Recovered, Start};
use crate::prepare::Order;

/// Where the keys and ids are kept whose commits the journal has forgotten.
pub(crate) fn dedupe_path() -> BlobPath {
    folder().join("dedupe").expect("a path")
}

/// An opened journal, ready to be written.
pub(crate) struct Opened {
    pub(crate) tail: Tail,
    pub(crate) order: Order,
    pub(crate) recovered: Recovered,
}

/// Opens a tenant's journal.
///
/// # Errors
/// `Corrupt` when what was acknowledged cannot be read, or is not what the catalog knows;
/// `DiskFull` when the last group cannot be written anew.
pub(crate) fn open(
    (blobs, chance): (TenantBlobs, Chance),
    options: Options,
    start: &Start,
    apply: &dyn Apply,
) -> Result<Opened> {
    let disk = |error| Error::disk(folder().as_str(), error);
    blobs.remove_unfinished(&folder()).map_err(disk)?;
    let files = list(&blobs)?;
    let mut recovered = Recovered::default();
    let dedupe = read_dedupe(&blobs, &mut recovered)?;
    let mut replay = Replay::new(start, apply, dedupe, recovered);
    let (closed, end) = read_files(&blobs, &files, &mut replay)?;
    let at = (end.before, end.position, end.chain);
    let mut tail = Tail::new((blobs, chance), options, closed, at);
    if let Some(group) = end.unproven {
        write_anew(&mut tail, &group)?;
        replay.take(&end.path, group)?;
    }
    replay.finish(tail.position())?;
    let Replay { order, recovered, .. } = replay;
    Ok(Opened { tail, order, recovered })
}

fn write_anew(tail: &mut Tail, group: &Group) -> Result<()> {
    let entries: Vec<(&EntryHead, &Body)> =
        group.entries.iter().map(|(head, body)| (head, body)).collect();
    tail.begin(&entries).map_err(|error| match error {
        WriteError::Full(what) => Error::new(ErrorKind::DiskFull, what),
        WriteError::Fatal(error) => Error::disk("the last group, written anew", error),
    })
}

/// The journal's files, by the position of their first commit.
pub(crate) fn list(blobs: &TenantBlobs) -> Result<Vec<Position>> {
    let paths = blobs.list(&folder()).map_err(|error| Error::disk(folder().as_str(), error))?;
    let mut files: Vec<Position> = paths
        .iter()
        .filter_map(|path| u64::from_str_radix(path.name().strip_suffix(".log")?, 16).ok())
        .map(Position)
        .collect();
    files.retain(|first| paths.contains(&file_path(*first)));
    files.sort_unstable();
    Ok(files)
}

fn read_dedupe(blobs: &TenantBlobs, recovered: &mut Recovered) -> Result<Dedupe> {
    let path = dedupe_path();
    let disk = |error| Error::disk(path.as_str(), error);
    let reason = match blobs.get(&path) {
        Ok(bytes) => match dedupe::format::decode(&bytes) {
            Some(dedupe) => return Ok(dedupe),
            None => "it holds no keys".to_owned(),
        },
        Err(error) if error.kind() == ledgerline_world::ErrorKind::NotFound => {
            return Ok(Dedupe::default());
        }
        Err(error) if error.kind() == ledgerline_world::ErrorKind::Corrupt => error.to_string(),
        Err(error) => return Err(disk(error)),
    };
    // No event is lost without it; only what is sent again may be stored again.
    blobs.quarantine(&path).map_err(disk)?;
    recovered.quarantined.push(format!("{path}: {reason}"));
    Ok(Dedupe::default())
}

/// Where the files end.
struct End {
    before: Option<Before>,
    position: Position,
    chain: super::mark::Chain,
    /// The last group, when nothing proves that it is durable; the journal then ends before it.
    unproven: Option<Group>,
    path: BlobPath,
}

fn read_files(
    blobs: &TenantBlobs,
    files: &[Position],
    replay: &mut Replay<'_>,
) -> Result<(Vec<Closed>, End)> {
    let mut closed = Vec::new();
    let nothing = End {
        before: None,
        position: Position(0),
        chain: [0; 32],
        unproven: None,
        path: file_path(Position(0)),
    };
    let Some(first) = files.first() else { return Ok((closed, nothing)) };
    let mut scan = open_file(blobs, *first)?;
    if *first > replay.start.applied {
        let what = format!(
            "the journal begins at commit {}, but segments hold only those before {}",
            first.0, replay.start.applied.0
        );
        return Err(Error::corrupt(scan.path(), 0, &what));
    }
    for next in &files[1..] {
        let next = open_file(blobs, *next)?;
        let limit = end_by(&scan, &next)?;
        let keyed_ns = read_to(&mut scan, limit, replay)?;
        let (begin, path) = (next.begin(), next.path());
        if begin.first != scan.position() || begin.chain != scan.chain() {
            let what = "the file does not continue the one before it";
            return Err(Error::corrupt(path, ledgerline_world::LogReader::START, what));
        }
        closed.push(close(&scan, keyed_ns));
        scan = next;
    }
    let end = read_last(scan, replay, &mut closed)?;
    Ok((closed, end))
}

fn open_file(blobs: &TenantBlobs, first: Position) -> Result<FileScan> {
    let path = file_path(first);
    let scan = FileScan::open(blobs, &path)?;
    if scan.begin().first != first {
        let what = "the file begins at another commit than its name says";
        return Err(Error::corrupt(&path, ledgerline_world::LogReader::START, what));
    }
    Ok(scan)
}

/// Where a file ends, by the one that continues it.
fn end_by(scan: &FileScan, next: &FileScan) -> Result<u64> {
    let before = next.begin().before.filter(|before| before.first == scan.begin().first);
    let before = before.ok_or_else(|| {
        let what = format!("the file continues another than {}", scan.path());
        Error::corrupt(next.path(), ledgerline_world::LogReader::START, &what)
    })?;
    if before.end > scan.file_bytes() {
        let what = format!("the file ends before byte {}, up to where it was durable", before.end);
        return Err(Error::corrupt(scan.path(), scan.file_bytes(), &what));
    }
    Ok(before.end)
}

fn read_to(scan: &mut FileScan, limit: u64, replay: &mut Replay<'_>) -> Result<Option<i64>> {
    let mut keyed_ns = None;
    while let Step::Group(group) = scan.next(Some(limit))? {
        group.entries.iter().for_each(|(head, _)| keyed_ns = later_keyed(keyed_ns, head));
        replay.take(scan.path(), group)?;
    }
    Ok(keyed_ns)
}

/// Reads the last file. Its last group is handed out only when the file was sealed.
fn read_last(mut scan: FileScan, replay: &mut Replay<'_>, closed: &mut Vec<Closed>) -> Result<End> {
    let begin = *scan.begin();
    let path = scan.path().clone();
    let mut keyed_ns = None;
    let mut unproven: Option<Group> = None;
    let is_sealed = loop {
        match scan.next(None)? {
            Step::Group(group) => {
                if let Some(proven) = unproven.replace(group) {
                    proven.entries.iter().for_each(|(head, _)| {
                        keyed_ns = later_keyed(keyed_ns, head);
                    });
                    replay.take(&path, proven)?;
                }
            }
            Step::Sealed => break true,
            Step::End => break false,
            Step::Torn { bytes } => {
                replay.recovered.trimmed_bytes = bytes;
                break false;
            }
        }
    };
    if is_sealed && let Some(proven) = unproven.take() {
        proven.entries.iter().for_each(|(head, _)| keyed_ns = later_keyed(keyed_ns, head));
        replay.take(&path, proven)?;
    }
    let (end, position, chain) = match &unproven {
        Some(group) => (group.start, group.position, group.chain),
        None => (scan.offset(), scan.position(), scan.chain()),
    };
    if position == begin.first {
        // The file holds nothing that is proven: the next one has its name, and replaces it.
        return Ok(End { before: begin.before, position, chain, unproven, path });
    }
    let mut file = close(&scan, keyed_ns);
    (file.end, file.position) = (end, position);
    closed.push(file);
    let before = Some(Before { first: begin.first, end });
    Ok(End { before, position, chain, unproven, path })
}

fn close(scan: &FileScan, keyed_ns: Option<i64>) -> Closed {
    Closed {
        path: scan.path().clone(),
        position: scan.position(),
        end: scan.offset(),
        file_bytes: scan.file_bytes(),
        keyed_ns,
    }
}

/// What is gathered and handed out while the files are read.
struct Replay<'a> {
    start: &'a Start,
    apply: &'a dyn Apply,
    order: Order,
    recovered: Recovered,
    /// Whether the catalog's numbers were taken in already.
    has_met_catalog: bool,
}

impl<'a> Replay<'a> {
    fn new(start: &'a Start, apply: &'a dyn Apply, dedupe: Dedupe, recovered: Recovered) -> Self {
        let order = Order { next_seqs: HashMap::new(), dedupe };
        Self { start, apply, order, recovered, has_met_catalog: false }
    }

    fn take(&mut self, path: &BlobPath, group: Group) -> Result<()> {
        for (index, (head, body)) in group.entries.into_iter().enumerate() {
            let corrupt = |what: &str| Error::corrupt(path, group.start, what);
            let position = group.position.after(index);
            if position >= self.start.applied {
                self.meet_catalog()?;
            }
            let expected = self.order.next_seqs.get(&head.dataset);
            if expected.is_some_and(|expected| *expected != head.first_seq) {
                return Err(corrupt("events are not numbered as those before them"));
            }
            self.order.next_seqs.insert(head.dataset, head.next_seq());
            if position >= self.order.dedupe.covered() {
                self.order.dedupe.remember(position, &head);
            }
            if position >= self.start.applied {
                let commit = commit(position, &head, &body);
                self.apply.apply(commit.ok_or_else(|| corrupt("the events cannot be read"))?);
                self.recovered.replayed += 1;
            }
        }
        Ok(())
    }

    /// Compares what the journal and the catalog know of the commits before `applied`.
    fn meet_catalog(&mut self) -> Result<()> {
        if self.has_met_catalog {
            return Ok(());
        }
        self.has_met_catalog = true;
        for (dataset, seq) in &self.start.next_seqs {
            let known = *self.order.next_seqs.entry(*dataset).or_insert(*seq);
            if known != *seq {
                return Err(disagreement(*dataset, known, *seq));
            }
        }
        Ok(())
    }

    fn finish(&mut self, end: Position) -> Result<()> {
        if end < self.start.applied {
            let what = format!(
                "the journal ends at commit {}, but segments hold those before {}",
                end.0, self.start.applied.0
            );
            return Err(Error::new(ErrorKind::Corrupt, what));
        }
        let covered = self.order.dedupe.covered();
        if end < covered {
            let what = format!(
                "the journal ends at commit {}, but {} knows those before {}",
                end.0,
                dedupe_path(),
                covered.0
            );
            return Err(Error::new(ErrorKind::Corrupt, what));
        }
        self.meet_catalog()
    }
}

fn disagreement(dataset: DatasetId, journal: Seq, catalog: Seq) -> Error {
    let what = format!(
        "of dataset {} the journal knows {} events and the catalog {}",
        dataset.0, journal.0, catalog.0
    );
    Error::new(ErrorKind::Corrupt, what)
}

/// The commit of an entry; nothing when its events cannot be read.
pub(crate) fn commit(position: Position, head: &EntryHead, body: &Body) -> Option<Committed> {
    let batch = body.open().filter(|batch| batch.rows() == head.rows as usize)?;
    let EntryHead { dataset, first_seq, id_base, .. } = *head;
    Some(Committed { position, dataset, first_seq, id_base, batch })
}
