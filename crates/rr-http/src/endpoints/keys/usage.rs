//! How a key is used, as its owner may see it: what was written down, so without the last few seconds.

use std::net::IpAddr;

use rr_domain::Timestamp;
use rr_store::KeyRow;
use serde::Serialize;
use utoipa::ToSchema;

/// How a key is used. Counts are a few seconds behind.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Usage {
    /// Requests it opened the door to.
    #[schema(minimum = 0)]
    count: i64,
    /// Where the latest of them came from.
    #[schema(value_type = Option<String>)]
    last_address: Option<IpAddr>,
    /// Which of its permissions they needed.
    permissions: Vec<PermissionUsage>,
    /// Uses of secrets that the last rotation has replaced: who still has to change.
    #[serde(skip_serializing_if = "Option::is_none")]
    superseded: Option<UseTally>,
    /// Attempts with secrets of the key that open nothing any more: somebody goes on with a key that is
    /// revoked, disabled or over.
    #[serde(skip_serializing_if = "Option::is_none")]
    refused: Option<UseTally>,
    /// Where it stands in each of its quotas.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    quotas: Vec<QuotaUsage>,
}

/// How often a permission of the key was needed.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PermissionUsage {
    permission: String,
    #[schema(minimum = 0)]
    count: i64,
    #[schema(value_type = String, format = DateTime)]
    last_used: Timestamp,
}

/// Some of the uses of a key, or attempts at one.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct UseTally {
    #[schema(minimum = 0)]
    count: i64,
    #[schema(value_type = String, format = DateTime)]
    last_used: Timestamp,
    #[schema(value_type = Option<String>)]
    last_address: Option<IpAddr>,
}

/// Where the key stands in a quota.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct QuotaUsage {
    /// `day`, `month` or `total`.
    period: &'static str,
    #[schema(minimum = 1)]
    limit: u32,
    #[schema(minimum = 0)]
    used: u64,
    #[schema(minimum = 0)]
    remaining: u64,
    /// When the next period begins; null where none does.
    #[schema(value_type = Option<String>, format = DateTime)]
    resets_at: Option<Timestamp>,
}

impl Usage {
    /// What is known of a key at `now`.
    pub(super) fn of(row: &KeyRow, now: Timestamp) -> Usage {
        Usage {
            count: row.use_count,
            last_address: row.last_used_address,
            permissions: row
                .permission_uses
                .iter()
                .map(|used| PermissionUsage {
                    permission: used.permission.clone(),
                    count: used.uses,
                    last_used: used.last_used_at,
                })
                .collect(),
            superseded: row.superseded.as_ref().map(UseTally::of),
            refused: row.refused.as_ref().map(UseTally::of),
            quotas: quotas(row, now),
        }
    }
}

impl UseTally {
    fn of(row: &rr_store::UseTally) -> UseTally {
        UseTally { count: row.uses, last_used: row.last_used_at, last_address: row.last_address }
    }
}

fn quotas(row: &KeyRow, now: Timestamp) -> Vec<QuotaUsage> {
    let (quotas, now) = (&row.record.quotas, now.to_system_time());
    let in_quota = |(period, limit): (rr_keys::QuotaPeriod, std::num::NonZeroU32)| {
        let used = quotas.used().in_period(period, now);
        QuotaUsage {
            period: period.name(),
            limit: limit.get(),
            used,
            remaining: u64::from(limit.get()).saturating_sub(used),
            resets_at: period.end(now).map(Timestamp::from_system_time),
        }
    };
    quotas.iter().map(in_quota).collect()
}
