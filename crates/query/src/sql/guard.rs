//! The last look at a plan before it runs, and a look at the budget at every step while it runs.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::{DataType, SchemaRef};
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{Result, internal_err};
use datafusion::datasource::memory::MemorySourceConfig;
use datafusion::datasource::source::DataSourceExec;
use datafusion::execution::{RecordBatchStream, SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_plan::empty::EmptyExec;
use datafusion::physical_plan::execution_plan::replace_children_if_necessary;
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

/// The same plan with a look at the budget before every batch of every node, so that a node which
/// works long on little input is stopped too.
pub(super) fn guarded(
    plan: Arc<dyn ExecutionPlan>,
    pool: &Arc<BudgetPool>,
) -> Result<Arc<dyn ExecutionPlan>> {
    let is_copying = COPYING.contains(&plan.name());
    let mut children = Vec::new();
    for child in plan.children() {
        let node = guarded(Arc::clone(child), pool)?;
        children.push(GuardExec::around(node, pool, is_copying));
    }
    replace_children_if_necessary(plan, children)
}

#[derive(Debug)]
struct GuardExec {
    node: Arc<dyn ExecutionPlan>,
    pool: Arc<BudgetPool>,
    /// Whether the values of the node are copied into many rows.
    is_copied: bool,
}

impl GuardExec {
    fn around(
        node: Arc<dyn ExecutionPlan>,
        pool: &Arc<BudgetPool>,
        is_copied: bool,
    ) -> Arc<dyn ExecutionPlan> {
        Arc::new(Self { node, pool: Arc::clone(pool), is_copied })
    }
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
            Some(node) => Ok(Self::around(node, &self.pool, self.is_copied)),
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
        Ok(Box::pin(Guarded { stream, pool, is_copied }))
    }
}

struct Guarded {
    stream: SendableRecordBatchStream,
    pool: Arc<BudgetPool>,
    is_copied: bool,
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
        let polled = self.stream.poll_next_unpin(context);
        if let Poll::Ready(Some(Ok(batch))) = &polled
            && let Err(error) = self.check(batch)
        {
            return Poll::Ready(Some(Err(error)));
        }
        polled
    }
}

impl RecordBatchStream for Guarded {
    fn schema(&self) -> SchemaRef {
        self.stream.schema()
    }
}
