//! The request as protobuf. It is walked record by record, as two bytes of it can make a record of
//! hundreds in memory.

use std::fmt::Display;

use ledgerline_model::limits;
use opentelemetry_proto::tonic::common::v1::InstrumentationScope;
use opentelemetry_proto::tonic::logs::v1::LogRecord;
use opentelemetry_proto::tonic::resource::v1::Resource;
use prost::encoding::{DecodeContext, WireType, decode_key, decode_varint, skip_field};
use prost::{DecodeError, Message};

use crate::error::Error;
use crate::events::Events;
use crate::refusal::Refusal;

use super::record::{Origin, Records};

/// The numbers of fields. Source: opentelemetry-proto, `logs_service.proto` and `logs.proto`.
const RESOURCE_LOGS: u32 = 1;
const RESOURCE: u32 = 1;
const SCOPE_LOGS: u32 = 2;
const SCOPE: u32 = 1;
const LOG_RECORDS: u32 = 2;

pub(super) fn decode(body: &[u8], events: &mut Events) -> Result<(), Error> {
    let mut records = Records::new(events);
    for resource_logs in messages(body, RESOURCE_LOGS) {
        let resource_logs = resource_logs?;
        let resource: Resource = merged(resource_logs, RESOURCE)?;
        for scope_logs in messages(resource_logs, SCOPE_LOGS) {
            let scope_logs = scope_logs?;
            let scope: InstrumentationScope = merged(scope_logs, SCOPE)?;
            let origin = Origin::new(&resource, &scope);
            for record in messages(scope_logs, LOG_RECORDS) {
                let bytes = record?;
                records.take(&origin, bytes.len(), || {
                    LogRecord::decode(bytes).map_err(|error| refusal(&error))
                })?;
            }
        }
    }
    Ok(())
}

/// The messages under one field of a message.
fn messages(message: &[u8], field: u32) -> impl Iterator<Item = Result<&[u8], Error>> {
    let mut rest = message;
    std::iter::from_fn(move || {
        while !rest.is_empty() {
            match next_field(&mut rest) {
                Ok((number, Some(bytes))) if number == field => return Some(Ok(bytes)),
                Ok(_) => {}
                Err(error) => {
                    rest = &[];
                    return Some(Err(error));
                }
            }
        }
        None
    })
}

/// The number of the next field, and its bytes where it has a length.
fn next_field<'a>(rest: &mut &'a [u8]) -> Result<(u32, Option<&'a [u8]>), Error> {
    let (number, wire_type) = decode_key(rest).map_err(invalid)?;
    if wire_type != WireType::LengthDelimited {
        skip_field(wire_type, number, rest, DecodeContext::default()).map_err(invalid)?;
        return Ok((number, None));
    }
    let length = decode_varint(rest).map_err(invalid)?;
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    let (bytes, behind) =
        rest.split_at_checked(length).ok_or_else(|| invalid("a field ends behind its message"))?;
    *rest = behind;
    Ok((number, Some(bytes)))
}

/// A message whose parts may stand apart.
fn merged<M: Message + Default>(message: &[u8], field: u32) -> Result<M, Error> {
    let mut whole = M::default();
    let mut size_bytes = 0;
    for part in messages(message, field) {
        let part = part?;
        size_bytes += part.len();
        if size_bytes > limits::EVENT_BYTES_MAX {
            return Err(Error::too_large("event_too_large", Refusal::EventTooLarge.to_string()));
        }
        whole.merge(part).map_err(invalid)?;
    }
    Ok(whole)
}

fn refusal(error: &DecodeError) -> Refusal {
    let text = error.to_string();
    // The decoder follows 100 messages, of which each array or list makes two; it has no other way
    // to say that there are more.
    if text.contains("recursion limit") {
        return Refusal::TooDeepToDecode;
    }
    Refusal::InvalidProtobuf(text)
}

fn invalid(error: impl Display) -> Error {
    Error::invalid("invalid_protobuf", format!("the body is not valid protobuf: {error}"))
}
