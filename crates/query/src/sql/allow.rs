//! What a statement may consist of: a list of what is let in, never of what is kept out.

mod clause;
mod expression;

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    Expr, ObjectName, Query, Select, Statement, TableFactor, Value, ValueWithSpan, Visit, Visitor,
};
use datafusion::sql::sqlparser::tokenizer::Span;
use ledgerline_model::limits::{QUERY_DEPTH_MAX, QUERY_JOINS_MAX, QUERY_NODES_MAX};

use super::text::{bytes_of, deep, too_big};
use crate::error::{Error, ErrorKind, Result};

/// What is known of a statement that may run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Shape {
    /// Whether it asks for every column of a dataset.
    pub(super) wants_all: bool,
}

/// Whether every part of a statement is one that may run, and counts them.
pub(super) fn check(text: &str, statement: &Statement, knows_present: bool) -> Result<Shape> {
    let Statement::Query(query) = statement else {
        return Err(Error::new(ErrorKind::Invalid, "only a SELECT is allowed"));
    };
    let mut walk = Walk { text, knows_present, ..Walk::default() };
    match query.visit(&mut walk) {
        ControlFlow::Continue(()) => Ok(Shape { wants_all: walk.wants_all }),
        ControlFlow::Break(error) => Err(error),
    }
}

#[derive(Default)]
struct Walk<'a> {
    text: &'a str,
    knows_present: bool,
    nodes: usize,
    depth: usize,
    joins: usize,
    wildcards: usize,
    wants_all: bool,
}

impl Walk<'_> {
    fn invalid(&self, what: &str, span: Span) -> Error {
        let error = Error::new(ErrorKind::Invalid, format!("{what} is not allowed"));
        match bytes_of(self.text, span) {
            Some(span) => error.at(span),
            None => error,
        }
    }

    fn count(&mut self, nodes: usize) -> Result<()> {
        self.nodes += nodes;
        if self.nodes > QUERY_NODES_MAX {
            let what = format!("the query has more than {QUERY_NODES_MAX} nodes");
            return Err(too_big(what));
        }
        Ok(())
    }

    fn enter(&mut self) -> Result<()> {
        self.depth += 1;
        if self.depth > QUERY_DEPTH_MAX { Err(deep()) } else { self.count(1) }
    }

    fn join(&mut self, joins: usize) -> Result<()> {
        self.joins += joins;
        if self.joins > QUERY_JOINS_MAX {
            return Err(too_big(format!("the query has more than {QUERY_JOINS_MAX} joins")));
        }
        Ok(())
    }
}

/// Chains such as `a AND b AND c` lean to the left without end, but are not deep to a reader: the
/// count of nodes bounds them.
fn is_chained(expression: &Expr) -> bool {
    matches!(expression, Expr::BinaryOp { .. })
}

fn flow(result: Result<()>) -> ControlFlow<Error> {
    match result {
        Ok(()) => ControlFlow::Continue(()),
        Err(error) => ControlFlow::Break(error),
    }
}

impl Visitor for Walk<'_> {
    type Break = Error;

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<Error> {
        flow(self.enter().and_then(|()| self.query(query)))
    }

    fn post_visit_query(&mut self, _: &Query) -> ControlFlow<Error> {
        self.depth -= 1;
        ControlFlow::Continue(())
    }

    fn pre_visit_select(&mut self, select: &Select) -> ControlFlow<Error> {
        flow(self.count(1).and_then(|()| self.select(select)))
    }

    fn pre_visit_table_factor(&mut self, table: &TableFactor) -> ControlFlow<Error> {
        flow(self.enter().and_then(|()| self.table(table)))
    }

    fn post_visit_table_factor(&mut self, _: &TableFactor) -> ControlFlow<Error> {
        self.depth -= 1;
        ControlFlow::Continue(())
    }

    fn pre_visit_relation(&mut self, name: &ObjectName) -> ControlFlow<Error> {
        flow(self.relation(name))
    }

    fn pre_visit_expr(&mut self, expression: &Expr) -> ControlFlow<Error> {
        let counted = if is_chained(expression) { self.count(1) } else { self.enter() };
        flow(counted.and_then(|()| self.expression(expression)))
    }

    fn post_visit_expr(&mut self, expression: &Expr) -> ControlFlow<Error> {
        self.depth -= usize::from(!is_chained(expression));
        ControlFlow::Continue(())
    }

    fn pre_visit_statement(&mut self, _: &Statement) -> ControlFlow<Error> {
        flow(Err(Error::new(ErrorKind::Invalid, "only a SELECT is allowed")))
    }

    fn pre_visit_value(&mut self, value: &ValueWithSpan) -> ControlFlow<Error> {
        flow(match &value.value {
            Value::Placeholder(_) => Err(self.invalid("a placeholder", value.span)),
            other => self.literal(other, value.span),
        })
    }
}
