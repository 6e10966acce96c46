-- Attempts with dead secrets of a key, and how many there were when a secret of it was reported as public.
ALTER TABLE api_keys ADD COLUMN refused_uses INTEGER NOT NULL DEFAULT 0;
ALTER TABLE api_keys ADD COLUMN refused_last_at INTEGER;
ALTER TABLE api_keys ADD COLUMN refused_last_address TEXT;
ALTER TABLE api_key_secrets ADD COLUMN refused_before_leak INTEGER;
