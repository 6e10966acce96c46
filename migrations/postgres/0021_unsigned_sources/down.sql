ALTER TABLE webhook_sources DROP COLUMN unsigned;
