ALTER TABLE event_bodies RENAME TO event_bodies_by_month;
ALTER INDEX event_bodies_pkey RENAME TO event_bodies_by_month_pkey;
CREATE TABLE event_bodies (
    event_seq    bigint NOT NULL PRIMARY KEY REFERENCES events (seq) ON DELETE CASCADE,
    content_type text   NOT NULL,
    body         bytea  NOT NULL
);
INSERT INTO event_bodies (event_seq, content_type, body)
SELECT event_seq, content_type, body FROM event_bodies_by_month;
DROP TABLE event_bodies_by_month;
