//! The parameters that say which audit events are meant.

use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::logs::{Outcome, Severity};

/// The dataset of audit events that is meant.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct OfDataset {
    /// The dataset; `audit` if nothing is said.
    #[param(inline, value_type = Option<DatasetName>, example = "audit")]
    pub dataset: Option<String>,
}

/// The header of a request that is stored once, however often it comes.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Header)]
pub struct StoredOnce {
    /// A request with the same key and body is stored once within 24 hours
    #[param(rename = "Idempotency-Key", min_length = 1, max_length = 255, pattern = "^[!-~]+$")]
    pub key: Option<String>,
}

/// The name of a dataset: 1 to 64 characters of a-z, 0-9, '-', '_' and '.'; `_audit` is that of
/// Ledgerline's own records.
#[derive(Debug, ToSchema)]
#[schema(
    value_type = String,
    min_length = 1,
    max_length = 64,
    pattern = r"^_?[a-z0-9](\.?[a-z0-9_-])*\.?$"
)]
pub struct DatasetName(pub String);

/// A time: RFC 3339, or relative to now as in `-1h`.
#[derive(Debug, ToSchema)]
#[schema(value_type = String, min_length = 1)]
pub struct Time(pub String);

/// A value that events are to have; `*` in it stands for anything.
#[derive(Debug, ToSchema)]
#[schema(value_type = String, min_length = 1)]
pub struct Wanted(pub String);

/// Which audit events are meant. Parameters that are there several times are alternatives, and `*`
/// in their values stands for anything.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Filters {
    /// The dataset; `audit` if nothing is said.
    #[param(inline, value_type = Option<DatasetName>, example = "audit")]
    pub dataset: Option<String>,
    /// Only events that happened then or later: RFC 3339, or relative as in `-1h`.
    #[param(inline, value_type = Option<Time>, example = "2026-01-31T00:00:00Z")]
    pub from: Option<String>,
    /// Only events that happened before.
    #[param(inline, value_type = Option<Time>, example = "2026-02-01T00:00:00Z")]
    pub to: Option<String>,
    /// Who did it, by its id.
    #[param(inline, value_type = Option<Vec<Wanted>>, example = json!(["user_123"]))]
    pub actor: Option<Vec<String>>,
    /// Who did it, by its name.
    #[param(inline, value_type = Option<Vec<Wanted>>)]
    pub actor_name: Option<Vec<String>>,
    /// Who did it, by what it is.
    #[param(inline, value_type = Option<Vec<Wanted>>)]
    pub actor_type: Option<Vec<String>>,
    /// In which session.
    #[param(inline, value_type = Option<Vec<Wanted>>)]
    pub session: Option<Vec<String>>,
    /// What was done.
    #[param(inline, value_type = Option<Vec<Wanted>>, example = json!(["document.*"]))]
    pub action: Option<Vec<String>>,
    /// To what kind of thing.
    #[param(inline, value_type = Option<Vec<Wanted>>)]
    pub resource_type: Option<Vec<String>>,
    /// To which thing.
    #[param(inline, value_type = Option<Vec<Wanted>>)]
    pub resource_id: Option<Vec<String>>,
    /// How severe it was, as it was sent.
    #[param(inline)]
    pub severity: Option<Vec<Severity>>,
    /// How it ended.
    #[param(inline)]
    pub outcome: Option<Vec<Outcome>>,
    /// From which address.
    #[param(inline, value_type = Option<Vec<Wanted>>)]
    pub ip: Option<Vec<String>>,
    /// With which program.
    #[param(inline, value_type = Option<Vec<Wanted>>)]
    pub user_agent: Option<Vec<String>>,
    /// From which place.
    #[param(inline, value_type = Option<Vec<Wanted>>)]
    pub location: Option<Vec<String>>,
    /// In which request.
    #[param(inline, value_type = Option<Vec<Wanted>>)]
    pub request_id: Option<Vec<String>>,
    /// By any key of the metadata, nested ones with dots: `metadata.tier=gold`.
    #[serde(rename = "metadata.KEY")]
    #[param(inline, value_type = Option<Vec<Wanted>>)]
    pub metadata: Option<Vec<String>>,
    /// In the search language; words are looked for in every field.
    #[param(example = "refund -test")]
    pub q: Option<String>,
}

/// What events are counted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum GroupBy {
    /// What was done.
    Action,
    /// Who did it, by its id.
    Actor,
    /// Who did it, by what it is.
    ActorType,
    /// The day, in UTC.
    Day,
    /// The hour, in UTC.
    Hour,
    /// From which address.
    Ip,
    /// How it ended.
    Outcome,
    /// To which thing.
    ResourceId,
    /// To what kind of thing.
    ResourceType,
    /// How severe it was.
    Severity,
    /// With which program.
    UserAgent,
}

/// In which order events are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum ListingOrder {
    /// The newest first, as is usual.
    Newest,
    /// The oldest first.
    Oldest,
    /// As `newest`.
    Desc,
    /// As `oldest`.
    Asc,
}

/// In what form events leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum ExportFormat {
    /// One array, as is usual.
    Json,
    /// An event a line.
    Ndjson,
    /// A table.
    Csv,
    /// An archive that proves itself.
    Bundle,
}
