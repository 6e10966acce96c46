-- Who writes the usage of keys, and the last batch that each has written: a batch whose answer was lost is handed in
-- again and counts once.
CREATE TABLE usage_writers (
    id         BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    last_batch INTEGER NOT NULL,
    written_at INTEGER NOT NULL
) STRICT;
