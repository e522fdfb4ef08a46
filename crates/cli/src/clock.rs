//! The one place of the command line that looks at the clock, sleeps, or draws lots.

use std::time::{Duration, Instant};

/// A stop watch.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Watch {
    started: Instant,
}

impl Watch {
    /// Starts it.
    #[expect(
        clippy::disallowed_methods,
        reason = "a client's own stop watch; nothing is tested by it"
    )]
    pub(crate) fn start() -> Self {
        Self { started: Instant::now() }
    }

    /// How long it has been running.
    pub(crate) fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }
}

/// 128 random bits, as 32 hexadecimal digits: good for names that must never be met twice, and for
/// passwords.
pub(crate) fn random_name() -> String {
    format!("{:032x}", rand::random::<u128>())
}

/// A random number from 0 to below 1, for spreading retries.
pub(crate) fn random_share() -> f64 {
    rand::random::<f64>()
}
