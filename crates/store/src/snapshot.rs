//! What one reader sees of one dataset: parts that never change, all of one tenant.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use ledgerline_model::convention::ID_KEY;
use ledgerline_model::id::{Seq, TenantId};
use ledgerline_model::time::Timestamp;

use crate::column::{ValueRef, spans};
use crate::error::Result;
use crate::part::{Evidence, Part, System};

/// One audit event, as its ledger knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// Its number.
    pub seq: Seq,
    /// When it happened.
    pub time: Timestamp,
    /// When it was received.
    pub received: Timestamp,
    /// Its id.
    pub id: String,
    /// What proves it; nothing when it was erased.
    pub evidence: Option<Evidence>,
}

/// Some events of one dataset of one tenant, as they were at one moment.
#[derive(Debug, Clone)]
pub struct Snapshot {
    tenant: TenantId,
    parts: Vec<Part>,
    as_of: Seq,
    scanned: Arc<AtomicU64>,
}

impl Snapshot {
    pub(crate) fn new(
        tenant: TenantId,
        parts: Vec<Part>,
        as_of: Seq,
        scanned: Arc<AtomicU64>,
    ) -> Self {
        Self { tenant, parts, as_of, scanned }
    }

    /// Whose events they are.
    #[must_use]
    pub fn tenant(&self) -> TenantId {
        self.tenant
    }

    /// The parts that may hold events of the span of time that was asked for; they may hold others
    /// too.
    #[must_use]
    pub fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// The number that the next event of the dataset would have had: every event below it is in the
    /// snapshot.
    #[must_use]
    pub fn as_of(&self) -> Seq {
        self.as_of
    }

    /// The same, with only the parts that may hold events of these numbers, with all in them.
    #[must_use]
    pub fn between(mut self, first: Seq, end: Seq) -> Self {
        self.parts.retain(|part| {
            let (lowest, highest) = part.seqs();
            lowest < end && first <= highest
        });
        self
    }

    /// How many stored bytes were read through this snapshot so far.
    #[must_use]
    pub fn scanned_bytes(&self) -> u64 {
        self.scanned.load(Ordering::Relaxed)
    }

    /// Audit events by their numbers, in the order that they are asked for; nothing for a number
    /// that no event has.
    ///
    /// # Errors
    /// When stored bytes cannot be read or are not what was written.
    pub fn kept(&self, seqs: &[Seq]) -> Result<Vec<Option<Kept>>> {
        let mut wanted: Vec<(Seq, usize)> = seqs.iter().copied().zip(0..).collect();
        wanted.sort_unstable();
        let mut kept = vec![None; seqs.len()];
        for part in &self.parts {
            let (first, last) = part.seqs();
            let from = wanted.partition_point(|(seq, _)| *seq < first);
            let to = wanted.partition_point(|(seq, _)| *seq <= last);
            if from < to {
                keep_of(part, &wanted[from..to], &mut kept)?;
            }
        }
        Ok(kept)
    }
}

/// Puts the events of a part that are wanted, by rising numbers, into their places.
fn keep_of(part: &Part, wanted: &[(Seq, usize)], kept: &mut [Option<Kept>]) -> Result<()> {
    let numbers = part.system(System::Seq)?;
    let mut found: Vec<(u32, Seq)> = Vec::with_capacity(wanted.len());
    for (row, number) in (0..).zip(numbers) {
        let seq = Seq(number as u64);
        if wanted.binary_search_by_key(&seq, |(seq, _)| *seq).is_ok() {
            found.push((row, seq));
        }
    }
    let rows = spans(found.iter().map(|(row, _)| *row));
    let times = part.system(System::Time)?;
    let mut evidence = part.evidence(&rows)?.into_iter().peekable();
    let ids = match part.named(ID_KEY).next() {
        Some(column) => Some(part.column(column, &rows)?),
        None => None,
    };
    for (row, seq) in found {
        let origin = part.origin(seq)?;
        let own = ids.as_ref().and_then(|ids| match ids.value(ids.rows.position(row)?) {
            ValueRef::Str(id) => Some(id.to_owned()),
            _ => None,
        });
        let one = Kept {
            seq,
            time: Timestamp(times[row as usize]),
            received: origin.received,
            id: own.unwrap_or_else(|| origin.id.to_string()),
            evidence: evidence.next_if(|evidence| evidence.row == row),
        };
        let from = wanted.partition_point(|(other, _)| *other < seq);
        let same = wanted[from..].iter().take_while(|(other, _)| *other == seq);
        same.for_each(|(_, place)| kept[*place] = Some(one.clone()));
    }
    Ok(())
}
