//! Every limit of the platform, each with its reason.

/// The longest event, as its decoded text. Larger ones are almost always a mistake, and one of them
/// would hold back the thousands of events beside it.
pub const EVENT_BYTES_MAX: usize = 1 << 20;
/// The largest request body after decompression.
pub const BATCH_BYTES_MAX: usize = 64 << 20;
/// The most memory that the events of a body may take while they are decoded. Real logs take about
/// as much as they are long; bodies of millions of tiny events or keys take many times that.
pub const BATCH_MEMORY_MAX: usize = 4 * BATCH_BYTES_MAX;
/// The most different keys that the events of one batch may have together: each has a cost of its
/// own, however few events have it.
pub const BATCH_KEYS_MAX: usize = 100_000;
/// How much a body may grow when decompressed, against decompression bombs.
pub const DECOMPRESSION_RATIO_MAX: usize = 200;
/// How much a body may always decompress to, whatever its ratio: a short body is no bomb.
pub const DECOMPRESSION_GRACE_BYTES: usize = 1 << 20;
/// The largest window that a zstd frame may ask for, as a power of two (8 MiB). Source: RFC 9659.
pub const ZSTD_WINDOW_LOG_MAX: u32 = 23;
/// The most keys of one event, counted after nested objects are flattened.
pub const EVENT_KEYS_MAX: usize = 10_000;
/// The deepest nesting of one event.
pub const EVENT_DEPTH_MAX: usize = 64;
/// The longest key, dots included.
pub const KEY_BYTES_MAX: usize = 1024;
/// The longest id that a sender may give to an event.
pub const ID_BYTES_MAX: usize = 255;
/// How many rejected events an answer names.
pub const REJECTS_NAMED_MAX: usize = 20;
/// The longest `Idempotency-Key`.
pub const IDEMPOTENCY_KEY_BYTES_MAX: usize = 255;
/// How long a key of a request or an event is remembered, in nanoseconds.
pub const DEDUPE_WINDOW_NS: i64 = 24 * 3600 * 1_000_000_000;
/// The most keys of requests that are remembered for one tenant; the oldest go first. About 60 MB.
pub const DEDUPE_KEYS_MAX: usize = 500_000;
/// The most ids of events that are remembered for one tenant, likewise, and never at the cost of
/// keys. About 70 MB.
pub const DEDUPE_IDS_MAX: usize = 2_000_000;
/// Event times further ahead of the receipt than this are flagged (1 day).
pub const FUTURE_NS_MAX: i64 = 24 * 3600 * 1_000_000_000;
/// Event times further behind the receipt than this are flagged (10 years).
pub const PAST_NS_MAX: i64 = 10 * 365 * 24 * 3600 * 1_000_000_000;
/// The longest query text.
pub const QUERY_BYTES_MAX: usize = 64 << 10;
/// The most tokens of a query.
pub const QUERY_TOKENS_MAX: usize = 5_000;
/// The most nodes of a query's tree.
pub const QUERY_NODES_MAX: usize = 2_000;
/// The deepest nesting of a query.
pub const QUERY_DEPTH_MAX: usize = 50;
/// The most joins of a SQL query.
pub const QUERY_JOINS_MAX: usize = 8;
/// The longest list after `IN`.
pub const QUERY_LIST_MAX: usize = 1_000;
/// The longest regular expression.
pub const REGEX_BYTES_MAX: usize = 1 << 10;
/// The most memory a compiled regular expression may take.
pub const REGEX_SIZE_MAX: usize = 1 << 20;
/// The most regular expressions of a query, which bounds the memory of all of them.
pub const QUERY_REGEXES_MAX: usize = 32;
/// The most events one page of a search may ask for.
pub const SEARCH_PAGE_MAX: usize = 10_000;
/// The most events before and after, for context around an event.
pub const CONTEXT_EVENTS_MAX: usize = 1_000;
/// The most bars of a histogram.
pub const HISTOGRAM_BARS_MAX: usize = 10_000;
/// The most datasets of one tenant.
pub const DATASETS_MAX: usize = 1_000;
