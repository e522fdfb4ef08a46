//! Audit events are read: listed, and one by one with what was added to them and what proves them.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{StatusCode, header};
use ledgerline_api::code::Code;
use ledgerline_api::problem::MEDIA_TYPE;
use ledgerline_api::v1;
use ledgerline_api::v1::filters::{Filters, ListingOrder, OfDataset};
use ledgerline_api::v1::logs::{Event, Listing};
use ledgerline_api::v1::search::SearchRequest;
use ledgerline_model::id::Seq;
use ledgerline_model::time::TimeRange;
use ledgerline_query::{self as query, Order};
use ledgerline_store::snapshot::Kept;

use super::body::{Amended, with_place};
use super::filter::{Filter, Parameters, flag, number, refused, single};
use super::proof::{Prover, proven};
use crate::answer;
use crate::app::App;
use crate::auth::Caller;
use crate::cursor::{self, Cursor};
use crate::error::{Failure, Result};
use crate::extract::{Path, Query};
use crate::lookup;
use crate::masking;
use crate::routes::asking::{Asked, Question, Rows, ask_with};

const LIMIT: usize = 100;
const LIMIT_MAX: usize = 1_000;
/// How many fields a listing may be narrowed to.
const FIELDS_MAX: usize = 100;

/// Find audit events
///
/// Values of one parameter that is there several times are alternatives, but for `dataset`, `from`,
/// `to` and `q`; `*` in a value stands for anything. Amendments are laid over the events, and
/// events that were erased are left out.
#[utoipa::path(
    get, path = "/api/v1/logs", tag = "audit", operation_id = "list_logs",
    params(
        Filters,
        ("order" = inline(Option<ListingOrder>), Query, description = "`newest` (the usual) or `oldest` first"),
        ("limit" = Option<u64>, Query, minimum = 1, maximum = 1000, description = "How many events, 1 to 1,000; usually 100"),
        ("cursor" = Option<String>, Query, description = "Where the page before ended"),
        ("fields" = Option<String>, Query, description = "Only these fields, with commas between; `id` and `seq` always")
    ),
    responses((status = 200, description = "A page of events", body = Listing))
)]
pub(crate) async fn list_logs(
    State(app): State<Arc<App>>,
    caller: Caller,
    Query(parameters): Query<Parameters>,
) -> Result<Response> {
    let filter = Filter::read(&app, &parameters, &["order", "limit", "cursor", "fields"])?;
    let limit = number(&parameters, "limit", (LIMIT, 1..=LIMIT_MAX))?;
    let fields = fields(&parameters)?;
    let order = order(&parameters)?;
    let asked = cursor::Question::of(caller.tenant()?, &as_request(&filter, order));
    let cursor = single(&parameters, "cursor")?;
    let cursor = cursor.map(|text| Cursor::parse(text, asked)).transpose()?;
    let range = cursor.map_or(filter.range, |cursor| cursor.range);
    let page = page(limit, order, cursor);
    let search = filter.search.clone();
    let answer = ask_with(&app, &caller, question("audit.list", filter, range), move |asked| {
        find(asked, &search, &page)
    });
    let answer = answer.await?;
    let as_of = cursor.map_or(answer.as_of, |cursor| cursor.as_of);
    let next = answer.found.next.map(|place| Cursor { place, as_of, range }.to_text(asked));
    let page = v1::Page { has_more: next.is_some(), next_cursor: next };
    let page = serde_json::to_string(&page).map_err(|error| Failure::internal(&error))?;
    let mut texts = vec!["{\"data\":[".to_owned()];
    for event in &answer.found.events {
        if let Some(written) = event.listed(fields.as_deref())? {
            if texts.len() > 1 {
                texts.push(",".to_owned());
            }
            texts.push(written);
        }
    }
    texts.push(format!("],\"page\":{page}}}"));
    Ok(answer::texts("application/json", answer.held, texts))
}

/// One audit event
///
/// With `proof=true` the answer is what `ledgerline verify event` checks, byte for byte: the event
/// as it was stored, and its amendments beside it. An event that was erased answers 410, and with
/// it what proves that it was there, and who had it erased.
#[utoipa::path(
    get, path = "/api/v1/logs/{id}", tag = "audit", operation_id = "get_log",
    params(
        ("id" = String, Path, description = "The event's id"),
        OfDataset,
        ("history" = Option<bool>, Query, description = "Whether its amendments are told one by one"),
        ("proof" = Option<bool>, Query, description = "Whether it is proven")
    ),
    responses((status = 200, description = "The event", body = Event))
)]
pub(crate) async fn get_log(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    Query(parameters): Query<Parameters>,
) -> Result<Response> {
    let history = flag(&parameters, "history")?;
    let proof = flag(&parameters, "proof")?;
    let dataset = dataset_of(&parameters, &["history", "proof"])?;
    let one = one(&app, &caller, &dataset, &id).await?;
    answer_one(&app, one, history, proof).await
}

/// The dataset that the parameters name, beside some others.
pub(crate) fn dataset_of(parameters: &Parameters, others: &[&str]) -> Result<String> {
    let is_unknown = |name: &&String| *name != "dataset" && !others.contains(&name.as_str());
    if let Some(name) = parameters.iter().map(|(name, _)| name).find(is_unknown) {
        return Err(refused(name, format!("there is no parameter {name} here")));
    }
    Ok(single(parameters, "dataset")?.unwrap_or(super::filter::DATASET).to_owned())
}

/// Answers one event.
pub(crate) async fn answer_one(
    app: &Arc<App>,
    one: One,
    history: bool,
    proof: bool,
) -> Result<Response> {
    if one.event.kept.evidence.is_none() {
        return erased(app, &one).await;
    }
    let text = if proof {
        if one.event.shown.is_some() {
            return Err(masking::refused("a proof shows an event as it is stored"));
        }
        proven(app, &one).await?
    } else {
        let Some(payload) = one.event.payload()? else { return Err(Failure::no_record()) };
        let event = with_place(&payload, one.event.kept.seq, one.event.kept.received);
        if history { with_history(&event, &one.event) } else { event }
    };
    Ok(answer::texts("application/json", (), [text]))
}

fn with_history(event: &str, amended: &Amended) -> String {
    let written: Vec<String> = amended
        .history()
        .map(|(kept, payload)| with_place(payload, kept.seq, kept.received))
        .collect();
    let inner = event.strip_suffix('}').unwrap_or(event);
    format!("{inner},\"history\":[{}]}}", written.join(","))
}

/// The answer of an event that was erased: a problem, and what proves it.
async fn erased(app: &Arc<App>, one: &One) -> Result<Response> {
    let mut problem = Failure::new(Code::EventErased, "the event was erased").problem;
    problem.request_id.clone_from(&one.request_id);
    let problem = serde_json::to_string(&problem).map_err(|error| Failure::internal(&error))?;
    let proof = super::proof::erased(app, one).await?;
    let inner = problem.strip_suffix('}').unwrap_or(&problem);
    let text = format!("{inner},\"erased\":{proof}}}");
    let media = [(header::CONTENT_TYPE, MEDIA_TYPE)];
    Ok((StatusCode::GONE, media, text).into_response())
}

/// One event, and what was found with it.
#[derive(Debug)]
pub(crate) struct One {
    pub(crate) event: Amended,
    /// The event that erased it, if one did.
    pub(crate) remover: Option<Kept>,
    pub(crate) scope: ledgerline_policy::Scope<ledgerline_policy::Read>,
    pub(crate) dataset: ledgerline_tenancy::Dataset,
    pub(crate) request_id: String,
}

impl Rows for Option<Box<One>> {
    fn rows(&self) -> usize {
        usize::from(self.is_some())
    }
    fn size_bytes(&self) -> usize {
        self.as_ref().map_or(0, |one| {
            size_of_kept(&one.event.kept)
                + one.event.amendments.iter().map(size_of_kept).sum::<usize>()
        })
    }
}

fn size_of_kept(kept: &Kept) -> usize {
    let evidence = kept.evidence.as_ref().map_or(0, |evidence| evidence.payload.len() + 64);
    size_of::<Kept>() + kept.id.len() + evidence
}

/// The event of this id.
///
/// # Errors
/// `not_found`.
pub(crate) async fn one(app: &Arc<App>, caller: &Caller, dataset: &str, id: &str) -> Result<One> {
    let query = lookup::equals("_id", id).to_string();
    let dataset = dataset.to_owned();
    let question = Question { action: "audit.read", dataset, query, range: TimeRange::ALL };
    let (id, request_id) = (id.to_owned(), caller.exchange.id.clone());
    let answer = ask_with(app, caller, question, move |asked| {
        let seqs = lookup::by_ids(&asked.target, &[id.as_str()]);
        let seqs = seqs.map_err(|error| Failure::of_query(&error, ""))?;
        let kept = asked.target.snapshot.kept(&seqs)?;
        let Some(kept) = kept.into_iter().flatten().next() else { return Ok(None) };
        let trees = asked.tenant.store.trees();
        let remover = match kept.evidence {
            Some(_) => None,
            None => trees.remover(asked.scope, asked.dataset.id, kept.seq)?,
        };
        let remover = match remover {
            Some(seq) => asked.target.snapshot.kept(&[seq])?.pop().flatten(),
            None => None,
        };
        Ok(Some(Box::new(One {
            event: amended(asked, vec![kept])?.pop().ok_or_else(Failure::no_record)?,
            remover,
            scope: asked.scope.clone(),
            dataset: asked.dataset.clone(),
            request_id,
        })))
    });
    answer.await?.found.map(|one| *one).ok_or_else(Failure::no_record)
}

/// Events with their amendments.
pub(crate) fn amended(asked: &Asked<'_>, events: Vec<Kept>) -> Result<Vec<Amended>> {
    let trees = asked.tenant.store.trees();
    let mut with = Vec::with_capacity(events.len());
    for kept in events {
        let seqs = match kept.evidence {
            Some(_) => trees.amendments(asked.scope, asked.dataset.id, kept.seq)?,
            None => Vec::new(),
        };
        // They may lie beyond the span of time that was asked for.
        let amendments = if seqs.is_empty() { Vec::new() } else { all_of(asked, &seqs)? };
        with.push(Amended::new(kept, amendments, asked.mask)?);
    }
    Ok(with)
}

/// Events by their numbers, whenever they happened.
fn all_of(asked: &Asked<'_>, seqs: &[Seq]) -> Result<Vec<Kept>> {
    let store = &asked.tenant.store;
    let snapshot = store.snapshot(asked.scope, asked.dataset.id, TimeRange::ALL)?;
    Ok(snapshot.kept(seqs)?.into_iter().flatten().collect())
}

/// A page of events with their amendments.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) events: Vec<Amended>,
    pub(crate) next: Option<query::Place>,
}

impl Rows for Found {
    fn rows(&self) -> usize {
        self.events.len()
    }
    fn size_bytes(&self) -> usize {
        let amended = |event: &Amended| {
            size_of_kept(&event.kept) + event.amendments.iter().map(size_of_kept).sum::<usize>()
        };
        self.events.iter().map(amended).sum()
    }
}

/// The events that a search finds, with their amendments.
pub(crate) fn find(
    asked: &Asked<'_>,
    search: &query::lang::Search,
    page: &query::Page,
) -> Result<Found> {
    let found = query::search(&asked.target, search, page);
    let found = found.map_err(|error| Failure::of_query(&error, ""))?;
    let seqs: Vec<Seq> = found.events.iter().map(|event| event.seq).collect();
    let kept = asked.target.snapshot.kept(&seqs)?.into_iter().flatten().collect();
    Ok(Found { events: amended(asked, kept)?, next: found.next })
}

/// A page of a search whose events are read by their numbers.
pub(crate) fn page(limit: usize, order: Order, cursor: Option<Cursor>) -> query::Page {
    query::Page {
        limit,
        order,
        after: cursor.map(|cursor| cursor.place),
        as_of: cursor.map(|cursor| cursor.as_of),
        fields: Some(Vec::new()),
    }
}

/// A question about the events that a filter means.
pub(crate) fn question(action: &'static str, filter: Filter, range: TimeRange) -> Question {
    Question { action, dataset: filter.dataset, query: filter.search.to_string(), range }
}

/// What a cursor of a filter belongs to.
pub(crate) fn as_request(filter: &Filter, order: Order) -> SearchRequest {
    SearchRequest {
        dataset: filter.dataset.clone(),
        query: filter.search.to_string(),
        from: filter.from.clone(),
        to: filter.to.clone(),
        limit: None,
        order: match order {
            Order::Newest => v1::search::Order::Newest,
            Order::Oldest => v1::search::Order::Oldest,
        },
        cursor: None,
        fields: None,
    }
}

fn order(parameters: &Parameters) -> Result<Order> {
    match single(parameters, "order")? {
        None | Some("newest" | "desc") => Ok(Order::Newest),
        Some("oldest" | "asc") => Ok(Order::Oldest),
        Some(_) => Err(refused("order", "order is newest or oldest".to_owned())),
    }
}

fn fields(parameters: &Parameters) -> Result<Option<Vec<String>>> {
    let Some(text) = single(parameters, "fields")? else { return Ok(None) };
    let fields: Vec<String> = text.split(',').map(|field| field.trim().to_owned()).collect();
    if fields.len() > FIELDS_MAX || fields.iter().any(String::is_empty) {
        let detail = format!("fields are 1 to {FIELDS_MAX} names with commas between");
        return Err(refused("fields", detail));
    }
    Ok(Some(fields))
}

/// So that whoever proves many events reads the ledger once.
pub(crate) fn prover<'a>(asked: &'a Asked<'_>) -> Result<Prover<'a>> {
    Prover::new(asked.tenant.store.trees().view(asked.scope, asked.dataset.id)?)
}
