//! The columns of a dataset as SQL sees them: one for each name, whatever kinds its values have.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use ledgerline_model::batch::Kind;
use ledgerline_store::snapshot::Snapshot;

/// The type of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// Texts; also where a name has values of several kinds, each by its text.
    Text,
    /// Whole numbers of 64 bits.
    Whole,
    /// Floating-point numbers; also where a name has whole numbers too.
    Real,
    /// Truth values.
    Truth,
    /// Whole numbers of 16 bits.
    Small,
    /// Points in time.
    Time,
}

/// Where the values of a column come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Origin {
    /// The time of an event.
    Time,
    /// The time of its receipt.
    Received,
    /// The first message key that it has.
    Message,
    /// The number of its severity, none when it was not given.
    Severity,
    /// The name of its severity, none when it was not given.
    SeverityText,
    /// The sender's id, else the one that was given to it.
    Id,
    /// Its number within the dataset.
    Seq,
    /// A field.
    Field,
}

/// One column of a dataset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Column {
    /// Its name.
    pub(super) name: Arc<str>,
    /// Where its values come from.
    pub(super) origin: Origin,
    /// Their type.
    pub(super) form: Form,
}

/// The columns that every dataset has. They hide fields of the same names.
const VIRTUAL: [(&str, Origin, Form); 7] = [
    ("_time", Origin::Time, Form::Time),
    ("_received", Origin::Received, Form::Time),
    ("_severity", Origin::Severity, Form::Small),
    ("_severity_text", Origin::SeverityText, Form::Text),
    ("_message", Origin::Message, Form::Text),
    ("_id", Origin::Id, Form::Text),
    ("_seq", Origin::Seq, Form::Whole),
];

impl Form {
    /// The Arrow type.
    pub(super) fn data_type(self) -> DataType {
        match self {
            Self::Text => DataType::Utf8View,
            Self::Whole => DataType::Int64,
            Self::Real => DataType::Float64,
            Self::Truth => DataType::Boolean,
            Self::Small => DataType::Int16,
            Self::Time => DataType::Timestamp(TimeUnit::Nanosecond, Some("+00:00".into())),
        }
    }

    /// The one form that values of these kinds have in common.
    fn of(kinds: &[Kind]) -> Self {
        match kinds {
            [Kind::I64] => Self::Whole,
            [Kind::Bool] => Self::Truth,
            [Kind::F64] => Self::Real,
            [Kind::I64, Kind::F64] => Self::Real,
            _ => Self::Text,
        }
    }
}

/// The columns of a snapshot, the virtual ones first and then the fields by name. Where `wanted`
/// is given, only the fields that are in it: a dataset may have thousands that a
/// statement never names.
pub(super) fn columns(snapshot: &Snapshot, wanted: Option<&HashSet<String>>) -> Vec<Column> {
    let mut kinds: BTreeMap<Arc<str>, Vec<Kind>> = BTreeMap::new();
    for head in snapshot.parts().iter().flat_map(|part| part.columns()) {
        if wanted.is_some_and(|wanted| !wanted.contains(&*head.name)) {
            continue;
        }
        let of_name = kinds.entry(Arc::clone(&head.name)).or_default();
        if !of_name.contains(&head.kind) {
            of_name.push(head.kind);
        }
    }
    let own = VIRTUAL.map(|(name, origin, form)| Column { name: name.into(), origin, form });
    let is_hidden = |name: &str| VIRTUAL.iter().any(|(own, ..)| *own == name);
    let fields = kinds.into_iter().filter(|(name, _)| !is_hidden(name)).map(|(name, mut kinds)| {
        kinds.sort_unstable();
        Column { name, origin: Origin::Field, form: Form::of(&kinds) }
    });
    own.into_iter().chain(fields).collect()
}

/// The names of all columns of a snapshot.
pub(super) fn names(snapshot: &Snapshot) -> HashSet<Arc<str>> {
    let heads = snapshot.parts().iter().flat_map(|part| part.columns());
    let fields = heads.map(|head| Arc::clone(&head.name));
    fields.chain(VIRTUAL.iter().map(|(name, ..)| Arc::from(*name))).collect()
}

/// The Arrow schema of some columns.
pub(super) fn schema(columns: &[Column]) -> SchemaRef {
    let field = |column: &Column| {
        let is_nullable =
            !matches!(column.origin, Origin::Time | Origin::Received | Origin::Id | Origin::Seq);
        Field::new(&*column.name, column.form.data_type(), is_nullable)
    };
    Arc::new(Schema::new(columns.iter().map(field).collect::<Vec<_>>()))
}
