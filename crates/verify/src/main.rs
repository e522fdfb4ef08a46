//! The program `ledgerline-verify`.

#![forbid(unsafe_code)]

use std::io::Write;
use std::process::ExitCode;

fn main() -> ExitCode {
    let outcome = ledgerline_verify::run(std::env::args_os().skip(1));
    // Who closes the output early still gets the code.
    drop(std::io::stdout().write_all(outcome.text.as_bytes()));
    ExitCode::from(outcome.code)
}
