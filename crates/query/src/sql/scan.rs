//! A dataset as DataFusion sees it: a table over a snapshot, and the plan node that reads it.

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::catalog::Session;
use datafusion::common::stats::Precision;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{ColumnStatistics, Result, ScalarValue, Statistics, internal_err};
use datafusion::datasource::{TableProvider, TableType};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown};
use datafusion::physical_expr::{EquivalenceProperties, Partitioning, PhysicalExpr};
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType};
use datafusion::physical_plan::statistics::StatisticsArgs;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, PlanProperties};
use ledgerline_model::convention::Conventions;
use ledgerline_model::id::TenantId;
use ledgerline_store::snapshot::Snapshot;

use super::columns::{Column, Origin, columns, schema};
use super::narrow::Narrow;
use super::reader::{Piece, Plan, Reader, split};
use crate::budget::Budget;

/// Whether conditions narrow a scan, or are left to DataFusion alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pushdown {
    /// They narrow it.
    On,
    /// They do not; only tests ask for this.
    #[cfg(test)]
    Off,
}

/// A dataset.
#[derive(Debug)]
pub(super) struct SnapshotTable {
    snapshot: Snapshot,
    conventions: Arc<Conventions>,
    columns: Vec<Column>,
    schema: SchemaRef,
    budget: Budget,
    pushdown: Pushdown,
}

impl SnapshotTable {
    /// A table of those fields of a snapshot that are wanted, or of all.
    pub(super) fn new(
        (snapshot, conventions): (Snapshot, Conventions),
        wanted: Option<&HashSet<String>>,
        budget: &Budget,
        pushdown: Pushdown,
    ) -> Self {
        let columns = columns(&snapshot, wanted);
        let schema = schema(&columns);
        let conventions = Arc::new(conventions);
        Self { snapshot, conventions, columns, schema, budget: budget.clone(), pushdown }
    }

    fn narrows(&self) -> bool {
        match self.pushdown {
            Pushdown::On => true,
            #[cfg(test)]
            Pushdown::Off => false,
        }
    }
}

#[async_trait]
impl TableProvider for SnapshotTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn supports_filters_pushdown(
        &self,
        filters: &[&Expr],
    ) -> Result<Vec<TableProviderFilterPushDown>> {
        let support = |filter: &&Expr| match self.narrows() {
            true if Narrow::understands(filter, &self.columns) => {
                TableProviderFilterPushDown::Inexact
            }
            _ => TableProviderFilterPushDown::Unsupported,
        };
        Ok(filters.iter().map(support).collect())
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let wanted: Vec<Column> = match projection {
            Some(indexes) => indexes.iter().map(|at| self.columns[*at].clone()).collect(),
            None => self.columns.clone(),
        };
        let narrow = match self.narrows() {
            true => Narrow::of(filters, &self.columns),
            false => Narrow::default(),
        };
        let plan = Plan {
            schema: schema(&wanted),
            columns: wanted,
            narrow,
            conventions: Arc::clone(&self.conventions),
            limit: limit.filter(|_| self.narrows()),
            budget: self.budget.clone(),
        };
        let partitions = state.config().target_partitions();
        Ok(Arc::new(SnapshotExec::new(plan, self.snapshot.clone(), partitions)))
    }
}

/// Reads a snapshot.
#[derive(Debug)]
pub(super) struct SnapshotExec {
    plan: Arc<Plan>,
    snapshot: Snapshot,
    pieces: Vec<Vec<Piece>>,
    properties: Arc<PlanProperties>,
}

impl SnapshotExec {
    fn new(plan: Plan, snapshot: Snapshot, partitions: usize) -> Self {
        let pieces = split(&snapshot, partitions);
        let properties = PlanProperties::new(
            EquivalenceProperties::new(Arc::clone(&plan.schema)),
            Partitioning::UnknownPartitioning(pieces.len()),
            EmissionType::Incremental,
            Boundedness::Bounded,
        );
        Self { plan: Arc::new(plan), snapshot, pieces, properties: Arc::new(properties) }
    }

    /// Whose events it reads.
    pub(super) fn tenant(&self) -> TenantId {
        self.snapshot.tenant()
    }

    fn column_statistics(&self, column: &Column, rows: u64) -> ColumnStatistics {
        let parts = self.snapshot.parts();
        let mut statistics = ColumnStatistics::new_unknown();
        let present = match column.origin {
            Origin::Field => {
                let heads = |part: &ledgerline_store::part::Part| {
                    let heads = part.named(&column.name).map(|at| part.columns()[at].present);
                    heads.map(u64::from).sum::<u64>()
                };
                parts.iter().map(heads).sum()
            }
            Origin::Message | Origin::Severity | Origin::SeverityText => return statistics,
            _ => rows,
        };
        statistics.null_count = Precision::Exact((rows - present.min(rows)) as usize);
        if column.origin == Origin::Time {
            let scalar = |time| ScalarValue::TimestampNanosecond(Some(time), Some("+00:00".into()));
            let least = parts.iter().map(|part| part.times().0.0).min();
            let most = parts.iter().map(|part| part.times().1.0).max();
            if let (Some(least), Some(most)) = (least, most) {
                statistics.min_value = Precision::Exact(scalar(least));
                statistics.max_value = Precision::Exact(scalar(most));
            }
        }
        statistics
    }
}

impl DisplayAs for SnapshotExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SnapshotExec")
    }
}

impl ExecutionPlan for SnapshotExec {
    fn name(&self) -> &'static str {
        "SnapshotExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        Vec::new()
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        match children.is_empty() {
            true => Ok(self),
            false => internal_err!("a scan has no children"),
        }
    }

    fn execute(&self, partition: usize, _: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let Some(pieces) = self.pieces.get(partition) else {
            return internal_err!("no such partition");
        };
        let mut reader = Reader::new(Arc::clone(&self.plan), pieces.clone());
        let mut is_over = false;
        let batches = std::iter::from_fn(move || {
            if is_over {
                return None;
            }
            let batch = reader.batch().map_err(super::fault::wrap).transpose();
            is_over = !matches!(batch, Some(Ok(_)));
            batch
        });
        let stream = futures::stream::iter(batches);
        Ok(Box::pin(RecordBatchStreamAdapter::new(self.schema(), stream)))
    }

    fn statistics_from_inputs(
        &self,
        _: &[Arc<Statistics>],
        args: &StatisticsArgs,
    ) -> Result<Arc<Statistics>> {
        let mut statistics = Statistics::new_unknown(&self.schema());
        if args.partition().is_some() {
            return Ok(Arc::new(statistics));
        }
        let rows: u64 = self.snapshot.parts().iter().map(|part| u64::from(part.rows())).sum();
        statistics.num_rows = Precision::Exact(rows as usize);
        let columns = self.plan.columns.iter();
        statistics.column_statistics =
            columns.map(|column| self.column_statistics(column, rows)).collect();
        let is_whole = self.plan.narrow.is_empty() && self.plan.limit.is_none();
        Ok(Arc::new(if is_whole { statistics } else { statistics.to_inexact() }))
    }
}
