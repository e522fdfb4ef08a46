//! Compact JSON, read without changing it: the members of an object and the items of an array as
//! the bytes that stand there. A commitment is over bytes, so nothing is ever written anew from
//! what was understood.
//!
//! The grammar is RFC 8259 without spaces outside of strings, and values lie in each other at most
//! [`DEPTH_MAX`] deep.

use crate::error::{Error, Result};

/// How deep values may lie in each other.
pub const DEPTH_MAX: usize = 128;

/// A member of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member<'a> {
    /// The name, its escapes undone.
    pub name: String,
    /// The value as it stands there.
    pub value: &'a str,
    /// Where the member's name begins, its quote included.
    pub at: usize,
}

/// Reads a text that is one object.
///
/// # Errors
/// [`crate::ErrorKind::Malformed`] for any other text, and when two members have one name.
pub fn object(text: &str) -> Result<Vec<Member<'_>>> {
    let mut members: Vec<Member<'_>> = Vec::new();
    let mut scan = Scan { text, at: 0 };
    scan.container(b'{', b'}', |scan| {
        let at = scan.at;
        let name = string(scan.string()?)?;
        scan.expect(b':')?;
        let value = scan.value(1)?;
        members.push(Member { name, value, at });
        Ok(())
    })?;
    scan.end()?;
    let mut names: Vec<&str> = members.iter().map(|member| member.name.as_str()).collect();
    names.sort_unstable();
    if names.windows(2).any(|pair| pair[0] == pair[1]) {
        return Err(Error::malformed("two members of an object have one name"));
    }
    Ok(members)
}

/// Reads a text that is one array.
///
/// # Errors
/// [`crate::ErrorKind::Malformed`] for any other text.
pub fn array(text: &str) -> Result<Vec<&str>> {
    let mut items = Vec::new();
    let mut scan = Scan { text, at: 0 };
    scan.container(b'[', b']', |scan| {
        items.push(scan.value(1)?);
        Ok(())
    })?;
    scan.end()?;
    Ok(items)
}

/// Reads a text that is one string.
///
/// # Errors
/// [`crate::ErrorKind::Malformed`] for any other text, and for half of a surrogate pair.
pub fn string(text: &str) -> Result<String> {
    let mut scan = Scan { text, at: 0 };
    scan.string()?;
    scan.end()?;
    let mut units = text[1..text.len() - 1].chars();
    let mut plain = String::with_capacity(text.len());
    while let Some(character) = units.next() {
        if character == '\\' {
            plain.push(escaped(&mut units).ok_or_else(|| wrong("an escape of no character"))?);
        } else {
            plain.push(character);
        }
    }
    Ok(plain)
}

/// Writes a string: with the escapes that JSON demands, the short ones where there are, and no
/// others.
#[must_use]
pub fn quote(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for character in text.chars() {
        match character {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\u{8}' => quoted.push_str("\\b"),
            '\u{c}' => quoted.push_str("\\f"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            '\0'..='\u{1f}' => quoted.push_str(&format!("\\u{:04x}", u32::from(character))),
            _ => quoted.push(character),
        }
    }
    quoted.push('"');
    quoted
}

/// The character of an escape whose backslash was taken; nothing when it is none.
fn escaped(units: &mut std::str::Chars<'_>) -> Option<char> {
    let unit = |units: &mut std::str::Chars<'_>| {
        let digits: String = units.by_ref().take(4).collect();
        u32::from_str_radix(&digits, 16).ok()
    };
    match units.next()? {
        'b' => Some('\u{8}'),
        'f' => Some('\u{c}'),
        'n' => Some('\n'),
        'r' => Some('\r'),
        't' => Some('\t'),
        'u' => match unit(units)? {
            high @ 0xd800..=0xdbff => {
                *units = units.as_str().strip_prefix("\\u")?.chars();
                let low = unit(units)?;
                if !(0xdc00..=0xdfff).contains(&low) {
                    return None;
                }
                char::from_u32(0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00))
            }
            unit => char::from_u32(unit),
        },
        itself => Some(itself),
    }
}

fn wrong(what: &'static str) -> Error {
    Error::malformed(what)
}

/// A place in a text.
struct Scan<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Scan<'a> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn expect(&mut self, byte: u8) -> Result<()> {
        if self.peek() != Some(byte) {
            return Err(wrong("this is not compact JSON"));
        }
        self.at += 1;
        Ok(())
    }

    fn end(&self) -> Result<()> {
        if self.at == self.text.len() { Ok(()) } else { Err(wrong("something behind a value")) }
    }

    /// Reads items with commas between them.
    fn container(
        &mut self,
        open: u8,
        close: u8,
        mut item: impl FnMut(&mut Self) -> Result<()>,
    ) -> Result<()> {
        self.expect(open)?;
        if self.peek() == Some(close) {
            return self.expect(close);
        }
        loop {
            item(self)?;
            if self.peek() == Some(close) {
                return self.expect(close);
            }
            self.expect(b',')?;
        }
    }

    /// Reads a value that lies in so many others.
    fn value(&mut self, depth: usize) -> Result<&'a str> {
        if depth > DEPTH_MAX {
            return Err(wrong("values lie too deep in each other"));
        }
        let first = self.at;
        match self.peek() {
            Some(b'{') => self.container(b'{', b'}', |scan| {
                scan.string()?;
                scan.expect(b':')?;
                scan.value(depth + 1).map(drop)
            })?,
            Some(b'[') => self.container(b'[', b']', |scan| scan.value(depth + 1).map(drop))?,
            Some(b'"') => self.string().map(drop)?,
            Some(b't') => self.word("true")?,
            Some(b'f') => self.word("false")?,
            Some(b'n') => self.word("null")?,
            _ => self.number()?,
        }
        Ok(&self.text[first..self.at])
    }

    fn word(&mut self, word: &str) -> Result<()> {
        word.bytes().try_for_each(|byte| self.expect(byte))
    }

    /// Reads a string, its quotes included.
    fn string(&mut self) -> Result<&'a str> {
        let first = self.at;
        self.expect(b'"')?;
        loop {
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(&self.text[first..self.at]);
                }
                Some(b'\\') => self.escape()?,
                Some(b' '..) => self.at += 1,
                _ => return Err(wrong("a string that does not end, or has a control character")),
            }
        }
    }

    fn escape(&mut self) -> Result<()> {
        self.expect(b'\\')?;
        let kind = self.peek();
        self.at += 1;
        match kind {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => Ok(()),
            Some(b'u') => {
                let is_digit = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_hexdigit());
                for _ in 0..4 {
                    if !is_digit(self.peek()) {
                        return Err(wrong("an escape without its four digits"));
                    }
                    self.at += 1;
                }
                Ok(())
            }
            _ => Err(wrong("an escape of no character")),
        }
    }

    fn number(&mut self) -> Result<()> {
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        if self.peek() == Some(b'0') {
            self.at += 1;
        } else {
            self.digits()?;
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digits()?;
        }
        Ok(())
    }

    fn digits(&mut self) -> Result<()> {
        let first = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        if self.at > first { Ok(()) } else { Err(wrong("this is not compact JSON")) }
    }
}

#[cfg(test)]
mod tests;
