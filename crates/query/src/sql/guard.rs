//! The last look at a plan before it runs, and a look at the budget at every step while it runs.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::{DataType, FieldRef, Schema, SchemaRef};
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{JoinType, Result, internal_err};
use datafusion::datasource::memory::MemorySourceConfig;
use datafusion::datasource::source::DataSourceExec;
use datafusion::execution::{RecordBatchStream, SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::ColumnarValue;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_plan::empty::EmptyExec;
use datafusion::physical_plan::execution_plan::replace_children_if_necessary;
use datafusion::physical_plan::joins::utils::JoinFilter;
use datafusion::physical_plan::joins::{
    HashJoinExec, NestedLoopJoinExec, NestedLoopJoinExecBuilder,
};
use datafusion::physical_plan::placeholder_row::PlaceholderRowExec;
use datafusion::physical_plan::spill::get_record_batch_memory_size;
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, PlanProperties};
use futures::{Stream, StreamExt};
use ledgerline_model::id::TenantId;

use super::fault::{bug, wrap};
use super::pool::BudgetPool;
use super::scan::SnapshotExec;
use crate::error::{Error, ErrorKind};

/// The plan nodes that compute: none of them reads or writes anything but their inputs.
const COMPUTING: &[&str] = &[
    "AggregateExec",
    "BoundedWindowAggExec",
    "CoalesceBatchesExec",
    "CoalescePartitionsExec",
    "CooperativeExec",
    "CrossJoinExec",
    "FilterExec",
    "GlobalLimitExec",
    "HashJoinExec",
    "InterleaveExec",
    "LocalLimitExec",
    "NestedLoopJoinExec",
    "PartialSortExec",
    "PartitionedTopKExec",
    "PiecewiseMergeJoin",
    "ProjectionExec",
    "RepartitionExec",
    "ScalarSubqueryExec",
    "SortExec",
    "SortExec(TopK)",
    "SortMergeJoinExec",
    "SortPreservingMergeExec",
    "UnionExec",
    "WindowAggExec",
];

/// Whether a plan does nothing but compute over events of this tenant.
///
/// # Errors
/// `Bug`: nothing that was let in so far should make another plan.
pub(super) fn inspect(
    plan: &Arc<dyn ExecutionPlan>,
    tenant: Option<TenantId>,
) -> crate::error::Result<()> {
    let children = plan.children();
    let is_sound = match plan.downcast_ref::<SnapshotExec>() {
        Some(scan) => Some(scan.tenant()) == tenant,
        None if children.is_empty() => is_constant(plan),
        None => COMPUTING.contains(&plan.name()),
    };
    if !is_sound {
        tracing::error!(node = plan.name(), "a plan that may not run");
        return Err(bug());
    }
    children.into_iter().try_for_each(|child| inspect(child, tenant))
}

fn is_constant(plan: &Arc<dyn ExecutionPlan>) -> bool {
    let is_in_memory = |source: &DataSourceExec| source.data_source().is::<MemorySourceConfig>();
    plan.is::<EmptyExec>()
        || plan.is::<PlaceholderRowExec>()
        || plan.downcast_ref::<DataSourceExec>().is_some_and(is_in_memory)
}

/// Plan nodes that copy a value of one input into many rows.
const COPYING: &[&str] = &[
    "CrossJoinExec",
    "HashJoinExec",
    "NestedLoopJoinExec",
    "PiecewiseMergeJoin",
    "ScalarSubqueryExec",
    "SortMergeJoinExec",
];
/// The largest value that may be copied into every row of a batch.
const COPIED_BYTES_MAX: usize = 16 << 10;

/// The most pairs of rows that a join may look at between two looks at the budget.
const PAIRS_MAX: usize = 1 << 25;

/// The same plan with a look at the budget before every batch of every node, so that a node which
/// works long on little input is stopped too. A join looks at all rows of one side for each batch
/// of the other, and may find nothing to hand on: its condition looks at the budget whenever it is
/// tested, and where it has none, the batches are the smaller the larger the other side is.
pub(super) fn guarded(
    plan: Arc<dyn ExecutionPlan>,
    pool: &Arc<BudgetPool>,
) -> Result<Arc<dyn ExecutionPlan>> {
    let is_copied = COPYING.contains(&plan.name());
    let (plan, is_searched) = watched(plan, pool)?;
    let collected = Arc::new(AtomicUsize::new(0));
    let mut children = Vec::new();
    for (at, child) in plan.children().into_iter().enumerate() {
        let node = guarded(Arc::clone(child), pool)?;
        let side = match at {
            _ if !is_searched => Side::Any,
            0 => Side::Collected(Arc::clone(&collected)),
            _ => Side::Searching(Arc::clone(&collected)),
        };
        children.push(Arc::new(GuardExec { node, pool: Arc::clone(pool), is_copied, side }) as _);
    }
    replace_children_if_necessary(plan, children)
}

/// The same node, where it is a join with a condition one that looks at the budget; also whether it
/// is a join without a condition that may hand on nothing for long.
fn watched(
    plan: Arc<dyn ExecutionPlan>,
    pool: &Arc<BudgetPool>,
) -> Result<(Arc<dyn ExecutionPlan>, bool)> {
    let watch = |filter: &JoinFilter| {
        let inner = Arc::clone(filter.expression());
        let condition = Arc::new(Watched { inner, pool: Arc::clone(pool) });
        let columns = filter.column_indices().to_vec();
        JoinFilter::new(condition, columns, Arc::clone(filter.schema()))
    };
    // One of these hands on a row for each pair that fits.
    let hands_on = |of: &JoinType| {
        matches!(of, JoinType::Inner | JoinType::Left | JoinType::Right | JoinType::Full)
    };
    if let Some(join) = plan.downcast_ref::<HashJoinExec>() {
        let Some(filter) = join.filter() else {
            let is_searched = !hands_on(join.join_type());
            return Ok((plan, is_searched));
        };
        let join = join.builder().with_filter(Some(watch(filter))).build()?;
        return Ok((Arc::new(join), false));
    }
    if let Some(join) = plan.downcast_ref::<NestedLoopJoinExec>() {
        let Some(filter) = join.filter() else {
            let is_searched = !hands_on(join.join_type());
            return Ok((plan, is_searched));
        };
        let builder = NestedLoopJoinExecBuilder::from(join).with_filter(Some(watch(filter)));
        return Ok((Arc::new(builder.build()?), false));
    }
    Ok((plan, false))
}

/// Which input of a join without a condition a node is.
#[derive(Debug, Clone)]
enum Side {
    /// None, or of another node.
    Any,
    /// The one that is collected as a whole; so many rows are known.
    Collected(Arc<AtomicUsize>),
    /// The one whose rows are then looked for among the collected ones, batch by batch.
    Searching(Arc<AtomicUsize>),
}

#[derive(Debug)]
struct GuardExec {
    node: Arc<dyn ExecutionPlan>,
    pool: Arc<BudgetPool>,
    /// Whether the values of the node are copied into many rows.
    is_copied: bool,
    side: Side,
}

impl DisplayAs for GuardExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("GuardExec")
    }
}

impl ExecutionPlan for GuardExec {
    fn name(&self) -> &'static str {
        "GuardExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        self.node.properties()
    }

    fn maintains_input_order(&self) -> Vec<bool> {
        vec![true]
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.node]
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(
        self: Arc<Self>,
        mut children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        match children.pop() {
            Some(node) => {
                let (pool, side) = (Arc::clone(&self.pool), self.side.clone());
                Ok(Arc::new(Self { node, pool, is_copied: self.is_copied, side }))
            }
            None => internal_err!("a guard has a child"),
        }
    }

    fn execute(
        &self,
        partition: usize,
        context: Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream> {
        self.pool.check()?;
        let stream = self.node.execute(partition, context)?;
        let (pool, is_copied) = (Arc::clone(&self.pool), self.is_copied);
        Ok(Box::pin(Guarded { stream, pool, is_copied, side: self.side.clone(), rest: None }))
    }
}

struct Guarded {
    stream: SendableRecordBatchStream,
    pool: Arc<BudgetPool>,
    is_copied: bool,
    side: Side,
    /// What is left of a batch that was too large for one step.
    rest: Option<RecordBatch>,
}

impl Guarded {
    fn check(&self, batch: &RecordBatch) -> Result<()> {
        self.pool.check_batch(get_record_batch_memory_size(batch))?;
        let widest = || batch.columns().iter().map(widest).max().unwrap_or(0);
        if self.is_copied && widest() > COPIED_BYTES_MAX {
            let what =
                format!("a value that a join or subquery copies has over {COPIED_BYTES_MAX} bytes");
            return Err(wrap(Error::new(ErrorKind::TooBig, what)));
        }
        Ok(())
    }

    /// As many rows of a batch as may be handed on at once; the others are kept for later.
    fn step(&mut self, batch: RecordBatch) -> RecordBatch {
        let most = match &self.side {
            Side::Any => return batch,
            Side::Collected(rows) => {
                rows.fetch_add(batch.num_rows(), Ordering::Relaxed);
                return batch;
            }
            Side::Searching(rows) => PAIRS_MAX / rows.load(Ordering::Relaxed).max(1),
        };
        let rows = batch.num_rows().min(most.max(1));
        self.rest = (rows < batch.num_rows()).then(|| batch.slice(rows, batch.num_rows() - rows));
        batch.slice(0, rows)
    }
}

/// The bytes of the largest value, about, of those types whose values are copied whole.
fn widest(column: &ArrayRef) -> usize {
    match column.data_type() {
        DataType::Utf8 => {
            let texts = column.as_string::<i32>().iter();
            texts.map(|text| text.map_or(0, str::len)).max().unwrap_or(0)
        }
        DataType::LargeUtf8 => {
            let texts = column.as_string::<i64>().iter();
            texts.map(|text| text.map_or(0, str::len)).max().unwrap_or(0)
        }
        DataType::List(_) => {
            let lists = column.as_list::<i32>();
            let values = lists.values();
            let each = values.get_buffer_memory_size() / values.len().max(1);
            let longest = (0..lists.len()).map(|row| lists.value_length(row)).max().unwrap_or(0);
            each.max(1).saturating_mul(longest as usize)
        }
        _ => 0,
    }
}

impl Stream for Guarded {
    type Item = Result<RecordBatch>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if let Err(error) = self.pool.check() {
            return Poll::Ready(Some(Err(error)));
        }
        if let Some(rest) = self.rest.take() {
            return Poll::Ready(Some(Ok(self.step(rest))));
        }
        let polled = self.stream.poll_next_unpin(context);
        let Poll::Ready(Some(Ok(batch))) = polled else { return polled };
        if let Err(error) = self.check(&batch) {
            return Poll::Ready(Some(Err(error)));
        }
        Poll::Ready(Some(Ok(self.step(batch))))
    }
}

impl RecordBatchStream for Guarded {
    fn schema(&self) -> SchemaRef {
        self.stream.schema()
    }
}

/// A condition that looks at the budget before it is tested.
#[derive(Debug)]
struct Watched {
    inner: Arc<dyn PhysicalExpr>,
    pool: Arc<BudgetPool>,
}

impl PartialEq for Watched {
    fn eq(&self, other: &Self) -> bool {
        self.inner.eq(&other.inner)
    }
}

impl Eq for Watched {}

impl Hash for Watched {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.inner.hash(state);
    }
}

impl fmt::Display for Watched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

impl PhysicalExpr for Watched {
    fn data_type(&self, schema: &Schema) -> Result<DataType> {
        self.inner.data_type(schema)
    }

    fn nullable(&self, schema: &Schema) -> Result<bool> {
        self.inner.nullable(schema)
    }

    fn return_field(&self, schema: &Schema) -> Result<FieldRef> {
        self.inner.return_field(schema)
    }

    fn evaluate(&self, batch: &RecordBatch) -> Result<ColumnarValue> {
        self.pool.check()?;
        self.inner.evaluate(batch)
    }

    fn children(&self) -> Vec<&Arc<dyn PhysicalExpr>> {
        vec![&self.inner]
    }

    fn with_new_children(
        self: Arc<Self>,
        mut children: Vec<Arc<dyn PhysicalExpr>>,
    ) -> Result<Arc<dyn PhysicalExpr>> {
        match children.pop() {
            Some(inner) => Ok(Arc::new(Self { inner, pool: Arc::clone(&self.pool) })),
            None => internal_err!("a watched condition has a child"),
        }
    }

    fn fmt_sql(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt_sql(f)
    }
}
