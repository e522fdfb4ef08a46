//! Which expressions a statement may have.

use datafusion::sql::sqlparser::ast::{
    BinaryOperator, CastKind, DataType, Expr, Function, FunctionArg, FunctionArgExpr,
    FunctionArgumentClause, FunctionArgumentList, FunctionArguments, Spanned, UnaryOperator, Value,
};
use datafusion::sql::sqlparser::tokenizer::Span;
use ledgerline_model::limits::{QUERY_LIST_MAX, REGEX_BYTES_MAX, REGEX_SIZE_MAX};

use super::Walk;
use crate::error::{Error, ErrorKind, Result};
use crate::sql::functions;
use crate::sql::text::{bytes_of, too_big};

/// The longest text in a query: it may be copied into every row of an answer.
const LITERAL_BYTES_MAX: usize = 4096;
/// The longest text that says how a time is written: each of its letters may become many.
const FORMAT_BYTES_MAX: usize = 128;

impl Walk<'_> {
    pub(super) fn expression(&mut self, expression: &Expr) -> Result<()> {
        match expression {
            Expr::CompoundIdentifier(parts) if parts.len() > 2 => {
                let hint = "a name with a dot is written in double quotes";
                Err(self.invalid("a name of more than two parts", expression.span()).hinting(hint))
            }
            Expr::Identifier(_)
            | Expr::CompoundIdentifier(_)
            | Expr::IsFalse(_)
            | Expr::IsNotFalse(_)
            | Expr::IsTrue(_)
            | Expr::IsNotTrue(_)
            | Expr::IsNull(_)
            | Expr::IsNotNull(_)
            | Expr::IsUnknown(_)
            | Expr::IsNotUnknown(_)
            | Expr::IsDistinctFrom(..)
            | Expr::IsNotDistinctFrom(..)
            | Expr::InSubquery { .. }
            | Expr::Between { .. }
            | Expr::Like { any: false, .. }
            | Expr::ILike { any: false, .. }
            | Expr::AtTimeZone { .. }
            | Expr::Extract { .. }
            | Expr::Ceil { .. }
            | Expr::Floor { .. }
            | Expr::Position { .. }
            | Expr::Substring { .. }
            | Expr::Trim { trim_characters: None, .. }
            | Expr::Nested(_)
            | Expr::Value(_)
            | Expr::Case { .. }
            | Expr::Exists { .. }
            | Expr::Subquery(_)
            | Expr::Interval(_) => Ok(()),
            Expr::InList { list, .. } => list_length(list.len()),
            Expr::BinaryOp { op, right, .. } => self.binary(op, right, expression),
            Expr::UnaryOp { op, .. } => match op {
                UnaryOperator::Plus | UnaryOperator::Minus | UnaryOperator::Not => Ok(()),
                _ => Err(self.invalid("this operator", expression.span())),
            },
            Expr::Cast { kind, data_type, array: false, format: None, .. } => match kind {
                CastKind::Cast | CastKind::TryCast | CastKind::DoubleColon => {
                    self.data_type(data_type, expression)
                }
                CastKind::SafeCast => Err(self.invalid("SAFE_CAST", expression.span())),
            },
            Expr::TypedString(typed) => self.data_type(&typed.data_type, expression),
            Expr::Function(function) => self.function(function),
            Expr::CompoundFieldAccess { .. } => {
                let hint = "a name with a dot is written in double quotes";
                Err(self.invalid("a part of a value", expression.span()).hinting(hint))
            }
            other => Err(self.invalid("this kind of expression", other.span())),
        }
    }

    /// A text or number as it is written.
    pub(super) fn literal(&self, value: &Value, span: Span) -> Result<()> {
        let bytes = match value {
            Value::Number(text, _) => text.to_string().len(),
            Value::Boolean(_) | Value::Null => 0,
            Value::SingleQuotedString(text) | Value::DoubleQuotedString(text) => text.len(),
            Value::DollarQuotedString(text) => text.value.len(),
            Value::EscapedStringLiteral(text) => text.len(),
            _ => return Err(self.invalid("this kind of literal", span)),
        };
        if bytes > LITERAL_BYTES_MAX {
            let what = format!("a text is longer than {LITERAL_BYTES_MAX} bytes");
            return Err(too_big(what));
        }
        Ok(())
    }

    /// Spans are looked for only when something is wrong: each is a walk through the tree.
    fn binary(&self, operator: &BinaryOperator, right: &Expr, whole: &Expr) -> Result<()> {
        use BinaryOperator as Op;
        match operator {
            Op::Plus
            | Op::Minus
            | Op::Multiply
            | Op::Divide
            | Op::Modulo
            | Op::StringConcat
            | Op::Gt
            | Op::Lt
            | Op::GtEq
            | Op::LtEq
            | Op::Eq
            | Op::NotEq
            | Op::And
            | Op::Or
            | Op::BitwiseOr
            | Op::BitwiseAnd
            | Op::BitwiseXor
            | Op::PGBitwiseXor
            | Op::PGBitwiseShiftLeft
            | Op::PGBitwiseShiftRight => Ok(()),
            Op::PGRegexMatch | Op::PGRegexIMatch | Op::PGRegexNotMatch | Op::PGRegexNotIMatch => {
                self.pattern(Some(right), right.span())
            }
            _ => Err(self.invalid("this operator", whole.span())),
        }
    }

    fn function(&self, function: &Function) -> Result<()> {
        let Function {
            name,
            uses_odbc_syntax: false,
            parameters: FunctionArguments::None,
            args,
            filter: _,
            null_treatment: _,
            over,
            within_group,
        } = function
        else {
            return Err(self.invalid("this form of a call", function.name.span()));
        };
        let plain = match &name.0[..] {
            [part] => part.as_ident().map(|ident| ident.value.to_ascii_lowercase()),
            _ => None,
        };
        let allowed = |plain: &String| functions::is_allowed(plain, self.knows_present);
        let Some(plain) = plain.filter(allowed) else {
            let hint = "the reference of SQL lists the functions";
            return Err(self.invalid(&format!("the function {name}"), name.span()).hinting(hint));
        };
        if over.is_some() && functions::holds_all_rows(&plain) {
            return Err(self.invalid(&format!("{name} over a window"), name.span()));
        }
        within_group.iter().try_for_each(|by| self.by(by))?;
        let list = match args {
            FunctionArguments::None => return Ok(()),
            FunctionArguments::List(list) => list,
            FunctionArguments::Subquery(_) => {
                return Err(self.invalid("a subquery as argument", name.span()));
            }
        };
        self.arguments(&plain, list, name.span())
    }

    fn arguments(&self, name: &str, list: &FunctionArgumentList, span: Span) -> Result<()> {
        let FunctionArgumentList { duplicate_treatment: _, args, clauses } = list;
        for clause in clauses {
            match clause {
                FunctionArgumentClause::IgnoreOrRespectNulls(_) => {}
                FunctionArgumentClause::OrderBy(by) => {
                    by.iter().try_for_each(|by| self.by(by))?;
                }
                _ => return Err(self.invalid("this clause of a call", span)),
            }
        }
        list_length(args.len())?;
        for argument in args {
            match argument {
                FunctionArg::Unnamed(FunctionArgExpr::Expr(_)) => {}
                FunctionArg::Unnamed(FunctionArgExpr::Wildcard) if name == "count" => {}
                _ => return Err(self.invalid("this form of an argument", span)),
            }
        }
        let argument = |index: usize| match args.get(index) {
            Some(FunctionArg::Unnamed(FunctionArgExpr::Expr(expression))) => Some(expression),
            _ => None,
        };
        if let Some(index) = functions::pattern_argument(name) {
            self.pattern(argument(index), span)?;
        }
        if let Some(index) = functions::format_argument(name) {
            let text = argument(index).and_then(text_of);
            if text.is_none_or(|text| text.len() > FORMAT_BYTES_MAX) {
                let what = format!("a format other than a text of {FORMAT_BYTES_MAX} bytes");
                return Err(self.invalid(&what, span));
            }
        }
        Ok(())
    }

    /// A pattern is a text, so that it can be built once, and its size be known beforehand.
    fn pattern(&self, pattern: Option<&Expr>, span: Span) -> Result<()> {
        let Some(text) = pattern.and_then(text_of) else {
            return Err(self.invalid("a regular expression that is not a text", span));
        };
        if text.len() > REGEX_BYTES_MAX {
            let what = format!("a regular expression is longer than {REGEX_BYTES_MAX} bytes");
            return Err(too_big(what));
        }
        let error = match regex::RegexBuilder::new(text).size_limit(REGEX_SIZE_MAX).build() {
            Ok(_) => return Ok(()),
            Err(regex::Error::CompiledTooBig(_)) => {
                too_big(format!("a regular expression needs more than {REGEX_SIZE_MAX} bytes"))
            }
            Err(_) => Error::new(ErrorKind::Syntax, "not a regular expression"),
        };
        Err(match bytes_of(self.text, span) {
            Some(span) => error.at(span),
            None => error,
        })
    }

    /// Types of single values. Lists of a fixed size would be made as large as is written.
    fn data_type(&self, data_type: &DataType, whole: &Expr) -> Result<()> {
        use DataType as T;
        match data_type {
            T::Char(_) | T::Varchar(_) | T::Character(_) | T::CharacterVarying(_) | T::Text => {}
            T::String(_) | T::Bool | T::Boolean | T::Date => {}
            T::TinyInt(_) | T::SmallInt(_) | T::Int(_) | T::Integer(_) | T::BigInt(_) => {}
            T::Int2(_) | T::Int4(_) | T::Int8(_) => {}
            T::TinyIntUnsigned(_) | T::SmallIntUnsigned(_) | T::IntUnsigned(_) => {}
            T::IntegerUnsigned(_) | T::BigIntUnsigned(_) => {}
            T::Float(_) | T::Real | T::Double(_) | T::DoublePrecision | T::Float4 | T::Float8 => {}
            T::Decimal(_) | T::Numeric(_) | T::Dec(_) => {}
            T::Timestamp(..) | T::Time(..) | T::Interval { .. } => {}
            _ => return Err(self.invalid(&format!("the type {data_type}"), whole.span())),
        }
        Ok(())
    }
}

fn text_of(expression: &Expr) -> Option<&str> {
    match expression {
        Expr::Value(value) => match &value.value {
            Value::SingleQuotedString(text) => Some(text),
            _ => None,
        },
        _ => None,
    }
}

fn list_length(length: usize) -> Result<()> {
    if length > QUERY_LIST_MAX {
        return Err(too_big(format!("a list has more than {QUERY_LIST_MAX} values")));
    }
    Ok(())
}
