//! Audit events: `/api/v1/logs`, and what belongs to their lives.

mod body;
mod bulk;
mod change;
mod erasures;
mod export;
mod filter;
mod holds;
mod import;
mod masks;
mod plan;
pub(crate) mod proof;
mod raw_events;
mod read;
mod schemas;
pub(crate) mod settings;
mod stats;
mod stream;
pub(crate) mod write;

pub(crate) use bulk::create_logs;
pub(crate) use change::{amend_log, erase_log};
pub(crate) use erasures::{clean_up_logs, erase_subject};
pub(crate) use export::export_logs;
pub(crate) use filter::{DATASET, Parameters, refused, single};
pub(crate) use holds::{are_on, check as check_holds, create_hold, list_holds, release_hold};
pub(crate) use import::import_cloudtrail;
pub(crate) use masks::{get_audit_masks, set_audit_masks};
pub(crate) use plan::retention_plan;
pub(crate) use read::{get_log, list_logs};
pub(crate) use schemas::{delete_schema, get_schema, list_schemas, put_schema};
pub(crate) use settings::{get_audit_settings, set_audit_settings};
pub(crate) use stats::{correlated_logs, log_stats};
pub(crate) use stream::stream_logs;
pub(crate) use write::create_log;

// What utoipa generates for each path.
pub(crate) mod operations {
    pub(crate) use super::bulk::*;
    pub(crate) use super::change::*;
    pub(crate) use super::erasures::*;
    pub(crate) use super::export::*;
    pub(crate) use super::holds::*;
    pub(crate) use super::import::*;
    pub(crate) use super::masks::*;
    pub(crate) use super::plan::*;
    pub(crate) use super::read::*;
    pub(crate) use super::schemas::*;
    pub(crate) use super::settings::*;
    pub(crate) use super::stats::*;
    pub(crate) use super::stream::*;
    pub(crate) use super::write::*;
}
