//! Entries that wait for the writer. How many bytes may wait is settled before they get here.

use std::collections::VecDeque;

use parking_lot::{Condvar, Mutex};

use crate::error::{Error, ErrorKind};
use crate::journal::Job;

/// How many bytes of entries the writer takes at once. A sync costs hardly more for many bytes than
/// for few, but a group is read as a whole.
const GROUP_BYTES_MAX: usize = 4 << 20;
const GROUP_ENTRIES_MAX: usize = 10_000;

/// Entries that wait.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    jobs: VecDeque<Job>,
    is_closed: bool,
}

impl Queue {
    /// Puts an entry at the end.
    pub(crate) fn push(&self, job: Job) {
        let mut state = self.state.lock();
        if state.is_closed {
            drop(state);
            refuse(job);
            return;
        }
        state.jobs.push_back(job);
        drop(state);
        self.changed.notify_one();
    }

    /// Takes what waits, at most a group; waits for something. Nothing when the queue was closed
    /// and is empty.
    pub(crate) fn take_group(&self) -> Option<Vec<Job>> {
        let mut state = self.state.lock();
        while state.jobs.is_empty() {
            if state.is_closed {
                return None;
            }
            self.changed.wait(&mut state);
        }
        let mut jobs = Vec::new();
        let mut bytes = 0;
        while let Some(job) = state.jobs.front() {
            bytes += job.prepared.body.len();
            let is_full = bytes > GROUP_BYTES_MAX || jobs.len() == GROUP_ENTRIES_MAX;
            if is_full && !jobs.is_empty() {
                break;
            }
            jobs.extend(state.jobs.pop_front());
        }
        Some(jobs)
    }

    /// Takes nothing more; what waits is still to be written.
    pub(crate) fn close(&self) {
        self.state.lock().is_closed = true;
        self.changed.notify_all();
    }

    /// Refuses what waits and whatever may come.
    pub(crate) fn refuse_all(&self) {
        self.close();
        let jobs = std::mem::take(&mut self.state.lock().jobs);
        jobs.into_iter().for_each(refuse);
    }
}

/// Answers that nothing of an entry was stored.
pub(crate) fn refuse(job: Job) {
    let Job { prepared, waiter } = job;
    drop(prepared);
    let error = Error::new(ErrorKind::Busy, "the journal takes nothing more");
    // Who waits no longer needs no answer.
    drop(waiter.send(Err(error)));
}
