-- tenants/<id>/records.db: all records of one tenant.

-- One row: who this is.
CREATE TABLE tenant (
    only           INTEGER PRIMARY KEY CHECK (only = 1),
    id             BLOB NOT NULL CHECK (length(id) = 16 AND id <> zeroblob(16)),
    name           TEXT NOT NULL,
    created        INTEGER NOT NULL,
    makes_datasets INTEGER NOT NULL CHECK (makes_datasets IN (0, 1)),
    -- The number of the next dataset. It only grows, so no number is used twice.
    next_dataset   INTEGER NOT NULL CHECK (next_dataset > 0),
    -- Whether the platform forgot this tenant, and only its folder is left.
    deleted        INTEGER NOT NULL CHECK (deleted IN (0, 1))
) STRICT;

CREATE TABLE key (
    id        BLOB PRIMARY KEY CHECK (length(id) = 16 AND id <> zeroblob(16)),
    -- Sealed.
    name      BLOB NOT NULL,
    prefix    TEXT NOT NULL,
    -- Key scopes, with a space between them.
    scopes    TEXT NOT NULL,
    created   INTEGER NOT NULL,
    expires   INTEGER,
    last_used INTEGER,
    revoked   INTEGER NOT NULL CHECK (revoked IN (0, 1))
) STRICT;

-- The secrets that a key is known by: two while it is rotated, none when it is revoked.
CREATE TABLE key_secret (
    number  INTEGER PRIMARY KEY AUTOINCREMENT,
    -- SHA-256 of the secret's text.
    hash    BLOB NOT NULL UNIQUE CHECK (length(hash) = 32),
    key     BLOB NOT NULL REFERENCES key (id) ON DELETE CASCADE,
    expires INTEGER
) STRICT;
CREATE INDEX key_secret_of_key ON key_secret (key, number);

-- Small objects that other rooms understand: schemas, holds, rules.
CREATE TABLE document (
    kind    TEXT NOT NULL,
    id      TEXT NOT NULL,
    created INTEGER NOT NULL,
    body    TEXT NOT NULL,
    PRIMARY KEY (kind, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE dataset (
    id             INTEGER PRIMARY KEY CHECK (id BETWEEN 1 AND 4294967295),
    name           TEXT NOT NULL UNIQUE,
    kind           TEXT NOT NULL CHECK (kind IN ('logs', 'audit')),
    created        INTEGER NOT NULL,
    time_key       TEXT,
    message_key    TEXT,
    severity_key   TEXT,
    retention_days INTEGER
) STRICT;
