//! Counting uses: one statement for every 500 keys of a flush, and one for every 500 of their permissions.

use std::fmt::Write;
use std::time::Duration;

use diesel::QueryResult;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text};
use rr_domain::Timestamp;
use rr_keys::KeyUsage;
use uuid::Uuid;

use crate::conn::{Conn, on_each};
use crate::schema::usage_writers;
use crate::sequence::Sequence;
use crate::types::{At, DbTime, DbUuid, Id};
use crate::{Store, StoreError};

/// How many rows one statement takes.
const PART: usize = 500;

impl Store {
    /// Adds counted uses. Times of last uses only ever move forward, and so do the day and the month whose
    /// uses count towards quotas. All or nothing, and once: after an error, which can hide that they were
    /// committed, the caller hands in the same batch again.
    pub async fn record_usage(&self, batch: UsageBatch) -> Result<(), StoreError> {
        if batch.usage.is_empty() {
            return Ok(());
        }
        self.write(move |conn| {
            // Two servers would else lock the same keys in different orders and wait for each other.
            Sequence::Keys.hold(conn)?;
            if !is_first_time(conn, &batch)? {
                return Ok(());
            }
            let usage = &batch.usage;
            usage.chunks(PART).try_for_each(|part| add(conn, part))?;
            let permissions: Vec<_> = usage.iter().flat_map(PermissionUse::all).collect();
            permissions.chunks(PART).try_for_each(|part| add_permissions(conn, part))
        })
        .await
    }
}

/// Counted uses under a number, by which the store knows them again.
#[derive(Debug, Clone)]
pub struct UsageBatch {
    /// Who counted them, under an id made at its start.
    pub writer: Uuid,
    /// Its own number of the batch: larger than that of any before.
    pub number: i64,
    /// When they were taken.
    pub at: Timestamp,
    /// The uses.
    pub usage: Vec<KeyUsage>,
}

/// Nobody hands in a batch again after so long.
const WRITER_LASTS: Duration = Duration::from_secs(31 * 86_400);

/// Notes the batch; says whether it was not noted before.
fn is_first_time(conn: &mut Conn, batch: &UsageBatch) -> QueryResult<bool> {
    let noted = on_each!(conn, |c| diesel::sql_query(
        "INSERT INTO usage_writers (id, last_batch, written_at) VALUES ($1, $2, $3) \
         ON CONFLICT (id) DO UPDATE SET \
           last_batch = excluded.last_batch, written_at = excluded.written_at \
         WHERE usage_writers.last_batch < excluded.last_batch",
    )
    .bind::<DbUuid, _>(Id(batch.writer))
    .bind::<BigInt, _>(batch.number)
    .bind::<DbTime, _>(At(batch.at))
    .execute(c))?;
    // Writers come with every start of a server, and their rows go when the next one begins.
    if noted > 0 && batch.number == 1 {
        let gone = usage_writers::written_at.lt(At(batch.at.minus(WRITER_LASTS)));
        on_each!(conn, |c| diesel::delete(usage_writers::table.filter(gone)).execute(c))?;
    }
    Ok(noted > 0)
}

/// A permission of a key and how often it was used.
struct PermissionUse<'a> {
    key_id: Uuid,
    permission: &'a str,
    uses: u64,
    at: At,
}

impl PermissionUse<'_> {
    fn all(usage: &KeyUsage) -> impl Iterator<Item = PermissionUse<'_>> {
        usage.permissions.iter().map(|(permission, uses)| PermissionUse {
            key_id: usage.key_id,
            permission,
            uses: *uses,
            at: at(usage.last_used),
        })
    }
}

fn add(conn: &mut Conn, part: &[KeyUsage]) -> QueryResult<()> {
    let statement = format!(
        "WITH used (id, uses, at, address, superseded, superseded_at, superseded_address, \
           refused, refused_at, refused_address, day, day_uses, month, month_uses, total) AS (VALUES {}) \
         UPDATE api_keys SET \
           use_count = api_keys.use_count + used.uses, \
           last_used_address = CASE \
             WHEN used.at IS NULL OR used.at < api_keys.last_used_at \
             THEN api_keys.last_used_address \
             ELSE coalesce(used.address, api_keys.last_used_address) END, \
           last_used_at = CASE \
             WHEN used.at IS NULL OR used.at < api_keys.last_used_at \
             THEN api_keys.last_used_at ELSE used.at END, \
           {}, {}, \
           quota_day_uses = CASE \
             WHEN used.day IS NULL OR used.day < api_keys.quota_day THEN api_keys.quota_day_uses \
             WHEN used.day = api_keys.quota_day THEN api_keys.quota_day_uses + used.day_uses \
             ELSE used.day_uses END, \
           quota_day = CASE \
             WHEN used.day IS NULL OR used.day < api_keys.quota_day \
             THEN api_keys.quota_day ELSE used.day END, \
           quota_month_uses = CASE \
             WHEN used.month IS NULL OR used.month < api_keys.quota_month \
             THEN api_keys.quota_month_uses \
             WHEN used.month = api_keys.quota_month \
             THEN api_keys.quota_month_uses + used.month_uses \
             ELSE used.month_uses END, \
           quota_month = CASE \
             WHEN used.month IS NULL OR used.month < api_keys.quota_month \
             THEN api_keys.quota_month ELSE used.month END, \
           quota_total_uses = api_keys.quota_total_uses + used.total \
         FROM used WHERE api_keys.id = used.id",
        rows(part.len(), 15),
        add_tally("superseded", "superseded_last_used_at"),
        add_tally("refused", "refused_last_at"),
    );
    on_each!(conn, |c| {
        let mut query = diesel::sql_query(statement).into_boxed();
        for usage in part {
            let address = usage.last_address.map(|address| address.to_string());
            let quota = usage.quota.unwrap_or_default();
            let counted = usage.quota.is_some();
            query = query
                .bind::<DbUuid, _>(Id(usage.key_id))
                .bind::<BigInt, _>(whole(usage.count))
                // A use that was counted in a quota just before the flush and nowhere else yet has no time.
                .bind::<Nullable<DbTime>, _>((usage.count > 0).then(|| at(usage.last_used)))
                .bind::<Nullable<Text>, _>(address);
            for part in [usage.superseded, usage.refused] {
                let address = part.and_then(|part| part.last_address);
                query = query
                    .bind::<BigInt, _>(whole(part.map_or(0, |part| part.count)))
                    .bind::<Nullable<DbTime>, _>(part.map(|part| at(part.last_used)))
                    .bind::<Nullable<Text>, _>(address.map(|address| address.to_string()));
            }
            query = query
                .bind::<Nullable<DbTime>, _>(counted.then(|| at(quota.day_start)))
                .bind::<BigInt, _>(whole(quota.day))
                .bind::<Nullable<DbTime>, _>(counted.then(|| at(quota.month_start)))
                .bind::<BigInt, _>(whole(quota.month))
                .bind::<BigInt, _>(whole(quota.total));
        }
        query.execute(c)
    })?;
    Ok(())
}

/// Adds uses of dead or replaced secrets to their columns; `last` is the one that says when the last was.
fn add_tally(name: &str, last: &str) -> String {
    let is_past = format!("used.{name}_at IS NULL OR used.{name}_at < api_keys.{last}");
    format!(
        "{name}_uses = api_keys.{name}_uses + used.{name}, \
         {name}_last_address = CASE \
           WHEN {is_past} THEN api_keys.{name}_last_address ELSE used.{name}_address END, \
         {last} = CASE WHEN {is_past} THEN api_keys.{last} ELSE used.{name}_at END"
    )
}

fn add_permissions(conn: &mut Conn, part: &[PermissionUse<'_>]) -> QueryResult<()> {
    let statement = format!(
        "WITH used (id, permission, uses, at) AS (VALUES {}) \
         INSERT INTO api_key_permission_uses (key_id, permission, uses, last_used_at) \
         SELECT used.id, used.permission, used.uses, used.at FROM used \
           WHERE EXISTS (SELECT 1 FROM api_keys WHERE api_keys.id = used.id) \
         ON CONFLICT (key_id, permission) DO UPDATE SET \
           uses = api_key_permission_uses.uses + excluded.uses, \
           last_used_at = CASE \
             WHEN api_key_permission_uses.last_used_at < excluded.last_used_at \
             THEN excluded.last_used_at ELSE api_key_permission_uses.last_used_at END",
        rows(part.len(), 4)
    );
    on_each!(conn, |c| {
        let mut query = diesel::sql_query(statement).into_boxed();
        for used in part {
            query = query
                .bind::<DbUuid, _>(Id(used.key_id))
                .bind::<Text, _>(used.permission)
                .bind::<BigInt, _>(whole(used.uses))
                .bind::<DbTime, _>(used.at);
        }
        query.execute(c)
    })?;
    Ok(())
}

/// `($1, $2), ($3, $4)`. Both databases understand `$n`: for SQLite these are named parameters, numbered in
/// the order of their first appearance, which is the order of their numbers.
fn rows(rows: usize, columns: usize) -> String {
    let mut values = String::new();
    for row in 0..rows {
        values.push_str(if row == 0 { "(" } else { ", (" });
        for column in 1..=columns {
            let comma = if column == 1 { "" } else { ", " };
            // Writing to a String cannot fail.
            let _ = write!(values, "{comma}${}", row * columns + column);
        }
        values.push(')');
    }
    values
}

fn at(moment: std::time::SystemTime) -> At {
    At(Timestamp::from_system_time(moment))
}

fn whole(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
