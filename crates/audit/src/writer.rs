//! Writing compact JSON objects, member by member, in the order that the caller gives.

use crate::json::Json;

/// An object that is being written.
#[derive(Debug)]
pub(crate) struct ObjectWriter {
    text: String,
}

impl ObjectWriter {
    pub(crate) fn new() -> Self {
        Self { text: String::from("{") }
    }

    /// How many bytes the object has so far, were it to end now.
    pub(crate) fn len(&self) -> usize {
        self.text.len() + 1
    }

    /// Writes a key; its value is to follow.
    fn key(&mut self, name: &str) {
        if self.text.len() > 1 {
            self.text.push(',');
        }
        push_text(&mut self.text, name);
        self.text.push(':');
    }

    pub(crate) fn text(&mut self, name: &str, value: &str) -> &mut Self {
        self.key(name);
        push_text(&mut self.text, value);
        self
    }

    pub(crate) fn text_if(&mut self, name: &str, value: Option<&str>) -> &mut Self {
        if let Some(value) = value {
            self.text(name, value);
        }
        self
    }

    pub(crate) fn number(&mut self, name: &str, value: u64) -> &mut Self {
        self.raw(name, &value.to_string())
    }

    pub(crate) fn json_if(&mut self, name: &str, value: Option<&Json>) -> &mut Self {
        if let Some(value) = value {
            self.raw(name, value.as_str());
        }
        self
    }

    /// Writes a member whose value is compact JSON already.
    pub(crate) fn raw(&mut self, name: &str, value: &str) -> &mut Self {
        self.key(name);
        self.text.push_str(value);
        self
    }

    pub(crate) fn raw_key(&mut self, key: &str, value: &str) -> &mut Self {
        if self.text.len() > 1 {
            self.text.push(',');
        }
        self.text.push_str(key);
        self.text.push(':');
        self.text.push_str(value);
        self
    }

    pub(crate) fn finish(mut self) -> String {
        self.text.push('}');
        self.text
    }
}

/// A list of compact JSON values.
pub(crate) fn list(items: impl IntoIterator<Item = String>) -> String {
    let mut text = String::from("[");
    for item in items {
        if text.len() > 1 {
            text.push(',');
        }
        text.push_str(&item);
    }
    text.push(']');
    text
}

/// Appends a text with quotes and escapes.
pub(crate) fn push_text(out: &mut String, text: &str) {
    const HEX: [char; 16] =
        ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'];
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\0'..='\u{1f}' => {
                let code = character as usize;
                out.push_str("\\u00");
                out.push(HEX[code >> 4]);
                out.push(HEX[code & 15]);
            }
            other => out.push(other),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn objects_are_compact() {
        assert_eq!(ObjectWriter::new().finish(), "{}");
        let mut object = ObjectWriter::new();
        assert_eq!(object.len(), 2);
        object.text("a", "x\"y").number("b", 7).text_if("c", None).text_if("d", Some(""));
        object.json_if("e", None).json_if("f", Some(&Json::trusted("[1]".to_owned())));
        object.raw_key("\"\\u0067\"", "null");
        let len = object.len();
        let text = object.finish();
        assert_eq!(text, r#"{"a":"x\"y","b":7,"d":"","f":[1],"\u0067":null}"#);
        assert_eq!(text.len(), len);
        let mut first = ObjectWriter::new();
        first.raw_key("\"a\"", "1");
        assert_eq!(first.finish(), r#"{"a":1}"#);
        assert_eq!(list([]), "[]");
        assert_eq!(list(["1".to_owned(), "2".to_owned()]), "[1,2]");
    }

    proptest! {
        #[test]
        fn texts_are_escaped_as_others_do(text in "[\0-\u{20}\"\\\\/a\u{7f}é😀]{0,40}") {
            let mut written = String::new();
            push_text(&mut written, &text);
            prop_assert_eq!(written, serde_json::to_string(&text).expect("a text"));
        }
    }
}
