-- What events say happened, in words that do not depend on who sent them: deployments, incidents,
-- alerts, builds, changes. A row has no foreign key, because it outlives its event: figures of past
-- weeks stay when old bodies are deleted. `began_at` and `at` are the first and the last instant that
-- the event speaks of, `received_at` is when it arrived; `body` holds the rest.
CREATE TABLE meanings (
    event_seq   INTEGER NOT NULL PRIMARY KEY,
    event_id    BLOB    NOT NULL CHECK (length(event_id) = 16),
    kind        TEXT    NOT NULL,
    subject     TEXT,
    service     TEXT,
    environment TEXT,
    state       TEXT,
    began_at    INTEGER NOT NULL,
    at          INTEGER NOT NULL,
    received_at INTEGER NOT NULL,
    body        TEXT    NOT NULL
) STRICT;
CREATE INDEX meanings_in_time ON meanings (kind, at, event_seq);
