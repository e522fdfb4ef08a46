//! Legal holds: what they match is not erased or removed.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use ledgerline_api::code::Code;
use ledgerline_api::v1::List;
use ledgerline_api::v1::holds::{Hold as Wire, NewHold, Release as WireRelease, Released};
use ledgerline_audit::hold::{Hold, Release};
use ledgerline_audit::moment::Moment;
use ledgerline_audit::ranges::Ranges;
use ledgerline_audit::record::Author;
use ledgerline_model::time::TimeRange;
use ledgerline_policy::{Action, Job, Scope, Upkeep, upkeep};
use ledgerline_query::lang::ast::{Literal, Predicate};
use ledgerline_query::lang::{self, Search};
use ledgerline_query::{self as query, Order, Page, Target};
use ledgerline_tenancy::{Dataset, Document, DocumentKind, Tenancy};

use super::change::author;
use super::write;
use crate::act::act;
use crate::app::App;
use crate::auth::Caller;
use crate::body::{self, Pieces};
use crate::error::{Failure, Result};
use crate::extract::Path;
use crate::node::OpenTenant;
use crate::removal;
use crate::routes::time;

const BODY_BYTES_MAX: usize = 128 << 10;

/// List the legal holds
#[utoipa::path(
    get, path = "/api/v1/holds", tag = "audit", operation_id = "list_holds",
    responses((status = 200, description = "The holds, those released too", body = List<Wire>))
)]
pub(crate) async fn list_holds(
    State(app): State<Arc<App>>,
    caller: Caller,
) -> Result<Json<List<Wire>>> {
    let scope = caller.may_manage(Action::ListDatasets)?;
    let documents = app.records(move |tenancy| tenancy.documents(&scope, DocumentKind::Hold));
    let data = documents.await?.iter().map(wire).collect::<Result<_>>()?;
    Ok(Json(List { data }))
}

/// Place a legal hold
///
/// While it is on, no audit event that its query finds is erased or removed, whoever asks. What is
/// being removed already goes on: the hold waits until that is done, or answers 409.
#[utoipa::path(
    post, path = "/api/v1/holds", tag = "audit", operation_id = "create_hold",
    request_body = NewHold,
    responses((status = 201, description = "It is on", body = Wire))
)]
pub(crate) async fn create_hold(
    State(app): State<Arc<App>>,
    caller: Caller,
    request: Request,
) -> Result<Response> {
    let scope = caller.may_manage(Action::ManageAudit)?;
    let body = Pieces::new(request.into_body()).whole(BODY_BYTES_MAX).await?;
    let id = format!("hold_{}", app.chance.record_id());
    let hold = Hold::parse(&id, &body);
    let hold =
        hold.map_err(|refusal| write::failure(Code::InvalidRequest, &refusal.into_faults()))?;
    lang::parse_search(&hold.query).map_err(|error| Failure::of_query(&error, &hold.query))?;
    let record = caller.record("hold.created").on("hold", &id).with("hold.query", &hold.query);
    let text = stored(&hold)?;
    let open = app.node.tenant(caller.tenant()?)?;
    let still = removal::still(&app, &open).await?;
    let made = act(
        &app,
        open.id,
        record,
        move |tenancy| {
            let _still = still;
            tenancy.put_document(&scope, DocumentKind::Hold, &id, &text)
        },
        |record, _| record,
    );
    Ok((StatusCode::CREATED, Json(wire(&made.await?)?)).into_response())
}

/// Release a legal hold
#[utoipa::path(
    delete, path = "/api/v1/holds/{id}", tag = "audit", operation_id = "release_hold",
    params(("id" = String, Path, description = "The hold's id")),
    request_body = WireRelease,
    responses((status = 200, description = "It is off, and stays on record", body = Wire))
)]
pub(crate) async fn release_hold(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    body::Json(request): body::Json<WireRelease>,
) -> Result<Json<Wire>> {
    let scope = caller.may_manage(Action::ManageAudit)?;
    if request.reason.is_empty() || request.reason.chars().count() > 1_000 {
        return Err(Failure::invalid("reason", "a reason has 1 to 1,000 characters"));
    }
    let of_list = scope.clone();
    let documents = app.records(move |tenancy| tenancy.documents(&of_list, DocumentKind::Hold));
    let document = documents.await?.into_iter().find(|document| document.id == id);
    let mut hold = read(&document.ok_or_else(Failure::no_record)?)?;
    if !hold.release(app.clock.now(), author(&caller)) {
        return Err(Failure::new(Code::Conflict, "the hold was released before"));
    }
    let record = caller.record("hold.released").on("hold", &id).with("reason", &request.reason);
    let text = stored(&hold)?;
    let released = act(
        &app,
        caller.tenant()?,
        record,
        move |tenancy| tenancy.put_document(&scope, DocumentKind::Hold, &id, &text),
        |record, _| record,
    );
    Ok(Json(wire(&released.await?)?))
}

/// A hold as it is kept.
fn stored(hold: &Hold) -> Result<String> {
    let wire = Wire {
        id: hold.id.clone(),
        name: hold.name.clone(),
        query: hold.query.clone(),
        reason: hold.reason.clone(),
        owner: hold.owner.clone(),
        review_at: hold.review_at.as_ref().map(|moment| moment.as_str().to_owned()),
        created_at: String::new(),
        released: hold.released.as_ref().map(|release| Released {
            at: time(release.at),
            by: release.by.id.clone(),
            by_type: release.by.kind.clone(),
        }),
    };
    serde_json::to_string(&wire).map_err(|error| Failure::internal(&error))
}

fn wire(document: &Document) -> Result<Wire> {
    let wire: Wire =
        serde_json::from_str(&document.body).map_err(|error| Failure::internal(&error))?;
    Ok(Wire { created_at: time(document.created), ..wire })
}

fn read(document: &Document) -> Result<Hold> {
    let wire = wire(document)?;
    let moment = |text: &String| Moment::parse(text).map_err(|error| Failure::internal(&error));
    let released = match wire.released {
        None => None,
        Some(released) => Some(Release {
            at: moment(&released.at)?.at(),
            by: Author { id: released.by, kind: released.by_type },
        }),
    };
    Ok(Hold {
        review_at: wire.review_at.as_ref().map(moment).transpose()?,
        id: wire.id,
        name: wire.name,
        query: wire.query,
        reason: wire.reason,
        owner: wire.owner,
        released,
    })
}

/// Whether any hold is on.
///
/// # Errors
/// The database's.
pub(crate) fn are_on(tenancy: &Tenancy, scope: &Scope<Upkeep>) -> Result<bool> {
    let documents = tenancy.documents_for_upkeep(scope, DocumentKind::Hold)?;
    let holds = documents.iter().map(read).collect::<Result<Vec<_>>>()?;
    Ok(holds.iter().any(Hold::is_active))
}

/// The holds that are on.
///
/// # Errors
/// The database's.
pub(crate) async fn active(app: &App, tenant: ledgerline_model::id::TenantId) -> Result<Vec<Hold>> {
    let scope = upkeep(tenant, Job::Erase);
    let documents =
        app.records(move |tenancy| tenancy.documents_for_upkeep(&scope, DocumentKind::Hold));
    let holds = documents.await?.iter().map(read).collect::<Result<Vec<_>>>()?;
    Ok(holds.into_iter().filter(Hold::is_active).collect())
}

/// Says which hold forbids that some events are removed, if one does.
///
/// # Errors
/// `held`.
pub(crate) async fn check(
    app: &Arc<App>,
    open: &Arc<OpenTenant>,
    dataset: &Dataset,
    events: &Ranges,
) -> Result<()> {
    let tenant = open.id;
    let holds = active(app, tenant).await?;
    if holds.is_empty() || events.is_empty() {
        return Ok(());
    }
    let (open, wanted) = (Arc::clone(open), events.clone());
    let (dataset, now) = (dataset.clone(), app.clock.now());
    let held = app.desk.run(tenant, move |budget| {
        let snapshot = open.store.snapshot_for(&upkeep(tenant, Job::Erase), dataset.id)?;
        let conventions = dataset.conventions();
        let range = TimeRange::ALL;
        let target = Target { snapshot: &snapshot, conventions: &conventions, range, now, budget };
        for hold in &holds {
            if matches(&target, &hold.query, &wanted)? {
                return Ok(Some(hold.id.clone()));
            }
        }
        Ok(None)
    });
    match held.await?.answer {
        None => Ok(()),
        Some(hold) => {
            let detail = format!("the hold {hold} forbids that the events are removed");
            Err(Failure::new(Code::Held, detail))
        }
    }
}

/// Whether a query finds one of some events.
fn matches(target: &Target<'_>, text: &str, wanted: &Ranges) -> Result<bool> {
    let failed = |error: query::Error| Failure::of_query(&error, text);
    let search = lang::parse_search(text).map_err(failed)?;
    let (Some((first, _)), Some((_, last))) = (wanted.as_slice().first(), wanted.as_slice().last())
    else {
        return Ok(false);
    };
    let bound = |seq: &u64| std::ops::Bound::Included(Literal(seq.to_string()));
    let within = Search::Field {
        name: "_seq".to_owned(),
        predicate: Predicate::Range { low: bound(first), high: bound(last) },
    };
    let search = Search::and(vec![search, within]);
    let mut page = Page {
        limit: ledgerline_model::limits::SEARCH_PAGE_MAX,
        order: Order::Oldest,
        after: None,
        as_of: None,
        fields: Some(Vec::new()),
    };
    loop {
        let found = query::search(target, &search, &page).map_err(failed)?;
        if found.events.iter().any(|event| wanted.contains(event.seq.0)) {
            return Ok(true);
        }
        page.after = found.next;
        if page.after.is_none() {
            return Ok(false);
        }
    }
}
