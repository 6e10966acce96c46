CREATE TABLE settings (
    name       TEXT    NOT NULL PRIMARY KEY,
    value      TEXT    NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;

-- Who did what: written by every mutation in the mutation's own transaction.
CREATE TABLE activity_log (
    seq        INTEGER NOT NULL PRIMARY KEY,
    import_id  BLOB    UNIQUE CHECK (length(import_id) = 16),
    at         INTEGER NOT NULL,
    actor      TEXT    NOT NULL,
    action     TEXT    NOT NULL,
    subject    TEXT,
    detail     TEXT    NOT NULL,
    request_id TEXT,
    address    TEXT
) STRICT;
CREATE INDEX activity_log_newest ON activity_log (at, seq);
