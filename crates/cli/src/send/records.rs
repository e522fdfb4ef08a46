//! Records of AWS CloudTrail, taken out of the files that CloudTrail delivers.

use std::collections::VecDeque;

use serde::Deserialize;
use serde_json::value::RawValue;

/// How many records the server takes at once.
const RECORDS_MAX: usize = 1_000;

/// Records that are read and not yet sent.
#[derive(Debug, Default)]
pub(super) struct Records {
    waiting: VecDeque<Box<[u8]>>,
    bytes: usize,
}

/// A file as CloudTrail delivers it.
#[derive(Deserialize)]
struct Delivery<'a> {
    #[serde(borrow, rename = "Records")]
    records: Vec<&'a RawValue>,
}

impl Records {
    /// Takes a value of a file: a delivery, or a record by itself. Whether a record is a good one
    /// is for the server to say.
    pub(super) fn take(&mut self, value: &[u8]) {
        match serde_json::from_slice::<Delivery<'_>>(value) {
            Ok(delivery) => {
                delivery.records.iter().for_each(|record| self.push(record.get().as_bytes()));
            }
            Err(_) => self.push(value),
        }
    }

    fn push(&mut self, record: &[u8]) {
        self.bytes += record.len();
        self.waiting.push_back(record.into());
    }

    /// Whether there are enough for a batch of so many bytes.
    pub(super) fn are_enough(&self, batch_bytes: usize) -> bool {
        self.waiting.len() >= RECORDS_MAX || self.bytes >= batch_bytes
    }

    /// Puts a batch of about so many bytes into the buffer, and tells how many records it has. The
    /// buffer stays empty when there are none.
    pub(super) fn put(&mut self, buffer: &mut Vec<u8>, batch_bytes: usize) -> u64 {
        let mut records = 0;
        while records < RECORDS_MAX && (records == 0 || buffer.len() < batch_bytes) {
            let Some(record) = self.waiting.pop_front() else { break };
            self.bytes -= record.len();
            buffer.extend_from_slice(if records == 0 { b"{\"Records\":[" } else { b"," });
            buffer.extend_from_slice(&record);
            records += 1;
        }
        if records > 0 {
            buffer.extend_from_slice(b"]}");
        }
        records as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batches(values: &[&str], batch_bytes: usize) -> Vec<(u64, String)> {
        let mut records = Records::default();
        values.iter().for_each(|value| records.take(value.as_bytes()));
        let mut batches = Vec::new();
        loop {
            let mut buffer = Vec::new();
            match records.put(&mut buffer, batch_bytes) {
                0 => return batches,
                count => batches.push((count, String::from_utf8_lossy(&buffer).into_owned())),
            }
        }
    }

    #[test]
    fn deliveries_and_records_become_deliveries() {
        let values = [r#"{"Records":[{"a":1},{"a":2}]}"#, r#"{"a":3}"#, r#"{"Records":[]}"#];
        let all = r#"{"Records":[{"a":1},{"a":2},{"a":3}]}"#.to_owned();
        assert_eq!(batches(&values, 1 << 20), [(3, all)]);
        let [one, rest] = [r#"{"Records":[{"a":1},{"a":2}]}"#, r#"{"Records":[{"a":3}]}"#];
        assert_eq!(batches(&values, 22), [(2, one.to_owned()), (1, rest.to_owned())]);
        assert_eq!(batches(&[r#"{"Records":[]}"#], 9), []);
    }

    #[test]
    fn no_batch_has_more_than_the_server_takes() {
        let many = format!("{{\"Records\":[{}]}}", vec!["{}"; 2_345].join(","));
        let counts: Vec<u64> = batches(&[&many], 1 << 20).iter().map(|(count, _)| *count).collect();
        assert_eq!(counts, [1_000, 1_000, 345]);
    }
}
