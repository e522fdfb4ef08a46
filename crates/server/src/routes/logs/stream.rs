//! Audit events are watched live, over WebSocket (RFC 6455).

use std::ops::Bound;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade, close_code};
use axum::response::Response;
use ledgerline_api::code::Code;
use ledgerline_api::v1::filters::Filters;
use ledgerline_api::v1::logs::StreamFrame;
use ledgerline_model::id::Seq;
use ledgerline_model::time::Timestamp;
use ledgerline_query::lang::Search;
use ledgerline_query::lang::ast::{Literal, Predicate};
use ledgerline_query::{Order, Place, Target};
use tokio::sync::watch;
use tokio::time::MissedTickBehavior;

use super::filter::{Filter, Parameters, single};
use super::read::{Found, as_request, find, page};
use crate::app::App;
use crate::audit::Outcome;
use crate::auth::Lasting;
use crate::cursor::{self, Cursor};
use crate::desk::Share;
use crate::error::{Failure, Result};
use crate::extract::Query;
use crate::masking::Counts;
use crate::routes::asking::{Answer, Asked, Question, tell};
use crate::routes::datasets::readable;

/// How many numbers of events are looked at at once.
const BATCH: u64 = 500;
/// How often a stream looks at what is not an event.
const TICK: Duration = Duration::from_secs(1);
/// After how many ticks without a frame the client is told that all is well.
const HEARTBEAT_TICKS: u32 = 15;
/// After how many ticks the right to read is asked for once more.
const RENEWAL_TICKS: u32 = 10;
/// How long a client may take to take a frame, before it counts as gone: until then the frame
/// holds its share of the memory for answers.
const SEND_LIMIT: Duration = Duration::from_secs(30);
/// How much a client may say at once; it has nothing to say.
const MESSAGE_BYTES_MAX: usize = 4 << 10;
/// How much is gathered before it is sent.
const WRITE_BYTES: usize = 16 << 10;

/// Watch audit events live
///
/// A WebSocket. Each message of the server is one frame, a JSON object: `rows` with events, by
/// rising `seq`, that were stored since the frame before, and that the parameters mean; `heartbeat`
/// after 15 seconds without one; `error` with a problem, after which the server closes. Every frame
/// but `error` has a `cursor`: with it, a stream goes on after what that frame told, without a gap
/// and without telling anything twice. Without one it begins with the events that are stored from
/// now on. The right to read is asked for again every ten seconds.
#[utoipa::path(
    get, path = "/api/v1/logs/stream", tag = "audit", operation_id = "stream_logs",
    params(
        Filters,
        ("cursor" = Option<String>, Query, description = "The cursor of the last frame that came")
    ),
    responses((status = 101, description = "The stream; this is one frame", body = StreamFrame))
)]
pub(crate) async fn stream_logs(
    State(app): State<Arc<App>>,
    lasting: Lasting,
    Query(parameters): Query<Parameters>,
    upgrade: std::result::Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response> {
    let caller = &lasting.caller;
    let filter = Filter::read(&app, &parameters, &["cursor"])?;
    let asked = cursor::Question::of(caller.tenant()?, &as_stream(&filter));
    let cursor = single(&parameters, "cursor")?;
    let cursor = cursor.map(|text| Cursor::parse(text, asked)).transpose()?;
    let (scope, dataset) = readable(&app, caller, &filter.dataset).await?;
    let upgrade = upgrade.map_err(|_| {
        Failure::new(Code::UpgradeRequired, "this path is for WebSocket, over HTTP/1.1")
    })?;
    let stored = app.node.tenant(scope.tenant())?.store.watch(&scope, dataset.id)?;
    let now = Seq(*stored.borrow());
    let next = cursor.map_or(now, |cursor| cursor.place.seq);
    if next > now {
        let detail = "the cursor is of events that are not here";
        return Err(Failure::new(Code::CursorMismatch, detail));
    }
    let range = cursor.map_or(filter.range, |cursor| cursor.range);
    let place = app.desk.stream(scope.tenant()).await?;
    let record = caller.record("audit.stream").on("dataset", &filter.dataset);
    app.audit.later(scope.tenant(), record.with("query", &filter.search));
    let question = Question {
        action: "audit.stream",
        dataset: filter.dataset.clone(),
        query: filter.search.to_string(),
        range,
    };
    let stream = Stream {
        app,
        lasting,
        question,
        search: filter.search,
        asked,
        stored,
        next,
        ticks: 0,
        quiet: 0,
        rows: 0,
        masked: Counts::new(),
        _place: place,
    };
    let upgrade = upgrade
        .max_message_size(MESSAGE_BYTES_MAX)
        .max_frame_size(MESSAGE_BYTES_MAX)
        .read_buffer_size(MESSAGE_BYTES_MAX)
        .write_buffer_size(WRITE_BYTES);
    Ok(upgrade.on_upgrade(move |socket| stream.run(socket)))
}

/// What a cursor of a stream belongs to. It is no cursor of a list: those count otherwise.
fn as_stream(filter: &Filter) -> ledgerline_api::v1::search::SearchRequest {
    let mut request = as_request(filter, Order::Oldest);
    request.query.insert_str(0, "stream ");
    request
}

/// One stream.
struct Stream {
    app: Arc<App>,
    lasting: Lasting,
    question: Question,
    search: Search,
    /// What its cursors belong to.
    asked: cursor::Question,
    /// The number that the next event of the dataset will have.
    stored: watch::Receiver<u64>,
    /// Every event below this number was told.
    next: Seq,
    ticks: u32,
    /// Ticks since the last frame.
    quiet: u32,
    rows: u64,
    masked: Counts,
    _place: Share,
}

impl Stream {
    async fn run(mut self, mut socket: WebSocket) {
        let ended = self.tell_all(&mut socket).await;
        let record = self.lasting.caller.record("audit.stream_ended");
        let record = record.on("dataset", &self.question.dataset).count("rows", self.rows);
        let mut record = record.masked(std::mem::take(&mut self.masked));
        if let Err(failure) = ended {
            record = record.outcome(Outcome::Failure).with("reason", failure.code().as_str());
            let frame = StreamFrame::Error { problem: (*failure.problem).clone() };
            let close = CloseFrame { code: reason(failure.code()), reason: "".into() };
            // Who is gone already is told nothing.
            if send(&mut socket, &frame).await.is_ok_and(|is_there| is_there) {
                let sent = socket.send(Message::Close(Some(close)));
                drop(tokio::time::timeout(SEND_LIMIT, sent).await);
            }
        }
        if let Ok(tenant) = self.lasting.caller.tenant() {
            self.app.audit.later(tenant, record);
        }
    }

    /// Tells events until the client goes, or may not be told any more.
    async fn tell_all(&mut self, socket: &mut WebSocket) -> Result<()> {
        let mut ticks = tokio::time::interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let is_behind = self.next.0 < *self.stored.borrow_and_update();
            tokio::select! {
                message = socket.recv() => match message {
                    None | Some(Err(_) | Ok(Message::Close(_))) => return Ok(()),
                    Some(Ok(_)) => {}
                },
                _ = ticks.tick() => {
                    if !self.tick(socket).await? {
                        return Ok(());
                    }
                }
                () = std::future::ready(()), if is_behind => {
                    if !self.deliver(socket).await? {
                        return Ok(());
                    }
                }
                changed = self.stored.changed(), if !is_behind => changed.map_err(|_| {
                    Failure::new(Code::TenantUnavailable, "the tenant's data was closed")
                })?,
            }
        }
    }

    /// Looks after what is not an event. Whether the client is still there.
    async fn tick(&mut self, socket: &mut WebSocket) -> Result<bool> {
        if self.app.is_stopping() {
            return Err(Failure::new(Code::Unavailable, "the server is stopping"));
        }
        self.ticks = self.ticks.wrapping_add(1);
        if self.ticks.is_multiple_of(RENEWAL_TICKS) {
            self.lasting.renew().await?;
            readable(&self.app, &self.lasting.caller, &self.question.dataset).await?;
        }
        self.quiet += 1;
        if self.quiet < HEARTBEAT_TICKS {
            return Ok(true);
        }
        self.quiet = 0;
        send(socket, &StreamFrame::Heartbeat { cursor: self.cursor() }).await
    }

    /// Tells the next events. Whether the client is still there.
    async fn deliver(&mut self, socket: &mut WebSocket) -> Result<bool> {
        let stored = *self.stored.borrow();
        let (first, end) = (self.next, Seq(stored.min(self.next.0 + BATCH)));
        let search = self.search.clone();
        let find = move |asked: &Asked<'_>| between(asked, &search, first, end);
        let told = tell(&self.app, &self.lasting.caller, &self.question, find).await?;
        let (answer, masked) = match told.answered {
            Ok(answered) => answered,
            // Others have their turn first; nothing is lost by that.
            Err(failure) if matches!(failure.code(), Code::QueryBusy | Code::Overloaded) => {
                tokio::time::sleep(TICK).await;
                return Ok(true);
            }
            Err(failure) => return Err(failure),
        };
        self.next = end;
        self.rows += answer.found.events.len() as u64;
        for (detector, times) in masked {
            *self.masked.entry(detector).or_default() += times;
        }
        self.write(socket, answer).await
    }

    async fn write(&mut self, socket: &mut WebSocket, answer: Answer<Found>) -> Result<bool> {
        let Answer { mut found, held, .. } = answer;
        found.events.sort_by_key(|event| event.kept.seq);
        let mut rows = Vec::with_capacity(found.events.len());
        for event in &found.events {
            rows.extend(event.listed(None)?);
        }
        if rows.is_empty() {
            return Ok(true);
        }
        self.quiet = 0;
        // As the payloads were stored, byte for byte.
        let cursor = self.cursor();
        let text =
            format!("{{\"type\":\"rows\",\"rows\":[{}],\"cursor\":\"{cursor}\"}}", rows.join(","));
        let is_there = deliver_text(socket, text).await;
        drop(held);
        Ok(is_there)
    }

    fn cursor(&self) -> String {
        let place = Place { time: Timestamp(0), seq: self.next };
        let cursor = Cursor { place, as_of: self.next, range: self.question.range };
        cursor.to_text(self.asked)
    }
}

/// Whether it was sent: otherwise the client is gone.
async fn send(socket: &mut WebSocket, frame: &StreamFrame) -> Result<bool> {
    let text = serde_json::to_string(frame).map_err(|error| Failure::internal(&error))?;
    Ok(deliver_text(socket, text).await)
}

async fn deliver_text(socket: &mut WebSocket, text: String) -> bool {
    let sent = tokio::time::timeout(SEND_LIMIT, socket.send(Message::text(text))).await;
    matches!(sent, Ok(Ok(())))
}

/// The events with these numbers that a search finds.
fn between(asked: &Asked<'_>, search: &Search, first: Seq, end: Seq) -> Result<Found> {
    let snapshot = asked.target.snapshot.clone().between(first, end);
    let bound = |seq: Seq| Literal(seq.0.to_string());
    let numbers = Search::Field {
        name: "_seq".to_owned(),
        predicate: Predicate::Range {
            low: Bound::Included(bound(first)),
            high: Bound::Excluded(bound(end)),
        },
    };
    let search = Search::and(vec![numbers, search.clone()]);
    let target = Target { snapshot: &snapshot, ..asked.target.clone() };
    let Asked { scope, dataset, tenant, mask, .. } = *asked;
    let asked = Asked { target, scope, dataset, tenant, mask };
    find(&asked, &search, &page(BATCH as usize, Order::Oldest, None))
}

/// The code that RFC 6455, section 7.4, has for it.
fn reason(code: Code) -> u16 {
    match code {
        Code::Unauthenticated | Code::Forbidden | Code::DatasetNotFound => close_code::POLICY,
        Code::Unavailable | Code::TenantUnavailable => close_code::AWAY,
        _ => close_code::ERROR,
    }
}
