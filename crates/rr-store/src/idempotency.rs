//! Once-only effects: the id a caller gave its request, and what the request was.

use std::collections::HashMap;

use diesel::dsl::sql;
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::result::Error;
use diesel::sql_types::{BigInt, Binary, Bool, Nullable, Text};
use diesel::sqlite::Sqlite;
use diesel::{QueryResult, SqliteConnection};
use rr_domain::Timestamp;
use serde_json::json;
use uuid::Uuid;

use crate::conn::{Clash, Conn, FULL, PgConn, Row, Values, on_each, parts_for_lite, push_column};
use crate::schema::idempotency_keys;
use crate::types::{At, DbTime, DbUuid, Id};
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
    /// Forgets the oldest ids claimed before `before`, whose repeats will count as new, a few hundred at
    /// most; says how many. To be called again until nothing goes.
    pub async fn forget_idempotency(
        &self,
        before: Timestamp,
        audit: Audit,
    ) -> Result<usize, StoreError> {
        self.write(move |conn| {
            let old = || {
                let oldest = "(scope, key) IN (SELECT scope, key FROM idempotency_keys \
                    WHERE created_at < ";
                sql::<Bool>(oldest)
                    .bind::<DbTime, _>(At(before))
                    .sql(" ORDER BY created_at LIMIT ")
                    .bind::<BigInt, _>(STEP)
                    .sql(")")
            };
            let count = on_each!(conn, |c| diesel::delete(idempotency_keys::table.filter(old()))
                .execute(c))?;
            if count > 0 {
                let detail = json!({ "count": count, "before": before });
                audit.record(conn, "idempotency.forgotten", None, &detail)?;
            }
            Ok(count)
        })
        .await
    }
}

/// How many ids go at a time: the writer is soon free for others.
const STEP: i64 = 500;

/// An id that wants to be the first of its kind.
pub(crate) struct Claim<'a> {
    pub(crate) id: &'a Idempotency,
    /// What the request will make. Of several that are claimed together, each is made anew for its request.
    pub(crate) result: Uuid,
    pub(crate) at: Timestamp,
}

impl Claim<'_> {
    fn name(&self) -> (&str, &str) {
        (&self.id.scope, &self.id.key)
    }
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

/// Claims ids, in the order given. Insert first, then let the rows say who was first: two requests
/// that race for one id meet in the unique index, and the later one waits there for the commit of the
/// earlier.
pub(crate) fn claim(conn: &mut Conn, claims: &[Claim<'_>]) -> QueryResult<Vec<Claimed>> {
    if claims.is_empty() {
        return Ok(Vec::new());
    }
    // Of several claims for one id, only the first goes to the database.
    let mut firsts: HashMap<(&str, &str), &Claim<'_>> = HashMap::with_capacity(claims.len());
    for claim in claims {
        firsts.entry(claim.name()).or_insert(claim);
    }
    let mut rows: Vec<ClaimRow<'_>> = firsts.values().map(|claim| ClaimRow::of(claim)).collect();
    // Every transaction inserts in the same order, or two of them could wait for each other.
    rows.sort_unstable_by_key(|row| (row.scope, row.key));
    let earlier = insert(conn, &rows)?;
    claims.iter().map(|claim| judge(claim, &firsts, &earlier)).collect()
}

/// Ids that are stored, with what their first requests made and were.
type Stored<'a> = HashMap<(&'a str, &'a str), (Uuid, Vec<u8>)>;

/// Inserts ids; gives those that were there before. Nothing is looked up where all went in.
fn insert<'a>(conn: &mut Conn, rows: &[ClaimRow<'a>]) -> QueryResult<Stored<'a>> {
    match conn {
        Conn::Pg(c) => {
            let inserted = Wanted::of(rows).execute(c)?;
            if inserted == rows.len() {
                return Ok(Stored::new());
            }
            earlier(rows, inserted, Kept(Wanted::of(rows)).get_results(c)?)
        }
        Conn::Lite(c) => {
            let mut all = Stored::new();
            for part in parts_for_lite(rows) {
                let inserted = part.execute(c)?;
                if inserted < part.rows().len() {
                    let kept = KeptOf::of(part.rows()).get_results(c)?;
                    all.extend(earlier(part.rows(), inserted, kept)?);
                }
            }
            Ok(all)
        }
    }
}

/// Those of the rows that were there before `inserted` of them went in, told by what is kept of each.
fn earlier<'a>(
    rows: &[ClaimRow<'a>],
    inserted: usize,
    kept: Vec<(Id, Vec<u8>)>,
) -> QueryResult<Stored<'a>> {
    if kept.len() != rows.len() {
        return Err(Error::NotFound);
    }
    // Some went in: what makes what was to be made is among them.
    let is_earlier = |row: &ClaimRow<'_>, result: &Id| inserted == 0 || row.result_id != *result;
    Ok(rows
        .iter()
        .zip(kept)
        .filter(|(row, (result, _))| is_earlier(row, result))
        .map(|(row, (Id(result), fingerprint))| ((row.scope, row.key), (result, fingerprint)))
        .collect())
}

fn judge(
    claim: &Claim<'_>,
    firsts: &HashMap<(&str, &str), &Claim<'_>>,
    earlier: &Stored<'_>,
) -> QueryResult<Claimed> {
    let first = firsts.get(&claim.name()).ok_or(Error::NotFound)?;
    let (result, fingerprint) = match earlier.get(&claim.name()) {
        Some((result, fingerprint)) => (*result, fingerprint.as_slice()),
        None if std::ptr::eq(*first, claim) => return Ok(Claimed::First),
        None => (first.result, &first.id.fingerprint[..]),
    };
    let is_same = fingerprint == claim.id.fingerprint;
    Ok(if is_same { Claimed::Repeat(result) } else { Claimed::Conflict })
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
    let Id(result) = on_each!(conn, |c| idempotency_keys::table
        .find((&id.scope, &id.key))
        .select(idempotency_keys::result_id)
        .get_result(c))?;
    Ok(result)
}

struct ClaimRow<'a> {
    scope: &'a str,
    key: &'a str,
    fingerprint: &'a [u8],
    result_id: Id,
    created_at: At,
}

impl<'a> ClaimRow<'a> {
    fn of(claim: &Claim<'a>) -> ClaimRow<'a> {
        ClaimRow {
            scope: &claim.id.scope,
            key: &claim.id.key,
            fingerprint: &claim.id.fingerprint,
            result_id: Id(claim.result),
            created_at: At(claim.at),
        }
    }
}

impl Row for ClaimRow<'_> {
    type Named = ClaimRow<'static>;
    const INTO: &'static str = "idempotency_keys (scope, key, fingerprint, \
        result_id, created_at)";
    const CLASH: Clash = Clash::Stays(" ON CONFLICT DO NOTHING");

    fn bind<'b>(&'b self, values: &mut Values<'_, 'b>) -> QueryResult<()> {
        values.put::<Text, _>(&self.scope)?;
        values.put::<Text, _>(&self.key)?;
        values.put::<Binary, _>(&self.fingerprint)?;
        values.put::<DbUuid, _>(&self.result_id)?;
        values.put::<DbTime, _>(&self.created_at)
    }
}

/// The same as columns, for PostgreSQL.
struct Wanted<'a> {
    scopes: Vec<&'a str>,
    keys: Vec<&'a str>,
    fingerprints: Vec<&'a [u8]>,
    results: Vec<Id>,
    times: Vec<At>,
    /// Where each of them stands.
    places: Vec<i64>,
}

impl<'a> Wanted<'a> {
    fn of(rows: &[ClaimRow<'a>]) -> Wanted<'a> {
        Wanted {
            scopes: rows.iter().map(|row| row.scope).collect(),
            keys: rows.iter().map(|row| row.key).collect(),
            fingerprints: rows.iter().map(|row| row.fingerprint).collect(),
            results: rows.iter().map(|row| row.result_id).collect(),
            times: rows.iter().map(|row| row.created_at).collect(),
            places: (0..).take(rows.len()).collect(),
        }
    }
}

impl QueryFragment<Pg> for Wanted<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql(
            "INSERT INTO idempotency_keys (scope, key, fingerprint, result_id, created_at) \
             SELECT ",
        );
        push_column::<Text, _>(&mut out, "", &self.scopes)?;
        push_column::<Text, _>(&mut out, ", ", &self.keys)?;
        push_column::<Binary, _>(&mut out, ", ", &self.fingerprints)?;
        push_column::<DbUuid, _>(&mut out, ", ", &self.results)?;
        push_column::<DbTime, _>(&mut out, ", ", &self.times)?;
        out.push_sql(" ON CONFLICT DO NOTHING");
        Ok(())
    }
}

impl QueryId for Wanted<'_> {
    type QueryId = Wanted<'static>;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl RunQueryDsl<PgConn> for Wanted<'_> {}

/// What is kept under the wanted ids, in their order.
struct Kept<'a>(Wanted<'a>);

impl QueryFragment<Pg> for Kept<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("SELECT result_id, fingerprint FROM (SELECT ");
        push_column::<Text, _>(&mut out, "", &self.0.scopes)?;
        push_column::<Text, _>(&mut out, ", ", &self.0.keys)?;
        push_column::<BigInt, _>(&mut out, ", ", &self.0.places)?;
        out.push_sql(
            ") AS wanted (scope, key, place) JOIN idempotency_keys USING (scope, key) \
             ORDER BY place",
        );
        Ok(())
    }
}

impl QueryId for Kept<'_> {
    type QueryId = Kept<'static>;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl Query for Kept<'_> {
    type SqlType = (DbUuid, Binary);
}

impl RunQueryDsl<PgConn> for Kept<'_> {}

/// The same for a part of rows on SQLite, which sorts texts as they stand here.
struct KeptOf<'a>([(Option<&'a str>, Option<&'a str>); FULL]);

impl<'a> KeptOf<'a> {
    fn of(rows: &[ClaimRow<'a>]) -> KeptOf<'a> {
        // Nothing is known by no name.
        let mut names = [(None, None); FULL];
        for (name, row) in names.iter_mut().zip(rows) {
            *name = (Some(row.scope), Some(row.key));
        }
        KeptOf(names)
    }
}

impl QueryFragment<Sqlite> for KeptOf<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        let mut before = "SELECT result_id, fingerprint FROM (VALUES (";
        for (scope, key) in &self.0 {
            out.push_sql(std::mem::replace(&mut before, "),("));
            out.push_bind_param::<Nullable<Text>, _>(scope)?;
            out.push_sql(",");
            out.push_bind_param::<Nullable<Text>, _>(key)?;
        }
        // The ids come first and are looked up one by one, whatever statistics say.
        out.push_sql(
            ")) CROSS JOIN idempotency_keys ON scope = column1 AND key = column2 \
             ORDER BY scope, key",
        );
        Ok(())
    }
}

impl QueryId for KeptOf<'_> {
    type QueryId = KeptOf<'static>;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl Query for KeptOf<'_> {
    type SqlType = (DbUuid, Binary);
}

impl RunQueryDsl<SqliteConnection> for KeptOf<'_> {}
