//! SQL: one SELECT over one tenant's datasets.
//!
//! A foreign statement passes five fences. It is counted and parsed (`text`), every part of its
//! tree must be one that is let in (`allow`), it is planned in a session that knows nothing but the
//! datasets which it names (`session`), the finished plan may only compute over this tenant's
//! events (`guard`), and while it runs every step looks at its budget (`guard`, `pool`).

mod allow;
mod bounded;
mod cells;
mod columns;
mod fault;
mod functions;
mod guard;
mod layers;
mod name;
mod narrow;
mod pool;
mod reader;
mod scan;
mod session;
#[cfg(test)]
mod tests;
mod text;

use std::time::Duration;

use datafusion::common::TableReference;
use datafusion::sql::parser::Statement;
use datafusion::sql::resolve::resolve_table_references;
use ledgerline_model::convention::Conventions;
use ledgerline_model::id::DatasetName;
use ledgerline_model::time::Timestamp;
use ledgerline_store::snapshot::Snapshot;
use tokio::sync::{mpsc, oneshot};

use crate::answer::Table;
use crate::budget::Budget;
use crate::error::{Error, ErrorKind, Result};
use scan::Pushdown;
use session::{Job, Named};

/// The datasets that a SQL query may name, all of one tenant.
pub trait Tables: Send + Sync {
    /// The dataset of this name, if whoever asks may read it.
    ///
    /// # Errors
    /// `NotFound`, and whatever opening it meets.
    fn table(&self, name: &str) -> Result<(Snapshot, Conventions)>;

    /// What `now()` is to the statement. Where nothing is said, it may not ask.
    fn now(&self) -> Option<Timestamp> {
        None
    }
}

/// The stack of a thread that plans or runs a statement. Planning recurses as deep as the longest
/// chain of operators, which the limits allow to be 2,000.
const STACK_BYTES: usize = 64 << 20;
/// How often the budget is looked at while a statement runs.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// The answer to one SELECT. Runs on threads of its own; dropping the future cancels the budget and
/// so stops them. Needs a tokio runtime with time.
///
/// # Errors
/// See [`crate::ErrorKind`].
pub async fn sql(statement: &str, tables: &dyn Tables, budget: &Budget) -> Result<Table> {
    run(statement, tables, budget, Pushdown::On).await
}

async fn run(
    statement: &str,
    tables: &dyn Tables,
    budget: &Budget,
    pushdown: Pushdown,
) -> Result<Table> {
    let mut stop = StopOnDrop { budget: Some(budget) };
    let (says, mut said) = mpsc::channel(2);
    let (gives, given) = oneshot::channel();
    let worker = Worker {
        statement: statement.to_owned(),
        present: tables.now(),
        budget: budget.clone(),
        pushdown,
        says,
        given,
    };
    std::thread::Builder::new()
        .name("sql".into())
        .stack_size(STACK_BYTES)
        .spawn(|| worker.work())
        .map_err(|error| {
            Error::caused(ErrorKind::Unavailable, "there is no thread for the query", error)
        })?;
    let mut gives = Some(gives);
    loop {
        match tokio::time::timeout(LOOK_EVERY, said.recv()).await {
            Err(_) => budget.check()?,
            Ok(None) => return Err(fault::bug()),
            Ok(Some(Said::Done(answer))) => {
                stop.budget = None;
                return answer;
            }
            Ok(Some(Said::Needs(names))) => {
                let datasets = names.into_iter().map(|name| open(tables, name));
                let datasets = datasets.collect::<Result<Vec<_>>>()?;
                if let Some(gives) = gives.take() {
                    // A worker that is gone has said why, or says nothing more.
                    drop(gives.send(datasets));
                }
            }
        }
    }
}

fn open(tables: &dyn Tables, name: String) -> Result<Named> {
    if name.parse::<DatasetName>().is_err() {
        let error = Error::new(ErrorKind::NotFound, format!("there is no dataset \"{name}\""));
        return Err(error.hinting("names of datasets are in lower case"));
    }
    let table = tables.table(&name)?;
    Ok((name, table))
}

/// Stops the work of a future that nobody waits for any more.
struct StopOnDrop<'a> {
    budget: Option<&'a Budget>,
}

impl Drop for StopOnDrop<'_> {
    fn drop(&mut self) {
        if let Some(budget) = self.budget {
            budget.cancel();
        }
    }
}

/// What a worker says to whoever waits for it.
enum Said {
    /// It needs these datasets.
    Needs(Vec<String>),
    /// It is done.
    Done(Result<Table>),
}

/// Does the work on a thread of its own.
struct Worker {
    statement: String,
    present: Option<Timestamp>,
    budget: Budget,
    pushdown: Pushdown,
    says: mpsc::Sender<Said>,
    given: oneshot::Receiver<Vec<Named>>,
}

impl Worker {
    fn work(self) {
        let says = self.says.clone();
        let answer = self.answer();
        // Nobody listens when the future was dropped.
        drop(says.blocking_send(Said::Done(answer)));
    }

    fn answer(self) -> Result<Table> {
        let text::Parsed { mut statement, words } = text::parse(&self.statement)?;
        let shape = allow::check(&self.statement, &statement, self.present.is_some())?;
        name::name_subqueries(&mut statement);
        let statement = Statement::Statement(Box::new(statement));
        let names = datasets(&statement)?;
        drop(self.says.blocking_send(Said::Needs(names)));
        let gone = |_| Error::new(ErrorKind::Cancelled, "the query was cancelled");
        let job = Job {
            statement,
            datasets: self.given.blocking_recv().map_err(gone)?,
            wanted: (!shape.wants_all).then_some(words),
            present: self.present,
            budget: self.budget,
            pushdown: self.pushdown,
        };
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(session::PARTITIONS)
            .thread_name("sql")
            .thread_stack_size(STACK_BYTES)
            .build()
            .map_err(|error| {
                Error::caused(ErrorKind::Unavailable, "there is no thread for the query", error)
            })?;
        let answer = runtime.block_on(session::run(job));
        runtime.shutdown_background();
        answer
    }
}

/// The names of the datasets that a statement reads; names of common tables are none.
fn datasets(statement: &Statement) -> Result<Vec<String>> {
    let resolved = resolve_table_references(statement, false);
    let (references, _) = resolved.map_err(|error| fault::meaning(&error, &Default::default()))?;
    let bare = |reference: TableReference| match reference {
        TableReference::Bare { table } => Ok(table.to_string()),
        _ => Err(Error::new(ErrorKind::Invalid, "a name of more than one part is not allowed")),
    };
    references.into_iter().map(bare).collect()
}
