//! DataFusion's memory comes out of the query's budget.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use datafusion::common::{DataFusionError, Result};
use datafusion::execution::memory_pool::{MemoryLimit, MemoryPool, MemoryReservation};

use super::fault::wrap;
use crate::budget::{Budget, Memory};
use crate::error::{Error, ErrorKind};

/// A pool that takes what it gives from a budget.
#[derive(Debug)]
pub(super) struct BudgetPool {
    budget: Budget,
    given: Mutex<Given>,
    is_over: AtomicBool,
}

#[derive(Debug)]
struct Given {
    memory: Memory,
    taken: usize,
    /// What was given without being there, to those who do not take no for an answer.
    owed: usize,
}

impl BudgetPool {
    pub(super) fn new(budget: &Budget) -> crate::error::Result<Self> {
        let given = Given { memory: budget.take(0)?, taken: 0, owed: 0 };
        let is_over = AtomicBool::new(false);
        Ok(Self { budget: budget.clone(), given: Mutex::new(given), is_over })
    }

    /// The answer is there, or there will be none: whatever still works for it is to stop.
    pub(super) fn end(&self) {
        self.is_over.store(true, Ordering::Relaxed);
    }

    fn given(&self) -> MutexGuard<'_, Given> {
        self.given.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether to go on: wanted, within the time, and without more memory than there is.
    pub(super) fn check(&self) -> Result<()> {
        self.budget.check().map_err(wrap)?;
        if self.is_over.load(Ordering::Relaxed) {
            return Err(wrap(Error::new(ErrorKind::Cancelled, "the query is over")));
        }
        match self.given().owed {
            0 => Ok(()),
            _ => Err(wrap(self.exhausted())),
        }
    }

    /// Whether a batch is one that the query may have at all: functions make what they answer
    /// without asking the pool.
    pub(super) fn check_batch(&self, bytes: usize) -> Result<()> {
        match bytes > self.budget.limits().memory_bytes {
            true => Err(wrap(self.exhausted())),
            false => Ok(()),
        }
    }

    fn exhausted(&self) -> Error {
        let most = self.budget.limits().memory_bytes;
        let what = format!("the query needs more than {most} bytes of memory");
        Error::new(ErrorKind::Memory, what)
    }
}

impl fmt::Display for BudgetPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BudgetPool")
    }
}

impl MemoryPool for BudgetPool {
    fn name(&self) -> &'static str {
        "BudgetPool"
    }

    fn grow(&self, _: &MemoryReservation, additional: usize) {
        let mut given = self.given();
        match given.memory.grow(additional) {
            Ok(()) => given.taken += additional,
            Err(_) => given.owed += additional,
        }
    }

    fn shrink(&self, _: &MemoryReservation, shrink: usize) {
        let mut given = self.given();
        let forgiven = given.owed.min(shrink);
        given.owed -= forgiven;
        let back = (shrink - forgiven).min(given.taken);
        given.taken -= back;
        given.memory.shrink(back);
    }

    fn try_grow(&self, _: &MemoryReservation, additional: usize) -> Result<()> {
        self.check()?;
        let mut given = self.given();
        match given.memory.grow(additional) {
            Ok(()) => {
                given.taken += additional;
                Ok(())
            }
            Err(error) => Err(DataFusionError::ResourcesExhausted(error.to_string())),
        }
    }

    fn reserved(&self) -> usize {
        let given = self.given();
        given.taken + given.owed
    }

    fn memory_limit(&self) -> MemoryLimit {
        MemoryLimit::Finite(self.budget.limits().memory_bytes)
    }
}
