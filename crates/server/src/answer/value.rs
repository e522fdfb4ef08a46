//! Values of queries' tables, as JSON and as CSV.

use ledgerline_api::time::rfc3339;
use ledgerline_api::v1::event::json_text;
use ledgerline_query::Cell;
use serde::{Serialize, Serializer};

use super::csv;

/// A cell as JSON.
#[derive(Debug)]
pub(crate) struct WireCell<'a>(pub(crate) &'a Cell);

impl Serialize for WireCell<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Cell::Null => serializer.serialize_unit(),
            Cell::Str(text) => serializer.serialize_str(text),
            Cell::I64(number) => serializer.serialize_i64(*number),
            Cell::F64(number) => serializer.serialize_f64(*number),
            Cell::Bool(truth) => serializer.serialize_bool(*truth),
            Cell::Time(time) => serializer.serialize_str(&rfc3339(*time)),
            Cell::Json(text) => json_text(text, serializer),
            Cell::List(cells) => serializer.collect_seq(cells.iter().map(WireCell)),
        }
    }
}

/// A cell as CSV.
pub(crate) fn csv_cell(to: &mut Vec<u8>, cell: &Cell) {
    match cell {
        Cell::Null => {}
        Cell::Str(text) | Cell::Json(text) => csv::text(to, text),
        Cell::I64(number) => csv::plain(to, number),
        Cell::F64(number) => csv::plain(to, number),
        Cell::Bool(truth) => csv::plain(to, truth),
        Cell::Time(time) => csv::plain(to, rfc3339(*time)),
        Cell::List(_) => {
            csv::text(to, &serde_json::to_string(&WireCell(cell)).unwrap_or_default());
        }
    }
}
