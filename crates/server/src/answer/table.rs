//! Rows under named columns.

use axum::response::Response;
use ledgerline_query::{Cell, Table};
use serde::Serialize;
use serde::ser::SerializeMap;

use super::value::{WireCell, csv_cell};
use super::{Format, Head, csv, json, streamed};

/// The answer of a query with pipes, or of SQL.
pub(crate) fn answer<H: Send + 'static>(head: Head<H>, table: Table) -> Response {
    match head.format {
        Format::Json => as_json(head, table),
        Format::Ndjson => as_ndjson(head, table),
        Format::Csv => as_csv(head, table),
    }
}

/// About how many bytes of memory the rows take.
pub(crate) fn size_bytes(table: &Table) -> usize {
    let of_row = |row: &Vec<Cell>| size_of::<Vec<Cell>>() + row.iter().map(of_cell).sum::<usize>();
    table.rows.iter().map(of_row).sum()
}

fn of_cell(cell: &Cell) -> usize {
    let more = match cell {
        Cell::Str(text) | Cell::Json(text) => text.len(),
        Cell::List(cells) => cells.iter().map(of_cell).sum(),
        Cell::Null | Cell::I64(_) | Cell::F64(_) | Cell::Bool(_) | Cell::Time(_) => 0,
    };
    size_of::<Cell>() + more
}

struct Cells<'a>(&'a [Cell]);

impl Serialize for Cells<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(WireCell))
    }
}

fn as_json<H: Send + 'static>(head: Head<H>, table: Table) -> Response {
    let stats = head.stats;
    let Table { columns, rows, .. } = table;
    let mut rows = rows.into_iter();
    let (mut is_first, mut is_begun) = (true, false);
    streamed(head, None, move |to| {
        if !is_begun {
            is_begun = true;
            to.extend_from_slice(b"{\"columns\":");
            json(to, &columns);
            to.extend_from_slice(b",\"rows\":[");
            return true;
        }
        if let Some(row) = rows.next() {
            if !std::mem::take(&mut is_first) {
                to.push(b',');
            }
            json(to, &Cells(&row));
            return true;
        }
        to.extend_from_slice(b"],\"stats\":");
        json(to, &stats);
        to.push(b'}');
        false
    })
}

struct Named<'a>(&'a [String], &'a [Cell]);

impl Serialize for Named<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, cell) in self.0.iter().zip(self.1) {
            map.serialize_entry(name, &WireCell(cell))?;
        }
        map.end()
    }
}

fn as_ndjson<H: Send + 'static>(head: Head<H>, table: Table) -> Response {
    let Table { columns, rows, .. } = table;
    let mut rows = rows.into_iter();
    streamed(head, None, move |to| {
        let Some(row) = rows.next() else { return false };
        json(to, &Named(&columns, &row));
        to.push(b'\n');
        true
    })
}

fn as_csv<H: Send + 'static>(head: Head<H>, table: Table) -> Response {
    let Table { columns, rows, .. } = table;
    let (mut header, mut rows) = (Some(columns), rows.into_iter());
    streamed(head, None, move |to| {
        if let Some(columns) = header.take() {
            csv::row(to, columns.iter().map(String::as_str), csv::text);
            return true;
        }
        let Some(row) = rows.next() else { return false };
        csv::row(to, &row, csv_cell);
        true
    })
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;
    use ledgerline_api::v1::Stats;
    use ledgerline_model::time::Timestamp;

    use super::*;

    fn text(format: Format) -> String {
        let row = vec![
            Cell::Str("@x".to_owned()),
            Cell::List(vec![Cell::I64(1), Cell::Null]),
            Cell::Time(Timestamp(0)),
        ];
        let columns = ["a", "b", "c"].map(str::to_owned).to_vec();
        let table = Table { columns, rows: vec![row.clone(), row], is_complete: true };
        let stats = Stats { scanned_bytes: 1, elapsed_ms: 2, complete: true };
        assert!(size_bytes(&table) > 2 * 5 * size_of::<Cell>());
        let answer = answer(Head { format, stats, held: () }, table);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
        let collected = runtime.expect("a runtime").block_on(answer.into_body().collect());
        let bytes = collected.expect("a body is written").to_bytes();
        String::from_utf8(bytes.to_vec()).expect("a body is text")
    }

    #[test]
    fn a_table_is_written_in_every_format() {
        assert_eq!(
            text(Format::Json),
            "{\"columns\":[\"a\",\"b\",\"c\"],\"rows\":[\
             [\"@x\",[1,null],\"1970-01-01T00:00:00.000000000Z\"],\
             [\"@x\",[1,null],\"1970-01-01T00:00:00.000000000Z\"]],\
             \"stats\":{\"scanned_bytes\":1,\"elapsed_ms\":2,\"complete\":true}}"
        );
        let line = "{\"a\":\"@x\",\"b\":[1,null],\"c\":\"1970-01-01T00:00:00.000000000Z\"}\n";
        assert_eq!(text(Format::Ndjson), line.repeat(2));
        let row = "'@x,\"[1,null]\",1970-01-01T00:00:00.000000000Z\r\n";
        assert_eq!(text(Format::Csv), format!("a,b,c\r\n{}", row.repeat(2)));
    }
}
