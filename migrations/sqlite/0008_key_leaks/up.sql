-- A leak is of a secret, not of a key: a key that was rotated may live on. `uses_before_leak` is the
-- key's count of uses when the leak was reported.
ALTER TABLE api_key_secrets ADD COLUMN leaked_at INTEGER;
ALTER TABLE api_key_secrets ADD COLUMN leak_url TEXT;
ALTER TABLE api_key_secrets ADD COLUMN uses_before_leak INTEGER;
