//! What the OpenAPI document says that operations answer.

use serde_json::Value;

use crate::node::Answer;

/// The document, as this server describes itself.
pub(super) struct Document(Value);

impl Document {
    pub(super) fn read() -> Self {
        let text = ledgerline_server::document().expect("the document is JSON");
        Self(serde_json::from_str(&text).expect("the document is JSON"))
    }

    /// The id of the operation that a request is to; none for what is no operation.
    pub(super) fn operation(&self, method: &str, path: &str) -> Option<&str> {
        let path = path.split('?').next().unwrap_or_default();
        let paths = self.0["paths"].as_object().expect("paths");
        let fitting = paths.iter().filter(|(template, _)| fits(template, path));
        // The more of it is written out, the more is meant: `logs/stats` is no `logs/{id}`.
        let (_, item) = fitting.min_by_key(|(template, _)| template.matches('{').count())?;
        item[method.to_lowercase()]["operationId"].as_str()
    }

    /// Whether the document says that the operation may be answered like this.
    pub(super) fn knows(&self, operation: &str, answer: &Answer) -> Result<(), String> {
        let paths = self.0["paths"].as_object().expect("paths");
        let mut all = paths.values().flat_map(|item| item.as_object().expect("operations"));
        let (_, found) = all.find(|(_, one)| one["operationId"] == operation).expect("it is there");
        let status = answer.status.to_string();
        let response = &found["responses"][&status];
        let response = match response["$ref"].as_str() {
            Some(place) => self.0.pointer(place.trim_start_matches('#')).unwrap_or(&Value::Null),
            None => response,
        };
        if response.is_null() {
            return Err(format!("the document has no answer {status} of {operation}"));
        }
        let media = answer.header("content-type");
        let media = media.split(';').next().unwrap_or_default();
        let content = &response["content"][media];
        if !answer.body.is_empty() && content.is_null() {
            return Err(format!("the document has no {media} for {status} of {operation}"));
        }
        if media != "application/problem+json" {
            return Ok(());
        }
        let code = answer.code();
        let is_known = content["examples"].get(&code).is_some();
        let unknown = || format!("the document has no {code} for {status} of {operation}");
        if is_known { Ok(()) } else { Err(unknown()) }
    }
}

/// Whether a path is one of a template. The last parameter of some stands for several segments.
fn fits(template: &str, path: &str) -> bool {
    let is_deep = template.ends_with("/{path}") || template.ends_with("/{action}");
    let (mut wanted, mut found) = (template.split('/'), path.split('/'));
    loop {
        match (wanted.next(), found.next()) {
            (None, None) => return true,
            (None, Some(_)) => return is_deep,
            (Some(one), Some(other)) if one == other || one.starts_with('{') => {}
            _ => return false,
        }
    }
}

#[test]
fn a_request_is_to_the_operation_that_is_written_out_most() {
    let document = Document::read();
    for (method, path, operation) in [
        ("GET", "/api/v1/logs/stats?by=hour", Some("log_stats")),
        ("GET", "/api/v1/logs/some-id", Some("get_log")),
        ("PUT", "/api/v1/schemas/a/b", Some("put_schema")),
        ("PUT", "/api/v1/logs", None),
        ("GET", "/api/v1/nothing", None),
    ] {
        assert_eq!(document.operation(method, path), operation, "{method} {path}");
    }
}
