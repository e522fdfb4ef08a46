//! Everything that events say of one person is erased, and what is old is removed.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderName, HeaderValue, StatusCode};
use ledgerline_api::code::Code;
use ledgerline_api::time::rfc3339;
use ledgerline_api::v1::filters::Filters;
use ledgerline_api::v1::jobs::Job as WireJob;
use ledgerline_api::v1::logs::{Erased, Reason, SubjectErasure};
use ledgerline_audit::erasure::{Erasure, has_word};
use ledgerline_audit::moment::Moment;
use ledgerline_audit::ranges::Ranges;
use ledgerline_audit::retirement::Retirement;
use ledgerline_model::dataset::DatasetKind;
use ledgerline_model::id::Seq;
use ledgerline_model::time::TimeRange;
use ledgerline_policy::{Action, Job as Chore, upkeep};
use ledgerline_query::lang::ast::{Comparison, Literal, Predicate};
use ledgerline_query::lang::pattern::{Part, Pattern};
use ledgerline_query::lang::{self, Search};
use ledgerline_query::{self as query, Order};
use ledgerline_tenancy::Dataset;

use super::change::{author, told, unread};
use super::filter::{Filter, Parameters, flag, refused, single};
use super::holds;
use super::read::{page, question};
use super::write;
use crate::app::App;
use crate::auth::Caller;
use crate::body::{Pieces, is_absent};
use crate::eraser;
use crate::error::{Failure, Result, blocking};
use crate::extract::Query;
use crate::jobs::Job;
use crate::lookup::equals;
use crate::node::OpenTenant;
use crate::removal::{self, Noted, Removal, Why};
use crate::routes::asking::{Asked, Question, ask_with};

const BODY_BYTES_MAX: usize = 64 << 10;
const LOCATION: HeaderName = http::header::LOCATION;
/// How many events one erasure or removal may name: their numbers lie in memory.
const EVENTS_MAX: usize = 5_000_000;

/// Erase what events say of a person
///
/// Every audit event whose actor has this id, in every dataset, is erased with its amendments, and
/// so is what Ledgerline's own records say of who looked for that id. A hold on any of them forbids
/// it.
#[utoipa::path(
    post, path = "/api/v1/erasures", tag = "audit", operation_id = "erase_subject",
    request_body = SubjectErasure,
    responses((status = 200, description = "It is erased", body = Erased))
)]
pub(crate) async fn erase_subject(
    State(app): State<Arc<App>>,
    caller: Caller,
    request: Request,
) -> Result<Json<Erased>> {
    caller.may_manage(Action::EraseEvents)?;
    let grant = caller.may_read_all()?;
    let body = Pieces::new(request.into_body()).whole(BODY_BYTES_MAX).await?;
    let erasure = Erasure::parse_subject(&body);
    let erasure =
        erasure.map_err(|refusal| write::failure(Code::InvalidRequest, &refusal.into_faults()))?;
    let subject = erasure.subject().unwrap_or_default().to_owned();
    // What was looked for just now is in no dataset yet.
    app.audit.drain().await;
    let datasets = app.records(move |tenancy| tenancy.datasets(&grant)).await?;
    let audits = datasets.into_iter().filter(|dataset| dataset.kind == DatasetKind::Audit);
    let mut removals = Vec::new();
    for dataset in audits {
        let search = about(&subject, dataset.name.is_reserved());
        let seqs = sought(&app, &caller, &dataset, search, &subject).await?;
        let why = Why::Erasure(erasure.clone());
        let events = Ranges::of(seqs.into_iter().map(|seq| seq.0));
        removals.push(Removal { dataset, events, why, by: author(&caller) });
    }
    removals.retain(|removal| !removal.events.is_empty());
    let open = app.node.tenant(caller.tenant()?)?;
    let turn = eraser::turn(&open).await;
    // Not the id: the record would say what is to be forgotten.
    let record = caller.record("audit.subject_erased").with("reason", erasure.reason());
    let noted = removal::note(&app, &open, removals, None, Some(record)).await?;
    let events = noted.iter().map(Noted::events).sum();
    let own = noted
        .iter()
        .map(|noted| (!noted.dataset.name.is_reserved()).then(|| noted.intent.payload.clone()));
    let own: Vec<Option<String>> = own.collect();
    let removed = eraser::remove(&app, &open, turn, noted).await?;
    let last =
        own.iter().zip(&removed).rev().find_map(|(own, removed)| {
            own.as_ref().map(|payload| told(payload, &removed.recorded))
        });
    let unread_files = unread(&removed);
    Ok(Json(Erased { erasure: last.transpose()?, events, unread_files }))
}

/// What speaks of a person: events that it is the actor of; of Ledgerline's own records, those that
/// tell what was looked for.
fn about(subject: &str, is_reserved: bool) -> Search {
    if !is_reserved {
        return equals("actor.id", subject);
    }
    let fields = ["metadata.query", "resource.id", "message"];
    let words = spellings(subject);
    let one = |(field, word): (&str, &String)| {
        let within = [Part::Run, Part::Literal(word.clone()), Part::Run];
        let predicate = Predicate::Wildcard(Pattern::new(within)?);
        Some(Search::Field { name: field.to_owned(), predicate })
    };
    let each = fields.iter().flat_map(|field| words.iter().map(|word| (*field, word)));
    Search::or(each.filter_map(one).collect())
}

/// How records write a text: as it is, and as it stands in a query.
fn spellings(text: &str) -> Vec<String> {
    let quoted = equals("_id", text).to_string();
    let quoted = quoted.strip_prefix("_id:").unwrap_or(&quoted);
    let inner = quoted.strip_prefix('"').and_then(|inner| inner.strip_suffix('"'));
    let mut spellings = vec![text.to_owned(), inner.unwrap_or(quoted).to_owned()];
    spellings.dedup();
    spellings
}

/// Whether any text of a payload has one of some words in it, and not only as a part of another.
fn has_any(payload: &str, words: &[String]) -> bool {
    fn within(value: &serde_json::Value, words: &[String]) -> bool {
        match value {
            serde_json::Value::String(text) => words.iter().any(|word| has_word(text, word)),
            serde_json::Value::Array(items) => items.iter().any(|item| within(item, words)),
            serde_json::Value::Object(members) => {
                members.values().any(|member| within(member, words))
            }
            _ => false,
        }
    }
    serde_json::from_str(payload).is_ok_and(|value| within(&value, words))
}

/// The numbers of the events that a search finds.
async fn sought(
    app: &Arc<App>,
    caller: &Caller,
    dataset: &Dataset,
    search: Search,
    subject: &str,
) -> Result<Vec<Seq>> {
    let question = Question {
        action: "audit.erasure_sought",
        dataset: dataset.name.to_string(),
        // The record must not say what is to be forgotten.
        query: "an erasure".to_owned(),
        range: TimeRange::ALL,
    };
    let (subject, words) = (subject.to_owned(), spellings(subject));
    let answer = ask_with(app, caller, question, move |asked| {
        let is_reserved = asked.dataset.name.is_reserved();
        // A search does not tell upper from lower case; ids do. A record that has the id only as a
        // part of another word tells of something else.
        let is_exact = |kept: &ledgerline_store::snapshot::Kept| {
            let payload = kept.evidence.as_ref().map(|evidence| evidence.payload.as_str());
            payload.is_some_and(|payload| match is_reserved {
                true => has_any(payload, &words),
                false => super::body::cell(payload, &["actor", "id"]) == subject,
            })
        };
        all(asked, &search, is_exact)
    });
    Ok(answer.await?.found)
}

/// The numbers of all events that a search finds and that are wanted.
fn all(
    asked: &Asked<'_>,
    search: &Search,
    is_wanted: impl Fn(&ledgerline_store::snapshot::Kept) -> bool,
) -> Result<Vec<Seq>> {
    let mut seqs = Vec::new();
    let mut next = page(1_000, Order::Oldest, None);
    loop {
        let found = query::search(&asked.target, search, &next);
        let found = found.map_err(|error| Failure::of_query(&error, ""))?;
        let numbers: Vec<Seq> = found.events.iter().map(|event| event.seq).collect();
        for kept in asked.target.snapshot.kept(&numbers)?.into_iter().flatten() {
            if kept.evidence.is_some() && is_wanted(&kept) {
                seqs.push(kept.seq);
            }
        }
        if seqs.len() > EVENTS_MAX {
            let detail = format!("more than {EVENTS_MAX} events are meant; do it in parts");
            return Err(Failure::new(Code::InvalidRequest, detail));
        }
        next.after = found.next;
        if next.after.is_none() {
            return Ok(seqs);
        }
    }
}

/// Remove old audit events
///
/// A job removes the events that happened before a time and that the other parameters mean. Events
/// that a hold is on stay, and no event is removed before the minimum that the tenant set is over.
/// With `dry_run=true` nothing is removed, and no reason is needed: the answer tells how many would
/// be.
#[utoipa::path(
    delete, path = "/api/v1/logs/cleanup", tag = "audit", operation_id = "clean_up_logs",
    params(
        ("before" = String, Query, example = "2025-01-01T00:00:00Z", description = "Events that happened before this are removed"),
        ("dry_run" = Option<bool>, Query, description = "Whether they are only counted"),
        Filters
    ),
    request_body = Option<Reason>,
    responses((
        status = 202, description = "The job", body = WireJob,
        headers(("Location" = String, description = "The job's place"))
    ))
)]
pub(crate) async fn clean_up_logs(
    State(app): State<Arc<App>>,
    caller: Caller,
    Query(parameters): Query<Parameters>,
    request: Request,
) -> Result<Response> {
    caller.may_manage(Action::EraseEvents)?;
    let filter = Filter::read(&app, &parameters, &["before", "dry_run"])?;
    let name = super::change::dataset_name(&filter.dataset)?;
    caller.may_append_audit(&name)?;
    let dry_run = flag(&parameters, "dry_run")?;
    let before = single(&parameters, "before")?
        .ok_or_else(|| refused("before", "before is missing: a time is expected".to_owned()))?;
    let until = crate::when::point("before", before, app.clock.now())?;
    let body = Pieces::new(request.into_body()).whole(BODY_BYTES_MAX).await?;
    let reason = match Erasure::parse(&body) {
        Ok(erasure) => erasure.reason().to_owned(),
        Err(_) if dry_run && is_absent(&body) => "a dry run".to_owned(),
        Err(refusal) => {
            return Err(write::failure(Code::InvalidRequest, &refusal.into_faults()));
        }
    };
    let received_before = super::settings::check_minimum(&app, &caller, until).await?;
    let tenant = caller.tenant()?;
    let held = holds::active(&app, tenant).await?;
    let range = TimeRange { start: filter.range.start, end: filter.range.end.min(until) };
    let mut members = vec![filter.search.clone()];
    for hold in &held {
        let search = lang::parse_search(&hold.query);
        members.push(search.map_err(|error| Failure::of_query(&error, &hold.query))?.negated());
    }
    // An event of long ago that came lately is kept as long as any other that came then.
    members.extend(received_before.map(|time| Search::Field {
        name: "_received".to_owned(),
        predicate: Predicate::Compare {
            comparison: Comparison::Less,
            literal: Literal(rfc3339(time)),
        },
    }));
    let search = Search::and(members);
    let (text, is_plain) = (filter.search.to_string(), filter.is_plain());
    let question = question("audit.cleanup_sought", filter, range);
    let answer = ask_with(&app, &caller, question, move |asked| {
        Ok(vec![Sought { seqs: all(asked, &search, |_| true)?, dataset: asked.dataset.clone() }])
    });
    let sought = answer.await?.found.pop().ok_or_else(Failure::no_dataset)?;
    let job = Job::new(&app, "cleanup", sought.seqs.len() as u64);
    let open = app.node.tenant(tenant)?;
    if dry_run || sought.seqs.is_empty() {
        return accepted(&keep(&open, job).await?);
    }
    let filter = (!is_plain).then_some(text);
    let record = caller.record("audit.cleaned_up").on("dataset", &sought.dataset.name);
    let record = record.with("reason", &reason);
    let removal = Removal {
        dataset: sought.dataset,
        events: Ranges::of(sought.seqs.into_iter().map(|seq| seq.0)),
        why: Why::Retirement(Retirement { before: Moment::from(until), filter, reason }),
        by: author(&caller),
    };
    let noted = removal::note(&app, &open, vec![removal], Some(&job), Some(record)).await?;
    let job = job.of_parts(noted.len() as u64);
    tokio::spawn(async move {
        let turn = eraser::turn(&open).await;
        if let Err(failure) = eraser::remove(&app, &open, turn, noted).await {
            let reason = failure.code().as_str();
            tracing::error!(tenant = %open.id, reason, "a cleanup is gone on with later");
        }
    });
    accepted(&job)
}

/// Remembers a job of which nothing is to be done.
async fn keep(open: &Arc<OpenTenant>, job: Job) -> Result<Job> {
    let open = Arc::clone(open);
    blocking(move || {
        let scope = upkeep(open.id, Chore::Erase);
        open.store.trees().put_intents(&scope, &[], Some(&job.stored()?))?;
        Ok(job)
    })
    .await
}

#[derive(Debug)]
struct Sought {
    seqs: Vec<Seq>,
    dataset: Dataset,
}

fn accepted(job: &Job) -> Result<Response> {
    let wire = job.wire();
    let place = format!("/api/v1/jobs/{}", wire.id);
    let place = HeaderValue::from_str(&place).map_err(|error| Failure::internal(&error))?;
    Ok((StatusCode::ACCEPTED, [(LOCATION, place)], Json(wire)).into_response())
}
