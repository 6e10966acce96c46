ALTER TABLE api_key_secrets DROP COLUMN refused_before_leak;
ALTER TABLE api_keys DROP COLUMN refused_last_address;
ALTER TABLE api_keys DROP COLUMN refused_last_at;
ALTER TABLE api_keys DROP COLUMN refused_uses;
