//! Queries with pipes.

use rayon::prelude::*;

use super::Target;
use super::group::{KeySource, PartGroups, PartRows, Stats};
use super::local::Selection;
use super::measure::Measuring;
use super::ordered::{Wanted, first};
use super::part_scan::PartScan;
use super::plan::{Name, Node};
use super::rows::EventRows;
use super::table::{self, TableRows};
use super::totals::Totals;
use crate::answer::{Cell, Order, Table};
use crate::budget::Memory;
use crate::error::Result;
use crate::lang::ast::{Direction, GroupKey, Measure, Pipe, Query, Search, SortKey};

/// The answer to a query.
pub(super) fn run(target: &Target<'_>, query: &Query) -> Result<Table> {
    let mut pipes = query.pipes.as_slice();
    let mut searches = vec![query.search.clone()];
    while let [Pipe::Where(search), rest @ ..] = pipes {
        searches.push(search.clone());
        pipes = rest;
    }
    let node = target.meaning().prepare(&Search::and(searches))?;
    let mut table = match pipes {
        [Pipe::Stats { measures, keys }, rest @ ..] => {
            let stats = prepare(measures, keys);
            let groups = groups_of_search(target, &node, &stats)?;
            after_stats(target, &stats, columns(measures, keys), &groups, rest)?
        }
        _ => events(target, &node, pipes)?,
    };
    let most = target.budget.limits().rows_max;
    if table.rows.len() > most {
        table.rows.truncate(most);
        table.is_complete = false;
    }
    Ok(table)
}

/// Makes a `stats` pipe ready.
pub(super) fn prepare(measures: &[Measure], keys: &[GroupKey]) -> Stats {
    let key = |key: &GroupKey| match key {
        GroupKey::Field(name) => KeySource::Field(Name::new(name)),
        GroupKey::Time(width) => KeySource::Bars(*width),
    };
    let measuring = |measure: &Measure| Measuring::new(&measure.aggregate);
    Stats {
        keys: keys.iter().map(key).collect(),
        measures: measures.iter().map(measuring).collect(),
    }
}

fn columns(measures: &[Measure], keys: &[GroupKey]) -> Vec<String> {
    let keys = keys.iter().map(|key| key.column().to_owned());
    keys.chain(measures.iter().map(Measure::column)).collect()
}

/// The groups of all events that a search finds, part by part.
pub(super) fn groups_of_search(
    target: &Target<'_>,
    node: &Node,
    stats: &Stats,
) -> Result<Vec<PartGroups>> {
    let groups: Result<Vec<Option<PartGroups>>> = target
        .snapshot
        .parts()
        .par_iter()
        .map(|part| {
            let scan = PartScan::new(target, part);
            let selection = Selection::new(scan.select(node, None)?);
            if selection.len() == 0 {
                return Ok(None);
            }
            stats.groups(&PartRows { scan: &scan, selection: &selection }).map(Some)
        })
        .collect();
    Ok(groups?.into_iter().flatten().collect())
}

/// The table of a `stats` pipe and what follows it. An order and a limit that follow at once are
/// taken before the groups become rows.
fn after_stats(
    target: &Target<'_>,
    stats: &Stats,
    columns: Vec<String>,
    groups: &[PartGroups],
    rest: &[Pipe],
) -> Result<Table> {
    let totals = Totals::of(stats, groups, target.budget)?;
    let (by, rest) = match rest {
        [Pipe::Sort(by), rest @ ..] => (by.as_slice(), rest),
        rest => (&[] as &[SortKey], rest),
    };
    let (limit, rest) = match rest {
        [Pipe::Limit(limit), rest @ ..] => (usize::try_from(*limit).unwrap_or(usize::MAX), rest),
        rest => (usize::MAX, rest),
    };
    let at = |key: &SortKey| {
        let at = columns.iter().position(|column| *column == key.column);
        at.map(|at| (at, key.direction))
    };
    let by: Vec<(usize, Direction)> = by.iter().filter_map(at).collect();
    let order = totals.first(&by, limit);
    let memory = target.budget.take(order.len() * columns.len() * size_of::<Cell>())?;
    let rows = order.into_iter().map(|group| totals.row(group)).collect();
    after_table(target, Table { columns, rows, is_complete: true }, memory, rest)
}

/// The pipes after those that made a table.
fn after_table(
    target: &Target<'_>,
    mut table: Table,
    memory: Memory,
    pipes: &[Pipe],
) -> Result<Table> {
    for (at, pipe) in pipes.iter().enumerate() {
        target.budget.check()?;
        match pipe {
            Pipe::Stats { measures, keys } => {
                let stats = prepare(measures, keys);
                let groups = [stats.groups(&TableRows { table: &table, budget: target.budget })?];
                let is_complete = table.is_complete;
                drop((table, memory));
                let rest = &pipes[at + 1..];
                let table = after_stats(target, &stats, columns(measures, keys), &groups, rest)?;
                return Ok(Table { is_complete: is_complete && table.is_complete, ..table });
            }
            Pipe::Sort(by) => table::sort(&mut table, by),
            Pipe::Limit(limit) => {
                table.rows.truncate(usize::try_from(*limit).unwrap_or(usize::MAX));
            }
            Pipe::Fields(names) => table = table::project(table, names),
            Pipe::Where(search) => table::filter(&mut table, search, &target.meaning())?,
            Pipe::Rename(renamings) => table = table::rename(table, renamings),
            Pipe::Uniq(names) => table::uniq(&mut table, names, target.budget)?,
        }
    }
    Ok(table)
}

/// How many of the newest events the pipes can need.
fn needed(pipes: &[Pipe], rows_max: usize) -> usize {
    for pipe in pipes {
        match pipe {
            Pipe::Fields(_) | Pipe::Rename(_) => {}
            Pipe::Limit(limit) => return usize::try_from(*limit).unwrap_or(usize::MAX),
            _ => return usize::MAX,
        }
    }
    // One more shows that there are more.
    rows_max.saturating_add(1)
}

/// Pipes over events, the newest first, until one of them makes a table.
fn events(target: &Target<'_>, node: &Node, pipes: &[Pipe]) -> Result<Table> {
    let limit = needed(pipes, target.budget.limits().rows_max);
    let wanted = Wanted { order: Order::Newest, after: None, as_of: None, limit };
    let _memory = target.budget.take(0)?;
    let mut rows = EventRows { target, hits: first(target, node, wanted)? };
    for (at, pipe) in pipes.iter().enumerate() {
        target.budget.check()?;
        let rest = &pipes[at + 1..];
        match pipe {
            Pipe::Where(search) => rows.filter(&target.meaning().prepare(search)?)?,
            Pipe::Sort(by) => rows.sort(by)?,
            Pipe::Uniq(names) => rows.uniq(names)?,
            Pipe::Limit(limit) => {
                rows.hits.truncate(usize::try_from(*limit).unwrap_or(usize::MAX));
            }
            Pipe::Fields(names) => {
                let (table, memory) = rows.project(names)?;
                return after_table(target, table, memory, rest);
            }
            Pipe::Rename(renamings) => {
                let (table, memory) = rows.rename(renamings)?;
                return after_table(target, table, memory, rest);
            }
            Pipe::Stats { measures, keys } => {
                let stats = prepare(measures, keys);
                let groups: Result<Vec<PartGroups>> = rows
                    .by_part()
                    .par_iter()
                    .map(|of_part| {
                        let scan = rows.scan(of_part.part);
                        stats.groups(&PartRows { scan: &scan, selection: &of_part.selection })
                    })
                    .collect();
                return after_stats(target, &stats, columns(measures, keys), &groups?, rest);
            }
        }
    }
    rows.table().map(|(table, _memory)| table)
}
