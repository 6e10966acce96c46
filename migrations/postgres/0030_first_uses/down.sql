ALTER TABLE api_key_secrets DROP COLUMN first_use_grace_s;
ALTER TABLE api_key_secrets DROP COLUMN first_used_at;
