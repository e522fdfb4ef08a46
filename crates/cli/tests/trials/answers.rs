//! Real logs go in, and every answer is the one that DuckDB computes from the raw file.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{BufRead as _, BufReader, BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail, ensure};
use ledgerline_bench::{Node, Tenant};
use serde_json::{Map, Value, json};

use crate::audit::first_number;
use crate::place::{Place, demo, launch, number, report, skip};
use crate::python::python_with;

const TRIAL: &str = "answers";
/// Who says what is right: DuckDB, as PyPI has it, and how it is asked.
const PACKAGE: &str = "duckdb==2.0.1";
const SCRIPT: &str = include_str!("answers.py");
const WINDOWS: &str = "windows-security.ndjson.zst";
const DATASET: &str = "windows";

const COUNTS: [(&str, &str); 6] = [
    ("needle", r#""fddc55f3-b938-5f8f-4c00-000000000400" | stats count()"#),
    ("absent", "zzqxabsent | stats count()"),
    ("phrase", r#""Network connection detected" | stats count()"#),
    ("substring", "_message:*mimikatz* | stats count()"),
    ("equal", "Channel:Security EventID:4624 | stats count()"),
    ("distinct", "* | stats distinct(Image)"),
];
const GROUPS: [(&str, &str); 5] = [
    ("by-channel", "* | stats count() by Channel"),
    ("by-event", "* | stats count() as n by EventID | sort -n | limit 10"),
    ("top-high", "* | stats count() as n by ProcessGuid | sort -n | limit 10"),
    ("by-day", "* | stats count() by 1d"),
    ("word-by-day", "powershell | stats count() by 1d, Hostname"),
];
const NEWEST: [(&str, &str); 2] = [("latest", "*"), ("latest-where", "EventID:4688")];
const NEWEST_EVENTS: u64 = 100;
/// Ledgerline's own names in an event, which the sender did not send.
const OURS: [&str; 8] = [
    "_time",
    "_received",
    "_id",
    "_seq",
    "_severity",
    "_severity_number",
    "_message",
    "_time_flag",
];

/// The folder of real logs.
fn samples() -> Option<PathBuf> {
    let folder = std::env::var_os("LEDGERLINE_SAMPLES").map(PathBuf::from);
    let folder = folder.filter(|folder| folder.join(WINDOWS).is_file());
    if folder.is_none() {
        skip(TRIAL, format_args!("LEDGERLINE_SAMPLES names no folder with {WINDOWS}"));
    }
    folder
}

#[test]
fn the_thirteen_queries_answer_as_the_raw_file_does() -> Result<()> {
    let raw = match number("LEDGERLINE_ANSWERS_FULL") {
        Some(_) => samples().map(|samples| samples.join(WINDOWS)),
        None => Some(demo(WINDOWS)),
    };
    let Some(raw) = raw else { return Ok(()) };
    let Some(python) = python_with(PACKAGE) else {
        skip(TRIAL, format_args!("pip cannot install {PACKAGE}"));
        return Ok(());
    };
    let place = Place::new()?;
    let expected = expected(&python, &raw)?;
    let half = place.join("half.ndjson.zst");
    halve(&raw, &half)?;
    let node = launch(&place.join("data")).start()?;
    for (name, file) in [("alpha", &raw), ("beta", &half)] {
        let tenant = node.tenant(name)?;
        let sent = node.send(&tenant, DATASET, &[file])?;
        ensure!(sent.is_success, "{name}: not every event was acknowledged");
        check(&node, &tenant, &expected[name]).with_context(|| name.to_owned())?;
        let lines = &expected[name]["lines"];
        report(format_args!("answers: {name}: {lines} events, 13 of 13 queries equal"));
    }
    node.stop().map(drop)
}

/// What DuckDB computes from the raw file.
fn expected(python: &Path, raw: &Path) -> Result<Value> {
    let output = Command::new(python).args(["-c", SCRIPT]).arg(raw).output()?;
    let wrong = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "the script failed: {wrong}");
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// Writes every second line of a file into another.
fn halve(all: &Path, half: &Path) -> Result<()> {
    let lines = BufReader::new(zstd::Decoder::new(fs::File::open(all)?)?).split(b'\n');
    let mut half = BufWriter::new(zstd::Encoder::new(fs::File::create(half)?, 1)?);
    for line in lines.skip(1).step_by(2) {
        half.write_all(&[line?.as_slice(), b"\n"].concat())?;
    }
    half.into_inner().map_err(|error| error.into_error())?.finish()?;
    Ok(())
}

/// Asks everything, and tells all that differs.
fn check(node: &Node, tenant: &Tenant, expected: &Value) -> Result<()> {
    let mut faults = Vec::new();
    let mut look = |name: &str, result: Result<()>| {
        if let Err(fault) = result {
            faults.push(format!("{name}: {fault:#}"));
        }
    };
    let lines = node.analyse(tenant, DATASET, "* | stats count()");
    look("lines", lines.and_then(|answer| same_count(&answer, &expected["lines"])));
    for (name, query) in COUNTS {
        let answer = node.analyse(tenant, DATASET, query);
        look(name, answer.and_then(|answer| same_count(&answer, &expected["counts"][name])));
    }
    for (name, query) in GROUPS {
        let answer = node.analyse(tenant, DATASET, query);
        look(name, answer.and_then(|answer| same_groups(&answer, &expected["groups"][name])));
    }
    for (name, query) in NEWEST {
        let answer = node.search(tenant, DATASET, query, NEWEST_EVENTS);
        look(name, answer.and_then(|answer| same_newest(&answer, &expected["newest"][name])));
    }
    ensure!(faults.is_empty(), "{}", faults.join("\n"));
    Ok(())
}

fn is_complete(answer: &Value) -> Result<()> {
    ensure!(answer["stats"]["complete"] == true, "not complete: {}", answer["stats"]);
    Ok(())
}

fn same_count(answer: &Value, expected: &Value) -> Result<()> {
    is_complete(answer)?;
    let count = first_number(answer)?;
    ensure!(expected == count, "{count}, not {expected}");
    Ok(())
}

/// Groups are equal when each has its count and, where only the largest are asked for, none that is
/// left out is larger.
fn same_groups(answer: &Value, expected: &Value) -> Result<()> {
    is_complete(answer)?;
    let expected = expected.as_object().context("no groups")?;
    let rows = answer["rows"].as_array().context("no rows")?;
    let columns = answer["columns"].as_array().context("no columns")?;
    let is_limited = columns.iter().any(|column| column == "n");
    let mut largest: Vec<u64> = expected.values().filter_map(Value::as_u64).collect();
    largest.sort_unstable_by(|a, b| b.cmp(a));
    if is_limited {
        largest.truncate(10);
    }
    let mut found = Vec::new();
    let mut seen = BTreeSet::new();
    for row in rows {
        let (count, keys) =
            row.as_array().and_then(|row| row.split_last()).context("an empty row")?;
        let key = group_key(keys)?;
        let is_right = expected.get(&key).is_some_and(|expected| expected == count);
        ensure!(is_right, "{key} has {count}, not {:?}", expected.get(&key));
        ensure!(seen.insert(key.clone()), "{key} is there twice");
        found.extend(count.as_u64());
    }
    let is_sorted = found.is_sorted_by(|a, b| a >= b);
    ensure!(!is_limited || is_sorted, "not sorted: {found:?}");
    found.sort_unstable_by(|a, b| b.cmp(a));
    ensure!(found == largest, "the counts are {found:?}, not {largest:?}");
    Ok(())
}

/// The key of a group as the script writes it: a day, a value, or a day and a value.
fn group_key(keys: &[Value]) -> Result<String> {
    let day = |value: &Value| {
        let text = value.as_str()?;
        let is_midnight = text[10..].trim_end_matches('Z').chars().all(|c| "T0:.".contains(c));
        is_midnight.then(|| text[..10].to_owned())
    };
    Ok(match keys {
        [key] if is_time(key) => day(key).context("a day does not begin at midnight")?,
        [key] => key.to_string(),
        [start, key] => {
            let start = day(start).context("a day does not begin at midnight")?;
            format!("[\"{start}\", {key}]")
        }
        _ => bail!("keys {keys:?}"),
    })
}

fn is_time(value: &Value) -> bool {
    value.as_str().is_some_and(|text| text.len() >= 20 && text.as_bytes()[10] == b'T')
}

fn same_newest(answer: &Value, expected: &Value) -> Result<()> {
    is_complete(answer)?;
    let events = answer["data"].as_array().context("no data")?;
    let of = |name: &str| {
        let events = expected[name].as_array().context("no events")?;
        Ok::<_, anyhow::Error>(events.iter().map(fields).collect::<Vec<_>>())
    };
    let (mut certain, mut last) = (of("certain")?, of("last")?);
    ensure!(expected["length"] == events.len(), "{} of {}", events.len(), expected["length"]);
    for event in events.iter().map(fields) {
        let taken = [&mut certain, &mut last].into_iter().any(|from| {
            let at = from.iter().position(|expected| same_event(expected, &event));
            at.map(|at| from.swap_remove(at)).is_some()
        });
        ensure!(taken, "not among the newest, or not as it was sent: {}", Value::from(event));
    }
    ensure!(certain.is_empty(), "{} events are missing, such as {:?}", certain.len(), certain[0]);
    let times: Vec<_> = events.iter().map(|event| event["_time"].as_str()).collect();
    ensure!(times.is_sorted_by(|a, b| a >= b), "not the newest first");
    Ok(())
}

/// What the sender sent. A field that is null says nothing.
fn fields(event: &Value) -> Map<String, Value> {
    let fields = event.as_object().cloned().unwrap_or_default();
    let kept = |(name, value): &(String, Value)| !OURS.contains(&name.as_str()) && !value.is_null();
    fields.into_iter().filter(kept).collect()
}

fn same_event(a: &Map<String, Value>, b: &Map<String, Value>) -> bool {
    let same = |(name, value)| b.get(name).is_some_and(|other| same_value(value, other));
    a.len() == b.len() && a.iter().all(same)
}

fn same_value(a: &Value, b: &Value) -> bool {
    a == b || a.is_number() && b.is_number() && a.as_f64() == b.as_f64()
}

#[test]
fn other_logs_are_recognised_without_configuration() -> Result<()> {
    let Some(samples) = samples() else { return Ok(()) };
    let place = Place::new()?;
    let node = launch(&place.join("data")).start()?;
    let alpha = node.tenant("alpha")?;
    for (file, dataset, time_key) in
        [("cloudtrail.ndjson.zst", "cloudtrail", "eventTime"), ("zeek.ndjson.zst", "zeek", "ts")]
    {
        let path = samples.join(file);
        ensure!(node.send(&alpha, dataset, &[&path])?.is_success, "{file} was not acknowledged");
        let raw = BufReader::new(zstd::Decoder::new(fs::File::open(&path)?)?);
        let lines = raw.split(b'\n').count();
        let events = all(&node, &alpha, dataset, json!([time_key, "_time"]))?;
        ensure!(events.len() == lines, "{file}: {} events of {lines}", events.len());
        for event in &events {
            let sent = event[time_key].as_str().with_context(|| format!("{file}: {event}"))?;
            let time = event["_time"].as_str().unwrap_or_default();
            let sent = sent.trim_end_matches('Z');
            ensure!(time.starts_with(sent), "{file}: {sent} is taken for {time}");
        }
        report(format_args!("answers: {file}: {lines} events, every time recognised"));
    }
    for entry in fs::read_dir(samples.join("loghub"))? {
        text_is_recognised(&node, &alpha, &entry?.path())?;
    }
    node.stop().map(drop)
}

/// Every line is the message of an event, and a time that stands at its start is the event's.
fn text_is_recognised(node: &Node, tenant: &Tenant, path: &Path) -> Result<()> {
    let name = path.file_stem().context("a name")?.to_string_lossy().to_ascii_lowercase();
    ensure!(node.send(tenant, &name, &[path])?.is_success, "{name} was not acknowledged");
    let text = fs::read_to_string(path)?;
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    let mut messages = BTreeMap::<&str, i64>::new();
    lines.clone().for_each(|line| *messages.entry(line.trim_end()).or_default() += 1);
    let events = all(node, tenant, &name, json!(["_message", "_time", "_received"]))?;
    let count = lines.count();
    ensure!(events.len() == count, "{name}: {} events of {count}", events.len());
    let mut timed = 0;
    for event in &events {
        let message = event["_message"].as_str().unwrap_or_default().trim_end();
        let left = messages.get_mut(message).with_context(|| format!("{name}: {message:?}"))?;
        *left -= 1;
        let day = |key: &str| event[key].as_str().map(|time| time[..10].to_owned());
        timed += usize::from(day("_time") != day("_received"));
    }
    ensure!(messages.values().all(|left| *left == 0), "{name}: other lines than were sent");
    report(format_args!("answers: {name}: {count} events, {timed} times recognised"));
    // Lines that go on from the one before have no time of their own.
    ensure!(timed * 100 >= count * 99, "{name}: only {timed} of {count} times are recognised");
    Ok(())
}

/// Every event of a dataset, page by page.
fn all(node: &Node, tenant: &Tenant, dataset: &str, fields: Value) -> Result<Vec<Value>> {
    let mut events = Vec::new();
    let mut body = json!({"dataset": dataset, "query": "*", "limit": 10_000, "fields": fields});
    loop {
        let mut answer = node.posted("/api/v1/search", &tenant.key, &body)?;
        is_complete(&answer)?;
        if let Value::Array(page) = answer["data"].take() {
            events.extend(page);
        }
        if answer["page"]["has_more"] != true {
            return Ok(events);
        }
        body["cursor"] = answer["page"]["next_cursor"].take();
    }
}
