//! Which clauses a statement may have. Each tree node is taken apart completely, so that a clause
//! which a later parser learns does not slip through.

use datafusion::sql::sqlparser::ast::{
    Distinct, Fetch, GroupByExpr, Ident, Join, JoinConstraint, JoinOperator, LimitClause,
    ObjectName, OrderBy, OrderByExpr, OrderByKind, Query, Select, SelectFlavor, SelectItem,
    SelectItemQualifiedWildcardKind, SetExpr, SetQuantifier, Spanned, TableAlias, TableFactor,
    TableWithJoins, WildcardAdditionalOptions, With,
};
use datafusion::sql::sqlparser::tokenizer::Span;

use super::Walk;
use crate::error::{Error, ErrorKind, Result};
use crate::sql::text::too_big;

/// The most `*` that stand for all columns: each is as many expressions as a dataset has columns.
const WILDCARDS_MAX: usize = 16;

impl Walk<'_> {
    pub(super) fn query(&mut self, query: &Query) -> Result<()> {
        let Query {
            with,
            body,
            order_by,
            limit_clause,
            fetch,
            locks,
            for_clause,
            settings,
            format_clause,
            pipe_operators,
        } = query;
        let refused = [
            (!locks.is_empty(), "a locking clause"),
            (for_clause.is_some(), "a FOR clause"),
            (settings.is_some(), "SETTINGS"),
            (format_clause.is_some(), "FORMAT"),
            (!pipe_operators.is_empty(), "a pipe operator"),
        ];
        self.refuse(&refused, query.span())?;
        if let Some(with) = with {
            self.with(with)?;
        }
        if let Some(order_by) = order_by {
            self.order_by(order_by)?;
        }
        if let Some(Fetch { with_ties: true, .. } | Fetch { percent: true, .. }) = fetch {
            return Err(self.invalid("FETCH WITH TIES or PERCENT", query.span()));
        }
        if let Some(LimitClause::LimitOffset { limit_by, .. }) = limit_clause
            && !limit_by.is_empty()
        {
            return Err(self.invalid("LIMIT BY", query.span()));
        }
        self.body(body)
    }

    pub(super) fn select(&mut self, select: &Select) -> Result<()> {
        let Select {
            select_token: _,
            optimizer_hints,
            distinct,
            select_modifiers,
            top,
            top_before_distinct: _,
            projection,
            exclude,
            into,
            from,
            lateral_views,
            prewhere,
            selection: _,
            connect_by,
            group_by,
            cluster_by,
            distribute_by,
            sort_by,
            having: _,
            named_window: _,
            qualify: _,
            window_before_qualify: _,
            value_table_mode,
            flavor,
        } = select;
        let refused = [
            (!optimizer_hints.is_empty(), "an optimizer hint"),
            (select_modifiers.is_some(), "a modifier of SELECT"),
            (top.is_some(), "TOP"),
            (exclude.is_some(), "EXCLUDE"),
            (into.is_some(), "INTO"),
            (!lateral_views.is_empty(), "LATERAL VIEW"),
            (prewhere.is_some(), "PREWHERE"),
            (!connect_by.is_empty(), "CONNECT BY"),
            (!cluster_by.is_empty(), "CLUSTER BY"),
            (!distribute_by.is_empty(), "DISTRIBUTE BY"),
            (!sort_by.is_empty(), "SORT BY"),
            (value_table_mode.is_some(), "AS STRUCT"),
            (*flavor != SelectFlavor::Standard, "FROM before SELECT"),
        ];
        self.refuse(&refused, select.span())?;
        if let Some(Distinct::On(_)) = distinct {
            self.count(1)?;
        }
        match group_by {
            GroupByExpr::Expressions(_, modifiers) if modifiers.is_empty() => {}
            other => return Err(self.invalid("GROUP BY ALL or a modifier", other.span())),
        }
        self.join(from.len().saturating_sub(1))?;
        from.iter().try_for_each(|table| self.joined(table))?;
        projection.iter().try_for_each(|item| self.item(item))
    }

    pub(super) fn table(&mut self, table: &TableFactor) -> Result<()> {
        match table {
            TableFactor::Table {
                name,
                alias,
                args: None,
                with_hints,
                version: None,
                with_ordinality: false,
                partitions,
                json_path: None,
                sample: None,
                index_hints,
            } if with_hints.is_empty() && partitions.is_empty() && index_hints.is_empty() => {
                self.relation(name)?;
                self.alias(alias.as_ref())
            }
            TableFactor::Table { name, args: Some(_), .. } => {
                Err(self.invalid("a table function", name.span()))
            }
            TableFactor::Derived { lateral: false, alias, sample: None, .. } => {
                self.alias(alias.as_ref())
            }
            TableFactor::NestedJoin { table_with_joins, alias } => {
                self.alias(alias.as_ref())?;
                self.joined(table_with_joins)
            }
            other => Err(self.invalid("this kind of table", other.span())),
        }
    }

    /// A dataset's name is one identifier, and never a text that might be a path.
    pub(super) fn relation(&mut self, name: &ObjectName) -> Result<()> {
        let [part] = &name.0[..] else {
            return Err(self.invalid("a name of more than one part", name.span()).hinting(
                "a dataset is named alone, in double quotes where its name has a dot or a hyphen",
            ));
        };
        match part.as_ident() {
            Some(Ident { quote_style: None | Some('"' | '`'), .. }) => Ok(()),
            _ => Err(self.invalid("a text in the place of a dataset", name.span())),
        }
    }

    fn refuse(&self, clauses: &[(bool, &str)], span: Span) -> Result<()> {
        match clauses.iter().find(|(is_there, _)| *is_there) {
            Some((_, what)) => Err(self.invalid(what, span)),
            None => Ok(()),
        }
    }

    fn with(&mut self, with: &With) -> Result<()> {
        if with.recursive {
            return Err(self.invalid("WITH RECURSIVE", with.span()));
        }
        for cte in &with.cte_tables {
            self.count(1)?;
            self.alias(Some(&cte.alias))?;
            if cte.from.is_some() {
                return Err(self.invalid("FROM after a common table", cte.span()));
            }
        }
        Ok(())
    }

    fn body(&mut self, body: &SetExpr) -> Result<()> {
        let mut waiting = vec![body];
        while let Some(body) = waiting.pop() {
            match body {
                SetExpr::Select(_) | SetExpr::Query(_) | SetExpr::Values(_) => {}
                SetExpr::SetOperation { left, op: _, set_quantifier, right } => {
                    self.count(1)?;
                    if !matches!(
                        set_quantifier,
                        SetQuantifier::All | SetQuantifier::Distinct | SetQuantifier::None
                    ) {
                        return Err(self.invalid("BY NAME", body.span()));
                    }
                    waiting.extend([&**left, &**right]);
                }
                _ => return Err(Error::new(ErrorKind::Invalid, "only a SELECT is allowed")),
            }
        }
        Ok(())
    }

    fn joined(&mut self, table: &TableWithJoins) -> Result<()> {
        self.join(table.joins.len())?;
        table.joins.iter().try_for_each(|join| self.one_join(join))
    }

    fn one_join(&mut self, join: &Join) -> Result<()> {
        let constraint = match &join.join_operator {
            JoinOperator::Join(constraint)
            | JoinOperator::Inner(constraint)
            | JoinOperator::Left(constraint)
            | JoinOperator::LeftOuter(constraint)
            | JoinOperator::Right(constraint)
            | JoinOperator::RightOuter(constraint)
            | JoinOperator::FullOuter(constraint)
            | JoinOperator::CrossJoin(constraint)
            | JoinOperator::LeftSemi(constraint)
            | JoinOperator::RightSemi(constraint)
            | JoinOperator::LeftAnti(constraint)
            | JoinOperator::RightAnti(constraint)
                if !join.global =>
            {
                constraint
            }
            _ => return Err(self.invalid("this kind of join", join.span())),
        };
        if matches!(constraint, JoinConstraint::Natural) {
            let hint = "name the columns with USING";
            return Err(self.invalid("NATURAL JOIN", join.span()).hinting(hint));
        }
        Ok(())
    }

    fn item(&mut self, item: &SelectItem) -> Result<()> {
        let options = match item {
            SelectItem::UnnamedExpr(_) | SelectItem::ExprWithAlias { .. } => return self.count(1),
            SelectItem::Wildcard(options) => options,
            SelectItem::QualifiedWildcard(
                SelectItemQualifiedWildcardKind::ObjectName(name),
                options,
            ) => {
                self.relation(name)?;
                options
            }
            other => return Err(self.invalid("this form of a column", other.span())),
        };
        let WildcardAdditionalOptions {
            wildcard_token: _,
            opt_ilike: None,
            opt_exclude: _,
            opt_except: _,
            opt_replace: None,
            opt_rename: None,
            opt_alias: None,
        } = options
        else {
            return Err(self.invalid("this option of *", item.span()));
        };
        self.wants_all = true;
        self.wildcards += 1;
        if self.wildcards > WILDCARDS_MAX {
            return Err(too_big(format!("the query has more than {WILDCARDS_MAX} wildcards")));
        }
        self.count(1)
    }

    fn alias(&mut self, alias: Option<&TableAlias>) -> Result<()> {
        let Some(alias) = alias else { return Ok(()) };
        self.count(alias.columns.len())?;
        if alias.at.is_some() || alias.columns.iter().any(|column| column.data_type.is_some()) {
            return Err(self.invalid("this form of an alias", alias.span()));
        }
        Ok(())
    }

    fn order_by(&mut self, order_by: &OrderBy) -> Result<()> {
        let OrderBy { kind, interpolate: None } = order_by else {
            return Err(self.invalid("INTERPOLATE", order_by.span()));
        };
        match kind {
            OrderByKind::Expressions(by) => by.iter().try_for_each(|by| self.by(by)),
            OrderByKind::All(_) => Err(self.invalid("ORDER BY ALL", order_by.span())),
        }
    }

    pub(super) fn by(&self, by: &OrderByExpr) -> Result<()> {
        match by.with_fill {
            None => Ok(()),
            Some(_) => Err(self.invalid("WITH FILL", by.span())),
        }
    }
}
