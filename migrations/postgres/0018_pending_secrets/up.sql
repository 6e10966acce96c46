-- A secret that waits for its first use: the grace that this use starts for those before it, and the start
-- of the secret. Without both, a secret is or was in use.
ALTER TABLE api_key_secrets
    ADD COLUMN pending_grace_s bigint,
    ADD COLUMN pending_hint    text;
