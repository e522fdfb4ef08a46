//! The request as JSON. It is walked record by record, as protobuf is.

use std::fmt;

use ledgerline_model::limits;
use serde::Deserialize;
use serde::de::{Deserializer, Error as _, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::error::Error;
use crate::events::Events;
use crate::refusal::Refusal;

use super::record::{Origin, Records};
use super::value::{Record, Resource, Scope};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Request<'a> {
    #[serde(borrow, default)]
    resource_logs: Option<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ResourceLogs<'a> {
    #[serde(borrow, default)]
    resource: Option<&'a RawValue>,
    #[serde(borrow, default)]
    scope_logs: Option<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ScopeLogs<'a> {
    #[serde(borrow, default)]
    scope: Option<&'a RawValue>,
    #[serde(borrow, default)]
    log_records: Option<&'a RawValue>,
}

pub(super) fn decode(body: &[u8], events: &mut Events) -> Result<(), Error> {
    let mut records = Records::new(events);
    let request: Request<'_> = serde_json::from_slice(body).map_err(|error| invalid(&error))?;
    each(request.resource_logs, |resource_logs| {
        let resource_logs: ResourceLogs<'_> = parse(resource_logs)?;
        let resource = small(resource_logs.resource)?.unwrap_or_else(Resource::default).into();
        each(resource_logs.scope_logs, |scope_logs| {
            let scope_logs: ScopeLogs<'_> = parse(scope_logs)?;
            let scope = small(scope_logs.scope)?.unwrap_or_else(Scope::default).into();
            let origin = Origin::new(&resource, &scope);
            each(scope_logs.log_records, |record| {
                let text = record.get();
                records.take(&origin, text.len(), || {
                    let record: Record =
                        serde_json::from_str(text).map_err(|error| refusal(&error))?;
                    record.try_into()
                })
            })
        })
    })
}

fn parse<'a, T: Deserialize<'a>>(text: &'a RawValue) -> Result<T, Error> {
    serde_json::from_str(text.get()).map_err(|error| invalid(&error))
}

/// A value that may be as long as an event.
fn small<'a, T: Deserialize<'a>>(text: Option<&'a RawValue>) -> Result<Option<T>, Error> {
    let Some(text) = text else { return Ok(None) };
    if text.get().len() > limits::EVENT_BYTES_MAX {
        return Err(Error::too_large("event_too_large", Refusal::EventTooLarge.to_string()));
    }
    parse(text).map(Some)
}

/// Calls for each item of an array, which may be missing.
fn each<'a>(
    array: Option<&'a RawValue>,
    take: impl FnMut(&'a RawValue) -> Result<(), Error>,
) -> Result<(), Error> {
    let Some(array) = array else { return Ok(()) };
    let mut failed = None;
    let items = Items { take, failed: &mut failed };
    let result = serde_json::Deserializer::from_str(array.get()).deserialize_seq(items);
    match failed {
        Some(error) => Err(error),
        None => result.map_err(|error| invalid(&error)),
    }
}

struct Items<'f, F> {
    take: F,
    failed: &'f mut Option<Error>,
}

impl<'a, F: FnMut(&'a RawValue) -> Result<(), Error>> Visitor<'a> for Items<'_, F> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'a>>(mut self, mut items: A) -> Result<(), A::Error> {
        while let Some(item) = items.next_element()? {
            if let Err(error) = (self.take)(item) {
                *self.failed = Some(error);
                return Err(A::Error::custom("refused"));
            }
        }
        Ok(())
    }
}

fn refusal(error: &serde_json::Error) -> Refusal {
    let text = error.to_string();
    // The decoder follows 128 brackets, and has no other way to say that there are more.
    if text.contains("recursion limit") {
        return Refusal::TooDeepToDecode;
    }
    Refusal::InvalidJson(text)
}

fn invalid(error: &serde_json::Error) -> Error {
    Error::invalid("invalid_json", format!("the body is not valid OTLP in JSON: {error}"))
}
