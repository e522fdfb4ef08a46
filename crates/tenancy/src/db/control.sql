-- control/control.db: which tenants there are, and where to look for an address or a secret.

CREATE TABLE tenant (
    id      BLOB PRIMARY KEY CHECK (length(id) = 16 AND id <> zeroblob(16)),
    -- Only a live tenant has one, so the name of a deleted one is free again.
    name    TEXT UNIQUE,
    state   TEXT NOT NULL CHECK (state IN ('making', 'live', 'deleted')),
    CHECK ((state = 'live') = (name IS NOT NULL))
) STRICT;

-- An address or a secret, as HMAC-SHA-256 under this file's lookup key, may be found in this
-- tenant's file.
CREATE TABLE lookup (
    hash   BLOB NOT NULL CHECK (length(hash) = 32),
    tenant BLOB NOT NULL REFERENCES tenant (id) ON DELETE CASCADE,
    PRIMARY KEY (hash, tenant)
) STRICT, WITHOUT ROWID;
CREATE INDEX lookup_of_tenant ON lookup (tenant);
