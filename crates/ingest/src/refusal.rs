//! Why a single event is not taken.

use ledgerline_model::batch::KeyError;
use ledgerline_model::limits;

/// Why a single event is not taken. The events around it are not concerned.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("{0}")]
    InvalidJson(String),
    #[error("{0}")]
    InvalidProtobuf(String),
    #[error("an event is a JSON object")]
    NotAnObject,
    #[error("the text is not valid UTF-8")]
    InvalidUtf8,
    #[error("an event is longer than {} bytes", limits::EVENT_BYTES_MAX)]
    EventTooLarge,
    #[error("an event is nested deeper than {} levels", limits::EVENT_DEPTH_MAX)]
    TooDeep,
    #[error("an event is nested deeper than its decoder can follow")]
    TooDeepToDecode,
    #[error("`_id` is neither a number nor a text of 1 to {} bytes", limits::ID_BYTES_MAX)]
    InvalidId,
    #[error("an object has the key `{0}` twice")]
    DuplicateKey(String),
    #[error("{0}")]
    Key(KeyError),
}

impl Refusal {
    /// The stable name of the reason.
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::InvalidJson(_) => "invalid_json",
            Self::InvalidProtobuf(_) => "invalid_protobuf",
            Self::NotAnObject => "not_an_object",
            Self::InvalidUtf8 => "invalid_utf8",
            Self::EventTooLarge => "event_too_large",
            Self::TooDeep | Self::TooDeepToDecode => "too_deep",
            Self::InvalidId => "invalid_id",
            Self::DuplicateKey(_) | Self::Key(KeyError::Duplicate) => "duplicate_key",
            Self::Key(KeyError::TooLong) => "key_too_long",
            Self::Key(KeyError::Reserved) => "reserved_key",
            Self::Key(KeyError::TooMany | KeyError::TooManyInBatch) => "too_many_keys",
        }
    }
}
