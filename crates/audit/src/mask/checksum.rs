//! Numbers that carry their own check.

/// Whether a text of digits, spaces and hyphens is the number of a payment card: 13 to 19 digits
/// that begin as an issuer's do and have a right check digit.
pub(super) fn is_card(text: &str) -> bool {
    let digits: Vec<u32> = text.chars().filter_map(|character| character.to_digit(10)).collect();
    (13..=19).contains(&digits.len()) && is_issuer(&digits) && is_luhn(&digits)
}

/// Whether the first digits are among those that card networks use (ISO/IEC 7812).
fn is_issuer(digits: &[u32]) -> bool {
    let [a, b, c, d, ..] = digits else { return false };
    let (two, four) = (a * 10 + b, a * 1000 + b * 100 + c * 10 + d);
    matches!(two, 30 | 34..=39 | 40..=49 | 50..=58 | 60 | 62 | 64 | 65 | 67)
        || (2221..=2720).contains(&four)
}

/// The check digit of ISO/IEC 7812: every second digit from the right counts twice.
fn is_luhn(digits: &[u32]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, digit)| match (place % 2, digit * 2) {
            (0, _) => *digit,
            (_, twice @ 0..=9) => twice,
            (_, twice) => twice - 9,
        })
        .sum();
    sum.is_multiple_of(10)
}

/// How long the account numbers of a country are (ISO 13616, registry of 2024).
#[rustfmt::skip]
const IBAN_LENGTHS: &[(&str, usize)] = &[
    ("AD", 24), ("AE", 23), ("AL", 28), ("AT", 20), ("AZ", 28), ("BA", 20), ("BE", 16),
    ("BG", 22), ("BH", 22), ("BI", 27), ("BR", 29), ("BY", 28), ("CH", 21), ("CR", 22),
    ("CY", 28), ("CZ", 24), ("DE", 22), ("DJ", 27), ("DK", 18), ("DO", 28), ("EE", 20),
    ("EG", 29), ("ES", 24), ("FI", 18), ("FK", 18), ("FO", 18), ("FR", 27), ("GB", 22),
    ("GE", 22), ("GI", 23), ("GL", 18), ("GR", 27), ("GT", 28), ("HR", 21), ("HU", 28),
    ("IE", 22), ("IL", 23), ("IQ", 23), ("IS", 26), ("IT", 27), ("JO", 30), ("KW", 30),
    ("KZ", 20), ("LB", 28), ("LC", 32), ("LI", 21), ("LT", 20), ("LU", 20), ("LV", 21),
    ("LY", 25), ("MC", 27), ("MD", 24), ("ME", 22), ("MK", 19), ("MN", 20), ("MR", 27),
    ("MT", 31), ("MU", 30), ("NI", 28), ("NL", 18), ("NO", 15), ("OM", 23), ("PK", 24),
    ("PL", 28), ("PS", 29), ("PT", 25), ("QA", 29), ("RO", 24), ("RS", 22), ("RU", 33),
    ("SA", 24), ("SC", 31), ("SD", 18), ("SE", 24), ("SI", 19), ("SK", 24), ("SM", 27),
    ("SO", 23), ("ST", 25), ("SV", 28), ("TL", 23), ("TN", 24), ("TR", 26), ("UA", 29),
    ("VA", 22), ("VG", 24), ("XK", 20), ("YE", 30),
];

/// Where the account number that begins at a place ends, if one does: letters and digits in any
/// letter case, with single spaces or hyphens between them, as long as its country's are and with a
/// right check.
pub(super) fn iban_end(text: &str, start: usize) -> Option<usize> {
    let country = text.get(start..start + 2)?;
    let (_, length) = IBAN_LENGTHS.iter().find(|(code, _)| code.eq_ignore_ascii_case(country))?;
    let mut found = Vec::with_capacity(*length);
    let mut was_separator = false;
    for (at, byte) in text.bytes().enumerate().skip(start) {
        if byte.is_ascii_alphanumeric() {
            found.push(byte.to_ascii_uppercase());
            was_separator = false;
            if found.len() == *length {
                return is_mod_97(&found).then_some(at + 1);
            }
        } else if matches!(byte, b' ' | b'-') && !was_separator {
            was_separator = true;
        } else {
            return None;
        }
    }
    None
}

/// The check of ISO 7064: with the first four characters last, and letters as 10 to 35, the number
/// is one more than a multiple of 97.
fn is_mod_97(characters: &[u8]) -> bool {
    let rotated = characters[4..].iter().chain(&characters[..4]);
    let rest = rotated.fold(0_u32, |rest, character| match character {
        b'0'..=b'9' => (rest * 10 + u32::from(character - b'0')) % 97,
        letter => (rest * 100 + u32::from(letter - b'A') + 10) % 97,
    });
    rest == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cards_have_an_issuer_and_a_check_digit() {
        for card in [
            "4111111111111111",
            "4222222222222",
            "4000 0000 0000 0000 006",
            "5555-5555-5555-4444",
            "378282246310005",
            "30569309025904",
            "3530111333300000",
            "6011111111111117",
            "6200000000000005",
            "2223003122003222",
        ] {
            assert!(is_card(card), "{card}");
        }
        for other in [
            "",
            "4111111111111112",
            "411111111111",
            "0000000000000000",
            "1111111111111117",
            "7000000000000005",
            "2220990000000003",
            "2721000000000004",
            "40000000000000000002",
        ] {
            assert!(!is_card(other), "{other}");
        }
    }

    #[test]
    fn issuers_are_told_by_their_first_digits() {
        let is_issuer = |text: &str| {
            super::is_issuer(&text.chars().filter_map(|c| c.to_digit(10)).collect::<Vec<_>>())
        };
        for prefix in ["3000", "3400", "3999", "4000", "4999", "5000", "5899", "6000", "6200"] {
            assert!(is_issuer(prefix), "{prefix}");
        }
        for prefix in ["6400", "6500", "6700", "2221", "2720"] {
            assert!(is_issuer(prefix), "{prefix}");
        }
        for prefix in ["", "400", "2220", "2721", "3100", "3300", "5900", "6100", "6300", "6600"] {
            assert!(!is_issuer(prefix), "{prefix}");
        }
        for prefix in ["6800", "0400", "1400", "7400", "9000"] {
            assert!(!is_issuer(prefix), "{prefix}");
        }
    }

    #[test]
    fn account_numbers_are_as_long_as_their_country_has_them() {
        let whole = |text: &str| iban_end(text, 0) == Some(text.len());
        for iban in [
            "DE89370400440532013000",
            "DE89 3704 0044 0532 0130 00",
            "de89-3704-0044-0532-0130-00",
            "GB29 NWBK 6016 1331 9268 19",
            "FR14 2004 1010 0505 0001 3M02 606",
            "NO93 8601 1117 947",
            "MT84 MALT 0110 0001 2345 MTLC AST0 01S",
        ] {
            assert!(whole(iban), "{iban}");
        }
        assert_eq!(iban_end("x DE89370400440532013000 EUR", 2), Some(24));
        for other in [
            "DE88370400440532013000",
            "DE8937040044053201300",
            "DE89  370400440532013000",
            "DE89.370400440532013000",
            "XX89370400440532013000",
            "D",
            "DÉ89",
        ] {
            assert_eq!(iban_end(other, 0), None, "{other}");
        }
    }

    #[test]
    fn every_country_stands_once() {
        assert!(IBAN_LENGTHS.windows(2).all(|pair| pair[0].0 < pair[1].0));
        assert!(IBAN_LENGTHS.iter().all(|(_, length)| (15..=34).contains(length)));
    }
}
