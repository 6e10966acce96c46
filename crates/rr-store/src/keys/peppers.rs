//! Peppers: which keys stand under which, and how one gets from the old to the new.

use std::collections::HashMap;

use diesel::dsl::{auto_type, count, max};
use diesel::prelude::*;
use rr_domain::Timestamp;
use rr_keys::Outdated;

use super::find::newest_first;
use super::{KeyRow, PepperPlace, PepperVersion};
use crate::conn::on_each;
use crate::schema::{api_key_secrets, api_keys};
use crate::sequence::Sequence;
use crate::types::At;
use crate::{Page, PageRequest, Store, StoreError};

/// How many keys stand under a pepper.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PepperUse {
    /// Its number; `None` is plain SHA-256.
    pub pepper: Option<PepperVersion>,
    /// What it is to this program.
    pub place: PepperPlace,
    /// Keys with a secret under it that can still work: nothing would miss it that is over for good.
    pub keys: i64,
}

impl Store {
    /// How many keys stand under each pepper: those that this program knows, in their order, and then what else
    /// there is.
    pub async fn pepper_uses(&self, now: Timestamp) -> Result<Vec<PepperUse>, StoreError> {
        let counted = self.read_long(move |conn| {
            let counted: Vec<(Option<i64>, i64)> = on_each!(conn, |c| api_key_secrets::table
                .inner_join(api_keys::table)
                .filter(key_can_work(Some(At(now))))
                .filter(secret_can_work(Some(At(now))))
                .group_by(api_key_secrets::pepper)
                .select((
                    api_key_secrets::pepper,
                    count(api_key_secrets::key_id).aggregate_distinct()
                ))
                .load(c))?;
            Ok(counted)
        });
        let mut left: HashMap<Option<PepperVersion>, i64> =
            counted.await?.into_iter().map(|(pepper, keys)| (version(pepper), keys)).collect();
        let known: Vec<_> = self.key_schemes().places().collect();
        let mut all: Vec<_> =
            known.into_iter().map(|pepper| (pepper, left.remove(&pepper).unwrap_or(0))).collect();
        let mut unknown: Vec<_> = left.into_iter().collect();
        unknown.sort_unstable();
        all.extend(unknown);
        let with_place =
            |(pepper, keys)| PepperUse { pepper, place: self.key_schemes().place(pepper), keys };
        Ok(all.into_iter().map(with_place).collect())
    }

    /// The largest number among the peppers in use, where it is none that this program knows: then what it makes is
    /// not made as the servers of this database make it.
    pub async fn unknown_pepper(&self) -> Result<Option<PepperVersion>, StoreError> {
        let largest = self.read_long(|conn| {
            let largest: Option<i64> = on_each!(conn, |c| api_key_secrets::table
                .select(max(api_key_secrets::pepper))
                .get_result(c))?;
            Ok(version(largest))
        });
        let largest = largest.await?;
        Ok(largest.filter(|_| self.key_schemes().place(largest) == PepperPlace::Unknown))
    }

    /// Keys that have a secret under this pepper, or under none, which can still work; newest first.
    pub async fn keys_under_pepper(
        &self,
        pepper: Option<PepperVersion>,
        now: Timestamp,
        page: PageRequest,
    ) -> Result<Page<KeyRow>, StoreError> {
        self.read_long(move |conn| newest_first(conn, &page, Some((pepper, now)))).await
    }

    /// Keeps a secret under the hash of new ones, if it still stands under the old hash and that is no newer one;
    /// says whether it was moved. Nothing that the key is or may changes by it, so no server need be told.
    pub async fn move_secret(&self, way: Outdated) -> Result<bool, StoreError> {
        let Some(pepper) = self.key_schemes().newest_pepper().map(i64::from) else {
            return Ok(false);
        };
        self.write(move |conn| {
            // Whoever changes a key finds its secrets until the commit as he has read them.
            Sequence::Keys.hold(conn)?;
            // Two servers that are told of different peppers for new keys would else move a key to and fro.
            let is_older = api_key_secrets::pepper.is_null().or(api_key_secrets::pepper.lt(pepper));
            let moved = on_each!(conn, |c| diesel::update(
                api_key_secrets::table.find(&way.from.as_bytes()[..]).filter(is_older)
            )
            .set((
                api_key_secrets::hash.eq(&way.to.as_bytes()[..]),
                api_key_secrets::pepper.eq(Some(pepper))
            ))
            .execute(c))?;
            Ok(moved > 0)
        })
        .await
    }
}

/// One that is disabled or not yet valid will, unlike one that is over.
#[auto_type(no_type_alias)]
pub(super) fn key_can_work(now: Option<At>) -> _ {
    let lasts = api_keys::expires_at.is_null().or(api_keys::expires_at.gt(now));
    api_keys::revoked_at.is_null().and(lasts)
}

/// One that waits for its first use will, unlike one that was replaced and has ended.
#[auto_type(no_type_alias)]
pub(super) fn secret_can_work(now: Option<At>) -> _ {
    api_key_secrets::expires_at.is_null().or(api_key_secrets::expires_at.gt(now))
}

/// No number is larger than what the configuration takes but one that was written by hand.
fn version(pepper: Option<i64>) -> Option<PepperVersion> {
    pepper.map(|number| PepperVersion::try_from(number).unwrap_or(PepperVersion::MAX))
}
