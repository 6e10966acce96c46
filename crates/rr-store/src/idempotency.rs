//! Once-only effects: the id a caller gave its request, and what the request was.

use std::collections::{HashMap, HashSet};

use diesel::QueryResult;
use diesel::prelude::*;
use rr_domain::Timestamp;
use serde_json::json;
use uuid::Uuid;

use crate::conn::{Conn, on_each};
use crate::schema::idempotency_keys;
use crate::types::{At, Id};
use crate::{Audit, Store, StoreError};

/// What makes a repeat recognisable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Idempotency {
    /// Whose ids these are, and of which kind: ids of different callers never meet.
    pub scope: String,
    /// The id.
    pub key: String,
    /// A digest of the request: the same id with another one is a conflict.
    pub fingerprint: [u8; 32],
}

impl Store {
    /// Forgets the ids claimed before `before`, whose repeats will count as new; says how many.
    pub async fn forget_idempotency(
        &self,
        before: Timestamp,
        audit: Audit,
    ) -> Result<usize, StoreError> {
        self.write(move |conn| {
            let old =
                || idempotency_keys::table.filter(idempotency_keys::created_at.lt(At(before)));
            let count = on_each!(conn, |c| diesel::delete(old()).execute(c))?;
            if count > 0 {
                let detail = json!({ "count": count, "before": before });
                audit.record(conn, "idempotency.forgotten", None, &detail)?;
            }
            Ok(count)
        })
        .await
    }
}

/// An id that wants to be the first of its kind.
pub(crate) struct Claim<'a> {
    pub(crate) id: &'a Idempotency,
    /// What the request will make.
    pub(crate) result: Uuid,
    pub(crate) at: Timestamp,
}

/// What became of a claim. Of several for one request, the least decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Claimed {
    /// The id was used for another request.
    Conflict,
    /// The same request was here and made this.
    Repeat(Uuid),
    /// Nobody was here before.
    First,
}

/// Claims ids, in the order given. Insert first, then let the rows that came in say who was first:
/// two requests that race for one id meet in the unique index, and the later one waits there for
/// the commit of the earlier.
pub(crate) fn claim(conn: &mut Conn, claims: &[Claim<'_>]) -> QueryResult<Vec<Claimed>> {
    // Of several claims for one id, only the first goes to the database.
    let mut own: HashMap<(&str, &str), usize> = HashMap::new();
    for (index, claim) in claims.iter().enumerate() {
        own.entry((&claim.id.scope, &claim.id.key)).or_insert(index);
    }
    let mut firsts: Vec<&Claim<'_>> = own.values().filter_map(|index| claims.get(*index)).collect();
    // Every transaction inserts in the same order, or two of them could wait for each other.
    firsts.sort_unstable_by_key(|claim| (&claim.id.scope, &claim.id.key));
    let rows: Vec<Row<'_>> = firsts.iter().map(|claim| Row::of(claim)).collect();
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let mut inserted: HashSet<(String, String)> = HashSet::new();
    for part in rows.chunks(conn.bind_limit() / CLAIM_COLUMNS) {
        let new: Vec<(String, String)> =
            on_each!(conn, |c| diesel::insert_into(idempotency_keys::table)
                .values(part)
                .on_conflict_do_nothing()
                .returning((idempotency_keys::scope, idempotency_keys::key))
                .get_results(c))?;
        inserted.extend(new);
    }
    let mut known: HashMap<(String, String), (Uuid, Vec<u8>)> = HashMap::new();
    let is_new = |id: &Idempotency| inserted.contains(&(id.scope.clone(), id.key.clone()));
    for claim in firsts.iter().filter(|claim| !is_new(claim.id)) {
        let (Id(result), fingerprint) = look_up(conn, claim.id)?;
        known.insert((claim.id.scope.clone(), claim.id.key.clone()), (result, fingerprint));
    }
    Ok(claims
        .iter()
        .enumerate()
        .map(|(index, claim)| {
            let first = own.get(&(claim.id.scope.as_str(), claim.id.key.as_str())).copied();
            let earlier = match known.get(&(claim.id.scope.clone(), claim.id.key.clone())) {
                Some((result, fingerprint)) => Some((*result, fingerprint.as_slice())),
                None if first == Some(index) => None,
                None => first
                    .and_then(|first| claims.get(first))
                    .map(|first| (first.result, &first.id.fingerprint[..])),
            };
            match earlier {
                None => Claimed::First,
                Some((result, fingerprint)) if fingerprint == claim.id.fingerprint => {
                    Claimed::Repeat(result)
                }
                Some(_) => Claimed::Conflict,
            }
        })
        .collect())
}

/// Amends an id that was claimed for a request whose other id turned out to be `known`: it stands
/// for what the first request made, or for nothing.
pub(crate) fn settle(conn: &mut Conn, id: &Idempotency, known: Claimed) -> QueryResult<()> {
    let row = || idempotency_keys::table.find((&id.scope, &id.key));
    match known {
        Claimed::Repeat(result) => on_each!(conn, |c| diesel::update(row())
            .set(idempotency_keys::result_id.eq(Id(result)))
            .execute(c))?,
        Claimed::First | Claimed::Conflict => on_each!(conn, |c| diesel::delete(row()).execute(c))?,
    };
    Ok(())
}

/// What the first request of this id made.
pub(crate) fn result_of(conn: &mut Conn, id: &Idempotency) -> QueryResult<Uuid> {
    look_up(conn, id).map(|(Id(result), _)| result)
}

fn look_up(conn: &mut Conn, id: &Idempotency) -> QueryResult<(Id, Vec<u8>)> {
    on_each!(conn, |c| idempotency_keys::table
        .find((&id.scope, &id.key))
        .select((idempotency_keys::result_id, idempotency_keys::fingerprint))
        .get_result(c))
}

const CLAIM_COLUMNS: usize = 5;

#[derive(Insertable)]
#[diesel(table_name = idempotency_keys, treat_none_as_default_value = false)]
struct Row<'a> {
    scope: &'a str,
    key: &'a str,
    fingerprint: &'a [u8],
    result_id: Id,
    created_at: At,
}

impl<'a> Row<'a> {
    fn of(claim: &Claim<'a>) -> Row<'a> {
        Row {
            scope: &claim.id.scope,
            key: &claim.id.key,
            fingerprint: &claim.id.fingerprint,
            result_id: Id(claim.result),
            created_at: At(claim.at),
        }
    }
}
