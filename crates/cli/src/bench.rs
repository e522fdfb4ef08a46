//! `ledgerline bench`: puts a server under load and says what it did with it.
//!
//! Nothing is sent twice: what is refused is counted and left, so that `accepted` is exactly what
//! the server must have.

mod latency;
mod load;

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use serde_json::json;

use crate::bench::load::{Load, Tally};
use crate::connection::Connection;
use crate::failure::{DONE, FAILED, Failure, INTERRUPTED, Outcome};
use crate::output::Output;
use crate::size;
use crate::stop::Stop;

const HELP: &str = "\
Examples:
  ledgerline bench --dataset load --connections 8 --seconds 60 events.ndjson.zst
  ledgerline bench --dataset load --rate 100000 --json events.ndjson.zst

The file's events are sent again and again, in batches that were cut and compressed before the
clock starts. A refused batch is counted and not sent again.

Exit code: 0 when at least one batch was accepted and none failed in another way than 429 or 503;
1 otherwise; 130 after Ctrl-C.";

/// Put a server under load and print what it does.
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(crate) struct Arguments {
    #[command(flatten)]
    connection: Connection,
    /// The dataset that the events go to.
    #[arg(long)]
    dataset: String,
    /// How many requests are under way at once.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..=1024))]
    connections: u16,
    /// For how many seconds.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    seconds: u64,
    /// Events a second over all connections; as many as can be when not given.
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..))]
    rate: Option<u64>,
    /// How much of the file goes into one request, before compression.
    #[arg(long, default_value = "1MiB", value_parser = size::parse)]
    batch_bytes: usize,
    /// How much of the file is used, before compression.
    #[arg(long, default_value = "64MiB", value_parser = size::parse)]
    file_bytes: usize,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
    /// Events, as for `send`.
    file: PathBuf,
}

/// Runs the command.
pub(crate) fn run(arguments: &Arguments) -> Result<Outcome, Failure> {
    let client = arguments.connection.client()?;
    let stop = Stop::on_interrupt()?;
    let load = Load::read(arguments, client, &stop)?;
    let (tally, elapsed) = load.run(Duration::from_secs(arguments.seconds));
    let mut output = Output::open();
    print(&tally, elapsed, arguments.json, &mut output)?;
    output.flush()?;
    Ok(match () {
        () if stop.is_asked() => INTERRUPTED,
        () if tally.batches_accepted > 0 && tally.failed == 0 => DONE,
        () => FAILED,
    })
}

fn print(
    tally: &Tally,
    elapsed: Duration,
    as_json: bool,
    output: &mut Output,
) -> Result<(), Failure> {
    let seconds = elapsed.as_secs_f64().max(0.001);
    #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
    let per_second = |number: u64| (number as f64 / seconds).round();
    let latency = |percent| tally.latencies.percentile(percent).as_secs_f64() * 1e3;
    if as_json {
        return output.line(json!({
            "seconds": seconds,
            "batches_accepted": tally.batches_accepted,
            "events_accepted": tally.events_accepted,
            "events_rejected": tally.events_rejected,
            "bytes_accepted": tally.bytes_accepted,
            "status_429": tally.busy,
            "status_503": tally.unavailable,
            "without_retry_after": tally.without_retry_after,
            "failed": tally.failed,
            "first_failure": tally.first_failure,
            "latency_ms": { "p50": latency(50), "p90": latency(90), "p99": latency(99),
                "max": latency(100) },
        }));
    }
    let rate = |number: u64| format!("{:.0}/s", per_second(number));
    let count = size::count;
    let mut row = |name: &str, text: String| output.line(format_args!("{name:<22}{text}"));
    row("time", format!("{seconds:.1} s"))?;
    let events = tally.events_accepted;
    row("events accepted", format!("{}  {}", count(events), rate(events)))?;
    let (bytes, megabytes) = (tally.bytes_accepted, per_second(tally.bytes_accepted) / 1e6);
    row("bytes accepted", format!("{}  {megabytes:.1} MB/s", size::text(bytes)))?;
    row("events rejected", count(tally.events_rejected))?;
    row("batches accepted", count(tally.batches_accepted))?;
    row("batches with 429", count(tally.busy))?;
    row("batches with 503", count(tally.unavailable))?;
    row("… no Retry-After", count(tally.without_retry_after))?;
    row("batches failed", count(tally.failed))?;
    if let Some(failure) = &tally.first_failure {
        row("first failure", failure.clone())?;
    }
    let [p50, p90, p99, max] = [50, 90, 99, 100].map(latency);
    row("accepted in, ms", format!("p50 {p50:.1}  p90 {p90:.1}  p99 {p99:.1}  max {max:.1}"))
}
