//! `ledgerline verify`: checks offline what a server answered.

use std::ffi::OsString;

use crate::failure::{Failure, Outcome};
use crate::output::Output;

/// What is checked, and by what.
#[derive(Debug, clap::Args)]
#[command(disable_help_flag = true)]
pub(crate) struct Arguments {
    /// `event FILE`, `export FILE`, `consistency OLD NEW PROOF` or `ledger DIR`, and
    /// `--policy FILE` whose signatures count; `--help` says more.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, required = true)]
    words: Vec<OsString>,
}

pub(crate) fn run(arguments: Arguments) -> Result<Outcome, Failure> {
    let checked = ledgerline_verify::run(arguments.words);
    let mut output = Output::open();
    output.line(checked.text.replace("ledgerline-verify", "ledgerline verify").trim_end())?;
    output.flush()?;
    Ok(checked.code)
}
