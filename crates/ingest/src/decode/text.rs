//! A line of text is the message of an event; its time and severity are found near its start.

use ledgerline_model::batch::Field;
use ledgerline_model::severity::Severity;
use ledgerline_model::time::Timestamp;

use crate::events::Events;
use crate::refusal::Refusal;
use crate::{severity, time};

/// The key that gets the line.
const MESSAGE: &str = "message";
/// How far into a line, and behind how many words, a time is looked for.
const TIME_WINDOW_BYTES: usize = 128;
const TIME_WORDS_MAX: usize = 4;

/// Gives the current event what a line says.
pub(crate) fn decode(line: &[u8], events: &mut Events) -> Result<(), Refusal> {
    let text = std::str::from_utf8(line).map_err(|_| Refusal::InvalidUtf8)?;
    events.put_plain(MESSAGE, Field::Str(text))?;
    let (priority, start) = syslog_priority(line);
    let (time, end) = match find_time(&line[start..], events.received()) {
        Some((time, end)) => (Some(time), start + end),
        None => (None, start),
    };
    // A time ends behind an ASCII character, so the rest is text too.
    let severity = severity::near_start(&text[end..]).or(priority);
    events.set_head(time, severity.unwrap_or(Severity::UNSPECIFIED));
    Ok(())
}

/// The `<34>` or `<34>1 ` that syslog begins with, and where it ends. Source: RFC 5424, 6.2.
fn syslog_priority(line: &[u8]) -> (Option<Severity>, usize) {
    let [b'<', rest @ ..] = line else { return (None, 0) };
    let digits = rest.iter().take(3).take_while(|byte| byte.is_ascii_digit()).count();
    let number =
        rest[..digits].iter().fold(0_u32, |value, digit| value * 10 + u32::from(digit - b'0'));
    if digits == 0 || rest.get(digits) != Some(&b'>') || number > 191 {
        return (None, 0);
    }
    let end = digits + 2;
    let version = usize::from(line[end..].starts_with(b"1 ")) * 2;
    let severity = u8::try_from(number % 8).ok().and_then(severity::of_syslog);
    (severity, end + version)
}

/// The time at the start of a line, or at the start of one of its first words where it is written
/// out in full, and where it ends.
fn find_time(line: &[u8], received: Timestamp) -> Option<(Timestamp, usize)> {
    let first = opening(line);
    if let Some((time, end)) = time::of_prefix(&line[first..], received) {
        return Some((time, first + end));
    }
    let window = &line[..line.len().min(TIME_WINDOW_BYTES)];
    memchr::memchr_iter(b' ', window).take(TIME_WORDS_MAX).find_map(|space| {
        let start = space + 1 + opening(&line[space + 1..]);
        let (time, end) = time::of_full_prefix(&line[start..])?;
        Some((time, start + end))
    })
}

/// How many brackets and quotes stand before a word.
fn opening(word: &[u8]) -> usize {
    word.iter().take(2).take_while(|byte| matches!(byte, b'[' | b'(' | b'"')).count()
}
