mod answers;
mod hostile;
mod random;
mod stop;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use ledgerline_model::batch::{BatchBuilder, EventHead, Flags};
use ledgerline_model::convention::Conventions;
use ledgerline_model::event::Value;
use ledgerline_model::id::TenantId;
use ledgerline_model::severity::Severity;
use ledgerline_model::time::Timestamp;
use ledgerline_store::sample::{Lies, snapshot};
use ledgerline_store::snapshot::Snapshot;

use super::scan::Pushdown;
use super::{Tables, Way, run};
use crate::answer::{Cell, Table};
use crate::budget::{Budget, Limits};
use crate::error::{Error, ErrorKind, Result};

/// One event of a test: its time, its severity and its fields.
#[derive(Debug, Clone)]
pub(super) struct TestEvent {
    time: i64,
    severity: Severity,
    fields: Vec<(&'static str, Value)>,
}

/// Datasets by name. Whoever asks for another one than is expected fails the test.
pub(super) struct TestTables {
    datasets: Vec<(&'static str, Snapshot)>,
    unknown: Vec<&'static str>,
}

impl Tables for TestTables {
    fn table(&self, name: &str) -> Result<(Snapshot, Conventions)> {
        let found = self.datasets.iter().find(|(own, _)| *own == name);
        match found {
            Some((_, snapshot)) => Ok((snapshot.clone(), Conventions::default())),
            None if self.unknown.contains(&name) || self.unknown.contains(&"*") => {
                Err(Error::new(ErrorKind::NotFound, format!("there is no dataset \"{name}\"")))
            }
            None => panic!("asked for {name}"),
        }
    }

    fn now(&self) -> Option<Timestamp> {
        Some(Timestamp(1_700_000_000_000_000_000))
    }
}

fn tenant(number: u8) -> TenantId {
    TenantId::from_bytes([number; 16]).expect("not zero")
}

/// A snapshot of one part for each list of events.
fn stored(number: u8, parts: &[(Vec<TestEvent>, Lies)]) -> Snapshot {
    let batch = |events: &[TestEvent]| {
        let mut builder = BatchBuilder::new(Timestamp(5_000));
        for event in events {
            for (key, value) in &event.fields {
                let added = match value {
                    Value::Str(text) => builder.str(key, text),
                    Value::I64(value) => builder.i64(key, *value),
                    Value::F64(value) => builder.f64(key, *value),
                    Value::Bool(value) => builder.bool(key, *value),
                    Value::Json(text) => builder.json(key, text),
                };
                added.expect("the key is new");
            }
            let (time, severity) = (Timestamp(event.time), event.severity);
            builder.commit(EventHead { time, severity, flags: Flags::default(), bytes_in: 1 });
        }
        builder.finish()
    };
    let batches = parts.iter().map(|(events, lies)| (batch(events), *lies)).collect();
    snapshot(tenant(number), batches).expect("a sample")
}

/// A clock that goes on whenever somebody looks at it.
fn budget(limits: Limits) -> Budget {
    let looks = AtomicU64::new(0);
    let clock = move || Duration::from_micros(100 * looks.fetch_add(1, Ordering::Relaxed));
    Budget::new(limits, Arc::new(clock))
}

fn ask_with(
    tables: &TestTables,
    statement: &str,
    limits: Limits,
    pushdown: Pushdown,
) -> Result<Table> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
    let runtime = runtime.expect("a runtime");
    let way = Way { pushdown, ..Way::default() };
    runtime.block_on(run(statement, tables, &budget(limits), way))
}

fn ask(tables: &TestTables, statement: &str) -> Result<Table> {
    ask_with(tables, statement, Limits::default(), Pushdown::On)
}

fn rows(tables: &TestTables, statement: &str) -> Vec<Vec<Cell>> {
    ask(tables, statement).unwrap_or_else(|error| panic!("{statement}: {error:?}")).rows
}
