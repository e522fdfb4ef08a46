//! Bodies in, batches out.

mod encodings;
mod json;
mod layout;
mod otlp;
mod samples;
mod support;
mod text;
