-- As on PostgreSQL, where bodies are kept apart by the month of their arrival. Here they are one table.
CREATE TABLE event_bodies_anew (
    event_seq    INTEGER NOT NULL PRIMARY KEY REFERENCES events (seq) ON DELETE CASCADE,
    received_at  INTEGER NOT NULL,
    content_type TEXT    NOT NULL,
    body         BLOB    NOT NULL
) STRICT;
INSERT INTO event_bodies_anew (event_seq, received_at, content_type, body)
SELECT b.event_seq, e.received_at, b.content_type, b.body
FROM event_bodies b JOIN events e ON e.seq = b.event_seq;
DROP TABLE event_bodies;
ALTER TABLE event_bodies_anew RENAME TO event_bodies;
