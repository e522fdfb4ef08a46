"""Runs the benchmark's load and queries in ClickHouse, embedded through `chdb`, on the same file.

Prints one JSON object: CPU seconds and seconds to load (merges included), bytes on disk, peak
memory, and for each query its answer, its first time and its best of five, in milliseconds.

Usage: run.py EVENTS.ndjson.zst FOLDER
"""

import json
import os
import resource
import sys
import time

import chdb.session

TABLE = """
CREATE TABLE events (
    time DateTime64(9), host LowCardinality(String), channel LowCardinality(String),
    message String CODEC(ZSTD(1)), rest Map(LowCardinality(String), String) CODEC(ZSTD(1)),
    INDEX words lower(message) TYPE tokenbf_v1(32768, 3, 0) GRANULARITY 1
) ENGINE = MergeTree ORDER BY (channel, host, time)
"""

LOAD = """
INSERT INTO events
SELECT parseDateTime64BestEffort(JSONExtractString(json, '@timestamp'), 9),
    JSONExtractString(json, 'Hostname'), JSONExtractString(json, 'Channel'),
    JSONExtractString(json, 'Message'),
    CAST(arrayFilter(pair -> pair.1 NOT IN ('@timestamp', 'Hostname', 'Channel', 'Message'),
        arrayMap(pair -> (pair.1, trim(BOTH '"' FROM pair.2)), JSONExtractKeysAndValuesRaw(json))),
        'Map(LowCardinality(String), String)')
FROM file('{path}', 'JSONAsString', 'json String')
"""

GUID = "fddc55f3-b938-5f8f-4c00-000000000400"
NEEDLE = " AND ".join(f"hasToken(lower(message), '{part}')" for part in GUID.split("-"))
PHRASE = "Network connection detected"
WORDS = " AND ".join(f"hasToken(lower(message), '{word}')" for word in PHRASE.lower().split())

QUERIES = {
    "needle": f"SELECT count() FROM events WHERE {NEEDLE} AND position(lower(message), '{GUID}') > 0",
    "absent": "SELECT count() FROM events WHERE hasToken(lower(message), 'zzqxabsent')",
    "phrase": f"SELECT count() FROM events WHERE {WORDS} AND positionCaseInsensitive(message, '{PHRASE}') > 0",
    "substring": "SELECT count() FROM events WHERE positionCaseInsensitive(message, 'mimikatz') > 0",
    "equal": "SELECT count() FROM events WHERE channel = 'Security' AND rest['EventID'] = '4624'",
    "latest": "SELECT * FROM events ORDER BY time DESC LIMIT 100",
    "latest-where": "SELECT * FROM events WHERE rest['EventID'] = '4688' ORDER BY time DESC LIMIT 100",
    "by-channel": "SELECT channel, count() FROM events GROUP BY channel",
    "by-event": "SELECT rest['EventID'] AS e, count() AS n FROM events GROUP BY e ORDER BY n DESC LIMIT 10",
    "top-high": "SELECT rest['ProcessGuid'] AS p, count() AS n FROM events GROUP BY p ORDER BY n DESC LIMIT 10",
    "distinct": "SELECT uniqExact(rest['Image']) FROM events WHERE mapContains(rest, 'Image')",
    "by-day": "SELECT toStartOfDay(time) AS d, count() FROM events GROUP BY d ORDER BY d",
    "word-by-day": "SELECT toStartOfDay(time) AS d, host, count() FROM events "
    "WHERE hasToken(lower(message), 'powershell') GROUP BY d, host",
}


def cpu_seconds():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def disk_bytes(folder):
    paths = (os.path.join(at, name) for at, _, names in os.walk(folder) for name in names)
    return sum(os.lstat(path).st_blocks * 512 for path in paths)


def timed(session, query):
    start = time.perf_counter()
    answer = session.query(query, "JSONCompact").bytes()
    return (time.perf_counter() - start) * 1000, json.loads(answer)["data"]


def load(session, path):
    session.query(TABLE)
    cpu, start = cpu_seconds(), time.perf_counter()
    session.query(LOAD.format(path=path))
    session.query("OPTIMIZE TABLE events FINAL")
    return cpu_seconds() - cpu, time.perf_counter() - start


def main():
    path, folder = sys.argv[1:3]
    session = chdb.session.Session(folder)
    cpu, wall = load(session, path)
    size = session.query(
        "SELECT sum(bytes_on_disk) FROM system.parts WHERE active AND table = 'events'", "CSV"
    )
    queries = {}
    for name, query in QUERIES.items():
        cold, answer = timed(session, query)
        warm = min(timed(session, query)[0] for _ in range(5))
        queries[name] = {"cold_ms": cold, "warm_ms": warm, "rows": len(answer), "first": answer[:1]}
    print(json.dumps({
        "cpu_seconds": cpu,
        "seconds": wall,
        "disk_bytes": int(str(size).strip()),
        "peak_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        "queries": {k: {kk: vv for kk, vv in v.items() if kk != "first" or not k.startswith("latest")}
                    for k, v in queries.items()},
    }))


if __name__ == "__main__":
    main()
