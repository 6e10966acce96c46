CREATE TABLE event_bodies_before (
    event_seq    INTEGER NOT NULL PRIMARY KEY REFERENCES events (seq) ON DELETE CASCADE,
    received_at  INTEGER NOT NULL,
    content_type TEXT    NOT NULL,
    body         BLOB    NOT NULL
) STRICT;
INSERT INTO event_bodies_before (event_seq, received_at, content_type, body)
SELECT event_seq, received_at, content_type, body FROM event_bodies;
DROP TABLE event_bodies;
ALTER TABLE event_bodies_before RENAME TO event_bodies;
