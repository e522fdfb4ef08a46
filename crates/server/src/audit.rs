//! Ledgerline's own records: who did, read or was refused what, as events of the tenant's `_audit`.
//!
//! They take the same road as every event. What somebody changed is durable before the answer says
//! so; reads and refusals are queued, and what the queue has no room for is counted. No secret is
//! ever in one: a record is made of names that are listed here and at its callers.

use std::sync::Arc;
use std::time::Duration;

use ledgerline_api::time::rfc3339;
use ledgerline_audit::error::Refusal;
use ledgerline_audit::event::{self as wire, Event};
use ledgerline_model::id::{DatasetName, EventId, TenantId};
use ledgerline_model::time::Timestamp;
use ledgerline_policy::{Job, Subject, upkeep};
use ledgerline_tenancy::Tenancy;
use ledgerline_world::{Chance, Clock};
use tokio::sync::{mpsc, oneshot};

use crate::error::{Failure, Result, blocking};
use crate::exchange::Exchange;
use crate::masking::Counts;
use crate::metrics::Metrics;
use crate::node::Node;
use crate::recorder::{self, Draft};

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
    /// It is about to be tried; what became of it is another record.
    Attempt,
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
    /// What was masked in what the act answered.
    masked: Counts,
}

impl Record {
    /// A record of an act that succeeded, by nobody yet.
    pub(crate) fn new(action: &'static str, exchange: &Exchange) -> Self {
        let mut texts = vec![("request_id", exchange.id.clone())];
        texts.extend(exchange.client.map(|client| ("source.ip", client.to_string())));
        texts.extend(exchange.user_agent.clone().map(|agent| ("user_agent", agent)));
        Self {
            action,
            outcome: Outcome::Success,
            texts,
            numbers: Vec::new(),
            masked: Counts::new(),
        }
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

    /// What was masked, by detector.
    pub(crate) fn masked(mut self, masked: Counts) -> Self {
        self.masked = masked;
        self
    }

    /// The record as an audit event like any other: what has no field of its own is metadata.
    fn event(&self, time: Timestamp) -> Result<Event, Refusal> {
        let (outcome, severity) = match self.outcome {
            Outcome::Attempt => (wire::Outcome::Unknown, wire::Severity::Info),
            Outcome::Success => (wire::Outcome::Success, wire::Severity::Info),
            Outcome::Failure => (wire::Outcome::Failure, wire::Severity::Warning),
            Outcome::Refused => (wire::Outcome::Denied, wire::Severity::Warning),
        };
        let text = |key: &str| self.texts.iter().rfind(|(other, _)| *other == key);
        let text = |key: &str| text(key).map(|(_, text)| text.as_str());
        let told = match self.outcome {
            Outcome::Attempt => "attempt",
            Outcome::Success => "success",
            Outcome::Failure => "failure",
            Outcome::Refused => "refused",
        };
        let resource = text("resource.id").map(|id| format!(" {id}")).unwrap_or_default();
        let mut metadata = serde_json::Map::new();
        if self.outcome == Outcome::Attempt {
            metadata.insert("phase".to_owned(), "attempt".into());
        }
        for (key, text) in self.texts.iter().filter(|(key, _)| !FIELDS.contains(key)) {
            metadata.insert((*key).to_owned(), text.as_str().into());
        }
        for (key, number) in &self.numbers {
            metadata.insert((*key).to_owned(), (*number).into());
        }
        if !self.masked.is_empty() {
            metadata.insert("masked".to_owned(), serde_json::json!(self.masked));
        }
        let mut body = serde_json::json!({
            "action": self.action,
            "actor": {
                "id": text("actor.id").unwrap_or("nobody"),
                "type": text("actor.type").unwrap_or("nobody"),
            },
            "resource": {
                "type": text("resource.type").unwrap_or("ledgerline"),
                "id": text("resource.id").filter(|id| !id.is_empty()).unwrap_or("api"),
            },
            "occurred_at": rfc3339(time),
            "severity": severity.as_str(),
            "outcome": outcome.as_str(),
            "message": format!("{}{resource}: {told}", self.action),
            "metadata": metadata,
        });
        for (key, field) in
            [("source.ip", "ip"), ("user_agent", "user_agent"), ("request_id", "request_id")]
        {
            if let Some(text) = text(key) {
                body[field] = text.into();
            }
        }
        Event::parse(body.to_string().as_bytes())
    }
}

/// What is a field of its own in an audit event.
const FIELDS: [&str; 7] = [
    "actor.id",
    "actor.type",
    "resource.id",
    "resource.type",
    "request_id",
    "source.ip",
    "user_agent",
];

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
        // One that is no event would be left out, and its act would have no record.
        record.event(now).map_err(|refusal| Failure::internal(&refusal))?;
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
        let now = self.clock.now();
        let drafts = drafts(self.node.data().chance(), records, now);
        let dataset: DatasetName = DATASET.parse().map_err(|error| Failure::internal(&error))?;
        let scope = upkeep(tenant, Job::Audit).append_reserved(&dataset)?;
        let (tenancy, of_dataset) = (Arc::clone(&self.tenancy), scope.clone());
        let dataset = blocking(move || Ok(tenancy.dataset_to_append(&of_dataset)?)).await?;
        recorder::store(&self.node, &scope, &dataset, (drafts, now)).await
    }
}

fn drafts(chance: &Chance, records: &[(Timestamp, Record)], now: Timestamp) -> Vec<Draft> {
    let draft = |(time, record): &(Timestamp, Record)| {
        let id = EventId::derived(now, chance.event_id_base(), 0).to_string();
        match record.event(*time) {
            Ok(event) => {
                let payload = String::from_utf8(event.payload(&id, now)).ok()?;
                Some(Draft { id, is_own_id: false, payload })
            }
            Err(error) => {
                debug_assert!(false, "a record is an audit event: {error}");
                tracing::error!(%error, action = record.action, "a record cannot be written");
                None
            }
        }
    };
    records.iter().filter_map(draft).collect()
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
    fn a_record_is_an_audit_event() {
        let record = Record::new("search", &exchange()).by(Subject::System).on("dataset", "app");
        let record = record.with("query", "é".repeat(TEXT_BYTES_MAX)).count("rows", u64::MAX);
        let drafts = drafts(&Chance::seeded(1), &[(Timestamp(3), record)], Timestamp(5));
        let payload: serde_json::Value =
            serde_json::from_str(&drafts[0].payload).expect("a payload is JSON");
        assert_eq!(payload["id"], drafts[0].id.as_str());
        assert_eq!(
            (&payload["action"], &payload["outcome"]),
            (&"search".into(), &"success".into())
        );
        assert_eq!(payload["occurred_at"], "1970-01-01T00:00:00.000000003Z");
        assert_eq!(
            (&payload["actor"]["type"], &payload["actor"]["id"]),
            (&"system".into(), &"nobody".into())
        );
        assert_eq!(
            (&payload["resource"]["id"], &payload["user_agent"]),
            (&"app".into(), &"curl".into())
        );
        assert_eq!(payload["metadata"]["rows"], i64::MAX);
        let query = payload["metadata"]["query"].as_str().expect("a text");
        assert_eq!(query.len(), TEXT_BYTES_MAX);
    }
}
