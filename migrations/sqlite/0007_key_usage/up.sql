-- Quotas by day, month and in all, and the uses that count towards them: those of the latest day and
-- month that had any, and all of them since the key has a quota.
ALTER TABLE api_keys ADD COLUMN quotas TEXT;
ALTER TABLE api_keys ADD COLUMN quota_day INTEGER;
ALTER TABLE api_keys ADD COLUMN quota_day_uses INTEGER NOT NULL DEFAULT 0;
ALTER TABLE api_keys ADD COLUMN quota_month INTEGER;
ALTER TABLE api_keys ADD COLUMN quota_month_uses INTEGER NOT NULL DEFAULT 0;
ALTER TABLE api_keys ADD COLUMN quota_total_uses INTEGER NOT NULL DEFAULT 0;
-- Uses of secrets that the last rotation has replaced: who still has to change.
ALTER TABLE api_keys ADD COLUMN superseded_uses INTEGER NOT NULL DEFAULT 0;
ALTER TABLE api_keys ADD COLUMN superseded_last_used_at INTEGER;
ALTER TABLE api_keys ADD COLUMN superseded_last_address TEXT;

CREATE TABLE api_key_permission_uses (
    key_id       BLOB    NOT NULL REFERENCES api_keys (id) ON DELETE CASCADE,
    permission   TEXT    NOT NULL,
    uses         INTEGER NOT NULL,
    last_used_at INTEGER NOT NULL,
    PRIMARY KEY (key_id, permission)
) STRICT;
