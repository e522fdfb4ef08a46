//! Everything that `find` answers is what the oracle answers.

use ledgerline_model::convention::Conventions;
use ledgerline_model::event::Event;
use ledgerline_model::id::Seq;
use ledgerline_model::time::{TimeRange, Timestamp};
use proptest::option;
use proptest::prelude::*;

use super::sample::{START, asked, batch_specs, built, name, query, range, search_tree, width};
use crate::answer::{Cell, Order, Page, Place, Table};
use crate::find::oracle::Oracle;
use crate::find::{analyse, context, fields, histogram, search, values};
use crate::lang::ast::Pipe;

fn oracle<'a>(conventions: &'a Conventions, range: TimeRange, events: &'a [Event]) -> Oracle<'a> {
    Oracle { conventions, range, now: Timestamp(START), events }
}

fn page(limit: usize, order: Order) -> Page {
    Page { limit, order, after: None, as_of: None, fields: None }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn a_search_finds_what_the_oracle_finds(
        specs in batch_specs(true),
        tree in search_tree(&[]),
        range in range(),
    ) {
        let (snapshot, events) = built(&specs);
        let conventions = Conventions::default();
        let oracle = oracle(&conventions, range, &events);
        let found = asked(&snapshot, range, |target| {
            search(target, &tree, &page(usize::MAX, Order::Newest))
        })?;
        let expected: Vec<Event> = oracle.search(&tree).into_iter().cloned().collect();
        let messages: Vec<_> = expected.iter().map(|event| oracle.message(event)).collect();
        prop_assert_eq!(found.events, expected);
        prop_assert_eq!(found.messages, messages);
        prop_assert_eq!(found.next, None);
    }

    #[test]
    fn pages_put_together_are_the_whole(
        specs in batch_specs(true),
        tree in search_tree(&[]),
        range in range(),
        limit in 1_usize..9,
        oldest in any::<bool>(),
        as_of in option::of(0_u64..60),
        names in option::of(proptest::collection::vec(name(&[]), 0..3)),
    ) {
        let (snapshot, events) = built(&specs);
        let conventions = Conventions::default();
        let as_of = as_of.map(Seq);
        let order = if oldest { Order::Oldest } else { Order::Newest };
        let mut expected = oracle(&conventions, range, &events).search(&tree);
        expected.retain(|event| as_of.is_none_or(|as_of| event.seq < as_of));
        if oldest {
            expected.reverse();
        }
        expected.truncate(40);
        let mut whole: Vec<Event> = Vec::new();
        let mut page = Page { as_of, fields: names.clone(), ..page(limit, order) };
        loop {
            let found = asked(&snapshot, range, |target| search(target, &tree, &page))?;
            prop_assert!(found.events.len() <= limit);
            prop_assert_eq!(found.next.is_some() && found.events.is_empty(), false);
            whole.extend(found.events);
            page.after = found.next;
            if found.next.is_none() || whole.len() >= 40 {
                break;
            }
        }
        whole.truncate(40);
        let expected: Vec<Event> = expected
            .into_iter()
            .map(|event| {
                let mut event = event.clone();
                if let Some(names) = &names {
                    event.fields.retain(|(name, _)| names.contains(name));
                }
                event
            })
            .collect();
        prop_assert_eq!(whole, expected);
    }

    #[test]
    fn surveys_count_what_the_oracle_counts(
        specs in batch_specs(true),
        tree in search_tree(&[]),
        range in range(),
        width in width(),
        field in name(&[]),
        limit in 0_usize..5,
    ) {
        let (snapshot, events) = built(&specs);
        let conventions = Conventions::default();
        let oracle = oracle(&conventions, range, &events);
        let bars = asked(&snapshot, range, |target| histogram(target, &tree, width))?;
        prop_assert_eq!(bars, oracle.histogram(&tree, width));
        let known = asked(&snapshot, range, |target| fields(target, &tree))?;
        prop_assert_eq!(known, oracle.fields(&tree));
        let top = asked(&snapshot, range, |target| values(target, &tree, &field, limit))?;
        prop_assert_eq!(top, oracle.values(&tree, &field, limit));
    }

    #[test]
    fn the_context_of_an_event_is_what_lies_around_it(
        specs in batch_specs(false),
        tree in search_tree(&[]),
        range in range(),
        which in any::<proptest::sample::Index>(),
        before in 0_usize..4,
        after in 0_usize..4,
    ) {
        let (snapshot, events) = built(&specs);
        let conventions = Conventions::default();
        let event = which.get(&events);
        let place = |event: &Event| Place { time: event.time, seq: event.seq };
        let mut others = oracle(&conventions, range, &events).search(&tree);
        others.reverse();
        others.retain(|other| other.seq != event.seq);
        let split = others.partition_point(|other| place(other) < place(event));
        let mut expected: Vec<Event> = others[split.saturating_sub(before)..split]
            .iter()
            .map(|event| (*event).clone())
            .collect();
        expected.push(event.clone());
        expected.extend(others[split..].iter().take(after).map(|event| (*event).clone()));
        let found = asked(&snapshot, range, |target| {
            context(target, &tree, event.seq, before, after)
        })?;
        prop_assert_eq!(found.events, expected);
    }

    #[test]
    fn pipes_make_the_tables_of_the_oracle(
        specs in batch_specs(false),
        query in query(),
        range in range(),
    ) {
        let (snapshot, events) = built(&specs);
        let conventions = Conventions::default();
        let mut expected = oracle(&conventions, range, &events).analyse(&query);
        let mut table = asked(&snapshot, range, |target| analyse(target, &query))?;
        if query.pipes.iter().any(|pipe| matches!(pipe, Pipe::Rename(_))) {
            // Whole events have the columns of those events that the pipes after could need.
            expected = without_empty_columns(&expected);
            table = without_empty_columns(&table);
        }
        prop_assert_eq!(table, expected);
    }
}

fn without_empty_columns(table: &Table) -> Table {
    let is_full = |at: &usize| table.rows.iter().any(|row| row[*at] != Cell::Null);
    let full: Vec<usize> = (0..table.columns.len()).filter(is_full).collect();
    let row = |row: &Vec<Cell>| full.iter().map(|at| row[*at].clone()).collect();
    Table {
        columns: full.iter().map(|at| table.columns[*at].clone()).collect(),
        rows: table.rows.iter().map(row).collect(),
        is_complete: table.is_complete,
    }
}
