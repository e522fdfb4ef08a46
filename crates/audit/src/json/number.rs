//! Numbers by their digits.

use serde_json::{Number, Value};

/// A number's sign, its digits without zeros at either end, and the power of ten that the digits,
/// read as a whole number, are multiplied with. Zero has no digits.
#[derive(Debug, PartialEq, Eq)]
struct Decimal {
    is_negative: bool,
    digits: Vec<u8>,
    exponent: i64,
}

/// Whether two numbers of JSON are the same number, however they are written: exactly, without
/// rounding. Numbers with an exponent beyond 64 bits are the same when their texts are.
pub(crate) fn is_same_number(left: &str, right: &str) -> bool {
    if left == right {
        return true;
    }
    match (decimal(left), decimal(right)) {
        (Some(left), Some(right)) => left == right,
        _ => false,
    }
}

fn decimal(text: &str) -> Option<Decimal> {
    let (is_negative, text) = match text.strip_prefix('-') {
        Some(text) => (true, text),
        None => (false, text),
    };
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i64>().ok()?),
        None => (text, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let mut digits: Vec<u8> = whole.bytes().chain(fraction.bytes()).collect();
    let mut exponent = exponent.checked_sub(i64::try_from(fraction.len()).ok()?)?;
    while digits.last() == Some(&b'0') {
        digits.pop();
        exponent = exponent.checked_add(1)?;
    }
    let zeros = digits.iter().take_while(|digit| **digit == b'0').count();
    digits.drain(..zeros);
    if digits.is_empty() {
        return Some(Decimal { is_negative: false, digits, exponent: 0 });
    }
    Some(Decimal { is_negative, digits, exponent })
}

/// The number as `serde_json` has it, or the nearest that it has.
pub(super) fn value(text: &str) -> Value {
    if let Ok(number) = text.parse::<i64>() {
        return number.into();
    }
    if let Ok(number) = text.parse::<u64>() {
        return number.into();
    }
    let nearest = text.parse::<f64>().unwrap_or(0.0).clamp(f64::MIN, f64::MAX);
    Number::from_f64(nearest).map_or(Value::Null, Value::Number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_the_same_by_value() {
        for (left, right) in [
            ("1", "1"),
            ("1", "1.0"),
            ("1", "1e0"),
            ("1.50", "15E-1"),
            ("100", "1e+2"),
            ("0", "-0.00"),
            ("0e5", "0"),
            ("-12.5", "-0.125e2"),
            ("1e99999999999999999999", "1e99999999999999999999"),
        ] {
            assert!(is_same_number(left, right), "{left} {right}");
            assert!(is_same_number(right, left), "{right} {left}");
        }
        for (left, right) in [
            ("1", "-1"),
            ("1", "2"),
            ("1", "10"),
            ("10", "100"),
            ("0.1", "0.01"),
            ("9007199254740993", "9007199254740992"),
            ("0.1", "0.1000000000000000055511151231257827"),
            ("1e99999999999999999999", "1e99999999999999999998"),
            ("1e9223372036854775807", "1e9223372036854775806"),
            ("10e9223372036854775807", "1e1"),
            ("1.5e-9223372036854775808", "1"),
        ] {
            assert!(!is_same_number(left, right), "{left} {right}");
            assert!(!is_same_number(right, left), "{right} {left}");
        }
    }

    #[test]
    fn a_number_becomes_the_nearest_that_there_is() {
        assert_eq!(value("-5"), Value::from(-5));
        assert_eq!(value("18446744073709551615"), Value::from(u64::MAX));
        assert_eq!(value("0.5"), Value::from(0.5));
        assert_eq!(value("1e400"), Value::from(f64::MAX));
        assert_eq!(value("-1e400"), Value::from(f64::MIN));
    }
}
