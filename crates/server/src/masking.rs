//! What a reader may not see of audit events: it is masked in what is answered, the same way in
//! every answer, and counted for the record of the read.

use std::collections::BTreeMap;
use std::sync::Arc;

use ledgerline_api::code::Code;
use ledgerline_audit::mask::{Masked, Masker};
use ledgerline_model::event::Value;
use ledgerline_query::{Cell, Found};
use parking_lot::Mutex;

use crate::error::{Failure, Result};

/// How many names the way to a field has at most.
const NAMES_MAX: usize = 16;

/// How often each detector found something.
pub(crate) type Counts = BTreeMap<String, u64>;

/// The masks of one reader, for one answer.
#[derive(Debug)]
pub(crate) struct Mask {
    masker: Arc<Masker>,
    counts: Mutex<Counts>,
}

/// What whoever reads masked is told where nothing can be masked.
pub(crate) fn refused(what: &str) -> Failure {
    Failure::new(Code::Forbidden, format!("this credential reads masked events, and {what}"))
}

impl Mask {
    pub(crate) fn new(masker: Arc<Masker>) -> Self {
        Self { masker, counts: Mutex::default() }
    }

    /// What was masked so far.
    pub(crate) fn counts(&self) -> Counts {
        self.counts.lock().clone()
    }

    /// A payload as the reader may see it.
    ///
    /// # Errors
    /// `internal` for a payload that is none.
    pub(crate) fn payload(&self, payload: &str) -> Result<String> {
        let masked = self.masker.apply(payload.as_bytes());
        let (payload, masked) = masked.map_err(|refusal| Failure::internal(&refusal))?;
        self.count(&masked);
        String::from_utf8(payload).map_err(|error| Failure::internal(&error))
    }

    /// One value of a field as the reader may see it, written as JSON; nothing when it stays as it
    /// is.
    fn value(&self, field: &str, json: &str) -> Result<Option<String>> {
        // A name with so many dots is no way through a document.
        let is_way = field.matches('.').count() < NAMES_MAX;
        let names: Vec<&str> = if is_way { field.split('.').collect() } else { vec![field] };
        let mut document = String::new();
        for name in &names {
            document.push('{');
            document.push_str(&ledgerline_ledger::json::quote(name));
            document.push(':');
        }
        let start = document.len();
        document.push_str(json);
        document.push_str(&"}".repeat(names.len()));
        let masked = self.masker.apply(document.as_bytes());
        let (text, masked) = masked.map_err(|refusal| Failure::internal(&refusal))?;
        if masked.is_empty() {
            return Ok(None);
        }
        self.count(&masked);
        let text = String::from_utf8(text).map_err(|error| Failure::internal(&error))?;
        // Names stay as they are, so the value stands where it stood.
        let end = text.len().saturating_sub(names.len());
        Ok(text.get(start..end).map(str::to_owned))
    }

    /// One text of a field as the reader may see it.
    ///
    /// # Errors
    /// As [`Mask::payload`].
    pub(crate) fn text(&self, field: &str, text: &str) -> Result<String> {
        match self.value(field, &ledgerline_ledger::json::quote(text))? {
            None => Ok(text.to_owned()),
            Some(json) => serde_json::from_str(&json).map_err(|error| Failure::internal(&error)),
        }
    }

    /// One cell of a field as the reader may see it.
    ///
    /// # Errors
    /// As [`Mask::payload`].
    pub(crate) fn cell(&self, field: &str, cell: Cell) -> Result<Cell> {
        Ok(match cell {
            Cell::Str(text) => Cell::Str(self.text(field, &text)?),
            Cell::Json(json) => Cell::Json(self.value(field, &json)?.unwrap_or(json)),
            Cell::I64(number) => match self.value(field, &number.to_string())? {
                None => Cell::I64(number),
                Some(json) => Cell::Json(json),
            },
            Cell::List(cells) => {
                let masked = cells.into_iter().map(|cell| self.cell(field, cell));
                Cell::List(masked.collect::<Result<_>>()?)
            }
            Cell::Null | Cell::F64(_) | Cell::Bool(_) | Cell::Time(_) => cell,
        })
    }

    /// Found events as the reader may see them.
    ///
    /// # Errors
    /// As [`Mask::payload`].
    pub(crate) fn found(&self, found: &mut Found) -> Result<()> {
        for event in &mut found.events {
            for (field, value) in &mut event.fields {
                match value {
                    Value::Str(text) => *text = self.text(field, text)?,
                    Value::Json(json) => {
                        if let Some(masked) = self.value(field, json)? {
                            *json = masked;
                        }
                    }
                    Value::I64(number) => {
                        if let Some(masked) = self.value(field, &number.to_string())? {
                            *value = Value::Json(masked);
                        }
                    }
                    Value::F64(_) | Value::Bool(_) => {}
                }
            }
        }
        for message in found.messages.iter_mut().flatten() {
            *message = self.text("message", message)?;
        }
        Ok(())
    }

    fn count(&self, masked: &[Masked]) {
        let mut counts = self.counts.lock();
        for one in masked {
            *counts.entry(one.detector.clone()).or_default() += one.count as u64;
        }
    }
}
