"""Answers the thirteen queries from the raw events, with DuckDB and with nothing of the platform's.

Reads the file of NDJSON that its argument names and writes one JSON object: for `alpha`, who has
every line, and for `beta`, who has every second one.
"""

import json
import sys

import duckdb

LATEST = 100
# The text that a bare word looks in: the first of these that is a text.
MESSAGE_KEYS = ["message", "msg", "Message", "log", "body", "MESSAGE", "_message", "text"]
# Bare words and phrases, in lower case.
WORDS = {
    "needle": "fddc55f3-b938-5f8f-4c00-000000000400",
    "absent": "zzqxabsent",
    "phrase": "network connection detected",
    "powershell": "powershell",
}

# A line of the file is one text, in the order of the file. Values keep their JSON, so that the
# number 1 and the text "1" are two groups. All are taken in one look at the line.
FIELDS = ["@timestamp", "Channel", "EventID", "ProcessGuid", "Hostname", "Image"]
EVENTS = """
CREATE TABLE event AS
SELECT
    number,
    raw,
    (fields[1]->>'$')::TIMESTAMP_NS AS time,
    list_filter(fields[7:], lambda field: field::VARCHAR LIKE '"%')[1]->>'$' AS message,
    coalesce(fields[2], 'null') AS channel,
    coalesce(fields[3], 'null') AS event_id,
    coalesce(fields[4], 'null') AS process_guid,
    coalesce(fields[5], 'null') AS hostname,
    coalesce(fields[6], 'null') AS image
FROM (
    SELECT
        row_number() OVER () - 1 AS number,
        json AS raw,
        json_extract(json, {paths}) AS fields
    FROM read_ndjson_objects(?, maximum_object_size = 16777216)
)
"""

# An event without a message is looked at in all its texts, however deep.
SEARCHED = """
CREATE TABLE searched AS
SELECT number, lower(message) AS text FROM event WHERE message IS NOT NULL
UNION ALL
SELECT number, lower(tree.atom->>'$') AS text FROM event, json_tree(event.raw) AS tree
WHERE message IS NULL AND tree.type = 'VARCHAR'
"""

# A word is matched whole: neither a letter nor a digit nor `_` is beside it. `contains` only says
# early what cannot match.
FOUND = """
SELECT DISTINCT '{word}' AS word, number FROM searched
WHERE contains(text, '{needle}') AND regexp_matches(text, '{pattern}')
"""
WHOLE = "(^|[^\\p{{L}}\\p{{N}}_]){needle}([^\\p{{L}}\\p{{N}}_]|$)"

# Of each tenant: `{tenant}` has its events.
COUNTS = {
    "lines": "SELECT count(*) FROM {tenant}",
    **{name: f"""SELECT count(*) FROM {{tenant}}
        SEMI JOIN (FROM found WHERE word = '{name}') USING (number)"""
       for name in ["needle", "absent", "phrase"]},
    "substring": "SELECT count(*) FROM {tenant} WHERE contains(lower(message), 'mimikatz')",
    "equal": """SELECT count(*) FROM {tenant}
        WHERE lower(channel->>'$') = 'security' AND TRY_CAST(event_id->>'$' AS DOUBLE) = 4624""",
    "distinct": """SELECT count(DISTINCT image::VARCHAR) FROM {tenant}
        WHERE image::VARCHAR <> 'null'""",
}
DAY = "strftime(time, '%Y-%m-%d')"
GROUPS = {
    "by-channel": "SELECT channel::VARCHAR, count(*) FROM {tenant} GROUP BY ALL",
    "by-event": "SELECT event_id::VARCHAR, count(*) FROM {tenant} GROUP BY ALL",
    "top-high": "SELECT process_guid::VARCHAR, count(*) FROM {tenant} GROUP BY ALL",
    "by-day": f"SELECT {DAY}, count(*) FROM {{tenant}} GROUP BY ALL",
    "word-by-day": f"""SELECT '["' || {DAY} || '", ' || hostname::VARCHAR || ']', count(*)
        FROM {{tenant}} SEMI JOIN (FROM found WHERE word = 'powershell') USING (number)
        GROUP BY ALL""",
}
# The newest, and with them all that are as old as the oldest of them.
NEWEST = {
    name: f"""WITH chosen AS (FROM {{tenant}} WHERE {condition}),
        least AS (SELECT min(time) AS time FROM
            (SELECT time FROM chosen ORDER BY time DESC LIMIT {LATEST}))
        SELECT raw, chosen.time > least.time FROM chosen, least WHERE chosen.time >= least.time"""
    for name, condition in
    {"latest": "true", "latest-where": "TRY_CAST(event_id->>'$' AS DOUBLE) = 4688"}.items()
}


def flat(event, prefix=""):
    """The event's fields under dotted keys; arrays and empty objects stay what they are."""
    fields = {}
    for key, value in event.items():
        if isinstance(value, dict) and value:
            fields.update(flat(value, prefix + key + "."))
        else:
            fields[prefix + key] = value
    return fields


def newest(rows):
    """Those that must be among the newest, and those of which some must be."""
    certain = [flat(json.loads(raw)) for raw, is_certain in rows if is_certain]
    last = [flat(json.loads(raw)) for raw, is_certain in rows if not is_certain]
    return {"length": min(LATEST, len(rows)), "certain": certain, "last": last}


def answer(database, tenant):
    rows = lambda query: database.execute(query.format(tenant=tenant)).fetchall()
    counts = {name: rows(query)[0][0] for name, query in COUNTS.items()}
    return {
        "lines": counts.pop("lines"),
        "counts": counts,
        "groups": {name: dict(rows(query)) for name, query in GROUPS.items()},
        "newest": {name: newest(rows(query)) for name, query in NEWEST.items()},
    }


def main():
    database = duckdb.connect()
    database.execute("SET TimeZone = 'UTC'")
    # What it draws for who waits would stand beside the answers.
    database.execute("SET enable_progress_bar = false")
    paths = [f'$."{key}"' for key in FIELDS + MESSAGE_KEYS]
    database.execute(EVENTS.format(paths=paths), [sys.argv[1]])
    database.execute(SEARCHED)
    found = [FOUND.format(word=word, needle=needle, pattern=WHOLE.format(needle=needle))
             for word, needle in WORDS.items()]
    database.execute("CREATE TABLE found AS" + " UNION ALL ".join(found))
    database.execute("CREATE VIEW alpha AS FROM event")
    database.execute("CREATE VIEW beta AS FROM event WHERE number % 2 = 1")
    json.dump({tenant: answer(database, tenant) for tenant in ["alpha", "beta"]}, sys.stdout)


main()
