DROP TABLE idempotency_keys;
DROP TABLE api_key_secrets;
DROP TABLE api_keys;
DROP TABLE sequences;
