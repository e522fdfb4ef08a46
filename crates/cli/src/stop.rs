//! Ctrl-C: the first asks a command to end, the second ends it.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};

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
                let mut signals = Signals::listen();
                signals.next().await;
                asked.ask();
                signals.next().await;
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

/// Ctrl-C and `TERM`, from the moment that this is made: none is lost that comes before one waits.
#[derive(Debug)]
pub(crate) struct Signals {
    both: Option<(Signal, Signal)>,
}

impl Signals {
    /// Listens. Must be called where the runtime is.
    pub(crate) fn listen() -> Self {
        let terminate = signal(SignalKind::terminate());
        let interrupt = signal(SignalKind::interrupt());
        Self { both: terminate.ok().zip(interrupt.ok()) }
    }

    /// Returns at the next one; never, where the system refuses to tell.
    pub(crate) async fn next(&mut self) {
        let Some((terminate, interrupt)) = &mut self.both else {
            return std::future::pending().await;
        };
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    }
}
