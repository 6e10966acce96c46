DROP INDEX events_by_webhook_source;
ALTER TABLE events DROP COLUMN webhook_source;
DROP TABLE webhook_source_secrets;
DROP TABLE webhook_sources;
DELETE FROM sequences WHERE name = 'webhook_sources';
