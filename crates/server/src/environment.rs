//! Every environment variable that the server reads, each with what it means. A setting can also
//! stand in the TOML file, under the name without `LEDGERLINE_`, in lower case.

/// What all of them begin with.
pub const PREFIX: &str = "LEDGERLINE_";

/// Where the TOML file of settings lies. There is none by default.
pub const CONFIG: &str = "LEDGERLINE_CONFIG";
/// The operator's password at the first start; a random one is made and printed when it is not set.
/// Never a setting, so that it is never written to a file or printed.
pub const OPERATOR_PASSWORD: &str = "LEDGERLINE_OPERATOR_PASSWORD";

/// A setting's name in the TOML file, and what it means.
pub type Setting = (&'static str, &'static str);

/// The settings, in the order in which `ledgerline config` prints them.
pub const SETTINGS: [Setting; 24] = [
    ("data", "the folder that holds everything"),
    ("archive", "a folder on slower storage that old events are moved to, if any"),
    ("listen", "the address of the API"),
    ("metrics_listen", "the address of /metrics, not to be reached by tenants"),
    ("log_level", "how much is logged: error, warn, info, debug or trace, also per module"),
    ("log_format", "how it is logged: text or json"),
    ("connections_max", "how many connections may be open at once"),
    ("trusted_proxies", "the addresses of proxies whose X-Forwarded-For is believed, with commas"),
    ("ingest_inflight_bytes", "how much memory events may take between the door and the journal"),
    ("memtable_bytes", "how much memory events may take that are not in segments yet"),
    ("memtable_bytes_per_tenant", "the share of one tenant, beyond which its events are flushed"),
    ("cache_bytes", "how much memory opened pieces of segments may take"),
    ("journal_reserve_bytes", "how much of the disk is left free"),
    ("tenant_bytes", "how much of the disk the segments of one tenant may take; 0 is no limit"),
    ("ledger_host", "the host in the names of ledgers, which verifiers trust; never to be changed"),
    ("ledger_anchor", "a folder elsewhere to which the checkpoints of ledgers are copied, if any"),
    ("ledger_witnesses", "who is asked to cosign checkpoints: VKEY URL, with commas between"),
    ("query_memory_bytes", "how much memory one query may take"),
    ("query_timeout_seconds", "how long one query may take"),
    ("query_concurrency", "how many queries run at once"),
    ("query_concurrency_per_tenant", "how many of these one tenant has; half when it is not set"),
    ("flush_interval_seconds", "how long events stay out of segments"),
    ("compact_interval_seconds", "how often segments are merged"),
    ("expire_interval_seconds", "how often events beyond their retention are looked for"),
];
