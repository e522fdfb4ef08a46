//! What the conditions of a statement say about the events that a scan needs to read. A condition
//! that is understood here narrows the scan; DataFusion tests it again on what is left, so nothing
//! depends on all of them being understood.

use datafusion::common::ScalarValue;
use datafusion::logical_expr::{BinaryExpr, Expr, Operator};
use ledgerline_model::batch::{Kind, Values};
use ledgerline_store::column::ValueRef;
use ledgerline_store::part::Part;

use super::columns::{Column, Form, Origin};
use super::layers::{Layers, text, whole};
use crate::budget::Budget;
use crate::error::Result;

/// Which events can pass the conditions of a scan.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Narrow {
    conditions: Vec<Condition>,
}

#[derive(Debug, Clone, PartialEq)]
enum Condition {
    /// The event time lies between these, both included.
    Time(i64, i64),
    /// The field has one of these values.
    OneOf(Column, Vec<Literal>),
}

#[derive(Debug, Clone, PartialEq)]
enum Literal {
    Text(String),
    Whole(i64),
}

impl Narrow {
    /// Whether a condition is understood.
    pub(super) fn understands(filter: &Expr, columns: &[Column]) -> bool {
        condition(filter, columns).is_some()
    }

    /// What the conditions say that are understood.
    pub(super) fn of(filters: &[Expr], columns: &[Column]) -> Self {
        let conditions = filters.iter().filter_map(|filter| condition(filter, columns));
        Self { conditions: conditions.collect() }
    }

    /// Whether every event passes.
    pub(super) fn is_empty(&self) -> bool {
        self.conditions.is_empty()
    }

    /// The names of the fields that are read to know which events pass.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.conditions.iter().filter_map(|condition| match condition {
            Condition::Time(..) => None,
            Condition::OneOf(column, _) => Some(&*column.name),
        })
    }

    /// Whether some event of the part may pass, judged without reading any column's pages.
    pub(super) fn may_pass(&self, part: &Part) -> Result<bool> {
        for condition in &self.conditions {
            let may = match condition {
                Condition::Time(from, to) => {
                    let (first, last) = part.times();
                    *from <= last.0 && first.0 <= *to
                }
                Condition::OneOf(column, literals) => may_have(part, column, literals)?,
            };
            if !may {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Keeps the rows that pass. `times` are the event times of the whole part.
    pub(super) fn retain(
        &self,
        part: &Part,
        rows: &mut Vec<u32>,
        budget: &Budget,
        times: impl Fn() -> Result<Vec<i64>>,
    ) -> Result<()> {
        let mut known = None;
        for condition in &self.conditions {
            match condition {
                Condition::Time(from, to) => {
                    let (first, last) = part.times();
                    if *from <= first.0 && last.0 <= *to {
                        continue;
                    }
                    let times: &Vec<i64> = match &mut known {
                        Some(times) => times,
                        none => none.insert(times()?),
                    };
                    rows.retain(|row| (*from..=*to).contains(&times[*row as usize]));
                }
                Condition::OneOf(column, literals) => {
                    let spans = ledgerline_store::column::spans(rows.iter().copied());
                    let names = [&*column.name].into_iter();
                    let layers = Layers::read(part, names, &spans, budget)?;
                    layers.retain(rows, |value| literals.iter().any(|literal| literal.is(value)));
                }
            }
        }
        Ok(())
    }
}

impl Literal {
    fn is(&self, value: ValueRef<'_>) -> bool {
        match self {
            Self::Text(literal) => text(value) == literal.as_str(),
            Self::Whole(literal) => whole(value) == Some(*literal),
        }
    }
}

fn may_have(part: &Part, column: &Column, literals: &[Literal]) -> Result<bool> {
    for index in part.named(&column.name) {
        let head = &part.columns()[index];
        let may = match (head.kind, head.bounds) {
            (Kind::I64, Some((least, most))) => literals.iter().any(|literal| match literal {
                Literal::Whole(number) => (least..=most).contains(number),
                Literal::Text(_) => true,
            }),
            (Kind::Str, _) if head.distinct.is_some() => {
                let dictionary = part.dictionary(index)?;
                dictionary.is_none_or(|dictionary| match &dictionary.values {
                    Values::Str(values) => literals.iter().any(|literal| match literal {
                        Literal::Text(text) => values.iter().any(|value| value == text.as_bytes()),
                        Literal::Whole(_) => false,
                    }),
                    _ => true,
                })
            }
            _ => true,
        };
        if may {
            return Ok(true);
        }
    }
    Ok(false)
}

fn condition(filter: &Expr, columns: &[Column]) -> Option<Condition> {
    match filter {
        Expr::BinaryExpr(BinaryExpr { left, op, right }) => match (&**left, &**right) {
            (Expr::Column(column), Expr::Literal(literal, _)) => {
                compared(named(columns, &column.name)?, *op, literal)
            }
            (Expr::Literal(literal, _), Expr::Column(column)) => {
                compared(named(columns, &column.name)?, op.swap()?, literal)
            }
            _ => None,
        },
        Expr::InList(list) if !list.negated => {
            let Expr::Column(column) = &*list.expr else { return None };
            let column = named(columns, &column.name)?;
            let literals = list.list.iter().map(|value| match value {
                Expr::Literal(literal, _) => self::literal(column.form, literal),
                _ => None,
            });
            let literals = literals.collect::<Option<Vec<_>>>()?;
            is_field(column).then(|| Condition::OneOf(column.clone(), literals))
        }
        _ => None,
    }
}

fn named<'a>(columns: &'a [Column], name: &str) -> Option<&'a Column> {
    columns.iter().find(|column| *column.name == *name)
}

fn is_field(column: &Column) -> bool {
    column.origin == Origin::Field
}

fn compared(column: &Column, operator: Operator, literal: &ScalarValue) -> Option<Condition> {
    if column.origin == Origin::Time {
        let ScalarValue::TimestampNanosecond(Some(at), _) = literal else { return None };
        let (from, to) = match operator {
            Operator::Eq => (*at, *at),
            Operator::Lt => (i64::MIN, at.checked_sub(1)?),
            Operator::LtEq => (i64::MIN, *at),
            Operator::Gt => (at.checked_add(1)?, i64::MAX),
            Operator::GtEq => (*at, i64::MAX),
            _ => return None,
        };
        return Some(Condition::Time(from, to));
    }
    if !is_field(column) || operator != Operator::Eq {
        return None;
    }
    let literal = self::literal(column.form, literal)?;
    Some(Condition::OneOf(column.clone(), vec![literal]))
}

fn literal(form: Form, literal: &ScalarValue) -> Option<Literal> {
    match (form, literal) {
        (
            Form::Text,
            ScalarValue::Utf8(Some(text))
            | ScalarValue::Utf8View(Some(text))
            | ScalarValue::LargeUtf8(Some(text)),
        ) => Some(Literal::Text(text.clone())),
        (Form::Whole, ScalarValue::Int64(Some(number))) => Some(Literal::Whole(*number)),
        _ => None,
    }
}
