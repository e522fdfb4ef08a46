//! The second verifier, in Python.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::cases::Cases;
use crate::vectors;

/// The second verifier, where there is a Python to run it.
pub(crate) struct Python {
    script: PathBuf,
}

impl Python {
    /// Finds it; says so in a line when there is no Python.
    #[expect(clippy::print_stderr, reason = "a test that is left out says so")]
    pub(crate) fn find() -> Option<Self> {
        let script = Path::new(env!("CARGO_MANIFEST_DIR"));
        let script = script.join("../../spec/verify/ledgerline_verify.py");
        let version = Command::new("python3").arg("--version").output();
        if version.is_ok_and(|output| output.status.success()) {
            return Some(Self { script });
        }
        eprintln!("left out: there is no python3 for the second verifier");
        None
    }

    fn command(&self) -> Command {
        let mut command = Command::new("python3");
        command.arg("-B").arg(&self.script);
        command
    }

    /// Runs command lines in one process and answers their codes. `folder` takes the list.
    pub(crate) fn batch<T: AsRef<str>>(&self, folder: &Path, lines: &[impl AsRef<[T]>]) -> Vec<u8> {
        let line =
            |line: &[T]| line.iter().map(AsRef::as_ref).collect::<Vec<_>>().join("\t") + "\n";
        let list: String = lines.iter().map(|words| line(words.as_ref())).collect();
        let path = folder.join("batch.list");
        fs::write(&path, list).expect("it can be written");
        let output = self.command().arg("batch").arg(&path).output().expect("it runs");
        let (text, errors) = (String::from_utf8(output.stdout), output.stderr);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&errors));
        let text = text.expect("codes");
        let codes: Vec<u8> = text.lines().map(|code| code.parse().expect("a code")).collect();
        assert_eq!(codes.len(), lines.len());
        codes
    }
}

#[test]
fn the_other_verifier_judges_the_vectors_as_they_say() {
    let Some(python) = Python::find() else { return };
    let folder = vectors::folder();
    let cases = Cases::all().cases;
    let words = |case| -> Vec<String> {
        let arguments = vectors::arguments(case, &folder).into_iter();
        arguments.map(|word| word.into_string().expect("a text")).collect()
    };
    let lines: Vec<Vec<String>> = cases.iter().map(words).collect();
    let scratch = tempfile::tempdir().expect("a folder");
    let codes = python.batch(scratch.path(), &lines);
    let wrong: Vec<String> = (cases.iter().zip(codes))
        .filter(|(case, code)| case.code != *code)
        .map(|(case, code)| format!("{}: {code} is not {}", case.name, case.code))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_other_verifier_has_the_same_command_line() {
    let Some(python) = Python::find() else { return };
    let folder = vectors::folder();
    let path = |name: &str| folder.join(name);
    let code = |arguments: &[&Path]| {
        let output = python.command().args(arguments).output().expect("it runs");
        let ours = ledgerline_verify::run(arguments.iter().map(|word| word.into()));
        let code = output.status.code().expect("it ends by itself");
        assert_eq!(code, i32::from(ours.code), "{arguments:?}: {}", ours.text);
        code
    };
    let [event, policy] = ["event", "--policy"].map(Path::new);
    let (body, rules) = (path("event-sound.json"), path("policy.txt"));
    assert_eq!(code(&[event, &body, policy, &rules]), 0);
    assert_eq!(code(&[policy, &rules, event, &body]), 0);
    assert_eq!(code(&[event, &path("event-erased.json"), policy, &rules]), 5);
    assert_eq!(code(&[event, &path("event-seq-changed.json"), policy, &rules]), 3);
    assert_eq!(code(&[event, &path("not-there.json"), policy, &rules]), 64);
    assert_eq!(code(&[event, &body, policy, &path("not-there.txt")]), 64);
    assert_eq!(code(&[event, &body]), 64);
    assert_eq!(code(&[event, &body, policy]), 64);
    assert_eq!(code(&[event, &body, policy, &rules, policy, &rules]), 64);
    assert_eq!(code(&[event, policy, &rules]), 64);
    assert_eq!(code(&[event, &body, &body, policy, &rules]), 64);
    assert_eq!(code(&[Path::new("other"), &body, policy, &rules]), 64);
    assert_eq!(code(&[Path::new("export"), &path("not-there.tar"), policy, &rules]), 64);
    assert_eq!(code(&[Path::new("ledger"), &path("not-there"), policy, &rules]), 6);
    assert_eq!(code(&[]), 64);
    assert_eq!(code(&[Path::new("--help")]), 0);
}
