-- Bodies without a foreign key, as on PostgreSQL: a body is written with its event, in one transaction, and goes
-- with it. With the key, every body looks its event up again, and each statement of many bodies keeps a copy of the
-- pages that it touches.
CREATE TABLE event_bodies_anew (
    event_seq    INTEGER NOT NULL PRIMARY KEY,
    received_at  INTEGER NOT NULL,
    content_type TEXT    NOT NULL,
    body         BLOB    NOT NULL
) STRICT;
INSERT INTO event_bodies_anew (event_seq, received_at, content_type, body)
SELECT event_seq, received_at, content_type, body FROM event_bodies;
DROP TABLE event_bodies;
ALTER TABLE event_bodies_anew RENAME TO event_bodies;
