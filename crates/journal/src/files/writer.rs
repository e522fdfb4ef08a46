//! The one writer of a journal: takes what waits, puts it in order, writes it at once, syncs once,
//! has it applied, and only then answers.

use std::collections::{HashMap, HashSet};
use std::error::Error as _;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::tail::WriteError;
use super::{Shared, queue};
use crate::committed::{Committed, Position};
use crate::entry::{Body, EntryHead};
use crate::error::{Error, ErrorKind};
use crate::journal::{Job, Waiter};
use crate::prepare::Prepared;
use crate::receipt::Receipt;

/// Writes until the queue is closed and empty, or the disk fails.
pub(crate) fn run(shared: &Shared) {
    // A panic must leave nobody waiting, and nothing may be written after one.
    let ended = catch_unwind(AssertUnwindSafe(|| {
        while shared.desk.failed().is_none() {
            let Some(jobs) = shared.queue.take_group() else { break };
            write(shared, jobs);
        }
    }));
    if ended.is_err() {
        shared.desk.fail("the journal's writer panicked");
    }
    shared.queue.refuse_all();
}

/// An entry in its place.
struct Placed {
    prepared: Prepared,
    waiter: Waiter,
    /// Nothing when every event of it was stored before.
    head: Option<EntryHead>,
}

fn write(shared: &Shared, jobs: Vec<Job>) {
    let mut tail = shared.tail.lock();
    let first = tail.position();
    if shared.desk.failed().is_some() {
        drop(tail);
        jobs.into_iter().for_each(queue::refuse);
        return;
    }
    let group = place(shared, jobs);
    let entries: Vec<(&EntryHead, &Body)> = group
        .iter()
        .filter_map(|placed| Some((placed.head.as_ref()?, &placed.prepared.body)))
        .collect();
    let written = if entries.is_empty() { Ok(()) } else { tail.write(&entries) };
    if written.is_ok() {
        remember(shared, first, &entries);
    }
    shared.publish(&tail);
    drop(tail);
    match written {
        Ok(()) => apply(shared, first, group),
        Err(WriteError::Full(what)) => {
            refuse(group, || Error::new(ErrorKind::DiskFull, what.clone()));
        }
        Err(WriteError::Fatal(error)) => {
            shared.desk.fail(&describe(&error));
            refuse(group, || shared.desk.unknown());
        }
    }
}

/// Gives every entry its numbers, and leaves out events that were stored since it was prepared, or
/// that are before it in the group.
fn place(shared: &Shared, jobs: Vec<Job>) -> Vec<Placed> {
    let mut next_seqs = HashMap::new();
    let mut ids_before = HashSet::new();
    let mut group = Vec::with_capacity(jobs.len());
    for Job { prepared, waiter } in jobs {
        let known: HashSet<_> = {
            let order = shared.desk.order.lock();
            let is_known = |id: &_| ids_before.contains(id) || order.dedupe.has_id(*id);
            prepared.ids().filter(is_known).collect()
        };
        let prepared = match prepared.without(|id| known.contains(&id)) {
            Ok(prepared) => prepared,
            Err(error) => {
                drop(waiter.send(Err(error)));
                continue;
            }
        };
        ids_before.extend(prepared.ids());
        let dataset = prepared.dataset;
        let next_seq =
            next_seqs.entry(dataset).or_insert_with(|| shared.desk.order.lock().next_seq(dataset));
        let rows = prepared.batch.rows();
        let head = (rows > 0).then(|| EntryHead {
            dataset,
            first_seq: *next_seq,
            rows: u32::try_from(rows).expect("a batch has fewer than 2^32 events"),
            duplicates: prepared.duplicates,
            received: prepared.batch.received(),
            id_base: shared.desk.chance().event_id_base(),
            key: prepared.key.as_ref().map(|claim| claim.key),
            ids: prepared.ids().collect(),
        });
        if let Some(head) = &head {
            *next_seq = head.next_seq();
        }
        group.push(Placed { prepared, waiter, head });
    }
    group
}

fn remember(shared: &Shared, first: Position, entries: &[(&EntryHead, &Body)]) {
    let mut order = shared.desk.order.lock();
    order.dedupe.forget_old(shared.desk.now_ns());
    for (index, (head, _)) in entries.iter().enumerate() {
        order.next_seqs.insert(head.dataset, head.next_seq());
        order.dedupe.remember(first.after(index), head);
    }
}

/// Has a durable group applied, and answers.
fn apply(shared: &Shared, first: Position, group: Vec<Placed>) {
    let mut position = first;
    let mut answers: Vec<(Waiter, Receipt)> = Vec::with_capacity(group.len());
    let mut is_applied = true;
    for Placed { prepared, waiter, head } in group {
        let Prepared { dataset, batch, duplicates, key, .. } = &prepared;
        let Some(head) = head else {
            let answer = shared.desk.answer_none(*dataset, batch, *duplicates, key.as_ref());
            answers.push((waiter, answer));
            continue;
        };
        answers.push((waiter, head.receipt()));
        let EntryHead { dataset, first_seq, id_base, .. } = head;
        // Lets go of the key, so that who is answered may at once ask again.
        let batch = prepared.into_batch();
        let commit = Committed { position, dataset, first_seq, id_base, batch };
        position = position.after(1);
        // After a panic the rest must not be applied: it would come out of order.
        is_applied =
            is_applied && catch_unwind(AssertUnwindSafe(|| shared.apply.apply(commit))).is_ok();
    }
    if !is_applied {
        shared.desk.fail("what applies the commits panicked");
    }
    for (waiter, receipt) in answers {
        let answer = if is_applied { Ok(receipt) } else { Err(shared.desk.unknown()) };
        // Who waits no longer needs no answer.
        drop(waiter.send(answer));
    }
}

fn refuse(group: Vec<Placed>, error: impl Fn() -> Error) {
    for Placed { prepared, waiter, .. } in group {
        drop(prepared);
        drop(waiter.send(Err(error())));
    }
}

/// An error of the disk with its cause.
pub(crate) fn describe(error: &ledgerline_world::Error) -> String {
    match error.source() {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}
