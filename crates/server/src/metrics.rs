//! What the server counts, for Prometheus. Labels come from closed lists: routes, codes, jobs. No
//! tenant is one, so their number is bounded and nobody's name is told.

use std::time::Duration;

use prometheus::{
    Encoder, Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, Opts,
    Registry, TextEncoder,
};

/// Every counter.
#[derive(Debug, Clone)]
pub(crate) struct Metrics {
    registry: Registry,
    requests: IntCounterVec,
    request_seconds: HistogramVec,
    refusals: IntCounterVec,
    jobs: IntCounterVec,
    /// Events that were stored.
    pub(crate) ingest_events: IntCounter,
    /// Their bytes as they were sent.
    pub(crate) ingest_bytes: IntCounter,
    /// Events that were not taken.
    pub(crate) ingest_rejected: IntCounter,
    /// Events that were stored before.
    pub(crate) ingest_duplicates: IntCounter,
    /// Keys of requests and ids of events that were forgotten before their time, because a tenant
    /// sent too many.
    pub(crate) dedupe_forgotten: IntCounter,
    /// How long the journal took to make events durable.
    pub(crate) journal_seconds: Histogram,
    /// Bytes of stored events that queries read.
    pub(crate) query_scanned_bytes: IntCounter,
    /// Queries that are running.
    pub(crate) queries_running: IntGauge,
    /// Bytes of events between the door and the journal.
    pub(crate) inflight_bytes: IntGauge,
    /// Bytes of events that are in memory and in no segment.
    pub(crate) memtable_bytes: IntGauge,
    /// Bytes of all journals on the disk.
    pub(crate) journal_bytes: IntGauge,
    /// Segments on the disk.
    pub(crate) segments: IntGauge,
    /// Tenants that are open.
    pub(crate) tenants_open: IntGauge,
    /// Tenants that could not be opened.
    pub(crate) tenants_unavailable: IntGauge,
    /// Connections that are open.
    pub(crate) connections: IntGauge,
    /// Records of reads and refusals that were dropped because too many waited.
    pub(crate) audit_dropped: IntCounter,
}

const SECONDS: [f64; 14] =
    [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 60.0];

impl Metrics {
    /// Counters at zero.
    ///
    /// # Errors
    /// None is expected: the names are distinct and valid.
    pub(crate) fn new() -> prometheus::Result<Self> {
        let registry = Registry::new_custom(Some("ledgerline".to_owned()), None)?;
        let counter = |name: &str, help: &str| -> prometheus::Result<IntCounter> {
            let made = IntCounter::new(name, help)?;
            registry.register(Box::new(made.clone()))?;
            Ok(made)
        };
        let gauge = |name: &str, help: &str| -> prometheus::Result<IntGauge> {
            let made = IntGauge::new(name, help)?;
            registry.register(Box::new(made.clone()))?;
            Ok(made)
        };
        let counters = |name: &str, help: &str, labels: &[&str]| {
            let made = IntCounterVec::new(Opts::new(name, help), labels)?;
            registry.register(Box::new(made.clone()))?;
            prometheus::Result::Ok(made)
        };
        let seconds =
            |name: &str, help: &str| HistogramOpts::new(name, help).buckets(SECONDS.to_vec());
        let request_seconds = HistogramVec::new(
            seconds("request_seconds", "how long requests took until the answer began"),
            &["route"],
        )?;
        registry.register(Box::new(request_seconds.clone()))?;
        let journal_seconds = Histogram::with_opts(seconds(
            "journal_append_seconds",
            "how long it took to make a batch durable",
        ))?;
        registry.register(Box::new(journal_seconds.clone()))?;
        Ok(Self {
            requests: counters(
                "requests_total",
                "requests that were answered",
                &["route", "method", "status"],
            )?,
            refusals: counters("refusals_total", "requests that were refused", &["code"])?,
            jobs: counters("jobs_total", "background jobs that ended", &["job", "outcome"])?,
            ingest_events: counter("ingest_events_total", "events that were stored")?,
            ingest_bytes: counter("ingest_bytes_total", "bytes of stored events, as sent")?,
            ingest_rejected: counter("ingest_rejected_total", "events that were not taken")?,
            ingest_duplicates: counter("ingest_duplicates_total", "events stored before")?,
            dedupe_forgotten: counter(
                "dedupe_forgotten_total",
                "keys and event ids that were forgotten before 24 hours",
            )?,
            query_scanned_bytes: counter("query_scanned_bytes_total", "bytes that queries read")?,
            queries_running: gauge("queries_running", "queries that are running")?,
            inflight_bytes: gauge("ingest_inflight_bytes", "bytes between door and journal")?,
            memtable_bytes: gauge("memtable_bytes", "bytes of events in no segment yet")?,
            journal_bytes: gauge("journal_bytes", "bytes of journals on the disk")?,
            segments: gauge("segments", "segments on the disk")?,
            tenants_open: gauge("tenants_open", "tenants that are open")?,
            tenants_unavailable: gauge("tenants_unavailable", "tenants that do not open")?,
            connections: gauge("connections", "connections that are open")?,
            audit_dropped: counter("audit_dropped_total", "records of `_audit` that were dropped")?,
            request_seconds,
            journal_seconds,
            registry,
        })
    }

    /// Counts a request.
    pub(crate) fn request(&self, route: &str, method: &str, status: u16, took: Duration) {
        self.requests.with_label_values(&[route, method, &status.to_string()]).inc();
        self.request_seconds.with_label_values(&[route]).observe(took.as_secs_f64());
    }

    /// Counts a refusal.
    pub(crate) fn refusal(&self, code: &str) {
        self.refusals.with_label_values(&[code]).inc();
    }

    /// Counts a background job.
    pub(crate) fn job(&self, job: &str, is_good: bool) {
        let outcome = if is_good { "good" } else { "failed" };
        self.jobs.with_label_values(&[job, outcome]).inc();
    }

    /// All of them in Prometheus' text format.
    ///
    /// # Errors
    /// None is expected.
    pub(crate) fn text(&self) -> prometheus::Result<Vec<u8>> {
        let mut text = Vec::new();
        TextEncoder::new().encode(&self.registry.gather(), &mut text)?;
        Ok(text)
    }
}
