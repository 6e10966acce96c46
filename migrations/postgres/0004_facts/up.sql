INSERT INTO sequences (name, value) VALUES ('facts', 0);

-- Append-only: every figure is a pure function of these rows.
CREATE TABLE facts (
    seq         bigint      NOT NULL PRIMARY KEY,
    id          uuid        NOT NULL UNIQUE,
    occurred_at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL,
    kind        text        NOT NULL,
    body        jsonb       NOT NULL
);
CREATE INDEX facts_in_time ON facts (occurred_at, seq);
