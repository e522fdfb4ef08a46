//! Ctrl-C: the first asks a command to end, the second ends it.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use crate::failure::{Failure, INTERRUPTED};

/// Whether a command should end, and a wait that ends with it.
#[derive(Debug, Default)]
pub(crate) struct Stop {
    asked: Mutex<bool>,
    changed: Condvar,
}

impl Stop {
    /// One that Ctrl-C and the `TERM` signal ask.
    pub(crate) fn on_interrupt() -> Result<Arc<Self>, Failure> {
        let stop = Arc::new(Self::default());
        let asked = Arc::clone(&stop);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build();
        let runtime = runtime.map_err(|error| Failure::caused("signals cannot be read", &error))?;
        std::thread::spawn(move || {
            runtime.block_on(async {
                wait_for_signal().await;
                asked.ask();
                wait_for_signal().await;
                std::process::exit(i32::from(INTERRUPTED));
            });
        });
        Ok(stop)
    }

    /// Asks the command to end.
    pub(crate) fn ask(&self) {
        *self.asked.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.changed.notify_all();
    }

    /// Whether it should end.
    pub(crate) fn is_asked(&self) -> bool {
        *self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits, but not longer than until the command should end. Says whether it should.
    pub(crate) fn wait(&self, duration: Duration) -> bool {
        let asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.changed.wait_timeout_while(asked, duration, |asked| !*asked);
        *waited.unwrap_or_else(PoisonError::into_inner).0
    }
}

/// Returns at the next Ctrl-C or `TERM`; never, where the system refuses to tell.
pub(crate) async fn wait_for_signal() {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminate) = signal(SignalKind::terminate()) else {
        return std::future::pending().await;
    };
    tokio::select! {
        interrupt = tokio::signal::ctrl_c() => if interrupt.is_err() {
            std::future::pending::<()>().await;
        },
        _ = terminate.recv() => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_ends_when_it_is_asked() {
        let stop = Arc::new(Stop::default());
        assert!(!stop.is_asked());
        assert!(!stop.wait(Duration::ZERO));
        let asking = Arc::clone(&stop);
        let thread = std::thread::spawn(move || asking.ask());
        assert!(stop.wait(Duration::from_secs(600)));
        thread.join().expect("the thread only asks");
    }
}
