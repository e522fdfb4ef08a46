//! Settings: what was written, and where; and what it means.
//!
//! Flags win over the environment, the environment over the file, the file over the defaults.

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use figment::Figment;
use figment::providers::{Env, Format as _, Serialized, Toml};
use serde::{Deserialize, Serialize};

use crate::cosigning::WitnessAddress;
use crate::environment;

/// What was written in one place: everything may be absent.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "`environment::SETTINGS` says what each means, once")]
pub struct Settings {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<PathBuf>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub archive: Option<PathBuf>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub listen: Option<SocketAddr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metrics_listen: Option<SocketAddr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log_level: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log_format: Option<LogFormat>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connections_max: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trusted_proxies: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ingest_inflight_bytes: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memtable_bytes: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memtable_bytes_per_tenant: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache_bytes: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub journal_reserve_bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tenant_bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ledger_host: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ledger_anchor: Option<PathBuf>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ledger_witnesses: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub query_memory_bytes: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub query_timeout_seconds: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub query_concurrency: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub query_concurrency_per_tenant: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub flush_interval_seconds: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub compact_interval_seconds: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expire_interval_seconds: Option<u64>,
}

/// How logs are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    Text,
    /// For programs: an object a line.
    Json,
}

/// What the settings mean.
#[derive(Debug, Clone)]
pub struct Config {
    /// The folder that holds everything.
    pub data: PathBuf,
    /// The folder that old segments are moved to, if any.
    pub archive: Option<PathBuf>,
    /// The address of the API; port 0 takes any.
    pub listen: SocketAddr,
    /// The address of `/metrics`; port 0 takes any.
    pub metrics_listen: SocketAddr,
    /// How much is logged, as `tracing_subscriber::EnvFilter` reads it.
    pub log_level: String,
    /// How logs are written.
    pub log_format: LogFormat,
    /// How many connections may be open at once.
    pub connections_max: usize,
    /// The proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpAddr>,
    /// How many bytes of events may be between the door and the journal.
    pub ingest_inflight_bytes: usize,
    /// How many bytes of events may be in memory and in no segment.
    pub memtable_bytes: usize,
    /// One tenant's share of them, beyond which its events are flushed.
    pub memtable_bytes_per_tenant: usize,
    /// How many bytes opened pieces of segments may take.
    pub cache_bytes: usize,
    /// How many bytes of the disk are left free.
    pub journal_reserve_bytes: u64,
    /// How many bytes the segments of one tenant may take; 0 is no limit.
    pub tenant_bytes: u64,
    /// The host in the names of ledgers.
    pub ledger_host: String,
    /// The folder to which checkpoints of ledgers are copied, if any.
    pub ledger_anchor: Option<PathBuf>,
    /// The witnesses that are asked to cosign checkpoints.
    pub ledger_witnesses: Vec<WitnessAddress>,
    /// What one query may use.
    pub query: ledgerline_query::Limits,
    /// How many queries run at once.
    pub query_concurrency: usize,
    /// How many queries of one tenant run at once.
    pub query_concurrency_per_tenant: usize,
    /// How often background work is done.
    pub intervals: Intervals,
    /// How control records are kept.
    pub tenancy: ledgerline_tenancy::Options,
    /// The operator's password at the first start.
    pub operator_password: Option<Secret>,
}

/// How often tenants are tried again that did not open.
const REVIVE_EVERY: Duration = Duration::from_secs(30);

/// How often background work is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Intervals {
    /// How long events stay out of segments.
    pub flush: Duration,
    /// How often segments are merged.
    pub compact: Duration,
    /// How often events beyond their retention are looked for.
    pub expire: Duration,
    /// How often tenants are tried again that did not open.
    pub revive: Duration,
}

/// A text that is never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(pub String);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret")
    }
}

/// Where a setting comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// The command line.
    Flag,
    /// The environment.
    Environment,
    /// The TOML file.
    File,
    /// Nobody said anything.
    Default,
}

impl std::fmt::Display for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Flag => "flag",
            Self::Environment => "environment",
            Self::File => "file",
            Self::Default => "default",
        })
    }
}

/// One setting as it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explained {
    /// Its name in the TOML file.
    pub name: &'static str,
    /// What it means.
    pub about: &'static str,
    /// Its value.
    pub value: String,
    /// Where the value comes from.
    pub origin: Origin,
}

const MIB: usize = 1 << 20;

impl Settings {
    /// What holds when nobody says anything.
    #[must_use]
    pub fn defaults() -> Self {
        Self::defaults_beside(&Self::default())
    }

    /// The defaults, where they depend on what was written.
    fn defaults_beside(written: &Self) -> Self {
        let local = |port| SocketAddr::from(([127, 0, 0, 1], port));
        let cores = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
        let query_concurrency = written.query_concurrency.unwrap_or(cores.max(4));
        Self {
            data: Some(PathBuf::from("data")),
            listen: Some(local(8080)),
            metrics_listen: Some(local(9464)),
            log_level: Some("info".to_owned()),
            log_format: Some(LogFormat::Text),
            connections_max: Some(4096),
            trusted_proxies: Some(String::new()),
            ingest_inflight_bytes: Some(256 * MIB),
            memtable_bytes: Some(256 * MIB),
            memtable_bytes_per_tenant: Some(64 * MIB),
            cache_bytes: Some(64 * MIB),
            journal_reserve_bytes: Some(256 << 20),
            tenant_bytes: Some(0),
            ledger_host: Some("localhost".to_owned()),
            archive: Some(PathBuf::new()),
            ledger_anchor: Some(PathBuf::new()),
            ledger_witnesses: Some(String::new()),
            query_memory_bytes: Some(256 * MIB),
            query_timeout_seconds: Some(60),
            query_concurrency: Some(query_concurrency),
            // One tenant never has every place.
            query_concurrency_per_tenant: Some((query_concurrency / 2).max(1)),
            flush_interval_seconds: Some(30),
            compact_interval_seconds: Some(15),
            expire_interval_seconds: Some(600),
        }
    }
}

/// Reads the settings from everywhere: the flags that are given here, the environment, and the TOML
/// file, if one is named here or in `LEDGERLINE_CONFIG`.
///
/// # Errors
/// What is wrong, and where it was written.
pub fn resolve(flags: &Settings, file: Option<&Path>) -> Result<(Config, Vec<Explained>)> {
    let from_environment = std::env::var_os(environment::CONFIG).map(PathBuf::from);
    let file = file.map(Path::to_owned).or(from_environment);
    let names: Vec<&str> = environment::SETTINGS.iter().map(|(name, _)| *name).collect();
    let in_file = match &file {
        Some(path) if !path.is_file() => bail!("there is no file {}", path.display()),
        Some(path) => Figment::from(Toml::file_exact(path)),
        None => Figment::new(),
    };
    let in_environment = Figment::from(Env::prefixed(environment::PREFIX).only(&names));
    let in_flags = Figment::from(Serialized::defaults(flags));
    let written = Figment::new().merge(&in_file).merge(&in_environment).merge(&in_flags);
    let settings = with_defaults(written.extract().context("a setting is invalid")?)?;

    let values = serde_json::to_value(&settings).context("a setting cannot be written")?;
    let origin = |name| match () {
        () if in_flags.contains(name) => Origin::Flag,
        () if in_environment.contains(name) => Origin::Environment,
        () if in_file.contains(name) => Origin::File,
        () => Origin::Default,
    };
    let text = |name: &str| match &values[name] {
        serde_json::Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let explained = environment::SETTINGS.iter().map(|&(name, about)| Explained {
        name,
        about,
        value: text(name),
        origin: origin(name),
    });
    let explained = explained.collect();
    let mut config = Config::from_settings(settings)?;
    config.operator_password = std::env::var(environment::OPERATOR_PASSWORD).ok().map(Secret);
    Ok((config, explained))
}

impl Config {
    /// What settings mean; the defaults stand in for what they do not say.
    ///
    /// # Errors
    /// Which setting makes no sense.
    pub fn from_settings(settings: Settings) -> Result<Self> {
        let s = with_defaults(settings)?;
        let absent = |name: &'static str| move || anyhow::anyhow!("the setting {name} is absent");
        macro_rules! positive {
            ($name:ident) => {{
                let value = s.$name.with_context(|| absent(stringify!($name))().to_string())?;
                if value == 0 {
                    bail!("the setting {} must be more than 0", stringify!($name));
                }
                value
            }};
        }
        let query_concurrency = positive!(query_concurrency);
        let query_concurrency_per_tenant = positive!(query_concurrency_per_tenant);
        if query_concurrency > 1 && query_concurrency_per_tenant >= query_concurrency {
            bail!(
                "the setting query_concurrency_per_tenant must be less than query_concurrency, \
                 which is {query_concurrency}: one tenant could have every place"
            );
        }
        Ok(Self {
            connections_max: positive!(connections_max),
            trusted_proxies: addresses(s.trusted_proxies.as_deref().unwrap_or_default())?,
            tenant_bytes: s.tenant_bytes.unwrap_or(0),
            ledger_host: s.ledger_host.ok_or_else(absent("ledger_host"))?,
            archive: s.archive.filter(|folder| !folder.as_os_str().is_empty()),
            ledger_anchor: s.ledger_anchor.filter(|folder| !folder.as_os_str().is_empty()),
            ledger_witnesses: witnesses(s.ledger_witnesses.as_deref().unwrap_or_default())?,
            ingest_inflight_bytes: positive!(ingest_inflight_bytes),
            memtable_bytes: positive!(memtable_bytes),
            memtable_bytes_per_tenant: positive!(memtable_bytes_per_tenant),
            cache_bytes: positive!(cache_bytes),
            journal_reserve_bytes: s.journal_reserve_bytes.unwrap_or(0),
            query: ledgerline_query::Limits {
                timeout: Duration::from_secs(positive!(query_timeout_seconds)),
                memory_bytes: positive!(query_memory_bytes),
                ..ledgerline_query::Limits::default()
            },
            query_concurrency,
            query_concurrency_per_tenant,
            intervals: Intervals {
                flush: Duration::from_secs(positive!(flush_interval_seconds)),
                compact: Duration::from_secs(positive!(compact_interval_seconds)),
                expire: Duration::from_secs(positive!(expire_interval_seconds)),
                revive: REVIVE_EVERY,
            },
            tenancy: ledgerline_tenancy::Options {
                access_seconds: 900,
                refresh_seconds: 30 * 86_400,
                argon2_kib: 19_456,
            },
            operator_password: None,
            data: s.data.ok_or_else(absent("data"))?,
            listen: s.listen.ok_or_else(absent("listen"))?,
            metrics_listen: s.metrics_listen.ok_or_else(absent("metrics_listen"))?,
            log_level: s.log_level.ok_or_else(absent("log_level"))?,
            log_format: s.log_format.ok_or_else(absent("log_format"))?,
        })
    }
}

/// What was written, and the defaults for the rest.
fn with_defaults(written: Settings) -> Result<Settings> {
    let all = Figment::from(Serialized::defaults(Settings::defaults_beside(&written)));
    all.merge(Serialized::defaults(written)).extract().context("a setting is invalid")
}

/// Witnesses with commas between, each `VKEY URL`.
fn witnesses(text: &str) -> Result<Vec<WitnessAddress>> {
    let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
    let witness = |part: &str| part.parse::<WitnessAddress>().map_err(anyhow::Error::msg);
    parts.map(witness).collect::<Result<_>>().context("the setting ledger_witnesses")
}

/// Addresses with commas between.
fn addresses(text: &str) -> Result<Vec<IpAddr>> {
    let texts = text.split(',').map(str::trim).filter(|text| !text.is_empty());
    let address = |text: &str| -> Result<IpAddr> {
        let address: IpAddr = text.parse().with_context(|| {
            format!("the setting trusted_proxies has {text:?}, which is no address")
        })?;
        Ok(address.to_canonical())
    };
    texts.map(address).collect()
}

#[cfg(test)]
mod tests;
