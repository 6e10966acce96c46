DROP TABLE event_bodies;
DROP TABLE events;
DELETE FROM sequences WHERE name = 'events';
