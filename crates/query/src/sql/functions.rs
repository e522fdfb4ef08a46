//! The functions that a statement may use: pure ones, which read nothing but their arguments and
//! whose answers are not much larger than those. `docs/reference/sql.md` lists the same names.

use std::sync::Arc;

use datafusion::execution::SessionStateDefaults;
use datafusion::logical_expr::{AggregateUDF, ScalarUDF, WindowUDF};

use super::bounded::bounded;
use crate::budget::Budget;

/// Functions of one row.
pub(super) const SCALAR: &[&str] = &[
    "abs",
    "acos",
    "acosh",
    "ascii",
    "asin",
    "asinh",
    "atan",
    "atan2",
    "atanh",
    "bit_length",
    "btrim",
    "cbrt",
    "ceil",
    "char_length",
    "character_length",
    "chr",
    "coalesce",
    "concat",
    "concat_ws",
    "contains",
    "cos",
    "cosh",
    "cot",
    "date_bin",
    "date_format",
    "date_part",
    "date_trunc",
    "datepart",
    "datetrunc",
    "degrees",
    "ends_with",
    "exp",
    "factorial",
    "floor",
    "from_unixtime",
    "gcd",
    "greatest",
    "ifnull",
    "initcap",
    "instr",
    "isnan",
    "iszero",
    "lcm",
    "least",
    "left",
    "length",
    "ln",
    "log",
    "log10",
    "log2",
    "lower",
    "ltrim",
    "make_date",
    "nanvl",
    "nullif",
    "nvl",
    "nvl2",
    "octet_length",
    "pi",
    "position",
    "pow",
    "power",
    "radians",
    "regexp_count",
    "regexp_instr",
    "regexp_like",
    "regexp_match",
    "regexp_replace",
    "replace",
    "reverse",
    "right",
    "round",
    "rtrim",
    "signum",
    "sin",
    "sinh",
    "split_part",
    "sqrt",
    "starts_with",
    "strpos",
    "substr",
    "substr_index",
    "substring",
    "substring_index",
    "tan",
    "tanh",
    "to_char",
    "to_date",
    "to_hex",
    "to_timestamp",
    "to_timestamp_micros",
    "to_timestamp_millis",
    "to_timestamp_nanos",
    "to_timestamp_seconds",
    "to_unixtime",
    "translate",
    "trim",
    "trunc",
    "upper",
];

/// Functions of the present moment, where the caller tells what that is.
pub(super) const PRESENT: &[&str] =
    &["current_date", "current_time", "current_timestamp", "now", "today"];

/// Functions of many rows.
pub(super) const AGGREGATE: &[&str] = &[
    "any_value",
    "approx_distinct",
    "approx_median",
    "approx_percentile_cont",
    "approx_percentile_cont_with_weight",
    "array_agg",
    "avg",
    "bit_and",
    "bit_or",
    "bit_xor",
    "bool_and",
    "bool_or",
    "corr",
    "count",
    "covar",
    "covar_pop",
    "covar_samp",
    "first_value",
    "last_value",
    "max",
    "mean",
    "median",
    "min",
    "nth_value",
    "percentile_cont",
    "quantile_cont",
    "regr_avgx",
    "regr_avgy",
    "regr_count",
    "regr_intercept",
    "regr_r2",
    "regr_slope",
    "regr_sxx",
    "regr_sxy",
    "regr_syy",
    "stddev",
    "stddev_pop",
    "stddev_samp",
    "string_agg",
    "sum",
    "var",
    "var_pop",
    "var_population",
    "var_samp",
    "var_sample",
];

/// Functions over a window, besides the aggregates.
pub(super) const WINDOW: &[&str] = &[
    "cume_dist",
    "dense_rank",
    "first_value",
    "lag",
    "last_value",
    "lead",
    "nth_value",
    "ntile",
    "percent_rank",
    "rank",
    "row_number",
];

/// Whether a function of many rows holds them all, or goes through them all for its answer: over a
/// window it would do so once for each row.
pub(super) fn holds_all_rows(name: &str) -> bool {
    matches!(name, "array_agg" | "string_agg" | "median" | "percentile_cont" | "quantile_cont")
}

/// Functions whose argument at this index is a regular expression.
pub(super) fn pattern_argument(name: &str) -> Option<usize> {
    name.starts_with("regexp_").then_some(1)
}

/// Functions whose argument at this index says how something is written.
pub(super) fn format_argument(name: &str) -> Option<usize> {
    matches!(name, "to_char" | "date_format").then_some(1)
}

/// Whether a statement may call the function.
pub(super) fn is_allowed(name: &str, knows_present: bool) -> bool {
    [SCALAR, AGGREGATE, WINDOW].iter().any(|names| names.contains(&name))
        || knows_present && PRESENT.contains(&name)
}

/// The functions of one row that are let in, held to the budget.
pub(super) fn scalar(budget: &Budget) -> Vec<Arc<ScalarUDF>> {
    let names = |name: &str| SCALAR.contains(&name) || PRESENT.contains(&name);
    let mut functions = SessionStateDefaults::default_scalar_functions();
    functions.retain(|function| {
        names(function.name()) || function.aliases().iter().any(|alias| names(alias))
    });
    functions.into_iter().map(|function| bounded(function, budget)).collect()
}

/// The functions of many rows that are let in.
pub(super) fn aggregate() -> Vec<Arc<AggregateUDF>> {
    let mut functions = SessionStateDefaults::default_aggregate_functions();
    functions.retain(|function| {
        AGGREGATE.contains(&function.name())
            || function.aliases().iter().any(|alias| AGGREGATE.contains(&alias.as_str()))
    });
    functions
}

/// The functions over a window that are let in.
pub(super) fn window() -> Vec<Arc<WindowUDF>> {
    let mut functions = SessionStateDefaults::default_window_functions();
    functions.retain(|function| WINDOW.contains(&function.name()));
    functions
}
