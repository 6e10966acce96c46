INSERT INTO sequences (name, value) VALUES ('events', 0);

-- `data` is json, not jsonb: a list shows an event's data exactly as it was accepted, and jsonb
-- would reorder its members and rewrite its numbers. Every jsonb operator works on data::jsonb.
CREATE TABLE events (
    seq         bigint      NOT NULL PRIMARY KEY,
    id          uuid        NOT NULL UNIQUE,
    key_id      uuid,
    event_type  text        NOT NULL,
    source      text        NOT NULL,
    occurred_at timestamptz,
    received_at timestamptz NOT NULL,
    data        json        NOT NULL
);
CREATE INDEX events_newest ON events (received_at, seq);
CREATE INDEX events_by_type ON events (event_type, received_at, seq);
CREATE INDEX events_by_source ON events (source, received_at, seq);

CREATE TABLE event_bodies (
    event_seq    bigint NOT NULL PRIMARY KEY REFERENCES events (seq) ON DELETE CASCADE,
    content_type text   NOT NULL,
    body         bytea  NOT NULL
);
