-- Which keys changed since a number: every process asks, several times a second.
CREATE INDEX api_keys_by_version ON api_keys (version);
