//! Checking a tenant's segments and its catalog, and making a lost catalog again.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use ledgerline_journal::{Position, TenantJournal};
use ledgerline_model::id::{DatasetId, SegmentId, Seq};
use ledgerline_policy::{Scope, Upkeep};
use ledgerline_world::TenantBlobs;

use crate::catalog::{Catalog, Change, Contents, Entry};
use crate::error::{Error, ErrorKind, Result, chain};
use crate::numbers::Numbers;
use crate::segment::directory::{Directory, SEQ};
use crate::shelf;
use crate::tenant::{CATALOG_FILE, TenantStore};

/// What [`TenantStore::fsck`] found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Findings {
    /// How many segments were read whole.
    pub segments: u64,
    /// How many events they hold.
    pub events: u64,
    /// What is wrong, a line each; empty when all is sound.
    pub problems: Vec<String>,
    /// Whether the catalog was lost and was made again from the segments.
    pub rebuilt: bool,
}

/// A segment file whose directory can be read.
struct Found {
    directory: Directory,
    sealed_bytes: u64,
    /// Whether all the rest can be read, too.
    is_sound: bool,
}

type Segments = BTreeMap<SegmentId, Found>;

impl TenantStore {
    /// Reads every segment whole and checks every checksum, then the catalog against them. A
    /// catalog that is missing, damaged, or older than what lies beside it is made again from the
    /// segments; the old file is kept beside it. Of a live segment that is gone the catalog is told
    /// so, and the tenant opens without it. Nobody else may have the tenant open.
    ///
    /// # Errors
    /// The disk's. What is wrong with segments or the catalog is no error but a finding.
    pub fn fsck(scope: &Scope<Upkeep>, blobs: &TenantBlobs) -> Result<Findings> {
        if scope.tenant() != blobs.tenant() {
            return Err(Error::bug("a scope of another tenant"));
        }
        let mut findings = Findings::default();
        let mut segments = Segments::new();
        let files: BTreeSet<SegmentId> = shelf::list(blobs)?.into_iter().collect();
        for id in &files {
            let found = look_at(blobs, *id, &mut findings)?;
            segments.extend(found.map(|found| (*id, found)));
        }
        let begins = TenantJournal::begins(scope, blobs).map_err(|error| {
            Error::caused(ErrorKind::Unavailable, "the journal cannot be listed", error)
        })?;
        let evidence = Evidence { blobs, files, segments, begins: begins.unwrap_or_default() };
        let file = blobs.local_file(CATALOG_FILE);
        let exists = blobs.has_local_file(CATALOG_FILE);
        match exists.then(|| evidence.check_catalog(&file, &mut findings)) {
            Some(Ok(None)) => {}
            Some(Ok(Some(old))) => {
                let problem = "the catalog is older than the segments and the journal";
                findings.problems.push(problem.to_owned());
                blobs.set_aside_local_file(CATALOG_FILE)?;
                evidence.rebuild(old, &mut findings)?;
            }
            Some(Err(error)) if error.kind() == ErrorKind::Corrupt => {
                findings.problems.push(chain(&error));
                blobs.set_aside_local_file(CATALOG_FILE)?;
                evidence.rebuild(Contents::default(), &mut findings)?;
            }
            Some(Err(error)) => return Err(error),
            None if evidence.segments.is_empty() && findings.problems.is_empty() => {}
            None => evidence.rebuild(Contents::default(), &mut findings)?,
        }
        Ok(findings)
    }
}

/// Looks at a segment file; nothing when not even its directory can be read.
fn look_at(blobs: &TenantBlobs, id: SegmentId, findings: &mut Findings) -> Result<Option<Found>> {
    let path = shelf::path(id)?;
    let reader = match shelf::read(blobs, id) {
        Ok(reader) => reader,
        Err(error) => {
            findings.problems.push(chain(&error));
            return Ok(None);
        }
    };
    let read = || {
        blobs.open_blob(&path)?.verify()?;
        reader.verify().map_err(|error| error.about(&path))
    };
    let read = read();
    let directory = reader.directory().clone();
    match &read {
        Ok(()) => {
            findings.segments += 1;
            findings.events += u64::from(directory.rows);
        }
        Err(error) => findings.problems.push(chain(error)),
    }
    let sealed_bytes = blobs.sealed_bytes(&path)?;
    Ok(Some(Found { directory, sealed_bytes, is_sound: read.is_ok() }))
}

/// What lies beside the catalog.
struct Evidence<'a> {
    blobs: &'a TenantBlobs,
    files: BTreeSet<SegmentId>,
    segments: Segments,
    /// The first commit that the journal still has: all before it are in segments.
    begins: Position,
}

impl Evidence<'_> {
    /// Compares the catalog with what lies beside it. Answers what it holds when it is too old to
    /// be used.
    fn check_catalog(&self, file: &Path, findings: &mut Findings) -> Result<Option<Contents>> {
        let catalog = Catalog::open(file)?;
        if let Some(problem) = catalog.check()? {
            return Err(Error::corrupt(format!("the catalog: {problem}")));
        }
        let contents = catalog.read()?;
        let (mut lost, mut problems) = (Vec::new(), Vec::new());
        for entry in &contents.segments {
            match self.segments.get(&entry.id) {
                Some(found) if !found.is_sound => {
                    problems.push(format!("segment {} is damaged", entry.id));
                }
                Some(found) if Entry::of(&found.directory, found.sealed_bytes) != *entry => {
                    problems.push(format!("segment {} is not what the catalog says", entry.id));
                }
                Some(_) => {}
                None if self.files.contains(&entry.id) => {
                    problems.push(format!("segment {} is damaged", entry.id));
                }
                None => lost.push(entry.id),
            }
        }
        if self.shows_to_be_old(&contents, &lost) {
            return Ok(Some(contents));
        }
        findings.problems.extend(problems);
        if !lost.is_empty() {
            let gone = |id| format!("segment {id} is missing: its events are lost");
            findings.problems.extend(lost.iter().map(gone));
            catalog.commit(&Change { lost, ..Change::default() })?;
        }
        Ok(None)
    }

    /// Whether what lies beside the catalog is newer: the journal was trimmed further than it
    /// knows, or a segment that it misses was merged into one that it does not know.
    fn shows_to_be_old(&self, contents: &Contents, lost: &[SegmentId]) -> bool {
        let is_live = |id| contents.segments.iter().any(|entry| entry.id == id);
        let merged = |found: &Found| {
            !is_live(found.directory.id)
                && found.directory.replaces.iter().any(|replaced| lost.contains(replaced))
        };
        self.begins > contents.applied || self.segments.values().any(merged)
    }

    /// Makes the catalog again, from the segments and from what is known of an older one. What a
    /// flush left that was cut off does not count, since the journal still has its events; nor does
    /// what a sound segment replaces. Where several others hold the same events, the one of the
    /// latest flush counts, and of those the one that holds most: so no event counts twice,
    /// whatever could not be deleted. A segment that can be read in part comes last, so that what
    /// it lacks is missed and not forgotten.
    fn rebuild(&self, old: Contents, findings: &mut Findings) -> Result<()> {
        let directories = || self.segments.values().map(|found| &found.directory);
        let applied = directories().map(|directory| directory.applied).max().unwrap_or(0);
        let applied = applied.max(old.applied.0).max(self.begins.0);
        // What was flushed after a commit that the journal has forgotten was not cut off.
        let counts = |found: &&Found| {
            let directory = &found.directory;
            directory.flushed <= applied || directory.applied < self.begins.0
        };
        let mut candidates: Vec<&Found> = self.segments.values().filter(counts).collect();
        let sound = candidates.iter().filter(|found| found.is_sound);
        let replaced: BTreeSet<SegmentId> =
            sound.flat_map(|found| found.directory.replaces.iter().copied()).collect();
        candidates.retain(|found| !replaced.contains(&found.directory.id));
        candidates.sort_by_key(|found| {
            let Directory { flushed, rows, id, .. } = found.directory;
            (!found.is_sound, Reverse(flushed), Reverse(rows), id)
        });
        let mut next_seqs: BTreeMap<DatasetId, Seq> = old.next_seqs.into_iter().collect();
        let mut taken: BTreeMap<DatasetId, Numbers> = BTreeMap::new();
        let mut change = Change::default();
        for found in candidates {
            let directory = &found.directory;
            let next = next_seqs.entry(directory.dataset).or_insert(Seq(0));
            *next = (*next).max(Seq(directory.seqs.1.0 + 1));
            let Some(numbers) = self.numbers(found)? else { continue };
            let taken = taken.entry(directory.dataset).or_default();
            if !taken.meets(&numbers) {
                taken.add(&numbers);
                change.added.push(Entry::of(directory, found.sealed_bytes));
            } else if found.is_sound && !taken.holds(&numbers) {
                findings.problems.push(format!(
                    "segment {} holds events that others hold, and some that no other holds: it \
                     was left out",
                    directory.id
                ));
            }
        }
        let flushed = |entry: &Entry| self.segments[&entry.id].directory.flushed;
        let flushed = change.added.iter().map(flushed).max().unwrap_or(0);
        change.applied = Some(Position(applied.max(flushed)));
        change.next_seqs = next_seqs.into_iter().collect();
        Catalog::open(&self.blobs.local_file(CATALOG_FILE))?.commit(&change)?;
        findings.rebuilt = true;
        Ok(())
    }

    /// The numbers of a segment's events; nothing when they cannot be read.
    fn numbers(&self, found: &Found) -> Result<Option<Numbers>> {
        let reader = shelf::read(self.blobs, found.directory.id)?;
        match reader.system(SEQ) {
            Ok(numbers) => Ok(Some(Numbers::of(numbers))),
            Err(_) if !found.is_sound => Ok(None),
            Err(error) => Err(error),
        }
    }
}
