-- One window stands apart and has no name: the one called "default", of keys without it the first.
ALTER TABLE api_keys RENAME COLUMN rate_limits TO named_limits;
ALTER TABLE api_keys ADD COLUMN rate_limit TEXT;
UPDATE api_keys SET named_limits = (
    SELECT json_group_array(json(limits.value)) FROM (
        SELECT value FROM json_each(api_keys.named_limits)
        ORDER BY json_extract(value, '$.name') = 'default' DESC, key
    ) AS limits
);
UPDATE api_keys SET
    rate_limit = json_remove(json_extract(named_limits, '$[0]'), '$.name'),
    named_limits = json_remove(named_limits, '$[0]')
WHERE named_limits <> '[]';
