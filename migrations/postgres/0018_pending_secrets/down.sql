-- A secret that nobody has used yet would become one in use.
DELETE FROM api_key_secrets WHERE pending_grace_s IS NOT NULL;
ALTER TABLE api_key_secrets
    DROP COLUMN pending_hint,
    DROP COLUMN pending_grace_s;
