-- Numbers in commit order. The writer takes them with UPDATE … RETURNING inside its transaction,
-- whose row lock it holds until the commit: a row with a smaller number is never committed after
-- one with a larger. (A PostgreSQL sequence gives its numbers out before the commit.)
CREATE TABLE sequences (
    name  text   NOT NULL PRIMARY KEY,
    value bigint NOT NULL
);
INSERT INTO sequences (name, value) VALUES ('keys', 0);

CREATE TABLE api_keys (
    id                uuid        NOT NULL PRIMARY KEY,
    name              text        NOT NULL,
    owner             text,
    permissions       jsonb       NOT NULL,
    allowed_ips       jsonb       NOT NULL,
    rate_limit        jsonb,
    named_limits      jsonb       NOT NULL,
    metadata          jsonb       NOT NULL,
    enabled           boolean     NOT NULL,
    created_at        timestamptz NOT NULL,
    not_before        timestamptz,
    expires_at        timestamptz,
    revoked_at        timestamptz,
    created_by        text        NOT NULL,
    hint              text        NOT NULL,
    last_used_at      timestamptz,
    last_used_address text,
    use_count         bigint      NOT NULL,
    version           bigint      NOT NULL
);
CREATE INDEX api_keys_newest ON api_keys (created_at, id);

-- One identity may have two live secrets while one replaces the other.
CREATE TABLE api_key_secrets (
    hash       bytea       NOT NULL PRIMARY KEY CHECK (length(hash) = 32),
    key_id     uuid        NOT NULL REFERENCES api_keys (id) ON DELETE CASCADE,
    created_at timestamptz NOT NULL,
    expires_at timestamptz
);
CREATE INDEX api_key_secrets_by_key ON api_key_secrets (key_id);

CREATE TABLE idempotency_keys (
    scope       text        NOT NULL,
    key         text        NOT NULL,
    fingerprint bytea       NOT NULL CHECK (length(fingerprint) = 32),
    result_id   uuid        NOT NULL,
    created_at  timestamptz NOT NULL,
    PRIMARY KEY (scope, key)
);
CREATE INDEX idempotency_keys_oldest ON idempotency_keys (created_at);
