//! Text to tree: JSON (RFC 8259), strictly, each value with its place in the text.

use std::borrow::Cow;

use crate::error::{FAULTS_MAX, Invalid, code};

use super::{DEPTH_MAX, Key, Node, Tree, push_name};

/// A text that was read.
#[derive(Debug)]
pub(crate) struct Parsed<'a> {
    pub(crate) tree: Tree<'a>,
    /// Pointers to keys that their object has twice, a bounded number of them.
    pub(crate) duplicates: Vec<String>,
}

/// Reads one value.
///
/// # Errors
/// When the text is no JSON, or is nested deeper than [`DEPTH_MAX`].
pub(crate) fn parse(text: &[u8]) -> Result<Parsed<'_>, Invalid> {
    let text = std::str::from_utf8(text)
        .map_err(|error| fault(error.valid_up_to(), "the text is not valid UTF-8"))?;
    let mut parser = Parser { text, at: 0, path: Vec::new(), duplicates: Vec::new() };
    parser.space();
    let tree = parser.value()?;
    parser.space();
    if parser.at < text.len() {
        return Err(fault(parser.at, "there is more behind the value"));
    }
    Ok(Parsed { tree, duplicates: parser.duplicates })
}

#[cold]
fn fault(at: usize, what: &str) -> Invalid {
    Invalid {
        code: code::INVALID_JSON,
        pointer: String::new(),
        detail: format!("not valid JSON at byte {}: {what}", at + 1),
    }
}

/// A step towards the value that is being read.
#[derive(Debug)]
enum Step<'a> {
    Name(Cow<'a, str>),
    Index(usize),
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    path: Vec<Step<'a>>,
    duplicates: Vec<String>,
}

impl<'a> Parser<'a> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn space(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
            self.at += 1;
        }
    }

    /// Steps over the byte, if it comes next.
    fn byte(&mut self, byte: u8) -> bool {
        let is_next = self.peek() == Some(byte);
        self.at += usize::from(is_next);
        is_next
    }

    fn value(&mut self) -> Result<Tree<'a>, Invalid> {
        let start = self.at;
        let node = match self.peek() {
            Some(b'{') => self.object()?,
            Some(b'[') => self.list()?,
            Some(b'"') => Node::Text(self.string()?.name),
            Some(b'-' | b'0'..=b'9') => self.number()?,
            Some(b't') => self.word("true", Node::Bool(true))?,
            Some(b'f') => self.word("false", Node::Bool(false))?,
            Some(b'n') => self.word("null", Node::Null)?,
            Some(_) => return Err(fault(start, "no value begins like this")),
            None => return Err(fault(start, "the text ends too early")),
        };
        Ok(Tree { text: &self.text[start..self.at], node })
    }

    fn word(&mut self, word: &str, node: Node<'a>) -> Result<Node<'a>, Invalid> {
        if !self.text[self.at..].starts_with(word) {
            return Err(fault(self.at, "no value begins like this"));
        }
        self.at += word.len();
        Ok(node)
    }

    fn digits(&mut self) -> Result<(), Invalid> {
        let start = self.at;
        while let Some(b'0'..=b'9') = self.peek() {
            self.at += 1;
        }
        if self.at == start { Err(fault(start, "a digit is expected")) } else { Ok(()) }
    }

    fn number(&mut self) -> Result<Node<'a>, Invalid> {
        self.byte(b'-');
        if !self.byte(b'0') {
            self.digits()?;
        }
        if self.byte(b'.') {
            self.digits()?;
        }
        if self.byte(b'e') || self.byte(b'E') {
            if !self.byte(b'+') {
                self.byte(b'-');
            }
            self.digits()?;
        }
        Ok(Node::Number)
    }

    fn string(&mut self) -> Result<Key<'a>, Invalid> {
        let start = self.at;
        let bytes = self.text.as_bytes();
        let mut at = start + 1;
        let mut has_escapes = false;
        loop {
            match bytes.get(at) {
                Some(b'"') => break,
                Some(b'\\') => {
                    has_escapes = true;
                    at += 2;
                }
                Some(0..0x20) => return Err(fault(at, "a control character within a text")),
                Some(_) => at += 1,
                None => return Err(fault(bytes.len(), "the text ends too early")),
            }
        }
        self.at = at + 1;
        let text = &self.text[start..self.at];
        let name = if has_escapes {
            let read: Result<String, _> = serde_json::from_str(text);
            Cow::Owned(read.map_err(|_| fault(start, "a text has a wrong escape"))?)
        } else {
            Cow::Borrowed(&self.text[start + 1..at])
        };
        Ok(Key { text, name })
    }

    /// Goes one level down.
    fn enter(&mut self, step: Step<'a>) -> Result<(), Invalid> {
        self.path.push(step);
        if self.path.len() <= DEPTH_MAX {
            return Ok(());
        }
        Err(Invalid {
            code: code::TOO_DEEP,
            pointer: String::new(),
            detail: format!("the body is nested deeper than {DEPTH_MAX} levels"),
        })
    }

    fn list(&mut self) -> Result<Node<'a>, Invalid> {
        self.at += 1;
        self.enter(Step::Index(0))?;
        let mut items = Vec::new();
        self.space();
        if !self.byte(b']') {
            loop {
                self.space();
                if let Some(Step::Index(index)) = self.path.last_mut() {
                    *index = items.len();
                }
                items.push(self.value()?);
                self.space();
                if self.byte(b']') {
                    break;
                }
                if !self.byte(b',') {
                    return Err(fault(self.at, "a comma or the end of the list is expected"));
                }
            }
        }
        self.path.pop();
        Ok(Node::List(items))
    }

    fn object(&mut self) -> Result<Node<'a>, Invalid> {
        self.at += 1;
        self.enter(Step::Name(Cow::Borrowed("")))?;
        let mut members = Vec::new();
        self.space();
        if !self.byte(b'}') {
            loop {
                self.space();
                members.push(self.member()?);
                self.space();
                if self.byte(b'}') {
                    break;
                }
                if !self.byte(b',') {
                    return Err(fault(self.at, "a comma or the end of the object is expected"));
                }
            }
        }
        self.path.pop();
        self.find_duplicates(&members);
        Ok(Node::Object(members))
    }

    fn member(&mut self) -> Result<(Key<'a>, Tree<'a>), Invalid> {
        if self.peek() != Some(b'"') {
            return Err(fault(self.at, "a key in quotes is expected"));
        }
        let key = self.string()?;
        self.space();
        if !self.byte(b':') {
            return Err(fault(self.at, "a colon is expected"));
        }
        self.space();
        if let Some(step) = self.path.last_mut() {
            *step = Step::Name(key.name.clone());
        }
        Ok((key, self.value()?))
    }

    fn find_duplicates(&mut self, members: &[(Key<'a>, Tree<'a>)]) {
        let mut names: Vec<&str> = members.iter().map(|(key, _)| &*key.name).collect();
        names.sort_unstable();
        let mut doubled: Vec<&str> =
            names.windows(2).filter(|pair| pair[0] == pair[1]).map(|pair| pair[0]).collect();
        doubled.dedup();
        for name in doubled {
            if self.duplicates.len() < FAULTS_MAX {
                self.duplicates.push(self.pointer(name));
            }
        }
    }

    /// The pointer to a member of the object that is being read.
    fn pointer(&self, name: &str) -> String {
        let mut pointer = String::new();
        for step in &self.path {
            match step {
                Step::Name(name) => push_name(&mut pointer, name),
                Step::Index(index) => push_name(&mut pointer, &index.to_string()),
            }
        }
        push_name(&mut pointer, name);
        pointer
    }
}
