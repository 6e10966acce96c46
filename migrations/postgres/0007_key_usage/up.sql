-- Quotas by day, month and in all, and the uses that count towards them: those of the latest day and
-- month that had any, and all of them since the key has a quota.
ALTER TABLE api_keys
    ADD COLUMN quotas                  jsonb,
    ADD COLUMN quota_day               timestamptz,
    ADD COLUMN quota_day_uses          bigint NOT NULL DEFAULT 0,
    ADD COLUMN quota_month             timestamptz,
    ADD COLUMN quota_month_uses        bigint NOT NULL DEFAULT 0,
    ADD COLUMN quota_total_uses        bigint NOT NULL DEFAULT 0,
-- Uses of secrets that the last rotation has replaced: who still has to change.
    ADD COLUMN superseded_uses         bigint NOT NULL DEFAULT 0,
    ADD COLUMN superseded_last_used_at timestamptz,
    ADD COLUMN superseded_last_address text;

CREATE TABLE api_key_permission_uses (
    key_id       uuid        NOT NULL REFERENCES api_keys (id) ON DELETE CASCADE,
    permission   text        NOT NULL,
    uses         bigint      NOT NULL,
    last_used_at timestamptz NOT NULL,
    PRIMARY KEY (key_id, permission)
);
