//! The order of a segment's rows: like beside like, so that neighbours compress and a value's rows
//! lie in few blocks.

use ledgerline_model::batch::Kind;

use super::coding::Coding;
use super::{Input, Placed};
use crate::column::ColumnData;
use crate::error::{Error, Result};
use crate::part::System;

/// What rows are sorted by before their time: by the first of each list that at least half of the
/// rows have. Where it comes from, what kind of event it is, and which machine it is about.
const SORTED_BY: [&[&str]; 3] = [
    &[
        "Channel",
        "service",
        "service.name",
        "resource.service.name",
        "eventSource",
        "_path",
        "app",
        "logger",
        "SourceName",
    ],
    &["EventID", "eventName", "event", "event.type", "event_type", "action", "type", "method"],
    &["Hostname", "host", "host.name", "hostname", "resource.host.name", "id.orig_h"],
];

const NOWHERE: u32 = u32::MAX;

/// Which row of the inputs stands where.
#[derive(Debug)]
pub(super) struct Order {
    /// Event times, in the new order.
    pub(super) times: Vec<i64>,
    /// Numbers of the events, in the new order.
    pub(super) seqs: Vec<i64>,
    /// For each input, the new row of each of its rows.
    targets: Vec<Vec<u32>>,
}

impl Order {
    pub(super) fn of(inputs: &[Input]) -> Result<Self> {
        let count = inputs.iter().map(|input| u64::from(input.count())).sum::<u64>();
        let count = u32::try_from(count).map_err(|_| Error::bug("a segment of 2^32 events"))?;
        let mut rows = Vec::with_capacity(count as usize);
        for (number, input) in inputs.iter().enumerate() {
            let (times, seqs) = (input.part.system(System::Time)?, input.part.system(System::Seq)?);
            for row in input.rows.iter().cloned().flatten() {
                let (time, seq) = (times[row as usize], seqs[row as usize]);
                rows.push(Row { key: 0, time, seq, input: number as u32, row });
            }
        }
        for names in SORTED_BY {
            add_key(inputs, names, &mut rows)?;
        }
        rows.sort_unstable_by_key(|row| (row.key, row.time, row.seq));
        let mut targets: Vec<Vec<u32>> =
            inputs.iter().map(|input| vec![NOWHERE; input.part.rows() as usize]).collect();
        for (target, row) in rows.iter().enumerate() {
            targets[row.input as usize][row.row as usize] = target as u32;
        }
        let times = rows.iter().map(|row| row.time).collect();
        let seqs = rows.iter().map(|row| row.seq).collect();
        Ok(Self { times, seqs, targets })
    }

    pub(super) fn rows(&self) -> u32 {
        self.times.len() as u32
    }

    /// A system column in the new order.
    pub(super) fn gather(&self, inputs: &[Input], system: System) -> Result<Vec<i64>> {
        let mut values = vec![0; self.times.len()];
        for (input, targets) in inputs.iter().zip(&self.targets) {
            for (value, target) in input.part.system(system)?.into_iter().zip(targets) {
                if *target != NOWHERE {
                    values[*target as usize] = value;
                }
            }
        }
        Ok(values)
    }

    /// The values of a column's pieces, in the new order.
    pub(super) fn place(&self, pieces: &[Option<ColumnData>]) -> Vec<Placed> {
        let count: usize = pieces.iter().flatten().map(|piece| piece.rows.len()).sum();
        let mut placed = Vec::with_capacity(count);
        for (input, (piece, targets)) in pieces.iter().zip(&self.targets).enumerate() {
            let Some(piece) = piece else { continue };
            for (index, row) in piece.rows.iter().enumerate() {
                let row = targets[row as usize];
                debug_assert_ne!(row, NOWHERE, "only wanted rows were read");
                placed.push(Placed { row, input: input as u32, index: index as u32 });
            }
        }
        if count * 8 < self.times.len() {
            placed.sort_unstable_by_key(|place| place.row);
            return placed;
        }
        // A column that many rows have is put in order by one pass instead of a sort.
        let mut slots = vec![NOWHERE; self.times.len()];
        for (at, place) in placed.iter().enumerate() {
            slots[place.row as usize] = at as u32;
        }
        slots.into_iter().filter(|at| *at != NOWHERE).map(|at| placed[at as usize]).collect()
    }
}

struct Row {
    key: u128,
    time: i64,
    seq: i64,
    input: u32,
    row: u32,
}

/// Appends to every row's key the code of its value in the first of the columns that will do.
fn add_key(inputs: &[Input], names: &[&str], rows: &mut [Row]) -> Result<()> {
    for name in names {
        for kind in [Kind::Str, Kind::I64] {
            let present: u64 = inputs
                .iter()
                .flat_map(|input| input.part.named(name).map(|at| &input.part.columns()[at]))
                .filter(|head| head.kind == kind)
                .map(|head| u64::from(head.present))
                .sum();
            if present * 2 < rows.len() as u64 {
                continue;
            }
            let merged = super::Merged::read(inputs, name, kind)?;
            if let Some(coding) = &merged.coding {
                put_codes(&merged.pieces, coding, rows);
                return Ok(());
            }
        }
    }
    Ok(())
}

/// Rows still lie input after input, so each piece is walked beside its rows. Rows without a value
/// come first.
fn put_codes(pieces: &[Option<ColumnData>], coding: &Coding, rows: &mut [Row]) {
    let mut next = vec![0; pieces.len()];
    for row in rows {
        row.key <<= 32;
        let (Some(piece), at) = (&pieces[row.input as usize], &mut next[row.input as usize]) else {
            continue;
        };
        if *at < piece.rows.len() && piece.rows.get(*at) == row.row {
            row.key |= u128::from(coding.code(row.input as usize, *at)) + 1;
            *at += 1;
        }
    }
}
