-- All windows of a key in one list, each with its name. The one that had none is called "default" and comes first.
ALTER TABLE api_keys RENAME COLUMN named_limits TO rate_limits;
UPDATE api_keys
SET rate_limits = jsonb_build_array(rate_limit || '{"name": "default"}') || rate_limits
WHERE rate_limit IS NOT NULL;
ALTER TABLE api_keys DROP COLUMN rate_limit;
