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
    FailedLogin(String, Timestamp, Record),
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

    /// Stores a record of a login that failed with every tenant that knows the address, soon:
    /// whoever tries addresses learns nothing from how long the answer takes.
    pub(crate) fn failed_login(&self, email: String, record: Record) {
        let record = record.with("user.email", &email).outcome(Outcome::Failure);
        self.send(Message::FailedLogin(email, self.writer.clock.now(), record));
    }

    /// Stores a record of a read or a refusal soon.
    pub(crate) fn later(&self, tenant: TenantId, record: Record) {
        self.send(Message::Record(tenant, self.writer.clock.now(), record));
    }

    fn send(&self, message: Message) {
        if self.queue.try_send(message).is_err() {
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
    let mut gathered: Gathered = Vec::new();
    while let Some(first) = queue.recv().await {
        let (mut drain, mut next) = (None, Some(first));
        let deadline = tokio::time::sleep(GATHERED);
        tokio::pin!(deadline);
        while let Some(message) = next.take() {
            match message {
                Message::Record(tenant, time, record) => gathered.push((tenant, time, record)),
                Message::FailedLogin(email, time, record) => {
                    let tenants = writer.tenants_of(email).await;
                    gathered.extend(tenants.into_iter().map(|id| (id, time, record.clone())));
                }
                Message::Drain(done) => {
                    drain = Some(done);
                    break;
                }
            }
            if gathered.len() >= QUEUE_MAX {
                break;
            }
            tokio::select! {
                message = queue.recv() => next = message,
                () = &mut deadline => {}
            }
        }
        writer.store_all(&mut gathered).await;
        if let Some(done) = drain {
            // Whoever no longer waits need not be told.
            done.send(()).ok();
        }
    }
}

type Gathered = Vec<(TenantId, Timestamp, Record)>;

impl Writer {
    async fn tenants_of(&self, email: String) -> Vec<TenantId> {
        let tenancy = Arc::clone(&self.tenancy);
        let tenants = blocking(move || Ok(tenancy.tenants_of_address(&email)?)).await;
        tenants.unwrap_or_else(|_| {
            self.metrics.audit_dropped.inc();
            Vec::new()
        })
    }

    async fn store_all(&self, gathered: &mut Gathered) {
        gathered.sort_by_key(|(tenant, ..)| *tenant);
        for of_tenant in gathered.chunk_by(|a, b| a.0 == b.0) {
            let records: Vec<(Timestamp, Record)> =
                of_tenant.iter().map(|(_, time, record)| (*time, record.clone())).collect();
            if self.store(of_tenant[0].0, &records).await.is_err() {
                self.metrics.audit_dropped.inc_by(records.len() as u64);
            }
        }
        gathered.clear();
    }

    async fn store(&self, tenant: TenantId, records: &[(Timestamp, Record)]) -> Result<()> {
        let batch = batch(self.clock.now(), records);
        let dataset: DatasetName = DATASET.parse().map_err(|error| Failure::internal(&error))?;
        let scope = upkeep(tenant, Job::Audit).append_reserved(&dataset)?;
        let (tenancy, of_dataset) = (Arc::clone(&self.tenancy), scope.clone());
        let dataset = blocking(move || Ok(tenancy.dataset_to_append(&of_dataset)?)).await?;
        road::append(&self.node, &scope, dataset.id, batch, None).await?;
        Ok(())
    }
}

fn batch(now: Timestamp, records: &[(Timestamp, Record)]) -> Batch {
    let mut builder = BatchBuilder::new(now);
    for (time, record) in records {
        if let Err(error) = record.write(*time, &mut builder) {
            debug_assert!(false, "a record has each of its few keys once");
            tracing::error!(%error, action = record.action, "a record cannot be written");
            builder.abandon();
        }
    }
    builder.finish()
}

#[cfg(test)]
mod tests {
    use std::sync::OnceLock;

    use super::*;

    fn exchange() -> Exchange {
        Exchange {
            id: "req_1".to_owned(),
            client: None,
            user_agent: Some("curl".to_owned()),
            tenant: OnceLock::new(),
        }
    }

    #[test]
    fn a_record_is_an_event_with_its_parts() {
        let record = Record::new("search", &exchange()).by(Subject::System).on("dataset", "app");
        let record = record.with("query", "é".repeat(TEXT_BYTES_MAX)).count("rows", u64::MAX);
        let batch = batch(Timestamp(5), &[(Timestamp(3), record)]);
        assert_eq!((batch.rows(), batch.times()), (1, [3].as_slice()));
        let names: Vec<&str> = batch.columns().iter().map(|column| &**column.name()).collect();
        assert_eq!(
            names,
            [
                "action",
                "actor.type",
                "message",
                "outcome",
                "query",
                "request_id",
                "resource.id",
                "resource.type",
                "rows",
                "severity",
                "user_agent",
            ]
        );
    }
}
