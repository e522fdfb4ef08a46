//! Checking a tenant's segments and its catalog, and making a lost catalog again.

use std::collections::{BTreeMap, BTreeSet};

use ledgerline_journal::Position;
use ledgerline_model::id::{DatasetId, SegmentId, Seq};
use ledgerline_policy::{Scope, Upkeep};
use ledgerline_world::TenantBlobs;

use crate::catalog::{Catalog, Change, Entry};
use crate::error::{Error, ErrorKind, Result};
use crate::segment::directory::Directory;
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

/// A segment file that is sound.
struct Sound {
    directory: Directory,
    sealed_bytes: u64,
}

impl TenantStore {
    /// Reads every segment whole and checks every checksum, then the catalog against them. A
    /// catalog that is missing or damaged is made again from the segments; the damaged file is kept
    /// beside it. Nobody else may have the tenant open.
    ///
    /// # Errors
    /// The disk's. What is wrong with segments or the catalog is no error but a finding.
    pub fn fsck(scope: &Scope<Upkeep>, blobs: &TenantBlobs) -> Result<Findings> {
        if scope.tenant() != blobs.tenant() {
            return Err(Error::bug("a scope of another tenant"));
        }
        let mut findings = Findings::default();
        let mut sound = BTreeMap::new();
        for id in shelf::list(blobs)? {
            match check(blobs, id) {
                Ok(segment) => {
                    findings.segments += 1;
                    findings.events += u64::from(segment.directory.rows);
                    sound.insert(id, segment);
                }
                Err(error) => findings.problems.push(chain(&error)),
            }
        }
        let file = blobs.local_file(CATALOG_FILE);
        let exists = blobs.has_local_file(CATALOG_FILE);
        match exists.then(|| Catalog::open(&file).and_then(|catalog| compare(&catalog, &sound))) {
            Some(Ok(problems)) => findings.problems.extend(problems),
            Some(Err(error)) if error.kind() == ErrorKind::Corrupt => {
                findings.problems.push(chain(&error));
                blobs.set_aside_local_file(CATALOG_FILE)?;
                rebuild(blobs, &sound, &mut findings)?;
            }
            Some(Err(error)) => return Err(error),
            None if sound.is_empty() && findings.problems.is_empty() => {}
            None => rebuild(blobs, &sound, &mut findings)?,
        }
        Ok(findings)
    }
}

/// Reads a segment file whole.
fn check(blobs: &TenantBlobs, id: SegmentId) -> Result<Sound> {
    let path = shelf::path(id)?;
    blobs.open_blob(&path)?.verify()?;
    let reader = shelf::read(blobs, id)?;
    reader.verify().map_err(|error| error.about(&path))?;
    Ok(Sound { directory: reader.directory().clone(), sealed_bytes: blobs.sealed_bytes(&path)? })
}

/// What the catalog says that the segments do not.
fn compare(catalog: &Catalog, sound: &BTreeMap<SegmentId, Sound>) -> Result<Vec<String>> {
    let mut problems = Vec::new();
    if let Some(problem) = catalog.check()? {
        return Err(Error::corrupt(format!("the catalog: {problem}")));
    }
    for entry in catalog.read()?.segments {
        match sound.get(&entry.id) {
            None => problems.push(format!("segment {} is missing or damaged", entry.id)),
            Some(segment) if Entry::of(&segment.directory, segment.sealed_bytes) != entry => {
                problems.push(format!("segment {} is not what the catalog says", entry.id));
            }
            Some(_) => {}
        }
    }
    Ok(problems)
}

/// Makes the catalog again. Segments that others were merged into count instead of those; what a
/// flush left that was cut off does not count, since the journal still has its events.
fn rebuild(
    blobs: &TenantBlobs,
    sound: &BTreeMap<SegmentId, Sound>,
    findings: &mut Findings,
) -> Result<()> {
    let directories = || sound.values().map(|segment| &segment.directory);
    let replaced: BTreeSet<SegmentId> =
        directories().flat_map(|directory| directory.replaces.iter().copied()).collect();
    let applied = directories().map(|directory| directory.applied).max().unwrap_or(0);
    let live = |segment: &&Sound| {
        !replaced.contains(&segment.directory.id) && segment.directory.flushed <= applied
    };
    let mut next_seqs: BTreeMap<DatasetId, Seq> = BTreeMap::new();
    let mut change = Change { applied: Some(Position(applied)), ..Change::default() };
    for segment in sound.values().filter(live) {
        let directory = &segment.directory;
        let next = next_seqs.entry(directory.dataset).or_insert(Seq(0));
        *next = (*next).max(Seq(directory.seqs.1.0 + 1));
        change.added.push(Entry::of(directory, segment.sealed_bytes));
    }
    change.next_seqs = next_seqs.into_iter().collect();
    Catalog::open(&blobs.local_file(CATALOG_FILE))?.commit(&change)?;
    findings.rebuilt = true;
    Ok(())
}

/// An error with its causes, on one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
