//! Pipes: what is done with the events or rows, step by step.

use std::ops::Range;

use super::lexer::{Meaning, Place};
use super::search::Target;
use super::suggest::nearest;
use super::{Parser, is_function, syntax};
use crate::error::{Error, ErrorKind, Result};
use crate::lang::ast::{Aggregate, Direction, GroupKey, Measure, Pipe, Renaming, Search, SortKey};
use crate::lang::width::{UNITS, Width};

/// The pipes that are suggested for a name that is none.
const PIPES: [&str; 9] =
    ["stats", "sort", "limit", "fields", "where", "rename", "uniq", "head", "top"];

/// How other languages call them.
const FOREIGN: [(&str, &str); 13] = [
    ("filter", "where"),
    ("search", "where"),
    ("table", "fields"),
    ("project", "fields"),
    ("select", "fields"),
    ("keep", "fields"),
    ("order", "sort"),
    ("orderby", "sort"),
    ("take", "limit"),
    ("dedup", "uniq"),
    ("distinct", "uniq"),
    ("summarize", "stats"),
    ("timechart", "stats"),
];

/// How many rows `top` keeps when it does not say.
const TOP_ROWS: u64 = 10;

/// A name that was read, and where.
struct Name {
    text: String,
    span: Range<usize>,
}

impl Parser<'_> {
    /// `| a | b`, as far as pipes stand here.
    pub(super) fn pipes(&mut self) -> Result<Vec<Pipe>> {
        let mut pipes = Vec::new();
        self.lexer.skip_space();
        while self.lexer.peek() == Some('|') && !self.lexer.rest().starts_with("||") {
            self.lexer.eat("|")?;
            self.pipe(&mut pipes)?;
            self.lexer.skip_space();
            if !matches!(self.lexer.peek(), None | Some('|')) {
                return Err(self.stray_in_pipe());
            }
        }
        Ok(pipes)
    }

    fn pipe(&mut self, pipes: &mut Vec<Pipe>) -> Result<()> {
        self.lexer.skip_space();
        self.node()?;
        let Some(word) = self.lexer.word(Place::Name)? else {
            return Err(syntax("the name of a pipe is missing", self.lexer.here())
                .hinting("as in `| stats count() by service`"));
        };
        let span = word.span;
        match &self.lexer.text()[span.clone()] {
            "stats" => pipes.push(self.stats()?),
            "sort" => pipes.push(self.sort()?),
            "limit" | "head" => pipes.push(Pipe::Limit(self.row_count()?)),
            "fields" => pipes.push(Pipe::Fields(self.distinct_names()?)),
            "where" => pipes.push(Pipe::Where(self.condition(&span)?)),
            "rename" => pipes.push(self.rename()?),
            "uniq" => {
                self.lexer.skip_space();
                self.eat_pipe_word("by")?;
                pipes.push(Pipe::Uniq(self.distinct_names()?));
            }
            "top" => pipes.extend(self.top()?),
            name => return Err(unknown_pipe(name, span)),
        }
        Ok(())
    }

    fn stats(&mut self) -> Result<Pipe> {
        let mut columns: Vec<Name> = Vec::new();
        let mut measures = Vec::new();
        loop {
            let (measure, span) = self.measure()?;
            columns.push(Name { text: measure.column(), span });
            measures.push(measure);
            self.lexer.skip_space();
            if !self.lexer.eat(",")? {
                break;
            }
        }
        let mut keys = Vec::new();
        if self.eat_pipe_word("by")? {
            loop {
                let (key, span) = self.group_key()?;
                columns.push(Name { text: key.column().to_owned(), span });
                keys.push(key);
                self.lexer.skip_space();
                if !self.lexer.eat(",")? {
                    break;
                }
            }
        }
        check_distinct(&columns, "name a column with `as`: `count() as n`")?;
        self.short_names = short_names(&measures, &columns);
        Ok(Pipe::Stats { measures, keys })
    }

    fn measure(&mut self) -> Result<(Measure, Range<usize>)> {
        self.node()?;
        let (aggregate, span) = self.aggregate()?;
        self.lexer.skip_space();
        if !self.eat_pipe_word("as")? {
            return Ok((Measure::new(aggregate, None), span));
        }
        let name = self.name()?;
        Ok((Measure::new(aggregate, Some(name.text)), span.start..name.span.end))
    }

    /// A field, or a width of time. In quotes it is always a field.
    fn group_key(&mut self) -> Result<(GroupKey, Range<usize>)> {
        self.lexer.skip_space();
        let start = self.lexer.at();
        let name = self.column()?;
        let written = &self.lexer.text()[start..name.span.end];
        if !starts_like_width(written) {
            return Ok((GroupKey::Field(name.text), name.span));
        }
        match width(written) {
            Some(width) => Ok((GroupKey::Time(width), name.span)),
            None => Err(wrong_width(written, name.span)),
        }
    }

    fn sort(&mut self) -> Result<Pipe> {
        self.lexer.skip_space();
        self.eat_pipe_word("by")?;
        let mut keys = Vec::new();
        loop {
            self.lexer.skip_space();
            let is_descending = self.lexer.eat("-")?;
            let has_sign = is_descending || self.lexer.eat("+")?;
            if has_sign && self.lexer.peek().is_none_or(char::is_whitespace) {
                let at = self.lexer.at();
                return Err(syntax("no column follows the sign directly", at - 1..at)
                    .hinting("write `sort -n` for the largest first"));
            }
            let column = self.column()?.text;
            self.lexer.skip_space();
            let is_descending = is_descending || (!has_sign && self.eat_pipe_word("desc")?);
            if !has_sign && !is_descending {
                self.eat_pipe_word("asc")?;
            }
            let direction =
                if is_descending { Direction::Descending } else { Direction::Ascending };
            keys.push(SortKey { column, direction });
            self.lexer.skip_space();
            if !self.lexer.eat(",")? {
                return Ok(Pipe::Sort(keys));
            }
        }
    }

    fn row_count(&mut self) -> Result<u64> {
        self.lexer.skip_space();
        let word = self.lexer.word(Place::Name)?;
        let span = word.map_or_else(|| self.lexer.here(), |word| word.span);
        number(&self.lexer.text()[span.clone()]).ok_or_else(|| {
            syntax("a number of rows must stand here", span).hinting("as in `limit 10`")
        })
    }

    fn condition(&mut self, span: &Range<usize>) -> Result<Search> {
        self.lexer.skip_space();
        match self.lexer.peek() {
            None | Some('|') => {
                Err(syntax("`where` needs a condition", span.clone()).hinting("as in `where n:>5`"))
            }
            Some(_) => self.either(&Target::Text),
        }
    }

    fn rename(&mut self) -> Result<Pipe> {
        let mut renamings = Vec::new();
        let (mut sources, mut targets) = (Vec::new(), Vec::new());
        loop {
            let source = self.column()?;
            self.lexer.skip_space();
            if !self.eat_pipe_word("as")? {
                return Err(syntax("`as` and the new name are missing", self.lexer.here())
                    .hinting("as in `rename old as new`"));
            }
            let target = self.name()?;
            renamings.push(Renaming { source: source.text.clone(), target: target.text.clone() });
            sources.push(source);
            targets.push(target);
            self.lexer.skip_space();
            if !self.lexer.eat(",")? {
                break;
            }
        }
        check_distinct(&sources, "rename each column once")?;
        check_distinct(&targets, "choose another name for one of them")?;
        Ok(Pipe::Rename(renamings))
    }

    /// `top 10 by x, y`, which is short for counting, sorting and limiting.
    fn top(&mut self) -> Result<[Pipe; 3]> {
        self.lexer.skip_space();
        let start = self.lexer.at();
        let word = self.lexer.word(Place::Name)?;
        let rows = word.and_then(|word| number(&self.lexer.text()[word.span]));
        if rows.is_none() {
            self.lexer.rewind(start);
        }
        self.lexer.skip_space();
        self.eat_pipe_word("by")?;
        let keys: Vec<GroupKey> = self.distinct_names()?.into_iter().map(GroupKey::Field).collect();
        let count = Measure::new(Aggregate::Count, None);
        let column = count.column();
        if keys.iter().any(|key| key.column() == column) {
            let what = format!("two columns are called `{column}`");
            return Err(Error::new(ErrorKind::Invalid, what).at(start..self.lexer.at()));
        }
        let sort_key = SortKey { column: column.clone(), direction: Direction::Descending };
        self.short_names = vec![("count".to_owned(), column)];
        Ok([
            Pipe::Stats { measures: vec![count], keys },
            Pipe::Sort(vec![sort_key]),
            Pipe::Limit(rows.unwrap_or(TOP_ROWS)),
        ])
    }

    /// `a, b, c`, each once.
    fn distinct_names(&mut self) -> Result<Vec<String>> {
        let mut names = Vec::new();
        loop {
            names.push(self.column()?);
            self.lexer.skip_space();
            if !self.lexer.eat(",")? {
                break;
            }
        }
        check_distinct(&names, "name each column once")?;
        Ok(names.into_iter().map(|name| name.text).collect())
    }

    /// A column that exists: its name may be an aggregate, or short for one.
    fn column(&mut self) -> Result<Name> {
        self.read_name(Self::named)
    }

    /// A new name.
    fn name(&mut self) -> Result<Name> {
        self.read_name(Self::checked_name)
    }

    fn read_name(
        &mut self,
        meaning: fn(&Self, String, Range<usize>) -> Result<String>,
    ) -> Result<Name> {
        self.lexer.skip_space();
        self.node()?;
        if self.lexer.peek() == Some('"') {
            let (text, span) = self.lexer.quoted()?;
            return Ok(Name { text: self.checked_name(text, span.clone())?, span });
        }
        let Some(word) = self.lexer.word(Place::Name)? else {
            let here = self.lexer.here();
            return Err(syntax("a name is missing", here)
                .hinting("put quotes around a name that has spaces or signs"));
        };
        let span = word.span.clone();
        self.check_name_start(&span)?;
        let Meaning::Plain(text) = word.meaning() else {
            return Err(syntax("a name cannot have wildcards", span)
                .hinting("name each column; quotes make `*` and `?` plain"));
        };
        if self.lexer.peek() == Some('(') {
            let (aggregate, span) = self.arguments(&text, span)?;
            let text = self.checked_name(aggregate.to_string(), span.clone())?;
            return Ok(Name { text, span });
        }
        Ok(Name { text: meaning(self, text, span.clone())?, span })
    }

    /// Reads a word with a meaning of its own, such as `by`, if it is there and ends there.
    fn eat_pipe_word(&mut self, word: &str) -> Result<bool> {
        let after = self.lexer.rest().strip_prefix(word);
        let next = after.map(|after| after.chars().next());
        let is_there = next.is_some_and(|next| next.is_none_or(|c| Place::Name.ends_at(c)));
        Ok(is_there && self.lexer.eat(word)?)
    }

    /// Fails for a name that begins with a sign, which elsewhere would mean something.
    pub(super) fn check_name_start(&self, span: &Range<usize>) -> Result<()> {
        let written = &self.lexer.text()[span.clone()];
        if !written.starts_with(['-', '+', '!']) {
            return Ok(());
        }
        let sign = &written[..1];
        Err(syntax(format!("`{sign}` cannot begin a name here"), span.start..span.start + 1)
            .hinting(format!("put quotes around a name that begins with `{sign}`")))
    }

    fn stray_in_pipe(&self) -> Error {
        let here = self.lexer.here();
        let rest = self.lexer.rest();
        match self.lexer.peek() {
            Some(':' | '=' | '<' | '>') => syntax("a comparison cannot stand here", here)
                .hinting("add `| where n:>5`, or put quotes around a name with such signs"),
            Some('|' | ')') | None => self.stray(),
            Some(_) if rest.starts_with("by ") => syntax("`by` cannot stand here", here)
                .hinting("group with `stats`, as in `stats count() by service`"),
            Some(_) => syntax("`,` or `|` is missing here", here)
                .hinting("put commas between names, and `|` before the next step"),
        }
    }
}

/// Fails where two columns have one name.
fn check_distinct(names: &[Name], hint: &str) -> Result<()> {
    let mut seen = hashbrown::HashSet::with_capacity(names.len());
    match names.iter().find(|name| !seen.insert(name.text.as_str())) {
        None => Ok(()),
        Some(Name { text, span }) => {
            let what = format!("two columns are called `{text}`");
            Err(Error::new(ErrorKind::Invalid, what).at(span.clone()).hinting(hint))
        }
    }
}

/// The functions that stand for one unnamed measure only, and for no other column.
fn short_names(measures: &[Measure], columns: &[Name]) -> Vec<(String, String)> {
    let unnamed = measures.iter().filter(|measure| measure.name.is_none());
    let pairs: Vec<(String, String)> = unnamed
        .filter_map(|measure| {
            let column = measure.column();
            let function = column.split_once('(')?.0.to_owned();
            is_function(&function).then_some((function, column))
        })
        .collect();
    let is_clear = |short: &str| {
        pairs.iter().filter(|(other, _)| other == short).count() == 1
            && columns.iter().all(|column| column.text != short)
    };
    pairs.iter().filter(|(short, _)| is_clear(short)).cloned().collect()
}

fn number(text: &str) -> Option<u64> {
    let is_number = !text.is_empty() && text.bytes().all(|digit| digit.is_ascii_digit());
    is_number.then(|| text.parse().ok()).flatten()
}

/// Whether a name without quotes is read as a width where one may stand: digits, then letters of a
/// unit, also of one that does not exist, so that a misspelt width is not taken for a field.
pub(in crate::lang) fn starts_like_width(text: &str) -> bool {
    const LONG_UNITS: [&str; 14] = [
        "ms", "sec", "secs", "second", "seconds", "min", "mins", "minute", "minutes", "hour",
        "hours", "day", "days", "weeks",
    ];
    let unit = text.trim_start_matches(|c: char| c.is_ascii_digit());
    let is_unit = UNITS.iter().any(|(letter, _)| unit.len() == 1 && unit.starts_with(*letter));
    unit.len() < text.len() && (is_unit || LONG_UNITS.contains(&unit))
}

fn width(text: &str) -> Option<Width> {
    let (unit, seconds) = UNITS.into_iter().find(|(unit, _)| text.ends_with(*unit))?;
    let amount: i64 = text.strip_suffix(unit)?.parse().ok()?;
    Width::from_seconds(amount.checked_mul(seconds)?)
}

fn wrong_width(written: &str, span: Range<usize>) -> Error {
    let digits = written.trim_end_matches(|c: char| !c.is_ascii_digit());
    let unit = written[digits.len()..].chars().next().unwrap_or('s');
    let hint = match width(&format!("{digits}{unit}")) {
        Some(width) if !written.ends_with("ms") => format!("write `{width}`"),
        _ => "a width is a positive number and one of s, m, h, d, w, as in `5m`".to_owned(),
    };
    syntax(format!("`{written}` is no width of time"), span)
        .hinting(format!("{hint}; put quotes around a field of that name"))
}

fn unknown_pipe(name: &str, span: Range<usize>) -> Error {
    let foreign = FOREIGN.iter().find(|(foreign, _)| foreign.eq_ignore_ascii_case(name));
    let meant = foreign.map(|(_, meant)| *meant).or_else(|| nearest(name, PIPES));
    let hint = match meant {
        Some(meant) => format!("did you mean `{meant}`?"),
        None if is_function(name) => format!("did you mean `stats {name}(…)`?"),
        None => format!("the pipes are {}", PIPES.join(", ")),
    };
    syntax("there is no pipe of this name", span).hinting(hint)
}
