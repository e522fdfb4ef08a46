//! An export bundle: every line of it, and for a range also that no line is missing.

use std::io::{Read, Seek};

use ledgerline_ledger::body::{Body, Form, Shown};
use ledgerline_ledger::bundle::{Extent, Manifest};
use ledgerline_ledger::checkpoint::Origin;
use ledgerline_ledger::entry::Entry;
use ledgerline_ledger::erased::Line;
use ledgerline_ledger::hash::{self, Hash};
use ledgerline_ledger::note::{NOTE_BYTES_MAX, SignedNote};
use ledgerline_ledger::policy::{Opened, Policy};
use ledgerline_ledger::tree::{RangeCheck, RangeProof, check_inclusion};
use ledgerline_ledger::{Error, ErrorKind, Result};

use crate::archive::Archive;
use crate::event::{BODY_BYTES_MAX, check_rotation, describe_checkpoint, text_of};
use crate::outcome::Outcome;
use crate::removed::Removed;

const MANIFEST: usize = 0;
const CHECKPOINT: usize = 1;
const EVENTS: usize = 2;
const ERASURES: usize = 3;
const RANGE_PROOF: usize = 4;

/// The largest range proof: two sides of at most 64 hashes.
const RANGE_PROOF_BYTES_MAX: u64 = 8 * 1024;

/// Checks an export bundle. What is remembered does not grow with the bundle.
#[must_use]
pub fn export(reader: impl Read + Seek, policy: &Policy) -> Outcome {
    check(reader, policy).into()
}

fn differ<T>(what: impl Into<std::borrow::Cow<'static, str>>) -> Result<T> {
    Err(Error::new(ErrorKind::NotIncluded, what))
}

fn check(reader: impl Read + Seek, policy: &Policy) -> Result<Outcome> {
    let mut archive = Archive::open(reader)?;
    let note_max = NOTE_BYTES_MAX as u64;
    let checkpoint = archive.read(CHECKPOINT, note_max)?;
    let opened = policy.open(&SignedNote::parse(&checkpoint)?)?;
    let origin: Origin = opened.checkpoint.origin.parse()?;
    let note = SignedNote::parse(&archive.read(MANIFEST, note_max)?)?;
    policy.open_manifest(&note, &opened.checkpoint.origin)?;
    let manifest = Manifest::parse(note.text())?;
    if manifest.log_id != origin.log_id() {
        return differ("the manifest is of another log than the checkpoint");
    }
    check_digest("checkpoint", hash::of(&[&checkpoint]), manifest.checkpoint)?;
    if archive.has_range_proof() != matches!(manifest.extent, Extent::Range { .. }) {
        let what = "a bundle has a range proof when it is of a range, and only then";
        return Err(Error::new(ErrorKind::Malformed, what));
    }
    let run = match manifest.extent {
        Extent::Range { first, last, proof } => {
            let bytes = archive.read(RANGE_PROOF, RANGE_PROOF_BYTES_MAX)?;
            check_digest("range.proof", hash::of(&[&bytes]), proof)?;
            let proof = RangeProof::parse(text_of(&bytes)?)?;
            Some(RangeCheck::new(first, last, opened.checkpoint.head.size, proof)?)
        }
        Extent::Filter { .. } => None,
    };
    let log = Log { opened: &opened, origin: &origin };
    let removed = log.read_erasures(&mut archive, &manifest)?;
    let mut events = Events { log, removed, run, bounds: None, count: 0, erased: 0 };
    let digest = archive.lines(EVENTS, BODY_BYTES_MAX, |line| events.take(line))?;
    events.finish(&manifest, digest)?;
    Ok(Outcome::sound(describe(&manifest, &opened)))
}

fn check_digest(name: &str, has: Hash, should_have: Hash) -> Result<()> {
    if has == should_have {
        Ok(())
    } else {
        differ(format!("{name} is not the file that the manifest names"))
    }
}

/// The tree that all of a bundle is proven by.
#[derive(Clone, Copy)]
struct Log<'a> {
    opened: &'a Opened,
    origin: &'a Origin,
}

impl Log<'_> {
    fn check_log(&self, entry: &Entry) -> Result<()> {
        let is_of_log = entry.log_id == self.origin.log_id();
        if is_of_log { Ok(()) } else { differ("the entry is of another log than the checkpoint") }
    }

    fn check_path(&self, entry: &Entry, path: &[Hash]) -> Result<()> {
        check_inclusion(entry.leaf(), entry.seq, &self.opened.checkpoint.head, path)
    }

    /// Checks the erasures and retirements and answers which places they removed.
    fn read_erasures<R: Read + Seek>(
        &self,
        archive: &mut Archive<R>,
        manifest: &Manifest,
    ) -> Result<Removed> {
        let mut removed = Removed::default();
        let mut last = None;
        let digest = archive.lines(ERASURES, BODY_BYTES_MAX, |line| {
            let body = Body::parse(text_of(line)?, Form::Filter)?;
            self.check_log(body.entry())?;
            if last.is_some_and(|last| body.entry().seq <= last) {
                return differ("the erasures are not in the order of the log");
            }
            last = Some(body.entry().seq);
            if let Shown::Path(path) = body.shown() {
                self.check_path(body.entry(), path)?;
            }
            match body.claims().statement.removes() {
                Some(ranges) => removed.add(ranges),
                None => differ("this is neither an erasure nor a retirement"),
            }
        })?;
        check_digest("erasures.ndjson", digest, manifest.erasures)?;
        removed.join();
        Ok(removed)
    }
}

/// The events of a bundle, one by one.
struct Events<'a> {
    log: Log<'a>,
    removed: Removed,
    /// The check of the whole range, in a bundle of a range.
    run: Option<RangeCheck>,
    /// The first and the last place so far.
    bounds: Option<(u64, u64)>,
    count: u64,
    erased: u64,
}

impl Events<'_> {
    fn take(&mut self, line: &[u8]) -> Result<()> {
        let form = if self.run.is_some() { Form::Range } else { Form::Filter };
        let line = Line::parse(text_of(line)?, form)?;
        let entry = line.entry();
        self.log.check_log(entry)?;
        self.check_place(entry.seq)?;
        match (&mut self.run, line.shown()) {
            (Some(run), _) => run.push(entry.leaf())?,
            (None, Shown::Path(path)) => self.log.check_path(entry, path)?,
            (None, _) => return differ("the line has no path"),
        }
        match &line {
            Line::Body(body) => check_rotation(body, &self.log.opened.checkpoint.origin)?,
            Line::Erased(_) if self.removed.contains(entry.seq) => self.erased += 1,
            Line::Erased(_) => return differ("no erasure says why the payload is missing"),
        }
        self.count += 1;
        let first = self.bounds.map_or(entry.seq, |(first, _)| first);
        self.bounds = Some((first, entry.seq));
        Ok(())
    }

    /// Checks that a line stands where it should.
    fn check_place(&self, seq: u64) -> Result<()> {
        let next = match (&self.run, self.bounds) {
            (Some(run), _) => run.next(),
            (None, Some((_, last))) => last + 1,
            (None, None) => 0,
        };
        if seq < next {
            return differ("the line is not in the order of the log");
        }
        if self.run.is_some() && seq > next {
            let what = format!("the entries from {next} to {} are missing", seq - 1);
            return Err(Error::new(ErrorKind::Incomplete, what));
        }
        Ok(())
    }

    /// Checks that all lines came, and that they are those of the manifest.
    fn finish(self, manifest: &Manifest, digest: Hash) -> Result<()> {
        if let Some(run) = self.run {
            run.finish(&self.log.opened.checkpoint.head.root)?;
        }
        check_digest("events.ndjson", digest, manifest.events)?;
        let bounds = match manifest.extent {
            Extent::Range { first, last, .. } => Some((first, last)),
            Extent::Filter { bounds } => bounds,
        };
        let has = (self.count, self.erased, self.bounds);
        if has == (manifest.count, manifest.erased, bounds) {
            Ok(())
        } else {
            differ("the manifest counts other events than there are")
        }
    }
}

fn describe(manifest: &Manifest, opened: &Opened) -> String {
    let (count, erased) = (manifest.count, manifest.erased);
    let what = match manifest.extent {
        Extent::Range { first, last, .. } => format!(
            "COMPLETE\nevery entry from seq {first} to {last}: {count}, {erased} of them without \
             payload; that none is missing is proven\n"
        ),
        Extent::Filter { .. } => format!(
            "INCLUDED\n{count} entries, {erased} of them without payload; that the filter found \
             every entry that it should is not proven\n"
        ),
    };
    what + &describe_checkpoint(opened)
}
