//! Settings of the server as flags. The environment and the file are the server's own to read.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;
use ledgerline_server::config::{self, Config, Explained, LogFormat, Settings};

use crate::failure::{Failure, USAGE};

/// Flags that win over the environment, which wins over the file, which wins over the defaults.
#[derive(Debug, Args)]
pub(crate) struct Flags {
    /// A TOML file of settings; also LEDGERLINE_CONFIG.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The folder that holds everything; also LEDGERLINE_DATA.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// The address of the API; also LEDGERLINE_LISTEN.
    #[arg(long, value_name = "HOST:PORT")]
    listen: Option<SocketAddr>,
    /// The address of /metrics, not to be reached by tenants; also LEDGERLINE_METRICS_LISTEN.
    #[arg(long, value_name = "HOST:PORT")]
    metrics_listen: Option<SocketAddr>,
    /// How much is logged: error, warn, info, debug or trace; also LEDGERLINE_LOG_LEVEL.
    #[arg(long, value_name = "LEVEL")]
    log_level: Option<String>,
    /// How it is logged: text or json; also LEDGERLINE_LOG_FORMAT.
    #[arg(long, value_name = "FORMAT", value_parser = log_format)]
    log_format: Option<LogFormat>,
    /// Any setting, by its name; may be given several times. `ledgerline config` has the names.
    #[arg(long = "set", value_name = "NAME=VALUE", value_parser = setting)]
    others: Vec<toml::Table>,
}

fn log_format(text: &str) -> Result<LogFormat, String> {
    match text {
        "text" => Ok(LogFormat::Text),
        "json" => Ok(LogFormat::Json),
        _ => Err("text or json".into()),
    }
}

/// Reads `name=value`; a value that is not TOML is a text.
fn setting(text: &str) -> Result<toml::Table, String> {
    let (name, value) = text.split_once('=').ok_or("a setting is NAME=VALUE")?;
    let quoted = toml::Value::from(value).to_string();
    let table = |value: &str| format!("{name} = {value}").parse::<toml::Table>();
    table(value).or_else(|_| table(&quoted)).map_err(|error| error.message().to_owned())
}

impl Flags {
    /// What holds, and where each setting comes from.
    pub(crate) fn resolve(self) -> Result<(Config, Vec<Explained>), Failure> {
        let file = self.config.clone();
        let resolved = config::resolve(&self.settings()?, file.as_deref());
        resolved.map_err(|error| {
            Failure::new(format!("{error:#}"))
                .hint("`ledgerline config` prints every setting and where it comes from")
        })
    }

    fn settings(self) -> Result<Settings, Failure> {
        let others = self.others.into_iter().fold(toml::Table::new(), |mut all, one| {
            all.extend(one);
            all
        });
        let others: Settings = others.try_into().map_err(|error: toml::de::Error| {
            Failure::new(format!("--set: {}", error.message())).with_code(USAGE)
        })?;
        Ok(Settings {
            data: self.data.or(others.data),
            listen: self.listen.or(others.listen),
            metrics_listen: self.metrics_listen.or(others.metrics_listen),
            log_level: self.log_level.or(others.log_level),
            log_format: self.log_format.or(others.log_format),
            ..others
        })
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        flags: Flags,
    }

    fn settings(arguments: &[&str]) -> Result<Settings, Failure> {
        Line::parse_from([&["x"], arguments].concat()).flags.settings()
    }

    #[test]
    fn any_setting_can_be_a_flag() {
        let arguments =
            ["--listen", "127.0.0.1:1", "--set", "query_concurrency=7", "--set", "log_level=debug"];
        let settings = settings(&arguments).expect("good settings");
        assert_eq!(settings.listen, "127.0.0.1:1".parse().ok());
        assert_eq!(settings.query_concurrency, Some(7));
        assert_eq!(settings.log_level.as_deref(), Some("debug"));
    }

    #[test]
    fn an_unknown_setting_is_refused() {
        let failure = settings(&["--set", "colour=blue"]).expect_err("there is none");
        assert!(failure.message().contains("colour"), "{}", failure.message());
        assert!(setting("no value").is_err());
    }
}
