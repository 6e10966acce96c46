INSERT INTO sequences (name, value) VALUES ('events', 0);

CREATE TABLE events (
    seq         INTEGER NOT NULL PRIMARY KEY,
    id          BLOB    NOT NULL UNIQUE CHECK (length(id) = 16),
    key_id      BLOB,
    event_type  TEXT    NOT NULL,
    source      TEXT    NOT NULL,
    occurred_at INTEGER,
    received_at INTEGER NOT NULL,
    data        TEXT    NOT NULL
) STRICT;
CREATE INDEX events_newest ON events (received_at, seq);
CREATE INDEX events_by_type ON events (event_type, received_at, seq);
CREATE INDEX events_by_source ON events (source, received_at, seq);

CREATE TABLE event_bodies (
    event_seq    INTEGER NOT NULL PRIMARY KEY REFERENCES events (seq) ON DELETE CASCADE,
    content_type TEXT    NOT NULL,
    body         BLOB    NOT NULL
) STRICT;
