//! Sizes as people write and read them: `8MiB`, `500kB`, `1048576`.

/// Reads a number of bytes with an optional unit: `B`, `kB`, `MB`, `GB` (thousands) or `KiB`,
/// `MiB`, `GiB` (powers of two), in any letter case.
///
/// # Errors
/// What is wrong, for clap to show.
pub(crate) fn parse(text: &str) -> Result<usize, String> {
    let text = text.trim();
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let scale: usize = match unit.trim().to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "kb" => 1_000,
        "mb" => 1_000_000,
        "gb" => 1_000_000_000,
        "k" | "kib" => 1 << 10,
        "m" | "mib" => 1 << 20,
        "g" | "gib" => 1 << 30,
        _ => return Err("a size is a number and B, kB, MB, GB, KiB, MiB or GiB".into()),
    };
    let number: usize = number.parse().map_err(|_| "a size starts with a number".to_owned())?;
    number.checked_mul(scale).ok_or_else(|| "that is too large".into())
}

/// Writes a number of bytes with three digits and a unit of thousands.
pub(crate) fn text(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["B", "kB", "MB", "GB", "TB"];
    #[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
    let mut value = bytes as f64;
    let mut unit = 0;
    while value >= 999.5 && unit + 1 < UNITS.len() {
        value /= 1_000.0;
        unit += 1;
    }
    let digits = match value {
        _ if unit == 0 => 0,
        value if value < 9.995 => 2,
        value if value < 99.95 => 1,
        _ => 0,
    };
    format!("{value:.digits$} {}", UNITS[unit])
}

/// Writes a count with its thousands apart: `1,234,567`.
pub(crate) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read() {
        let cases =
            [("8MiB", 8 << 20), ("8 mib", 8 << 20), ("1kB", 1_000), ("77", 77), ("2k", 2048)];
        for (text, bytes) in cases {
            assert_eq!(parse(text), Ok(bytes), "{text}");
        }
        for text in ["", "MiB", "8x", "-1", "99999999999GiB", "1.5MB"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn sizes_and_counts_are_written() {
        let cases = [(0, "0 B"), (999, "999 B"), (1_000, "1.00 kB"), (999_999, "1.00 MB")];
        for (bytes, expected) in cases {
            assert_eq!(text(bytes), expected);
        }
        assert_eq!(text(12_345_678), "12.3 MB");
        assert_eq!([count(0), count(999), count(401_030)], ["0", "999", "401,030"]);
    }
}
