//! One statement, one DataFusion session: it knows the statement's datasets and nothing else.

use std::collections::HashSet;
use std::sync::Arc;

use chrono::DateTime;
use datafusion::catalog::MemorySchemaProvider;
use datafusion::common::DataFusionError;
use datafusion::execution::FunctionRegistry;
use datafusion::execution::SessionStateBuilder;
use datafusion::execution::SessionStateDefaults;
use datafusion::execution::context::SQLOptions;
use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::memory_pool::MemoryPool;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::execution::runtime_env::{RuntimeEnv, RuntimeEnvBuilder};
use datafusion::execution::session_state::SessionState;
use datafusion::physical_plan::execute_stream;
use datafusion::prelude::SessionConfig;
use datafusion::sql::parser::Statement;
use futures::StreamExt;
use ledgerline_model::convention::Conventions;
use ledgerline_model::time::Timestamp;
use ledgerline_store::snapshot::Snapshot;

use super::bounded::JoinRewrite;
use super::fault::{bug, meaning};
use super::guard::{guarded, inspect};
use super::pool::BudgetPool;
use super::reader::BATCH_ROWS;
use super::scan::{Pushdown, SnapshotTable};
use super::{columns, functions};
use crate::answer::Table;
use crate::budget::Budget;
use crate::error::{Error, ErrorKind, Result};
use crate::sql::cells::Rows;

/// In how many streams a plan works.
pub(super) const PARTITIONS: usize = 2;

/// A dataset under its name.
pub(super) type Named = (String, (Snapshot, Conventions));

/// A statement that was let in, and what it runs on.
pub(super) struct Job {
    /// The tree.
    pub(super) statement: Statement,
    /// The datasets that it names.
    pub(super) datasets: Vec<Named>,
    /// The columns that it may mean; all when nothing is said.
    pub(super) wanted: Option<HashSet<String>>,
    /// What `now()` is.
    pub(super) present: Option<Timestamp>,
    /// What it may use.
    pub(super) budget: Budget,
    /// Whether conditions narrow the scans.
    pub(super) pushdown: Pushdown,
}

/// Runs a statement.
pub(super) async fn run(job: Job) -> Result<Table> {
    let mut tenants = job.datasets.iter().map(|(_, (snapshot, _))| snapshot.tenant());
    let tenant = tenants.next();
    if tenants.any(|other| Some(other) != tenant) {
        tracing::error!("datasets of two tenants in one query");
        return Err(bug());
    }
    let pool = Arc::new(BudgetPool::new(&job.budget)?);
    let _end = EndOnDrop(&pool);
    let state = state(&job, &pool).map_err(|error| meaning(&error, &HashSet::new()))?;
    let explain = |error: DataFusionError| {
        let datasets = job.datasets.iter();
        let names = datasets.flat_map(|(_, (snapshot, _))| columns::names(snapshot));
        meaning(&error, &names.collect())
    };
    let logical = state.statement_to_plan(job.statement.clone()).await.map_err(explain)?;
    let nothing_but_reading =
        SQLOptions::new().with_allow_ddl(false).with_allow_dml(false).with_allow_statements(false);
    nothing_but_reading.verify_plan(&logical).map_err(explain)?;
    job.budget.check()?;
    let physical = state.create_physical_plan(&logical).await.map_err(explain)?;
    inspect(&physical, tenant)?;
    job.budget.check()?;
    let physical = guarded(physical, &pool).map_err(explain)?;
    let mut rows = Rows::new(&physical.schema(), &job.budget)?;
    let mut batches = execute_stream(physical, state.task_ctx()).map_err(explain)?;
    while let Some(batch) = batches.next().await {
        job.budget.check()?;
        if !rows.add(&batch.map_err(explain)?)? {
            break;
        }
    }
    pool.check().map_err(explain)?;
    Ok(rows.into_table())
}

/// Ends whatever still works for a statement when its answer is there.
struct EndOnDrop<'a>(&'a BudgetPool);

impl Drop for EndOnDrop<'_> {
    fn drop(&mut self) {
        self.0.end();
    }
}

fn state(job: &Job, pool: &Arc<BudgetPool>) -> Result<SessionState, DataFusionError> {
    let builder = SessionStateBuilder::new()
        .with_config(config())
        .with_runtime_env(runtime(Arc::clone(pool) as Arc<dyn MemoryPool>)?)
        .with_expr_planners(SessionStateDefaults::default_expr_planners())
        .with_scalar_functions(functions::scalar(&job.budget))
        .with_aggregate_functions(functions::aggregate())
        .with_window_functions(functions::window());
    let mut state = builder.build();
    state.register_function_rewrite(Arc::new(JoinRewrite::new(&job.budget)))?;
    let datasets = Arc::new(MemorySchemaProvider::new());
    for (name, dataset) in &job.datasets {
        let wanted = job.wanted.as_ref();
        let table = SnapshotTable::new(dataset.clone(), wanted, &job.budget, job.pushdown);
        let registered = datafusion::catalog::SchemaProvider::register_table(
            &*datasets,
            name.clone(),
            Arc::new(table),
        );
        registered?;
    }
    let catalog = state.catalog_list().catalog(CATALOG).ok_or_else(missing)?;
    catalog.register_schema(SCHEMA, datasets)?;
    let properties = state.execution_props_mut();
    properties.query_execution_start_time =
        job.present.map(|present| DateTime::from_timestamp_nanos(present.0));
    Ok(state)
}

const CATALOG: &str = "tenant";
const SCHEMA: &str = "datasets";

fn missing() -> DataFusionError {
    super::fault::wrap(Error::new(ErrorKind::Bug, "the catalog is missing"))
}

fn config() -> SessionConfig {
    let mut config = SessionConfig::new()
        .with_target_partitions(PARTITIONS)
        .with_batch_size(BATCH_ROWS)
        .with_information_schema(false)
        .with_create_default_catalog_and_schema(true)
        .with_default_catalog_and_schema(CATALOG, SCHEMA);
    let options = config.options_mut();
    options.sql_parser.enable_ident_normalization = false;
    options.execution.enable_recursive_ctes = false;
    config
}

/// Nothing outside of the process: no files, no stores, nothing spilled to a disk.
fn runtime(pool: Arc<dyn MemoryPool>) -> Result<Arc<RuntimeEnv>, DataFusionError> {
    let no_disk = DiskManagerBuilder::default().with_mode(DiskManagerMode::Disabled);
    let builder =
        RuntimeEnvBuilder::new().with_memory_pool(pool).with_disk_manager_builder(no_disk);
    let runtime = builder.build_arc()?;
    // DataFusion lets every session read the local disk unless this is taken away.
    runtime.deregister_object_store(ObjectStoreUrl::local_filesystem().as_ref())?;
    Ok(runtime)
}
