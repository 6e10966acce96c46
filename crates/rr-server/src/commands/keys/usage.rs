//! How a key is used, for `keys list`.

use std::num::NonZeroU32;

use rr_domain::Timestamp;
use rr_keys::QuotaPeriod;
use rr_store::{KeyRow, UseTally};
use serde_json::{Value, json};

/// How it is used, as it stands in the database: a running server writes every few seconds.
pub(super) fn json(key: &KeyRow) -> Value {
    let permissions = key.permission_uses.iter().map(|used| {
        json!({
            "permission": used.permission,
            "count": used.uses,
            "last_used": used.last_used_at,
        })
    });
    json!({
        "last_address": key.last_used_address,
        "permissions": permissions.collect::<Vec<_>>(),
        "superseded": key.superseded.as_ref().map(tally),
        "refused": key.refused.as_ref().map(tally),
    })
}

fn tally(uses: &UseTally) -> Value {
    json!({
        "count": uses.uses,
        "last_used": uses.last_used_at,
        "last_address": uses.last_address,
    })
}

/// Permissions that it has and has never needed.
pub(super) fn unused(key: &KeyRow) -> Vec<&str> {
    let used = key.permission_uses.iter().map(|used| used.permission.as_str());
    key.record.permissions.unused(used).collect()
}

/// Where it stands in each of its quotas.
pub(super) fn quotas(key: &KeyRow, now: Timestamp) -> Vec<Value> {
    let (quotas, now) = (&key.record.quotas, now.to_system_time());
    let state = |(period, limit): (QuotaPeriod, NonZeroU32)| {
        json!({
            "period": period.name(),
            "limit": limit,
            "used": quotas.used().in_period(period, now),
            "resets_at": period.end(now).map(Timestamp::from_system_time),
        })
    };
    quotas.iter().map(state).collect()
}
