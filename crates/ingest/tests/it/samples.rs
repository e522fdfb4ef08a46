//! Real events.

use std::path::{Path, PathBuf};

use ledgerline_ingest::{Admission, Admitted, Encoding, Format};
use ledgerline_model::batch::Flags;
use ledgerline_model::event::Value;

use crate::support::*;

/// How many bytes of lines make a body.
const BODY_BYTES: usize = 16 << 20;

/// The folder of samples, where there is one.
fn samples() -> Option<PathBuf> {
    let folder = PathBuf::from(std::env::var_os("LEDGERLINE_SAMPLES")?);
    folder.is_dir().then_some(folder)
}

/// Sends every line of a file in bodies, and counts the events that have a time and a severity.
fn send(path: &Path, format: Format) -> Counts {
    let bytes = std::fs::read(path).expect("the sample can be read");
    let is_compressed = path.extension().is_some_and(|extension| extension == "zst");
    let bytes = if is_compressed {
        zstd::decode_all(&bytes[..]).expect("the sample is zstd")
    } else {
        bytes
    };
    let mut counts = Counts::default();
    let mut rest = &bytes[..];
    while !rest.is_empty() {
        let near = BODY_BYTES.min(rest.len());
        let end = rest[near..]
            .iter()
            .position(|byte| *byte == b'\n')
            .map_or(rest.len(), |at| near + at + 1);
        let (body, behind) = rest.split_at(end);
        let mut admission = Admission::new(format, Encoding::Identity, reception());
        for piece in body.chunks(64 << 10) {
            admission.push(piece).expect("real bodies are within the limits");
        }
        counts.add(&admission.finish().expect("real bodies are within the limits"));
        rest = behind;
    }
    counts
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Counts {
    events: usize,
    timed: usize,
    severe: usize,
    bytes_in: u64,
}

impl Counts {
    fn add(&mut self, admitted: &Admitted) {
        assert_eq!(admitted.rejects, []);
        let batch = &admitted.batch;
        self.events += batch.rows();
        self.timed += batch.rows() - flagged(batch, Flags::TIME_MISSING);
        self.severe += batch.severities().iter().filter(|number| **number > 0).count();
        self.bytes_in += batch.bytes_in();
    }
}

#[test]
fn excerpts_are_taken_whole() {
    let windows = admit_json(include_bytes!("../../testdata/windows-security.ndjson"));
    assert_eq!((windows.batch.rows(), windows.rejected), (24, 0));
    assert_eq!(flagged(&windows.batch, Flags::TIME_MISSING), 0);
    let first = &events(&windows.batch)[0];
    assert_eq!(first["Channel"], str("Microsoft-Windows-Sysmon/Operational"));
    assert_eq!(first["Keywords"], Value::I64(i64::MIN));
    assert_eq!(windows.batch.severities()[0], 9);

    let cloudtrail = admit_json(include_bytes!("../../testdata/cloudtrail.ndjson"));
    assert_eq!((cloudtrail.batch.rows(), cloudtrail.rejected), (24, 0));
    assert_eq!(flagged(&cloudtrail.batch, Flags::TIME_MISSING), 0);
    let first = &events(&cloudtrail.batch)[0];
    assert_eq!(first["userIdentity.userName"], str("benjamin"));
    assert_eq!(first["responseElements"], json("null"));
    // 2023-07-10T11:42:18Z.
    assert_eq!(cloudtrail.batch.times()[0], 1_688_989_338_000_000_000);
}

#[test]
fn excerpts_say_the_same_as_serde() {
    for body in [
        include_str!("../../testdata/windows-security.ndjson"),
        include_str!("../../testdata/cloudtrail.ndjson"),
    ] {
        for (line, event) in body.lines().zip(events(&admit_json(body).batch)) {
            let parsed: serde_json::Map<String, serde_json::Value> =
                serde_json::from_str(line).expect("a real event");
            let mut flat = Fields::new();
            crate::json::flatten("", &parsed, &mut flat).expect("no key occurs twice");
            assert_eq!(sorted(event), sorted(flat));
        }
    }
}

/// The fields with the keys within JSON texts sorted, as serde does not keep their order.
fn sorted(fields: Fields) -> Fields {
    let sort = |value| match value {
        Value::Json(text) => {
            let parsed: serde_json::Value = serde_json::from_str(&text).expect("it is JSON");
            Value::Json(parsed.to_string())
        }
        other => other,
    };
    fields.into_iter().map(|(key, value)| (key, sort(value))).collect()
}

#[test]
fn every_event_of_the_samples_is_taken_and_has_a_time() {
    let Some(samples) = samples() else { return };
    for (name, events) in [("windows-security", 401_030), ("cloudtrail", 2_900), ("zeek", 78_986)] {
        let counts = send(&samples.join(format!("{name}.ndjson.zst")), Format::Json);
        assert_eq!((counts.events, counts.timed), (events, events), "{name}");
    }
    let mut lines = 0;
    let mut files: Vec<PathBuf> = std::fs::read_dir(samples.join("loghub"))
        .expect("the samples have the folder")
        .map(|entry| entry.expect("a folder that can be read").path())
        .collect();
    files.sort();
    for file in files {
        let counts = send(&file, Format::Text);
        assert_eq!((counts.events, counts.timed), (2_000, 2_000), "{}", file.display());
        lines += counts.events;
    }
    assert_eq!(lines, 14_000);
}
