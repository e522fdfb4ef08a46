//! Jobs: work that goes on after its request was answered.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Job {
    /// Its id.
    pub id: String,
    /// What it does.
    #[schema(example = "cleanup")]
    pub kind: String,
    /// `running` or `ready`. One that could not go on is running until it can.
    #[schema(example = "running")]
    pub state: String,
    /// How many events it is about.
    pub events: u64,
    /// When it was begun.
    #[schema(format = DateTime)]
    pub created_at: String,
    /// When it ended.
    #[schema(format = DateTime)]
    pub ended_at: Option<String>,
    /// Why it could not go on when it was last tried; it is tried again.
    pub error: Option<String>,
}
