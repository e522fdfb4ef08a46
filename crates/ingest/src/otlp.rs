//! OTLP logs: the request of `LogsService/Export` to a batch, and the answers to it.
//!
//! A record becomes these fields: `body` (an object's fields under `body.`), its attributes by
//! their own names, `trace_id` and `span_id` in hexadecimal, `severity_text`, `event_name`,
//! `observed_time`, `trace_flags` and `dropped_attributes_count` where given, `scope.name` and
//! `scope.version`, and the attributes of scope and resource under `scope.` and `resource.`. The
//! first of two fields of one name stays; an attribute that comes second is kept under
//! `attributes.`, and one that comes third is left out, as OTLP allows no such request.
//!
//! Source: OpenTelemetry protocol specification 1.x, and the data model of logs.

mod answer;
mod json;
mod protobuf;
mod record;
mod value;

use aws_lc_rs::digest;

use crate::admission::{Admitted, Reception, admitted};
use crate::error::Error;
use crate::events::Events;

pub use answer::{otlp_answer, otlp_status};

/// The layout of an OTLP request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OtlpFormat {
    /// `application/x-protobuf`.
    Protobuf,
    /// `application/json`.
    Json,
}

/// Decodes a whole OTLP `ExportLogsServiceRequest`, already decompressed (see
/// [`decompress`](crate::decompress)).
///
/// # Errors
/// When the body is malformed or a limit is exceeded.
pub fn admit_otlp(
    body: &[u8],
    format: OtlpFormat,
    reception: &Reception,
) -> Result<Admitted, Error> {
    let mut events = Events::new(reception);
    match format {
        OtlpFormat::Protobuf => protobuf::decode(body, &mut events)?,
        OtlpFormat::Json => json::decode(body, &mut events)?,
    }
    let digest = reception.digest.then(|| digest::digest(&digest::SHA256, body));
    Ok(admitted(events, digest))
}
