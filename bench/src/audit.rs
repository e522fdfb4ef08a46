//! The section about audit events: how many a second, what a search takes meanwhile, and how far
//! the signed checkpoint is behind.

use std::io::{self, Write};
use std::path::Path;
use std::time::Duration;

use anyhow::Result;
use ledgerline_bench::{Gate, Node, Throughput, Way, measure, put_head, put_row};

/// Gates, on two cores.
const BULK_PER_SECOND_MIN: f64 = 5_000.0;
const SINGLE_PER_SECOND_MIN: f64 = 1_000.0;
const SEARCH_MS_MAX: f64 = 100.0;
const BEHIND_SECONDS_MAX: f64 = 2.0;

/// Sends events for so long each way and prints the table; returns whether every gate is met.
pub(crate) fn run(binary: &Path, data: &Path, time: Duration) -> Result<bool> {
    std::fs::create_dir_all(data)?;
    let node = Node::start(binary, data)?;
    let tenant = node.tenant("bench")?;
    let bulk = measure(&node, &tenant, Way::Bulk, time)?;
    let single = measure(&node, &tenant, Way::Single, time)?;
    node.stop()?;
    Ok(print(time, &bulk, &single)?)
}

fn print(time: Duration, bulk: &Throughput, single: &Throughput) -> io::Result<bool> {
    let mut out = io::stdout().lock();
    writeln!(
        out,
        "audit events with their ledger, {} seconds each way: 500 in a request from 4 connections, \
         and one in a request from 64\n",
        time.as_secs()
    )?;
    put_head(&mut out, &["ledgerline"])?;
    let mut is_met = true;
    for (name, seen, least) in
        [("bulk", bulk, BULK_PER_SECOND_MIN), ("single", single, SINGLE_PER_SECOND_MIN)]
    {
        let rows = [
            ("durable events/s", Some(seen.events_per_second()), Some(Gate::Least(least))),
            ("search p50 ms", seen.search_ms(50), None),
            ("search p99 ms", seen.search_ms(99), Some(Gate::Most(SEARCH_MS_MAX))),
            ("searches", Some(seen.searches_ms.len() as f64), None),
            ("checkpoint behind: events", Some(seen.behind_events as f64), None),
            (
                "checkpoint behind: seconds",
                Some(seen.behind_seconds),
                Some(Gate::Most(BEHIND_SECONDS_MAX)),
            ),
            ("told to come later", Some(seen.refused as f64), None),
            ("server: CPU seconds", Some(seen.server_seconds), None),
            ("client: CPU seconds", Some(seen.client_seconds), None),
        ];
        for (row, value, gate) in rows {
            is_met &= put_row(&mut out, &format!("{name}: {row}"), &[value], gate)?;
        }
    }
    writeln!(out, "\n{}", if is_met { "every gate is met" } else { "a gate is MISSED" })?;
    Ok(is_met)
}
