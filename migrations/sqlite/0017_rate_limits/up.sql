-- All windows of a key in one list, each with its name. The one that had none is called "default" and comes first.
ALTER TABLE api_keys RENAME COLUMN named_limits TO rate_limits;
UPDATE api_keys SET rate_limits = '[' || json_set(rate_limit, '$.name', 'default') || CASE rate_limits
    WHEN '[]' THEN ']'
    ELSE ',' || substr(rate_limits, 2)
END
WHERE rate_limit IS NOT NULL;
ALTER TABLE api_keys DROP COLUMN rate_limit;
