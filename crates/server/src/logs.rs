//! The server's own log: a line for each request and each thing that happened, on standard error.

use tracing_subscriber::EnvFilter;

use crate::config::LogFormat;

/// Begins to log. Does nothing when something logs already, as in tests.
///
/// # Errors
/// When the level cannot be read.
pub fn start(level: &str, format: LogFormat) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(level)?;
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let started = match format {
        LogFormat::Text => builder.try_init(),
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
    };
    // An error says that another logger was there before, which then is the one to keep.
    drop(started);
    Ok(())
}
