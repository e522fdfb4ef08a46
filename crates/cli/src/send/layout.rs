//! How a file's events are laid out, told from its first bytes.

use crate::send::Format;
use crate::send::values::Values;

/// How the events of a file follow one another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Layout {
    /// A line of JSON an event.
    JsonLines,
    /// JSON values: elements of an array, or objects that go over several lines.
    JsonValues,
    /// A line of text an event.
    TextLines,
    /// Records of AWS CloudTrail: JSON values, each a list of records or a record.
    CloudTrail,
}

impl Layout {
    /// Tells the layout from the start of a file.
    pub(super) fn detect(start: &[u8], format: Format) -> Self {
        let start = start.trim_ascii_start();
        match format {
            Format::Text => Self::TextLines,
            Format::CloudTrail => Self::CloudTrail,
            Format::Auto if !is_json(start) => Self::TextLines,
            _ if starts_array(start) || starts_long_object(start) => Self::JsonValues,
            _ => Self::JsonLines,
        }
    }

    /// The content type of a batch.
    pub(super) fn content_type(self) -> &'static str {
        match self {
            Self::JsonLines => "application/x-ndjson",
            Self::JsonValues | Self::CloudTrail => "application/json",
            Self::TextLines => "text/plain",
        }
    }
}

/// Logs often start with `[date]` or `[host]`, so that a bracket alone is no sign of JSON.
fn is_json(start: &[u8]) -> bool {
    start.first() == Some(&b'{') || starts_array(start)
}

fn starts_array(start: &[u8]) -> bool {
    let Some((b'[', rest)) = start.split_first() else { return false };
    matches!(rest.trim_ascii_start().first(), Some(b'{' | b']'))
}

/// Whether the first object goes on after the first line.
fn starts_long_object(start: &[u8]) -> bool {
    let Some(end) = memchr::memchr(b'\n', start) else { return false };
    if start.first() != Some(&b'{') {
        return false;
    }
    let mut values = Values::default();
    let mut is_whole = false;
    values.feed(&start[..end], &mut |_| is_whole = true);
    !is_whole
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layouts_are_told_from_the_start() {
        let cases: [(&str, Layout); 9] = [
            ("{\"a\":1}\n{\"a\":2}\n", Layout::JsonLines),
            ("\n\n{\"a\":1}", Layout::JsonLines),
            ("{\n  \"a\": 1\n}\n", Layout::JsonValues),
            ("[{\"a\":1},{}]", Layout::JsonValues),
            ("[\n  {\"a\":1}]", Layout::JsonValues),
            ("[]", Layout::JsonValues),
            ("[Thu Jun 09 06:07:04 2005] [notice] LDAP\n", Layout::TextLines),
            ("2015-07-29 17:41:44,747 - INFO\n", Layout::TextLines),
            ("", Layout::TextLines),
        ];
        for (start, layout) in cases {
            assert_eq!(Layout::detect(start.as_bytes(), Format::Auto), layout, "{start}");
        }
    }

    #[test]
    fn a_named_format_holds() {
        assert_eq!(Layout::detect(b"{\"a\":1}\n", Format::Text), Layout::TextLines);
        assert_eq!(Layout::detect(b"no json\n", Format::Json), Layout::JsonLines);
        assert_eq!(Layout::detect(b"[{}]", Format::Json), Layout::JsonValues);
    }
}
