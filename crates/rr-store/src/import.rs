//! Bulk import.

use std::collections::HashSet;

use diesel::QueryResult;
use diesel::dsl::exists;
use diesel::prelude::*;
use rr_domain::{Fact, FactKind, Timestamp};
use serde_json::json;
use uuid::Uuid;

use crate::conn::{Conn, on_each};
use crate::facts::Appended;
use crate::schema::{facts as facts_table, users as users_table};
use crate::types::Id;
use crate::{Audit, NewActivity, NewEvent, NewKey, NewUser, Store, StoreError};
use crate::{activity, events, facts, keys, users};

/// Rows to bring in together, all or none.
#[derive(Debug, Clone, Default)]
pub struct ImportBatch {
    /// Users, without their facts.
    pub users: Vec<NewUser>,
    /// Facts, recorded now.
    pub facts: Vec<Fact>,
    /// Facts that were recorded before, each at its own instant.
    pub recorded: Vec<(Timestamp, Fact)>,
    /// Keys by hash.
    pub keys: Vec<NewKey>,
    /// Events.
    pub events: Vec<NewEvent>,
    /// Rows of an older audit log.
    pub activity: Vec<NewActivity>,
}

/// How many rows of a batch were new.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImportCounts {
    /// Users.
    pub users: usize,
    /// Facts.
    pub facts: usize,
    /// Keys.
    pub keys: usize,
    /// Events.
    pub events: usize,
    /// Audit rows.
    pub activity: usize,
    /// Users left out because another user has their e-mail; their creation facts are left out too.
    pub emails_taken: Vec<Uuid>,
}

impl Store {
    /// Brings rows in; what is there already stays as it is. A batch of some thousands of rows is
    /// one transaction, and costs a statement for every few dozen.
    pub async fn import_batch(
        &self,
        batch: ImportBatch,
        audit: Audit,
    ) -> Result<ImportCounts, StoreError> {
        self.write_facts(move |conn| bring_in(conn, &batch, &audit)).await
    }

    /// The same, but the ledger does not hold the facts before [`Store::catch_up`]: for filling an
    /// empty database, whose figures nobody reads yet.
    pub async fn load_batch(
        &self,
        batch: ImportBatch,
        audit: Audit,
    ) -> Result<ImportCounts, StoreError> {
        self.write(move |conn| bring_in(conn, &batch, &audit).map(|(counts, _)| counts)).await
    }

    /// Tells PostgreSQL how many facts there are, whose own look comes a minute later: until it knows,
    /// it reads all of them to find a few. SQLite decides by the indexes alone.
    pub async fn gather_statistics(&self) -> Result<(), StoreError> {
        self.read(|conn| match conn {
            Conn::Pg(_) => conn.batch("ANALYZE facts"),
            Conn::Lite(_) => Ok(()),
        })
        .await
    }

    /// Whether there are no users and no facts.
    pub async fn is_empty(&self) -> Result<bool, StoreError> {
        self.read(|conn| {
            let any_user: bool = on_each!(conn, |c| diesel::select(exists(
                users_table::table.select(users_table::id)
            ))
            .get_result(c))?;
            let any_fact: bool = on_each!(conn, |c| diesel::select(exists(
                facts_table::table.select(facts_table::seq)
            ))
            .get_result(c))?;
            Ok(!any_user && !any_fact)
        })
        .await
    }
}

impl ImportCounts {
    fn any_new(&self) -> bool {
        self.users + self.facts + self.keys + self.events + self.activity > 0
    }
}

fn bring_in(
    conn: &mut Conn,
    batch: &ImportBatch,
    audit: &Audit,
) -> QueryResult<(ImportCounts, Appended)> {
    let (users, emails_taken) = bring_in_users(conn, &batch.users)?;
    let left_out: HashSet<Uuid> = emails_taken.iter().copied().collect();
    let now = batch.facts.iter().map(|fact| (audit.at, fact));
    let before = batch.recorded.iter().map(|(at, fact)| (*at, fact));
    let kept: Vec<(Timestamp, &Fact)> =
        before.chain(now).filter(|(_, fact)| !creates(fact, &left_out)).collect();
    let appended = facts::append_recorded(conn, &kept)?;
    let counts = ImportCounts {
        users,
        facts: appended.new,
        keys: keys::import(conn, &batch.keys)?,
        events: events::import(conn, &batch.events)?,
        activity: activity::import(conn, &batch.activity)?,
        emails_taken,
    };
    if counts.any_new() {
        let detail = json!({
            "users": counts.users, "facts": counts.facts, "keys": counts.keys,
            "events": counts.events, "activity": counts.activity,
        });
        audit.record(conn, "data.imported", None, &detail)?;
    }
    Ok((counts, appended))
}

/// How many users are new, and who could not come because of their e-mail.
fn bring_in_users(conn: &mut Conn, all: &[NewUser]) -> QueryResult<(usize, Vec<Uuid>)> {
    let new: HashSet<Id> = users::insert(conn, all)?.into_iter().collect();
    let others: Vec<Id> =
        all.iter().map(|user| Id(user.id)).filter(|id| !new.contains(id)).collect();
    let mut there = HashSet::new();
    for part in others.chunks(1_000) {
        let found: Vec<Id> = on_each!(conn, |c| users_table::table
            .filter(users_table::id.eq_any(part))
            .select(users_table::id)
            .get_results(c))?;
        there.extend(found);
    }
    let taken = others.iter().filter(|id| !there.contains(id)).map(|id| id.0).collect();
    Ok((new.len(), taken))
}

fn creates(fact: &Fact, users: &HashSet<Uuid>) -> bool {
    matches!(&fact.kind, FactKind::UserCreated { user, .. } if users.contains(user))
}
