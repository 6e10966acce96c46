-- Bodies by the month of their arrival: what nobody keeps any more goes as a whole table, at once, instead of
-- row by row. Months to come are made ahead by the server; what fits into none lands in the rest, so nothing is
-- ever refused. There is no foreign key: a body is written with its event, in one transaction, and checking that
-- again for each row costs more than it finds.
ALTER TABLE event_bodies RENAME TO event_bodies_before;
ALTER INDEX event_bodies_pkey RENAME TO event_bodies_before_pkey;

CREATE TABLE event_bodies (
    event_seq    bigint      NOT NULL,
    received_at  timestamptz NOT NULL,
    content_type text        NOT NULL,
    body         bytea       NOT NULL,
    PRIMARY KEY (event_seq, received_at)
) PARTITION BY RANGE (received_at);
CREATE TABLE event_bodies_rest PARTITION OF event_bodies DEFAULT;

-- The months that there is something of, three years back at most, and the two to come. A month begins in UTC.
DO $$
DECLARE
    month timestamp := date_trunc('month', now() AT TIME ZONE 'UTC');
    first timestamp;
BEGIN
    SELECT date_trunc('month', min(received_at) AT TIME ZONE 'UTC') INTO first FROM events;
    first := least(greatest(coalesce(first, month), month - interval '36 months'), month);
    WHILE first <= month + interval '2 months' LOOP
        EXECUTE format(
            'CREATE TABLE %I PARTITION OF event_bodies FOR VALUES FROM (%L) TO (%L)',
            'event_bodies_' || to_char(first, 'YYYY_MM'),
            to_char(first, 'YYYY-MM-DD') || ' 00:00:00+00',
            to_char(first + interval '1 month', 'YYYY-MM-DD') || ' 00:00:00+00'
        );
        first := first + interval '1 month';
    END LOOP;
END
$$;

INSERT INTO event_bodies (event_seq, received_at, content_type, body)
SELECT b.event_seq, e.received_at, b.content_type, b.body
FROM event_bodies_before b JOIN events e ON e.seq = b.event_seq;
DROP TABLE event_bodies_before;
