//! `ledgerline send`: files become batches, and every batch is acknowledged or named.
//!
//! One thread reads and cuts, `--concurrency` threads compress and send. What is in memory at once
//! is a few batches, however large the files are.

mod cut;
mod deliver;
mod layout;
mod progress;
mod records;
mod source;
mod values;

use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use clap::{Args, ValueEnum};

use crate::clock;
use crate::connection::Connection;
use crate::failure::{DONE, FAILED, Failure, INTERRUPTED, Outcome};
use crate::send::cut::{Batch, Cutter};
pub(crate) use crate::send::deliver::Receipt;
use crate::send::deliver::{Courier, Patience};
use crate::send::progress::Progress;
use crate::send::source::Source;
use crate::size;
use crate::stop::Stop;

const EXAMPLES: &str = "\
Examples:
  ledgerline send --dataset web access.log
  ledgerline send --dataset audit trail-*.ndjson.zst
  journalctl -f -o json | ledgerline send --dataset journal -
  ledgerline send --format cloudtrail --dataset audit 1111_CloudTrail_*.json.gz

Each batch has an Idempotency-Key of its own and is sent again until the server has answered for
it, so that a retry never makes an event twice. Sending the file a second time does, unless its
events have ids of their own, as records of CloudTrail do: those are stored once within 24 hours.

Exit code: 0 when every event was acknowledged; 1 when some were rejected (the first are printed)
or could not be sent; 2 when the command line is wrong; 130 after Ctrl-C.";

/// How events are written in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Told apart by the first bytes of each file.
    Auto,
    /// JSON: a line an event, an array of events, or events one after the other.
    Json,
    /// Text: a line an event.
    Text,
    /// Records of AWS CloudTrail, which become audit events: files as it delivers them, or a line a
    /// record.
    #[value(name = "cloudtrail")]
    CloudTrail,
}

impl Format {
    /// Where events go that are written like this.
    fn path(self, dataset: &str) -> Result<String, Failure> {
        let path = ingest_path(dataset)?;
        Ok(match self {
            Self::Auto | Self::Json | Self::Text => path,
            Self::CloudTrail => format!("/api/v1/logs/import/cloudtrail?dataset={dataset}"),
        })
    }
}

/// Send events from files.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    #[command(flatten)]
    connection: Connection,
    /// The dataset that the events go to; made by its first event.
    #[arg(long)]
    dataset: String,
    /// How events are written.
    #[arg(long, value_enum, default_value = "auto")]
    format: Format,
    /// How much of a file goes into one request, before compression; at most 60MiB.
    #[arg(long, default_value = "8MiB", value_parser = batch_bytes)]
    batch_bytes: usize,
    /// How many requests are under way at once.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u8).range(1..=64))]
    concurrency: u8,
    /// For how many seconds a batch is tried before the command gives up.
    #[arg(long, default_value_t = 300)]
    give_up_after: u64,
    /// Files to send; .gz and .zst are known by their first bytes; - is standard input.
    #[arg(required = true)]
    files: Vec<PathBuf>,
}

/// Runs the command.
pub(crate) fn run(arguments: &Arguments) -> Result<Outcome, Failure> {
    let client = arguments.connection.client()?;
    let stop = Stop::on_interrupt()?;
    let progress = Progress::start(source::size_of_all(&arguments.files));
    let courier = Courier {
        client,
        path: arguments.format.path(&arguments.dataset)?,
        run: clock::random_name(),
        patience: Patience::new(Duration::from_secs(arguments.give_up_after)),
        stop: Arc::clone(&stop),
    };
    let ended = send_all(arguments, &courier, &progress, &stop);
    progress.finish();
    ended?;
    Ok(match () {
        () if stop.is_asked() => INTERRUPTED,
        () if progress.rejected() > 0 => FAILED,
        () => DONE,
    })
}

/// The limit of the server is 64 MiB; a batch may be a little larger than asked for.
fn batch_bytes(text: &str) -> Result<usize, String> {
    let bytes = size::parse(text)?;
    if (1..=60 << 20).contains(&bytes) { Ok(bytes) } else { Err("1B to 60MiB".into()) }
}

/// Where a dataset's events go. The server checks names; here only the path is kept safe.
pub(crate) fn ingest_path(dataset: &str) -> Result<String, Failure> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    let is_dots = dataset == "." || dataset == "..";
    if !dataset.is_empty() && !is_dots && dataset.bytes().all(fits) {
        return Ok(format!("/api/v1/ingest/{dataset}"));
    }
    Err(Failure::new(format!("{} is not the name of a dataset", dataset.escape_debug()))
        .hint("a dataset name has 1 to 64 characters of a-z, 0-9, '-', '_' and '.'"))
}

/// A batch that only has to be sent.
#[derive(Debug)]
pub(crate) struct Ready {
    /// As it goes over the network.
    pub(crate) packed: deliver::Packed,
    /// What it is, decompressed.
    pub(crate) content_type: &'static str,
    /// How long it is, decompressed.
    pub(crate) size_bytes: u64,
    /// How many events it has.
    pub(crate) events: u64,
}

/// Cuts and compresses a file, or so much of its start, for sending it many times.
pub(crate) fn ready_batches(
    path: &Path,
    batch_bytes: usize,
    file_bytes: usize,
    stop: &Arc<Stop>,
) -> Result<Vec<Ready>, Failure> {
    let source = Source::open(path, Arc::default(), stop)?;
    let mut cutter = Cutter::new(source, Format::Auto, batch_bytes)?;
    let mut compressor = deliver::compressor()?;
    let (mut batches, mut read_bytes) = (Vec::new(), 0);
    while read_bytes < file_bytes {
        let Some(batch) = cutter.next(batches.len() as u64, Vec::new())? else { break };
        read_bytes += batch.bytes.len();
        batches.push(Ready {
            packed: deliver::pack(&mut compressor, &batch.bytes)?,
            content_type: batch.layout.content_type(),
            size_bytes: batch.bytes.len() as u64,
            events: batch.events,
        });
    }
    Ok(batches)
}

fn send_all(
    arguments: &Arguments,
    courier: &Courier,
    progress: &Progress,
    stop: &Arc<Stop>,
) -> Result<(), Failure> {
    let (sender, receiver) = sync_channel(1);
    let receiver = Mutex::new(receiver);
    let spare = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..arguments.concurrency)
            .map(|_| scope.spawn(|| work(&receiver, &spare, courier, progress)))
            .collect();
        let read = read_all(arguments, sender, &spare, progress, stop);
        let sent = workers.into_iter().map(|worker| {
            worker.join().unwrap_or_else(|_| Err(Failure::new("a sending thread panicked")))
        });
        // A worker's failure stops the reading, so it comes first: it is the cause.
        sent.fold(Ok(()), Result::and).and(read)
    })
}

/// Cuts every file and hands the batches over; ends when it is stopped.
fn read_all(
    arguments: &Arguments,
    sender: SyncSender<Batch>,
    spare: &Mutex<Vec<Vec<u8>>>,
    progress: &Progress,
    stop: &Arc<Stop>,
) -> Result<(), Failure> {
    let mut number = 0;
    for path in &arguments.files {
        let source = Source::open(path, progress.position(), stop)?;
        let mut cutter = Cutter::new(source, arguments.format, arguments.batch_bytes)?;
        while !stop.is_asked() {
            let buffer = spare.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let Some(batch) = cutter.next(number, buffer.unwrap_or_default())? else { break };
            number += 1;
            // Workers take batches until this end is dropped, so an error is a panic of theirs.
            if sender.send(batch).is_err() {
                return Ok(());
            }
        }
    }
    Ok(())
}

fn work(
    receiver: &Mutex<Receiver<Batch>>,
    spare: &Mutex<Vec<Vec<u8>>>,
    courier: &Courier,
    progress: &Progress,
) -> Result<(), Failure> {
    let next = || receiver.lock().unwrap_or_else(PoisonError::into_inner).recv();
    let deliver_all = || {
        let mut compressor = deliver::compressor()?;
        while let Ok(batch) = next() {
            match courier.deliver(&batch, &mut compressor)? {
                Some(receipt) => progress.acknowledged(&batch, &receipt),
                None => break,
            }
            spare.lock().unwrap_or_else(PoisonError::into_inner).push(batch.bytes);
        }
        Ok(())
    };
    let delivered = deliver_all();
    if delivered.is_err() {
        courier.stop_for_failure();
    }
    // Who reads must not wait for ever for somebody to take the next batch.
    while next().is_ok() {}
    delivered
}
