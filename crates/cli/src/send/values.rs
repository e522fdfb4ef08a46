//! JSON values one after the other, told apart without understanding them.

use memchr::memchr2;

/// Finds where each value of an array, or of a row of values, starts and ends. What is between
/// them (white space, commas, the array's own brackets) is left out. Only brackets and strings are
/// followed: whether a value is good JSON is for the server to say, value by value.
#[derive(Debug, Default)]
pub(super) struct Values {
    value: Vec<u8>,
    state: State,
    depth: u32,
    array_is_open: bool,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum State {
    #[default]
    Between,
    /// In an object or array.
    Nested,
    /// In a string.
    Text,
    /// In a string, after a backslash.
    Escape,
    /// In a number or word.
    Scalar,
}

impl Values {
    /// Takes the next piece of the text, and gives each value that ends in it.
    pub(super) fn feed(&mut self, piece: &[u8], found: &mut impl FnMut(&[u8])) {
        let mut at = 0;
        while at < piece.len() {
            at = match self.state {
                State::Between => self.between(piece, at),
                State::Nested => self.nested(piece, at, found),
                State::Text => self.text(piece, at, found),
                State::Escape => {
                    self.value.push(piece[at]);
                    self.state = State::Text;
                    at + 1
                }
                State::Scalar => self.scalar(piece, at, found),
            };
        }
    }

    /// Ends the text, and gives a value that was cut off with it.
    pub(super) fn finish(&mut self, found: &mut impl FnMut(&[u8])) {
        if !self.value.is_empty() {
            self.end(found);
        }
    }

    /// How long the value is that has not ended yet.
    pub(super) fn unfinished_bytes(&self) -> usize {
        self.value.len()
    }

    fn between(&mut self, piece: &[u8], at: usize) -> usize {
        match piece[at] {
            b' ' | b'\t' | b'\r' | b'\n' | b',' => {}
            b'[' if !self.array_is_open => self.array_is_open = true,
            b']' => self.array_is_open = false,
            byte => {
                self.value.push(byte);
                self.state = match byte {
                    b'{' | b'[' => {
                        self.depth = 1;
                        State::Nested
                    }
                    b'"' => State::Text,
                    _ => State::Scalar,
                };
            }
        }
        at + 1
    }

    fn nested(&mut self, piece: &[u8], at: usize, found: &mut impl FnMut(&[u8])) -> usize {
        let rest = &piece[at..];
        let next = rest.iter().position(|byte| matches!(byte, b'"' | b'{' | b'[' | b'}' | b']'));
        let Some(next) = next else {
            self.value.extend_from_slice(rest);
            return piece.len();
        };
        self.value.extend_from_slice(&rest[..=next]);
        match rest[next] {
            b'"' => self.state = State::Text,
            b'{' | b'[' => self.depth = self.depth.saturating_add(1),
            _ => self.depth -= 1,
        }
        if self.depth == 0 {
            self.end(found);
        }
        at + next + 1
    }

    fn text(&mut self, piece: &[u8], at: usize, found: &mut impl FnMut(&[u8])) -> usize {
        let rest = &piece[at..];
        let Some(next) = memchr2(b'"', b'\\', rest) else {
            self.value.extend_from_slice(rest);
            return piece.len();
        };
        self.value.extend_from_slice(&rest[..=next]);
        if rest[next] == b'\\' {
            self.state = State::Escape;
        } else if self.depth == 0 {
            self.end(found);
        } else {
            self.state = State::Nested;
        }
        at + next + 1
    }

    fn scalar(&mut self, piece: &[u8], at: usize, found: &mut impl FnMut(&[u8])) -> usize {
        let rest = &piece[at..];
        let ends = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\r' | b'\n' | b',' | b']');
        let Some(next) = rest.iter().position(ends) else {
            self.value.extend_from_slice(rest);
            return piece.len();
        };
        self.value.extend_from_slice(&rest[..next]);
        self.end(found);
        at + next
    }

    fn end(&mut self, found: &mut impl FnMut(&[u8])) {
        found(&self.value);
        self.value.clear();
        self.depth = 0;
        self.state = State::Between;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    fn values(text: &[u8], piece_bytes: usize) -> Vec<String> {
        let mut values = Values::default();
        let mut found = Vec::new();
        let mut take = |value: &[u8]| found.push(String::from_utf8_lossy(value).into_owned());
        for piece in text.chunks(piece_bytes.max(1)) {
            values.feed(piece, &mut take);
        }
        values.finish(&mut take);
        found
    }

    #[test]
    fn values_are_told_apart() {
        let text = r#" [ {"a": "}]\"{"} , [1,2],3 ,"x,y", null ] "#;
        let expected = [r#"{"a": "}]\"{"}"#, "[1,2]", "3", r#""x,y""#, "null"];
        assert_eq!(values(text.as_bytes(), 1), expected);
        assert_eq!(values(b"{\n\"a\":1}\n{\n\"a\":2}", 3), ["{\n\"a\":1}", "{\n\"a\":2}"]);
        assert_eq!(values(b"[]", 9), Vec::<String>::new());
    }

    #[test]
    fn a_cut_off_value_is_not_lost() {
        assert_eq!(values(br#"[{"a":1},{"b":"#, 4), [r#"{"a":1}"#, r#"{"b":"#]);
    }

    fn json_value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            "[a\"\\\\{}\\[\\], é]{0,8}".prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 20, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::vec(("[a\"{]{0,3}", inner), 0..4)
                    .prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn every_element_of_every_array_is_found(
            elements in prop::collection::vec(json_value(), 0..6),
            pretty: bool,
            piece_bytes in 1_usize..50,
        ) {
            let array = Value::from(elements);
            let text = match pretty {
                true => serde_json::to_string_pretty(&array).expect("JSON"),
                false => array.to_string(),
            };
            let found: Vec<Value> = values(text.as_bytes(), piece_bytes)
                .iter()
                .map(|value| serde_json::from_str(value).expect("a value is whole"))
                .collect();
            prop_assert_eq!(Value::from(found), array);
        }

        #[test]
        fn no_bytes_break_it(text: Vec<u8>, piece_bytes in 1_usize..20) {
            values(&text, piece_bytes);
        }
    }
}
