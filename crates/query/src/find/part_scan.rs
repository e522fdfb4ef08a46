//! Which rows of a part a search finds.

use std::cell::OnceCell;
use std::ops::Range;

use ledgerline_model::batch::Kind;
use ledgerline_model::id::Seq;
use ledgerline_model::severity::Severity;
use ledgerline_model::time::Timestamp;
use ledgerline_store::column::{ColumnData, Data, Dictionary, ValueRef};
use ledgerline_store::part::{Part, Place, System};

use super::Target;
use super::needle::TextScan;
use super::plan::{Check, Name, Node};
use super::rowset::RowSet;
use super::scalar::Scalar;
use super::test::Test;
use crate::budget::Memory;
use crate::error::Result;

/// One part while a query looks at it, with what was read of it more than once.
#[derive(Debug)]
pub(super) struct PartScan<'a> {
    pub(super) part: &'a Part,
    pub(super) target: &'a Target<'a>,
    times: OnceCell<Vec<i64>>,
    seqs: OnceCell<Vec<i64>>,
}

impl<'a> PartScan<'a> {
    pub(super) fn new(target: &'a Target<'a>, part: &'a Part) -> Self {
        Self { part, target, times: OnceCell::new(), seqs: OnceCell::new() }
    }

    /// The rows in the target's span of time and below `as_of` that the search finds.
    pub(super) fn select(&self, node: &Node, as_of: Option<Seq>) -> Result<RowSet> {
        self.target.budget.check()?;
        let within = self.bounded(as_of)?;
        self.rows(node, &within)
    }

    fn bounded(&self, as_of: Option<Seq>) -> Result<RowSet> {
        let range = &self.target.range;
        let (first, last) = self.part.times();
        let mut rows = RowSet::all(self.part.rows());
        if last < range.start || (first >= range.end && !range.contains(first)) {
            return Ok(RowSet::none(self.part.rows()));
        }
        if !range.contains(first) || !range.contains(last) {
            let times = self.times()?;
            rows.retain(|row| range.contains(Timestamp(times[row as usize])));
        }
        if let Some(as_of) = as_of.filter(|as_of| self.part.seqs().1 >= *as_of) {
            let seqs = self.seqs()?;
            rows.retain(|row| (seqs[row as usize] as u64) < as_of.0);
        }
        Ok(rows)
    }

    pub(super) fn times(&self) -> Result<&[i64]> {
        self.system(&self.times, System::Time)
    }

    pub(super) fn seqs(&self) -> Result<&[i64]> {
        self.system(&self.seqs, System::Seq)
    }

    fn system<'b>(&self, cell: &'b OnceCell<Vec<i64>>, system: System) -> Result<&'b [i64]> {
        if let Some(values) = cell.get() {
            return Ok(values);
        }
        let values = self.part.system(system)?;
        Ok(cell.get_or_init(|| values))
    }

    /// The rows of `within` that the search finds.
    pub(super) fn rows(&self, node: &Node, within: &RowSet) -> Result<RowSet> {
        if within.is_empty() {
            return Ok(self.none());
        }
        match node {
            Node::All => Ok(within.clone()),
            Node::And(members) => self.rows_of_all(members, within),
            Node::Or(members) => {
                let mut left = within.clone();
                let mut found = self.none();
                for member in self.cheapest_first(members) {
                    let rows = self.rows(member, &left)?;
                    left.subtract(&rows);
                    found.unite(&rows);
                }
                Ok(found)
            }
            Node::Not(inner) => {
                let mut left = within.clone();
                left.subtract(&self.rows(inner, within)?);
                Ok(left)
            }
            Node::Text(check) => self.rows_of_text(check, within),
            Node::Every(check) => self.rows_of_every_field(check, within),
            Node::Field(name, check) => self.rows_of_field(name, check, within),
        }
    }

    fn rows_of_all(&self, members: &[Node], within: &RowSet) -> Result<RowSet> {
        let mut left = within.clone();
        for member in self.cheapest_first(members) {
            left = self.rows(member, &left)?;
            if left.is_empty() {
                break;
            }
        }
        Ok(left)
    }

    fn cheapest_first<'b>(&self, members: &'b [Node]) -> Vec<&'b Node> {
        let mut members: Vec<&Node> = members.iter().collect();
        members.sort_by_cached_key(|member| self.cost(member));
        members
    }

    /// About how much is read to answer, in no unit.
    fn cost(&self, node: &Node) -> u32 {
        match node {
            Node::All => 0,
            Node::And(members) | Node::Or(members) => {
                members.iter().map(|member| self.cost(member)).fold(0, u32::saturating_add)
            }
            Node::Not(inner) => self.cost(inner),
            Node::Field(Name::Field(name), _) => {
                let heads = &self.part.columns()[self.part.named(name)];
                heads.iter().map(|head| if head.distinct.is_some() { 1 } else { 10 }).sum()
            }
            Node::Field(Name::Message, _) | Node::Text(_) => 20,
            Node::Field(..) => 5,
            Node::Every(_) => 1000,
        }
    }

    fn none(&self) -> RowSet {
        RowSet::none(self.part.rows())
    }

    /// The columns whose values are those of a name, the one that counts first; nothing for a
    /// virtual field that is none of columns.
    pub(super) fn columns_of(&self, name: &Name) -> Option<Vec<usize>> {
        match name {
            Name::Field(field) => Some(self.part.named(field).collect()),
            Name::Message => Some(self.message_columns().collect()),
            _ => None,
        }
    }

    /// Whether a column has texts that can be read page by page. All others are either small or
    /// in memory already.
    pub(super) fn is_paged(&self, column: usize) -> bool {
        let head = &self.part.columns()[column];
        let is_text = matches!(head.kind, Kind::Str | Kind::Json);
        is_text && head.distinct.is_none() && self.part.is_segment()
    }

    /// The memory that reading a column in some rows takes.
    pub(super) fn take_raw(&self, column: usize, rows: &[Range<u32>]) -> Result<Memory> {
        let bytes = self.part.raw_bytes(column, rows)?;
        self.target.budget.take(usize::try_from(bytes).unwrap_or(usize::MAX))
    }

    /// The rows that have a value of a column.
    pub(super) fn presence(&self, column: usize) -> Result<RowSet> {
        if self.part.columns()[column].present == self.part.rows() {
            return Ok(RowSet::all(self.part.rows()));
        }
        Ok(RowSet::of_spans(self.part.rows(), &self.part.presence(column)?))
    }

    fn rows_of_field(&self, name: &Name, check: &Check, within: &RowSet) -> Result<RowSet> {
        match name {
            Name::Field(name) => {
                let mut found = self.none();
                for column in self.part.named(name) {
                    self.add_rows_of_column(column, check, within, &mut found)?;
                }
                Ok(found)
            }
            Name::Message => self.rows_of_message(check, within),
            other => self.rows_of_virtual(other, &check.test, within),
        }
    }

    /// The rows whose message satisfies the check.
    fn rows_of_message(&self, check: &Check, within: &RowSet) -> Result<RowSet> {
        let mut found = self.none();
        let Some((mut rest, columns)) = self.candidates(check, within)? else { return Ok(found) };
        self.add_rows_of_messages(check, columns.as_deref(), &mut rest, &mut found)?;
        Ok(found)
    }

    fn rows_of_text(&self, check: &Check, within: &RowSet) -> Result<RowSet> {
        let mut found = self.none();
        let Some((mut rest, columns)) = self.candidates(check, within)? else { return Ok(found) };
        self.add_rows_of_messages(check, columns.as_deref(), &mut rest, &mut found)?;
        for column in self.text_columns(columns.as_deref()) {
            if rest.is_empty() {
                break;
            }
            let mut more = self.none();
            self.add_checked(column, check, &rest, &mut more)?;
            rest.subtract(&more);
            found.unite(&more);
        }
        Ok(found)
    }

    /// The rows in which a text may satisfy the check, and the columns in which it may, if they are
    /// known; nothing when no text of the part can.
    fn candidates(
        &self,
        check: &Check,
        within: &RowSet,
    ) -> Result<Option<(RowSet, Option<Vec<u32>>)>> {
        let mut rows = within.clone();
        Ok(match check.hint.place(self.part)? {
            Place::Nowhere => None,
            Place::Anywhere => Some((rows, None)),
            Place::At { columns, blocks } => {
                let of_blocks =
                    RowSet::of_blocks(self.part.rows(), self.part.block_rows(), &blocks);
                rows.intersect(&of_blocks);
                (!rows.is_empty()).then_some((rows, Some(columns)))
            }
        })
    }

    /// Tests the messages of `rest` and leaves in it the rows that have none.
    fn add_rows_of_messages(
        &self,
        check: &Check,
        columns: Option<&[u32]>,
        rest: &mut RowSet,
        found: &mut RowSet,
    ) -> Result<()> {
        for column in self.message_columns() {
            if rest.is_empty() {
                break;
            }
            let mut present = self.presence(column)?;
            present.intersect(rest);
            rest.subtract(&present);
            if columns.is_none_or(|columns| columns.contains(&(column as u32))) {
                self.add_checked(column, check, &present, found)?;
            }
        }
        Ok(())
    }

    /// The columns that hold messages, the best first.
    pub(super) fn message_columns(&self) -> impl Iterator<Item = usize> + '_ {
        let keys = self.target.conventions.message.iter();
        keys.flat_map(|key| self.part.named(key)).filter(|column| self.is_text(*column))
    }

    fn is_text(&self, column: usize) -> bool {
        self.part.columns()[column].kind == Kind::Str
    }

    fn text_columns(&self, known: Option<&[u32]>) -> Vec<usize> {
        let mut columns: Vec<usize> = match known {
            Some(columns) => columns.iter().map(|column| *column as usize).collect(),
            None => (0..self.part.columns().len()).collect(),
        };
        columns.retain(|column| self.is_text(*column));
        columns
    }

    fn rows_of_every_field(&self, check: &Check, within: &RowSet) -> Result<RowSet> {
        let mut found = self.none();
        if let Some((rows, columns)) = self.candidates(check, within)? {
            for column in self.text_columns(columns.as_deref()) {
                self.add_checked(column, check, &rows, &mut found)?;
            }
        }
        // The index knows texts only.
        for column in (0..self.part.columns().len()).filter(|column| !self.is_text(*column)) {
            let mut rest = within.clone();
            rest.subtract(&found);
            self.add_checked(column, check, &rest, &mut found)?;
        }
        Ok(found)
    }

    /// Adds the rows of `within` in which a column satisfies the check.
    fn add_rows_of_column(
        &self,
        column: usize,
        check: &Check,
        within: &RowSet,
        found: &mut RowSet,
    ) -> Result<()> {
        let head = &self.part.columns()[column];
        if head.kind != Kind::Str || head.distinct.is_some() {
            return self.add_checked(column, check, within, found);
        }
        match self.candidates(check, within)? {
            Some((rows, columns))
                if columns.as_ref().is_none_or(|columns| columns.contains(&(column as u32))) =>
            {
                self.add_checked(column, check, &rows, found)
            }
            _ => Ok(()),
        }
    }

    /// The same without a look at the word index.
    fn add_checked(
        &self,
        column: usize,
        check: &Check,
        within: &RowSet,
        found: &mut RowSet,
    ) -> Result<()> {
        let (head, test) = (&self.part.columns()[column], &check.test);
        if within.is_empty() || !test.is_possible(head.kind, head.bounds) {
            return Ok(());
        }
        if matches!(test, Test::Any) {
            return self.add_present(column, within, found);
        }
        if let Some(dictionary) = self.part.dictionary(column)? {
            return self.add_coded(column, &dictionary, test, within, found);
        }
        self.target.budget.check()?;
        if head.kind == Kind::Str {
            let mut scan = TextScan::new(test, check.needle.as_ref(), within);
            return self.part.texts(column, &within.spans(), |texts| {
                self.target.budget.check()?;
                scan.scan(&texts, found);
                Ok(())
            });
        }
        let mut scratch = String::new();
        if self.is_paged(column) {
            return self.part.texts(column, &within.spans(), |texts| {
                self.target.budget.check()?;
                for (index, row) in texts.rows.iter().enumerate() {
                    if !within.contains(row) {
                        continue;
                    }
                    if test.holds_any(Scalar::Json(texts.get(index)), &mut scratch) {
                        found.insert(row);
                    }
                }
                Ok(())
            });
        }
        let _memory = self.take_raw(column, &within.spans())?;
        let data = self.part.column(column, &within.spans())?;
        for index in 0..data.rows.len() {
            if test.holds_any(data.value(index).into(), &mut scratch) {
                found.insert(data.rows.get(index));
            }
        }
        Ok(())
    }

    fn add_present(&self, column: usize, within: &RowSet, found: &mut RowSet) -> Result<()> {
        let mut present = self.presence(column)?;
        present.intersect(within);
        found.unite(&present);
        Ok(())
    }

    /// Tests the distinct values instead of the rows.
    fn add_coded(
        &self,
        column: usize,
        dictionary: &Dictionary,
        test: &Test,
        within: &RowSet,
        found: &mut RowSet,
    ) -> Result<()> {
        let mut scratch = String::new();
        let mut holds =
            |entry| test.holds_any(ValueRef::of(&dictionary.values, entry).into(), &mut scratch);
        let accepted: Vec<bool> = (0..dictionary.values.len()).map(&mut holds).collect();
        if !accepted.contains(&true) {
            return Ok(());
        }
        if !accepted.contains(&false) {
            return self.add_present(column, within, found);
        }
        let _memory = self.take_raw(column, &within.spans())?;
        let ColumnData { rows, data } = self.part.column(column, &within.spans())?;
        if let Data::Coded { codes, .. } = data {
            let accepted = codes.iter().enumerate().filter(|(_, code)| accepted[**code as usize]);
            accepted.for_each(|(index, _)| found.insert(rows.get(index)));
        }
        Ok(())
    }

    fn rows_of_virtual(&self, name: &Name, test: &Test, within: &RowSet) -> Result<RowSet> {
        let mut found = self.none();
        let mut scratch = String::new();
        self.each_virtual(name, within, |row, value| {
            if test.holds_any(value, &mut scratch) {
                found.insert(row);
            }
        })?;
        Ok(found)
    }

    /// Calls `each` with the value of a virtual field, but the message, of every row of `within`
    /// that has one.
    pub(super) fn each_virtual(
        &self,
        name: &Name,
        within: &RowSet,
        mut each: impl FnMut(u32, Scalar<'_>),
    ) -> Result<()> {
        match name {
            Name::Time => {
                let times = self.times()?;
                let time = |row: u32| Timestamp(times[row as usize]);
                within.iter().for_each(|row| each(row, Scalar::Time(time(row))));
            }
            Name::Seq => {
                let seqs = self.seqs()?;
                within.iter().for_each(|row| each(row, Scalar::I64(seqs[row as usize])));
            }
            Name::Severity => {
                let severities = self.part.system(System::Severity)?;
                for row in within.iter() {
                    let severity = severity(severities[row as usize]);
                    if severity != Severity::UNSPECIFIED {
                        each(row, Scalar::Severity(severity));
                    }
                }
            }
            Name::Received => {
                let seqs = self.seqs()?;
                for row in within.iter() {
                    let origin = self.part.origin(Seq(seqs[row as usize] as u64))?;
                    each(row, Scalar::Time(origin.received));
                }
            }
            Name::Id => self.each_id(within, each)?,
            Name::Message | Name::Field(_) => debug_assert!(false, "these are columns"),
        }
        Ok(())
    }

    fn each_id(&self, within: &RowSet, mut each: impl FnMut(u32, Scalar<'_>)) -> Result<()> {
        let mut derived = within.clone();
        if let Some(column) = self.id_column() {
            let _memory = self.take_raw(column, &within.spans())?;
            let data = self.part.column(column, &within.spans())?;
            (0..data.rows.len())
                .for_each(|index| each(data.rows.get(index), data.value(index).into()));
            derived.subtract(&RowSet::of_rows(self.part.rows(), &data.rows));
        }
        let seqs = self.seqs()?;
        for row in derived.iter() {
            let origin = self.part.origin(Seq(seqs[row as usize] as u64))?;
            each(row, Scalar::Str(&origin.id.to_string()));
        }
        Ok(())
    }

    /// The column of the ids that senders gave.
    pub(super) fn id_column(&self) -> Option<usize> {
        let mut named = self.part.named(ledgerline_model::convention::ID_KEY);
        named.find(|column| self.is_text(*column))
    }
}

/// The severity with a stored number.
pub(super) fn severity(number: i64) -> Severity {
    u8::try_from(number).ok().and_then(Severity::from_number).unwrap_or_default()
}
