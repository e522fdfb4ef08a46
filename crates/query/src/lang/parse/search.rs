//! Terms, and what joins them: `AND`, `OR`, `NOT` and parentheses.

use ledgerline_model::limits::QUERY_REGEXES_MAX;

use super::lexer::{Meaning, Place, Word};
use super::{Parser, syntax, too_big};
use crate::error::{Error, Result};
use crate::lang::ast::{Phrase, Search, Term};
use crate::lang::regex_literal::RegexLiteral;

/// What terms are looked for in.
#[derive(Debug)]
pub(super) enum Target {
    /// The message.
    Text,
    /// `*:…`: every field.
    EveryField,
    /// `name:…`: the field of this name.
    Field(String),
}

impl Parser<'_> {
    /// `a OR b OR c`
    pub(super) fn either(&mut self, target: &Target) -> Result<Search> {
        let mut members = vec![self.every(target)?];
        while self.eat_keyword("OR")? {
            self.node()?;
            members.push(self.every(target)?);
        }
        Ok(Search::or(members))
    }

    /// `a b AND c`: as far as nothing else begins.
    fn every(&mut self, target: &Target) -> Result<Search> {
        let mut members = vec![self.perhaps_negated(target)?];
        loop {
            self.lexer.skip_space();
            if self.eat_keyword("AND")? {
                members.push(self.perhaps_negated(target)?);
            } else if self.is_at_end_of_terms() {
                return Ok(Search::and(members));
            } else {
                members.push(self.perhaps_negated(target)?);
            }
        }
    }

    fn is_at_end_of_terms(&self) -> bool {
        self.is_at_keyword("OR") || matches!(self.lexer.peek(), None | Some(')' | '|'))
    }

    /// A term with any number of `-`, `!` and `NOT` before it.
    fn perhaps_negated(&mut self, target: &Target) -> Result<Search> {
        let mut is_negated = false;
        let mut operator = None;
        loop {
            self.lexer.skip_space();
            let start = self.lexer.at();
            let is_word = self.eat_keyword("NOT")?;
            if !is_word && !self.lexer.eat("-")? && !self.lexer.eat("!")? {
                break;
            }
            operator = Some(start..self.lexer.at());
            is_negated = !is_negated;
            let is_apart = self.lexer.peek().is_none_or(char::is_whitespace);
            if !is_word && is_apart {
                return Err(lonely_sign(&self.lexer.text()[start..start + 1], start));
            }
        }
        let is_joined = self.is_at_keyword("AND") || self.is_at_end_of_terms();
        if is_joined && let Some(span) = operator {
            let written = &self.lexer.text()[span.clone()];
            let hint = format!("to look for it, put it in quotes: `\"{written}\"`");
            return Err(syntax(format!("nothing follows `{written}`"), span).hinting(hint));
        }
        if is_joined {
            return Err(self.missing_term());
        }
        let search = self.term_or_group(target)?;
        if !is_negated {
            return Ok(search);
        }
        self.node()?;
        Ok(search.negated())
    }

    /// The error where a term must stand and none does.
    fn missing_term(&self) -> Error {
        let here = self.lexer.here();
        for keyword in ["AND", "OR"] {
            if self.is_at_keyword(keyword) {
                let span = here.start..here.start + keyword.len();
                return syntax(format!("nothing stands before `{keyword}`"), span).hinting(
                    format!("to look for the word itself, put it in quotes: `\"{keyword}\"`"),
                );
            }
        }
        let before = self.lexer.text()[..here.start].trim_end();
        for keyword in ["AND", "OR"] {
            if before.ends_with(keyword) {
                let span = before.len() - keyword.len()..before.len();
                return syntax(format!("nothing follows `{keyword}`"), span).hinting(format!(
                    "to look for the word itself, put it in quotes: `\"{keyword}\"`"
                ));
            }
        }
        match self.lexer.peek() {
            Some(')') if before.ends_with('(') => {
                syntax("nothing stands in the parentheses", before.len() - 1..here.end)
                    .hinting("to look for the characters, put them in quotes: `\"()\"`")
            }
            Some(_) => self.stray(),
            None => syntax("the query ends where a term must stand", here),
        }
    }

    pub(super) fn term_or_group(&mut self, target: &Target) -> Result<Search> {
        if self.lexer.peek() == Some('(') {
            return self.group(target);
        }
        self.node()?;
        match target {
            Target::Text => self.term(),
            Target::EveryField => self.in_every_field(),
            Target::Field(name) => {
                let predicate = self.predicate(name)?;
                Ok(Search::Field { name: name.clone(), predicate })
            }
        }
    }

    /// `(…)`, of which the first parenthesis stands here.
    fn group(&mut self, target: &Target) -> Result<Search> {
        let open = self.lexer.here();
        self.enter()?;
        self.lexer.eat("(")?;
        self.lexer.skip_space();
        if self.lexer.peek().is_none() {
            return Err(unclosed(open));
        }
        let search = self.either(target)?;
        if !self.lexer.eat(")")? {
            return Err(match self.lexer.peek() {
                None => unclosed(open),
                Some(_) => self.stray(),
            });
        }
        self.leave();
        Ok(search)
    }

    /// A term that looks in the message, or `name:…`.
    fn term(&mut self) -> Result<Search> {
        match self.lexer.peek() {
            Some('"') => {
                let (text, span) = self.lexer.quoted()?;
                if self.lexer.eat(":")? {
                    let name = self.checked_name(text, span.clone())?;
                    return self.after_colon(&Target::Field(name), span.start);
                }
                self.check_apart()?;
                let phrase = Phrase::new(text).ok_or_else(|| empty_quotes(span))?;
                Ok(Search::Text(Term::Words(phrase)))
            }
            Some('/') => Ok(Search::Text(Term::Regex(self.regex()?))),
            _ => self.word_or_field(),
        }
    }

    fn word_or_field(&mut self) -> Result<Search> {
        let Some(word) = self.lexer.word(Place::Term)? else {
            return Err(match self.lexer.peek() {
                Some(':') => {
                    syntax("a field's name is missing before the colon", self.lexer.here())
                        .hinting("write `name:value` without spaces around the colon")
                }
                Some('=' | '<' | '>') => self.foreign_comparison(self.word_before()),
                _ => self.stray(),
            });
        };
        let start = word.span.start;
        match self.lexer.peek() {
            Some(':') => {
                let target = self.target(word)?;
                self.lexer.eat(":")?;
                self.after_colon(&target, start)
            }
            Some('=' | '<' | '>') => Err(self.foreign_comparison(start)),
            _ => {
                self.check_apart()?;
                self.check_foreign_and(&word)?;
                Ok(match word.meaning() {
                    Meaning::Everything => Search::All,
                    Meaning::Plain(text) => Search::Text(words(text)),
                    Meaning::Wild(pattern) => Search::Text(Term::Wildcard(pattern)),
                })
            }
        }
    }

    /// What a word before a colon names.
    fn target(&self, word: Word) -> Result<Target> {
        let span = word.span.clone();
        match word.meaning() {
            Meaning::Everything => Ok(Target::EveryField),
            Meaning::Plain(name) => Ok(Target::Field(self.named(name, span)?)),
            Meaning::Wild(_) => Err(syntax("a field's name cannot have wildcards", span)
                .hinting("`*:value` looks in every field; quotes make `*` and `?` plain")),
        }
    }

    /// What stands behind `name:`, of which the name began at `start`.
    fn after_colon(&mut self, target: &Target, start: usize) -> Result<Search> {
        match self.lexer.peek() {
            None => Err(self.missing_value(start)),
            Some(c) if c.is_whitespace() || matches!(c, ')' | '|') => {
                Err(self.missing_value(start))
            }
            Some('!') => Err(self.negated_value(start)),
            Some('/') if self.lexer.rest().starts_with("//") => Err(self.address(start)),
            Some(_) => self.term_or_group(target),
        }
    }

    /// The error for `name:!value`.
    fn negated_value(&self, start: usize) -> Error {
        let name = &self.lexer.text()[start..self.lexer.at()];
        let value = self.lexer.stretch(self.lexer.at()).trim_start_matches(['!', '=']);
        syntax("`!` cannot stand before a value", self.lexer.here()).hinting(format!(
            "write `-{name}{value}`; put quotes around a value that begins with `!`"
        ))
    }

    /// The error for `https://…`.
    fn address(&self, start: usize) -> Error {
        let (at, address) = (self.lexer.at(), self.lexer.stretch(start));
        syntax("the regular expression is empty", at..at + 2)
            .hinting(format!("to look for an address, put quotes around it: `\"{address}\"`"))
    }

    fn missing_value(&self, start: usize) -> Error {
        let written = &self.lexer.text()[start..self.lexer.at()];
        let next = self.lexer.rest().trim_start();
        let next = &next[..next.find([' ', ')', '|']).unwrap_or(next.len()).min(next.len())];
        let hint = match next.chars().next() {
            Some(_) if next.chars().count() <= 40 => format!(
                "write `{written}{next}` without a space, or `{written}*` for any value; \
                 to look for the text, put it in quotes"
            ),
            _ => format!("write `{written}*` for any value"),
        };
        syntax("no value follows the colon", start..self.lexer.at()).hinting(hint)
    }

    /// `/…/`, of which the first slash stands here.
    pub(super) fn regex(&mut self) -> Result<RegexLiteral> {
        let slashed = self.lexer.slashed()?;
        let (start, end) = (slashed.span.start, slashed.span.end);
        if !self.is_apart() {
            let what = "a regular expression must end before a space";
            return Err(syntax(what, start..end).hinting(self.behind_regex(start)));
        }
        self.regexes += 1;
        if self.regexes > QUERY_REGEXES_MAX {
            return Err(too_big("regular expressions", QUERY_REGEXES_MAX).at(start..end));
        }
        RegexLiteral::new(&slashed.pattern).map_err(|error| match error.span() {
            Some(span) => error.at(start + 1 + span.start..start + 1 + span.end),
            None => error.at(start..end),
        })
    }

    /// What may be meant by a regular expression that runs on.
    fn behind_regex(&self, start: usize) -> String {
        let rest = self.lexer.rest();
        let flags = &rest[..rest.find(|c: char| !c.is_ascii_lowercase()).unwrap_or(rest.len())];
        let is_last = rest[flags.len()..].chars().next().is_none_or(|c| c != '/');
        if (1..=3).contains(&flags.len()) && is_last {
            return "flags stand inside, as in `/(?s)a.b/`; case is ignored anyway".to_owned();
        }
        let word = self.lexer.stretch(start);
        format!("to look for a path, put quotes around it: `\"{word}\"`")
    }

    /// Fails where a term runs into the next one without a space.
    pub(super) fn check_apart(&self) -> Result<()> {
        if self.is_apart() {
            return Ok(());
        }
        let hint = if self.lexer.peek() == Some('(') {
            "put a space between two terms, or quotes around a term with parentheses: `\"count()\"`"
        } else {
            "put a space between two terms, or quotes around all of one; `\\\"` is a quote inside"
        };
        Err(syntax("a space is missing here", self.lexer.here()).hinting(hint))
    }

    fn is_apart(&self) -> bool {
        self.lexer.peek().is_none_or(|c| c.is_whitespace() || matches!(c, ')' | '|'))
    }

    fn check_foreign_and(&self, word: &Word) -> Result<()> {
        if !self.lexer.text()[word.span.clone()].starts_with("&&") {
            return Ok(());
        }
        let span = word.span.start..word.span.start + 2;
        Err(syntax("`&&` is no operator", span)
            .hinting("terms side by side must all hold; or write `AND`, in capitals"))
    }

    /// Where the word begins that stands before this place and a space.
    fn word_before(&self) -> usize {
        let before = self.lexer.text()[..self.lexer.at()].trim_end();
        let is_sign = |c: char| c.is_whitespace() || matches!(c, '(' | ')' | '|' | '"' | ':');
        before.rfind(is_sign).map_or(0, |at| at + 1)
    }

    /// The error for `name=value` and its like, of which the name begins at `start`.
    fn foreign_comparison(&self, start: usize) -> Error {
        let (rest, at) = (self.lexer.rest(), self.lexer.at());
        let length = rest.find(|c| !matches!(c, '=' | '<' | '>' | '!')).unwrap_or(rest.len());
        let written = self.lexer.text()[start..at].trim_end();
        let (name, negation) = match written.strip_suffix('!') {
            Some(name) => (name, "!"),
            None => (written, ""),
        };
        let signs = format!("{negation}{}", &rest[..length]);
        let value_at = self.lexer.text().len() - rest[length..].trim_start().len();
        let value = match self.lexer.stretch(value_at) {
            "" => "value",
            value => value,
        };
        let name = if name.is_empty() { "name" } else { name };
        let meant = match signs.as_str() {
            "=" | "==" | "===" => format!("{name}:{value}"),
            "!=" | "!==" | "<>" => format!("-{name}:{value}"),
            "=>" => format!("{name}:>={value}"),
            "=<" => format!("{name}:<={value}"),
            _ => format!("{name}:{signs}{value}"),
        };
        let span = at - negation.len()..at + length;
        syntax(format!("`{signs}` cannot stand here"), span).hinting(format!(
            "to compare a field write `{meant}`; to look for the text put it in quotes"
        ))
    }
}

/// Words to look for. The text comes from a word of the query, which has at least one character.
pub(super) fn words(text: String) -> Term {
    Term::Words(Phrase::new(text).expect("a word has a character"))
}

pub(super) fn empty_quotes(span: std::ops::Range<usize>) -> Error {
    syntax("nothing stands in the quotes", span)
        .hinting("for a field whose value is empty write `name:\"\"`")
}

fn unclosed(open: std::ops::Range<usize>) -> Error {
    syntax("the parenthesis is not closed", open)
        .hinting("close it with `)`, or, to look for it, put it in quotes: `\"(\"`")
}

fn lonely_sign(sign: &str, at: usize) -> Error {
    syntax(format!("nothing follows `{sign}` directly"), at..at + 1).hinting(format!(
        "write `{sign}word` to exclude; to look for the character, put it in quotes: `\"{sign}\"`"
    ))
}
