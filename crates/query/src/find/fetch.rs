//! Whole events, read only once it is known which are wanted.

use std::ops::Range;

use ledgerline_model::batch::Kind;
use ledgerline_model::convention::ID_KEY;
use ledgerline_model::event::{Event, Value};
use ledgerline_model::severity::Severity;
use ledgerline_store::column::{ValueRef, spans};
use ledgerline_store::part::{Part, System};
use rayon::prelude::*;

use super::Target;
use super::ordered::Hit;
use super::part_scan::{PartScan, severity};
use crate::budget::Memory;
use crate::error::Result;

/// Events, and the message of each.
pub(super) type Fetched = Vec<(Event, Option<String>)>;

/// About how many bytes a field takes besides its text and its name's.
const FIELD_BYTES: usize = size_of::<(String, Value)>();

/// The events of the hits, in the order of the hits, with all their fields or just those that are
/// named.
pub(super) fn fetch(
    target: &Target<'_>,
    hits: &[Hit],
    names: Option<&[String]>,
) -> Result<(Fetched, Memory)> {
    let mut order: Vec<u32> = (0..hits.len() as u32).collect();
    order.sort_unstable_by_key(|at| (hits[*at as usize].part, hits[*at as usize].row));
    let groups: Vec<&[u32]> =
        order.chunk_by(|a, b| hits[*a as usize].part == hits[*b as usize].part).collect();
    let memory = target.budget.take(hits.len() * size_of::<(Event, Option<String>)>())?;
    let fetched: Result<Vec<(Fetched, Memory)>> = groups
        .par_iter()
        .map(|group| {
            let part = &target.snapshot.parts()[hits[group[0] as usize].part as usize];
            let hits: Vec<Hit> = group.iter().map(|at| hits[*at as usize]).collect();
            PartFetch { target, part, names, hits: &hits }.events()
        })
        .collect();
    let mut memory = memory;
    let mut slots: Vec<Option<(Event, Option<String>)>> = vec![None; hits.len()];
    for (group, (events, taken)) in groups.iter().zip(fetched?) {
        memory = memory.with(taken);
        for (at, event) in group.iter().zip(events) {
            slots[*at as usize] = Some(event);
        }
    }
    Ok((slots.into_iter().flatten().collect(), memory))
}

/// The fetching of some rows of one part, by rising row.
struct PartFetch<'a> {
    target: &'a Target<'a>,
    part: &'a Part,
    names: Option<&'a [String]>,
    hits: &'a [Hit],
}

/// One column's values in the wanted rows.
struct Piece {
    column: usize,
    values: Vec<(u32, Value)>,
    memory: Memory,
}

/// What is known of an event while its fields are put together.
#[derive(Debug, Clone, Copy)]
struct SoFar {
    message_rank: usize,
    has_id: bool,
}

impl PartFetch<'_> {
    fn events(&self) -> Result<(Fetched, Memory)> {
        let rows = spans(self.hits.iter().map(|hit| hit.row));
        let severities = self.part.system(System::Severity)?;
        let mut fetched = Vec::with_capacity(self.hits.len());
        for hit in self.hits {
            let origin = self.part.origin(hit.place.seq)?;
            let event = Event {
                seq: hit.place.seq,
                id: String::new(),
                time: hit.place.time,
                received: origin.received,
                severity: severities
                    .get(hit.row as usize)
                    .map_or(Severity::UNSPECIFIED, |number| severity(*number)),
                fields: Vec::new(),
            };
            fetched.push((event, None));
        }
        let columns: Vec<usize> =
            (0..self.part.columns().len()).filter(|column| self.is_needed(*column)).collect();
        let pieces: Result<Vec<Piece>> =
            columns.into_par_iter().map(|column| self.piece(column, &rows)).collect();
        let mut memory = self.target.budget.take(0)?;
        let mut so_far = vec![SoFar { message_rank: usize::MAX, has_id: false }; fetched.len()];
        for piece in pieces? {
            self.hand_out(piece, &mut fetched, &mut so_far, &mut memory)?;
        }
        for ((event, _), _) in fetched.iter_mut().zip(&so_far).filter(|(_, so_far)| !so_far.has_id)
        {
            event.id = self.part.origin(event.seq)?.id.to_string();
        }
        Ok((fetched, memory))
    }

    fn is_needed(&self, column: usize) -> bool {
        let name = &*self.part.columns()[column].name;
        self.is_wanted(name) || name == ID_KEY || self.message_rank(column).is_some()
    }

    fn is_wanted(&self, name: &str) -> bool {
        self.names.is_none_or(|names| names.iter().any(|wanted| wanted == name))
    }

    /// How good a message the texts of a column are; the best is 0.
    fn message_rank(&self, column: usize) -> Option<usize> {
        let head = &self.part.columns()[column];
        let keys = &self.target.conventions.message;
        keys.iter().position(|key| **key == *head.name).filter(|_| head.kind == Kind::Str)
    }

    /// The values of a column, each read only when there is memory for it.
    fn piece(&self, column: usize, rows: &[Range<u32>]) -> Result<Piece> {
        let budget = self.target.budget;
        budget.check()?;
        let mut piece = Piece { column, values: Vec::new(), memory: budget.take(0)? };
        let scan = PartScan::new(self.target, self.part);
        let head = &self.part.columns()[column];
        let field_bytes = FIELD_BYTES + head.name.len();
        let mut add = |row, value: ValueRef<'_>| -> Result<()> {
            piece.memory.grow(field_bytes + text_bytes(value))?;
            piece.values.push((row, owned(value)));
            Ok(())
        };
        if !scan.is_paged(column) {
            let _memory = scan.take_raw(column, rows)?;
            let data = self.part.column(column, rows)?;
            let indexes = 0..data.rows.len();
            indexes.into_iter().try_for_each(|at| add(data.rows.get(at), data.value(at)))?;
            return Ok(piece);
        }
        let is_json = head.kind == Kind::Json;
        self.part.texts(column, rows, |page| -> Result<()> {
            budget.check()?;
            let Some(first) = page.rows.iter().next() else { return Ok(()) };
            let mut at = self.hits.partition_point(|hit| hit.row < first);
            for (index, row) in page.rows.iter().enumerate() {
                while self.hits.get(at).is_some_and(|hit| hit.row < row) {
                    at += 1;
                }
                match self.hits.get(at) {
                    Some(hit) if hit.row == row => {
                        let text = page.get(index);
                        add(row, if is_json { ValueRef::Json(text) } else { ValueRef::Str(text) })?;
                    }
                    Some(_) => {}
                    None => break,
                }
            }
            Ok(())
        })?;
        Ok(piece)
    }

    /// Puts the values of a column into their events.
    fn hand_out(
        &self,
        piece: Piece,
        fetched: &mut Fetched,
        so_far: &mut [SoFar],
        memory: &mut Memory,
    ) -> Result<()> {
        let name = &*self.part.columns()[piece.column].name;
        let rank = self.message_rank(piece.column);
        memory.add(piece.memory);
        let mut at = 0;
        for (row, value) in piece.values {
            while self.hits[at].row < row {
                at += 1;
            }
            let (event, message) = &mut fetched[at];
            if let Value::Str(text) = &value {
                if let Some(rank) = rank.filter(|rank| *rank < so_far[at].message_rank) {
                    memory.grow(text.len())?;
                    so_far[at].message_rank = rank;
                    *message = Some(text.clone());
                }
                if name == ID_KEY {
                    event.id.clone_from(text);
                    so_far[at].has_id = true;
                }
            }
            if self.is_wanted(name) {
                event.fields.push((name.to_owned(), value));
            }
        }
        Ok(())
    }
}

fn owned(value: ValueRef<'_>) -> Value {
    match value {
        ValueRef::Str(text) => Value::Str(text.to_owned()),
        ValueRef::I64(number) => Value::I64(number),
        ValueRef::F64(number) => Value::F64(number),
        ValueRef::Bool(truth) => Value::Bool(truth),
        ValueRef::Json(text) => Value::Json(text.to_owned()),
    }
}

fn text_bytes(value: ValueRef<'_>) -> usize {
    match value {
        ValueRef::Str(text) | ValueRef::Json(text) => text.len(),
        _ => 0,
    }
}
