//! Ledgerline's own records: who did, read or was refused what, as events of the tenant's `_audit`.
//!
//! They take the same road as every event. What somebody changed is durable before the answer says
//! so; reads and refusals are queued, and what the queue has no room for is counted. No secret is
//! ever in one: a record is made of names that are listed here and at its callers.

use std::sync::Arc;
use std::time::Duration;

use ledgerline_model::batch::{Batch, BatchBuilder, EventHead, Flags, KeyError};
use ledgerline_model::id::{DatasetName, TenantId};
use ledgerline_model::severity::Severity;
use ledgerline_model::time::Timestamp;
use ledgerline_policy::{Job, Subject, upkeep};
use ledgerline_tenancy::Tenancy;
use ledgerline_world::Clock;
use tokio::sync::{mpsc, oneshot};

use crate::error::{Failure, Result, blocking};
use crate::exchange::Exchange;
use crate::metrics::Metrics;
use crate::node::Node;
use crate::road;

/// The dataset of the records.
pub(crate) const DATASET: &str = "_audit";
/// How many records may wait.
const QUEUE_MAX: usize = 8192;
/// How long reads and refusals are gathered before they are stored together.
const GATHERED: Duration = Duration::from_millis(100);
/// The longest text in a record, such as that of a query.
const TEXT_BYTES_MAX: usize = 4096;

/// How an act ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    Success,
    Failure,
    Refused,
}

/// One record.
#[derive(Debug, Clone)]
pub(crate) struct Record {
    action: &'static str,
    outcome: Outcome,
    texts: Vec<(&'static str, String)>,
    numbers: Vec<(&'static str, i64)>,
}

impl Record {
    /// A record of an act that succeeded, by nobody yet.
    pub(crate) fn new(action: &'static str, exchange: &Exchange) -> Self {
        let mut texts = vec![("request_id", exchange.id.clone())];
        texts.extend(exchange.client.map(|client| ("source.ip", client.to_string())));
        texts.extend(exchange.user_agent.clone().map(|agent| ("user_agent", agent)));
        Self { action, outcome: Outcome::Success, texts, numbers: Vec::new() }
    }

    /// Who acts.
    pub(crate) fn by(self, subject: Subject) -> Self {
        match subject {
            Subject::User(id) => self.with("actor.type", "user").with("actor.id", id),
            Subject::Key(id) => self.with("actor.type", "key").with("actor.id", id),
            Subject::System => self.with("actor.type", "system"),
        }
    }

    /// What it is done to.
    pub(crate) fn on(self, kind: &'static str, id: impl ToString) -> Self {
        self.with("resource.type", kind).with("resource.id", id)
    }

    /// How it ended.
    pub(crate) fn outcome(mut self, outcome: Outcome) -> Self {
        self.outcome = outcome;
        self
    }

    /// One thing more.
    pub(crate) fn with(mut self, key: &'static str, value: impl ToString) -> Self {
        let mut text = value.to_string();
        let end = (0..=TEXT_BYTES_MAX.min(text.len())).rev().find(|at| text.is_char_boundary(*at));
        text.truncate(end.unwrap_or(0));
        self.texts.push((key, text));
        self
    }

    /// One number more.
    pub(crate) fn count(mut self, key: &'static str, value: u64) -> Self {
        self.numbers.push((key, i64::try_from(value).unwrap_or(i64::MAX)));
        self
    }

    fn write(&self, time: Timestamp, batch: &mut BatchBuilder) -> Result<(), KeyError> {
        let (outcome, severity, name) = match self.outcome {
            Outcome::Success => ("success", Severity::INFO, "INFO"),
            Outcome::Failure => ("failure", Severity::WARN, "WARNING"),
            Outcome::Refused => ("refused", Severity::WARN, "WARNING"),
        };
        let resource = self.texts.iter().rfind(|(key, _)| *key == "resource.id");
        let resource = resource.map(|(_, id)| format!(" {id}")).unwrap_or_default();
        batch.str("action", self.action)?;
        batch.str("outcome", outcome)?;
        batch.str("severity", name)?;
        batch.str("message", &format!("{}{resource}: {outcome}", self.action))?;
        let mut bytes_in = 0;
        for (key, text) in &self.texts {
            batch.str(key, text)?;
            bytes_in += key.len() + text.len();
        }
        for (key, number) in &self.numbers {
            batch.i64(key, *number)?;
        }
        batch.commit(EventHead { time, severity, flags: Flags::default(), bytes_in });
        Ok(())
    }
}

/// Where records are stored.
#[derive(Debug, Clone)]
pub(crate) struct Audit {
    queue: mpsc::Sender<Message>,
    writer: Arc<Writer>,
}

#[derive(Debug)]
struct Writer {
    node: Arc<Node>,
    tenancy: Arc<Tenancy>,
    clock: Arc<dyn Clock>,
    metrics: Metrics,
}

#[derive(Debug)]
enum Message {
    Record(TenantId, Timestamp, Record),
    Drain(oneshot::Sender<()>),
}

impl Audit {
    /// The queue, and what stores what is queued; the caller runs it.
    pub(crate) fn new(
        node: &Arc<Node>,
        tenancy: &Arc<Tenancy>,
        clock: &Arc<dyn Clock>,
        metrics: Metrics,
    ) -> (Self, impl Future<Output = ()> + Send + 'static) {
        let writer = Arc::new(Writer {
            node: Arc::clone(node),
            tenancy: Arc::clone(tenancy),
            clock: Arc::clone(clock),
            metrics,
        });
        let (queue, receiver) = mpsc::channel(QUEUE_MAX);
        let work = store_queued(receiver, Arc::clone(&writer));
        (Self { queue, writer }, work)
    }

    /// Stores a record of an act before its answer.
    ///
    /// # Errors
    /// When the record cannot be stored now.
    pub(crate) async fn now(&self, tenant: TenantId, record: Record) -> Result<()> {
        let now = self.writer.clock.now();
        self.writer.store(tenant, &[(now, record)]).await
    }

    /// Stores a record of a read or a refusal soon.
    pub(crate) fn later(&self, tenant: TenantId, record: Record) {
        let now = self.writer.clock.now();
        if self.queue.try_send(Message::Record(tenant, now, record)).is_err() {
            self.writer.metrics.audit_dropped.inc();
        }
    }

    /// Waits until everything that was queued before is stored.
    pub(crate) async fn drain(&self) {
        let (done, is_done) = oneshot::channel();
        if self.queue.send(Message::Drain(done)).await.is_ok() {
            // An error says that the queue has ended, and so has nothing left.
            drop(is_done.await);
        }
    }
}

/// Gathers what is queued and stores it, a batch a tenant.
async fn store_queued(mut queue: mpsc::Receiver<Message>, writer: Arc<Writer>) {
    let mut waiting: Vec<(TenantId, Timestamp, Record)> = Vec::new();
    while let Some(first) = queue.recv().await {
        let (mut drains, mut next) = (Vec::new(), Some(first));
        let deadline = tokio::time::sleep(GATHERED);
        tokio::pin!(deadline);
        loop {
            match next.take() {
                Some(Message::Record(tenant, time, record)) => waiting.push((tenant, time, record)),
                Some(Message::Drain(done)) => {
                    drains.push(done);
                    break;
                }
                None => {}
            }
            if waiting.len() >= QUEUE_MAX {
                break;
            }
            tokio::select! {
                message = queue.recv() => match message {
                    Some(message) => next = Some(message),
                    None => break,
                },
                () = &mut deadline => break,
            }
        }
        waiting.sort_by_key(|(tenant, ..)| *tenant);
        for of_tenant in waiting.chunk_by(|a, b| a.0 == b.0) {
            let records: Vec<(Timestamp, Record)> =
                of_tenant.iter().map(|(_, time, record)| (*time, record.clone())).collect();
            if writer.store(of_tenant[0].0, &records).await.is_err() {
                writer.metrics.audit_dropped.inc_by(records.len() as u64);
            }
        }
        waiting.clear();
        // Whoever no longer waits need not be told.
        drains.into_iter().for_each(|done| drop(done.send(())));
    }
}

impl Writer {
    async fn store(&self, tenant: TenantId, records: &[(Timestamp, Record)]) -> Result<()> {
        let batch = batch(self.clock.now(), records).map_err(|error| Failure::internal(&error))?;
        let dataset: DatasetName = DATASET.parse().map_err(|error| Failure::internal(&error))?;
        let scope = upkeep(tenant, Job::Audit).append_reserved(&dataset)?;
        let (tenancy, of_dataset) = (Arc::clone(&self.tenancy), scope.clone());
        let dataset = blocking(move || Ok(tenancy.dataset_to_append(&of_dataset)?)).await?;
        road::append(&self.node, &scope, dataset.id, batch, None).await?;
        Ok(())
    }
}

fn batch(now: Timestamp, records: &[(Timestamp, Record)]) -> Result<Batch, KeyError> {
    let mut builder = BatchBuilder::new(now);
    for (time, record) in records {
        record.write(*time, &mut builder)?;
    }
    Ok(builder.finish())
}
