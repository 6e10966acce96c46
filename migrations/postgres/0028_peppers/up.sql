-- With which pepper the hash of a secret was made, by its number; null is none, the plain SHA-256. The pepper itself
-- never comes here: the number tells when the last key has left it.
ALTER TABLE api_key_secrets ADD COLUMN pepper bigint;
