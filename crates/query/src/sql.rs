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

use std::thread::JoinHandle;

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

/// How a statement is run; only tests ask for anything but the default.
#[derive(Debug, Clone, Copy)]
struct Way {
    pushdown: Pushdown,
    /// What the threads are called.
    threads: &'static str,
}

impl Default for Way {
    fn default() -> Self {
        Self { pushdown: Pushdown::On, threads: "sql" }
    }
}

/// The answer to one SELECT. It runs on threads of its own, which are gone when the answer is
/// there. Dropping the future cancels the budget and waits until they are, which takes as long as
/// one step of the work: whoever counts running queries never counts too few.
///
/// # Errors
/// See [`crate::ErrorKind`].
pub async fn sql(statement: &str, tables: &dyn Tables, budget: &Budget) -> Result<Table> {
    run(statement, tables, budget, Way::default()).await
}

async fn run(statement: &str, tables: &dyn Tables, budget: &Budget, way: Way) -> Result<Table> {
    let (says, mut said) = mpsc::channel(2);
    let (gives, given) = oneshot::channel();
    let worker = Worker {
        statement: statement.to_owned(),
        present: tables.now(),
        budget: budget.clone(),
        way,
        says,
        given,
    };
    let thread = std::thread::Builder::new()
        .name(way.threads.into())
        .stack_size(STACK_BYTES)
        .spawn(|| worker.work())
        .map_err(|error| {
            Error::caused(ErrorKind::Unavailable, "there is no thread for the query", error)
        })?;
    let mut running = Running { budget, thread: Some(thread) };
    // Dropped before the thread is waited for, which may be waiting for what this gives.
    let mut gives = Some(gives);
    loop {
        match said.recv().await {
            None => return Err(fault::bug()),
            Some(Said::Done(answer)) => {
                running.wait();
                return answer;
            }
            Some(Said::Needs(names)) => {
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

/// The thread of a statement. Dropped while it runs, it stops it.
struct Running<'a> {
    budget: &'a Budget,
    thread: Option<JoinHandle<()>>,
}

impl Running<'_> {
    fn wait(&mut self) {
        if let Some(thread) = self.thread.take() {
            // What a thread that panicked had to say is missing, which is noticed.
            drop(thread.join());
        }
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        if self.thread.is_some() {
            self.budget.cancel();
            self.wait();
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
    way: Way,
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
            pushdown: self.way.pushdown,
        };
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(session::PARTITIONS)
            .thread_name(self.way.threads)
            .thread_stack_size(STACK_BYTES)
            .build()
            .map_err(|error| {
                Error::caused(ErrorKind::Unavailable, "there is no thread for the query", error)
            })?;
        let answer = runtime.block_on(session::run(job));
        // Waits for the threads: the work of each ends at its next look at the budget.
        drop(runtime);
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
