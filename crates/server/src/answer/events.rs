//! A page of events.

use std::collections::BTreeSet;

use axum::response::Response;
use ledgerline_api::time::rfc3339;
use ledgerline_api::v1::Page;
use ledgerline_api::v1::event::{VIRTUAL, WireEvent};
use ledgerline_model::event::{Event, Value};
use ledgerline_query::Found;

use super::{Format, Head, csv, json, streamed};

/// The answer of a search, or, without a page, of a context.
pub(crate) fn answer<H: Send + 'static>(
    head: Head<H>,
    found: Found,
    page: Option<Page>,
) -> Response {
    let cursor = page.as_ref().and_then(|page| page.next_cursor.clone());
    match head.format {
        Format::Json => as_json(head, found, page, cursor.as_deref()),
        Format::Ndjson => as_ndjson(head, found, cursor.as_deref()),
        Format::Csv => as_csv(head, found, cursor.as_deref()),
    }
}

/// About how many bytes of memory the events take.
pub(crate) fn size_bytes(found: &Found) -> usize {
    let of_value = |value: &Value| match value {
        Value::Str(text) | Value::Json(text) => text.len(),
        Value::I64(_) | Value::F64(_) | Value::Bool(_) => 0,
    };
    let of_field = |(name, value): &(String, Value)| {
        size_of::<(String, Value)>() + name.len() + of_value(value)
    };
    let of_event = |event: &Event| {
        size_of::<Event>() + event.id.len() + event.fields.iter().map(of_field).sum::<usize>()
    };
    let of_message = |message: &Option<String>| {
        size_of::<Option<String>>() + message.as_ref().map_or(0, String::len)
    };
    found.events.iter().map(of_event).sum::<usize>()
        + found.messages.iter().map(of_message).sum::<usize>()
}

fn pairs(found: Found) -> impl Iterator<Item = (Event, Option<String>)> {
    let Found { events, messages, .. } = found;
    events.into_iter().zip(messages)
}

fn as_json<H: Send + 'static>(
    head: Head<H>,
    found: Found,
    page: Option<Page>,
    cursor: Option<&str>,
) -> Response {
    let stats = head.stats;
    let mut events = pairs(found);
    let mut before: &[u8] = b"{\"data\":[";
    streamed(head, cursor, move |to| {
        to.extend_from_slice(before);
        if let Some((event, message)) = events.next() {
            // The first event follows the opening, every other one a comma.
            before = b",";
            json(to, &WireEvent { event: &event, message: message.as_deref() });
            return true;
        }
        if before == b"," {
            to.pop();
        }
        to.push(b']');
        if let Some(page) = &page {
            to.extend_from_slice(b",\"page\":");
            json(to, page);
        }
        to.extend_from_slice(b",\"stats\":");
        json(to, &stats);
        to.push(b'}');
        false
    })
}

fn as_ndjson<H: Send + 'static>(head: Head<H>, found: Found, cursor: Option<&str>) -> Response {
    let mut events = pairs(found);
    streamed(head, cursor, move |to| {
        let Some((event, message)) = events.next() else { return false };
        json(to, &WireEvent { event: &event, message: message.as_deref() });
        to.push(b'\n');
        true
    })
}

/// Ledgerline's own columns, then every field that some event of the page has, by name.
fn as_csv<H: Send + 'static>(head: Head<H>, found: Found, cursor: Option<&str>) -> Response {
    let fields = found.events.iter().flat_map(|event| &event.fields);
    let names: BTreeSet<&str> = fields.map(|(name, _)| name.as_str()).collect();
    let names = names.into_iter().filter(|name| !VIRTUAL.contains(name));
    let names: Vec<String> = names.map(str::to_owned).collect();
    let mut header = Some(());
    let mut events = pairs(found);
    streamed(head, cursor, move |to| {
        if header.take().is_some() {
            let all = VIRTUAL.into_iter().chain(names.iter().map(String::as_str));
            csv::row(to, all, csv::text);
            return true;
        }
        let Some((event, message)) = events.next() else { return false };
        csv_event(to, &event, message.as_deref(), &names);
        true
    })
}

fn csv_event(to: &mut Vec<u8>, event: &Event, message: Option<&str>, names: &[String]) {
    csv::plain(to, rfc3339(event.time));
    to.push(b',');
    csv::plain(to, rfc3339(event.received));
    to.push(b',');
    csv::text(to, &event.id);
    to.push(b',');
    csv::plain(to, event.seq.0);
    to.push(b',');
    csv::plain(to, event.severity.name());
    to.push(b',');
    if event.severity.number() > 0 {
        csv::plain(to, event.severity.number());
    }
    to.push(b',');
    csv::text(to, message.unwrap_or_default());
    let mut fields = event.fields.iter().peekable();
    for name in names {
        to.push(b',');
        while fields.next_if(|(field, _)| field < name).is_some() {}
        if let Some((_, value)) = fields.next_if(|(field, _)| field == name) {
            csv_value(to, value);
        }
    }
    to.extend_from_slice(b"\r\n");
}

fn csv_value(to: &mut Vec<u8>, value: &Value) {
    match value {
        Value::Str(text) | Value::Json(text) => csv::text(to, text),
        Value::I64(number) => csv::plain(to, number),
        Value::F64(number) => csv::plain(to, number),
        Value::Bool(truth) => csv::plain(to, truth),
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;
    use ledgerline_api::v1::Stats;
    use ledgerline_model::id::Seq;
    use ledgerline_model::severity::Severity;
    use ledgerline_model::time::Timestamp;

    use super::*;

    fn event(seq: u64, fields: &[(&str, Value)]) -> Event {
        let fields = fields.iter().map(|(name, value)| ((*name).to_owned(), value.clone()));
        Event {
            seq: Seq(seq),
            id: format!("id{seq}"),
            time: Timestamp(0),
            received: Timestamp(0),
            severity: Severity::INFO,
            fields: fields.collect(),
        }
    }

    fn text(format: Format, events: Vec<Event>) -> String {
        let messages = events.iter().map(|_| Some("=hi".to_owned())).collect();
        let found = Found { events, messages, next: None };
        let stats = Stats { scanned_bytes: 1, elapsed_ms: 2, complete: true };
        let page = Page { next_cursor: None, has_more: false };
        let response = answer(Head { format, stats, held: () }, found, Some(page));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
        let collected = runtime.expect("a runtime").block_on(response.into_body().collect());
        let bytes = collected.expect("a body is written").to_bytes();
        String::from_utf8(bytes.to_vec()).expect("a body is text")
    }

    #[test]
    fn json_is_one_object_however_many_events() {
        for count in [0, 1, 2, 2000] {
            let events = (0..count).map(|seq| event(seq, &[])).collect();
            let answer = text(Format::Json, events);
            let json: serde_json::Value = serde_json::from_str(&answer).expect("it is JSON");
            let data = json["data"].as_array().map(Vec::len);
            assert_eq!(data, Some(count as usize));
            assert_eq!(json["stats"]["complete"], true);
        }
    }

    #[test]
    fn csv_has_a_column_for_every_field_of_the_page() {
        let one = event(1, &[("a", Value::I64(-1)), ("c", Value::Str("x,y".to_owned()))]);
        let two = event(2, &[("b", Value::Bool(true))]);
        let answer = text(Format::Csv, vec![one, two]);
        let lines: Vec<&str> = answer.split("\r\n").collect();
        let zero = "1970-01-01T00:00:00.000000000Z";
        assert_eq!(
            lines,
            [
                "_time,_received,_id,_seq,_severity,_severity_number,_message,a,b,c",
                &format!("{zero},{zero},id1,1,INFO,9,'=hi,-1,,\"x,y\""),
                &format!("{zero},{zero},id2,2,INFO,9,'=hi,,true,"),
                "",
            ]
        );
    }

    #[test]
    fn the_size_of_events_is_about_what_they_take() {
        let found = |text: usize, count: u64| {
            let text = || Value::Str("x".repeat(text));
            let events = (0..count).map(|seq| event(seq, &[("a", text())])).collect();
            Found { events, messages: vec![None; count as usize], next: None }
        };
        assert_eq!(size_bytes(&found(0, 0)), 0);
        let one = size_bytes(&found(1_000_000, 1));
        assert!((1_000_000..1_001_000).contains(&one), "{one}");
        assert_eq!(size_bytes(&found(1_000_000, 3)), 3 * one);
    }
}
