//! Functions whose answers may be far larger than their arguments, held to a size. DataFusion does
//! not count what a function makes before it is made, and a text that is replaced in every place of
//! a long text could take all memory of the machine.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, StringViewArray, StringViewBuilder};
use arrow::compute::{cast, concat};
use arrow::datatypes::{DataType, FieldRef};
use datafusion::common::tree_node::Transformed;
use datafusion::common::{DFSchema, Result, ScalarValue};
use datafusion::config::ConfigOptions;
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::expr_rewriter::FunctionRewrite;
use datafusion::logical_expr::{
    BinaryExpr, ColumnarValue, Expr, Operator, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF,
    ScalarUDFImpl, Signature, Volatility,
};

use super::fault::wrap;
use crate::budget::Budget;
use crate::error::{Error, ErrorKind};

/// The most bytes that are made at once without knowing how many they will be.
const SLICE_BYTES_MAX: usize = 32 << 20;
/// The longest text made of constants: it may be copied into every row.
const CONSTANT_BYTES_MAX: usize = 4096;

/// How much larger than its arguments an answer may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Growth {
    /// All arguments, one after the other.
    Joined,
    /// The same, with the first between the others.
    Separated,
    /// The first argument, the third in each place of the second.
    Replaced,
    /// The same, with parts of the first in the third.
    Matched,
}

/// How an answer of the function grows, if it may become much larger than its arguments.
fn growth(name: &str) -> Option<Growth> {
    match name {
        "concat" | JOIN => Some(Growth::Joined),
        "concat_ws" => Some(Growth::Separated),
        "replace" | "translate" => Some(Growth::Replaced),
        "regexp_replace" => Some(Growth::Matched),
        _ => None,
    }
}

/// The function, held to the memory and the time of a query where it may make large answers.
pub(super) fn bounded(function: Arc<ScalarUDF>, budget: &Budget) -> Arc<ScalarUDF> {
    match growth(function.name()) {
        Some(growth) => Arc::new(ScalarUDF::from(Bounded {
            inner: function,
            growth,
            budget: Held(budget.clone()),
        })),
        None => function,
    }
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Bounded {
    inner: Arc<ScalarUDF>,
    growth: Growth,
    budget: Held,
}

/// The budget of the session that a function is of: functions are compared within one session only.
#[derive(Debug)]
struct Held(Budget);

impl PartialEq for Held {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Held {}

impl Hash for Held {
    fn hash<H: Hasher>(&self, _: &mut H) {}
}

impl ScalarUDFImpl for Bounded {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn aliases(&self) -> &[String] {
        self.inner.aliases()
    }

    fn signature(&self) -> &Signature {
        self.inner.signature()
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        self.inner.return_type(types)
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        self.inner.return_field_from_args(args)
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        self.inner.coerce_types(types)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let is_constant = args.args.iter().all(|arg| matches!(arg, ColumnarValue::Scalar(_)));
        if is_constant {
            return self.constant(args);
        }
        let mut made = Vec::new();
        self.slices(args, &mut made, &mut 0)?;
        let made: Vec<&dyn Array> = made.iter().map(|array| &**array).collect();
        Ok(ColumnarValue::Array(concat(&made)?))
    }
}

impl Bounded {
    fn constant(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        if self.bound(&args.args, 1) > SLICE_BYTES_MAX {
            return Err(self.too_large());
        }
        let made = self.inner.invoke_with_args(ScalarFunctionArgs { number_rows: 1, ..args })?;
        let array = made.to_array(1)?;
        if text_bytes(&array) > CONSTANT_BYTES_MAX {
            let what = format!("a constant text is longer than {CONSTANT_BYTES_MAX} bytes");
            return Err(wrap(Error::new(ErrorKind::TooBig, what)));
        }
        Ok(made)
    }

    /// Works on so few rows at a time that what is made stays small, and counts what is made.
    fn slices(
        &self,
        args: ScalarFunctionArgs,
        made: &mut Vec<ArrayRef>,
        bytes: &mut usize,
    ) -> Result<()> {
        self.budget.0.check().map_err(wrap)?;
        let rows = args.number_rows;
        if self.bound(&args.args, rows) > SLICE_BYTES_MAX {
            if rows <= 1 {
                return Err(self.too_large());
            }
            self.slices(slice(&args, 0, rows / 2), made, bytes)?;
            return self.slices(slice(&args, rows / 2, rows - rows / 2), made, bytes);
        }
        let array = self.inner.invoke_with_args(args)?.into_array(rows)?;
        *bytes = bytes.saturating_add(text_bytes(&array));
        if *bytes > self.budget.0.limits().memory_bytes {
            return Err(self.too_large());
        }
        made.push(array);
        Ok(())
    }

    /// How many bytes the answer may have at most.
    fn bound(&self, args: &[ColumnarValue], rows: usize) -> usize {
        let sizes: Vec<Size> = args.iter().map(|arg| Size::of(arg, rows)).collect();
        let get = |at: usize| sizes.get(at).copied().unwrap_or_default();
        match self.growth {
            Growth::Joined => sizes.iter().map(|size| size.total).fold(0, usize::saturating_add),
            Growth::Separated => {
                let all = sizes.iter().map(|size| size.total);
                let between = get(0).total.saturating_mul(sizes.len());
                all.fold(between, usize::saturating_add)
            }
            Growth::Replaced => {
                let places = get(0).total / get(1).shortest.max(1) + rows;
                get(0).total.saturating_add(places.saturating_mul(get(2).longest))
            }
            Growth::Matched => {
                // Each letter of the replacement is at most once all that was matched.
                let places = get(0).total.saturating_add(rows);
                places.saturating_mul(get(2).longest + 1)
            }
        }
    }

    fn too_large(&self) -> datafusion::common::DataFusionError {
        let what = format!("{} needs more memory than a query may take", self.inner.name());
        wrap(Error::new(ErrorKind::Memory, what))
    }
}

fn slice(args: &ScalarFunctionArgs, offset: usize, length: usize) -> ScalarFunctionArgs {
    let of = |arg: &ColumnarValue| match arg {
        ColumnarValue::Array(array) => ColumnarValue::Array(array.slice(offset, length)),
        ColumnarValue::Scalar(scalar) => ColumnarValue::Scalar(scalar.clone()),
    };
    let args_of_slice = args.args.iter().map(of).collect();
    ScalarFunctionArgs { args: args_of_slice, number_rows: length, ..args.clone() }
}

/// Lengths of the texts of an argument.
#[derive(Debug, Clone, Copy, Default)]
struct Size {
    total: usize,
    longest: usize,
    shortest: usize,
}

impl Size {
    fn of(arg: &ColumnarValue, rows: usize) -> Self {
        match arg {
            ColumnarValue::Scalar(scalar) => {
                let length = match scalar {
                    ScalarValue::Utf8(text)
                    | ScalarValue::Utf8View(text)
                    | ScalarValue::LargeUtf8(text) => text.as_ref().map_or(0, String::len),
                    _ => OTHER_BYTES,
                };
                Self { total: length.saturating_mul(rows), longest: length, shortest: length }
            }
            ColumnarValue::Array(array) => {
                let mut size = Self { shortest: usize::MAX, ..Self::default() };
                each_length(array, |length| {
                    size.total = size.total.saturating_add(length);
                    size.longest = size.longest.max(length);
                    size.shortest = size.shortest.min(length);
                });
                size
            }
        }
    }
}

/// The longest text of a number or a time.
const OTHER_BYTES: usize = 64;

fn each_length(array: &ArrayRef, mut length: impl FnMut(usize)) {
    match array.data_type() {
        DataType::Utf8 => {
            array.as_string::<i32>().iter().for_each(|text| length(text.map_or(0, str::len)));
        }
        DataType::LargeUtf8 => {
            array.as_string::<i64>().iter().for_each(|text| length(text.map_or(0, str::len)));
        }
        DataType::Utf8View => {
            array.as_string_view().iter().for_each(|text| length(text.map_or(0, str::len)));
        }
        _ => (0..array.len()).for_each(|_| length(OTHER_BYTES)),
    }
}

fn text_bytes(array: &ArrayRef) -> usize {
    let mut bytes = 0;
    each_length(array, |length| bytes += length);
    bytes
}

/// What `||` and chains of it become, so that they are held to a size like `concat`.
#[derive(Debug)]
pub(super) struct JoinRewrite(Arc<ScalarUDF>);

impl JoinRewrite {
    /// A rewrite to joins that are held to the budget.
    pub(super) fn new(budget: &Budget) -> Self {
        let signature = Signature::user_defined(Volatility::Immutable);
        Self(bounded(Arc::new(ScalarUDF::from(Join { signature })), budget))
    }
}

impl FunctionRewrite for JoinRewrite {
    fn name(&self) -> &'static str {
        "join_texts"
    }

    fn rewrite(&self, expr: Expr, _: &DFSchema, _: &ConfigOptions) -> Result<Transformed<Expr>> {
        let Expr::BinaryExpr(BinaryExpr { left, op: Operator::StringConcat, right }) = expr else {
            return Ok(Transformed::no(expr));
        };
        // A chain becomes one call, not a call in a call in a call.
        let mut args = match *left {
            Expr::ScalarFunction(join) if join.name() == JOIN => join.args,
            other => vec![other],
        };
        args.push(*right);
        let join = ScalarFunction::new_udf(Arc::clone(&self.0), args);
        Ok(Transformed::yes(Expr::ScalarFunction(join)))
    }
}

const JOIN: &str = "||";

#[derive(Debug, PartialEq, Eq, Hash)]
struct Join {
    signature: Signature,
}

impl ScalarUDFImpl for Join {
    fn name(&self) -> &str {
        JOIN
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8View)
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        Ok(vec![DataType::Utf8View; types.len()])
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let texts = args.args.iter().map(|arg| {
            let array = arg.to_array(args.number_rows)?;
            Ok(cast(&array, &DataType::Utf8View)?)
        });
        let texts = texts.collect::<Result<Vec<ArrayRef>>>()?;
        let columns: Vec<&StringViewArray> =
            texts.iter().map(|array| array.as_string_view()).collect();
        let mut joined = StringViewBuilder::with_capacity(args.number_rows);
        let mut text = String::new();
        for row in 0..args.number_rows {
            if columns.iter().any(|column| column.is_null(row)) {
                joined.append_null();
                continue;
            }
            text.clear();
            columns.iter().for_each(|column| text.push_str(column.value(row)));
            joined.append_value(&text);
        }
        let joined: ArrayRef = Arc::new(joined.finish());
        let is_constant = args.args.iter().all(|arg| matches!(arg, ColumnarValue::Scalar(_)));
        Ok(match is_constant {
            true => ColumnarValue::Scalar(ScalarValue::try_from_array(&joined, 0)?),
            false => ColumnarValue::Array(joined),
        })
    }
}
