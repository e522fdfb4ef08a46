//! `ledgerline serve`.

use clap::Args;
use ledgerline_server::{OPERATOR, environment};

use crate::failure::{Failure, Outcome};
use crate::node::Node;
use crate::output::Output;
use crate::settings::Flags;

const HELP: &str = "\
Examples:
  ledgerline serve --data /var/lib/ledgerline --listen 127.0.0.1:8080
  LEDGERLINE_OPERATOR_PASSWORD=… ledgerline serve --config /etc/ledgerline.toml

Flags win over the environment, the environment over the file, the file over the defaults;
`ledgerline config` prints what holds. The first start makes the operator's login, with
LEDGERLINE_OPERATOR_PASSWORD or a random password that is printed this once. The log goes to
standard error.

Exit code: 0 after Ctrl-C or TERM, when everything is in segments; 1 when it cannot start, or the
disk failed; 130 when a second Ctrl-C did not let it finish, which loses nothing.";

/// Run the server.
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(crate) struct Arguments {
    #[command(flatten)]
    flags: Flags,
}

/// Runs the command.
pub(crate) fn run(arguments: Arguments) -> Result<Outcome, Failure> {
    let (config, _) = arguments.flags.resolve()?;
    let is_given = config.operator_password.is_some();
    let node = Node::start(config)?;
    let mut output = Output::open();
    output.line(format_args!("ledgerline serves {}", node.url()))?;
    if let Some(password) = node.server().operator_password() {
        output.line(match is_given {
            true => format!("operator: {OPERATOR}, password: {}", environment::OPERATOR_PASSWORD),
            false => format!("operator: {OPERATOR}, password (shown this once): {password}"),
        })?;
    }
    output.flush()?;
    drop(output);
    node.run()
}
