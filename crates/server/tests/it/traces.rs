//! Looking for a value in all that lies in a tenant's folder, as who has the folder and every key
//! that is left can.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ledgerline_journal::{Apply, Committed, Options, Position, Start, TenantJournal};
use ledgerline_model::batch::Values;
use ledgerline_model::id::TenantId;
use ledgerline_model::time::Timestamp;
use ledgerline_policy::{Job, upkeep};
use ledgerline_store::column::{Data, ValueRef};
use ledgerline_store::part::{Part, Place};
use ledgerline_store::tenant::TenantStore;
use ledgerline_store::{Compacted, Horizon};
use ledgerline_world::{BlobPath, Chance, Clock, DataDir, SystemClock, TenantBlobs};
use parking_lot::Mutex;

/// What was found.
#[derive(Debug, Default)]
pub(crate) struct Traces {
    /// Where the value is.
    pub(crate) found: Vec<String>,
    /// What does not open.
    pub(crate) closed: Vec<String>,
    /// How many sealed files were read.
    pub(crate) opened: usize,
}

/// Every file below a folder.
pub(crate) fn files(folder: &Path) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() { all.extend(files(&path)) } else { all.push(path) }
    }
    all
}

/// Copies a folder as it is at this moment. What is gone meanwhile is left out.
pub(crate) fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a new folder");
    for entry in fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("an entry");
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        if source.is_dir() { copy(&source, &target) } else { drop(fs::copy(source, target)) }
    }
}

/// The folder of a tenant.
pub(crate) fn folder(data: &Path, tenant: &str) -> PathBuf {
    data.join("tenants").join(tenant)
}

/// The ids of the sealed files in a folder, by which their keys are known.
pub(crate) fn object_ids(folder: &Path) -> BTreeSet<Vec<u8>> {
    files(folder).iter().filter_map(|file| object_id(file)).collect()
}

/// The id of a sealed file; nothing for another file.
pub(crate) fn object_id(file: &Path) -> Option<Vec<u8>> {
    let bytes = fs::read(file).expect("a file");
    let is_sealed = bytes.starts_with(b"LLO1") || bytes.starts_with(b"LLG1");
    is_sealed.then(|| bytes[8..24].to_vec())
}

/// Where the archive of a data folder is, in tests.
pub(crate) fn archive(data: &Path) -> PathBuf {
    data.join("archive")
}

/// A data folder that no server has open.
pub(crate) fn open(data: &Path, tenant: &str) -> Result<(TenantBlobs, Chance), String> {
    let chance = Chance::system();
    let archive = Some(archive(data)).filter(|archive| archive.exists());
    let options = ledgerline_world::Options { archive, ..ledgerline_world::Options::default() };
    let dir = DataDir::open(data, chance.clone(), options);
    let dir = dir.map_err(|error| error.to_string())?;
    let blobs = dir.blobs(&upkeep(id(tenant), Job::Recover));
    Ok((blobs.map_err(|error| error.to_string())?, chance))
}

fn id(tenant: &str) -> TenantId {
    tenant.parse().expect("a tenant's id")
}

/// Looks for a value in a tenant's folder. It is a copy that is looked at: nothing is changed, and
/// a server may have the folder open.
pub(crate) fn traces(data: &Path, tenant: &str, value: &str) -> Traces {
    let place = tempfile::tempdir().expect("a folder");
    copy(data, place.path());
    let mut traces = Traces::default();
    let folder = folder(place.path(), tenant);
    let archived = archive(place.path()).join(tenant);
    let archived = if archived.exists() { files(&archived) } else { Vec::new() };
    for file in files(&folder).into_iter().chain(archived) {
        let bytes = fs::read(&file).expect("a file");
        let name = file.strip_prefix(place.path()).expect("below it").display().to_string();
        traces.look(&format!("the bytes of {name}"), &bytes, value);
    }
    match open(place.path(), tenant) {
        Ok((blobs, chance)) => {
            objects(&mut traces, &blobs, &folder, value);
            segments(&mut traces, &blobs, chance.clone(), value);
            journal(&mut traces, blobs, chance, value);
        }
        Err(error) => traces.closed.push(format!("the folder: {error}")),
    }
    traces
}

impl Traces {
    fn look(&mut self, place: &str, bytes: &[u8], value: &str) {
        let lower = value.to_lowercase();
        let is_in = |value: &str| {
            bytes.windows(value.len()).any(|window| window.eq_ignore_ascii_case(value.as_bytes()))
        };
        if is_in(&lower) {
            self.found.push(place.to_owned());
        }
    }
}

/// Every sealed file, all bytes.
fn objects(traces: &mut Traces, blobs: &TenantBlobs, folder: &Path, value: &str) {
    for file in files(folder).iter().filter(|file| object_id(file).is_some()) {
        let name = file.strip_prefix(folder).expect("below it").display().to_string();
        let name = name.strip_suffix(".archived").unwrap_or(&name);
        let is_object = fs::read(file).expect("a file").starts_with(b"LLO1");
        match read(blobs, name, is_object) {
            Ok(bytes) => {
                traces.opened += 1;
                traces.look(&format!("the object {name}"), &bytes, value);
            }
            Err(error) => traces.closed.push(format!("{name}: {error}")),
        }
    }
}

/// The bytes of an object; of a log, whose frames the journal decodes, only whether it opens.
pub(crate) fn read(blobs: &TenantBlobs, name: &str, is_object: bool) -> Result<Vec<u8>, String> {
    let path = BlobPath::parse(name).map_err(|error| error.to_string())?;
    if is_object {
        return blobs.get(&path).map_err(|error| error.to_string());
    }
    blobs.open_log(&path).map(|_| Vec::new()).map_err(|error| error.to_string())
}

/// Every segment, decoded.
fn segments(traces: &mut Traces, blobs: &TenantBlobs, chance: Chance, value: &str) {
    let scope = upkeep(blobs.tenant(), Job::Recover);
    let store = match TenantStore::open(&scope, blobs.clone(), chance) {
        Ok(store) => store,
        Err(error) => return traces.closed.push(format!("the store: {error}")),
    };
    for (dataset, _) in store.start().next_seqs {
        match store.snapshot_for(&scope, dataset) {
            Ok(snapshot) => {
                for (number, part) in snapshot.parts().iter().enumerate() {
                    let about = format!("part {number} of dataset {}", dataset.0);
                    if let Err(error) = look_in(traces, &about, part, value) {
                        traces.closed.push(format!("{about}: {error}"));
                    }
                }
            }
            Err(error) => traces.closed.push(format!("dataset {}: {error}", dataset.0)),
        }
    }
}

fn look_in(
    traces: &mut Traces,
    about: &str,
    part: &Part,
    value: &str,
) -> ledgerline_store::error::Result<()> {
    let all = [0..part.rows()];
    for (number, head) in part.columns().iter().enumerate() {
        let place = format!("{about}, column {}", head.name);
        traces.look(&place, head.name.as_bytes(), value);
        if let Some(dictionary) = part.dictionary(number)? {
            look_at(traces, &format!("{place}, dictionary"), &dictionary.values, value);
        }
        let column = part.column(number, &all)?;
        if let Data::Plain(values) = &column.data {
            look_at(traces, &place, values, value);
        }
        for at in 0..column.rows.len() {
            if let ValueRef::Str(text) | ValueRef::Json(text) = column.value(at) {
                traces.look(&format!("{place}, value {at}"), text.as_bytes(), value);
            }
        }
    }
    for evidence in part.evidence(&all)? {
        let place = format!("{about}, evidence of row {}", evidence.row);
        traces.look(&place, evidence.payload.as_bytes(), value);
    }
    let mut words = Vec::new();
    let place = part.words(|word| {
        words.push(word.to_vec());
        false
    })?;
    assert_eq!(place, Place::Nowhere, "no word was wanted");
    assert!(!words.is_empty(), "a segment of texts has words");
    words.iter().for_each(|word| traces.look(&format!("{about}, its words"), word, value));
    Ok(())
}

fn look_at(traces: &mut Traces, place: &str, values: &Values, value: &str) {
    if let Values::Str(texts) | Values::Json(texts) = values {
        texts.iter().for_each(|text| traces.look(place, text, value));
    }
}

/// Takes every commit that a journal hands out.
#[derive(Debug, Default)]
struct Taken(Mutex<Vec<Committed>>);

impl Apply for Taken {
    fn apply(&self, committed: Committed) {
        self.0.lock().push(committed);
    }
}

/// Every commit of the journal's files.
fn journal(traces: &mut Traces, blobs: TenantBlobs, chance: Chance, value: &str) {
    let scope = upkeep(blobs.tenant(), Job::Recover);
    let taken = Arc::new(Taken::default());
    let begins = match TenantJournal::begins(&scope, &blobs) {
        Ok(begins) => begins.unwrap_or(Position(0)),
        Err(error) => return traces.closed.push(format!("the journal: {error}")),
    };
    let start = Start { applied: begins, next_seqs: Vec::new() };
    let options = Options { reserve_bytes: 0, ..Options::default() };
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let apply = Arc::clone(&taken) as Arc<dyn Apply>;
    let opened = TenantJournal::open(&scope, blobs, (clock, chance), options, start, apply);
    // Also when it does not open to its end: what it handed out before is read.
    for committed in taken.0.lock().iter() {
        let about = format!("commit {} of the journal", committed.position().0);
        for column in committed.batch().columns() {
            let place = format!("{about}, column {}", column.name());
            traces.look(&place, column.name().as_bytes(), value);
            look_at(traces, &place, column.values(), value);
        }
    }
    if let Err(error) = opened {
        traces.closed.push(format!("the journal: {error}"));
    }
}

/// Merges what can be merged in the folder of a tenant that no server has open.
pub(crate) fn compact(data: &Path, tenant: &str) -> Compacted {
    let (blobs, chance) = open(data, tenant).expect("it opens");
    let store = TenantStore::open(&upkeep(id(tenant), Job::Compact), blobs, chance);
    let now = Horizon::at(SystemClock::new().now());
    store.expect("it opens").compact(&upkeep(id(tenant), Job::Compact), &now).expect("merged")
}

/// Moves everything to the archive in the folder of a tenant that no server has open, however new
/// it is. Says how many segments that were.
pub(crate) fn move_to_archive(data: &Path, tenant: &str) -> usize {
    let (blobs, chance) = open(data, tenant).expect("it opens");
    let scope = upkeep(id(tenant), Job::Archive);
    let store = TenantStore::open(&scope, blobs, chance).expect("it opens");
    let datasets = store.start().next_seqs;
    let next = |dataset| store.archive_next(&scope, dataset, Timestamp(i64::MAX)).expect("moved");
    datasets.iter().map(|(dataset, _)| std::iter::from_fn(|| next(*dataset)).count()).sum()
}
