//! Epoch numbers: seconds, milliseconds, microseconds or nanoseconds since 1970, told apart by
//! their size. Up to 10^11 they are seconds (until the year 5138), up to 10^14 milliseconds, up to
//! 10^17 microseconds, and above that nanoseconds.

use ledgerline_model::time::Timestamp;

use super::civil::clamped;

/// Nanoseconds in one unit of a number of this size.
fn unit(size: u128) -> i128 {
    match size {
        0..100_000_000_000 => 1_000_000_000,
        100_000_000_000..100_000_000_000_000 => 1_000_000,
        100_000_000_000_000..100_000_000_000_000_000 => 1_000,
        _ => 1,
    }
}

/// The time of a whole number.
pub(crate) fn of_integer(number: i64) -> Timestamp {
    let unit = unit(u128::from(number.unsigned_abs()));
    clamped(i128::from(number) * unit)
}

/// The time of a number with a fraction. A double of today's seconds is exact to about 0.2 µs only,
/// so what is left of a microsecond is noise and is rounded away.
pub(crate) fn of_float(number: f64) -> Option<Timestamp> {
    if !number.is_finite() {
        return None;
    }
    // A cast from a float saturates.
    let unit = unit(number.abs() as u128);
    let step = unit.min(1_000);
    let per_step = (unit / step) as f64;
    Some(clamped(((number * per_step).round() as i128).saturating_mul(step)))
}

/// The time of a number in digits, such as `1521911720.615923`; exact.
pub(super) fn of_decimal(text: &[u8]) -> Option<Timestamp> {
    let (sign, digits) = match text {
        [b'-', digits @ ..] => (-1, digits),
        digits => (1, digits),
    };
    let dot = digits.iter().position(|byte| *byte == b'.');
    let (whole, fraction) = match dot {
        Some(dot) => (&digits[..dot], &digits[dot + 1..]),
        None => (digits, &b"0"[..]),
    };
    let is_digits = |part: &[u8], most: usize| {
        (1..=most).contains(&part.len()) && part.iter().all(u8::is_ascii_digit)
    };
    if !is_digits(whole, 20) || !is_digits(fraction, 30) {
        return None;
    }
    let whole = value_of(whole);
    let unit = unit(whole.unsigned_abs());
    let places = fraction.len().min(9);
    let scale = 10_i128.pow(u32::try_from(places).expect("nine at most"));
    let fraction = value_of(&fraction[..places]) * unit / scale;
    Some(clamped(sign * (whole * unit + fraction)))
}

/// The number that at most 20 digits write.
fn value_of(digits: &[u8]) -> i128 {
    digits.iter().fold(0, |value, digit| value * 10 + i128::from(digit - b'0'))
}
