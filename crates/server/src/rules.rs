//! A tenant's rules for audit events: the schemas of its actions, and what is masked. They are
//! compiled once, kept, and made again when they were changed.

use std::collections::HashMap;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ledgerline_api::code::Code;
use ledgerline_api::v1::audit::{MaskRule, Masks};
use ledgerline_audit::error::{Invalid, code};
use ledgerline_audit::limits::EVENT_BYTES_MAX;
use ledgerline_audit::mask::{Masker, Rule, read_rules};
use ledgerline_audit::schema::{Mode, Registry, Schema, Verdict};
use ledgerline_model::dataset::DatasetKind;
use ledgerline_model::id::TenantId;
use ledgerline_policy::{Job, Principal, Role, upkeep};
use ledgerline_tenancy::{Dataset, Document, DocumentKind, Tenancy, Version};
use ledgerline_world::DataDir;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::app::App;
use crate::error::{Failure, Result, blocking};
use crate::masking::Mask;
use crate::recorder::Draft;
use crate::routes::logs::settings;

/// Of how many tenants the rules are kept ready.
const TENANTS_MAX: usize = 1_000;
/// Above so many bytes, events are checked and masked on another thread.
const INLINE_BYTES_MAX: usize = 16 << 10;
/// The document with the masks.
pub(crate) const MASKS: &str = "masks";
/// The document with the key of their hashes.
pub(crate) const MASK_KEY: &str = "key";
/// For whom reading can be masked; keys are no people.
pub(crate) const READERS: [&str; 4] = ["admin", "auditor", "user", "key"];

/// The rules that are ready.
#[derive(Debug, Default)]
pub(crate) struct Rules {
    kept: Mutex<Kept>,
    /// Held by whoever changes masks: one at a time, so that a tenant has one key.
    pub(crate) changing: Mutex<()>,
}

#[derive(Debug, Default)]
struct Kept {
    /// Counts changes: what was read before one is not kept after it.
    changes: u64,
    tenants: HashMap<TenantId, Arc<TenantRules>>,
}

impl Rules {
    /// Says that a tenant's rules were changed, or may have been.
    pub(crate) fn forget(&self, tenant: TenantId) {
        let mut kept = self.kept.lock();
        kept.changes += 1;
        kept.tenants.remove(&tenant);
    }

    fn keep(&self, tenant: TenantId, changes: u64, rules: &Arc<TenantRules>) {
        let mut kept = self.kept.lock();
        if kept.changes != changes {
            return;
        }
        if kept.tenants.len() >= TENANTS_MAX {
            kept.tenants.clear();
        }
        kept.tenants.insert(tenant, Arc::clone(rules));
    }
}

/// The rules of a tenant, ready to be used.
#[derive(Debug)]
pub(crate) struct TenantRules {
    registry: Registry,
    /// Whether nothing is ever checked.
    is_open: bool,
    ingest: Option<Masker>,
    reading: HashMap<&'static str, Arc<Masker>>,
}

/// The rules of a tenant.
///
/// # Errors
/// The database's; `data_corrupt` when the key of its masks does not open.
pub(crate) async fn of(app: &App, tenant: TenantId) -> Result<Arc<TenantRules>> {
    let changes = {
        let kept = app.rules.kept.lock();
        if let Some(rules) = kept.tenants.get(&tenant) {
            return Ok(Arc::clone(rules));
        }
        kept.changes
    };
    let (tenancy, data) = (Arc::clone(&app.tenancy), app.node.data().clone());
    let rules = blocking(move || TenantRules::load(&tenancy, &data, tenant)).await?;
    let rules = Arc::new(rules);
    app.rules.keep(tenant, changes, &rules);
    Ok(rules)
}

/// What a caller may not see of a dataset, if there is anything of the kind.
///
/// # Errors
/// As [`of`].
pub(crate) async fn mask(
    app: &App,
    principal: &Principal,
    dataset: &Dataset,
) -> Result<Option<Mask>> {
    let Some(tenant) = principal.tenant() else { return Ok(None) };
    if dataset.kind != DatasetKind::Audit {
        return Ok(None);
    }
    let masker = of(app, tenant).await?.reading.get(reader(principal)).map(Arc::clone);
    Ok(masker.map(Mask::new))
}

/// Whether anything in audit events is masked for a caller.
///
/// # Errors
/// As [`of`].
pub(crate) async fn is_masked(app: &App, principal: &Principal) -> Result<bool> {
    let Some(tenant) = principal.tenant() else { return Ok(false) };
    Ok(of(app, tenant).await?.reading.contains_key(reader(principal)))
}

fn reader(principal: &Principal) -> &'static str {
    principal.role().map_or("key", Role::as_str)
}

/// An event that wants to be stored.
#[derive(Debug)]
pub(crate) struct Candidate {
    pub(crate) draft: Draft,
    pub(crate) action: String,
    /// The version of its schema that its sender means.
    pub(crate) version: Option<u32>,
}

/// What the rules make of it.
#[derive(Debug)]
pub(crate) enum Ruled {
    /// It is stored like this, and its sender is told what is not right with it.
    Taken(Draft, Vec<Invalid>),
    /// It is not stored.
    Refused(Code, Vec<Invalid>),
}

/// Holds events against their schemas, and masks them.
///
/// # Errors
/// As [`of`].
pub(crate) async fn rule(
    app: &App,
    tenant: TenantId,
    candidates: Vec<Candidate>,
) -> Result<Vec<Ruled>> {
    let rules = of(app, tenant).await?;
    let bytes: usize = candidates.iter().map(|candidate| candidate.draft.payload.len()).sum();
    let is_idle = rules.is_open && rules.ingest.is_none();
    if is_idle || bytes <= INLINE_BYTES_MAX {
        return candidates.into_iter().map(|candidate| rules.rule(candidate)).collect();
    }
    blocking(move || candidates.into_iter().map(|candidate| rules.rule(candidate)).collect()).await
}

/// Masks a record that is not an event but says something of one, such as an amendment.
///
/// # Errors
/// As [`of`]; `event_invalid` when it grew too long.
pub(crate) async fn masked(app: &App, tenant: TenantId, draft: Draft) -> Result<Draft> {
    let rules = of(app, tenant).await?;
    match rules.masked(draft)? {
        Ok(draft) => Ok(draft),
        Err(fault) => Err(Failure::new(Code::EventInvalid, fault.detail)),
    }
}

impl TenantRules {
    fn load(tenancy: &Tenancy, data: &DataDir, tenant: TenantId) -> Result<Self> {
        let scope = upkeep(tenant, Job::Audit);
        let documents = |kind| tenancy.documents_for_upkeep(&scope, kind);
        let settings = settings::of(tenancy, &scope)?;
        let default = Mode::from_text(&settings.unknown_actions).unwrap_or(Mode::Off);
        let mut registry = Registry::new(default);
        let mut is_open = default == Mode::Off;
        for version in documents(DocumentKind::Schema)?.into_iter().filter_map(Version::of) {
            let StoredSchema { mode, json_schema } = read(&version.body)?;
            let schema = (version.number, mode.as_ref(), json_schema);
            let schema = Schema::parse(schema_text(&version.name, schema)?.as_bytes());
            registry.insert(schema.map_err(|refusal| Failure::internal(&refusal))?);
            is_open = false;
        }
        let masks = documents(DocumentKind::Mask)?;
        let (ingest, reading) = match masks.iter().find(|document| document.id == MASKS) {
            None => (None, HashMap::new()),
            Some(document) => {
                let key = open_key(data, tenant, &masks)?;
                maskers(&read(&document.body)?, key).map_err(|(_, faults)| {
                    let detail = faults.into_iter().next().map(|fault| fault.detail);
                    Failure::new(Code::DataCorrupt, detail.unwrap_or_default())
                })?
            }
        };
        Ok(Self { registry, is_open, ingest, reading })
    }

    fn rule(&self, candidate: Candidate) -> Result<Ruled> {
        let Candidate { draft, action, version } = candidate;
        let verdict = if self.is_open {
            Verdict::Accept
        } else {
            self.registry.check(&action, version, draft.payload.as_bytes())
        };
        let warnings = match verdict {
            Verdict::Accept => Vec::new(),
            Verdict::Warn(faults) => faults,
            Verdict::Refuse(faults) => return Ok(Ruled::Refused(Code::SchemaViolation, faults)),
        };
        Ok(match self.masked(draft)? {
            Ok(draft) => Ruled::Taken(draft, warnings),
            Err(fault) => Ruled::Refused(Code::EventInvalid, vec![fault]),
        })
    }

    /// The draft with everything masked that is masked when events come in.
    fn masked(&self, draft: Draft) -> Result<std::result::Result<Draft, Invalid>> {
        let Some(masker) = &self.ingest else { return Ok(Ok(draft)) };
        let masked = masker.apply(draft.payload.as_bytes());
        let (payload, _) = masked.map_err(|refusal| Failure::internal(&refusal))?;
        if payload.len() > EVENT_BYTES_MAX {
            let detail = format!("with its masks the event is larger than {EVENT_BYTES_MAX} bytes");
            let (code, pointer) = (code::TOO_LARGE, String::new());
            return Ok(Err(Invalid { code, pointer, detail }));
        }
        let payload = String::from_utf8(payload).map_err(|error| Failure::internal(&error))?;
        Ok(Ok(Draft { payload, ..draft }))
    }
}

/// A schema as it is kept: its action and its version are the document's.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct StoredSchema<'a> {
    #[serde(borrow)]
    pub(crate) mode: std::borrow::Cow<'a, str>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(crate) json_schema: Option<&'a RawValue>,
}

/// A schema as it is parsed.
pub(crate) fn schema_text(
    action: &str,
    (version, mode, json_schema): (u32, &str, Option<&RawValue>),
) -> Result<String> {
    let quoted =
        |text: &str| serde_json::to_string(text).map_err(|error| Failure::internal(&error));
    let (action, mode) = (quoted(action)?, quoted(mode)?);
    let rest = json_schema.map(|json| format!(",\"json_schema\":{}", json.get()));
    let rest = rest.unwrap_or_default();
    Ok(format!("{{\"action\":{action},\"version\":{version},\"mode\":{mode}{rest}}}"))
}

fn read<'a, T: Deserialize<'a>>(body: &'a str) -> Result<T> {
    serde_json::from_str(body).map_err(|error| Failure::internal(&error))
}

fn label(tenant: TenantId) -> String {
    format!("key of the masks of tenant {tenant}")
}

/// A new key of a tenant's masks, as it is kept.
pub(crate) fn new_key(data: &DataDir, tenant: TenantId) -> String {
    let key: [u8; 32] = data.chance().bytes();
    STANDARD.encode(data.seal(&label(tenant), &key))
}

fn open_key(data: &DataDir, tenant: TenantId, documents: &[Document]) -> Result<[u8; 32]> {
    let document = documents.iter().find(|document| document.id == MASK_KEY);
    let lost = || Failure::new(Code::DataCorrupt, "the key of the tenant's masks is lost");
    let sealed = STANDARD.decode(&document.ok_or_else(lost)?.body).map_err(|_| lost())?;
    data.unseal(&label(tenant), &sealed)?.try_into().map_err(|_| lost())
}

type Reading = HashMap<&'static str, Arc<Masker>>;

/// Masks that are ready. A reader has every rule of every group that names it.
///
/// # Errors
/// What is wrong with the rules, and where in the document.
pub(crate) fn maskers(
    masks: &Masks,
    key: [u8; 32],
) -> Result<(Option<Masker>, Reading), (String, Vec<Invalid>)> {
    let ingest = masker(&[("/ingest".to_owned(), &masks.ingest)], key)?;
    let mut reading = HashMap::new();
    for reader in READERS {
        let of_reader = masks.reading.iter().enumerate();
        let of_reader =
            of_reader.filter(|(_, group)| group.roles.iter().any(|role| role == reader));
        let groups: Vec<(String, &Vec<MaskRule>)> = of_reader
            .map(|(index, group)| (format!("/reading/{index}/rules"), &group.rules))
            .collect();
        if let Some(masker) = masker(&groups, key)? {
            reading.insert(reader, Arc::new(masker));
        }
    }
    Ok((ingest, reading))
}

fn masker(
    groups: &[(String, &Vec<MaskRule>)],
    key: [u8; 32],
) -> Result<Option<Masker>, (String, Vec<Invalid>)> {
    let mut all: Vec<Rule> = Vec::new();
    for (place, rules) in groups {
        let text = serde_json::to_vec(rules).unwrap_or_default();
        let refused =
            |refusal: ledgerline_audit::error::Refusal| (place.clone(), refusal.into_faults());
        let rules = read_rules(&text).map_err(refused)?;
        // By itself first, so that a fault is told where it is.
        Masker::new(rules.clone(), key).map_err(refused)?;
        all.extend(rules);
    }
    if all.is_empty() {
        return Ok(None);
    }
    let place = groups.first().map(|(place, _)| place.clone()).unwrap_or_default();
    let masker = Masker::new(all, key).map_err(|refusal| (place, refusal.into_faults()))?;
    Ok(Some(masker))
}
