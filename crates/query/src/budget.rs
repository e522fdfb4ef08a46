//! What a query may use, and how it is stopped.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use crate::error::{Error, ErrorKind, Result};

/// What a query may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// How long it may take.
    pub timeout: Duration,
    /// How many bytes of memory it may take.
    pub memory_bytes: usize,
    /// How many rows its answer may have.
    pub rows_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { timeout: Duration::from_secs(60), memory_bytes: 256 << 20, rows_max: 100_000 }
    }
}

/// Tells the time since some fixed point, which never goes back.
pub type Monotonic = Arc<dyn Fn() -> Duration + Send + Sync>;

/// The budget of one running query; clones share it.
#[derive(Debug, Clone)]
pub struct Budget {
    inner: Arc<Inner>,
}

struct Inner {
    clock: Monotonic,
    deadline: Duration,
    limits: Limits,
    is_cancelled: AtomicBool,
    memory_bytes: AtomicUsize,
}

impl fmt::Debug for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inner").field("limits", &self.limits).finish_non_exhaustive()
    }
}

impl Budget {
    /// A budget that begins now.
    #[must_use]
    pub fn new(limits: Limits, clock: Monotonic) -> Self {
        let deadline = clock() + limits.timeout;
        let inner = Inner {
            clock,
            deadline,
            limits,
            is_cancelled: AtomicBool::new(false),
            memory_bytes: AtomicUsize::new(0),
        };
        Self { inner: Arc::new(inner) }
    }

    /// What the query may use.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.inner.limits
    }

    /// Stops the query at its next [`Budget::check`].
    pub fn cancel(&self) {
        self.inner.is_cancelled.store(true, Ordering::Relaxed);
    }

    /// Whether to go on. Asked at least once per part and per page of work.
    ///
    /// # Errors
    /// `Cancelled` or `Timeout`.
    pub fn check(&self) -> Result<()> {
        if self.inner.is_cancelled.load(Ordering::Relaxed) {
            return Err(Error::new(ErrorKind::Cancelled, "the query was cancelled"));
        }
        if (self.inner.clock)() > self.inner.deadline {
            let seconds = self.inner.limits.timeout.as_secs_f32();
            let what = format!("the query took longer than {seconds} s");
            return Err(Error::new(ErrorKind::Timeout, what));
        }
        Ok(())
    }

    /// Asks for memory, which is given back when the answer is dropped.
    ///
    /// # Errors
    /// `Memory` when the query would have more than it may.
    pub fn take(&self, bytes: usize) -> Result<Memory> {
        let before = self.inner.memory_bytes.fetch_add(bytes, Ordering::Relaxed);
        let memory = Memory { budget: self.clone(), bytes };
        if before.saturating_add(bytes) > self.inner.limits.memory_bytes {
            let most = self.inner.limits.memory_bytes;
            let what = format!("the query needs more than {most} bytes of memory");
            return Err(Error::new(ErrorKind::Memory, what));
        }
        Ok(memory)
    }
}

/// Memory that a query has; gives it back when dropped.
#[derive(Debug)]
pub struct Memory {
    budget: Budget,
    bytes: usize,
}

impl Memory {
    /// Asks for more.
    ///
    /// # Errors
    /// As [`Budget::take`].
    pub fn grow(&mut self, bytes: usize) -> Result<()> {
        let mut more = self.budget.take(bytes)?;
        self.bytes += std::mem::take(&mut more.bytes);
        Ok(())
    }

    /// Both as one.
    #[must_use]
    pub fn with(mut self, other: Self) -> Self {
        self.add(other);
        self
    }

    /// Has what the other has, too.
    pub fn add(&mut self, mut other: Self) {
        self.bytes += std::mem::take(&mut other.bytes);
    }

    /// Has so many bytes from now on: asks for more, or gives back.
    ///
    /// # Errors
    /// As [`Budget::take`].
    pub fn resize(&mut self, bytes: usize) -> Result<()> {
        if bytes < self.bytes {
            self.shrink(self.bytes - bytes);
            return Ok(());
        }
        self.grow(bytes - self.bytes)
    }

    /// Gives some of it back, at most all.
    pub fn shrink(&mut self, bytes: usize) {
        let bytes = bytes.min(self.bytes);
        self.bytes -= bytes;
        self.budget.inner.memory_bytes.fetch_sub(bytes, Ordering::Relaxed);
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        self.budget.inner.memory_bytes.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}
