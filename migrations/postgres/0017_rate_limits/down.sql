-- One window stands apart and has no name: the one called "default", of keys without it the first.
ALTER TABLE api_keys RENAME COLUMN rate_limits TO named_limits;
ALTER TABLE api_keys ADD COLUMN rate_limit jsonb;
UPDATE api_keys SET named_limits = (
    SELECT jsonb_agg(value ORDER BY value ->> 'name' = 'default' DESC, place)
    FROM jsonb_array_elements(named_limits) WITH ORDINALITY AS limits (value, place)
)
WHERE named_limits <> '[]';
UPDATE api_keys SET rate_limit = (named_limits -> 0) - 'name', named_limits = named_limits - 0
WHERE named_limits <> '[]';
