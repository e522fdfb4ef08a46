//! CSV (RFC 4180), guarded against spreadsheets that take a text for a formula.

/// Writes one cell's text. A text that a spreadsheet would compute gets an apostrophe in front.
pub(crate) fn text(to: &mut Vec<u8>, text: &str) {
    let is_formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let is_quoted = text.contains([',', '"', '\n', '\r']);
    if is_quoted {
        to.push(b'"');
    }
    if is_formula {
        to.push(b'\'');
    }
    for (index, part) in text.split('"').enumerate() {
        if index > 0 {
            to.extend_from_slice(b"\"\"");
        }
        to.extend_from_slice(part.as_bytes());
    }
    if is_quoted {
        to.push(b'"');
    }
}

/// Writes one cell that is no text, such as a number: as it is.
pub(crate) fn plain(to: &mut Vec<u8>, value: impl std::fmt::Display) {
    to.extend_from_slice(value.to_string().as_bytes());
}

/// Writes a row, each of its cells by `cell`.
pub(crate) fn row<T>(
    to: &mut Vec<u8>,
    cells: impl IntoIterator<Item = T>,
    mut cell: impl FnMut(&mut Vec<u8>, T),
) {
    for (index, one) in cells.into_iter().enumerate() {
        if index > 0 {
            to.push(b',');
        }
        cell(to, one);
    }
    to.extend_from_slice(b"\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_quoted_and_guarded() {
        let mut out = Vec::new();
        row(&mut out, ["a", "a,b", "say \"hi\"", "=1+1", "-x,", "line\nbreak", ""], text);
        let out = String::from_utf8(out).expect("CSV is text");
        assert_eq!(out, "a,\"a,b\",\"say \"\"hi\"\"\",'=1+1,\"'-x,\",\"line\nbreak\",\r\n");
    }
}
