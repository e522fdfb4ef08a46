//! `ledgerline config`.

use clap::Args;
use ledgerline_server::config::Explained;
use ledgerline_server::environment;

use crate::failure::{DONE, Failure, Outcome};
use crate::output::{Colour, Output};
use crate::settings::Flags;

const HELP: &str = "\
Examples:
  ledgerline config
  ledgerline config --config /etc/ledgerline.toml

Prints each setting as a line of TOML with where its value comes from (flag, environment, file or
default) and what it means; the output can be used as a file. In the environment a setting is
LEDGERLINE_ and its name in capital letters. LEDGERLINE_OPERATOR_PASSWORD is never printed.

Exit code: 0; 1 when a setting is wrong.";

/// Print every setting of the server, its value and where it comes from.
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(crate) struct Arguments {
    #[command(flatten)]
    flags: Flags,
}

/// Runs the command.
pub(crate) fn run(arguments: Arguments) -> Result<Outcome, Failure> {
    let (config, explained) = arguments.flags.resolve()?;
    let mut output = Output::open();
    let palette = output.palette();
    let width = explained.iter().map(|setting| line(setting).len()).max().unwrap_or(0);
    for setting in &explained {
        let line = line(setting);
        let origin = palette.paint(Colour::Yellow, &format!("{:11}", setting.origin.to_string()));
        let about = palette.paint(Colour::Dim, setting.about);
        output.line(format_args!("{line:width$}  # {origin}  {about}"))?;
    }
    let password = match config.operator_password {
        Some(_) => "is set",
        None => "is not set",
    };
    output.line(format_args!("# {} {password}", environment::OPERATOR_PASSWORD))?;
    output.flush()?;
    Ok(DONE)
}

fn line(setting: &Explained) -> String {
    let is_number = setting.value.parse::<i64>().is_ok();
    let value = match is_number {
        true => setting.value.clone(),
        false => toml::Value::from(setting.value.as_str()).to_string(),
    };
    format!("{} = {value}", setting.name)
}
