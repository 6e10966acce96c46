//! The tables, once for both databases. `migrations/` makes them; a test compares the two.

use crate::types::{DbJson, DbJsonb, DbTime, DbUuid};

diesel::table! {
    use diesel::sql_types::*;
    use super::*;
    users (id) {
        id -> DbUuid,
        email -> Text,
        role -> Text,
        plan -> Nullable<Text>,
        status -> Text,
        password_hash -> Nullable<Text>,
        created_at -> DbTime,
        updated_at -> DbTime,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::*;
    sessions (token_hash) {
        token_hash -> Binary,
        user_id -> DbUuid,
        created_at -> DbTime,
        last_seen_at -> DbTime,
        idle_us -> BigInt,
        idle_until -> DbTime,
        expires_at -> DbTime,
        address -> Nullable<Text>,
        user_agent -> Nullable<Text>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    sequences (name) {
        name -> Text,
        value -> BigInt,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::*;
    api_keys (id) {
        id -> DbUuid,
        name -> Text,
        owner -> Nullable<Text>,
        permissions -> DbJsonb,
        allowed_ips -> DbJsonb,
        rate_limits -> DbJsonb,
        metadata -> DbJsonb,
        enabled -> Bool,
        created_at -> DbTime,
        not_before -> Nullable<DbTime>,
        expires_at -> Nullable<DbTime>,
        revoked_at -> Nullable<DbTime>,
        created_by -> Text,
        hint -> Text,
        last_used_at -> Nullable<DbTime>,
        last_used_address -> Nullable<Text>,
        use_count -> BigInt,
        version -> BigInt,
        quotas -> Nullable<DbJsonb>,
        quota_day -> Nullable<DbTime>,
        quota_day_uses -> BigInt,
        quota_month -> Nullable<DbTime>,
        quota_month_uses -> BigInt,
        quota_total_uses -> BigInt,
        superseded_uses -> BigInt,
        superseded_last_used_at -> Nullable<DbTime>,
        superseded_last_address -> Nullable<Text>,
        refused_uses -> BigInt,
        refused_last_at -> Nullable<DbTime>,
        refused_last_address -> Nullable<Text>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::*;
    api_key_permission_uses (key_id, permission) {
        key_id -> DbUuid,
        permission -> Text,
        uses -> BigInt,
        last_used_at -> DbTime,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::*;
    usage_writers (id) {
        id -> DbUuid,
        last_batch -> BigInt,
        written_at -> DbTime,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::*;
    api_key_secrets (hash) {
        hash -> Binary,
        key_id -> DbUuid,
        created_at -> DbTime,
        expires_at -> Nullable<DbTime>,
        leaked_at -> Nullable<DbTime>,
        leak_url -> Nullable<Text>,
        uses_before_leak -> Nullable<BigInt>,
        refused_before_leak -> Nullable<BigInt>,
        pending_grace_s -> Nullable<BigInt>,
        pending_hint -> Nullable<Text>,
        pepper -> Nullable<BigInt>,
        first_used_at -> Nullable<DbTime>,
        first_use_grace_s -> Nullable<BigInt>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::*;
    idempotency_keys (scope, key) {
        scope -> Text,
        key -> Text,
        fingerprint -> Binary,
        result_id -> DbUuid,
        created_at -> DbTime,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::*;
    events (seq) {
        seq -> BigInt,
        id -> DbUuid,
        key_id -> Nullable<DbUuid>,
        event_type -> Text,
        source -> Text,
        occurred_at -> Nullable<DbTime>,
        received_at -> DbTime,
        data -> DbJson,
        webhook_source -> Nullable<DbUuid>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::*;
    event_bodies (event_seq) {
        event_seq -> BigInt,
        received_at -> DbTime,
        content_type -> Text,
        body -> Binary,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::*;
    webhook_sources (name) {
        name -> Text,
        id -> DbUuid,
        format -> Text,
        key_id -> Nullable<DbUuid>,
        enabled -> Bool,
        unsigned -> Bool,
        retention_days -> Nullable<BigInt>,
        retention_bytes -> Nullable<BigInt>,
        created_at -> DbTime,
        updated_at -> DbTime,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::*;
    webhook_source_secrets (id) {
        id -> DbUuid,
        source -> Text,
        secret -> Text,
        fingerprint -> Text,
        created_at -> DbTime,
        expires_at -> Nullable<DbTime>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::*;
    meanings (event_seq) {
        event_seq -> BigInt,
        event_id -> DbUuid,
        kind -> Text,
        subject -> Nullable<Text>,
        service -> Nullable<Text>,
        environment -> Nullable<Text>,
        state -> Nullable<Text>,
        began_at -> DbTime,
        at -> DbTime,
        received_at -> DbTime,
        body -> DbJson,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::*;
    facts (seq) {
        seq -> BigInt,
        id -> DbUuid,
        occurred_at -> DbTime,
        recorded_at -> DbTime,
        kind -> Text,
        body -> DbJsonb,
        subject -> DbUuid,
        owner -> Nullable<DbUuid>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::*;
    ledger_entries (seq, n) {
        seq -> BigInt,
        n -> BigInt,
        fact -> DbUuid,
        account -> Text,
        grp -> Text,
        at -> DbTime,
        count -> BigInt,
        amount -> BigInt,
        since -> Nullable<DbTime>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::*;
    ledger_entries_anew (seq, n) {
        seq -> BigInt,
        n -> BigInt,
        fact -> DbUuid,
        account -> Text,
        grp -> Text,
        at -> DbTime,
        count -> BigInt,
        amount -> BigInt,
        since -> Nullable<DbTime>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::*;
    ledger_hours (account, grp, hour) {
        account -> Text,
        grp -> Text,
        hour -> DbTime,
        count -> BigInt,
        amount -> BigInt,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    ledger_counters (account, grp) {
        account -> Text,
        grp -> Text,
        count -> BigInt,
        amount -> BigInt,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::*;
    restatements (seq, account, grp) {
        seq -> BigInt,
        account -> Text,
        grp -> Text,
        since -> DbTime,
        count -> BigInt,
        amount -> BigInt,
        fact_count -> BigInt,
        recorded_at -> DbTime,
        until -> Nullable<DbTime>,
        gained_count -> Nullable<BigInt>,
        gained_amount -> Nullable<BigInt>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::*;
    settings (name) {
        name -> Text,
        value -> DbJsonb,
        updated_at -> DbTime,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::*;
    activity_log (seq) {
        seq -> BigInt,
        import_id -> Nullable<DbUuid>,
        at -> DbTime,
        actor -> Text,
        action -> Text,
        subject -> Nullable<Text>,
        detail -> DbJsonb,
        request_id -> Nullable<Text>,
        address -> Nullable<Text>,
    }
}

diesel::joinable!(sessions -> users (user_id));
diesel::joinable!(api_key_secrets -> api_keys (key_id));
diesel::allow_tables_to_appear_in_same_query!(sessions, users);
diesel::allow_tables_to_appear_in_same_query!(api_key_secrets, api_keys);
diesel::allow_tables_to_appear_in_same_query!(event_bodies, events, meanings, webhook_sources);
