-- What events say happened, in words that do not depend on who sent them: deployments, incidents,
-- alerts, builds, changes. A row has no foreign key, because it outlives its event: figures of past
-- weeks stay when old bodies are deleted. `began_at` and `at` are the first and the last instant that
-- the event speaks of, `received_at` is when it arrived; `body` holds the rest.
CREATE TABLE meanings (
    event_seq   bigint      NOT NULL PRIMARY KEY,
    event_id    uuid        NOT NULL,
    kind        text        NOT NULL,
    subject     text,
    service     text,
    environment text,
    state       text,
    began_at    timestamptz NOT NULL,
    at          timestamptz NOT NULL,
    received_at timestamptz NOT NULL,
    body        jsonb       NOT NULL
);
CREATE INDEX meanings_in_time ON meanings (kind, at, event_seq);
