//! What was acknowledged so far: the bar, the first rejects and the summary.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use crate::clock::Watch;
use crate::output;
use crate::printable::printable;
use crate::send::cut::Batch;
use crate::send::deliver::Receipt;
use crate::size;

/// How many rejects are printed.
const REJECTS_SHOWN_MAX: u64 = 20;

/// The counts of one run.
#[derive(Debug)]
pub(super) struct Progress {
    bar: ProgressBar,
    watch: Watch,
    /// Bytes read from the files, before decompression.
    position: Arc<AtomicU64>,
    accepted: AtomicU64,
    duplicates: AtomicU64,
    rejected: AtomicU64,
    bytes: AtomicU64,
    rejects_shown: Mutex<u64>,
}

impl Progress {
    /// Starts a bar for so many bytes of files, or one that only counts when that is unknown.
    pub(super) fn start(total_bytes: Option<u64>) -> Self {
        let bar = match total_bytes {
            Some(bytes) => ProgressBar::new(bytes),
            None => ProgressBar::new_spinner(),
        };
        let template = match total_bytes {
            Some(_) => "{bar:30} {percent:>3}%  {msg}  {eta} left",
            None => "{spinner} {msg}",
        };
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(200));
        Self {
            bar,
            watch: Watch::start(),
            position: Arc::default(),
            accepted: AtomicU64::new(0),
            duplicates: AtomicU64::new(0),
            rejected: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
            rejects_shown: Mutex::new(0),
        }
    }

    /// Where readers count their bytes.
    pub(super) fn position(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.position)
    }

    /// How many events were rejected.
    pub(super) fn rejected(&self) -> u64 {
        self.rejected.load(Ordering::Relaxed)
    }

    /// Counts a batch that the server answered for.
    pub(super) fn acknowledged(&self, batch: &Batch, receipt: &Receipt) {
        self.accepted.fetch_add(receipt.accepted, Ordering::Relaxed);
        self.duplicates.fetch_add(receipt.duplicates, Ordering::Relaxed);
        self.rejected.fetch_add(receipt.rejected, Ordering::Relaxed);
        self.bytes.fetch_add(batch.bytes.len() as u64, Ordering::Relaxed);
        self.show_rejects(batch, receipt);
        self.bar.set_position(self.position.load(Ordering::Relaxed));
        self.bar.set_message(self.counts());
    }

    fn show_rejects(&self, batch: &Batch, receipt: &Receipt) {
        let mut shown = self.rejects_shown.lock().unwrap_or_else(PoisonError::into_inner);
        for reject in &receipt.errors {
            if *shown == REJECTS_SHOWN_MAX {
                return;
            }
            *shown += 1;
            let line = batch.first + reject.line.saturating_sub(1);
            let code = printable(&reject.code);
            let detail = printable(&reject.detail);
            let text = format!("rejected: {}:{line}: {code}: {detail}", batch.source);
            self.bar.suspend(|| output::note(&text));
        }
    }

    /// Takes the bar away and prints the summary.
    pub(super) fn finish(&self) {
        self.bar.finish_and_clear();
        let rejected = match self.rejected() {
            0 => String::new(),
            rejected => format!(", {} rejected", size::count(rejected)),
        };
        let duplicates = match self.duplicates.load(Ordering::Relaxed) {
            0 => String::new(),
            duplicates => format!(", {} of them stored before", size::count(duplicates)),
        };
        output::note(format_args!("{} acknowledged{duplicates}{rejected}", self.counts()));
    }

    /// `401,030 events, 1.06 GB, 12.3 s, 86.2 MB/s`
    fn counts(&self) -> String {
        let accepted = self.accepted.load(Ordering::Relaxed);
        let bytes = self.bytes.load(Ordering::Relaxed);
        let seconds = self.watch.elapsed().as_secs_f64();
        #[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "not negative")]
        let rate = (bytes as f64 / seconds.max(0.001)) as u64;
        let (events, bytes, rate) = (size::count(accepted), size::text(bytes), size::text(rate));
        let noun = if accepted == 1 { "event" } else { "events" };
        format!("{events} {noun}, {bytes}, {seconds:.1} s, {rate}/s")
    }
}
