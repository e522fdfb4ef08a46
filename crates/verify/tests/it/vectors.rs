//! The vectors in `spec/vectors/ledger`: as they are made here, and as the verifier judges them.
//! With `UPDATE_GOLDEN=1` they are written instead of compared.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use crate::cases::{Case, Cases};

/// Where the vectors are.
pub(crate) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../spec/vectors/ledger")
}

/// The command line of a case.
pub(crate) fn arguments(case: &Case, folder: &Path) -> Vec<OsString> {
    let (command, files) = case.arguments.split_first().expect("a command");
    let mut arguments = vec![OsString::from(command)];
    arguments.extend(files.iter().map(|file| folder.join(file).into_os_string()));
    arguments.push("--policy".into());
    arguments.push(folder.join(case.policy).into_os_string());
    arguments
}

/// The list of the cases, a line for each.
fn list(cases: &[Case]) -> String {
    let lines = cases.iter().map(|case| {
        let (name, code) = (&case.name, case.code);
        let arguments = serde_json::to_string(&case.arguments).expect("texts");
        format!(
            "{{\"name\":\"{name}\",\"arguments\":{arguments},\"policy\":\"{}\",\"code\":{code}}}",
            case.policy
        )
    });
    format!("[\n{}\n]\n", lines.collect::<Vec<_>>().join(",\n"))
}

fn read_all(folder: &Path, prefix: &str, into: &mut BTreeMap<String, Vec<u8>>) {
    for child in fs::read_dir(folder).expect("the vectors are there") {
        let child = child.expect("it can be listed");
        let name = format!("{prefix}{}", child.file_name().to_string_lossy());
        if child.path().is_dir() {
            read_all(&child.path(), &format!("{name}/"), into);
        } else {
            into.insert(name, fs::read(child.path()).expect("it can be read"));
        }
    }
}

#[test]
fn the_vectors_are_as_they_are_made() {
    let Cases { cases, mut files, .. } = Cases::all();
    files.insert("vectors.json".to_owned(), list(&cases).into_bytes());
    let folder = folder();
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        drop(fs::remove_dir_all(&folder));
        for (path, bytes) in &files {
            let path = folder.join(path);
            fs::create_dir_all(path.parent().expect("a folder")).expect("it can be made");
            fs::write(path, bytes).expect("it can be written");
        }
    }
    let mut stored = BTreeMap::new();
    read_all(&folder, "", &mut stored);
    let names = |files: &BTreeMap<String, Vec<u8>>| files.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&stored), names(&files));
    for (name, bytes) in &files {
        assert!(stored[name] == *bytes, "{name} is another file than is made");
    }
}

#[test]
fn the_verifier_judges_the_vectors_as_they_say() {
    let folder = folder();
    let wrong: Vec<String> = Cases::all()
        .cases
        .iter()
        .filter_map(|case| {
            let outcome = ledgerline_verify::run(arguments(case, &folder));
            (outcome.code != case.code).then(|| {
                format!("{}: {} is not {}: {}", case.name, outcome.code, case.code, outcome.text)
            })
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
