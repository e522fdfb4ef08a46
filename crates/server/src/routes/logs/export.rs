//! Audit events leave: as a stream of any size, or as a bundle that proves itself.

mod bundle;

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use futures::StreamExt;
use ledgerline_api::v1::filters::{ExportFormat, Filters};
use ledgerline_model::id::Seq;
use ledgerline_query::{Order, Place};

use super::body::{Amended, cell};
use super::filter::{Filter, Parameters, refused, single};
use super::read::{as_request, find, page, question};
use crate::answer::csv;
use crate::app::App;
use crate::auth::Caller;
use crate::cursor::{self, Cursor};
use crate::error::{Failure, Result};
use crate::extract::Query;
use crate::routes::asking::ask_with;

/// How many events are read at once.
const PAGE: usize = 500;

/// The columns of CSV, and where their cells come from.
const COLUMNS: [(&str, &[&str]); 22] = [
    ("id", &["id"]),
    ("seq", &["seq"]),
    ("received_at", &["received_at"]),
    ("occurred_at", &["occurred_at"]),
    ("action", &["action"]),
    ("severity", &["severity"]),
    ("outcome", &["outcome"]),
    ("actor.id", &["actor", "id"]),
    ("actor.type", &["actor", "type"]),
    ("actor.name", &["actor", "name"]),
    ("actor.session", &["actor", "session"]),
    ("resource.type", &["resource", "type"]),
    ("resource.id", &["resource", "id"]),
    ("resource.name", &["resource", "name"]),
    ("targets", &["targets"]),
    ("ip", &["ip"]),
    ("user_agent", &["user_agent"]),
    ("location", &["location"]),
    ("request_id", &["request_id"]),
    ("message", &["message"]),
    ("changes", &["changes"]),
    ("metadata", &["metadata"]),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Json,
    Ndjson,
    Csv,
}

/// Export audit events
///
/// Streams every event that the parameters mean, the earliest first. A stream that breaks goes on
/// with `cursor`, which is the `id` of the last event that came whole. `format=bundle` answers a
/// tar archive that `ledgerline verify export` checks offline: with `from_seq` and `to_seq` all
/// entries of that range, proven to be all; else the events that the parameters mean, each proven.
#[utoipa::path(
    get, path = "/api/v1/logs/export", tag = "audit", operation_id = "export_logs",
    params(
        ("format" = inline(Option<ExportFormat>), Query, description = "`json` (the usual), `ndjson`, `csv` or `bundle`"),
        ("cursor" = Option<String>, Query, description = "The id of the event after which to go on"),
        ("from_seq" = Option<u64>, Query, description = "The first entry of a bundle"),
        ("to_seq" = Option<u64>, Query, description = "The last entry of a bundle"),
        Filters
    ),
    responses((status = 200, description = "The events", content(
        (Vec<ledgerline_api::v1::logs::Event> = "application/json"),
        (String = "application/x-ndjson"), (String = "text/csv"), (Vec<u8> = "application/x-tar")
    )))
)]
pub(crate) async fn export_logs(
    State(app): State<Arc<App>>,
    caller: Caller,
    Query(parameters): Query<Parameters>,
) -> Result<Response> {
    let filter = Filter::read(&app, &parameters, &["format", "cursor", "from_seq", "to_seq"])?;
    let format = match single(&parameters, "format")? {
        None | Some("json") => Format::Json,
        Some("ndjson") => Format::Ndjson,
        Some("csv") => Format::Csv,
        Some("bundle") => return bundle::answer(&app, &caller, &parameters, filter).await,
        Some(_) => {
            let detail = "format is json, ndjson, csv or bundle";
            return Err(refused("format", detail.to_owned()));
        }
    };
    for only_bundle in ["from_seq", "to_seq"] {
        if single(&parameters, only_bundle)?.is_some() {
            return Err(refused(only_bundle, format!("{only_bundle} is for bundles")));
        }
    }
    let after = match single(&parameters, "cursor")? {
        None => None,
        Some(id) => Some(place_of(&app, &caller, &filter, id).await?),
    };
    // The first page is asked for before the answer begins, so that a refusal is one.
    let mut source = Source::new(&app, &caller, filter, after);
    let first = source.next().await?;
    let head = match format {
        Format::Json => "[".to_owned(),
        Format::Ndjson => String::new(),
        Format::Csv => {
            let mut line = Vec::new();
            csv::row(&mut line, COLUMNS.iter().map(|(name, _)| *name), csv::text);
            String::from_utf8(line).unwrap_or_default()
        }
    };
    let pages = futures::stream::unfold(Some((source, first)), |state| async move {
        let (mut source, page) = state?;
        let page = page?;
        let next = source.next().await;
        let state = match next {
            Ok(next) => Some((source, next)),
            // The body ends without its end, so the client knows that there was more.
            Err(failure) => return Some((Err(broken(&failure)), None)),
        };
        Some((Ok(page), state))
    });
    let mut is_first = true;
    let written = pages.map(move |page| {
        let page = page?;
        let mut text = Vec::new();
        for event in &page {
            write(&mut text, format, event, is_first).map_err(|failure| broken(&failure))?;
            is_first = false;
        }
        Ok::<_, std::io::Error>(text)
    });
    let tail = if format == Format::Json { "]" } else { "" };
    let once = |text: String| futures::stream::once(async move { Ok(text.into_bytes()) });
    let body = once(head).chain(written).chain(once(tail.to_owned()));
    let (media, ending) = match format {
        Format::Json => ("application/json", "json"),
        Format::Ndjson => ("application/x-ndjson", "ndjson"),
        Format::Csv => ("text/csv; charset=utf-8; header=present", "csv"),
    };
    Ok(download(media, ending, axum::body::Body::from_stream(body)))
}

fn broken(failure: &Failure) -> std::io::Error {
    std::io::Error::other(failure.problem.detail.clone())
}

/// An answer to be kept as a file.
fn download(media: &'static str, ending: &str, body: axum::body::Body) -> Response {
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(http::header::CONTENT_TYPE, http::HeaderValue::from_static(media));
    let disposition = format!("attachment; filename=\"audit.{ending}\"");
    if let Ok(value) = http::HeaderValue::from_str(&disposition) {
        headers.insert(http::header::CONTENT_DISPOSITION, value);
    }
    response
}

fn write(to: &mut Vec<u8>, format: Format, event: &Amended, is_first: bool) -> Result<()> {
    let Some(text) = event.listed(None)? else { return Ok(()) };
    match format {
        Format::Json => {
            if !is_first {
                to.push(b',');
            }
            to.extend_from_slice(text.as_bytes());
        }
        Format::Ndjson => {
            to.extend_from_slice(text.as_bytes());
            to.push(b'\n');
        }
        Format::Csv => {
            let cells = COLUMNS.iter().map(|(_, path)| cell(&text, path));
            csv::row(to, cells, |to, text: String| csv::text(to, &text));
        }
    }
    Ok(())
}

/// The events of an export, page by page.
struct Source {
    app: Arc<App>,
    caller: Caller,
    filter: Filter,
    after: Option<Place>,
    as_of: Option<Seq>,
    is_over: bool,
}

impl Source {
    fn new(app: &Arc<App>, caller: &Caller, filter: Filter, after: Option<Place>) -> Self {
        let (app, caller) = (Arc::clone(app), caller.clone());
        Self { app, caller, filter, after, as_of: None, is_over: false }
    }

    /// The next page; nothing at the end.
    async fn next(&mut self) -> Result<Option<Vec<Amended>>> {
        if self.is_over {
            return Ok(None);
        }
        let range = self.filter.range;
        let mut page = page(PAGE, Order::Oldest, None);
        (page.after, page.as_of) = (self.after, self.as_of);
        let search = self.filter.search.clone();
        let question = question("audit.export", self.filter.clone(), range);
        let answer =
            ask_with(&self.app, &self.caller, question, move |asked| find(asked, &search, &page));
        let answer = answer.await?;
        // Every page sees what the first one saw.
        self.as_of.get_or_insert(answer.as_of);
        self.after = answer.found.next;
        self.is_over = self.after.is_none();
        Ok(Some(answer.found.events))
    }
}

/// Where the event of an id stands.
async fn place_of(app: &Arc<App>, caller: &Caller, filter: &Filter, id: &str) -> Result<Place> {
    let asked = cursor::Question::of(caller.tenant()?, &as_request(filter, Order::Oldest));
    if let Ok(cursor) = Cursor::parse(id, asked) {
        return Ok(cursor.place);
    }
    let one = super::read::one(app, caller, &filter.dataset, id).await;
    let one = one.map_err(|_| {
        let detail = "the cursor is the id of no event of the dataset";
        Failure::new(ledgerline_api::code::Code::CursorMismatch, detail)
    })?;
    Ok(Place { time: one.event.kept.time, seq: one.event.kept.seq })
}
