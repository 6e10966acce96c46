-- Who writes the usage of keys, and the last batch that each has written: a batch whose answer was lost is handed in
-- again and counts once.
CREATE TABLE usage_writers (
    id         uuid        NOT NULL PRIMARY KEY,
    last_batch bigint      NOT NULL,
    written_at timestamptz NOT NULL
);
