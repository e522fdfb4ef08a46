//! An event as a line for people.

use std::borrow::Cow;

use serde_json::Value;

use crate::output::{Colour, Palette};
use crate::printable::printable;

/// How events become lines.
#[derive(Debug)]
pub(crate) struct Line<'a> {
    palette: Palette,
    fields: &'a [String],
}

impl<'a> Line<'a> {
    /// With `fields`, the line shows these; else the message, or every field where there is none.
    pub(crate) fn new(palette: Palette, fields: &'a [String]) -> Self {
        Self { palette, fields }
    }

    /// The line: time, severity, then what the event says.
    pub(crate) fn text(&self, event: &Value) -> String {
        let word = |name: &str| event[name].as_str().map(printable).unwrap_or_default();
        let severity = word("_severity");
        let colour = match severity.as_ref() {
            "ERROR" | "FATAL" => Colour::Red,
            "WARN" => Colour::Yellow,
            "INFO" => Colour::Green,
            _ => Colour::Dim,
        };
        let time = self.palette.paint(Colour::Dim, &without_idle_digits(&word("_time")));
        let severity = self.palette.paint(colour, &format!("{severity:5}"));
        format!("{time} {severity} {}", self.body(event))
    }

    fn body(&self, event: &Value) -> String {
        if !self.fields.is_empty() {
            let named = self.fields.iter().map(|name| (name, &event[name.as_str()]));
            return self.pairs(named.filter(|(_, value)| !value.is_null()));
        }
        if let Some(message) = event["_message"].as_str() {
            return printable(message).into_owned();
        }
        let Value::Object(fields) = event else {
            return printable(&event.to_string()).into_owned();
        };
        self.pairs(fields.iter().filter(|(name, _)| !name.starts_with('_')))
    }

    fn pairs<'e>(&self, pairs: impl Iterator<Item = (&'e String, &'e Value)>) -> String {
        let pair = |(name, value): (&String, &Value)| {
            let name = self.palette.paint(Colour::Cyan, &printable(name));
            format!("{name}={}", value_text(value))
        };
        pairs.map(pair).collect::<Vec<_>>().join(" ")
    }
}

/// A time of `….123000000Z` to the millisecond; one that is finer as it is.
fn without_idle_digits(time: &str) -> Cow<'_, str> {
    match time.strip_suffix("000000Z").filter(|rest| rest.contains('.')) {
        Some(rest) => Cow::Owned(format!("{rest}Z")),
        None => Cow::Borrowed(time),
    }
}

/// A value after `=`: a text that could be mistaken for something else is quoted.
fn value_text(value: &Value) -> String {
    let Value::String(text) = value else { return printable(&value.to_string()).into_owned() };
    let is_plain = !text.is_empty() && !text.contains([' ', '"', '=']);
    match is_plain {
        true => printable(text).into_owned(),
        false => format!("\"{}\"", printable(&text.replace('\\', "\\\\").replace('"', "\\\""))),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn plain(event: &Value, fields: &[String]) -> String {
        Line::new(Palette::new(false), fields).text(event)
    }

    #[test]
    fn a_message_is_the_line() {
        let event = json!({
            "_time": "2023-07-10T11:42:18Z", "_severity": "WARN", "_message": "a\r\nb", "k": 1,
        });
        assert_eq!(plain(&event, &[]), "2023-07-10T11:42:18Z WARN  a\\r\\nb");
    }

    #[test]
    fn without_one_every_field_is() {
        let event = json!({ "_time": "t", "_id": "x", "a": "b c", "n": 1, "e": "", "z": [1] });
        assert_eq!(plain(&event, &[]), "t       a=\"b c\" e=\"\" n=1 z=[1]");
    }

    #[test]
    fn named_fields_come_in_the_order_they_are_named() {
        let event = json!({ "_time": "t", "_message": "m", "a": "\u{1b}[2J", "b": true });
        let fields = ["b", "a", "none"].map(str::to_owned);
        assert_eq!(plain(&event, &fields), "t       b=true a=\\u{1b}[2J");
    }

    #[test]
    fn times_are_as_fine_as_they_need_to_be() {
        let fine = "2023-07-10T11:42:18.000000001Z";
        let times = [("2023-07-10T11:42:18.250000000Z", "2023-07-10T11:42:18.250Z"), (fine, fine)];
        for (time, short) in times {
            assert_eq!(without_idle_digits(time), short);
        }
        assert_eq!(without_idle_digits("2023-07-10T11:42:18Z"), "2023-07-10T11:42:18Z");
    }

    #[test]
    fn errors_are_red() {
        let line = Line::new(Palette::new(true), &[]);
        let text = line.text(&json!({ "_time": "t", "_severity": "ERROR", "_message": "m" }));
        assert_eq!(text, "\u{1b}[2mt\u{1b}[0m \u{1b}[31mERROR\u{1b}[0m m");
    }
}
