-- Numbers in commit order. The writer takes them with UPDATE … RETURNING inside its transaction,
-- so a row with a smaller number is never committed after one with a larger.
CREATE TABLE sequences (
    name  TEXT    NOT NULL PRIMARY KEY,
    value INTEGER NOT NULL
) STRICT;
INSERT INTO sequences (name, value) VALUES ('keys', 0);

CREATE TABLE api_keys (
    id                BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    name              TEXT    NOT NULL,
    owner             TEXT,
    permissions       TEXT    NOT NULL,
    allowed_ips       TEXT    NOT NULL,
    rate_limit        TEXT,
    named_limits      TEXT    NOT NULL,
    metadata          TEXT    NOT NULL,
    enabled           INTEGER NOT NULL CHECK (enabled IN (0, 1)),
    created_at        INTEGER NOT NULL,
    not_before        INTEGER,
    expires_at        INTEGER,
    revoked_at        INTEGER,
    created_by        TEXT    NOT NULL,
    hint              TEXT    NOT NULL,
    last_used_at      INTEGER,
    last_used_address TEXT,
    use_count         INTEGER NOT NULL,
    version           INTEGER NOT NULL
) STRICT;
CREATE INDEX api_keys_newest ON api_keys (created_at, id);

-- One identity may have two live secrets while one replaces the other.
CREATE TABLE api_key_secrets (
    hash       BLOB    NOT NULL PRIMARY KEY CHECK (length(hash) = 32),
    key_id     BLOB    NOT NULL REFERENCES api_keys (id) ON DELETE CASCADE,
    created_at INTEGER NOT NULL,
    expires_at INTEGER
) STRICT;
CREATE INDEX api_key_secrets_by_key ON api_key_secrets (key_id);

CREATE TABLE idempotency_keys (
    scope       TEXT    NOT NULL,
    key         TEXT    NOT NULL,
    fingerprint BLOB    NOT NULL CHECK (length(fingerprint) = 32),
    result_id   BLOB    NOT NULL CHECK (length(result_id) = 16),
    created_at  INTEGER NOT NULL,
    PRIMARY KEY (scope, key)
) STRICT;
CREATE INDEX idempotency_keys_oldest ON idempotency_keys (created_at);
