//! The first events in the order of time, found by reading no further than needed.

use std::cmp::Ordering;

use ledgerline_model::id::Seq;
use ledgerline_model::time::Timestamp;
use ledgerline_store::part::Part;
use rayon::prelude::*;

use super::Target;
use super::part_scan::PartScan;
use super::plan::Node;
use super::rowset::RowSet;
use crate::answer::{Order, Place};
use crate::budget::Memory;
use crate::error::Result;

/// Where an event of a snapshot is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Hit {
    pub(super) place: Place,
    /// The number of its part.
    pub(super) part: u32,
    pub(super) row: u32,
}

/// Which of the events that a search finds are wanted.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted {
    pub(super) order: Order,
    pub(super) after: Option<Place>,
    pub(super) as_of: Option<Seq>,
    pub(super) limit: usize,
}

impl Wanted {
    fn compare(&self, a: Place, b: Place) -> Ordering {
        match self.order {
            Order::Newest => b.cmp(&a),
            Order::Oldest => a.cmp(&b),
        }
    }

    /// The place of a part that comes before those of all its events, or is the first of them.
    fn first(&self, part: &Part) -> Place {
        let (times, seqs) = (part.times(), part.seqs());
        match self.order {
            Order::Newest => Place { time: times.1, seq: seqs.1 },
            Order::Oldest => Place { time: times.0, seq: seqs.0 },
        }
    }

    /// The same at the other end.
    fn last(&self, part: &Part) -> Place {
        let (times, seqs) = (part.times(), part.seqs());
        match self.order {
            Order::Newest => Place { time: times.0, seq: seqs.0 },
            Order::Oldest => Place { time: times.1, seq: seqs.1 },
        }
    }

    fn is_after(&self, place: Place) -> bool {
        self.after.is_none_or(|after| self.compare(after, place).is_lt())
    }
}

/// The first events in an order, kept while parts are read.
#[derive(Debug)]
struct Best {
    wanted: Wanted,
    hits: Vec<Hit>,
    /// When `limit` hits are known: no hit behind this place is wanted.
    worst: Option<Place>,
    memory: Memory,
    taken: usize,
}

impl Best {
    fn admits(&self, place: Place) -> bool {
        self.worst.is_none_or(|worst| self.wanted.compare(place, worst).is_lt())
    }

    fn extend(&mut self, hits: Vec<Hit>) -> Result<()> {
        self.hits.extend(hits);
        let limit = self.wanted.limit;
        let wanted = self.wanted;
        if self.hits.len() >= limit {
            let compare = |a: &Hit, b: &Hit| wanted.compare(a.place, b.place);
            let (_, worst, _) = self.hits.select_nth_unstable_by(limit - 1, compare);
            self.worst = Some(worst.place);
            self.hits.truncate(limit);
        }
        if self.hits.len() > self.taken {
            self.memory.grow((self.hits.len() - self.taken) * size_of::<Hit>())?;
            self.taken = self.hits.len();
        }
        Ok(())
    }
}

/// The first `limit` events that a search finds, in order.
pub(super) fn first(target: &Target<'_>, node: &Node, wanted: Wanted) -> Result<Vec<Hit>> {
    let mut best =
        Best { wanted, hits: Vec::new(), worst: None, memory: target.budget.take(0)?, taken: 0 };
    if wanted.limit == 0 {
        return Ok(best.hits);
    }
    let parts = target.snapshot.parts();
    let mut order: Vec<u32> = (0..parts.len() as u32).collect();
    order.retain(|part| wanted.is_after(wanted.last(&parts[*part as usize])));
    let first = |part: &u32| wanted.first(&parts[*part as usize]);
    order.sort_by(|a, b| wanted.compare(first(a), first(b)));
    let mut rest = order.as_slice();
    // Few parts at first, as they may be enough; then more and more at once.
    let mut count = 1;
    while let Some(next) = rest.first() {
        if !best.admits(first(next)) {
            break;
        }
        let (now, later) = rest.split_at(count.min(rest.len()));
        (rest, count) = (later, count * 2);
        let found: Result<Vec<Vec<Hit>>> = match now {
            [only] => hits(target, node, &best, *only).map(|hits| vec![hits]),
            several => several.par_iter().map(|part| hits(target, node, &best, *part)).collect(),
        };
        for hits in found? {
            best.extend(hits)?;
        }
    }
    best.hits.sort_unstable_by(|a, b| wanted.compare(a.place, b.place));
    Ok(best.hits)
}

/// The hits of one part that may be among the first.
fn hits(target: &Target<'_>, node: &Node, best: &Best, number: u32) -> Result<Vec<Hit>> {
    let part = &target.snapshot.parts()[number as usize];
    let wanted = &best.wanted;
    if !best.admits(wanted.first(part)) {
        return Ok(Vec::new());
    }
    let scan = PartScan::new(target, part);
    let rows = scan.select(node, wanted.as_of)?;
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let mut hits =
        placed(&scan, number, &rows, |place| wanted.is_after(place) && best.admits(place))?;
    if hits.len() > wanted.limit {
        hits.select_nth_unstable_by(wanted.limit - 1, |a, b| wanted.compare(a.place, b.place));
        hits.truncate(wanted.limit);
    }
    Ok(hits)
}

/// Rows of a part as hits.
fn placed(
    scan: &PartScan<'_>,
    part: u32,
    rows: &RowSet,
    keep: impl Fn(Place) -> bool,
) -> Result<Vec<Hit>> {
    let (times, seqs) = (scan.times()?, scan.seqs()?);
    let place = |row: u32| Place {
        time: Timestamp(times[row as usize]),
        seq: Seq(seqs[row as usize] as u64),
    };
    let hits = rows.iter().map(|row| Hit { place: place(row), part, row });
    Ok(hits.filter(|hit| keep(hit.place)).collect())
}
