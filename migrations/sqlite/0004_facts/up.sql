INSERT INTO sequences (name, value) VALUES ('facts', 0);

-- Append-only: every figure is a pure function of these rows.
CREATE TABLE facts (
    seq         INTEGER NOT NULL PRIMARY KEY,
    id          BLOB    NOT NULL UNIQUE CHECK (length(id) = 16),
    occurred_at INTEGER NOT NULL,
    recorded_at INTEGER NOT NULL,
    kind        TEXT    NOT NULL,
    body        TEXT    NOT NULL
) STRICT;
CREATE INDEX facts_in_time ON facts (occurred_at, seq);
