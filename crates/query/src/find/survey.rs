//! Histograms and fields: what the found events are like as a whole.

use std::collections::BTreeMap;

use ledgerline_model::batch::Kind;
use ledgerline_model::limits::HISTOGRAM_BARS_MAX;
use ledgerline_model::time::Timestamp;
use ledgerline_store::part::System;
use rayon::prelude::*;

use super::Target;
use super::part_scan::{PartScan, severity};
use super::plan::Node;
use crate::answer::{Bar, Field};
use crate::error::{Error, ErrorKind, Result};
use crate::lang::width::Width;

/// The names of severities, in order.
const SEVERITIES: [&str; 7] = ["", "DEBUG", "ERROR", "FATAL", "INFO", "TRACE", "WARN"];

type Counts = [u64; SEVERITIES.len()];

/// How many events there are in each bar, by severity.
pub(super) fn histogram(target: &Target<'_>, node: &Node, width: Width) -> Result<Vec<Bar>> {
    let parts: Result<Vec<BTreeMap<i64, Counts>>> = target
        .snapshot
        .parts()
        .par_iter()
        .map(|part| bars(&PartScan::new(target, part), node, width))
        .collect();
    let mut all: BTreeMap<i64, Counts> = BTreeMap::new();
    for (start, counts) in parts?.into_iter().flatten() {
        add(&mut all, start, &counts)?;
    }
    let bar = |(start, counts): (i64, Counts)| Bar {
        start: Timestamp(start),
        count: counts.iter().sum(),
        severities: SEVERITIES.into_iter().zip(counts).filter(|(_, count)| *count > 0).collect(),
    };
    Ok(all.into_iter().map(bar).collect())
}

fn check_count(bars: usize) -> Result<()> {
    if bars > HISTOGRAM_BARS_MAX {
        let what = format!("the histogram has more than {HISTOGRAM_BARS_MAX} bars");
        return Err(Error::new(ErrorKind::TooBig, what));
    }
    Ok(())
}

fn bars(scan: &PartScan<'_>, node: &Node, width: Width) -> Result<BTreeMap<i64, Counts>> {
    let mut bars: BTreeMap<i64, Counts> = BTreeMap::new();
    let rows = scan.select(node, None)?;
    if rows.is_empty() {
        return Ok(bars);
    }
    let severities = scan.part.system(System::Severity)?;
    let classes: Vec<usize> = (0..=u8::MAX)
        .map(|number| SEVERITIES.binary_search(&severity(number.into()).name()).unwrap_or(0))
        .collect();
    let class = |row: u32| classes[severities[row as usize] as u8 as usize];
    let (first, last) = scan.part.times();
    let only = Some(width.floor(first).0).filter(|start| width.floor(last).0 == *start);
    if let Some(start) = only {
        let bar = bars.entry(start).or_default();
        rows.iter().for_each(|row| bar[class(row)] += 1);
        return Ok(bars);
    }
    let times = scan.times()?;
    // Neighbours are mostly in one bar.
    let (mut start, mut end, mut bar) = (0, 0, Counts::default());
    for row in rows.iter() {
        let time = times[row as usize];
        if time < start || time >= end {
            add(&mut bars, start, &bar)?;
            bar = Counts::default();
            start = width.floor(Timestamp(time)).0;
            end = start.saturating_add(width.nanoseconds());
        }
        bar[class(row)] += 1;
    }
    add(&mut bars, start, &bar)?;
    Ok(bars)
}

fn add(bars: &mut BTreeMap<i64, Counts>, start: i64, counts: &Counts) -> Result<()> {
    if counts.iter().any(|count| *count > 0) {
        let bar = bars.entry(start).or_default();
        bar.iter_mut().zip(counts).for_each(|(bar, count)| *bar += count);
    }
    check_count(bars.len())
}

/// The fields of the found events.
pub(super) fn fields(target: &Target<'_>, node: &Node) -> Result<Vec<Field>> {
    type Kinds = [u64; Kind::ALL.len()];
    let parts: Result<Vec<FieldCounts>> = target
        .snapshot
        .parts()
        .par_iter()
        .map(|part| field_counts(&PartScan::new(target, part), node))
        .collect();
    let mut found = 0;
    let mut all: BTreeMap<&str, Kinds> = BTreeMap::new();
    for (part, counts) in target.snapshot.parts().iter().zip(parts?) {
        found += counts.found;
        for (column, count) in counts.present {
            let head = &part.columns()[column];
            all.entry(&head.name).or_default()[head.kind as usize - 1] += count;
        }
    }
    let field = |(name, kinds): (&str, Kinds)| {
        let events = kinds.iter().sum::<u64>();
        let kinds = Kind::ALL.into_iter().zip(kinds).filter(|(_, count)| *count > 0);
        let share = events as f64 / found as f64;
        Field { name: name.to_owned(), kinds: kinds.collect(), events, share }
    };
    let mut fields: Vec<Field> = all.into_iter().map(field).collect();
    // A stable sort: equal ones stay in the order of their names.
    fields.sort_by_key(|field| std::cmp::Reverse(field.events));
    Ok(fields)
}

/// What one part knows of its fields.
#[derive(Debug, Default)]
struct FieldCounts {
    /// How many rows are found.
    found: u64,
    /// Columns, and how many of those rows have each.
    present: Vec<(usize, u64)>,
}

fn field_counts(scan: &PartScan<'_>, node: &Node) -> Result<FieldCounts> {
    let rows = scan.select(node, None)?;
    let mut counts = FieldCounts { found: rows.len() as u64, present: Vec::new() };
    if rows.is_empty() {
        return Ok(counts);
    }
    for (column, head) in scan.part.columns().iter().enumerate() {
        let count = if rows.is_all() {
            u64::from(head.present)
        } else {
            let mut present = scan.presence(column)?;
            present.intersect(&rows);
            present.len() as u64
        };
        if count > 0 {
            counts.present.push((column, count));
        }
    }
    Ok(counts)
}
