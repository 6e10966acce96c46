ALTER TABLE api_key_secrets DROP COLUMN uses_before_leak;
ALTER TABLE api_key_secrets DROP COLUMN leak_url;
ALTER TABLE api_key_secrets DROP COLUMN leaked_at;
