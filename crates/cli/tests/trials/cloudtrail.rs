//! The real records of CloudTrail live the whole life of audit events: they come in as the files
//! that CloudTrail delivers, are found, amended, erased and exported, and two verifiers check all
//! of it with nothing but files.

mod offline;
mod raw;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use flate2::Compression;
use flate2::write::GzEncoder;
use ledgerline_bench::{Node, Tenant};
use serde_json::{Value, json};

use self::offline::Offline;
use self::raw::{FILTERS, Records};
use crate::audit::first_number;
use crate::place::{Place, binary, launch, report};

const DATASET: &str = "audit";
/// CloudTrail puts a few hundred records into a file; here more than the server takes at once.
const FILE_RECORDS: usize = 1_200;
const PAGE_EVENTS: usize = 1_000;
/// What is amended, and what is erased.
const AMENDED: usize = 7;
const ERASED: usize = 11;

#[test]
fn real_records_of_cloudtrail_live_the_whole_life_of_audit_events() -> Result<()> {
    let place = Place::new()?;
    let records = Records::read()?;
    let files = delivered(&records, &place)?;
    let node = launch(&place.join("data")).start()?;
    let tenant = node.tenant("alpha")?;
    let trial = Trial { node, tenant, records, offline: Offline::new(&place.join("files"))? };
    trial.load(&files)?;
    trial.find(&BTreeSet::new())?;
    let before = trial.checkpoint("before")?;
    trial.amend()?;
    trial.erase()?;
    let erased = BTreeSet::from([trial.records.id(ERASED)]);
    trial.find(&erased)?;
    trial.export(&erased)?;
    trial.verify(&before)?;
    report(format_args!(
        "cloudtrail: {} records, {} filters as in the raw file, amended, erased and exported; {}",
        trial.records.all.len(),
        FILTERS.len(),
        trial.offline
    ));
    trial.node.stop().map(drop)
}

/// The records in files as CloudTrail delivers them.
fn delivered(records: &Records, place: &Place) -> Result<Vec<PathBuf>> {
    let parts = records.all.chunks(FILE_RECORDS).enumerate();
    let files = parts.map(|(number, part)| {
        let path = place.join(&format!("123837392027_CloudTrail_us-east-1_{number}.json.gz"));
        let mut file = GzEncoder::new(fs::File::create(&path)?, Compression::fast());
        file.write_all(json!({"Records": part}).to_string().as_bytes())?;
        file.finish()?;
        Ok(path)
    });
    files.collect()
}

struct Trial {
    node: Node,
    tenant: Tenant,
    records: Records,
    offline: Offline,
}

impl Trial {
    /// Every record is stored, and a second time none is.
    fn load(&self, files: &[PathBuf]) -> Result<()> {
        let count = self.records.all.len();
        let events = format!("{},{:03} events, ", count / 1_000, count % 1_000);
        let said = self.send(files)?;
        ensure!(said.contains(&events) && said.ends_with(" acknowledged\n"), "{said}");
        let said = self.send(files)?;
        let all = format!("{},{:03} of them stored before\n", count / 1_000, count % 1_000);
        ensure!(said.contains(&events) && said.ends_with(&all), "{said}");
        let stats = self.get("/api/v1/logs/stats?by=action&limit=1000")?;
        ensure!(stats["total"] == count, "{stats}");
        let mut groups = BTreeMap::new();
        for group in stats["groups"].as_array().context("no groups")? {
            let key = group["key"].as_str().context("no key")?;
            groups.insert(key.to_owned(), group["count"].as_u64().context("no count")?);
        }
        ensure!(groups == self.records.actions(), "the actions are counted as {groups:?}");
        Ok(())
    }

    fn send(&self, files: &[PathBuf]) -> Result<String> {
        let output = Command::new(binary())
            .args(["send", "--format", "cloudtrail", "--dataset", DATASET])
            .args(["--url", self.node.url(), "--key", &self.tenant.key])
            .args(files)
            .output()?;
        let said = String::from_utf8(output.stderr)?;
        ensure!(output.status.success(), "{said}");
        Ok(said)
    }

    /// Every filter finds the records that it finds in the raw file, but for those that are erased.
    fn find(&self, erased: &BTreeSet<String>) -> Result<()> {
        for filter in &FILTERS {
            let mut expected = self.records.ids(filter);
            ensure!(!expected.is_empty(), "{} finds nothing in the raw file", filter.query);
            expected.retain(|id| !erased.contains(id));
            let found = self.listed(filter.query)?;
            let differing: Vec<&String> = expected.symmetric_difference(&found).take(3).collect();
            let counts = (found.len(), expected.len());
            ensure!(differing.is_empty(), "{}: {counts:?}, {differing:?}", filter.query);
            let stats = self.get(&format!("/api/v1/logs/stats?by=action&{}", filter.query))?;
            ensure!(stats["total"] == expected.len(), "{}: {stats}", filter.query);
        }
        Ok(())
    }

    /// The ids of all that a filter finds, page by page.
    fn listed(&self, query: &str) -> Result<BTreeSet<String>> {
        let mut ids = BTreeSet::new();
        let mut cursor = String::new();
        loop {
            let page = format!("/api/v1/logs?fields=action&limit={PAGE_EVENTS}&{query}{cursor}");
            let page = self.get(&page)?;
            for event in page["data"].as_array().context("no data")? {
                let id = event["id"].as_str().context("no id")?;
                ensure!(ids.insert(id.to_owned()), "{query}: {id} is listed twice");
            }
            if page["page"]["has_more"] != true {
                return Ok(ids);
            }
            let next = page["page"]["next_cursor"].as_str().context("more, and no cursor")?;
            cursor = format!("&cursor={next}");
        }
    }

    fn amend(&self) -> Result<()> {
        let path = format!("/api/v1/logs/{}", self.records.id(AMENDED));
        let said = json!({
            "severity": "CRITICAL", "note": "seen", "metadata": {"case": 7, "cloudtrail": null},
        });
        let done = self.ask("PATCH", &path, &said)?;
        ensure!(done.0 == 200, "{} {}", done.0, done.1);
        let event = self.get(&format!("{path}?history=true"))?;
        ensure!(
            event["severity"] == "CRITICAL" && event["metadata"] == json!({"case": 7}),
            "{event}"
        );
        ensure!(event["history"].as_array().is_some_and(|history| history.len() == 1), "{event}");
        Ok(())
    }

    fn erase(&self) -> Result<()> {
        let path = format!("/api/v1/logs/{}", self.records.id(ERASED));
        let done = self.ask("DELETE", &path, &json!({"reason": "ticket 4711"}))?;
        ensure!(done.0 == 200, "{} {}", done.0, done.1);
        let gone = self.ask("GET", &path, &Value::Null)?;
        ensure!(gone.0 == 410, "an erased event answers {} {}", gone.0, gone.1);
        Ok(())
    }

    /// Every format has every event that is not erased.
    fn export(&self, erased: &BTreeSet<String>) -> Result<()> {
        let mut expected: BTreeSet<String> =
            (0..self.records.all.len()).map(|at| self.records.id(at)).collect();
        expected.retain(|id| !erased.contains(id));
        let export = |format| self.fetch(&format!("/api/v1/logs/export?format={format}"));
        let id = |event: &Value| Some(event["id"].as_str()?.to_owned());
        let json: Vec<Value> = serde_json::from_slice(&export("json")?)?;
        let lines = serde_json::Deserializer::from_slice(&export("ndjson")?)
            .into_iter()
            .collect::<serde_json::Result<Vec<Value>>>()?;
        for (format, events) in [("json", &json), ("ndjson", &lines)] {
            let ids: BTreeSet<String> = events.iter().filter_map(id).collect();
            let is_whole = events.len() == expected.len() && ids == expected;
            ensure!(is_whole, "{format} has {} of {} events", events.len(), expected.len());
        }
        let rows = raw::csv_rows(&export("csv")?);
        ensure!(rows == expected.len() + 1, "CSV has {rows} rows with its head");
        Ok(())
    }

    /// The newest checkpoint, in a file.
    fn checkpoint(&self, name: &str) -> Result<PathBuf> {
        // To ask for a proof has the ledger signed as far as that.
        let last = self.last()?;
        self.fetch(&format!("/api/v1/ledger/proof/inclusion?seq={last}"))?;
        self.offline.keep(name, &self.fetch("/api/v1/ledger/checkpoint")?)
    }

    /// The number of the last entry.
    fn last(&self) -> Result<u64> {
        first_number(&self.node.analyse(&self.tenant, DATASET, "* | stats max(_seq)")?)
    }

    /// Both verifiers say of every file what it is.
    fn verify(&self, before: &Path) -> Result<()> {
        let keep = |name: &str, path: &str| self.offline.keep(name, &self.fetch(path)?);
        keep("policy", "/api/v1/ledger/policy")?;
        let after = self.checkpoint("after")?;
        for (at, code) in [(AMENDED, 0), (AMENDED + 1, 0), (ERASED, 5)] {
            let path = format!("/api/v1/logs/{}?proof=true&history=true", self.records.id(at));
            let (_, body) = self.ask("GET", &path, &Value::Null)?;
            let event = self.offline.keep("event.json", body.as_bytes())?;
            self.offline.expect(code, "event", &[&event])?;
        }
        let id = self.records.id(AMENDED + 1);
        let body = String::from_utf8(self.fetch(&format!("/api/v1/logs/{id}?proof=true"))?)?;
        let forged = body.replacen("us-east-1", "us-west-1", 1);
        ensure!(forged != body, "there is nothing to change in {body}");
        let forged = self.offline.keep("forged.json", forged.as_bytes())?;
        self.offline.expect(3, "event", &[&forged])?;
        let (old, new) = (offline::size(before)?, offline::size(&after)?);
        let bundle = "/api/v1/logs/export?format=bundle";
        let range = keep("range.tar", &format!("{bundle}&from_seq=0&to_seq={}", new - 1))?;
        self.offline.expect(0, "export", &[&range])?;
        let filter = keep("filter.tar", &format!("{bundle}&{}", FILTERS[0].query))?;
        self.offline.expect(0, "export", &[&filter])?;
        let proof = format!("/api/v1/ledger/proof/consistency?from={old}&to={new}");
        let proof = keep("proof", &proof)?;
        self.offline.expect(0, "consistency", &[before, &after, &proof])?;
        let ledger = self.offline.mirror(&after, |path| self.fetch(path))?;
        self.offline.expect(0, "ledger", &[&ledger])
    }

    fn get(&self, path: &str) -> Result<Value> {
        Ok(serde_json::from_slice(&self.fetch(path)?)?)
    }

    fn fetch(&self, path: &str) -> Result<Vec<u8>> {
        self.node.client().get_bytes(path, &self.tenant.token)
    }

    /// The status and the body of an answer.
    fn ask(&self, method: &str, path: &str, body: &Value) -> Result<(u16, String)> {
        let authorization = format!("Bearer {}", self.tenant.token);
        let mut headers = vec![("authorization", authorization.as_str())];
        let body = if body.is_null() { String::new() } else { body.to_string() };
        if !body.is_empty() {
            headers.push(("content-type", "application/json"));
        }
        let reply = self.node.client().request(method, path, &headers, body.as_bytes())?;
        Ok((reply.status, reply.body))
    }
}
