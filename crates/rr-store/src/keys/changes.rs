//! What changed since somebody looked: how a process hears of keys that another has changed.

use diesel::prelude::*;
use uuid::Uuid;

use super::{ChangedKeys, KeyChanges};
use crate::conn::on_each;
use crate::schema::api_keys;
use crate::sequence::Sequence;
use crate::types::Id;
use crate::{Store, StoreError};

/// So many changed keys are named; of more, only the fact is told.
const MOST: usize = 1_000;

impl Store {
    /// What any process changed since the number that an earlier answer gave. Counting uses is no change.
    ///
    /// Nothing is passed over: the numbers are taken under a lock that is held until the commit, so whoever
    /// sees one sees all changes before it. They are read first, and a key that changes between the two
    /// reads is named now and once more the next time.
    pub async fn key_changes(&self, seen: Option<i64>) -> Result<KeyChanges, StoreError> {
        self.read(move |conn| {
            let version = Sequence::Keys.last(conn)?;
            let Some(seen) = seen.filter(|seen| *seen <= version) else {
                return Ok(KeyChanges { version, keys: ChangedKeys::Unknown });
            };
            if seen == version {
                return Ok(KeyChanges { version, keys: ChangedKeys::These(Vec::new()) });
            }
            let most = i64::try_from(MOST).unwrap_or(i64::MAX);
            let changed: Vec<(Id, i64)> = on_each!(conn, |c| api_keys::table
                .filter(api_keys::version.gt(seen))
                .order(api_keys::version.desc())
                .select((api_keys::id, api_keys::version))
                .limit(most + 1)
                .load(c))?;
            // The last number belongs to a key, unless that is gone or somebody moved the number by hand.
            let is_whole = changed.len() <= MOST
                && changed.first().is_some_and(|(_, newest)| *newest >= version);
            let ids: Vec<Uuid> = changed.into_iter().map(|(id, _)| id.0).collect();
            let keys = if is_whole { ChangedKeys::These(ids) } else { ChangedKeys::Unknown };
            Ok(KeyChanges { version, keys })
        })
        .await
    }
}
