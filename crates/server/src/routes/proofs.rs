//! The ledger of an audit dataset, as C2SP tlog-tiles serves it: checkpoints, tiles, proofs, and
//! what a verifier trusts.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header;
use ledgerline_api::v1::filters::OfDataset;
use ledgerline_api::v1::ledger::{Key, Keys, Rotated, Rotation as WireRotation};
use ledgerline_ledger::body::Shown;
use ledgerline_ledger::hash::Hash;
use ledgerline_ledger::log_id::LogId;
use ledgerline_ledger::policy::{Group, PolicyBuilder};
use ledgerline_ledger::tile::{Bundle, Tile};
use ledgerline_ledger::tree;
use ledgerline_model::id::Seq;
use ledgerline_policy::{Action, Read, Scope};
use ledgerline_store::error::ErrorKind;
use ledgerline_store::signer::Signer;
use ledgerline_store::tree::View;
use ledgerline_tenancy::Dataset;

use super::datasets::readable;
use super::logs::proof::Prover;
use super::logs::{DATASET, Parameters, refused, single};
use crate::app::App;
use crate::audit::Outcome;
use crate::auth::Caller;
use crate::body;
use crate::error::{Failure, Result, blocking};
use crate::extract::{Path, Query};
use crate::rotation;
use crate::signing;

const TEXT: &str = "text/plain; charset=utf-8";
const BYTES: &str = "application/octet-stream";
/// The longest reason of a rotation.
const REASON_CHARACTERS_MAX: usize = 1_000;
/// How many checkpoints are listed at once.
const CHECKPOINTS_MAX: u32 = 1_000;

/// Reads the ledger of the dataset that the parameters name.
async fn reading<T: Send + 'static>(
    app: &Arc<App>,
    caller: &Caller,
    parameters: &Parameters,
    (others, read): (&[&str], impl FnOnce(&Reading<'_>) -> Result<T> + Send + 'static),
) -> Result<T> {
    let dataset = dataset_of(parameters, others)?;
    let (scope, dataset) = readable(app, caller, &dataset).await?;
    app.audit.later(scope.tenant(), caller.record("ledger.read").on("dataset", &dataset.name));
    let app = Arc::clone(app);
    blocking(move || {
        let open = app.node.tenant(scope.tenant())?;
        let view = view_of(&open, &scope, &dataset)?;
        read(&Reading { view, signer: app.node.signer() })
    })
    .await
}

fn view_of<'a>(
    open: &'a crate::node::OpenTenant,
    scope: &Scope<Read>,
    dataset: &Dataset,
) -> Result<View<'a>> {
    open.store.trees().view(scope, dataset.id).map_err(|error| match error.kind() {
        ErrorKind::NotFound => Failure::no_record(),
        _ => error.into(),
    })
}

/// The dataset that the parameters name, beside some others.
fn dataset_of(parameters: &Parameters, others: &[&str]) -> Result<String> {
    let is_unknown = |name: &&String| *name != "dataset" && !others.contains(&name.as_str());
    if let Some(name) = parameters.iter().map(|(name, _)| name).find(is_unknown) {
        return Err(refused(name, format!("there is no parameter {name} here")));
    }
    Ok(single(parameters, "dataset")?.unwrap_or(DATASET).to_owned())
}

/// A ledger that is being read.
struct Reading<'a> {
    view: View<'a>,
    signer: &'a Signer,
}

impl Reading<'_> {
    fn log_id(&self) -> LogId {
        self.view.log().id
    }
}

fn text(text: String) -> Response {
    ([(header::CONTENT_TYPE, TEXT)], text).into_response()
}

/// What a verifier trusts
///
/// The origin and the keys of the dataset's log, in the form of C2SP tlog-policy: a file for
/// `ledgerline verify`. Keep it from the day that you trust it on.
#[utoipa::path(
    get, path = "/api/v1/ledger/policy", tag = "ledger", operation_id = "ledger_policy",
    params(OfDataset),
    responses((status = 200, description = "The policy", body = String, content_type = "text/plain"))
)]
pub(crate) async fn ledger_policy(
    State(app): State<Arc<App>>,
    caller: Caller,
    Query(parameters): Query<Parameters>,
) -> Result<Response> {
    let witnesses = app.witnesses.all().to_vec();
    let policy = reading(
        &app,
        &caller,
        &parameters,
        (&[], move |reading: &Reading<'_>| {
            let failed = |error: ledgerline_ledger::Error| Failure::internal(&error);
            let mut policy = PolicyBuilder::new();
            for period in reading.signer.keys(reading.log_id())? {
                policy.log(period.vkey, None).map_err(failed)?;
            }
            let mut names = Vec::new();
            for (number, witness) in (1..).zip(&witnesses) {
                let name = format!("witness-{number}").into_bytes();
                policy.witness(name.clone(), witness.vkey.clone(), None).map_err(failed)?;
                names.push(name);
            }
            let all = b"witnesses".to_vec();
            let quorum = (!names.is_empty()).then(|| all.clone());
            if !names.is_empty() {
                let threshold = names.len();
                let group = Group { name: all, threshold, members: names };
                policy.group(group).map_err(failed)?;
            }
            policy.quorum(quorum).map_err(failed)?;
            Ok(policy.build().map_err(failed)?.to_bytes())
        }),
    );
    Ok(([(header::CONTENT_TYPE, TEXT)], policy.await?).into_response())
}

/// The keys of the ledger
#[utoipa::path(
    get, path = "/api/v1/ledger/keys", tag = "ledger", operation_id = "ledger_keys",
    params(OfDataset),
    responses((status = 200, description = "The keys, the first one first", body = Keys))
)]
pub(crate) async fn ledger_keys(
    State(app): State<Arc<App>>,
    caller: Caller,
    Query(parameters): Query<Parameters>,
) -> Result<Json<Keys>> {
    let keys = reading(
        &app,
        &caller,
        &parameters,
        (&[], |reading: &Reading<'_>| {
            let periods = reading.signer.keys(reading.log_id())?;
            let ends = periods.iter().skip(1).map(|next| Some(next.since)).chain([None]);
            let keys = periods.iter().zip(ends).map(|(period, until)| Key {
                vkey: period.vkey.to_string(),
                since: period.since,
                until,
            });
            let origin = reading.signer.origin(reading.log_id())?.to_string();
            Ok(Keys { log_id: reading.log_id().to_string(), origin, keys: keys.collect() })
        }),
    );
    Ok(Json(keys.await?))
}

/// Give the ledger a new key
///
/// From here on another key signs. The ledger tells of it in an entry that both keys signed; what
/// the old key signed stays proven by the policy as it is from now on, which has both. Hand that
/// policy to whoever verifies.
#[utoipa::path(
    post, path = "/api/v1/ledger/rotate", tag = "ledger", operation_id = "rotate_ledger_key",
    params(OfDataset),
    request_body = WireRotation,
    responses((status = 200, description = "Another key signs", body = Rotated))
)]
pub(crate) async fn rotate_ledger_key(
    State(app): State<Arc<App>>,
    caller: Caller,
    Query(parameters): Query<Parameters>,
    body::Json(request): body::Json<WireRotation>,
) -> Result<Json<Rotated>> {
    caller.may_manage(Action::ManageAudit)?;
    if request.reason.is_empty() || request.reason.chars().count() > REASON_CHARACTERS_MAX {
        let detail = format!("a reason has 1 to {REASON_CHARACTERS_MAX} characters");
        return Err(Failure::invalid("reason", detail));
    }
    let dataset = dataset_of(&parameters, &[])?;
    let (scope, dataset) = readable(&app, &caller, &dataset).await?;
    let open = app.node.tenant(scope.tenant())?;
    if open.store.trees().log_id(dataset.id).is_none() {
        return Err(Failure::no_record());
    }
    let record = caller.record("ledger.key_rotated").on("dataset", &dataset.name);
    let record = record.with("reason", &request.reason);
    app.audit.now(scope.tenant(), record.clone().outcome(Outcome::Attempt)).await?;
    let rotated = rotation::rotate(&app, &open, &dataset).await;
    let record = match &rotated {
        Ok(rotated) => record.with("ledger.new_key", &rotated.rotation.new_key),
        Err(failure) => {
            record.with("reason.code", failure.code().as_str()).outcome(Outcome::Failure)
        }
    };
    app.audit.later(scope.tenant(), record);
    let rotation::Rotated { log_id, rotation, recorded, since } = rotated?;
    Ok(Json(Rotated {
        log_id: log_id.to_string(),
        id: recorded.id,
        seq: recorded.seq.0,
        old_key: rotation.old_key.to_string(),
        new_key: rotation.new_key.to_string(),
        since,
    }))
}

/// The latest checkpoint
///
/// A signed note (C2SP tlog-checkpoint): the log's origin, its size and the root over its entries.
/// With `size` the one of that size, if it was signed and is still kept.
#[utoipa::path(
    get, path = "/api/v1/ledger/checkpoint", tag = "ledger", operation_id = "ledger_checkpoint",
    params(
        OfDataset,
        ("size" = Option<u64>, Query, description = "The size of the tree")
    ),
    responses((status = 200, description = "The checkpoint", body = String, content_type = "text/plain"))
)]
pub(crate) async fn ledger_checkpoint(
    State(app): State<Arc<App>>,
    caller: Caller,
    Query(parameters): Query<Parameters>,
) -> Result<Response> {
    let size = count(&parameters, "size")?;
    let note = reading(
        &app,
        &caller,
        &parameters,
        (&["size"], move |reading: &Reading<'_>| Ok(reading.view.checkpoint(size)?)),
    );
    Ok(text(note.await?.ok_or_else(Failure::no_record)?))
}

/// The checkpoints above a size
#[utoipa::path(
    get, path = "/api/v1/ledger/checkpoints", tag = "ledger", operation_id = "ledger_checkpoints",
    params(
        OfDataset,
        ("since" = Option<u64>, Query, description = "Only those of larger trees")
    ),
    responses((status = 200, description = "At most 1,000, the smallest first", body = ledgerline_api::v1::List<String>))
)]
pub(crate) async fn ledger_checkpoints(
    State(app): State<Arc<App>>,
    caller: Caller,
    Query(parameters): Query<Parameters>,
) -> Result<Json<ledgerline_api::v1::List<String>>> {
    let since = count(&parameters, "since")?.unwrap_or(0);
    let notes = reading(
        &app,
        &caller,
        &parameters,
        (&["since"], move |reading: &Reading<'_>| {
            Ok(reading.view.checkpoints(since, CHECKPOINTS_MAX)?)
        }),
    );
    Ok(Json(ledgerline_api::v1::List { data: notes.await? }))
}

/// A tile of hashes, or a bundle of entries
///
/// As C2SP tlog-tiles says: `{level}/{index}` or `entries/{index}`, each perhaps with `.p/{width}`.
#[utoipa::path(
    get, path = "/api/v1/ledger/tile/{path}", tag = "ledger", operation_id = "ledger_tile",
    params(
        ("path" = String, Path, description = "Such as `0/x001/x234/067` or `entries/000.p/12`"),
        OfDataset
    ),
    responses((status = 200, description = "The bytes", body = Vec<u8>, content_type = "application/octet-stream"))
)]
pub(crate) async fn ledger_tile(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(path): Path<String>,
    Query(parameters): Query<Parameters>,
) -> Result<Response> {
    let path = format!("tile/{path}");
    let bytes = reading(
        &app,
        &caller,
        &parameters,
        (&[], move |reading: &Reading<'_>| {
            let absent = |error: ledgerline_store::error::Error| match error.kind() {
                ErrorKind::NotFound => Failure::no_record(),
                _ => error.into(),
            };
            if let Ok(bundle) = Bundle::parse(&path) {
                return reading.view.bundle(bundle).map_err(absent);
            }
            let tile = Tile::parse(&path).map_err(|_| Failure::no_record())?;
            reading.view.tile(tile).map_err(absent)
        }),
    );
    Ok(([(header::CONTENT_TYPE, BYTES)], bytes.await?).into_response())
}

/// That an entry is in the tree
///
/// A text of C2SP tlog-proof: the entry's place, the hashes from its leaf to the root, and the
/// checkpoint with that root.
#[utoipa::path(
    get, path = "/api/v1/ledger/proof/inclusion", tag = "ledger", operation_id = "ledger_inclusion",
    params(
        ("seq" = u64, Query, description = "The entry's place, which is the event's `seq`"),
        OfDataset
    ),
    responses((status = 200, description = "The proof", body = String, content_type = "text/plain"))
)]
pub(crate) async fn ledger_inclusion(
    State(app): State<Arc<App>>,
    caller: Caller,
    Query(parameters): Query<Parameters>,
) -> Result<Response> {
    let seq = count(&parameters, "seq")?;
    let seq = Seq(seq.ok_or_else(|| refused("seq", "seq is missing".to_owned()))?);
    let dataset = dataset_of(&parameters, &["seq"])?;
    let (scope, dataset) = readable(&app, &caller, &dataset).await?;
    let of_work = Arc::clone(&app);
    let proof = blocking(move || {
        let open = of_work.node.tenant(scope.tenant())?;
        if seq.0 >= open.store.trees().noted(dataset.id) {
            return Err(Failure::no_record());
        }
        let is_there = Prover::new(view_of(&open, &scope, &dataset)?)?.over(seq).is_some();
        if !is_there {
            signing::sign(&open, of_work.node.signer(), &*of_work.clock)?;
        }
        match Prover::new(view_of(&open, &scope, &dataset)?)?.shown(seq)? {
            Shown::TlogProof(proof) => Ok(proof),
            Shown::Path(_) | Shown::Range => Err(Failure::no_record()),
        }
    });
    Ok(text(proof.await?))
}

/// That a tree holds everything that a smaller one held
///
/// One hash a line, in base64 (RFC 9162, section 2.1.4).
#[utoipa::path(
    get, path = "/api/v1/ledger/proof/consistency", tag = "ledger", operation_id = "ledger_consistency",
    params(
        ("from" = u64, Query, description = "The size of the smaller tree"),
        ("to" = u64, Query, description = "The size of the larger tree"),
        OfDataset
    ),
    responses((status = 200, description = "The proof", body = String, content_type = "text/plain"))
)]
pub(crate) async fn ledger_consistency(
    State(app): State<Arc<App>>,
    caller: Caller,
    Query(parameters): Query<Parameters>,
) -> Result<Response> {
    let (from, to) = (count(&parameters, "from")?, count(&parameters, "to")?);
    let missing = |name: &str| refused(name, format!("{name} is missing"));
    let from = from.ok_or_else(|| missing("from"))?;
    let to = to.ok_or_else(|| missing("to"))?;
    if from > to {
        return Err(refused("from", "from is larger than to".to_owned()));
    }
    let others = &["from", "to"];
    let hashes = reading(
        &app,
        &caller,
        &parameters,
        (others, move |reading: &Reading<'_>| {
            if to > reading.view.log().size {
                return Err(refused(
                    "to",
                    format!("the log has {} entries", reading.view.log().size),
                ));
            }
            let proof = tree::consistency(&reading.view, from, to);
            proof.map_err(|error| Failure::internal(&error))
        }),
    );
    let line = |hash: &Hash| format!("{}\n", hash.to_base64());
    Ok(text(hashes.await?.iter().map(line).collect()))
}

fn count(parameters: &Parameters, name: &str) -> Result<Option<u64>> {
    let Some(text) = single(parameters, name)? else { return Ok(None) };
    let number = text.parse().ok().filter(|number| *number <= i64::MAX as u64);
    number.map(Some).ok_or_else(|| refused(name, format!("{name} is a whole number")))
}
