//! The command line as a whole.

use clap::{Parser, Subcommand};

use crate::{admin, bench, config, demo, search, send, serve, tail, verify, witness};

const ENVIRONMENT: &str = "\
Environment:
  LEDGERLINE_URL, LEDGERLINE_KEY   where the server is and who asks, for send, search, tail, bench
  LEDGERLINE_…                     settings of the server: see `ledgerline config`
  NO_COLOR                         no colours, whatever the output is

Exit codes: 0 done; 1 failed, or some events were rejected; 2 the command line is wrong;
3 `admin` found something; 130 ended by Ctrl-C. `verify` has codes of its own.";

/// A multi-tenant audit and log platform: server and client in one program.
#[derive(Debug, Parser)]
#[command(name = "ledgerline", version, after_help = ENVIRONMENT, propagate_version = true)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run the server.
    Serve(serve::Arguments),
    /// Run the server with a demo tenant and real sample events in it.
    Demo(demo::Arguments),
    /// Send events from files.
    Send(send::Arguments),
    /// Search events, or analyse them with pipes.
    Search(search::Arguments),
    /// Print new events as they come.
    Tail(tail::Arguments),
    /// Look after a data folder, and make tenants, users and keys.
    Admin(admin::Arguments),
    /// Put a server under load and print what it does.
    Bench(bench::Arguments),
    /// Print every setting of the server, its value and where it comes from.
    Config(config::Arguments),
    /// Check offline what a server answered: an event, an export, a ledger.
    Verify(verify::Arguments),
    /// Cosign the checkpoints of ledgers, as another party than who runs them.
    Witness(witness::Arguments),
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Arguments::command().debug_assert();
    }
}
