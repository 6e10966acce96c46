//! Counting uses: one statement for all keys of a flush.

use std::fmt::Write;

use diesel::QueryResult;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text};
use rr_domain::Timestamp;
use rr_keys::KeyUsage;

use crate::conn::{Conn, on_each};
use crate::types::{At, DbTime, DbUuid, Id};
use crate::{Store, StoreError};

/// How many keys one statement takes.
const PART: usize = 500;

impl Store {
    /// Adds counted uses; the time of the last use only ever moves forward. All or nothing: after an
    /// error the caller counts them again.
    pub async fn record_usage(&self, usage: Vec<KeyUsage>) -> Result<(), StoreError> {
        if usage.is_empty() {
            return Ok(());
        }
        self.write(move |conn| usage.chunks(PART).try_for_each(|part| add(conn, part))).await
    }
}

fn add(conn: &mut Conn, part: &[KeyUsage]) -> QueryResult<()> {
    let statement = statement(part.len());
    on_each!(conn, |c| {
        let mut query = diesel::sql_query(statement).into_boxed();
        for usage in part {
            let address = usage.last_address.map(|address| address.to_string());
            query = query
                .bind::<DbUuid, _>(Id(usage.key_id))
                .bind::<BigInt, _>(i64::try_from(usage.count).unwrap_or(i64::MAX))
                .bind::<DbTime, _>(At(Timestamp::from_system_time(usage.last_used)))
                .bind::<Nullable<Text>, _>(address);
        }
        query.execute(c)
    })?;
    Ok(())
}

/// Both databases understand `$n`: for SQLite these are named parameters, numbered in the order of
/// their first appearance, which is the order of their numbers.
fn statement(keys: usize) -> String {
    let mut values = String::new();
    for row in 0..keys {
        let comma = if row == 0 { "" } else { ", " };
        let first = row * 4 + 1;
        // Writing to a String cannot fail.
        let _ = write!(values, "{comma}(${first}, ${}, ${}, ${})", first + 1, first + 2, first + 3);
    }
    format!(
        "WITH used (id, uses, at, address) AS (VALUES {values}) \
         UPDATE api_keys SET \
           use_count = api_keys.use_count + used.uses, \
           last_used_address = CASE \
             WHEN api_keys.last_used_at IS NULL OR api_keys.last_used_at <= used.at \
             THEN coalesce(used.address, api_keys.last_used_address) \
             ELSE api_keys.last_used_address END, \
           last_used_at = CASE \
             WHEN api_keys.last_used_at IS NULL OR api_keys.last_used_at < used.at \
             THEN used.at ELSE api_keys.last_used_at END \
         FROM used WHERE api_keys.id = used.id"
    )
}
