//! Gives subqueries without a name one. DataFusion 55.2 takes a projection over an equal one for
//! the same (`SELECT -x AS x FROM (SELECT -x AS x FROM t)` answers `-x`, by the fast path of its
//! `merge_consecutive_projections`); a name between them keeps the two apart.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    Ident, Statement, TableAlias, TableFactor, VisitMut, VisitorMut,
};

/// Names every subquery of a statement that stands as a table and has no name.
pub(super) fn name_subqueries(statement: &mut Statement) {
    let flow = statement.visit(&mut Namer { named: 0 });
    debug_assert!(flow.is_continue(), "naming never stops early");
}

struct Namer {
    named: usize,
}

impl VisitorMut for Namer {
    type Break = ();

    fn pre_visit_table_factor(&mut self, table: &mut TableFactor) -> ControlFlow<()> {
        if let TableFactor::Derived { alias: alias @ None, .. } = table {
            self.named += 1;
            *alias = Some(TableAlias {
                explicit: true,
                name: Ident::with_quote('"', format!("subquery {}", self.named)),
                columns: Vec::new(),
                at: None,
            });
        }
        ControlFlow::Continue(())
    }
}
