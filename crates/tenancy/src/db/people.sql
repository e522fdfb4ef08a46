-- People, as in both kinds of files: the operators in one, a tenant's users in the other.
-- Ids are 16 bytes, not all zero. Times are nanoseconds since 1970.

-- Keys of this file, sealed under the root key.
CREATE TABLE secret (
    name   TEXT PRIMARY KEY,
    sealed BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE user (
    id         BLOB PRIMARY KEY CHECK (length(id) = 16 AND id <> zeroblob(16)),
    -- Sealed: the address folded to lower case.
    email      BLOB NOT NULL,
    -- HMAC-SHA-256 of it under this file's lookup key.
    email_hash BLOB NOT NULL UNIQUE CHECK (length(email_hash) = 32),
    role       TEXT NOT NULL CHECK (role IN ('operator', 'admin', 'auditor', 'user')),
    -- Sealed: the PHC string of Argon2id.
    password   BLOB NOT NULL,
    created    INTEGER NOT NULL,
    disabled   INTEGER NOT NULL CHECK (disabled IN (0, 1))
) STRICT;

CREATE TABLE session (
    id      BLOB PRIMARY KEY CHECK (length(id) = 16 AND id <> zeroblob(16)),
    user    BLOB NOT NULL REFERENCES user (id) ON DELETE CASCADE,
    created INTEGER NOT NULL,
    expires INTEGER NOT NULL
) STRICT;
CREATE INDEX session_of_user ON session (user, created);
CREATE INDEX session_by_end ON session (expires);

-- The refresh tokens of a session: one that is good, and some that were used, to know them again.
CREATE TABLE refresh_token (
    number  INTEGER PRIMARY KEY AUTOINCREMENT,
    -- SHA-256 of the token's text.
    hash    BLOB NOT NULL UNIQUE CHECK (length(hash) = 32),
    session BLOB NOT NULL REFERENCES session (id) ON DELETE CASCADE,
    expires INTEGER NOT NULL,
    used    INTEGER NOT NULL CHECK (used IN (0, 1))
) STRICT;
CREATE INDEX refresh_token_of_session ON refresh_token (session, number);
