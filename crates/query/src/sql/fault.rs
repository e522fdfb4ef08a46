//! What DataFusion's errors mean to whoever asked.

use std::collections::HashSet;
use std::sync::Arc;

use datafusion::arrow::error::ArrowError;
use datafusion::common::{DataFusionError, SchemaError};

use crate::error::{Error, ErrorKind};

/// The longest text of DataFusion's that is passed on.
const TEXT_BYTES_MAX: usize = 400;

/// One of our own errors on its way through DataFusion.
pub(super) fn wrap(error: Error) -> DataFusionError {
    DataFusionError::External(Box::new(error))
}

/// What an error means. `names` are the columns that there are, for a hint.
pub(super) fn meaning(error: &DataFusionError, names: &HashSet<Arc<str>>) -> Error {
    match error {
        DataFusionError::External(source) => match source.downcast_ref::<Error>() {
            Some(own) => own.again(),
            None => bug(),
        },
        DataFusionError::Context(_, inner) | DataFusionError::Diagnostic(_, inner) => {
            meaning(inner, names)
        }
        DataFusionError::Shared(inner) => meaning(inner, names),
        DataFusionError::Collection(inner) => match inner.first() {
            Some(first) => meaning(first, names),
            None => bug(),
        },
        DataFusionError::ArrowError(inner, _) => of_arrow(inner, names),
        DataFusionError::ResourcesExhausted(what) => Error::new(ErrorKind::Memory, short(what)),
        DataFusionError::SchemaError(inner, _) => of_schema(inner, names),
        DataFusionError::Plan(what) | DataFusionError::Execution(what) => {
            Error::new(ErrorKind::Invalid, short(what))
        }
        DataFusionError::NotImplemented(what) => {
            Error::new(ErrorKind::Invalid, format!("not supported: {}", short(what)))
        }
        DataFusionError::SQL(inner, _) => Error::new(ErrorKind::Syntax, short(&inner.to_string())),
        _ => bug(),
    }
}

/// A broken invariant, in this program or below it. Its text stays out of the answer.
pub(super) fn bug() -> Error {
    Error::new(ErrorKind::Bug, "the query could not be run")
}

fn of_arrow(error: &ArrowError, names: &HashSet<Arc<str>>) -> Error {
    match error {
        ArrowError::ExternalError(source) => {
            if let Some(own) = source.downcast_ref::<Error>() {
                return own.again();
            }
            match source.downcast_ref::<DataFusionError>() {
                Some(inner) => meaning(inner, names),
                None => bug(),
            }
        }
        ArrowError::MemoryError(what) => Error::new(ErrorKind::Memory, short(what)),
        ArrowError::CastError(_)
        | ArrowError::ParseError(_)
        | ArrowError::ComputeError(_)
        | ArrowError::DivideByZero
        | ArrowError::ArithmeticOverflow(_)
        | ArrowError::InvalidArgumentError(_)
        | ArrowError::NotYetImplemented(_) => {
            Error::new(ErrorKind::Invalid, short(&error.to_string()))
        }
        ArrowError::OffsetOverflowError(_) => {
            Error::new(ErrorKind::Memory, "a column of the answer is too large")
        }
        _ => bug(),
    }
}

fn of_schema(error: &SchemaError, names: &HashSet<Arc<str>>) -> Error {
    match error {
        SchemaError::FieldNotFound { field, .. } => {
            let name = field.name();
            let error = Error::new(ErrorKind::Invalid, format!("there is no column \"{name}\""));
            match nearest(name, field.relation.as_ref().map(ToString::to_string), names) {
                Some(hint) => error.hinting(hint),
                None => error,
            }
        }
        SchemaError::AmbiguousReference { field } => {
            let what = format!("\"{}\" is a column of more than one table", field.name());
            Error::new(ErrorKind::Invalid, what).hinting("write the table's name before it")
        }
        SchemaError::DuplicateQualifiedField { name, .. }
        | SchemaError::DuplicateUnqualifiedField { name } => {
            let what = format!("the column \"{name}\" occurs twice");
            Error::new(ErrorKind::Invalid, what).hinting("give one of them another name with AS")
        }
    }
}

/// What may have been meant by a name.
fn nearest(name: &str, relation: Option<String>, names: &HashSet<Arc<str>>) -> Option<String> {
    if let Some(relation) = relation {
        let dotted = format!("{relation}.{name}");
        if names.contains(dotted.as_str()) {
            return Some(format!("a name with a dot is written in double quotes: \"{dotted}\""));
        }
    }
    let distance = |other: &str| {
        let (name, other) = (name.to_lowercase(), other.to_lowercase());
        datafusion::common::utils::datafusion_strsim::levenshtein(&name, &other)
    };
    let near = names.iter().map(|other| (distance(other), other));
    let (distance, best) = near.min_by_key(|(distance, other)| (*distance, Arc::clone(other)))?;
    (distance <= 1 + name.len() / 3).then(|| format!("did you mean \"{best}\"?"))
}

fn short(what: &str) -> String {
    let line = what.lines().next().unwrap_or_default();
    line[..line.floor_char_boundary(TEXT_BYTES_MAX)].to_owned()
}
