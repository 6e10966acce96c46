INSERT INTO sequences (name, value) VALUES ('webhook_sources', 0);

-- Where webhooks come from: who may send, how they are signed, how long they are kept.
CREATE TABLE webhook_sources (
    name            TEXT    NOT NULL PRIMARY KEY,
    id              BLOB    NOT NULL UNIQUE CHECK (length(id) = 16),
    format          TEXT    NOT NULL,
    key_id          BLOB    UNIQUE CHECK (length(key_id) = 16),
    enabled         INTEGER NOT NULL,
    retention_days  INTEGER,
    retention_bytes INTEGER,
    created_at      INTEGER NOT NULL,
    updated_at      INTEGER NOT NULL
) STRICT;
-- What comes with a key of no source, to no source by name.
INSERT INTO webhook_sources (name, id, format, enabled, created_at, updated_at)
VALUES ('default', zeroblob(16), 'auto', 1, unixepoch() * 1000000, unixepoch() * 1000000);

-- A signature can only be checked with the secret itself.
CREATE TABLE webhook_source_secrets (
    id          BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    source      TEXT    NOT NULL REFERENCES webhook_sources (name) ON DELETE CASCADE,
    secret      TEXT    NOT NULL,
    fingerprint TEXT    NOT NULL,
    created_at  INTEGER NOT NULL,
    expires_at  INTEGER
) STRICT;
CREATE INDEX webhook_source_secrets_of ON webhook_source_secrets (source);

-- None: the default source. The index costs those nothing.
ALTER TABLE events ADD COLUMN webhook_source BLOB;
CREATE INDEX events_by_webhook_source ON events (webhook_source, received_at, seq)
    WHERE webhook_source IS NOT NULL;
