//! The command line: `serve`, `send`, `search`, `tail`, `admin`, `bench`, `config`, `demo`,
//! `verify` and `witness`.
//!
//! This room speaks to a server over HTTP as any other client does, or starts one; it never
//! touches a tenant's files itself.

mod admin;
mod api;
mod arguments;
mod bench;
mod client;
mod clock;
mod config;
mod connection;
mod demo;
mod failure;
mod files;
mod node;
mod output;
mod printable;
mod search;
mod send;
mod serve;
mod settings;
mod size;
mod stop;
mod tail;
mod verify;
mod witness;

use std::process::ExitCode;

use clap::Parser;

use crate::arguments::{Arguments, Command};
use crate::failure::{Failure, Outcome};

/// Runs the command that the process's arguments name, and says how it went.
#[must_use]
pub fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(usage) => {
            drop(usage.print());
            return ExitCode::from(u8::try_from(usage.exit_code()).unwrap_or(failure::USAGE));
        }
    };
    match run(arguments.command) {
        Ok(code) => ExitCode::from(code),
        Err(failure) => {
            failure.print();
            ExitCode::from(failure.code())
        }
    }
}

fn run(command: Command) -> Result<Outcome, Failure> {
    match command {
        Command::Serve(arguments) => serve::run(arguments),
        Command::Demo(arguments) => demo::run(arguments),
        Command::Send(arguments) => send::run(&arguments),
        Command::Search(arguments) => search::run(&arguments),
        Command::Tail(arguments) => tail::run(&arguments),
        Command::Admin(arguments) => admin::run(&arguments),
        Command::Bench(arguments) => bench::run(&arguments),
        Command::Config(arguments) => config::run(arguments),
        Command::Verify(arguments) => verify::run(arguments),
        Command::Witness(arguments) => witness::run(arguments),
    }
}
