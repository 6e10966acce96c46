-- When a secret that waited was used first, and the grace that this has started: of two first uses at once the
-- earlier may be told of later, and the grace then counts from there.
ALTER TABLE api_key_secrets ADD COLUMN first_used_at INTEGER;
ALTER TABLE api_key_secrets ADD COLUMN first_use_grace_s INTEGER;
