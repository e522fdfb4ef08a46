//! The command line.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use ledgerline_ledger::policy::{POLICY_BYTES_MAX, Policy};
use ledgerline_ledger::{Error, ErrorKind, Result};

use crate::consistency::{Pair, consistency};
use crate::directory::ledger;
use crate::event::{BODY_BYTES_MAX, event};
use crate::export::export;
use crate::files::{DiskFolder, open, read};
use crate::outcome::Outcome;

/// How the command is used.
pub const USAGE: &str = "\
Checks what a Ledgerline server answered, offline.

usage: ledgerline-verify event FILE --policy FILE
       ledgerline-verify export FILE --policy FILE
       ledgerline-verify consistency OLD NEW PROOF --policy FILE
       ledgerline-verify ledger DIR --policy FILE

event        the answer of GET /api/v1/logs/{id}?proof=true
export       a bundle, as an export makes it
consistency  two checkpoints and the hashes between them, one a line
ledger       a folder with the checkpoint, the tiles and the entries, as they are served
--policy     whose signatures count (c2sp.org/tlog-policy)

exit code    0 sound               2 signature or policy    3 not included
             4 inconsistent        5 included and erased    6 incomplete
             64 input that cannot be used
";

/// Runs a command line, without the program's name.
#[must_use]
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> Outcome {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    if arguments.iter().any(|argument| argument == "--help" || argument == "-h") {
        return Outcome::sound(USAGE.to_owned());
    }
    match parse(arguments) {
        Some((command, policy)) => perform(&command, &policy).into(),
        None => Outcome::unusable(USAGE),
    }
}

enum Command {
    Event(PathBuf),
    Export(PathBuf),
    Consistency { old: PathBuf, new: PathBuf, proof: PathBuf },
    Ledger(PathBuf),
}

fn parse(arguments: Vec<OsString>) -> Option<(Command, PathBuf)> {
    let mut words: Vec<PathBuf> = Vec::new();
    let mut policy = None;
    let mut arguments = arguments.into_iter();
    while let Some(argument) = arguments.next() {
        if argument != "--policy" {
            words.push(argument.into());
        } else if policy.replace(PathBuf::from(arguments.next()?)).is_some() {
            return None;
        }
    }
    let (command, words) = words.split_first()?;
    let command = match (command.to_str()?, words) {
        ("event", [file]) => Command::Event(file.clone()),
        ("export", [file]) => Command::Export(file.clone()),
        ("consistency", [old, new, proof]) => {
            Command::Consistency { old: old.clone(), new: new.clone(), proof: proof.clone() }
        }
        ("ledger", [folder]) => Command::Ledger(folder.clone()),
        _ => return None,
    };
    Some((command, policy?))
}

fn perform(command: &Command, policy: &Path) -> Result<Outcome> {
    let policy = Policy::parse(&read_named(policy, POLICY_BYTES_MAX)?)?;
    Ok(match command {
        Command::Event(path) => event(&read_named(path, BODY_BYTES_MAX)?, &policy),
        Command::Export(path) => match open(path) {
            Ok(file) => export(file, &policy),
            Err(error) => Outcome::unusable(format_args!("{}: {error}", path.display())),
        },
        Command::Consistency { old, new, proof } => {
            let small = |path: &Path| read_named(path, POLICY_BYTES_MAX);
            let (old, new, proof) = (small(old)?, small(new)?, small(proof)?);
            consistency(Pair { old: &old, new: &new, proof: &proof }, &policy)
        }
        Command::Ledger(path) => ledger(&DiskFolder(path.clone()), &policy),
    })
}

/// Reads a file that a person named, so that must be there.
fn read_named(path: &Path, bytes_max: usize) -> Result<Vec<u8>> {
    let missing = || Error::new(ErrorKind::Malformed, format!("{} is not there", path.display()));
    read(path, bytes_max)?.ok_or_else(missing)
}
