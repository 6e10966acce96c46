INSERT INTO sequences (name, value) VALUES ('webhook_sources', 0);

-- Where webhooks come from: who may send, how they are signed, how long they are kept.
CREATE TABLE webhook_sources (
    name            text        NOT NULL PRIMARY KEY,
    id              uuid        NOT NULL UNIQUE,
    format          text        NOT NULL,
    key_id          uuid        UNIQUE,
    enabled         boolean     NOT NULL,
    retention_days  bigint,
    retention_bytes bigint,
    created_at      timestamptz NOT NULL,
    updated_at      timestamptz NOT NULL
);
-- What comes with a key of no source, to no source by name.
INSERT INTO webhook_sources (name, id, format, enabled, created_at, updated_at)
VALUES ('default', '00000000-0000-0000-0000-000000000000', 'auto', true, now(), now());

-- A signature can only be checked with the secret itself.
CREATE TABLE webhook_source_secrets (
    id          uuid        NOT NULL PRIMARY KEY,
    source      text        NOT NULL REFERENCES webhook_sources (name) ON DELETE CASCADE,
    secret      text        NOT NULL,
    fingerprint text        NOT NULL,
    created_at  timestamptz NOT NULL,
    expires_at  timestamptz
);
CREATE INDEX webhook_source_secrets_of ON webhook_source_secrets (source);

-- None: the default source. The index costs those nothing.
ALTER TABLE events ADD COLUMN webhook_source uuid;
CREATE INDEX events_by_webhook_source ON events (webhook_source, received_at, seq)
    WHERE webhook_source IS NOT NULL;
