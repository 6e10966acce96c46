ALTER TABLE event_bodies DROP COLUMN received_at;
