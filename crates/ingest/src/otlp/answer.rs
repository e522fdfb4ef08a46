//! The bodies of answers.

use opentelemetry_proto::tonic::collector::logs::v1::{
    ExportLogsPartialSuccess, ExportLogsServiceResponse,
};
use prost::Message;
use serde_json::json;

use super::OtlpFormat;

/// The longest text in an answer; clients may refuse answers above 4 MiB.
const MESSAGE_BYTES_MAX: usize = 4 << 10;

/// `google.rpc.Status` without its details.
/// Source: googleapis, `google/rpc/status.proto`.
#[derive(Clone, PartialEq, Message)]
struct Status {
    #[prost(int32, tag = "1")]
    code: i32,
    #[prost(string, tag = "2")]
    message: String,
}

/// The body of an answer 200: how many records were rejected for good, and why. With none rejected
/// and no message it says that all went well.
#[must_use]
pub fn otlp_answer(format: OtlpFormat, rejected: u64, message: &str) -> Vec<u8> {
    let message = shortened(message);
    let partial_success = (rejected > 0 || !message.is_empty()).then(|| ExportLogsPartialSuccess {
        rejected_log_records: i64::try_from(rejected).unwrap_or(i64::MAX),
        error_message: message.to_owned(),
    });
    match (format, partial_success) {
        (OtlpFormat::Protobuf, partial_success) => {
            ExportLogsServiceResponse { partial_success }.encode_to_vec()
        }
        (OtlpFormat::Json, None) => b"{}".to_vec(),
        (OtlpFormat::Json, Some(partial)) => json!({
            "partialSuccess": {
                "rejectedLogRecords": partial.rejected_log_records.to_string(),
                "errorMessage": partial.error_message,
            }
        })
        .to_string()
        .into_bytes(),
    }
}

/// The body of every other answer: a `google.rpc.Status` with a gRPC code.
#[must_use]
pub fn otlp_status(format: OtlpFormat, code: i32, message: &str) -> Vec<u8> {
    let message = shortened(message);
    match format {
        OtlpFormat::Protobuf => Status { code, message: message.to_owned() }.encode_to_vec(),
        OtlpFormat::Json => json!({ "code": code, "message": message }).to_string().into_bytes(),
    }
}

fn shortened(message: &str) -> &str {
    &message[..message.floor_char_boundary(MESSAGE_BYTES_MAX)]
}
