//! From bytes to a [`Batch`]: decoding, and finding each event's time, message and severity.
//!
//! This room never waits, never reads a clock or a disk, and never knows who sends.
//!
//! [`Batch`]: ledgerline_model::batch::Batch

mod admission;
mod decode;
mod error;
mod events;
mod evidence;
mod inflate;
mod otlp;
mod refusal;
mod severity;
mod split;
mod time;

pub use admission::{Admission, Admitted, Format, Reception};
pub use error::{Error, ErrorKind, Reject};
pub use evidence::{Evidence, admit_evidence};
pub use inflate::{Encoding, decompress};
pub use otlp::{OtlpFormat, admit_otlp, otlp_answer, otlp_status};
